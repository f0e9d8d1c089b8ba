//! Whether a URL means to a parser what it says to a reader.
//!
//! The parser that all of the web uses (WHATWG URL) repairs what it reads: it
//! takes `https:/a@b` for `https://a@b`, `127.1` for `127.0.0.1`, `/a/%2e%2e/b`
//! for `/b`. Code that compares the text, and a person who reads it, see something
//! else. So what it would repair is refused; only the case of scheme and host,
//! a port that goes without saying and an empty path are not difference.

use core::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Parses a URL of printable ASCII without a backslash, which only a parser
/// takes for a slash, and without an escape in a host, which no reader decodes.
pub fn parse(text: &str) -> Option<Url> {
    let is_printable = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\');
    let (scheme, rest) = text.split_once(':')?;
    let host = rest
        .trim_start_matches('/')
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    let has_host = ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    if !is_printable || (has_host && host.contains('%')) {
        return None;
    }
    Url::parse(text).ok()
}

/// Parses a URL with a host that means what it says, and has no userinfo.
pub fn parse_exact(text: &str) -> Option<Url> {
    let url = parse(text)?;
    let is_bare = authority(text, &url).is_some_and(|authority| !authority.contains('@'));
    (is_bare && find_repair(text, &url).is_none()).then_some(url)
}

/// The part between `://` and the path, as it is written; `None` where the
/// text does not begin with the scheme and `://`, or nothing follows.
pub(super) fn authority<'t>(text: &'t str, url: &Url) -> Option<&'t str> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    (scheme.eq_ignore_ascii_case(url.scheme()) && !authority.is_empty()).then_some(authority)
}

/// What the parser has repaired in a text of printable ASCII that has an authority.
pub fn find_repair(text: &str, url: &Url) -> Option<&'static str> {
    let Some(authority) = authority(text, url) else {
        return Some("it does not begin with its scheme and \"://\"");
    };
    let (host, port) = split_port(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
    if !is_host(host, url) {
        return Some("its host is not in the usual form");
    }
    match port {
        Some("") => return Some("the port is missing after the colon"),
        Some(port) if !is_port(port) => return Some("its port has zeros before it"),
        _ => {}
    }
    let path = text.split_once("://").and_then(|(_, rest)| rest.get(authority.len()..));
    let path = path.and_then(|rest| rest.split(['?', '#']).next());
    if path.is_some_and(|path| path.split('/').any(is_dot_segment)) {
        return Some("its path has a segment \".\" or \"..\"");
    }
    None
}

/// Host and port of an authority without userinfo.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Whether the parser found the host that is written, but for the case of its letters.
fn is_host(written: &str, url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => written.eq_ignore_ascii_case(name),
        Some(Host::Ipv4(address)) => written.parse::<Ipv4Addr>() == Ok(address),
        Some(Host::Ipv6(address)) => {
            let inner = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) == Some(address)
        }
        None => false,
    }
}

fn is_port(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain && text.parse::<u16>().is_ok()
}

/// RFC 3986 §5.2.4; a dot may be written `%2e` (WHATWG URL §4.4).
fn is_dot_segment(segment: &str) -> bool {
    let dots = segment.to_ascii_lowercase().replace("%2e", ".");
    dots == "." || dots == ".."
}

#[cfg(test)]
mod tests;
