//! Arguments, variables or keys that are wrong: exit code 2.

use crate::exit::{Diagnosis, ExitCode};
use std::fmt::Display;

/// Arguments, variables or keys that cannot be made sense of: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// One value is wrong.
    #[error("{name}: {problem}")]
    Value {
        /// The flag, variable or key.
        name: String,
        /// What is wrong with its value.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Two values exclude each other.
    #[error("{one} and {other} contradict each other: {problem}")]
    Contradiction {
        /// A flag or key.
        one: String,
        /// Another.
        other: String,
        /// Why.
        problem: String,
    },
    /// A value is needed and was not given.
    #[error("there is no {what} for profile \"{profile}\"")]
    Missing {
        /// `issuer`, `client_id`.
        what: &'static str,
        /// For whom.
        profile: String,
        /// What to type.
        hint: String,
    },
    /// A URL's profile name is in use.
    #[error("profile \"{profile}\" is already used for {issuer}")]
    NameTaken {
        /// The name made from the URL.
        profile: String,
        /// What it is used for.
        issuer: String,
    },
}

impl Diagnosis for SettingsError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            SettingsError::Value { hint, .. } => hint.iter().cloned().collect(),
            SettingsError::Contradiction { .. } => vec!["Leave one of them out.".to_owned()],
            SettingsError::Missing { hint, .. } => vec![hint.clone()],
            SettingsError::NameTaken { .. } => vec!["Name the one that you mean with --profile NAME.".to_owned()],
        }
    }
}

pub(super) fn invalid(name: &str, problem: impl Display) -> SettingsError {
    SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: None,
    }
}

pub(super) fn invalid_with_hint(name: &str, problem: impl Display, hint: &str) -> SettingsError {
    SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: Some(hint.to_owned()),
    }
}
