//! Resources that say what they must not: their metadata, and their challenges.

use super::policy::Policy;
use super::set::Violations;
use crate::rules::Rule;
use crate::server::message::{Request, Response};
use serde_json::{Value, json};

/// Alters the metadata of a resource.
pub(crate) fn alter_metadata(violations: &Violations, issuer: &str, document: &mut Value) {
    let other = json!(document["resource"].as_str().map(|own| format!("{own}/other")));
    let with_fragment = json!(document["resource"].as_str().map(|own| format!("{own}#fragment")));
    let mut set = |rule: Rule, member: &str, value: Value| {
        if violations.violates(rule) {
            document[member] = value;
        }
    };
    set(Rule::ResourceIdentity, "resource", other);
    set(Rule::ResourceUrl, "resource", with_fragment);
    let with_other = json!([issuer, format!("{issuer}/other")]);
    set(Rule::ResourceIssuers, "authorization_servers", with_other);
    let with_offline_access = json!(["hello", "notes", "offline_access"]);
    set(Rule::ResourceNoOfflineAccess, "scopes_supported", with_offline_access);
    let with_unknown = json!(["hello", "notes", "unheard-of"]);
    set(Rule::ResourceKnownScopes, "scopes_supported", with_unknown);
    set(
        Rule::ResourceBearerMethods,
        "bearer_methods_supported",
        json!(["header", "query"]),
    );
    set(
        Rule::ResourceEmptyArrays,
        "resource_signing_alg_values_supported",
        json!([]),
    );
    let Some(members) = document.as_object_mut() else {
        return;
    };
    for (rule, member) in [
        (Rule::ResourceAuthorizationServers, "authorization_servers"),
        (Rule::ResourceScopes, "scopes_supported"),
    ] {
        if violations.violates(rule) {
            members.remove(member);
        }
    }
}

/// What challenges add to the URL of the metadata, so that the well-known
/// document can be another one.
pub(crate) fn metadata_query(policy: &Policy<'_>) -> &'static str {
    let rules = [Rule::ResourceWellKnown, Rule::ResourceDocumentsAgree];
    match rules.into_iter().any(|rule| policy.violations().violates(rule)) {
        true => "?v=1",
        false => "",
    }
}

/// Alters the answer with the metadata of a resource.
pub(super) fn alter_document(policy: &Policy<'_>, request: &Request, response: &mut Response) {
    if response.status != 200 {
        return;
    }
    if policy.violates(Rule::ResourceContentType) {
        response.headers.retain(|(name, _)| *name != "content-type");
        response.headers.push(("content-type", "text/plain".into()));
    }
    if request.query.is_some() {
        return;
    }
    if policy.violates(Rule::ResourceDocumentsAgree)
        && let Ok(mut document) = serde_json::from_slice::<Value>(&response.body)
    {
        document["scopes_supported"] = json!(["hello"]);
        response.body = document.to_string().into_bytes().into();
    }
    if policy.violates(Rule::ResourceWellKnown) {
        response.status = 404;
        response.body = b"".as_slice().into();
    }
}

/// Alters the answer of a resource that wants another token.
pub(super) fn alter_challenge(policy: &Policy<'_>, request: &Request, response: &mut Response) {
    if response.status != 401 {
        return;
    }
    let has_token = request.headers("authorization").next().is_some();
    if !has_token && policy.violates(Rule::ChallengeStatus) {
        response.status = 400;
        response.headers.retain(|(name, _)| *name != "www-authenticate");
        return;
    }
    if has_token && policy.violates(Rule::ChallengeInvalidToken) {
        response.status = 400;
    }
    let without_metadata = match has_token {
        true => policy.violates(Rule::ChallengeInvalidTokenMetadata),
        false => policy.violates(Rule::ChallengeMetadata),
    };
    for (_, value) in response
        .headers
        .iter_mut()
        .filter(|(name, value)| *name == "www-authenticate" && value.starts_with("Bearer "))
    {
        let mut parts: Vec<String> = value["Bearer ".len()..].split(", ").map(str::to_owned).collect();
        let of_metadata = |part: &String| part.starts_with("resource_metadata=");
        if without_metadata {
            parts.retain(|part| !of_metadata(part));
        }
        if policy.violates(Rule::ChallengeScope) {
            parts.retain(|part| !part.starts_with("scope="));
        }
        if !has_token && policy.violates(Rule::ChallengeNoError) {
            parts.insert(0, "error=\"invalid_token\"".to_owned());
        }
        if policy.violates(Rule::ChallengeSyntax) {
            for part in parts.iter_mut().filter(|part| of_metadata(part)) {
                *part = part.replace('"', "");
            }
        }
        *value = format!("Bearer {}", parts.join(", ")).into();
    }
}
