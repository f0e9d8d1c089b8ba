//! All errors in one place: each variant is the error of one part, and says
//! its exit code and hints itself.

use crate::args::config::ConfigError;
use crate::args::settings::SettingsError;
use crate::check::CheckError;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::discovery::DiscoveryError;
use crate::flow::login::LoginError;
use crate::flow::refresh::RefreshError;
use crate::flow::renew::{RenewError, oauth_error_of_reason};
use crate::flow::revoke::LogoutError;
use crate::flow::session::UnusableRecord;
use crate::flow::token_services::TokenServiceError;
use crate::protocol::jose::JwtError;
use crate::protocol::jwks::SignatureError;
use crate::server::ServeError;
use crate::server::settings::InvalidSetting;
use crate::store::{LockError, ProfileName, StoreError};
use crate::system::dirs::NoHome;
use crate::trace::{CreateFileError, TraceFileError};
use crate::transport::TransportError;
use crate::user_agent::browser::BrowserError;
use crate::user_agent::terminal::TerminalInputError;
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong arguments, variables or keys.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No home folder.
    #[error(transparent)]
    NoHome(#[from] NoHome),
    /// The credential store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The profile's lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The browser command.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// No metadata, or none that may be used.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// A request that was refused before it was sent.
    #[error("the request cannot be sent")]
    Transport(#[from] TransportError),
    /// A login.
    #[error(transparent)]
    Login(#[from] Box<LoginError>),
    /// A refresh.
    #[error(transparent)]
    Refresh(#[from] Box<RefreshError>),
    /// A refresh of a stored session.
    #[error(transparent)]
    Renew(#[from] Box<RenewError>),
    /// A question about a token.
    #[error(transparent)]
    AboutToken(#[from] Box<TokenServiceError>),
    /// A revocation.
    #[error(transparent)]
    Logout(#[from] Box<LogoutError>),
    /// The session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A token or an answer about it.
    #[error(transparent)]
    Inspection(#[from] InspectionError),
    /// An examination.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A file that was asked for.
    #[error("{} cannot be written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: CreateFileError,
    },
    /// The development server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The flags of the development server.
    #[error(transparent)]
    ServeSetting(#[from] InvalidSetting),
    /// A pasted line.
    #[error(transparent)]
    TerminalInput(#[from] TerminalInputError),
    /// A trace file.
    #[error(transparent)]
    TraceFile(#[from] TraceFileError),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// Standard output.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// Standard input.
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
    /// The operating system gave no runtime.
    #[error("the asynchronous runtime cannot be started")]
    Runtime(#[source] io::Error),
    /// A signal.
    #[error("interrupted by {}", signal_name(*.0))]
    Interrupted(ExitCode),
    /// `--all` went on after failures.
    #[error("{failed} of {of} profiles could not be logged out")]
    Several {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
        /// The code of the first.
        exit_code: ExitCode,
    },
}

fn signal_name(code: ExitCode) -> &'static str {
    match code {
        ExitCode::HungUp => "SIGHUP",
        ExitCode::Terminated => "SIGTERM",
        _ => "Ctrl-C",
    }
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        Error::Login(Box::new(error))
    }
}

impl From<DiscoveryError> for Error {
    fn from(error: DiscoveryError) -> Self {
        Error::Discovery(Box::new(error))
    }
}

impl From<RefreshError> for Error {
    fn from(error: RefreshError) -> Self {
        Error::Refresh(Box::new(error))
    }
}

impl From<RenewError> for Error {
    fn from(error: RenewError) -> Self {
        Error::Renew(Box::new(error))
    }
}

impl From<TokenServiceError> for Error {
    fn from(error: TokenServiceError) -> Self {
        Error::AboutToken(Box::new(error))
    }
}

impl From<LogoutError> for Error {
    fn from(error: LogoutError) -> Self {
        Error::Logout(Box::new(error))
    }
}

impl Error {
    fn part(&self) -> Option<&dyn Diagnosis> {
        match self {
            Error::Settings(part) => Some(part),
            Error::Config(part) => Some(part),
            Error::NoHome(part) => Some(part),
            Error::Store(part) => Some(part),
            Error::Lock(part) => Some(part),
            Error::Browser(part) => Some(part),
            Error::Discovery(part) => Some(part.as_ref()),
            Error::Transport(part) => Some(part),
            Error::Login(part) => Some(part.as_ref()),
            Error::Refresh(part) => Some(part.as_ref()),
            Error::Renew(part) => Some(part.as_ref()),
            Error::AboutToken(part) => Some(part.as_ref()),
            Error::Logout(part) => Some(part.as_ref()),
            Error::Session(part) => Some(part),
            Error::Inspection(part) => Some(part),
            Error::Check(part) => Some(part),
            Error::Serve(part) => Some(part),
            Error::ServeSetting(part) => Some(part),
            Error::TerminalInput(part) => Some(part),
            Error::TraceFile(part) => Some(part),
            Error::Demo(part) => Some(part),
            _ => None,
        }
    }
}

impl Diagnosis for Error {
    fn exit_code(&self) -> ExitCode {
        match self {
            Error::Interrupted(code) | Error::Several { exit_code: code, .. } => *code,
            Error::File { .. } => ExitCode::Usage,
            _ => self.part().map_or(ExitCode::Unexpected, Diagnosis::exit_code),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Error::File { .. } => vec!["Choose another file.".to_owned()],
            _ => self.part().map(Diagnosis::hints).unwrap_or_default(),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        self.part().and_then(Diagnosis::oauth_error)
    }
}

/// There is no session that could be used: exit code 4.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Neither configuration file nor store know the profile.
    #[error("there is no profile \"{profile}\"")]
    UnknownProfile {
        /// What was asked for.
        profile: ProfileName,
        /// What there is.
        known: Vec<ProfileName>,
    },
    /// The profile is known, but nobody is logged in.
    #[error("profile \"{profile}\" is not logged in")]
    NotLoggedIn {
        /// Which.
        profile: ProfileName,
    },
    /// The access token is of the past.
    #[error("the session of profile \"{profile}\" has expired and cannot be refreshed")]
    Expired {
        /// Which.
        profile: ProfileName,
    },
    /// The server said so.
    #[error("the server has ended the session of profile \"{profile}\": {reason}")]
    SessionEnd {
        /// Which.
        profile: ProfileName,
        /// What the server said.
        reason: String,
    },
    /// The profile was changed after the login.
    #[error("profile \"{profile}\" has {what} {wanted}, but its session was made with {found}")]
    Mismatch {
        /// Which.
        profile: ProfileName,
        /// `issuer`, `scope`.
        what: &'static str,
        /// In the configuration file.
        wanted: String,
        /// In the session.
        found: String,
    },
    /// `--force-refresh` without a refresh token.
    #[error("the session of profile \"{profile}\" has nothing to refresh with")]
    NotRefreshable {
        /// Which.
        profile: ProfileName,
    },
    /// `--id-token` without one.
    #[error("the session of profile \"{profile}\" has no ID token")]
    NoIdToken {
        /// Which.
        profile: ProfileName,
    },
    /// `--id-token` with an old one.
    #[error("the ID token of profile \"{profile}\" has expired")]
    IdTokenExpired {
        /// Which.
        profile: ProfileName,
    },
    /// `token --login` waited for a login of another process.
    #[error("the login of another process brought no session for profile \"{profile}\"")]
    OtherLoginFailed {
        /// Which.
        profile: ProfileName,
    },
    /// The store keeps nothing.
    #[error("profile \"{profile}\" uses the store \"none\", which keeps no session")]
    NotKept {
        /// Which.
        profile: ProfileName,
    },
}

impl SessionError {
    fn profile(&self) -> &ProfileName {
        match self {
            SessionError::UnknownProfile { profile, .. }
            | SessionError::NotLoggedIn { profile }
            | SessionError::Expired { profile }
            | SessionError::SessionEnd { profile, .. }
            | SessionError::Mismatch { profile, .. }
            | SessionError::NotRefreshable { profile }
            | SessionError::NoIdToken { profile }
            | SessionError::IdTokenExpired { profile }
            | SessionError::OtherLoginFailed { profile }
            | SessionError::NotKept { profile } => profile,
        }
    }
}

impl Diagnosis for SessionError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::LoginRequired
    }

    fn hints(&self) -> Vec<String> {
        let profile = self.profile();
        match self {
            SessionError::UnknownProfile { known, .. } if known.is_empty() => {
                vec!["Nobody has logged in yet. Run: oauth login https://your-server --client-id ID".to_owned()]
            }
            SessionError::UnknownProfile { known, .. } => {
                let known: Vec<&str> = known.iter().map(ProfileName::as_str).collect();
                vec![format!("Known profiles: {}.", known.join(", "))]
            }
            SessionError::NoIdToken { .. } => {
                vec![format!("Ask for one: oauth login {profile} --scope \"openid …\"")]
            }
            SessionError::NotRefreshable { .. } => vec![format!(
                "The server gave no refresh token; asking for the scope offline_access may bring one: oauth login {profile} --scope \"… offline_access\""
            )],
            SessionError::NotKept { .. } => {
                vec![format!(
                    "Choose a store that keeps it: oauth login {profile} --store keyring"
                )]
            }
            _ => vec![format!("Run: oauth login {profile}")],
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            SessionError::SessionEnd { reason, .. } => oauth_error_of_reason(reason),
            _ => None,
        }
    }
}

/// A token that cannot be looked at, or does not stand the look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectionError {
    /// Opaque, encrypted, cut off.
    #[error("the token is no JWT that can be read")]
    NotAJwt(#[source] JwtError),
    /// Changed, or signed by somebody else.
    #[error("the token is not what its issuer signed")]
    Signature(#[source] SignatureError),
    /// The record was changed by others.
    #[error(transparent)]
    Record(#[from] UnusableRecord),
    /// The server says so.
    #[error("the token is not active: its server does not take it (any more)")]
    Inactive,
}

impl Diagnosis for InspectionError {
    fn exit_code(&self) -> ExitCode {
        match self {
            InspectionError::NotAJwt(_) => ExitCode::Usage,
            InspectionError::Signature(_) => ExitCode::Protocol,
            InspectionError::Record(_) => ExitCode::Store,
            InspectionError::Inactive => ExitCode::LoginRequired,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            InspectionError::NotAJwt(_) => {
                "A token need not be one; its server can say what it stands for: oauth introspect."
            }
            InspectionError::Signature(_) => "Do not trust its claims: it was changed, or somebody else made it.",
            InspectionError::Record(_) => "Log in again, which writes the session anew.",
            InspectionError::Inactive => {
                "It has expired, was revoked, or is not of this server; or this client may not ask about it (RFC 7662 §2.2)."
            }
        };
        vec![hint.to_owned()]
    }
}

/// Why the demo ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The demo's own pages were not understood, or its own resource server refused.
    #[error("the demo failed at: {0}")]
    Broken(&'static str),
    /// The demo's own resource server did not answer.
    #[error("the demo's resource server did not answer")]
    Unreachable(#[source] TransportError),
}

impl Diagnosis for DemoError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Unexpected
    }
}
