//! Gets a new access token with the refresh token (RFC 6749 §6). The request
//! goes to the endpoint that the session was made with, and to no other.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::events::{Quirks, trace_token_response};
use crate::flow::grant_inputs::GrantInputs;
use crate::flow::session::{apply_token_response, renewal_grant};
use crate::flow::token_endpoint::{NoTokenAnswer, exit_code_without_answer, request_token};
use crate::protocol::client::ClientAuthenticationError;
use crate::protocol::dpop::DpopError;
use crate::protocol::endpoint::Issuer;
use crate::protocol::id_token::{self, Expected, FirstClaims, IdToken, IdTokenContext, IdTokenError};
use crate::protocol::token_request::TokenRequest;
use crate::protocol::token_response::{TokenError, TokenResponse};
use crate::secret::Secret;
use crate::store::{ClientCredentialError, FreshCredentials, Part, Renewal, Session, Suspension};
use crate::trace::Event;
use crate::transport::TransportError;
use std::time::{Duration, Instant};

/// By these names servers say that the refresh token is of no use any more
/// (RFC 6749 §5.2; GitHub; Slack).
const SESSION_ENDED: [&str; 3] = ["invalid_grant", "bad_refresh_token", "invalid_refresh_token"];

/// By these they say that the resource owner is needed; a policy may change back.
const LOGIN_REQUIRED: [&str; 3] = ["login_required", "interaction_required", "consent_required"];

/// What a person can do where the client cannot authenticate any more.
pub(in crate::flow) const CREDENTIAL_HINT: &str =
    "Set OAUTH_CLIENT_SECRET, or log in again with --client-secret-file FILE.";

/// What a person can do where a refresh brought the ID token of another party.
const SUSPENDED_HINT: &str = "The session is suspended: its refresh token, the new one if one came, is kept, but nothing of it is used until you log in again.";

