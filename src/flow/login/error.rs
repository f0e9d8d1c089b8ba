//! Each way in which a login can end without a session, with its exit code and
//! hints.

use super::strays::StraySummary;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::hints::{EndpointKind, RequestSummary, hint_for};
use crate::flow::issuer_keys::IssuerKeysError;
use crate::flow::pushed_authorization_request::PushError;
use crate::flow::registration::RegistrationFailure;
use crate::flow::server::ServerError;
use crate::flow::token_endpoint::{NoTokenAnswer, exit_code_without_answer};
use crate::output::duration::describe;
use crate::protocol::authorization::InvalidAuthorizationResponse;
use crate::protocol::client::ClientAuthenticationError;
use crate::protocol::dpop::DpopError;
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
    #[error("cannot listen for the callback")]
    Listener(#[from] LoopbackError),
    /// There is no verifier without it.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(#[from] ClientAuthenticationError),
    /// There is no proof for the token request.
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// There is no client.
    #[error(transparent)]
    Registration(#[from] RegistrationFailure),
    /// The server did not take the request.
    #[error(transparent)]
    Push(#[from] PushError),
    /// What the server signs cannot be verified.
    #[error("the keys of the server are needed to verify what it signs")]
    Keys(#[from] Box<IssuerKeysError>),
    /// The resource owner did not finish in time.
    #[error("timed out after {} waiting for the browser", describe(*waited))]
    TimedOut {
        /// How long we waited.
        waited: Duration,
        /// What came and was not the answer.
        strays: StraySummary,
    },
    /// A pasted line that is not the answer, where no other can follow.
    #[error("no redirect URL of this login was pasted")]
    NothingPasted {
        /// Whether the line had the answer, in the fragment.
        in_fragment: bool,
    },
    /// Standard input is empty: the login could not end in any other way.
    #[error("standard input ended before the redirect URL came")]
    InputEnded,
    /// A person ended the input (Ctrl-D).
    #[error("the login was not finished: no redirect URL was pasted")]
    GivenUp,
    /// The answer is ours and breaks the specification.
    #[error("the authorization response cannot be accepted")]
    InvalidResponse(#[source] InvalidAuthorizationResponse),
    /// The server or the resource owner said no.
    #[error("the authorization server refused: {error}")]
    Denied {
        error: ErrorResponse,
        sent: Box<RequestSummary>,
    },
    /// No answer from the token endpoint.
    #[error("the code cannot be exchanged")]
    Exchange(#[source] TransportError),
    /// An answer that is not a token.
    #[error("the code was not exchanged")]
    Token {
        #[source]
        error: TokenError,
        sent: Box<RequestSummary>,
    },
    /// The token came for someone else, or by someone else.
    #[error("the ID token cannot be accepted, so nothing was stored")]
    IdToken {
        #[source]
        error: IdTokenError,
        /// Whom it should be from, where that is known.
        issuer: Option<String>,
    },
    #[error("the login was interrupted")]
    Interrupted(ExitCode),
    /// The session cannot be stored.
    #[error("the session was not stored: {0}")]
    Save(Box<dyn Diagnosis>),
}

impl From<NoTokenAnswer> for LoginError {
    fn from(error: NoTokenAnswer) -> Self {
        match error {
            NoTokenAnswer::Authentication(error) => LoginError::Authentication(error),
            NoTokenAnswer::Dpop(error) => LoginError::Dpop(error),
            NoTokenAnswer::Transport(error) => LoginError::Exchange(error),
        }
    }
}

impl LoginError {
    /// Whether someone decided that there is no access (RFC 6749 §4.1.2.1).
    pub(super) fn is_denial(&self) -> bool {
        matches!(self, LoginError::Denied { error, .. } if error.error == "access_denied")
    }
}

impl Diagnosis for LoginError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LoginError::Server(source) => source.exit_code(),
            LoginError::Registration(source) => source.exit_code(),
            LoginError::Push(source) => source.exit_code(),
            LoginError::Keys(source) => source.exit_code(),
            LoginError::Exchange(source) => exit_code_without_answer(source),
            LoginError::Dpop(source) => source.exit_code(),
            LoginError::Listener(source) => source.exit_code(),
            LoginError::Browser(source) => source.exit_code(),
            LoginError::Save(source) => source.exit_code(),
            LoginError::Token { error, .. } => error.exit_code(),
            LoginError::Interrupted(code) => *code,
            LoginError::Randomness(_) | LoginError::Authentication(_) => ExitCode::Unexpected,
            LoginError::TimedOut { .. } | LoginError::GivenUp => ExitCode::Timeout,
            LoginError::InputEnded => ExitCode::Usage,
            LoginError::Denied { error, .. } => match error.error.as_str() {
                "server_error" | "temporarily_unavailable" => ExitCode::Unreachable,
                _ => ExitCode::Refused,
            },
            LoginError::NothingPasted { .. } | LoginError::InvalidResponse(_) | LoginError::IdToken { .. } => {
                ExitCode::Protocol
            }
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            LoginError::Server(source) => source.hints(),
            LoginError::Registration(source) => source.hints(),
            LoginError::Push(source) => source.hints(),
            LoginError::Keys(source) => source.hints(),
            LoginError::Exchange(source) => hints_for_exchange(source),
            LoginError::Dpop(source) => source.hints(),
            LoginError::Listener(source) => source.hints(),
            LoginError::Browser(source) => source.hints(),
            LoginError::Save(source) => source.hints(),
            LoginError::Randomness(_) | LoginError::Authentication(_) | LoginError::Interrupted(_) => Vec::new(),
            LoginError::TimedOut { strays, .. } => hints_for_time_out(strays),
            LoginError::NothingPasted { in_fragment: true } => one(FRAGMENT),
            LoginError::NothingPasted { in_fragment: false } => {
                one("Paste the whole URL that the browser ended on, with its state; a bare code cannot be checked.")
            }
            LoginError::InputEnded => one(
                "--paste reads the URL that the browser ended on from standard input: run it in a terminal and paste it there, or write it into the pipe.",
            ),
            LoginError::GivenUp => one(
                "Run it again to sign in. Where this machine has a browser, leave out --paste; to sign in on another device, use --device.",
            ),
            LoginError::InvalidResponse(InvalidAuthorizationResponse::WrongIssuer { expected, found })
                if expected.trim_end_matches('/') == found.trim_end_matches('/') =>
            {
                one(
                    "The two differ only in the trailing slash. The server does not match its own metadata (RFC 9207 §2): its operator has to correct it.",
                )
            }
            LoginError::InvalidResponse(InvalidAuthorizationResponse::WrongIssuer { .. }) => one(
                "The response came from a different issuer (possible mix-up attack). If --issuer has a typo, correct it.",
            ),
            LoginError::InvalidResponse(_) => {
                one("Run it again with -v to see the response; no token request was sent.")
            }
            LoginError::Denied { error, sent } => vec![hint_for(error, EndpointKind::Authorization, Some(sent))],
            LoginError::Token { error, sent } => error.hints(Some(sent)),
            LoginError::IdToken { error, .. } if error.may_be_clock_skew() => {
                one("Check the clock of this machine: the server's and this one seem to differ.")
            }
            LoginError::IdToken { error, .. } if error.is_contradiction_of_server() => one(
                "Another --issuer does not help: the metadata and the ID tokens of the server have to name the same issuer (OpenID Connect Discovery §4.3).",
            ),
            LoginError::IdToken { error, .. } if error.is_encrypted() => one(
                "Register the client without id_token_encrypted_response_alg (OpenID Connect Dynamic Client Registration §2): signed ID tokens are supported, encrypted ones are not.",
            ),
            LoginError::IdToken { issuer, .. } => {
                let issuer = issuer
                    .as_ref()
                    .map(|issuer| format!("--issuer {} ", shell_words::quote(issuer)));
                vec![format!(
                    "To look at the ID token, log in again with -vv --show-secrets, write the id_token of the token response into a file, and run: oauth decode {}FILE",
                    issuer.unwrap_or_default()
                )]
            }
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            LoginError::Denied { error, .. } => Some((&error.error, error.error_description.as_deref())),
            LoginError::Token { error, .. } => error.oauth_error(),
            LoginError::Registration(source) => source.oauth_error(),
            LoginError::Push(source) => source.oauth_error(),
            _ => None,
        }
    }
}

/// The browser reached the server a moment ago, so that a certificate that is
/// not trusted is most likely that of something in between.
fn hints_for_exchange(error: &TransportError) -> Vec<String> {
    if !error.is_untrusted_issuer() {
        return error.hints();
    }
    vec![
        "The browser came through and this program does not trust the certificate: most likely a proxy inspects TLS, and the browser knows its authority. Name that authority with the variable SSL_CERT_FILE or with --cacert FILE, and the proxy, where only it leads out, with HTTPS_PROXY; then log in again."
            .to_owned(),
    ]
}

/// What only the server can do.
const FRAGMENT: &str = "The server has to return the answer in the query: response_type=code has that by default (OAuth 2.0 Multiple Response Types §2.1).";

/// What came and was not the answer, and where that does not explain the wait
/// all else that may.
fn hints_for_time_out(strays: &StraySummary) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(refused) = strays.refused {
        hints.push(format!("{}.", sentence(&refused.to_string())));
    }
    if let Some(foreign) = strays.foreign {
        hints.push(format!("{}.", sentence(&foreign.to_string())));
        hints.extend(foreign.next_step().map(str::to_owned));
    }
    if strays.explain_the_wait() {
        return hints;
    }
    hints.extend(
        [
            "If the browser shows an error page of the server, the client_id or the redirect URI is probably not registered there. Compare them exactly (localhost is not 127.0.0.1): run it again with -v",
            "If the server has one redirect URI registered, with its port, name that port: --port 8400, or --redirect-uri http://127.0.0.1:8400/callback",
            "If the browser shows that the request was blocked, a firewall may refuse 127.0.0.1 in it: --redirect-uri http://localhost:0/callback",
            "If nothing happened after you allowed access, the form-action policy of the consent page may block the redirect, which Chromium and Safari do silently. Use another browser, such as --browser firefox, or paste the address: --paste",
            // This login is over, and there may be no terminal to paste on at the next one either.
            "If the browser ended on a page that cannot be reached, run it again in a terminal and paste the URL of that page: --paste",
            "Wait longer: --timeout 15m",
        ]
        .map(str::to_owned),
    );
    hints
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
