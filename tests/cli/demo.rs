//! `oauth demo`: the whole flow on a bare machine, with somebody at a browser
//! and with nobody, and nothing left behind.

use super::support::authorization_server::FakeBrowser;
use super::support::binary::Home;
use super::support::callback;
use super::support::outcome::{Outcome, finish, run};
use super::support::plain_browser::PlainBrowser;
use serde_json::Value;
use std::process::{Command, Stdio};

fn demo(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    // the store of a user who chose none; there is no keyring to be found
    command
        .env_remove("OAUTH_STORE")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .arg("demo")
        .args(arguments);
    command
}

/// The resource server's answer: one line of JSON, and nothing else.
#[track_caller]
fn assert_hello(outcome: &Outcome) {
    let answer = outcome.json();
    assert!(answer.is_object(), "{outcome:#?}");
    assert_eq!(answer["subject"], "demo", "{outcome:#?}");
    assert!(
        answer["message"]
            .as_str()
            .is_some_and(|message| message.contains("demo"))
    );
}

/// The numbers of the steps, as they stand at the beginning of lines.
fn steps(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.stderr.lines();
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(number, _)| number)
        .filter(|number| number.ends_with("/7") && number.len() == 3)
        .collect()
}

#[track_caller]
fn assert_nothing_left(home: &Home) {
    let left: Vec<_> = std::fs::read_dir(home.path()).expect("the home").collect();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn unattended_it_walks_all_seven_steps_and_leaves_nothing_behind() {
    for (arguments, variables) in [
        (&["--unattended"][..], &[][..]),
        (&[], &[("CI", "true"), ("DISPLAY", ":99")]),
        (
            &[],
            &[("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"), ("DISPLAY", ":99")],
        ),
        // no display, no terminal
        (&[], &[]),
        (&["--unattended"], &[("OAUTH_STORE", "file")]),
        (&["--unattended"], &[("OAUTH_STORE", "none")]),
    ] {
        let home = Home::new();
        let mark = home.path().join("browser-was-here");
        let mut command = demo(&home, arguments);
        command.envs(variables.iter().copied());
        if variables
            .iter()
            .any(|(name, _)| *name == "CI" || *name == "SSH_CONNECTION")
        {
            command.env("BROWSER", format!("touch {}", mark.display()));
        }
        let outcome = run(&mut command).expect_code(0);
        assert_hello(&outcome);
        assert_eq!(
            steps(&outcome),
            ["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"],
            "{outcome:#?}"
        );
        for sent in [
            "code_challenge",
            "state",
            "redirect_uri",
            "code_verifier",
            "access_token",
            "refresh_token",
        ] {
            assert!(outcome.stderr.contains(sent), "{sent} is not told: {outcome:#?}");
        }
        for what in ["/api/hello", "refresh", "revoked"] {
            assert!(outcome.stderr.contains(what), "{what} is not told: {outcome:#?}");
        }
        assert_nothing_left(&home);
    }
}

#[test]
fn the_users_configuration_is_not_touched_and_not_needed() {
    for text in [
        "default_profile = \"work\"\n[profile.work]\nclient_id = \"x\"\n",
        "[broken",
    ] {
        let home = Home::new();
        home.configure(text);
        assert_hello(&run(&mut demo(&home, &["--unattended"])).expect_code(0));
        assert_eq!(home.configuration(), text);
        assert_eq!(home.files(), [home.config_file()]);
    }
}

#[test]
fn quiet_it_tells_nothing_but_its_result() {
    let home = Home::new();
    let outcome = run(&mut demo(&home, &["--unattended", "--quiet"])).expect_code(0);
    assert_hello(&outcome);
    assert_eq!(steps(&outcome), Vec::<&str>::new());
    // the URL is printed even so, as a person must act on it, alone on its line
    for line in outcome.stderr.lines() {
        assert!(line.starts_with("http://127.0.0.1:"), "{outcome:#?}");
    }
    assert_nothing_left(&home);
}

#[test]
fn with_json_every_line_of_stderr_is_an_object() {
    for arguments in [&["--unattended", "--json"][..], &["--unattended", "--json", "-vvv"]] {
        let home = Home::new();
        let outcome = run(&mut demo(&home, arguments)).expect_code(0);
        assert_hello(&outcome);
        let lines = outcome.json_lines();
        assert!(
            lines.iter().any(|line| line["authorization_url"].is_string()),
            "{outcome:#?}"
        );
        let numbers: Vec<&Value> = lines
            .iter()
            .filter(|line| line["event"] == "step")
            .map(|line| &line["number"])
            .collect();
        if arguments.contains(&"-vvv") {
            assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
        }
        assert_nothing_left(&home);
    }
}

#[test]
fn with_a_browser_a_person_signs_in() {
    for arguments in [&[][..], &["--quiet"]] {
        let home = Home::new();
        let folder = tempfile::tempdir().expect("a folder");
        let browser = FakeBrowser::new(folder.path());
        let child = demo(&home, arguments)
            // said aloud, it counts more than CI
            .env("CI", "true")
            .args(["--browser", &browser.command()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting the demo");
        let url = browser.wait_for_url();
        let mut person = PlainBrowser::new();
        let sign_in = person.go_to(&url).page();
        let account = [("username", "demo"), ("password", "demo"), ("decision", "sign-in")];
        let consent = person.submit(&sign_in, &account).page();
        let back = person.submit(&consent, &[("decision", "allow")]).elsewhere();
        let page = callback::get_url(back.as_str()).expect("the last page");
        assert_eq!(page.status, 200, "{}", page.body_text());
        let outcome = finish(child).expect_code(0);
        assert_hello(&outcome);
        let stands_alone = outcome.stderr.lines().any(|line| line == url);
        // --quiet prints it only where the browser does not come back for 5 s
        assert_eq!(stands_alone, arguments.is_empty(), "{outcome:#?}");
        if arguments.is_empty() {
            assert_eq!(steps(&outcome).len(), 7);
            // who is to sign in
            assert!(outcome.stderr.contains("\"demo\""), "{outcome:#?}");
        }
        assert_nothing_left(&home);
    }
}

#[test]
fn a_browser_that_never_comes_back_ends_it_and_nothing_is_left() {
    let home = Home::new();
    let mut command = demo(&home, &["--browser", "true", "--timeout", "300ms"]);
    let outcome = run(&mut command).expect_error(7);
    let listener = outcome.stderr.lines().find(|line| line.starts_with("http://"));
    let url = url::Url::parse(listener.expect("the URL")).expect("a URL");
    assert!(
        callback::get(&callback::authority(&url), "/", &[]).is_err(),
        "the server is gone with the demo"
    );
    assert_nothing_left(&home);
    run(&mut demo(&home, &["--unattended", "--browser", "true"])).expect_error(2);
}

#[test]
fn a_signal_ends_it_and_nothing_is_left() {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let browser = FakeBrowser::new(folder.path());
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let child = demo(&home, &["--browser", &browser.command()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting the demo");
        browser.wait_for_url();
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(child.id().to_string())
            .status();
        assert!(sent.expect("kill").success());
        let outcome = finish(child);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(code), ""),
            "{outcome:#?}"
        );
        assert_nothing_left(&home);
    }
}
