//! The redirect URL pasted on a terminal (beside the listener, or with
//! `--paste` in its place) or given through a pipe: what is taken, what is
//! explained and asked for again, and how the terminal is left behind.
//!
//! Where job control matters, this test program runs itself as the leader of a
//! session, with `oauth` as its job ([`session_leader`]).

use crate::support::authorization_server::{self, CODE, callback_url, callback_url_with, consent};
use crate::support::binary::Home;
use crate::support::literal_server::{Gate, LiteralServer, json, value_of};
use crate::support::login::{assert_nothing_kept, listener_of, login, parameter, stored};
use crate::support::outcome::{Outcome, finish};
use crate::support::person::{PASTE_OFF, PASTE_ON, Person, Screen, assert_same, open};
use crate::support::running::Running;
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, setsid};
use rustix::termios::{LocalModes, Termios, tcsetpgrp};
use std::net::TcpStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

const IN_FRAGMENT: &str = "put the answer into the fragment (behind #); it must be in the query (RFC 6749 §4.1.2)";

/// A login at a terminal, whose stderr is a pipe so that its lines can be told apart.
struct AtTerminal {
    person: Person,
    before: Termios,
    running: Running,
    url: String,
    issuer: String,
}

impl AtTerminal {
    fn start(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Self {
        let person = Person::new();
        let before = person.modes();
        let running = Running::start_with(&mut login(home, server, arguments), person.terminal());
        let url = running.authorization_url();
        person.wait_for_single_bytes();
        AtTerminal {
            person,
            before,
            running,
            url,
            issuer: server.origin(),
        }
    }

    fn right_url(&self) -> String {
        callback_url(&self.url, &self.issuer)
    }

    fn url_with(&self, response: &[(&str, &str)]) -> String {
        callback_url_with(&self.url, response)
    }

    fn state(&self) -> String {
        parameter(&self.url, "state")
    }

    fn pastes(&self, text: &str) {
        let typing = self.person.types(format!("\x1b[200~{text}\x1b[201~\r").as_bytes());
        typing.ends();
    }

    /// Pastes it and waits for the explanation why it is not taken.
    fn is_told(&self, text: &str, explanation: &str) {
        let warnings = |text: &str| text.lines().filter(|line| line.starts_with("warning: ")).count();
        let before = warnings(&self.running.stderr_so_far());
        self.pastes(text);
        let line = self.running.wait_until("an explanation", |said| {
            (warnings(said) > before).then(|| {
                said.lines()
                    .rfind(|line| line.starts_with("warning: "))
                    .map(str::to_owned)
            })
        });
        let line = line.expect("a warning");
        assert!(line.contains(explanation), "{text:?}: {line}");
    }

    /// Waits for the end, after which the terminal must be as it was and have
    /// shown nothing of what was pasted.
    fn ends(mut self, code: i32) -> Outcome {
        let outcome = self.running.end().expect_code(code);
        assert_same(&self.before, &self.person.modes());
        assert_eq!(self.person.screen(), [PASTE_ON, PASTE_OFF].concat());
        outcome
    }
}

#[test]
fn a_redirect_url_of_8_kib_is_taken_in_one_go() {
    let code = "c".repeat(8192);
    for arguments in [&["--paste"][..], &[]] {
        for bracketed in [true, false] {
            let (home, server) = (Home::new(), authorization_server::start());
            let terminal = AtTerminal::start(&home, &server, arguments);
            let url = terminal.url_with(&[("code", &code), ("state", &terminal.state()), ("iss", &terminal.issuer)]);
            if bracketed {
                terminal.pastes(&url);
            } else {
                terminal.person.types(format!("{url}\r").as_bytes()).ends();
            }
            let outcome = terminal.ends(0);
            assert_eq!(
                value_of(&server.only_request_to("/token").form(), "code"),
                Some(code.as_str())
            );
            outcome.does_not_say("cccccccc");
            assert_eq!(stored(&home).len(), 1);
        }
    }
}

#[test]
fn line_breaks_of_the_place_it_was_copied_from_are_dropped() {
    let (home, server) = (Home::new(), authorization_server::start());
    let terminal = AtTerminal::start(&home, &server, &[]);
    let url = terminal.right_url();
    let (first, rest) = url.split_at(30);
    let (second, third) = rest.split_at(40);
    terminal.pastes(&format!("{first}\r\n{second}\n   {third}\r\n"));
    terminal.ends(0);
    assert_eq!(value_of(&server.only_request_to("/token").form(), "code"), Some(CODE));
}

#[test]
fn what_cannot_be_taken_is_explained_and_asked_for_again() {
    for arguments in [&[][..], &["--paste"]] {
        let (home, server) = (Home::new(), authorization_server::start());
        let terminal = AtTerminal::start(&home, &server, arguments);
        let (right, state) = (terminal.right_url(), terminal.state());
        let redirect_uri = parameter(&terminal.url, "redirect_uri");
        terminal.is_told(CODE, "bare code");
        terminal.is_told(&format!("code={CODE}&state={state}"), "not a URL");
        terminal.is_told(&right.replace("http://", "ftp://"), "redirect URI");
        terminal.is_told(
            &right.replace("http://", "").replace("127.0.0.1", "127.0.0.2"),
            "not a URL",
        );
        terminal.is_told(&right.replace("127.0.0.1", "localhost"), "redirect URI");
        terminal.is_told(&right.replace("127.0.0.1", "user@127.0.0.1"), "redirect URI");
        terminal.is_told(&right.replace("/callback", "/other"), "redirect URI");
        terminal.is_told(
            &right.replacen(&listener_of(&terminal.url), "127.0.0.1:1", 1),
            "redirect URI",
        );
        terminal.is_told(&terminal.url, "redirect URI");
        terminal.is_told(&redirect_uri, "no code");
        terminal.is_told(&format!("{redirect_uri}#section"), "no code");
        terminal.is_told(&right.replacen('?', "#", 1), IN_FRAGMENT);
        terminal.is_told(&right.replacen('?', "?tenant=1#", 1), IN_FRAGMENT);
        terminal.is_told(
            &format!("{redirect_uri}#error=access_denied&state={state}"),
            IN_FRAGMENT,
        );
        terminal.is_told(&format!("{redirect_uri}?code={CODE}"), "no state");
        terminal.is_told(&format!("{redirect_uri}?code={CODE}&state="), "no state");
        terminal.is_told(&right.replace(&state, "another"), "another login");
        terminal.is_told(&format!("{right}&state=x"), "another login");
        terminal.is_told(&format!("\x1b[2J{right}"), "not a URL");
        terminal.is_told(&"x".repeat(1024 * 1024), "longer");
        assert_eq!(server.requests_to("/token").len(), 0);
        terminal.pastes(&right);
        terminal.ends(0);
        server.only_request_to("/token");
    }
}

#[test]
fn an_address_is_taken_as_people_and_programs_copy_it() {
    let server = authorization_server::start();
    let made: [&dyn Fn(&str) -> String; 11] = [
        &|right| right.replace("http://", ""),
        &|right| right.replace("http://", "//"),
        &|right| right.replace("http://", "https://"),
        &|right| right.replace("http://", "HTTP://"),
        &|right| format!("\"{right}\""),
        &|right| format!("'{right}'"),
        &|right| format!("<{right}>"),
        &|right| format!("`{right}`"),
        &|right| format!("  \u{201c}{right}\u{201d} "),
        &|right| format!("\"<{}>\"", right.replace("http://", "")),
        &|right| format!("{right}#"),
    ];
    for make in made {
        let home = Home::new();
        let mut running = Running::start_with_open_input(&mut login(&home, &server, &["--paste"]));
        let url = running.authorization_url();
        let pasted = make(&callback_url(&url, &server.origin()));
        running.type_all(&format!("{pasted}\n"));
        let outcome = running.end();
        assert_eq!(outcome.code, Some(0), "{pasted}: {outcome:?}");
        let last = server.requests_to("/token").pop().expect("a token request");
        assert_eq!(value_of(&last.form(), "code"), Some(CODE), "{pasted}");
    }
}

#[test]
fn the_port_that_is_given_stands_in_the_redirect_uri() {
    let (home, server) = (Home::new(), authorization_server::start());
    let terminal = AtTerminal::start(&home, &server, &["--paste", "--port", "9420,9421"]);
    assert_eq!(
        parameter(&terminal.url, "redirect_uri"),
        "http://127.0.0.1:9420/callback"
    );
    terminal.pastes(&format!("{}\r", terminal.right_url()));
    terminal.ends(0);
}

#[test]
fn the_first_answer_ends_the_wait_wherever_it_comes() {
    let (home, server) = (Home::new(), authorization_server::start());
    let terminal = AtTerminal::start(&home, &server, &[]);
    terminal.is_told("not this", "not a URL");
    assert_eq!(consent(&terminal.url, &terminal.issuer).status, 200);
    terminal.ends(0);

    // pasted while the listener waits too: the port is closed after it
    let terminal = AtTerminal::start(&home, &server, &[]);
    let authority = listener_of(&terminal.url);
    terminal.pastes(&terminal.right_url());
    terminal.ends(0);
    TcpStream::connect(authority).expect_err("the listener is gone");
}

#[test]
fn an_answer_that_is_ours_but_not_good_ends_it() {
    const ISSUER: &str = "ISSUER";
    for (response, code) in [
        (&[("error", "access_denied"), ("iss", ISSUER)][..], 5),
        (&[("error", "server_error"), ("iss", ISSUER)], 3),
        (&[("error", "server_error")], 6),
        (&[("code", "a"), ("iss", "https://evil.example.com")], 6),
        (&[("code", "a"), ("code", "b")], 6),
        (&[("code", "")], 6),
    ] {
        let (home, server) = (Home::new(), authorization_server::start());
        let terminal = AtTerminal::start(&home, &server, &["--paste"]);
        let (state, issuer) = (terminal.state(), server.origin());
        let response = response.iter().map(|(name, value)| match *value {
            ISSUER => (*name, issuer.as_str()),
            value => (*name, value),
        });
        let response: Vec<(&str, &str)> = response.chain([("state", state.as_str())]).collect();
        terminal.pastes(&terminal.url_with(&response));
        terminal.ends(code).error();
        assert_eq!(server.requests_to("/token").len(), 0);
        assert_nothing_kept(&home);
    }
}

#[test]
fn with_paste_nothing_listens_and_the_end_of_input_ends_it() {
    let (home, server) = (Home::new(), authorization_server::start());
    let uri = "http://127.0.0.1:4712/callback";
    let terminal = AtTerminal::start(&home, &server, &["--paste", "--redirect-uri", uri]);
    assert_eq!(parameter(&terminal.url, "redirect_uri"), uri);
    let listening = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    assert!(
        !listening.contains(&format!("0100007F:{:04X} 00000000:0000 0A", 4712)),
        "{listening}"
    );
    terminal.person.types(b"\x04").ends();
    // a person who stops: the login was not finished in time, and the server did nothing wrong
    let outcome = terminal.ends(7);
    assert!(outcome.error().contains("not finished"), "{outcome:?}");
    assert!(!outcome.hints().is_empty());

    // beside a listener it only ends the pasting
    let terminal = AtTerminal::start(&home, &server, &[]);
    terminal.person.types(b"\x04").ends();
    assert_eq!(consent(&terminal.url, &terminal.issuer).status, 200);
    terminal.ends(0);
}

#[test]
fn a_pipe_gives_one_line() {
    let server = authorization_server::start();
    let given = |make: &dyn Fn(&str) -> String| {
        let home = Home::new();
        let mut running = Running::start_with_open_input(&mut login(&home, &server, &["--paste"]));
        let url = running.authorization_url();
        running.type_all(&make(&callback_url(&url, &server.origin())));
        (running.end(), home)
    };
    for end in ["\n", "\r\n", "", "\nand more\n"] {
        let (outcome, home) = given(&|right| format!("{right}{end}"));
        outcome.expect_code(0);
        assert_eq!(stored(&home).len(), 1, "{end:?}");
    }
    let before = server.requests_to("/token").len();
    let empty: [&dyn Fn(&str) -> String; 4] = [
        &|_| String::new(),
        &|_| "\n".to_owned(),
        &|_| " \r\n".to_owned(),
        &|right| format!("\n{right}\n"),
    ];
    for (index, make) in empty.into_iter().enumerate() {
        let (outcome, home) = given(make);
        assert_eq!(outcome.code, Some(2), "{index}: {outcome:?}");
        assert!(outcome.error().contains("standard input ended"), "{index}: {outcome:?}");
        assert!(outcome.hints().contains("--paste"), "{index}: {outcome:?}");
        assert_nothing_kept(&home);
    }
    let (outcome, home) = given(&|right| format!("{}\n", right.replacen('?', "#", 1)));
    assert!(outcome.warnings().contains(IN_FRAGMENT), "{outcome:?}");
    assert!(outcome.hints().contains("in the query"), "{outcome:?}");
    assert!(!outcome.hints().contains("bare code"), "{outcome:?}");
    outcome.expect_code(6);
    assert_nothing_kept(&home);
    let unusable: [&dyn Fn(&str) -> String; 5] = [
        &|_| format!("{CODE}\n"),
        &|right| format!("{}\n", right.replace("/callback", "/other")),
        &|right| format!("{}\n", right.replace("state=", "state=x")),
        &|right| format!("{}\n", right.replace("state=", "x=")),
        &|right| format!("{}{right}\n", "x".repeat(1024 * 1024)),
    ];
    for (index, make) in unusable.into_iter().enumerate() {
        let (outcome, home) = given(make);
        assert_eq!(outcome.code, Some(6), "{index}: {outcome:?}");
        outcome.error();
        assert_nothing_kept(&home);
    }
    assert_eq!(server.requests_to("/token").len(), before);
}

#[test]
fn without_a_terminal_and_without_paste_standard_input_is_left_alone() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut running = Running::start_with_open_input(&mut login(&home, &server, &["--timeout", "1s"]));
    let url = running.authorization_url();
    running.type_all(&format!("{}\n", callback_url(&url, &server.origin())));
    running
        .end()
        .expect_code(7)
        .does_not_say("Paste the address that it ends on");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        for arguments in [&[][..], &["--paste"]] {
            let (home, server) = (Home::new(), authorization_server::start());
            let terminal = AtTerminal::start(&home, &server, arguments);
            terminal.person.types(b"http://127.0.0.1/half of a").ends();
            terminal.running.signal(signal);
            terminal.ends(code);
            assert_nothing_kept(&home);
        }
    }
    // also while the token endpoint is asked
    let (home, server, gate) = (Home::new(), authorization_server::start(), Gate::new());
    server.on("POST", "/token", json(200, "{}").after_gate(&gate));
    let terminal = AtTerminal::start(&home, &server, &[]);
    terminal.pastes(&terminal.right_url());
    server.wait_for("/token", 1);
    terminal.running.signal(Signal::TERM);
    terminal.ends(143);
    gate.open();
}

