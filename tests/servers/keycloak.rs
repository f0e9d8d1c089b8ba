//! Keycloak, with the realm of `tests/foreign/keycloak/realm.json`.

use crate::issuer;
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::chromium::Chromium;
use crate::support::outcome::{Outcome, run};
use crate::support::plain_browser::{PlainBrowser, PlainPage};
use crate::support::running::Running;
use serde_json::Value;
use std::process::Command;
use url::Url;

const SERVER: &str = "OAUTH_TEST_KEYCLOAK";
const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "alicepass")];
/// The key whose public half is in the realm (RFC 7515 §A.3.1).
const KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");

/// `oauth login -p work` at the realm, with these arguments.
fn login(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command
        .args(["login", "-p", "work", "--issuer", &issuer(SERVER)])
        .args(arguments);
    command
}

/// Signs in on the page and gives the URL that the browser is sent to.
fn sign_in(authorization_url: &str) -> Url {
    let mut browser = PlainBrowser::new();
    let page = browser.go_to(authorization_url).page();
    submit_sign_in(&mut browser, &page).elsewhere()
}

fn submit_sign_in(browser: &mut PlainBrowser, page: &PlainPage) -> crate::support::plain_browser::Landing {
    assert!(page.html.contains("kc-form-login"), "{}", page.html);
    browser.submit(page, &ALICE)
}

/// A login of alice to its end.
fn logged_in(home: &Home, arguments: &[&str]) -> Outcome {
    let browser = FakeBrowser::new(home.path());
    let mut command = login(home, arguments);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    let back = sign_in(&browser.wait_for_url());
    callback::get_url(back.as_str()).expect("an answer of the listener");
    running.end().expect_code(0)
}

fn refresh_ask_and_log_out(home: &Home) {
    let before = home.kept("work").expect("the session");
    run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
    let after = home.kept("work").expect("the session");
    assert_ne!(
        before.tokens[0].access_token.expose(),
        after.tokens[0].access_token.expose()
    );
    let userinfo = run(home.oauth().args(["userinfo", "-p", "work", "--json"])).expect_code(0);
    assert_eq!(userinfo.json()["preferred_username"], "alice");
    run(home.oauth().args(["logout", "work"])).expect_code(0);
    // What was revoked brings nothing any more.
    home.keep("work", &after);
    run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(4);
}

#[test]
#[ignore = "./test --servers"]
fn a_person_logs_in_at_keycloak_refreshes_and_logs_out() {
    let home = Home::new();
    let outcome = logged_in(&home, &["--client-id", "native", "--scope", "openid profile"]);
    outcome.says(&["signed in as"]);
    refresh_ask_and_log_out(&home);
}

#[test]
#[ignore = "./test --servers"]
fn a_person_logs_in_at_keycloak_in_chromium() {
    let chromium = Chromium::start().expect("chromium");
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let mut command = login(&home, &["--client-id", "native", "--scope", "openid"]);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    chromium.go_to(&browser.wait_for_url());
    chromium.wait_until("the sign-in page", || {
        chromium.text().contains("Sign in to your account")
    });
    chromium.fill_in("#username", "alice");
    chromium.fill_in("#password", "alicepass");
    chromium.click("#kc-login");
    chromium.wait_for_heading("You are signed in");
    running.end().expect_code(0);
}

#[test]
#[ignore = "./test --servers"]
fn tokens_of_keycloak_that_are_bound_to_a_key() {
    let home = Home::new();
    let arguments = ["--client-id", "native-dpop", "--dpop", "--scope", "openid profile"];
    logged_in(&home, &arguments).says(&["(DPoP)"]);
    let kept = home.kept("work").expect("the session");
    assert_eq!(kept.tokens[0].token_type, "DPoP");
    refresh_ask_and_log_out(&home);

    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let mut command = login(&home, &["--client-id", "native-dpop", "--scope", "openid"]);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    let back = sign_in(&browser.wait_for_url());
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let outcome = running.end().expect_code(5);
    assert!(outcome.hints().contains("--dpop"), "{outcome:?}");
}

#[test]
#[ignore = "./test --servers"]
fn a_client_of_keycloak_that_must_push_its_requests() {
    let home = Home::new();
    logged_in(&home, &["--client-id", "native-par", "--scope", "openid profile"]);
    refresh_ask_and_log_out(&home);

    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let mut command = login(&home, &["--client-id", "native-par", "--par", "never"]);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    let back = PlainBrowser::new().go_to(&browser.wait_for_url()).elsewhere();
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let outcome = running.end().expect_code(5);
    assert!(outcome.hints().contains("without --par never"), "{outcome:?}");
}

#[test]
#[ignore = "./test --servers"]
fn signed_responses_of_keycloak_are_taken() {
    for mode in ["jwt", "query.jwt"] {
        let home = Home::new();
        let arguments = [
            "--client-id",
            "native",
            "--scope",
            "openid profile",
            "--response-mode",
            mode,
            "-vv",
        ];
        logged_in(&home, &arguments).says(&["JARM"]);
        refresh_ask_and_log_out(&home);
    }
}

