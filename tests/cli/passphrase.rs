//! The file store with a passphrase: where it comes from, that it never shows,
//! and what is said when it is the wrong one.

use super::support::authorization_server::{self, ACCESS_TOKEN, consent};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
use super::support::login::{ScriptedBrowser, assert_nothing_kept, complete, login, sessions, stored};
use super::support::outcome::{Outcome, run};
use super::support::person::{Person, assert_same};
use super::support::running::Running;
use super::support::sessions::{ending_in, refreshable};
use oauth::secret::Secret;
use oauth::store::FileKey;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const PASSPHRASE: &str = "correct horse \u{fc}";
const VARIABLE: &str = "OAUTH_STORE_PASSPHRASE";
const FILE_VARIABLE: &str = "OAUTH_STORE_PASSPHRASE_FILE";
const KEY_VARIABLE: &str = "OAUTH_STORE_KEY_FILE";

fn token(home: &Home) -> Command {
    let mut command = home.oauth();
    command.args(["token", "work"]);
    command
}

fn with_passphrase(mut command: Command) -> Command {
    command.env(VARIABLE, PASSPHRASE);
    command
}

/// A home in which `work` is logged in with the passphrase.
fn logged_in(server: &LiteralServer) -> Home {
    let home = Home::new();
    let mut command = with_passphrase(login(&home, server, &["--profile", "work"]));
    complete(&mut command, &server.origin()).expect_code(0);
    home
}

fn assert_printed(outcome: Outcome) {
    assert_eq!(
        outcome.expect_code(0).stdout,
        format!("{ACCESS_TOKEN}\n"),
        "the token of the login"
    );
}

fn has_key_file(home: &Home) -> bool {
    home.path().join(".config/oauth/store.key").exists()
}

#[test]
fn a_session_under_a_passphrase_opens_with_the_variable_and_with_the_file() {
    let server = authorization_server::start();
    let home = logged_in(&server);
    assert!(!has_key_file(&home), "no key lies beside the session");
    let [file] = &stored(&home)[..] else {
        panic!("{:?}", stored(&home))
    };
    let mode = std::fs::metadata(file).expect("its metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let content = std::fs::read(file).expect("its content");
    assert!(!String::from_utf8_lossy(&content).contains(ACCESS_TOKEN));

    assert_printed(run(&mut with_passphrase(token(&home))));
    for ending in ["", "\n", "\r\n"] {
        let path = home.path().join("passphrase");
        std::fs::write(&path, format!("{PASSPHRASE}{ending}")).expect("writing it");
        assert_printed(run(token(&home).env(FILE_VARIABLE, path)));
    }
}

#[test]
fn wrong_missing_and_of_the_wrong_kind_are_told_apart_and_change_nothing() {
    let server = authorization_server::start();
    let home = logged_in(&server);
    let key = home.path().join("named.key");
    std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").expect("writing the key");
    let kept = std::fs::read(sessions(&home).join("work")).expect("the session");

    let wrong = run(token(&home).env(VARIABLE, "wrong horse")).expect_error(8);
    assert!(wrong.error().contains("the passphrase does not open"), "{wrong:?}");
    assert!(wrong.hints().contains(VARIABLE), "{wrong:?}");
    wrong.does_not_say("wrong horse");
    let missing = run(&mut token(&home)).expect_error(8);
    assert!(
        missing
            .error()
            .contains("encrypted with a passphrase, and none was given"),
        "{missing:?}"
    );
    assert!(missing.hints().contains(VARIABLE), "{missing:?}");
    let by_key = run(token(&home).env(KEY_VARIABLE, &key)).expect_error(8);
    assert!(
        by_key.error().contains("with a passphrase, not with the key"),
        "{by_key:?}"
    );
    assert!(by_key.hints().contains(KEY_VARIABLE), "{by_key:?}");
    // a login does not write over what another passphrase opens, and asks nobody without a terminal
    for variable in [None, Some((VARIABLE, "wrong horse"))] {
        let mut command = login(&home, &server, &["--profile", "work"]);
        run(command.envs(variable)).expect_error(8);
    }
    assert_eq!(std::fs::read(sessions(&home).join("work")).expect("the session"), kept);
    assert_eq!(server.requests_to("/token").len(), 1, "that of the first login");

    let other = Home::new();
    complete(&mut login(&other, &server, &["--profile", "work"]), &server.origin()).expect_code(0);
    let by_passphrase = run(&mut with_passphrase(token(&other))).expect_error(8);
    assert!(
        by_passphrase
            .error()
            .contains("encrypted with a key file, not with a passphrase"),
        "{by_passphrase:?}"
    );
    assert!(by_passphrase.hints().contains(VARIABLE), "{by_passphrase:?}");
    // in this order, so that the tokens are revoked
    assert!(
        by_passphrase.hints().contains("key file first: oauth logout work")
            && by_passphrase.hints().ends_with("with the passphrase: oauth login work"),
        "{by_passphrase:?}"
    );
}

#[test]
fn two_keys_are_one_too_many_and_an_unusable_passphrase_is_named() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"desktop\"\n");
    for (one, other) in [
        (KEY_VARIABLE, VARIABLE),
        (KEY_VARIABLE, FILE_VARIABLE),
        (VARIABLE, FILE_VARIABLE),
    ] {
        let outcome = run(token(&home).env(one, "/nonexistent/a").env(other, "/nonexistent/b")).expect_error(2);
        assert!(
            outcome.error().contains(one) && outcome.error().contains(other),
            "{outcome:?}"
        );
        // with another store none of them is looked at
        run(token(&home)
            .args(["--store", "none"])
            .env(one, "/nonexistent/a")
            .env(other, "/nonexistent/b"))
        .expect_error(4);
    }
    let empty = home.path().join("empty");
    std::fs::write(&empty, "\n").expect("writing it");
    for path in [empty.as_path(), std::path::Path::new("/nonexistent/passphrase")] {
        run(token(&home).env(FILE_VARIABLE, path))
            .expect_error(2)
            .says(&[FILE_VARIABLE]);
    }
    // set to nothing is not set
    run(token(&home).env(VARIABLE, "").env(KEY_VARIABLE, "/nonexistent/key"))
        .expect_error(8)
        .says(&["/nonexistent/key"]);
}

