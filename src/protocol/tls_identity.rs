//! What a client shows of itself in TLS (RFC 8705 §2).

use super::certificate::CertificateChain;
use super::signing::SigningKey;

/// A certificate with its key, to be shown to the server that knows the client
/// by it and to no other server.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    pub chain: CertificateChain,
    pub key: SigningKey,
}
