//! `oauth revoke`: one token is forgotten by the server, and never handed out
//! again if it was the session's.

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, json, status, value_of};
use super::support::login::complete_at;
use super::support::outcome::{Outcome, run, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, endpoint, refreshable, session};
use serde_json::json as value;

fn require_session(answer: Reply) -> (Home, LiteralServer) {
    let server = LiteralServer::start();
    server.on("POST", "/revoke", answer);
    let home = Home::new();
    home.configure("[profile.work]\n");
    let mut kept = refreshable(&server.origin());
    kept.endpoints.revocation = Some(endpoint(&server.url("/revoke")));
    home.keep("work", &kept);
    (home, server)
}

fn revoke(home: &Home, arguments: &[&str], input: &str) -> Outcome {
    run_with_input(
        home.oauth().args(["revoke", "-p", "work"]).args(arguments),
        input.as_bytes(),
    )
}

#[test]
fn the_sessions_access_token_is_revoked_and_not_handed_out_again() {
    let (home, server) = require_session(status(200));
    let outcome = revoke(&home, &[], "").expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome
            .stderr
            .contains("the access token of profile \"work\" is revoked"),
        "{outcome:#?}"
    );
    assert!(
        outcome
            .stderr
            .contains("oauth token work gets another access token, unless the server has ended the whole session"),
        "{outcome:#?}"
    );
    let request = server.only_request_to("/revoke");
    assert_eq!(
        request.body_text(),
        format!("token={KEPT_ACCESS_TOKEN}&token_type_hint=access_token&client_id=desktop")
    );
    let answer = r#"{"access_token":"new-token","token_type":"Bearer","expires_in":3600}"#;
    server.on("POST", "/token", json(200, answer)).expected();
    let token = run(home.oauth().args(["token", "work"])).expect_code(0);
    assert_eq!(token.stdout, "new-token\n");

    // Without a refresh token there is nothing to hand out.
    let mut alone = session(&server.origin());
    alone.endpoints.revocation = Some(endpoint(&server.url("/revoke")));
    home.keep("work", &alone);
    let outcome = revoke(&home, &[], "").expect_code(0);
    assert!(outcome.stderr.contains("oauth login work"), "{outcome:#?}");
    run(home.oauth().args(["token", "work"])).expect_error(4);
}

#[test]
fn a_given_token_is_revoked_without_a_guess_what_it_is() {
    let (home, server) = require_session(status(200));
    let outcome = revoke(&home, &["-"], "given-token\n").expect_code(0);
    assert!(outcome.stderr.contains("RFC 7009 §2.2"), "{outcome:#?}");
    assert_eq!(
        server.only_request_to("/revoke").body_text(),
        "token=given-token&client_id=desktop"
    );
    let token = run(home.oauth().args(["token", "work"])).expect_code(0);
    assert_eq!(
        token.stdout,
        format!("{KEPT_ACCESS_TOKEN}\n"),
        "the session is as it was"
    );

    // The session's own, given: the server may end its access token with it.
    revoke(&home, &["-"], KEPT_REFRESH_TOKEN).expect_code(0);
    let request = server.requests_to("/revoke").pop().unwrap();
    assert_eq!(value_of(&request.form(), "token_type_hint"), Some("refresh_token"));
    server
        .on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#))
        .expected();
    run(home.oauth().args(["token", "work"])).expect_error(4);
}

#[test]
fn a_token_that_the_server_does_not_know_any_more_counts_as_revoked() {
    let (home, _server) = require_session(json(400, r#"{"error":"invalid_token"}"#));
    let outcome = revoke(&home, &[], "").expect_code(0);
    assert!(
        outcome
            .stderr
            .contains("the access token of profile \"work\" is revoked"),
        "{outcome:#?}"
    );
    revoke(&home, &["-"], "given-token\n").expect_code(0);
}

#[test]
fn what_the_server_does_not_take_leaves_the_session_as_it_is() {
    for (answer, code, part) in [
        (status(503), 3, "status 503"),
        (Reply::nothing(), 3, "does not answer"),
        (
            json(400, r#"{"error":"unsupported_token_type"}"#),
            5,
            "unsupported_token_type",
        ),
        (json(401, r#"{"error":"invalid_client"}"#), 5, "invalid_client"),
    ] {
        let (home, _server) = require_session(answer);
        let outcome = revoke(&home, &[], "").expect_error(code);
        assert!(outcome.error().contains(part), "{outcome:#?}");
        let token = run(home.oauth().args(["token", "work"])).expect_code(0);
        assert_eq!(token.stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    }
}

#[test]
fn without_an_endpoint_or_a_session_nothing_is_sent() {
    let (home, server) = require_session(status(200));
    home.keep("work", &session(&server.origin()));
    let metadata = value!({"issuer": server.origin()});
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    let outcome = revoke(&home, &[], "").expect_error(2);
    assert!(
        outcome.error().ends_with("names no revocation_endpoint"),
        "{outcome:#?}"
    );
    let hints = outcome.hints();
    assert!(
        hints.contains(&format!("oauth discover {}", server.origin())) && hints.contains("--revocation-endpoint URL"),
        "{outcome:#?}"
    );
    run(home.oauth().args(["revoke", "-p", "absent"])).expect_error(2);
    assert!(server.requests_to("/revoke").is_empty());
    assert!(
        home.files().iter().all(|file| !file.ends_with("absent.lock")),
        "no lock for a mistyped name"
    );
}

#[test]
fn the_development_server_forgets_the_token() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    complete_at(
        &server,
        &home,
        &["--client-id", "oauth-cli", "--scope", "hello", "-p", "work"],
    )
    .expect_code(0);
    let token = || run(home.oauth().args(["token", "work"])).expect_code(0).stdout;
    let before = token();
    assert_eq!(server.hello(&value!({"access_token": before.trim()})), 200);
    revoke(&home, &[], "").expect_code(0);
    assert_eq!(server.hello(&value!({"access_token": before.trim()})), 401);
    let after = token();
    assert_ne!(after, before);
    assert_eq!(server.hello(&value!({"access_token": after.trim()})), 200);
}
