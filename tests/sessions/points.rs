//! Killed, or failed, at each named point (`src/fault.rs`).

use crate::place::{Place, Spent, Store, start, was_killed};
use crate::support::outcome::{finish, run};
use crate::times;
use oauth::fault::Point;
use std::process::Command;

/// What the next `oauth token` finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// As if nothing had been: it refreshes.
    Unchanged,
    /// The server has spent the refresh token, and the answer is gone.
    AnswerLost,
    /// The new session is there: it prints its token.
    Stored,
}

/// Runs it with this point armed; it must be killed there.
fn killed_at(command: &mut Command, point: &str) {
    let mut process = start(command.env("OAUTH_FAULT", point));
    let status = process.wait().expect("its end");
    assert!(was_killed(status), "{point} was not passed: {:?}", finish(process));
}

fn refresh_killed(store: Store, spent: Spent, point: &str, after: After) {
    let Some(place) = Place::logged_in(store, spent, "0ms") else {
        return;
    };
    for _ in 0..times(2, 20) {
        place.expire();
        let (generation, refreshes) = (place.generation(), place.refreshes());
        killed_at(&mut place.oauth(&["token", "work"]), point);
        let is_stored = place.home_sees_newer_than(generation);
        assert_eq!(is_stored, after == After::Stored, "{point}, {store:?}");
        let next = place.token();
        let granted = place.refreshes() - refreshes;
        match (after, spent) {
            (After::AnswerLost, Spent::Refused) => {
                let next = next.expect_error(4);
                assert!(next.hints().contains("its answer is lost"), "{next:?}");
                assert!(place.record().expect("the record stays")["dead"].is_object());
                place.log_in();
            }
            (After::AnswerLost, Spent::WithGrace) => {
                next.expect_code(0).says(&["retrying with the same refresh token"]);
                assert_eq!(granted, 2, "the same once more");
            }
            (After::Unchanged | After::Stored, _) => {
                next.expect_code(0);
                assert_eq!(granted, 1, "{point}, {store:?}");
            }
        }
        assert_eq!(place.unfinished(), Vec::<String>::new(), "{point}");
    }
}

impl Place {
    /// Whether somebody who reads the store finds a newer session, without changing anything.
    fn home_sees_newer_than(&self, generation: u64) -> bool {
        self.generation() > generation
    }
}

/// Points of every refresh, wherever the session is.
const EVERYWHERE: [(Point, After); 7] = [
    (Point::LockWanted, After::Unchanged),
    (Point::LockHeld, After::Unchanged),
    (Point::IntentWritten, After::Unchanged),
    (Point::ResponseBegun, After::AnswerLost),
    (Point::ResponseRead, After::AnswerLost),
    (Point::SessionStored, After::Stored),
    (Point::TokenUnprinted, After::Stored),
];

fn killed_everywhere(store: Store, spent: Spent) {
    for (point, after) in EVERYWHERE {
        refresh_killed(store, spent, &format!("{}=kill", point.name()), after);
    }
}

#[test]
fn refresh_into_a_file_at_a_strict_server() {
    killed_everywhere(Store::File, Spent::Refused);
}

#[test]
fn refresh_into_a_file_at_a_server_with_grace() {
    killed_everywhere(Store::File, Spent::WithGrace);
}

#[test]
fn refresh_into_the_keyring_at_a_strict_server() {
    killed_everywhere(Store::Keyring, Spent::Refused);
}

#[test]
fn refresh_into_the_keyring_at_a_server_with_grace() {
    killed_everywhere(Store::Keyring, Spent::WithGrace);
}

#[test]
fn while_the_file_is_written() {
    for spent in [Spent::Refused, Spent::WithGrace] {
        // the trial before the request, the intent, the session itself
        for (time, after) in [(1, After::Unchanged), (2, After::Unchanged), (3, After::AnswerLost)] {
            for point in [Point::FileMake, Point::FileHalfWritten] {
                refresh_killed(Store::File, spent, &format!("{}=kill@{time}", point.name()), after);
            }
        }
        for (point, after) in [
            (Point::FileUnfinished, After::AnswerLost),
            (Point::FileNamedSuccessor, After::Stored),
            (Point::FileNamed, After::Stored),
        ] {
            refresh_killed(Store::File, spent, &format!("{}=kill", point.name()), after);
        }
    }
}

#[test]
fn while_the_keyring_writes() {
    for spent in [Spent::Refused, Spent::WithGrace] {
        for (point, time, after) in [
            (Point::KeyringConnected, 1, After::Unchanged),
            (Point::KeyringWriteSent, 1, After::Stored),
            (Point::KeyringWriteAnswered, 1, After::Stored),
        ] {
            refresh_killed(Store::Keyring, spent, &format!("{}=kill@{time}", point.name()), after);
        }
    }
}

#[test]
fn a_login_that_is_killed_after_the_exchange_stores_nothing_and_the_next_one_works() {
    for store in [Store::File, Store::Keyring] {
        let Some(place) = Place::new(store, Spent::Refused, "0ms") else {
            return;
        };
        killed_at(&mut place.login(), "code-exchanged=kill");
        assert_eq!(place.record(), None);
        place.token().expect_code(2);
        place.log_in();
        place.token().expect_code(0);
    }
}

