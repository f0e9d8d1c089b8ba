//! What the transport goes by.

use super::proxy::ProxySettings;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the transport goes by. Nothing of it is looked at before it is needed.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// The time for a whole exchange, from the call to the last byte (`--http-timeout`).
    pub http_timeout: Duration,
    /// When every exchange ends at the latest (`--deadline`).
    pub deadline: Option<Instant>,
    /// PEM file whose certificates are trusted instead of the system's (`--cacert`).
    pub ca_file: Option<PathBuf>,
    /// PEM files with this client's certificate chain and its key (`--cert`, `--key`).
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Which proxy, if any.
    pub proxy: ProxySettings,
    /// Permits http outside this machine (`--allow-http`).
    pub allow_http: bool,
    /// Refuses addresses that the public network does not reach: for URLs that a stranger names.
    pub public_addresses_only: bool,
    /// `SSL_CERT_FILE`: trusted instead of the system's certificates.
    pub ssl_cert_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: folders, beside or instead of `SSL_CERT_FILE`.
    pub ssl_cert_dir: Vec<PathBuf>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        TransportSettings {
            http_timeout: Duration::from_secs(30),
            deadline: None,
            ca_file: None,
            client_certificate: None,
            proxy: ProxySettings::default(),
            allow_http: false,
            public_addresses_only: false,
            ssl_cert_file: None,
            ssl_cert_dir: Vec::new(),
        }
    }
}
