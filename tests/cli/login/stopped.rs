//! `oauth login --stop-before exchange`: what came back and what would be sent
//! are shown, and nothing is sent, stored or saved.

use crate::support::authorization_server::{self, CODE, consent};
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::development_server::DevelopmentServer;
use crate::support::literal_server::{LiteralServer, value_of};
use crate::support::login::{assert_nothing_kept, complete, login, parameter};
use crate::support::outcome::{Outcome, members, run_with_input};
use crate::support::plain_browser::PlainBrowser;
use crate::support::running::Running;
use serde_json::Value;
use std::collections::BTreeSet;

const STOP: [&str; 2] = ["--stop-before", "exchange"];

/// A login that stops: how it ended, the authorization URL, and the page that the browser got.
fn stopped(server: &LiteralServer, home: &Home, arguments: &[&str], secret: Option<&str>) -> (Outcome, String, String) {
    let mut command = login(home, server, &STOP);
    command.args(arguments);
    if let Some(secret) = secret {
        command.env("OAUTH_CLIENT_SECRET", secret);
    }
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    let page = consent(&url, &server.origin());
    assert_eq!(page.status, 200);
    let page = page.body_text().to_owned();
    (running.end().expect_code(0), url, page)
}

/// The pairs of a list of `name` and `value`.
fn pairs(list: &Value) -> Vec<(String, String)> {
    let text = |pair: &Value, member: &str| pair[member].as_str().expect(member).to_owned();
    let list = list.as_array().expect("a list").iter();
    list.map(|pair| (text(pair, "name"), text(pair, "value"))).collect()
}

#[test]
fn the_response_and_the_request_are_shown_and_nothing_is_sent_or_kept() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (outcome, url, page) = stopped(&server, &home, &[], None);
    assert!(
        page.contains("stopped before the exchange") && !page.contains("signed in"),
        "{page}"
    );
    assert_eq!(server.requests_to("/token").len(), 0);
    assert_nothing_kept(&home);
    let (shown, command) = outcome
        .stdout
        .split_once("\n\nthe same as a command")
        .expect("a command");
    assert!(
        command.contains(&format!("\n  curl {} \\\n", server.url("/token"))),
        "{command}"
    );
    assert!(
        command.contains("\n    --data-urlencode \"code_verifier=$CODE_VERIFIER\""),
        "{command}"
    );
    let lines: Vec<&str> = shown.lines().collect();
    let [
        title,
        code,
        state,
        iss,
        empty,
        request,
        line,
        host,
        agent,
        accept,
        coding,
        kind,
        length,
        gap,
        body,
    ] = lines[..]
    else {
        panic!("{outcome:#?}");
    };
    assert_eq!(
        (title, empty, request, gap),
        ("authorization response", "", "token request", "")
    );
    assert!(code.starts_with("  code   [redacted, 22 chars, sha256 "), "{code}");
    assert!(state.starts_with("  state  [redacted, 43 chars, sha256 "), "{state}");
    assert_eq!(iss, format!("  iss    {}", server.origin()));
    assert_eq!(line, "  POST /token HTTP/1.1");
    assert_eq!(host, format!("  host: 127.0.0.1:{}", server.port()));
    assert!(agent.starts_with("  user-agent: oauth/"), "{agent}");
    assert_eq!(accept, "  accept: application/json");
    assert_eq!(coding, "  accept-encoding: identity");
    assert_eq!(kind, "  content-type: application/x-www-form-urlencoded");
    assert!(length.starts_with("  content-length: "), "{length}");
    let redirect_uri = callback_encoded(&parameter(&url, "redirect_uri"));
    for part in [
        "  grant_type=authorization_code&code=[redacted, 22 chars",
        &redirect_uri,
        "&client_id=desktop",
        "code_verifier=[redacted, 43",
    ] {
        assert!(body.contains(part), "no {part} in {body}");
    }
    for secret in [CODE, &parameter(&url, "state")] {
        assert!(!outcome.stdout.contains(secret), "{outcome:#?}");
    }
    assert!(outcome.stderr.contains("--show-secrets"), "{outcome:#?}");
}

#[test]
fn with_secrets_shown_the_command_has_what_its_variables_stand_for() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (outcome, ..) = stopped(&server, &home, &["--show-secrets"], Some("s3cret:with odd"));
    let (_, command) = outcome.stdout.split_once("secrets as variables\n").expect("a command");
    assert!(command.contains(&format!("  CODE={CODE}\n")), "{command}");
    let sent = std::process::Command::new("sh")
        .args(["-c", command])
        .output()
        .expect("a shell");
    assert!(sent.status.success(), "{sent:?}");
    let request = server.only_request_to("/token");
    let shown = outcome
        .stdout
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("grant_type="));
    assert_eq!(Some(request.body_text()), shown);
    let authorization = format!("  authorization: {}", request.header("authorization").expect("Basic"));
    assert!(outcome.stdout.contains(&authorization), "{outcome:#?}");
}