#[test]
fn a_logout_that_is_killed_after_the_revocation_can_be_repeated() {
    for store in [Store::File, Store::Keyring] {
        let Some(place) = Place::logged_in(store, Spent::Refused, "0ms") else {
            return;
        };
        killed_at(&mut place.oauth(&["logout", "work"]), "tokens-revoked=kill");
        assert!(place.record().is_some(), "revoked first, then deleted");
        place.expire();
        place.token().expect_error(4);
        place.run(&["logout", "work"]).expect_code(0);
        assert_eq!(place.record(), None);
    }
}

#[test]
fn a_key_without_a_session_is_used_by_the_next_login() {
    let place = Place::new(Store::File, Spent::Refused, "0ms").expect("a place");
    killed_at(&mut place.login(), "key-made=kill");
    let key = place.home.path().join(".config/oauth/store.key");
    let made = std::fs::read(&key).expect("the key");
    place.log_in();
    assert_eq!(std::fs::read(&key).expect("the key"), made);
    place.token().expect_code(0);
}

#[test]
fn what_the_disk_refuses_before_the_request_keeps_the_request_from_being_sent() {
    let place = Place::logged_in(Store::File, Spent::Refused, "0ms").expect("a place");
    for point in [Point::FileMake, Point::FileWrite] {
        for error in ["eio", "enospc"] {
            // the trial of the store, then the intent
            for time in [1, 2] {
                place.expire();
                let before = (place.generation(), place.refreshes());
                let mut command = place.oauth(&["token", "work"]);
                let armed = format!("{}={error}@{time}", point.name());
                run(command.env("OAUTH_FAULT", &armed)).expect_error(8);
                assert_eq!((place.generation(), place.refreshes()), before, "{armed}");
                place.token().expect_code(0);
            }
        }
    }
}

/// The points that a refresh passes, in their order.
fn passed_in_a_refresh(store: Store) -> Option<Vec<String>> {
    let place = Place::logged_in(store, Spent::Refused, "0ms")?;
    place.expire();
    let log = place.home.path().join("points.log");
    run(place.oauth(&["token", "work"]).env("OAUTH_FAULT_LOG", &log)).expect_code(0);
    let log = std::fs::read_to_string(log).expect("the log");
    Some(log.lines().map(str::to_owned).collect())
}

#[test]
fn a_refresh_waits_for_the_disk_twice_and_only_once_the_new_session_can_be_found() {
    let passed = passed_in_a_refresh(Store::File).expect("a place");
    let position = |point: Point| passed.iter().position(|passed| passed == point.name());
    let syncs: Vec<usize> = (0..passed.len())
        .filter(|index| passed[*index] == Point::FileSync.name())
        .collect();
    assert_eq!(syncs.len(), 2, "{passed:?}");
    assert!(position(Point::ResponseRead).is_some(), "{passed:?}");
    assert!(Some(syncs[0]) > position(Point::FileNamedSuccessor), "{passed:?}");

    if let Some(passed) = passed_in_a_refresh(Store::Keyring) {
        assert!(
            !passed.iter().any(|passed| passed == Point::FileSync.name()),
            "{passed:?}"
        );
    }
}

#[test]
fn a_key_that_does_not_reach_the_disk_ends_the_login_before_the_browser() {
    let place = Place::new(Store::File, Spent::Refused, "0ms").expect("a place");
    for armed in ["file-sync=eio", "file-sync=enospc"] {
        let outcome = run(place.login().env("OAUTH_FAULT", armed)).expect_error(8);
        outcome.does_not_say("/authorize");
        assert!(!place.home.path().join(".config/oauth/store.key").exists(), "{armed}");
    }
    place.log_in();
}

#[test]
fn what_the_disk_refuses_after_the_answer_is_tried_again() {
    let place = Place::logged_in(Store::File, Spent::Refused, "0ms").expect("a place");
    for armed in [
        "file-make=enospc@3",
        "file-write=eio@3",
        "file-unfinished=eio",
        "file-named-successor=eio",
        "file-sync=eio",
        "file-sync=eio@2",
    ] {
        place.expire();
        let refreshes = place.refreshes();
        let mut command = place.oauth(&["token", "work"]);
        let outcome = run(command.env("OAUTH_FAULT", armed)).expect_code(0);
        assert_eq!(outcome.stdout, format!("{}\n", place.access_token()), "{armed}");
        assert_eq!(place.refreshes() - refreshes, 1, "{armed}");
        assert_eq!(place.unfinished(), Vec::<String>::new(), "{armed}");
    }
}

#[test]
fn every_point_is_tried_above() {
    // the compiler asks for an arm, and the arm for a test
    for point in Point::ALL {
        match point {
            Point::LockWanted
            | Point::LockHeld
            | Point::IntentWritten
            | Point::ResponseBegun
            | Point::ResponseRead
            | Point::SessionStored
            | Point::TokenUnprinted => assert!(EVERYWHERE.iter().any(|(tried, _)| tried == point)),
            Point::FileMake
            | Point::FileWrite
            | Point::FileHalfWritten
            | Point::FileSync
            | Point::FileUnfinished
            | Point::FileNamedSuccessor
            | Point::FileNamed
            | Point::KeyMade
            | Point::KeyringConnected
            | Point::KeyringWriteSent
            | Point::KeyringWriteAnswered
            | Point::CodeExchanged
            | Point::TokensRevoked => {}
        }
    }
}
