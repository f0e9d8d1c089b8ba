//! Answers that look otherwise than they should: headers, media types, members.

use super::policy::Policy;
use super::{protected_resource, registration};
use crate::rules::{Rule, ViolationPoint};
use crate::server::html::unescape;
use crate::server::message::{Request, Response};
use crate::server::route::Route;
use serde_json::{Map, Value, json};

/// Alters a response, and notes what was altered.
pub(crate) fn alter(policy: &Policy<'_>, route: Route, request: &Request, response: &mut Response) {
    note_documents(policy, route);
    match route {
        Route::AuthorizationServerMetadata | Route::OpenidConfiguration
            if response.status == 200 && policy.violates(Rule::MetadataContentType) =>
        {
            set_header(response, "content-type", "text/plain");
        }
        Route::Authorize | Route::SignIn | Route::Consent => {
            alter_authorization(policy, route, request, response);
        }
        Route::DeviceAuthorization if response.status == 200 => alter_device_authorization(policy, response),
        Route::PushedAuthorization if response.status < 300 && policy.violates(Rule::ParNoStore) => {
            let_be_stored(response);
        }
        Route::Token if response.status == 200 => alter_tokens(policy, response),
        Route::Token => alter_error(policy, request, response),
        Route::ApiMetadata | Route::McpMetadata => protected_resource::alter_document(policy, request, response),
        Route::Hello | Route::Notes | Route::Mcp => protected_resource::alter_challenge(policy, request, response),
        Route::Register => registration::alter(policy, request, response),
        Route::Userinfo if response.status == 200 && policy.violates(Rule::UserinfoNoStore) => {
            let_be_stored(response);
        }
        _ => {}
    }
}

/// Notes the rules that the document at this path violates.
fn note_documents(policy: &Policy<'_>, route: Route) {
    let is_of_keys = |rule: Rule| rule.group() == "keys" && rule != Rule::KeysPublished;
    let is_there = |rule: &Rule| match route {
        Route::AuthorizationServerMetadata | Route::OpenidConfiguration => {
            !is_of_keys(*rule) && rule.group() != "resource"
        }
        Route::ApiMetadata | Route::McpMetadata => rule.group() == "resource",
        Route::Jwks => is_of_keys(*rule),
        _ => false,
    };
    let rules = policy.violations().rules();
    rules
        .filter(|rule| rule.violation_point() == ViolationPoint::Documents)
        .filter(is_there)
        .for_each(|rule| policy.note(rule));
}

fn alter_authorization(policy: &Policy<'_>, route: Route, request: &Request, response: &mut Response) {
    if route == Route::Authorize && policy.violates(Rule::AuthorizeNoCors) {
        set_header(response, "access-control-allow-origin", "*");
    }
    if route == Route::Authorize
        && request.method == "POST"
        && response.status == 303
        && policy.violates(Rule::AuthorizeNo307)
    {
        response.status = 307;
    }
    let is_page = response
        .header("content-type")
        .is_some_and(|media_type| media_type.starts_with("text/html"));
    if !is_page {
        return;
    }
    // Browsers would not follow the form's answer to where the policy does not let them.
    if policy.violations().rules().any(|rule| rule.group() == "redirect-uri") {
        remove_directive(response, "form-action");
    }
    if policy.violates(Rule::AuthorizeFraming) {
        remove_header(response, "x-frame-options");
        remove_directive(response, "frame-ancestors");
    }
    if policy.violates(Rule::AuthorizeContentSecurityPolicy) {
        remove_header(response, "content-security-policy");
    }
    if policy.violates(Rule::AuthorizeFormAction) {
        let honest = response.header("content-security-policy").unwrap_or_default();
        let own_alone = honest
            .split("; ")
            .map(|directive| match directive.starts_with("form-action") {
                true => "form-action 'self'",
                false => directive,
            });
        let own_alone = own_alone.collect::<Vec<_>>().join("; ");
        set_header(response, "content-security-policy", &own_alone);
    }
    if policy.violates(Rule::AuthorizeReferrerPolicy) {
        set_header(response, "referrer-policy", "unsafe-url");
    }
    if policy.violates(Rule::AuthorizeEscaping) {
        let html = unescape(&String::from_utf8_lossy(&response.body));
        response.body = html.into_bytes().into();
    }
}

