//! Values of every length, and writers that die between two calls.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::store::fakes::{FakeKeyring, locked, refusal};
use keyring_core::CredentialStore;
use std::sync::Arc;

const LIMIT_BYTES: usize = 2560;

fn small() -> (Arc<FakeKeyring>, Arc<CredentialStore>) {
    let keyring = FakeKeyring::with_small_items();
    let store = keyring.connect().unwrap();
    (keyring, store)
}

/// A value in which no two places are alike.
fn value(length: usize, seed: usize) -> Vec<u8> {
    (0..length)
        .map(|index| b'!' + u8::try_from((index * 7 + index / 89 + seed) % 90).unwrap())
        .collect()
}

fn put(store: &CredentialStore, value: &[u8]) -> Result<(), KeyringError> {
    write(store, "work", value, Some(LIMIT_BYTES))
}

fn got(store: &CredentialStore) -> Vec<u8> {
    read(store, "work").unwrap().unwrap().to_vec()
}

#[test]
fn values_of_every_length_come_back_and_no_item_is_over_the_limit() {
    let (keyring, store) = small();
    for length in [
        0,
        1,
        2399,
        2400,
        2401,
        2559,
        2560,
        2561,
        4800,
        4801,
        7200,
        20_000,
        MAX_CHUNKED_BYTES,
    ] {
        let value = value(length, length);
        put(&*store, &value).unwrap();
        assert!(got(&*store) == value, "{length}");
        let expected = if length <= LIMIT_BYTES {
            1
        } else {
            1 + length.div_ceil(2400)
        };
        assert_eq!(keyring.names().len(), expected, "{length}: {:?}", keyring.names());
    }
    put(&*store, &value(10, 0)).unwrap();
    assert_eq!(keyring.names(), ["work"]);
    put(&*store, &value(10_000, 0)).unwrap();
    assert!(delete(&*store, "work").unwrap());
    assert_eq!(keyring.names(), Vec::<String>::new());
    assert!(!delete(&*store, "work").unwrap());
    assert!(read(&*store, "work").unwrap().is_none());
}

#[test]
fn more_than_the_keyring_can_hold_is_told_and_the_old_value_stays() {
    let (_, store) = small();
    put(&*store, b"old").unwrap();
    let error = put(&*store, &value(MAX_CHUNKED_BYTES + 1, 0)).unwrap_err();
    assert!(
        matches!(
            error,
            KeyringError::TooLarge {
                size_bytes: Some(65_537),
                ..
            }
        ),
        "{error:?}"
    );
    // a limit that nobody told us about
    let error = write(&*store, "work", &value(3000, 0), None).unwrap_err();
    assert!(
        matches!(
            error,
            KeyringError::TooLarge {
                size_bytes: None,
                limit_bytes: 2560
            }
        ),
        "{error:?}"
    );
    assert_eq!(got(&*store), b"old");
}

#[test]
fn a_writer_that_dies_at_any_call_leaves_the_old_value_or_the_new_one() {
    let old = value(6000, 1);
    let new = value(9000, 2);
    let newest = value(3000, 3);
    for dies_at in 0.. {
        let (keyring, store) = small();
        put(&*store, &old).unwrap();
        let mut calls = 0;
        keyring.interfere(move |_, _| {
            calls += 1;
            if calls > dies_at { Err(refusal()) } else { Ok(()) }
        });
        let outcome = put(&*store, &new);
        keyring.leave_alone();
        let after = got(&*store);
        match outcome {
            // what is written counts as written, even when the old chunks could not be removed
            Ok(()) => assert!(after == new, "{dies_at}"),
            Err(_) => assert!(after == old, "{dies_at}"),
        }
        // and the next writer leaves nothing of it
        put(&*store, &newest).unwrap();
        assert!(got(&*store) == newest);
        delete(&*store, "work").unwrap();
        if dies_at > 40 {
            assert_eq!(keyring.names(), Vec::<String>::new());
            break;
        }
    }
}

#[test]
fn the_header_is_written_last_and_living_chunks_are_never_written_to() {
    let (keyring, store) = small();
    for (old, new) in [(None, 1), (Some(1), 2), (Some(2), 3)] {
        keyring.calls.lock().unwrap().clear();
        put(&*store, &value(6000, new)).unwrap();
        let calls = keyring.calls.lock().unwrap().clone();
        let written: Vec<&String> = calls.iter().filter(|call| call.starts_with("set ")).collect();
        let expected = [0, 1, 2].map(|index| format!("set work#{new}#{index}"));
        assert_eq!(written[..3], expected.iter().collect::<Vec<_>>());
        assert_eq!(written[3..], ["set work"]);
        // and the old ones go when the new ones count
        let header_at = calls.iter().position(|call| call == "set work").unwrap();
        for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.starts_with("delete ")) {
            assert!(at > header_at, "{call} before the header: {calls:?}");
        }
        if let Some(old) = old {
            assert!(calls.contains(&format!("delete work#{old}#2")), "{calls:?}");
        }
    }
}

