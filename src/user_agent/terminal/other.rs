//! Where there is no Unix terminal: the console's own line mode, which keeps
//! lines long enough and leaves nothing to restore.

use super::lines::Input;
use super::{TerminalInputError, read_line};
use crate::secret::Secret;
use std::io::{IsTerminal, stdin};
use tokio::sync::mpsc;

/// Nothing is switched here, so nothing is to be restored.
pub fn restore_terminal() {}

/// Reads pasted lines from the console, on a thread of its own.
#[derive(Debug)]
pub struct PasteReader {
    lines: mpsc::Receiver<Input>,
}

impl PasteReader {
    /// Reads from standard input; `None` if that is no terminal.
    ///
    /// # Errors
    /// [`TerminalInputError::Terminal`].
    pub fn open() -> Result<Option<PasteReader>, TerminalInputError> {
        if !stdin().is_terminal() {
            return Ok(None);
        }
        let (sender, lines) = mpsc::channel(1);
        std::thread::Builder::new()
            .name("paste".to_owned())
            .spawn(move || {
                loop {
                    let input = match read_line(stdin().lock()) {
                        Ok(Some(line)) if line.expose().trim().is_empty() => continue,
                        Ok(Some(line)) => Input::Line(line),
                        Err(TerminalInputError::LineTooLong) => Input::TooLong,
                        Ok(None) | Err(_) => Input::End,
                    };
                    let ended = matches!(input, Input::End);
                    if sender.blocking_send(input).is_err() || ended {
                        return;
                    }
                }
            })
            .map_err(TerminalInputError::Terminal)?;
        Ok(Some(PasteReader { lines }))
    }

    /// Whether pasting would be heard now.
    pub fn is_listening(&self) -> bool {
        !self.lines.is_closed()
    }

    /// The next line that is not blank; `None` when there will be no more.
    /// Dropping the future loses none.
    ///
    /// # Errors
    /// [`TerminalInputError::LineTooLong`], after which the next line may come.
    pub async fn next_line(&mut self) -> Result<Option<Secret>, TerminalInputError> {
        match self.lines.recv().await {
            Some(Input::Line(line)) => Ok(Some(line)),
            Some(Input::TooLong) => Err(TerminalInputError::LineTooLong),
            Some(Input::End | Input::Suspend) | None => Ok(None),
        }
    }
}
