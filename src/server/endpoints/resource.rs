//! The resource server: `GET /api/hello` answers who the token speaks for.
//! Rejections by RFC 6750 §3.1.

use crate::server::access_token::AccessToken;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::bearer::{Bearer, Challenge};
use crate::server::message::{Request, Response};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::route::Route;
use crate::server::scopes::DEFAULT_SCOPE;
use serde_json::json;

/// The protected resource: wants the audience of this API and scope `hello`.
pub(crate) fn hello(server: &AuthorizationServer, moment: &Moment<'_>, http: &Request) -> Response {
    let metadata_url = format!("{}{}", server.issuer.as_str(), Route::ProtectedResourceMetadata.path());
    let challenge = Challenge {
        resource_metadata: Some(&metadata_url),
        scope: DEFAULT_SCOPE,
    };
    let token = match bearer_token(server, moment, http, &challenge) {
        Ok(token) => token,
        Err(response) => return *response,
    };
    if !token.audience.iter().any(|audience| audience == server.api.as_str()) {
        let reason = format!(
            "the access token is for {}, not for {}",
            token.audience.join(" and "),
            server.api
        );
        return challenge.error(401, "invalid_token", Rejection::new(reason, "RFC 9068 §4"));
    }
    if !token.scope.contains(challenge.scope) {
        return challenge.insufficient_scope();
    }
    let body = json!({
        "message": format!("Hello, {}!", token.subject),
        "subject": token.subject,
        "client_id": token.client_id,
        "scope": token.scope.to_string(),
        "audience": token.audience,
        "issuer": server.issuer.as_str(),
        "expires_at": token.expires_at,
    });
    Response::json(200, &body)
}

/// The access token of a request to a protected resource.
///
/// # Errors
/// The challenge to answer with.
pub(super) fn bearer_token(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    http: &Request,
    challenge: &Challenge<'_>,
) -> Result<AccessToken, Box<Response>> {
    match Bearer::read(http) {
        Bearer::Absent => Err(Box::new(challenge.bare())),
        Bearer::Malformed(rejection) => Err(Box::new(challenge.error(400, "invalid_request", rejection))),
        Bearer::Token(token) => server.access_token(moment.now, &token).ok_or_else(|| {
            let reason = "the access token is not one of this server, has expired, or was revoked";
            Box::new(challenge.error(401, "invalid_token", Rejection::new(reason, "RFC 6750 §3.1")))
        }),
    }
}
