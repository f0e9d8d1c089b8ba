//! TLS of what listens on this machine: the callback by https, and the
//! development server. rustls with ring, TLS 1.2 and 1.3.

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use std::sync::Arc;

/// A certificate with those above it, and its key.
pub struct ListenerIdentity {
    /// The listener's own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl ListenerIdentity {
    /// A self-signed certificate for this name, with a new P-256 key.
    ///
    /// # Errors
    /// [`rcgen::Error`], such as where randomness fails.
    pub fn self_signed(name: &str) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.self_signed(&key)?;
        Ok(ListenerIdentity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }

    /// How a listener with this identity speaks TLS to clients whose
    /// certificates `clients` verifies.
    ///
    /// # Errors
    /// [`rustls::Error`] where certificate and key do not belong together, or
    /// TLS cannot use them.
    pub fn configure(self, clients: Arc<dyn ClientCertVerifier>) -> Result<ServerConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(self.chain, self.key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
