//! The encrypted file: one a profile, for machines without a keyring.
//!
//! `oauth/sessions/NAME` in the data folder is a header and the record under
//! XChaCha20-Poly1305 with a random nonce; header and name are authenticated,
//! so that a file moved to another profile does not open. The key is in a file
//! that the user names, or in `oauth/store.key` of the configuration folder,
//! which the first login makes: who reads both folders has the tokens. Or it is
//! made from a passphrase; the files of a folder then share their salt, so that
//! one run makes the key once, however many of them it reads.

pub(super) mod error;
mod format;
pub(super) mod passphrase;
pub(super) mod sealed;
#[cfg(test)]
mod tests;

use super::profile_name::file_name;
use super::session::{Session, SessionError};
use super::{CredentialStore, FileKey, ProfileName, StoreError, StoreKind, StoreSettings, item_name};
use crate::fault::{self, Point};
use crate::protocol::random::Randomness;
use crate::secret::Secret;
use crate::system::SystemRandomness;
use crate::system::files::{FileError, PermissionPolicy, PrivateDir, named};
use error::FileStoreError;
use format::MAX_FILE_BYTES;
use passphrase::{KEY_BYTES, KdfError, KdfParams, PassphrasePrompt, PassphraseUse};
use sealed::{KeyOrigin, SealedSession, StoreKey, encrypt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Room for the base64 of a key, a line end, and some mistakes to be told about.
const MAX_KEY_FILE_BYTES: u64 = 1024;
/// About the size of a session, for trying whether the disk takes one.
const MIN_TRIAL_BYTES: usize = 8 * 1024;
const MAX_TRIAL_BYTES: usize = 1024 * 1024;
const KEY_FILE_NAME: &str = "store.key";

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
    prepared: Option<PreparedSave>,
}

