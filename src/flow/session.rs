//! From what the wire says (relative) to what is stored (absolute), and back
//! to the typed values that later requests are made of.

use crate::protocol::client::{Client, ClientAuthentication, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpAllowance};
use crate::protocol::id_token::IdToken;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::resource::Resource;
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

/// The record of a login that just succeeded.
pub fn from_login(
    metadata: &ServerMetadata,
    client: &Client,
    asked: Asked,
    response: TokenResponse,
    id_token: Option<&IdToken>,
    now: UnixSeconds,
) -> Session {
    let text = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(ToString::to_string);
    let renewal = if response.refresh_token.is_some() { Renewal::RefreshToken } else { Renewal::None };
    Session {
        generation: 1,
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
        renewal,
        subject: id_token.map(|id_token| id_token.subject.clone()),
        dead: None,
        tokens: vec![stored_token(&response, asked.resource.clone(), now)],
        refresh_token: response.refresh_token,
        id_token: response.id_token,
        asked,
    }
}

/// Takes the answer of a refresh into the record: the old refresh token stays
/// where no new one came (RFC 6749 §6), and so does the old ID token.
pub fn take_refreshed(session: &mut Session, response: TokenResponse, now: UnixSeconds) {
    let token = stored_token(&response, session.asked.resource.clone(), now);
    let earlier_scope = session.tokens.first().and_then(|token| token.scope.clone());
    let token = StoredToken { scope: token.scope.clone().or(earlier_scope), ..token };
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
    let lifetime_s = response.expires_in_s.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
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
        secret_override.or(session.client.secret.as_ref()).cloned().ok_or(UnusableRecord("client secret: there is none"))
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
    resources.collect::<Result<_, _>>().map_err(|_| UnusableRecord("resource"))
}
