//! Why a session was not renewed.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::hints::client_authentication_refused;
use crate::flow::machine_grant::hints_for_machine_grant;
use crate::flow::refresh::{RefreshError, exit_code_of_refresh, hints_for_refresh};
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_response::TokenError;
use crate::store::{ProfileName, Renewal, SessionEnd, StoreError};
use crate::system::files::FileError;
use crate::system::local_time;
use crate::transport::TransportError;

/// What to do where a deadline was too short.
pub const MORE_TIME: &str = "Give more time with --deadline TIME (or OAUTH_DEADLINE).";

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The session cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The intent cannot be written down, so nothing was sent.
    #[error("the refresh cannot be written down before it is done, so it was not sent")]
    Intent(#[from] FileError),
    /// A source of the session gave no token, so nothing was sent.
    #[error("{0}")]
    Source(Box<dyn Diagnosis>),
    /// Nothing would be sent: certificates, proxy, URL.
    #[error("the token endpoint cannot be reached")]
    Unprepared(#[source] TransportError),
    /// The deadline is so close that the answer would be cut off, and the new refresh token with it. Nothing was sent.
    #[error("the refresh token was not sent: the deadline leaves too little time for the server's answer")]
    NoTimeForAnswer,
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The server said no, and did not end the session.
    #[error("the session of profile \"{profile}\" cannot be refreshed")]
    Refused {
        profile: ProfileName,
        /// How it was to be renewed.
        renewal: Box<Renewal>,
        /// How the client authenticated.
        method: ClientAuthenticationMethod,
        #[source]
        error: Box<TokenError>,
    },
    /// The server has ended the session; it is marked so.
    #[error("the server has ended the session of profile \"{profile}\": {end}")]
    Ended {
        profile: ProfileName,
        end: SessionEnd,
        /// When the session's last token came.
        last_token_at: Option<UnixSeconds>,
        /// Whether an interrupted refresh explains it.
        after_interruption: bool,
    },
    /// While we waited for the lock, someone logged out.
    #[error("profile \"{profile}\" was logged out by another process")]
    LoggedOut { profile: ProfileName },
}

impl RenewError {
    /// Whether the server understood the refresh and said no: a login may help.
    pub fn is_refusal(&self) -> bool {
        matches!(self, RenewError::Refused { .. } | RenewError::Ended { .. })
    }

    /// Whether it said that the scope is not to be had.
    pub fn is_invalid_scope(&self) -> bool {
        matches!(self, RenewError::Refused { error, .. }
            if matches!(&**error, TokenError::OAuth { error, .. } if error.is_one_of(&["invalid_scope"])))
    }
}

impl Diagnosis for RenewError {
    fn exit_code(&self) -> ExitCode {
        match self {
            RenewError::Store(source) => source.exit_code(),
            RenewError::Source(source) => source.exit_code(),
            RenewError::Intent(_) => ExitCode::Store,
            RenewError::Unprepared(source) => source.exit_code(),
            RenewError::NoTimeForAnswer => ExitCode::Unreachable,
            RenewError::Refresh(source) => source.exit_code(),
            RenewError::Refused { error, .. } => exit_code_of_refresh(error),
            RenewError::Ended { .. } | RenewError::LoggedOut { .. } => ExitCode::LoginRequired,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            RenewError::Store(source) => source.hints_for_session(),
            RenewError::Source(source) => source.hints(),
            RenewError::Intent(_) => vec!["Make room and rights in the folder, then run this again.".to_owned()],
            RenewError::Unprepared(source) => source.hints(),
            RenewError::NoTimeForAnswer => vec![MORE_TIME.to_owned()],
            RenewError::Refresh(source) => source.hints(),
            RenewError::Refused {
                profile,
                renewal,
                method,
                error,
            } => {
                let mut hints = match &**renewal {
                    _ if error.refuses_client() && !method.sends_no_proof_but_a_secret() => {
                        vec![client_authentication_refused(Some(*method))]
                    }
                    Renewal::RefreshToken | Renewal::None => hints_for_refresh(error),
                    repeated => hints_for_machine_grant(repeated, error, None),
                };
                let command = format!("oauth login {profile}");
                hints.push(match exit_code_of_refresh(error) {
                    ExitCode::LoginRequired => format!("Run: {command}"),
                    _ => format!("The session is unchanged. If the error persists, log in again: {command}"),
                });
                hints
            }
            RenewError::Ended {
                profile,
                last_token_at,
                after_interruption,
                ..
            } => {
                let mut hints = Vec::new();
                if *after_interruption {
                    hints.push(
                        "An earlier refresh was interrupted or never answered after the server had taken it: its answer is lost."
                            .to_owned(),
                    );
                } else if let Some(at) = last_token_at {
                    hints.push(format!(
                        "The session worked last at {}. Since then it was revoked at the server or has expired there, or another program used a copy of its refresh token.",
                        local_time(*at)
                    ));
                }
                hints.push(format!("Run: oauth login {profile}"));
                hints
            }
            RenewError::LoggedOut { profile } => vec![format!("Run: oauth login {profile}")],
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            RenewError::Source(source) => source.oauth_error(),
            RenewError::Refresh(source) => source.oauth_error(),
            RenewError::Refused { error, .. } => error.oauth_error(),
            RenewError::Ended { end, .. } => end.oauth_error(),
            _ => None,
        }
    }
}
