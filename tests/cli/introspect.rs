//! `oauth introspect`: how the client says who it is, what is printed, and
//! that an inactive token is exit 4.

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, html, json, status, value_of};
use super::support::login::complete_at;
use super::support::outcome::{Outcome, run, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, endpoint, refreshable, session};
use oauth::protocol::client::ClientAuthenticationMethod;
use serde_json::json as value;

const ACTIVE: &str = r#"{"active":true,"sub":"ada","exp":4102444800}"#;

fn require_session(answer: Reply) -> (Home, LiteralServer) {
    let server = LiteralServer::start();
    server.on("POST", "/introspect", answer);
    let home = Home::new();
    home.configure("[profile.work]\n");
    let mut kept = session(&server.origin());
    kept.endpoints.introspection = Some(endpoint(&server.url("/introspect")));
    kept.client.method = ClientAuthenticationMethod::ClientSecretBasic;
    kept.client.secret = Some("kept-secret".into());
    home.keep("work", &kept);
    (home, server)
}

fn introspect(home: &Home, arguments: &[&str]) -> Outcome {
    run(home.oauth().args(["introspect", "-p", "work"]).args(arguments))
}

#[test]
fn the_sessions_client_asks_about_the_sessions_token() {
    let (home, server) = require_session(json(200, ACTIVE));
    let outcome = introspect(&home, &["--json"]).expect_code(0);
    assert_eq!(outcome.stdout, format!("{ACTIVE}\n"));
    let request = server.only_request_to("/introspect");
    assert_eq!(
        request.body_text(),
        format!("token={KEPT_ACCESS_TOKEN}&token_type_hint=access_token")
    );
    assert_eq!(
        request.header("authorization"),
        Some("Basic ZGVza3RvcDprZXB0LXNlY3JldA==")
    );
    assert_eq!(request.header("accept"), Some("application/json"));
    let outcome = introspect(&home, &[]).expect_code(0);
    assert!(
        outcome.stdout.starts_with("  active  true\n  sub     ada\n"),
        "{outcome:#?}"
    );
    assert!(outcome.stdout.contains("2100-01-01T00:00:00Z, in "), "{outcome:#?}");

    // The environment's secret wins, and the other methods of authentication.
    run(home
        .oauth()
        .args(["introspect", "-p", "work"])
        .env("OAUTH_CLIENT_SECRET", "new-secret"))
    .expect_code(0);
    let mut kept = home.kept("work").unwrap();
    kept.client.method = ClientAuthenticationMethod::ClientSecretPost;
    home.keep("work", &kept);
    introspect(&home, &[]).expect_code(0);
    kept.client.method = ClientAuthenticationMethod::None;
    home.keep("work", &kept);
    introspect(&home, &[]).expect_code(0);
    let requests = server.requests_to("/introspect");
    assert_eq!(
        requests[2].header("authorization"),
        Some("Basic ZGVza3RvcDpuZXctc2VjcmV0")
    );
    assert_eq!(value_of(&requests[3].form(), "client_secret"), Some("kept-secret"));
    assert_eq!(requests[3].header("authorization"), None);
    assert_eq!(value_of(&requests[4].form(), "client_secret"), None);
    assert_eq!(value_of(&requests[4].form(), "client_id"), Some("desktop"));
}

#[test]
fn an_inactive_token_is_printed_and_exit_4() {
    let (home, server) = require_session(json(200, r#"{"active":false}"#));
    let outcome = introspect(&home, &["--json"]);
    assert_eq!(outcome.stdout, "{\"active\":false}\n");
    assert_eq!(outcome.json_error(4)["name"], "login_required");
    let outcome = run_with_input(home.oauth().args(["introspect", "-", "-p", "work"]), b"given\n").expect_code(4);
    assert_eq!(outcome.stdout, "  active  false\n");
    assert!(outcome.error().contains("not active"), "{outcome:#?}");
    let requests = server.requests_to("/introspect");
    assert_eq!(requests[1].body_text(), "token=given", "nobody knows what kind it is");
}

#[test]
fn an_expired_token_is_refreshed_first() {
    let (home, server) = require_session(json(200, ACTIVE));
    let answer = r#"{"access_token":"new-token","token_type":"Bearer","expires_in":3600}"#;
    server.on("POST", "/token", json(200, answer)).expected();
    let mut expired = ending_in(-10, refreshable(&server.origin()));
    expired.endpoints.introspection = Some(endpoint(&server.url("/introspect")));
    home.keep("work", &expired);
    introspect(&home, &[]).expect_code(0);
    assert_eq!(
        value_of(&server.only_request_to("/introspect").form(), "token"),
        Some("new-token")
    );
}

#[test]
fn a_profile_without_a_session_can_ask_about_a_given_token() {
    let (_, server) = require_session(json(200, ACTIVE));
    let home = Home::new();
    std::fs::write(home.path().join("secret"), "s3cret-of-file\n").unwrap();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"c\"\nclient_secret_file = '{}'\n",
        server.origin(),
        home.path().join("secret").display()
    ));
    let metadata = value!({
        "issuer": server.origin(),
        "introspection_endpoint": server.url("/introspect"),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    });
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    let outcome = run_with_input(home.oauth().args(["introspect", "-", "-p", "work"]), b"given");
    outcome.expect_code(0);
    let request = server.only_request_to("/introspect");
    assert_eq!(
        request.body_text(),
        "token=given&client_id=c&client_secret=s3cret-of-file"
    );
}

