//! Keys that are made from a passphrase.

use super::super::passphrase::{KDF_PARAMS_BYTES, KdfParams};
use super::super::sealed::{KeyOrigin, StoreKey, encrypt};
use super::*;

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
fn what_other_stores_put_aside_is_not_a_session_and_a_pending_file_is_one() {
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
    let folder = PrivateDir::existing(&home.path().join("data/oauth/sessions"))
        .unwrap()
        .unwrap();
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
