//! What the callers of a helper can do wrong.

use crate::exit::{Diagnosis, ExitCode};
use crate::store::ProfileName;

/// Why a helper cannot answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelperError {
    #[error("standard input is longer than {limit_bytes} bytes")]
    InputTooLong { limit_bytes: u64 },
    #[error("standard input is not UTF-8")]
    NotText,
    /// A line of the protocol could not end where it must.
    #[error("the token of profile \"{profile}\" has a line break in it, and the protocol has no way to write it")]
    UnsafeToken { profile: ProfileName },
    /// In the words that docker's programs look for.
    #[error("{0}")]
    NotFound(&'static str),
    #[error("{0}")]
    Refused(&'static str),
    #[error("unknown action \"{action}\"")]
    UnknownAction { action: String },
}

impl Diagnosis for HelperError {
    fn exit_code(&self) -> ExitCode {
        match self {
            HelperError::InputTooLong { .. } | HelperError::NotText | HelperError::UnknownAction { .. } => {
                ExitCode::Usage
            }
            HelperError::UnsafeToken { .. } => ExitCode::Protocol,
            HelperError::NotFound(_) | HelperError::Refused(_) => ExitCode::Unexpected,
        }
    }

    fn is_reported(&self) -> bool {
        matches!(self, HelperError::NotFound(_) | HelperError::Refused(_))
    }

    fn hints(&self) -> Vec<String> {
        match self {
            HelperError::UnknownAction { .. } => {
                vec!["The actions of docker's helpers are get, list, store, erase and version.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
