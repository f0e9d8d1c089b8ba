//! Several logins of one profile at a time: one browser tab, the others are
//! told who is logging in and where, and get its result.

use super::support::authorization_server::{self, ACCESS_TOKEN, callback_url_with, consent, token_answer};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, html, json};
use super::support::login::{ScriptedBrowser, login, parameter, script, status};
use super::support::outcome::{Outcome, finish, run};
use super::support::running::Running;
use super::support::sessions::{ending_in, refreshable};
use super::support::terminal::Terminal;
use rustix::process::Signal;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A browser that hands its URL over and writes down that it was opened.
fn counting_browser(home: &Home) -> (ScriptedBrowser, impl Fn() -> usize) {
    let opened = home.path().join("opened");
    let browser = ScriptedBrowser::new(
        home.path(),
        &format!("echo opened >> '{}'; echo \"$1\"", opened.display()),
    );
    let count = move || std::fs::read_to_string(&opened).map_or(0, |text| text.lines().count());
    (browser, count)
}

fn waits_for(second: &Running, first: &Running, server: &LiteralServer) {
    let told = second.line_with("waiting for process");
    let expected = format!(
        "waiting for process {}, which is logging in at {}",
        first.id(),
        server.origin()
    );
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn the_second_login_of_a_profile_waits_and_gets_the_session_of_the_first() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (browser, opened) = counting_browser(&home);
    let command = || login(&home, &server, &["--profile", "work", "--browser", &browser.command]);
    let first = Running::start(&mut command());
    let url = browser.output();
    let second = Running::start(&mut command());
    waits_for(&second, &first, &server);
    consent(url.trim_end(), &server.origin());
    first.end().expect_code(0);
    let second = second
        .end()
        .expect_code(0)
        .says(&["its session is used", "stored as profile \"work\""]);
    second.does_not_say("/authorize");
    assert_eq!(opened(), 1);
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn what_would_bring_another_session_takes_its_own_turn_afterwards() {
    let (home, server) = (Home::new(), authorization_server::start());
    let first = Running::start(&mut login(&home, &server, &["--profile", "work", "--no-browser"]));
    let url = first.authorization_url();
    let other = ["--profile", "work", "--no-browser", "--scope", "email"];
    let second = Running::start(&mut login(&home, &server, &other));
    waits_for(&second, &first, &server);
    consent(&url, &server.origin());
    first.end().expect_code(0);
    consent(&second.authorization_url(), &server.origin());
    second.end().expect_code(0);
    assert_eq!(status(&home)[0]["scope"], "email");
}

#[test]
fn a_login_that_is_given_up_or_killed_hands_its_turn_on() {
    for signal in [Signal::INT, Signal::KILL] {
        let (home, server) = (Home::new(), authorization_server::start());
        let arguments = ["--profile", "work", "--no-browser"];
        let first = Running::start(&mut login(&home, &server, &arguments));
        first.authorization_url();
        let second = Running::start(&mut login(&home, &server, &arguments));
        waits_for(&second, &first, &server);
        first.signal(signal);
        second.line_with("the other login was cancelled or failed; starting a new one");
        consent(&second.authorization_url(), &server.origin());
        second.end().expect_code(0);
    }
}

#[test]
fn who_waits_longer_than_its_timeout_ends_with_7_and_names_the_other() {
    let (home, server) = (Home::new(), authorization_server::start());
    let arguments = ["--profile", "work", "--no-browser"];
    let first = Running::start(&mut login(&home, &server, &arguments));
    first.authorization_url();
    let more = ["--profile", "work", "--no-browser", "--timeout", "200ms"];
    let second = run(&mut login(&home, &server, &more)).expect_error(7);
    assert!(
        second.error().contains(&format!("process {}", first.id())),
        "{second:?}"
    );
}

#[test]
fn two_profiles_log_in_at_the_same_time() {
    let (home, server) = (Home::new(), authorization_server::start());
    let one = Running::start(&mut login(&home, &server, &["--profile", "one", "--no-browser"]));
    let two = Running::start(&mut login(&home, &server, &["--profile", "one.login", "--no-browser"]));
    for login in [one, two] {
        consent(&login.authorization_url(), &server.origin());
        login.end().expect_code(0);
    }
}

/// `oauth token work --login` with a terminal on stdin, as in `$(oauth token --login)`.
fn token_with_login(home: &Home, terminal: &Terminal) -> Child {
    let mut command: Command = home.oauth();
    command
        .args(["token", "work", "--login"])
        .stdin(terminal.stream())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("starting the program")
}

fn saved_profile(home: &Home, server: &LiteralServer, browser: &str) {
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\nbrowser = \"{browser}\"\n",
        server.origin()
    ));
}

fn locks(home: &Home) -> std::path::PathBuf {
    home.path().join(".local/share/oauth/locks")
}