#[test]
fn a_time_out_leaves_the_terminal_as_it_was() {
    let (home, server) = (Home::new(), authorization_server::start());
    AtTerminal::start(&home, &server, &["--timeout", "1s"]).ends(7);
    AtTerminal::start(&home, &server, &["--timeout", "1s", "--paste"]).ends(7);
}

/// A login as a shell runs it: a job of a session whose terminal this is, with
/// all three streams on it.
struct Job {
    person: Person,
    before: Termios,
    screen: Screen,
    leader: Child,
    url: String,
}

impl Job {
    fn start(command: &Command, in_foreground: bool, terminal_type: &str) -> Self {
        let person = Person::new();
        let (before, screen) = (person.modes(), person.watch());
        let mut leader = Command::new(std::env::current_exe().expect("this program"));
        leader
            .args(["--exact", "paste::session_leader", "--nocapture", "--test-threads=1"])
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(command.get_current_dir().expect("a folder"))
            .env("TERM", terminal_type)
            .env("SESSION_TERMINAL", &person.path)
            .env("SESSION_FOREGROUND", if in_foreground { "yes" } else { "no" })
            .env("SESSION_PROGRAM", command.get_program());
        for (number, argument) in command.get_args().enumerate() {
            leader.env(format!("SESSION_ARGUMENT_{number:02}"), argument);
        }
        let leader = leader
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting this program");
        let url = screen.find("authorization URL", |text| {
            let lines = text.split_inclusive("\r\n").filter(|line| line.ends_with("\r\n"));
            // behind the waiting line, which is taken away for it
            let lines = lines.map(|line| line.rsplit("\x1b[2K").next().unwrap_or(line));
            let mut lines = lines.map(|line| line.trim_end().trim_start_matches("\x1b[?2004h"));
            lines.find(|line| line.starts_with("http://")).map(str::to_owned)
        });
        Job {
            person,
            before,
            screen,
            leader,
            url,
        }
    }