#[test]
fn a_hostile_header_costs_neither_memory_nor_time() {
    let server = authorization_server::start();
    let home = logged_in(&server);
    let file = sessions(&home).join("work");
    let content = std::fs::read(&file).expect("the session");
    // behind magic, format and kind: memory in KiB, passes, lanes
    for (at, value) in [(16, 10 << 20), (20, u32::MAX), (24, u32::MAX)] {
        let mut hostile = content.clone();
        hostile[at..at + 4].copy_from_slice(&u32::to_be_bytes(value));
        std::fs::write(&file, hostile).expect("writing it");
        let began = std::time::Instant::now();
        let outcome = run(&mut with_passphrase(token(&home))).expect_error(8);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
        assert!(outcome.error().contains("to make its key"), "{outcome:?}");
    }
}

#[test]
fn a_refresh_with_the_wrong_passphrase_sends_nothing_and_with_the_right_one_keeps_it() {
    let server = LiteralServer::start();
    let answer =
        r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;
    server.on("POST", "/token", json(200, answer));
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\n",
        server.origin()
    ));
    let key = FileKey::Passphrase(Secret::from(PASSPHRASE));
    home.keep_with(key, "work", &ending_in(-10, refreshable(&server.origin())));
    run(token(&home).env(VARIABLE, "wrong")).expect_error(8);
    assert_eq!(server.connections(), 0);
    let outcome = run(&mut with_passphrase(token(&home))).expect_code(0);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("new-access\n", ""));
    let outcome = run(&mut with_passphrase(token(&home))).expect_code(0);
    assert_eq!(outcome.stdout, "new-access\n");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn no_child_and_no_output_shows_the_passphrase() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = ScriptedBrowser::new(home.path(), "env");
    let command = login(&home, &server, &["-vvv", "--browser", &browser.command]);
    let running = Running::start(&mut with_passphrase(command));
    let environment = browser.output();
    assert!(environment.contains("HOME="), "{environment}");
    assert!(!environment.contains("OAUTH_"), "{environment}");
    assert!(!environment.contains(PASSPHRASE), "{environment}");
    consent(&running.authorization_url(), &server.origin());
    let outcome = running.end().expect_code(0);
    outcome.does_not_say(PASSPHRASE);
    // without the browser's pipe, which nobody writes to any more
    for file in home.files().into_iter().filter(|file| file.is_file()) {
        let content = std::fs::read(&file).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&content).contains(PASSPHRASE), "{file:?}");
    }
}

