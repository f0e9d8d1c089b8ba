//! Clients that get tokens without having proved who they are, because the
//! rule against that is violated.

use crate::protocol::client::{ClientId, PresentedClient};
use crate::protocol::grant::Grant;
use crate::protocol::grant::refresh_token::RefreshTokenGrant;
use crate::protocol::params::Params;
use crate::protocol::token_request::ReceivedTokenRequest;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::client_certificate::difference;
use crate::server::message::Request;
use crate::server::moment::Moment;
use crate::server::settings::clients::RegisteredClient;
use std::sync::Arc;

/// The client with a secret that a request names without proving that it is its own.
pub(in crate::server::endpoints) fn client_without_proof(
    server: &AuthorizationServer,
    form: &Params,
    http: &Request,
) -> Option<Arc<RegisteredClient>> {
    let authorization = http.header("authorization").ok()?;
    let presented = PresentedClient::parse(form, authorization).ok()?;
    let client = server.clients.find(&presented.id)?;
    let proves_nothing = presented.secret.is_none() && presented.assertion.is_none();
    (client.is_confidential() && proves_nothing).then_some(client)
}

/// The client that a token request counts as, although its client
/// authentication failed; `None` where it counts as none.
pub(super) fn admit(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    request: &ReceivedTokenRequest,
    http: &Request,
) -> Option<ClientId> {
    let (now, policy) = (moment.now, moment.policy);
    let presented = &request.client;
    let registered = server.clients.find(&presented.id);
    let own = ClientId::parse(&presented.id).ok()?;
    if shows_another_certificate(registered.as_deref(), http) {
        let is_enforced = match &request.grant {
            Grant::RefreshToken(_) => policy.requires_certificates_for_refresh_tokens(),
            _ => policy.rejects_other_certificates(),
        };
        return (!is_enforced).then_some(own);
    }
    if registered.is_some_and(|client| client.is_confidential()) && presented.assertion.is_none() {
        let is_enforced = match (&presented.secret, &request.grant) {
            (Some(_), _) => policy.requires_right_secrets(),
            (None, Grant::AuthorizationCode(_)) => policy.requires_secrets_for_codes(),
            (None, Grant::RefreshToken(_)) => policy.requires_secrets_for_refresh_tokens(),
            (
                None,
                Grant::ClientCredentials(_) | Grant::DeviceCode(_) | Grant::TokenExchange(_) | Grant::JwtBearer(_),
            ) => true,
        };
        if !is_enforced {
            return Some(own);
        }
    }
    let owner = match &request.grant {
        Grant::AuthorizationCode(grant) => server.grants().client_of_code(now, grant.code()).cloned(),
        Grant::RefreshToken(RefreshTokenGrant { refresh_token, .. }) => {
            server.grants().client_of_refresh_token(now, refresh_token).cloned()
        }
        Grant::DeviceCode(grant) => server.grants().client_of_device_code(now, &grant.device_code).cloned(),
        // They are bound to nothing but the client that asks
        Grant::ClientCredentials(_) | Grant::TokenExchange(_) | Grant::JwtBearer(_) => None,
    };
    if owner? == own {
        return None;
    }
    let is_enforced = match &request.grant {
        Grant::AuthorizationCode(_) => policy.binds_codes_to_clients(),
        Grant::RefreshToken(_) => policy.binds_refresh_tokens_to_clients(),
        Grant::DeviceCode(_) => policy.binds_device_codes_to_clients(),
        Grant::ClientCredentials(_) | Grant::TokenExchange(_) | Grant::JwtBearer(_) => true,
    };
    (!is_enforced).then_some(own)
}

/// Whether the client must show its certificate and shows one that is not its own.
fn shows_another_certificate(client: Option<&RegisteredClient>, http: &Request) -> bool {
    let expected = client.and_then(|client| client.certificate.as_ref());
    match (expected, &http.certificate) {
        (Some(expected), Some(shown)) => difference(expected, shown).is_some(),
        _ => false,
    }
}
