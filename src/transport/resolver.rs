//! Names to addresses by the system's resolver, with four additions: names
//! below `localhost` are this machine and are not looked up (RFC 6761 §6.3);
//! the name `localhost` must mean this machine, because http is trusted there;
//! some names must be at public addresses; and the lookup runs on a thread of
//! its own, because the system's resolver cannot be interrupted and must not
//! hold up the end of the program.

use super::known_hosts::KnownHosts;
use super::stopwatch::note_name_lookup;
use crate::protocol::global_address::is_global;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use tokio::sync::oneshot;

/// The resolver of the transport's clients.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    /// Where http is allowed anywhere, `localhost` may be anywhere.
    pub(super) allow_http: bool,
    /// Whether every name may be at public addresses alone.
    pub(super) public_addresses_only: bool,
    /// What was found before, and which names may be at public addresses alone.
    pub(super) hosts: Arc<KnownHosts>,
}

/// Why a name has no usable address.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("{source}")]
    Lookup { host: String, source: io::Error },
    #[error("\"localhost\" is {0}, which is not this machine")]
    LocalhostElsewhere(IpAddr),
    #[error("it is at {0}, which is not a public address")]
    NotPublic(IpAddr),
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Resolver { allow_http, hosts, .. } = self.clone();
        let must_be_public = self.public_addresses_only || hosts.must_be_public(name.as_str());
        Box::pin(async move {
            if is_below_localhost(name.as_str()) && !must_be_public {
                return Ok(Box::new(LOOPBACK.into_iter()) as Addrs);
            }
            let began = Instant::now();
            let host = name.as_str().to_owned();
            let addresses = look_up(host.clone())
                .await
                .map_err(|source| ResolveError::Lookup { host, source })?;
            note_name_lookup(began.elapsed());
            hosts.note_addresses(name.as_str(), &addresses);
            if must_be_public {
                check_public(&addresses)?;
            }
            if !allow_http {
                check_localhost(name.as_str(), &addresses)?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The port is filled in by the connector.
const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
];

fn is_below_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.ends_with(".localhost")
}

fn check_localhost(host: &str, addresses: &[SocketAddr]) -> Result<(), ResolveError> {
    let elsewhere = addresses.iter().find(|address| !address.ip().is_loopback());
    match elsewhere {
        Some(address) if host == "localhost" => Err(ResolveError::LocalhostElsewhere(address.ip())),
        _ => Ok(()),
    }
}

/// All of them, since which one is taken is not known here.
fn check_public(addresses: &[SocketAddr]) -> Result<(), ResolveError> {
    match addresses.iter().find(|address| !is_global(address.ip())) {
        Some(address) => Err(ResolveError::NotPublic(address.ip())),
        None => Ok(()),
    }
}

async fn look_up(host: String) -> io::Result<Vec<SocketAddr>> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new().name("resolver".to_owned()).spawn(move || {
        // the port is filled in by the connector
        let outcome = (host.as_str(), 0).to_socket_addrs().map(Iterator::collect);
        // nobody listens any more once the deadline has passed
        let _ = sender.send(outcome);
    })?;
    let outcome: Result<io::Result<Vec<SocketAddr>>, _> = receiver.await;
    outcome.map_err(|_| io::Error::other("the resolver thread ended without an answer"))?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn one_private_address_of_a_name_is_enough_to_refuse_it() {
        let public = SocketAddr::from(([8, 8, 8, 8], 0));
        let private = SocketAddr::from(([169, 254, 169, 254], 0));
        assert!(check_public(&[public]).is_ok());
        let refused = check_public(&[public, private]);
        assert!(matches!(refused, Err(ResolveError::NotPublic(address)) if address == private.ip()));
    }

    #[test]
    fn localhost_must_be_this_machine_and_nothing_else() {
        let here = [
            SocketAddr::from(([127, 0, 0, 1], 0)),
            "[::1]:0".parse().expect("an address"),
        ];
        let elsewhere = [here[0], SocketAddr::from(([10, 0, 0, 7], 0))];
        assert!(check_localhost("localhost", &here).is_ok());
        assert!(check_localhost("id.example.com", &elsewhere).is_ok());
        let refused = check_localhost("localhost", &elsewhere);
        assert!(matches!(refused, Err(ResolveError::LocalhostElsewhere(address)) if address == elsewhere[1].ip()));
    }
}
