//! From what the wire says (relative) to what is stored (absolute), and back
//! to the typed values that later requests are made of.

use crate::protocol::client::{Client, ClientAuthentication, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::grant::Grant;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_response::TokenResponse;
use crate::secret::Secret;
use crate::store::{Asked, Part, Renewal, Session, SessionClient, SessionEndpoints, StoredToken};
use std::str::FromStr;

/// A stored record whose parts are no longer what they must be; a person
/// edited it, or another program did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored session has an unusable {0}")]
pub struct UnusableRecord(pub &'static str);

/// What is asked for, as the record keeps it.
pub fn asked(scope: &Scope, resource: &[Resource], audience: &Option<String>) -> Asked {
    Asked {
        scope: scope.tokens().to_vec(),
        resource: resource.iter().map(ToString::to_string).collect(),
        audience: audience.clone(),
    }
}

/// A record of a server, a client and what was asked for, without any token yet.
pub fn new_session(metadata: &ServerMetadata, client: &Client, asked: Asked) -> Session {
    let text = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(ToString::to_string);
    Session {
        generation: 0,
        issuer: metadata.issuer.as_ref().map(ToString::to_string),
        client: SessionClient {
            id: client.id.to_string(),
            auth_method: client.authentication.method().as_str().to_owned(),
            secret: client.authentication.secret().cloned(),
        },
        endpoints: SessionEndpoints {
            token: text(&metadata.token_endpoint).unwrap_or_default(),
            revocation: text(&metadata.revocation_endpoint),
            introspection: text(&metadata.introspection_endpoint),
            userinfo: text(&metadata.userinfo_endpoint),
            jwks_uri: text(&metadata.jwks_uri),
        },
        asked,
        renewal: Renewal::None,
        refresh_token: None,
        id_token: None,
        subject: None,
        dead: None,
        tokens: Vec::new(),
    }
}

/// So many tokens for parts of a session are kept; of more, the oldest go.
const MAX_NARROWED_TOKENS: usize = 16;

/// Takes the token response for a part of the session, or the whole, into the
/// record: where no new refresh token came, the old one stays (RFC 6749 §6),
/// and so does the old ID token. An absent scope is the one that was asked for (§5.1).
pub fn take(session: &mut Session, part: &Part, response: TokenResponse, now: UnixSeconds) {
    let position = session.position_of(part);
    let is_full = session.is_full(part);
    let scope = match position {
        Some(position) => session.tokens[position].scope.clone(),
        None if is_full => None,
        None => Some(part.scope.clone()).filter(|scope| !scope.is_empty()),
    };
    let token = stored_token(&response, now);
    let token = StoredToken {
        resource: session.resource_of(part).to_vec(),
        scope: token.scope.clone().or(scope),
        narrowed_to: if is_full { Vec::new() } else { part.scope.clone() },
        ..token
    };
    match position {
        Some(position) => session.tokens[position] = token,
        None => session.tokens.push(token),
    }
    drop_old_parts(session, now);
    if let Some(refresh_token) = response.refresh_token {
        session.refresh_token = Some(refresh_token);
        session.renewal = Renewal::RefreshToken;
    }
    if let Some(id_token) = response.id_token {
        session.id_token = Some(id_token);
    }
    session.generation = session.generation.saturating_add(1);
    session.dead = None;
}

/// A record does not grow with every part that somebody once asked for.
fn drop_old_parts(session: &mut Session, now: UnixSeconds) {
    let mut parts = session.tokens.split_off(session.tokens.len().min(1));
    parts.retain(|token| token.expires_at.is_none_or(|expires_at| expires_at > now));
    let too_many = parts.len().saturating_sub(MAX_NARROWED_TOKENS);
    parts.drain(..too_many);
    session.tokens.append(&mut parts);
}

fn stored_token(response: &TokenResponse, now: UnixSeconds) -> StoredToken {
    let lifetime_s = response
        .expires_in_s
        .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    StoredToken {
        resource: Vec::new(),
        narrowed_to: Vec::new(),
        scope: response.scope.as_ref().map(|scope| scope.tokens().to_vec()),
        access_token: response.access_token.clone(),
        token_type: response.token_type.clone(),
        expires_at: lifetime_s.map(|seconds| now.plus_seconds(seconds)),
        issued_at: Some(now),
    }
}

/// The client of a record. `secret_override` is what the environment says now.
///
/// # Errors
/// [`UnusableRecord`].
pub fn client_of(session: &Session, secret_override: Option<&Secret>) -> Result<Client, UnusableRecord> {
    let id = ClientId::parse(&session.client.id).map_err(|_| UnusableRecord("client_id"))?;
    let method = ClientAuthenticationMethod::from_str(&session.client.auth_method)
        .map_err(|_| UnusableRecord("client authentication method"))?;
    let secret = secret_override.or(session.client.secret.as_ref());
    let authentication = ClientAuthentication::new(method, secret);
    let authentication = authentication.map_err(|_| UnusableRecord("client secret: there is none"))?;
    Ok(Client { id, authentication })
}

/// An endpoint of a record. It was vetted when it was stored, so http stands
/// there only where the user allowed it.
///
/// # Errors
/// [`UnusableRecord`].
pub fn endpoint_of(text: &str, name: &'static str) -> Result<Endpoint, UnusableRecord> {
    Endpoint::parse(text, HttpPolicy::Everywhere).map_err(|_| UnusableRecord(name))
}

/// The grant that renews this part of the session, with no scope for all that
/// was granted (RFC 6749 §6); `None` where nothing does.
///
/// # Errors
/// [`UnusableRecord`].
pub fn renewal_grant(session: &Session, part: &Part) -> Result<Option<Grant>, UnusableRecord> {
    let scope = match part.scope.is_empty() || session.is_full(part) {
        true => None,
        false => Some(Scope::parse(&part.scope.join(" ")).map_err(|_| UnusableRecord("scope"))?),
    };
    // A grant that is repeated asks again for what it asked for at first.
    let repeats = session.renewal == Renewal::Grant && !session.asked.scope.is_empty();
    let scope = match scope {
        None if repeats => Some(Scope::parse(&session.asked.scope.join(" ")).map_err(|_| UnusableRecord("scope"))?),
        scope => scope,
    };
    let refresh_token = session.refresh_token.as_ref();
    Ok(Grant::for_renewal(session.renewal, refresh_token, scope))
}

/// The resources to ask for at a refresh (RFC 8707 §2.2).
///
/// # Errors
/// [`UnusableRecord`].
pub fn resources_of(session: &Session, part: &Part) -> Result<Vec<Resource>, UnusableRecord> {
    let resources = session.resource_of(part).iter().map(|text| Resource::parse(text));
    resources
        .collect::<Result<_, _>>()
        .map_err(|_| UnusableRecord("resource"))
}
