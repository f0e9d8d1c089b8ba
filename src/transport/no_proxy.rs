//! The exceptions of `NO_PROXY`: hosts that are reached without a proxy. The
//! rules are curl's, and those that programs around it agree on: separators
//! are commas and blanks; `x` is that host and everything below it, `.x` the
//! same, `*.x` what is below it; `*` is everything; a dot at the end does not
//! count; addresses and networks (`10.0.0.0/8`, `fd00::/8`) with or without
//! brackets; `:port` behind any of them means that port alone.

use std::net::IpAddr;
use url::{Host, Url};

/// The exceptions, read once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Exception>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// The host itself (unless only what is below it is meant) and what is below it.
    Domain {
        name: String,
        only_below: bool,
    },
    Network {
        address: IpAddr,
        prefix_bits: u32,
    },
}

impl NoProxy {
    /// What cannot be read is not an exception, as with curl.
    pub(super) fn parse(list: &str) -> Self {
        let words = list.split(|character: char| character == ',' || character.is_whitespace());
        NoProxy(
            words
                .filter(|word| !word.is_empty())
                .filter_map(Exception::parse)
                .collect(),
        )
    }

    pub(super) fn covers(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let Some(host) = url.host() else { return false };
        self.0.iter().any(|exception| exception.covers(&host, port))
    }
}

impl Exception {
    fn parse(word: &str) -> Option<Self> {
        if word == "*" {
            let hosts = Hosts::All;
            return Some(Exception { hosts, port: None });
        }
        if let Some(hosts) = Hosts::network(word) {
            return Some(Exception { hosts, port: None });
        }
        let (host, port) = match word.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (word, None),
        };
        let hosts = Hosts::network(host).or_else(|| Hosts::domain(host))?;
        Some(Exception { hosts, port })
    }

    fn covers(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        if self.port.is_some() && self.port != port {
            return false;
        }
        match (&self.hosts, host) {
            (Hosts::All, _) => true,
            (Hosts::Domain { name, only_below }, Host::Domain(host)) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let is_below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|before| before.ends_with('.'));
                is_below || (!only_below && host == *name)
            }
            (Hosts::Network { address, prefix_bits }, Host::Ipv4(host)) => {
                shares_prefix(*address, IpAddr::V4(*host), *prefix_bits)
            }
            (Hosts::Network { address, prefix_bits }, Host::Ipv6(host)) => {
                shares_prefix(*address, IpAddr::V6(*host), *prefix_bits)
            }
            _ => false,
        }
    }
}

impl Hosts {
    fn domain(word: &str) -> Option<Self> {
        let only_below = word.starts_with("*.");
        let name = word.trim_start_matches('*').trim_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Hosts::Domain { name, only_below })
    }

    fn network(word: &str) -> Option<Self> {
        let (address, length) = match word.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (word, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(address).parse().ok()?;
        let all_bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = length.map_or(Some(all_bits), |length| length.parse().ok())?;
        (prefix_bits <= all_bits).then_some(Hosts::Network { address, prefix_bits })
    }
}

fn shares_prefix(one: IpAddr, other: IpAddr, prefix_bits: u32) -> bool {
    let differing = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= prefix_bits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn covers(list: &str, url: &str) -> bool {
        NoProxy::parse(list).covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn each_kind_of_exception_covers_its_hosts_and_no_others() {
        for (list, direct, proxied) in [
            (
                "a.example b.example",
                &["https://a.example/", "https://b.example/"][..],
                &["https://c.example/"][..],
            ),
            (
                "a.example,\tb.example ,",
                &["https://x.b.example/"],
                &["https://xb.example/"],
            ),
            (
                "a.example.",
                &["https://a.example/", "https://x.a.example./"],
                &["https://example/"],
            ),
            (
                ".a.example",
                &["https://a.example/", "https://x.a.example/"],
                &["https://xa.example/"],
            ),
            (
                "*.a.example",
                &["https://x.a.example/", "https://y.x.a.example/"],
                &["https://a.example/"],
            ),
            ("A.Example", &["https://a.EXAMPLE/"], &["https://b.example/"]),
            ("a.example:8443", &["https://a.example:8443/"], &["https://a.example/"]),
            ("a.example:443", &["https://a.example/"], &["http://a.example/"]),
            ("10.0.0.0/8", &["https://10.1.2.3/"], &["https://11.1.2.3/"]),
            ("10.1.2.3:443", &["https://10.1.2.3/"], &["https://10.1.2.3:8443/"]),
            (
                "0.0.0.0/0",
                &["https://9.9.9.9/"],
                &["https://[fd00::1]/", "https://a.example/"],
            ),
            (
                "fd00::/8 [2001:4860::1]",
                &["https://[fdff::1]/", "https://[2001:4860::1]/"],
                &["https://[fe00::1]/"],
            ),
            ("[fd00::1]:8443", &["https://[fd00::1]:8443/"], &["https://[fd00::1]/"]),
            (
                "fd00::1",
                &["https://[fd00::1]/", "https://[fd00:0::1]:8443/"],
                &["https://[fd00::2]/"],
            ),
            (
                "*",
                &["https://a.example/", "https://[fd00::1]/", "https://9.9.9.9/"],
                &[],
            ),
            ("10.0.0.0/33 a.example:x . *", &["https://a.example/"], &[]),
            (
                "10.0.0.0/33 a.example:x .",
                &[],
                &["https://10.0.0.1/", "https://a.example/"],
            ),
            ("", &[], &["https://a.example/"]),
        ] {
            for url in direct {
                assert!(covers(list, url), "{list:?} {url}");
            }
            for url in proxied {
                assert!(!covers(list, url), "{list:?} {url}");
            }
        }
    }
}
