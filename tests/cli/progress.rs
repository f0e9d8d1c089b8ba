//! What a terminal shows of work that takes long: a line that is redrawn and
//! that is gone at the end, and nothing of it where no terminal is there.

use super::support::authorization_server::{self, FakeBrowser};
use super::support::binary::Home;
use super::support::callback::get_url;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, PATIENCE, html, json};
use super::support::login::login;
use super::support::outcome::run;
use super::support::plain_browser::PlainBrowser;
use super::support::sessions::session;
use super::support::terminal::Terminal;
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use unicode_width::UnicodeWidthStr;

const ISSUER: &str = "https://id.example.com";

const COLUMNS: u16 = 100;

/// `oauth` at a terminal that can redraw a line.
fn at_terminal(home: &Home) -> Command {
    let mut command = home.oauth();
    command.env("TERM", "xterm");
    command
}

fn interrupt(child: &mut Child) -> Option<i32> {
    let process = Pid::from_child(child);
    kill_process(process, Signal::INT).expect("a signal");
    child.wait().expect("its end").code()
}

/// The rows of a screen that has shown this, without those that are empty.
fn rows(shown: &str) -> Vec<String> {
    let size = |number| NonZeroU16::new(number).expect("a size");
    let mut emulator = vt100::Parser::new(size(60), size(COLUMNS), 0);
    emulator.process(shown.as_bytes());
    let rows = emulator.screen().rows(0, COLUMNS);
    rows.filter(|row| !row.trim().is_empty()).collect()
}

fn profiles(names: &[&str]) -> String {
    let profile = |name: &&str| format!("[profile.{name}]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n");
    names.iter().map(profile).collect()
}

#[test]
fn a_watched_status_is_drawn_again_in_the_same_place_when_something_has_changed() {
    let home = Home::new();
    home.configure(&profiles(&["first"]));
    home.keep("first", &session(ISSUER));
    let terminal = Terminal::with_columns(COLUMNS);
    let mut child = terminal.start(at_terminal(&home).args(["status", "--watch"]));
    let mut shown = terminal.screen_until("first");
    home.configure(&profiles(&["first", "second"]));
    shown += &terminal.screen_until("second");
    assert_eq!(interrupt(&mut child), Some(130));
    shown += &terminal.last_screen();
    // cleared, and not a second table below the first
    let rows = rows(&shown);
    for name in ["first", "second"] {
        let count = rows
            .iter()
            .filter(|row| row.split(' ').any(|word| word == name))
            .count();
        assert_eq!(count, 1, "{rows:#?}");
    }
}

