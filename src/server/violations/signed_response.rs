//! Signed authorization responses (JARM) that say something else than they should.

use super::policy::Policy;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Map, Value, json};

const DAY_S: i64 = 24 * 3600;

/// Alters the claims of a response.
pub(crate) fn alter_claims(policy: &Policy<'_>, now: UnixSeconds, claims: &mut Map<String, Value>) {
    for (rule, name, value) in [
        (Rule::JarmIssuer, "iss", json!("https://other.example")),
        (Rule::JarmAudience, "aud", json!("another-client")),
        (Rule::JarmExpiry, "exp", json!(now.plus_seconds(-DAY_S).0)),
        (Rule::JarmLifetime, "exp", json!(now.plus_seconds(DAY_S).0)),
        (Rule::JarmState, "state", json!("another-state")),
    ] {
        if policy.violates(rule) {
            claims.insert(name.to_owned(), value);
        }
    }
}

/// A token with the signature of another one.
pub(crate) fn with_signature_of(token: &Secret, other: &Secret) -> Secret {
    let parts = token.expose().rsplit_once('.').zip(other.expose().rsplit_once('.'));
    Secret::new(parts.map_or_else(String::new, |((input, _), (_, signature))| {
        format!("{input}.{signature}")
    }))
}
