//! Authorization responses that say less, or something else, than they should.

use super::super::authorization_endpoint::ReturnPath;
use super::super::authorization_server::AuthorizationServer;
use super::super::interaction::{AcceptedRequest, SignedIn};
use super::super::message::{Refused, Response};
use super::redirect_uri::location;
use super::request::changed;
use super::{FrontChannel, Place};
use crate::protocol::abnf::is_unreserved_text;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::Params;
use crate::protocol::random::Randomness;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use serde_json::Value;

/// A longer `state` is cut, where that rule is broken.
const STATE_MAX_CHARS: usize = 512;

/// A `state` as clients usually send it.
const ORDINARY_STATE_MAX_CHARS: usize = 128;

impl AuthorizationServer {
    /// Whether responses on this way are not the honest ones.
    pub(crate) fn sends_back_otherwise(&self, return_path: &ReturnPath<'_>) -> bool {
        return_path.target.is_some() || self.broken.is_any_broken_at(Place::AuthorizationResponse)
    }

    /// Sends an authorization response back to the client, altered.
    pub(crate) fn send_back_otherwise(
        &self,
        return_path: &ReturnPath<'_>,
        params: &Params,
        in_fragment: bool,
    ) -> Response {
        let mut noted = Vec::new();
        let params = self.alter_response(params, &mut noted);
        let mut response = if return_path.form_post && !in_fragment {
            self.pages
                .form_post(return_path.client_id.as_str(), return_path.redirect_uri, &params)
        } else {
            let target = return_path.target.unwrap_or(return_path.redirect_uri.as_str());
            let is_error = params.iter().any(|(name, _)| name == "error");
            let in_fragment = in_fragment || (!is_error && self.broken.breaks(Rule::AuthorizeQuery, &mut noted));
            Response::see_other(location(target, params.encode().expose(), in_fragment))
        };
        response.broken.append(&mut noted);
        response
    }

    fn alter_response(&self, params: &Params, noted: &mut Vec<Rule>) -> Params {
        let is_error = params.iter().any(|(name, _)| name == "error");
        let mut has_state = false;
        let mut altered = changed(params, |name, value| match name {
            "state" => {
                has_state = true;
                self.alter_state(value, is_error, noted)
            }
            "error_description" if self.broken.breaks(Rule::AuthorizeErrorCharacters, noted) => {
                Some(format!("\"{value}\""))
            }
            "iss" => {
                let rule = if is_error {
                    Rule::AuthorizeIssInError
                } else {
                    Rule::AuthorizeIss
                };
                if self.broken.breaks(rule, noted) {
                    None
                } else if self.broken.breaks(Rule::AuthorizeIssValue, noted) {
                    Some(format!("{value}/other"))
                } else {
                    Some(value.to_owned())
                }
            }
            _ => Some(value.to_owned()),
        });
        if !has_state && self.broken.breaks(Rule::AuthorizeStateAbsent, noted) {
            altered.push("state", "undefined");
        }
        altered
    }

    /// Each of these rules is about other states, so that one of them can be
    /// broken without the others.
    fn alter_state(&self, sent: &str, is_error: bool, noted: &mut Vec<Rule>) -> Option<String> {
        let is_plain = is_unreserved_text(sent);
        let is_ordinary = is_plain && sent.len() <= ORDINARY_STATE_MAX_CHARS;
        if is_error && self.broken.breaks(Rule::AuthorizeStateInError, noted) {
            return None;
        }
        if !is_error && is_ordinary && self.broken.breaks(Rule::AuthorizeState, noted) {
            return None;
        }
        let mut state = sent.to_owned();
        if !is_plain && self.broken.breaks(Rule::AuthorizeStateCharacters, noted) {
            state.retain(|character| is_unreserved_text(character.encode_utf8(&mut [0; 4])));
        }
        if state.chars().count() > STATE_MAX_CHARS && self.broken.breaks(Rule::AuthorizeStateLong, noted) {
            state = state.chars().take(STATE_MAX_CHARS).collect();
        }
        Some(state)
    }

    /// Gives an access token at the authorization endpoint, as RFC 9700 §2.1.2
    /// forbids: implicit, or hybrid with a code.
    pub(crate) fn give_in_front_channel(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &AcceptedRequest,
        require_session: &SignedIn,
    ) -> Result<Response, ErrorResponse> {
        let failed = |error: &dyn std::error::Error| ErrorResponse::new("server_error", &error.to_string());
        let mut params = Params::new();
        if request.departure.front_channel == FrontChannel::CodeAndToken {
            let code = self.issue_code(now, randomness, request, require_session);
            params.push("code", code.map_err(|error| failed(&error))?.expose());
        }
        let authorization = Self::authorization(request, require_session);
        let tokens = self.give_ungranted(now, randomness, authorization);
        let tokens = tokens.map_err(|error| failed(&error))?;
        for name in ["access_token", "token_type", "expires_in", "scope"] {
            match &tokens[name] {
                Value::String(text) => params.push(name, text),
                other => params.push(name, &other.to_string()),
            }
        }
        if let Some(state) = &request.state {
            params.push("state", state);
        }
        params.push("iss", self.issuer.as_str());
        Ok(self.send_back_otherwise(&ReturnPath::from(request), &params, true))
    }

    /// Redirects though there is no client that is known (RFC 6749 §4.1.2.1
    /// forbids it); `None` where that rule is kept, or there is nowhere to go.
    pub(crate) fn redirect_all_the_same(&self, params: &Params) -> Option<Response> {
        let client_id = params.single("client_id").ok()?;
        let (rule, error) = match client_id {
            None => (Rule::AuthorizeClientMissing, "invalid_request"),
            Some(id) if self.client(id).is_none() => (Rule::AuthorizeClientUnknown, "unauthorized_client"),
            Some(_) => return None,
        };
        if !self.broken.is_broken(rule) {
            return None;
        }
        let target = RedirectUri::parse(params.single("redirect_uri").ok()??).ok()?;
        let mut answer = Params::new();
        answer.push("error", error);
        if let Some(state) = params.single("state").ok().flatten() {
            answer.push("state", state);
        }
        answer.push("iss", self.issuer.as_str());
        let refused = Refused::new("the client is missing or unknown", "RFC 6749 §4.1.2.1");
        let response = Response::see_other(location(target.as_str(), answer.encode().expose(), false));
        Some(response.refused(refused).against(rule))
    }
}
