//! The URL as a program may be given it.

use super::error::{BrowserError, MAX_URL_BYTES};
use crate::protocol::endpoint::{HttpPolicy, is_loopback};
use std::fmt::Write;
use url::{Host, Url};

/// The URL as it may be given to a program: https, or http where that is
/// permitted; no user name or password; a host of letters, digits, `.`, `-`
/// and `_` or an address; everything outside RFC 3986's unreserved characters,
/// `%` and `: / ? # [ ] @ ! * + , = &` percent-encoded, so that no quote, dollar,
/// backtick, semicolon, pipe, bracket or white space reaches a script on the way.
///
/// # Errors
/// [`BrowserError`] for a URL that no browser is sent to.
pub fn url_for_browser(url: &Url, http_policy: HttpPolicy) -> Result<String, BrowserError> {
    let permitted = match url.scheme() {
        "https" => true,
        "http" => http_policy == HttpPolicy::Everywhere || is_loopback(url),
        _ => false,
    };
    if !permitted {
        return Err(BrowserError::Scheme {
            scheme: url.scheme().to_owned(),
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BrowserError::Userinfo);
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        Some(Host::Domain(name)) if is_name(name) => {}
        _ => return Err(BrowserError::HostName),
    }
    let mut written = String::with_capacity(url.as_str().len());
    for byte in url.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~%:/?#[]@!*+,=&".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _infallible = write!(written, "%{byte:02X}");
        }
    }
    if written.len() > MAX_URL_BYTES {
        return Err(BrowserError::TooLong);
    }
    Ok(written)
}
