//! Where a refreshed session waits when its store fails after the server has
//! spent the old refresh token: a keyring that is locked or killed, a disk that
//! is full, in just that moment.
//!
//! The file `.NAME@STORE.aside` is encrypted under the refresh token that is
//! still in the store: a program that cannot read the store cannot read the file. Whoever
//! loads the session afterwards gets what is in the file, and the next save
//! into this store removes it. One into another store does not: a move may end
//! before the profile names that one.

use super::profile_name::file_name;
use super::{CredentialStore, FileStoreError, ProfileName, Session, StoreError, StoreSettings, item_name};
use crate::hex::hex;
use crate::protocol::random::Randomness;
use crate::secret::Secret;
use crate::system::SystemRandomness;
use crate::system::files::{PermissionPolicy, PrivateDir};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

const MAGIC: &[u8; 20] = b"oauth session aside\n";
const NONCE_BYTES: usize = 24;
/// As much as the file store takes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A store with such a place beside it.
pub(super) struct RecoveringStore {
    store: Box<dyn CredentialStore>,
    /// Tried in this order.
    folders: Vec<PathBuf>,
    item_suffix: Option<String>,
    /// What the store itself holds, where the session that was last loaded came from a file.
    held: Option<(ProfileName, Secret)>,
}

impl RecoveringStore {
    pub(super) fn new(store: Box<dyn CredentialStore>, settings: &StoreSettings) -> Self {
        let mut folders = vec![settings.data_folder.join("oauth").join("sessions")];
        folders.extend(settings.runtime_folder.iter().map(|folder| folder.join("oauth")));
        RecoveringStore {
            store,
            folders,
            item_suffix: settings.item_suffix.clone(),
            held: None,
        }
    }

    /// What the file is encrypted under: not always the refresh token that was
    /// spent, since that may itself come from a file that waits.
    fn key<'a>(&'a self, profile: &ProfileName, spent: &'a Secret) -> &'a Secret {
        let held = self.held.as_ref().filter(|(name, _)| name == profile);
        held.map_or(spent, |(_, refresh_token)| refresh_token)
    }

    fn file_name(&self, item: &str) -> String {
        recovery_name(item, &self.store.name())
    }

    fn item(&self, profile: &ProfileName) -> String {
        item_name(profile, self.item_suffix.as_deref())
    }

    /// The session that waits, where it follows on the stored one. Of two, the
    /// newer one: a folder that took the first may not have taken the second.
    fn waiting(&self, profile: &ProfileName, stored: &Session) -> Option<Session> {
        let key = stored.refresh_token.as_ref()?;
        let item = self.item(profile);
        let found = self.folders.iter().filter_map(|folder| {
            let folder = PrivateDir::existing(folder).ok()??;
            let content = folder
                .read(&self.file_name(&item), MAX_FILE_BYTES, PermissionPolicy::Refuse)
                .ok()??;
            let session = Session::decode(unseal(&content, key, &item)?.expose()).ok()?;
            (session.generation > stored.generation).then_some(session)
        });
        found.max_by_key(|session| session.generation)
    }

    /// Removes what waits; a file that stays is one that no session fits any more.
    fn clear(&self, profile: &ProfileName) {
        let item = self.item(profile);
        for folder in &self.folders {
            if let Ok(Some(folder)) = PrivateDir::existing(folder) {
                let _ = folder.remove(&self.file_name(&item));
            }
        }
    }
}

impl CredentialStore for RecoveringStore {
    fn describe(&self) -> String {
        self.store.describe()
    }

    fn name(&self) -> String {
        self.store.name()
    }

    fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        let stored = self.store.load(profile)?;
        self.held = None;
        let Some(stored) = stored else { return Ok(None) };
        let Some(waiting) = self.waiting(profile, &stored) else {
            return Ok(Some(stored));
        };
        self.held = stored
            .refresh_token
            .map(|refresh_token| (profile.clone(), refresh_token));
        Ok(Some(waiting))
    }

    fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError> {
        self.store.save(profile, session)?;
        self.held = None;
        self.clear(profile);
        Ok(())
    }

    fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError> {
        let existed = self.store.delete(profile)?;
        self.held = None;
        self.clear(profile);
        Ok(existed)
    }

    fn probe(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.store.probe(profile)
    }

    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.store.prepare_save(profile)
    }

    fn save_recovery(
        &mut self,
        profile: &ProfileName,
        spent: &Secret,
        session: &Session,
    ) -> Result<PathBuf, StoreError> {
        let item = self.item(profile);
        let content = seal(&session.encode(), self.key(profile, spent), &item)?;
        let mut outcome = Err(FileStoreError::TooLarge.into());
        for path in &self.folders {
            let name = self.file_name(&item);
            // Killed while it waits for the disk, the process has kept it; what was there before is older
            let kept = PrivateDir::make(path).and_then(|folder| folder.replace_then_sync(&name, &content));
            match kept {
                Ok(()) => return Ok(path.join(name)),
                Err(error) => outcome = Err(FileStoreError::from(error).into()),
            }
        }
        outcome
    }

    fn notice(&mut self) -> Option<String> {
        self.store.notice()
    }
}

