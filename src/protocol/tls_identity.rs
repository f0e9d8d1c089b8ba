//! What a client shows of itself in TLS (RFC 8705 §2).

use super::certificate::CertificateChain;
use super::signing::SigningKey;
use std::path::PathBuf;

/// A certificate with its key, to be shown to the server that knows the client
/// by it and to no other server.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    pub chain: CertificateChain,
    pub key: SigningKey,
    /// Where both were read from; `None` for those of a session.
    pub files: Option<CertifiedKeyFiles>,
}

/// Where a certificate and its key are, as a person named them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedKeyFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The files that TLS goes by, as a person named them: another program that
/// sends the same request needs them, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificates that are trusted.
    pub authorities: Option<PathBuf>,
    /// What is shown to every server.
    pub certified_key: Option<CertifiedKeyFiles>,
}
