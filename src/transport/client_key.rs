//! A client's key as rustls signs with it: the same key that signs tokens
//! (RFC 8446 §4.4.3).

use crate::protocol::signing::{SigningAlgorithm, SigningKey};
use crate::protocol::tls_identity::TlsIdentity;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer};
use rustls::{Error, OtherError, SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;

/// The certificate with its key, for a handshake.
pub(super) fn certified_key(identity: &TlsIdentity) -> CertifiedKey {
    let chain = identity.chain.certificates().iter();
    let chain = chain.map(|der| CertificateDer::from(der.clone())).collect();
    CertifiedKey::new(chain, Arc::new(ClientKey(identity.key.clone())))
}

#[derive(Debug)]
struct ClientKey(SigningKey);

/// The schemes of TLS for our algorithms, the ones that every version of TLS takes first.
const SCHEMES: [(SigningAlgorithm, SignatureScheme); 9] = [
    (SigningAlgorithm::Es256, SignatureScheme::ECDSA_NISTP256_SHA256),
    (SigningAlgorithm::Es384, SignatureScheme::ECDSA_NISTP384_SHA384),
    (SigningAlgorithm::EdDsa, SignatureScheme::ED25519),
    (SigningAlgorithm::Ps256, SignatureScheme::RSA_PSS_SHA256),
    (SigningAlgorithm::Ps384, SignatureScheme::RSA_PSS_SHA384),
    (SigningAlgorithm::Ps512, SignatureScheme::RSA_PSS_SHA512),
    (SigningAlgorithm::Rs256, SignatureScheme::RSA_PKCS1_SHA256),
    (SigningAlgorithm::Rs384, SignatureScheme::RSA_PKCS1_SHA384),
    (SigningAlgorithm::Rs512, SignatureScheme::RSA_PKCS1_SHA512),
];

impl rustls::sign::SigningKey for ClientKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let fits = |(algorithm, scheme): &&(SigningAlgorithm, SignatureScheme)| {
            self.0.algorithms().contains(algorithm) && offered.contains(scheme)
        };
        let (algorithm, scheme) = *SCHEMES.iter().find(fits)?;
        Some(Box::new(ClientSigner {
            key: self.0.clone(),
            algorithm,
            scheme,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.algorithms().first() {
            Some(SigningAlgorithm::Es256 | SigningAlgorithm::Es384) => SignatureAlgorithm::ECDSA,
            Some(SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519) => SignatureAlgorithm::ED25519,
            _ => SignatureAlgorithm::RSA,
        }
    }
}

#[derive(Debug)]
struct ClientSigner {
    key: SigningKey,
    algorithm: SigningAlgorithm,
    scheme: SignatureScheme,
}

impl Signer for ClientSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.algorithm, message);
        let signature = signature.map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        Ok(match self.algorithm {
            SigningAlgorithm::Es256 | SigningAlgorithm::Es384 => der_signature(&signature),
            _ => signature,
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// `Ecdsa-Sig-Value` (RFC 3279 §2.2.3) of the two numbers that a token has side
/// by side (RFC 7518 §3.4).
fn der_signature(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let contents = [der_integer(r), der_integer(s)].concat();
    // Two numbers of a curve up to P-384 are shorter than 128 octets.
    [&[0x30, octet(contents.len())], &contents[..]].concat()
}

fn der_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let digits = &number[zeros.min(number.len().saturating_sub(1))..];
    let sign: &[u8] = match digits.first() {
        Some(first) if first & 0x80 != 0 => &[0],
        _ => &[],
    };
    [&[0x02, octet(sign.len() + digits.len())], sign, digits].concat()
}

fn octet(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_side_by_side_become_a_der_sequence() {
        let mut fixed = [0; 64];
        fixed[31] = 0x7f;
        fixed[32] = 0x80;
        let expected = [&[0x30, 38, 0x02, 1, 0x7f, 0x02, 33, 0, 0x80][..], &[0; 31]].concat();
        assert_eq!(der_signature(&fixed), expected);
        assert_eq!(der_signature(&[0; 64]), [0x30, 6, 0x02, 1, 0, 0x02, 1, 0]);
    }
}
