//! `oauth login --device` (RFC 8628): the code that a person enters elsewhere,
//! the exact requests, how often the server is asked, and every way to end.

use super::support::authorization_server::{ACCESS_TOKEN, REFRESH_TOKEN, token_answer};
use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, Route, html, json, status, value_of};
use super::support::login::{assert_nothing_kept, script};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use super::support::terminal::Terminal;
use std::process::Command;

const DEVICE_CODE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS";
const USER_CODE: &str = "WDJB-MJHT";
const POLL: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
                    &device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS&client_id=tv";

/// A server with metadata that have this in them, and codes with these members.
fn server_with(metadata: &str, members: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let document = format!(
        r#"{{"issuer":"{origin}","token_endpoint":"{origin}/token","device_authorization_endpoint":"{origin}/codes"{metadata}}}"#
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    let codes = format!(
        r#"{{"device_code":"{DEVICE_CODE}","user_code":"{USER_CODE}","verification_uri":"https://example.com/device",{members}}}"#
    );
    server.on("POST", "/codes", json(200, &codes));
    server
}

/// One that may be asked as often as this machine can.
fn server() -> LiteralServer {
    server_with("", r#""expires_in":900,"interval":0"#)
}

fn error(code: &str) -> Reply {
    json(400, &format!(r#"{{"error":"{code}"}}"#))
}

fn answers(server: &LiteralServer, replies: Vec<Reply>) -> Route<'_> {
    server.on_each("POST", "/token", replies)
}

fn login(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    let origin = server.origin();
    command
        .args([
            "login",
            "-p",
            "tv",
            "--issuer",
            &origin,
            "--client-id",
            "tv",
            "--device",
        ])
        .args(arguments);
    command
}

#[test]
fn the_requests_are_those_of_rfc_8628_and_the_session_is_as_any_other() {
    let (home, server) = (Home::new(), server());
    answers(
        &server,
        vec![error("authorization_pending"), json(200, &token_answer())],
    );
    let mut command = login(
        &home,
        &server,
        &[
            "--scope",
            "a b",
            "--resource",
            "https://api.example/",
            "--param",
            "tenant=7",
        ],
    );
    let outcome = run(&mut command).expect_code(0);
    assert_eq!(outcome.stdout, "");
    outcome
        .says(&[
            "\nhttps://example.com/device\n",
            "\nWDJB-MJHT\n",
            "only if you started this login yourself",
            "waiting for your approval until",
            "signed in at",
        ])
        .does_not_say("browser until");
    let asked = server.only_request_to("/codes");
    assert_eq!(
        asked.body_text(),
        "client_id=tv&scope=a+b&resource=https%3A%2F%2Fapi.example%2F&tenant=7"
    );
    let polls = server.requests_to("/token");
    assert_eq!(polls.len(), 2);
    for poll in polls {
        assert_eq!(
            poll.body_text(),
            format!("{POLL}&resource=https%3A%2F%2Fapi.example%2F")
        );
    }
    assert!(
        home.configuration().contains("grant = \"device\""),
        "{}",
        home.configuration()
    );
    let session = home.kept("tv").expect("the session");
    assert_eq!(session.refresh_token.expect("a refresh token").expose(), REFRESH_TOKEN);
    let token = run(home.oauth().args(["token", "tv"])).expect_code(0);
    assert_eq!(token.stdout, format!("{ACCESS_TOKEN}\n"));
    // By what was saved.
    answers(&server, vec![json(200, &token_answer())]);
    run(home.oauth().args(["login", "tv"])).expect_code(0);
    assert_eq!(server.requests_to("/codes").len(), 2);
}

#[test]
fn pkce_goes_along_where_the_server_lists_it_and_not_where_it_refuses_it() {
    let (home, server) = (
        Home::new(),
        server_with(
            r#","code_challenge_methods_supported":["S256"]"#,
            r#""expires_in":900,"interval":0"#,
        ),
    );
    answers(&server, vec![json(200, &token_answer())]);
    run(&mut login(&home, &server, &[])).expect_code(0);
    let asked = server.only_request_to("/codes").form();
    assert_eq!(value_of(&asked, "code_challenge_method"), Some("S256"));
    let challenge = value_of(&asked, "code_challenge").expect("a challenge").to_owned();
    let redeemed = server.only_request_to("/token").form();
    let verifier = value_of(&redeemed, "code_verifier").expect("a verifier");
    let verifier = oauth::protocol::pkce::CodeVerifier::parse(verifier).unwrap();
    assert_eq!(verifier.challenge().as_str(), challenge);

    let refusal = r#"{"error":"invalid_request","error_description":"Unknown parameter code_challenge"}"#;
    let codes = format!(
        r#"{{"device_code":"{DEVICE_CODE}","user_code":"{USER_CODE}","verification_uri":"https://example.com/device","expires_in":900,"interval":0}}"#
    );
    server.on_each("POST", "/codes", vec![json(400, refusal), json(200, &codes)]);
    answers(&server, vec![json(200, &token_answer())]);
    run(&mut login(&Home::new(), &server, &[]))
        .expect_code(0)
        .says(&["does not take PKCE"]);
    let last = |path: &str| {
        server
            .requests_to(path)
            .pop()
            .expect("a request")
            .body_text()
            .to_owned()
    };
    assert_eq!(last("/codes"), "client_id=tv");
    assert_eq!(last("/token"), POLL);
}

#[test]
fn a_client_with_a_secret_authenticates_at_both_endpoints() {
    let (home, server) = (Home::new(), server());
    answers(&server, vec![json(200, &token_answer())]);
    run(login(&home, &server, &[]).env("OAUTH_CLIENT_SECRET", "s3cret-s3cret")).expect_code(0);
    for path in ["/codes", "/token"] {
        let request = server.only_request_to(path);
        assert_eq!(
            request.header("authorization"),
            Some("Basic dHY6czNjcmV0LXMzY3JldA=="),
            "{path}"
        );
        assert!(!request.body_text().contains("client_id"), "{path}");
    }
}

#[test]
fn every_end_has_its_exit_code_and_nothing_is_kept() {
    let blocked = r#"{"error":"invalid_grant","error_description":"AADSTS53003: Access has been blocked by Conditional Access policies."}"#;
    for (reply, code, part) in [
        (error("access_denied"), 5, "Run the login again"),
        (error("authorization_declined"), 5, "Run the login again"),
        (error("expired_token"), 7, "gets another code"),
        (json(400, blocked), 5, "blocks logins by device code"),
        (error("invalid_grant"), 5, "run the login again"),
        (
            error("unauthorized_client"),
            5,
            "must allow the device authorization grant",
        ),
        (json(200, r#"{"token_type":"Bearer"}"#), 6, "-vv"),
        (html(200, "<h1>hotel</h1>"), 3, "captive portal"),
    ] {
        let (home, server) = (Home::new(), server());
        answers(&server, vec![error("authorization_pending"), reply]);
        let outcome = run(&mut login(&home, &server, &[])).expect_error(code);
        assert!(outcome.hints().contains(part), "{outcome:#?}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn answers_without_codes_have_their_exit_codes() {
    let unusable = |uri: &str| {
        json(
            200,
            &format!(r#"{{"device_code":"x","user_code":"y","verification_uri":"{uri}","expires_in":9}}"#),
        )
    };
    for (reply, code, part) in [
        (status(500), 3, "Try again later"),
        (html(200, "<h1>hotel</h1>"), 3, "captive portal"),
        (
            error("unauthorized_client"),
            5,
            "must allow the device authorization grant",
        ),
        (error("invalid_client"), 5, "No client secret was sent"),
        (error("invalid_scope"), 5, "--scope"),
        (status(404), 5, "--device-authorization-endpoint"),
        (
            Reply::http(307, &["Location: https://elsewhere.example/"], ""),
            6,
            "--device-authorization-endpoint",
        ),
        (
            json(200, r#"{"device_code":"x","user_code":"y","expires_in":9}"#),
            6,
            "-vv",
        ),
        (unusable("file:///etc/passwd"), 6, "-vv"),
        (unusable("http://example.com/device"), 6, "-vv"),
        (unusable("https://example.com/\\u001b[2J"), 6, "-vv"),
    ] {
        let (home, server) = (Home::new(), server());
        server.on("POST", "/codes", reply);
        let outcome = run(&mut login(&home, &server, &[])).expect_error(code);
        assert!(outcome.hints().contains(part), "{outcome:#?}");
        assert!(server.requests_to("/token").is_empty());
        assert_nothing_kept(&home);
    }
}

#[test]
fn codes_with_odd_characters_are_shown_safely() {
    let (home, server) = (Home::new(), server());
    let odd = r#"{"device_code":"\u001b]52;c;x\u0007","user_code":"A\u001b[2J\u202eB","verification_url":"https://example.com/d","expires_in":9,"interval":0}"#;
    server.on("POST", "/codes", json(200, odd));
    answers(&server, vec![json(200, &token_answer())]);
    let outcome = run(&mut login(&home, &server, &[])).expect_code(0);
    outcome
        .says(&[
            "\nA\\u{1b}[2J\\u{202e}B\n",
            "\nhttps://example.com/d\n",
            "verification_url instead of verification_uri",
        ])
        .does_not_say("\u{1b}");
    let sent = server.only_request_to("/token").form();
    assert_eq!(value_of(&sent, "device_code"), Some("\u{1b}]52;c;x\u{7}"));
}

#[test]
fn an_endpoint_that_is_not_announced_can_be_named() {
    let (home, server) = (Home::new(), server());
    let origin = server.origin();
    let document = format!(r#"{{"issuer":"{origin}","token_endpoint":"{origin}/token"}}"#);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    let outcome = run(&mut login(&home, &server, &[])).expect_error(2);
    assert!(
        outcome.error().contains("no device authorization endpoint"),
        "{outcome:#?}"
    );
    assert!(
        outcome.hints().contains("--device-authorization-endpoint URL"),
        "{outcome:#?}"
    );
    assert!(outcome.hints().contains("--paste"), "{outcome:#?}");

    answers(&server, vec![json(200, &token_answer())]);
    let endpoint = format!("{origin}/codes");
    run(&mut login(
        &home,
        &server,
        &["--device-authorization-endpoint", &endpoint],
    ))
    .expect_code(0);
    let saved = format!("device_authorization_endpoint = \"{endpoint}\"");
    assert!(home.configuration().contains(&saved), "{}", home.configuration());
    // With both endpoints no issuer is needed.
    answers(&server, vec![json(200, &token_answer())]);
    let home = Home::new();
    let mut command = home.oauth();
    command
        .args(["login", "-p", "tv", "--client-id", "tv", "--grant", "device"])
        .args(["--device-authorization-endpoint", &endpoint, "--token-endpoint"])
        .arg(format!("{origin}/token"));
    run(&mut command).expect_code(0);
}

#[test]
fn quiet_and_json_show_the_code_and_nothing_else_before_it() {
    let quiet = |arguments: &[&str]| {
        let server = server_with(
            "",
            r#""expires_in":900,"interval":0,"verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT""#,
        );
        answers(&server, vec![json(200, &token_answer())]);
        run(&mut login(&Home::new(), &server, arguments)).expect_code(0)
    };
    assert_eq!(quiet(&["-q"]).stderr, "https://example.com/device\nWDJB-MJHT\n");
    let lines = quiet(&["--json"]).json_lines();
    let shown = lines
        .iter()
        .find(|line| line["user_code"].is_string())
        .expect("the code");
    assert_eq!(
        shown,
        &serde_json::json!({
            "verification_uri": "https://example.com/device",
            "user_code": "WDJB-MJHT",
            "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
            "expires_in": 900,
        })
    );
    let plain = quiet(&[]);
    plain.does_not_say("█").does_not_say("user_code=");
}

#[test]
fn a_terminal_shows_the_address_with_the_code_as_a_qr_code_where_there_is_one() {
    for (members, has_qr_code) in [
        (
            r#""expires_in":900,"interval":0,"verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT""#,
            true,
        ),
        (r#""expires_in":900,"interval":0"#, false),
    ] {
        let (home, server) = (Home::new(), server_with("", members));
        answers(&server, vec![json(200, &token_answer())]);
        let terminal = Terminal::open();
        let mut child = terminal.start(login(&home, &server, &[]).env("TERM", "xterm"));
        assert!(child.wait().expect("its end").success());
        let screen = terminal.last_screen();
        assert_eq!(screen.contains("▀▄"), has_qr_code, "{screen}");
        assert!(screen.contains("WDJB-MJHT"), "{screen}");
    }
}

#[test]
fn address_and_code_are_in_sight_however_low_the_terminal_is() {
    for (rows, has_qr_code) in [(24, false), (60, true)] {
        let members = r#""expires_in":900,"interval":0,"verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT""#;
        let (home, server) = (Home::new(), server_with("", members));
        answers(&server, vec![json(200, &token_answer())]);
        let terminal = Terminal::with_size(80, rows);
        let mut child = terminal.start(login(&home, &server, &[]).env("TERM", "xterm"));
        assert!(child.wait().expect("its end").success());
        let screen = terminal.last_screen();
        assert_eq!(screen.contains("▀▄"), has_qr_code, "{screen}");
        let (prompt, _) = screen.split_once("Do not share the code.").expect("the whole prompt");
        let shown: Vec<&str> = prompt.lines().collect();
        let from_below = |text: &str| shown.iter().rev().position(|line| line.contains(text)).expect("a line");
        // nothing tall is below them, and all of it is on one screen
        assert!(from_below("https://example.com/device") < 6, "{screen}");
        assert!(from_below("WDJB-MJHT") < 4, "{screen}");
        assert!(shown.len() < usize::from(rows), "{screen}");
    }
}

#[test]
fn that_the_profile_signs_in_so_from_now_on_is_said_once() {
    let note = "signs in on another device from now on (--device); to use a browser here again: oauth login tv --grant authorization-code";
    let (home, server) = (Home::new(), server());
    let log_in = |arguments: &[&str]| {
        answers(&server, vec![json(200, &token_answer())]);
        run(&mut login(&home, &server, arguments)).expect_code(0)
    };
    log_in(&["--no-save"]).does_not_say("from now on");
    log_in(&[]).says(&[note]);
    log_in(&[]).does_not_say("from now on");
    run(home.oauth().args(["profile", "set", "tv", "grant=client-credentials"])).expect_code(0);
    log_in(&[]).says(&["to log in as before: oauth login tv --grant client-credentials"]);
    // without the flag it is so, and the command of the note ends it
    answers(&server, vec![json(200, &token_answer())]);
    run(home.oauth().args(["login", "tv"]))
        .expect_code(0)
        .says(&["WDJB-MJHT"]);
    let browser = [
        "login",
        "tv",
        "--grant",
        "authorization-code",
        "--no-browser",
        "--deadline",
        "1s",
    ];
    run(home.oauth().args(browser))
        .expect_error(6)
        .does_not_say("WDJB-MJHT");
}

#[test]
fn ctrl_c_while_it_waits_ends_it_with_nothing_kept() {
    let (home, server) = (Home::new(), server_with("", r#""expires_in":900"#));
    let running = Running::start(&mut login(&home, &server, &[]));
    running.line_with("waiting for your approval");
    running.signal(rustix::process::Signal::INT);
    running.end().expect_code(130);
    assert_nothing_kept(&home);
    assert!(server.requests_to("/token").is_empty());
}

#[test]
fn timeout_and_deadline_end_the_wait_with_7() {
    for (arguments, part) in [
        (["--timeout", "300ms"], "timed out after 300 ms"),
        (["--deadline", "2s"], "the deadline of 2 s has passed"),
    ] {
        let (home, server) = (Home::new(), server_with("", r#""expires_in":900"#));
        let outcome = run(&mut login(&home, &server, &arguments)).expect_error(7);
        assert!(outcome.error().contains(part), "{outcome:#?}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn codes_stand_in_no_trace_and_in_no_file() {
    let (home, server) = (
        Home::new(),
        server_with(
            "",
            r#""expires_in":900,"interval":0,"verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT""#,
        ),
    );
    answers(
        &server,
        vec![error("authorization_pending"), json(200, &token_answer())],
    );
    let traces = ["trace.json", "trace.har", "trace.html", "trace.mmd"].map(|name| home.path().join(name));
    let mut command = login(&home, &server, &["-vvv"]);
    for trace in &traces {
        command.arg("--trace").arg(trace);
    }
    let outcome = run(&mut command).expect_code(0);
    assert!(!outcome.stderr.contains(DEVICE_CODE), "{outcome:#?}");
    assert_eq!(outcome.stderr.matches(USER_CODE).count(), 1, "{}", outcome.stderr);
    for file in home.files() {
        let content = std::fs::read(&file).expect("a file");
        let content = String::from_utf8_lossy(&content);
        for secret in [DEVICE_CODE, USER_CODE, "WDJB"] {
            assert!(!content.contains(secret), "{secret} in {}: {content}", file.display());
        }
    }
}

#[test]
fn no_browser_is_started_and_options_about_one_are_refused() {
    let (home, server) = (Home::new(), server());
    answers(&server, vec![json(200, &token_answer())]);
    let browser = script(home.path(), "browser", "touch \"$0.was-run\"");
    run(login(&home, &server, &[]).env("BROWSER", browser)).expect_code(0);
    assert!(!home.path().join("browser.was-run").exists());
    for arguments in [
        &["--browser", "x"][..],
        &["--paste"],
        &["--port", "1"],
        &["--redirect-uri", "http://127.0.0.1/"],
    ] {
        run(&mut login(&home, &server, arguments)).expect_error(2);
    }
    let outcome = run(&mut login(&home, &server, &["--grant", "client-credentials"])).expect_error(2);
    assert!(outcome.error().contains("--device"), "{outcome:#?}");
    // In CI without a terminal, too: it needs no browser here.
    answers(&server, vec![json(200, &token_answer())]);
    run(login(&home, &server, &[]).env("CI", "true")).expect_code(0);
}

fn log_in_at(server: &DevelopmentServer, home: &Home, arguments: &[&str]) -> Outcome {
    let mut command = home.oauth();
    command
        .args([
            "login",
            "-p",
            "tv",
            "--issuer",
            &server.issuer(),
            "--client-id",
            "oauth-cli",
            "--device",
        ])
        .args(arguments);
    run(&mut command)
}

#[test]
fn a_whole_login_at_a_server_that_asks_nobody_with_its_id_token() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    log_in_at(&server, &home, &["--scope", "openid hello"])
        .expect_code(0)
        .says(&["signed in as demo"]);
    let refreshed = run(home.oauth().args(["token", "tv", "--force-refresh"])).expect_code(0);
    assert!(!refreshed.stdout.is_empty());
    let denying = DevelopmentServer::start(&["--approve", "deny"]);
    let home = Home::new();
    log_in_at(&denying, &home, &[]).expect_error(5);
    assert_nothing_kept(&home);
}

#[test]
fn the_log_of_the_server_shows_no_code() {
    let server = DevelopmentServer::start(&[]);
    let answer = server.post("/device_authorization", &[], "client_id=oauth-cli");
    let codes: serde_json::Value = serde_json::from_str(&answer.body_text()).expect("JSON");
    let user_code = codes["user_code"].as_str().expect("a code");
    let page = server.get(&format!("/device?user_code={user_code}"), &[]);
    assert_eq!(page.status, 200);
    assert!(page.body_text().contains(user_code));
    server.wait_for_log(&["GET /device 200"]);
    for secret in [user_code, codes["device_code"].as_str().expect("a code")] {
        assert!(!server.log().contains(secret), "{}", server.log());
    }
}
