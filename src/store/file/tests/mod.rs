//! Encrypted files: keys that are lost, wrong or made twice at once, files that
//! are torn or changed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folders;
mod passphrase;

use super::format::{FINGERPRINT_BYTES, HEADER_BYTES, LENGTH_BYTES, MAGIC};
use super::*;
use crate::exit::{Diagnosis, ExitCode};
use crate::store::session::tests::full_session;
use crate::store::{Interaction, KeyringSession};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::sync::{Arc, Barrier, Mutex};
use tempfile::TempDir;

fn settings(home: &TempDir) -> StoreSettings {
    StoreSettings {
        kind: StoreKind::File,
        interaction: Interaction::Forbidden,
        keyring_session: None::<KeyringSession>,
        session_bus: None,
        item_suffix: None,
        data_folder: home.path().join("data"),
        config_folder: home.path().join("config"),
        runtime_folder: None,
        file_key: FileKey::Generated,
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

/// The text with its paths as Unix writes them.
fn with_slashes(text: &str) -> String {
    text.replace(std::path::MAIN_SEPARATOR, "/")
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
    assert!(with_slashes(&store(&home).describe()).contains("data/oauth/sessions"));
}

#[test]
fn the_first_use_makes_the_key_and_says_so_once() {
    let home = tempfile::tempdir().unwrap();
    let mut store = store(&home);
    store.probe(&profile("work")).unwrap();
    let notice = with_slashes(&store.notice().unwrap());
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
    // wine does not replace a file that another writer has open, as Windows does since version 1607 of Windows 10
    let turn = Mutex::new(());
    std::thread::scope(|scope| {
        for writer in 0..8_u64 {
            let (home, start, turn) = (&home, &start, &turn);
            scope.spawn(move || {
                start.wait();
                let own = profile(&format!("writer-{writer}"));
                for generation in 0..5 {
                    store(home).save(&own, &full_session(generation)).unwrap();
                    let alone = cfg!(windows).then(|| turn.lock().unwrap());
                    store(home).save(&profile("shared"), &full_session(writer)).unwrap();
                    drop(alone);
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
fn leave_pending(home: &TempDir, session: &Session) {
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
    leave_pending(&home, &full_session(2));
    assert_eq!(generation(), Some(2));
    store(&home).save(&profile("work"), &full_session(3)).unwrap();
    assert_eq!(generation(), Some(3));
    leave_pending(&home, &full_session(4));
    assert!(store(&home).delete(&profile("work")).unwrap());
    assert_eq!(generation(), None);
}

#[test]
fn a_torn_pending_file_does_not_hide_the_session() {
    let home = tempfile::tempdir().unwrap();
    store(&home).save(&profile("work"), &full_session(1)).unwrap();
    leave_pending(&home, &full_session(2));
    let pending = session_path(&home, "work").with_file_name(".work.next");
    let whole = fs::read(&pending).unwrap();
    for length in [0, 1, HEADER_BYTES, whole.len() - 1] {
        fs::write(&pending, &whole[..length]).unwrap();
        let session = store(&home).load(&profile("work")).unwrap().unwrap();
        assert_eq!(session.generation, 1);
    }
    fs::write(&pending, vec![0; whole.len()]).unwrap();
    assert_eq!(store(&home).load(&profile("work")).unwrap().unwrap().generation, 1);
}
