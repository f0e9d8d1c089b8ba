//! The origins of browser applications that `--cors` allows.

use super::invalid::InvalidSetting;
use crate::protocol::url_text;
use std::str::FromStr;

/// The origins that are allowed; by default none.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins {
    any: bool,
    origins: Vec<String>,
}

/// One value of `--cors`: an origin, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(Option<String>);

impl FromStr for AllowedOrigin {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(AllowedOrigin(None));
        }
        let origin = text.strip_suffix('/').unwrap_or(text);
        match parse(origin) {
            Some(origin) => Ok(AllowedOrigin(Some(origin))),
            None => Err(InvalidSetting::Origin(text.to_owned())),
        }
    }
}

impl FromIterator<AllowedOrigin> for AllowedOrigins {
    fn from_iter<I: IntoIterator<Item = AllowedOrigin>>(allowed: I) -> Self {
        let mut origins = AllowedOrigins::default();
        for allowed in allowed {
            match allowed.0 {
                None => origins.any = true,
                Some(origin) => origins.origins.push(origin),
            }
        }
        origins
    }
}

impl AllowedOrigins {
    /// Whether no origin is allowed.
    pub(crate) fn is_empty(&self) -> bool {
        !self.any && self.origins.is_empty()
    }

    /// Whether an `Origin` header names an allowed one.
    pub(crate) fn contains(&self, origin: &str) -> bool {
        self.any || self.origins.iter().any(|own| own == origin)
    }

    /// What `Access-Control-Allow-Origin` says to this origin.
    pub(crate) fn header_for(&self, origin: &str) -> String {
        if self.any { "*".to_owned() } else { origin.to_owned() }
    }

    /// Whether a text is an origin as browsers write it.
    pub(crate) fn is_origin(text: &str) -> bool {
        parse(text).is_some_and(|origin| origin == text)
    }
}

/// The origin in the form in which browsers send it (RFC 6454 §6.2): a scheme,
/// a host, and a port where it is not that of the scheme.
fn parse(text: &str) -> Option<String> {
    let url = url_text::parse(text)?;
    let (_, authority) = text.split_once("://")?;
    let is_bare = !authority.is_empty() && !authority.contains(['/', '?', '#', '@', '\\']);
    let is_web = matches!(url.scheme(), "http" | "https");
    (is_bare && is_web).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_as_browsers_send_them() {
        for (text, sent) in [
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://localhost:5173/", "http://localhost:5173"),
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            let allowed: AllowedOrigins = [text.parse().unwrap()].into_iter().collect();
            assert!(allowed.contains(sent), "{text}");
            assert!(
                !allowed.contains("http://localhost") && !allowed.contains("null"),
                "{text}"
            );
        }
        for bad in [
            "",
            "localhost:5173",
            "http://",
            "https://a/b",
            "https://a?b",
            "https://u@a",
            "ftp://a",
            "null",
        ] {
            assert!(bad.parse::<AllowedOrigin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_asterisk_allows_every_origin() {
        let allowed: AllowedOrigins = ["*".parse().unwrap()].into_iter().collect();
        assert!(allowed.contains("https://any.example") && allowed.contains("null"));
        assert_eq!(allowed.header_for("https://any.example"), "*");
    }
}
