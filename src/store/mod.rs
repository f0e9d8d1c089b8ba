//! Where a session is kept between two runs: the system's keyring, encrypted
//! files, another program, or nowhere. One record a profile ([`Session`]), read and written
//! whole; [`ProfileLock`] keeps two processes from changing it at once.
//!
//! Invariants: no store falls back to another one; absent, locked, hanging and
//! empty are different answers; nothing here reads the environment, and no error
//! holds a part of a record.

mod error;
#[cfg(test)]
mod fakes;
mod file;
mod helper;
mod keyring;
mod lock;
mod migration;
mod profile_name;
mod recovery;
mod session;
mod settings;
mod token_source;

pub use error::{SessionStoreError, StoreError};
pub use file::error::FileStoreError;
pub use file::passphrase::{PassphrasePrompt, PassphraseUse};
#[cfg(fuzzing)]
pub use file::sealed::is_session_file;
pub use helper::{Action, CommandStoreError};
pub use keyring::error::KeyringError;
#[cfg(all(fuzzing, unix, not(target_os = "macos")))]
pub use keyring::is_answer;
pub use lock::{Intent, LockError, LockKind, ProfileLock, was_locked};
pub use migration::{CopiedSession, contains, copy};
pub use profile_name::{InvalidProfileName, ProfileName};
pub use session::{
    ClientCredentialError, FreshCredentials, IdJagRenewal, Part, RECORD_VERSION, Registration, Renewal,
    RequestedAccess, RoleCredentials, RoleIdentity, Session, SessionClient, SessionEnd, SessionEndpoints, SessionError,
    SourcedToken, StoredToken, Suspension, TokenExchangeRenewal,
};
pub use settings::{
    FileKey, Interaction, KeyringSession, StoreKind, StoreSettings, UnknownKeyringSession, UnknownStore,
};
pub use token_source::{InvalidTokenSource, ProfileSource, SessionToken, TokenCommand, TokenSource};

use crate::secret::Secret;
use std::path::PathBuf;

/// Keeps one record a profile.
pub trait CredentialStore: Send {
    /// The store as a person would call it, such as `the system keyring (Secret Service)`.
    fn describe(&self) -> String;

    /// The store as `--store` and the config file call it, such as `keyring`.
    fn name(&self) -> String;

    /// The record of this profile, or `None` when there is none. "There is
    /// none" is said only when that is known: a locked keyring is an error.
    ///
    /// # Errors
    /// [`StoreError`]
    fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError>;

    /// Puts the record in the place of the old one. After an error the old
    /// one is still there. A record of a newer program is never overwritten.
    ///
    /// # Errors
    /// [`StoreError`]
    fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError>;

    /// Removes the record; whether there was one.
    ///
    /// # Errors
    /// [`StoreError`]
    fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError>;

    /// Shows that a later [`save`](Self::save) of this profile will work, and
    /// leaves nothing behind. For before the browser opens, and before a refresh
    /// token is spent.
    ///
    /// # Errors
    /// [`StoreError`]: the one that `save` would have ended with.
    fn probe(&mut self, profile: &ProfileName) -> Result<(), StoreError>;

    /// The same under the profile's lock, right before something happens that
    /// must be saved: the next [`save`](Self::save) of this profile then does
    /// nothing but write.
    ///
    /// # Errors
    /// [`StoreError`]: the one that `save` would have ended with.
    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.probe(profile)
    }

    /// Keeps a session that [`save`](Self::save) would not take in a file,
    /// encrypted under the refresh token that this store holds (by default the one
    /// that was spent for it), until something newer is saved; where that file is.
    ///
    /// # Errors
    /// [`StoreError`] where nothing can be written at all.
    fn save_recovery(
        &mut self,
        profile: &ProfileName,
        spent: &Secret,
        session: &Session,
    ) -> Result<PathBuf, StoreError> {
        let (_, _) = (profile, spent);
        self.save(profile, session).map(|()| PathBuf::new())
    }

    /// One line that the user should see, once: what [`probe`](Self::probe) or
    /// [`save`](Self::save) did that concerns the safety of the tokens.
    fn notice(&mut self) -> Option<String> {
        None
    }
}

