//! `redirect_uri`: where the browser brings the authorization response
//! (RFC 6749 §3.1.2), on the loopback interface for native clients (RFC 8252 §7.3).

use super::citation::Cited;
use std::fmt;
use url::{Host, Url};

/// Whether a redirect URI reaches a listener on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackAddress {
    /// `127.0.0.1`.
    V4,
    /// `[::1]`.
    V6,
    /// `localhost`: either family, so both are needed (RFC 8252 §8.3).
    Localhost,
}

/// An absolute URI without a fragment and without userinfo, compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    url: Url,
}

/// Text that cannot be a redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub enum InvalidRedirectUri {
    /// Not an absolute URI of printable ASCII.
    NotAbsolute,
    /// `#…`.
    Fragment,
    /// `user@host`.
    Userinfo,
    /// Its scheme runs a script or reads a file.
    Scheme(String),
}

impl InvalidRedirectUri {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        let citation = "RFC 6749 §3.1.2";
        match self {
            InvalidRedirectUri::NotAbsolute => {
                Cited::new("the redirect URI is not an absolute URI".to_owned(), citation)
            }
            InvalidRedirectUri::Fragment => Cited::new("the redirect URI has a fragment".to_owned(), citation),
            InvalidRedirectUri::Userinfo => Cited::uncited("the redirect URI has userinfo before the host".to_owned()),
            InvalidRedirectUri::Scheme(scheme) => Cited::uncited(format!(
                "no browser may be sent to a redirect URI with the scheme \"{scheme}\""
            )),
        }
    }
}

impl RedirectUri {
    /// Takes an absolute URI.
    ///
    /// # Errors
    /// [`InvalidRedirectUri`].
    pub fn parse(text: &str) -> Result<Self, InvalidRedirectUri> {
        let printable = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) && !text.contains('\\');
        let url = Url::parse(text)
            .ok()
            .filter(|_| printable)
            .ok_or(InvalidRedirectUri::NotAbsolute)?;
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
        let authority = text
            .split_once("://")
            .map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or(""));
        if authority.contains('@') {
            return Err(InvalidRedirectUri::Userinfo);
        }
        if ["javascript", "data", "file", "vbscript", "blob", "about"].contains(&url.scheme()) {
            return Err(InvalidRedirectUri::Scheme(url.scheme().to_owned()));
        }
        Ok(RedirectUri {
            text: text.to_owned(),
            url,
        })
    }

    /// The URI as it was written: it is sent and compared so.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The loopback address that an `http` redirect URI names; `None` where a
    /// listener on this machine cannot be meant.
    pub fn loopback_address(&self) -> Option<LoopbackAddress> {
        if self.url.scheme() != "http" {
            return None;
        }
        // From the text: the URL parser turns `127.1` and `2130706433` into 127.0.0.1.
        let authority = self.text.strip_prefix("http://")?.split(['/', '?']).next()?;
        let host = match authority.rfind(':') {
            Some(colon) if !authority.ends_with(']') => &authority[..colon],
            _ => authority,
        };
        match (host, self.url.host()) {
            ("127.0.0.1", Some(Host::Ipv4(_))) => Some(LoopbackAddress::V4),
            ("[::1]", Some(Host::Ipv6(_))) => Some(LoopbackAddress::V6),
            ("localhost", Some(Host::Domain(_))) => Some(LoopbackAddress::Localhost),
            _ => None,
        }
    }

    /// The explicit port; `Some(0)` means that any free one will do.
    pub fn port(&self) -> Option<u16> {
        self.url.port()
    }

    /// The same URI with another port.
    pub fn with_port(&self, port: u16) -> RedirectUri {
        let mut url = self.url.clone();
        // Cannot fail: only URLs with a loopback host get here, and those take a port.
        let _ = url.set_port(Some(port));
        RedirectUri {
            text: url.to_string(),
            url,
        }
    }

    /// Whether a registered URI admits this one: equal byte for byte, but for
    /// the port of `http` with a loopback IP literal (RFC 8252 §7.3, RFC 9700 §4.1.3).
    pub fn matches_registered(&self, registered: &RedirectUri) -> bool {
        if self.text == registered.text {
            return true;
        }
        let literal = |uri: &RedirectUri| {
            uri.loopback_address()
                .filter(|address| *address != LoopbackAddress::Localhost)
        };
        literal(self).is_some()
            && literal(self) == literal(registered)
            && self.text_after_authority() == registered.text_after_authority()
            && !self.text.starts_with("http://:")
    }

    fn text_after_authority(&self) -> &str {
        let after_scheme = self.text.strip_prefix("http://").unwrap_or_default();
        after_scheme.find(['/', '?']).map_or("", |start| &after_scheme[start..])
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn only_the_port_of_a_loopback_literal_is_free() {
        let registered = uri("http://127.0.0.1/callback");
        for good in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:1/callback",
            "http://127.0.0.1:65535/callback",
        ] {
            assert!(uri(good).matches_registered(&registered), "{good}");
        }
        assert!(uri("http://[::1]:5/callback").matches_registered(&uri("http://[::1]/callback")));
        for bad in [
            "https://127.0.0.1/callback",
            "http://127.0.0.1:1/Callback",
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/callback?x=1",
            "http://127.0.0.1:1/a/%2e%2e/callback",
            "http://127.0.0.1:1/a/../callback",
            "http://127.0.0.1:1/..;/callback",
            "http://127.0.0.1.evil.test/callback",
            "http://localhost:1/callback",
            "http://localhost.evil.test/callback",
            "http://127.1/callback",
            "http://2130706433/callback",
            "http://0x7f.0.0.1/callback",
            "http://[::ffff:127.0.0.1]/callback",
            "http://[::1]:1/callback",
            "http://127.0.0.2:1/callback",
            "HTTP://127.0.0.1:1/callback",
        ] {
            assert!(!uri(bad).matches_registered(&registered), "{bad}");
        }
        assert!(!uri("http://localhost:2/c").matches_registered(&uri("http://localhost:1/c")));
        assert!(!uri("https://rp.example:2/c").matches_registered(&uri("https://rp.example:1/c")));
    }

    #[test]
    fn tricks_in_the_text_are_refused() {
        for bad in [
            "http://127.0.0.1@evil/",
            "http://127.0.0.1:80\\@evil/",
            "http://127.0.0.1/#x",
            "/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://127.0.0.1/\u{0}",
            "http://127.0.0.1/a b",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn loopback_addresses_are_literals() {
        assert_eq!(
            uri("http://127.0.0.1:0/callback").loopback_address(),
            Some(LoopbackAddress::V4)
        );
        assert_eq!(
            uri("http://[::1]:0/callback").loopback_address(),
            Some(LoopbackAddress::V6)
        );
        assert_eq!(
            uri("http://localhost:0/callback").loopback_address(),
            Some(LoopbackAddress::Localhost)
        );
        for not in [
            "https://127.0.0.1/",
            "http://example.com/",
            "com.example:/callback",
            "http://127.1/",
        ] {
            assert_eq!(uri(not).loopback_address(), None, "{not}");
        }
        assert_eq!(
            uri("http://[::1]:0/callback").with_port(8).as_str(),
            "http://[::1]:8/callback"
        );
    }
}