#[test]
fn answers_that_are_none() {
    for (answer, code, error, hint) in [
        (
            json(401, r#"{"error":"invalid_client"}"#),
            5,
            "invalid_client",
            "Check client_id and secret; the secret was sent in the Authorization header",
        ),
        (
            json(400, r#"{"error":"unauthorized_client"}"#),
            5,
            "unauthorized_client",
            "--client-auth client_secret_post",
        ),
        (status(401), 5, "status 401", "Check client_id and secret"),
        (status(400), 5, "status 400", "-vv"),
        (status(500), 3, "status 500", "Try again"),
        (html(200, "<html>"), 3, "not JSON", "proxy"),
        (json(200, "{}"), 6, "active is missing", "-vv"),
        (json(200, r#"{"active":"true"}"#), 6, "active is missing", "-vv"),
    ] {
        let (home, _server) = require_session(answer);
        let outcome = introspect(&home, &[]).expect_error(code);
        assert!(
            outcome.error().contains(error) && outcome.hints().contains(hint),
            "{outcome:#?}"
        );
        outcome.does_not_say("kept-secret").does_not_say(KEPT_ACCESS_TOKEN);
    }
    let (home, server) = require_session(status(401));
    let mut public = home.kept("work").unwrap();
    public.client.method = ClientAuthenticationMethod::None;
    home.keep("work", &public);
    let outcome = introspect(&home, &[]).expect_error(5);
    assert!(outcome.hints().contains("--client-secret-file"), "{outcome:#?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_token_as_an_argument_is_refused() {
    let (home, server) = require_session(json(200, ACTIVE));
    for command in ["introspect", "userinfo", "revoke"] {
        for token in ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln", "2YotnFZFEjr1zCsicMWpAA"] {
            let outcome = run(home.oauth().args([command, token, "-p", "work"])).expect_error(2);
            outcome.does_not_say(token);
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_profiles_name_where_a_file_belongs_is_met_with_how_a_profile_is_named() {
    let (home, server) = require_session(json(200, ACTIVE));
    for command in ["introspect", "userinfo", "revoke", "decode"] {
        let outcome = run(home.oauth().args([command, "work"])).expect_error(2);
        assert!(outcome.error().contains("there is no file \"work\""), "{outcome:#?}");
        assert!(outcome.hints().contains("-p work"), "{outcome:#?}");
        // Any other name may be a token.
        let outcome = run(home.oauth().args([command, "wrok"])).expect_error(2);
        outcome.does_not_say("wrok").does_not_say("-p work");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn without_an_endpoint_it_names_the_command_that_looks_at_every_document() {
    let (home, server) = require_session(json(200, ACTIVE));
    let mut kept = home.kept("work").unwrap();
    kept.endpoints.introspection = None;
    home.keep("work", &kept);
    let metadata = value!({"issuer": server.origin()});
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    for (command, member) in [
        ("introspect", "introspection_endpoint"),
        ("userinfo", "userinfo_endpoint"),
    ] {
        let outcome = run(home.oauth().args([command, "-p", "work"])).expect_error(2);
        assert!(outcome.error().ends_with(&format!("names no {member}")), "{outcome:#?}");
        assert_eq!(
            outcome.hints(),
            format!(
                "If the server has one anyway, log in again and add the option --{} URL.\nSee what the server publishes with: oauth discover {}",
                member.replace('_', "-"),
                server.origin()
            )
        );
    }
    kept.issuer = None;
    home.keep("work", &kept);
    let outcome = introspect(&home, &[]).expect_error(2);
    assert!(outcome.hints().contains("--issuer URL"), "{outcome:#?}");
}

#[test]
fn the_development_server_answers_a_client_with_a_secret() {
    let home = Home::new();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "app-secret").unwrap();
    let client = format!("app:{}", secret.display());
    let server = DevelopmentServer::start(&["--approve", "auto", "--client", &client]);
    let file = secret.display().to_string();
    complete_at(
        &server,
        &home,
        &["--client-id", "app", "--client-secret-file", &file, "-p", "work"],
    )
    .expect_code(0);
    let outcome = introspect(&home, &["--json"]).expect_code(0);
    assert_eq!(
        (&outcome.json()["active"], &outcome.json()["client_id"]),
        (&value!(true), &value!("app"))
    );
    run(home.oauth().args(["revoke", "-p", "work"])).expect_code(0);
    // The revoked token is not handed out again: another one is fetched, and that is active.
    introspect(&home, &["--json"]).expect_code(0);
    let outcome = run_with_input(home.oauth().args(["introspect", "-", "-p", "work"]), b"nonsense");
    outcome.expect_code(4);
}