/// Of no session's file: those do not begin with a dot.
fn recovery_name(item: &str, store: &str) -> String {
    // a helper's name is a path
    let store = match store.split_once(':') {
        Some((kind, helper)) => format!("{kind}-{}", hex(&Sha256::digest(helper)[..8])),
        None => store.to_owned(),
    };
    format!(".{}@{store}.aside", file_name(item))
}

fn cipher(refresh_token: &Secret) -> XChaCha20Poly1305 {
    let key = Sha256::new()
        .chain_update(MAGIC)
        .chain_update(refresh_token.expose())
        .finalize();
    XChaCha20Poly1305::new(&key)
}

fn associated_data(item: &str) -> Vec<u8> {
    [MAGIC.as_slice(), item.as_bytes()].concat()
}

fn seal(record: &Secret, refresh_token: &Secret, item: &str) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0_u8; NONCE_BYTES];
    SystemRandomness.fill(&mut nonce)?;
    let plain = record.expose().as_bytes();
    // Room for the tag from the start: a vector that grew would leave the record behind in memory
    let mut sealed = Vec::with_capacity(plain.len() + 16);
    sealed.extend_from_slice(plain);
    cipher(refresh_token)
        .encrypt_in_place(&XNonce::from(nonce), &associated_data(item), &mut sealed)
        .map_err(|_| FileStoreError::TooLarge)?;
    Ok([MAGIC.as_slice(), &nonce, &sealed].concat())
}

