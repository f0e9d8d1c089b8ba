//! From what the wire says (relative) to what is stored (absolute), and back
//! to the grant of a later request.

use crate::flow::grant_inputs::GrantInputs;
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::grant::Grant;
use crate::protocol::grant::client_credentials::ClientCredentialsGrant;
use crate::protocol::grant::jwt_bearer::JwtBearerGrant;
use crate::protocol::grant::refresh_token::RefreshTokenGrant;
use crate::protocol::grant::token_exchange::TokenExchangeGrant;
use crate::protocol::id_token::{FirstClaims, access_token_expiry};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_response::TokenResponse;
use crate::store::{Part, Renewal, RequestedAccess, Session, SessionEndpoints, StoredToken};
use std::time::Duration;

impl From<&AuthorizationOptions> for RequestedAccess {
    fn from(options: &AuthorizationOptions) -> Self {
        RequestedAccess {
            scope: options.scope.clone(),
            resource: options.resource.clone(),
            audience: options.audience.clone(),
        }
    }
}

impl From<&ServerMetadata> for SessionEndpoints {
    fn from(metadata: &ServerMetadata) -> Self {
        SessionEndpoints {
            revocation: metadata.revocation_endpoint.clone(),
            introspection: metadata.introspection_endpoint.clone(),
            userinfo: metadata.userinfo_endpoint.clone(),
            jwks_uri: metadata.jwks_uri.clone(),
        }
    }
}

/// So many tokens for parts of a session are kept; of more, the oldest go.
const MAX_NARROWED_TOKENS: usize = 16;

/// Takes the token response for a part of the session, or the whole, into the
/// record: where no new refresh token came, the old one stays (RFC 6749 §6),
/// and so does the old ID token. An absent scope is the one that was asked for (§5.1).
/// Where the answer names no lifetime, `assumed_ttl` counts, else the `exp` of a JWT.
pub fn apply_token_response(
    session: &mut Session,
    part: &Part,
    response: TokenResponse,
    assumed_ttl: Option<Duration>,
    now: UnixSeconds,
) {
    let position = session.position_of(part);
    let is_full = session.is_full(part);
    let scope = match position {
        Some(position) => session.tokens[position].scope.clone(),
        None if is_full => None,
        None => Some(part.scope.clone()).filter(|scope| !scope.is_empty()),
    };
    let token = stored_token(&response, assumed_ttl, now);
    let token = StoredToken {
        resource: session.resource_of(part).to_vec(),
        scope: token.scope.clone().or(scope),
        narrowed_to: if is_full { Scope::default() } else { part.scope.clone() },
        ..token
    };
    match position {
        Some(position) => session.tokens[position] = token,
        None => session.tokens.push(token),
    }
    drop_old_parts(session, now);
    let ends = response.refresh_expires_in_s.map(seconds);
    if let Some(refresh_token) = response.refresh_token {
        session.refresh_token = Some(refresh_token);
        session.renewal = Renewal::RefreshToken;
        session.refresh_expires_at = ends.map(|seconds| now.plus_seconds(seconds));
    } else if let Some(seconds) = ends {
        session.refresh_expires_at = Some(now.plus_seconds(seconds));
    }
    if let Some(details) = response.authorization_details
        && is_full
    {
        session.authorization_details = Some(details);
    }
    if let Some(id_token) = response.id_token {
        let first = session.first_claims.take();
        session.first_claims = first.or_else(|| FirstClaims::of_stored(session.id_token.as_ref().unwrap_or(&id_token)));
        session.id_token = Some(id_token);
    }
    session.generation = session.generation.saturating_add(1);
    session.dead = None;
    session.suspended = None;
}

/// A record does not grow with every part that someone once asked for.
fn drop_old_parts(session: &mut Session, now: UnixSeconds) {
    let mut parts = session.tokens.split_off(session.tokens.len().min(1));
    parts.retain(|token| token.expires_at.is_none_or(|expires_at| expires_at > now));
    let too_many = parts.len().saturating_sub(MAX_NARROWED_TOKENS);
    parts.drain(..too_many);
    session.tokens.append(&mut parts);
}

fn stored_token(response: &TokenResponse, assumed_ttl: Option<Duration>, now: UnixSeconds) -> StoredToken {
    let lifetime_s = response.expires_in_s.or(assumed_ttl.map(|ttl| ttl.as_secs()));
    let ends = lifetime_s.map(|lifetime_s| now.plus_seconds(seconds(lifetime_s)));
    StoredToken {
        resource: Vec::new(),
        narrowed_to: Scope::default(),
        scope: response.scope.clone(),
        access_token: response.access_token.clone(),
        token_type: response.token_type.clone(),
        issued_token_type: response.issued_token_type.clone(),
        expires_at: ends.or_else(|| access_token_expiry(&response.access_token)),
        issued_at: Some(now),
    }
}

fn seconds(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The grant that renews this part of the session, with no scope for all that
/// was granted (RFC 6749 §6); `None` where nothing does, or a token of a source is missing.
pub fn renewal_grant(session: &Session, part: &Part, inputs: &GrantInputs) -> Option<Grant> {
    let all = part.scope.is_empty() || session.is_full(part);
    // A grant that is repeated asks again for what it asked for at first.
    let scope = match all {
        true => Some(&session.requested.scope).filter(|scope| session.renewal.repeats_grant() && !scope.is_empty()),
        false => Some(&part.scope),
    };
    let scope = scope.cloned();
    match &session.renewal {
        Renewal::RefreshToken => {
            let refresh_token = session.refresh_token.clone()?;
            Some(Grant::RefreshToken(RefreshTokenGrant { refresh_token, scope }))
        }
        Renewal::ClientCredentials => Some(Grant::ClientCredentials(ClientCredentialsGrant { scope })),
        Renewal::TokenExchange(exchange) => Some(Grant::TokenExchange(Box::new(TokenExchangeGrant {
            subject: inputs.subject.clone()?,
            actor: inputs.actor.clone(),
            requested_token_type: exchange.requested_token_type.clone(),
            scope,
        }))),
        Renewal::JwtBearer { .. } | Renewal::IdJag(_) => {
            let assertion = inputs.assertion.clone()?;
            Some(Grant::JwtBearer(JwtBearerGrant { assertion, scope }))
        }
        Renewal::None => None,
    }
}
