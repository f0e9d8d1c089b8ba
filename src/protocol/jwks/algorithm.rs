//! The signature algorithms, one arm each: which keys fit, and how a signature
//! is compared.

use super::key::{Curve, Jwk, KeyMaterial};
use p521::ecdsa::signature::Verifier;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

/// An algorithm that a published key can prove (RFC 7518 §3.1, RFC 8037 §3.1).
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    scheme: Scheme,
}

/// Whether a published key can prove a signature by the algorithm of this name.
pub fn is_supported_algorithm(name: &str) -> bool {
    Algorithm::named(name).is_some()
}

enum Scheme {
    Rsa(&'static RsaParameters),
    EllipticCurve(Curve, &'static dyn VerificationAlgorithm),
    /// ES512, which ring does not have.
    P521,
    Edwards,
}

impl Algorithm {
    /// The allow-list: what is not named here is refused.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (name, scheme) = match name {
            "RS256" => ("RS256", Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256)),
            "RS384" => ("RS384", Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384)),
            "RS512" => ("RS512", Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512)),
            "PS256" => ("PS256", Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256)),
            "PS384" => ("PS384", Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384)),
            "PS512" => ("PS512", Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512)),
            "ES256" => (
                "ES256",
                Scheme::EllipticCurve(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED),
            ),
            "ES384" => (
                "ES384",
                Scheme::EllipticCurve(Curve::P384, &signature::ECDSA_P384_SHA384_FIXED),
            ),
            "ES512" => ("ES512", Scheme::P521),
            // RFC 9864 gives EdDSA with this curve a name of its own.
            "EdDSA" => ("EdDSA", Scheme::Edwards),
            "Ed25519" => ("Ed25519", Scheme::Edwards),
            _ => return None,
        };
        Some(Algorithm { name, scheme })
    }

    pub(super) fn fits(&self, key: &Jwk) -> bool {
        let same_type = match (&self.scheme, &key.material) {
            (Scheme::Rsa(_), KeyMaterial::Rsa { .. }) | (Scheme::Edwards, KeyMaterial::Edwards { .. }) => true,
            (Scheme::EllipticCurve(curve, _), KeyMaterial::EllipticCurve { curve: of_key, .. }) => curve == of_key,
            (Scheme::P521, KeyMaterial::EllipticCurve { curve, .. }) => *curve == Curve::P521,
            _ => false,
        };
        let same_algorithm = match (&self.scheme, key.algorithm.as_deref()) {
            (_, None) | (Scheme::Edwards, Some("EdDSA" | "Ed25519")) => true,
            (_, Some(of_key)) => of_key == self.name,
        };
        same_type && same_algorithm
    }

    pub(super) fn verifies(&self, material: &KeyMaterial, message: &[u8], signature: &[u8]) -> bool {
        let verified = match (&self.scheme, material) {
            (Scheme::Rsa(parameters), KeyMaterial::Rsa { modulus, exponent }) => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(parameters, message, signature),
            (Scheme::EllipticCurve(_, algorithm), KeyMaterial::EllipticCurve { point, .. }) => {
                UnparsedPublicKey::new(*algorithm, point).verify(message, signature)
            }
            (Scheme::P521, KeyMaterial::EllipticCurve { point, .. }) => {
                return p521_verifies(point, message, signature);
            }
            (Scheme::Edwards, KeyMaterial::Edwards { point }) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

/// ES512: r and s of 66 octets each (RFC 7518 §3.4).
fn p521_verifies(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point);
    let signature = p521::ecdsa::Signature::from_slice(signature);
    key.is_ok_and(|key| signature.is_ok_and(|signature| key.verify(message, &signature).is_ok()))
}