    /// The job's exit code, after which the terminal must be as it was.
    fn ends(self) -> (Option<i32>, String) {
        let outcome = finish(self.leader);
        assert_same(&self.before, &self.person.modes());
        (outcome.code, self.screen.all(self.person))
    }
}

/// No test, but what [`Job::start`] runs.
#[test]
fn session_leader() {
    let Ok(terminal) = std::env::var("SESSION_TERMINAL") else {
        return;
    };
    setsid().expect("a session");
    // the first terminal that a session leader opens becomes its own
    let terminal = open(&terminal, OFlags::empty());
    let own = |name: &str| name.starts_with("SESSION_");
    let variable = |name: &str| std::env::var_os(name).expect("a variable");
    let mut command = Command::new(variable("SESSION_PROGRAM"));
    let variables = || std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
    command
        .args(
            variables()
                .filter(|(name, _)| name.starts_with("SESSION_ARGUMENT_"))
                .collect::<std::collections::BTreeMap<_, _>>()
                .into_values(),
        )
        .env_clear()
        .envs(variables().filter(|(name, _)| !own(name)))
        .stdin(terminal.try_clone().expect("a handle"))
        .stdout(terminal.try_clone().expect("a handle"))
        .stderr(terminal.try_clone().expect("a handle"))
        .process_group(0);
    let mut job = command.spawn().expect("starting the job");
    if variable("SESSION_FOREGROUND") == "yes" {
        tcsetpgrp(&terminal, Pid::from_child(&job)).expect("the foreground");
    }
    let status = job.wait().expect("its end");
    std::process::exit(
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().expect("a signal")),
    );
}

