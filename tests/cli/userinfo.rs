//! `oauth userinfo`: one request with the token in its header, and an answer
//! that is used only if it is about the person who signed in.

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, html, json, redirect, status, value_of};
use super::support::login::complete_at;
use super::support::outcome::{Outcome, run, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, endpoint, refreshable, session};
use super::support::signing::Signer;
use oauth::store::Session;
use serde_json::json as value;

const ADA: &str = r#"{"sub":"ada","name":"Ada","updated_at":1700000000}"#;

/// A home where `ada` is signed in as `work` at a server with this answer.
fn require_session(answer: Reply) -> (Home, LiteralServer) {
    let server = LiteralServer::start();
    server.on("GET", "/userinfo", answer);
    let home = Home::new();
    home.configure(&format!("[profile.work]\nissuer = \"{}\"\n", server.origin()));
    home.keep("work", &adas(&server, session(&server.origin())));
    (home, server)
}

fn adas(server: &LiteralServer, mut session: Session) -> Session {
    session.endpoints.userinfo = Some(endpoint(&server.url("/userinfo")));
    session.subject = Some("ada".to_owned());
    session
}

fn userinfo(home: &Home, arguments: &[&str]) -> Outcome {
    run(home.oauth().args(["userinfo", "-p", "work"]).args(arguments))
}

#[test]
fn the_token_goes_in_the_header_and_the_answer_to_stdout() {
    let (home, server) = require_session(json(200, ADA));
    let outcome = userinfo(&home, &["--json"]).expect_code(0);
    assert_eq!(outcome.stdout, format!("{ADA}\n"));
    assert_eq!(outcome.stderr, "");
    let request = server.only_request_to("/userinfo");
    assert_eq!(
        request.header("authorization"),
        Some(&*format!("Bearer {KEPT_ACCESS_TOKEN}"))
    );
    assert_eq!(
        (request.method.as_str(), request.target.as_str(), request.body_text()),
        ("GET", "/userinfo", "")
    );
    assert_eq!(
        server.requests().len(),
        1,
        "no discovery where the session knows the endpoint"
    );
    let outcome = userinfo(&home, &[]).expect_code(0);
    assert!(
        outcome.stdout.starts_with("  sub         ada\n  name        Ada\n"),
        "{outcome:#?}"
    );
    assert!(
        outcome.stdout.contains("1700000000 (2023-11-14T22:13:20Z, "),
        "{outcome:#?}"
    );
}

