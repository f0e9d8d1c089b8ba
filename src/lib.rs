//! The OAuth 2.0 authorization code flow with PKCE from a terminal.
//!
//! The binary `oauth` is this library behind a thin `main`. Imports point
//! down only; `ARCHITECTURE.md` has the picture and `tests/architecture.rs`
//! keeps it true.

mod app;
mod args;
mod check;
mod commands;
mod error;
pub mod exit;
pub mod fault;
mod flow;
pub mod foreign_text;
mod hex;
pub mod output;
pub mod protocol;
mod providers;
pub mod rules;
pub mod secret;
mod server;
mod spelling;
pub mod store;
mod system;
pub mod trace;
pub mod transport;
pub mod user_agent;

use args::cli::{self, CommandLine};
use args::settings;
use clap::ValueEnum;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use foreign_text::{sanitize, sanitize_unbounded};
use output::report::{self, Style};
use output::usage_text::{align_value_lists, without_colours};
use std::ffi::OsString;
use std::io::IsTerminal;
use system::environment::Environment;

/// Parses, resolves, dispatches and reports; returns the exit code.
pub fn run(arguments: Vec<OsString>) -> u8 {
    system::process::harden();
    let environment = Environment::of_process();
    let command_line = match CommandLine::parse_from_arguments(&arguments) {
        Ok(command_line) => command_line,
        Err(error) => return usage(error, &arguments, &environment),
    };
    let stderr_is_terminal = std::io::stderr().is_terminal();
    let style = Style {
        json: command_line.global.json,
        colour: settings::colour(command_line.global.color, &environment, stderr_is_terminal),
        width: stderr_is_terminal.then(app::context::terminal_width).flatten(),
    };
    match commands::dispatch(command_line, arguments, environment, style) {
        Ok(()) => 0,
        Err(error) => {
            report::report(&error, style);
            error.exit_code().code()
        }
    }
}

/// What `--color` says in arguments that the parser did not take.
fn asked_colour(arguments: &[OsString]) -> cli::Colour {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    let mut asked = cli::Colour::Auto;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(Ok(colour)) = value.map(|value| cli::Colour::from_str(value, false)) {
            asked = colour;
        }
    }
    asked
}

/// The parser's own suggestions, held to the rule of all the others: what is
/// not really near is not what was meant, and may delete something.
fn keep_near_suggestions(error: &mut clap::Error) {
    for (typed, suggested) in [
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ] {
        let Some(ContextValue::String(typed)) = error.get(typed) else {
            continue;
        };
        let near = match error.get(suggested) {
            Some(ContextValue::String(known)) => spelling::nearest(typed, [known.as_str()]),
            Some(ContextValue::Strings(known)) => spelling::nearest(typed, known.iter().map(String::as_str)),
            _ => continue,
        };
        match near.map(str::to_owned) {
            Some(near) => error.insert(suggested, ContextValue::Strings(vec![near])),
            None => error.remove(suggested),
        };
    }
}

/// What to type in the place of curl's `-X METHOD`, which is no option of `oauth request`.
fn suggest_method_first(error: &mut clap::Error, arguments: &[OsString]) {
    let is_request = arguments.iter().any(|argument| argument == "request");
    let unknown = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(typed)) if typed == "-X" || typed == "--request");
    if is_request && unknown {
        let tip = "write the method before the URL: oauth request POST URL";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        error.remove(ContextKind::SuggestedArg);
    }
}

/// Arguments in a usage error are foreign text: a script may have put anything there.
fn sanitize_values(error: &mut clap::Error) {
    let values: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(sanitize(text)))),
            ContextValue::Strings(texts) => {
                let texts = texts.iter().map(|text| sanitize(text)).collect();
                Some((kind, ContextValue::Strings(texts)))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in values {
        error.insert(kind, value);
    }
}

/// The same lines without what steers a terminal.
fn sanitize_lines(text: &str) -> String {
    text.split('\n').map(sanitize_unbounded).collect::<Vec<_>>().join("\n")
}

/// The command line of `oauth exec` with the `--` that it lacks, where a word
/// of the command was taken for an argument too many.
fn exec_with_dashes(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(unexpected)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mut words: Vec<String> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let exec = words.iter().position(|word| word == "exec")?;
    // the profile comes first
    let command = exec + 2 + words.iter().skip(exec + 2).position(|word| word == unexpected)?;
    if error.kind() != ErrorKind::UnknownArgument || unexpected.starts_with('-') {
        return None;
    }
    words.insert(command, "--".to_owned());
    Some(format!("oauth {}", shell_words::join(words)))
}

/// Help and version are results; everything else the parser says is an error.
fn usage(mut error: clap::Error, arguments: &[OsString], environment: &Environment) -> u8 {
    if error.kind() == ErrorKind::TooManyValues {
        // A value for a flag that takes none may be a secret in the wrong place.
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    keep_near_suggestions(&mut error);
    suggest_method_first(&mut error, arguments);
    sanitize_values(&mut error);
    if let Some(whole) = exec_with_dashes(&error, arguments) {
        let tip = format!("the command comes after --: {}", sanitize(&whole));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    let is_result = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_terminal = if is_result {
        std::io::stdout().is_terminal()
    } else {
        std::io::stderr().is_terminal()
    };
    let colour = settings::colour(asked_colour(arguments), environment, is_terminal);
    let message = error.render();
    let coloured = message.ansi().to_string();
    // What a value's own parser says is not a context, so colours go where it is not harmless.
    let bare = without_colours(&coloured);
    let text = if colour && sanitize_lines(&bare) == bare {
        coloured
    } else {
        sanitize_lines(&message.to_string())
    };
    if is_result {
        let text = align_value_lists(&text, report::stdout_width());
        return match report::print(text.as_bytes()) {
            Ok(()) => 0,
            Err(error) => error.exit_code().code(),
        };
    }
    let json = arguments.iter().any(|argument| argument == "--json");
    report::report_usage(
        &text,
        Style {
            json,
            colour: colour && !json,
            width: is_terminal.then(app::context::terminal_width).flatten(),
        },
    );
    exit::ExitCode::Usage.code()
}
