//! Answers that look otherwise than they should: headers, media types, members.

use super::super::message::{Request, Response};
use super::super::resource_owner::unescape;
use super::super::route::Route;
use super::{Broken, Place, place};
use crate::rules::Rule;
use serde_json::{Map, Value, json};

/// Alters an answer, and notes what was altered.
pub(super) fn alter(broken: &Broken, route: Route, request: &Request, response: &mut Response) {
    let mut noted = documents_broken(broken, route);
    match route {
        Route::AuthorizationServerMetadata | Route::OpenidConfiguration
            if response.status == 200 && broken.breaks(Rule::MetadataContentType, &mut noted) =>
        {
            set_header(response, "content-type", "text/plain");
        }
        Route::Authorize | Route::SignIn | Route::Consent => {
            alter_authorization(broken, route, request, response, &mut noted);
        }
        Route::Token if response.status == 200 => alter_tokens(broken, response, &mut noted),
        Route::Token => alter_error(broken, request, response, &mut noted),
        Route::Userinfo if response.status == 200 && broken.breaks(Rule::UserinfoNoStore, &mut noted) => {
            let_be_stored(response);
        }
        _ => {}
    }
    response.broken.append(&mut noted);
}

/// The rules that the document at this path breaks.
fn documents_broken(broken: &Broken, route: Route) -> Vec<Rule> {
    let is_of_keys = |rule: Rule| rule.group() == "keys" && rule != Rule::KeysPublished;
    let is_there = |rule: &Rule| match route {
        Route::AuthorizationServerMetadata | Route::OpenidConfiguration => !is_of_keys(*rule),
        Route::Jwks => is_of_keys(*rule),
        _ => false,
    };
    let of_documents = broken.rules().filter(|rule| place(*rule) == Place::Documents);
    of_documents.filter(is_there).collect()
}

fn alter_authorization(
    broken: &Broken,
    route: Route,
    request: &Request,
    response: &mut Response,
    noted: &mut Vec<Rule>,
) {
    if route == Route::Authorize && broken.breaks(Rule::AuthorizeNoCors, noted) {
        set_header(response, "access-control-allow-origin", "*");
    }
    if route == Route::Authorize
        && request.method == "POST"
        && response.status == 303
        && broken.breaks(Rule::AuthorizeNo307, noted)
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
    if broken.rules().any(|rule| rule.group() == "redirect-uri") {
        remove_directive(response, "form-action");
    }
    if broken.breaks(Rule::AuthorizeFraming, noted) {
        remove_header(response, "x-frame-options");
        remove_directive(response, "frame-ancestors");
    }
    if broken.breaks(Rule::AuthorizeContentSecurityPolicy, noted) {
        remove_header(response, "content-security-policy");
    }
    if broken.breaks(Rule::AuthorizeReferrerPolicy, noted) {
        set_header(response, "referrer-policy", "unsafe-url");
    }
    if broken.breaks(Rule::AuthorizeEscaping, noted) {
        let html = unescape(&String::from_utf8_lossy(&response.body));
        response.body = html.into_bytes().into();
    }
}

/// The answer with tokens (RFC 6749 §5.1).
fn alter_tokens(broken: &Broken, response: &mut Response, noted: &mut Vec<Rule>) {
    if broken.breaks(Rule::TokenNoStore, noted) {
        remove_header(response, "cache-control");
    }
    if broken.breaks(Rule::TokenPragma, noted) {
        remove_header(response, "pragma");
    }
    if broken.breaks(Rule::TokenContentType, noted) {
        set_header(response, "content-type", "text/plain");
    }
    if broken.breaks(Rule::TokenType, noted) {
        alter_object(response, |members| {
            members.insert("token_type".to_owned(), json!("mac"));
        });
    }
    if broken.breaks(Rule::TokenExpiresIn, noted) {
        alter_object(response, |members| {
            let seconds = members.get("expires_in").map(ToString::to_string);
            members.insert("expires_in".to_owned(), json!(seconds));
        });
    }
}

/// The answer with an error (RFC 6749 §5.2).
fn alter_error(broken: &Broken, request: &Request, response: &mut Response, noted: &mut Vec<Rule>) {
    let error = match serde_json::from_slice::<Value>(&response.body) {
        Ok(object) => object["error"].as_str().map(str::to_owned),
        Err(_) => None,
    };
    let Some(error) = error else { return };
    let has_grant_type = request
        .form_params()
        .is_some_and(|form| form.single("grant_type") != Ok(None));
    let other = match error.as_str() {
        "invalid_request" if !has_grant_type && broken.breaks(Rule::TokenGrantTypeMissing, noted) => {
            Some("unsupported_grant_type")
        }
        "unsupported_grant_type" if broken.breaks(Rule::TokenGrantTypeUnknown, noted) => Some("invalid_request"),
        _ => None,
    };
    if let Some(other) = other {
        alter_object(response, |members| {
            members.insert("error".to_owned(), json!(other));
        });
    }
    if response.status == 401
        && response.header("www-authenticate").is_some()
        && broken.breaks(Rule::TokenBasicChallenge, noted)
    {
        remove_header(response, "www-authenticate");
    }
    if response.status == 400 && broken.breaks(Rule::TokenErrorStatus, noted) {
        response.status = 200;
    }
    if broken.breaks(Rule::TokenErrorNoStore, noted) {
        let_be_stored(response);
    }
    if broken.breaks(Rule::TokenErrorCharacters, noted) {
        alter_object(response, |members| {
            members.insert("error_description".to_owned(), json!("\"no\" \\ \n \u{1b}[1m"));
        });
    }
    if broken.breaks(Rule::TokenErrorJson, noted) {
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
