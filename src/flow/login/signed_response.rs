//! Step 1, where the response is to be a signed JWT (JARM): what it will be
//! verified with is fetched before a person signs in for nothing.

use super::error::LoginError;
use super::request::LoginRequest;
use crate::flow::caller::Caller;
use crate::flow::issuer_keys::{KeySource, issuer_keys};
use crate::flow::server::{ResolvedServer, ServerError};
use crate::protocol::authorization::{ResponseMode, SignedResponseVerifier};
use crate::protocol::client::Client;
use crate::protocol::jwks::JwkSet;
use crate::trace::Event;

/// What verifies the response; `None` where a plain one was asked for.
///
/// # Errors
/// [`LoginError::Keys`], and [`LoginError::Server`] where nothing could verify it.
pub(super) async fn response_verifier(
    request: &LoginRequest,
    server: &ResolvedServer,
    client: &Client,
    caller: &mut Caller<'_>,
) -> Result<Option<SignedResponseVerifier>, LoginError> {
    let mode = request.authorization.response_mode;
    let Some(mode) = mode.filter(|mode| mode.is_signed()) else {
        return Ok(None);
    };
    let metadata = &server.metadata;
    let issuer = metadata.issuer.as_ref().ok_or(ServerError::NoIssuerOfResponses)?;
    warn_if_unsupported(mode, metadata.response_modes_supported.as_deref(), caller);
    let client_secret = client.credentials.secret.clone();
    let keys = match (&metadata.jwks_uri, server.is_discovered) {
        _ if server.keys.is_some() => server.keys.as_ref().map(|keys| keys.set().clone()).unwrap_or_default(),
        (Some(jwks_uri), _) => issuer_keys(&KeySource::JwksUri(jwks_uri.clone()), caller)
            .await
            .map_err(Box::new)?,
        (None, true) if client_secret.is_none() => {
            let source = KeySource::Issuer(issuer.clone(), request.server.allowance);
            issuer_keys(&source, caller).await.map_err(Box::new)?
        }
        (None, _) if client_secret.is_some() => JwkSet::default(),
        (None, _) => return Err(ServerError::NoKeysOfResponses.into()),
    };
    Ok(Some(SignedResponseVerifier {
        issuer: issuer.clone(),
        client_id: client.id.to_string(),
        keys,
        client_secret,
    }))
}

fn warn_if_unsupported(mode: ResponseMode, supported: Option<&[String]>, caller: &mut Caller<'_>) {
    if supported.is_some_and(|modes| !modes.iter().any(|name| name == mode.as_str())) {
        caller.observe(&Event::Warning(&format!(
            "the server does not list the response mode {} (response_modes_supported); an answer that is not signed is ignored",
            mode.as_str()
        )));
    }
}
