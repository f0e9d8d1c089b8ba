//! Where an access token may go: to the resources that it was asked for, to
//! hosts that the user named, and to the userinfo endpoint; nowhere else.
//!
//! A token that goes to another server can be used there as well as here
//! (RFC 6750 §5.3), so what is not covered to the letter is not covered.

use super::endpoint::is_loopback;
use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// A host that the user permits: `HOST`, `HOST:PORT`, `*.DOMAIN` or
/// `*.DOMAIN:PORT`, where `*` is one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    pattern: HostPattern,
    /// `None` is the default port of the scheme.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Exact(Host),
    /// What follows `*.`.
    OneLabelBelow(String),
}

/// Text that names no host. It may be anything, so it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AllowedHostError {
    #[error("a host is wanted, with a port where it is not the default one, and no scheme, path or user")]
    NotAHost,
    #[error("`*` matches one whole label, at the beginning: *.example.com")]
    Wildcard,
    /// `*.com` would be every company.
    #[error("the domain behind `*.` needs a dot in it, as in *.example.com")]
    WildcardTooWide,
}

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, AllowedHostError> {
        let (is_wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(AllowedHostError::Wildcard);
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if rest.is_empty() || !rest.bytes().all(is_plain) {
            return Err(AllowedHostError::NotAHost);
        }
        let url = Url::parse(&format!("https://{rest}/")).map_err(|_| AllowedHostError::NotAHost)?;
        let host = url.host().ok_or(AllowedHostError::NotAHost)?.to_owned();
        let port = port(rest)?;
        let pattern = match (is_wildcard, host) {
            (false, host) => HostPattern::Exact(host),
            (true, Host::Domain(domain)) if domain == "localhost" || domain.trim_end_matches('.').contains('.') => {
                HostPattern::OneLabelBelow(domain)
            }
            (true, Host::Domain(_)) => return Err(AllowedHostError::WildcardTooWide),
            (true, _) => return Err(AllowedHostError::Wildcard),
        };
        Ok(AllowedHost { pattern, port })
    }
}

/// The port as it was written. The URL parser forgets 443.
fn port(host_and_port: &str) -> Result<Option<u16>, AllowedHostError> {
    let behind_address = host_and_port.rsplit_once(']').map_or(host_and_port, |(_, rest)| rest);
    match behind_address.split_once(':') {
        None => Ok(None),
        Some((_, port)) => match port.parse() {
            Ok(0) | Err(_) => Err(AllowedHostError::NotAHost),
            Ok(port) => Ok(Some(port)),
        },
    }
}

impl AllowedHost {
    fn covers(&self, url: &Url) -> Option<HostMatch> {
        let host = url.host()?;
        let matched = match (&self.pattern, host) {
            (HostPattern::Exact(own), host) if own.to_string() == host.to_string() => match self.port {
                Some(_) => HostMatch::HostAndPort,
                None => HostMatch::Host,
            },
            (HostPattern::OneLabelBelow(domain), Host::Domain(host)) => {
                let (label, rest) = host.split_once('.')?;
                if label.is_empty() || rest != domain {
                    return None;
                }
                HostMatch::Wildcard
            }
            _ => return None,
        };
        let is_port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        is_port.then_some(matched)
    }