#[test]
fn another_person_than_signed_in_is_never_shown() {
    for (answer, part) in [
        (r#"{"sub":"mallory","name":"Ada"}"#, "\"mallory\""),
        (r#"{"sub":"ADA"}"#, "must not be used"),
        (r#"{"name":"Ada"}"#, "no sub"),
        (r#"{"sub":null}"#, "no sub"),
        (r#"{"sub":7}"#, "its sub is a number, but must be a string"),
        (r#"{"sub":["ada"]}"#, "its sub is not a string"),
    ] {
        let (home, _server) = require_session(json(200, answer));
        let outcome = userinfo(&home, &[]).expect_error(6);
        assert!(outcome.error().contains(part), "{outcome:#?}");
    }
}

#[test]
fn a_given_token_is_asked_about_at_the_profiles_server() {
    let (home, server) = require_session(json(200, r#"{"sub":"grace"}"#));
    let mut command = home.oauth();
    let outcome = run_with_input(
        command.args(["userinfo", "-", "-p", "work", "--json"]),
        b"given-token\n",
    )
    .expect_code(0);
    assert_eq!(outcome.stdout, "{\"sub\":\"grace\"}\n", "it may be another person's");
    assert_eq!(
        server.only_request_to("/userinfo").header("authorization"),
        Some("Bearer given-token")
    );

    // Nobody signed in: the configuration file says which server it is.
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"c\"\n",
        server.origin()
    ));
    let metadata = value!({"issuer": server.origin(), "userinfo_endpoint": server.url("/userinfo")});
    server.on(
        "GET",
        "/.well-known/openid-configuration",
        json(200, &metadata.to_string()),
    );
    std::fs::write(home.path().join("token"), "filed-token").unwrap();
    userinfo(&home, &["token"]).expect_code(0);
    let last = server.requests().pop().unwrap();
    assert_eq!(last.header("authorization"), Some("Bearer filed-token"));
    userinfo(&home, &[]).expect_error(4);
    let unknown = run_with_input(home.oauth().args(["userinfo", "-", "-p", "absent"]), b"t");
    unknown.expect_error(2);
}

#[test]
fn an_expired_token_is_refreshed_first() {
    let (home, server) = require_session(json(200, ADA));
    let answer = r#"{"access_token":"new-token","token_type":"Bearer","expires_in":3600}"#;
    server.on("POST", "/token", json(200, answer)).expected();
    home.keep("work", &adas(&server, ending_in(-10, refreshable(&server.origin()))));
    userinfo(&home, &[]).expect_code(0);
    assert_eq!(
        value_of(&server.only_request_to("/token").form(), "grant_type"),
        Some("refresh_token")
    );
    assert_eq!(
        server.only_request_to("/userinfo").header("authorization"),
        Some("Bearer new-token")
    );
    assert_eq!(home.kept("work").unwrap().tokens[0].access_token.expose(), "new-token");

    home.keep("work", &adas(&server, ending_in(-10, session(&server.origin()))));
    userinfo(&home, &[]).expect_error(4);
    assert_eq!(server.requests_to("/userinfo").len(), 1);
}

#[test]
fn refusals_say_what_the_server_said() {
    let challenge = r#"WWW-Authenticate: Bearer realm="x", error="invalid_token", error_description="it is old""#;
    let with = |status: u16, header: &str| Reply::http(status, &[header], "");
    for (answer, code, error, hint) in [
        (
            with(401, challenge),
            5,
            "invalid_token (\"it is old\")",
            "--force-refresh",
        ),
        (
            with(403, "WWW-Authenticate: Bearer error=\"insufficient_scope\""),
            5,
            "insufficient_scope",
            "--scope openid",
        ),
        (
            json(400, r#"{"error":"odd","error_description":"kept-access-token-7c1f"}"#),
            5,
            "odd (\"[redacted]\")",
            "-vv",
        ),
        (status(404), 5, "status 404", "-vv"),
        (redirect(302, "/login"), 6, "status 302", "oauth discover"),
        (status(503), 3, "status 503", "Try again"),
        (status(429), 3, "status 429", "Try again"),
        (html(200, "<html>sign in</html>"), 3, "not JSON", "captive portal"),
        (Reply::nothing(), 3, "does not answer", ""),
    ] {
        let (home, _server) = require_session(answer);
        let outcome = userinfo(&home, &[]).expect_error(code);
        assert!(outcome.error().contains(error), "{outcome:#?}");
        assert!(outcome.hints().contains(hint), "{outcome:#?}");
        outcome.does_not_say(KEPT_ACCESS_TOKEN);
    }
}

#[test]
fn a_server_without_the_endpoint_is_told_apart() {
    let (home, server) = require_session(status(404));
    home.keep("work", &session(&server.origin()));
    let metadata = value!({"issuer": server.origin()});
    server.on(
        "GET",
        "/.well-known/openid-configuration",
        json(200, &metadata.to_string()),
    );
    let outcome = userinfo(&home, &[]).expect_error(2);
    assert!(outcome.error().contains("userinfo_endpoint"), "{outcome:#?}");
}

#[test]
fn a_signed_answer_is_read() {
    let token = Signer::new("k1").token(&value!({"sub": "ada", "aud": "desktop"}));
    let (home, _server) = require_session(Reply::http(200, &["Content-Type: application/jwt"], token));
    let outcome = userinfo(&home, &["--json"]).expect_code(0);
    assert_eq!(outcome.json(), value!({"sub": "ada", "aud": "desktop"}));
    assert!(outcome.stderr.contains("not verified"), "{outcome:#?}");
}

#[test]
fn a_signed_answer_is_read_whatever_its_content_type() {
    let token = Signer::new("k1").token(&value!({"sub": "ada", "aud": "desktop"}));
    for (content_type, body) in [
        ("Content-Type: application/json", token.clone()),
        ("Content-Type: application/json;charset=utf-8", format!("\"{token}\"")),
        ("Content-Type: text/plain", format!("{token}\n")),
        ("Content-Type: application/jwt; charset=utf-8", token.clone()),
        ("X-None: 1", token.clone()),
    ] {
        let (home, _server) = require_session(Reply::http(200, &[content_type], body));
        let outcome = userinfo(&home, &["--json"]).expect_code(0);
        assert_eq!(
            outcome.stdout, "{\"aud\":\"desktop\",\"sub\":\"ada\"}\n",
            "{content_type}"
        );
        assert!(outcome.stderr.contains("not verified"), "{outcome:#?}");
    }
    // Nor does its content type make JSON a JWT.
    let (home, _server) = require_session(Reply::http(200, &["Content-Type: application/jwt"], ADA));
    assert_eq!(userinfo(&home, &["--json"]).expect_code(0).stdout, format!("{ADA}\n"));
}

#[test]
fn an_encrypted_answer_is_named_as_that() {
    let header = Signer::new("k1")
        .token(&value!({}))
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    for content_type in ["Content-Type: application/jwt", "Content-Type: application/json"] {
        let (home, _server) = require_session(Reply::http(200, &[content_type], format!("{header}.a.b.c.d")));
        let outcome = userinfo(&home, &[]).expect_error(6);
        assert_eq!(
            outcome.error(),
            "the answer of the userinfo endpoint cannot be used: it is encrypted (a JWT of five segments, RFC 7516 §3.1), which is not supported; register the client without userinfo_encrypted_response_alg"
        );
    }
    // Other text with four dots is none.
    let (home, _server) = require_session(Reply::http(200, &["Content-Type: text/plain"], "a.b.c.d.e"));
    userinfo(&home, &[]).expect_error(3);
}

#[test]
fn the_answer_cannot_steer_the_terminal() {
    let (home, _server) = require_session(json(200, "{\"sub\":\"ada\",\"name\":\"\\u001b[2J\\n\u{202e}x\"}"));
    let outcome = userinfo(&home, &[]).expect_code(0);
    assert!(
        outcome.stdout.ends_with("  name  \\u{1b}[2J\\u{a}\\u{202e}x\n"),
        "{outcome:?}"
    );
    let outcome = userinfo(&home, &["--json"]).expect_code(0);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{outcome:?}");
}

#[test]
fn the_development_server_says_who_it_is() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    complete_at(
        &server,
        &home,
        &["--client-id", "oauth-cli", "--scope", "openid email", "-p", "work"],
    )
    .expect_code(0);
    let outcome = userinfo(&home, &["--json", "-v"]).expect_code(0);
    assert_eq!(outcome.json()["sub"], "demo");
    // A token without openid is refused there.
    complete_at(
        &server,
        &home,
        &["--client-id", "oauth-cli", "--scope", "hello", "-p", "work"],
    )
    .expect_code(0);
    let outcome = userinfo(&home, &[]).expect_error(5);
    assert!(outcome.error().contains("insufficient_scope"), "{outcome:#?}");
}
