//! ID tokens as no honest server signs them (`oauth serve --break`).

use super::error::KeyError;
use super::jws::{push_signature, signing_input};
use super::pair::Keys;
use crate::protocol::abnf::base64url;
use crate::protocol::random::Randomness;
use crate::secret::Secret;
use serde_json::json;

impl Keys {
    /// An ID token without `kid` in the header (OpenID Connect Core §10.1 wants it).
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_id_token_without_key_id(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let header = json!({"typ": "JWT", "alg": "RS256"}).to_string();
        let header = base64url(header.as_bytes());
        self.rs256(randomness)?.sign(&self.system_random, &header, claims)
    }

    /// An ID token that nobody signed (RFC 7519 §6), though it names a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn leave_unsigned(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let key_id = &self.rs256(randomness)?.jwk["kid"];
        let header = json!({"typ": "JWT", "alg": "none", "kid": key_id}).to_string();
        let mut token = signing_input(&base64url(header.as_bytes()), claims)?;
        push_signature(&mut token, &[]);
        Ok(Secret::new(token))
    }
}
