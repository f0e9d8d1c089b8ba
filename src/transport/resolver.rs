//! Names to addresses by the system's resolver, with two additions: the name
//! `localhost` must mean this machine, because http is trusted there; and the
//! lookup runs on a thread of its own, because the system's resolver cannot be
//! interrupted and must not hold up the end of the program.

use super::stopwatch::note_name_lookup;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::thread;
use std::time::Instant;
use tokio::sync::oneshot;

/// The resolver of the transport's clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver {
    /// Where http is allowed anywhere, `localhost` may be anywhere.
    pub(super) allow_http: bool,
}

/// Why a name has no usable address.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error(transparent)]
    Lookup(#[from] io::Error),
    #[error("\"localhost\" is {0}, which is not this machine")]
    LocalhostElsewhere(IpAddr),
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_http = self.allow_http;
        Box::pin(async move {
            let began = Instant::now();
            let addresses = look_up(name.as_str().to_owned()).await?;
            note_name_lookup(began.elapsed());
            if !allow_http {
                check_localhost(name.as_str(), &addresses)?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn check_localhost(host: &str, addresses: &[SocketAddr]) -> Result<(), ResolveError> {
    let elsewhere = addresses.iter().find(|address| !address.ip().is_loopback());
    match elsewhere {
        Some(address) if host == "localhost" => Err(ResolveError::LocalhostElsewhere(address.ip())),
        _ => Ok(()),
    }
}

async fn look_up(host: String) -> Result<Vec<SocketAddr>, ResolveError> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new().name("resolver".to_owned()).spawn(move || {
        // the port is filled in by the connector
        let outcome = (host.as_str(), 0).to_socket_addrs().map(Iterator::collect);
        // nobody listens any more once the deadline has passed
        let _ = sender.send(outcome);
    })?;
    let outcome: Result<io::Result<Vec<SocketAddr>>, _> = receiver.await;
    Ok(outcome.map_err(|_| io::Error::other("the resolver thread ended without an answer"))??)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test fails by panicking")]
    use super::*;

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
