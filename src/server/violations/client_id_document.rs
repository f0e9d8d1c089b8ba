//! Client-ID metadata documents that are taken as they must not be.

use super::set::Violations;
use crate::protocol::json::parse_object;
use crate::rules::Rule;
use serde_json::{Value, json};

/// How long a document counts: not at all where it is fetched each time.
pub(crate) fn fresh_s(violations: &Violations) -> Option<i64> {
    violations.violates(Rule::ClientIdDocumentFetchedOnce).then_some(0)
}

/// Whether documents make clients.
pub(crate) fn are_accepted(violations: &Violations) -> bool {
    !violations.violates(Rule::ClientIdDocumentAccepted)
}

/// The status that counts.
pub(crate) fn status(violations: &Violations, status: u16) -> u16 {
    match violations.violates(Rule::ClientIdDocumentStatus) {
        true => 200,
        false => status,
    }
}

/// The document as it is read against the rules.
pub(crate) fn rewrite(violations: &Violations, body: &[u8], url: &str) -> Option<Vec<u8>> {
    let any_id = violations.violates(Rule::ClientIdDocumentClientId);
    let any_method = violations.violates(Rule::ClientIdDocumentSecret);
    if !any_id && !any_method {
        return None;
    }
    let mut members = parse_object(body).ok()?;
    if any_id {
        members.insert("client_id".to_owned(), json!(url));
    }
    if any_method {
        members.remove("client_secret");
        members.insert("token_endpoint_auth_method".to_owned(), json!("none"));
    }
    Some(Value::Object(members).to_string().into_bytes())
}
