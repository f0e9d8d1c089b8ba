//! Which sockets the settings ask for, and getting them.
//!
//! Nothing here reuses a port that someone listens on: the only socket
//! option is the `SO_REUSEADDR` that Rust sets on Unix, which there means
//! "despite connections in TIME_WAIT" alone.

use super::{ListenSettings, LoopbackError};
use crate::protocol::redirect_uri::LoopbackAddress;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;

/// How often a free port of one family is tried on the other.
const COMMON_PORT_ATTEMPTS: usize = 16;

/// What was bound.
pub(super) struct Bound {
    pub(super) listeners: Vec<TcpListener>,
    /// The port to advertise.
    pub(super) port: u16,
    pub(super) notes: Vec<String>,
    /// Said where others than this machine may connect.
    pub(super) warning: Option<String>,
}

pub(super) async fn bind(settings: &ListenSettings) -> Result<Bound, LoopbackError> {
    let ports: &[u16] = if settings.ports.is_empty() {
        &[0]
    } else {
        &settings.ports
    };
    match (settings.listen, settings.host) {
        (Some((address, port)), _) => bind_elsewhere(address, port, ports).await,
        (None, LoopbackAddress::V4) => bind_one(Ipv4Addr::LOCALHOST.into(), ports).await,
        (None, LoopbackAddress::V6) => bind_one(Ipv6Addr::LOCALHOST.into(), ports).await,
        (None, LoopbackAddress::Localhost) => bind_both(ports).await,
    }
}

async fn bind_elsewhere(address: IpAddr, port: Option<u16>, ports: &[u16]) -> Result<Bound, LoopbackError> {
    let mut bound = match port {
        None => bind_one(address, ports).await?,
        Some(port) => {
            let mut bound = bind_one(address, &[port]).await?;
            if let Some(advertised) = ports.first().filter(|port| **port != 0) {
                bound.port = *advertised;
            }
            bound
        }
    };
    if !address.is_loopback() {
        bound.warning = Some(format!(
            "listening on {address}, which other machines may reach while the login waits; \
             it accepts only requests for the redirect URI's host"
        ));
    }
    Ok(bound)
}

async fn bind_one(address: IpAddr, ports: &[u16]) -> Result<Bound, LoopbackError> {
    for port in ports {
        match listen(address, *port).await {
            Ok((listener, port)) => {
                return Ok(Bound {
                    listeners: vec![listener],
                    port,
                    notes: Vec::new(),
                    warning: None,
                });
            }
            Err(LoopbackError::PortsBusy { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(LoopbackError::PortsBusy {
        address: address.to_string(),
        ports: ports.to_vec(),
    })
}

/// `localhost` means 127.0.0.1 to one browser and ::1 to another, and whoever
/// holds the other one could take the callback: both on one port, or neither.
async fn bind_both(ports: &[u16]) -> Result<Bound, LoopbackError> {
    for port in ports {
        let attempts = if *port == 0 { COMMON_PORT_ATTEMPTS } else { 1 };
        for _ in 0..attempts {
            if let Some(bound) = bind_pair(*port).await? {
                return Ok(bound);
            }
        }
    }
    Err(LoopbackError::PortsBusy {
        address: "localhost (127.0.0.1 and ::1)".to_owned(),
        ports: ports.to_vec(),
    })
}

/// `None` when one of the two is in use.
async fn bind_pair(port: u16) -> Result<Option<Bound>, LoopbackError> {
    let first = listen(Ipv4Addr::LOCALHOST.into(), port).await;
    let port = first.as_ref().map_or(port, |(_, port)| *port);
    let second = listen(Ipv6Addr::LOCALHOST.into(), port).await;
    let (listeners, port, missing) = match (first, second) {
        (Ok((v4, port)), Ok((v6, _))) => (vec![v4, v6], port, None),
        (Ok((v4, port)), Err(LoopbackError::AddressMissing { .. })) => (vec![v4], port, Some(("IPv6", "127.0.0.1"))),
        (Err(LoopbackError::AddressMissing { .. }), Ok((v6, port))) => (vec![v6], port, Some(("IPv4", "::1"))),
        (Err(LoopbackError::PortsBusy { .. }), _) | (_, Err(LoopbackError::PortsBusy { .. })) => return Ok(None),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let notes = missing.map(|(family, address)| {
        format!("this machine has no {family} loopback address: the listener for `localhost` uses only {address}")
    });
    Ok(Some(Bound {
        listeners,
        port,
        notes: notes.into_iter().collect(),
        warning: None,
    }))
}

async fn listen(address: IpAddr, port: u16) -> Result<(TcpListener, u16), LoopbackError> {
    let address = SocketAddr::new(address, port);
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    bound.await.map_err(|error: std::io::Error| match error.kind() {
        ErrorKind::AddrInUse => LoopbackError::PortsBusy {
            address: address.ip().to_string(),
            ports: vec![port],
        },
        ErrorKind::PermissionDenied => LoopbackError::PortNotPermitted { address },
        // a kernel without IPv6 has no such address family either (EAFNOSUPPORT)
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported => LoopbackError::AddressMissing { address: address.ip() },
        _ if is_family_missing(&error) => LoopbackError::AddressMissing { address: address.ip() },
        _ => LoopbackError::Failed { address, source: error },
    })
}

#[cfg(unix)]
fn is_family_missing(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(not(unix))]
fn is_family_missing(error: &std::io::Error) -> bool {
    // WSAEAFNOSUPPORT
    error.raw_os_error() == Some(10047)
}
