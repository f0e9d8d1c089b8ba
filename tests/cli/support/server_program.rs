//! A server of somebody else that runs beside the test: it says on stdout
//! where it is, and never outlives the test.

use super::literal_server::PATIENCE;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

/// A server that was started and is ready.
pub struct ServerProgram {
    child: Child,
    line: String,
}

impl ServerProgram {
    /// Starts it and waits for the first line on stdout that contains this.
    /// Its stdin stays open until the test ends, so that it can see that.
    pub fn start(command: &mut Command, text: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let (sender, lines) = channel();
        // reads on after the line was found: a server must not fail for want of a reader
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut said = Vec::new();
        let line = loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => break line,
                Ok(line) => said.push(line),
                Err(error) => {
                    let _ = child.kill();
                    panic!("{command:?} did not say {text:?} ({error}): {said:#?}");
                }
            }
        };
        ServerProgram { child, line }
    }

    /// The line.
    pub fn line(&self) -> &str {
        &self.line
    }
}

impl Drop for ServerProgram {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
