//! What holds for every command: help and version, usage errors, colour,
//! folders, durations, verbosity, and the shape of errors.

use super::support::authorization_server::{self, ACCESS_TOKEN, CODE, REFRESH_TOKEN};
use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, html, json};
use super::support::outcome::{Outcome, finish, members, run, run_with_input};
#[cfg(unix)]
use super::support::sessions::log_in_with;
use super::support::sessions::{KEPT_ACCESS_TOKEN, log_in, session};
use serde_json::Value;
#[cfg(unix)]
use std::process::Command;
use std::process::Stdio;

const ISSUER: &str = "https://id.example.com";

fn oauth(arguments: &[&str]) -> Outcome {
    run(Home::new().oauth().args(arguments))
}

const COMMANDS: [&str; 8] = [
    "login",
    "token",
    "logout",
    "status",
    "profile",
    "serve",
    "demo",
    "completions",
];

#[test]
fn without_a_command_it_prints_help_as_a_result() {
    for arguments in [&[][..], &["--help"], &["-h"]] {
        let outcome = oauth(arguments).expect_code(0);
        assert_eq!(outcome.stderr, "");
        for part in COMMANDS.iter().chain(&["oauth help options", "Usage: oauth"]) {
            assert!(outcome.stdout.contains(part), "{part} is missing: {}", outcome.stdout);
        }
        assert!(!outcome.stdout.contains("__profiles"));
        assert!(!outcome.stdout.contains("--http-timeout"), "{}", outcome.stdout);
    }
    let options = oauth(&["help", "options"]).expect_code(0);
    assert_eq!(options.stderr, "");
    for option in ["--verbose", "--config <FILE>", "--http-timeout <TIME>", "--proxy <URL>"] {
        assert!(options.stdout.contains(option), "{option}: {}", options.stdout);
    }
    for command in COMMANDS {
        let outcome = oauth(&[command, "--help"]).expect_code(0);
        assert!(
            outcome.stdout.contains(&format!("Usage: oauth {command}")),
            "{}",
            outcome.stdout
        );
        assert_eq!(outcome.stderr, "");
    }
    for flag in ["-V", "--version"] {
        let outcome = oauth(&[flag]).expect_code(0);
        assert_eq!(
            (outcome.stdout, outcome.stderr),
            (format!("oauth {}\n", env!("CARGO_PKG_VERSION")), String::new())
        );
    }
}

#[test]
fn results_and_help_need_no_home() {
    for arguments in [
        &[][..],
        &["--help"],
        &["--version"],
        &["completions", "bash"],
        &["__profiles"],
    ] {
        run(Home::new().oauth().env_remove("HOME").args(arguments)).expect_code(0);
    }
}

#[test]
fn what_is_typed_wrong_is_a_usage_error() {
    for (arguments, said) in [
        (&["nonsense"][..], "nonsense"),
        (&["tokne"], "token"),
        (&["token", "--nonsense"], "--nonsense"),
        (&["token", "a", "b"], "b"),
        (&["token", "--format"], "--format"),
        (&["status", "-q", "-v"], "--quiet"),
        (&["profile"], "list"),
        (&["completions"], "<SHELL>"),
        (&["status", "--color", "sometimes"], "--color"),
        (&["status", "--cert", "client.pem"], "--key"),
        (&["login", "--no-browser", "--browser", "x"], "--browser"),
        (&["login", "--port", "http"], "--port"),
    ] {
        let outcome = oauth(arguments).expect_code(2);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.contains(said), "{arguments:?}: {}", outcome.stderr);

        for place in [0, arguments.len()] {
            let mut arguments = arguments.to_vec();
            arguments.insert(place, "--json");
            let outcome = oauth(&arguments);
            assert_eq!(outcome.stdout, "", "{arguments:?}");
            if arguments[..2] == ["token", "--format"] {
                // there it is the value that was missing
                continue;
            }
            let error = outcome.json_error(2);
            assert_eq!(outcome.json_lines().len(), 1);
            assert_eq!(members(&error), ["causes", "exit_code", "hints", "message", "name"]);
            assert_eq!(error["name"], "usage");
            let message = error["message"].as_str().expect("a message");
            let told = format!("{message} {}", error["hints"]);
            assert!(told.contains(said), "{arguments:?}: {error}");
            assert!(!message.starts_with("error") && !message.ends_with(':'), "{message:?}");
            assert!(
                error["hints"].as_array().is_some_and(|hints| !hints.is_empty()),
                "{error}"
            );
        }
    }
}

