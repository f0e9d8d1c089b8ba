//! Revokes tokens at their server (RFC 7009): one token, or all of a session.

use super::caller::Caller;
use super::events::trace_request;
use super::token_services::{KnownServer, TokenService, TokenServiceError, endpoint, request_about_token, send};
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::client::Client;
use crate::protocol::endpoint::Endpoint;
use crate::secret::Secret;
use crate::store::{FreshCredentials, Session};
use crate::trace::Event;

/// Why the tokens of a session were not revoked. The session is kept.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct LogoutError(#[from] TokenServiceError);

impl Diagnosis for LogoutError {
    fn exit_code(&self) -> ExitCode {
        self.0.exit_code()
    }

    fn hints(&self) -> Vec<String> {
        let local = "The session is kept. To forget it without revoking its tokens: oauth logout --local";
        let mut hints = self.0.hints();
        hints.push(local.to_owned());
        hints
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        self.0.oauth_error()
    }
}

/// Whether the tokens of a session were revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The server has revoked them.
    Done,
    /// No revocation endpoint is known; the tokens stay valid until they expire.
    NoEndpoint,
}

/// Revokes one token.
///
/// # Errors
/// [`TokenServiceError`].
pub async fn revoke_token(
    server: &KnownServer,
    credentials: &FreshCredentials,
    token: &Secret,
    token_type_hint: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<(), TokenServiceError> {
    let endpoint = endpoint(TokenService::Revocation, server, caller).await?;
    let client = server.client.to_client(credentials)?;
    revoke_at(&endpoint, &client, token, token_type_hint, caller).await
}

/// Revokes the session's tokens: the refresh token first, then the access
/// tokens. A failure at an access token alone is a warning, since without its
/// refresh token it soon expires; none where the token has ended already.
///
/// # Errors
/// [`LogoutError`].
pub async fn revoke_session(
    session: &Session,
    credentials: &FreshCredentials,
    caller: &mut Caller<'_>,
) -> Result<Revocation, LogoutError> {
    let Some(endpoint) = &session.endpoints.revocation else {
        return Ok(Revocation::NoEndpoint);
    };
    let client = session.client.to_client(credentials);
    let client = client.map_err(TokenServiceError::from)?;
    let mut access_tokens = session.tokens.iter();
    let first = match &session.refresh_token {
        Some(refresh_token) => Some((refresh_token, "refresh_token")),
        None => access_tokens.next().map(|token| (&token.access_token, "access_token")),
    };
    let mut is_revoked = false;
    if let Some((token, hint)) = first {
        is_revoked = revoke_if_supported(endpoint, &client, token, hint, caller).await?;
    }
    let ends_access_tokens = is_revoked && session.refresh_token.is_some();
    for token in access_tokens {
        let revoked = revoke_if_supported(endpoint, &client, &token.access_token, "access_token", caller).await;
        let Err(error) = revoked else { continue };
        let has_expired = token.expires_at.is_some_and(|time| time <= caller.now());
        // A server may end them with the refresh token (RFC 7009 §2.1). It has just accepted a
        // request of this form, so 400 is about the token; the error codes for that differ.
        let has_ended = ends_access_tokens && matches!(error, TokenServiceError::Refused { status: 400, .. });
        if has_expired || has_ended {
            let decision = format!("an access token that has ended already was not revoked: {error}");
            caller.observe(&Event::Decision(&decision));
        } else {
            let warning = format!("the refresh token is revoked, but an access token is not: {error}");
            caller.observe(&Event::Warning(&warning));
        }
    }
    Ok(Revocation::Done)
}

/// Revokes a token, unless the server does not revoke tokens of its type (RFC
/// 7009 §2.2.1); returns whether it does.
async fn revoke_if_supported(
    endpoint: &Endpoint,
    client: &Client,
    token: &Secret,
    token_type_hint: &str,
    caller: &mut Caller<'_>,
) -> Result<bool, TokenServiceError> {
    match revoke_at(endpoint, client, token, Some(token_type_hint), caller).await {
        Err(TokenServiceError::Refused {
            status: 400,
            error: Some(error),
            ..
        }) if error.error == "unsupported_token_type" => {
            let decision = format!("the server does not revoke tokens of the type {token_type_hint}");
            caller.observe(&Event::Decision(&decision));
            Ok(false)
        }
        outcome => outcome.map(|()| true),
    }
}

/// Sends the request. Success also means that the server does not know the
/// token (RFC 7009 §2.2); some answer that with `invalid_token`.
async fn revoke_at(
    endpoint: &Endpoint,
    client: &Client,
    token: &Secret,
    token_type_hint: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<(), TokenServiceError> {
    let request = request_about_token(endpoint, client, token, token_type_hint, caller)?;
    trace_request("revocation request", &request, caller.observer);
    let method = Some(client.authentication.method());
    match send(TokenService::Revocation, endpoint, &request, method, caller).await {
        Err(TokenServiceError::Refused {
            status: 400,
            error: Some(error),
            ..
        }) if error.error == "invalid_token" => {
            caller.observe(&Event::Decision(
                "the server does not know the token any more, which is what revocation is for (RFC 7009 §2.2)",
            ));
        }
        outcome => {
            outcome?;
        }
    }
    caller.observe(&Event::Revoked {
        token_type: token_type_hint.unwrap_or("token"),
    });
    Ok(())
}
