//! URLs of servers, vetted once when they are read: https, or http on the
//! loopback interface; no userinfo, no fragment (RFC 6749 §3.1, §3.2).

use super::global_address::is_global;
use super::params::Params;
use super::url_text::{self, authority, find_repair};
use std::fmt;
use url::{Host, Url};

/// Where plain `http` may be spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpPolicy {
    /// With 127.0.0.0/8, `[::1]` and `localhost` only.
    LoopbackOnly,
    /// With everyone: the user said `--allow-http`.
    Everywhere,
}

/// Why a URL cannot be an endpoint or an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an absolute URL with a host. What it is may hold a password, so it is not shown.
    #[error("that is not an absolute URL with a host")]
    NotAUrl,
    #[error("the URL has characters beyond ASCII: write the host in its xn-- form and encode the rest (RFC 3987 §3.1)")]
    NotAscii,
    /// Neither https nor http: never opened, never called.
    #[error("\"{0}:\" is neither an https nor an http URL")]
    Scheme(String),
    /// http to a host that is not this machine.
    #[error("{0} is plain http to another machine (RFC 6749 §3.1, §3.2 require TLS)")]
    PlainHttp(String),
    /// `https://127.1`, `https://host/a/%2e%2e/b`.
    #[error("the URL does not mean what it says: {0} (RFC 3986 §7.6)")]
    Repaired(&'static str),
    /// `https://user:password@host`.
    #[error("the URL has userinfo before the host")]
    Userinfo,
    /// `#…`.
    #[error("{0} has a fragment (RFC 6749 §3.1)")]
    Fragment(String),
    /// `?…` in an issuer.
    #[error("{0} has a query, and an issuer has none (RFC 8414 §2)")]
    Query(String),
    /// A private or link-local address named by a public server (RFC 9728 §7.7).
    #[error("{0} is a private address, named by a server that is not")]
    PrivateAddress(String),
}

fn vet(text: &str, allowance: HttpPolicy) -> Result<Url, EndpointError> {
    if !text.is_ascii() && Url::parse(&text.replace(|character: char| !character.is_ascii(), "x")).is_ok() {
        return Err(EndpointError::NotAscii);
    }
    let url = url_text::parse(text).ok_or(EndpointError::NotAUrl)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(EndpointError::Scheme(url.scheme().to_owned()));
    }
    // Not from the parsed URL: `https://@host` has an empty userinfo, which hides a host as well.
    let authority = authority(text, &url).ok_or(EndpointError::NotAUrl)?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(EndpointError::NotAUrl);
    }
    if authority.contains('@') {
        return Err(EndpointError::Userinfo);
    }
    if let Some(what) = find_repair(text, &url) {
        return Err(EndpointError::Repaired(what));
    }
    if url.scheme() == "http" && allowance == HttpPolicy::LoopbackOnly && !is_loopback(&url) {
        return Err(EndpointError::PlainHttp(origin_of(&url)));
    }
    if text.contains('#') {
        return Err(EndpointError::Fragment(shown(&url)));
    }
    Ok(url)
}

/// A URL without query and fragment. An `@` behind the host may be the end of
/// a password that was not encoded, so nothing is shown then.
fn shown(url: &Url) -> String {
    if url[url::Position::BeforePath..].contains('@') {
        return "the URL".to_owned();
    }
    format!("\"{}{}\"", origin_of(url), url.path())
}

/// Whether the URL's host is this machine: 127.0.0.0/8, `[::1]`, `localhost` and
/// every name below it (RFC 6761 §6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// `scheme://host:port` of a URL, which is safe to show.
pub fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Host and port of a URL, as people name its server: the port where the URL has one.
pub fn host_and_port(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// Names that no public zone holds (RFC 6762 §3, RFC 8375 and what ICANN keeps
/// for private use), as suffixes; `localdomain` is what many resolvers add.
const PRIVATE_SUFFIXES: [&str; 5] = [".localhost", ".local", ".internal", ".localdomain", ".home.arpa"];

/// Whether the URL's host is not a host of the public network: an address that is
/// not globally reachable (RFC 6890), also within an IPv6 address that carries
/// an IPv4 one, or a name that only a private network knows.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_global(address.into()),
        Some(Host::Ipv6(address)) => !is_global(address.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || name == "home.arpa" || PRIVATE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        }
        None => false,
    }
}

/// A URL that may be called or opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Vets a URL that the user gave.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn parse(text: &str, allowance: HttpPolicy) -> Result<Self, EndpointError> {
        vet(text, allowance).map(Endpoint)
    }

    /// Vets a URL that a server named: beside the rules for all endpoints, a
    /// server on a public name may not point into a private network.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn parse_untrusted(text: &str, server: &Url, allowance: HttpPolicy) -> Result<Self, EndpointError> {
        let url = vet(text, allowance)?;
        if is_private(&url) && !is_private(server) && !is_loopback(server) {
            return Err(EndpointError::PrivateAddress(origin_of(&url)));
        }
        if url.scheme() == "http" && server.scheme() == "https" && allowance == HttpPolicy::LoopbackOnly {
            return Err(EndpointError::PlainHttp(origin_of(&url)));
        }
        Ok(Endpoint(url))
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The URL with these parameters added to its query, which is retained
    /// (RFC 6749 §3.1).
    pub fn with_params(&self, params: &Params) -> Url {
        params.added_to(&self.0)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

/// The authorization server's identifier, kept byte for byte as it was
/// written, since it is compared so (RFC 8414 §3.3, RFC 9207 §2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    url: Url,
}

impl Issuer {
    /// Vets an issuer: an endpoint without a query (RFC 8414 §2).
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn parse(text: &str, allowance: HttpPolicy) -> Result<Self, EndpointError> {
        let url = vet(text, allowance)?;
        if text.contains('?') {
            return Err(EndpointError::Query(shown(&url)));
        }
        Ok(Issuer {
            text: text.to_owned(),
            url,
        })
    }

    /// The identifier as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where http may be spoken on behalf of this issuer: everywhere only if
    /// the user has allowed it for the issuer itself.
    pub fn http_policy(&self) -> HttpPolicy {
        match self.url.scheme() == "http" && !is_loopback(&self.url) {
            true => HttpPolicy::Everywhere,
            false => HttpPolicy::LoopbackOnly,
        }
    }

    /// Where the metadata may be, in the order to try: RFC 8414 §3.1 (path
    /// inserted), OpenID Connect Discovery §4.1 (appended), then each well-known
    /// name in the other's placement, which some servers use.
    pub fn well_known_urls(&self) -> Vec<Url> {
        let path = self.url.path().trim_end_matches('/').to_owned();
        let placements = [
            format!("/.well-known/oauth-authorization-server{path}"),
            format!("{path}/.well-known/openid-configuration"),
            format!("/.well-known/openid-configuration{path}"),
            format!("{path}/.well-known/oauth-authorization-server"),
        ];
        let mut urls: Vec<Url> = Vec::new();
        for placement in placements {
            let mut url = self.url.clone();
            url.set_path(&placement);
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }

    /// The issuer that a URL of [`well_known_urls`](Self::well_known_urls)
    /// belongs to, as text; `None` for any other URL.
    pub fn of_well_known_url(url: &str) -> Option<String> {
        let well_known = [
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
        ];
        let (before, after) = well_known.iter().find_map(|name| url.split_once(name))?;
        let is_path = after.is_empty() || after.starts_with('/');
        (is_path && before.contains("://")).then(|| format!("{before}{}", after.trim_end_matches('/')))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
