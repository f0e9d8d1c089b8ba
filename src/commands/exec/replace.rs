//! Unix: the command becomes this process.

use crate::system::process;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Returns only where the command could not be run.
pub(super) fn run_command(mut command: Command) -> io::Error {
    process::restore_core_limit();
    command.exec()
}
