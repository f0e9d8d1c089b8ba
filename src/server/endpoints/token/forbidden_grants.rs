//! Grants that must not be: the password grant, and `client_credentials` for
//! clients that have none. They are granted only where the rule against that
//! is violated.

use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::endpoints::client::authenticated_client;
use crate::server::endpoints::front_channel::token_without_code;
use crate::server::grants::grant::Authorization;
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::scopes::default_scope;
use crate::server::settings::clients::RegisteredClient;

/// The response to a forbidden grant type; `None` where the request is
/// answered as it should be.
pub(super) fn answer(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    form: &Params,
    http: &Request,
) -> Option<Response> {
    let grant_type = form.single("grant_type").ok()??;
    let is_rejected = match grant_type {
        "password" => moment.policy.rejects_password_grants(),
        "client_credentials" => moment.policy.rejects_client_credentials_of_public_clients(),
        _ => true,
    };
    if is_rejected {
        return None;
    }
    let client = match authenticated_client(server, form, http) {
        Ok(client) => client,
        Err(response) => return Some(*response),
    };
    // Whatever the password is: who does not know it should see it, too.
    let user = form.single("username").ok().flatten();
    let subject = match (grant_type, user) {
        ("password", Some(user)) => user.to_owned(),
        ("password", None) => server.first_user(moment.now).user,
        _ => client.id.to_string(),
    };
    let authorization = authorization(server, moment, client, form, subject)?;
    Some(match token_without_code(server, moment, authorization) {
        Ok(tokens) => Response::json(200, &tokens),
        Err(error) => server_error(&error),
    })
}

fn authorization(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    client: &RegisteredClient,
    form: &Params,
    subject: String,
) -> Option<Authorization> {
    let scope = form.single("scope").ok().flatten().unwrap_or_default();
    let scope = Scope::parse(scope).ok().filter(|scope| !scope.is_empty());
    Some(Authorization {
        client_id: client.id.clone(),
        redirect_uri: client.redirect_uris.first()?.clone(),
        redirect_uri_sent: false,
        code_challenge: CodeVerifier::generate(moment.randomness).ok()?.challenge(),
        challenge_override: None,
        scope: scope.unwrap_or_else(default_scope),
        resource: vec![server.api.clone()],
        nonce: None,
        subject,
        auth_time: moment.now,
    })
}
