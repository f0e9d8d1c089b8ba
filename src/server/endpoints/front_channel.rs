//! Access tokens from the authorization endpoint, as RFC 9700 §2.1.2 forbids
//! them: implicit, or hybrid with a code. Only where that rule is violated.

use super::code::{authorization, issue_code};
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::params::Params;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::grant::Authorization;
use crate::server::interactions::{AcceptedRequest, SignedIn};
use crate::server::keys::error::KeyError;
use crate::server::moment::Moment;
use crate::server::token_response::token_response;
use crate::server::violations::deviation::FrontChannel;
use serde_json::Value;

/// The parameters of a response with an access token.
///
/// # Errors
/// The error to send back instead.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    request: &AcceptedRequest,
    signed_in: &SignedIn,
) -> Result<Params, RequestError> {
    let failed = |error: &dyn std::error::Error| RequestError::new("server_error", Cited::uncited(error.to_string()));
    let mut params = Params::new();
    if request.deviation.front_channel == FrontChannel::CodeAndToken {
        let code = issue_code(server, moment, request, signed_in);
        let code = code.map_err(|error| RequestError::new(error.error(), Cited::uncited(error.to_string())));
        params.push("code", code?.expose());
    }
    let tokens = token_without_code(server, moment, authorization(server, request, signed_in));
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
    params.push("iss", server.issuer.as_str());
    Ok(params)
}

/// The members of a token response without a code before it and without a refresh token.
///
/// # Errors
/// [`KeyError`].
pub(super) fn token_without_code(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    authorization: Authorization,
) -> Result<Value, KeyError> {
    let issued = server.grants().issue_access_token_only(moment, authorization)?;
    let text = token_response(server, moment, &issued)?;
    serde_json::from_slice(&text).map_err(|_| KeyError::Failed)
}
