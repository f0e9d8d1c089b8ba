//! The compact serialization of signed tokens (RFC 7515 §3.1), and thumbprints
//! of keys (RFC 7638).

use super::error::KeyError;
use crate::protocol::abnf::base64url;
use serde_json::json;
use sha2::{Digest, Sha256};

pub(super) fn thumbprint(canonical_jwk: &str) -> String {
    base64url(&Sha256::digest(canonical_jwk.as_bytes()))
}

pub(super) fn encode_header(token_type: &str, algorithm: &str, key_id: &str) -> String {
    base64url(
        json!({"typ": token_type, "alg": algorithm, "kid": key_id})
            .to_string()
            .as_bytes(),
    )
}

pub(super) fn signing_input(header: &str, claims: &impl serde::Serialize) -> Result<String, KeyError> {
    let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Failed)?;
    Ok(format!("{header}.{}", base64url(&claims)))
}

pub(super) fn push_signature(token: &mut String, signature: &[u8]) {
    token.push('.');
    token.push_str(&base64url(signature));
}
