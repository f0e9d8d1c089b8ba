//! The keyring behind its deadlines, with a keyring that fails as real ones do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::exit::{Diagnosis, ExitCode};
use crate::store::fakes::{FakeKeyring, locked, prompt, refusal};
use crate::store::session::tests::full_session;
use keyring_core::Error as CoreError;

fn profile(name: &str) -> ProfileName {
    ProfileName::parse(name).unwrap()
}

fn store(keyring: &Arc<FakeKeyring>) -> KeyringStore {
    KeyringStore::over(keyring.platform(), Interaction::Forbidden, None)
}

/// Deadlines that a test can wait for.
fn hasty(keyring: &Arc<FakeKeyring>, interaction: Interaction, prompt: Duration) -> KeyringStore {
    KeyringStore {
        deadlines: Deadlines {
            quick: Duration::from_millis(50),
            prompt,
        },
        ..KeyringStore::over(keyring.platform(), interaction, None)
    }
}

fn keyring_error(outcome: Result<impl Sized, StoreError>) -> KeyringError {
    match outcome.err().unwrap() {
        StoreError::Keyring(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_comes_back_as_it_was_as_one_item_over_one_connection() {
    let keyring = FakeKeyring::new();
    let mut store = store(&keyring);
    assert!(store.load(&profile("work")).unwrap().is_none());
    let session = full_session(3);
    store.save(&profile("work"), &session).unwrap();
    assert_eq!(keyring.names(), ["work"]);
    let again = store.load(&profile("work")).unwrap().unwrap();
    assert_eq!(again.encode().expose(), session.encode().expose());
    assert!(store.delete(&profile("work")).unwrap());
    assert!(!store.delete(&profile("work")).unwrap());
    let calls = keyring.calls.lock().unwrap().clone();
    assert_eq!(calls.iter().filter(|call| *call == "connect").count(), 1);
}

#[test]
fn a_session_that_is_too_long_for_an_item_comes_back_and_goes_as_a_whole() {
    let keyring = FakeKeyring::with_small_items();
    let mut store = store(&keyring);
    let long = |generation: u64, length: usize| Session {
        id_token: Some(crate::secret::Secret::new("canary.".repeat(length / 7))),
        ..full_session(generation)
    };
    for session in [long(1, 16_000), long(2, 30_000), full_session(3), long(4, 5_000)] {
        store.probe(&profile("work")).unwrap();
        store.save(&profile("work"), &session).unwrap();
        let again = KeyringStore::over(keyring.platform(), Interaction::Forbidden, None)
            .load(&profile("work"))
            .unwrap()
            .unwrap();
        assert!(again.is_same_as(&session));
        let items = keyring.items.lock().unwrap();
        assert!(items.values().all(|item| item.len() <= 2560));
    }
    // the write that fails keeps the session before it
    keyring.interfere(|call, _| match call {
        "set work" => Err(refusal()),
        _ => Ok(()),
    });
    store.save(&profile("work"), &long(5, 20_000)).unwrap_err();
    keyring.leave_alone();
    assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 4);
    store.save(&profile("work"), &full_session(6)).unwrap();
    assert!(store.delete(&profile("work")).unwrap());
    store.probe(&profile("work")).unwrap();
    let left = keyring.names();
    assert!(left.iter().all(|name| name != "work"), "{left:?}");
}

#[test]
fn reading_takes_one_connection_and_one_call() {
    let keyring = FakeKeyring::new();
    store(&keyring).save(&profile("work"), &full_session(1)).unwrap();
    keyring.calls.lock().unwrap().clear();
    store(&keyring).load(&profile("work")).unwrap().unwrap();
    assert_eq!(*keyring.calls.lock().unwrap(), ["connect", "get work"]);
}

#[test]
fn profiles_of_another_config_file_are_others() {
    let keyring = FakeKeyring::new();
    let mut other = KeyringStore::over(keyring.platform(), Interaction::Forbidden, Some("@0a1b2c3d".to_owned()));
    other.save(&profile("work"), &full_session(1)).unwrap();
    assert_eq!(keyring.names(), ["work@0a1b2c3d"]);
    assert!(store(&keyring).load(&profile("work")).unwrap().is_none());
}

#[test]
fn profiles_that_differ_in_case_alone_are_two_items_where_case_does_not_count() {
    let keyring = FakeKeyring::ignoring_case();
    let mut store = store(&keyring);
    store.save(&profile("kr"), &full_session(1)).unwrap();
    store.save(&profile("KR"), &full_session(2)).unwrap();
    let names = keyring.names().into_iter().map(|name| name.to_lowercase());
    let different: std::collections::BTreeSet<_> = names.collect();
    assert_eq!(different.len(), 2);
    assert_eq!(store.load(&profile("kr")).unwrap().unwrap().generation, 1);
    assert!(store.delete(&profile("KR")).unwrap());
    assert_eq!(store.load(&profile("kr")).unwrap().unwrap().generation, 1);
}

#[test]
fn a_trial_shows_that_writing_works_and_leaves_nothing_behind() {
    let keyring = FakeKeyring::new();
    store(&keyring).probe(&profile("work")).unwrap();
    assert_eq!(keyring.names(), Vec::<String>::new());
    let calls = keyring.calls.lock().unwrap().join("\n");
    assert!(
        calls.contains("set #probe\nget #probe\n") && calls.ends_with("delete #probe"),
        "{calls}"
    );
    // what a killed trial left is removed by the next one
    keyring.put("#probe", TRIAL_VALUE);
    store(&keyring).probe(&profile("work")).unwrap();
    assert_eq!(keyring.names(), Vec::<String>::new());
}

#[test]
fn where_there_is_an_item_none_is_made_for_a_trial() {
    let keyring = FakeKeyring::new();
    store(&keyring).save(&profile("work"), &full_session(1)).unwrap();
    keyring.calls.lock().unwrap().clear();
    store(&keyring).probe(&profile("work")).unwrap();
    let mut prepared = store(&keyring);
    prepared.prepare_save(&profile("work")).unwrap();
    prepared.save(&profile("work"), &full_session(2)).unwrap();
    assert_eq!(
        *keyring.calls.lock().unwrap(),
        ["connect", "get work", "connect", "get work", "set work"]
    );
}

#[test]
fn a_trial_fails_where_saving_would() {
    let keyring = FakeKeyring::new();
    keyring.interfere(|call, _| {
        if call.starts_with("set") {
            Err(refusal())
        } else {
            Ok(())
        }
    });
    let error = keyring_error(store(&keyring).probe(&profile("work")));
    assert_eq!(
        error.to_string(),
        "the keyring refused to keep the session: the disk of the keyring is full"
    );
    // takes everything, keeps nothing
    keyring.interfere(|call, items| {
        if call.starts_with("get") {
            items.clear();
        }
        Ok(())
    });
    assert!(matches!(
        keyring_error(store(&keyring).probe(&profile("work"))),
        KeyringError::WriteNotPersisted
    ));
    // another trial of the same profile removes the item in between, once
    let mut removed = false;
    keyring.interfere(move |call, items| {
        if call == "get #probe" && !items.is_empty() && !removed {
            removed = true;
            items.clear();
        }
        Ok(())
    });
    store(&keyring).probe(&profile("work")).unwrap();

    keyring.leave_alone();
    keyring.put("work", br#"{"v":2}"#);
    let error = store(&keyring).probe(&profile("work")).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Record {
                source: SessionError::NewerVersion(2),
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_keyring_that_never_answers_is_left_after_the_deadline_and_asked_anew_later() {
    let keyring = FakeKeyring::new();
    keyring.close_gate();
    let mut store = hasty(&keyring, Interaction::Allowed, Duration::from_secs(600));
    for outcome in [
        store.load(&profile("work")).map(|_| ()),
        store.probe(&profile("work")),
        store.save(&profile("work"), &full_session(1)),
        store.delete(&profile("work")).map(|_| ()),
    ] {
        assert!(matches!(keyring_error(outcome), KeyringError::TimedOut { waited_s: 0 }));
    }
    keyring.open_gate();
    // it answers again, and nobody knows how fast on a busy machine
    store.deadlines.quick = store.deadlines.prompt;
    store.save(&profile("home"), &full_session(2)).unwrap();
    assert!(store.load(&profile("home")).unwrap().is_some());
}

#[test]
fn while_a_prompt_is_up_the_person_has_more_time_but_not_for_ever() {
    let keyring = FakeKeyring::new();
    keyring.put("work", full_session(1).encode().expose().as_bytes());
    prompt(&keyring, true);
    keyring.close_gate();
    let mut store = hasty(&keyring, Interaction::Allowed, Duration::from_secs(600));
    let answered = Arc::clone(&keyring);
    let person = std::thread::spawn(move || {
        // Slower than the quick deadline, which is what this is about
        std::thread::sleep(Duration::from_millis(200));
        answered.open_gate();
        prompt(&answered, false);
    });
    assert!(store.load(&profile("work")).unwrap().is_some());
    person.join().unwrap();

    prompt(&keyring, true);
    keyring.close_gate();
    let mut store = hasty(&keyring, Interaction::Allowed, Duration::from_millis(100));
    assert!(matches!(
        keyring_error(store.load(&profile("work"))),
        KeyringError::TimedOut { .. }
    ));
    keyring.open_gate();
}

#[test]
fn absent_locked_hanging_refusing_and_broken_are_different_errors_with_different_hints() {
    let errors = [
        KeyringError::NoBus { cause: String::new() },
        KeyringError::NoService { cause: String::new() },
        KeyringError::Locked,
        KeyringError::UnlockDismissed,
        KeyringError::PromptNotAllowed {
            operation: Operation::Delete,
        },
        KeyringError::PromptDismissed {
            operation: Operation::Write,
        },
        KeyringError::ForeignBus { uid: 1001 },
        KeyringError::NoDefaultKeyring,
        KeyringError::TimedOut { waited_s: 5 },
        KeyringError::Damaged { how: "is broken" },
        KeyringError::Record(SessionError::NewerVersion(2)),
        KeyringError::NoPlainSession,
    ];
    let mut firsts = std::collections::HashSet::new();
    for error in errors {
        let hints = error.hints();
        assert!(firsts.insert(hints[0].clone()), "{error}: {hints:?}");
        assert!(hints.iter().all(|hint| !hint.contains("command:")), "{hints:?}");
        assert_eq!(StoreError::from(error).exit_code(), ExitCode::Store);
    }
}

#[test]
fn a_locked_keyring_is_locked_for_every_call() {
    let keyring = FakeKeyring::new();
    keyring.interfere(|call, _| if call == "connect" { Ok(()) } else { Err(locked()) });
    let mut store = store(&keyring);
    for outcome in [
        store.load(&profile("work")).map(|_| ()),
        store.probe(&profile("work")),
        store.save(&profile("work"), &full_session(1)),
        store.delete(&profile("work")).map(|_| ()),
    ] {
        assert!(matches!(keyring_error(outcome), KeyringError::Locked));
    }
}

#[test]
fn no_error_shows_what_the_item_holds() {
    let canaries = [
        CoreError::BadEncoding(b"canary\xff".to_vec()),
        CoreError::BadDataFormat(b"canary".to_vec(), Box::new(std::io::Error::other("x"))),
    ];
    for error in canaries {
        let keyring = FakeKeyring::new();
        let mut error = Some(error);
        keyring.interfere(move |call, _| match error.take_if(|_| call.starts_with("get")) {
            Some(error) => Err(error),
            None => Ok(()),
        });
        let error = keyring_error(store(&keyring).load(&profile("work")));
        assert!(
            !format!("{error} {error:?}").to_lowercase().contains("99, 97, 110"),
            "{error:?}"
        );
        assert!(matches!(error, KeyringError::Damaged { .. }), "{error:?}");
    }
    for nonsense in [&b"canary"[..], b"{\"v\":1,\"generation\":\"canary\"}", b"canary\xff"] {
        let keyring = FakeKeyring::new();
        keyring.put("work", nonsense);
        let error = store(&keyring).load(&profile("work")).unwrap_err();
        assert!(matches!(error, StoreError::Record { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(error.hints()[0].contains("oauth login work"));
    }
}

#[test]
fn a_keyring_thread_that_dies_is_an_error_and_not_a_hang() {
    let keyring = FakeKeyring::new();
    keyring.interfere(|call, _| {
        if call == "get work" {
            panic!("the platform's fault")
        } else {
            Ok(())
        }
    });
    let error = keyring_error(store(&keyring).load(&profile("work")));
    assert!(matches!(error, KeyringError::Thread(None)), "{error:?}");
}
