//! How results and errors reach the person or the script: results alone on
//! stdout; `error:`, `caused by:` and `hint:` lines, or one JSON object, on stderr.

use crate::error::{Error, ProcessError};
use crate::exit::ExitCode;
use crate::foreign_text::{sanitize, sanitize_json};
use crate::output::causes::causes;
use crate::output::message::message_rows;
use crate::output::theme::{Role, Theme};
use crate::output::wrap::{Lead, wrap};
use crate::system::process;
use serde_json::json;
use std::io::{self, IsTerminal, Write};

/// How messages look.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// One JSON object a line.
    pub json: bool,
    pub colour: bool,
    /// How many columns the terminal has; `None` where standard error is none.
    pub width: Option<usize>,
}

impl Style {
    /// A line with its label; on a terminal in rows.
    fn labelled(self, role: Role, label: &str, text: &str) -> String {
        let lead = format!("{} ", Theme::new(self.colour).paint(role, label));
        let first = Lead {
            text: &lead,
            columns: label.len() + 1,
        };
        message_rows(self.width, first, &sanitize(text)).join("\n") + "\n"
    }
}

/// Writes a result to stdout and flushes it. A reader that has gone is no
/// error: the process then ends quietly.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print(result: &[u8]) -> Result<(), Error> {
    print_piece(result).map(drop)
}

/// Writes a result for a person, in lines. On a terminal a long one goes on
/// further in, so that no text in it begins a row.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print_lines(result: &str) -> Result<(), Error> {
    let width = stdout_width();
    let wrapped = result.lines().flat_map(|line| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let further = " ".repeat(indent + 4);
        wrap(
            width,
            Lead::plain(&line[..indent]),
            Lead::plain(&further),
            &line[indent..],
        )
    });
    let text: String = wrapped.map(|line| line + "\n").collect();
    print(text.as_bytes())
}

/// How many columns the terminal at standard output has; `None` where it is none.
pub fn stdout_width() -> Option<usize> {
    let is_terminal = io::stdout().is_terminal();
    let size = is_terminal.then(|| terminal_size::terminal_size_of(io::stdout()));
    size.flatten().map(|(width, _)| usize::from(width.0))
}

/// Writes a result that is JSON already, or lines for a person.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print_json_or_lines(result: &str, is_json: bool) -> Result<(), Error> {
    match is_json {
        true => print(result.as_bytes()),
        false => print_lines(result),
    }
}

/// Writes a result that is JSON, on one line.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print_json(result: &serde_json::Value) -> Result<(), Error> {
    print((sanitize_json(&result.to_string()) + "\n").as_bytes())
}

/// Writes a piece of a result that is too long for one. `false` where the
/// reader has gone and the rest is not needed.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print_piece(piece: &[u8]) -> Result<bool, Error> {
    match write_result(piece) {
        Err(ProcessError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}

/// The same for a token: a reader that has gone did not get it.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print_token(result: &[u8]) -> Result<(), Error> {
    Ok(write_result(result)?)
}

fn write_result(result: &[u8]) -> Result<(), ProcessError> {
    // It has become /dev/null by now, which takes everything
    if process::stdout_was_closed() {
        return Err(ProcessError::OutputClosed);
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(result).and_then(|()| stdout.flush());
    written.map_err(ProcessError::Output)
}

/// Writes an error to stderr, unless it was reported in another way.
pub fn report(error: &Error, style: Style) {
    if error.is_reported() {
        return;
    }
    let text = if style.json {
        as_json(error)
    } else {
        as_text(error, style)
    };
    write_message(&text);
}

/// Writes what the argument parser says to stderr.
pub fn report_usage(message: &str, style: Style) {
    let text = if style.json {
        let message = message.trim().trim_start_matches("error: ");
        // What is wrong is before the first empty line, on one line or as a list.
        let (what, rest) = message.split_once("\n\n").unwrap_or((message, ""));
        let what = what.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let hints: Vec<&str> = rest
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("Usage:"))
            .map(|line| line.trim_start_matches("tip: "))
            .collect();
        let code = ExitCode::Usage;
        json!({ "error": {
            "name": code.name(), "exit_code": code.code(), "message": what, "causes": [], "hints": hints,
        }})
        .to_string()
            + "\n"
    } else {
        wrap_usage(message, style.width)
    };
    write_message(&text);
}

/// The lines of the argument parser; a usage line is a command, and stays whole.
fn wrap_usage(message: &str, width: Option<usize>) -> String {
    let rows = message.lines().flat_map(|line| {
        let words = line.trim_start_matches(' ');
        let indent = &line[..line.len() - words.len()];
        let width = width.filter(|_| !line.contains("Usage:"));
        let further = format!("{indent}    ");
        wrap(width, Lead::plain(indent), Lead::plain(&further), words)
    });
    rows.map(|row| row + "\n").collect()
}

/// Writes a warning to stderr.
pub fn warn(text: &str, style: Style) {
    let text = if style.json {
        json!({ "warning": sanitize(text) }).to_string() + "\n"
    } else {
        style.labelled(Role::Warning, "warning:", text)
    };
    write_message(&text);
}

/// Writes one line about a request that the development server answered.
pub fn report_request(line: &str, refused: bool, style: Style) {
    let text = match (style.json, style.colour && refused) {
        (true, _) => json!({ "request": line }).to_string(),
        (false, coloured) => {
            let rows = wrap(style.width, Lead::plain(""), Lead::plain("    "), line).join("\n");
            if coloured {
                Theme::new(true).paint(Role::Warning, &rows)
            } else {
                rows
            }
        }
    };
    write_message(&format!("{text}\n"));
}

/// If stderr cannot be written, there is nowhere to report it.
fn write_message(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn as_text(error: &Error, style: Style) -> String {
    let mut text = style.labelled(Role::Error, "error:", &error.to_string());
    for cause in causes(&**error) {
        text += &style.labelled(Role::Warning, "caused by:", &cause);
    }
    for hint in error.hints() {
        text += &style.labelled(Role::Hint, "hint:", &hint);
    }
    text
}

fn as_json(error: &Error) -> String {
    let code = error.exit_code();
    let mut object = json!({
        "name": code.name(),
        "exit_code": code.code(),
        "message": sanitize(&error.to_string()),
        "causes": causes(&**error).iter().map(|cause| sanitize(cause)).collect::<Vec<_>>(),
        "hints": error.hints().iter().map(|hint| sanitize(hint)).collect::<Vec<_>>(),
    });
    if let Some((name, description)) = error.oauth_error() {
        object["oauth_error"] = json!(sanitize(name));
        object["oauth_error_description"] = json!(description.map(sanitize));
    }
    json!({ "error": object }).to_string() + "\n"
}
