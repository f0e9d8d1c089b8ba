//! `oauth logout`: exactly which requests go to the server, what is kept when
//! it does not take them, and what stays for the next login.

use super::support::authorization_server::{self, ACCESS_TOKEN, REFRESH_TOKEN};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, Request, html, json, redirect, status, value_of};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{
    KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, endpoint, log_in, log_in_with, refreshable, session,
};
use oauth::protocol::client::ClientAuthenticationMethod;
use oauth::store::Session;
use std::process::Command;

fn logout(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.arg("logout").args(arguments);
    command
}

/// A session with both tokens at a server that has a revocation endpoint.
fn revocable(server: &LiteralServer) -> Session {
    let mut session = refreshable(&server.origin());
    session.endpoints.revocation = Some(endpoint(&server.url("/revoke")));
    session
}

/// A home where `work` is logged in at a server that answers revocations so.
fn logged_in(answers: Vec<Reply>) -> (Home, LiteralServer) {
    let server = LiteralServer::start();
    server.on_each("POST", "/revoke", answers);
    let home = Home::new();
    home.configure("[profile.work]\nclient_id = \"desktop\"\n");
    home.keep("work", &revocable(&server));
    (home, server)
}

fn tokens_sent(server: &LiteralServer) -> Vec<String> {
    let token = |request: &Request| value_of(&request.form(), "token").expect("a token").to_owned();
    server.requests_to("/revoke").iter().map(token).collect()
}

#[track_caller]
fn assert_forgotten(home: &Home, profile: &str) {
    assert!(home.kept(profile).is_none(), "{profile} is still stored");
}

#[track_caller]
fn assert_kept(home: &Home, profile: &str) {
    let session = home.kept(profile).expect("the session is still stored");
    assert_eq!(session.tokens.len(), 1);
    assert!(session.refresh_token.is_some());
}

