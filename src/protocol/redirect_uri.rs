//! `redirect_uri`: where the browser brings the authorization response
//! (RFC 6749 §3.1.2), on the loopback interface for native clients (RFC 8252 §7.3).

use super::citation::Cited;
use super::url_text;
use std::fmt;
use url::{Host, Url};

/// The host of a redirect URI that a listener on this machine can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackAddress {
    /// `127.0.0.1`.
    V4,
    /// `[::1]`.
    V6,
    /// `localhost`: either family, so both are needed (RFC 8252 §8.3).
    Localhost,
}

impl LoopbackAddress {
    /// As a URL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            LoopbackAddress::V4 => "127.0.0.1",
            LoopbackAddress::V6 => "[::1]",
            LoopbackAddress::Localhost => "localhost",
        }
    }
}

/// Where native clients are registered to come back to, on any port (RFC 8252 §7.3).
pub const LOOPBACK_REDIRECT_URIS: [&str; 2] = ["http://127.0.0.1/callback", "http://[::1]/callback"];

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
        let (_, authority, _) = split_at_authority(text);
        let url = url_text::parse(text)
            // the parser reads `http:host` and `http:///host` as `http://host`
            .filter(|url| !(url.is_special() && authority.is_empty() && url.has_host()))
            .ok_or(InvalidRedirectUri::NotAbsolute)?;
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
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
        self.loopback_address_with("http")
    }

    /// The same of an `https` redirect URI, where the listener needs a certificate.
    pub fn https_loopback_address(&self) -> Option<LoopbackAddress> {
        self.loopback_address_with("https")
    }

    /// The name in an `https` redirect URI, where it is a name.
    pub fn https_name(&self) -> Option<&str> {
        match (self.url.scheme(), self.url.host()) {
            ("https", Some(Host::Domain(name))) => Some(name),
            _ => None,
        }
    }

    fn loopback_address_with(&self, expected: &str) -> Option<LoopbackAddress> {
        if self.url.scheme() != expected {
            return None;
        }
        // From the text: the URL parser turns `127.1` and `2130706433` into 127.0.0.1.
        let (scheme, authority, _) = split_at_authority(&self.text);
        let (host, _) = split_port(authority);
        if scheme.strip_suffix("://") != Some(expected) {
            return None;
        }
        match (host, self.url.host()) {
            ("127.0.0.1", Some(Host::Ipv4(_))) => Some(LoopbackAddress::V4),
            ("[::1]", Some(Host::Ipv6(_))) => Some(LoopbackAddress::V6),
            ("localhost", Some(Host::Domain(_))) => Some(LoopbackAddress::Localhost),
            _ => None,
        }
    }

    /// The port that the text names; `Some(0)` means that any free one will do.
    pub fn port(&self) -> Option<u16> {
        let (_, authority, _) = split_at_authority(&self.text);
        split_port(authority).1?.parse().ok()
    }

    /// The same URI with this port: every other byte stays. A URI that has
    /// this port already, written or by its scheme, stays as it is; so does one
    /// without a host.
    pub fn with_port(&self, port: u16) -> RedirectUri {
        let (scheme, authority, rest) = split_at_authority(&self.text);
        let (host, _) = split_port(authority);
        let present = self.port().or(self.url.port_or_known_default());
        if present == Some(port) || host.is_empty() {
            return self.clone();
        }
        let text = format!("{scheme}{host}:{port}{rest}");
        match Url::parse(&text) {
            Ok(url) => RedirectUri { text, url },
            Err(_) => self.clone(),
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
            && split_at_authority(&self.text).2 == split_at_authority(&registered.text).2
    }
}

/// `http://`, `127.0.0.1:80` and `/callback?x=1`; the first two are empty for a
/// URI without an authority.
fn split_at_authority(text: &str) -> (&str, &str, &str) {
    let Some(start) = text
        .find(':')
        .filter(|colon| text[*colon..].starts_with("://"))
        .map(|colon| colon + 3)
    else {
        return ("", "", text);
    };
    let end = text[start..]
        .find(['/', '?', '#'])
        .map_or(text.len(), |end| start + end);
    (&text[..start], &text[start..end], &text[end..])
}

