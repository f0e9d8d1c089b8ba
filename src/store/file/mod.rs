//! The encrypted file: one a profile, for machines without a keyring.
//!
//! `oauth/sessions/NAME` in the data folder is a header and the record under
//! XChaCha20-Poly1305 with a random nonce; header and name are authenticated,
//! so that a file moved to another profile does not open. The key is in a file
//! that the user names, or in `oauth/store.key` of the configuration folder,
//! which the first login makes: who reads both folders has the tokens. Or it is
//! made from a passphrase; the files of a folder then share their salt, so that
//! one run makes the key once, however many of them it reads.
//!
//! Layout: magic, format version, where the key comes from (0: a key file; 1: a
//! passphrase, followed by cost and salt), a fingerprint of the key, nonce,
//! length of what follows, ciphertext and tag. By the fingerprint a wrong key is
//! told from a damaged file, by the length a torn one from a changed one.

pub(super) mod passphrase;
pub(super) mod private_dir;

use super::file::passphrase::{
    KDF_PARAMS_BYTES, KEY_BYTES, KdfError, KdfParams, MAX_MEMORY_KIB, MAX_PASSES, PassphrasePrompt, PassphraseUse,
};
use super::file::private_dir::{PermissionPolicy, PrivateDir, PrivateFileError, file_name};
use super::session::{Session, SessionError};
use super::{CredentialStore, FileKey, ProfileName, StoreError, StoreKind, StoreSettings, item_name, other_stores};
use crate::exit::{Diagnosis, ExitCode};
use crate::fault::{self, Point};
use crate::protocol::random::Randomness;
use crate::secret::Secret;
use crate::system::SystemRandomness;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MAGIC: &[u8; 14] = b"oauth session\n";
const FORMAT_VERSION: u8 = 1;
const KEY_FROM_FILE: u8 = 0;
const KEY_FROM_PASSPHRASE: u8 = 1;
const FINGERPRINT_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const LENGTH_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// The header of a file whose key is in a key file; with a passphrase it is [`KDF_PARAMS_BYTES`] longer.
const HEADER_BYTES: usize = MAGIC.len() + 2 + FINGERPRINT_BYTES + NONCE_BYTES + LENGTH_BYTES;
/// A session of this size would be a mistake: servers limit their tokens to a fraction of it.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Room for the base64 of a key, a line end, and some mistakes to be told about.
const MAX_KEY_FILE_BYTES: u64 = 1024;
/// About the size of a session, for trying whether the disk takes one.
const PROBE_BYTES: usize = 8 * 1024;
const MAX_PROBE_BYTES: usize = 1024 * 1024;
const KEY_FILE_NAME: &str = "store.key";

/// Why the file store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileStoreError {
    /// The key file that the user named is not there.
    #[error("the key file `{}` cannot be read", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
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
    KeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// The session was encrypted with another key.
    #[error("`{}` was encrypted with another key than that in `{}`", path.display(), key.display())]
    WrongKey {
        /// The session.
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
        /// The session.
        path: PathBuf,
        /// The key file that the user named.
        key: Option<PathBuf>,
    },
    /// The session was encrypted with a key file, and a passphrase was given.
    #[error("`{}` was encrypted with a key file, not with a passphrase", path.display())]
    KeyFileNeeded {
        /// The session.
        path: PathBuf,
    },
    /// Another passphrase, or cost and salt were changed: both give another key.
    #[error("the passphrase does not open `{}`", path.display())]
    WrongPassphrase {
        /// The session.
        path: PathBuf,
    },
    /// A header that would keep us busy for long, or that no program of ours wrote.
    #[error(
        "`{}` wants {memory_kib} KiB of memory and {passes} passes to make its key; at most {MAX_MEMORY_KIB} KiB and {MAX_PASSES} passes are taken",
        path.display()
    )]
    DerivationRefused {
        /// The session.
        path: PathBuf,
        /// What it wants, in KiB.
        memory_kib: u32,
        /// How often it is gone through.
        passes: u32,
    },
    /// The system has less memory than making the key takes.
    #[error("there are not {memory_kib} KiB of memory to make the key of `{}`", path.display())]
    NoMemory {
        /// The session.
        path: PathBuf,
        /// What it takes, in KiB.
        memory_kib: u32,
    },
    /// The passphrase was asked for, and did not come.
    #[error("{0}")]
    Asking(Box<dyn Diagnosis>),
    /// The file is not one of ours.
    #[error("`{}` is not an encrypted session", path.display())]
    NotASession {
        /// The file.
        path: PathBuf,
    },
    /// The file ends too early.
    #[error("`{}` is incomplete: {found_bytes} of {expected_bytes} bytes", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its length.
        found_bytes: usize,
        /// What its length should be, as far as it is known.
        expected_bytes: usize,
    },
    /// The file was changed, or belongs to another profile.
    #[error("`{}` has been changed since it was written, or is the file of another profile", path.display())]
    Tampered {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the file.
    #[error("`{}` has format {format}, and this program knows formats up to {FORMAT_VERSION}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format version.
        format: u8,
    },
    /// The key of the session comes from neither a key file nor a passphrase.
    #[error("`{}` has a key of a kind ({kind}) that this program does not know", path.display())]
    UnknownKeyKind {
        /// The file.
        path: PathBuf,
        /// The kind.
        kind: u8,
    },
    /// More than a session ever needs.
    #[error("the session is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge,
    /// The file system.
    #[error(transparent)]
    File(#[from] PrivateFileError),
}

impl FileStoreError {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            FileStoreError::Asking(error) => error.exit_code(),
            _ => ExitCode::Store,
        }
    }

    pub(super) fn hints(&self) -> Vec<String> {
        match self {
            FileStoreError::KeyFile { path, .. } | FileStoreError::KeyMalformed { path } => {
                let mut hints = vec![format!(
                    "Make a new key with `head -c 32 /dev/urandom | base64 > {}`; sessions under an old key cannot be read with it.",
                    path.display()
                )];
                hints.extend(other_stores(Some(StoreKind::File)));
                hints
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
                "Give it in OAUTH_STORE_PASSPHRASE, or a file with it in OAUTH_STORE_PASSPHRASE_FILE; `oauth login` asks for it on a terminal.".to_owned(),
            ],
            FileStoreError::PassphraseNeeded { .. } => vec![
                "Give it in OAUTH_STORE_PASSPHRASE or OAUTH_STORE_PASSPHRASE_FILE, and leave out OAUTH_STORE_KEY_FILE."
                    .to_owned(),
            ],
            FileStoreError::KeyFileNeeded { path } => vec![
                "Leave out OAUTH_STORE_PASSPHRASE and OAUTH_STORE_PASSPHRASE_FILE; name the file in OAUTH_STORE_KEY_FILE if it is your own.".to_owned(),
                format!("To use a passphrase from now on, remove `{}` and log in again.", path.display()),
            ],
            FileStoreError::WrongPassphrase { path } => vec![
                "Give the passphrase of that time in OAUTH_STORE_PASSPHRASE or OAUTH_STORE_PASSPHRASE_FILE.".to_owned(),
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
                    "Log in again with `oauth login`: that replaces `{}`.",
                    path.display()
                )]
            }
            FileStoreError::NewerFormat { .. } | FileStoreError::UnknownKeyKind { .. } => {
                vec!["A newer `oauth` wrote it: use that one, or update this one.".to_owned()]
            }
            FileStoreError::TooLarge => Vec::new(),
            FileStoreError::File(error) => {
                let mut hints = error.hints();
                hints.extend(other_stores(Some(StoreKind::File)));
                hints
            }
        }
    }
}

