//! Why no browser can be started.

use crate::exit::{Diagnosis, ExitCode};

/// A longer URL is not given to a browser (Windows takes 32,767 characters).
pub const MAX_URL_BYTES: usize = 32_000;

/// Stands for the URL in a browser command.
pub(super) const URL_MARK: &str = "%s";

/// Why no browser can be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// A quote that is never closed.
    #[error("the browser command in {given_by} has a quote that is not closed")]
    Quote {
        /// `--browser` or `BROWSER`.
        given_by: &'static str,
    },
    /// No word in it.
    #[error("the browser command in {given_by} is empty")]
    Empty {
        /// `--browser` or `BROWSER`.
        given_by: &'static str,
    },
    /// What it names would depend on the current folder.
    #[error("the browser command in BROWSER has a relative path, \"{relative}\"")]
    RelativePath {
        /// The word.
        relative: String,
    },
    /// Neither https nor permitted http.
    #[error("a browser is only sent to https URLs, and to http ones on loopback, not to {scheme}")]
    Scheme {
        /// The scheme of the URL.
        scheme: String,
    },
    /// `user:password@` in the URL.
    #[error("the authorization URL carries a user name or password")]
    Userinfo,
    /// Characters that no host name has.
    #[error("the host of the authorization URL is not a host name")]
    HostName,
    /// Longer than [`MAX_URL_BYTES`].
    #[error("the authorization URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
}

impl Diagnosis for BrowserError {
    fn exit_code(&self) -> ExitCode {
        match self {
            BrowserError::Quote { .. } | BrowserError::Empty { .. } | BrowserError::RelativePath { .. } => {
                ExitCode::Usage
            }
            BrowserError::Scheme { .. } | BrowserError::Userinfo | BrowserError::HostName | BrowserError::TooLong => {
                ExitCode::Protocol
            }
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            BrowserError::Quote { given_by } | BrowserError::Empty { given_by } => vec![format!(
                "Write {given_by} as in a shell, with {URL_MARK} where the URL goes: `firefox -P work {URL_MARK}`."
            )],
            BrowserError::RelativePath { .. } => vec![
                "It would be run from the current folder of each command, which may be of somebody else: write the absolute path there, or the name of a program on PATH. For one login: --browser CMD"
                    .to_owned(),
            ],
            BrowserError::Scheme { .. } => {
                vec!["Permit http for this server with `--allow-http`, if you trust the network to it.".to_owned()]
            }
            BrowserError::Userinfo | BrowserError::HostName => {
                vec![
                    "Check the server's authorization endpoint, or name it with `--authorization-endpoint URL`."
                        .to_owned(),
                ]
            }
            BrowserError::TooLong => vec!["Ask for fewer scopes, or shorten what `--param` adds.".to_owned()],
        }
    }
}
