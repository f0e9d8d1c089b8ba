//! `oauth token --resource --scope`: tokens for a part of what was granted,
//! from the same session, each kept beside the others (RFC 8707 §2.2, RFC 6749 §6).

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{
    KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, endpoint, refreshable, resource, scope, session,
};

/// A token response with a refresh token of its own.
fn token_response(name: &str, more: &str) -> super::support::literal_server::Reply {
    json(
        200,
        &format!(
            r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-{name}"{more}}}"#
        ),
    )
}

/// A home with a session for two resources and two scope values.
fn home(server: &LiteralServer) -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\nscope = [\"read\", \"write\"]\n\
         resource = [\"https://a.example/\", \"https://b.example/\"]\n",
        server.origin()
    ));
    let mut session = ending_in(3000, refreshable(&server.origin()));
    session.requested.scope = scope("read write");
    session.requested.resource = vec![resource("https://a.example/"), resource("https://b.example/")];
    session.tokens[0].resource = session.requested.resource.clone();
    home.keep("work", &session);
    home
}

#[track_caller]
fn token(home: &Home, arguments: &[&str], expected: &str) -> Outcome {
    let outcome = run(home.oauth().args(["token", "work"]).args(arguments)).expect_code(0);
    assert_eq!(outcome.stdout, format!("{expected}\n"), "{outcome:?}");
    outcome
}

#[test]
fn each_part_is_asked_for_once_and_kept_beside_the_others_with_one_refresh_token_for_all() {
    let server = LiteralServer::start();
    server.on_each(
        "POST",
        "/token",
        vec![
            token_response("for-a", ""),
            token_response("to-read", r#","scope":"read""#),
            token_response("whole", ""),
        ],
    );
    let home = home(&server);
    let a = ["--resource", "https://a.example/"];
    let read = ["--resource", "https://b.example/", "--scope", "read"];
    token(&home, &a, "for-a");
    token(&home, &read, "to-read");
    // each from the record now, the main one as it was
    token(&home, &a, "for-a");
    token(&home, &read, "to-read");
    token(&home, &[], KEPT_ACCESS_TOKEN);
    token(
        &home,
        &["--resource", "https://b.example/ https://a.example/"],
        KEPT_ACCESS_TOKEN,
    );
    token(&home, &["--scope", "write read"], KEPT_ACCESS_TOKEN);
    let sent: Vec<String> = server
        .requests_to("/token")
        .iter()
        .map(|request| request.body_text().to_owned())
        .collect();
    assert_eq!(
        sent,
        [
            format!(
                "grant_type=refresh_token&refresh_token={KEPT_REFRESH_TOKEN}&client_id=desktop&resource=https%3A%2F%2Fa.example%2F"
            ),
            "grant_type=refresh_token&refresh_token=refresh-for-a&client_id=desktop&scope=read\
             &resource=https%3A%2F%2Fb.example%2F"
                .to_owned(),
        ]
    );
    // the whole is refreshed with the refresh token that came last, for all of it
    token(&home, &["--force-refresh"], "whole");
    let request = server.requests_to("/token").pop().expect("a third request");
    assert_eq!(
        request.body_text(),
        "grant_type=refresh_token&refresh_token=refresh-to-read&client_id=desktop\
         &resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2F"
    );
    token(&home, &a, "for-a");
}

#[test]
fn json_names_what_the_part_is_for() {
    let server = LiteralServer::start();
    server.on("POST", "/token", token_response("for-a", ""));
    let home = home(&server);
    let arguments = ["--resource", "https://a.example/", "--scope", "read", "--json"];
    let outcome = run(home.oauth().args(["token", "work"]).args(arguments)).expect_code(0);
    let object = outcome.json();
    assert_eq!(object["access_token"], "for-a");
    assert_eq!(object["resource"], serde_json::json!(["https://a.example/"]));
    // absent, it is what was asked for (RFC 6749 §5.1)
    assert_eq!(object["scope"], "read");
}

#[test]
fn what_the_server_refuses_is_told_and_nothing_is_lost() {
    let server = LiteralServer::start();
    let error = r#"{"error":"invalid_target","error_description":"not for you"}"#;
    server.on("POST", "/token", json(400, error));
    let home = home(&server);
    let arguments = ["token", "work", "--resource", "https://c.example/"];
    run(home.oauth().args(arguments))
        .expect_error(5)
        .says(&["invalid_target", "not for you"]);
    token(&home, &[], KEPT_ACCESS_TOKEN);
    let session = home.kept("work").expect("the session");
    assert_eq!((session.generation, session.tokens.len()), (1, 1));
}

#[test]
fn a_session_without_a_refresh_token_has_no_parts() {
    let server = LiteralServer::start();
    let home = Home::new();
    home.keep("work", &session(&server.origin()));
    run(home.oauth().args(["token", "work", "--scope", "read"])).expect_error(4);
    assert_eq!(server.connections(), 0);
}

#[test]
fn what_no_resource_and_no_scope_is_is_exit_2() {
    let server = LiteralServer::start();
    let home = home(&server);
    for (flag, value) in [
        ("--resource", "api"),
        ("--resource", "https://a.example/#fragment"),
        ("--scope", "a\"b"),
    ] {
        run(home.oauth().args(["token", "work", flag, value]))
            .expect_error(2)
            .says(&[flag]);
    }
}

#[test]
fn an_empty_wish_is_refused_and_never_brings_the_whole_token() {
    let home = Home::new();
    for flag in ["--scope", "--resource"] {
        let outcome = run(home.oauth().args(["token", "work", flag, ""])).expect_error(2);
        assert!(outcome.error().contains(flag), "{outcome:?}");
    }
}

#[test]
fn logout_revokes_the_tokens_of_all_parts() {
    let server = LiteralServer::start();
    server.on("POST", "/token", token_response("for-a", ""));
    server.on("POST", "/revoke", json(200, ""));
    let home = home(&server);
    let mut session = home.kept("work").expect("the session");
    session.endpoints.revocation = Some(endpoint(&format!("{}/revoke", server.origin())));
    home.keep("work", &session);
    token(&home, &["--resource", "https://a.example/"], "for-a");
    run(home.oauth().args(["logout", "work"])).expect_code(0);
    let revoked = server.requests_to("/revoke");
    let revoked: Vec<String> = revoked.iter().map(|request| request.body_text().to_owned()).collect();
    let first = |text: &str| text.split('&').next().map(str::to_owned).expect("a parameter");
    let revoked: Vec<String> = revoked.iter().map(|text| first(text)).collect();
    assert_eq!(
        revoked,
        [
            "token=refresh-for-a".to_owned(),
            format!("token={KEPT_ACCESS_TOKEN}"),
            "token=for-a".to_owned()
        ]
    );
}
