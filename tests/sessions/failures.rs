//! Stores that fail while the answer is on its way, servers that never answer.

use crate::place::{Place, Spent, Store, was_killed};
use crate::support::binary::Home;
use crate::support::keyring_session::{Activation, KeyringSession};
use crate::support::literal_server::{Gate, LiteralServer, Reply, json};
use crate::support::outcome::{Outcome, finish, run};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, refreshable};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::process::{Child, Command};
use std::time::Duration;

const NEW: &str =
    r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;
const SPENT: &str = r#"{"error":"invalid_grant","error_description":"spent"}"#;

/// A session in a real keyring whose refresh is answered when the test says so.
struct InKeyring {
    home: Home,
    keyring: KeyringSession,
    server: LiteralServer,
    gate: Gate,
}

impl InKeyring {
    fn new(mut keyring: KeyringSession) -> Self {
        let (home, server, gate) = (Home::new(), LiteralServer::start(), Gate::new());
        keyring.start_keyring();
        server.on_each(
            "POST",
            "/token",
            vec![json(200, NEW).after_gate(&gate), json(400, SPENT)],
        );
        let record = ending_in(-10, refreshable(&server.origin())).encode();
        let stored = keyring.secret_tool(
            &[
                "store",
                "--label=oauth session work",
                "service",
                "oauth",
                "username",
                "work",
            ],
            record.expose().as_bytes(),
        );
        assert!(stored.status.success(), "{stored:?}");
        InKeyring {
            home,
            keyring,
            server,
            gate,
        }
    }

    fn token(&self) -> Command {
        let mut command = self.home.oauth();
        command
            .envs(self.keyring.environment())
            .env("HOME", self.home.path())
            .env("OAUTH_STORE", "keyring")
            .args(["token", "work"]);
        command
    }

    /// Started, and its request arrived at the server.
    fn asking(&self) -> Child {
        self.asking_as(&mut self.token())
    }

    fn asking_as(&self, token: &mut Command) -> Child {
        let process = crate::place::start(token);
        self.server.wait_for("/token", 1);
        process
    }

    fn record(&self) -> Value {
        let found = self
            .keyring
            .secret_tool(&["lookup", "service", "oauth", "username", "work"], b"");
        serde_json::from_slice(&found.stdout).expect("a record")
    }

    /// What is needed of the session afterwards, without another request.
    fn is_whole_again(&mut self) {
        self.keyring.kill_keyring();
        self.keyring.start_keyring();
        assert_eq!(
            self.record()["refresh_token"],
            KEPT_REFRESH_TOKEN,
            "the keyring has the old one"
        );
        assert_printed(&run(&mut self.token()), "new-access");
        assert_eq!(self.server.requests_to("/token").len(), 1);
        // the next refresh is one with the new refresh token, and clears up
        self.server.on(
            "POST",
            "/token",
            json(200, r#"{"access_token":"newest","token_type":"Bearer"}"#),
        );
        assert_printed(&run(self.token().arg("--force-refresh")), "newest");
        let last = self.server.requests_to("/token").pop().expect("a request");
        assert!(
            last.body_text().contains("refresh_token=new-refresh"),
            "{}",
            last.body_text()
        );
        assert_eq!(self.record()["refresh_token"], "new-refresh");
        let waiting = self
            .home
            .files()
            .into_iter()
            .filter(|file| file.to_string_lossy().contains(".aside"));
        assert_eq!(waiting.count(), 0);
    }
}

#[track_caller]
fn assert_printed(outcome: &Outcome, token: &str) {
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), &*format!("{token}\n")),
        "{outcome:?}"
    );
}

#[test]
fn a_keyring_that_is_locked_while_the_answer_comes_loses_nothing() {
    let Some(keyring) = KeyringSession::start(Activation::Off) else {
        return;
    };
    let mut place = InKeyring::new(keyring);
    let process = place.asking();
    place.keyring.lock();
    place.gate.open();
    let outcome = finish(process);
    assert_printed(&outcome, "new-access");
    assert!(
        outcome.warnings().contains("cannot be stored: the keyring is locked"),
        "{outcome:?}"
    );
    place.is_whole_again();
}

#[test]
fn who_is_killed_while_it_keeps_a_session_aside_has_kept_it_from_its_name_on() {
    let Some(keyring) = KeyringSession::start(Activation::Off) else {
        return;
    };
    let mut place = InKeyring::new(keyring);
    let mut process = place.asking_as(place.token().env("OAUTH_FAULT", "file-sync=kill"));
    place.keyring.lock();
    place.gate.open();
    assert!(was_killed(process.wait().expect("its end")));
    place.is_whole_again();
}

#[test]
fn a_keyring_that_is_killed_while_the_answer_comes_loses_nothing() {
    for activation in [Activation::Off, Activation::On] {
        let Some(keyring) = KeyringSession::start(activation) else {
            return;
        };
        let mut place = InKeyring::new(keyring);
        let process = place.asking();
        place.keyring.kill_keyring();
        place.gate.open();
        let outcome = finish(process);
        assert_printed(&outcome, "new-access");
        assert!(outcome.warnings().contains("cannot be stored"), "{outcome:?}");
        if activation == Activation::Off {
            place.is_whole_again();
        }
    }
}

