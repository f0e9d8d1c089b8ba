//! A run of the binary while it goes on: its lines on stderr as they come, its
//! end with exit code and output. Every wait ends after [`PATIENCE`] with a
//! message; a run that a test leaves behind is killed.
#![allow(dead_code, unreachable_pub, reason = "each test uses its own part")]

use super::literal_server::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

/// A process that was started and may not have ended.
pub struct Running {
    pid: Pid,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What came on stderr so far.
    said: Vec<String>,
    stdout: Receiver<Vec<u8>>,
    ended: Receiver<ExitStatus>,
    over: bool,
}

/// A process that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// 128 and the signal's number where a signal ended it.
    pub code: i32,
    /// Whether a signal ended it, rather than its own decision.
    pub by_signal: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    /// Starts it with nothing on standard input.
    pub fn start(command: &mut Command) -> Self {
        Running::spawn(command.stdin(Stdio::null()))
    }

    /// Starts it with a pipe as standard input, which [`Running::write`] fills.
    pub fn start_piped(command: &mut Command) -> Self {
        Running::spawn(command.stdin(Stdio::piped()))
    }

    /// Starts it with this standard input, which then ends.
    pub fn start_with(command: &mut Command, input: &[u8]) -> Self {
        let mut running = Running::start_piped(command);
        running.write(input);
        running.close_input();
        running
    }

    /// Starts it with whatever standard input the command has by now.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting the program");
        let stdin = child.stdin.take();
        let pid = Pid::from_child(&child);
        let (line_sender, lines) = channel();
        let stderr = child.stderr.take().expect("a pipe");
        thread::spawn(move || {
            let mut stderr = BufReader::new(stderr);
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if line_sender.send(text).is_err() {
                    break;
                }
            }
        });
        let (stdout_sender, stdout) = channel();
        let mut pipe = child.stdout.take().expect("a pipe");
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            let _ = stdout_sender.send(bytes);
        });
        let (end_sender, ended) = channel();
        thread::spawn(move || end_sender.send(child.wait().expect("waiting for the program")));
        Running {
            pid,
            stdin,
            lines,
            said: Vec::new(),
            stdout,
            ended,
            over: false,
        }
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Writes to its standard input.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("a pipe as standard input");
        stdin.write_all(bytes).expect("writing to standard input");
    }

    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// The next line on stderr; `None` at its end.
    fn next_line(&mut self) -> Option<String> {
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line.trim_end_matches('\n').to_owned(),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                panic!("nothing more came within {PATIENCE:?} after: {:#?}", self.said)
            }
        };
        self.said.push(line.clone());
        Some(line)
    }

    /// Waits for a line for which this gives something.
    pub fn find<T>(&mut self, what: &str, mut take: impl FnMut(&str) -> Option<T>) -> T {
        while let Some(line) = self.next_line() {
            if let Some(found) = take(&line) {
                return found;
            }
        }
        panic!("it ended without {what}: {:#?}", self.said);
    }

    /// Waits for a line that contains this.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.find(&format!("\"{text}\""), |line| {
            line.contains(text).then(|| line.to_owned())
        })
    }

    /// Waits for the authorization URL, alone on its line (or, with `--json`,
    /// as a member of its object).
    pub fn url(&mut self) -> String {
        self.find("the authorization URL", |line| {
            let object = serde_json::from_str::<serde_json::Value>(line).ok();
            let member = object.and_then(|object| object["authorization_url"].as_str().map(str::to_owned));
            member.or_else(|| (line.starts_with("http://") || line.starts_with("https://")).then(|| line.to_owned()))
        })
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("sending a signal");
    }

    /// Waits until it has ended.
    pub fn finish(mut self) -> Finished {
        self.stdin = None;
        let deadline = Instant::now() + PATIENCE;
        let status = match self.ended.recv_timeout(PATIENCE) {
            Ok(status) => status,
            Err(_) => panic!("it has not ended within {PATIENCE:?}: {:#?}", {
                self.said.extend(self.lines.try_iter());
                &self.said
            }),
        };
        self.over = true;
        while let Some(_line) = self.next_line() {}
        let left = deadline.saturating_duration_since(Instant::now());
        let stdout = self.stdout.recv_timeout(left).expect("the end of stdout");
        let mut stderr = self.said.join("\n");
        if !stderr.is_empty() {
            stderr.push('\n');
        }
        Finished {
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().expect("a signal")),
            by_signal: status.code().is_none(),
            stdout: String::from_utf8(stdout).expect("stdout in UTF-8"),
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            // the thread that waits for it reaps it
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

impl Finished {
    /// Fails the test unless it ended with this exit code of its own.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(
            self.code == code && !self.by_signal,
            "exit code {} instead of {code}\nstdout: {}\nstderr: {}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// What stands behind `error: `. Panics when there is none, or several.
    #[track_caller]
    pub fn error(&self) -> &str {
        let errors = self.labelled("error: ");
        assert_eq!(errors.len(), 1, "{}", self.stderr);
        errors[0]
    }

    /// The lines behind `caused by: `, in order.
    pub fn causes(&self) -> Vec<&str> {
        self.labelled("caused by: ")
    }

    /// The lines behind `hint: `, in order.
    pub fn hints(&self) -> Vec<&str> {
        self.labelled("hint: ")
    }

    /// The lines behind `warning: `, in order.
    pub fn warnings(&self) -> Vec<&str> {
        self.labelled("warning: ")
    }

    fn labelled(&self, label: &str) -> Vec<&str> {
        self.stderr
            .lines()
            .filter_map(|line| line.strip_prefix(label))
            .collect()
    }

    /// Fails the test unless stderr holds this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no \"{text}\" in: {}", self.stderr);
        self
    }

    /// Fails the test if stderr holds this.
    #[track_caller]
    pub fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text), "\"{text}\" in: {}", self.stderr);
        self
    }
}

/// Runs it to its end with nothing on standard input.
pub fn run(command: &mut Command) -> Finished {
    Running::start(command).finish()
}
