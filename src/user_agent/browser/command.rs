//! Which browsers to try, and how each is called.

use super::error::{BrowserError, URL_MARK};
use crate::system::command_words;
use std::path::Path;
use std::process::Command;

/// Between the entries of `$BROWSER`.
const LIST_SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

/// A browser command: words as a shell splits them, though no shell runs; or
/// the path of a program that has blanks in it, and arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserCommand {
    words: Vec<String>,
}

impl BrowserCommand {
    /// Splits a command into words. `given_by` is what errors name.
    ///
    /// # Errors
    /// [`BrowserError::Quote`] and [`BrowserError::Empty`].
    pub fn parse(command: &str, given_by: &'static str) -> Result<BrowserCommand, BrowserError> {
        let split = |text: &str| command_words::split(text).map_err(|_| BrowserError::Quote { given_by });
        let words = match program_with_blanks(command) {
            Some((program, arguments)) => [vec![program.to_owned()], split(arguments)?].concat(),
            None => split(command)?,
        };
        match words.first() {
            Some(program) if !program.is_empty() && !program.contains(URL_MARK) => Ok(BrowserCommand { words }),
            _ => Err(BrowserError::Empty { given_by }),
        }
    }

    pub(super) fn command(&self, url: &str) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words.map(|word| word.replace(URL_MARK, url)));
        if !self.names_url() {
            command.arg(url);
        }
        command
    }

    /// Whether an unsuccessful exit shows that nothing was opened. Windows'
    /// explorer, which WSL runs too, exits with 1 after it opened the URL.
    pub(super) fn has_meaningful_status(&self) -> bool {
        let program = self.words.first().map_or("", String::as_str);
        let name = program
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !matches!(name.as_str(), "explorer" | "explorer.exe")
    }

    fn names_url(&self) -> bool {
        self.words.iter().any(|word| word.contains(URL_MARK))
    }

    pub(super) fn without_url(&self) -> String {
        command_words::join(&self.words)
    }
}

/// A program whose path has blanks and is not quoted, as the variables of
/// desktops and of Windows have it: the longest beginning of the command that
/// is a file. Not one of the current folder, which may be of somebody else.
fn program_with_blanks(command: &str) -> Option<(&str, &str)> {
    let command = command.trim();
    let blanks = command.match_indices(' ').map(|(at, _)| at);
    let ends: Vec<usize> = blanks.chain([command.len()]).collect();
    let mut paths = ends.into_iter().rev().map(|end| command.split_at(end));
    paths.find(|(path, _)| path.contains(' ') && Path::new(path).is_absolute() && Path::new(path).is_file())
}

/// One way to open a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrowserLauncher {
    /// A command of the user's.
    Command(BrowserCommand),
    /// What the desktop is configured to use.
    System,
}

/// The ways to open a browser, in the order in which to try them: the one of
/// `--browser` alone if given; else those of `$BROWSER` and then the system's,
/// the latter only where there is a display for it.
///
/// # Errors
/// [`BrowserError::Quote`] and [`BrowserError::Empty`] for a command that
/// cannot be split, [`BrowserError::RelativePath`] for one of `$BROWSER`. An empty list is not an error: nothing is opened then.
pub fn candidates(
    browser_flag: Option<&str>,
    browser_variable: Option<&str>,
    display_found: bool,
) -> Result<Vec<BrowserLauncher>, BrowserError> {
    if let Some(command) = browser_flag {
        return Ok(vec![BrowserLauncher::Command(BrowserCommand::parse(
            command,
            "--browser",
        )?)]);
    }
    let mut launchers = Vec::new();
    for command in browser_variable.unwrap_or_default().split(LIST_SEPARATOR) {
        if !command.trim().is_empty() {
            if let Some(relative) = command_words::relative_path(command) {
                return Err(BrowserError::RelativePath { relative });
            }
            launchers.push(BrowserLauncher::Command(BrowserCommand::parse(command, "BROWSER")?));
        }
    }
    if display_found {
        launchers.push(BrowserLauncher::System);
    }
    Ok(launchers)
}
