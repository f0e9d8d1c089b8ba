//! Why a credential helper cannot be used, and what to do about it.

use super::MAX_INPUT_BYTES;
use serde_json::json;
use std::io;

/// Why a credential helper cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CommandStoreError {
    #[error("there is no program `{program}` to keep the session")]
    Missing {
        /// As it was given.
        program: String,
    },
    /// It is there, and does not start.
    #[error("the credential helper `{program}` cannot be run")]
    NotRunnable {
        /// As it was given.
        program: String,
        source: io::Error,
    },
    /// It ended with an error.
    #[error("the credential helper `{program}` failed to {action} the session: {message}")]
    Failed {
        /// As it was given.
        program: String,
        /// What it was asked for.
        action: Action,
        /// The name of the item.
        address: String,
        message: String,
    },
    /// It did not end.
    #[error("the credential helper `{program}` did not {action} the session within {waited_s} s, and was ended")]
    TimedOut {
        /// As it was given.
        program: String,
        /// What it was asked for.
        action: Action,
        /// How long it was waited for, in seconds.
        waited_s: u64,
    },
    /// It ended well, and what it said is not an answer.
    #[error("the credential helper `{program}` answered `get` with {how}")]
    InvalidResponse {
        /// As it was given.
        program: String,
        /// What it said instead of a credential.
        how: &'static str,
    },
    /// What was written did not come back.
    #[error("the credential helper `{program}` stored a test item, but did not return it")]
    WriteNotPersisted {
        /// As it was given.
        program: String,
    },
    /// More than helpers read.
    #[error(
        "the session is too large for the credential helper `{program}`: {size_bytes} bytes, at most {MAX_INPUT_BYTES} are read"
    )]
    TooLarge {
        /// As it was given.
        program: String,
        /// The size as it would be sent.
        size_bytes: usize,
    },
}

/// What a helper is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `get`
    Get,
    /// `store`
    Store,
    /// `erase`
    Erase,
}

impl Action {
    /// The one argument.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Action::Get => "get",
            Action::Store => "store",
            Action::Erase => "erase",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.argument())
    }
}

impl CommandStoreError {
    pub(in crate::store) fn hints(&self) -> Vec<String> {
        match self {
            CommandStoreError::Missing { program } if !program.contains(std::path::is_separator) => {
                let mut hints = vec![format!("Install `{program}`, or give its full path.")];
                if !program.starts_with("docker-credential-") {
                    hints.push(format!(
                        "Docker's credential helpers have a prefix: use `command:docker-credential-{program}`."
                    ));
                }
                hints
            }
            CommandStoreError::Missing { program } => vec![format!("Check that `{program}` is installed.")],
            CommandStoreError::NotRunnable { program, .. } => {
                vec![format!("Check that `{program}` is a program that you may run.")]
            }
            CommandStoreError::Failed {
                program,
                action,
                address,
                ..
            } => {
                let input = match action {
                    Action::Get | Action::Erase => address.clone(),
                    Action::Store => {
                        json!({"ServerURL": format!("{address}/test"), "Username": "oauth", "Secret": "test"})
                            .to_string()
                    }
                };
                vec![format!(
                    "To see what it says, run it, and see its documentation: printf %s {} | {} {action}",
                    shell_words::quote(&input),
                    shell_words::quote(program)
                )]
            }
            CommandStoreError::TimedOut { program, .. } => {
                vec![format!(
                    "Check whether `{program}` waits for input that it cannot get here, such as a passphrase."
                )]
            }
            CommandStoreError::InvalidResponse { .. } | CommandStoreError::WriteNotPersisted { .. } => {
                vec!["Name a program that speaks the protocol of docker-credential-helpers.".to_owned()]
            }
            CommandStoreError::TooLarge { .. } => Vec::new(),
        }
    }
}
