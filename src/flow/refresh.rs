//! Gets a new access token with the refresh token (RFC 6749 §6). The request
//! goes to the endpoint that the session was made with, and to no other.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::session::{UnusableRecord, client_of, endpoint_of, renewal_grant, resources_of, take};
use crate::flow::token_endpoint::{NoTokenAnswer, request_token};
use crate::protocol::id_token::{self, Expected, IdToken, IdTokenError, Occasion};
use crate::protocol::random::RandomnessFailed;
use crate::protocol::token_request::TokenRequest;
use crate::protocol::token_response::TokenError;
use crate::secret::Secret;
use crate::store::{Part, Session};
use crate::trace::{Event, Observer};
use crate::transport::TransportError;

/// Why there is no new token. The session is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Nothing to refresh with.
    #[error("the session has no refresh token")]
    NoRefreshToken,
    /// The record was changed by others.
    #[error(transparent)]
    Record(#[from] UnusableRecord),
    /// The client cannot prove who it is.
    #[error(transparent)]
    Randomness(RandomnessFailed),
    /// No answer.
    #[error("the session cannot be refreshed")]
    Transport(#[from] TransportError),
    /// An answer that is no token.
    #[error("the session cannot be refreshed")]
    Token(#[from] TokenError),
    /// The ID token that came along is not for this session.
    #[error("the refreshed ID token cannot be accepted")]
    IdToken(#[from] IdTokenError),
}

impl RefreshError {
    /// Whether the server said that the session has ended: the only answer that may end it.
    pub fn ends_session(&self) -> bool {
        matches!(self, RefreshError::Token(TokenError::OAuth { error, .. }) if error.error == "invalid_grant")
    }

    /// Whether the server may have spent the refresh token all the same: where
    /// no answer came, or one that says nothing about it.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            RefreshError::Transport(error) => error.may_have_been_received(),
            RefreshError::Token(error) => !matches!(error, TokenError::OAuth { .. } | TokenError::Redirect { .. }),
            RefreshError::IdToken(_) => true,
            RefreshError::NoRefreshToken | RefreshError::Record(_) | RefreshError::Randomness(_) => false,
        }
    }
}

impl From<NoTokenAnswer> for RefreshError {
    fn from(error: NoTokenAnswer) -> Self {
        match error {
            NoTokenAnswer::Randomness(error) => RefreshError::Randomness(error),
            NoTokenAnswer::Transport(error) => RefreshError::Transport(error),
        }
    }
}

impl Diagnosis for RefreshError {
    fn exit_code(&self) -> ExitCode {
        match self {
            RefreshError::NoRefreshToken => ExitCode::LoginRequired,
            RefreshError::Record(_) => ExitCode::Store,
            RefreshError::Randomness(_) => ExitCode::Unexpected,
            RefreshError::Transport(source) => source.exit_code(),
            _ if self.ends_session() => ExitCode::LoginRequired,
            RefreshError::Token(error) => error.exit_code(),
            RefreshError::IdToken(_) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            RefreshError::NoRefreshToken => vec![
                "Log in again; ask for the scope offline_access if the server gives refresh tokens only then."
                    .to_owned(),
            ],
            RefreshError::Record(_) => vec!["Log in again, which writes the session anew.".to_owned()],
            RefreshError::Randomness(_) => Vec::new(),
            RefreshError::Transport(source) => source.hints(),
            _ if self.ends_session() => vec!["The server has ended the session: log in again.".to_owned()],
            RefreshError::Token(error) => {
                let mut hints = error.hints(None);
                if self.exit_code() == ExitCode::Refused {
                    hints.push("The session is kept as it was; if this stays so, log in again.".to_owned());
                }
                hints
            }
            RefreshError::IdToken(_) => vec!["Nothing was stored; log in again if this stays so.".to_owned()],
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            RefreshError::Token(error) => error.oauth_error(),
            _ => None,
        }
    }
}

/// An ID token of another party ends the refresh. For anything else that is
/// wrong with it, a clock that is off above all, the token alone is not taken:
/// the refresh token that came with it may be the only one that still works.
fn accepted(
    checked: Result<IdToken, IdTokenError>,
    observer: &mut dyn Observer,
) -> Result<Option<IdToken>, IdTokenError> {
    match checked {
        Ok(id_token) => Ok(Some(id_token)),
        Err(error @ (IdTokenError::OtherSubject | IdTokenError::Issuer { .. } | IdTokenError::Audience(_))) => {
            Err(error)
        }
        Err(error) => {
            observer.observe(&Event::Warning(&format!(
                "the refreshed ID token is not taken: {error}"
            )));
            Ok(None)
        }
    }
}

/// How a refresh request is made.
#[derive(Debug, Clone, Default)]
pub struct RefreshOptions {
    /// What the environment holds now; it wins over the secret of the record.
    pub client_secret: Option<Secret>,
    /// Further parameters of the token request.
    pub token_parameters: Vec<(String, String)>,
}

/// Sends the refresh request for a part of the session, or the whole, and
/// takes the answer into the session. Returns the ID token that came along,
/// checked.
///
/// # Errors
/// [`RefreshError`]; the session is then unchanged.
pub async fn refresh(
    session: &mut Session,
    part: &Part,
    options: &RefreshOptions,
    caller: &mut Caller<'_>,
) -> Result<Option<IdToken>, RefreshError> {
    let token_endpoint = endpoint_of(&session.endpoints.token, "token endpoint")?;
    let token_request = TokenRequest {
        client: client_of(session, options.client_secret.as_ref())?,
        grant: renewal_grant(session, part)?.ok_or(RefreshError::NoRefreshToken)?,
        resource: resources_of(session, part)?,
        audience: session.asked.audience.clone(),
        extra: options.token_parameters.clone(),
    };
    let answer = request_token(&token_endpoint, &token_request, caller).await?;
    let mut response = answer.read(caller)?;
    let id_token = match &response.id_token {
        None => None,
        Some(text) => {
            let expected = Expected {
                issuer: session.issuer.as_deref(),
                client_id: &session.client.id,
                client_has_secret: token_request.client.is_confidential(),
                now: caller.now(),
                access_token: &response.access_token,
                occasion: Occasion::Refresh {
                    subject: session.subject.as_deref(),
                },
            };
            accepted(id_token::check(text.expose(), &expected), caller.observer)?
        }
    };
    if id_token.is_none() {
        response.id_token = None;
    }
    if let Some(id_token) = &id_token {
        session.subject = Some(id_token.subject.clone());
    }
    caller.observe(&Event::Refreshed {
        expires_in_s: response.expires_in_s,
        rotated: response.refresh_token.is_some(),
    });
    take(session, part, response, caller.now());
    Ok(id_token)
}
