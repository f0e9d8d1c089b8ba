//! `oauth token` for a session whose access token will not last: refreshed
//! once by one process, written before it is printed, and never lost for a
//! reason that passes.

use super::support::binary::Home;
#[cfg(unix)]
use super::support::literal_server::Gate;
use super::support::literal_server::{LiteralServer, Reply, html, json};
use super::support::outcome::{Outcome, finish, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, refreshable, session};
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const NEW: &str =
    r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;
const NEW_WITHOUT_REFRESH_TOKEN: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600}"#;

/// A home whose session `work` has an access token that ends in so many seconds.
fn home_with_token_ending_in(seconds: i64, server: &LiteralServer) -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\n",
        server.origin()
    ));
    home.keep("work", &ending_in(seconds, refreshable(&server.origin())));
    home
}

fn token(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.args(["token", "work"]).args(arguments);
    command
}

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("starting the program")
}

fn refresh_token_of(home: &Home) -> String {
    let session = home.kept("work").expect("the session is kept");
    session.refresh_token.expect("its refresh token").expose().clone()
}

fn assert_printed(outcome: &Outcome, token: &str) {
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), format!("{token}\n").as_str()),
        "{outcome:?}"
    );
}

#[test]
fn a_session_that_was_ended_says_when_it_worked_last_and_what_may_have_ended_it() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    let home = home_with_token_ending_in(-10, &server);
    let mut session = home.kept("work").expect("the session");
    // Far enough from now to be shown with its date, in a zone that is fixed.
    session.tokens[0].issued_at = Some(UnixSeconds(1_767_323_045));
    home.keep("work", &session);
    let outcome = run(token(&home, &[]).env("TZ", "UTC")).expect_code(4);
    let hints = outcome.hints();
    for part in [
        "worked last at 2026-01-02 03:04",
        "revoked at the server",
        "another program used a copy",
    ] {
        assert!(hints.contains(part), "no {part:?}: {outcome:?}");
    }
    // Of a session that never had a token nothing is known.
    session.tokens.clear();
    home.keep("work", &session);
    let outcome = run(&mut token(&home, &[])).expect_code(4);
    assert!(!outcome.hints().contains("worked last"), "{outcome:?}");
}

#[test]
fn the_request_is_that_of_rfc_6749_section_6_and_the_answer_is_stored() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW));
    let home = home_with_token_ending_in(-10, &server);
    let outcome = run(&mut token(&home, &[]));
    assert_printed(&outcome, "new-access");
    assert_eq!(outcome.stderr, "");
    let request = server.only_request_to("/token");
    assert_eq!(
        request.body_text(),
        format!("grant_type=refresh_token&refresh_token={KEPT_REFRESH_TOKEN}&client_id=desktop")
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(refresh_token_of(&home), "new-refresh");
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    assert_eq!(
        server.requests().len(),
        1,
        "the new token is good enough for the next call"
    );
}

#[test]
fn at_vvv_the_lock_is_told() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW));
    let home = home_with_token_ending_in(-10, &server);
    let outcome = run(&mut token(&home, &["-vvv"]));
    assert!(
        outcome.stderr.contains("the lock of profile \"work\" is held"),
        "{outcome:?}"
    );
}

#[test]
fn without_a_new_refresh_token_the_old_one_stays() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW_WITHOUT_REFRESH_TOKEN));
    let home = home_with_token_ending_in(-10, &server);
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    assert_eq!(refresh_token_of(&home), KEPT_REFRESH_TOKEN);
}

#[test]
fn fifty_processes_at_once_refresh_once_and_print_the_same_token() {
    let server = LiteralServer::start();
    server.on_each(
        "POST",
        "/token",
        vec![
            json(200, NEW).after(Duration::from_millis(200)),
            json(
                400,
                r#"{"error":"invalid_grant","error_description":"refresh token was used before"}"#,
            ),
        ],
    );
    let home = home_with_token_ending_in(-10, &server);
    let processes: Vec<Child> = (0..50).map(|_| start(token(&home, &[]))).collect();
    for outcome in processes.into_iter().map(finish) {
        assert_printed(&outcome, "new-access");
    }
    assert_eq!(server.requests_to("/token").len(), 1);
    assert_eq!(refresh_token_of(&home), "new-refresh");
}