/// Host and port of an authority without userinfo.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
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
    use proptest::prelude::*;

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
    fn a_listener_with_a_certificate_is_named_by_an_address_or_a_name() {
        let known = |text: &str| {
            let uri = uri(text);
            let name = uri.https_name().map(str::to_owned);
            (uri.loopback_address(), uri.https_loopback_address(), name)
        };
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(known("https://127.0.0.1:1/c"), (None, Some(LoopbackAddress::V4), None));
        assert_eq!(known("https://[::1]/c"), (None, Some(LoopbackAddress::V6), None));
        assert_eq!(
            known("https://localhost/c"),
            (None, Some(LoopbackAddress::Localhost), name("localhost"))
        );
        assert_eq!(known("https://rp.example/c"), (None, None, name("rp.example")));
        assert_eq!(known("http://127.0.0.1/c"), (Some(LoopbackAddress::V4), None, None));
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

    /// Everything that a redirect URI may be written with.
    fn redirect_uris() -> impl Strategy<Value = (String, String, String)> {
        let host = prop_oneof![
            Just("127.0.0.1".to_owned()),
            Just("[::1]".to_owned()),
            Just("localhost".to_owned()),
            Just("127.1".to_owned()),
            "[a-zA-Z][a-zA-Z0-9-]{0,8}[.]example",
        ];
        let port = prop_oneof![
            Just(String::new()),
            Just(":".to_owned()),
            any::<u16>().prop_map(|port| format!(":{port}")),
            any::<u16>().prop_map(|port| format!(":0{port}")),
        ];
        let rest = "(/[!-\"$-.0-\\[\\]-~]{0,12}){0,3}([?][!-\"$-\\[\\]-~]{0,20})?";
        let scheme = prop_oneof![Just("http"), Just("https"), Just("HTTP"), Just("com.example.app")];
        (scheme, host, port, rest).prop_map(|(scheme, host, port, rest)| (format!("{scheme}://{host}"), port, rest))
    }

    proptest! {
        #[test]
        fn a_port_is_set_and_no_other_byte_changes((start, old, rest) in redirect_uris(), port in 1..=u16::MAX) {
            let text = format!("{start}{old}{rest}");
            let Ok(given) = RedirectUri::parse(&text) else { return Ok(()) };
            let set = given.with_port(port);
            prop_assert!(
                set.as_str() == format!("{start}:{port}{rest}") || set.as_str() == text,
                "{} of {}", set.as_str(), text
            );
            prop_assert_eq!(set.url().port_or_known_default(), Some(port));
            prop_assert_eq!(set.with_port(port), set.clone());
            let reread = RedirectUri::parse(set.as_str()).unwrap();
            prop_assert_eq!(&reread, &set);
            prop_assert_eq!(reread.loopback_address(), given.loopback_address());
        }

        #[test]
        fn a_text_that_is_taken_is_kept_byte_for_byte(text in "[ -~]{0,40}|(http|https|x)://[ -~]{0,30}") {
            if let Ok(uri) = RedirectUri::parse(&text) {
                prop_assert_eq!(uri.as_str(), &text);
                let _never_panics = (uri.port(), uri.loopback_address(), uri.with_port(1));
            }
        }
    }

    #[test]
    fn a_port_that_is_there_already_stays_as_it_is_written() {
        for (given, port, expected) in [
            ("http://127.0.0.1:0", 8, "http://127.0.0.1:8"),
            ("http://127.0.0.1:0/", 8, "http://127.0.0.1:8/"),
            ("http://localhost", 80, "http://localhost"),
            ("http://localhost", 81, "http://localhost:81"),
            ("http://localhost:80/cb", 80, "http://localhost:80/cb"),
            ("http://[::1]:0?x=http://a:1/", 8, "http://[::1]:8?x=http://a:1/"),
            ("com.example:/cb?u=http://a:0/", 8, "com.example:/cb?u=http://a:0/"),
            (
                "https://app.example:0/a/../b?%7e=\"",
                8,
                "https://app.example:8/a/../b?%7e=\"",
            ),
        ] {
            assert_eq!(uri(given).with_port(port).as_str(), expected);
        }
        assert_eq!(uri("http://127.0.0.1:80/").port(), Some(80));
        assert_eq!(uri("http://127.0.0.1/?a=:5").port(), None);
        for not in [
            "http:127.0.0.1/cb",
            "http:/127.0.0.1/cb",
            "http:///127.0.0.1/cb",
            "https:x",
        ] {
            assert!(RedirectUri::parse(not).is_err(), "{not}");
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
