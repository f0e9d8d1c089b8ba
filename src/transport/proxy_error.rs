//! What is wrong with the URL of a proxy.

/// Why a proxy's URL cannot be used. Nothing of the URL is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// No URL at all.
    #[error("it is not a URL with a host")]
    NotAUrl,
    /// A character that ends the host part of a URL is in front of an `@`.
    #[error("its user name or password holds a character that ends the user part of a URL")]
    UnencodedUserinfo,
    /// A query, a fragment, a backslash.
    #[error("there is more than a host and a port in it")]
    MoreThanAuthority,
    /// A protocol that is not spoken.
    #[error("its scheme is none of http, https, socks4, socks4a, socks5, socks5h")]
    Scheme,
    /// Not on the command line and not in the configuration file.
    #[error("it contains a user name or password, which every process on this machine could read")]
    Userinfo,
}

impl ProxyError {
    /// What to do about it.
    pub fn hints(self) -> &'static [&'static str] {
        match self {
            ProxyError::UnencodedUserinfo | ProxyError::MoreThanAuthority => &[
                "Write such characters percent-encoded: # as %23, / as %2F, ? as %3F, @ as %40, \\ as %5C, % as %25 (DOMAIN%5Cuser).",
            ],
            ProxyError::Userinfo => &["Put the URL with its password into the environment as HTTPS_PROXY."],
            ProxyError::NotAUrl | ProxyError::Scheme => {
                &["Give a proxy as http://host:port; one that asks for a password belongs in the variable HTTPS_PROXY."]
            }
        }
    }
}