    /// The host itself, where it is not a pattern for several.
    pub fn exact(&self) -> Option<String> {
        match self.pattern {
            HostPattern::Exact(_) => Some(self.to_string()),
            HostPattern::OneLabelBelow(_) => None,
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            HostPattern::Exact(host) => write!(formatter, "{host}")?,
            HostPattern::OneLabelBelow(domain) => write!(formatter, "*.{domain}")?,
        }
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

/// All places that a token may go to.
#[derive(Debug, Clone, Default)]
pub struct TokenReach {
    /// Resource indicators (RFC 8707 §2); those that are not URLs of the web cover nothing.
    pub resources: Vec<Url>,
    pub allowed_hosts: Vec<AllowedHost>,
    pub userinfo_endpoint: Option<Url>,
}

/// How closely a place covers a URL. The greater one is the closer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coverage {
    path_segments: usize,
    host: HostMatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HostMatch {
    Wildcard,
    Host,
    HostAndPort,
}

impl TokenReach {
    /// How closely this URL is covered; `None` means that no token may go there.
    pub fn coverage(&self, url: &Url) -> Option<Coverage> {
        if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)) || has_userinfo(url) {
            return None;
        }
        let by_resource = self.resources.iter().filter_map(|resource| below(resource, url));
        let by_host = self.allowed_hosts.iter().filter_map(|allowed| {
            let host = allowed.covers(url)?;
            Some(Coverage { path_segments: 0, host })
        });
        let by_userinfo = self.userinfo_endpoint.iter().filter_map(|endpoint| {
            let is_it = same_origin(endpoint, url) && endpoint.path() == url.path();
            is_it.then(|| Coverage {
                path_segments: segments(endpoint.path()).count(),
                host: HostMatch::HostAndPort,
            })
        });
        by_resource.chain(by_host).chain(by_userinfo).max()
    }
}

fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a URL is the resource or below it, by whole segments of the path.
/// A resource with a query covers that query alone.
fn below(resource: &Url, url: &Url) -> Option<Coverage> {
    if resource.host().is_none() || !same_origin(resource, url) {
        return None;
    }
    if resource.query().is_some() && (resource.query() != url.query() || resource.path() != url.path()) {
        return None;
    }
    let mut rest = segments(url.path());
    for segment in segments(resource.path()) {
        if rest.next() != Some(segment) {
            return None;
        }
    }
    let path_segments = segments(resource.path()).count();
    if path_segments > 0 && rest.any(climbs) {
        return None;
    }
    Some(Coverage {
        path_segments,
        host: HostMatch::HostAndPort,
    })
}

/// The segments of a path. One slash at the end makes no other place of it.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

