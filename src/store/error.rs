//! Why a store cannot be used, for every kind of store.

use super::file::error::FileStoreError;
use super::helper::CommandStoreError;
use super::keyring::error::KeyringError;
use super::profile_name::ProfileName;
use super::session::SessionError;
use super::settings::{StoreKind, other_stores};
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
        let (own, others) = (self.hints_for_session(), self.other_stores());
        // Where there is no desktop, a keyring is the longer way.
        match self {
            StoreError::Keyring(KeyringError::NoBus { .. }) => [others, own].concat(),
            _ => [own, others].concat(),
        }
    }
}

/// The same error for a command that works with a session which is stored
/// there: no other store helps, since none of them has it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SessionStoreError(#[from] pub StoreError);

impl Diagnosis for SessionStoreError {
    fn exit_code(&self) -> ExitCode {
        self.0.exit_code()
    }

    fn hints(&self) -> Vec<String> {
        self.0.hints_for_session()
    }
}

impl StoreError {
    /// What helps to reach a session that is in the store.
    pub fn hints_for_session(&self) -> Vec<String> {
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

    /// Where a session can be kept instead.
    fn other_stores(&self) -> Vec<String> {
        match self {
            StoreError::Keyring(error) if error.leaves_other_stores() => other_stores(Some(StoreKind::Keyring)),
            StoreError::File(error) if error.leaves_other_stores() => other_stores(Some(StoreKind::File)),
            StoreError::Command(_) => other_stores(None),
            _ => Vec::new(),
        }
    }

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
