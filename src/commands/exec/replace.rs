//! Unix: the command becomes this process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Returns only where the command could not be run.
pub(super) fn run_command(mut command: Command) -> io::Error {
    command.exec()
}