/// Why there is no new token. The session is as it was, but for
/// [`RefreshError::RefreshTokenKept`].
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Nothing to refresh with.
    #[error("the session has no refresh token")]
    NoRefreshToken,
    /// Neither the session nor the environment has what the client authenticates with, or it is damaged.
    #[error(transparent)]
    Credential(#[from] ClientCredentialError),
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(ClientAuthenticationError),
    /// The key that the session is bound to makes no proof.
    #[error(transparent)]
    Dpop(#[from] DpopError),
    #[error("the session cannot be refreshed")]
    Transport(#[from] TransportError),
    /// An answer that is not a token.
    #[error("the session cannot be refreshed")]
    Token(#[from] TokenError),
    /// The ID token that came along is not for this session.
    #[error("the refreshed ID token cannot be accepted")]
    IdToken(#[from] IdTokenError),
    /// The answer is faulty, but its refresh token has replaced the one that
    /// was sent (RFC 6749 §6): the session has it, and must be saved.
    #[error(transparent)]
    RefreshTokenKept(Box<RefreshError>),
}

impl RefreshError {
    /// Whether the server said that the refresh token is of no use any more.
    pub fn ends_session(&self) -> bool {
        matches!(self, RefreshError::Token(error) if is_refused_with(error, &SESSION_ENDED))
    }

    /// Whether it suspends the session.
    fn is_of_another_party(&self) -> bool {
        matches!(self, RefreshError::IdToken(error) if error.other_party().is_some())
    }

    /// Whether the session has changed and must be saved.
    pub fn keeps_refresh_token(&self) -> bool {
        matches!(self, RefreshError::RefreshTokenKept(_))
    }

    /// Whether the server may have spent the refresh token all the same: where
    /// no answer came, or one that says nothing about it.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            RefreshError::Transport(error) => error.may_have_been_received(),
            RefreshError::Token(error) => !error.is_refusal() && !matches!(error, TokenError::Redirect { .. }),
            RefreshError::IdToken(_) => true,
            _ => false,
        }
    }
}

impl From<NoTokenAnswer> for RefreshError {
    fn from(error: NoTokenAnswer) -> Self {
        match error {
            NoTokenAnswer::Authentication(error) => RefreshError::Authentication(error),
            NoTokenAnswer::Dpop(error) => RefreshError::Dpop(error),
            NoTokenAnswer::Transport(error) => RefreshError::Transport(error),
        }
    }
}

impl Diagnosis for RefreshError {
    fn exit_code(&self) -> ExitCode {
        match self {
            RefreshError::NoRefreshToken => ExitCode::LoginRequired,
            RefreshError::Credential(_) => ExitCode::Store,
            RefreshError::Authentication(_) => ExitCode::Unexpected,
            RefreshError::Dpop(source) => source.exit_code(),
            RefreshError::Transport(source) => exit_code_without_answer(source),
            RefreshError::RefreshTokenKept(error) => error.exit_code(),
            RefreshError::Token(error) => exit_code_of_refresh(error),
            RefreshError::IdToken(_) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            RefreshError::NoRefreshToken => vec![
                "Log in again; ask for the scope offline_access if the server gives refresh tokens only then."
                    .to_owned(),
            ],
            RefreshError::Credential(_) => vec![CREDENTIAL_HINT.to_owned()],
            RefreshError::Authentication(_) => Vec::new(),
            RefreshError::Dpop(source) => source.hints(),
            RefreshError::Transport(source) => source.hints(),
            RefreshError::Token(error) => hints_for_refresh(error),
            RefreshError::IdToken(_) => vec!["Nothing was stored; log in again if this stays so.".to_owned()],
            RefreshError::RefreshTokenKept(error) if error.is_of_another_party() => vec![SUSPENDED_HINT.to_owned()],
            RefreshError::RefreshTokenKept(error) => {
                let mut hints = vec!["The new refresh token is stored: the next refresh uses it.".to_owned()];
                hints.extend(error.hints());
                hints
            }
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            RefreshError::Token(error) => error.oauth_error(),
            RefreshError::RefreshTokenKept(error) => error.oauth_error(),
            _ => None,
        }
    }
}

fn is_refused_with(error: &TokenError, codes: &[&str]) -> bool {
    matches!(error, TokenError::OAuth { error, .. } if error.is_one_of(codes))
}

/// The exit code of an answer to a refresh that is not a token.
pub(in crate::flow) fn exit_code_of_refresh(error: &TokenError) -> ExitCode {
    if is_refused_with(error, &SESSION_ENDED) || is_refused_with(error, &LOGIN_REQUIRED) {
        return ExitCode::LoginRequired;
    }
    error.exit_code()
}

impl TokenError {
    /// Whether it is the client that was not taken.
    pub(in crate::flow) fn refuses_client(&self) -> bool {
        is_refused_with(self, &["invalid_client"])
    }
}

/// What a person can do about an answer to a refresh that is not a token,
/// beside logging in again.
pub(in crate::flow) fn hints_for_refresh(error: &TokenError) -> Vec<String> {
    if is_refused_with(error, &SESSION_ENDED) {
        return vec![
            "The refresh token is of no use any more: it has expired, was used before, or was revoked.".to_owned(),
        ];
    }
    if is_refused_with(error, &LOGIN_REQUIRED) {
        return vec!["The server must ask the resource owner again.".to_owned()];
    }
    error.hints(None)
}

/// How a refresh request is made.
#[derive(Debug, Default)]
pub struct RefreshOptions {
    /// What the environment holds now; it wins over the secret of the record.
    pub client_secret: Option<Secret>,
    /// What was read from the sources of the session.
    pub inputs: GrantInputs,
    /// Further parameters of the token request.
    pub token_parameters: Vec<(String, String)>,
    /// How long an access token lives where the server does not say so.
    pub assumed_ttl: Option<Duration>,
    /// Whether odd answers are worth a warning: where the session begins.
    pub warns_of_quirks: bool,
    /// After this moment no stored refresh token is sent: too little time would be left to receive its successor.
    pub send_by: Option<Instant>,
}

impl RefreshOptions {
    /// What the client proves itself with, beside what the session keeps.
    fn fresh_credentials(&self) -> FreshCredentials {
        FreshCredentials {
            secret: self.client_secret.clone(),
            assertion: self.inputs.client_assertion.clone(),
        }
    }
}

/// Sends the refresh request for a part of the session, or the whole, and
/// takes the answer into the session. Returns the ID token that came along,
/// checked.
///
/// # Errors
/// [`RefreshError`]; the session is then unchanged, but for
/// [`RefreshError::RefreshTokenKept`].
pub async fn refresh(
    session: &mut Session,
    part: &Part,
    options: &RefreshOptions,
    caller: &mut Caller<'_>,
) -> Result<Option<IdToken>, RefreshError> {
    let token_endpoint = session.token_endpoint.clone();
    let token_request = token_request(session, part, options)?;
    let mut dpop = session
        .dpop_key
        .as_ref()
        .map(DpopSession::with_stored_key)
        .transpose()?;
    let answer = request_token(&token_endpoint, &token_request, dpop.as_mut(), caller).await?;
    let mut response = match answer.read() {
        Ok(response) => response,
        Err(error) => {
            let refresh_token = answer.salvage_refresh_token();
            let refresh_token = refresh_token.filter(|_| !session.renewal.repeats_grant());
            return Err(keep_refresh_token(session, refresh_token, error.into()));
        }
    };
    let quirks = if options.warns_of_quirks {
        Quirks::Warn
    } else {
        Quirks::Trace
    };
    trace_token_response(&response, quirks, caller.observer);
    if session.renewal.repeats_grant() {
        drop_tokens_of_users(&mut response, caller);
    }
    let has_secret = token_request.client.credentials.secret.is_some();
    let id_token = match check_id_token(session, &response, has_secret, caller) {
        Ok(id_token) => id_token,
        Err(error) => {
            session.suspended = error.other_party().map(|other| Suspension {
                claim: other.claim.to_owned(),
                expected: other.expected,
                found: other.found,
            });
            return Err(keep_refresh_token(session, response.refresh_token, error.into()));
        }
    };
    if id_token.is_none() {
        response.id_token = None;
    }
    warn_of_wider_scope(session, part, &response, caller);
    report_refresh(session, &response, caller);
    if let Some(id_token) = &id_token {
        // Keys are not fetched here: the first ID token of a session is verified at its login.
        session.subject_is_unverified |= session.subject.is_none();
        session.subject = Some(id_token.subject.clone());
    }
    apply_token_response(session, part, response, options.assumed_ttl, caller.now());
    Ok(id_token)
}

fn token_request(session: &Session, part: &Part, options: &RefreshOptions) -> Result<TokenRequest, RefreshError> {
    Ok(TokenRequest {
        client: session.client.to_client(&options.fresh_credentials())?,
        grant: renewal_grant(session, part, &options.inputs).ok_or(RefreshError::NoRefreshToken)?,
        resource: session.resource_of(part).to_vec(),
        // An identity assertion is for one audience, which it names.
        audience: match session.renewal {
            Renewal::IdJag(_) => None,
            _ => session.requested.audience.clone(),
        },
        extra: extra_parameters(options, part),
    })
}

fn report_refresh(session: &Session, response: &TokenResponse, caller: &mut Caller<'_>) {
    let sent = &session.refresh_token;
    let is_new = |token: &Secret| {
        sent.as_ref()
            .is_none_or(|sent| sent.fingerprint() != token.fingerprint())
    };
    caller.observe(&Event::Refreshed {
        expires_in_s: response.expires_in_s,
        rotated: response.refresh_token.as_ref().is_some_and(is_new),
    });
}

/// A grant that is repeated needs no refresh token (RFC 6749 §4.4.3), and no
/// user signed in by it.
fn drop_tokens_of_users(response: &mut TokenResponse, caller: &mut Caller<'_>) {
    for (token, name) in [
        (&mut response.refresh_token, "a refresh token"),
        (&mut response.id_token, "an ID token"),
    ] {
        if token.take().is_some() {
            caller.observe(&Event::Note(&format!(
                "the server sent {name}, which this grant does not use: it is not kept"
            )));
        }
    }
    response.refresh_expires_in_s = None;
}

/// A part of the session has its own scope.
fn extra_parameters(options: &RefreshOptions, part: &Part) -> Vec<(String, String)> {
    let mut parameters = options.token_parameters.clone();
    parameters.retain(|(name, _)| name != "scope" || part.scope.is_empty());
    parameters
}

/// Puts the refresh token of an answer that is not taken into the session. A
/// session of another party is marked whether or not there is one.
fn keep_refresh_token(session: &mut Session, refresh_token: Option<Secret>, error: RefreshError) -> RefreshError {
    if refresh_token.is_none() && session.suspended.is_none() {
        return error;
    }
    if let Some(refresh_token) = refresh_token {
        session.refresh_token = Some(refresh_token);
    }
    session.generation = session.generation.saturating_add(1);
    RefreshError::RefreshTokenKept(Box::new(error))
}

/// Checks the ID token of a refresh against the session (OpenID Connect Core
/// §12.2). One of another party is an error. For anything else that is wrong
/// with it, a clock that is off above all, it alone is not taken; so it is
/// where none was asked for and no subject is known.
fn check_id_token(
    session: &Session,
    response: &TokenResponse,
    client_has_secret: bool,
    caller: &mut Caller<'_>,
) -> Result<Option<IdToken>, IdTokenError> {
    let Some(text) = &response.id_token else {
        return Ok(None);
    };
    let of_stored = session.id_token.as_ref().and_then(FirstClaims::of_stored);
    let first = session.first_claims.as_ref().or(of_stored.as_ref());
    let expected = Expected {
        issuer: session.issuer.as_ref().map(Issuer::as_str),
        client_id: session.client.id.as_str(),
        client_has_secret,
        now: caller.now(),
        access_token: &response.access_token,
        context: IdTokenContext::Refresh {
            subject: session.subject.as_deref(),
            first,
        },
    };
    let is_asked_for = session.subject.is_some() || session.requested.scope.contains("openid");
    match id_token::check(text.expose(), &expected) {
        Ok(id_token) => Ok(Some(id_token)),
        Err(error) if is_asked_for && error.other_party().is_some() => Err(error),
        Err(error) => {
            caller.observe(&Event::Warning(&format!(
                "the refreshed ID token is not accepted: {error}"
            )));
            Ok(None)
        }
    }
}

/// RFC 6749 §6: a refresh must not widen the scope.
fn warn_of_wider_scope(session: &Session, part: &Part, response: &TokenResponse, caller: &mut Caller<'_>) {
    let Some(granted) = &response.scope else { return };
    let known = session.requested.scope.union(&part.scope);
    let known = match session.token(part).and_then(|token| token.scope.as_ref()) {
        Some(before) => known.union(before),
        None => known,
    };
    let more = granted.without(&known);
    if !known.is_empty() && !more.is_empty() {
        caller.observe(&Event::Warning(&format!(
            "the refreshed token has more scopes than were asked for: {more}"
        )));
    }
}
