//! Why a message has no answer of the server, in the words of the response
//! that the bridge gives in its place.

use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::sanitize;
use crate::output::causes::error_chain;
use crate::protocol::http::is_unavailable;
use crate::protocol::mcp::bridge_error;
use crate::store::ProfileName;
use serde_json::Value;
use url::Url;

/// Why there is no answer, and what to do.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    message: String,
    hints: Vec<String>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Failure {
            message: sanitize(&message.into()),
            hints: Vec::new(),
        }
    }

    /// A status that no message of the protocol explains.
    pub(super) fn of_status(message: String, status: u16, url: &Url) -> Self {
        let hint = match status {
            404 | 405 => format!(
                "Compare the URL of this oauth mcp, {url}, with the server's documentation: it has to be that of streamable HTTP, and ends in /mcp at many servers"
            ),
            401 => format!(
                "If the token is for another server, log in at this one: oauth login {}",
                shell_words::quote(url.as_str())
            ),
            status if is_unavailable(status) => "Send it again later".to_owned(),
            _ => return Failure::new(message),
        };
        Failure {
            hints: vec![sanitize(&hint)],
            ..Failure::new(message)
        }
    }

    /// The same for an `initialize`: a client that was refused that has not
    /// begun, and its next message is refused by the server.
    pub(super) fn of_initialize(mut self) -> Self {
        if !self.hints.is_empty() {
            self.hints
                .push("Then restart this server in your client, which has to send initialize once more.".to_owned());
        }
        self
    }

    /// The response to the request of this identifier.
    pub(super) fn response(&self, id: &Value) -> String {
        // what is to be run, and what comes after it
        let is_to_be_done = |hint: &&String| hint.contains("oauth ") || hint.starts_with("Then ");
        let commands = self.hints.iter().filter(is_to_be_done);
        let message = commands.fold(self.message.clone(), |message, hint| format!("{message}. {hint}"));
        bridge_error(id, &message, &self.hints)
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Failure {
            message: sanitize(&error_chain(&error.to_string(), &**error)),
            hints: error.hints().iter().map(|hint| sanitize(hint)).collect(),
        }
    }
}

/// 401 for a token that cannot be refreshed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server does not accept the token of profile \"{profile}\", and it cannot be refreshed")]
pub(super) struct TokenNotTaken {
    pub(super) profile: ProfileName,
}

impl Diagnosis for TokenNotTaken {
    fn exit_code(&self) -> ExitCode {
        ExitCode::LoginRequired
    }

    fn hints(&self) -> Vec<String> {
        vec![format!("Run: oauth login {}", self.profile)]
    }
}
