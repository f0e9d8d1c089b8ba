//! What a login says: nothing on stdout unless asked, the URL alone on its
//! line, JSON lines under `--json`, the last of them the error; and what
//! `--no-store` and `--refresh-token-stdin` make of the result.

use crate::support::authorization_server::{
    self, ACCESS_TOKEN, CODE, REFRESH_TOKEN, callback_url_with, consent, token_answer,
};
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::literal_server::{json, value_of};
use crate::support::login::{
    MarkingBrowser, complete, complete_seeing_url, listener_of, login, parameter, status, stored,
};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use serde_json::Value;

#[test]
fn what_a_person_is_told_at_the_end() {
    let (home, server) = (Home::new(), authorization_server::start());
    let finished = complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    assert_eq!(finished.stdout, "");
    for said in [
        server.origin().as_str(),
        "valid until",
        "refresh",
        "profile \"default\"",
        "sessions",
    ] {
        assert!(finished.stderr.contains(said), "{said}: {finished:?}");
    }
    assert_eq!(finished.warnings(), "");

    // less than was asked for, no end, nothing to refresh with
    let answer = format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","scope":"read extra"}}"#);
    server.on("POST", "/token", json(200, &answer));
    let mut command = login(&home, &server, &["--scope", "read write"]);
    let finished = complete(&mut command, &server.origin()).expect_code(0);
    let warnings = finished.warnings();
    assert!(
        warnings.contains("not granted: write") && !warnings.contains("granted: read"),
        "{warnings}"
    );
    finished
        .says(&["read extra", "warning: granted, but not requested: extra\n"])
        .says(&["offline_access"])
        .says(&["did not send the lifetime"]);
    let row = &status(&home)[0];
    assert_eq!(
        (&row["scope"], &row["expires_at"]),
        (&"read extra".into(), &Value::Null)
    );
    assert_eq!((&row["refreshable"], &row["state"]), (&false.into(), &"valid".into()));
}

#[test]
fn it_says_until_when_it_waits() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "90s"]));
    let url = running.authorization_url();
    let line = running.line_with("waiting for the browser");
    assert!(line.contains("until") && line.contains("90 s"), "{line}");
    consent(&url, &server.origin());
    running.end().expect_code(0);
}

#[test]
fn quiet_prints_the_url_and_nothing_else() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(
        &home,
        &server,
        &["-q", "--listen", "0.0.0.0", "--browser", "/nonexistent/browser"],
    );
    let (finished, url) = complete_seeing_url(&mut command, &server.origin());
    let finished = finished.expect_code(0);
    assert_eq!((finished.stdout.as_str(), finished.stderr), ("", format!("{url}\n")));

    let finished = run(&mut login(&home, &server, &["-q", "--timeout", "250ms"])).expect_code(7);
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert!(
        lines[0].starts_with("http://") && lines[1].starts_with("error: "),
        "{lines:?}"
    );
    assert!(lines[2..].iter().all(|line| line.starts_with("hint: ")), "{lines:?}");
}

#[test]
fn the_url_stands_whole_and_alone_on_its_line() {
    let (home, server) = (Home::new(), authorization_server::start());
    let scope: Vec<String> = (0..400).map(|number| format!("scope-{number}")).collect();
    for colour in ["always", "never"] {
        let mut command = login(&home, &server, &["--color", colour, "-vv", "--scope", &scope.join(" ")]);
        let (finished, url) = complete_seeing_url(command.env("COLUMNS", "80"), &server.origin());
        let finished = finished.expect_code(0);
        assert!(url.len() > 4000 && url::Url::parse(&url).is_ok());
        assert_eq!(parameter(&url, "scope"), scope.join(" "));
        assert_eq!(
            finished.stderr.lines().filter(|line| *line == url).count(),
            1,
            "{colour}"
        );
    }
}

#[test]
fn colour_is_for_terminals_or_for_those_who_ask() {
    let (home, server) = (Home::new(), authorization_server::start());
    for (arguments, variable, coloured) in [
        (&[][..], None, false),
        (&["--color", "always"], None, true),
        (&["--color", "always"], Some("NO_COLOR"), true),
        (&["--color", "never"], Some("CLICOLOR_FORCE"), false),
        (&[], Some("CLICOLOR_FORCE"), true),
    ] {
        let mut command = login(&home, &server, &["--timeout", "1ms"]);
        if let Some(variable) = variable {
            command.env(variable, "1");
        }
        let finished = run(command.args(arguments)).expect_code(7);
        assert_eq!(
            finished.stderr.contains("\u{1b}["),
            coloured,
            "{arguments:?} {variable:?}: {finished:?}"
        );
    }
}

