//! Pasting on a terminal, through real pseudo-terminals: what the program
//! reads, what the terminal shows, and how it is left behind. Where job control
//! matters, this test program runs itself as a session of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "cli/support/person.rs"]
mod person;

use oauth::user_agent::terminal::{LINE_LIMIT_BYTES, PasteReader, PipedLine, TerminalInputError, restore_terminal};
use person::{PASTE_OFF, PASTE_ON, Person, assert_same, open};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, setsid, waitpid};
use rustix::termios::{LocalModes, OptionalActions, tcsetattr, tcsetpgrp};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Far above what anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

fn reader_of(person: &Person) -> PasteReader {
    PasteReader::open_on(person.terminal()).unwrap()
}

fn next(reader: &mut PasteReader) -> Result<Option<String>, TerminalInputError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let line = runtime.block_on(async { tokio::time::timeout(PATIENCE, reader.next_line()).await });
    Ok(line.expect("a line in time")?.map(|line| line.expose().clone()))
}

fn url_of(length: usize) -> String {
    let mut url = "http://127.0.0.1:49152/callback?state=s&code=".to_owned();
    while url.len() < length {
        url.push(char::from(b'a' + (url.len() % 26) as u8));
    }
    url
}

#[test]
fn a_line_longer_than_a_terminal_keeps_comes_whole() {
    let person = Person::new();
    let mut reader = reader_of(&person);
    for length in [100, 4096, 8192, LINE_LIMIT_BYTES] {
        let url = url_of(length);
        let typing = person.types(format!("{url}\r").as_bytes());
        assert_eq!(next(&mut reader).unwrap().unwrap(), url);
        typing.ends();
    }
    let typing = person.types(format!("{}\r{}\r", url_of(LINE_LIMIT_BYTES + 1), url_of(50)).as_bytes());
    assert!(matches!(next(&mut reader), Err(TerminalInputError::LineTooLong)));
    assert_eq!(next(&mut reader).unwrap().unwrap(), url_of(50));
    typing.ends();
}

#[test]
fn a_bracketed_paste_with_line_breaks_is_one_line() {
    let person = Person::new();
    let mut reader = reader_of(&person);
    let url = url_of(8192);
    let wrapped: Vec<String> = url
        .as_bytes()
        .chunks(80)
        .map(|row| String::from_utf8(row.to_vec()).unwrap())
        .collect();
    let typing = person.types(format!("\x1b[200~{}\x1b[201~\r", wrapped.join("\r\n")).as_bytes());
    assert_eq!(next(&mut reader).unwrap().unwrap(), url);
    typing.ends();
}

#[test]
fn the_terminal_shows_nothing_of_it_and_is_left_as_it_was_found() {
    let mut person = Person::new();
    let before = person.modes();
    let mut reader = reader_of(&person);
    assert!(reader.is_listening());
    let during = person.modes().local_modes;
    assert!(!during.intersects(LocalModes::ICANON | LocalModes::ECHO));
    assert!(during.contains(LocalModes::ISIG), "Ctrl-C still interrupts");
    person.types(b"canary\r").ends();
    assert_eq!(next(&mut reader).unwrap().unwrap(), "canary");
    person.types(b"rest of a paste\r").ends();
    drop(reader);
    assert_same(&before, &person.modes());
    assert_eq!(person.screen(), [PASTE_ON, PASTE_OFF].concat());
}

#[test]
fn a_terminal_that_a_shell_has_reset_is_switched_again() {
    let mut person = Person::new();
    let before = person.modes();
    let mut reader = reader_of(&person);
    assert_eq!(person.screen(), PASTE_ON);
    tcsetattr(person.terminal(), OptionalActions::Now, &before).unwrap();
    person.wait_for_single_bytes();
    person.types(b"a line\r").ends();
    assert_eq!(next(&mut reader).unwrap().unwrap(), "a line");
    drop(reader);
    assert_same(&before, &person.modes());
    assert_eq!(person.screen(), [PASTE_ON, PASTE_OFF].concat());
}

