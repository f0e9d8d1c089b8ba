//! Help that fits a screen: the options of every command are not repeated
//! under each, but listed once by `oauth help options`.

use super::{CommandLine, GlobalOptions};
use clap::{Args, Command, CommandFactory, Parser};
use std::ffi::OsString;

/// The last line of every help.
const FOOTER: &str = "Options of every command (-v, --json, --trace FILE …): oauth help options";

/// Options of every command
///
/// They can be given before or after the command.
#[derive(Debug, Parser)]
#[command(
    name = "oauth",
    max_term_width = 80,
    disable_help_flag = true,
    help_template = "{about-with-newline}\nUsage: oauth [OPTIONS] [COMMAND]\n\n{all-args}{after-help}"
)]
struct OptionsHelp {
    #[command(flatten)]
    global: GlobalOptions,
}

/// The definition that is parsed with. It hides the options of every command
/// in the help of each.
pub(super) fn definition() -> Command {
    let global = GlobalOptions::augment_args(Command::new("oauth"));
    let names = global.get_arguments().map(|argument| argument.get_id().clone());
    let command = names.fold(CommandLine::command(), |command, name| {
        command.mut_arg(name, |argument| argument.hide(true))
    });
    // A check takes the options of a login, and saves none of them.
    let command = command.mut_subcommand("check", |check| {
        check.mut_arg("profile", |profile| {
            profile
                .help("Profile to use; options given here hold for this check and are not saved [env: OAUTH_PROFILE]")
        })
    });
    // Without a name it is about all of them, whatever the variable says.
    let command = command.mut_subcommand("status", |status| {
        status
            .mut_arg("argument", |name| {
                name.help("Profile name, or the server's URL; without it, all profiles")
            })
            .mut_arg("option", |name| name.help("Profile name"))
    });
    with_footer(command)
}

fn with_footer(command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|inner| inner.get_name().to_owned())
        .collect();
    let command = names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, with_footer));
    let footer = match command.get_after_help() {
        Some(text) => format!("{text}\n\n{FOOTER}"),
        None => FOOTER.to_owned(),
    };
    command.after_help(footer)
}

/// What `oauth help options` prints, where that was typed.
pub(super) fn options_help(arguments: &[OsString]) -> Option<clap::Error> {
    let is_asked = matches!(arguments, [_, help, options] if help == "help" && options == "options");
    is_asked.then(|| {
        let mut command = OptionsHelp::command().disable_help_flag(false);
        let asked = ["oauth", "--help"];
        command.try_get_matches_from_mut(asked).err()
    })?
}