#[test]
fn a_keyring_that_comes_back_in_time_has_the_new_session() {
    let Some(keyring) = KeyringSession::start(Activation::Off) else {
        return;
    };
    let mut place = InKeyring::new(keyring);
    let process = place.asking();
    place.keyring.kill_keyring();
    place.gate.open();
    place.keyring.start_keyring();
    assert_printed(&finish(process), "new-access");
    assert_printed(&run(&mut place.token()), "new-access");
    assert_eq!(place.record()["refresh_token"], "new-refresh");
}

/// A home whose access token has expired, and a server that answers so.
fn at_a_server_that_answers(replies: Vec<Reply>) -> (Home, LiteralServer) {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on_each("POST", "/token", replies);
    home.keep("work", &ending_in(-10, refreshable(&server.origin())));
    (home, server)
}

fn token(home: &Home) -> Outcome {
    run(home.oauth().args(["token", "work", "--http-timeout", "2s"]))
}

#[test]
fn a_rotation_whose_answer_is_lost_is_asked_for_once_more() {
    let lost: [fn() -> Reply; 3] = [Reply::nothing, Reply::reset, Reply::silence];
    for lost in lost {
        // with a grace period the server answers again
        let (home, server) = at_a_server_that_answers(vec![lost(), json(200, NEW)]);
        assert_printed(&token(&home), "new-access");
        assert_eq!(server.requests_to("/token").len(), 2);
        // without one it has ended the session, and that is said with the reason
        let (home, server) = at_a_server_that_answers(vec![lost(), json(400, SPENT)]);
        token(&home).expect_error(4);
        assert_eq!(server.requests_to("/token").len(), 2);
        assert!(home.kept("work").expect("the record").dead.is_some());
    }
}

/// As by Ctrl-Z, and a machine that sleeps: the clock goes on, and so does the server.
#[test]
fn an_answer_that_comes_while_the_process_is_stopped_is_not_lost() {
    let http_timeout = Duration::from_millis(500);
    // stopped for so long that it is in time by a moment, or that nobody could have been
    for (stopped_for, is_answered_in_time) in [(http_timeout * 2, true), (http_timeout * 4, false)] {
        let gate = Gate::new();
        let (home, server) = at_a_server_that_answers(vec![json(200, NEW).after_gate(&gate), json(400, SPENT)]);
        let process = crate::place::start(home.oauth().args(["token", "work", "--http-timeout", "500ms"]));
        server.wait_for("/token", 1);
        let pid = Pid::from_child(&process);
        kill_process(pid, Signal::STOP).expect("a signal");
        if is_answered_in_time {
            gate.open();
        }
        // not a wait for anything: how long it lasts is what is tried
        std::thread::sleep(stopped_for);
        kill_process(pid, Signal::CONT).expect("a signal");
        if !is_answered_in_time {
            std::thread::sleep(Duration::from_millis(200));
            gate.open();
        }
        assert_printed(&finish(process), "new-access");
        assert_eq!(server.requests_to("/token").len(), 1);
        assert_eq!(home.kept("work").expect("the session").dead, None);
    }
}

#[test]
fn a_server_that_commits_and_answers_500_is_tried_by_the_next_call_which_knows_why() {
    let (home, server) = at_a_server_that_answers(vec![json(500, "{}"), json(400, SPENT)]);
    token(&home).expect_error(3);
    assert_eq!(home.kept("work").expect("the session").dead, None);
    let next = token(&home).expect_error(4);
    assert!(
        next.stderr.contains("interrupted, or no usable answer came"),
        "{next:?}"
    );
    assert!(next.hints().contains("its answer is lost"), "{next:?}");
    assert_eq!(server.requests_to("/token").len(), 2);

    let (home, _server) = at_a_server_that_answers(vec![json(500, "{}"), json(200, NEW)]);
    token(&home).expect_error(3);
    assert_printed(&token(&home), "new-access");
    assert_printed(&token(&home), "new-access");
}

#[test]
fn while_the_old_token_is_valid_a_lost_answer_is_not_asked_for_again() {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("POST", "/token", Reply::nothing());
    home.keep("work", &ending_in(30, refreshable(&server.origin())));
    let outcome = token(&home);
    assert_printed(&outcome, KEPT_ACCESS_TOKEN);
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn two_machines_with_one_refresh_token_end_it_for_each_other_and_say_so() {
    let place = Place::logged_in(Store::File, Spent::Refused, "0ms").expect("a place");
    let other = Home::new();
    place.expire();
    other.keep("work", &place.home.kept("work").expect("the session"));
    place.token().expect_code(0);
    let loser = run(other.oauth().args(["token", "work"])).expect_error(4);
    assert!(loser.error().contains("the server has ended the session"), "{loser:?}");
    assert!(loser.hints().contains("oauth login work"), "{loser:?}");
    // reuse detection has ended the other one too, which its store still has
    place.expire();
    place.token().expect_error(4);
    assert!(place.record().is_some());
}
