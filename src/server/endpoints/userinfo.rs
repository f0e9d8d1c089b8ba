//! The userinfo endpoint, a protected resource (OpenID Connect Core §5.3).

use super::resource::presented_token;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::bearer::{Bearer, Challenge};
use crate::server::dpop::with_nonce;
use crate::server::message::{Request, Response};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use serde_json::json;

/// Claims about the user, as far as the scopes reach (OpenID Connect Core
/// §5.4). Any audience will do.
pub(crate) fn userinfo(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    if http.method == "POST" && !moment.policy.answers_userinfo_by_post() {
        let rejection = Rejection::new("only GET is answered", "--break");
        return Response::text(405, rejection).with("allow", "GET");
    }
    let challenge = Challenge {
        resource_metadata: None,
        scope: "openid",
        only_bound: server.dpop.demands.proof,
    };
    let token = match presented_token(server, moment, http, &challenge) {
        Ok(token) if moment.policy.answers_userinfo() => token,
        Ok(_) => {
            let rejection = Rejection::new("no token is good enough", "--break");
            return challenge.error(401, "invalid_token", rejection);
        }
        Err(response) => return token_rejected(server, moment, http, *response, &challenge),
    };
    if !token.scope.contains(challenge.scope) {
        return challenge.insufficient_scope();
    }
    let mut claims = json!({ "sub": moment.policy.userinfo_subject(&token.subject) });
    if token.scope.contains("profile") {
        claims["name"] = json!(token.subject);
        claims["preferred_username"] = json!(token.subject);
    }
    if token.scope.contains("email") {
        claims["email"] = json!(format!("{}@example.com", token.subject));
        claims["email_verified"] = json!(false);
    }
    let user = server.users.with_subject(&token.subject);
    for (name, value) in user.iter().flat_map(|user| user.claims.granted_by(&token.scope)) {
        claims[name] = value.clone();
    }
    with_nonce(server, moment, Response::json(200, &claims))
}

/// The response to a request without a usable token, altered where a rule about it is violated.
fn token_rejected(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    http: &Request,
    honest: Response,
    challenge: &Challenge<'_>,
) -> Response {
    let policy = moment.policy;
    let rejection = |reason: &str| Rejection::new(reason, "--break");
    match Bearer::read(http) {
        Bearer::Absent if !policy.challenges_userinfo_without_token() => {
            Response::text(400, rejection("there is no access token"))
        }
        Bearer::Absent if !policy.challenges_userinfo_without_error() => {
            challenge.error(401, "invalid_token", rejection("there is no access token"))
        }
        Bearer::Token(token) if !server.issued(moment.now, &token) && !policy.rejects_unknown_tokens_with_401() => {
            challenge.error(400, "invalid_token", rejection("the access token is unknown"))
        }
        _ => honest,
    }
}
