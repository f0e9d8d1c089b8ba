//! Both signing keys, and what they sign and verify. The RSA key is made once,
//! when it is first needed: that takes up to some seconds, in which only those
//! who need this key wait.

use super::error::KeyError;
use super::jws::{encode_header, push_signature, signing_input, thumbprint};
use super::rsa::RsaKey;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::random::Randomness;
use crate::secret::Secret;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Both keys; the RSA key only once it was needed.
pub(crate) struct Keys {
    pub(super) system_random: SystemRandom,
    pub(super) es256: EcdsaKeyPair,
    pub(super) es256_jwk: Value,
    /// The encoded header of every access token (RFC 9068 §2.1).
    access_token_header: String,
    rs256: OnceLock<Arc<RsaKey>>,
    making_rs256: Mutex<()>,
}

impl Keys {
    /// Makes the ES256 key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let system_random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &system_random)
            .map_err(|_| KeyError::Failed)?;
        let es256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &system_random)
            .map_err(|_| KeyError::Failed)?;
        // An uncompressed point: 0x04, x, y (SEC 1 §2.3.3).
        let point = es256.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..65]));
        let key_id = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        let es256_jwk =
            json!({"kty": "EC", "use": "sig", "alg": "ES256", "kid": key_id, "crv": "P-256", "x": x, "y": y});
        let access_token_header = encode_header("at+jwt", "ES256", &key_id);
        Ok(Keys {
            system_random,
            es256,
            es256_jwk,
            access_token_header,
            rs256: OnceLock::new(),
            making_rs256: Mutex::new(()),
        })
    }

    /// Signs the claims of an access token: `typ` is `at+jwt` (RFC 9068 §2.1).
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_access_token(&self, claims: &impl serde::Serialize) -> Result<Secret, KeyError> {
        let mut token = signing_input(&self.access_token_header, claims)?;
        let signature = self
            .es256
            .sign(&self.system_random, token.as_bytes())
            .map_err(|_| KeyError::Failed)?;
        push_signature(&mut token, signature.as_ref());
        Ok(Secret::new(token))
    }

    /// The claims of an access token that this server signed in this run;
    /// `None` for everything else. Only the one header that it writes itself
    /// is taken, so no other algorithm, key or kind of JWT can stand for an
    /// access token (RFC 8725 §3.1, §3.11).
    pub(crate) fn verify_access_token(&self, token: &str) -> Option<Map<String, Value>> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        if header != self.access_token_header {
            return None;
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.es256.public_key())
            .verify(input.as_bytes(), &from_base64url(signature)?)
            .ok()?;
        serde_json::from_slice(&from_base64url(claims)?).ok()
    }

    /// Signs the claims of an ID token; makes the RSA key first, if need be.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_id_token(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let key = self.rs256(randomness)?;
        key.sign(&self.system_random, &key.id_token_header, claims)
    }

    /// Whether this text has the header of an ID token of this server.
    pub(crate) fn is_id_token(&self, token: &str) -> bool {
        let header = token.split('.').next().unwrap_or_default();
        self.rs256.get().is_some_and(|key| key.id_token_header == header)
    }

    /// Whether the RSA key was made.
    pub(crate) fn has_rs256(&self) -> bool {
        self.rs256.get().is_some()
    }

    /// Makes the RSA key, if that was not done yet.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn make_rs256(&self, randomness: &mut dyn Randomness) -> Result<(), KeyError> {
        self.rs256(randomness).map(|_| ())
    }

    /// The public keys as a JWK set (RFC 7517 §5); makes the RSA key first, if need be.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn jwk_set(&self, randomness: &mut dyn Randomness) -> Result<Value, KeyError> {
        Ok(json!({"keys": [self.es256_jwk, self.rs256(randomness)?.jwk]}))
    }

    pub(super) fn rs256(&self, randomness: &mut dyn Randomness) -> Result<&RsaKey, KeyError> {
        if let Some(key) = self.rs256.get() {
            return Ok(key);
        }
        let _making = self.making_rs256.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.rs256.get() {
            return Ok(key);
        }
        let key = RsaKey::generate(randomness)?;
        Ok(self.rs256.get_or_init(|| Arc::new(key)))
    }

    /// Takes over the RSA key of another server: tests need many servers, and
    /// making a key takes long.
    #[cfg(test)]
    pub(crate) fn share_rs256_of(&self, other: &Keys, randomness: &mut dyn Randomness) {
        other.make_rs256(randomness).unwrap();
        self.rs256.get_or_init(|| Arc::clone(other.rs256.get().unwrap()));
    }
}
