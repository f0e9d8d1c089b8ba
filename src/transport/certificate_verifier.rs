//! rustls's own verification of certificates, which decides alone; around it
//! is what makes its verdict easier to explain. A signature by an RSA key
//! below 2,048 bits is refused as if it were wrong, so the key is looked at
//! afterwards; and the names whose certificates were accepted are kept, since
//! behind a proxy that speaks TLS an error does not say whose handshake failed.

use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};
use std::cell::RefCell;
use std::sync::Arc;

const MIN_RSA_BITS: usize = 2048;

/// An RSA key that is too short to be trusted.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("an RSA key of {bits} bits")]
pub(super) struct WeakKey {
    pub(super) bits: usize,
}

tokio::task_local! {
    static VERIFIED: RefCell<Vec<String>>;
}

/// Runs an exchange that remembers whose certificates were accepted in it.
pub(super) async fn remembering_names<T>(exchange: impl Future<Output = T>) -> T {
    VERIFIED.scope(RefCell::default(), exchange).await
}

/// Whether the certificate of this host was accepted in this exchange.
pub(super) fn has_verified(host: &str) -> bool {
    let is_known = |names: &RefCell<Vec<String>>| names.borrow().iter().any(|name| name == host);
    VERIFIED.try_with(is_known).unwrap_or(false)
}

fn note_verified(name: &ServerName<'_>) {
    // Outside of an exchange there is nothing to explain.
    let _ = VERIFIED.try_with(|names| names.borrow_mut().push(name.to_str().into_owned()));
}

/// A verifier, and what explains its errors.
#[derive(Debug)]
pub(super) struct ExplainingVerifier {
    verifier: Arc<dyn ServerCertVerifier>,
    /// Trusted certificates as they were read, where they came from a file of the user.
    trusted: Vec<CertificateDer<'static>>,
}

impl ExplainingVerifier {
    pub(super) fn new(verifier: Arc<dyn ServerCertVerifier>, trusted: Vec<CertificateDer<'static>>) -> Self {
        ExplainingVerifier { verifier, trusted }
    }

    fn explain<'a>(
        &'a self,
        error: rustls::Error,
        presented: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> rustls::Error {
        if error != rustls::Error::InvalidCertificate(CertificateError::BadSignature) {
            return error;
        }
        match presented.chain(&self.trusted).find_map(weak_key) {
            Some(weak) => CertificateError::Other(OtherError(Arc::new(weak))).into(),
            None => error,
        }
    }
}

/// The certificate's RSA key, where it is too short.
fn weak_key(certificate: &CertificateDer<'_>) -> Option<WeakKey> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let key = RsaPublicKey::from_public_key_der(&parsed.subject_public_key_info()).ok()?;
    let bits = key.n().bits();
    (bits < MIN_RSA_BITS).then_some(WeakKey { bits })
}

impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self
            .verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            Ok(verified) => {
                note_verified(server_name);
                Ok(verified)
            }
            Err(error) => Err(self.explain(error, std::iter::once(end_entity).chain(intermediates))),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verdict = self.verifier.verify_tls12_signature(message, certificate, signature);
        verdict.map_err(|error| self.explain(error, std::iter::once(certificate)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verdict = self.verifier.verify_tls13_signature(message, certificate, signature);
        verdict.map_err(|error| self.explain(error, std::iter::once(certificate)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.verifier.root_hint_subjects()
    }
}
