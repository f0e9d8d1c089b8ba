//! Killed around the write of a faulty answer whose refresh token must not be
//! lost (RFC 6749 §6), with both stores.

use crate::place::{Store, start, was_killed};
use crate::support::binary::Home;
use crate::support::keyring_session::KeyringSession;
use crate::support::literal_server::{LiteralServer, Reply, json};
use crate::support::outcome::{Outcome, run};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, refreshable};
use oauth::fault::Point;
use serde_json::Value;
use std::process::Command;

/// No usable access token, but a refresh token.
const FAULTY: &str = r#"{"access_token":7,"refresh_token":"new-refresh"}"#;

const GOOD: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600}"#;

const ITEM: [&str; 4] = ["service", "oauth", "username", "work"];

/// An expired session in one of the stores, at a server that answers a first
/// refresh with [`FAULTY`] and all others with [`GOOD`].
struct OddPlace {
    home: Home,
    keyring: Option<KeyringSession>,
    server: LiteralServer,
}

impl OddPlace {
    /// `None`, loudly, where there is no keyring to test with.
    fn new(store: Store, faulty: Reply) -> Option<Self> {
        let keyring = match store {
            Store::File => None,
            Store::Keyring => Some(KeyringSession::unlocked()?),
        };
        let (home, server) = (Home::new(), LiteralServer::start());
        server.on_each("POST", "/token", vec![faulty, json(200, GOOD)]);
        let session = ending_in(-10, refreshable(&server.origin()));
        match &keyring {
            None => home.keep("work", &session),
            Some(keyring) => {
                let arguments = [&["store", "--label=oauth session work"], &ITEM[..]].concat();
                let stored = keyring.secret_tool(&arguments, session.encode().expose().as_bytes());
                assert!(stored.status.success(), "{stored:?}");
            }
        }
        Some(OddPlace { home, keyring, server })
    }

    fn token(&self) -> Command {
        let mut command = self.home.oauth();
        if let Some(keyring) = &self.keyring {
            command
                .envs(keyring.environment())
                .env("HOME", self.home.path())
                .env("OAUTH_STORE", "keyring");
        }
        command.args(["token", "work"]);
        command
    }

    fn record(&self) -> Value {
        let text = match &self.keyring {
            None => self.home.kept("work").expect("a session").encode().expose().clone(),
            Some(keyring) => {
                let found = keyring.secret_tool(&[&["lookup"], &ITEM[..]].concat(), b"");
                String::from_utf8(found.stdout).expect("text")
            }
        };
        serde_json::from_str(&text).expect("a whole record")
    }

    /// The record, as it was or with the new refresh token, but always whole.
    #[track_caller]
    fn assert_record(&self, generation: u64, refresh_token: &str) {
        let record = self.record();
        assert_eq!(record["generation"], generation);
        assert_eq!(record["refresh_token"], refresh_token);
        assert_eq!(record["tokens"][0]["access_token"], KEPT_ACCESS_TOKEN);
    }

    fn refresh_tokens_sent(&self) -> Vec<String> {
        let requests = self.server.requests_to("/token");
        let sent = requests.iter().map(|request| {
            let (_, value) = request
                .body_text()
                .split_once("&refresh_token=")
                .expect("a refresh token");
            value.split('&').next().unwrap_or_default().to_owned()
        });
        sent.collect()
    }
}

fn printed(outcome: Outcome) {
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), "new-access\n"),
        "{outcome:?}"
    );
}

#[test]
fn a_faulty_answer_is_written_before_its_fault_is_told() {
    for store in [Store::File, Store::Keyring] {
        let Some(place) = OddPlace::new(store, json(200, FAULTY)) else {
            return;
        };
        run(&mut place.token()).expect_error(6);
        place.assert_record(2, "new-refresh");
        printed(run(&mut place.token()));
        assert_eq!(
            place.refresh_tokens_sent().last().map(String::as_str),
            Some("new-refresh")
        );
    }
}

#[test]
fn killed_between_a_faulty_answer_and_the_write_the_old_record_is_whole_and_tried_again() {
    for store in [Store::File, Store::Keyring] {
        let points = [
            Point::ResponseBegun.name().to_owned(),
            Point::ResponseRead.name().to_owned(),
        ];
        for point in points {
            let Some(place) = OddPlace::new(store, json(200, FAULTY)) else {
                return;
            };
            kill(&place, &format!("{point}=kill"));
            place.assert_record(1, KEPT_REFRESH_TOKEN);
            let next = run(&mut place.token());
            assert!(
                next.stderr.contains("trying again with the same refresh token"),
                "{next:?}"
            );
            printed(next);
        }
    }
}

#[test]
fn killed_after_the_write_of_a_faulty_answer_its_refresh_token_is_the_one_that_counts() {
    for (store, point) in [
        (Store::File, Point::SessionStored),
        (Store::File, Point::FileNamed),
        (Store::Keyring, Point::SessionStored),
        (Store::Keyring, Point::KeyringWriteAnswered),
    ] {
        let Some(place) = OddPlace::new(store, json(200, FAULTY)) else {
            return;
        };
        kill(&place, &format!("{}=kill", point.name()));
        place.assert_record(2, "new-refresh");
        printed(run(&mut place.token()));
        assert_eq!(
            place.refresh_tokens_sent().last().map(String::as_str),
            Some("new-refresh")
        );
    }
}

#[test]
fn a_disk_that_refuses_the_write_of_a_faulty_answer_is_tried_again() {
    let place = OddPlace::new(Store::File, json(200, FAULTY)).expect("a place");
    let mut command = place.token();
    run(command.env("OAUTH_FAULT", "file-unfinished=eio")).expect_error(6);
    place.assert_record(2, "new-refresh");
}

fn kill(place: &OddPlace, point: &str) {
    let mut process = start(place.token().env("OAUTH_FAULT", point));
    assert!(was_killed(process.wait().expect("its end")), "{point} was not passed");
}
