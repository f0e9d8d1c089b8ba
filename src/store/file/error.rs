//! Why the file store cannot be used.

use super::format::{FORMAT_VERSION, MAX_FILE_BYTES};
use super::passphrase::{MAX_MEMORY_KIB, MAX_PASSES};
use crate::exit::{Diagnosis, ExitCode};
use crate::store::ProfileName;
use crate::system::files::FileError;
use std::path::PathBuf;

/// Why the file store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileStoreError {
    /// The key file that the user named is not there.
    #[error("the key file `{}` cannot be read", path.display())]
    KeyFile { path: PathBuf, source: FileError },
    /// There are sessions, and their key is gone.
    #[error("there are encrypted sessions in `{}`, but their key `{}` is gone", sessions.display(), key.display())]
    KeyGone {
        /// Where the key should be.
        key: PathBuf,
        /// Where the sessions are.
        sessions: PathBuf,
    },
    /// Not 32 bytes in base64.
    #[error("`{}` does not hold a key: expected 32 bytes in base64", path.display())]
    KeyMalformed { path: PathBuf },
    /// The session was encrypted with another key.
    #[error("`{}` was encrypted with another key than that in `{}`", path.display(), key.display())]
    WrongKey {
        path: PathBuf,
        /// The key that was tried.
        key: PathBuf,
    },
    /// The session was encrypted with a passphrase, and a key file was named, or nothing.
    #[error(
        "`{}` was encrypted with a passphrase, {}", path.display(),
        key.as_ref().map_or("and none was given".to_owned(), |key| format!("not with the key in `{}`", key.display()))
    )]
    PassphraseNeeded {
        path: PathBuf,
        /// The key file that the user named.
        key: Option<PathBuf>,
    },
    /// The session was encrypted with a key file, and a passphrase was given.
    #[error("`{}` was encrypted with a key file, not with a passphrase", path.display())]
    KeyFileNeeded { path: PathBuf, profile: ProfileName },
    /// Another passphrase, or cost and salt were changed: both give another key.
    #[error("the passphrase does not open `{}`", path.display())]
    WrongPassphrase { path: PathBuf },
    /// A header that would keep us busy for long, or that no program of ours wrote.
    #[error(
        "`{}` needs {memory_kib} KiB of memory and {passes} passes to make its key; at most {MAX_MEMORY_KIB} KiB and {MAX_PASSES} passes are accepted",
        path.display()
    )]
    DerivationRefused {
        path: PathBuf,
        /// What it wants, in KiB.
        memory_kib: u32,
        /// How often it is gone through.
        passes: u32,
    },
    /// The system has less memory than making the key takes.
    #[error("there are not {memory_kib} KiB of memory to make the key of `{}`", path.display())]
    NoMemory {
        path: PathBuf,
        /// What it takes, in KiB.
        memory_kib: u32,
    },
    /// The passphrase was asked for, and did not come.
    #[error("{0}")]
    Asking(Box<dyn Diagnosis>),
    /// The file is not one of ours.
    #[error("`{}` is not an encrypted session", path.display())]
    NotASession { path: PathBuf },
    /// The file ends too early.
    #[error("`{}` is incomplete: {found_bytes} of {expected_bytes} bytes", path.display())]
    Truncated {
        path: PathBuf,
        found_bytes: usize,
        /// What its length should be, as far as it is known.
        expected_bytes: usize,
    },
    /// The file was changed, or belongs to another profile.
    #[error("`{}` has been changed since it was written, or is the file of another profile", path.display())]
    Tampered { path: PathBuf },
    /// A newer program wrote the file.
    #[error("`{}` has format {format}, and this program knows formats up to {FORMAT_VERSION}", path.display())]
    NewerFormat { path: PathBuf, format: u8 },
    /// The key of the session comes from neither a key file nor a passphrase.
    #[error("`{}` has a key of a kind ({kind}) that this program does not know", path.display())]
    UnknownKeyKind { path: PathBuf, kind: u8 },
    /// More than a session ever needs.
    #[error("the session is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    File(#[from] FileError),
}