#[test]
fn a_secret_is_never_taken_from_an_argument() {
    for arguments in [
        &["login", ISSUER, "--client-id=x", "--client-secret", "hunter2"][..],
        &["login", "https://me:hunter2@id.invalid", "--client-id=x"],
        &["check", "https://me:hunter2@id.invalid", "--client-id=x"],
        &[
            "login",
            ISSUER,
            "--client-id=x",
            "--redirect-uri=http://me:hunter2@127.0.0.1/",
        ],
        &["login", ISSUER, "--client-id=x", "--client-secret=hunter2"],
        &["login", ISSUER, "--client-id=x", "--refresh-token=hunter2"],
        &["login", ISSUER, "--client-id=x", "--client-secret-stdin=hunter2"],
    ] {
        let outcome = oauth(arguments).expect_code(2);
        assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
        let outcome = oauth(&[&["--json"], arguments].concat());
        assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
        outcome.json_error(2);
    }
}

#[test]
fn an_error_is_told_with_its_causes_and_hints() {
    // nobody listens there
    let gone = LiteralServer::start().origin();
    let arguments = ["login", &gone, "--client-id=x", "--no-browser"];
    let outcome = oauth(&arguments).expect_error(3);
    let labels: Vec<&str> = outcome
        .stderr
        .lines()
        .filter_map(|line| {
            ["error: ", "caused by: ", "hint: "]
                .into_iter()
                .find(|label| line.starts_with(label))
        })
        .collect();
    let mut sorted = labels.clone();
    sorted.sort_by_key(|label| {
        ["error: ", "caused by: ", "hint: "]
            .iter()
            .position(|known| known == label)
    });
    assert_eq!(labels, sorted, "{}", outcome.stderr);
    sorted.dedup();
    assert_eq!(sorted, ["error: ", "caused by: ", "hint: "], "{}", outcome.stderr);

    let outcome = oauth(&[&["--json"], &arguments[..]].concat());
    let error = outcome.json_error(3);
    assert_eq!(members(&error), ["causes", "exit_code", "hints", "message", "name"]);
    assert_eq!(error["name"], "unreachable");
    assert!(error["causes"].as_array().is_some_and(|causes| !causes.is_empty()));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let home = Home::new();
        let outcome = run(home.oauth().args(arguments).envs(variables.iter().copied()));
        assert!(!outcome.stderr.is_empty());
        outcome.stderr.contains('\u{1b}')
    };
    // an error of the program, and one of the parser
    for wrong in [&["token"][..], &["nonsense"]] {
        let with = |flags: &[&str], variables: &[(&str, &str)]| coloured(&[flags, wrong].concat(), variables);
        assert!(!with(&[], &[]), "a pipe is not a terminal");
        assert!(with(&["--color", "always"], &[]));
        assert!(with(&["--color=always"], &[]));
        assert!(with(&["--color", "always"], &[("NO_COLOR", "1")]));
        assert!(with(&[], &[("CLICOLOR_FORCE", "1")]));
        assert!(!with(&[], &[("CLICOLOR_FORCE", "0")]));
        assert!(!with(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(with(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]));
        assert!(!with(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
        assert!(!with(&["--json"], &[("CLICOLOR_FORCE", "1")]));
    }
}

#[cfg(unix)]
#[test]
fn on_a_terminal_there_is_colour_unless_it_is_refused() {
    use super::support::terminal::Terminal;
    let shown = |arguments: &[&str], variables: &[(&str, &str)]| {
        let home = Home::new();
        let terminal = Terminal::open();
        let mut command = home.oauth();
        command.args(arguments).envs(variables.iter().copied());
        let mut child = terminal.start(&mut command);
        drop(command);
        child.wait().expect("its end");
        terminal.last_screen()
    };
    for wrong in ["token", "nonsense"] {
        assert!(shown(&[wrong], &[]).contains('\u{1b}'), "{wrong}");
        assert!(!shown(&[wrong], &[("NO_COLOR", "1")]).contains('\u{1b}'), "{wrong}");
        assert!(!shown(&[wrong, "--color", "never"], &[]).contains('\u{1b}'), "{wrong}");
        assert!(!shown(&[wrong, "--json"], &[]).contains('\u{1b}'), "{wrong}");
    }
}

// the folders of Windows are named by APPDATA and LOCALAPPDATA alone
#[cfg(unix)]
#[test]
fn without_a_home_the_variable_is_named() {
    for arguments in [
        &["token"][..],
        &["status"],
        &["logout"],
        &["profile", "list"],
        &["login", ISSUER, "--client-id=x"],
    ] {
        for home in [None, Some("")] {
            let folder = Home::new();
            let mut command = folder.oauth();
            command.env_remove("HOME").envs(home.map(|home| ("HOME", home)));
            run(command.args(arguments)).expect_error(2).says(&["HOME"]);
        }
    }
}

// the folders of Windows are named by APPDATA and LOCALAPPDATA alone
#[cfg(unix)]
#[test]
fn the_xdg_folders_come_before_home() {
    let home = Home::new();
    let server = authorization_server::start();
    let (config, data) = (home.path().join("c"), home.path().join("d"));
    let with_folders = |command: &mut Command| {
        command.env("XDG_CONFIG_HOME", &config).env("XDG_DATA_HOME", &data);
    };
    let mut command = home.oauth();
    with_folders(&mut command);
    command.args(["login", &server.origin(), "--client-id=x", "--no-browser", "-p", "work"]);
    log_in_with(&mut command, &server).expect_code(0);
    assert!(config.join("oauth/config.toml").exists());
    assert!(data.join("oauth/sessions").is_dir() && data.join("oauth/locks").is_dir());
    assert!(!home.path().join(".config").exists() && !home.path().join(".local").exists());

    let mut command = home.oauth();
    with_folders(&mut command);
    // no home is needed then
    run(command.env_remove("HOME").args(["token", "work"])).expect_code(0);
    // a relative path is none (XDG Base Directory Specification)
    let mut command = home.oauth();
    command.env("XDG_CONFIG_HOME", "c").env("XDG_DATA_HOME", "d");
    run(command.args(["token", "work"])).expect_error(2);
}

#[test]
fn a_duration_has_a_unit() {
    let home = Home::new();
    home.keep("default", &session(ISSUER));
    for bare in ["30", "1.5s", "5 m", "1w", "-1s", "", "s", "99999999999999999999s"] {
        for arguments in [
            &["token", "--http-timeout"][..],
            &["token", "--min-ttl"],
            &["login", ISSUER, "--client-id=x", "--timeout"],
            &["demo", "--timeout"],
            &["serve", "--port=0", "--code-ttl"],
        ] {
            let (flag, before) = arguments.split_last().expect("a flag");
            let given = format!("{flag}={bare}");
            let outcome = run(home.oauth().args(before).arg(&given)).expect_error(2);
            assert!(outcome.stderr.contains(flag), "{given}: {}", outcome.stderr);
        }
    }
    for good in ["250ms", "90s", "5m", "1h", "30d", "0s"] {
        run(home.oauth().args(["token", "--http-timeout", good])).expect_code(0);
    }
}

#[test]
fn an_unknown_store_is_a_usage_error_wherever_it_is_named() {
    let home = Home::new();
    home.configure("[profile.bad]\nstore = \"shoebox\"\n");
    for arguments in [
        &["token", "bad"][..],
        &["status", "bad"],
        &["logout", "bad"],
        &["status"],
    ] {
        let mut command = home.oauth();
        run(command.env_remove("OAUTH_STORE").args(arguments))
            .expect_error(2)
            .says(&["shoebox", "keyring", "file", "none"]);
        run(home.oauth().env("OAUTH_STORE", "drawer").args(arguments))
            .expect_error(2)
            .says(&["OAUTH_STORE", "drawer"]);
        run(home.oauth().args(["--store", "pocket"]).args(arguments))
            .expect_error(2)
            .says(&["--store", "pocket"]);
    }
    run(home.oauth().args(["token", "--keyring-session", "secret"]))
        .expect_error(2)
        .says(&["--keyring-session", "plain", "encrypted"]);
}

#[test]
fn a_password_for_a_proxy_belongs_into_the_environment() {
    let home = Home::new();
    let arguments = ["login", "https://id.invalid", "--client-id=x", "--no-browser"];
    let mut command = home.oauth();
    let outcome = run(command
        .args(arguments)
        .args(["--proxy", "http://me:hunter2@127.0.0.1:9"]))
    .expect_error(2);
    assert!(
        outcome.stderr.contains("--proxy") && !outcome.stderr.contains("hunter2"),
        "{outcome:?}"
    );
    home.configure("[profile.work]\nclient_id = \"x\"\nissuer = \"https://id.invalid\"\nproxy = \"http://me:hunter2@127.0.0.1:9\"\n");
    let outcome = run(home.oauth().args(["login", "work", "--no-browser"])).expect_error(2);
    assert!(
        outcome.stderr.contains("proxy") && !outcome.stderr.contains("hunter2"),
        "{outcome:?}"
    );

    // there it is allowed, and used: nobody listens at that proxy
    let proxy = LiteralServer::start();
    let with_password = proxy.origin().replacen("http://", "http://me:hunter2@", 1);
    let mut command = home.oauth();
    let outcome = run(command.env("HTTPS_PROXY", with_password).args(arguments).arg("-vvv"));
    assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
    outcome.expect_error(3);
    assert!(proxy.connections() > 0);
}

#[test]
fn a_file_that_is_named_and_missing_is_a_usage_error() {
    for (flag, file) in [
        ("--cacert", "no-such-ca.pem"),
        ("--client-secret-file", "no-such-secret"),
    ] {
        let outcome = oauth(&[
            "login",
            "https://127.0.0.1:9",
            "--client-id=x",
            "--no-browser",
            flag,
            file,
        ]);
        outcome.expect_error(2).says(&[file]);
    }
}

#[test]
fn a_file_of_certificates_without_any_is_a_usage_error_before_anything_is_sent() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let at_server = server.origin();
    for (name, text, problem) in [
        ("empty.pem", "", "there is no certificate in it"),
        ("notes.pem", "no certificate\n", "there is no certificate in it"),
        (
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "there is no certificate in it",
        ),
    ] {
        std::fs::write(home.path().join(name), text).unwrap();
        let endpoints = [
            "--authorization-endpoint",
            &server.url("/authorize"),
            "--token-endpoint",
            &server.url("/token"),
        ];
        for target in [&["https://127.0.0.1:9"][..], &[&at_server], &endpoints] {
            let mut command = home.oauth();
            command.arg("login").args(target);
            let outcome = run(command.args(["--client-id=x", "--no-browser", "--cacert", name])).expect_error(2);
            assert!(
                outcome
                    .causes()
                    .contains(&format!("the trusted certificates of {name}"))
                    && outcome.causes().contains(problem),
                "{target:?}: {outcome:?}"
            );
            assert_eq!(outcome.stdout, "");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_reader_of_help_that_has_gone_is_no_error() {
    for arguments in [&[][..], &["--help"], &["completions", "bash"], &["status", "--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let child = Home::new()
            .oauth()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting it");
        assert_eq!(finish(child).expect_code(0).stderr, "", "{arguments:?}");
    }
}

/// What a login says on stderr with these flags.
fn login_says(flags: &[&str]) -> String {
    let home = Home::new();
    let server = authorization_server::start();
    // not where it is looked for first
    let well_known = "/.well-known/oauth-authorization-server";
    server.on("GET", well_known, html(404, "<h1>Not Found</h1>"));
    let metadata = authorization_server::metadata(&server.origin());
    server.on("GET", "/.well-known/openid-configuration", json(200, &metadata));
    let origin = server.origin();
    let mut arguments = vec![origin.as_str(), "--client-id=desktop", "--no-browser"];
    arguments.extend(flags);
    log_in(&home, &server, &arguments).stderr
}

fn step_lines(stderr: &str) -> Vec<&str> {
    let number = |line: &&str| line.get(1..3) == Some("/7");
    stderr.lines().filter(number).collect()
}

#[test]
fn verbosity_adds_steps_then_exchanges_then_decisions() {
    let plain = login_says(&[]);
    assert_eq!(step_lines(&plain), Vec::<&str>::new());

    let steps = login_says(&["-v"]);
    let numbers: Vec<&str> = step_lines(&steps).iter().map(|line| &line[..3]).collect();
    assert_eq!(numbers, ["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"], "{steps}");
    for parameter in [
        "response_type",
        "client_id",
        "redirect_uri",
        "code_challenge ",
        "code_challenge_method",
        "grant_type",
        "code_verifier",
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
    ] {
        assert!(steps.contains(parameter), "{parameter} is missing: {steps}");
    }
    assert!(!steps.contains("POST http"), "{steps}");

    let exchanges = login_says(&["-vv"]);
    assert_eq!(step_lines(&exchanges).len(), 7);
    for part in [
        "POST http://127.0.0.1:",
        "GET http://127.0.0.1:",
        "< 200 OK (connect ",
        "< 404 Not Found (connect ",
        ", total ",
        "    curl http://127.0.0.1:",
        "--data-urlencode \"code=$CODE\"",
        "content-type: application/json",
        "application/x-www-form-urlencoded",
        "\"token_type\": \"Bearer\"",
    ] {
        assert!(exchanges.contains(part), "{part} is missing: {exchanges}");
    }
    assert!(!exchanges.contains("decided:"), "{exchanges}");

    let decisions = login_says(&["-vvv"]);
    assert!(decisions.contains("POST http://127.0.0.1:"));
    for part in ["well-known", "encrypted file"] {
        let told = decisions.lines().filter(|line| line.contains("decided:"));
        assert!(
            told.clone().any(|line| line.contains(part)),
            "{part} is missing: {decisions}"
        );
    }

    for said in [plain, steps, exchanges, decisions] {
        for secret in [ACCESS_TOKEN, REFRESH_TOKEN, CODE] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
    }
}

#[test]
fn with_json_the_trace_is_objects() {
    let home = Home::new();
    home.configure(&format!("[profile.work]\nissuer = \"{ISSUER}\"\n"));
    home.keep("work", &session(ISSUER));
    let outcome = run(home.oauth().args(["status", "-v", "--json"])).expect_code(0);
    let names: Vec<Value> = outcome.json_lines().iter().map(|line| line["name"].clone()).collect();
    assert_eq!(names, ["configuration", "data", "locks", "store"]);
    assert!(outcome.json().is_array());
}

#[test]
fn secrets_are_shown_on_request_alone_and_after_a_warning() {
    for level in ["-v", "-vv", "-vvv"] {
        let said = login_says(&[level, "--show-secrets"]);
        let first = said.lines().next().expect("a line");
        assert!(first.starts_with("warning:") && first.contains("secrets"), "{first}");
        for secret in [ACCESS_TOKEN, REFRESH_TOKEN, CODE] {
            assert!(said.contains(secret), "{level} lacks {secret}: {said}");
        }
        let redacted = said.lines().filter(|line| line.contains("[redacted"));
        assert_eq!(redacted.count(), 0, "{said}");
    }
    let said = login_says(&["--show-secrets"]);
    assert!(
        !said.contains(ACCESS_TOKEN),
        "without a trace there is nothing to show: {said}"
    );
}

#[test]
fn quiet_leaves_errors_and_the_url() {
    let said = login_says(&["--quiet"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].starts_with("http://127.0.0.1:") && lines[0].contains("/authorize?"));
    let outcome = oauth(&["token", "--quiet"]).expect_error(4);
    assert!(outcome.stderr.contains("hint: "));
}

#[test]
fn options_of_all_commands_may_stand_before_or_behind_the_command() {
    let home = Home::new();
    let other = home.path().join("other.toml").display().to_string();
    std::fs::write(&other, "[profile.there]\n").expect("writing");
    for arguments in [
        ["--config", &other, "profile", "list"],
        ["profile", "--config", &other, "list"],
        ["profile", "list", "--config", &other],
    ] {
        assert!(
            run(home.oauth().args(arguments))
                .expect_code(0)
                .stdout
                .contains("there")
        );
    }
    home.keep("default", &session(ISSUER));
    for arguments in [["--json", "token"], ["token", "--json"]] {
        assert_eq!(
            run(home.oauth().args(arguments)).json()["access_token"],
            KEPT_ACCESS_TOKEN
        );
    }
}

#[test]
fn of_a_flag_that_is_given_twice_the_last_one_counts() {
    let home = Home::new();
    home.keep("default", &session(ISSUER));
    home.keep("work", &session(ISSUER));
    let last = run(home.oauth().args(["token", "--format", "json", "--format=header"])).expect_code(0);
    assert!(last.stdout.starts_with("Authorization: Bearer "), "{last:?}");
    run(home.oauth().args(["--json", "--json", "status", "--json"])).expect_code(0);
    run(home
        .oauth()
        .args(["--store", "none", "token", "-p", "absent", "-p", "work", "--store=file"]))
    .expect_code(0);
    // the colour of a usage error too
    let plain = run(home.oauth().args(["nosuch", "--color=always", "--color", "never"])).expect_code(2);
    assert!(!plain.stderr.contains('\u{1b}'), "{plain:?}");
}

#[test]
fn an_unknown_key_of_a_newer_program_is_a_warning() {
    let home = Home::new();
    home.keep("work", &session(ISSUER));
    let text = "[profile.work]\nissuer = \"https://id.example.com\"\nfuture = true\n";
    home.configure(&format!("version = 2\n{text}"));
    let outcome = run(home.oauth().args(["token", "work"])).expect_code(0);
    assert!(outcome.warnings().contains(":4: unknown key \"future\""), "{outcome:?}");
    assert_eq!(outcome.labelled("warning:").len(), 1, "{outcome:?}");
    home.configure(text);
    run(home.oauth().args(["token", "work"])).expect_error(2);
}

#[test]
fn a_login_in_ci_without_a_terminal_ends_at_once() {
    let home = Home::new();
    let server = LiteralServer::start();
    let login = |arguments: &[&str]| {
        let mut command = home.oauth();
        command
            .env("CI", "true")
            .args(["login", &server.origin(), "--client-id=x"]);
        run(command.args(arguments))
    };
    let outcome = login(&[]).expect_error(2);
    assert!(outcome.error().contains("CI is set"), "{outcome:?}");
    for way in ["--refresh-token-stdin", "--browser", "--no-browser"] {
        assert!(outcome.hints().contains(way), "{outcome:?}");
    }
    let hints = outcome.hints();
    let (first, stored) = (hints.find("--grant client-credentials"), hints.find("refresh token"));
    assert!(
        first.expect("the better way") < stored.expect("the other one"),
        "{hints}"
    );
    assert!(
        hints.contains("if the server does not rotate refresh tokens"),
        "{hints}"
    );
    assert!(server.requests().is_empty());
    assert_eq!(home.files(), Vec::<std::path::PathBuf>::new());
    // whoever says how goes on: as far as the server, which has no metadata
    for way in [&["--no-browser"][..], &["--paste"], &["--json"], &["--browser", "true"]] {
        let outcome = login(way);
        assert_ne!(outcome.code, Some(2), "{way:?}: {outcome:?}");
    }
    assert!(!server.requests().is_empty());
}

/// A server that registers clients does so at a login with a browser.
#[test]
fn a_refresh_token_without_its_client_is_not_blamed_on_the_server() {
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let mut command = home.oauth();
    command.args(["login", &server.issuer(), "--refresh-token-stdin"]);
    let outcome = run_with_input(&mut command, b"a-refresh-token\n").expect_error(2);
    let outcome = outcome.says(&["this login registers no client", "--client-id ID"]);
    outcome.does_not_say("registration_endpoint");
}

#[test]
fn a_check_in_ci_without_a_terminal_ends_where_the_server_asks() {
    let home = Home::new();
    let check = |server: &DevelopmentServer, arguments: &[&str]| {
        let mut command = home.oauth();
        command
            .env("CI", "true")
            .args(["check", &server.issuer(), "--client-id=oauth-cli"])
            .args(["--rule", "pkce.wrong-verifier"]);
        run(command.args(arguments))
    };
    let asking = DevelopmentServer::start(&[]);
    for json in [&[][..], &["--json"]] {
        let outcome = check(&asking, json).expect_code(2);
        for part in ["CI is set", "--browser CMD", "--no-browser", "grant every request"] {
            assert!(outcome.stderr.contains(part), "{outcome:?}");
        }
    }
    let log = asking.log();
    assert_eq!(
        log.matches("GET /authorize").count(),
        2,
        "one look at each check: {log}"
    );
    assert!(!log.contains("/token"), "{log}");
    let outcome = check(&asking, &["--browser", "false", "--timeout", "1s"]);
    assert_ne!(outcome.code, Some(2), "{outcome:?}");

    let granting = DevelopmentServer::start(&["--approve", "auto"]);
    let outcome = check(&granting, &[]).expect_code(0);
    assert!(outcome.stderr.contains("no browser is needed"), "{outcome:?}");
}

#[test]
fn a_login_to_another_profile_than_the_default_says_how_to_use_it() {
    let home = Home::new();
    let server = authorization_server::start();
    let outcome = log_in(
        &home,
        &server,
        &[&server.origin(), "--client-id=x", "--no-browser", "-p", "first"],
    );
    outcome.does_not_say("default");
    let outcome = log_in(
        &home,
        &server,
        &[&server.origin(), "--client-id=x", "--no-browser", "-p", "second"],
    );
    let outcome = outcome.says(&["oauth token second", "oauth profile use second"]);
    outcome.does_not_say("token first");
    let table = run(home.oauth().args(["status"])).expect_code(0).stdout;
    let marked: Vec<&str> = table.lines().filter(|line| line.starts_with('*')).collect();
    assert!(marked.len() == 1 && marked[0].contains("first"), "{table}");
}

/// A command without it would be about the profiles of another file.
#[test]
fn the_commands_in_notes_name_the_configuration_file_that_was_given() {
    let home = Home::new();
    let server = authorization_server::start();
    let file = home.path().join("mine.toml").display().to_string();
    let typed = shell_words::quote(&file);
    let nothing = run(home.oauth().args(["status", "--config", &file])).expect_code(0);
    nothing.says(&[&format!("oauth --config {typed} login https://")]);
    for profile in ["first", "second"] {
        let arguments = ["--client-id=x", "--no-browser", "--config", &file, "-p", profile];
        let outcome = log_in(&home, &server, &[&[server.origin().as_str()][..], &arguments].concat());
        if profile == "second" {
            outcome.says(&[
                &format!("oauth --config {typed} token second"),
                &format!("oauth --config {typed} profile use second"),
            ]);
        }
    }
    let removed = run(home
        .oauth()
        .args(["profile", "remove", "second", "--json", "--config", &file]))
    .expect_code(0);
    // a path of Windows has backslashes, which JSON doubles
    let typed = typed.replace('\\', r"\\");
    removed.says(&[&format!("run `oauth --config {typed} logout` before")]);
}
