//! An answer that a person types where it may be seen: in the terminal's own
//! line mode, with its own keys for editing, and without any switching.

use super::TerminalInputError;
use std::io::{self, BufRead};
use tokio::sync::oneshot;

/// No answer is longer; a terminal's line mode keeps no more.
const MAX_ANSWER_BYTES: u64 = 4096;

/// The next line of standard input, trimmed; `None` where it has ended
/// (Ctrl-D). It is read on a thread of its own: one that was dropped before
/// its line came swallows that line, so it is for a process that then ends.
///
/// # Errors
/// [`TerminalInputError::StandardInput`].
pub async fn read_answer() -> Result<Option<String>, TerminalInputError> {
    let (sender, answer) = oneshot::channel();
    // not a task of the runtime, which would wait at its end for a line that never comes
    let reading = std::thread::Builder::new().name("answer".to_owned());
    let started = reading.spawn(move || {
        let _nobody_waits = sender.send(read_line(io::stdin().lock()));
    });
    started.map_err(TerminalInputError::StandardInput)?;
    answer.await.unwrap_or(Ok(None))
}

fn read_line(reader: impl BufRead) -> Result<Option<String>, TerminalInputError> {
    let mut line = Vec::new();
    let length = reader
        .take(MAX_ANSWER_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(TerminalInputError::StandardInput)?;
    Ok((length > 0).then(|| String::from_utf8_lossy(&line).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn an_answer_is_one_line_and_an_empty_one_is_not_the_end() {
        let mut input = &b" work \r\n\nlast"[..];
        let mut answers = Vec::new();
        while let Some(answer) = read_line(&mut input).unwrap() {
            answers.push(answer);
        }
        assert_eq!(answers, ["work", "", "last"]);
    }
}
