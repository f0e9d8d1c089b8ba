//! URL vetting against a reader that repairs nothing (RFC 3986 §3): a URL that
//! is taken means the same to both.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::url_text::parse_exact;

/// The parser writes a few characters as escapes; that is no other URL.
fn decoded(text: &str) -> Vec<u8> {
    let (mut decoded, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let escape = escape.and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

fuzz_target!(|text: &str| {
    let Some(url) = parse_exact(text) else { return };
    let (scheme, rest) = text.split_once("://").expect("a scheme");
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse::<u16>().expect("a port"))),
        _ => (authority, None),
    };
    assert!(scheme.eq_ignore_ascii_case(url.scheme()));
    assert!(url.username().is_empty() && url.password().is_none());
    let seen = url.host_str().unwrap_or_default();
    // an IPv6 address has several spellings
    let address = |host: &str| host.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>().ok();
    assert!(host.eq_ignore_ascii_case(seen) || address(host).is_some() && address(host) == address(seen));
    let default = match url.scheme() {
        "https" | "wss" => Some(443),
        "http" | "ws" => Some(80),
        "ftp" => Some(21),
        _ => None,
    };
    assert_eq!(port.or(default), url.port_or_known_default());
    let is_empty_path = path.is_empty() && matches!(url.path(), "" | "/");
    assert!(is_empty_path || decoded(path) == decoded(url.path()), "{path} {}", url.path());
    assert_eq!(query.map(decoded), url.query().map(decoded));
    assert_eq!(fragment.map(decoded), url.fragment().map(decoded));
});
