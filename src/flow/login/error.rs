//! Each way in which a login can end without a session, with its exit code and
//! hints.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::hints::{At, Sent, advice};
use crate::flow::server::ServerError;
use crate::flow::token_endpoint::NoTokenAnswer;
use crate::protocol::authorization::InvalidAuthorizationResponse;
use crate::protocol::error::ErrorResponse;
use crate::protocol::id_token::IdTokenError;
use crate::protocol::random::RandomnessFailed;
use crate::protocol::token_response::TokenError;
use crate::transport::TransportError;
use crate::user_agent::browser::BrowserError;
use crate::user_agent::callback::LoopbackError;
use std::time::Duration;

/// Why a login ended without a session.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server is not known, or cannot take part.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No browser may be sent to that URL.
    #[error("the authorization endpoint cannot be opened in a browser")]
    Browser(#[source] BrowserError),
    /// Nothing can be listened on.
    #[error("no callback can be received")]
    Listener(#[from] LoopbackError),
    /// There is no verifier without it.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// Nobody finished in time.
    #[error("nobody finished the login in the browser within {}", crate::output::duration::describe_seconds(waited.as_secs()))]
    TimedOut {
        /// How long we waited.
        waited: Duration,
        /// What a callback carried that was ignored, since its state was not ours.
        ignored: Option<CallbackContent>,
    },
    /// The end of standard input came before a usable line.
    #[error("no redirect URL was pasted that answers this login")]
    NothingPasted,
    /// The answer is ours and breaks the specification.
    #[error("the authorization response cannot be accepted")]
    Broken(#[source] InvalidAuthorizationResponse),
    /// The server or the resource owner said no.
    #[error("the authorization server refused: {}{}", error.error, described(error))]
    Denied {
        /// What it said.
        error: ErrorResponse,
        /// To what.
        sent: Box<Sent>,
    },
    /// No answer from the token endpoint.
    #[error("the code cannot be exchanged")]
    Exchange(#[source] TransportError),
    /// An answer that is no token.
    #[error("the code was not exchanged")]
    Token {
        /// What came instead.
        #[source]
        error: TokenError,
        /// To what.
        sent: Box<Sent>,
    },
    /// The token came for somebody else, or by somebody else.
    #[error("the ID token cannot be accepted, so nothing was stored")]
    IdToken(#[from] IdTokenError),
    /// A signal came.
    #[error("the login was interrupted")]
    Interrupted(ExitCode),
    /// The session cannot be stored.
    #[error("the session was not stored: {0}")]
    Keep(Box<dyn Diagnosis>),
}

pub(super) fn described(error: &ErrorResponse) -> String {
    error
        .error_description
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default()
}

impl From<NoTokenAnswer> for LoginError {
    fn from(error: NoTokenAnswer) -> Self {
        match error {
            NoTokenAnswer::Randomness(error) => LoginError::Randomness(error),
            NoTokenAnswer::Transport(error) => LoginError::Exchange(error),
        }
    }
}

impl Diagnosis for LoginError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LoginError::Server(source) => source.exit_code(),
            LoginError::Exchange(source) => source.exit_code(),
            LoginError::Listener(source) => source.exit_code(),
            LoginError::Browser(source) => source.exit_code(),
            LoginError::Keep(source) => source.exit_code(),
            LoginError::Token { error, .. } => error.exit_code(),
            LoginError::Interrupted(code) => *code,
            LoginError::Randomness(_) => ExitCode::Unexpected,
            LoginError::TimedOut { .. } => ExitCode::Timeout,
            LoginError::Denied { error, .. } => match error.error.as_str() {
                "server_error" | "temporarily_unavailable" => ExitCode::Unreachable,
                _ => ExitCode::Refused,
            },
            LoginError::NothingPasted | LoginError::Broken(_) | LoginError::IdToken(_) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            LoginError::Server(source) => source.hints(),
            LoginError::Exchange(source) => source.hints(),
            LoginError::Listener(source) => source.hints(),
            LoginError::Browser(source) => source.hints(),
            LoginError::Keep(source) => source.hints(),
            LoginError::Randomness(_) | LoginError::Interrupted(_) => Vec::new(),
            LoginError::TimedOut { ignored, .. } => hints_for_time_out(ignored.as_ref()),
            LoginError::NothingPasted => {
                one("Paste the whole URL that the browser ended on, with its state; a bare code cannot be checked.")
            }
            LoginError::Broken(InvalidAuthorizationResponse::WrongIssuer { .. }) => one(
                "Another server answered than was asked: do not log in there; if the issuer was mistyped, give the right one with --issuer.",
            ),
            LoginError::Broken(_) => one("Run it again with -v to see the response; no token request was sent."),
            LoginError::Denied { error, sent } => vec![advice(error, At::Authorization, Some(sent))],
            LoginError::Token { error, sent } => error.hints(Some(sent)),
            LoginError::IdToken(error) if error.may_be_clock_skew() => {
                one("Check the clock of this machine: the server's and this one seem to differ.")
            }
            LoginError::IdToken(_) => one("Run it again with -vv to see the token response."),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            LoginError::Denied { error, .. } => Some((&error.error, error.error_description.as_deref())),
            LoginError::Token { error, .. } => error.oauth_error(),
            _ => None,
        }
    }
}

/// What an authorization response carries.
#[derive(Debug, Clone)]
pub enum CallbackContent {
    /// An error.
    Error(ErrorResponse),
    /// A code.
    Code,
}

fn hints_for_time_out(ignored: Option<&CallbackContent>) -> Vec<String> {
    let mut hints = Vec::new();
    match ignored {
        Some(CallbackContent::Error(error)) => hints.push(format!(
            "A callback with a foreign state was ignored; it carried the error {}{}.",
            error.error,
            described(error)
        )),
        Some(CallbackContent::Code) => hints.push(
            "A callback with a code was ignored, since its state was missing or foreign: the server has to return the state that was sent (RFC 6749 §4.1.2). See it with -vv, or it was of another login."
                .to_owned(),
        ),
        None => {}
    }
    hints.push(
        "If the browser shows an error page of the server, the client_id or the redirect URI is probably not registered there: compare them with -v, exactly (localhost is not 127.0.0.1). If the page says that the request was blocked, a firewall may not like 127.0.0.1 in it: try --redirect-uri http://localhost:0/callback."
            .to_owned(),
    );
    // This login is over, and there may be no terminal to paste on at the next one either.
    hints.push(
        "If the browser ended on a page that cannot be reached, run it again with --paste in a terminal, and paste that page's URL."
            .to_owned(),
    );
    hints.push("Wait longer with --timeout 15m.".to_owned());
    hints
}
