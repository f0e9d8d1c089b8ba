//! From what the wire says (relative) to what is stored (absolute), and back
//! to the typed values that later requests are made of.

use crate::protocol::client::{Client, ClientAuthentication, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpAllowance};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token::TokenResponse;
use crate::secret::Secret;
use crate::store::{Asked, Renewal, Session, SessionClient, SessionEndpoints, StoredToken};
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
pub fn without_tokens(metadata: &ServerMetadata, client: &Client, asked: Asked) -> Session {
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

/// Takes a token response into the record: where no new refresh token came,
/// the old one stays (RFC 6749 §6), and so does the old ID token.
pub fn take(session: &mut Session, response: TokenResponse, now: UnixSeconds) {
    let token = stored_token(&response, session.asked.resource.clone(), now);
    let earlier_scope = session.tokens.first().and_then(|token| token.scope.clone());
    let token = StoredToken {
        scope: token.scope.clone().or(earlier_scope),
        ..token
    };
    match session.tokens.first_mut() {
        Some(first) => *first = token,
        None => session.tokens.push(token),
    }
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

fn stored_token(response: &TokenResponse, resource: Vec<String>, now: UnixSeconds) -> StoredToken {
    let lifetime_s = response
        .expires_in_s
        .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    StoredToken {
        resource,
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
    let secret = || {
        secret_override
            .or(session.client.secret.as_ref())
            .cloned()
            .ok_or(UnusableRecord("client secret: there is none"))
    };
    let authentication = match method {
        ClientAuthenticationMethod::None => ClientAuthentication::None,
        ClientAuthenticationMethod::ClientSecretBasic => ClientAuthentication::ClientSecretBasic(secret()?),
        ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost(secret()?),
    };
    Ok(Client { id, authentication })
}

/// An endpoint of a record. It was vetted when it was stored, so http stands
/// there only where the user allowed it.
///
/// # Errors
/// [`UnusableRecord`].
pub fn endpoint_of(text: &str, name: &'static str) -> Result<Endpoint, UnusableRecord> {
    Endpoint::parse(text, HttpAllowance::Everywhere).map_err(|_| UnusableRecord(name))
}

/// The resources of a record.
///
/// # Errors
/// [`UnusableRecord`].
pub fn resources_of(session: &Session) -> Result<Vec<Resource>, UnusableRecord> {
    let resources = session.asked.resource.iter().map(|text| Resource::parse(text));
    resources
        .collect::<Result<_, _>>()
        .map_err(|_| UnusableRecord("resource"))
}
