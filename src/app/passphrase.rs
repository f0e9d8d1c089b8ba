//! Asks for the passphrase of the file store, on a terminal and without echo.

use crate::app::context::{Context, wait_for_person};
use crate::app::deadline::Deadline;
use crate::args::settings;
use crate::error::Error;
use crate::secret::Secret;
use crate::store::{PassphrasePrompt, PassphraseUse};
use crate::trace::render::terminal::Terminal;
use crate::trace::{Event, Observer};
use crate::user_agent::terminal::PasteReader;
use std::io::IsTerminal;

/// How often two different passphrases are answered with the question again.
const ATTEMPTS: u32 = 3;

/// How to ask, or `None` where standard input is not a terminal.
pub(crate) fn ask_passphrase(context: &Context) -> Option<PassphrasePrompt> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    // A question must be seen whatever `--quiet` says: someone has to answer it.
    let shown = context.terminal_settings(0, false);
    let deadline = context.deadline;
    Some(PassphrasePrompt::by(move |purpose| {
        ask(purpose, deadline, &mut Terminal::on_stderr(shown)).map_err(Error::into_diagnosis)
    }))
}

fn ask(purpose: PassphraseUse, deadline: Option<Deadline>, observer: &mut dyn Observer) -> Result<Secret, Error> {
    wait_for_person(deadline, ask_at_terminal(purpose, observer))?
}

async fn ask_at_terminal(purpose: PassphraseUse, observer: &mut dyn Observer) -> Result<Secret, Error> {
    // From this pause on signals are heard: before the terminal is switched, and before anyone is asked.
    tokio::task::yield_now().await;
    let mut reader = PasteReader::open()?;
    if purpose == PassphraseUse::Open {
        let question = "the passphrase of the stored session (it is not shown while you type), then Enter:";
        return read_typed(&mut reader, question, observer).await;
    }
    let mut question = "a passphrase for the stored session (it is not shown while you type), then Enter:";
    for _ in 0..ATTEMPTS {
        let first = read_typed(&mut reader, question, observer).await?;
        let second = read_typed(&mut reader, "the same again:", observer).await?;
        if first.expose() == second.expose() {
            return Ok(first);
        }
        question = "Passphrases do not match. A passphrase for the stored session:";
    }
    Err(settings::SettingsError::Value {
        name: "the passphrase".to_owned(),
        problem: "it was typed differently the second time".to_owned(),
        hint: None,
    }
    .into())
}

async fn read_typed(
    reader: &mut Option<PasteReader>,
    question: &str,
    observer: &mut dyn Observer,
) -> Result<Secret, Error> {
    observer.observe(&Event::Outcome(question));
    let line = match reader {
        Some(reader) => reader.next_line().await?,
        None => None,
    };
    let bytes = line.map(|line| line.expose().clone().into_bytes()).unwrap_or_default();
    Ok(settings::secret_from_bytes("the passphrase", bytes)?)
}