/// The store of encrypted files.
pub(super) struct FileStore {
    sessions: PathBuf,
    own_key_folder: PathBuf,
    key: FileKey,
    ask_passphrase: Option<PassphrasePrompt>,
    /// Not asked for again in this run.
    typed_passphrase: Option<Secret>,
    /// Keys that this run has made from the passphrase.
    derived: Vec<StoreKey>,
    item_suffix: Option<String>,
    notice: Option<String>,
    ready: Option<Ready>,
}

/// What a save needs, found out before.
struct Ready {
    item: String,
    key: StoreKey,
}

impl FileStore {
    pub(super) fn new(settings: StoreSettings) -> Self {
        FileStore {
            sessions: settings.data_folder.join("oauth").join("sessions"),
            own_key_folder: settings.config_folder.join("oauth"),
            key: settings.file_key,
            ask_passphrase: settings.ask_passphrase,
            typed_passphrase: None,
            derived: Vec::new(),
            item_suffix: settings.item_suffix,
            notice: None,
            ready: None,
        }
    }

    /// What keeps two profiles apart, inside the file.
    fn item(&self, profile: &ProfileName) -> String {
        item_name(profile, self.item_suffix.as_deref())
    }

    fn key_path(&self) -> PathBuf {
        match &self.key {
            FileKey::Named(path) => path.clone(),
            FileKey::Own | FileKey::Passphrase(_) => self.own_key_folder.join(KEY_FILE_NAME),
        }
    }

    /// The key of the key file, or `None` where the user named none and none
    /// has been made yet, or where the key is made from a passphrase.
    fn existing_key(&self) -> Result<Option<StoreKey>, FileStoreError> {
        let path = self.key_path();
        let content = match &self.key {
            FileKey::Named(path) => Some(read_named_key(path)?),
            FileKey::Own => read_own_key(&self.own_key_folder)?.map(Zeroizing::new),
            FileKey::Passphrase(_) => None,
        };
        content.map(|content| StoreKey::parse(&content, path)).transpose()
    }

