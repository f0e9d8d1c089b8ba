//! Why a store cannot be used, for every kind of store.

use super::file::error::FileStoreError;
use super::helper::CommandStoreError;
use super::keyring::error::KeyringError;
use super::profile_name::ProfileName;
use super::session::SessionError;
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::random::RandomnessFailed;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    File(#[from] FileStoreError),
    #[error(transparent)]
    Command(#[from] CommandStoreError),
    /// The store answers, but what it holds is not a record of ours.
    #[error("the session in {store} for profile `{profile}` cannot be used")]
    Record {
        profile: ProfileName,
        /// The store, as it describes itself.
        store: String,
        /// What is wrong with it.
        source: SessionError,
    },
    /// What was written is not what is read.
    #[error("the session written to {store} for profile `{profile}` cannot be read back unchanged")]
    NotReadBack {
        profile: ProfileName,
        /// The store, as it describes itself.
        store: String,
    },
    /// No randomness for a key or a nonce.
    #[error("nothing can be stored")]
    Randomness(#[from] RandomnessFailed),
}

impl Diagnosis for StoreError {
    fn exit_code(&self) -> ExitCode {
        match self {
            StoreError::File(error) => error.exit_code(),
            _ => ExitCode::Store,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            StoreError::Keyring(error) => error.hints(),
            StoreError::File(error) => error.hints(),
            StoreError::Command(error) => error.hints(),
            StoreError::Record {
                source: SessionError::NewerVersion(_),
                ..
            } => vec!["It was written by a newer version of `oauth`: use that version, or update this one.".to_owned()],
            StoreError::Record { profile, .. } => {
                vec![format!("To replace it, log in again: oauth login {profile}")]
            }
            StoreError::NotReadBack { .. } => vec!["Choose another store: this one loses data.".to_owned()],
            StoreError::Randomness(_) => Vec::new(),
        }
    }
}

impl StoreError {
    /// Whether the store works and the record alone is broken, so that a save replaces it.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            StoreError::Record { source, .. } => source.is_damage(),
            StoreError::Keyring(error) => matches!(error, KeyringError::Damaged { .. }),
            StoreError::File(error) => error.is_damage(),
            StoreError::Command(_) | StoreError::NotReadBack { .. } | StoreError::Randomness(_) => false,
        }
    }
}
