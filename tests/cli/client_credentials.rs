//! `oauth login --grant client-credentials` (RFC 6749 §4.4): the client gets a
//! token for itself, and `oauth token` repeats that when it has expired.

use super::support::authorization_server::ACCESS_TOKEN;
use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::{Outcome, finish, run};
use super::support::sessions::{ending_in, now};
use oauth::store::Renewal;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ANSWER: &str = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}"#;
const NEW: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600}"#;
const SECRET: &str = "gX1fBat3bV";

/// A server without an authorization endpoint, and nothing about PKCE.
fn server_for_machines() -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata =
        format!(r#"{{"issuer":"{origin}","token_endpoint":"{origin}/token","response_types_supported":[]}}"#);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/token", json(200, ANSWER));
    server
}

/// `oauth login -p ci … --grant client-credentials` with these arguments, its secret in the environment.
fn login(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    let origin = server.origin();
    command
        .args(["login", "-p", "ci", "--issuer", &origin, "--client-id", "s6BhdRkqt3"])
        .args(["--grant", "client-credentials"])
        .args(arguments)
        .env("OAUTH_CLIENT_SECRET", SECRET);
    command
}

fn token(home: &Home) -> Command {
    let mut command = home.oauth();
    command.args(["token", "ci"]);
    command
}

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("starting the program")
}

/// A home that is logged in, and whose token has expired since.
fn home_with_expired_token(server: &LiteralServer) -> Home {
    let home = Home::new();
    run(&mut login(&home, server, &["--scope", "a b", "--token-param", "x=y"])).expect_code(0);
    expire(&home);
    home
}

fn expire(home: &Home) {
    let session = home.kept("ci").expect("the session");
    home.keep("ci", &ending_in(-10, session));
}

fn assert_printed(outcome: &Outcome, token: &str) {
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), format!("{token}\n").as_str()),
        "{outcome:?}"
    );
}

#[test]
fn the_request_is_that_of_rfc_6749_section_4_4_2_with_basic_and_with_post() {
    let (home, server) = (Home::new(), server_for_machines());
    let outcome = run(&mut login(&home, &server, &[])).expect_code(0);
    assert_eq!(outcome.stdout, "");
    let request = server.only_request_to("/token");
    assert_eq!(request.body_text(), "grant_type=client_credentials");
    assert_eq!(
        request.header("authorization"),
        Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );

    let (home, server) = (Home::new(), server_for_machines());
    let arguments = [
        "--client-auth",
        "client_secret_post",
        "--scope",
        "read write",
        "--resource",
        "https://api.example/",
        "--audience",
        "api",
        "--token-param",
        "tenant=7",
    ];
    run(&mut login(&home, &server, &arguments)).expect_code(0);
    let request = server.only_request_to("/token");
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.body_text(),
        "grant_type=client_credentials&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV&scope=read+write&resource=https%3A%2F%2Fapi.example%2F&audience=api&tenant=7"
    );
}

#[test]
fn a_login_by_the_spelling_of_the_rfc_keeps_the_session_and_saves_the_hyphen_form() {
    let (home, server) = (Home::new(), server_for_machines());
    let mut command = login(&home, &server, &["--grant", "client_credentials", "--json"]);
    let row = run(&mut command).expect_code(0).json();
    assert_eq!(
        (&row["profile"], &row["client_id"], &row["refreshable"], &row["subject"]),
        (
            &"ci".into(),
            &"s6BhdRkqt3".into(),
            &true.into(),
            &serde_json::Value::Null
        )
    );
    assert!(
        home.configuration().contains("grant = \"client-credentials\""),
        "{}",
        home.configuration()
    );
    assert!(!home.configuration().contains(SECRET));
    assert_printed(&run(&mut token(&home)), ACCESS_TOKEN);
    assert_eq!(server.requests_to("/token").len(), 1, "the stored token is good enough");
    // Again, by what was saved: the profile's grant and the client secret of the session.
    let again = run(home.oauth().args(["login", "ci"])).expect_code(0);
    assert_eq!(server.requests_to("/token").len(), 2);
    again.says(&["signed in as the client s6BhdRkqt3 at"]);
}

