//! Why there is no trusted TLS connection, in one sentence each. The texts of
//! rustls are not shown: many of them hold the debug form of its own types.

use super::certificate_verifier::WeakKey;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

/// Why there is no trusted TLS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The certificate's time is over.
    #[error("its certificate has expired")]
    Expired,
    /// The certificate's time has not come.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for other names.
    #[error("its certificate is for another name")]
    WrongName,
    /// No trusted authority signed the certificate.
    #[error("its certificate was not issued by a trusted authority")]
    UnknownIssuer,
    /// The certificate was revoked.
    #[error("its certificate was revoked")]
    Revoked,
    /// The signature of the certificate protects nothing any more.
    #[error("its certificate, or one above it, is signed with SHA-1, which is no longer safe")]
    Sha1,
    /// The signature of the certificate is of an unknown kind.
    #[error("its certificate, or one above it, is signed with an algorithm that this program does not accept")]
    SignatureAlgorithm,
    /// The key is too short.
    #[error("its certificate, or one above it, has an RSA key of {0} bits, and 2048 is the least that is safe")]
    WeakKey(usize),
    /// Another fault of the certificate.
    #[error("its certificate is not acceptable")]
    BadCertificate,
    /// The server offers nothing that is still safe.
    #[error("it offers neither TLS 1.2 nor TLS 1.3")]
    TooOld,
    /// No common protocol above TLS (RFC 7301 §3.2).
    #[error("it does not speak HTTP/1.1 (only HTTP/2, probably)")]
    NoHttp1,
    /// The server does not speak TLS at this port.
    #[error("it does not speak TLS")]
    NotTls,
    /// The server wants a certificate from this client, or refuses the one it got.
    #[error("it does not accept this client's certificate, or requires one")]
    ClientCertificate,
    /// Nothing in common to encrypt with.
    #[error("it offers no TLS settings that this program accepts")]
    Incompatible,
    /// The peer gave up, for a reason without a sentence of its own.
    #[error("it ended the TLS connection with alert {0} (RFC 8446 §6)")]
    Alert(u8),
    /// Anything else in the handshake or after it.
    #[error("the TLS connection failed")]
    Other,
}

impl TlsFailure {
    pub(super) fn from_error(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(problem) => TlsFailure::from_certificate_error(problem),
            rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => TlsFailure::TooOld,
            rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                // what a server says about a signature that does not match: of its clients, ours alone sign
                | AlertDescription::DecryptError,
            ) => TlsFailure::ClientCertificate,
            rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)
            | rustls::Error::NoApplicationProtocol => TlsFailure::NoHttp1,
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsFailure::NotTls,
            rustls::Error::PeerIncompatible(_)
            | rustls::Error::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            ) => TlsFailure::Incompatible,
            rustls::Error::AlertReceived(alert) => TlsFailure::Alert(u8::from(*alert)),
            _ => TlsFailure::Other,
        }
    }

    fn from_certificate_error(problem: &CertificateError) -> Self {
        match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailure::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFailure::WrongName
            }
            // a trusted authority of the same name, with another key, did not sign it
            CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFailure::UnknownIssuer,
            CertificateError::Revoked => TlsFailure::Revoked,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id, ..
            }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id, ..
            } if is_sha1(signature_algorithm_id) => TlsFailure::Sha1,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                TlsFailure::SignatureAlgorithm
            }
            CertificateError::Other(other) => match other.0.downcast_ref::<WeakKey>() {
                Some(weak) => TlsFailure::WeakKey(weak.bits),
                None => TlsFailure::BadCertificate,
            },
            _ => TlsFailure::BadCertificate,
        }
    }

    /// What cannot be done with the peer.
    pub(super) fn consequence(self) -> &'static str {
        match self {
            TlsFailure::NoHttp1 | TlsFailure::Incompatible | TlsFailure::Alert(_) | TlsFailure::Other => {
                "cannot be used"
            }
            _ => "cannot be trusted",
        }
    }
}

/// sha1WithRSAEncryption, dsa-with-sha1, ecdsa-with-SHA1, as DER writes their identifiers.
const SHA1_SIGNATURES: [&[u8]; 3] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05],
    &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
];

fn is_sha1(algorithm: &[u8]) -> bool {
    let holds = |wanted: &&[u8]| algorithm.windows(wanted.len()).any(|window| window == *wanted);
    SHA1_SIGNATURES.iter().any(holds)
}

impl TlsFailure {
    pub(super) fn hints(self) -> &'static [&'static str] {
        const CAPTIVE_PORTAL: &str =
            "A captive portal or an inspecting proxy may be answering in its place: open a page in a browser and look.";
        match self {
            TlsFailure::Expired | TlsFailure::NotYetValid => &["Check this machine's clock.", CAPTIVE_PORTAL],
            TlsFailure::WrongName => &["Check the host name in the URL.", CAPTIVE_PORTAL],
            TlsFailure::UnknownIssuer => &[
                "If a private authority issued the certificate, or a proxy that inspects TLS, name the authority's own certificate with `--cacert FILE` or the variable SSL_CERT_FILE.",
                CAPTIVE_PORTAL,
            ],
            TlsFailure::BadCertificate => &[
                "If the server signed its certificate itself, it needs one that is not marked as an authority, or an authority of its own (`--cacert FILE`).",
            ],
            TlsFailure::Sha1 | TlsFailure::SignatureAlgorithm | TlsFailure::WeakKey(_) => &[
                "Tell the people who run it: the certificate must be replaced.",
                CAPTIVE_PORTAL,
            ],
            TlsFailure::NoHttp1 => &["Tell the people who run it: HTTP/1.1 must be enabled."],
            TlsFailure::Incompatible => {
                &["Tell the people who run it: TLS 1.2 with ECDHE, or TLS 1.3, must be enabled."]
            }
            TlsFailure::NotTls => &["Check scheme and port of the URL.", CAPTIVE_PORTAL],
            TlsFailure::ClientCertificate => &[
                "Give this client's certificate with `--cert FILE --key FILE`.",
                "If the client is registered with the certificate, log in with `--client-auth tls_client_auth --client-cert-file FILE --client-key-file FILE`.",
            ],
            TlsFailure::Revoked | TlsFailure::TooOld | TlsFailure::Alert(_) | TlsFailure::Other => {
                &["Tell the people who run the server.", CAPTIVE_PORTAL]
            }
        }
    }
}
