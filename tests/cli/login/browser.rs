//! What is run to show the authorization URL: split like shell words without a
//! shell, in an environment without anything of ours, and whatever it does, the
//! login goes on.

use crate::support::authorization_server::{self, consent, metadata, token_answer};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, json};
use crate::support::login::{MarkingBrowser, ScriptedBrowser, login, script, status};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use rustix::process::{Pid, Signal, kill_process};
use std::process::Command;

/// One line for each argument.
const ARGUMENTS: &str = "for argument; do echo \"<$argument>\"; done";

/// A login that gets its consent.
fn consented(running: Running, server: &LiteralServer) -> (Outcome, String) {
    let url = running.authorization_url();
    consent(&url, &server.origin());
    (running.end().expect_code(0), url)
}

#[test]
fn the_url_replaces_its_mark_or_comes_last() {
    let server = authorization_server::start();
    for (arguments, expected) in [
        ("", &["URL"][..]),
        (" -P work", &["-P", "work", "URL"]),
        (" -P work %s --new-tab", &["-P", "work", "URL", "--new-tab"]),
        (
            " --app=%s '$(id)' \"a b\" ';' '&'",
            &["--app=URL", "$(id)", "a b", ";", "&"],
        ),
        (" %s%s", &["URLURL"]),
    ] {
        let home = Home::new();
        let browser = ScriptedBrowser::new(home.path(), ARGUMENTS);
        let command = format!("{}{arguments}", browser.command);
        let running = Running::start(&mut login(&home, &server, &["--browser", &command]));
        let seen = browser.output();
        let (_, url) = consented(running, &server);
        let expected: String = expected
            .iter()
            .map(|argument| format!("<{}>\n", argument.replace("URL", &url)))
            .collect();
        assert_eq!(seen, expected, "{arguments}");
    }
}

#[test]
fn quiet_a_login_whose_browser_opens_and_comes_back_prints_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = ScriptedBrowser::new(home.path(), ARGUMENTS);
    let running = Running::start(&mut login(&home, &server, &["-q", "--browser", &browser.command]));
    let seen = browser.output();
    consent(seen.trim().trim_matches(['<', '>']), &server.origin());
    let finished = running.end().expect_code(0);
    assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("", ""));
}

#[test]
fn quiet_a_browser_that_fails_leaves_the_url_to_be_opened_by_hand() {
    let (home, server) = (Home::new(), authorization_server::start());
    let failing = script(home.path(), "failing", "exit 3");
    let running = Running::start(&mut login(&home, &server, &["-q", "--browser", &failing]));
    let (finished, url) = consented(running, &server);
    assert_eq!(finished.stderr, format!("{url}\n"));
}

#[test]
fn a_command_that_cannot_be_split_is_refused() {
    let (home, server) = (Home::new(), authorization_server::start());
    for bad in ["'firefox", "", " ", "%s"] {
        let finished = run(&mut login(&home, &server, &["--browser", bad])).expect_code(2);
        assert!(finished.error().contains("--browser"), "{bad:?}: {finished:?}");
    }
    let mut command = login(&home, &server, &[]);
    run(command.env("BROWSER", "\"firefox"))
        .expect_code(2)
        .says(&["BROWSER"]);
    run(&mut login(&home, &server, &["--browser", "x", "--no-browser"])).expect_code(2);
}

#[test]
fn the_browser_gets_its_environment_without_ours() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = ScriptedBrowser::new(home.path(), "env");
    let mut command = login(&home, &server, &["--browser", &browser.command]);
    command
        .env("OAUTH_CLIENT_SECRET", "canary")
        .env("OAUTH_PROFILE", "work")
        .env("OAUTH_ANYTHING", "canary")
        .env("oauth_lower", "canary")
        .env("WAYLAND_TEST", "kept");
    let running = Running::start(&mut command);
    let environment = browser.output();
    consented(running, &server);
    assert!(environment.contains("WAYLAND_TEST=kept\n"), "{environment}");
    assert!(
        environment.contains(&format!("HOME={}\n", home.path().display())),
        "{environment}"
    );
    for line in environment.lines() {
        assert!(
            !line.to_ascii_uppercase().starts_with("OAUTH_") && !line.contains("canary"),
            "{line}"
        );
    }
}

#[test]
fn the_variable_is_a_list_and_the_flag_goes_before_it() {
    let server = authorization_server::start();
    let home = Home::new();
    let (absent, refusing) = ("/nonexistent/browser", script(home.path(), "refusing", "exit 3"));
    let browser = ScriptedBrowser::new(home.path(), ARGUMENTS);
    let list = format!("{absent}::{refusing}:{} -x %s", browser.command);
    let mut command = login(&home, &server, &[]);
    let running = Running::start(command.env("BROWSER", &list));
    let seen = browser.output();
    let (finished, url) = consented(running, &server);
    assert_eq!(seen, format!("<-x>\n<{url}>\n"));
    let warnings = finished.warnings();
    assert!(warnings.contains(absent) && warnings.contains("3"), "{warnings}");

    let marking = MarkingBrowser::new(home.path());
    let mut command = login(&home, &server, &["--browser", &browser.command]);
    let running = Running::start(command.env("BROWSER", &marking.command));
    browser.output();
    consented(running, &server);
    let mut command = login(&home, &server, &["--no-browser"]);
    consented(Running::start(command.env("BROWSER", &marking.command)), &server);
    assert!(!marking.was_run());
}

