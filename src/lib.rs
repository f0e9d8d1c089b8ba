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
mod hex;
pub mod output;
pub mod protocol;
pub mod rules;
pub mod secret;
mod server;
pub mod store;
mod system;
pub mod trace;
pub mod transport;
pub mod user_agent;

use args::cli::{self, CommandLine};
use args::settings;
use clap::ValueEnum;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use output::report::{self, Style};
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
    };
    match commands::dispatch(command_line, environment, style) {
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

/// Help and version are results; everything else the parser says is an error.
fn usage(mut error: clap::Error, arguments: &[OsString], environment: &Environment) -> u8 {
    if error.kind() == ErrorKind::TooManyValues {
        // A value for a flag that takes none may be a secret in the wrong place.
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    let is_result = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_terminal = if is_result {
        std::io::stdout().is_terminal()
    } else {
        std::io::stderr().is_terminal()
    };
    let colour = settings::colour(asked_colour(arguments), environment, is_terminal);
    let message = error.render();
    let text = if colour {
        message.ansi().to_string()
    } else {
        message.to_string()
    };
    if is_result {
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
        },
    );
    exit::ExitCode::Usage.code()
}
