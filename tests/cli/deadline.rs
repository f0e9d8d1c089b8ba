//! `--deadline` and `OAUTH_DEADLINE`: the whole command ends by then, whatever
//! waits inside. No test measures the time: each wait would be longer than the
//! test may take.

use super::credential_helper::Helped;
use super::support::authorization_server::{self, ACCESS_TOKEN};
use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::literal_server::{LiteralServer, Reply, json};
use super::support::login::{complete, login};
use super::support::outcome::{finish, run};
use super::support::running::Running;
use super::support::sessions::{ending_in, refreshable, resource, session};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
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
    let outcome = run(&mut token(&home, &TIME)).expect_error(3);
    // not a time that it was never given, and not the option that it did not end by
    let outcome = outcome.says(&["before the deadline of this command", "a longer `--deadline`"]);
    outcome.does_not_say("--http-timeout");
    silent(&home);
    run(token(&home, &[]).env("OAUTH_DEADLINE", "300ms")).expect_error(3);
    // the flag goes before the variable
    silent(&home);
    run(token(&home, &TIME).env("OAUTH_DEADLINE", "1h")).expect_error(3);
}

/// A body is read piece by piece, after its head.
#[test]
fn an_answer_that_does_not_go_on_ends_by_the_deadline_too() {
    let (home, server) = (Home::new(), LiteralServer::start());
    home.configure(&format!(
        "[profile.work]\nissuer = \"{0}\"\nallow_host = [\"{1}\"]\n",
        server.origin(),
        server.origin().trim_start_matches("http://")
    ));
    home.keep("work", &ending_in(600, refreshable(&server.origin())));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst";
    server.on("GET", "/api", Reply::bytes(head).then_silence());
    let outcome = run(home.oauth().args(["request", &server.url("/api")]).args(TIME)).expect_code(3);
    assert_eq!(outcome.stdout, "first");
    assert!(
        outcome.stderr.contains("before the deadline of this command"),
        "{outcome:?}"
    );
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
    let outcome = run(login(&home, &server, &["--no-browser"]).args(TIME)).expect_error(7);
    assert!(outcome.error().starts_with("the deadline of "), "{outcome:?}");
    outcome.does_not_say("--timeout");
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
    let outcome = run(second.args(TIME)).expect_error(7);
    assert!(outcome.error().starts_with("the deadline of "), "{outcome:?}");
    outcome.says(&["is being changed by process", "--deadline TIME"]);
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
#[cfg(unix)]
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
    // on a machine that is busy the first deadlines pass before the request is sent
    let reached = [300, 600, 1200, 2400].into_iter().find_map(|deadline_ms| {
        let deadline = format!("{deadline_ms}ms");
        let began = Instant::now();
        let mut process = start(&mut helped.oauth(&["token", "work", "--force-refresh", "--deadline", &deadline]));
        let mut gate = open_once_read(&pipe, &mut process)?;
        let end = Duration::from_millis(deadline_ms + 650);
        std::thread::sleep(end.saturating_sub(began.elapsed()));
        gate.write_all(b"go\n").expect("the helper reads");
        Some(finish(process))
    });
    let outcome = reached.expect("a request in time").expect_code(0);
    assert_eq!(outcome.stdout, "new\n");
    assert!(helped.read("input.store").contains("next-refresh"));
}

/// The store is slow, and what it leaves of the time is too short for an answer:
/// the refresh token is not spent.
#[cfg(unix)]
#[test]
fn a_refresh_whose_answer_would_be_cut_off_is_not_sent() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    helped.login(&server, &[]).expect_code(0);
    let (before, sent) = (helped.read("item.work"), server.requests_to("/token").len());
    let pipe = helped.home.path().join("gate");
    let gate = pipe.display();
    helped.behave(&format!(
        "case \"$1\" in get) [ ! -p '{gate}' ] || {{ read -r _ <'{gate}'; rm '{gate}'; }} ;; esac"
    ));
    // on a machine that is busy the first deadlines pass before the store has answered
    let outcome = [1000, 2000, 4000, 8000].into_iter().find_map(|deadline_ms| {
        let _ = std::fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let deadline = format!("{deadline_ms}ms");
        let mut command = helped.oauth(&["token", "work", "--force-refresh", "--deadline", &deadline]);
        let began = Instant::now();
        let mut process = start(&mut command);
        let mut gate = open_once_read(&pipe, &mut process)?;
        let too_late = Duration::from_millis(deadline_ms - (deadline_ms / 2).min(1000) + 50);
        std::thread::sleep(too_late.saturating_sub(began.elapsed()));
        gate.write_all(b"go\n").expect("the helper reads");
        Some(finish(process)).filter(|outcome| outcome.code != Some(7))
    });
    let outcome = outcome.expect("a store that answers in time").expect_code(0);
    assert_eq!(outcome.stdout, format!("{ACCESS_TOKEN}\n"));
    assert!(outcome.stderr.contains("the refresh token was not sent"), "{outcome:?}");
    assert_eq!(server.requests_to("/token").len(), sent);
    assert_eq!(helped.read("item.work"), before);
    // with the time that it needs, it is
    helped.run(&["token", "work", "--force-refresh"]).expect_code(0);
    assert_eq!(server.requests_to("/token").len(), sent + 1);
}

fn start(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("starting the program")
}

/// The pipe for writing, once somebody reads it; `None` where the process ends before.
fn open_once_read(pipe: &Path, process: &mut Child) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let non_blocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a flag");
    while process.try_wait().expect("its state").is_none() {
        let opened = File::options().write(true).custom_flags(non_blocking).open(pipe);
        if let Ok(gate) = opened {
            return Some(gate);
        }
        std::thread::yield_now();
    }
    None
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

/// `oauth mcp` waits on its standard input, which stays open.
#[test]
fn a_bridge_ends_by_the_deadline_until_its_first_exchange() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let url = server.url("/mcp");
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nresource = [\"{url}\"]\n",
        server.origin()
    ));
    let mut kept = refreshable(&server.origin());
    kept.requested.resource = vec![resource(&url)];
    home.keep("work", &kept);
    server.on("POST", "/mcp", json(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let trace = home.path().join("trace.json");
    let bridge = |deadline: &str| {
        let mut command = home.oauth();
        command.args(["mcp", &url, "--deadline", deadline]);
        Bridge::start(command.arg("--trace").arg(&trace), Stdio::piped())
    };

    let silent = bridge("300ms");
    assert_eq!(silent.next_or_end(), None);
    silent
        .end()
        .expect_error(7)
        .says(&["the deadline of 300 ms has passed"]);
    // by itself: a process that has to be ended leaves no last event
    let events = std::fs::read_to_string(&trace).expect("the trace");
    assert!(events.contains("the deadline of 300 ms has passed"), "{events}");

    let past_deadline = Instant::now() + Duration::from_millis(3800);
    let mut used = bridge("3s");
    used.say(message);
    assert!(used.next().contains("result"));
    // what began before the deadline is not ended by it
    std::thread::sleep(past_deadline.saturating_duration_since(Instant::now()));
    used.say(&message.replace(":1,", ":2,"));
    assert!(used.next_or_end().is_some());
    used.close();
    used.end().expect_code(0);
}
