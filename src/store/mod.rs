//! Where a session is kept between two runs: the system's keyring, encrypted
//! files, another program, or nowhere. One record a profile ([`Session`]), read and written
//! whole; [`ProfileLock`] keeps two processes from changing it at once.
//!
//! Invariants: no store falls back to another one; absent, locked, hanging and
//! empty are different answers; nothing here reads the environment, and no error
//! holds a part of a record.

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
mod token_source;

pub use file::error::FileStoreError;
pub use file::passphrase::{PassphrasePrompt, PassphraseUse};
#[cfg(fuzzing)]
pub use file::sealed::is_session_file;
pub use helper::{Action, CommandStoreError};
pub use keyring::error::KeyringError;
#[cfg(all(fuzzing, unix, not(target_os = "macos")))]
pub use keyring::is_answer;
pub use lock::{Intent, LockError, LockKind, ProfileLock};
pub use migration::{Copied, copy, stands_in};
pub use profile_name::{InvalidProfileName, ProfileName};
pub use session::{
    ClientCredentialError, FreshCredentials, IdJagRenewal, Part, RECORD_VERSION, Registration, Renewal,
    RequestedAccess, RoleCredentials, RoleIdentity, Session, SessionClient, SessionEnd, SessionEndpoints, SessionError,
    SourcedToken, StoredToken, Suspension, TokenExchangeRenewal,
};
pub use token_source::{InvalidTokenSource, ProfileSource, SessionToken, TokenCommand, TokenSource};

use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::random::RandomnessFailed;
use crate::secret::Secret;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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

/// The stores there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    Keyring,
    /// One encrypted file a profile.
    File,
    /// A credential helper: a name on `PATH`, or an absolute path.
    Command(String),
    None,
}

/// What a store's name begins with where a program follows.
const COMMAND_PREFIX: &str = "command:";

impl fmt::Display for StoreKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreKind::Keyring => formatter.write_str("keyring"),
            StoreKind::File => formatter.write_str("file"),
            StoreKind::Command(program) => write!(formatter, "{COMMAND_PREFIX}{program}"),
            StoreKind::None => formatter.write_str("none"),
        }
    }
}

impl FromStr for StoreKind {
    type Err = UnknownStore;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "keyring" => Ok(StoreKind::Keyring),
            "file" => Ok(StoreKind::File),
            "none" => Ok(StoreKind::None),
            _ => match name.strip_prefix(COMMAND_PREFIX) {
                None | Some("") => Err(UnknownStore::Name { name: name.to_owned() }),
                // Which program it is must not depend on the folder of the day
                Some(program) if program.contains(std::path::is_separator) && !Path::new(program).is_absolute() => {
                    Err(UnknownStore::RelativeProgram {
                        program: program.to_owned(),
                    })
                }
                Some(program) => Ok(StoreKind::Command(program.to_owned())),
            },
        }
    }
}

/// A name that no store has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownStore {
    #[error("there is no credential store `{name}`: expected `keyring`, `file`, `command:PROGRAM` or `none`")]
    Name { name: String },
    /// A path from the current folder.
    #[error("the program `{program}` must be a name on PATH or an absolute path")]
    RelativeProgram { program: String },
}

impl Diagnosis for UnknownStore {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// How long a keyring may take, and whether it may ask the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// 5 s, and never a prompt.
    Forbidden,
    /// A prompt to unlock the keyring may be raised, and may stand for 120 s.
    Allowed,
}

/// How secrets pass the session bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringSession {
    /// As they are. Who can read the user's own bus can ask the keyring as well.
    Plain,
    /// Encrypted under a key agreed with the service.
    Encrypted,
}

impl FromStr for KeyringSession {
    type Err = UnknownKeyringSession;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "plain" => Ok(KeyringSession::Plain),
            "encrypted" => Ok(KeyringSession::Encrypted),
            _ => Err(UnknownKeyringSession { name: name.to_owned() }),
        }
    }
}

/// A name that no kind of keyring session has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no keyring session `{name}`: expected `plain` or `encrypted`")]
pub struct UnknownKeyringSession {
    pub name: String,
}

impl Diagnosis for UnknownKeyringSession {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// Where the key of the file store comes from.
#[derive(Debug, Clone)]
pub enum FileKey {
    /// `oauth/store.key` of the configuration folder, made where neither it nor a session is there.
    Generated,
    /// A file that the user named (`OAUTH_STORE_KEY_FILE`).
    Named(PathBuf),
    /// Made from a passphrase.
    Passphrase(Secret),
}

/// What a store needs to know, resolved from flags, environment and config file.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    pub kind: StoreKind,
    /// How long a keyring may take.
    pub interaction: Interaction,
    /// How secrets pass the bus; `None`: plain on `unix:` buses whose service
    /// takes it, encrypted elsewhere.
    pub keyring_session: Option<KeyringSession>,
    /// The addresses of the D-Bus session bus (`DBUS_SESSION_BUS_ADDRESS`);
    /// `None`: the socket `bus` in the runtime folder.
    pub session_bus: Option<String>,
    /// What follows a profile's name in the keyring and in file names: `@` and
    /// 8 hex digits when another config file was chosen.
    pub item_suffix: Option<String>,
    /// The user's data folder (`~/.local/share`); `oauth/sessions` is made in it.
    pub data_folder: PathBuf,
    /// The user's configuration folder (`~/.config`); `oauth/store.key` is made in it.
    pub config_folder: PathBuf,
    /// A folder in memory, of this user alone (`XDG_RUNTIME_DIR`), where there is one.
    pub runtime_folder: Option<PathBuf>,
    /// The key of the file store.
    pub file_key: FileKey,
    /// How to ask for the passphrase of the file store, where this run may do
    /// that. It is asked for where sessions have one and [`FileKey::Generated`] stands for none given.
    pub ask_passphrase: Option<PassphrasePrompt>,
    /// The whole environment of a credential helper.
    pub child_environment: Vec<(OsString, OsString)>,
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
    fn is_damage(&self) -> bool {
        match self {
            StoreError::Record { source, .. } => source.is_damage(),
            StoreError::Keyring(error) => matches!(error, KeyringError::Damaged { .. }),
            StoreError::File(error) => error.is_damage(),
            StoreError::Command(_) | StoreError::NotReadBack { .. } | StoreError::Randomness(_) => false,
        }
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

/// What a person can do where a store cannot be used: the other stores.
fn other_stores(besides: Option<StoreKind>) -> Vec<String> {
    let mut hints = Vec::new();
    if besides != Some(StoreKind::File) {
        hints.push(
            "To keep sessions in encrypted files instead, use `--store file`, or set OAUTH_STORE=file.".to_owned(),
        );
    }
    hints.push("To print the token response and store nothing: oauth login --store none".to_owned());
    hints
}

/// A profile's name in the store: with another config file, profiles of the same name are others.
fn item_name(profile: &ProfileName, suffix: Option<&str>) -> String {
    format!("{profile}{}", suffix.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

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