#[test]
fn at_a_real_terminal_the_url_is_whole_and_the_paste_invisible() {
    let (home, server) = (Home::new(), authorization_server::start());
    let scope: Vec<String> = (0..60).map(|number| format!("scope-{number}")).collect();
    let job = Job::start(
        &login(&home, &server, &["--scope", &scope.join(" ")]),
        true,
        "xterm-256color",
    );
    assert!(
        job.url.len() > 400 && parameter(&job.url, "scope") == scope.join(" "),
        "{}",
        job.url
    );
    job.screen.find("waiting line", |text| {
        text.contains("Waiting for the browser").then_some(())
    });
    job.person.wait_for_single_bytes();
    let pasted = callback_url_with(
        &job.url,
        &[
            ("code", "canary-code"),
            ("state", &parameter(&job.url, "state")),
            ("iss", &server.origin()),
        ],
    );
    job.person
        .types(format!("\x1b[200~{pasted}\x1b[201~\r").as_bytes())
        .ends();
    let (code, screen) = job.ends();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("Signed in") && !screen.contains("canary"), "{screen}");
}

#[test]
fn a_terminal_that_cannot_redraw_a_line_is_told_until_when() {
    let (home, server) = (Home::new(), authorization_server::start());
    let job = Job::start(&login(&home, &server, &["--timeout", "90s"]), true, "dumb");
    job.screen.find("plain line", |text| {
        text.contains("waiting for the browser until ").then_some(())
    });
    assert_eq!(consent(&job.url, &server.origin()).status, 200);
    assert_eq!(job.ends().0, Some(0));
}

#[test]
fn ctrl_c_ends_it_with_the_terminal_restored() {
    let (home, server) = (Home::new(), authorization_server::start());
    for arguments in [&[][..], &["--paste"]] {
        let job = Job::start(&login(&home, &server, arguments), true, "xterm-256color");
        job.person.wait_for_single_bytes();
        assert!(!job.person.modes().local_modes.contains(LocalModes::ECHO));
        job.person.types(b"\x03").ends();
        let (code, screen) = job.ends();
        assert_eq!(code, Some(130), "{screen}");
        assert!(screen.contains("\x1b[?2004l"), "{screen}");
    }
    assert_nothing_kept(&home);
}

#[test]
fn in_the_background_it_is_not_stopped_and_leaves_the_terminal_alone() {
    let (home, server) = (Home::new(), authorization_server::start());
    let job = Job::start(&login(&home, &server, &[]), false, "xterm-256color");
    // had it touched the terminal, it would be stopped by now
    assert_same(&job.before, &job.person.modes());
    assert_eq!(consent(&job.url, &server.origin()).status, 200);
    let (code, screen) = job.ends();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("\x1b[?2004"), "{screen}");
    server.only_request_to("/token");
}
