//! An issuer's key, and what it signs: JWTs as text, made without the crate's
//! own protocol code.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
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
        json!({"keys": [self.jwk()]}).to_string()
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        let x = encoded(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.key_id, "x": x})
    }

    /// A JWT with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&self.input(claims))
    }

    /// The same with claims as they are written here.
    pub fn token_of_text(&self, claims: &str) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.key_id, "typ": "JWT"});
        self.signed(&format!(
            "{}.{}",
            encoded(header.to_string().as_bytes()),
            encoded(claims.as_bytes())
        ))
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

const RSA_KEY: &str = include_str!("../../../src/protocol/signing/test_keys/rsa.pkcs8.pem");

/// An issuer's RSA key, for RS256.
pub struct RsaSigner {
    pair: RsaKeyPair,
}

impl RsaSigner {
    pub fn new() -> Self {
        let base64: String = RSA_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
        let document = STANDARD.decode(base64).expect("base64");
        RsaSigner {
            pair: RsaKeyPair::from_pkcs8(&document).expect("a key"),
        }
    }

    /// The public key; without `kid` where there is no name.
    pub fn jwk(&self, key_id: Option<&str>) -> Value {
        let public: RsaPublicKeyComponents<Vec<u8>> = self.pair.public().into();
        let mut jwk = json!({"kty": "RSA", "use": "sig", "n": encoded(&public.n), "e": encoded(&public.e)});
        if let Some(key_id) = key_id {
            jwk["kid"] = json!(key_id);
        }
        jwk
    }

    /// A JWT with these claims, signed with RS256.
    pub fn token(&self, key_id: Option<&str>, claims: &Value) -> String {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(key_id) = key_id {
            header["kid"] = json!(key_id);
        }
        let input = unsigned(&header, claims);
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .expect("a signature");
        format!("{input}.{}", encoded(&signature))
    }
}

/// A JWT with these claims, signed with HS256 and this secret.
pub fn signed_with_secret(secret: &str, claims: &Value) -> String {
    let input = unsigned(&json!({"alg": "HS256"}), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{input}.{}", encoded(hmac::sign(&key, input.as_bytes()).as_ref()))
}

/// The same JWT with its signature changed.
pub fn with_broken_signature(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("a JWT");
    let mut octets = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    octets[7] ^= 1;
    format!("{input}.{}", encoded(&octets))
}
