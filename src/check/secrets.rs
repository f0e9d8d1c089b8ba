//! What the rules want to know of secret values, so that no rule has to open one.

use crate::protocol::abnf::base64url;
use crate::protocol::jose::{JwtError, UnverifiedJwt};
use crate::secret::Secret;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What this examination puts where a server's value stands. It is part of other
/// words, such as the name of an unknown client, and no secret.
pub(super) const MADE_UP: &str = "oauth-check";

/// Whether it is this text.
pub(super) fn is(secret: &Secret, text: &str) -> bool {
    secret.expose() == text
}

/// Whether both are the same.
pub(super) fn same(one: &Secret, other: &Secret) -> bool {
    one.expose() == other.expose()
}

/// How many different ones these are.
pub(super) fn distinct(secrets: impl Iterator<Item = Secret>) -> usize {
    let mut seen: Vec<Secret> = Vec::new();
    for secret in secrets {
        if !seen.iter().any(|known| same(known, &secret)) {
            seen.push(secret);
        }
    }
    seen.len()
}

/// Whether its first characters are the first of this text.
pub(super) fn begins(text: &str, secret: &Secret, chars: usize) -> bool {
    text.starts_with(&first(secret, chars))
}

/// Its first characters.
pub(super) fn beginning(secret: &Secret, chars: usize) -> Secret {
    Secret::new(first(secret, chars))
}

/// The same with more behind it.
pub(super) fn extended(secret: &Secret, more: &str) -> Secret {
    Secret::new(format!("{}{more}", secret.expose()))
}

/// The S256 challenge of any text (RFC 7636 §4.2).
pub(super) fn challenge(code_verifier: &Secret) -> Secret {
    Secret::new(base64url(&Sha256::digest(code_verifier.expose().as_bytes())))
}

/// The token taken apart, where it is a JWT.
pub(super) fn jwt(token: &Secret) -> Result<UnverifiedJwt, JwtError> {
    UnverifiedJwt::decode(token.expose())
}

/// A random value as it is sent.
pub(super) fn text(secret: &Secret) -> &str {
    secret.expose()
}

/// A private key as the JSON that must not be sent: the key is of this examination alone.
pub(super) fn private_jwk(jwk: &Secret) -> Value {
    serde_json::from_str(jwk.expose()).unwrap_or_default()
}

fn first(secret: &Secret, chars: usize) -> String {
    secret.expose().chars().take(chars).collect()
}