#[test]
fn a_browser_that_is_missing_or_fails_does_not_end_the_login() {
    let server = authorization_server::start();
    let home = Home::new();
    for (browser, shown) in [
        ("/nonexistent/browser".to_owned(), "/nonexistent/browser"),
        (script(home.path(), "failing", "exit 3"), "3"),
        (script(home.path(), "killed", "kill -9 $$"), "killed"),
    ] {
        let running = Running::start(&mut login(&home, &server, &["--browser", &browser]));
        let url = running.authorization_url();
        let warning = running.line_with("warning: the browser");
        assert!(warning.contains(shown), "{warning}");
        consent(&url, &server.origin());
        running.end().expect_code(0);
    }
}

#[test]
fn a_browser_that_hangs_keeps_nobody() {
    let (home, server) = (Home::new(), authorization_server::start());
    let pipe = ScriptedBrowser::new(home.path(), "echo $$");
    // it holds none of the streams of the login, or the test would wait for their end
    let hanging = format!(
        "{}; exec sleep 60",
        std::fs::read_to_string(home.path().join("scripted-browser"))
            .expect("the script")
            .trim_end()
    );
    let hanging = script(home.path(), "hanging", &hanging);
    let running = Running::start(&mut login(&home, &server, &["--browser", &hanging]));
    let browser: i32 = pipe.output().trim().parse().expect("a process id");
    let (finished, _) = consented(running, &server);
    assert_eq!(finished.warnings(), "");
    kill_process(Pid::from_raw(browser).expect("a process id"), Signal::KILL).expect("the browser still runs");
}

#[test]
fn a_browser_cannot_write_into_our_output_or_read_our_input() {
    let (home, server) = (Home::new(), authorization_server::start());
    let heard = ScriptedBrowser::new(home.path(), "echo \"read: $line\"");
    let noisy = format!(
        "echo noise; echo noise >&2; read line; . '{}'",
        home.path().join("scripted-browser").display()
    );
    let noisy = script(home.path(), "noisy", &noisy);
    let mut command = login(&home, &server, &["--json", "--browser", &noisy]);
    let running = Running::start_with_input(&mut command, "noise\n");
    assert_eq!(heard.output(), "read: \n");
    let (finished, _) = consented(running, &server);
    assert!(
        !finished.stdout.contains("noise") && !finished.stderr.contains("noise"),
        "{finished:?}"
    );
    assert!(serde_json::from_str::<serde_json::Value>(&finished.stdout).is_ok());
}

#[test]
fn a_callback_before_the_browser_has_returned_is_taken() {
    let (home, server) = (Home::new(), authorization_server::start());
    let [started, returns] = ["started", "returns"].map(|says| {
        let folder = home.path().join(says);
        std::fs::create_dir(&folder).expect("making a folder");
        ScriptedBrowser::new(&folder, &format!("echo {says}"))
    });
    // an opener that blocks until the test reads its second pipe, which it does at the end
    let blocking = format!("{} && exec {}", started.command, returns.command);
    let blocking = script(home.path(), "blocking", &blocking);
    let running = Running::start(&mut login(&home, &server, &["--browser", &blocking]));
    assert_eq!(started.output(), "started\n");
    consented(running, &server);
    assert_eq!(returns.output(), "returns\n");
    assert_eq!(status(&home)[0]["state"], "valid");
}

#[test]
fn whatever_the_server_says_no_shell_character_reaches_the_browser() {
    let server = LiteralServer::start();
    let path = "/authorize/$(calc)/`calc`/;calc/|calc/'calc'/\\\"calc\\\"/(calc)/<calc>?x={calc}^%25COMSPEC%25";
    let document = metadata(&server.origin()).replace("/authorize", path);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    server.on("POST", "/token", json(200, &token_answer()));
    let home = Home::new();
    let browser = ScriptedBrowser::new(home.path(), ARGUMENTS);
    let running = Running::start(&mut login(
        &home,
        &server,
        &[
            "--browser",
            &browser.command,
            "--param",
            "hint=$(id) `id` 'x' \"y\" <z>",
        ],
    ));
    let seen = browser.output();
    consented(running, &server);
    let seen = seen
        .strip_prefix('<')
        .and_then(|seen| seen.strip_suffix(">\n"))
        .expect("one argument");
    assert!(seen.starts_with(&format!("{}/authorize/", server.origin())), "{seen}");
    assert!(
        !seen.contains([
            '\'', '"', '$', '`', ';', '|', '(', ')', '<', '>', ' ', '\n', '\\', '^', '{', '}'
        ]),
        "{seen}"
    );
}

#[test]
fn an_option_like_word_from_the_server_is_no_option() {
    for endpoint in ["--app=https://x", "-P evil", "--renderer-cmd-prefix=calc"] {
        let (home, server) = (Home::new(), LiteralServer::start());
        let document = metadata(&server.origin()).replace(&format!("{}/authorize", server.origin()), endpoint);
        server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
        let browser = MarkingBrowser::new(home.path());
        let mut command: Command = login(&home, &server, &[]);
        run(command.args(["--browser", &browser.command])).expect_code(6);
        assert!(!browser.was_run(), "{endpoint}");
    }
}