/// A login at a terminal, of which this is the person.
fn at_terminal(person: &Person, home: &Home, server: &LiteralServer, profile: &str) -> Running {
    // whatever else is quiet: somebody has to answer the question
    let mut command = login(home, server, &["--profile", profile, "-q"]);
    Running::start_with(&mut command, person.terminal())
}

fn answers(person: &Person, running: &Running, question: &str, passphrase: &str) {
    running.line_with(question);
    person.wait_for_single_bytes();
    person.types(format!("{passphrase}\r").as_bytes()).ends();
}

#[test]
fn at_a_terminal_a_login_asks_once_to_open_and_twice_for_a_new_file_and_shows_nothing() {
    let server = authorization_server::start();
    let home = logged_in(&server);
    let mut person = Person::new();
    let before = person.modes();

    let again = at_terminal(&person, &home, &server, "work");
    answers(&person, &again, "the passphrase of the stored session", PASSPHRASE);
    consent(&again.authorization_url(), &server.origin());
    again.end().expect_code(0);

    let new = at_terminal(&person, &home, &server, "home");
    answers(&person, &new, "a passphrase for the stored session", PASSPHRASE);
    answers(&person, &new, "the same again", "something else");
    answers(&person, &new, "Passphrases do not match", PASSPHRASE);
    new.wait_until("the second question", |text| {
        (text.matches("the same again").count() == 2).then_some(())
    });
    person.types(format!("{PASSPHRASE}\r").as_bytes()).ends();
    consent(&new.authorization_url(), &server.origin());
    new.end().expect_code(0);

    assert_same(&before, &person.modes());
    let screen = String::from_utf8_lossy(&person.screen()).into_owned();
    assert!(!screen.contains("horse") && !screen.contains("something"), "{screen}");
    for profile in ["work", "home"] {
        let mut command = home.oauth();
        command.args(["token", profile]);
        assert_printed(run(&mut with_passphrase(command)));
    }
    assert!(!has_key_file(&home));
}

#[test]
fn at_a_terminal_ctrl_c_ctrl_d_and_the_wrong_passphrase_end_the_login_before_the_browser() {
    let server = authorization_server::start();
    let home = logged_in(&server);
    let (person, requests) = (Person::new(), server.requests().len());
    let before = person.modes();
    let question = "the passphrase of the stored session";

    let wrong = at_terminal(&person, &home, &server, "work");
    answers(&person, &wrong, question, "wrong horse");
    wrong.end().expect_error(8).says(&["the passphrase does not open"]);
    let nothing = at_terminal(&person, &home, &server, "work");
    nothing.line_with(question);
    person.wait_for_single_bytes();
    person.types(b"\x04").ends();
    nothing.end().expect_error(2).says(&["the passphrase: that is empty"]);
    let interrupted = at_terminal(&person, &home, &server, "work");
    interrupted.line_with(question);
    interrupted.signal(rustix::process::Signal::INT);
    interrupted.end().expect_error(130);

    assert_same(&before, &person.modes());
    assert_eq!(server.requests().len(), requests);
}

#[test]
fn nobody_but_a_login_asks() {
    let server = authorization_server::start();
    let home = logged_in(&server);
    let person = Person::new();
    for arguments in [&["token", "work"][..], &["status", "work"], &["logout", "work"]] {
        let mut command = home.oauth();
        let running = Running::start_with(command.args(arguments), person.terminal());
        running.end().expect_error(8).says(&["none was given"]);
    }
    let nowhere = Home::new();
    run(login(&nowhere, &server, &[]).env(KEY_VARIABLE, "/nonexistent/key")).expect_error(8);
    assert_nothing_kept(&nowhere);
}
