//! The public half of a signing key as a JWK, and its thumbprint (RFC 7638).

use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::certificate::CertificateChain;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A public key: the members that RFC 7638 §3.2 requires and no others, each
/// value in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicJwk {
    Rsa { modulus: String, exponent: String },
    EllipticCurve { curve: &'static str, x: String, y: String },
    Ed25519 { x: String },
}

impl PublicJwk {
    /// The members: `kty` and the numbers.
    pub fn to_json(&self) -> Map<String, Value> {
        let value = match self {
            PublicJwk::Rsa { modulus, exponent } => json!({"kty": "RSA", "n": modulus, "e": exponent}),
            PublicJwk::EllipticCurve { curve, x, y } => json!({"kty": "EC", "crv": curve, "x": x, "y": y}),
            PublicJwk::Ed25519 { x } => json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
        };
        match value {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// Whether a client's own certificate is of this key. A certificate has the
    /// numbers of its key as they are (RFC 5280 §4.1.2.7), so they are looked for.
    pub fn is_certified_by(&self, chain: &CertificateChain) -> bool {
        let number = match self {
            PublicJwk::Rsa { modulus, .. } => from_base64url(modulus),
            PublicJwk::EllipticCurve { x, y, .. } => {
                let coordinates = (from_base64url(x), from_base64url(y));
                coordinates.0.zip(coordinates.1).map(|(x, y)| [x, y].concat())
            }
            PublicJwk::Ed25519 { x } => from_base64url(x),
        };
        let own = chain.certificates().first().zip(number);
        own.is_some_and(|(der, number)| der.windows(number.len().max(1)).any(|window| window == number))
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638 §3.1, RFC 8037 A.3).
    pub fn thumbprint(&self) -> String {
        // Names in order, no white space; base64url needs no escapes (RFC 7638 §3.3).
        let canonical = match self {
            PublicJwk::Rsa { modulus, exponent } => format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#),
            PublicJwk::EllipticCurve { curve, x, y } => {
                format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            PublicJwk::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        base64url(&Sha256::digest(canonical.as_bytes()))
    }
}

impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
