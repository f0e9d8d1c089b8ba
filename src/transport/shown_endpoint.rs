//! What may be shown of a URL in an error.

use url::Url;

/// Scheme, host, port and path: what may be shown of a URL.
pub(super) fn endpoint(url: &Url) -> String {
    let origin = match url.host_str() {
        Some(host) => format!("{}://{host}", url.scheme()),
        None => format!("{}:", url.scheme()),
    };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{origin}{port}{}", url.path())
}
