//! Why a source gave no token.

use crate::exit::{Diagnosis, ExitCode};
use crate::store::{ProfileName, TokenSource};
use crate::system::files::FileError;
use crate::transport::TransportError;
use std::io;

/// What the token was wanted for, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `oauth login`: what was typed is wrong.
    Login,
    /// Every other command: a login helps, once the source gives a token again.
    Renewal,
}

/// A source gave no token.
#[derive(Debug, thiserror::Error)]
#[error("there is no token from {source_of_token}: {problem}")]
pub(crate) struct SourceError {
    pub(crate) source_of_token: TokenSource,
    pub(crate) purpose: Purpose,
    #[source]
    pub(crate) problem: SourceProblem,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceProblem {
    #[error("the file cannot be used")]
    File(#[source] FileError),
    #[error("{0} is not set")]
    Variable(String),
    /// What came is not a token.
    #[error("{0}")]
    NotAToken(&'static str),
    /// It gave its token at the login.
    #[error("standard input gives a token once")]
    UsedUp,
    #[error("standard input cannot be read")]
    Stdin(#[source] io::Error),
    #[error("`{program}` cannot be run")]
    NotRunnable {
        program: String,
        #[source]
        error: io::Error,
    },
    #[error("`{program}` ended with {status}")]
    CommandFailed { program: String, status: String },
    #[error("`{program}` did not end within {waited_s} s, and was ended")]
    CommandTimedOut { program: String, waited_s: u64 },
    /// A metadata service that may be anywhere.
    #[error("{variable} names {host}, which is neither this machine nor a metadata service")]
    ServiceElsewhere { variable: &'static str, host: String },
    #[error("{variable} is not a URL that can be used")]
    ServiceUrl { variable: &'static str },
    #[error("{service} did not answer")]
    ServiceSilent {
        service: &'static str,
        #[source]
        error: Box<TransportError>,
    },
    #[error("{service} answered with status {status}")]
    ServiceStatus { service: &'static str, status: u16 },
    #[error("{service} answered without {what}")]
    ServiceAnswer { service: &'static str, what: &'static str },
    #[error("this is not a job of GitHub Actions that may ask for an ID token: {0} is not set")]
    NotInGithubActions(&'static str),
    #[error("the session of profile \"{0}\" has no such token")]
    NoSuchToken(ProfileName),
    #[error("the token of profile \"{0}\" is bound to a key of its session (DPoP), and cannot be used without it")]
    Bound(ProfileName),
    #[error("the refresh token of profile \"{0}\" may go to its own authorization server only")]
    AnotherServer(ProfileName),
    #[error("the profiles take tokens from each other in a circle: {}", circle(.0))]
    Circle(Vec<ProfileName>),
}

fn circle(profiles: &[ProfileName]) -> String {
    let names: Vec<String> = profiles.iter().map(|profile| format!("\"{profile}\"")).collect();
    names.join(" from ")
}

impl SourceProblem {
    /// Whether it stays so until someone changes the settings.
    fn is_misuse(&self) -> bool {
        matches!(
            self,
            SourceProblem::Bound(_) | SourceProblem::AnotherServer(_) | SourceProblem::Circle(_)
        )
    }
}

impl Diagnosis for SourceError {
    fn exit_code(&self) -> ExitCode {
        match (&self.problem, self.purpose) {
            (SourceProblem::ServiceSilent { error, .. }, _) => error.exit_code(),
            (
                SourceProblem::ServiceStatus {
                    status: 404 | 408 | 410 | 429 | 500..,
                    ..
                },
                _,
            ) => ExitCode::Unreachable,
            (SourceProblem::ServiceAnswer { .. }, _) => ExitCode::Unreachable,
            (problem, Purpose::Renewal) if !problem.is_misuse() => ExitCode::LoginRequired,
            _ => ExitCode::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match &self.problem {
            SourceProblem::File(error) => return error.hints(),
            SourceProblem::ServiceSilent { error, .. } => return error.hints(),
            SourceProblem::Variable(name) => format!("Set {name} to the token, in this environment."),
            SourceProblem::NotAToken(_) => "A source must return one line: the token, and nothing else.".to_owned(),
            SourceProblem::UsedUp => "Log in again, with the token on standard input.".to_owned(),
            SourceProblem::NotRunnable { .. }
            | SourceProblem::CommandFailed { .. }
            | SourceProblem::CommandTimedOut { .. } => {
                "Run the command by hand: it must print the token on one line, without asking anything.".to_owned()
            }
            SourceProblem::NotInGithubActions(_) => {
                "Give the job the permission, in its workflow: permissions: id-token: write".to_owned()
            }
            SourceProblem::ServiceStatus { .. } | SourceProblem::ServiceAnswer { .. } => {
                "Check whether this machine has an identity there (a service account, a managed identity); see the exchange with -vv."
                    .to_owned()
            }
            SourceProblem::NoSuchToken(profile) => format!("See what it has: oauth status {profile} --json"),
            SourceProblem::Circle(_) => "Let one of them get its token elsewhere: oauth profile show NAME".to_owned(),
            SourceProblem::ServiceElsewhere { .. }
            | SourceProblem::ServiceUrl { .. }
            | SourceProblem::Stdin(_)
            | SourceProblem::Bound(_)
            | SourceProblem::AnotherServer(_) => return Vec::new(),
        };
        vec![hint]
    }
}
