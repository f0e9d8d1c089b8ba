//! Step 1, where the response is to be a signed JWT (JARM): what it will be
//! verified with is fetched before a person signs in for nothing, and in step
//! 5 once more where the server has changed its keys.

use super::error::LoginError;
use super::request::LoginRequest;
use crate::flow::caller::Caller;
use crate::flow::issuer_keys::{IssuerKeys, KeySource};
use crate::flow::server::{ResolvedServer, ServerError};
use crate::protocol::authorization::{PendingAuthorization, ResponseMode, SignedResponseVerifier};
use crate::protocol::client::Client;
use crate::protocol::params::Params;
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
        _ if server.keys.is_some() => server.keys.clone(),
        (Some(jwks_uri), _) => {
            let keys = IssuerKeys::fetch(jwks_uri.clone(), caller).await;
            Some(keys.map_err(Box::new)?)
        }
        (None, true) if client_secret.is_none() => {
            let source = KeySource::Issuer(issuer.clone(), request.server.allowance);
            Some(IssuerKeys::find(&source, caller).await.map_err(Box::new)?)
        }
        (None, _) if client_secret.is_some() => None,
        (None, _) => return Err(ServerError::NoKeysOfResponses.into()),
    };
    Ok(Some(SignedResponseVerifier {
        issuer: issuer.clone(),
        client_id: client.id.to_string(),
        keys_endpoint: keys.as_ref().map(|keys| keys.endpoint().clone()),
        keys: keys.map(|keys| keys.set().clone()).unwrap_or_default(),
        client_secret,
    }))
}

/// Fetches the keys once more where a response names one that is not there, as
/// for ID tokens (OpenID Connect Core §10.1.1); whether there are new ones.
/// What fails leaves the response unproven: it need not be the server's.
pub(super) async fn refresh_keys(pending: &mut PendingAuthorization, params: &Params, caller: &mut Caller<'_>) -> bool {
    let Some(endpoint) = pending.take_keys_endpoint(params, caller.now()) else {
        return false;
    };
    caller.observe(&Event::Decision(
        "the response is signed with a key that the server did not publish before: the keys are fetched once more",
    ));
    match IssuerKeys::fetch(endpoint, caller).await {
        Ok(keys) => {
            pending.set_keys(keys.set().clone());
            true
        }
        Err(error) => {
            let warning = format!("the keys cannot be fetched once more: {error}");
            caller.observe(&Event::Warning(&warning));
            false
        }
    }
}

fn warn_if_unsupported(mode: ResponseMode, supported: Option<&[String]>, caller: &mut Caller<'_>) {
    if supported.is_some_and(|modes| !modes.iter().any(|name| name == mode.as_str())) {
        caller.observe(&Event::Warning(&format!(
            "the server does not list the response mode {} (response_modes_supported); an answer that is not signed is ignored",
            mode.as_str()
        )));
    }
}
