//! `oauth token --wait`: one process waits for the login of another. And what
//! `oauth login --json` tells first, so that a program can hand it to a person.

use super::support::authorization_server::{self, ACCESS_TOKEN, consent};
use super::support::binary::Home;
use super::support::outcome::{finish, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, log_in, refreshable, session};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// `oauth token work --wait 1m`, once it has said that it waits.
fn waiting(home: &Home) -> Child {
    let mut command = home.oauth();
    command
        .args(["token", "work", "--wait", "1m"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("starting it");
    let mut stderr = BufReader::new(child.stderr.take().expect("its stderr"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    assert!(line.contains("waiting for a login by another process"), "{line}");
    child.stderr = Some(stderr.into_inner());
    child
}

#[test]
fn a_token_is_printed_as_soon_as_another_process_has_logged_in() {
    // The first login makes the profile.
    let (home, server) = (Home::new(), authorization_server::start());
    let child = waiting(&home);
    log_in(
        &home,
        &server,
        &["-p", "work", "--issuer", &server.origin(), "--client-id", "desktop"],
    );
    let outcome = finish(child).expect_code(0);
    assert_eq!(outcome.stdout, format!("{ACCESS_TOKEN}\n"));

    // A session that has ended is renewed by a login as well, and its server is not asked meanwhile.
    let home = Home::new();
    home.keep("work", &ending_in(-10, session("https://id.example")));
    let child = waiting(&home);
    home.keep(
        "work",
        &oauth::store::Session {
            generation: 2,
            ..session("https://id.example")
        },
    );
    assert_eq!(finish(child).expect_code(0).stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
}

#[test]
fn a_refused_refresh_is_not_repeated_while_it_waits() {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on(
        "POST",
        "/token",
        super::support::literal_server::json(400, r#"{"error":"login_required"}"#),
    );
    home.keep("work", &ending_in(-10, refreshable(&server.origin())));
    let child = waiting(&home);
    home.keep(
        "work",
        &oauth::store::Session {
            generation: 9,
            ..session(&server.origin())
        },
    );
    finish(child).expect_code(0);
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn where_nobody_logs_in_it_ends_with_the_code_for_that_and_the_reason() {
    let home = Home::new();
    home.keep("work", &ending_in(-10, session("https://id.example")));
    let outcome = run(home.oauth().args(["token", "work", "--wait", "100ms"])).expect_error(7);
    assert!(outcome.causes().contains("has expired"), "{outcome:?}");
    assert!(outcome.hints().contains("oauth login work"), "{outcome:?}");
    // A store that keeps nothing would be watched in vain.
    let unkept = Home::new();
    unkept.configure("[profile.work]\nissuer = \"https://id.example\"\nclient_id = \"c\"\n");
    let mut command = unkept.oauth();
    command
        .args(["token", "work", "--wait", "1h"])
        .env("OAUTH_STORE", "none");
    run(&mut command).expect_error(4);
    // With a token there is nothing to wait for.
    home.keep("work", &session("https://id.example"));
    let outcome = run(home.oauth().args(["token", "work", "--wait", "1h"])).expect_code(0);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        (format!("{KEPT_ACCESS_TOKEN}\n").as_str(), "")
    );
}

#[test]
fn with_json_a_login_tells_first_where_to_sign_in_and_how_a_browser_elsewhere_gets_there() {
    for (connection, forwards) in [(None, false), (Some("203.0.113.9 50000 198.51.100.4 2222"), true)] {
        let (home, server) = (Home::new(), authorization_server::start());
        let mut command = home.oauth();
        command
            .args([
                "login",
                "--json",
                "-p",
                "work",
                "--issuer",
                &server.origin(),
                "--client-id",
                "desktop",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(connection) = connection {
            command.env("SSH_CONNECTION", connection).env("USER", "ada");
        }
        let mut child = command.spawn().expect("starting it");
        let mut stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        let object = loop {
            let mut line = String::new();
            stderr.read_line(&mut line).expect("a line");
            let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            if object["authorization_url"].is_string() {
                break object;
            }
            assert!(object["warning"].is_string() || object["note"].is_string(), "{object}");
        };
        let url = object["authorization_url"].as_str().expect("a URL");
        let redirect_uri = object["redirect_uri"].as_str().expect("a redirect URI");
        let encoded: String = url::form_urlencoded::byte_serialize(redirect_uri.as_bytes()).collect();
        assert!(url.contains(&format!("redirect_uri={encoded}")), "{object}");
        let port = redirect_uri
            .rsplit_once(':')
            .expect("a port")
            .1
            .trim_end_matches("/callback");
        let expected = format!("ssh -N -p 2222 -L {port}:127.0.0.1:{port} ada@198.51.100.4");
        assert_eq!(
            object["forward_command"].as_str(),
            forwards.then_some(expected.as_str()),
            "{object}"
        );
        assert!(object.get("forward_command").is_some(), "{object}");
        consent(url, &server.origin());
        std::io::copy(&mut stderr, &mut std::io::sink()).expect("the rest");
        finish(child).expect_code(0);
    }
}

/// Such a profile may be in a store that cannot be read here.
#[test]
fn a_profile_that_is_to_be_made_is_waited_for_beside_others() {
    let home = Home::new();
    for configuration in ["", "[profile.other]\nissuer = \"https://id.example.com\"\n"] {
        home.configure(configuration);
        let arguments = ["token", "brandnew", "--store", "keyring", "--wait", "100ms"];
        let outcome = run(home.oauth().args(arguments)).expect_error(7);
        assert_eq!(outcome.error(), "no login came within 100 ms");
    }
}

#[test]
fn the_earlier_one_of_wait_and_deadline_is_named_and_the_deadline_where_they_are_equal() {
    let home = Home::new();
    home.keep("work", &ending_in(-10, session("https://id.example")));
    for (wait, deadline, limit) in [
        ("100ms", "100ms", "before the deadline of 100 ms"),
        ("1h", "100ms", "before the deadline of 100 ms"),
        ("100ms", "1h", "within 100 ms"),
    ] {
        let arguments = ["token", "work", "--wait", wait, "--deadline", deadline];
        let outcome = run(home.oauth().args(arguments)).expect_error(7);
        assert_eq!(outcome.error(), format!("no login came {limit}"));
        assert!(outcome.hints().contains("oauth login work"), "{outcome:?}");
    }
}
