//! Tells the server to forget the tokens (RFC 7009): the refresh token first,
//! then the access token.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::events::trace_request;
use crate::flow::session::{UnusableRecord, client_of, endpoint_of};
use crate::protocol::client::Client;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::json::parse_object;
use crate::protocol::params::Params;
use crate::secret::Secret;
use crate::store::Session;
use crate::trace::Event;
use crate::transport::TransportError;

/// Why the server did not revoke. The session is kept.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The record was changed by others.
    #[error(transparent)]
    Record(#[from] UnusableRecord),
    /// No answer.
    #[error("the tokens cannot be revoked")]
    Transport(#[from] TransportError),
    /// 429, 5xx.
    #[error("the revocation endpoint {endpoint} answered with status {status}")]
    Unavailable {
        /// Whom we asked.
        endpoint: String,
        /// What it answered.
        status: u16,
    },
    /// Any other status.
    #[error("the revocation endpoint {endpoint} refused with status {status}{}", said(error))]
    Refused {
        /// Whom we asked.
        endpoint: String,
        /// What it answered.
        status: u16,
        /// What it said, if it said anything.
        error: Option<ErrorResponse>,
    },
}

fn said(error: &Option<ErrorResponse>) -> String {
    error
        .as_ref()
        .map(|error| format!(": {}", error.error))
        .unwrap_or_default()
}

impl Diagnosis for LogoutError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LogoutError::Record(_) => ExitCode::Store,
            LogoutError::Transport(source) => source.exit_code(),
            LogoutError::Unavailable { .. } => ExitCode::Unreachable,
            LogoutError::Refused { status: 300..400, .. } => ExitCode::Protocol,
            LogoutError::Refused { .. } => ExitCode::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        let local = "The session is kept; oauth logout --local forgets it without telling the server.".to_owned();
        match self {
            LogoutError::Transport(source) => source.hints().into_iter().chain([local]).collect(),
            _ => vec![local],
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            LogoutError::Refused { error: Some(error), .. } => Some((&error.error, error.error_description.as_deref())),
            _ => None,
        }
    }
}

/// Whether the server was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It has forgotten the tokens.
    TokenTarget,
    /// No revocation endpoint is known; the tokens live on until they expire.
    NoEndpoint,
}

/// Revokes the session's tokens, those for parts of it too. A failure at an
/// access token alone is a warning: without its refresh token it soon ends by
/// itself.
///
/// # Errors
/// [`LogoutError`].
pub async fn revoke(
    session: &Session,
    client_secret: Option<&Secret>,
    caller: &mut Caller<'_>,
) -> Result<Revoked, LogoutError> {
    let Some(endpoint) = &session.endpoints.revocation else {
        return Ok(Revoked::NoEndpoint);
    };
    let endpoint = endpoint_of(endpoint, "revocation endpoint")?;
    let client = client_of(session, client_secret)?;
    let mut access_tokens = session.tokens.iter().map(|token| &token.access_token);
    match &session.refresh_token {
        Some(refresh_token) => {
            revoke_one(&endpoint, &client, refresh_token, "refresh_token", caller).await?;
        }
        None => {
            if let Some(access_token) = access_tokens.next() {
                revoke_one(&endpoint, &client, access_token, "access_token", caller).await?;
            }
        }
    }
    for access_token in access_tokens {
        let revoked = revoke_one(&endpoint, &client, access_token, "access_token", caller).await;
        if let Err(error) = revoked {
            let warning = format!("the refresh token is revoked, but an access token is not: {error}");
            caller.observe(&Event::Warning(&warning));
        }
    }
    Ok(Revoked::TokenTarget)
}

/// A request about one token, to be revoked (RFC 7009 §2.1) or introspected (RFC 7662 §2.1).
pub(super) fn about_token(
    endpoint: &Endpoint,
    client: &Client,
    token: &Secret,
    token_type_hint: Option<&str>,
) -> HttpRequest {
    let mut params = Params::new();
    params.push("token", token.expose());
    if let Some(hint) = token_type_hint {
        params.push("token_type_hint", hint);
    }
    let header = client.authenticate(&mut params);
    let mut request = HttpRequest::post(endpoint.url().clone(), params);
    request.headers.extend(header.map(|header| ("authorization", header)));
    request
}

async fn revoke_one(
    endpoint: &Endpoint,
    client: &Client,
    token: &Secret,
    token_type_hint: &str,
    caller: &mut Caller<'_>,
) -> Result<(), LogoutError> {
    let request = about_token(endpoint, client, token, Some(token_type_hint));
    trace_request("revocation request", &request, caller.observer);
    let response = caller.send(&request).await?;
    judge(endpoint, &request, &response)?;
    caller.observe(&Event::Revoked {
        token_type: token_type_hint,
    });
    Ok(())
}

/// 200 also for tokens that the server does not know (RFC 7009 §2.2).
fn judge(endpoint: &Endpoint, request: &HttpRequest, response: &HttpResponse) -> Result<(), LogoutError> {
    let status = response.status;
    let error = parse_object(response.body.expose())
        .ok()
        .and_then(|object| ErrorResponse::from_json(&object))
        .map(|error| error.without(&request.secrets()));
    match status {
        200..300 => Ok(()),
        429 | 500.. => Err(LogoutError::Unavailable {
            endpoint: endpoint.to_string(),
            status,
        }),
        400 if error
            .as_ref()
            .is_some_and(|error| error.error == "unsupported_token_type") =>
        {
            Ok(())
        }
        _ => Err(LogoutError::Refused {
            endpoint: endpoint.to_string(),
            status,
            error,
        }),
    }
}
