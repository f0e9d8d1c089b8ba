//! Registrations that are read otherwise than they should be, and answers to
//! them that lack something.

use super::policy::Policy;
use crate::protocol::json::parse_object;
use crate::protocol::redirect_uri::RedirectUri;
use crate::rules::Rule;
use crate::server::message::{Request, Response};
use crate::server::rejection::Rejection;
use serde_json::{Map, Value, json};

/// What every registration request of an examination has; what else comes is unknown.
const KNOWN_MEMBERS: [&str; 7] = [
    "client_name",
    "application_type",
    "redirect_uris",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "scope",
];

/// In the place of a redirect URI that must not be registered.
const HARMLESS: &str = "https://client.example/callback";

/// The body as it is read against the rules.
pub(crate) fn rewrite(policy: &Policy<'_>, body: &[u8]) -> Option<Vec<u8>> {
    let mut members = parse_object(body).ok()?;
    let uris = members.get_mut("redirect_uris")?.as_array_mut()?;
    let mut is_changed = false;
    for uri in uris {
        let text = uri.as_str().unwrap_or_default().to_owned();
        let parsed = RedirectUri::parse(&text).ok();
        let is_http = parsed.is_some_and(|uri| uri.url().scheme() == "http" && uri.loopback_address().is_none());
        let rule = if is_http {
            Rule::RegistrationHttpRedirect
        } else if text.starts_with("javascript:") {
            Rule::RegistrationScript
        } else if text.contains('#') {
            Rule::RegistrationFragment
        } else {
            continue;
        };
        if policy.violates(rule) {
            *uri = json!(HARMLESS);
            is_changed = true;
        }
    }
    is_changed.then(|| Value::Object(members).to_string().into_bytes())
}

/// The refusal of what must not be refused.
pub(crate) fn refuse(policy: &Policy<'_>, body: &[u8]) -> Option<Response> {
    let members = parse_object(body).ok()?;
    let is_unknown = |name: &String| !KNOWN_MEMBERS.contains(&name.as_str());
    if members.keys().any(is_unknown) && policy.violates(Rule::RegistrationUnknownMember) {
        let rejection = Rejection::new("there is an unknown member", "--break");
        return Some(Response::error(400, "invalid_client_metadata", rejection));
    }
    let uris = members.get("redirect_uris").and_then(Value::as_array);
    let is_loopback = |uri: &Value| {
        let parsed = RedirectUri::parse(uri.as_str().unwrap_or_default()).ok();
        parsed.is_some_and(|uri| uri.loopback_address().is_some())
    };
    if uris.is_some_and(|uris| uris.iter().any(is_loopback)) && policy.violates(Rule::RegistrationNative) {
        let rejection = Rejection::new("loopback is not accepted", "--break");
        return Some(Response::error(400, "invalid_redirect_uri", rejection));
    }
    None
}

/// Alters the answer to a registration.
pub(super) fn alter(policy: &Policy<'_>, request: &Request, response: &mut Response) {
    match response.status {
        200 if request.method == "GET" => alter_object(response, |members| alter_client_id(policy, members)),
        201 => alter_registered(policy, response),
        400 => alter_object(response, |members| {
            if members.get("error") == Some(&json!("invalid_redirect_uri"))
                && policy.violates(Rule::RegistrationErrorCode)
            {
                members.insert("error".to_owned(), json!("invalid_request"));
            }
        }),
        _ => {}
    }
}

fn alter_registered(policy: &Policy<'_>, response: &mut Response) {
    alter_object(response, |members| {
        let is_public = members.get("token_endpoint_auth_method") == Some(&json!("none"));
        if is_public && policy.violates(Rule::RegistrationPublic) {
            members.insert("client_secret".to_owned(), json!("a-secret-that-was-not-asked-for"));
            members.insert("client_secret_expires_at".to_owned(), json!(0));
        }
        if !is_public && policy.violates(Rule::RegistrationSecret) {
            members.remove("client_secret_expires_at");
        }
        if policy.violates(Rule::RegistrationMetadata) {
            members.remove("redirect_uris");
        }
        alter_client_id(policy, members);
    });
    if policy.violates(Rule::RegistrationStatus) {
        response.status = 200;
    }
    if policy.violates(Rule::RegistrationNoStore) {
        response
            .headers
            .retain(|(name, _)| *name != "cache-control" && *name != "pragma");
    }
    if policy.violates(Rule::RegistrationContentType) {
        response.headers.retain(|(name, _)| *name != "content-type");
        response.headers.push(("content-type", "text/plain".into()));
    }
}

/// Names an unknown client.
fn alter_client_id(policy: &Policy<'_>, members: &mut Map<String, Value>) {
    if let Some(id) = members.get("client_id").and_then(Value::as_str)
        && policy.violates(Rule::RegistrationUsable)
    {
        let other = json!(format!("{id}-2"));
        members.insert("client_id".to_owned(), other);
    }
}

fn alter_object(response: &mut Response, alter: impl FnOnce(&mut Map<String, Value>)) {
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(&response.body) {
        alter(&mut members);
        response.body = Value::Object(members).to_string().into_bytes().into();
    }
}
