//! One file or folder a command; each has one `run`. This is the dispatch.

mod api_token;
mod check;
mod client_metadata;
mod completions;
mod credential;
mod decode;
mod demo;
mod discover;
mod exec;
mod fresh_or_login;
mod introspect;
mod login;
mod login_wait;
mod logout;
mod man;
mod mcp;
mod pkce;
mod profile;
mod providers;
mod request;
mod revoke;
mod serve;
mod status;
mod step_up;
mod token;
mod userinfo;

use crate::app::context::Context;
use crate::app::deadline::Deadline;
use crate::app::hint_commands::with_whole_commands;
use crate::app::observer;
use crate::app::token_source;
use crate::args::cli::{Command, CommandLine};
use crate::args::settings;
use crate::error::Error;
use crate::output::report::{self, Style};
use crate::system::environment::Environment;
use std::ffi::OsString;

/// Runs the command, which was typed as these arguments.
///
/// # Errors
/// [`Error`], which knows its exit code.
pub fn dispatch(
    command_line: CommandLine,
    arguments: Vec<OsString>,
    environment: Environment,
    style: Style,
) -> Result<(), Error> {
    let Some(command) = command_line.command else {
        return report::print(CommandLine::definition().render_help().to_string().as_bytes());
    };
    settings::check_global(&command_line.global)?;
    let trace = observer::open_trace((command.name(), &arguments), &command_line.global, &environment)?;
    let name = command.name();
    let deadline = Deadline::start(&command_line.global, &environment, style)?;
    let mut context = Context::new(command_line.global, environment, style, trace, deadline);
    context.command = name;
    context.arguments = arguments;
    context.stdin_is_taken = command.takes_stdin();
    context.prepare_sources = token_source::prepare;
    let outcome = run(&context, command).map_err(|error| {
        let error = match context.deadline {
            Some(deadline) => deadline.explain(error),
            None => error,
        };
        with_whole_commands(&context.global, context.explain_missing_config(error))
    });
    match &outcome {
        Ok(()) => context.finish_trace(),
        Err(error) => context.trace_failure(error),
    }
    outcome
}

fn run(context: &Context, command: Command) -> Result<(), Error> {
    match command {
        // A page of the stack costs time where it is used first, and `oauth token` runs often
        Command::Token(command) => token::run(context, &command),
        command => run_any(context, command),
    }
}

/// Takes as much of the stack as the command that needs the most.
#[inline(never)]
fn run_any(context: &Context, command: Command) -> Result<(), Error> {
    match command {
        Command::Login(command) => login::run(context, &command),
        Command::Token(command) => token::run(context, &command),
        Command::Exec(options) => exec::run(context, &options),
        Command::Request(options) => request::run(context, &options),
        Command::Mcp(options) => mcp::run(context, &options),
        Command::Credential(command) => credential::run(context, &command),
        Command::Logout(options) => logout::run(context, &options),
        Command::Status(options) => status::run(context, &options),
        Command::Profile(command) => profile::run(context, &command),
        Command::Decode(options) => decode::run(context, &options),
        Command::ClientMetadata(options) => client_metadata::run(context, &options),
        Command::Pkce(options) => pkce::run(context, &options),
        Command::Userinfo(input) => userinfo::run(context, &input),
        Command::Introspect(input) => introspect::run(context, &input),
        Command::Revoke(input) => revoke::run(context, &input),
        Command::Check(options) => check::run(context, &options),
        Command::Discover(options) => discover::run(context, &options),
        Command::Serve(options) => serve::run(context, &options),
        Command::Demo(options) => demo::run(context, &options),
        Command::Providers(options) => providers::run(context, &options),
        Command::Man(options) => man::run(&options),
        Command::Completions { shell } => completions::run(shell),
        Command::ProfileNames => completions::profile_names(context),
    }
}
