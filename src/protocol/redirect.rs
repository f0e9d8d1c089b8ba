//! Where an answer sends the client, and what it then asks (RFC 9110 §15.4).
//!
//! Only for answers of APIs: no endpoint of the protocol is ever left for
//! another (RFC 9700 §4.12).

use super::endpoint::is_loopback;
use super::global_address::is_global;
use super::http::{HttpResponse, Method};
use core::net::IpAddr;
use url::{Host, Url};

/// The next request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub url: Url,
    /// A GET without a body follows, whatever the method was.
    pub becomes_get: bool,
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    #[error("it has no Location that is a URL")]
    Location,
    #[error("it leads to something else than https")]
    NotHttps,
    #[error("it leads to a URL with a user name or password in it")]
    Userinfo,
    /// A public server has no business there.
    #[error("it leads from a public server to a private address")]
    PrivateAddress,
}

impl Redirect {
    /// The redirect of an answer; `None` where it is none.
    ///
    /// # Errors
    /// [`RedirectError`].
    pub fn read(url: &Url, method: &Method, response: &HttpResponse) -> Result<Option<Self>, RedirectError> {
        let becomes_get = match (response.status, method.as_str()) {
            (301 | 302, "POST") => true,
            (303, name) => name != "HEAD",
            (301 | 302 | 307 | 308, _) => false,
            _ => return Ok(None),
        };
        let location = response.header("location").ok_or(RedirectError::Location)?;
        let mut target = url.join(location).map_err(|_| RedirectError::Location)?;
        target.set_fragment(None);
        match target.scheme() {
            "https" => {}
            "http" if is_loopback(&target) => {}
            _ => return Err(RedirectError::NotHttps),
        }
        if !target.username().is_empty() || target.password().is_some() {
            return Err(RedirectError::Userinfo);
        }
        if is_private(&target) && !is_private(url) {
            return Err(RedirectError::PrivateAddress);
        }
        Ok(Some(Redirect {
            url: target,
            becomes_get,
        }))
    }
}

/// Whether the URL names an address of this machine or of its network. A name
/// that resolves to one is not known here.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_global(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_global(IpAddr::V6(address)),
        Some(Host::Domain(_)) | None => is_loopback(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::Timings;
    use crate::secret::Secret;
    use std::time::Duration;

    fn read(from: &str, method: &str, status: u16, location: &str) -> Result<Option<(String, bool)>, RedirectError> {
        let response = HttpResponse {
            status,
            headers: vec![("location".to_owned(), location.to_owned())],
            body: Secret::new(Vec::new()),
            is_streamed: true,
            elapsed: Duration::ZERO,
            timings: Timings::default(),
        };
        let method = Method::parse(method).unwrap();
        let redirect = Redirect::read(&Url::parse(from).unwrap(), &method, &response)?;
        Ok(redirect.map(|redirect| (redirect.url.to_string(), redirect.becomes_get)))
    }

    #[test]
    fn a_post_becomes_a_get_where_it_does_on_the_web() {
        for (method, status, becomes_get) in [
            ("POST", 301, true),
            ("POST", 302, true),
            ("POST", 303, true),
            ("PUT", 303, true),
            ("PUT", 301, false),
            ("HEAD", 303, false),
            ("POST", 307, false),
            ("POST", 308, false),
        ] {
            let expected = Ok(Some(("https://a.example/next".to_owned(), becomes_get)));
            assert_eq!(read("https://a.example/x", method, status, "/next#f"), expected);
        }
        for status in [200, 300, 304, 305, 306, 399, 404] {
            assert_eq!(
                read("https://a.example/x", "GET", status, "/next"),
                Ok(None),
                "{status}"
            );
        }
    }

    #[test]
    fn what_leads_astray_is_refused() {
        for (from, location, error) in [
            ("https://a.example/", "http://a.example/", RedirectError::NotHttps),
            ("https://a.example/", "file:///etc/passwd", RedirectError::NotHttps),
            ("https://a.example/", "https://u@a.example/", RedirectError::Userinfo),
            ("https://a.example/", "http://127.0.0.1/", RedirectError::PrivateAddress),
            (
                "https://a.example/",
                "http://localhost:1/",
                RedirectError::PrivateAddress,
            ),
            (
                "https://a.example/",
                "https://169.254.169.254/",
                RedirectError::PrivateAddress,
            ),
            (
                "https://a.example/",
                "https://[fe80::1]/",
                RedirectError::PrivateAddress,
            ),
            ("https://a.example/", "https://:0:/", RedirectError::Location),
        ] {
            assert_eq!(read(from, "GET", 302, location), Err(error), "{location}");
        }
        assert!(read("http://127.0.0.1:1/", "GET", 302, "http://127.0.0.1:2/").is_ok());
        assert!(read("https://10.0.0.1/", "GET", 302, "https://10.0.0.2/").is_ok());
    }
}
