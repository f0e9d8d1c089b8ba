//! Finds out from the errors of the HTTP library what happened to a request.

use super::cause::Cause;
use super::certificate_verifier;
use super::error::TransportError;
use super::error_chain::{find, io_kind};
use super::proxy::ProxyUrl;
use super::resolver::ResolveError;
use super::shown_endpoint::endpoint;
use super::tls_failure::TlsFailure;
use super::upload::Progress;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// What is known about one request when something goes wrong with it.
pub(super) struct RequestContext<'a> {
    pub(super) url: &'a Url,
    /// Whether the request may have left this machine.
    pub(super) progress: Arc<Progress>,
    /// The proxy on the way.
    pub(super) proxy: Option<&'a ProxyUrl>,
    pub(super) connect_timeout: Duration,
    /// When every exchange ends at the latest.
    pub(super) deadline: Option<Instant>,
}

impl RequestContext<'_> {
    /// Why there is no whole answer, after this time.
    pub(super) fn timed_out(&self, waited: Duration) -> TransportError {
        let (endpoint, after_sending) = (endpoint(self.url), self.progress.has_begun());
        match self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            true => TransportError::PastDeadline {
                endpoint,
                after_sending,
            },
            false => TransportError::Timeout {
                endpoint,
                waited,
                after_sending,
            },
        }
    }

    pub(super) fn body_too_large(&self) -> TransportError {
        TransportError::BodyTooLarge {
            endpoint: endpoint(self.url),
        }
    }

    pub(super) fn encoded(&self, coding: &str) -> TransportError {
        TransportError::Encoded {
            endpoint: endpoint(self.url),
            coding: coding.to_owned(),
        }
    }

    pub(super) fn undecodable(&self) -> TransportError {
        TransportError::Undecodable {
            endpoint: endpoint(self.url),
        }
    }

    pub(super) fn malformed(&self, reason: &str) -> TransportError {
        TransportError::Malformed {
            endpoint: endpoint(self.url),
            cause: Cause::new(reason),
        }
    }

    /// Finds out from the library's error what happened.
    pub(super) fn failed(&self, error: &reqwest::Error) -> TransportError {
        let while_connecting = error.is_connect();
        let after_sending = !while_connecting && self.progress.has_begun();
        if let Some(source) = find::<rustls::Error>(error) {
            return TransportError::Tls {
                peer: self.tls_peer(),
                failure: TlsFailure::from_error(source),
                after_sending,
            };
        }
        if while_connecting {
            return self.not_connected(error);
        }
        let malformed = find::<hyper::Error>(error).is_some_and(|error| error.is_parse())
            || io_kind(error)
                .is_some_and(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
        if malformed {
            return TransportError::Malformed {
                endpoint: endpoint(self.url),
                cause: Cause::innermost(error),
            };
        }
        TransportError::ConnectionLost {
            endpoint: endpoint(self.url),
            after_sending,
            cause: Cause::innermost(error),
        }
    }

    fn not_connected(&self, error: &reqwest::Error) -> TransportError {
        let cause = Cause::innermost(error);
        if let Some(ResolveError::LocalhostElsewhere(address)) = find::<ResolveError>(error) {
            return TransportError::LocalhostElsewhere {
                endpoint: endpoint(self.url),
                address: *address,
            };
        }
        if let Some(ResolveError::NotPublic(address)) = find::<ResolveError>(error) {
            return TransportError::private_address(self.url, *address);
        }
        if let Some(ResolveError::Lookup { host, .. }) = find::<ResolveError>(error) {
            return TransportError::Dns {
                host: host.clone(),
                socks: self.socks_that_could_resolve(host),
                cause,
            };
        }
        if error.is_timeout() {
            return TransportError::ConnectTimeout {
                peer: self.first_peer(),
                waited: self.connect_timeout,
            };
        }
        match (io_kind(error), self.proxy) {
            (Some(io::ErrorKind::ConnectionRefused), _) => TransportError::ConnectRefused {
                peer: self.first_peer(),
                cause,
            },
            (Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset), None) => {
                TransportError::ConnectionLost {
                    endpoint: endpoint(self.url),
                    after_sending: false,
                    cause,
                }
            }
            (None, Some(proxy)) => TransportError::ProxyRefused {
                proxy: proxy.shown().to_owned(),
                peer: self.peer(),
                cause,
            },
            _ => TransportError::Unreachable {
                peer: self.first_peer(),
                cause,
            },
        }
    }

    /// Host and port of the server.
    fn peer(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}")
    }

    /// Who is connected to first: the proxy where there is one.
    fn first_peer(&self) -> String {
        match self.proxy {
            Some(proxy) => format!("the proxy {}", proxy.shown()),
            None => self.peer(),
        }
    }

    /// The peer that the TLS handshake failed with. A proxy that speaks TLS itself comes first.
    fn tls_peer(&self) -> String {
        let at_proxy = |proxy: &&ProxyUrl| proxy.speaks_tls() && !certificate_verifier::has_verified(proxy.host());
        match self.proxy.filter(at_proxy) {
            Some(_) => self.first_peer(),
            None => self.peer(),
        }
    }

    fn socks_that_could_resolve(&self, host: &str) -> Option<String> {
        let is_servers = self.url.host_str() == Some(host);
        let scheme = self.proxy?.scheme();
        (is_servers && matches!(scheme, "socks4" | "socks5")).then(|| scheme.to_owned())
    }
}