impl FileStoreError {
    pub(in crate::store) fn exit_code(&self) -> ExitCode {
        match self {
            FileStoreError::Asking(error) => error.exit_code(),
            _ => ExitCode::Store,
        }
    }

    /// Whether the file alone is broken, so that it may be replaced.
    pub(in crate::store) fn is_damage(&self) -> bool {
        matches!(
            self,
            FileStoreError::NotASession { .. }
                | FileStoreError::Truncated { .. }
                | FileStoreError::Tampered { .. }
                | FileStoreError::File(FileError::TooLarge { .. })
        )
    }

    pub(in crate::store) fn hints(&self) -> Vec<String> {
        match self {
            FileStoreError::KeyFile { source, .. } if source.is_refusal() => source.hints(),
            FileStoreError::KeyFile { path, .. } | FileStoreError::KeyMalformed { path } => {
                let path = path.display();
                let make_key = match cfg!(windows) {
                    true => format!("Put a new key, which is 32 random bytes in base64, into `{path}`"),
                    false => format!("Make a new key with `head -c 32 /dev/urandom | base64 > {path}`"),
                };
                vec![format!("{make_key}; sessions under an old key cannot be read with it.")]
            }
            FileStoreError::KeyGone { key, sessions } => vec![
                format!("Restore `{}` from a backup.", key.display()),
                format!("Without it, run `rm -r {}` and log in again.", sessions.display()),
            ],
            FileStoreError::WrongKey { path, .. } => vec![
                "Name the file with the right key in OAUTH_STORE_KEY_FILE.".to_owned(),
                format!("Without that key, remove `{}` and log in again.", path.display()),
            ],
            FileStoreError::PassphraseNeeded { key: None, .. } => vec![
                "Set OAUTH_STORE_PASSPHRASE, or OAUTH_STORE_PASSPHRASE_FILE to a file with it. To be asked for it on a terminal: oauth login".to_owned(),
            ],
            FileStoreError::PassphraseNeeded { .. } => vec![
                "Give it in OAUTH_STORE_PASSPHRASE or OAUTH_STORE_PASSPHRASE_FILE, and leave out OAUTH_STORE_KEY_FILE."
                    .to_owned(),
            ],
            FileStoreError::KeyFileNeeded { path, profile } => vec![
                "Leave out OAUTH_STORE_PASSPHRASE and OAUTH_STORE_PASSPHRASE_FILE; name the file in OAUTH_STORE_KEY_FILE if it is your own.".to_owned(),
                format!("To use a passphrase from now on, end the session with its key file first: oauth logout {profile}"),
                format!(
                    "Then remove `{}` if it is still there, and log in with the passphrase: oauth login {profile}",
                    path.display()
                ),
            ],
            FileStoreError::WrongPassphrase { path } => vec![
                "Set OAUTH_STORE_PASSPHRASE or OAUTH_STORE_PASSPHRASE_FILE to the passphrase that was used then.".to_owned(),
                format!("Without that passphrase, remove `{}` and log in again.", path.display()),
            ],
            FileStoreError::DerivationRefused { path, .. } => vec![format!(
                "It is damaged, or not from `oauth`: remove `{}` and log in again.",
                path.display()
            )],
            FileStoreError::NoMemory { .. } => vec!["Run this again when more memory is free.".to_owned()],
            FileStoreError::Asking(error) => error.hints(),
            FileStoreError::NotASession { path }
            | FileStoreError::Truncated { path, .. }
            | FileStoreError::Tampered { path } => {
                vec![format!(
                    "To replace `{}`, log in again: oauth login",
                    path.display()
                )]
            }
            FileStoreError::NewerFormat { .. } | FileStoreError::UnknownKeyKind { .. } => {
                vec!["It was written by a newer version of `oauth`: use that version, or update this one.".to_owned()]
            }
            FileStoreError::TooLarge => Vec::new(),
            FileStoreError::File(error) => error.hints(),
        }
    }

    /// Whether a session can be kept in another store until this is mended.
    pub(in crate::store) fn leaves_other_stores(&self) -> bool {
        match self {
            FileStoreError::KeyFile { source, .. } => !source.is_refusal(),
            FileStoreError::KeyMalformed { .. } | FileStoreError::File(_) => true,
            _ => false,
        }
    }
}
