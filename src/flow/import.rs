//! Begins a session with a refresh token that came from elsewhere: it is
//! refreshed at once, which proves that it works (RFC 6749 §6).

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::login::LoginRequest;
use crate::flow::refresh::{RefreshError, RefreshOptions, exit_code_of_refresh, hints_for_refresh, refresh};
use crate::flow::server::{ServerError, resolve_server};
use crate::protocol::id_token::IdToken;
use crate::protocol::token_response::TokenError;
use crate::secret::Secret;
use crate::store::{Part, Renewal, Session};

/// Why the refresh token did not begin a session.
#[derive(Debug)]
pub enum ImportError {
    /// The server is not known.
    Server(ServerError),
    /// It did not take the refresh token.
    Refused(RefreshTokenRefused),
    /// There was no usable answer.
    Refresh(RefreshError),
    /// The answer is faulty, but it has a refresh token, which the session keeps.
    RefreshTokenKept(Box<Session>, RefreshError),
}

/// The server did not take the refresh token; there is no session that ends with it.
#[derive(Debug, thiserror::Error)]
#[error("the refresh token was refused")]
pub struct RefreshTokenRefused(#[source] TokenError);

impl Diagnosis for RefreshTokenRefused {
    fn exit_code(&self) -> ExitCode {
        exit_code_of_refresh(&self.0)
    }

    fn hints(&self) -> Vec<String> {
        hints_for_refresh(&self.0)
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        self.0.oauth_error()
    }
}

/// Learns the server and refreshes.
///
/// # Errors
/// [`ImportError`].
pub async fn import_refresh_token(
    request: &LoginRequest,
    options: &RefreshOptions,
    refresh_token: Secret,
    caller: &mut Caller<'_>,
) -> Result<(Session, Option<IdToken>), ImportError> {
    let mut server = resolve_server(&request.server, caller)
        .await
        .map_err(ImportError::Server)?;
    let client = server.authenticated_client(&request.server, &request.client);
    let client = client.map_err(ImportError::Server)?;
    let dpop = DpopSession::begin(request.dpop, &server.metadata, caller);
    let dpop = dpop.map_err(|error| ImportError::Server(error.into()))?;
    let mut session = server.session(&client, (&request.authorization).into(), dpop.as_ref());
    session.refresh_token = Some(refresh_token);
    session.renewal = Renewal::RefreshToken;
    match refresh(&mut session, &Part::default(), options, caller).await {
        Ok(id_token) => Ok((session, id_token)),
        Err(error) if error.keeps_refresh_token() => Err(ImportError::RefreshTokenKept(Box::new(session), error)),
        Err(RefreshError::Token(error)) if error.is_refusal() => Err(ImportError::Refused(RefreshTokenRefused(error))),
        Err(error) => Err(ImportError::Refresh(error)),
    }
}
