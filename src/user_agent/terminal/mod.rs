//! Lines that a person pastes on the terminal while something else is waited
//! for: the redirect URL, where the callback cannot come by itself.
//!
//! Such a line is longer than the 4,096 bytes that a terminal's line mode
//! keeps, so the terminal is read byte by byte, without echo (the line holds a
//! code). Invariants: a background process neither reads nor changes the
//! terminal, and is not stopped; the terminal is as it was found after every
//! way out that runs [`Drop`], [`restore_terminal`] or the panic hook.

mod answer;
mod lines;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{PasteReader, restore_terminal};
#[cfg(windows)]
pub use windows::{PasteReader, restore_terminal};

pub use answer::read_answer;
pub use lines::LINE_LIMIT_BYTES;

use crate::exit::{Diagnosis, ExitCode};
use crate::secret::Secret;
use std::io::{self, BufRead};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Why no line could be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TerminalInputError {
    /// A line longer than [`LINE_LIMIT_BYTES`]. The next one may be better.
    #[error("the pasted line is longer than {LINE_LIMIT_BYTES} bytes")]
    LineTooLong,
    /// The terminal cannot be switched to reading byte by byte.
    #[error("the terminal cannot be prepared for pasting")]
    Terminal(#[source] io::Error),
    /// Standard input, which is not a terminal, cannot be read.
    #[error("standard input cannot be read")]
    StandardInput(#[source] io::Error),
}

impl Diagnosis for TerminalInputError {
    fn exit_code(&self) -> ExitCode {
        match self {
            TerminalInputError::LineTooLong => ExitCode::Protocol,
            TerminalInputError::Terminal(_) | TerminalInputError::StandardInput(_) => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            TerminalInputError::LineTooLong => {
                vec!["Paste the address that the browser ends on, and nothing else.".to_owned()]
            }
            TerminalInputError::Terminal(_) | TerminalInputError::StandardInput(_) => {
                vec!["Run the same command with --paste, and give it the address on standard input.".to_owned()]
            }
        }
    }
}

/// One line of standard input where it is not a terminal, read on a thread of
/// its own from the first call on.
#[derive(Debug, Default)]
pub struct PipedLine {
    line: Option<oneshot::Receiver<Result<Option<Secret>, TerminalInputError>>>,
    ended: bool,
}

impl PipedLine {
    /// The line, without its LF or CRLF, at most [`LINE_LIMIT_BYTES`] long;
    /// `None` when standard input has ended, and after the line. Bytes that are
    /// not UTF-8 come as U+FFFD. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`TerminalInputError::LineTooLong`] and [`TerminalInputError::StandardInput`].
    pub async fn next_line(&mut self) -> Result<Option<Secret>, TerminalInputError> {
        if self.ended {
            return Ok(None);
        }
        let line = match &mut self.line {
            Some(line) => line,
            None => {
                let (sender, line) = oneshot::channel();
                // not a task of the runtime, which would wait at its end for a line that never comes
                let reading = std::thread::Builder::new().name("input".to_owned());
                let started = reading.spawn(move || {
                    let _nobody_waits = sender.send(read_line(io::stdin().lock()));
                });
                started.map_err(TerminalInputError::StandardInput)?;
                self.line.insert(line)
            }
        };
        let line = line.await.unwrap_or(Ok(None));
        self.ended = true;
        line
    }
}

fn read_line(reader: impl BufRead) -> Result<Option<Secret>, TerminalInputError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_LIMIT_BYTES + 2));
    for byte in reader.bytes() {
        match byte.map_err(TerminalInputError::StandardInput)? {
            b'\n' => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(lines::line_of(&line)));
            }
            _ if line.len() > LINE_LIMIT_BYTES => return Err(TerminalInputError::LineTooLong),
            byte => line.push(byte),
        }
    }
    Ok((!line.is_empty()).then(|| lines::line_of(&line)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn line(bytes: &[u8]) -> Option<String> {
        read_line(bytes).unwrap().map(|line| line.expose().clone())
    }

    #[test]
    fn a_piped_line_ends_at_its_line_feed_or_at_the_end() {
        assert_eq!(line(b"http://a/?b\r\nmore").as_deref(), Some("http://a/?b"));
        assert_eq!(line(b"http://a/?b\n").as_deref(), Some("http://a/?b"));
        assert_eq!(line(b"http://a/?b").as_deref(), Some("http://a/?b"));
        assert_eq!(line(b"\n").as_deref(), Some(""));
        assert_eq!(line(b""), None);
        let long = vec![b'a'; LINE_LIMIT_BYTES];
        assert_eq!(line(&long).unwrap().len(), LINE_LIMIT_BYTES);
        assert!(matches!(
            read_line(&*vec![b'a'; 1 << 20]),
            Err(TerminalInputError::LineTooLong)
        ));
    }
}
