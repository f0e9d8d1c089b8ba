//! ID tokens as no honest server signs them (`oauth serve --break`).

use super::error::KeyError;
use super::pair::Keys;
use crate::protocol::jose::signing_input;
use crate::protocol::random::Randomness;
use crate::protocol::signing::JwtType;
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
        let key = &self.rs256(randomness)?.key;
        let header = key.header_with_key_id(JwtType::Jwt, None)?;
        Ok(key.key.sign_jwt(&header, claims)?)
    }

    /// An unsigned ID token (RFC 7519 §6), though it names a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn leave_unsigned(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let key_id = &self.rs256(randomness)?.key.key_id;
        let header = json!({"typ": "JWT", "alg": "none", "kid": key_id});
        let claims = serde_json::to_value(claims).map_err(|_| KeyError::Failed)?;
        Ok(Secret::new(format!("{}.", signing_input(&header, &claims))))
    }
}
