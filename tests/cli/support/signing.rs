//! An issuer's key, and what it signs: JWTs as text, made without the crate's
//! own protocol code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// A key of an issuer.
pub struct Signer {
    pair: Ed25519KeyPair,
    key_id: String,
}

impl Signer {
    /// The same name, the same key.
    pub fn new(key_id: &str) -> Self {
        let mut seed = [7; 32];
        for (octet, byte) in seed.iter_mut().zip(key_id.bytes()) {
            *octet ^= byte;
        }
        Signer {
            pair: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key"),
            key_id: key_id.to_owned(),
        }
    }

    /// The JWK set that has this key alone.
    pub fn jwks(&self) -> String {
        let x = encoded(self.pair.public_key().as_ref());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.key_id, "x": x}]}).to_string()
    }

    /// A JWT with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&self.input(claims))
    }

    /// Header and claims that name this key.
    pub fn input(&self, claims: &Value) -> String {
        unsigned(&json!({"alg": "EdDSA", "kid": self.key_id, "typ": "JWT"}), claims)
    }

    /// The input with its signature.
    pub fn signed(&self, input: &str) -> String {
        let signature = self.pair.sign(input.as_bytes());
        format!("{input}.{}", encoded(signature.as_ref()))
    }
}

/// Header and claims as a JWT has them.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encoded(header.to_string().as_bytes()),
        encoded(claims.to_string().as_bytes())
    )
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
