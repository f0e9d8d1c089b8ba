//! Why a setup of `oauth serve` cannot be used.

use crate::exit::{Diagnosis, ExitCode};
use crate::server::settings::invalid::InvalidSetting;
use crate::system::files::FileError;
use std::path::PathBuf;

/// Why the file of `--setup` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the setup {} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: FileError,
    },
    #[error("{}:{line}: not valid TOML: {problem}", path.display())]
    Syntax {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    #[error("{}:{line}: unknown key \"{key}\"", path.display())]
    UnknownKey {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        key: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
        /// All that may stand there.
        known: &'static [&'static str],
    },
    #[error("{}:{line}: {key} must be {expected}", path.display())]
    Type {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        key: String,
        /// `a string`, `a list of strings`.
        expected: &'static str,
    },
    #[error("{}:{line}: {key} is missing", path.display())]
    Missing {
        path: PathBuf,
        /// Counted from 1; where its table begins.
        line: usize,
        key: &'static str,
    },
    /// A value of the right type that the server cannot use.
    #[error("{}:{line}: {problem}", path.display())]
    Value {
        path: PathBuf,
        /// Counted from 1; where its table begins.
        line: usize,
        problem: InvalidSetting,
    },
}

impl Diagnosis for SetupError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            SetupError::UnknownKey {
                nearest: Some(nearest), ..
            } => vec![format!("Did you mean \"{nearest}\"?")],
            SetupError::UnknownKey { known, .. } => vec![format!("Known here: {}.", known.join(", "))],
            SetupError::Value { problem, .. } => problem.hints(),
            SetupError::Read { source, .. } => source.hints(),
            SetupError::Syntax { .. } | SetupError::Type { .. } | SetupError::Missing { .. } => Vec::new(),
        }
    }
}
