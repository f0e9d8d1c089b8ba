//! The revocation endpoint (RFC 7009).

use super::client::authenticated_client;
use super::form::{parse_form, required_token};
use super::token::unproven_client::client_without_proof;
use crate::protocol::params::Params;
use crate::secret::Secret;
use crate::server::access_token::AccessToken;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::message::{Request, Response};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::settings::clients::RegisteredClient;
use std::sync::Arc;

const CITATION: &str = "RFC 7009 §2.1";

/// Revokes a token of the client that asks (RFC 7009 §2.1). A refresh token
/// takes the access tokens of its grant with it.
pub(crate) fn revoke(server: &AuthorizationServer, moment: &Moment<'_>, http: &Request) -> Response {
    let policy = moment.policy;
    let form = match parse_form(http, CITATION) {
        Ok(form) => form,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let client = match revoking_client(server, moment, &form, http) {
        Ok(client) => client,
        Err(response) => return *response,
    };
    let client = client.as_deref();
    let token = match required_token(&form, CITATION) {
        Ok(token) => token,
        Err(_) if !policy.requires_token_for_revocation() => return Response::new(200),
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let hint = form.single("token_type_hint").ok().flatten();
    // token_type_hint is only a hint: both kinds are tried anyway.
    if let Some(access_token) = server.access_token(moment.now, &token) {
        revoke_access_token(server, moment, client, &access_token, hint)
    } else if server.keys.is_id_token(token.expose()) {
        let rejection = Rejection::new("ID tokens cannot be revoked", "RFC 7009 §2.2.1");
        Response::error(400, "unsupported_token_type", rejection)
    } else {
        revoke_refresh_token(server, moment, client, &token, hint)
    }
}

/// The client that asks; `None` where anyone may.
fn revoking_client(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    form: &Params,
    http: &Request,
) -> Result<Option<Arc<RegisteredClient>>, Box<Response>> {
    let client = authenticated_client(server, moment, form, http);
    if !moment.policy.binds_revocation_to_clients() {
        return Ok(None);
    }
    client.map(Some).or_else(|response| {
        let unproven = client_without_proof(server, form, http);
        match unproven {
            Some(client) if !moment.policy.requires_secrets_for_revocation() => Ok(Some(client)),
            _ => Err(response),
        }
    })
}

fn revoke_access_token(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: Option<&RegisteredClient>,
    token: &AccessToken,
    hint: Option<&str>,
) -> Response {
    if !may_revoke(client, &token.client_id) {
        return token_of_other_client();
    }
    let is_revoked = match hint {
        None | Some("access_token") => moment.policy.revokes_access_tokens(),
        Some(_) => moment.policy.revokes_despite_wrong_hints(),
    };
    if is_revoked {
        server
            .grants()
            .revoke_access_token(moment.now, token.grant, token.serial);
    }
    Response::new(200)
}

fn revoke_refresh_token(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: Option<&RegisteredClient>,
    token: &Secret,
    hint: Option<&str>,
) -> Response {
    let mut grants = server.grants();
    let owner = grants.client_of_refresh_token(moment.now, token);
    match owner.map(|owner| may_revoke(client, owner.as_str())) {
        Some(true) => {
            let has_right_hint = hint.is_none_or(|hint| hint == "refresh_token");
            if has_right_hint {
                grants.revoke_refresh_token(moment, token);
            } else if moment.policy.revokes_despite_wrong_hints() {
                grants.revoke_grant(moment.now, token);
            }
            Response::new(200)
        }
        Some(false) => token_of_other_client(),
        // Unknown, so already worth nothing (RFC 7009 §2.2).
        None if moment.policy.accepts_revocation_of_unknown_tokens() => Response::new(200),
        None => Response::error(
            400,
            "invalid_request",
            Rejection::new("the token is unknown", "--break"),
        ),
    }
}

fn may_revoke(client: Option<&RegisteredClient>, owner: &str) -> bool {
    client.is_none_or(|client| client.id.as_str() == owner)
}

fn token_of_other_client() -> Response {
    let rejection = Rejection::new("the token was issued to another client", CITATION);
    Response::error(400, "invalid_grant", rejection)
}
