//! How results and errors reach the person or the script: results alone on
//! stdout; `error:`, `caused by:` and `hint:` lines, or one JSON object, on stderr.

use crate::error::{Error, ProcessError};
use crate::exit::ExitCode;
use crate::output::causes::causes;
use crate::output::sanitize::sanitize;
use crate::output::theme::{Role, Theme};
use serde_json::json;
use std::io::{self, Write};

/// How messages look.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// One JSON object a line.
    pub json: bool,
    pub colour: bool,
}

/// Writes a result to stdout and flushes it. A reader that has gone is no
/// error: the process then ends quietly.
///
/// # Errors
/// `ProcessError::Output`.
pub fn print(result: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(result).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.map_err(ProcessError::Output)?),
    }
}

/// Writes an error to stderr, unless it was reported in another way.
pub fn report(error: &Error, style: Style) {
    if error.is_reported() {
        return;
    }
    let text = if style.json {
        as_json(error)
    } else {
        as_text(error, style.colour)
    };
    write_message(&text);
}

/// Writes what the argument parser says to stderr.
pub fn report_usage(message: &str, style: Style) {
    let text = if style.json {
        let message = message.trim().trim_start_matches("error: ");
        // What is wrong stands before the first empty line, on one line or as a list.
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
        message.to_owned()
    };
    write_message(&text);
}

/// Writes a warning to stderr.
pub fn warn(text: &str, style: Style) {
    let text = if style.json {
        json!({ "warning": sanitize(text) }).to_string()
    } else {
        let label = Theme::new(style.colour).paint(Role::Warning, "warning:");
        format!("{label} {}", sanitize(text))
    };
    write_message(&format!("{text}\n"));
}

/// Writes one line about a request that the development server answered.
pub fn report_request(line: &str, refused: bool, style: Style) {
    let text = match (style.json, style.colour && refused) {
        (true, _) => json!({ "request": line }).to_string(),
        (false, true) => Theme::new(true).paint(Role::Warning, line),
        (false, false) => line.to_owned(),
    };
    write_message(&format!("{text}\n"));
}

/// Stderr that cannot be written leaves nobody to tell.
fn write_message(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn as_text(error: &Error, colour: bool) -> String {
    let theme = Theme::new(colour);
    let line = |role: Role, label: &str, text: &str| format!("{} {}\n", theme.paint(role, label), sanitize(text));
    let mut text = line(Role::Error, "error:", &error.to_string());
    for cause in causes(&**error) {
        text += &line(Role::Warning, "caused by:", &cause);
    }
    for hint in error.hints() {
        text += &line(Role::Hint, "hint:", &hint);
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