#[test]
fn with_json_every_line_is_an_object_and_the_result_that_of_status() {
    let (home, server) = (Home::new(), authorization_server::start());
    for verbosity in ["--json", "--json -v", "--json -vvv"] {
        let arguments: Vec<&str> = verbosity
            .split(' ')
            .chain(["--browser", "/nonexistent/browser"])
            .collect();
        let running = Running::start(&mut login(&home, &server, &arguments));
        let url = running.authorization_url();
        running.line_with("/nonexistent/browser");
        consent(&url, &server.origin());
        let finished = running.end().expect_code(0);
        let lines = finished.json_lines();
        assert!(lines.iter().any(|line| line["authorization_url"] == url.as_str()));
        assert!(lines.iter().any(|line| line["warning"].is_string()), "{lines:?}");

        let result: Value = serde_json::from_str(&finished.stdout).expect("JSON");
        let mut row = status(&home)[0].clone();
        // a second may have passed
        row["expires_in"] = result["expires_in"].clone();
        assert_eq!(result, row);
        let seconds = result["expires_in"].as_i64().expect("seconds");
        assert!((3500..=3600).contains(&seconds), "{seconds}");
        assert!(finished.stdout.ends_with("}\n") && finished.stdout.lines().count() == 1);
    }
}

#[test]
fn with_json_the_last_line_is_the_error() {
    let (home, server) = (Home::new(), authorization_server::start());
    let error_of = |finished: Outcome, code: i32, name: &str| -> Value {
        assert_eq!(finished.stdout, "");
        let lines = finished.json_lines();
        let errors = lines.iter().filter(|line| line.get("error").is_some()).count();
        assert_eq!(errors, 1, "{lines:?}");
        let error = finished.json_error(code);
        assert_eq!(error["name"], name, "{error}");
        assert!(error["message"].is_string() && error["causes"].is_array() && error["hints"].is_array());
        error
    };

    let error = error_of(
        run(&mut login(&home, &server, &["--json", "--timeout", "250ms"])),
        7,
        "timeout",
    );
    assert!(!error["hints"].as_array().expect("hints").is_empty());

    let running = Running::start(&mut login(&home, &server, &["--json"]));
    let url = running.authorization_url();
    let response = [
        ("error", "access_denied"),
        ("error_description", "no \u{1b}[2Jway"),
        ("state", &parameter(&url, "state")),
        ("iss", &server.origin()),
    ];
    callback::get_url(&callback_url_with(&url, &response)).expect("a page");
    let error = error_of(running.end(), 5, "refused");
    assert_eq!(error["oauth_error"], "access_denied");
    assert_eq!(error["oauth_error_description"], "no \\u{1b}[2Jway");

    let answer = r#"{"error":"invalid_grant"}"#;
    server.on("POST", "/token", json(400, answer));
    let error = error_of(
        complete(&mut login(&home, &server, &["--json"]), &server.origin()),
        5,
        "refused",
    );
    assert_eq!(
        (&error["oauth_error"], &error["oauth_error_description"]),
        (&"invalid_grant".into(), &Value::Null)
    );

    for arguments in [
        &["--json", "login", "--bogus"][..],
        &["login", "--json", "--timeout", "5"],
        &["--json", "bogus"],
    ] {
        let error = error_of(run(home.oauth().args(arguments)), 2, "usage");
        assert!(!error["message"].as_str().expect("a message").contains('\n'));
    }
}

#[test]
fn no_store_gives_the_token_response_and_keeps_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    let answer = token_answer().replacen('{', r#"{"unknown":{"a":[1,null,"\u202e"]},"#, 1);
    server.on("POST", "/token", json(200, &answer));
    for arguments in [
        &["--no-store", "--no-save"][..],
        &["--store", "none", "--no-save"],
        &["--no-store", "--no-save", "--json"],
    ] {
        let mut command = login(&home, &server, arguments);
        command.env_remove("OAUTH_STORE");
        let finished = complete(&mut command, &server.origin()).expect_code(0);
        let printed: Value = serde_json::from_str(&finished.stdout).expect("JSON");
        assert_eq!(printed, serde_json::from_str::<Value>(&answer).expect("JSON"));
        assert!(finished.stdout.ends_with("}\n") && finished.stdout.lines().count() == 1);
        assert!(!finished.stdout.contains('\u{202e}'), "{}", finished.stdout);
        assert!(!finished.stderr.contains(ACCESS_TOKEN) && !finished.stderr.contains(REFRESH_TOKEN));
        assert!(
            finished.stderr.contains("no session is stored") && !finished.stderr.contains("`oauth token`"),
            "{}",
            finished.stderr
        );
    }
    assert_eq!(stored(&home).len(), 0);
    assert!(!home.config_file().exists());
    assert_eq!(status(&home), serde_json::json!([]));
}