/// How many processes have the lock file of a login open, which they have while they wait.
fn at_the_lock(lock: &Path, among: &[Child]) -> usize {
    let has_it_open = |child: &&Child| {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{}/fd", child.id())) else {
            return false;
        };
        let mut targets = descriptors.flatten().flat_map(|entry| std::fs::read_link(entry.path()));
        targets.any(|target| target == lock)
    };
    among.iter().filter(has_it_open).count()
}

#[test]
fn fifty_tokens_with_login_open_one_tab_and_all_print_its_token() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (browser, opened) = counting_browser(&home);
    saved_profile(&home, &server, &browser.command);
    let terminal = Terminal::open();
    let processes: Vec<Child> = (0..50).map(|_| token_with_login(&home, &terminal)).collect();
    let url = browser.output();
    // all of them are waiting, not only those that were quick
    let lock = locks(&home).join(".work.login.lock");
    while at_the_lock(&lock, &processes) < processes.len() {
        std::thread::yield_now();
    }
    consent(url.trim_end(), &server.origin());
    let outcomes: Vec<Outcome> = processes.into_iter().map(finish).collect();
    for outcome in &outcomes {
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(0), format!("{ACCESS_TOKEN}\n").as_str()),
            "{outcome:?}"
        );
    }
    let waited = outcomes
        .iter()
        .filter(|outcome| outcome.stderr.contains("its session is used"));
    assert_eq!(waited.count(), outcomes.len() - 1);
    assert_eq!(opened(), 1);
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn tokens_that_waited_for_a_login_that_failed_end_with_4_and_open_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (browser, opened) = counting_browser(&home);
    saved_profile(&home, &server, &browser.command);
    let terminal = Terminal::open();
    let first = token_with_login(&home, &terminal);
    let url = browser.output();
    let others: Vec<Child> = (0..3).map(|_| token_with_login(&home, &terminal)).collect();
    let lock = locks(&home).join(".work.login.lock");
    while at_the_lock(&lock, &others) < others.len() {
        std::thread::yield_now();
    }
    let state = parameter(&url, "state");
    let refusal = [("error", "access_denied"), ("state", &state), ("iss", &server.origin())];
    super::support::callback::get_url(&callback_url_with(url.trim_end(), &refusal)).expect("an answer of the listener");
    finish(first).expect_error(5);
    for other in others {
        let other = finish(other).expect_error(4);
        assert!(other.error().contains("the login of another process"), "{other:?}");
    }
    assert_eq!(opened(), 1);
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = script(home.path(), "browser", "echo opened > \"$0.opened\"");
    saved_profile(&home, &server, &browser);
    let outcome = run(home.oauth().args(["token", "work", "--login"])).expect_error(4);
    assert!(outcome.hints().contains("oauth login work"), "{outcome:?}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn token_with_login_logs_in_after_every_refusal_of_a_refresh() {
    for (status, body) in [
        (400, r#"{"error":"invalid_grant"}"#),
        (400, r#"{"error":"invalid_request"}"#),
        (400, r#"{"error":"interaction_required"}"#),
        (400, r#"{"error":"something_of_its_own"}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (
            403,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
        ),
        (403, r#"{"message":"no such session"}"#),
        (404, "{}"),
        (422, r#"{"detail":"gone"}"#),
        (200, r#"{"error":"bad_refresh_token"}"#),
    ] {
        let (home, server) = (Home::new(), authorization_server::start());
        server.on_each("POST", "/token", vec![json(status, body), json(200, &token_answer())]);
        let (browser, opened) = counting_browser(&home);
        saved_profile(&home, &server, &browser.command);
        home.keep("work", &ending_in(-9, refreshable(&server.origin())));
        let terminal = Terminal::open();
        let process = token_with_login(&home, &terminal);
        consent(browser.output().trim_end(), &server.origin());
        let outcome = finish(process).expect_code(0);
        assert_eq!(outcome.stdout, format!("{ACCESS_TOKEN}\n"), "{status} {body}");
        assert_eq!(opened(), 1, "{status} {body}");
    }
}

#[test]
fn token_with_login_asks_nobody_where_the_server_may_work_again_soon() {
    for (status, body) in [(503, "{}"), (429, "{}"), (408, "{}"), (403, "<html>blocked</html>")] {
        let (home, server) = (Home::new(), authorization_server::start());
        let reply = match body.starts_with('<') {
            true => html(status, body),
            false => json(status, body),
        };
        server.on("POST", "/token", reply);
        let (browser, opened) = counting_browser(&home);
        saved_profile(&home, &server, &browser.command);
        home.keep("work", &ending_in(-9, refreshable(&server.origin())));
        let terminal = Terminal::open();
        finish(token_with_login(&home, &terminal)).expect_error(3);
        assert_eq!(opened(), 0, "{status} {body}");
    }
}
