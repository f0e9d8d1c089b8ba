//! Redirect URIs that look like a registered one and are not (RFC 9700 §4.1.3).

use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::rules::Rule;
use crate::server::settings::clients::RegisteredClient;

/// The parts of a URI, as they stand there: not parsed as browsers do, since
/// the tricks are in the difference.
struct Parts<'a> {
    scheme: &'a str,
    /// Without userinfo and port.
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    has_userinfo: bool,
}

impl<'a> Parts<'a> {
    fn split(uri: &'a str) -> Self {
        let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = match host.rfind(':') {
            Some(colon) if !host.ends_with(']') => &host[..colon],
            _ => host,
        };
        Parts {
            scheme,
            host,
            path,
            query,
            has_userinfo: !userinfo.is_empty() || authority.starts_with('@'),
        }
    }
}

/// The rule that refuses this redirect URI to this client: the one about the
/// least difference from any that is registered. `None` where no rule of the
/// catalogue is about it.
pub(super) fn refusing_rule(sent: &str, client: &RegisteredClient) -> Option<Rule> {
    let differences = client
        .redirect_uris
        .iter()
        .filter_map(|registered| difference(sent, registered));
    differences.min_by_key(|(size, _)| *size).map(|(_, rule)| rule)
}

/// How far the one is from the other, and the rule about it.
fn difference(sent: &str, registered: &RedirectUri) -> Option<(u8, Rule)> {
    let own = Parts::split(registered.as_str());
    let parts = Parts::split(sent);
    if sent.chars().any(char::is_control) {
        return Some((0, Rule::RedirectControlCharacters));
    }
    if parts.scheme.eq_ignore_ascii_case("javascript") {
        return Some((0, Rule::RedirectJavascript));
    }
    let lower = sent.to_ascii_lowercase();
    if lower.contains('\\') || lower.contains("%5c") {
        return Some((0, Rule::RedirectBackslash));
    }
    if parts.has_userinfo {
        return Some((0, Rule::RedirectUserinfo));
    }
    if sent.contains('#') {
        return Some((0, Rule::RedirectFragment));
    }
    if !parts.scheme.eq_ignore_ascii_case(own.scheme) {
        return Some((9, Rule::RedirectScheme));
    }
    if !parts.host.eq_ignore_ascii_case(own.host) {
        let begins_like = |host: &str, prefix: &str| host.get(..prefix.len()) == Some(prefix);
        let is_address = |host: &str| host == "127.0.0.1" || host == "[::1]";
        return Some(if begins_like(parts.host, own.host) {
            (2, Rule::RedirectHostSuffix)
        } else if (parts.host == "localhost" && is_address(own.host))
            || (own.host == "localhost" && is_address(parts.host))
        {
            (3, Rule::RedirectLocalhost)
        } else {
            (4, Rule::RedirectOtherHost)
        });
    }
    path_rule(&parts, &own).map(|rule| (1, rule))
}

/// The rule about a redirect URI that differs in path or query alone.
fn path_rule(parts: &Parts<'_>, own: &Parts<'_>) -> Option<Rule> {
    let lower_path = parts.path.to_ascii_lowercase();
    Some(if lower_path.contains("%2e") {
        Rule::RedirectEncodedDots
    } else if parts.path.split('/').any(|segment| segment == "." || segment == "..") {
        Rule::RedirectDotSegments
    } else if parts.path.strip_suffix('/') == Some(own.path) {
        Rule::RedirectTrailingSlash
    } else if parts.path == own.path && parts.query.is_some() && parts.query != own.query {
        if Params::parse(parts.query.unwrap_or_default())
            .all("code")
            .next()
            .is_some()
        {
            Rule::RedirectCodeInQuery
        } else {
            Rule::RedirectExtraQuery
        }
    } else if parts.path == own.path {
        return None;
    } else if parts.path.eq_ignore_ascii_case(own.path) {
        Rule::RedirectPathCase
    } else if parts.path.starts_with(own.path) {
        Rule::RedirectPathSuffix
    } else {
        Rule::RedirectOtherPath
    })
}

/// A `Location` that leads there: the parameters in the query, or in the fragment.
pub(crate) fn location(target: &str, parameters: &str, in_fragment: bool) -> String {
    // What a header cannot hold, or what would end it, is left out.
    let target: String = target
        .chars()
        .filter(|character| character.is_ascii() && !character.is_ascii_control())
        .collect();
    let (base, fragment) = target
        .split_once('#')
        .map_or((target.as_str(), None), |(base, fragment)| (base, Some(fragment)));
    if in_fragment {
        return format!("{base}#{parameters}");
    }
    let separator = if base.contains('?') { '&' } else { '?' };
    match fragment {
        None => format!("{base}{separator}{parameters}"),
        Some(fragment) => format!("{base}{separator}{parameters}#{fragment}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn each_trick_has_its_rule() {
        let client = RegisteredClient::new("c", None, &[]).unwrap();
        for (sent, rule) in [
            ("http://attacker.example/callback", Rule::RedirectOtherHost),
            ("http://127.0.0.1.attacker.example/callback", Rule::RedirectHostSuffix),
            ("http://127.0.0.1@attacker.example/callback", Rule::RedirectUserinfo),
            ("http://127.0.0.1:80@attacker.example/callback", Rule::RedirectUserinfo),
            ("http://localhost:4711/callback", Rule::RedirectLocalhost),
            ("https://127.0.0.1/callback", Rule::RedirectScheme),
            ("javascript:alert(1)", Rule::RedirectJavascript),
            ("http://127.0.0.1:4711/elsewhere", Rule::RedirectOtherPath),
            ("http://127.0.0.1/", Rule::RedirectOtherPath),
            ("http://127.0.0.1/callback/more", Rule::RedirectPathSuffix),
            ("http://127.0.0.1/callbackmore", Rule::RedirectPathSuffix),
            ("http://[::1]/CALLBACK", Rule::RedirectPathCase),
            ("http://127.0.0.1/callback/", Rule::RedirectTrailingSlash),
            ("http://127.0.0.1/callback/../x", Rule::RedirectDotSegments),
            ("http://127.0.0.1/x/./../callback", Rule::RedirectDotSegments),
            ("http://127.0.0.1/callback/%2E%2e/x", Rule::RedirectEncodedDots),
            ("http://attacker.example\\@127.0.0.1/callback", Rule::RedirectBackslash),
            ("http://127.0.0.1/callback?a=b", Rule::RedirectExtraQuery),
            ("http://127.0.0.1/callback?code=b", Rule::RedirectCodeInQuery),
            ("http://127.0.0.1/callback#a", Rule::RedirectFragment),
            ("http://127.0.0.1/callback\r\nX: y", Rule::RedirectControlCharacters),
        ] {
            assert_eq!(refusing_rule(sent, &client), Some(rule), "{sent}");
        }
    }

    #[test]
    fn a_location_keeps_query_and_fragment_in_order() {
        assert_eq!(location("http://a/b", "c=d", false), "http://a/b?c=d");
        assert_eq!(location("http://a/b?x#y", "c=d", false), "http://a/b?x&c=d#y");
        assert_eq!(location("http://a/b?x#y", "c=d", true), "http://a/b?x#c=d");
        assert_eq!(location("http://a/b\r\nX: y", "c=d", false), "http://a/bX: y?c=d");
    }
}
