//! Whether a page's Content-Security-Policy lets its form be answered by a
//! redirect to the client (CSP Level 3 §6.4.1, §6.7.2): by header or by a
//! `meta` element.

use super::exchange::Exchange;
use url::Url;

/// The `form-action` of the page that does not let its form lead to the
/// client; `None` where every policy does. `server` is where the page is.
pub(super) fn blocking_policy(page: &Exchange, server: &Url, client: &Url) -> Option<String> {
    let html = String::from_utf8_lossy(&page.bytes()).into_owned();
    let headers = page.headers("content-security-policy").map(str::to_owned);
    let policies: Vec<String> = headers.chain(policies_in(&html)).collect();
    policies
        .iter()
        // A comma is between policies of one header.
        .flat_map(|policies| policies.split(','))
        .filter_map(form_action)
        .find(|sources| {
            !sources
                .split_ascii_whitespace()
                .any(|source| allows(source, server, client))
        })
        .map(str::to_owned)
}

/// The sources of the first directive of that name, which is the one that counts.
fn form_action(policy: &str) -> Option<&str> {
    policy.split(';').find_map(|directive| {
        let directive = directive.trim();
        let (name, sources) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        name.eq_ignore_ascii_case("form-action").then_some(sources.trim())
    })
}

/// The policies of `meta http-equiv` elements.
fn policies_in(html: &str) -> Vec<String> {
    let elements = html.split("<meta").skip(1).filter_map(|rest| rest.split('>').next());
    elements
        .filter(|element| element.to_ascii_lowercase().contains("content-security-policy"))
        .filter_map(|element| attribute(element, "content="))
        .collect()
}

/// The value of an attribute in quotes.
fn attribute(element: &str, name: &str) -> Option<String> {
    let place = element.to_ascii_lowercase().find(name)? + name.len();
    let rest = element.get(place..)?;
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let value = rest.get(1..)?.split(quote).next()?;
    Some(value.replace("&#39;", "'").replace("&amp;", "&"))
}

/// Whether a source matches a URL that a redirect leads to, so that its path
/// does not count (§6.7.2.7).
fn allows(source: &str, server: &Url, client: &Url) -> bool {
    let source = source.to_ascii_lowercase();
    let is_network = ["http", "https"].contains(&client.scheme());
    match source.as_str() {
        "'none'" => false,
        "'self'" => server.origin() == client.origin(),
        "*" => is_network,
        source => match source.split_once("://") {
            Some((scheme, authority)) => allows_scheme(scheme, client) && allows_authority(authority, client),
            None => match source.strip_suffix(':') {
                Some(scheme) => allows_scheme(scheme, client),
                // Without a scheme that of the page counts, or its safer form.
                None => allows_scheme(server.scheme(), client) && allows_authority(source, client),
            },
        },
    }
}

/// `http` allows `https`, too.
fn allows_scheme(scheme: &str, client: &Url) -> bool {
    client.scheme() == scheme || (scheme == "http" && client.scheme() == "https")
}

/// `HOST[:PORT][/PATH]`; the host may begin with `*.`, and the port may be `*`.
fn allows_authority(authority: &str, client: &Url) -> bool {
    let authority = authority.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => (host, Some(port)),
        _ => (authority, None),
    };
    let Some(own) = client.host_str() else { return false };
    // A policy cannot name an IPv6 address (§2.3.1), and browsers take none.
    let same_host = match host.strip_prefix("*.") {
        Some(domain) => own.strip_suffix(domain).is_some_and(|label| label.ends_with('.')),
        None => host == own && !own.starts_with('['),
    };
    let same_port = match port {
        Some("*") => true,
        Some(port) => client.port_or_known_default().map(|own| own.to_string()).as_deref() == Some(port),
        None => client.port().is_none(),
    };
    same_host && same_port
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn allowed(sources: &str, client: &str) -> bool {
        let (server, client) = (
            Url::parse("https://as.example/authorize").unwrap(),
            Url::parse(client).unwrap(),
        );
        let policy = format!("default-src 'none'; FORM-ACTION {sources}; frame-ancestors 'none'");
        let sources = form_action(&policy).unwrap().to_owned();
        sources
            .split_ascii_whitespace()
            .any(|source| allows(source, &server, &client))
    }

    #[test]
    fn sources_as_browsers_match_them() {
        let loopback = "http://127.0.0.1:4711/callback";
        for (sources, client, expected) in [
            ("'self'", loopback, false),
            ("'none'", loopback, false),
            ("", loopback, false),
            ("'self' http://127.0.0.1:4711", loopback, true),
            ("http://127.0.0.1:4711/other", loopback, true),
            ("http://127.0.0.1:*", loopback, true),
            ("http://127.0.0.1", loopback, false),
            ("http://127.0.0.1:4712", loopback, false),
            ("http://localhost:*", loopback, false),
            ("https://127.0.0.1:*", loopback, false),
            ("127.0.0.1:*", loopback, false),
            ("http:", loopback, true),
            ("https:", loopback, false),
            ("*", loopback, true),
            ("*", "com.example.app:/callback", false),
            ("com.example.app:", "com.example.app:/callback", true),
            ("http://[::1]:4711", "http://[::1]:4711/callback", false),
            ("http:", "http://[::1]:4711/callback", true),
            ("'self'", "https://as.example/done", true),
            ("https://*.example", "https://app.example/cb", true),
            ("https://*.example", "https://example/cb", false),
            ("http://app.example", "https://app.example/cb", true),
            ("app.example", "https://app.example/cb", true),
        ] {
            assert_eq!(allowed(sources, client), expected, "{sources} {client}");
        }
    }

    #[test]
    fn policies_are_read_from_headers_and_meta_elements() {
        assert_eq!(form_action("default-src 'self'"), None);
        assert_eq!(form_action("form-action"), Some(""));
        assert_eq!(form_action("form-action a; form-action b"), Some("a"));
        let html = "<html><META charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
                    content=\"form-action &#39;self&#39;\"><form>";
        assert_eq!(policies_in(html), ["form-action 'self'"]);
    }
}