#[test]
fn the_url_of_one_server_never_ends_the_session_of_another() {
    let (home, server) = (Home::new(), LiteralServer::start());
    home.configure(
        &format!("[profile.id.example.com]\nissuer = \"{}\"\n", server.origin())
            .replace("id.example.com", "\"id.example.com\""),
    );
    home.keep("id.example.com", &revocable(&server));
    for command in ["logout", "status", "token"] {
        let outcome = run(home.oauth().args([command, "https://id.example.com"])).expect_error(2);
        assert!(
            outcome.error().contains("is already used for") && outcome.hints().contains("--profile"),
            "{outcome:?}"
        );
    }
    assert_kept(&home, "id.example.com");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_refresh_token_is_revoked_and_then_the_access_token_and_both_are_forgotten() {
    let home = Home::new();
    let server = authorization_server::start();
    let metadata = authorization_server::metadata(&server.origin());
    let revocation = format!(r#"{{"revocation_endpoint":"{}","#, server.url("/revoke?tenant=x"));
    let metadata = metadata.replacen('{', &revocation, 1);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/revoke", status(200)).expected();
    let arguments = [&server.origin(), "--client-id=a b", "--profile=work", "--no-browser"];
    log_in(&home, &server, &arguments);
    let before = server.requests().len();

    let outcome = run(&mut logout(&home, &["work"])).expect_code(0);
    assert_eq!(outcome.stdout, "");
    let sent = server.requests().split_off(before);
    let [refresh, access] = &sent[..] else {
        panic!("two requests are expected: {sent:#?}")
    };
    for (request, token, hint) in [
        (refresh, REFRESH_TOKEN, "refresh_token"),
        (access, ACCESS_TOKEN, "access_token"),
    ] {
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/revoke?tenant=x")
        );
        assert_eq!(
            request.body_text(),
            format!("token={token}&token_type_hint={hint}&client_id=a+b")
        );
        assert_eq!(
            request.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("accept"), Some("application/json"));
    }
    assert_forgotten(&home, "work");
    run(home.oauth().args(["token", "work"])).expect_error(4);
    // once more is not a mistake
    let again = run(&mut logout(&home, &["work"])).expect_code(0);
    assert_eq!(again.stdout, "");
    assert_eq!(server.requests().len(), before + 2);
    assert!(home.configuration().contains("[profile.work]"), "the profile stays");
}

#[test]
fn a_client_with_a_secret_authenticates_and_the_environment_wins() {
    let (home, server) = logged_in(vec![status(200)]);
    let mut confidential = revocable(&server);
    confidential.client.method = ClientAuthenticationMethod::ClientSecretBasic;
    confidential.client.secret = Some("kept-secret".to_owned().into());
    home.keep("work", &confidential);
    run(&mut logout(&home, &["work"])).expect_code(0);
    home.keep("work", &confidential);
    run(logout(&home, &["work"]).env("OAUTH_CLIENT_SECRET", "new-secret")).expect_code(0);
    confidential.client.method = ClientAuthenticationMethod::ClientSecretPost;
    home.keep("work", &confidential);
    run(&mut logout(&home, &["work"])).expect_code(0);

    let requests = server.requests_to("/revoke");
    let authorization: Vec<Option<&str>> = requests.iter().map(|request| request.header("authorization")).collect();
    let (kept, new) = (
        Some("Basic ZGVza3RvcDprZXB0LXNlY3JldA=="),
        Some("Basic ZGVza3RvcDpuZXctc2VjcmV0"),
    );
    assert_eq!(authorization, [kept, kept, new, new, None, None]);
    assert_eq!(value_of(&requests[0].form(), "client_secret"), None);
    assert_eq!(value_of(&requests[4].form(), "client_secret"), Some("kept-secret"));
    assert_eq!(value_of(&requests[4].form(), "client_id"), Some("desktop"));
}

#[test]
fn without_a_refresh_token_the_access_token_alone_is_revoked() {
    let (home, server) = logged_in(vec![status(200)]);
    let mut without = revocable(&server);
    without.refresh_token = None;
    without.renewal = oauth::store::Renewal::None;
    home.keep("work", &without);
    run(&mut logout(&home, &["work"])).expect_code(0);
    assert_eq!(tokens_sent(&server), [KEPT_ACCESS_TOKEN]);
    assert_forgotten(&home, "work");
}

#[test]
fn without_a_revocation_endpoint_the_session_is_forgotten_with_a_note() {
    let server = LiteralServer::start();
    let home = Home::new();
    home.keep("default", &refreshable(&server.origin()));
    home.configure("[profile.default]\n");
    let outcome = run(&mut logout(&home, &[])).expect_code(0);
    let notes = outcome.labelled("note:");
    assert!(
        notes
            .iter()
            .any(|note| note.contains("metadata names no revocation endpoint")
                && note.contains("--revocation-endpoint URL")),
        "{outcome:?}"
    );
    assert_forgotten(&home, "default");
    assert_eq!(server.connections(), 0);
}

/// One logout against a server that answers so: the outcome, and what was sent.
fn answered(answers: Vec<Reply>) -> (Outcome, Home, Vec<String>) {
    let (home, server) = logged_in(answers);
    let outcome = run(&mut logout(&home, &["work"]));
    assert_eq!(outcome.stdout, "", "{outcome:?}");
    (outcome, home, tokens_sent(&server))
}

#[test]
fn a_server_that_cannot_now_leaves_everything_as_it_was() {
    let unavailable = r#"{"error":"temporarily_unavailable"}"#;
    for answer in [
        status(500),
        json(503, unavailable),
        status(429),
        // whatever the body says
        json(502, r#"{"error":"unsupported_token_type"}"#),
        Reply::nothing(),
        Reply::reset(),
    ] {
        let (outcome, home, sent) = answered(vec![answer]);
        outcome.expect_error(3).says(&["hint: ", "oauth logout work --local"]);
        assert_eq!(sent, [KEPT_REFRESH_TOKEN], "one attempt, and not the other token");
        assert_kept(&home, "work");
    }

    // nobody listens there any more
    let home = Home::new();
    home.configure("[profile.work]\n");
    home.keep("work", &revocable(&LiteralServer::start()));
    run(&mut logout(&home, &["work"])).expect_error(3);
    assert_kept(&home, "work");
}

#[test]
fn a_server_that_refuses_leaves_everything_as_it_was() {
    for (answer, oauth_error) in [
        (
            json(401, r#"{"error":"invalid_client","error_description":"who?"}"#),
            Some("invalid_client"),
        ),
        (json(400, r#"{"error":"invalid_request"}"#), Some("invalid_request")),
        (status(403), None),
        (html(404, "<h1>Not Found</h1>"), None),
    ] {
        let (home, server) = logged_in(vec![answer]);
        let outcome = run(&mut logout(&home, &["work", "--json"]));
        assert_eq!(outcome.stdout, "");
        let error = outcome.json_error(5);
        assert_eq!(error["name"], "refused");
        assert_eq!(error["oauth_error"].as_str(), oauth_error);
        assert!(error["hints"].to_string().contains("--local"), "{error}");
        assert_eq!(tokens_sent(&server), [KEPT_REFRESH_TOKEN]);
        assert_kept(&home, "work");
    }
    // a credentials request follows no redirect
    let elsewhere = LiteralServer::start();
    let (outcome, home, _) = answered(vec![redirect(307, &elsewhere.url("/revoke"))]);
    outcome.expect_error(6);
    assert_kept(&home, "work");
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_type_of_token_that_the_server_does_not_revoke_counts_as_done() {
    let unsupported = json(400, r#"{"error":"unsupported_token_type"}"#);
    let (outcome, home, sent) = answered(vec![unsupported]);
    let outcome = outcome.expect_code(0);
    assert_eq!(outcome.labelled("warning:"), Vec::<String>::new());
    assert_eq!(sent, [KEPT_REFRESH_TOKEN, KEPT_ACCESS_TOKEN]);
    assert_forgotten(&home, "work");
}

#[test]
fn failing_at_the_access_token_alone_is_a_warning() {
    for second in [
        status(500),
        json(401, r#"{"error":"invalid_client"}"#),
        Reply::nothing(),
    ] {
        let (outcome, home, sent) = answered(vec![status(200), second]);
        let outcome = outcome.expect_code(0);
        assert_eq!(outcome.labelled("warning:").len(), 1, "{outcome:?}");
        assert_eq!(sent, [KEPT_REFRESH_TOKEN, KEPT_ACCESS_TOKEN]);
        assert_forgotten(&home, "work");
    }
}

#[test]
fn a_token_that_the_server_does_not_know_any_more_is_revoked() {
    let invalid = || json(400, r#"{"error":"invalid_token"}"#);
    for answers in [
        vec![invalid()],
        vec![status(200), invalid()],
        vec![invalid(), status(200)],
    ] {
        let (outcome, home, sent) = answered(answers);
        let outcome = outcome.expect_code(0);
        assert_eq!(outcome.labelled("warning:"), Vec::<String>::new());
        assert_eq!(sent, [KEPT_REFRESH_TOKEN, KEPT_ACCESS_TOKEN]);
        assert_forgotten(&home, "work");
    }
    // Another status with that code is about something else.
    let (outcome, home, _) = answered(vec![json(401, r#"{"error":"invalid_token"}"#)]);
    outcome.expect_error(5);
    assert_kept(&home, "work");
}

#[test]
fn an_access_token_that_ended_with_its_refresh_token_is_no_warning() {
    let refused = |code: &str| json(400, &format!(r#"{{"error":"{code}"}}"#));
    for code in ["invalid_request", "invalid_grant", "unsupported_token_type"] {
        let (outcome, home, sent) = answered(vec![status(200), refused(code)]);
        assert_eq!(
            outcome.expect_code(0).labelled("warning:"),
            Vec::<String>::new(),
            "{code}"
        );
        assert_eq!(sent, [KEPT_REFRESH_TOKEN, KEPT_ACCESS_TOKEN]);
        assert_forgotten(&home, "work");
    }
    // A server that does not revoke refresh tokens has ended nothing with one.
    let answers = vec![refused("unsupported_token_type"), refused("invalid_request")];
    let outcome = answered(answers).0.expect_code(0);
    assert_eq!(outcome.labelled("warning:").len(), 1, "{outcome:?}");
}

#[test]
fn failing_at_an_access_token_that_has_expired_is_no_warning() {
    for answer in [
        status(500),
        json(401, r#"{"error":"invalid_client"}"#),
        Reply::nothing(),
    ] {
        let (home, server) = logged_in(vec![status(200), answer]);
        home.keep("work", &ending_in(-10, revocable(&server)));
        let outcome = run(&mut logout(&home, &["work"])).expect_code(0);
        assert_eq!(outcome.labelled("warning:"), Vec::<String>::new(), "{outcome:?}");
        assert_forgotten(&home, "work");
    }
}

#[test]
fn local_does_not_call_the_server() {
    let (home, server) = logged_in(vec![status(500)]);
    let outcome = run(&mut logout(&home, &["work", "--local"])).expect_code(0);
    outcome.says(&["on this machine alone: its tokens were not revoked"]);
    assert_eq!(server.connections(), 0);
    assert_forgotten(&home, "work");
}

#[test]
fn all_goes_on_after_a_failure_and_ends_with_the_first() {
    let server = LiteralServer::start();
    server.on("POST", "/refusing", json(400, r#"{"error":"invalid_request"}"#));
    server.on("POST", "/failing", status(500));
    server.on("POST", "/revoking", status(200));
    let home = Home::new();
    let profiles = ["good", "refusing", "idle", "failing", "last"];
    home.configure(&profiles.map(|name| format!("[profile.{name}]\n")).concat());
    for (name, path) in [
        ("good", "/revoking"),
        ("refusing", "/refusing"),
        ("failing", "/failing"),
        ("last", "/revoking"),
    ] {
        let mut session = revocable(&server);
        session.endpoints.revocation = Some(endpoint(&server.url(path)));
        home.keep(name, &session);
    }
    let outcome = run(&mut logout(&home, &["--all", "--json"]));
    assert_eq!(outcome.stdout, "");
    let errors: Vec<i64> = outcome
        .json_lines()
        .iter()
        .filter_map(|line| line["error"]["exit_code"].as_i64())
        .collect();
    assert_eq!(errors, [5, 3, 5], "each failure, and the first as the end");
    outcome.json_error(5);
    assert_forgotten(&home, "good");
    assert_forgotten(&home, "last");
    assert_kept(&home, "refusing");
    assert_kept(&home, "failing");

    run(&mut logout(&home, &["--all", "--local"])).expect_code(0);
    assert_forgotten(&home, "refusing");
    assert_forgotten(&home, "failing");
    run(&mut logout(&home, &["--all"])).expect_code(0);
    run(&mut logout(&Home::new(), &["--all"])).expect_code(0);
    run(&mut logout(&home, &["--all", "good"])).expect_error(2);
}

#[test]
fn nobody_logged_in_is_no_failure_but_an_unknown_profile_is_one() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\n");
    assert_eq!(run(&mut logout(&home, &["work"])).expect_code(0).stdout, "");
    run(&mut logout(&home, &["nosuch"]))
        .expect_error(2)
        .says(&["\"nosuch\"", "work"]);
    // one that was never saved, but is stored, is known
    home.keep("stored", &session("https://id.example.com"));
    run(&mut logout(&home, &["stored"])).expect_code(0);
    assert_forgotten(&home, "stored");
}

#[test]
fn the_client_secret_stays_for_the_next_login_until_the_profile_is_removed() {
    let home = Home::new();
    let server = authorization_server::start();
    let secret_file = home.path().join("secret");
    std::fs::write(&secret_file, "s3cret%+\n").expect("writing the secret");
    let mut first = home.oauth();
    first.env("OAUTH_CLIENT_SECRET", "s3cret%+").args([
        "login",
        &server.origin(),
        "--client-id=desktop",
        "--profile=work",
        "--no-browser",
    ]);
    log_in_with(&mut first, &server).expect_code(0);
    run(&mut logout(&home, &["work"])).expect_code(0);
    let kept = home.kept("work").expect("a record with the secret");
    assert!(kept.tokens.is_empty() && kept.refresh_token.is_none() && kept.id_token.is_none());
    run(home.oauth().args(["token", "work"])).expect_error(4);
    let status = run(home.oauth().args(["status", "--json"])).expect_code(0).json();
    assert_eq!(status[0]["state"], "none");

    log_in(&home, &server, &["work", "--no-browser"]);
    let exchanges = server.requests_to("/token");
    // form-urlencoded before base64 (RFC 6749 §2.3.1): desktop:s3cret%25%2B
    let basic = Some("Basic ZGVza3RvcDpzM2NyZXQlMjUlMkI=");
    let sent: Vec<Option<&str>> = exchanges
        .iter()
        .map(|request| request.header("authorization"))
        .collect();
    assert_eq!(sent, [basic, basic]);

    run(home.oauth().args(["profile", "remove", "work"])).expect_code(0);
    assert_forgotten(&home, "work");
    let arguments = [
        &server.origin(),
        "--client-id=desktop",
        "--profile=work",
        "--no-browser",
    ];
    log_in(&home, &server, &arguments);
    let last = server.requests_to("/token").pop().expect("an exchange");
    assert_eq!(last.header("authorization"), None);
}
