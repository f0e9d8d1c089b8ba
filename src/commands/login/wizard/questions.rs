//! Questions at the terminal, in its own line mode: a line each, and choices
//! by number. What the network said is shown harmless and on one line.

use crate::app::context::Context;
use crate::args::settings::SettingsError;
use crate::error::Error;
use crate::foreign_text::sanitize;
use crate::output::wrap::{Lead, wrap};
use crate::trace::render::terminal::Terminal;
use crate::trace::{Event, Observer};
use crate::user_agent::terminal::read_answer;
use std::io::Write;

/// The person who is asked.
pub(super) struct Questions<'a> {
    pub(super) context: &'a Context,
    terminal: Terminal,
}

impl<'a> Questions<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        // A question must be seen whatever `--quiet` says: someone has to answer it.
        Questions {
            context,
            terminal: Terminal::on_stderr(context.terminal_settings(0, false)),
        }
    }

    /// One line.
    pub(super) fn tell(&mut self, text: &str) {
        self.terminal.observe(&Event::Outcome(text));
    }

    /// The answer to a question; the default, or nothing, where it is empty.
    ///
    /// # Errors
    /// [`SettingsError::Value`] where the terminal has ended (Ctrl-D).
    pub(super) fn ask(&mut self, question: &str, default: Option<&str>) -> Result<String, Error> {
        match (default, question.strip_suffix(':')) {
            (Some(default), Some(question)) => self.tell(&format!("{question} [{default}]:")),
            (Some(default), None) => self.tell(&format!("{question} [{default}]")),
            (None, _) => self.tell(question),
        }
        // the mark comes when signals are listened for: Ctrl-C at it ends with 130
        let answer = self.context.wait_for_person(async {
            let mut stderr = std::io::stderr();
            let _unseen = write!(stderr, "> ").and_then(|()| stderr.flush());
            read_answer().await
        });
        if !matches!(answer, Ok(Ok(Some(_)))) {
            // nobody pressed Enter: what is said next begins a line of its own
            let _unseen = writeln!(std::io::stderr());
        }
        match answer?? {
            Some(answer) if answer.is_empty() => Ok(default.unwrap_or_default().to_owned()),
            Some(answer) => Ok(answer),
            None => Err(no_answer()),
        }
    }

    /// The same until there is an answer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) fn ask_until_answered(&mut self, question: &str) -> Result<String, Error> {
        loop {
            let answer = self.ask(question, None)?;
            if !answer.is_empty() {
                return Ok(answer);
            }
        }
    }

    /// Which of the choices; the first by default.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) fn choose(&mut self, question: &str, choices: &[&str]) -> Result<usize, Error> {
        self.tell(question);
        self.list(choices);
        let which = format!("Choose 1 to {}:", choices.len());
        loop {
            let answer = self.ask(&which, Some("1"))?;
            match position(&answer, choices.len()) {
                Some(position) => return Ok(position),
                None => self.tell(&format!(
                    "there is no {}: type a number from 1 to {}",
                    sanitize(&answer),
                    choices.len()
                )),
            }
        }
    }

    /// The choices, numbered.
    pub(super) fn list(&mut self, choices: &[&str]) {
        for (position, choice) in choices.iter().enumerate() {
            let number = format!("  {:2} ", position + 1);
            let further = " ".repeat(number.len());
            let width = self.context.style.width;
            for row in wrap(width, Lead::plain(&number), Lead::plain(&further), &sanitize(choice)) {
                self.tell(&row);
            }
        }
    }
}

/// The position of a choice by its number.
pub(super) fn position(answer: &str, count: usize) -> Option<usize> {
    let number: usize = answer.parse().ok()?;
    (1..=count).contains(&number).then(|| number - 1)
}

fn no_answer() -> Error {
    SettingsError::Value {
        name: "the wizard".to_owned(),
        problem: "the terminal ended before all questions were answered".to_owned(),
        hint: Some("Nothing was saved. To log in without questions, see: oauth login --help".to_owned()),
    }
    .into()
}
