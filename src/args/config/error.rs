//! Why the configuration file cannot be used.

use super::model::KEYS;
use crate::exit::{Diagnosis, ExitCode};
use crate::system::files::FileError;
use std::path::PathBuf;

/// Why the configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It exists and cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
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
    /// A key that means nothing.
    #[error("{}:{line}: unknown key \"{key}\"", path.display())]
    UnknownKey {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        key: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// A value of the wrong type.
    #[error("{}:{line}: {key} must be {expected}", path.display())]
    Type {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        key: String,
        /// `a string`, `a list of strings`.
        expected: &'static str,
        /// The same value as it has to be written.
        example: Option<String>,
    },
    /// What it names would depend on the current folder.
    #[error("{}:{line}: {key} has a relative path, \"{relative}\"", path.display())]
    RelativePath {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        key: String,
        relative: String,
    },
    /// A profile whose name cannot be typed.
    #[error("{}:{line}: \"{name}\" is not a profile name: [A-Za-z0-9][A-Za-z0-9._-]{{0,63}}", path.display())]
    ProfileName {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        name: String,
    },
    /// It cannot be changed.
    #[error("the configuration file {} cannot be written", path.display())]
    NotWritable {
        path: PathBuf,
        #[source]
        source: FileError,
    },
    /// Its lock, in the data folder, cannot be had.
    #[error("the configuration file {} cannot be locked", path.display())]
    NotLockable {
        path: PathBuf,
        #[source]
        source: FileError,
    },
    /// Another process changes it, and does not finish.
    #[error("another process is changing the configuration file {} and did not finish in time", path.display())]
    Locked { path: PathBuf },
    /// `profile set` with a key that means nothing.
    #[error("unknown key \"{key}\"")]
    UnknownSetting {
        key: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// `profile set` with a value of the wrong type.
    #[error("{key} must be {expected}")]
    SettingType { key: String, expected: &'static str },
}

impl Diagnosis for ConfigError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ConfigError::Locked { .. } => ExitCode::Timeout,
            _ => ExitCode::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            // Known, but not alone: it has a name behind it.
            ConfigError::UnknownSetting {
                key,
                nearest: Some(nearest),
            } if key == nearest => {
                vec![format!(
                    "Write {key}=NAME=VALUE for one of them; an empty VALUE removes it."
                )]
            }
            ConfigError::UnknownKey { key, .. } | ConfigError::UnknownSetting { key, .. } if key == "client_secret" => {
                vec![
                    "A secret is never in the configuration file: name a file that holds it with client_secret_file."
                        .to_owned(),
                ]
            }
            ConfigError::RelativePath { .. } => vec![
                "It would be read from the current folder of each command, which may be of somebody else: write the absolute path there."
                    .to_owned(),
            ],
            ConfigError::UnknownKey {
                nearest: Some(nearest), ..
            } => vec![format!("Did you mean {nearest}?")],
            ConfigError::UnknownSetting {
                nearest: Some(nearest), ..
            } => vec![format!("Did you mean \"{nearest}\"?")],
            ConfigError::Type {
                key,
                example: Some(example),
                ..
            } => vec![format!("Write: {key} = {example}")],
            ConfigError::UnknownKey { .. } | ConfigError::UnknownSetting { .. } => {
                let known: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
                vec![format!("Known keys of a profile: {}.", known.join(", "))]
            }
            ConfigError::NotWritable { source, .. } => {
                let mut hints = source.hints();
                hints.push(
                    "Choose another configuration file with --config FILE, or another folder for it with XDG_CONFIG_HOME."
                        .to_owned(),
                );
                hints
            }
            ConfigError::NotLockable { source, .. } => source.hints_in_data_folder(),
            ConfigError::Locked { .. } => {
                vec!["Wait for it, then run this again.".to_owned()]
            }
            ConfigError::Read { source, .. } => {
                let mut hints = refusal_hints(source);
                hints.push("Choose another file with --config FILE.".to_owned());
                hints
            }
            _ => Vec::new(),
        }
    }
}

/// What to do about a file that is refused for what it is.
fn refusal_hints(error: &FileError) -> Vec<String> {
    match error.is_refusal() {
        true => error.hints(),
        false => Vec::new(),
    }
}
