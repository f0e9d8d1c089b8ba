//! Texts that a URL parser would repair, and what is taken of them.

use super::*;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::resource::Resource;
use proptest::prelude::*;

/// Scheme, host, port, path and query.
type Parts = (String, String, Option<u16>, String, Option<String>);

/// What a reader takes a URL for, with the rules of RFC 3986 §3 and no repair.
fn read(text: &str) -> Option<Parts> {
    let (scheme, rest) = text.split_once("://")?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query.to_owned())),
        None => (rest, None),
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let (host, port) = split_port(authority);
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    let scheme = scheme.to_ascii_lowercase();
    let port = port.or(Some(if scheme == "https" { 443 } else { 80 }));
    Some((scheme, host.to_ascii_lowercase(), port, path.to_owned(), query))
}

/// The parser encodes a few characters more; the URL stays the same.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        let escape = (bytes[position] == b'%')
            .then(|| text.get(position + 1..position + 3))
            .flatten();
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                position += 3;
            }
            None => {
                decoded.push(bytes[position]);
                position += 1;
            }
        }
    }
    decoded
}

fn assert_read_alike(text: &str, url: &Url) {
    let (scheme, host, port, path, query) = read(text).unwrap_or_else(|| panic!("{text} is not a URL to a reader"));
    assert_eq!(url.scheme(), scheme, "{text}");
    match url.host() {
        Some(Host::Ipv6(address)) => assert_eq!(host.trim_matches(['[', ']']).parse(), Ok(address), "{text}"),
        _ => assert_eq!(url.host_str(), Some(host.as_str()), "{text}"),
    }
    assert_eq!(url.port_or_known_default(), port, "{text}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    assert_eq!(decoded(url.path()), decoded(&path), "{text}");
    assert_eq!(url.query().map(decoded), query.as_deref().map(decoded), "{text}");
}

/// The text is interpreted as a reader does.
fn assert_taken_alike(text: &str) {
    if let Ok(endpoint) = Endpoint::parse(text, HttpPolicy::Everywhere) {
        assert_read_alike(text, endpoint.url());
    }
    if let Ok(issuer) = Issuer::parse(text, HttpPolicy::Everywhere) {
        assert_read_alike(text, issuer.url());
    }
    let is_web = ["http:", "https:"]
        .iter()
        .any(|scheme| text.to_ascii_lowercase().starts_with(scheme));
    if is_web && let Ok(resource) = Resource::parse(text) {
        assert_read_alike(text, &Url::parse(resource.as_str()).unwrap());
    }
}

fn url_like() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["https", "http", "HTTPS", "hTTp", " https", "ht\ttps", "ws", ""]);
    let separator = prop::sample::select(vec![
        "://", "://", "://", ":/", ":", ":///", ":\\\\", ":/\\", "//", ":/ /",
    ]);
    let host = prop::sample::select(vec![
        "id.example.com",
        "ID.Example.com",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "1.2.3.4.",
        "%69d.example.com",
        "id%2eexample.com",
        "[::1]",
        "[0:0::1]",
        "[::ffff:127.0.0.1]",
        "[::1",
        "a@b.example",
        "@b.example",
        "a:b@c.example",
        "id.example.com\\@evil.test",
        "id.example.com%00.evil.test",
        "localhost.",
        "",
        "xn--nxasmq6b.example",
        "id..example",
        "id.example.com\u{a0}",
        "１２７.0.0.1",
    ]);
    let port = prop::sample::select(vec![
        "", ":", ":0", ":80", ":443", ":0443", ":8443", ":99999", ":+80", ":8 0", ":0x50",
    ]);
    let path = prop::sample::select(vec![
        "",
        "/",
        "/a/b",
        "/a/../b",
        "/./a",
        "/a/%2e%2e/b",
        "/a/.%2E",
        "/a/..",
        "//a",
        "/a//b",
        "/a/;x/..;/b",
        "/%2f",
        "\\a",
        "/a\\..\\b",
        "/a\tb",
        "/a b",
        "/x://y",
        "/@evil.test",
        "/\"<>^`{}",
        "/a/...",
        "/%",
    ]);
    let rest = prop::sample::select(vec![
        "",
        "?",
        "?a=b",
        "?a=../b",
        "?a='b\"",
        "#",
        "#x",
        "?a#b",
        "?://evil.test/",
    ]);
    (scheme, separator, host, port, path, rest)
        .prop_map(|(scheme, separator, host, port, path, rest)| format!("{scheme}{separator}{host}{port}{path}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_url_that_is_taken_means_to_the_parser_what_it_says(text in url_like()) {
        assert_taken_alike(&text);
    }

    #[test]
    fn any_text_that_is_taken_means_what_it_says(text in "[hH]ttps?:[/\\\\]{0,3}[!-~]{0,30}") {
        assert_taken_alike(&text);
    }
}

#[test]
fn what_a_parser_would_repair_is_refused_and_what_is_usual_is_taken() {
    for repaired in [
        "https:/id.example.com@evil.test/x://y",
        "https:id.example.com",
        "https:///id.example.com/",
        "Http:A%AA",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://%69d.example.com/",
        "https://id.example.com:/",
        "https://id.example.com:0443/",
        "https://id.example.com/a/../b",
        "https://id.example.com/a/%2e%2e/b",
        "https://id.example.com/.",
        "https://id.example.com/a/%2E",
    ] {
        assert!(Endpoint::parse(repaired, HttpPolicy::Everywhere).is_err(), "{repaired}");
        assert!(Issuer::parse(repaired, HttpPolicy::Everywhere).is_err(), "{repaired}");
        assert!(Resource::parse(repaired).is_err(), "{repaired}");
        assert_eq!(parse_exact(repaired), None, "{repaired}");
    }
    for usual in [
        "https://id.example.com",
        "HTTPS://ID.example.com:443/",
        "http://127.0.0.1:9000/a//b",
        "https://[::1]:1/..a",
        "https://[64:ff9b::8.8.8.8]/a...b/...",
    ] {
        assert!(Endpoint::parse(usual, HttpPolicy::Everywhere).is_ok(), "{usual}");
        assert!(Resource::parse(usual).is_ok(), "{usual}");
        assert!(parse_exact(usual).is_some(), "{usual}");
    }
}
