//! `--deadline` and `OAUTH_DEADLINE`: the whole command ends by then, whatever
//! waits inside. No test measures the time: each wait would be longer than the
//! test may take.

use super::credential_helper::Helped;
use super::support::authorization_server;
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, json};
use super::support::login::{complete, login};
use super::support::outcome::run;
use super::support::running::Running;
use super::support::sessions::{ending_in, refreshable, session};
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

const TIME: [&str; 2] = ["--deadline", "300ms"];

fn token(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.args(["token", "work"]).args(arguments);
    command
}

#[test]
fn a_server_that_does_not_answer_is_unreachable() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let silent = |home: &Home| home.keep("work", &ending_in(-9, refreshable(&server.origin())));
    server.on("POST", "/token", Reply::silence());
    silent(&home);
    run(&mut token(&home, &TIME)).expect_error(3);
    silent(&home);
    run(token(&home, &[]).env("OAUTH_DEADLINE", "300ms")).expect_error(3);
    // the flag goes before the variable
    silent(&home);
    run(token(&home, &TIME).env("OAUTH_DEADLINE", "1h")).expect_error(3);
}

#[test]
fn an_old_token_that_is_still_valid_is_printed_with_a_warning() {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("POST", "/token", Reply::silence());
    home.keep("work", &ending_in(40, refreshable(&server.origin())));
    let outcome = run(&mut token(&home, &TIME)).expect_code(0);
    assert!(
        !outcome.stdout.is_empty() && !outcome.warnings().is_empty(),
        "{outcome:?}"
    );
}

#[test]
fn a_discovery_that_does_not_end_is_unreachable() {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("GET", "/.well-known/oauth-authorization-server", Reply::silence());
    server.on("GET", "/.well-known/openid-configuration", Reply::silence());
    run(login(&home, &server, &["--no-browser"]).args(TIME)).expect_error(3);
    run(home.oauth().args(["discover", &server.origin()]).args(TIME)).expect_code(3);
}

#[test]
fn a_person_who_does_not_come_ends_the_login_with_7() {
    let (home, server) = (Home::new(), authorization_server::start());
    run(login(&home, &server, &["--no-browser"]).args(TIME)).expect_code(7);
    // in time, it changes nothing
    let mut command = login(&home, &server, &["--no-browser", "--deadline", "1h"]);
    complete(&mut command, &server.origin()).expect_code(0);
}

#[test]
fn a_lock_that_another_process_holds_ends_with_7() {
    let (home, server) = (Home::new(), authorization_server::start());
    let first = Running::start(&mut login(&home, &server, &["--no-browser", "-p", "work"]));
    first.authorization_url();
    let mut second = login(&home, &server, &["--no-browser", "-p", "work"]);
    run(second.args(TIME)).expect_code(7);
}

#[test]
fn a_pipe_that_nothing_comes_through_ends_with_7() {
    let home = Home::new();
    let running = Running::start_with_open_input(home.oauth().args(["decode", "-"]).args(TIME));
    running.line_with("deadline");
    let outcome = running.end().expect_code(7);
    assert!(outcome.error().contains("deadline of 300 ms"), "{outcome:?}");
    assert!(outcome.hints().contains("--deadline"), "{outcome:?}");
}

/// The store takes its time with the new session: the deadline passes
/// meanwhile, and so does the time by which the process would be ended.
#[test]
fn an_answer_that_came_is_written_even_after_the_deadline() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    helped.login(&server, &[]).expect_code(0);
    let pipe = helped.home.path().join("gate");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    helped.behave(&format!(
        "case \"$1 $input\" in store*next-refresh*) read -r _ <'{}' ;; esac",
        pipe.display()
    ));
    let answer = r#"{"access_token":"new","token_type":"Bearer","expires_in":3600,"refresh_token":"next-refresh"}"#;
    server.on("POST", "/token", json(200, answer));
    let began = Instant::now();
    let running = Running::start(&mut helped.oauth(&["token", "work", "--force-refresh", "--deadline", "300ms"]));
    // opening a pipe for writing waits for its reader: the answer has come, and is being stored
    let mut gate = std::fs::OpenOptions::new().write(true).open(&pipe).expect("the pipe");
    std::thread::sleep(Duration::from_millis(950).saturating_sub(began.elapsed()));
    gate.write_all(b"go\n").expect("the helper reads");
    let outcome = running.end().expect_code(0);
    assert_eq!(outcome.stdout, "new\n");
    assert!(helped.read("input.store").contains("next-refresh"));
}

#[test]
fn the_demo_ends_by_its_deadline_whatever_it_waits_for() {
    let outcome = run(Home::new().oauth().args(["demo", "--unattended", "--deadline", "1ms"])).expect_error(3);
    assert!(
        outcome.stderr.contains("deadline") || outcome.stderr.contains("time"),
        "{outcome:?}"
    );
}

#[test]
fn it_is_a_duration_and_not_inherited() {
    let home = Home::new();
    home.keep("work", &session("https://id.example.com"));
    run(&mut token(&home, &["--deadline", "5"])).expect_error(2);
    run(token(&home, &[]).env("OAUTH_DEADLINE", "5"))
        .expect_error(2)
        .says(&["OAUTH_DEADLINE"]);
    run(&mut token(&home, &["--deadline", "30d"])).expect_code(0);
}
