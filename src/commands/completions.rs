//! `oauth completions`: scripts for five shells, made from the same
//! definition as the parser. Profile names come from a hidden command.

use super::Context;
use crate::cli::{CommandLine, Shell};
use crate::error::Error;
use crate::report;
use clap::CommandFactory;
use clap_complete::Shell as Generator;

pub(super) fn run(shell: Shell) -> Result<(), Error> {
    report::print(&script(shell))
}

/// The completion script of a shell.
fn script(shell: Shell) -> Vec<u8> {
    let generator = match shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Powershell => Generator::PowerShell,
        Shell::Elvish => Generator::Elvish,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut CommandLine::command(), "oauth", &mut script);
    script
}

/// One name a line; nothing where the configuration cannot be read, since a
/// completion must not print errors into the line being typed.
pub(super) fn profile_names(context: &Context) -> Result<(), Error> {
    let Ok(config) = context.config() else { return Ok(()) };
    let names: String = config.profiles().map(|(name, _)| format!("{name}\n")).collect();
    report::print(names.as_bytes())
}
