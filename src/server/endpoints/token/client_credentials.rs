//! `grant_type=client_credentials` (RFC 6749 §4.4.2).

use super::caller::Caller;
use crate::protocol::grant::client_credentials::ClientCredentialsGrant;
use crate::protocol::scope::Scope;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::{Authorization, IssuedTokens};
use crate::server::moment::Moment;
use crate::server::scopes::default_scope;

/// An access token for the client itself; only for one that can prove who it is.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    grant: &ClientCredentialsGrant,
    caller: &Caller<'_>,
) -> Result<IssuedTokens, GrantError> {
    let client = server.clients.find(caller.client_id.as_str());
    let is_public = client.is_none_or(|client| !client.is_confidential());
    if is_public && moment.policy.rejects_client_credentials_of_public_clients() {
        return Err(GrantError::PublicClient);
    }
    let scope = match &grant.scope {
        Some(scope) if !scope.is_empty() => scope.clone(),
        _ => default_scope(),
    };
    if !server.scopes.are_for_clients(&scope) {
        return Err(GrantError::ScopeOfUsers);
    }
    let authorization = authorization(server, caller, scope);
    Ok(server.grants().issue_access_token_only(moment, authorization)?)
}

fn authorization(server: &AuthorizationServer, caller: &Caller<'_>, scope: Scope) -> Authorization {
    Authorization {
        client_id: caller.client_id.clone(),
        scope,
        resource: match caller.resource {
            [] => vec![server.api.clone()],
            resource => resource.to_vec(),
        },
        nonce: None,
        subject: caller.client_id.to_string(),
        auth_time: None,
        refresh_key: None,
    }
}