#[test]
fn a_refresh_token_on_stdin_needs_no_browser() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = MarkingBrowser::new(home.path());
    let mut command = login(
        &home,
        &server,
        &[
            "--refresh-token-stdin",
            "--scope",
            "read",
            "--resource",
            "https://api.example.com",
            "--token-param",
            "tenant=x",
            "--profile",
            "adopted",
        ],
    );
    command.env("BROWSER", &browser.command);
    let finished = Running::start_with_input(&mut command, "old refresh-token\r\n")
        .end()
        .expect_code(0);
    assert_eq!(finished.stdout, "");
    let request = server.only_request_to("/token");
    let form = request.form();
    for (name, value) in [
        ("grant_type", "refresh_token"),
        ("refresh_token", "old refresh-token"),
        ("client_id", "desktop"),
        ("resource", "https://api.example.com"),
        ("tenant", "x"),
    ] {
        assert_eq!(value_of(&form, name), Some(value), "{name}");
    }
    for absent in ["code", "code_verifier", "redirect_uri"] {
        assert_eq!(value_of(&form, absent), None, "{absent}");
    }
    assert!(
        !browser.was_run() && !finished.stderr.contains("/authorize"),
        "{finished:?}"
    );
    assert!(!finished.stderr.contains("old refresh-token"));
    let row = &status(&home)[0];
    assert_eq!(
        (&row["profile"], &row["refreshable"]),
        (&"adopted".into(), &true.into())
    );
    let printed = run(home.oauth().args(["token", "adopted"])).expect_code(0);
    assert_eq!(printed.stdout, format!("{ACCESS_TOKEN}\n"));
}

#[test]
fn a_refresh_token_that_is_refused_stores_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    for (status_code, answer, code) in [
        (400, r#"{"error":"invalid_grant"}"#, 4),
        (401, r#"{"error":"invalid_client"}"#, 5),
        (503, "{}", 3),
        (200, "{}", 6),
    ] {
        server.on("POST", "/token", json(status_code, answer));
        let mut command = login(&home, &server, &["--refresh-token-stdin"]);
        Running::start_with_input(&mut command, "rt\n").end().expect_code(code);
    }
    assert_eq!(server.requests_to("/token").len(), 4, "never a second try");
    let mut command = login(&home, &server, &["--refresh-token-stdin"]);
    Running::start_with_input(&mut command, "")
        .end()
        .expect_code(2)
        .says(&["--refresh-token-stdin"]);
    assert_eq!(stored(&home).len(), 0);
    assert!(!home.config_file().exists());
    run(&mut login(&home, &server, &["--refresh-token-stdin", "--paste"])).expect_code(2);
    run(&mut login(
        &home,
        &server,
        &["--refresh-token-stdin", "--client-secret-stdin"],
    ))
    .expect_code(2);
}

#[test]
fn the_steps_are_numbered_under_v_and_redacted() {
    let (home, server) = (Home::new(), authorization_server::start());
    let finished = complete(&mut login(&home, &server, &["-v"]), &server.origin()).expect_code(0);
    let mut at = 0;
    for step in 1..=7 {
        let found = finished.stderr[at..]
            .find(&format!("{step}/7 "))
            .unwrap_or_else(|| panic!("step {step}"));
        at += found;
    }
    for name in [
        "response_type",
        "client_id",
        "state",
        "redirect_uri",
        "code_challenge_method",
        "code_verifier",
    ] {
        assert!(finished.stderr.contains(name), "{name}");
    }
    for secret in [CODE, ACCESS_TOKEN, REFRESH_TOKEN] {
        finished.does_not_say(secret);
    }
    let finished = complete(&mut login(&home, &server, &["-v", "--show-secrets"]), &server.origin()).expect_code(0);
    let finished = finished.says(&[CODE, ACCESS_TOKEN, REFRESH_TOKEN]);
    assert!(finished.stderr.lines().next().expect("a line").starts_with("warning: "));
}

/// What a login in these surroundings says; `PORT` in the words is its port.
fn says_in(host: &[(&str, &str)], words: &[&str]) {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(&home, &server, &["--timeout", "250ms"]);
    let running = Running::start(command.envs(host.iter().copied()));
    let authority = listener_of(&running.authorization_url());
    let port = authority.rsplit_once(':').expect("a port").1;
    let words: Vec<String> = words.iter().map(|word| word.replace("PORT", port)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    running.end().expect_code(7).says(&words);
}

#[test]
fn it_says_how_the_callback_reaches_it_from_elsewhere() {
    says_in(
        &[("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.4 2222"), ("USER", "ada")],
        &[
            "    ssh -N -p 2222 -L PORT:127.0.0.1:PORT ada@198.51.100.4\n",
            "guessed",
            "paste",
            "until",
        ],
    );
    says_in(
        &[("container", "podman")],
        &[
            "    -p 127.0.0.1:PORT:PORT\n",
            "    --listen 0.0.0.0:PORT --port PORT\n",
            "paste",
            "until",
        ],
    );
}