#[test]
fn waiting_for_a_line_can_be_given_up_and_taken_up_again() {
    let person = Person::new();
    let mut reader = reader_of(&person);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..50 {
            tokio::select! {
                biased;
                line = reader.next_line() => panic!("nothing was typed: {line:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    });
    person.types(b"one\rtwo\r").ends();
    assert_eq!(next(&mut reader).unwrap().unwrap(), "one");
    assert_eq!(next(&mut reader).unwrap().unwrap(), "two");
}

#[test]
fn ctrl_d_and_a_terminal_that_goes_are_the_end() {
    let person = Person::new();
    let mut reader = reader_of(&person);
    person.types(b"\x04").ends();
    assert_eq!(next(&mut reader).unwrap(), None);
    assert_eq!(next(&mut reader).unwrap(), None);
    let person = Person::new();
    let mut reader = reader_of(&person);
    drop(person);
    assert_eq!(next(&mut reader).unwrap(), None);
}

/// This program run as another one, in a role; what it says comes line by line.
struct Helper {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Helper {
    fn run(role: &str, stdin: Stdio, terminal: &str) -> Helper {
        let mut child = program_as(role)
            .env("TERMINAL", terminal)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Helper {
            said: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// The next thing it says; the test harness of the child talks in between.
    fn says(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "it ended");
            if let Some((_, said)) = line.split_once('@') {
                return said.trim_end().to_owned();
            }
        }
    }

    fn tell(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn program_as(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "helper", "--nocapture", "--test-threads=1"])
        .env("ROLE", role);
    command
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@{text}").unwrap();
    out.flush().unwrap();
}

/// No test, but what [`Helper::run`] runs.
#[test]
fn helper() {
    let Ok(role) = std::env::var("ROLE") else {
        return;
    };
    let terminal = std::env::var("TERMINAL").unwrap_or_default();
    match role.as_str() {
        "reader" => read_as_a_job(),
        "background" => lead_a_session(&terminal, |terminal, job| {
            wait_to_be_told();
            tcsetpgrp(terminal, job).unwrap();
        }),
        "suspend" => lead_a_session(&terminal, |terminal, job| {
            tcsetpgrp(terminal, job).unwrap();
            let (_, status) = waitpid(Some(job), WaitOptions::UNTRACED).unwrap().unwrap();
            say(&format!("stopped {}", status.stopped()));
            wait_to_be_told();
            kill_process(job, Signal::CONT).unwrap();
        }),
        "restore" | "panic" => {
            let reader = PasteReader::open_on(open(&terminal, OFlags::NOCTTY)).unwrap();
            say(&format!("listening {}", reader.is_listening()));
            wait_to_be_told();
            if role == "panic" {
                std::thread::spawn(|| panic!("as a bug does")).join().unwrap_err();
            } else {
                restore_terminal();
                restore_terminal();
            }
            say(&format!("listening {}", reader.is_listening()));
            wait_to_be_told();
            // no destructor runs
            std::process::abort();
        }
        "piped" => {
            assert!(PasteReader::open().unwrap().is_none());
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let mut piped = PipedLine::default();
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    line = piped.next_line() => panic!("nothing was written: {line:?}"),
                    () = tokio::task::yield_now() => say("given up once"),
                }
            });
            for _ in 0..2 {
                let line = runtime.block_on(piped.next_line()).unwrap();
                say(&format!("{:?}", line.map(|line| line.expose().clone())));
            }
        }
        other => panic!("no such role: {other}"),
    }
}

fn wait_to_be_told() {
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

/// A shell with one job, which is [`read_as_a_job`] and begins in the background.
fn lead_a_session(terminal: &str, drive: impl FnOnce(&OwnedFd, Pid)) {
    setsid().unwrap();
    // the first terminal that a session leader opens becomes its own
    let terminal = open(terminal, OFlags::empty());
    let mut job = program_as("reader");
    let mut job = job
        .stdin(terminal.try_clone().unwrap())
        .process_group(0)
        .spawn()
        .unwrap();
    drive(&terminal, Pid::from_child(&job));
    assert!(job.wait().unwrap().success());
}

fn read_as_a_job() {
    let mut reader = PasteReader::open().unwrap().expect("a terminal");
    say(&format!("opened, listening {}", reader.is_listening()));
    let line = next(&mut reader).unwrap().unwrap();
    say(&format!("read {line}"));
    drop(reader);
}

#[test]
fn a_background_job_leaves_the_terminal_alone_and_reads_once_it_is_brought_forward() {
    let mut person = Person::new();
    let before = person.modes();
    let mut session = Helper::run("background", Stdio::piped(), &person.path);
    // had it touched the terminal, it would be stopped now and never go on
    assert_eq!(session.says(), "opened, listening false");
    assert_same(&before, &person.modes());
    assert_eq!(person.screen(), b"");
    session.tell();
    person.wait_for_single_bytes();
    person.types(b"\x1b[200~pasted\x1b[201~\r").ends();
    assert_eq!(session.says(), "read pasted");
    assert!(session.child.wait().unwrap().success());
    assert_same(&before, &person.modes());
    assert_eq!(person.screen(), [PASTE_ON, PASTE_OFF].concat());
}

#[test]
fn ctrl_z_suspends_with_the_terminal_restored_and_goes_on_after() {
    let mut person = Person::new();
    let before = person.modes();
    let mut session = Helper::run("suspend", Stdio::piped(), &person.path);
    assert!(session.says().starts_with("opened"));
    person.wait_for_single_bytes();
    person.types(b"half\x1a").ends();
    assert_eq!(session.says(), "stopped true");
    assert_same(&before, &person.modes());
    assert_eq!(person.screen(), [PASTE_ON, PASTE_OFF].concat());
    session.tell();
    person.wait_for_single_bytes();
    person.types(b" a line\r").ends();
    assert_eq!(session.says(), "read half a line");
    assert!(session.child.wait().unwrap().success());
    assert_same(&before, &person.modes());
}

#[test]
fn ways_out_without_destructors_restore_the_terminal_too() {
    for role in ["restore", "panic"] {
        let mut person = Person::new();
        let before = person.modes();
        let mut program = Helper::run(role, Stdio::piped(), &person.path);
        assert_eq!(program.says(), "listening true");
        assert!(!person.modes().local_modes.contains(LocalModes::ICANON));
        program.tell();
        assert_eq!(program.says(), "listening false");
        assert_same(&before, &person.modes());
        program.tell();
        assert!(!program.child.wait().unwrap().success());
        assert_same(&before, &person.modes());
        assert_eq!(person.screen(), [PASTE_ON, PASTE_OFF].concat());
    }
}

#[test]
fn a_line_can_be_piped_where_there_is_no_terminal() {
    for (input, line) in [("http://a/?b\r\nrest", "Some(\"http://a/?b\")"), ("", "None")] {
        let mut program = Helper::run("piped", Stdio::piped(), "");
        assert_eq!(program.says(), "given up once");
        program.child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert_eq!(program.says(), line);
        assert_eq!(program.says(), "None");
    }
}
