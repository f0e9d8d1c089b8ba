//! Which store, and what it goes by.

use super::file::passphrase::PassphrasePrompt;
use crate::exit::{Diagnosis, ExitCode};
use crate::secret::Secret;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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

/// What a person can do where a store cannot be used: the other stores.
pub(super) fn other_stores(besides: Option<StoreKind>) -> Vec<String> {
    let mut hints = Vec::new();
    if besides != Some(StoreKind::File) {
        hints.push(
            "To keep sessions in encrypted files instead, use `--store file`, or set OAUTH_STORE=file.".to_owned(),
        );
    }
    hints.push("To store nothing and print the token response instead, log in with --store none.".to_owned());
    hints
}
