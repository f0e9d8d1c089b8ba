//! The client that a check is made with where none is named: what the profile's
//! login registered, or kept of it, at the server that it belongs to alone.

use super::{KEY, SECRET, lenient_server, with_verdict};
use crate::support::binary::Home;
use crate::support::callback::get_url;
use crate::support::development_server::DevelopmentServer;
use crate::support::login::complete_at;
use crate::support::outcome::{Outcome, run};
use crate::support::plain_browser::PlainBrowser;
use crate::support::running::Running;
use crate::support::sessions::{endpoint, session};
use oauth::store::Registration;

/// One complete login.
const RULE: &[&str] = &["--rule", "pkce.supported", "--json"];

fn check(home: &Home, profile: &str) -> Outcome {
    run(home.oauth().args(["check", profile]).args(RULE))
}

/// `oauth login URL --profile try` at a server that asks nobody.
fn log_in(home: &Home, url: &str, more: &[&str]) {
    let mut command = home.oauth();
    command
        .args(["login", url, "--profile", "try", "--no-browser"])
        .args(more);
    let running = Running::start(&mut command);
    let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
    let _ = get_url(back.as_str());
    running.end().expect_code(0);
}

fn registrations(server: &DevelopmentServer) -> usize {
    let log = server.whole_log();
    log.lines().filter(|line| line.contains("POST /register")).count()
}

#[test]
fn the_client_that_a_login_registered_for_an_api_is_checked_with_at_its_server() {
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let api = format!("{}/api", server.issuer());
    log_in(&home, &api, &[]);
    let client = home.kept("try").expect("a session").client.id;
    let before = home.files();
    let outcome = check(&home, "try").expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), ["pkce.supported"], "{outcome:#?}");
    for part in [
        "the URL is an API's",
        &format!("the client is {client}, which was registered earlier"),
    ] {
        assert!(outcome.stderr.contains(part), "{outcome:#?}");
    }
    assert_eq!(registrations(&server), 1, "{}", server.log());
    assert_eq!(home.files(), before);
    // where nobody is logged in any more, the client is still there
    run(home.oauth().args(["logout", "try"])).expect_code(0);
    let outcome = check(&home, "try").expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), ["pkce.supported"], "{outcome:#?}");
}

/// The server registers no device grant for a client that asked for none.
#[test]
fn a_client_that_may_not_use_the_device_grant_shows_nothing_about_it() {
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    log_in(&home, &format!("{}/mcp", server.issuer()), &[]);
    let outcome = run(home.oauth().args(["check", "try", "--for", "mcp", "--json"])).expect_code(0);
    let skipped = with_verdict(&outcome, &["skipped"]);
    for rule in ["device.response", "device.pending", "device.unknown"] {
        assert!(skipped.iter().any(|id| id == rule), "{rule}: {skipped:?}");
    }
}

#[test]
fn a_client_that_was_registered_at_an_issuer_is_checked_with_as_well() {
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    log_in(&home, &server.issuer(), &["--register", "--scope", "hello"]);
    let outcome = check(&home, "try").expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), ["pkce.supported"], "{outcome:#?}");
    assert_eq!(registrations(&server), 1, "{}", server.log());
}

#[test]
fn the_secret_that_a_login_kept_is_checked_with() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let file = home.path().join("given");
    std::fs::write(&file, SECRET).expect("the secret");
    let given = file.display().to_string();
    let arguments = [
        "--client-id",
        "confidential",
        "--client-secret-file",
        &given,
        "--profile",
        "try",
    ];
    complete_at(&server, &home, &arguments).expect_code(0);
    std::fs::remove_file(&file).expect("removing the secret");
    let unset = ["profile", "set", "try", "client_secret_file="];
    run(home.oauth().args(unset)).expect_code(0);
    let outcome = check(&home, "try").expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), ["pkce.supported"], "{outcome:#?}");
}

#[test]
fn a_client_of_another_server_than_the_api_names_is_used_nowhere() {
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let api = format!("{}/api", server.issuer());
    home.configure(&format!("[profile.try]\napi = \"{api}\"\n"));
    let mut kept = session("https://old.example");
    kept.api = Some(endpoint(&api));
    kept.registration = Some(Registration::default());
    home.keep("try", &kept);
    let outcome = check(&home, "try");
    let error = outcome.json_error(4);
    let message = error["message"].as_str().expect("a message");
    for part in ["no longer names", "https://old.example"] {
        assert!(message.contains(part), "{error}");
    }
    assert!(error["hints"].to_string().contains("oauth login try"), "{error}");
    assert!(
        !server.whole_log().contains("client_id") && !server.log().contains("/par"),
        "{}",
        server.log()
    );
    // one that is named for this check is the user's own choice
    let named = ["check", "try", "--client-id", "oauth-cli"];
    run(home.oauth().args(named).args(RULE)).expect_code(0);
}

#[test]
fn without_a_login_before_the_login_is_named_that_finds_a_client() {
    let home = Home::new();
    home.configure("[profile.try]\napi = \"https://api.example/\"\n");
    let error = check(&home, "try").json_error(2);
    assert!(error["hints"].to_string().contains("oauth login try"), "{error}");
    assert!(!error["hints"].to_string().contains("id.example.com"), "{error}");
}

#[test]
fn without_a_client_both_ways_to_one_are_named_with_the_command_of_the_check() {
    let home = Home::new();
    for target in ["https://id.example.com", "https://api.example.com/mcp"] {
        let outcome = run(home.oauth().args(["check", target])).expect_error(2);
        for hint in [
            format!("oauth check {target} --client-id ID"),
            format!("oauth check {target} --register"),
        ] {
            assert!(outcome.hints().contains(&hint), "{outcome:?}");
        }
    }
    let outcome = run(home.oauth().args(["check", "--register"])).expect_error(2);
    assert!(outcome.hints().contains("oauth check https://"), "{outcome:?}");
}

#[test]
fn a_check_that_may_register_needs_no_client_and_leaves_none() {
    for path in ["", "/mcp"] {
        let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
        let url = format!("{}{path}", server.issuer());
        let mut command = home.oauth();
        command.args(["check", &url, "--register", "--scope", "openid hello", "--json"]);
        let outcome = run(command.args(RULE)).expect_code(0);
        assert_eq!(with_verdict(&outcome, &["pass"]), ["pkce.supported"], "{outcome:#?}");
        let said = outcome
            .stderr
            .matches("registers clients at the server, and deletes them")
            .count();
        assert_eq!(said, 1, "{outcome:?}");
        assert_eq!(registrations(&server), 1);
        let log = server.whole_log();
        assert_eq!(log.matches("DELETE /register 204").count(), 1, "{log}");
    }
    // where that is not possible the other way is named
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--registration", "off"]));
    let outcome = run(home.oauth().args(["check", &server.issuer(), "--register"])).expect_error(2);
    outcome.says(&["announces no registration_endpoint", "--client-id ID"]);
}

/// As a login registers it: with the key that was given.
#[test]
fn the_client_of_a_check_is_registered_with_the_method_that_was_asked_for() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    let key = home.path().join("key.pem");
    std::fs::write(&key, KEY).expect("the key");
    let of_keys = "assertion.audience";
    for method in [&[][..], &["--client-auth", "private_key_jwt"]] {
        let mut command = home.oauth();
        command.args(["check", &server.issuer(), "--register", "--json", "--rule", of_keys]);
        let outcome = run(command.args(method).arg("--client-key-file").arg(&key)).expect_code(0);
        assert_eq!(with_verdict(&outcome, &["pass"]), [of_keys], "{outcome:#?}");
    }
}