#[test]
fn orphans_of_a_killed_writer_are_removed_by_the_next_one() {
    let (keyring, store) = small();
    put(&*store, &value(6000, 1)).unwrap();
    keyring.interfere(|call, _| if call == "set work" { Err(refusal()) } else { Ok(()) });
    put(&*store, &value(20_000, 2)).unwrap_err();
    keyring.leave_alone();
    assert!(keyring.names().len() > 10);
    put(&*store, &value(3000, 3)).unwrap();
    assert_eq!(keyring.names(), ["work", "work#2#0", "work#2#1"]);
}

#[test]
fn lost_changed_and_swapped_chunks_are_damage_that_can_be_written_over() {
    type Damage = fn(&FakeKeyring);
    let damages: [(&str, Damage); 7] = [
        ("lost", |keyring| {
            keyring.items.lock().unwrap().remove("work#1#1");
        }),
        ("changed", |keyring| {
            keyring.items.lock().unwrap().get_mut("work#1#0").unwrap()[0] ^= 1
        }),
        ("shorter", |keyring| {
            keyring.items.lock().unwrap().get_mut("work#1#2").unwrap().truncate(5)
        }),
        ("longer", |keyring| {
            keyring
                .items
                .lock()
                .unwrap()
                .get_mut("work#1#2")
                .unwrap()
                .extend(b"xyz")
        }),
        ("swapped", |keyring| {
            let mut items = keyring.items.lock().unwrap();
            let first = items.remove("work#1#0").unwrap();
            let second = items.insert("work#1#1".to_owned(), first).unwrap();
            items.insert("work#1#0".to_owned(), second);
        }),
        ("header", |keyring| {
            keyring.put("work", br#"{"oauth_chunks":1,"generation":"#)
        }),
        ("sizes", |keyring| {
            keyring.put(
                "work",
                br#"{"oauth_chunks":1,"generation":1,"count":999999999,"bytes":9999999999,"sha256":""}"#,
            );
        }),
    ];
    for (name, damage) in damages {
        let (keyring, store) = small();
        put(&*store, &value(6000, 1)).unwrap();
        damage(&keyring);
        let error = read(&*store, "work").unwrap_err();
        assert!(matches!(error, KeyringError::Damaged { .. }), "{name}: {error:?}");
        put(&*store, &value(5000, 2)).unwrap();
        assert!(got(&*store) == value(5000, 2), "{name}");
    }
}

#[test]
fn a_value_that_is_replaced_while_it_is_read_is_read_again() {
    let (keyring, store) = small();
    put(&*store, &value(6000, 1)).unwrap();
    // between the header and the last chunk a whole other value appears
    let (other, other_store) = small();
    put(&*other_store, &value(6000, 1)).unwrap();
    put(&*other_store, &value(8000, 2)).unwrap();
    let mut replacement = Some(other.items.lock().unwrap().clone());
    keyring.interfere(move |call, items| {
        if call == "get work#1#1"
            && let Some(replacement) = replacement.take()
        {
            *items = replacement;
        }
        Ok(())
    });
    assert!(got(&*store) == value(8000, 2));
}

#[test]
fn what_a_newer_program_wrote_is_left_alone() {
    let record = [
        br#"{"v":2,"sealed":""#.to_vec(),
        value(4000, 0).iter().map(|_| b'x').collect(),
        br#""}"#.to_vec(),
    ]
    .concat();
    for newer in [br#"{"v":2}"#.to_vec(), record] {
        let (keyring, store) = small();
        put(&*store, &newer).unwrap();
        let before = keyring.items.lock().unwrap().clone();
        for outcome in [put(&*store, b"{}"), check_replaceable(&*store, "work").map(drop)] {
            assert!(
                matches!(outcome, Err(KeyringError::Record(SessionError::NewerVersion(2)))),
                "{outcome:?}"
            );
        }
        assert_eq!(*keyring.items.lock().unwrap(), before);
    }
    let (keyring, store) = small();
    keyring.put(
        "work",
        br#"{"oauth_chunks":2,"generation":1,"count":0,"bytes":0,"sha256":""}"#,
    );
    assert!(matches!(
        put(&*store, b"{}"),
        Err(KeyringError::Record(SessionError::NewerVersion(2)))
    ));
}

#[test]
fn a_locked_keyring_is_an_error_and_not_an_absent_value() {
    let (keyring, store) = small();
    keyring.interfere(|_, _| Err(locked()));
    assert!(matches!(read(&*store, "work"), Err(KeyringError::Locked)));
    assert!(matches!(put(&*store, b"{}"), Err(KeyringError::Locked)));
    assert!(matches!(delete(&*store, "work"), Err(KeyringError::Locked)));
}
