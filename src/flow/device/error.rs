//! Each way in which a device login can end without a session, with its exit
//! code and hints.

use super::hints::{hints_for_authorization, hints_for_policy, hints_for_token};
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::hints::RequestSummary;
use crate::flow::login::LoginError;
use crate::flow::server::ServerError;
use crate::flow::token_endpoint::exit_code_without_answer;
use crate::output::duration::describe;
use crate::protocol::client::ClientAuthenticationError;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::device_authorization::DeviceAuthorizationError;
use crate::protocol::error::ErrorResponse;
use crate::protocol::random::RandomnessFailed;
use crate::protocol::token_response::TokenError;
use crate::transport::TransportError;
use std::time::Duration;

/// By these names servers say that the resource owner said no (RFC 8628 §3.5; Entra).
const DENIED: [&str; 2] = ["access_denied", "authorization_declined"];

/// By these names they say that the code is too old (RFC 8628 §3.5).
const EXPIRED: [&str; 2] = ["expired_token", "code_expired"];

/// Why a device login ended without a session.
#[derive(Debug, thiserror::Error)]
pub enum DeviceLoginError {
    /// The server is not known, or has no device authorization endpoint.
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(#[from] ClientAuthenticationError),
    /// No answer from the device authorization endpoint.
    #[error("the server issued no code")]
    NoCodes(#[source] TransportError),
    /// An answer of the device authorization endpoint that has no codes.
    #[error("the server issued no code")]
    Authorization {
        #[source]
        error: DeviceAuthorizationError,
        method: ClientAuthenticationMethod,
    },
    /// Nothing answers at the token endpoint, and trying again does not help.
    #[error("the server cannot be asked for the tokens")]
    NoTokens(#[source] TransportError),
    /// The resource owner said no.
    #[error("the login was refused in the browser: {0}")]
    Denied(ErrorResponse),
    /// The code was not entered while it was valid; with the server's word for that.
    #[error("the code has expired before it was entered and approved")]
    Expired(Option<ErrorResponse>),
    /// The code was not entered in the time that the user gave.
    #[error("timed out after {} waiting for the code to be entered and approved", describe(*waited))]
    TimedOut {
        /// How long we waited.
        waited: Duration,
    },
    /// An answer that is not a token.
    #[error("the server issued no token for the code")]
    Token {
        #[source]
        error: TokenError,
        sent: Box<RequestSummary>,
    },
    /// The tokens came, and cannot be kept.
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("the login was interrupted")]
    Interrupted(ExitCode),
}

impl DeviceLoginError {
    /// An answer of the token endpoint after which nothing else can come.
    pub(super) fn of_answer(error: TokenError, sent: Box<RequestSummary>) -> Self {
        match error {
            TokenError::OAuth { error, .. } if error.is_one_of(&DENIED) => DeviceLoginError::Denied(error),
            TokenError::OAuth { error, .. } if error.is_one_of(&EXPIRED) => DeviceLoginError::Expired(Some(error)),
            error => DeviceLoginError::Token { error, sent },
        }
    }
}

impl Diagnosis for DeviceLoginError {
    fn exit_code(&self) -> ExitCode {
        match self {
            DeviceLoginError::Server(source) => source.exit_code(),
            DeviceLoginError::Randomness(_) | DeviceLoginError::Authentication(_) => ExitCode::Unexpected,
            DeviceLoginError::NoCodes(source) | DeviceLoginError::NoTokens(source) => exit_code_without_answer(source),
            DeviceLoginError::Authorization { error, .. } => match error {
                DeviceAuthorizationError::Unavailable { .. } | DeviceAuthorizationError::NotJson { .. } => {
                    ExitCode::Unreachable
                }
                DeviceAuthorizationError::Redirect { .. } | DeviceAuthorizationError::Invalid { .. } => {
                    ExitCode::Protocol
                }
                DeviceAuthorizationError::OAuth { .. } | DeviceAuthorizationError::Refused { .. } => ExitCode::Refused,
            },
            DeviceLoginError::Denied(_) => ExitCode::Refused,
            DeviceLoginError::Expired(_) | DeviceLoginError::TimedOut { .. } => ExitCode::Timeout,
            DeviceLoginError::Token { error, .. } => error.exit_code(),
            DeviceLoginError::Login(source) => source.exit_code(),
            DeviceLoginError::Interrupted(code) => *code,
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            DeviceLoginError::Server(source) => source.hints(),
            DeviceLoginError::NoCodes(source) | DeviceLoginError::NoTokens(source) => source.hints(),
            DeviceLoginError::Randomness(_)
            | DeviceLoginError::Authentication(_)
            | DeviceLoginError::Interrupted(_) => Vec::new(),
            DeviceLoginError::Authorization { error, method } => hints_for_authorization(error, *method),
            DeviceLoginError::Denied(error) => {
                hints_for_policy(error).unwrap_or_else(|| one("Run the login again if that was a mistake."))
            }
            DeviceLoginError::Expired(_) => one("Run the login again, which gets another code."),
            DeviceLoginError::TimedOut { .. } => one("Wait longer: --timeout 15m"),
            DeviceLoginError::Token { error, sent } => hints_for_token(error, sent),
            DeviceLoginError::Login(source) => source.hints(),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            DeviceLoginError::Authorization {
                error: DeviceAuthorizationError::OAuth { error, .. },
                ..
            }
            | DeviceLoginError::Denied(error)
            | DeviceLoginError::Expired(Some(error)) => Some((&error.error, error.error_description.as_deref())),
            DeviceLoginError::Token { error, .. } => error.oauth_error(),
            DeviceLoginError::Login(source) => source.oauth_error(),
            _ => None,
        }
    }
}
