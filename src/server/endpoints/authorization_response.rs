//! Responses of the authorization endpoint that go back to the client, with
//! `state` and `iss` (RFC 6749 §4.1.2, RFC 9207).

use super::code::issue_code;
use super::front_channel;
use crate::protocol::authorization::{self, AuthorizationResponse, ResponseMode};
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::client::ClientId;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::interactions::{AcceptedRequest, SignedIn};
use crate::server::message::{Response, server_error};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::signed_response;
use crate::server::violations;
use crate::server::violations::deviation::FrontChannel;
use crate::server::violations::policy::Policy;
use crate::server::violations::redirect_uri::location;

/// Where the answer to an authorization request goes.
pub(crate) struct ReturnPath<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) redirect_uri: &'a RedirectUri,
    pub(crate) state: Option<&'a str>,
    pub(crate) response_mode: Option<ResponseMode>,
    /// Instead of the redirect URI, where a rule about it is violated.
    pub(crate) target: Option<&'a str>,
}

impl<'a> From<&'a AcceptedRequest> for ReturnPath<'a> {
    fn from(request: &'a AcceptedRequest) -> Self {
        ReturnPath {
            client_id: &request.client_id,
            redirect_uri: &request.redirect_uri,
            state: request.state.as_deref(),
            response_mode: request.response_mode,
            target: request.deviation.target.as_deref(),
        }
    }
}

/// The resource owner agreed: back to the client with a code (RFC 6749 §4.1.2).
pub(super) fn grant(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    request: &AcceptedRequest,
    signed_in: &SignedIn,
) -> Response {
    let policy = moment.policy;
    let return_path = ReturnPath::from(request);
    if request.deviation.front_channel != FrontChannel::Code {
        return match front_channel::issue(server, moment, request, signed_in) {
            Ok(params) => send_params(server, policy, &return_path, &params, true),
            Err(error) => reject(server, moment, &return_path, &error),
        };
    }
    match issue_code(server, moment, request, signed_in) {
        Ok(code) => send_back(server, moment, &return_path, &AuthorizationResponse::Code(code)),
        Err(error) => {
            let error = RequestError::new(error.error(), Cited::uncited(error.to_string()));
            reject(server, moment, &return_path, &error)
        }
    }
}

/// The resource owner refused.
pub(super) fn deny(server: &AuthorizationServer, moment: &mut Moment<'_>, request: &AcceptedRequest) -> Response {
    let error = RequestError::new("access_denied", Cited::uncited("the resource owner refused"));
    reject(server, moment, &ReturnPath::from(request), &error)
}

/// Back to the client with an error (RFC 6749 §4.1.2.1).
pub(super) fn reject(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    return_path: &ReturnPath<'_>,
    error: &RequestError,
) -> Response {
    let rejection = Rejection::cited(error.cited.clone(), "RFC 6749 §4.1.2.1");
    let error = ErrorResponse::new(error.error, &rejection.description());
    let logged = Rejection::new(format!("{}: {}", error.error, rejection.reason), rejection.citation);
    send_back(server, moment, return_path, &AuthorizationResponse::Error(error)).rejected(logged)
}

fn send_back(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    return_path: &ReturnPath<'_>,
    response: &AuthorizationResponse,
) -> Response {
    let ReturnPath {
        client_id,
        redirect_uri,
        state,
        response_mode,
        target,
    } = return_path;
    let mut params = response.params(*state, &server.issuer);
    if response_mode.is_some_and(ResponseMode::is_signed) {
        params = match signed_response::sign(server, moment, client_id, &params) {
            Ok(signed) => signed,
            Err(error) => return server_error(&error),
        };
    }
    let policy = moment.policy;
    if target.is_some() || policy.alters_authorization_responses() {
        send_params(server, policy, return_path, &params, false)
    } else if response_mode.is_some_and(ResponseMode::is_post) {
        server.pages.form_post(client_id.as_str(), redirect_uri, &params)
    } else {
        Response::see_other(authorization::location(redirect_uri, &params).into())
    }
}

/// Sends parameters back that violate a rule, or to where no rule allows it.
fn send_params(
    server: &AuthorizationServer,
    policy: &Policy<'_>,
    return_path: &ReturnPath<'_>,
    params: &Params,
    in_fragment: bool,
) -> Response {
    let params = violations::authorization_response::alter(policy, params);
    if return_path.response_mode.is_some_and(ResponseMode::is_post) && !in_fragment {
        let client_id = return_path.client_id.as_str();
        return server.pages.form_post(client_id, return_path.redirect_uri, &params);
    }
    let target = return_path.target.unwrap_or(return_path.redirect_uri.as_str());
    let in_fragment = in_fragment || violations::authorization_response::is_in_fragment(policy, &params);
    Response::see_other(location(target, params.encode().expose(), in_fragment))
}
