//! Glewlwyd, as `tests/foreign/glewlwyd/setup.py` sets it up.

use crate::issuer;
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::chromium::Chromium;
use crate::support::outcome::run;
use crate::support::running::Running;
use serde_json::Value;
use std::process::Command;

const SERVER: &str = "OAUTH_TEST_GLEWLWYD";

/// `oauth login -p work` with these arguments.
fn login(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command
        .args(["login", "-p", "work", "--issuer", &issuer(SERVER)])
        .args(arguments);
    command
}

/// The server compares redirect URIs exactly: each test has a port of its own.
fn redirect_uri(port: u16) -> String {
    format!("http://127.0.0.1:{port}/callback")
}

/// A session of alice with the server: its cookie.
struct Alice {
    authority: String,
    cookie: String,
}

impl Alice {
    fn sign_in() -> Self {
        let issuer = issuer(SERVER);
        let authority = issuer.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let authority = authority.expect("an http issuer").to_owned();
        let answer = send(
            &authority,
            "POST",
            "/api/auth/",
            &[],
            r#"{"username":"alice","password":"alicepass"}"#,
        );
        assert_eq!(answer.status, 200, "{}", answer.body_text());
        let cookie = answer.header("set-cookie").expect("a cookie");
        let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap_or_default());
        Alice { authority, cookie }
    }

    /// Agrees to these scopes for a client.
    fn grant(&self, client: &str, scope: &str) {
        let target = format!("/api/auth/grant/{client}");
        let body = serde_json::json!({ "scope": scope }).to_string();
        let answer = send(&self.authority, "PUT", &target, &[&self.cookie], &body);
        assert_eq!(answer.status, 200, "{}", answer.body_text());
    }

    /// Where the browser is sent from this URL.
    fn go_to(&self, url: &str) -> String {
        let url = url::Url::parse(url).expect("a URL");
        let target = callback::target(&url);
        let answer = send(
            &self.authority,
            "GET",
            &format!("{target}&g_continue"),
            &[&self.cookie],
            "",
        );
        answer.header("location").expect("a redirect").to_owned()
    }
}

fn send(authority: &str, method: &str, target: &str, headers: &[&str], body: &str) -> callback::Answer {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    request += &format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    callback::send_bytes(authority, request.as_bytes()).expect("an answer")
}

/// A login of alice, whose browser goes where it is sent.
fn logged_in(home: &Home, client: &str, arguments: &[&str], port: u16) {
    let alice = Alice::sign_in();
    alice.grant(client, "openid profile");
    let browser = FakeBrowser::new(home.path());
    let mut command = login(home, &["--client-id", client, "--scope", "openid profile"]);
    command.args(["--redirect-uri", &redirect_uri(port)]).args(arguments);
    if client == "basic" {
        command.env("OAUTH_CLIENT_SECRET", "basic-secret");
    }
    let running = Running::start(command.args(["--browser", &browser.command()]));
    let back = alice.go_to(&browser.wait_for_url());
    callback::get_url(&back).expect("an answer of the listener");
    running.end().expect_code(0);
}

fn refresh_and_ask(home: &Home) {
    let before = home.kept("work").expect("the session");
    let outcome = run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
    let after = home.kept("work").expect("the session");
    // The token itself is the same where both came within a second.
    assert!(after.generation > before.generation, "{outcome:?}");
    let userinfo = run(home.oauth().args(["userinfo", "-p", "work", "--json"])).expect_code(0);
    assert_eq!(userinfo.json()["name"], "Alice");
}

#[test]
#[ignore = "./test --servers"]
fn a_person_logs_in_at_glewlwyd_refreshes_and_logs_out() {
    let home = Home::new();
    logged_in(&home, "basic", &[], 23111);
    refresh_and_ask(&home);
    let session = home.kept("work").expect("the session");
    run(home.oauth().args(["logout", "work"])).expect_code(0);
    home.keep("work", &session);
    // It refuses without a word, which is not proof that the session has ended.
    let refused = run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(5);
    assert!(
        refused.hints().contains("may not accept the refresh token"),
        "{refused:?}"
    );
}

/// It revokes nothing for clients that cannot prove who they are.
#[test]
#[ignore = "./test --servers"]
fn a_public_client_of_glewlwyd_is_told_how_to_log_out() {
    let home = Home::new();
    logged_in(&home, "native", &[], 23114);
    refresh_and_ask(&home);
    let outcome = run(home.oauth().args(["logout", "work"])).expect_code(5);
    assert!(outcome.hints().contains("--local"), "{outcome:?}");
    assert!(home.kept("work").is_some());
    run(home.oauth().args(["logout", "work", "--local"])).expect_code(0);
    assert!(home.kept("work").is_none());
}

#[test]
#[ignore = "./test --servers"]
fn a_person_logs_in_at_glewlwyd_in_chromium() {
    let chromium = Chromium::start().expect("chromium");
    // Its page asks for each scope otherwise.
    Alice::sign_in().grant("native", "openid profile");
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let mut command = login(&home, &["--client-id", "native", "--scope", "openid profile"]);
    command.args(["--redirect-uri", &redirect_uri(23112)]);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    chromium.go_to(&browser.wait_for_url());
    chromium.wait_until("the sign-in page", || chromium.shows("#username"));
    chromium.fill_in("#username", "alice");
    chromium.fill_in("#password", "alicepass");
    chromium.click("#loginbut");
    chromium.wait_until("the way on", || chromium.shows("button.btn-success"));
    chromium.click("button.btn-success");
    chromium.wait_for_heading("You are signed in");
    running.end().expect_code(0);
}

#[test]
#[ignore = "./test --servers"]
fn tokens_of_glewlwyd_that_are_bound_to_a_key() {
    let home = Home::new();
    logged_in(&home, "native", &["--dpop"], 23113);
    let kept = home.kept("work").expect("the session");
    assert_eq!(kept.tokens[0].token_type, "DPoP");
    refresh_and_ask(&home);
}

#[test]
#[ignore = "./test --servers"]
fn a_device_login_at_glewlwyd() {
    let alice = Alice::sign_in();
    alice.grant("native", "openid profile");
    let home = Home::new();
    let mut command = login(
        &home,
        &[
            "--client-id",
            "native",
            "--device",
            "--scope",
            "openid profile",
            "--json",
        ],
    );
    let running = Running::start(&mut command);
    let shown = running.line_with("user_code");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let done = alice.go_to(shown["verification_uri_complete"].as_str().expect("a URL"));
    assert!(done.contains("deviceComplete"), "{done}");
    running.end().expect_code(0);
    refresh_and_ask(&home);
}

#[test]
#[ignore = "./test --servers"]
fn a_service_of_glewlwyd_gets_a_token_with_its_secret() {
    let home = Home::new();
    let mut command = login(
        &home,
        &[
            "--client-id",
            "basic",
            "--grant",
            "client-credentials",
            "--scope",
            "api",
        ],
    );
    run(command.env("OAUTH_CLIENT_SECRET", "basic-secret")).expect_code(0);
    run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
    let mut command = login(
        &home,
        &[
            "--client-id",
            "basic",
            "--grant",
            "client-credentials",
            "--scope",
            "api",
        ],
    );
    let refused = run(command.env("OAUTH_CLIENT_SECRET", "another")).expect_code(5);
    assert!(refused.hints().contains("gives no reason"), "{refused:?}");
}