    /// The key; made where there is none yet and no session either.
    fn key_to_write_with(&mut self, sessions: &PrivateDir, profile: &ProfileName) -> Result<StoreKey, StoreError> {
        if let FileKey::Named(_) = &self.key {
            return Ok(self.key_of_a_session()?);
        }
        let name = file_name(&self.item(profile));
        let own = derivation_of(sessions, &name);
        if own.is_some() || matches!(self.key, FileKey::Passphrase(_)) {
            return self.key_of_passphrase_to_write_with(sessions, &name, own);
        }
        if let Some(key) = self.existing_key()? {
            return Ok(key);
        }
        let others = sessions.finished().map_err(FileStoreError::from)?;
        if !others.is_empty() {
            if others.iter().any(|other| derivation_of(sessions, other).is_some()) {
                return self.key_of_passphrase_to_write_with(sessions, &name, None);
            }
            return Ok(self.key_of_a_session()?);
        }
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        SystemRandomness.fill(bytes.as_mut())?;
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(bytes.as_ref())));
        let folder = PrivateDir::make_shared(&self.own_key_folder).map_err(FileStoreError::from)?;
        if folder
            .create(KEY_FILE_NAME, text.as_bytes())
            .map_err(FileStoreError::from)?
        {
            self.notice = Some(format!(
                "made the key `{}`: whoever can read it and `{}` has the tokens",
                self.key_path().display(),
                self.sessions.display()
            ));
        }
        fault::here(Point::KeyMade);
        // Read back: another process may have been faster, and then its key is the key
        Ok(self.key_of_a_session()?)
    }

    /// The key of the passphrase: with the salt of the session that is
    /// replaced, else of a key that was made already, else of another session
    /// in the folder, else with a new one.
    fn key_of_passphrase_to_write_with(
        &mut self,
        sessions: &PrivateDir,
        name: &str,
        own: Option<KdfParams>,
    ) -> Result<StoreKey, StoreError> {
        let path = sessions.file(name);
        let is_new = own.is_none();
        let mut known = own.filter(KdfParams::is_strong_enough);
        if known.is_none() {
            let mut made = self.derived.iter().filter_map(|key| match &key.origin {
                KeyOrigin::Passphrase(derivation) => Some(*derivation),
                KeyOrigin::File(_) => None,
            });
            known = made.find(KdfParams::is_strong_enough);
        }
        if known.is_none() {
            let others = sessions.finished().map_err(FileStoreError::from)?;
            known = others
                .iter()
                .filter_map(|other| derivation_of(sessions, other))
                .find(KdfParams::is_strong_enough);
        }
        let derivation = match known {
            Some(derivation) => derivation,
            None => KdfParams::draw()?,
        };
        let purpose = if is_new {
            PassphraseUse::Create
        } else {
            PassphraseUse::Open
        };
        Ok(self.key_of_passphrase(derivation, purpose, &path)?)
    }

    /// The key of the passphrase, which is asked for where that is allowed and it was not given.
    fn key_of_passphrase(
        &mut self,
        derivation: KdfParams,
        purpose: PassphraseUse,
        path: &Path,
    ) -> Result<StoreKey, FileStoreError> {
        let origin = KeyOrigin::Passphrase(derivation);
        if let Some(key) = self.derived.iter().find(|key| key.origin == origin) {
            return Ok(key.clone());
        }
        let needed = |key| FileStoreError::PassphraseNeeded {
            path: path.to_path_buf(),
            key,
        };
        let passphrase = match (&self.key, &self.typed_passphrase, &self.ask_passphrase) {
            (FileKey::Passphrase(passphrase), _, _) | (FileKey::Own, Some(passphrase), _) => passphrase.clone(),
            (FileKey::Named(key), _, _) => return Err(needed(Some(key.clone()))),
            (FileKey::Own, None, None) => return Err(needed(None)),
            (FileKey::Own, None, Some(ask)) => {
                let typed = ask.ask(purpose).map_err(FileStoreError::Asking)?;
                self.typed_passphrase.insert(typed).clone()
            }
        };
        let bytes = derivation.key(&passphrase).map_err(|error| match error {
            KdfError::OutOfBounds => FileStoreError::DerivationRefused {
                path: path.to_path_buf(),
                memory_kib: derivation.memory_kib,
                passes: derivation.passes,
            },
            KdfError::NoMemory => FileStoreError::NoMemory {
                path: path.to_path_buf(),
                memory_kib: derivation.memory_kib,
            },
        })?;
        let key = StoreKey { bytes, origin };
        self.derived.push(key.clone());
        Ok(key)
    }

    /// The key where there must be one: it is made before the first session,
    /// so that looking for it again, after a session was seen, is certain.
    fn key_of_a_session(&self) -> Result<StoreKey, FileStoreError> {
        self.existing_key()?.ok_or_else(|| FileStoreError::KeyGone {
            key: self.key_path(),
            sessions: self.sessions.clone(),
        })
    }

    /// The record as stored, or `None` where there is none.
    fn read(&mut self, profile: &ProfileName) -> Result<Option<Secret>, FileStoreError> {
        // A key file that was named is checked even where there is nothing to decrypt
        let key = self.existing_key()?;
        let Some(folder) = PrivateDir::existing(&self.sessions)? else {
            return Ok(None);
        };
        let item = self.item(profile);
        let name = file_name(&item);
        let successor = folder.successor(&name, MAX_FILE_BYTES, PermissionPolicy::Tighten)?;
        let content = folder.read(&name, MAX_FILE_BYTES, PermissionPolicy::Tighten)?;
        if successor.is_none() && content.is_none() {
            return Ok(None);
        }
        let path = folder.file(&name);
        let newer = successor.map(|content| self.decrypted(&content, key.clone(), &item, &path));
        // A writer that was killed left the newer one; a power cut may have torn it, and then the older one counts
        match (newer, content) {
            (Some(Ok(record)), _) => Ok(Some(record)),
            (
                None
                | Some(Err(
                    FileStoreError::NotASession { .. }
                    | FileStoreError::Truncated { .. }
                    | FileStoreError::Tampered { .. },
                )),
                Some(content),
            ) => self.decrypted(&content, key, &item, &path).map(Some),
            (Some(Err(error)), _) => Err(error),
            (None, None) => Ok(None),
        }
    }

    /// The record in this content. `key` is that of the key file, where there is one.
    fn decrypted(
        &mut self,
        content: &[u8],
        key: Option<StoreKey>,
        item: &str,
        path: &Path,
    ) -> Result<Secret, FileStoreError> {
        let sealed = SealedSession::parse(content, path)?;
        let key = match (sealed.derivation, key) {
            (Some(derivation), _) => self.key_of_passphrase(derivation, PassphraseUse::Open, path)?,
            (None, Some(key)) => key,
            (None, None) if matches!(self.key, FileKey::Passphrase(_)) => {
                return Err(FileStoreError::KeyFileNeeded {
                    path: path.to_path_buf(),
                });
            }
            (None, None) => self.key_of_a_session()?,
        };
        sealed.open(&key, item, path)
    }

    /// Refuses what must not be overwritten: what a newer program wrote, and
    /// what another key may still open. What is damaged may go.
    fn check_replaceable(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        match self.read(profile) {
            Ok(None) => Ok(()),
            Ok(Some(record)) => match Session::decode(record.expose()) {
                Err(source @ SessionError::NewerVersion(_)) => Err(self.bad_record(profile, source)),
                Ok(_) | Err(SessionError::Malformed { .. }) => Ok(()),
            },
            Err(
                FileStoreError::NotASession { .. }
                | FileStoreError::Truncated { .. }
                | FileStoreError::Tampered { .. }
                | FileStoreError::File(PrivateFileError::TooLarge { .. }),
            ) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn bad_record(&self, profile: &ProfileName, source: SessionError) -> StoreError {
        StoreError::Record {
            profile: profile.clone(),
            store: format!("`{}`", self.sessions.join(file_name(&self.item(profile))).display()),
            source,
        }
    }
}

impl CredentialStore for FileStore {
    fn describe(&self) -> String {
        format!("encrypted files in {}", self.sessions.display())
    }

    fn name(&self) -> String {
        StoreKind::File.to_string()
    }

    fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        let Some(record) = self.read(profile)? else {
            return Ok(None);
        };
        Session::decode(record.expose())
            .map(Some)
            .map_err(|source| self.bad_record(profile, source))
    }

    fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError> {
        let folder = PrivateDir::make(&self.sessions).map_err(FileStoreError::from)?;
        let item = self.item(profile);
        let key = match self.ready.take() {
            Some(ready) if ready.item == item => ready.key,
            _ => {
                let key = self.key_to_write_with(&folder, profile)?;
                self.check_replaceable(profile)?;
                key
            }
        };
        let content = encrypt(&session.encode(), &key, &item)?;
        folder
            .replace_at_once(&file_name(&item), &content)
            .map_err(FileStoreError::from)?;
        Ok(())
    }

    fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError> {
        let Some(folder) = PrivateDir::existing(&self.sessions).map_err(FileStoreError::from)? else {
            return Ok(false);
        };
        let name = file_name(&self.item(profile));
        let existed = folder.remove(&name).map_err(FileStoreError::from)?;
        folder.sweep(Some(&name)).map_err(FileStoreError::from)?;
        Ok(existed)
    }

    fn probe(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        let folder = PrivateDir::make(&self.sessions).map_err(FileStoreError::from)?;
        folder.sweep(None).map_err(FileStoreError::from)?;
        self.key_to_write_with(&folder, profile)?;
        self.check_replaceable(profile)?;
        let name = file_name(&self.item(profile));
        // The next session will not be much larger than this one; what is damaged can have any length
        let trial_bytes = folder.length_bytes(&name).clamp(PROBE_BYTES, MAX_PROBE_BYTES);
        folder.try_writing(&name, trial_bytes).map_err(FileStoreError::from)?;
        Ok(())
    }

    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.probe(profile)?;
        let folder = PrivateDir::make(&self.sessions).map_err(FileStoreError::from)?;
        let item = self.item(profile);
        // Under the lock nobody else writes this one
        folder.sweep(Some(&file_name(&item))).map_err(FileStoreError::from)?;
        let key = self.key_to_write_with(&folder, profile)?;
        self.ready = Some(Ready { item, key });
        Ok(())
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }
}

/// A key and where it comes from.
#[derive(Clone)]
struct StoreKey {
    bytes: Secret<[u8; KEY_BYTES]>,
    origin: KeyOrigin,
}

#[derive(Clone, PartialEq, Eq)]
enum KeyOrigin {
    File(PathBuf),
    Passphrase(KdfParams),
}

