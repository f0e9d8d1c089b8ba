//! The wizard: asks what a login needs, one question after the other, and
//! writes the answers down as the command line that it then runs. So the
//! command that it prints does the same.

mod access;
mod client;
mod place;
mod questions;
mod server;
mod storage;

use crate::app::context::Context;
use crate::args::cli::{Command, CommandLine};
use crate::args::login::{LoginCommand, LoginOptions};
use crate::args::settings::{self, SettingsError};
use crate::error::Error;
use crate::system::command_words;
use access::Way;
use questions::Questions;
use std::ffi::OsString;
use std::io::IsTerminal;

/// Whether questions are wanted: by `--wizard`, or since nothing says which server.
///
/// # Errors
/// [`SettingsError`] where they are and no person can be asked.
pub(super) fn is_wanted(context: &Context, command: &LoginCommand) -> Result<bool, Error> {
    let options = &command.options;
    let has_person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !context.style.json;
    if command.wizard {
        return match has_person {
            true => Ok(true),
            false => Err(SettingsError::Value {
                name: "--wizard".to_owned(),
                problem: "there is no terminal to ask questions at".to_owned(),
                hint: Some("Say what to log in to: oauth login URL --client-id ID".to_owned()),
            }
            .into()),
        };
    }
    let names_profile =
        options.target.is_some() || options.profile.is_some() || context.environment.has("OAUTH_PROFILE");
    let server = &options.server;
    let names_server = server.issuer.is_some()
        || server.provider.is_some()
        || server.authorization_endpoint.is_some()
        || server.token_endpoint.is_some();
    let is_for_a_person = options.session.stop_before.is_none() && !options.session.refresh_token_stdin;
    if !has_person || names_profile || names_server || !is_for_a_person {
        return Ok(false);
    }
    Ok(context.config()?.profiles().next().is_none())
}

/// Asks, logs in by `log_in`, and prints the command that does the same.
///
/// # Errors
/// Where no answer comes, and those of the login.
pub(super) fn run(
    context: &Context,
    command: &LoginCommand,
    log_in: impl FnOnce(&Context, &LoginOptions) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut questions = Questions::new(context);
    let words = ask(&mut questions, command)?;
    let line = CommandLine::parse_from_arguments(&words).map_err(|error| SettingsError::Value {
        name: "the wizard".to_owned(),
        problem: format!("the answers make no command line ({})", error.kind()),
        hint: None,
    })?;
    let Some(Command::Login(completed)) = line.command else {
        return Ok(());
    };
    settings::check_global(&line.global)?;
    let context = Context::new(
        line.global,
        context.environment.clone(),
        context.style,
        context.trace.clone(),
        context.deadline,
    );
    let outcome = log_in(&context, &completed.options);
    questions.tell("The same without questions:");
    questions.tell(&format!("    {}", shown(&words)));
    outcome
}

/// The command line that the answers make of the one that was typed.
fn ask(questions: &mut Questions<'_>, command: &LoginCommand) -> Result<Vec<OsString>, Error> {
    let options = &command.options;
    let config = questions.context.config()?;
    let server = server::ask(questions)?;
    let way = match options.request.grant.is_some() || options.request.device {
        true => Way::Browser,
        false => access::ask_way(questions, &server)?,
    };
    let mut answers = server.words.clone();
    answers.extend(way.words());
    let for_itself = way == Way::ClientCredentials;
    answers.extend(client::ask(questions, &server, for_itself, &options.client)?);
    if options.request.scope.is_empty() {
        let scopes = access::ask_scopes(questions, &server, way)?;
        if !scopes.is_empty() {
            answers.extend(["--scope".to_owned(), scopes.join(" ")]);
        }
    }
    let keeps_session = !options.session.no_store;
    if keeps_session {
        answers.extend(storage::ask_store(questions)?);
    }
    let mut words = complete(&command.words, &answers);
    if options.profile.is_none() && keeps_session {
        let profile = storage::ask_profile(questions, &config, &words)?;
        words.extend(profile.into_iter().map(OsString::from));
    }
    Ok(words)
}

/// The words that were typed, with the answers and without `--wizard`. A value
/// that looks like a flag is written as `--flag=value`.
fn complete(typed: &[OsString], answers: &[String]) -> Vec<OsString> {
    let mut words: Vec<OsString> = typed.iter().filter(|word| *word != "--wizard").cloned().collect();
    let mut answers = answers.iter().peekable();
    while let Some(word) = answers.next() {
        let is_flag = word.starts_with("--");
        match answers.peek() {
            Some(value) if is_flag && value.starts_with('-') && !value.starts_with("--") => {
                words.push(format!("{word}={value}").into());
                answers.next();
            }
            _ => words.push(word.into()),
        }
    }
    words
}

/// As a person types it.
fn shown(words: &[OsString]) -> String {
    let typed = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once("oauth".to_owned()).chain(typed).collect();
    command_words::join(&words)
}
