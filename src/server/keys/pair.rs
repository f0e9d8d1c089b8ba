//! Both signing keys, and what they sign and verify. The RSA key is made once,
//! when it is first needed: that takes up to some seconds, in which only those
//! who need this key wait.

use super::error::KeyError;
use super::published::PublishedKey;
use super::rsa;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::JwkSet;
use crate::protocol::random::Randomness;
use crate::protocol::signing::{EncodedHeader, JwtType, SigningAlgorithm, SigningKey};
use crate::secret::Secret;
use crate::server::settings::signing_keys::SigningKeys;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Both keys; the RSA key only once it was needed.
pub(crate) struct Keys {
    pub(super) es256: PublishedKey,
    /// The public half of the key of access tokens, to verify with.
    es256_public: JwkSet,
    /// The header of every access token (RFC 9068 §2.1).
    access_token_header: EncodedHeader,
    rs256: OnceLock<Arc<IdTokenKey>>,
    making_rs256: Mutex<()>,
}

/// The RSA key with the header of every ID token.
pub(super) struct IdTokenKey {
    pub(super) key: PublishedKey,
    header: EncodedHeader,
}

impl IdTokenKey {
    fn new(key: SigningKey) -> Result<Self, KeyError> {
        let key = PublishedKey::new(key, SigningAlgorithm::Rs256);
        Ok(IdTokenKey {
            header: key.header(JwtType::Jwt)?,
            key,
        })
    }
}

impl Keys {
    /// The keys that are given; makes the ES256 key, if it is not.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn new(given: &SigningKeys) -> Result<Self, KeyError> {
        let es256 = match &given.es256 {
            Some(key) => key.clone(),
            None => SigningKey::generate_p256()?,
        };
        let keys = Keys::with_es256(es256)?;
        if let Some(key) = &given.rs256 {
            let rs256 = IdTokenKey::new(key.clone())?;
            keys.rs256.get_or_init(|| Arc::new(rs256));
        }
        Ok(keys)
    }

    /// Makes the ES256 key.
    ///
    /// # Errors
    /// [`KeyError`].
    #[cfg(test)]
    pub(crate) fn generate() -> Result<Self, KeyError> {
        Keys::new(&SigningKeys::default())
    }

    fn with_es256(key: SigningKey) -> Result<Self, KeyError> {
        let es256 = PublishedKey::new(key, SigningAlgorithm::Es256);
        let set = json!({"keys": [es256.jwk]}).to_string();
        Ok(Keys {
            es256_public: JwkSet::parse(set.as_bytes()).map_err(|_| KeyError::Failed)?,
            access_token_header: es256.header(JwtType::AccessToken)?,
            es256,
            rs256: OnceLock::new(),
            making_rs256: Mutex::new(()),
        })
    }

    /// Signs the claims of an access token: `typ` is `at+jwt` (RFC 9068 §2.1).
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_access_token(&self, claims: &impl serde::Serialize) -> Result<Secret, KeyError> {
        Ok(self.es256.key.sign_jwt(&self.access_token_header, claims)?)
    }

    /// Signs the claims of an identity assertion for another server.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_identity_assertion(&self, claims: &impl serde::Serialize) -> Result<Secret, KeyError> {
        let header = self.es256.header(JwtType::IdentityAssertion)?;
        Ok(self.es256.key.sign_jwt(&header, claims)?)
    }

    /// The claims of an access token that this server signed in this run;
    /// `None` for everything else. Only the one header that it writes itself
    /// is taken, so no other algorithm, key or kind of JWT can stand for an
    /// access token (RFC 8725 §3.1, §3.11).
    pub(crate) fn verify_access_token(&self, token: &str) -> Option<Map<String, Value>> {
        let (header, _) = token.split_once('.')?;
        if header != self.access_token_header.as_str() {
            return None;
        }
        let jwt = UnverifiedJwt::decode(token).ok()?;
        self.es256_public.verify(&jwt).ok()?;
        Some(jwt.claims)
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
        let IdTokenKey { key, header } = self.rs256(randomness)?;
        Ok(key.key.sign_jwt(header, claims)?)
    }

    /// Whether this text has the header of an ID token of this server.
    pub(crate) fn is_id_token(&self, token: &str) -> bool {
        let header = token.split('.').next().unwrap_or_default();
        self.rs256.get().is_some_and(|rs256| rs256.header.as_str() == header)
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
        Ok(json!({"keys": [self.es256.jwk, self.rs256(randomness)?.key.jwk]}))
    }

    pub(super) fn rs256(&self, randomness: &mut dyn Randomness) -> Result<&IdTokenKey, KeyError> {
        if let Some(key) = self.rs256.get() {
            return Ok(key);
        }
        let _making = self.making_rs256.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.rs256.get() {
            return Ok(key);
        }
        let key = IdTokenKey::new(rsa::generate(randomness)?)?;
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