/// `None` where this is not the refresh token that it was sealed with.
fn unseal(content: &[u8], refresh_token: &Secret, item: &str) -> Option<Secret> {
    let (nonce, sealed) = content.strip_prefix(MAGIC)?.split_at_checked(NONCE_BYTES)?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).ok()?;
    let mut opened = sealed.to_vec();
    cipher(refresh_token)
        .decrypt_in_place(&XNonce::from(nonce), &associated_data(item), &mut opened)
        .ok()?;
    String::from_utf8(opened).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::session::tests::full_session;
    use super::super::{FileKey, Interaction, StoreKind, open};
    use super::*;
    use crate::protocol::time::UnixSeconds;
    use std::fs;
    use tempfile::TempDir;

    fn store(home: &TempDir) -> Box<dyn CredentialStore> {
        open(StoreSettings {
            kind: StoreKind::File,
            interaction: Interaction::Forbidden,
            keyring_session: None,
            session_bus: None,
            item_suffix: None,
            data_folder: home.path().join("data"),
            config_folder: home.path().join("config"),
            runtime_folder: Some(home.path().join("run")),
            file_key: FileKey::Generated,
            ask_passphrase: None,
            child_environment: Vec::new(),
        })
        .unwrap()
    }

    fn work() -> ProfileName {
        ProfileName::parse("work").unwrap()
    }

    /// A session that follows on `full_session(1)`.
    fn refreshed() -> Session {
        Session {
            refresh_token: Some(Secret::from("canary-new-refresh-token")),
            ..full_session(2)
        }
    }

    fn spent() -> Secret {
        full_session(1).refresh_token.unwrap()
    }

    fn generation(home: &TempDir) -> Option<u64> {
        let session = store(home).load(&work()).unwrap();
        session.map(|session| session.generation)
    }

    #[test]
    fn what_was_kept_aside_is_loaded_until_something_newer_is_saved() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        let path = store(&home).save_recovery(&work(), &spent(), &refreshed()).unwrap();
        let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!content.contains("canary"), "{content}");
        assert_eq!(generation(&home), Some(2));
        store(&home).save(&work(), &full_session(3)).unwrap();
        assert_eq!(generation(&home), Some(3));
        assert!(!path.exists());
    }

    #[test]
    fn what_is_kept_aside_again_follows_on_the_store_and_not_on_what_waited() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        store(&home).save_recovery(&work(), &spent(), &refreshed()).unwrap();
        // the next process refreshes what waits, and its store fails again
        let mut next = store(&home);
        let waiting = next.load(&work()).unwrap().unwrap();
        let newest = Session {
            refresh_token: Some(Secret::from("canary-newest-refresh-token")),
            ..full_session(3)
        };
        next.save_recovery(&work(), &waiting.refresh_token.unwrap(), &newest)
            .unwrap();
        assert_eq!(generation(&home), Some(3));
    }

    #[test]
    fn of_two_that_wait_in_two_folders_the_newer_one_counts() {
        for order in [
            ["data/oauth/sessions", "run/oauth"],
            ["run/oauth", "data/oauth/sessions"],
        ] {
            let home = tempfile::tempdir().unwrap();
            store(&home).save(&work(), &full_session(1)).unwrap();
            for (folder, generation) in order.into_iter().zip([2, 3]) {
                let mut with_one_folder = RecoveringStore {
                    store: Box::new(Elsewhere("file")),
                    folders: vec![home.path().join(folder)],
                    item_suffix: None,
                    held: None,
                };
                let session = Session {
                    generation,
                    ..refreshed()
                };
                with_one_folder.save_recovery(&work(), &spent(), &session).unwrap();
            }
            assert_eq!(generation(&home), Some(3), "{order:?}");
        }
    }

    #[test]
    fn a_copy_in_another_store_leaves_what_waits_beside_this_one() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        store(&home).save_recovery(&work(), &spent(), &refreshed()).unwrap();
        let other = |name: &'static str| RecoveringStore {
            store: Box::new(Elsewhere(name)),
            folders: vec![home.path().join("data/oauth/sessions")],
            item_suffix: None,
            held: None,
        };
        for name in ["keyring", "command:/usr/bin/docker-credential-pass"] {
            other(name).save(&work(), &full_session(3)).unwrap();
            assert_eq!(generation(&home), Some(2), "{name}");
            other(name).delete(&work()).unwrap();
            assert_eq!(generation(&home), Some(2), "{name}");
        }
    }

    /// Another store, which takes everything.
    struct Elsewhere(&'static str);

    impl CredentialStore for Elsewhere {
        fn describe(&self) -> String {
            self.0.to_owned()
        }

        fn name(&self) -> String {
            self.0.to_owned()
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

    #[test]
    fn it_is_removed_with_the_session() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        let path = store(&home).save_recovery(&work(), &spent(), &refreshed()).unwrap();
        assert!(store(&home).delete(&work()).unwrap());
        assert!(!path.exists());
        assert_eq!(generation(&home), None);
    }

    #[test]
    fn once_the_store_has_caught_up_a_file_that_stayed_counts_no_more() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        // from a server that does not rotate refresh tokens, so that the file fits both records
        let path = store(&home).save_recovery(&work(), &spent(), &full_session(2)).unwrap();
        let elsewhere = home.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        // an access token that an API rejected counts as expired; the generation stays
        let mut marked = full_session(2);
        marked.tokens[0].expires_at = Some(UnixSeconds(0));
        store(&home).save(&work(), &marked).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
        assert!(store(&home).load(&work()).unwrap().unwrap().is_same_as(&marked));
    }

    #[test]
    fn of_another_login_or_changed_it_is_not_taken() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        let stranger = Secret::from("another refresh token");
        let path = store(&home).save_recovery(&work(), &stranger, &refreshed()).unwrap();
        assert_eq!(generation(&home), Some(1));
        store(&home).save_recovery(&work(), &spent(), &refreshed()).unwrap();
        let whole = fs::read(&path).unwrap();
        for content in [&whole[..0], &whole[..whole.len() - 1], &[0; 100]] {
            fs::write(&path, content).unwrap();
            assert_eq!(generation(&home), Some(1));
        }
    }

    #[test]
    fn of_another_profile_it_is_not_taken_even_with_the_same_refresh_token() {
        let home = tempfile::tempdir().unwrap();
        let play = ProfileName::parse("play").unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        let path = store(&home).save_recovery(&play, &spent(), &refreshed()).unwrap();
        fs::rename(&path, path.with_file_name(".work@file.aside")).unwrap();
        assert_eq!(generation(&home), Some(1));
    }

    #[test]
    fn that_the_store_takes_nothing_is_known_before_a_refresh_token_is_spent() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("data"), "a file where the folder would be").unwrap();
        assert!(store(&home).probe(&work()).is_err());
        assert!(store(&home).prepare_save(&work()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn where_the_first_folder_takes_nothing_it_goes_to_the_second() {
        let home = tempfile::tempdir().unwrap();
        store(&home).save(&work(), &full_session(1)).unwrap();
        // a folder in its place keeps the file from being made, for root too
        let blocked = home.path().join("data/oauth/sessions/.work@file.aside");
        fs::create_dir(&blocked).unwrap();
        let path = store(&home).save_recovery(&work(), &spent(), &refreshed()).unwrap();
        assert!(path.starts_with(home.path().join("run")), "{}", path.display());
        assert_eq!(generation(&home), Some(2));
        store(&home).save(&work(), &full_session(3)).unwrap();
        assert!(!path.exists());
    }
}