#[test]
fn only_invalid_grant_ends_a_session_and_keeps_its_record() {
    let server = LiteralServer::start();
    server.on(
        "POST",
        "/token",
        json(400, r#"{"error":"invalid_grant","error_description":"ended"}"#),
    );
    let home = home_with_token_ending_in(-10, &server);
    let outcome = run(&mut token(&home, &[])).expect_code(4);
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome
            .stderr
            .contains("error: the server has ended the session of profile \"work\""),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("hint: Run: oauth login work"), "{outcome:?}");
    assert!(home.kept("work").expect("the record").dead.is_some());
    run(&mut token(&home, &[])).expect_code(4);
    assert_eq!(server.requests().len(), 1, "a dead session is not asked for again");
    let status = run(home.oauth().args(["status", "--json"])).expect_code(0);
    assert!(status.stdout.contains("\"state\":\"dead\""), "{status:?}");
}

#[test]
fn the_servers_words_are_the_same_when_it_ends_the_session_and_later() {
    for (answer, description) in [
        (r#"{"error":"invalid_grant"}"#, serde_json::Value::Null),
        (
            r#"{"error":"invalid_grant","error_description":"Session (web) not active"}"#,
            "Session (web) not active".into(),
        ),
    ] {
        let server = LiteralServer::start();
        server.on("POST", "/token", json(400, answer));
        let home = home_with_token_ending_in(-10, &server);
        for _ in 0..2 {
            let error = run(&mut token(&home, &["--json"])).json_error(4);
            assert_eq!(
                (&error["oauth_error"], &error["oauth_error_description"]),
                (&"invalid_grant".into(), &description)
            );
        }
        assert_eq!(server.requests().len(), 1);
    }
    // A reason that somebody else wrote is not an error of the server.
    let home = home_with_token_ending_in(-10, &LiteralServer::start());
    let mut dead = home.kept("work").expect("the session");
    dead.dead = Some(oauth::store::SessionEnd {
        at: oauth::protocol::time::UnixSeconds(1),
        error: None,
        description: Some("invalid_grants are many".to_owned()),
    });
    home.keep("work", &dead);
    let error = run(&mut token(&home, &["--json"])).json_error(4);
    assert_eq!(error["oauth_error"], serde_json::Value::Null);
}

#[test]
fn a_client_that_is_not_taken_any_more_may_be_disabled() {
    for error in ["invalid_client", "unauthorized_client"] {
        let server = LiteralServer::start();
        server.on("POST", "/token", json(401, &format!(r#"{{"error":"{error}"}}"#)));
        let home = home_with_token_ending_in(-10, &server);
        let outcome = run(&mut token(&home, &[])).expect_error(5);
        assert!(
            outcome.hints().contains("disabled or deleted at the server"),
            "{outcome:?}"
        );
    }
}

#[test]
fn every_other_failure_leaves_the_session_as_it_was() {
    for (reply, code) in [
        (json(401, r#"{"error":"invalid_client"}"#), 5),
        (json(400, r#"{"error":"invalid_scope"}"#), 5),
        (json(503, r#"{"error":"invalid_grant"}"#), 3),
        (json(429, r#"{"error":"slow_down"}"#), 3),
        (html(200, "<html>sign in to the hotel's network</html>"), 3),
        (html(401, "<html>proxy</html>"), 3),
        (json(302, "{}"), 6),
        (json(200, r#"{"token_type":"Bearer"}"#), 6),
        (Reply::reset(), 3),
    ] {
        let server = LiteralServer::start();
        server.on("POST", "/token", reply);
        let home = home_with_token_ending_in(-10, &server);
        let outcome = run(&mut token(&home, &[])).expect_code(code);
        assert_eq!(outcome.stdout, "");
        let session = home.kept("work").expect("the session");
        assert_eq!((session.generation, session.dead), (1, None));
        assert_eq!(refresh_token_of(&home), KEPT_REFRESH_TOKEN);
    }
}

#[test]
fn while_the_old_token_is_valid_a_failure_that_passes_is_a_warning() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(503, "{}"));
    let home = home_with_token_ending_in(30, &server);
    let outcome = run(&mut token(&home, &[]));
    assert_printed(&outcome, KEPT_ACCESS_TOKEN);
    assert!(outcome.stderr.starts_with("warning: "), "{outcome:?}");
    assert_eq!(server.requests().len(), 1, "once, since the old token is still good");
}

#[test]
fn an_answer_that_was_lost_is_asked_for_once_more_with_the_same_refresh_token() {
    let server = LiteralServer::start();
    server.on_each("POST", "/token", vec![Reply::nothing(), json(200, NEW)]);
    let home = home_with_token_ending_in(-10, &server);
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    let requests = server.requests_to("/token");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body_text(), requests[1].body_text());
}

#[test]
fn force_refresh_refreshes_once_and_needs_something_to_refresh_with() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW));
    let home = home_with_token_ending_in(3000, &server);
    assert_printed(&run(&mut token(&home, &[])), KEPT_ACCESS_TOKEN);
    assert_printed(&run(&mut token(&home, &["--force-refresh"])), "new-access");
    assert_eq!(server.requests().len(), 1);
    home.keep("work", &ending_in(3000, session(&server.origin())));
    let outcome = run(&mut token(&home, &["--force-refresh"])).expect_code(4);
    assert!(outcome.stderr.contains("offline_access"), "{outcome:?}");
}

#[test]
fn a_lifetime_shorter_than_wanted_is_refreshed_once_a_call_and_printed_with_a_warning() {
    let server = LiteralServer::start();
    let short = r#"{"access_token":"short","token_type":"Bearer","expires_in":30}"#;
    server.on("POST", "/token", json(200, short));
    let home = home_with_token_ending_in(-10, &server);
    let outcome = run(&mut token(&home, &["--min-ttl", "10m"]));
    assert_printed(&outcome, "short");
    assert!(outcome.stderr.contains("at least 10 min was asked for"), "{outcome:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_token_without_expiry_and_one_that_lasts_ten_years_are_printed_as_they_are() {
    let server = LiteralServer::start();
    let home = home_with_token_ending_in(10 * 365 * 24 * 3600, &server);
    let mut lasting = home.kept("work").expect("the session");
    lasting.tokens[0].issued_at = Some(UnixSeconds(super::support::sessions::now()));
    home.keep("work", &lasting);
    assert_printed(&run(&mut token(&home, &[])), KEPT_ACCESS_TOKEN);
    let mut endless = refreshable(&server.origin());
    endless.tokens[0].expires_at = None;
    home.keep("work", &endless);
    assert_printed(&run(&mut token(&home, &[])), KEPT_ACCESS_TOKEN);
    assert_eq!(server.connections(), 0);
}

#[test]
fn when_the_clock_went_back_the_token_is_refreshed_once_and_then_known_again() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW));
    // received in a year from now, with an hour to live
    let year = 365 * 24 * 3600;
    let home = home_with_token_ending_in(year + 3600, &server);
    let mut session = home.kept("work").expect("the session");
    session.tokens[0].issued_at = Some(UnixSeconds(super::support::sessions::now() + year));
    home.keep("work", &session);
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    assert_eq!(server.requests().len(), 1);
    // and where nothing can be refreshed it is printed
    session.refresh_token = None;
    home.keep("work", &session);
    assert_printed(&run(&mut token(&home, &[])), KEPT_ACCESS_TOKEN);
}

#[test]
fn when_the_clock_went_ahead_the_token_is_refreshed_once() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW));
    let home = home_with_token_ending_in(-365 * 24 * 3600, &server);
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    assert_printed(&run(&mut token(&home, &[])), "new-access");
    assert_eq!(server.requests().len(), 1);
}

// Windows stops no process, and has no signals
#[cfg(unix)]
#[test]
fn while_the_holder_of_the_lock_is_stopped_nobody_else_refreshes() {
    let server = LiteralServer::start();
    let gate = Gate::new();
    server.on("POST", "/token", json(200, NEW).after_gate(&gate));
    let home = home_with_token_ending_in(30, &server);
    let holder = start(token(&home, &[]));
    server.wait_for("/token", 1);
    kill_process(Pid::from_child(&holder), Signal::STOP).expect("stopping it");
    let other = run(&mut token(&home, &[]));
    assert_printed(&other, KEPT_ACCESS_TOKEN);
    assert!(
        other.stderr.contains("the old token is still valid and is used"),
        "{other:?}"
    );
    gate.open();
    kill_process(Pid::from_child(&holder), Signal::CONT).expect("continuing it");
    assert_printed(&finish(holder), "new-access");
    assert_eq!(server.requests().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_signal_waits_until_the_answer_is_written() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let server = LiteralServer::start();
        let gate = Gate::new();
        server.on("POST", "/token", json(200, NEW).after_gate(&gate));
        let home = home_with_token_ending_in(-10, &server);
        let process = start(token(&home, &[]));
        server.wait_for("/token", 1);
        kill_process(Pid::from_child(&process), signal).expect("the signal");
        gate.open();
        let outcome = finish(process).expect_code(code);
        assert_eq!(outcome.stdout, "");
        assert_eq!(refresh_token_of(&home), "new-refresh");
    }
}

/// A refresh that is killed while it waits for an answer; the next one gets it.
fn killed_refresh(server: &LiteralServer) -> Home {
    server.on_each("POST", "/token", vec![Reply::silence(), json(200, NEW)]);
    let home = home_with_token_ending_in(-10, server);
    let mut killed = start(token(&home, &[]));
    server.wait_for("/token", 1);
    killed.kill().expect("killing it");
    killed.wait().expect("its end");
    home
}

#[test]
fn a_killed_refresh_is_told_by_the_next_which_tries_the_same_refresh_token() {
    let server = LiteralServer::start();
    let home = killed_refresh(&server);
    let next = run(&mut token(&home, &[]));
    assert_printed(&next, "new-access");
    assert!(
        next.stderr
            .contains("was interrupted, or no usable answer came; retrying with the same refresh token"),
        "{next:?}"
    );
    assert_eq!(refresh_token_of(&home), "new-refresh");
}

#[test]
fn what_was_interrupted_before_another_login_is_not_told() {
    let server = LiteralServer::start();
    let home = killed_refresh(&server);
    // a login writes a session that begins again
    let mut session = home.kept("work").expect("the record");
    session.refresh_token = Some(Secret::from("refresh-of-another-login"));
    home.keep("work", &session);
    let next = run(&mut token(&home, &[]));
    assert_printed(&next, "new-access");
    assert_eq!(next.stderr, "");
}

#[test]
fn a_token_that_expires_during_a_refresh_that_fails_is_not_used() {
    let server = LiteralServer::start();
    server.on("POST", "/token", Reply::silence());
    let home = home_with_token_ending_in(1, &server);
    let outcome = run(&mut token(&home, &["--http-timeout", "2s"])).expect_error(3);
    assert!(!outcome.stderr.contains("still valid"), "{outcome:?}");
}

/// An ID token without a signature that anybody looks at.
fn id_token(server: &LiteralServer, subject: &str, issued_at: i64) -> String {
    use base64::Engine;
    let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = format!(
        r#"{{"iss":"{}","aud":"desktop","sub":"{subject}","iat":{issued_at},"exp":{}}}"#,
        server.origin(),
        issued_at + 300
    );
    format!("{}.{}.AA", encode(r#"{"alg":"RS256"}"#.to_owned()), encode(claims))
}

fn with_id_token(id_token: &str) -> Reply {
    json(
        200,
        &format!(
            r#"{{"access_token":"new-access","token_type":"Bearer","expires_in":3600,
                "refresh_token":"new-refresh","id_token":"{id_token}"}}"#
        ),
    )
}

#[test]
fn a_clock_that_is_off_does_not_lose_the_new_refresh_token() {
    let server = LiteralServer::start();
    let in_two_minutes = super::support::sessions::now() + 120;
    server.on(
        "POST",
        "/token",
        with_id_token(&id_token(&server, "alice", in_two_minutes)),
    );
    let home = home_with_token_ending_in(-10, &server);
    let outcome = run(&mut token(&home, &[]));
    assert_printed(&outcome, "new-access");
    assert!(
        outcome
            .stderr
            .contains("warning: the refreshed ID token is not accepted"),
        "{outcome:?}"
    );
    assert_eq!(refresh_token_of(&home), "new-refresh");
    assert!(home.kept("work").expect("the session").id_token.is_none());
}

#[test]
fn an_id_token_of_somebody_else_suspends_the_session_and_keeps_its_refresh_token() {
    let server = LiteralServer::start();
    let now = super::support::sessions::now();
    server.on("POST", "/token", with_id_token(&id_token(&server, "mallory", now)));
    let home = home_with_token_ending_in(-10, &server);
    let mut require_session = ending_in(-10, refreshable(&server.origin()));
    require_session.subject = Some("alice".to_owned());
    home.keep("work", &require_session);
    let outcome = run(&mut token(&home, &[])).expect_error(6);
    assert!(
        outcome.stderr.contains("\"alice\"") && outcome.stderr.contains("\"mallory\""),
        "{outcome:?}"
    );
    assert_eq!(refresh_token_of(&home), "new-refresh");
    let kept = home.kept("work").expect("the session");
    assert_eq!(kept.tokens[0].access_token.expose(), KEPT_ACCESS_TOKEN);
    assert!(kept.suspended.is_some());
}
