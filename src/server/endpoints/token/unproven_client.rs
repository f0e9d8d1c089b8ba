//! Clients that get tokens without having proved who they are, because the
//! rule against that is violated.

use crate::protocol::client::{ClientId, PresentedClient};
use crate::protocol::params::Params;
use crate::protocol::token_request::{ReceivedGrant, ReceivedTokenRequest};
use crate::server::authorization_server::AuthorizationServer;
use crate::server::message::Request;
use crate::server::moment::Moment;
use crate::server::settings::clients::RegisteredClient;

/// The client with a secret that a request names without proving that it is its own.
pub(in crate::server::endpoints) fn client_without_proof<'a>(
    server: &'a AuthorizationServer,
    form: &Params,
    http: &Request,
) -> Option<&'a RegisteredClient> {
    let authorization = http.header("authorization").ok()?;
    let presented = PresentedClient::parse(form, authorization).ok()?;
    let client = server.clients.find(&presented.id)?;
    (client.secret.is_some() && presented.secret.is_none()).then_some(client)
}

/// The client that a token request counts as, although its client
/// authentication failed; `None` where it counts as none.
pub(super) fn admit(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    request: &ReceivedTokenRequest,
) -> Option<ClientId> {
    let (now, policy) = (moment.now, moment.policy);
    let presented = &request.client;
    let registered = server.clients.find(&presented.id);
    let own = ClientId::parse(&presented.id).ok()?;
    if registered.is_some_and(|client| client.secret.is_some()) {
        let is_enforced = match (&presented.secret, &request.grant) {
            (Some(_), _) => policy.requires_right_secrets(),
            (None, ReceivedGrant::AuthorizationCode { .. }) => policy.requires_secrets_for_codes(),
            (None, ReceivedGrant::RefreshToken { .. }) => policy.requires_secrets_for_refresh_tokens(),
        };
        if !is_enforced {
            return Some(own);
        }
    }
    let owner = match &request.grant {
        ReceivedGrant::AuthorizationCode { code, .. } => server.grants().client_of_code(now, code).cloned(),
        ReceivedGrant::RefreshToken { refresh_token, .. } => {
            server.grants().client_of_refresh_token(now, refresh_token).cloned()
        }
    };
    if owner? == own {
        return None;
    }
    let is_enforced = match &request.grant {
        ReceivedGrant::AuthorizationCode { .. } => policy.binds_codes_to_clients(),
        ReceivedGrant::RefreshToken { .. } => policy.binds_refresh_tokens_to_clients(),
    };
    (!is_enforced).then_some(own)
}
