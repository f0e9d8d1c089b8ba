//! Standard input: secrets without echo, and pasted redirect URLs.

use crate::app::context::Context;
use crate::args::settings;
use crate::error::{Error, ProcessError};
use crate::flow::login::{PasteEvent, PasteSource};
use crate::secret::Secret;
use crate::trace::{Event, Observer};
use crate::user_agent::terminal::{PasteReader, PipedLine, TerminalInputError};
use std::io::{self, Read};
use std::pin::Pin;

/// How often a person may mistype a number.
const MAX_ATTEMPTS: usize = 5;

/// No secret is longer.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// All of standard input; one line, unseen, where a person types.
pub(crate) fn read_secret_from_stdin(context: &Context, flag: &str) -> Result<Secret, Error> {
    if let Some(mut reader) = PasteReader::open()? {
        let what = flag
            .trim_start_matches("--")
            .trim_end_matches("-stdin")
            .replace('-', " ");
        context.observer().observe(&Event::Outcome(&format!(
            "{what} (it is not shown while you type), then Enter:"
        )));
        let line = context.wait_for_person(reader.next_line())??;
        let typed = line.map(|line| line.expose().clone().into_bytes()).unwrap_or_default();
        return Ok(settings::secret_from_bytes(flag, typed)?);
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MAX_SECRET_BYTES)
        .read_to_end(&mut bytes)
        .map_err(ProcessError::Input)?;
    Ok(settings::secret_from_bytes(flag, bytes)?)
}

/// Asks a person for one of several things; `None` where no person can be asked.
///
/// # Errors
/// A signal, the deadline, or standard input.
pub(crate) fn choose_one(context: &Context, question: &str, choices: &[&str]) -> Result<Option<usize>, Error> {
    if context.stdin_is_taken || context.style.json {
        return Ok(None);
    }
    let Some(mut reader) = PasteReader::open()? else {
        return Ok(None);
    };
    let mut observer = context.observer();
    observer.observe(&Event::Outcome(question));
    for (position, choice) in choices.iter().enumerate() {
        observer.observe(&Event::Outcome(&format!("  {}  {choice}", position + 1)));
    }
    observer.observe(&Event::Outcome("Which one? Type its number, then Enter:"));
    for _ in 0..MAX_ATTEMPTS {
        let Some(line) = context.wait_for_person(reader.next_line())?? else {
            return Ok(None);
        };
        let number: Option<usize> = line.expose().trim().parse().ok();
        if let Some(number) = number.filter(|number| (1..=choices.len()).contains(number)) {
            return Ok(Some(number - 1));
        }
        observer.observe(&Event::Outcome(&format!(
            "that is not a number from 1 to {}:",
            choices.len()
        )));
    }
    Ok(None)
}

/// Lines from the terminal beside the listener, or one from a pipe with `--paste`.
pub(crate) enum StandardInput {
    Terminal(PasteReader),
    Pipe(PipedLine),
}

impl PasteSource for StandardInput {
    fn next_line(&mut self) -> Pin<Box<dyn Future<Output = PasteEvent> + '_>> {
        Box::pin(async {
            let line = match self {
                StandardInput::Terminal(reader) => reader.next_line().await,
                StandardInput::Pipe(line) => line.next_line().await,
            };
            match line {
                Ok(Some(line)) => PasteEvent::Line(line),
                Err(TerminalInputError::LineTooLong) => PasteEvent::TooLong,
                Ok(None) | Err(_) => PasteEvent::End,
            }
        })
    }

    fn is_terminal(&self) -> bool {
        matches!(self, StandardInput::Terminal(_))
    }
}

pub(crate) fn open_paste_source(paste_only: bool, stdin_is_taken: bool) -> Result<Option<StandardInput>, Error> {
    if stdin_is_taken {
        return Ok(None);
    }
    match PasteReader::open()? {
        Some(reader) => Ok(Some(StandardInput::Terminal(reader))),
        None => Ok(paste_only.then(|| StandardInput::Pipe(PipedLine::default()))),
    }
}