/// What a save needs, found out before.
struct PreparedSave {
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
            prepared: None,
        }
    }

    /// What keeps two profiles apart, inside the file.
    fn item(&self, profile: &ProfileName) -> String {
        item_name(profile, self.item_suffix.as_deref())
    }

    fn key_path(&self) -> PathBuf {
        match &self.key {
            FileKey::Named(path) => path.clone(),
            FileKey::Generated | FileKey::Passphrase(_) => self.own_key_folder.join(KEY_FILE_NAME),
        }
    }

    /// The key of the key file, or `None` where the user named none and none
    /// has been made yet, or where the key is made from a passphrase.
    fn existing_key(&self) -> Result<Option<StoreKey>, FileStoreError> {
        let path = self.key_path();
        let content = match &self.key {
            FileKey::Named(path) => Some(read_named_key(path)?),
            FileKey::Generated => read_own_key(&self.own_key_folder)?.map(Zeroizing::new),
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
        let text = sealed::key_file(&bytes);
        let folder = PrivateDir::make_shared(&self.own_key_folder).map_err(FileStoreError::from)?;
        if folder
            .create(KEY_FILE_NAME, text.as_bytes())
            .map_err(FileStoreError::from)?
        {
            self.notice = Some(format!(
                "made the key `{}`: anyone who can read it and `{}` can use the tokens",
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
            (FileKey::Passphrase(passphrase), _, _) | (FileKey::Generated, Some(passphrase), _) => passphrase.clone(),
            (FileKey::Named(key), _, _) => return Err(needed(Some(key.clone()))),
            (FileKey::Generated, None, None) => return Err(needed(None)),
            (FileKey::Generated, None, Some(ask)) => {
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
        let pending = folder.pending(&name, MAX_FILE_BYTES, PermissionPolicy::Tighten)?;
        let content = folder.read(&name, MAX_FILE_BYTES, PermissionPolicy::Tighten)?;
        if pending.is_none() && content.is_none() {
            return Ok(None);
        }
        let path = folder.file(&name);
        let newer = pending.map(|content| self.decrypt(&content, key.clone(), profile, &path));
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
            ) => self.decrypt(&content, key, profile, &path).map(Some),
            (Some(Err(error)), _) => Err(error),
            (None, None) => Ok(None),
        }
    }

    /// The record in this content. `key` is that of the key file, where there is one.
    fn decrypt(
        &mut self,
        content: &[u8],
        key: Option<StoreKey>,
        profile: &ProfileName,
        path: &Path,
    ) -> Result<Secret, FileStoreError> {
        let sealed = SealedSession::parse(content, path)?;
        let key = match (sealed.derivation, key) {
            (Some(derivation), _) => self.key_of_passphrase(derivation, PassphraseUse::Open, path)?,
            (None, Some(key)) => key,
            (None, None) if matches!(self.key, FileKey::Passphrase(_)) => {
                return Err(FileStoreError::KeyFileNeeded {
                    path: path.to_path_buf(),
                    profile: profile.clone(),
                });
            }
            (None, None) => self.key_of_a_session()?,
        };
        sealed.open(&key, &self.item(profile), path)
    }

    /// Refuses what must not be overwritten: what a newer program wrote, and
    /// what another key may still open. What is damaged may go.
    fn check_replaceable(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        match self.read(profile) {
            Ok(None) => Ok(()),
            Ok(Some(record)) => match Session::decode(record.expose()) {
                Err(source) if !source.is_damage() => Err(self.bad_record(profile, source)),
                Ok(_) | Err(_) => Ok(()),
            },
            Err(error) if error.is_damage() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows that a save would work; the key for it. Unfinished files of
    /// `abandoned` are removed whatever their age.
    fn test_save(&mut self, profile: &ProfileName, abandoned: Option<&str>) -> Result<StoreKey, StoreError> {
        let folder = PrivateDir::make(&self.sessions).map_err(FileStoreError::from)?;
        folder.sweep(abandoned).map_err(FileStoreError::from)?;
        let key = self.key_to_write_with(&folder, profile)?;
        self.check_replaceable(profile)?;
        let name = file_name(&self.item(profile));
        // The next session will not be much larger than this one; what is damaged can have any length
        let trial_bytes = folder.length_bytes(&name).clamp(MIN_TRIAL_BYTES, MAX_TRIAL_BYTES);
        folder.test_write(&name, trial_bytes).map_err(FileStoreError::from)?;
        Ok(key)
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
        let key = match self.prepared.take() {
            Some(prepared) if prepared.item == item => prepared.key,
            _ => {
                let key = self.key_to_write_with(&folder, profile)?;
                self.check_replaceable(profile)?;
                key
            }
        };
        let content = encrypt(&session.encode(), &key, &item)?;
        folder
            .replace_durably(&file_name(&item), &content)
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
        self.test_save(profile, None).map(drop)
    }

    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        let item = self.item(profile);
        // Under the lock nobody else writes this one
        let key = self.test_save(profile, Some(&file_name(&item)))?;
        self.prepared = Some(PreparedSave { item, key });
        Ok(())
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }
}

/// The key file that the user named: mounted secrets are links and open to
/// others by design, so neither is refused.
fn read_named_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileStoreError> {
    named::read(path).map_err(|source| FileStoreError::KeyFile {
        path: path.to_path_buf(),
        source,
    })
}

fn read_own_key(folder: &Path) -> Result<Option<Vec<u8>>, FileStoreError> {
    match PrivateDir::existing_shared(folder)? {
        Some(folder) => Ok(folder.read(KEY_FILE_NAME, MAX_KEY_FILE_BYTES, PermissionPolicy::Refuse)?),
        None => Ok(None),
    }
}

/// How the key of this session is made from a passphrase; `None` where it is
/// not, or where there is no session that could be read.
fn derivation_of(sessions: &PrivateDir, name: &str) -> Option<KdfParams> {
    let read = |content: Result<Option<Vec<u8>>, FileError>| content.ok().flatten();
    let content = read(sessions.read(name, MAX_FILE_BYTES, PermissionPolicy::Tighten))
        .or_else(|| read(sessions.pending(name, MAX_FILE_BYTES, PermissionPolicy::Tighten)))?;
    SealedSession::parse(&content, &sessions.file(name)).ok()?.derivation
}
