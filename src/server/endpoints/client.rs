//! The client that sends a request, and the responses to one that fails to
//! authenticate (RFC 6749 §2.3, §5.2).

use crate::protocol::client::{PresentedClient, PresentedClientError};
use crate::protocol::params::Params;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::client_authentication::authenticate;
use crate::server::message::{Request, Response};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::settings::clients::RegisteredClient;
use std::sync::Arc;

/// The client of a request to another endpoint than the token endpoint.
pub(super) fn authenticated_client(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    form: &Params,
    http: &Request,
) -> Result<Arc<RegisteredClient>, Box<Response>> {
    let authorization = http
        .header("authorization")
        .map_err(|_| Box::new(two_authorization_headers()))?;
    let presented = PresentedClient::parse(form, authorization).map_err(|error| {
        let rejection = Rejection::cited(error.cited(), "RFC 6749 §2.3");
        Box::new(match error {
            PresentedClientError::TwoMethods | PresentedClientError::Repeated(_) => {
                Response::error(400, "invalid_request", rejection)
            }
            PresentedClientError::MalformedHeader
            | PresentedClientError::Missing
            | PresentedClientError::MalformedAssertion => client_rejected(rejection, authorization.is_some()),
        })
    })?;
    authenticate(server, moment, &presented, http.certificate.as_ref())
        .map_err(|rejection| Box::new(client_rejected(rejection, presented.by_header)))
}

/// 400, where the client exists and may not use the grant (RFC 6749 §5.2).
pub(super) fn grant_not_registered(grant_type: &str) -> Response {
    let reason = format!("the client is not registered for the grant type {grant_type}");
    Response::error(400, "unauthorized_client", Rejection::new(reason, "RFC 7591 §2"))
}

/// 401; with the challenge where the client tried HTTP authentication (RFC 6749 §5.2).
pub(super) fn client_rejected(rejection: Rejection, by_header: bool) -> Response {
    let response = Response::error(401, "invalid_client", rejection);
    if by_header {
        response.with("www-authenticate", "Basic realm=\"oauth serve\"")
    } else {
        response
    }
}

pub(super) fn two_authorization_headers() -> Response {
    let rejection = Rejection::new("there is more than one Authorization header", "RFC 6749 §2.3");
    Response::error(400, "invalid_request", rejection)
}
