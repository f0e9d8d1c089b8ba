//! Authorization responses that say less, or something else, than they should.

use super::policy::Policy;
use super::redirect_uri::location;
use super::request::changed;
use crate::protocol::abnf::is_unreserved_text;
use crate::protocol::endpoint::Issuer;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::rules::Rule;
use crate::server::clients::Clients;
use crate::server::message::Response;
use crate::server::rejection::Rejection;

/// A longer `state` is cut, where that rule is broken.
const STATE_MAX_CHARS: usize = 512;

/// A `state` as clients usually send it.
const ORDINARY_STATE_MAX_CHARS: usize = 128;

/// The parameters of a response, altered.
pub(crate) fn alter(policy: &Policy<'_>, params: &Params) -> Params {
    let is_error = params.iter().any(|(name, _)| name == "error");
    // In a signed response it is a claim.
    let mut has_state = params.iter().any(|(name, _)| name == "response");
    let mut altered = changed(params, |name, value| match name {
        "state" => {
            has_state = true;
            alter_state(policy, value, is_error)
        }
        "error_description" if policy.violates(Rule::AuthorizeErrorCharacters) => Some(format!("\"{value}\"")),
        "iss" => {
            let rule = if is_error {
                Rule::AuthorizeIssInError
            } else {
                Rule::AuthorizeIss
            };
            if policy.violates(rule) {
                None
            } else if policy.violates(Rule::AuthorizeIssValue) {
                Some(format!("{value}/other"))
            } else {
                Some(value.to_owned())
            }
        }
        _ => Some(value.to_owned()),
    });
    if !has_state && policy.violates(Rule::AuthorizeStateAbsent) {
        altered.push("state", "undefined");
    }
    altered
}

/// Each of these rules is about other states, so that one of them can be
/// broken without the others.
fn alter_state(policy: &Policy<'_>, sent: &str, is_error: bool) -> Option<String> {
    let is_plain = is_unreserved_text(sent);
    let is_ordinary = is_plain && sent.len() <= ORDINARY_STATE_MAX_CHARS;
    if is_error && policy.violates(Rule::AuthorizeStateInError) {
        return None;
    }
    if !is_error && is_ordinary && policy.violates(Rule::AuthorizeState) {
        return None;
    }
    let mut state = sent.to_owned();
    if !is_plain && policy.violates(Rule::AuthorizeStateCharacters) {
        state.retain(|character| is_unreserved_text(character.encode_utf8(&mut [0; 4])));
    }
    if state.chars().count() > STATE_MAX_CHARS && policy.violates(Rule::AuthorizeStateLong) {
        state = state.chars().take(STATE_MAX_CHARS).collect();
    }
    Some(state)
}

/// Redirects though there is no client that is known (RFC 6749 §4.1.2.1
/// forbids it); `None` where that rule is kept, or there is nowhere to go.
pub(crate) fn redirect_anyway(
    policy: &Policy<'_>,
    clients: &Clients,
    issuer: &Issuer,
    params: &Params,
) -> Option<Response> {
    let client_id = params.single("client_id").ok()?;
    let (rule, error) = match client_id {
        None => (Rule::AuthorizeClientMissing, "invalid_request"),
        Some(id) if clients.find(id).is_none() => (Rule::AuthorizeClientUnknown, "unauthorized_client"),
        Some(_) => return None,
    };
    let target = RedirectUri::parse(params.single("redirect_uri").ok()??).ok()?;
    if policy.enforces(rule) {
        return None;
    }
    let mut answer = Params::new();
    answer.push("error", error);
    if let Some(state) = params.single("state").ok().flatten() {
        answer.push("state", state);
    }
    answer.push("iss", issuer.as_str());
    let rejection = Rejection::new("the client is missing or unknown", "RFC 6749 §4.1.2.1");
    let response = Response::see_other(location(target.as_str(), answer.encode().expose(), false));
    Some(response.rejected(rejection))
}

/// Whether a code comes in the fragment of the URL.
pub(crate) fn is_in_fragment(policy: &Policy<'_>, params: &Params) -> bool {
    let is_error = params.iter().any(|(name, _)| name == "error");
    !is_error && policy.violates(Rule::AuthorizeQuery)
}