#[test]
#[ignore = "./test --servers"]
fn a_signed_error_of_keycloak_ends_the_login() {
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let mut command = login(
        &home,
        &["--client-id", "native", "--scope", "openid", "--response-mode", "jwt"],
    );
    command.args(["--param", "prompt=none", "--browser", &browser.command()]);
    let running = Running::start(&mut command);
    let back = PlainBrowser::new().go_to(&browser.wait_for_url()).elsewhere();
    assert!(
        !back.as_str().contains("login_required"),
        "the error is not signed: {back}"
    );
    callback::get_url(back.as_str()).expect("an answer of the listener");
    running.end().expect_code(5).says(&["login_required"]);
    assert!(home.kept("work").is_none());
}

/// What FAPI 2.0 Security Profile and Message Signing ask of a client, together.
#[test]
#[ignore = "./test --servers"]
fn a_pushed_signed_bound_request_with_a_signed_response_works_at_keycloak() {
    let home = Home::new();
    let key = home.path().join("key.pem");
    std::fs::write(&key, KEY).expect("the key");
    let key = key.display().to_string();
    let arguments = [
        "--client-id",
        "native-pkjwt",
        "--client-key-file",
        &key,
        "--client-key-id",
        "mine",
    ];
    let more = [
        "--scope",
        "openid profile",
        "--dpop",
        "--request-object",
        "--par",
        "always",
        "-vv",
    ];
    let outcome = logged_in(&home, &[&arguments[..], &more, &["--response-mode", "jwt"]].concat());
    outcome.says(&["(DPoP)", "JARM"]);
    refresh_ask_and_log_out(&home);
}

#[test]
#[ignore = "./test --servers"]
fn a_token_of_a_person_is_exchanged_at_keycloak() {
    let home = Home::new();
    logged_in(&home, &["--client-id", "native", "--scope", "openid profile"]);
    let mut command = home.oauth();
    command
        .args(["login", "-p", "exchanged", "--issuer", &issuer(SERVER)])
        .args(["--client-id", "service", "--grant", "token-exchange"])
        .args(["--subject-token", "profile:work"])
        .env("OAUTH_CLIENT_SECRET", "service-secret");
    run(&mut command).expect_code(0);
    let token = run(home.oauth().args(["token", "exchanged", "--force-refresh"])).expect_code(0);
    let claims = claims(token.stdout.trim_end());
    assert_eq!(
        (&claims["azp"], &claims["preferred_username"]),
        (&"service".into(), &"alice".into())
    );
}

/// The claims of a JWT, unverified.
fn claims(jwt: &str) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = jwt.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

#[test]
#[ignore = "./test --servers"]
fn a_device_login_at_keycloak() {
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
    let mut browser = PlainBrowser::new();
    let url = shown["verification_uri_complete"].as_str().expect("a URL");
    let page = browser.go_to(url).page();
    let consent = submit_sign_in(&mut browser, &page).page();
    assert!(consent.html.contains("name=\"accept\""), "{}", consent.html);
    let done = browser.submit(&consent, &[("accept", "Yes")]).page();
    assert!(done.html.contains("Device Login Successful"), "{}", done.html);
    running.end().expect_code(0);
    refresh_ask_and_log_out(&home);
}

#[test]
#[ignore = "./test --servers"]
fn a_service_of_keycloak_with_a_secret_and_one_with_a_key() {
    let home = Home::new();
    let machine = ["--client-id", "service", "--grant", "client-credentials"];
    let mut command = login(&home, &machine);
    run(command.env("OAUTH_CLIENT_SECRET", "service-secret")).expect_code(0);
    run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);

    let home = Home::new();
    let key = home.path().join("key.pem");
    std::fs::write(&key, KEY).expect("the key");
    let mut command = login(&home, &["--client-id", "pkjwt", "--grant", "client-credentials"]);
    command.args(["--client-key-id", "mine", "--client-key-file"]).arg(key);
    run(&mut command).expect_code(0);
    run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
}

#[test]
#[ignore = "./test --servers"]
fn what_keycloak_refuses_is_told() {
    let home = Home::new();
    let machine = ["--client-id", "service", "--grant", "client-credentials"];
    let mut command = login(&home, &machine);
    let refused = run(command.env("OAUTH_CLIENT_SECRET", "another")).expect_code(5);
    assert!(refused.stderr.contains("unauthorized_client"), "{refused:?}");
    assert!(refused.hints().contains("Check client_id and secret"), "{refused:?}");
    assert!(home.kept("work").is_none());
    let discovered = run(home.oauth().args(["discover", &issuer(SERVER)])).expect_code(0);
    for announced in ["DPoP", "device authorization grant", "pushed authorization requests"] {
        let line = discovered.stdout.lines().find(|line| line.contains(announced));
        assert!(line.expect(announced).starts_with("yes"), "{discovered:#?}");
    }
}