impl StoreKey {
    fn parse(content: &[u8], path: PathBuf) -> Result<Self, FileStoreError> {
        let text = content.strip_suffix(b"\n").unwrap_or(content);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // base64 asks for room for whole groups of three bytes
        let mut decoded = Zeroizing::new([0_u8; KEY_BYTES + 1]);
        let length = STANDARD.decode_slice(text, decoded.as_mut()).unwrap_or_default();
        match <[u8; KEY_BYTES]>::try_from(&decoded[..length]) {
            Ok(bytes) => Ok(StoreKey {
                bytes: Secret::new(bytes),
                origin: KeyOrigin::File(path),
            }),
            Err(_) => Err(FileStoreError::KeyMalformed { path }),
        }
    }

    /// Tells keys apart and says nothing else about them: they are random, or
    /// as dear to guess as the passphrase that they were made from.
    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let digest = Sha256::new()
            .chain_update(b"oauth store key\n")
            .chain_update(self.bytes.expose())
            .finalize();
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        fingerprint.copy_from_slice(&digest[..FINGERPRINT_BYTES]);
        fingerprint
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.bytes.expose()))
    }
}

/// The key file that the user named: mounted secrets are links and open to
/// others by design, so neither is refused.
fn read_named_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileStoreError> {
    let unreadable = |source| FileStoreError::KeyFile {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut content = Zeroizing::new(Vec::new());
    file.take(MAX_KEY_FILE_BYTES)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    Ok(content)
}

fn read_own_key(folder: &Path) -> Result<Option<Vec<u8>>, FileStoreError> {
    let folder = PrivateDir::shared(folder);
    Ok(folder.read(KEY_FILE_NAME, MAX_KEY_FILE_BYTES, PermissionPolicy::Refuse)?)
}

/// How the key of this session is made from a passphrase; `None` where it is
/// not, or where there is no session that could be read.
fn derivation_of(sessions: &PrivateDir, name: &str) -> Option<KdfParams> {
    let read = |content: Result<Option<Vec<u8>>, PrivateFileError>| content.ok().flatten();
    let content = read(sessions.read(name, MAX_FILE_BYTES, PermissionPolicy::Tighten))
        .or_else(|| read(sessions.successor(name, MAX_FILE_BYTES, PermissionPolicy::Tighten)))?;
    SealedSession::parse(&content, &sessions.file(name)).ok()?.derivation
}

fn associated_data(header: &[u8], item: &str) -> Vec<u8> {
    [header, item.as_bytes()].concat()
}

fn encrypt(record: &Secret, key: &StoreKey, item: &str) -> Result<Vec<u8>, StoreError> {
    let plain = record.expose().as_bytes();
    let sealed_bytes = u32::try_from(plain.len() + TAG_BYTES).map_err(|_| FileStoreError::TooLarge)?;
    if u64::from(sealed_bytes) + (HEADER_BYTES + KDF_PARAMS_BYTES) as u64 > MAX_FILE_BYTES {
        return Err(FileStoreError::TooLarge.into());
    }
    let mut nonce = [0_u8; NONCE_BYTES];
    SystemRandomness.fill(&mut nonce)?;

    let mut content = Vec::with_capacity(HEADER_BYTES + KDF_PARAMS_BYTES + plain.len() + TAG_BYTES);
    content.extend_from_slice(MAGIC);
    content.push(FORMAT_VERSION);
    match &key.origin {
        KeyOrigin::File(_) => content.push(KEY_FROM_FILE),
        KeyOrigin::Passphrase(derivation) => {
            content.push(KEY_FROM_PASSPHRASE);
            content.extend_from_slice(&derivation.encode());
        }
    }
    content.extend_from_slice(&key.fingerprint());
    content.extend_from_slice(&nonce);
    content.extend_from_slice(&sealed_bytes.to_be_bytes());
    let associated_data = associated_data(&content, item);

    // Room for the tag from the start: a vector that grew would leave the record behind in memory
    let mut sealed = Vec::with_capacity(plain.len() + TAG_BYTES);
    sealed.extend_from_slice(plain);
    key.cipher()
        .encrypt_in_place(&XNonce::from(nonce), &associated_data, &mut sealed)
        .map_err(|_| FileStoreError::TooLarge)?;
    content.extend_from_slice(&sealed);
    Ok(content)
}

/// A file of the store, taken apart and not opened yet.
struct SealedSession<'a> {
    header: &'a [u8],
    /// How the key is made, where it is made from a passphrase.
    derivation: Option<KdfParams>,
    fingerprint: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    sealed: &'a [u8],
}

impl<'a> SealedSession<'a> {
    fn parse(content: &'a [u8], path: &Path) -> Result<Self, FileStoreError> {
        let path = || path.to_path_buf();
        let truncated = |expected_bytes| FileStoreError::Truncated {
            path: path(),
            found_bytes: content.len(),
            expected_bytes,
        };
        let compared = content.len().min(MAGIC.len());
        if content[..compared] != MAGIC[..compared] {
            return Err(FileStoreError::NotASession { path: path() });
        }
        // The version decides about everything behind it
        match content.get(MAGIC.len()) {
            Some(&FORMAT_VERSION) => {}
            Some(&format) if format > FORMAT_VERSION => {
                return Err(FileStoreError::NewerFormat { path: path(), format });
            }
            Some(_) => return Err(FileStoreError::NotASession { path: path() }),
            None => return Err(truncated(HEADER_BYTES)),
        }
        // and the kind of key about how long the header is
        let header_bytes = match content.get(MAGIC.len() + 1) {
            Some(&KEY_FROM_FILE) => HEADER_BYTES,
            Some(&KEY_FROM_PASSPHRASE) => HEADER_BYTES + KDF_PARAMS_BYTES,
            Some(&kind) => return Err(FileStoreError::UnknownKeyKind { path: path(), kind }),
            None => return Err(truncated(HEADER_BYTES)),
        };
        let Some((header, sealed)) = content.split_at_checked(header_bytes) else {
            return Err(truncated(header_bytes));
        };
        let mut rest = &header[MAGIC.len() + 2..];
        let mut derivation = None;
        if header_bytes > HEADER_BYTES
            && let Some((bytes, behind)) = rest.split_first_chunk::<KDF_PARAMS_BYTES>()
        {
            derivation = Some(KdfParams::decode(bytes));
            rest = behind;
        }
        let (fingerprint, rest) = rest.split_at(FINGERPRINT_BYTES);
        let (nonce, length) = rest.split_at(NONCE_BYTES);
        let sealed_bytes = length.iter().fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
        if sealed.len() < sealed_bytes {
            return Err(truncated(header_bytes.saturating_add(sealed_bytes)));
        }
        let mut nonce_bytes = [0_u8; NONCE_BYTES];
        nonce_bytes.copy_from_slice(nonce);
        Ok(SealedSession {
            header,
            derivation,
            fingerprint,
            nonce: nonce_bytes,
            sealed,
        })
    }