#[test]
fn endpoints_alone_name_a_server_for_machines() {
    let (home, server) = (Home::new(), server_for_machines());
    let url = server.url("/token");
    let mut command = home.oauth();
    command
        .args(["login", "-p", "ci", "--token-endpoint", &url, "--client-id", "c"])
        .args(["--grant", "client-credentials"])
        .env("OAUTH_CLIENT_SECRET", SECRET)
        .env("CI", "true");
    run(&mut command).expect_code(0);
    assert_eq!(server.requests().len(), 1, "no discovery");
    assert_printed(&run(&mut token(&home)), ACCESS_TOKEN);
}

#[test]
fn twenty_processes_with_an_expired_token_send_one_request_for_what_was_asked_at_first() {
    let server = server_for_machines();
    let home = home_with_expired_token(&server);
    server.on_each(
        "POST",
        "/token",
        vec![
            json(200, NEW).after(Duration::from_millis(200)),
            json(400, r#"{"error":"invalid_request"}"#),
        ],
    );
    let processes: Vec<Child> = (0..20).map(|_| start(token(&home))).collect();
    for outcome in processes.into_iter().map(finish) {
        assert_printed(&outcome, "new-access");
    }
    let requests = server.requests_to("/token");
    assert_eq!(requests.len(), 2, "one at the login, one for all of them");
    assert_eq!(requests[1].body_text(), "grant_type=client_credentials&scope=a+b&x=y");
    assert_eq!(requests[1].header("authorization"), requests[0].header("authorization"));
}

#[test]
fn a_refusal_never_ends_the_session() {
    for (status, error, code) in [
        (400, "invalid_grant", 4),
        (401, "invalid_client", 5),
        (400, "unauthorized_client", 5),
    ] {
        let server = server_for_machines();
        let home = home_with_expired_token(&server);
        let body = format!(r#"{{"error":"{error}"}}"#);
        server.on_each("POST", "/token", vec![json(status, &body), json(200, NEW)]);
        let outcome = run(&mut token(&home)).expect_error(code);
        outcome.does_not_say("refresh token");
        assert!(home.kept("ci").expect("the session").dead.is_none(), "{error}");
        assert_printed(&run(&mut token(&home)), "new-access");
    }
}

#[test]
fn a_refused_login_keeps_nothing_and_names_the_grant() {
    for (error, part) in [
        ("invalid_client", "client_id and secret"),
        ("unauthorized_client", "must allow the client_credentials grant"),
        ("unsupported_grant_type", "must allow the client_credentials grant"),
    ] {
        let (home, server) = (Home::new(), server_for_machines());
        server.on("POST", "/token", json(400, &format!(r#"{{"error":"{error}"}}"#)));
        let outcome = run(&mut login(&home, &server, &[])).expect_error(5);
        assert_eq!(outcome.error(), "the client got no token");
        assert!(outcome.hints().contains(part), "{outcome:?}");
        assert!(home.kept("ci").is_none() && !home.config_file().exists());
    }
}

#[test]
fn tokens_of_users_in_the_answer_are_dropped_with_a_note() {
    let server = server_for_machines();
    let answer =
        r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","id_token":"x.y.z"}"#;
    server.on("POST", "/token", json(200, answer));
    let home = Home::new();
    run(&mut login(&home, &server, &[]))
        .expect_code(0)
        .says(&["the server sent a refresh token, which this grant does not use: it is not kept"]);
    let check = || {
        let session = home.kept("ci").expect("the session");
        assert!(session.refresh_token.is_none() && session.id_token.is_none());
        assert_eq!(session.renewal, Renewal::ClientCredentials);
    };
    check();
    expire(&home);
    run(&mut token(&home)).expect_code(0);
    check();
    let requests = server.requests_to("/token");
    assert_eq!(requests[1].body_text(), "grant_type=client_credentials");
    // Not from an answer that is faulty, either.
    expire(&home);
    server.on(
        "POST",
        "/token",
        json(200, r#"{"token_type":"Bearer","refresh_token":"r"}"#),
    );
    run(&mut token(&home)).expect_error(6);
    check();
}

#[test]
fn what_needs_a_person_or_lacks_a_secret_is_refused_before_any_request() {
    let (home, server) = (Home::new(), server_for_machines());
    for arguments in [
        &["--paste"][..],
        &["--stop-before", "exchange"],
        &["--redirect-uri", "http://127.0.0.1:0/callback"],
        &["--browser", "true"],
        &["--param", "prompt=login"],
        &["--refresh-token-stdin"],
        &["--client-auth", "none"],
    ] {
        let outcome = run(&mut login(&home, &server, arguments)).expect_error(2);
        assert!(outcome.error().contains(arguments[0]), "{outcome:?}");
    }
    let public = run(login(&home, &server, &[]).env_remove("OAUTH_CLIENT_SECRET")).expect_error(2);
    assert_eq!(public.error(), "there is no client secret for profile \"ci\"");
    assert!(public.hints().contains("--client-secret-file"), "{public:?}");
    let checked = run(home.oauth().args([
        "check",
        &server.origin(),
        "--client-id",
        "c",
        "--grant",
        "client-credentials",
    ]))
    .expect_error(2);
    assert!(checked.error().contains("--grant"), "{checked:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn grants_that_do_not_exist_are_refused_with_what_to_use() {
    let (home, server) = (Home::new(), server_for_machines());
    for (grant, part) in [
        (
            "password",
            "use authorization-code for a person, client-credentials for a machine",
        ),
        ("implicit", "use authorization-code"),
        ("ciba", "expected: authorization-code, device, client-credentials"),
    ] {
        let outcome = run(&mut login(&home, &server, &["--grant", grant]));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
    home.configure("[profile.ci]\nissuer = \"https://id.example.com\"\nclient_id = \"c\"\ngrant = \"password\"\n");
    let outcome = run(home.oauth().args(["login", "ci"])).expect_error(2);
    assert!(outcome.error().starts_with("grant: the password grant"), "{outcome:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn at_oauth_serve_a_confidential_client_gets_a_token_for_itself() {
    let home = Home::new();
    let file = home.path().join("secret");
    std::fs::write(&file, "s3cret:+%\n").expect("writing");
    let file = file.to_str().expect("text");
    let server = DevelopmentServer::start(&["--client", &format!("bot:{file}"), "--client", "app"]);
    let issuer = server.issuer();
    let mut command = home.oauth();
    command
        .args(["login", &issuer, "-p", "ci", "--client-id", "bot"])
        .args(["--grant", "client-credentials", "--client-secret-file", file]);
    run(&mut command)
        .expect_code(0)
        .says(&["signed in as the client bot at", "granted: hello"]);
    let token = run(&mut token(&home)).expect_code(0).stdout;
    let header = format!("Authorization: Bearer {}", token.trim_end());
    let hello = server.get("/api/hello", &[&header]);
    assert_eq!(hello.status, 200);
    assert!(home.kept("ci").expect("the session").refresh_token.is_none());
    assert!(
        home.kept("ci").expect("the session").tokens[0]
            .expires_at
            .is_some_and(|at| at.0 > now())
    );

    // A logout takes the token with it.
    run(home.oauth().args(["logout", "ci"])).expect_code(0);
    assert_eq!(server.get("/api/hello", &[&header]).status, 401);
    let public = server.post("/token", &[], "grant_type=client_credentials&client_id=app");
    assert_eq!(public.status, 400);
    assert!(
        public.body_text().contains("\"unauthorized_client\""),
        "{}",
        public.body_text()
    );
}

/// The profile, as it is saved, without a session.
fn home_without_session(server: &LiteralServer, store: &str) -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.ci]\nissuer = \"{}\"\nclient_id = \"s6BhdRkqt3\"\ngrant = \"client-credentials\"\nscope = [\"a\"]\nstore = \"{store}\"\n",
        server.origin()
    ));
    home
}

fn token_with_secret(home: &Home) -> Command {
    let mut command = token(home);
    command.env("OAUTH_CLIENT_SECRET", SECRET).env("CI", "true");
    command
}

#[test]
fn without_a_session_the_token_is_fetched_and_kept() {
    let server = server_for_machines();
    let home = home_without_session(&server, "file");
    let configuration = home.configuration();
    for _ in 0..2 {
        let outcome = run(&mut token_with_secret(&home));
        assert_printed(&outcome, ACCESS_TOKEN);
        assert!(
            !outcome.stderr.contains("warning") && !outcome.stderr.contains("signed in"),
            "{outcome:?}"
        );
    }
    let request = server.only_request_to("/token");
    assert_eq!(request.body_text(), "grant_type=client_credentials&scope=a");
    assert_eq!(
        home.kept("ci").expect("the session").renewal,
        Renewal::ClientCredentials
    );
    assert_eq!(home.configuration(), configuration);
    // a logout is no reason to ask a person
    run(home.oauth().args(["logout", "ci", "--local"])).expect_code(0);
    assert_printed(&run(&mut token_with_secret(&home)), ACCESS_TOKEN);
    assert_eq!(server.requests_to("/token").len(), 2);
}

#[test]
fn where_nothing_is_kept_each_call_fetches_a_token() {
    let server = server_for_machines();
    let home = home_without_session(&server, "none");
    for count in 1..=2 {
        let mut command = token_with_secret(&home);
        assert_printed(&run(command.env_remove("OAUTH_STORE")), ACCESS_TOKEN);
        assert_eq!(server.requests_to("/token").len(), count);
    }
    let by_variable = home_without_session(&server, "file");
    assert_printed(
        &run(token_with_secret(&by_variable).env("OAUTH_STORE", "none")),
        ACCESS_TOKEN,
    );
    assert!(by_variable.kept("ci").is_none());
}

#[test]
fn many_processes_without_a_session_send_one_request() {
    let server = server_for_machines();
    let home = home_without_session(&server, "file");
    server.on_each(
        "POST",
        "/token",
        vec![
            json(200, NEW).after(Duration::from_millis(200)),
            json(400, r#"{"error":"invalid_request"}"#),
        ],
    );
    let processes: Vec<Child> = (0..40).map(|_| start(token_with_secret(&home))).collect();
    for outcome in processes.into_iter().map(finish) {
        assert_printed(&outcome, "new-access");
    }
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn what_the_server_or_the_secret_lacks_is_told_and_no_browser_is_named() {
    let server = server_for_machines();
    let home = home_without_session(&server, "file");
    let outcome = run(&mut token(&home)).expect_error(2);
    assert!(outcome.error().contains("there is no client secret"), "{outcome:?}");
    server.on("POST", "/token", json(401, r#"{"error":"invalid_client"}"#));
    let outcome = run(&mut token_with_secret(&home)).expect_error(5);
    assert_eq!(outcome.error(), "the client got no token");
    server.on("POST", "/token", json(503, "{}"));
    run(&mut token_with_secret(&home)).expect_error(3);
    assert!(home.kept("ci").is_none());
}

#[test]
fn a_profile_of_a_person_without_a_session_still_needs_a_login() {
    let server = server_for_machines();
    let home = Home::new();
    home.configure(&format!(
        "[profile.ci]\nissuer = \"{}\"\nclient_id = \"s6BhdRkqt3\"\n",
        server.origin()
    ));
    run(&mut token_with_secret(&home)).expect_error(4);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_logout_says_that_the_next_token_needs_no_login() {
    let (home, server) = (Home::new(), server_for_machines());
    run(&mut login(&home, &server, &[])).expect_code(0);
    for _ in ["logged in", "not logged in any more"] {
        let outcome = run(home.oauth().args(["logout", "ci"])).expect_code(0);
        outcome.says(&[
            "note: this profile needs no login: the next `oauth token ci` gets a new token",
            "note: to stop this, remove the profile: oauth profile remove ci",
        ]);
        let table = run(home.oauth().args(["status"])).expect_code(0).stdout;
        assert!(
            table.contains("not logged in") && table.contains("needs no login"),
            "{table}"
        );
    }
    run(home.oauth().args(["logout", "ci"])).expect_code(0);
    run(token(&home).env("OAUTH_CLIENT_SECRET", SECRET)).expect_code(0);
}