/// The answer with the two codes (RFC 8628 §3.2).
fn alter_device_authorization(policy: &Policy<'_>, response: &mut Response) {
    if policy.violates(Rule::DeviceNoStore) {
        remove_header(response, "cache-control");
    }
    if policy.violates(Rule::DeviceResponse) {
        alter_object(response, |members| {
            members.remove("expires_in");
        });
    }
    if policy.violates(Rule::DeviceVerificationUri) {
        alter_object(response, |members| {
            members.insert("verification_uri".to_owned(), json!("http://device.example/device"));
        });
    }
}

/// The answer with tokens (RFC 6749 §5.1).
fn alter_tokens(policy: &Policy<'_>, response: &mut Response) {
    if policy.violates(Rule::TokenNoStore) {
        remove_header(response, "cache-control");
    }
    if policy.violates(Rule::TokenPragma) {
        remove_header(response, "pragma");
    }
    if policy.violates(Rule::TokenContentType) {
        set_header(response, "content-type", "text/plain");
    }
    if policy.violates(Rule::TokenType) {
        alter_object(response, |members| {
            members.insert("token_type".to_owned(), json!("mac"));
        });
    }
    if policy.violates(Rule::TokenExpiresIn) {
        alter_object(response, |members| {
            let seconds = members.get("expires_in").map(ToString::to_string);
            members.insert("expires_in".to_owned(), json!(seconds));
        });
    }
}

/// The answer with an error (RFC 6749 §5.2).
fn alter_error(policy: &Policy<'_>, request: &Request, response: &mut Response) {
    let error = match serde_json::from_slice::<Value>(&response.body) {
        Ok(object) => object["error"].as_str().map(str::to_owned),
        Err(_) => None,
    };
    let Some(error) = error else { return };
    let has_grant_type = request
        .form_params()
        .is_some_and(|form| form.single("grant_type") != Ok(None));
    let other = match error.as_str() {
        "invalid_request" if !has_grant_type && policy.violates(Rule::TokenGrantTypeMissing) => {
            Some("unsupported_grant_type")
        }
        "unsupported_grant_type" if policy.violates(Rule::TokenGrantTypeUnknown) => Some("invalid_request"),
        _ => None,
    };
    if let Some(other) = other {
        alter_object(response, |members| {
            members.insert("error".to_owned(), json!(other));
        });
    }
    if response.status == 401
        && response.header("www-authenticate").is_some()
        && policy.violates(Rule::TokenBasicChallenge)
    {
        remove_header(response, "www-authenticate");
    }
    if response.status == 400 && policy.violates(Rule::TokenErrorStatus) {
        response.status = 200;
    }
    if policy.violates(Rule::TokenErrorNoStore) {
        let_be_stored(response);
    }
    if policy.violates(Rule::TokenErrorCharacters) {
        alter_object(response, |members| {
            members.insert("error_description".to_owned(), json!("\"no\" \\ \n \u{1b}[1m"));
        });
    }
    if policy.violates(Rule::TokenErrorJson) {
        let object: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let code = object["error"].as_str().unwrap_or_default();
        response.body = format!("error={code}").into_bytes().into();
        set_header(response, "content-type", "text/plain");
    }
}

fn alter_object(response: &mut Response, alter: impl FnOnce(&mut Map<String, Value>)) {
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(&response.body) {
        alter(&mut members);
        response.body = Value::Object(members).to_string().into_bytes().into();
    }
}

/// Takes a directive out of the Content-Security-Policy.
fn remove_directive(response: &mut Response, name: &str) {
    let policy = response.header("content-security-policy").unwrap_or_default();
    let kept: Vec<&str> = policy
        .split("; ")
        .filter(|directive| !directive.starts_with(name))
        .collect();
    let kept = kept.join("; ");
    set_header(response, "content-security-policy", &kept);
}

fn let_be_stored(response: &mut Response) {
    remove_header(response, "cache-control");
    remove_header(response, "pragma");
}

fn remove_header(response: &mut Response, name: &str) {
    response.headers.retain(|(own, _)| *own != name);
}

fn set_header(response: &mut Response, name: &'static str, value: &str) {
    remove_header(response, name);
    response.headers.push((name, value.to_owned().into()));
}