/// Whether a server that decodes slashes would take this segment for a way up.
fn climbs(segment: &str) -> bool {
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
    let decoded = decoded.replace("%2f", "/").replace("%5c", "/").replace('\\', "/");
    decoded.contains('/') && decoded.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn reach(resources: &[&str], hosts: &[&str]) -> TokenReach {
        TokenReach {
            resources: resources.iter().map(|text| url(text)).collect(),
            allowed_hosts: hosts.iter().map(|text| text.parse().unwrap()).collect(),
            userinfo_endpoint: Some(url("https://id.example/userinfo")),
        }
    }

    #[track_caller]
    fn assert_covered(reach: &TokenReach, covered: &[&str], other: &[&str]) {
        for text in covered {
            assert!(reach.coverage(&url(text)).is_some(), "{text} is not covered");
        }
        for text in other {
            assert_eq!(reach.coverage(&url(text)), None, "{text} is covered");
        }
    }

    #[test]
    fn a_resource_covers_its_origin_and_whole_segments_of_its_path() {
        assert_covered(
            &reach(&["https://api.example/v1"], &[]),
            &[
                "https://api.example/v1",
                "https://api.example/v1/",
                "https://api.example/v1/users?x=1#f",
                "https://api.example:443/v1/a/b",
                "https://API.EXAMPLE/v1",
                "https://api.example/v1/a%2Fb",
            ],
            &[
                "https://api.example/",
                "https://api.example/v10",
                "https://api.example/V1",
                "https://api.example/v1/../admin",
                "https://api.example/v1/%2e%2e/admin",
                "https://api.example/v1/..%2fadmin",
                "https://api.example/v1/x%5c..%5cadmin",
                "https://api.example:8443/v1",
                "http://api.example/v1",
                "https://api.example.evil.test/v1",
                "https://xapi.example/v1",
                "https://api.example./v1",
                "https://user@api.example/v1",
                "https://user:pw@api.example/v1",
                "wss://api.example/v1",
            ],
        );
        assert_covered(
            &reach(&["https://api.example", "urn:api", "https://b.example/?tenant=1"], &[]),
            &["https://api.example/any/thing", "https://b.example/?tenant=1"],
            &[
                "https://b.example/",
                "https://b.example/?tenant=2",
                "https://b.example/x?tenant=1",
            ],
        );
    }

    #[test]
    fn an_allowed_host_is_exact_and_its_port_too() {
        assert_covered(
            &reach(
                &[],
                &[
                    "git.example",
                    "registry.example:5000",
                    "127.0.0.1:8080",
                    "[::1]:9000",
                    "a.example:443",
                ],
            ),
            &[
                "https://git.example/any",
                "https://git.example:443/any",
                "https://registry.example:5000/v2/",
                "http://127.0.0.1:8080/x",
                "https://127.0.0.1:8080/x",
                "http://[::1]:9000/",
                "https://a.example/",
            ],
            &[
                "https://git.example:8443/",
                "http://git.example/",
                "https://sub.git.example/",
                "https://registry.example/",
                "http://registry.example:5000/",
                "http://127.0.0.1/",
                "http://127.0.0.2:8080/",
                "https://git.example.evil.test/",
            ],
        );
    }

    #[test]
    fn a_wildcard_is_one_label() {
        assert_covered(
            &reach(&[], &["*.example.com", "*.localhost:3000"]),
            &["https://a.example.com/", "http://app.localhost:3000/"],
            &[
                "https://example.com/",
                "https://a.b.example.com/",
                "https://.example.com/",
                "https://a.example.com:8443/",
                "https://aexample.com/",
                "https://a.example.com.evil.test/",
                "http://a.example.com/",
                "http://localhost:3000/",
            ],
        );
    }

    #[test]
    fn the_userinfo_endpoint_is_covered_and_nothing_beside_it() {
        assert_covered(
            &reach(&[], &[]),
            &["https://id.example/userinfo", "https://id.example/userinfo?x=1"],
            &[
                "https://id.example/",
                "https://id.example/token",
                "https://id.example/userinfo/x",
            ],
        );
    }

    #[test]
    fn the_longest_match_is_the_greatest() {
        let ranked = [
            reach(&[], &["*.example.com"]),
            reach(&[], &["api.example.com"]),
            reach(&["https://api.example.com"], &[]),
            reach(&["https://api.example.com/v1"], &["*.example.com"]),
            reach(&["https://api.example.com/v1/users"], &[]),
        ];
        let target = url("https://api.example.com/v1/users/7");
        let coverages: Vec<_> = ranked.iter().map(|reach| reach.coverage(&target)).collect();
        assert!(coverages.is_sorted_by(|one, next| one < next), "{coverages:?}");
        let by_port = reach(&[], &["api.example.com:443"]);
        assert_eq!(by_port.coverage(&target), ranked[2].coverage(&target));
    }

    #[test]
    fn hosts_are_written_without_scheme_path_and_user() {
        for good in [
            "git.example",
            "git.example:8443",
            "*.example.com",
            "[::1]:80",
            "127.0.0.1",
            "*.localhost",
            "a.b:443",
        ] {
            assert_eq!(good.parse::<AllowedHost>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "https://git.example",
            "git.example/path",
            "user@git.example",
            "git.example:",
            "git.example:0",
            "git.example:x",
            "git.example:99999",
            "git example",
            "bücher.example",
            "git.example?x",
            "git.example#x",
            "a\nb",
        ] {
            assert_eq!(bad.parse::<AllowedHost>(), Err(AllowedHostError::NotAHost), "{bad:?}");
        }
        for bad in [
            "*",
            "a.*.example.com",
            "*a.example.com",
            "*.*.example.com",
            "*.127.0.0.1",
        ] {
            assert_eq!(bad.parse::<AllowedHost>(), Err(AllowedHostError::Wildcard), "{bad:?}");
        }
        for bad in ["*.com", "*.internal"] {
            assert_eq!(
                bad.parse::<AllowedHost>(),
                Err(AllowedHostError::WildcardTooWide),
                "{bad:?}"
            );
        }
    }
}
