//! How a call of an API ends other than well.

use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::Quoted;
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::HttpResponse;
use crate::protocol::redirect::RedirectError;
use crate::secret::Secret;
use crate::system::files::output::OutputError;
use std::io;
use std::path::PathBuf;

/// Why the call is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    /// Any status that is not a success.
    #[error("the server answered {status}{}", describe(*.status, error.as_deref(), challenge.as_deref()))]
    Status {
        status: u16,
        /// What the challenge of the answer says.
        error: Option<Box<ErrorResponse>>,
        /// The challenge itself, where it says no more.
        challenge: Option<String>,
    },
    #[error("the redirect with status {status} is not followed: {problem}")]
    Redirect { status: u16, problem: RedirectError },
    #[error("the server redirects in a circle, or further than {limit} times")]
    TooManyRedirects { limit: usize },
    #[error("the body came from a pipe, has more than {limit_bytes} bytes, and cannot be sent a second time")]
    NotRepeatable { limit_bytes: usize },
    #[error("the file {} cannot be read", path.display())]
    Input {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("standard input cannot be read")]
    Stdin(#[source] io::Error),
    #[error("the file {} cannot be written", path.display())]
    Output {
        path: PathBuf,
        #[source]
        source: OutputError,
    },
    #[error("the file {} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl RequestError {
    /// The error of an answer; the secrets of the request are cut out of it.
    pub(super) fn of_status(response: &HttpResponse, secrets: &[Secret]) -> Self {
        let error = response.error_in_challenge();
        RequestError::Status {
            status: response.status,
            challenge: response.header("www-authenticate").map(str::to_owned),
            error: error.map(|error| Box::new(error.scrubbed(secrets))),
        }
    }
}

fn describe(status: u16, error: Option<&ErrorResponse>, challenge: Option<&str>) -> String {
    let phrase = hyper::StatusCode::from_u16(status).ok();
    let phrase = phrase.and_then(|status| status.canonical_reason());
    let phrase = phrase.map_or_else(String::new, |phrase| format!(" {phrase}"));
    match (error, challenge) {
        (Some(error), _) => format!("{phrase}: {error}"),
        (None, Some(challenge)) => format!("{phrase}: {}", Quoted::message(challenge)),
        (None, None) => phrase,
    }
}

impl Diagnosis for RequestError {
    fn exit_code(&self) -> ExitCode {
        match self {
            RequestError::Status { .. } => ExitCode::HttpStatus,
            RequestError::Redirect { .. } | RequestError::TooManyRedirects { .. } => ExitCode::Protocol,
            RequestError::NotRepeatable { .. } | RequestError::Input { .. } => ExitCode::Usage,
            RequestError::Output { .. } => ExitCode::Usage,
            RequestError::Stdin(_) | RequestError::Write { .. } => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            RequestError::NotRepeatable { .. } => "Put it into a file and name that: -d @FILE",
            RequestError::Redirect { .. } => "Leave out -L to see where it leads: -i prints its Location.",
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            RequestError::Status { error: Some(error), .. } => Some((&error.error, error.error_description.as_deref())),
            _ => None,
        }
    }
}