#[test]
fn a_watched_status_is_a_line_for_each_change_where_no_terminal_is() {
    let home = Home::new();
    home.configure(&profiles(&["first"]));
    let mut command = home.oauth();
    command
        .args(["status", "--watch", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("starting the program");
    let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
    let mut next_names = || {
        let line = lines.next().expect("a line").expect("text");
        let list: serde_json::Value = serde_json::from_str(&line).expect("JSON alone on its line");
        let names = list.as_array().expect("a list").iter();
        names.map(|profile| profile["profile"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(next_names(), ["\"first\""]);
    home.configure(&profiles(&["first", "second"]));
    assert_eq!(next_names(), ["\"first\"", "\"second\""]);
    assert_eq!(interrupt(&mut child), Some(130));
}

/// How many authorization requests are answered at once.
const ANSWERED: usize = 5;

/// A server that asks somebody to sign in, and that answers all but the first
/// authorization requests only when it is released.
fn held_server() -> (LiteralServer, Sender<()>) {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","response_types_supported":["code"],"code_challenge_methods_supported":["S256"]}}"#
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    let (release, released) = channel::<()>();
    let mut count = 0;
    server.on_call("GET", "/authorize", move |_| {
        count += 1;
        if count > ANSWERED {
            let _ = released.recv_timeout(PATIENCE);
        }
        html(200, "<html><form><input type=password></form></html>")
    });
    (server, release)
}

#[test]
fn check_shows_which_rule_of_how_many_is_tried_and_how_many_logins_are_left() {
    let (home, (server, release)) = (Home::new(), held_server());
    let terminal = Terminal::with_columns(COLUMNS);
    let mut command = at_terminal(&home);
    command.args(["check", &server.origin(), "--client-id", "c", "--no-browser"]);
    let mut child = terminal.start(&mut command);
    let mut shown = terminal.screen_until("more logins");
    let drawn = rows(&shown);
    let line = Regex::new(r"^\S (\d+)/(\d+) [a-z-]+\.[a-z0-9-]+: .* up to (\d+) more logins$").expect("a pattern");
    let last = drawn.last().expect("a row").trim_end();
    let numbers = line.captures(last).unwrap_or_else(|| panic!("{drawn:#?}"));
    let number = |place: usize| numbers[place].parse::<usize>().expect("a number");
    assert!(number(1) > 1 && number(1) < number(2) && number(3) > 1, "{last}");
    assert_eq!(last.width(), usize::from(COLUMNS), "{last}");
    assert_eq!(interrupt(&mut child), Some(130));
    drop(release);
    shown += &terminal.last_screen();
    let end = rows(&shown);
    assert!(!end.iter().any(|row| row.contains("more logins")), "{end:#?}");
}

#[test]
fn check_shows_no_progress_where_no_terminal_is() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    let mut command = home.oauth();
    command.args([
        "check",
        &server.issuer(),
        "--client-id",
        "oauth-cli",
        "--for",
        "oauth2.1",
    ]);
    let outcome = run(&mut command).expect_code(0);
    for line in outcome.stderr.lines() {
        assert!(line.starts_with("note: ") || line.starts_with("warning: "), "{line}");
    }
    assert!(!outcome.stderr.contains(['\r', '\u{1b}', '⠋']), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
}

#[test]
fn the_time_that_is_left_is_at_the_right_of_the_line_that_waits() {
    let (home, server) = (Home::new(), authorization_server::start());
    let terminal = Terminal::with_columns(COLUMNS);
    let mut child = terminal.start(login(&home, &server, &["--timeout", "10m", "--no-browser"]).env("TERM", "xterm"));
    let mut shown = terminal.screen_until("Waiting for the browser");
    shown += &terminal.screen_until(":");
    let drawn = rows(&shown);
    let last = drawn.last().expect("a row").trim_end();
    let line = Regex::new(r"^\S Waiting for the browser +(10:00|9:5\d)$").expect("a pattern");
    assert!(line.is_match(last), "{drawn:#?}");
    assert_eq!(last.width(), usize::from(COLUMNS), "{last}");
    assert_eq!(interrupt(&mut child), Some(130));
    shown += &terminal.last_screen();
    assert!(!rows(&shown).iter().any(|row| row.contains("Waiting for")), "{shown}");
}

#[test]
fn a_login_is_a_line_for_the_browser_and_a_tick_with_what_it_brought_below() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    let browser = FakeBrowser::new(home.path());
    let terminal = Terminal::with_columns(COLUMNS);
    let mut command = at_terminal(&home);
    command.args(server.login_arguments());
    let mut child = terminal.start(command.args(["--browser", &browser.command()]));
    let url = browser.wait_for_url();
    // the browser's start is reported by a thread
    let mut shown = terminal.screen_until(" in your browser");
    let back = PlainBrowser::new().go_to(&url).elsewhere();
    let _ = get_url(back.as_str());
    assert!(child.wait().expect("its end").success());
    shown += &terminal.last_screen();
    let drawn = rows(&shown);
    let opening = drawn.iter().position(|row| row.starts_with("Opening http"));
    let lines = &drawn[opening.unwrap_or_else(|| panic!("{drawn:#?}"))..];
    assert!(lines[0].trim_end().ends_with(" in your browser"), "{drawn:#?}");
    // the line that waited is gone
    let signed_in = format!("✓ Signed in as demo at {}", server.issuer());
    assert_eq!(lines[1].trim_end(), signed_in, "{drawn:#?}");
    assert!(lines[2..].iter().all(|row| row.starts_with("  ")), "{drawn:#?}");
}
