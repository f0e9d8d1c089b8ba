//! Which hosts were reached at public addresses, and which ones they named: a
//! server of the public network may not send requests into a private one by a
//! name that leads there (RFC 9728 §7.7, RFC 8414 §6.2). The answer of the
//! resolver is judged that the connection is then made with, so a name that
//! changes its address in between gains nothing.

use crate::protocol::global_address::is_global;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::{Host, Url};

/// What is known of one host.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    /// Whether all its addresses are public; `None` where it was not looked up.
    is_public: Option<bool>,
    /// Whether a host that is public named it.
    must_be_public: bool,
}

/// The hosts of one transport.
#[derive(Debug, Default)]
pub(super) struct KnownHosts(Mutex<HashMap<String, Facts>>);

impl KnownHosts {
    /// Takes note of where a host is.
    pub(super) fn note_addresses(&self, host: &str, addresses: &[SocketAddr]) {
        let is_public = addresses.iter().all(|address| is_global(address.ip()));
        self.lock().entry(normalized(host)).or_default().is_public = Some(is_public);
    }

    /// Takes note that the server of `by` named `named`. Where it is not known
    /// where that server is, as behind a proxy, nothing follows.
    pub(super) fn note_named(&self, named: &Url, by: &Url) {
        let (Some(Host::Domain(named)), Some(by)) = (named.host(), by.host()) else {
            return;
        };
        let mut hosts = self.lock();
        let is_public = match by {
            Host::Domain(by) if normalized(by) == normalized(named) => return,
            Host::Domain(by) => hosts.get(&normalized(by)).and_then(|facts| facts.is_public),
            Host::Ipv4(address) => Some(is_global(address.into())),
            Host::Ipv6(address) => Some(is_global(address.into())),
        };
        if is_public == Some(true) {
            hosts.entry(normalized(named)).or_default().must_be_public = true;
        }
    }

    /// Whether the host may be at public addresses alone.
    pub(super) fn must_be_public(&self, host: &str) -> bool {
        let facts = self.lock().get(&normalized(host)).copied();
        facts.is_some_and(|facts| facts.must_be_public)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Facts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names are the same in any case, and with the dot of the root.
fn normalized(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: [u8; 4] = [8, 8, 8, 8];
    const PRIVATE: [u8; 4] = [10, 0, 0, 7];

    /// Whether what `by` names must be public, with `api.example` at these addresses.
    fn restricts(by: &str, addresses: &[[u8; 4]], named: &str) -> bool {
        let hosts = KnownHosts::default();
        let addresses: Vec<SocketAddr> = addresses.iter().map(|address| (*address, 443).into()).collect();
        hosts.note_addresses("api.example", &addresses);
        let named = Url::parse(named).unwrap();
        hosts.note_named(&named, &Url::parse(by).unwrap());
        hosts.must_be_public(named.host_str().unwrap())
    }

    #[test]
    fn what_a_public_server_names_must_be_public() {
        for (by, addresses, named, expected) in [
            ("https://api.example/mcp", &[PUBLIC][..], "https://as.example", true),
            (
                "https://API.example./mcp",
                &[PUBLIC],
                "https://AS.example.:8443/x",
                true,
            ),
            ("https://8.8.8.8/mcp", &[], "https://as.example", true),
            ("https://10.0.0.7/mcp", &[], "https://as.example", false),
            ("https://api.example/mcp", &[PRIVATE], "https://as.example", false),
            // inside and outside of a company it may have two
            (
                "https://api.example/mcp",
                &[PUBLIC, PRIVATE],
                "https://as.example",
                false,
            ),
            // a proxy looked it up
            ("https://elsewhere.example/mcp", &[PUBLIC], "https://as.example", false),
            ("https://api.example/mcp", &[PUBLIC], "https://api.example/as", false),
        ] {
            assert_eq!(restricts(by, addresses, named), expected, "{by} {addresses:?} {named}");
        }
    }
}