    fn open(&self, key: &StoreKey, item: &str, path: &Path) -> Result<Secret, FileStoreError> {
        let path = || path.to_path_buf();
        if self.fingerprint != key.fingerprint() {
            return Err(match &key.origin {
                KeyOrigin::File(key) => FileStoreError::WrongKey {
                    path: path(),
                    key: key.clone(),
                },
                KeyOrigin::Passphrase(_) => FileStoreError::WrongPassphrase { path: path() },
            });
        }
        let mut record = Zeroizing::new(self.sealed.to_vec());
        key.cipher()
            .decrypt_in_place(
                &XNonce::from(self.nonce),
                &associated_data(self.header, item),
                &mut *record,
            )
            .map_err(|_| FileStoreError::Tampered { path: path() })?;
        let text = std::str::from_utf8(&record).map_err(|_| FileStoreError::NotASession { path: path() })?;
        Ok(Secret::from(text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::session::tests::full_session;
    use super::super::{Interaction, KeyringSession};
    use super::*;
    use std::fs;
    use std::sync::{Arc, Barrier, Mutex};
    use tempfile::TempDir;

    fn settings(home: &TempDir) -> StoreSettings {
        StoreSettings {
            kind: StoreKind::File,
            interaction: Interaction::Forbidden,
            keyring_session: None::<KeyringSession>,
            item_suffix: None,
            data_folder: home.path().join("data"),
            config_folder: home.path().join("config"),
            runtime_folder: None,
            file_key: FileKey::Own,
            ask_passphrase: None,
            child_environment: Vec::new(),
        }
    }

    fn store(home: &TempDir) -> FileStore {
        FileStore::new(settings(home))
    }

    fn store_with_key(home: &TempDir, key: &Path) -> FileStore {
        FileStore::new(StoreSettings {
            file_key: FileKey::Named(key.to_path_buf()),
            ..settings(home)
        })
    }

    fn profile(name: &str) -> ProfileName {
        ProfileName::parse(name).unwrap()
    }

    fn session_path(home: &TempDir, name: &str) -> PathBuf {
        home.path().join("data/oauth/sessions").join(name)
    }

    fn key_path(home: &TempDir) -> PathBuf {
        home.path().join("config/oauth/store.key")
    }

    fn named_key(home: &TempDir, name: &str, content: &str) -> PathBuf {
        let path = home.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn file_error(outcome: Result<impl Sized, StoreError>) -> FileStoreError {
        match outcome.err().unwrap() {
            StoreError::File(error) => {
                assert_eq!(StoreError::File(FileStoreError::TooLarge).exit_code(), ExitCode::Store);
                error
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_comes_back_as_it_was_and_none_of_it_is_readable_on_disk() {
        let home = tempfile::tempdir().unwrap();
        let session = full_session(3);
        assert!(store(&home).load(&profile("work")).unwrap().is_none());
        store(&home).save(&profile("work"), &session).unwrap();
        let again = store(&home).load(&profile("work")).unwrap().unwrap();
        assert_eq!(again.encode().expose(), session.encode().expose());
        assert!(store(&home).load(&profile("home")).unwrap().is_none());

        let content = fs::read(session_path(&home, "work")).unwrap();
        assert!(!String::from_utf8_lossy(&content).contains("canary"));
        // the same session again is another ciphertext: the nonce is never used twice
        store(&home).save(&profile("work"), &session).unwrap();
        assert_ne!(fs::read(session_path(&home, "work")).unwrap(), content);

        assert!(store(&home).delete(&profile("work")).unwrap());
        assert!(!store(&home).delete(&profile("work")).unwrap());
        assert!(store(&home).load(&profile("work")).unwrap().is_none());
        assert!(store(&home).describe().contains("data/oauth/sessions"));
    }

    #[test]
    fn the_first_use_makes_the_key_and_says_so_once() {
        let home = tempfile::tempdir().unwrap();
        let mut store = store(&home);
        store.probe(&profile("work")).unwrap();
        let notice = store.notice().unwrap();
        assert!(
            notice.contains("config/oauth/store.key") && notice.contains("data/oauth/sessions"),
            "{notice}"
        );
        assert_eq!(store.notice(), None);
        store.save(&profile("work"), &full_session(1)).unwrap();
        assert_eq!(store.notice(), None);
        let key = fs::read_to_string(key_path(&home)).unwrap();
        assert_eq!(STANDARD.decode(key.trim_end()).unwrap().len(), KEY_BYTES);
    }

    #[test]
    fn a_trial_leaves_the_key_and_nothing_else_and_sweeps_what_was_left_behind() {
        let home = tempfile::tempdir().unwrap();
        store(&home).probe(&profile("work")).unwrap();
        let sessions = home.path().join("data/oauth/sessions");
        assert_eq!(fs::read_dir(&sessions).unwrap().count(), 0);
        let left = sessions.join(".work.0011223344556677.tmp");
        fs::write(&left, b"").unwrap();
        fs::File::options()
            .write(true)
            .open(&left)
            .unwrap()
            .set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(7200))
            .unwrap();
        store(&home).probe(&profile("work")).unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn another_profile_or_another_configuration_does_not_open_the_file() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        fs::copy(session_path(&home, "work"), session_path(&home, "home")).unwrap();
        assert!(matches!(
            file_error(store(&home).load(&profile("home"))),
            FileStoreError::Tampered { .. }
        ));
        let mut other = FileStore::new(StoreSettings {
            item_suffix: Some("@0a1b2c3d".to_owned()),
            ..settings(&home)
        });
        assert!(other.load(&profile("work")).unwrap().is_none());
        other.save(&profile("work"), &full_session(2)).unwrap();
        assert_eq!(store(&home).load(&profile("work")).unwrap().unwrap().generation, 1);
        assert_eq!(other.load(&profile("work")).unwrap().unwrap().generation, 2);
    }

    #[test]
    fn names_that_differ_in_case_alone_are_different_profiles() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("Work"), &full_session(1)).unwrap();
        assert!(session_path(&home, "=57ork").exists());
        assert!(store(&home).load(&profile("work")).unwrap().is_none());
        assert!(store(&home).load(&profile("Work")).unwrap().is_some());
    }

    #[test]
    fn every_truncation_is_an_error_and_never_a_session() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        let path = session_path(&home, "work");
        let content = fs::read(&path).unwrap();
        for length in 0..content.len() {
            fs::write(&path, &content[..length]).unwrap();
            match file_error(store(&home).load(&profile("work"))) {
                FileStoreError::Truncated {
                    found_bytes,
                    expected_bytes,
                    ..
                } => {
                    assert_eq!(found_bytes, length);
                    if length >= HEADER_BYTES {
                        assert_eq!(expected_bytes, content.len());
                    }
                }
                other => panic!("{length}: {other:?}"),
            }
        }
        fs::write(&path, [&content[..], b"x"].concat()).unwrap();
        assert!(matches!(
            file_error(store(&home).load(&profile("work"))),
            FileStoreError::Tampered { .. }
        ));
        // what is damaged can be replaced
        store(&home).probe(&profile("work")).unwrap();
        store(&home).save(&profile("work"), &full_session(2)).unwrap();
        assert_eq!(store(&home).load(&profile("work")).unwrap().unwrap().generation, 2);
    }

    #[test]
    fn every_changed_byte_is_an_error_that_says_what_was_changed() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        let path = session_path(&home, "work");
        let content = fs::read(&path).unwrap();
        let version = MAGIC.len();
        let fingerprint = version + 2..version + 2 + FINGERPRINT_BYTES;
        for position in 0..content.len() {
            let mut changed = content.clone();
            changed[position] ^= 0x40;
            fs::write(&path, &changed).unwrap();
            let error = file_error(store(&home).load(&profile("work")));
            let as_expected = match error {
                FileStoreError::NotASession { .. } => position < version,
                FileStoreError::NewerFormat { format: 0x41, .. } => position == version,
                FileStoreError::UnknownKeyKind { kind: 0x40, .. } => position == version + 1,
                FileStoreError::WrongKey { .. } => fingerprint.contains(&position),
                FileStoreError::Truncated { .. } => (HEADER_BYTES - LENGTH_BYTES..HEADER_BYTES).contains(&position),
                FileStoreError::Tampered { .. } => position >= fingerprint.end,
                _ => false,
            };
            assert!(as_expected, "{position}: {error:?}");
        }
    }

    #[test]
    fn a_wrong_key_is_told_and_its_session_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let first = named_key(&home, "first.key", &format!("{}\n", STANDARD.encode([1; 32])));
        let second = named_key(&home, "second.key", &format!("{}\r\n", STANDARD.encode([2; 32])));
        store_with_key(&home, &first)
            .save(&profile("work"), &full_session(1))
            .unwrap();
        assert!(!key_path(&home).exists(), "a key of our own beside the named one");
        for outcome in [
            store_with_key(&home, &second).load(&profile("work")).map(|_| ()),
            store_with_key(&home, &second).probe(&profile("work")),
            store_with_key(&home, &second).save(&profile("work"), &full_session(2)),
        ] {
            let error = file_error(outcome);
            assert!(
                matches!(&error, FileStoreError::WrongKey { key, .. } if *key == second),
                "{error:?}"
            );
        }
        assert_eq!(
            store_with_key(&home, &first)
                .load(&profile("work"))
                .unwrap()
                .unwrap()
                .generation,
            1
        );
    }

    #[test]
    fn a_named_key_that_is_missing_or_malformed_is_an_error_even_with_nothing_to_read() {
        let home = tempfile::tempdir().unwrap();
        let missing = home.path().join("missing.key");
        assert!(matches!(
            file_error(store_with_key(&home, &missing).load(&profile("work"))),
            FileStoreError::KeyFile { path, .. } if path == missing
        ));
        let encoded = STANDARD.encode([7; 32]);
        for malformed in [
            String::new(),
            "\n".to_owned(),
            "not base64 !".to_owned(),
            STANDARD.encode([7; 31]),
            STANDARD.encode([7; 33]),
            format!("{encoded}\n\n"),
            format!(" {encoded}"),
            format!("{encoded}{encoded}"),
            "A".repeat(5000),
        ] {
            let key = named_key(&home, "bad.key", &malformed);
            for outcome in [
                store_with_key(&home, &key).load(&profile("work")).map(|_| ()),
                store_with_key(&home, &key).probe(&profile("work")),
                store_with_key(&home, &key).save(&profile("work"), &full_session(1)),
            ] {
                let error = file_error(outcome);
                assert!(
                    matches!(error, FileStoreError::KeyMalformed { .. }),
                    "{malformed:?}: {error:?}"
                );
                assert!(!error.hints().is_empty());
            }
        }
        assert!(!session_path(&home, "work").exists());
    }

    #[test]
    fn sessions_whose_key_is_gone_are_not_forgotten_about() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        fs::remove_file(key_path(&home)).unwrap();
        for outcome in [
            store(&home).load(&profile("work")).map(|_| ()),
            store(&home).probe(&profile("home")),
            store(&home).save(&profile("home"), &full_session(1)),
        ] {
            assert!(matches!(file_error(outcome), FileStoreError::KeyGone { .. }));
        }
        assert!(!key_path(&home).exists());
        // forgetting needs no key
        assert!(store(&home).delete(&profile("work")).unwrap());
        store(&home).save(&profile("work"), &full_session(2)).unwrap();
    }

