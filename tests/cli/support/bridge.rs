//! A client of `oauth mcp`: it writes lines, reads lines, and goes.

use super::literal_server::PATIENCE;
use super::outcome::{Outcome, finish};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;

/// A bridge that runs.
pub struct Bridge {
    pub child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Bridge {
    /// Starts the command; its messages go to `stderr`.
    pub fn start(command: &mut Command, stderr: impl Into<Stdio>) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("starting the bridge");
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Bridge {
            stdin: child.stdin.take(),
            child,
            lines,
        }
    }

    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("an open stdin");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
    }

    /// The next message.
    pub fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a message of the bridge")
    }

    /// The next message; `None` where the bridge ends without one.
    pub fn next_or_end(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("neither a message nor the end of the bridge"),
        }
    }

    /// Closes the client's end.
    pub fn close(&mut self) {
        self.stdin = None;
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Waits for the end. The lines that were not read are lost.
    pub fn end(self) -> Outcome {
        finish(self.child)
    }

    /// Closes the client's end; the bridge must end too, without another message.
    pub fn leave(mut self) {
        self.close();
        assert_eq!(self.next_or_end(), None);
        self.end().expect_code(0);
    }
}
