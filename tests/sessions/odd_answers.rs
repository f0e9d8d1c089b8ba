//! Killed around the write of a faulty answer whose refresh token must not be
//! lost (RFC 6749 §6), with both stores.

use crate::place::{Store, start, was_killed};
use crate::support::binary::Home;
use crate::support::keyring_session::KeyringSession;
use crate::support::literal_server::{LiteralServer, Reply, json};
use crate::support::outcome::{Outcome, run, run_with_input};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, now, refreshable, scope};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::fault::Point;
use oauth::store::Session;
use serde_json::{Value, json as object};
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
        OddPlace::with(store, |server| {
            server.on_each("POST", "/token", vec![faulty, json(200, GOOD)]);
            ending_in(-10, refreshable(&server.origin()))
        })
    }

    /// The same with this session, at a server that was told what to answer.
    fn with(store: Store, session: impl FnOnce(&LiteralServer) -> Session) -> Option<Self> {
        let keyring = match store {
            Store::File => None,
            Store::Keyring => Some(KeyringSession::unlocked()?),
        };
        let (home, server) = (Home::new(), LiteralServer::start());
        let session = session(&server);
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
        self.oauth(&["token", "work"])
    }

    fn oauth(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        if let Some(keyring) = &self.keyring {
            command
                .envs(keyring.environment())
                .env("HOME", self.home.path())
                .env("OAUTH_STORE", "keyring");
        }
        command.args(arguments);
        command
    }

    fn record(&self) -> Value {
        serde_json::from_str(&self.stored().expect("a session")).expect("a whole record")
    }

    fn stored(&self) -> Option<String> {
        match &self.keyring {
            None => Some(self.home.kept("work")?.encode().expose().clone()),
            Some(keyring) => {
                let found = keyring.secret_tool(&[&["lookup"], &ITEM[..]].concat(), b"");
                let found = String::from_utf8(found.stdout).expect("text");
                Some(found).filter(|found| !found.is_empty())
            }
        }
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
            assert!(next.stderr.contains("retrying with the same refresh token"), "{next:?}");
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

/// An expired session of `alice`, at a server whose refresh brings this ID token's claim.
fn place_of_alice(store: Store, claim: &str, value: &str, refresh_token: Option<&str>) -> Option<OddPlace> {
    OddPlace::with(store, |server| {
        let mut claims = object!({
            "iss": server.origin(), "aud": "desktop", "sub": "alice", "iat": now(), "exp": now() + 300,
        });
        claims[claim] = value.into();
        let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut answer: Value = serde_json::from_str(GOOD).expect("an object");
        answer["id_token"] = format!("{}.{}.AA", segment(&object!({"alg": "RS256"})), segment(&claims)).into();
        if let Some(refresh_token) = refresh_token {
            answer["refresh_token"] = refresh_token.into();
        }
        server.on_each("POST", "/token", vec![json(200, &answer.to_string()), json(200, GOOD)]);
        let mut session = ending_in(-10, refreshable(&server.origin()));
        session.requested.scope = scope("openid");
        session.subject = Some("alice".to_owned());
        session
    })
}

#[test]
fn an_id_token_of_another_party_suspends_the_session_in_both_stores_until_a_login() {
    for (store, claim, other, refresh_token) in [
        (Store::File, "sub", "bob", Some("new-refresh")),
        (Store::File, "aud", "other-client", None),
        (Store::Keyring, "sub", "bob", None),
        (Store::Keyring, "iss", "https://other.example", Some("new-refresh")),
    ] {
        let Some(place) = place_of_alice(store, claim, other, refresh_token) else {
            return;
        };
        let own = match claim {
            "sub" => "alice".to_owned(),
            "aud" => "desktop".to_owned(),
            _ => place.server.origin(),
        };
        let outcome = run(&mut place.token()).expect_error(6);
        for named in [own.as_str(), other, "is suspended"] {
            assert!(outcome.stderr.contains(named), "{store:?}: {outcome:?}");
        }
        place.assert_record(2, refresh_token.unwrap_or(KEPT_REFRESH_TOKEN));
        let suspended = object!({"claim": claim, "expected": own, "found": other});
        assert_eq!(place.record()["suspended"], suspended, "{store:?}");

        for command in [
            &["token", "work"][..],
            &["token", "work", "--force-refresh"],
            &["token", "work", "--login"],
            &["userinfo", "-p", "work"],
            &["introspect", "-p", "work"],
            &["revoke", "-p", "work"],
            &["decode", "-p", "work"],
        ] {
            let outcome = run(&mut place.oauth(command)).expect_error(6);
            for named in [own.as_str(), other, "oauth login work"] {
                assert!(outcome.stderr.contains(named), "{command:?}: {outcome:?}");
            }
            assert_eq!(outcome.stdout, "", "{command:?}");
        }
        assert_eq!(place.server.requests().len(), 1, "{store:?}: nothing of it is sent");
        let status = run(&mut place.oauth(&["status", "work", "--json"]));
        assert_eq!(status.json()[0]["state"], "suspended", "{status:?}");
        assert_ne!(status.code, Some(6));

        let origin = place.server.origin();
        let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
        let mut login = place.oauth(&["login", &origin, "--client-id", "desktop", "--profile", "work"]);
        login.args(["--authorization-endpoint", &authorize, "--token-endpoint", &token]);
        run_with_input(login.arg("--refresh-token-stdin"), b"another-refresh").expect_code(0);
        assert_eq!(place.record().get("suspended"), None, "{store:?}");
        printed(run(&mut place.token()));
    }
}

#[test]
fn a_suspended_session_is_forgotten_by_a_logout_in_both_stores() {
    for store in [Store::File, Store::Keyring] {
        let Some(place) = place_of_alice(store, "sub", "bob", Some("new-refresh")) else {
            return;
        };
        run(&mut place.token()).expect_error(6);
        run(&mut place.oauth(&["logout", "work", "--local"])).expect_code(0);
        assert_eq!(place.stored(), None, "{store:?}");
    }
}
