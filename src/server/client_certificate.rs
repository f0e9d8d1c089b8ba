//! Certificates that clients show in TLS, and whether they are those of the
//! clients (RFC 8705 §2).

use super::expected_certificate::ExpectedCertificate;
use super::rejection::Rejection;
use crate::protocol::certificate::CertificateThumbprints;
use crate::protocol::certificate_names::CertificateNames;

/// A certificate whose key the client proved to hold in the handshake.
#[derive(Debug, Clone)]
pub struct ShownCertificate {
    /// In DER.
    pub der: Vec<u8>,
    /// Why it is not a valid one of the server's own authority, where it is not.
    pub untrusted_because: Option<String>,
}

impl ShownCertificate {
    /// What tokens are bound to (RFC 8705 §3.1).
    pub(crate) fn thumbprint(&self) -> String {
        CertificateThumbprints::of(&self.der).sha256
    }
}

/// Checks that a client shows its certificate.
///
/// # Errors
/// The reason, where it shows none or another one.
pub(super) fn verify_certificate(
    expected: &ExpectedCertificate,
    shown: Option<&ShownCertificate>,
) -> Result<(), Rejection> {
    match shown {
        None => Err(Rejection::new("the client shows no certificate", "RFC 8705 §2")),
        Some(shown) => difference(expected, shown).map_or(Ok(()), Err),
    }
}

/// Why a certificate is not the expected one.
pub(super) fn difference(expected: &ExpectedCertificate, shown: &ShownCertificate) -> Option<Rejection> {
    let name = match expected {
        ExpectedCertificate::OneOf(certificates) => {
            return (!certificates.contains(&shown.der)).then(|| {
                Rejection::new(
                    "the certificate of the request is not in the jwks of the client (x5c)",
                    "RFC 8705 §2.2",
                )
            });
        }
        ExpectedCertificate::Named(name) => name,
    };
    if let Some(problem) = &shown.untrusted_because {
        let reason = format!("the certificate of the client is not valid: {problem}");
        return Some(Rejection::new(reason, "RFC 8705 §2.1"));
    }
    let names = CertificateNames::read(&shown.der).unwrap_or_default();
    (!names.contain(name)).then(|| {
        Rejection::new("the certificate of the request is of another client", "RFC 8705 §2.1")
            .with_fact("subject", vec![names.subject().to_owned()])
    })
}