/// The store for these settings. Cheap: nothing is connected or read before the first use.
///
/// # Errors
/// None today; stores that are checked before the first use will have some.
pub fn open(settings: StoreSettings) -> Result<Box<dyn CredentialStore>, StoreError> {
    let store: Box<dyn CredentialStore> = match settings.kind.clone() {
        StoreKind::Keyring => Box::new(keyring::KeyringStore::new(&settings)),
        StoreKind::File => Box::new(file::FileStore::new(settings.clone())),
        StoreKind::Command(program) => Box::new(helper::CommandStore::new(program, settings.clone())),
        StoreKind::None => return Ok(Box::new(NoStore)),
    };
    Ok(Box::new(recovery::RecoveringStore::new(store, &settings)))
}

/// Keeps nothing.
struct NoStore;

impl CredentialStore for NoStore {
    fn describe(&self) -> String {
        "nowhere (`--store none`)".to_owned()
    }

    fn name(&self) -> String {
        StoreKind::None.to_string()
    }

    fn load(&mut self, _profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        Ok(None)
    }

    fn save(&mut self, _profile: &ProfileName, _session: &Session) -> Result<(), StoreError> {
        Ok(())
    }

    fn delete(&mut self, _profile: &ProfileName) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn probe(&mut self, _profile: &ProfileName) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The record for a command that is about to replace it: `None` also where
/// what is there is damaged.
///
/// # Errors
/// [`StoreError`], but for damage.
pub fn load_undamaged(store: &mut dyn CredentialStore, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
    match store.load(profile) {
        Err(error) if error.is_damage() => Ok(None),
        outcome => outcome,
    }
}

/// A profile's name in the store: with another config file, profiles of the same name are others.
fn item_name(profile: &ProfileName, suffix: Option<&str>) -> String {
    format!("{profile}{}", suffix.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::exit::{Diagnosis, ExitCode};

    fn settings(kind: StoreKind) -> StoreSettings {
        StoreSettings {
            kind,
            interaction: Interaction::Forbidden,
            keyring_session: None,
            session_bus: None,
            item_suffix: None,
            data_folder: PathBuf::from("/nonexistent/data"),
            config_folder: PathBuf::from("/nonexistent/config"),
            runtime_folder: None,
            file_key: FileKey::Generated,
            ask_passphrase: None,
            child_environment: Vec::new(),
        }
    }

    #[test]
    fn stores_are_parsed_by_their_names_and_nothing_else_is_one() {
        let command = |program: &str| StoreKind::Command(program.to_owned());
        for kind in [
            StoreKind::Keyring,
            StoreKind::File,
            StoreKind::None,
            command("docker-credential-pass"),
            command("with blanks"),
            #[cfg(unix)]
            command("/opt/a helper"),
        ] {
            assert_eq!(kind.to_string().parse(), Ok(kind.clone()));
            assert_eq!(open(settings(kind.clone())).unwrap().name(), kind.to_string());
        }
        for (name, message) in [
            ("", "expected `keyring`, `file`, `command:PROGRAM` or `none`"),
            ("Keyring", "expected `keyring`"),
            ("memory", "expected `keyring`"),
            ("command", "expected `keyring`"),
            ("command:", "expected `keyring`"),
            ("command:./helper", "name on PATH or an absolute path"),
            ("command:bin/helper", "name on PATH or an absolute path"),
        ] {
            let error = name.parse::<StoreKind>().unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(error.exit_code(), ExitCode::Usage);
        }
    }

    #[test]
    fn none_keeps_nothing_and_never_fails() {
        let profile = ProfileName::parse("work").unwrap();
        let mut store = open(settings(StoreKind::None)).unwrap();
        store.probe(&profile).unwrap();
        store.save(&profile, &session::tests::full_session(1)).unwrap();
        assert!(store.load(&profile).unwrap().is_none());
        assert!(!store.delete(&profile).unwrap());
        assert_eq!(store.notice(), None);
    }
}
