//! Standard input and output, each with a thread of its own that may wait.

use crate::error::{Error, ProcessError};
use crate::output::report;
use crate::protocol::mcp::MAX_MESSAGE_BYTES;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that wait on either side.
const MAX_WAITING_MESSAGES: usize = 16;

/// How long the client may take to read the last messages.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// A line of standard input.
pub(super) enum Line {
    Message(Vec<u8>),
    TooLong,
}

/// Reads standard input line by line; it ends where that ends.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn read_lines() -> Result<mpsc::Receiver<Line>, Error> {
    let (sender, lines) = mpsc::channel(MAX_WAITING_MESSAGES);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut input = BufReader::new(io::stdin());
            while let Ok(Some(line)) = next_line(&mut input) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        })
        .map_err(ProcessError::Thread)?;
    Ok(lines)
}

fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let limit = MAX_MESSAGE_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() <= MAX_MESSAGE_BYTES {
        return Ok(Some(Line::Message(line)));
    }
    while !line.ends_with(b"\n") {
        line.clear();
        if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
    }
    Ok(Some(Line::TooLong))
}

/// Writes messages to standard output.
pub(super) struct Output {
    pub(super) messages: mpsc::Sender<Vec<u8>>,
    written: Receiver<()>,
}

impl Output {
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start() -> Result<Self, Error> {
        let (messages, mut waiting) = mpsc::channel::<Vec<u8>>(MAX_WAITING_MESSAGES);
        let (done, written) = channel();
        std::thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(move || {
                while let Some(message) = waiting.blocking_recv() {
                    if !report::print_piece(&message).is_ok_and(|is_read| is_read) {
                        break;
                    }
                }
                drop(waiting);
                // Whoever waits may have given up.
                let _ = done.send(());
            })
            .map_err(ProcessError::Thread)?;
        Ok(Output { messages, written })
    }

    /// Waits until everything is written, if someone reads it.
    pub(super) fn finish(self) {
        drop(self.messages);
        let _ = self.written.recv_timeout(LAST_WRITES);
    }
}
