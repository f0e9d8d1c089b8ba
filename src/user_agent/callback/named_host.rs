//! Redirect URIs with a name other than `localhost`: the name must mean this
//! machine, even if another party owns it.

use crate::protocol::redirect_uri::LoopbackAddress;
use std::net::{IpAddr, ToSocketAddrs};

/// A name that is not one of this machine's loopback addresses alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLoopback {
    #[error("the name {0} cannot be resolved")]
    Unresolved(String),
    /// The browser might go there with the code.
    #[error("{name} resolves to {address}, which is not a loopback address of this machine")]
    Elsewhere { name: String, address: IpAddr },
}

/// The loopback addresses that a name stands for. `localhost` and the names
/// below it need no look-up (RFC 6761 §6.3).
///
/// # Errors
/// [`NotLoopback`] where any of its addresses is another one.
pub fn resolve_loopback(name: &str) -> Result<LoopbackAddress, NotLoopback> {
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(LoopbackAddress::Localhost);
    }
    let unresolved = || NotLoopback::Unresolved(name.to_owned());
    let addresses = (name, 0).to_socket_addrs().map_err(|_| unresolved())?;
    let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
    check_addresses(name, &addresses).unwrap_or_else(|| Err(unresolved()))
}

fn check_addresses(name: &str, addresses: &[IpAddr]) -> Option<Result<LoopbackAddress, NotLoopback>> {
    let ours = |address: &IpAddr| matches!(address.to_string().as_str(), "127.0.0.1" | "::1");
    if let Some(other) = addresses.iter().find(|address| !ours(address)) {
        return Some(Err(NotLoopback::Elsewhere {
            name: name.to_owned(),
            address: *other,
        }));
    }
    match (
        addresses.iter().any(IpAddr::is_ipv4),
        addresses.iter().any(IpAddr::is_ipv6),
    ) {
        (true, true) => Some(Ok(LoopbackAddress::Localhost)),
        (true, false) => Some(Ok(LoopbackAddress::V4)),
        (false, true) => Some(Ok(LoopbackAddress::V6)),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn of(addresses: &[&str]) -> Option<Result<LoopbackAddress, NotLoopback>> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        check_addresses("cb.example", &addresses)
    }

    #[test]
    fn every_address_of_a_name_must_be_a_loopback_address() {
        assert_eq!(of(&["127.0.0.1"]), Some(Ok(LoopbackAddress::V4)));
        assert_eq!(of(&["::1"]), Some(Ok(LoopbackAddress::V6)));
        assert_eq!(of(&["::1", "127.0.0.1"]), Some(Ok(LoopbackAddress::Localhost)));
        assert_eq!(of(&[]), None);
        for elsewhere in ["192.0.2.1", "2001:db8::1", "127.0.0.2", "0.0.0.0", "::ffff:127.0.0.1"] {
            let error = of(&["127.0.0.1", elsewhere]).unwrap().unwrap_err();
            assert!(error.to_string().contains(elsewhere), "{error}");
        }
        assert_eq!(resolve_loopback("app.localhost"), Ok(LoopbackAddress::Localhost));
    }
}
