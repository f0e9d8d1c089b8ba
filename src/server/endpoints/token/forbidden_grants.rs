//! Grants that must not be: the password grant (RFC 9700 §2.4). It is granted
//! only where the rule against that is violated.

use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
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
    if grant_type != "password" || moment.policy.rejects_password_grants() {
        return None;
    }
    let client = match authenticated_client(server, moment, form, http) {
        Ok(client) => client,
        Err(response) => return Some(*response),
    };
    let authorization = authorization(server, moment.now, &client, form);
    Some(match token_without_code(server, moment, authorization) {
        Ok(tokens) => Response::json(200, &tokens),
        Err(error) => server_error(&error),
    })
}

fn authorization(
    server: &AuthorizationServer,
    now: UnixSeconds,
    client: &RegisteredClient,
    form: &Params,
) -> Authorization {
    let scope = form.single("scope").ok().flatten().unwrap_or_default();
    let scope = Scope::parse(scope).ok().filter(|scope| !scope.is_empty());
    // Whatever the password is: who does not know it should see it, too.
    let user = form.single("username").ok().flatten();
    Authorization {
        client_id: client.id.clone(),
        scope: scope.unwrap_or_else(default_scope),
        resource: vec![server.api.clone()],
        nonce: None,
        subject: user.map_or_else(
            || server.users.subject(&server.first_user(now).user),
            |name| server.users.subject(name),
        ),
        auth_time: Some(now),
        refresh_key: None,
    }
}