    #[test]
    fn a_newer_record_is_told_and_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        let key = store(&home).existing_key().unwrap().unwrap();
        let newer = Secret::from(r#"{"v":2,"sealed":"…"}"#);
        let content = encrypt(&newer, &key, "work").unwrap();
        fs::write(session_path(&home, "work"), &content).unwrap();
        for outcome in [
            store(&home).load(&profile("work")).map(|_| ()),
            store(&home).probe(&profile("work")),
            store(&home).save(&profile("work"), &full_session(3)),
        ] {
            let error = outcome.unwrap_err();
            assert!(
                matches!(
                    &error,
                    StoreError::Record {
                        source: SessionError::NewerVersion(2),
                        ..
                    }
                ),
                "{error:?}"
            );
            assert_eq!(error.exit_code(), ExitCode::Store);
        }
        assert_eq!(fs::read(session_path(&home, "work")).unwrap(), content);
    }

    #[test]
    fn many_first_writers_at_once_end_with_one_key_and_whole_files() {
        let home = tempfile::tempdir().unwrap();
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            for writer in 0..8_u64 {
                let (home, start) = (&home, &start);
                scope.spawn(move || {
                    start.wait();
                    let own = profile(&format!("writer-{writer}"));
                    for generation in 0..5 {
                        store(home).save(&own, &full_session(generation)).unwrap();
                        store(home).save(&profile("shared"), &full_session(writer)).unwrap();
                        store(home).load(&profile("shared")).unwrap().unwrap();
                    }
                });
            }
        });
        for writer in 0..8 {
            let session = store(&home)
                .load(&profile(&format!("writer-{writer}")))
                .unwrap()
                .unwrap();
            assert_eq!(session.generation, 4);
        }
        let files = fs::read_dir(home.path().join("data/oauth/sessions")).unwrap().count();
        assert_eq!(files, 9, "nothing unfinished stays");
    }

    /// What a writer leaves that is killed before its file has the session's name.
    fn leave_successor(home: &TempDir, session: &Session) {
        let path = session_path(home, "work");
        let before = fs::read(&path).unwrap();
        store(home).save(&profile("work"), session).unwrap();
        fs::rename(&path, path.with_file_name(".work.next")).unwrap();
        fs::write(&path, before).unwrap();
    }

    #[test]
    fn what_a_killed_writer_left_counts_and_ends_with_the_next_save_or_the_removal() {
        let home = tempfile::tempdir().unwrap();
        let generation = || {
            let session = store(&home).load(&profile("work")).unwrap();
            session.map(|session| session.generation)
        };
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        leave_successor(&home, &full_session(2));
        assert_eq!(generation(), Some(2));
        store(&home).save(&profile("work"), &full_session(3)).unwrap();
        assert_eq!(generation(), Some(3));
        leave_successor(&home, &full_session(4));
        assert!(store(&home).delete(&profile("work")).unwrap());
        assert_eq!(generation(), None);
    }

    #[test]
    fn a_torn_successor_does_not_hide_the_session() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        leave_successor(&home, &full_session(2));
        let successor = session_path(&home, "work").with_file_name(".work.next");
        let whole = fs::read(&successor).unwrap();
        for length in [0, 1, HEADER_BYTES, whole.len() - 1] {
            fs::write(&successor, &whole[..length]).unwrap();
            let session = store(&home).load(&profile("work")).unwrap().unwrap();
            assert_eq!(session.generation, 1);
        }
        fs::write(&successor, vec![0; whole.len()]).unwrap();
        assert_eq!(store(&home).load(&profile("work")).unwrap().unwrap().generation, 1);
    }

    fn store_with_passphrase(home: &TempDir, passphrase: &str) -> FileStore {
        FileStore::new(StoreSettings {
            file_key: FileKey::Passphrase(Secret::from(passphrase)),
            ..settings(home)
        })
    }

    /// A store without a passphrase whose person types this one; and what it was asked for.
    fn store_that_asks(home: &TempDir, typed: &'static str) -> (FileStore, Arc<Mutex<Vec<PassphraseUse>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&asked);
        let ask = PassphrasePrompt::by(move |purpose| {
            shared.lock().unwrap().push(purpose);
            Ok(Secret::from(typed))
        });
        let store = FileStore::new(StoreSettings {
            ask_passphrase: Some(ask),
            ..settings(home)
        });
        (store, asked)
    }

    #[test]
    fn a_passphrase_opens_what_it_has_closed_and_needs_no_key_file() {
        let home = tempfile::tempdir().unwrap();
        let mut first = store_with_passphrase(&home, "correct horse");
        first.probe(&profile("work")).unwrap();
        first.save(&profile("work"), &full_session(1)).unwrap();
        first.save(&profile("home"), &full_session(2)).unwrap();
        assert_eq!(first.derived.len(), 1, "one key for all calls of a run");
        assert_eq!(first.notice(), None);
        assert!(!key_path(&home).exists());

        let mut second = store_with_passphrase(&home, "correct horse");
        assert_eq!(second.load(&profile("work")).unwrap().unwrap().generation, 1);
        assert_eq!(second.load(&profile("home")).unwrap().unwrap().generation, 2);
        second.probe(&profile("work")).unwrap();
        second.save(&profile("third"), &full_session(3)).unwrap();
        assert_eq!(second.derived.len(), 1, "the files of a folder share their salt");
        let content = fs::read(session_path(&home, "work")).unwrap();
        assert!(!String::from_utf8_lossy(&content).contains("canary"));
    }

    #[test]
    fn wrong_passphrase_wrong_kind_of_key_and_damage_are_different_errors_and_overwrite_nothing() {
        let home = tempfile::tempdir().unwrap();
        let key = named_key(&home, "named.key", &STANDARD.encode([1; 32]));
        store_with_passphrase(&home, "correct horse")
            .save(&profile("work"), &full_session(1))
            .unwrap();
        let content = fs::read(session_path(&home, "work")).unwrap();
        let mut hints = std::collections::HashSet::new();
        let mut check = |store: &mut FileStore, name: &str, fits: fn(&FileStoreError) -> bool| {
            for outcome in [
                store.load(&profile(name)).map(|_| ()),
                store.probe(&profile(name)),
                store.save(&profile(name), &full_session(9)),
            ] {
                let error = outcome.unwrap_err();
                assert_eq!(error.exit_code(), ExitCode::Store);
                let error = file_error(Err::<(), _>(error));
                assert!(fits(&error), "{error:?}");
                hints.insert(error.hints()[0].clone());
            }
        };
        check(&mut store_with_passphrase(&home, "wrong"), "work", |error| {
            matches!(error, FileStoreError::WrongPassphrase { .. })
        });
        check(&mut store_with_key(&home, &key), "work", |error| {
            matches!(error, FileStoreError::PassphraseNeeded { key: Some(_), .. })
        });
        check(&mut store(&home), "work", |error| {
            matches!(error, FileStoreError::PassphraseNeeded { key: None, .. })
        });
        assert_eq!(fs::read(session_path(&home, "work")).unwrap(), content);
        assert!(!key_path(&home).exists());

        store_with_key(&home, &key)
            .save(&profile("by-key"), &full_session(1))
            .unwrap();
        check(&mut store_with_passphrase(&home, "correct horse"), "by-key", |error| {
            matches!(error, FileStoreError::KeyFileNeeded { .. })
        });
        assert_eq!(hints.len(), 4, "{hints:?}");

        // damage is told from a wrong passphrase, and may be replaced
        let sealed = HEADER_BYTES + KDF_PARAMS_BYTES;
        for (position, length) in [(sealed, content.len()), (0, sealed - 1), (0, content.len() - 1)] {
            let mut changed = content[..length].to_vec();
            if position > 0 {
                changed[position] ^= 1;
            }
            fs::write(session_path(&home, "work"), &changed).unwrap();
            let mut store = store_with_passphrase(&home, "correct horse");
            match file_error(store.load(&profile("work"))) {
                FileStoreError::Tampered { .. } => assert!(position > 0),
                FileStoreError::Truncated { found_bytes, .. } => assert_eq!(found_bytes, length),
                other => panic!("{other:?}"),
            }
            store.save(&profile("work"), &full_session(5)).unwrap();
            assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 5);
        }
    }

    #[test]
    fn what_other_stores_put_aside_is_no_session_and_a_successor_is_one() {
        let home = tempfile::tempdir().unwrap();
        let sessions = home.path().join("data/oauth/sessions");
        fs::create_dir_all(&sessions).unwrap();
        fs::write(sessions.join(".home.aside"), b"of a session in the keyring").unwrap();
        store(&home).probe(&profile("work")).unwrap();
        fs::remove_file(key_path(&home)).unwrap();

        let mut first = store_with_passphrase(&home, "correct horse");
        first.save(&profile("work"), &full_session(1)).unwrap();
        fs::rename(sessions.join("work"), sessions.join(".work.next")).unwrap();
        let mut second = store_with_passphrase(&home, "correct horse");
        assert_eq!(second.load(&profile("work")).unwrap().unwrap().generation, 1);
        for name in ["work", "third"] {
            second.save(&profile(name), &full_session(2)).unwrap();
        }
        assert_eq!(second.derived.len(), 1);
        fs::remove_file(sessions.join("work")).unwrap();
        fs::rename(sessions.join("third"), sessions.join(".third.next")).unwrap();
        assert!(matches!(
            file_error(store(&home).probe(&profile("fourth"))),
            FileStoreError::PassphraseNeeded { .. }
        ));
    }

    #[test]
    fn a_header_that_asks_for_too_much_is_refused_at_once() {
        let home = tempfile::tempdir().unwrap();
        let mut store = store_with_passphrase(&home, "correct horse");
        store.save(&profile("work"), &full_session(1)).unwrap();
        let content = fs::read(session_path(&home, "work")).unwrap();
        let derivation = MAGIC.len() + 2;
        let began = std::time::Instant::now();
        // 10 GiB of memory; passes for hours; lanes; nothing at all
        for (at, value) in [(0, 10 << 20), (4, u32::MAX), (8, u32::MAX), (0, 0_u32)] {
            let mut hostile = content.clone();
            hostile[derivation + at..derivation + at + 4].copy_from_slice(&value.to_be_bytes());
            fs::write(session_path(&home, "work"), &hostile).unwrap();
            for outcome in [
                store.load(&profile("work")).map(|_| ()),
                store.probe(&profile("work")),
                store.save(&profile("work"), &full_session(2)),
            ] {
                let error = file_error(outcome);
                assert!(
                    matches!(error, FileStoreError::DerivationRefused { .. }),
                    "{at}: {error:?}"
                );
                assert!(error.hints()[0].contains("log in again"), "{:?}", error.hints());
            }
        }
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }

    #[test]
    fn a_weak_derivation_is_read_and_not_taken_over() {
        let home = tempfile::tempdir().unwrap();
        let mut weak = KdfParams::draw().unwrap();
        weak.memory_kib = 64;
        let passphrase = Secret::from("correct horse");
        let key = StoreKey {
            bytes: weak.key(&passphrase).unwrap(),
            origin: KeyOrigin::Passphrase(weak),
        };
        let mut store = store_with_passphrase(&home, "correct horse");
        store.probe(&profile("work")).unwrap();
        let content = encrypt(&full_session(1).encode(), &key, "work").unwrap();
        fs::write(session_path(&home, "work"), content).unwrap();
        assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 1);
        store.save(&profile("work"), &full_session(2)).unwrap();
        let folder = PrivateDir::shared(&home.path().join("data/oauth/sessions"));
        assert!(derivation_of(&folder, "work").unwrap().is_strong_enough());
        assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 2);
    }

    #[test]
    fn a_passphrase_is_asked_for_once_to_open_and_as_a_new_one_for_a_new_file() {
        let home = tempfile::tempdir().unwrap();
        let (mut asking, asked) = store_that_asks(&home, "correct horse");
        // nothing there yet has a passphrase, so nothing is asked
        asking.probe(&profile("work")).unwrap();
        assert!(key_path(&home).exists());
        assert_eq!(*asked.lock().unwrap(), []);
        fs::remove_file(key_path(&home)).unwrap();

        store_with_passphrase(&home, "correct horse")
            .save(&profile("work"), &full_session(1))
            .unwrap();
        let (mut asking, asked) = store_that_asks(&home, "correct horse");
        asking.probe(&profile("work")).unwrap();
        assert_eq!(asking.load(&profile("work")).unwrap().unwrap().generation, 1);
        asking.save(&profile("work"), &full_session(2)).unwrap();
        assert_eq!(*asked.lock().unwrap(), [PassphraseUse::Open]);

        let (mut asking, asked) = store_that_asks(&home, "correct horse");
        asking.probe(&profile("home")).unwrap();
        asking.save(&profile("home"), &full_session(3)).unwrap();
        assert_eq!(*asked.lock().unwrap(), [PassphraseUse::Create]);
        assert!(!key_path(&home).exists());
        let mut given = store_with_passphrase(&home, "correct horse");
        assert_eq!(given.load(&profile("work")).unwrap().unwrap().generation, 2);
        assert_eq!(given.load(&profile("home")).unwrap().unwrap().generation, 3);
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_fixed_and_links_are_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&profile("work"), &full_session(1)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&home.path().join("data/oauth/sessions")), 0o700);
        assert_eq!(mode(&session_path(&home, "work")), 0o600);
        assert_eq!(mode(&key_path(&home)), 0o600);

        fs::set_permissions(key_path(&home), fs::Permissions::from_mode(0o640)).unwrap();
        let error = file_error(store(&home).load(&profile("work")));
        assert!(
            matches!(
                error,
                FileStoreError::File(PrivateFileError::TooOpen { mode: 0o640, .. })
            ),
            "{error:?}"
        );
        assert!(error.hints()[0].contains("chmod 600"));
        fs::set_permissions(key_path(&home), fs::Permissions::from_mode(0o600)).unwrap();

        // a named key may be open and a link: mounted secrets are
        let key = named_key(&home, "mounted.key", &fs::read_to_string(key_path(&home)).unwrap());
        symlink(&key, home.path().join("link.key")).unwrap();
        store_with_key(&home, &home.path().join("link.key"))
            .load(&profile("work"))
            .unwrap()
            .unwrap();

        let sessions = home.path().join("data/oauth/sessions");
        fs::rename(session_path(&home, "work"), home.path().join("moved")).unwrap();
        symlink(home.path().join("moved"), session_path(&home, "work")).unwrap();
        let error = file_error(store(&home).load(&profile("work")));
        assert!(
            matches!(error, FileStoreError::File(PrivateFileError::Symlink { .. })),
            "{error:?}"
        );
        fs::rename(&sessions, home.path().join("elsewhere")).unwrap();
        symlink(home.path().join("elsewhere"), &sessions).unwrap();
        for outcome in [
            store(&home).load(&profile("work")).map(|_| ()),
            store(&home).probe(&profile("work")),
            store(&home).save(&profile("work"), &full_session(1)),
            store(&home).delete(&profile("work")).map(|_| ()),
        ] {
            let error = file_error(outcome);
            assert!(
                matches!(error, FileStoreError::File(PrivateFileError::Symlink { .. })),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_before_and_at_saving() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("data"), b"a file in the way").unwrap();
        for outcome in [
            store(&home).probe(&profile("work")),
            store(&home).save(&profile("work"), &full_session(1)),
        ] {
            let error = file_error(outcome);
            assert!(
                matches!(error, FileStoreError::File(PrivateFileError::Io { .. })),
                "{error:?}"
            );
            assert!(error.hints().iter().any(|hint| hint.contains("--store none")));
        }
    }
}