fn callback_encoded(uri: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
    format!("&redirect_uri={encoded}")
}

#[test]
fn as_json_it_is_the_request_that_a_login_sends() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (outcome, ..) = stopped(&server, &home, &["--json", "--show-secrets"], Some("s3cret:with odd"));
    let shown = outcome.json();
    assert_eq!(members(&shown), ["authorization_response", "token_request"]);
    assert_eq!(value_of(&pairs(&shown["authorization_response"]), "code"), Some(CODE));
    let request = &shown["token_request"];
    assert_eq!(
        members(request),
        ["curl", "headers", "message", "method", "params", "url"]
    );
    assert_eq!(request["url"], server.url("/token"));

    // A login without the flag sends just that, but for what is drawn again.
    let mut command = login(&home, &server, &["--no-save", "--no-store"]);
    complete(command.env("OAUTH_CLIENT_SECRET", "s3cret:with odd"), &server.origin()).expect_code(0);
    let sent = server.only_request_to("/token");
    let names = |pairs: &[(String, String)]| {
        pairs
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&pairs(&request["headers"])), names(&sent.headers));
    for name in [
        "authorization",
        "accept",
        "accept-encoding",
        "content-type",
        "user-agent",
        "host",
        "content-length",
    ] {
        assert_eq!(value_of(&pairs(&request["headers"]), name), sent.header(name), "{name}");
    }
    assert_eq!(names(&pairs(&request["params"])), names(&sent.form()));
    let message = request["message"].as_str().unwrap();
    assert!(message.starts_with("POST /token HTTP/1.1\n"), "{message}");
    let body = message.trim_end().rsplit('\n').next().unwrap();
    let length = value_of(&pairs(&request["headers"]), "content-length")
        .unwrap()
        .to_owned();
    assert_eq!(body.len().to_string(), length, "{message}");
    assert_nothing_kept(&home);
}

#[test]
fn a_client_secret_stays_redacted() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let (home, server) = (Home::new(), authorization_server::start());
        let (outcome, ..) = stopped(&server, &home, &["--client-auth", method], Some("canary-s3cret"));
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(
                !text.contains("canary-s3cret") && !text.contains("Y2FuYXJ5"),
                "{outcome:#?}"
            );
        }
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_refusal_ends_it_as_any_login() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &STOP));
    let url = running.authorization_url();
    let (state, issuer) = (parameter(&url, "state"), server.origin());
    let denied = [
        ("error", "access_denied"),
        ("state", state.as_str()),
        ("iss", issuer.as_str()),
    ];
    callback::get_url(&authorization_server::callback_url_with(&url, &denied)).expect("an answer");
    running.end().expect_error(5);
    assert_nothing_kept(&home);
}

/// It stores nothing; what a saved profile keeps there may be missing.
#[test]
fn it_needs_no_store() {
    let (home, server) = (Home::new(), authorization_server::start());
    let keyring = ["--store", "keyring"];
    let (outcome, ..) = stopped(&server, &home, &keyring, None);
    assert_eq!(outcome.warnings(), "");
    home.configure("[profile.work]\n");
    let (outcome, ..) = stopped(&server, &home, &[&keyring[..], &["--profile", "work"]].concat(), None);
    assert!(
        outcome
            .warnings()
            .contains("the stored session is not used, since the store cannot be read: "),
        "{outcome:#?}"
    );
    assert_eq!(server.requests_to("/token").len(), 0);
}

#[test]
fn other_steps_and_other_logins_are_no_place_to_stop() {
    let (home, server) = (Home::new(), authorization_server::start());
    for arguments in [
        &["--stop-before", "store"][..],
        &["--stop-before", "exchange", "--refresh-token-stdin"],
    ] {
        run_with_input(&mut login(&home, &server, arguments), b"token").expect_error(2);
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_shown_request_can_be_sent_by_hand_at_the_development_server() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    let mut command = home.oauth();
    command.args([
        "login",
        "--issuer",
        &server.issuer(),
        "--client-id",
        "oauth-cli",
        "--no-browser",
    ]);
    let running = Running::start(command.args(STOP).args(["--json", "--show-secrets"]));
    let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let outcome = running.end().expect_code(0);
    let params = pairs(&outcome.json()["token_request"]["params"]);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let body = form.extend_pairs(params).finish();
    let answer = server.post("/token", &[], &body);
    assert_eq!(answer.status, 200, "{}", answer.body_text());
    assert_nothing_kept(&home);
}
