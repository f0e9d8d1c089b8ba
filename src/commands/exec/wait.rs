//! Elsewhere: this process waits for the command and ends as it does.

use crate::system::process;
use std::io;
use std::process::Command;

/// Returns only where the command could not be run.
pub(super) fn run_command(mut command: Command) -> io::Error {
    match wait(&mut command) {
        Ok(code) => std::process::exit(code),
        Err(error) => error,
    }
}

/// The console sends Ctrl-C to the command too; what it does about it counts.
fn wait(command: &mut Command) -> io::Result<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _in_runtime = runtime.enter();
    #[cfg(windows)]
    let _ctrl_c_is_handled = tokio::signal::windows::ctrl_c()?;
    let status = process::spawn(command)?.wait()?;
    Ok(status.code().unwrap_or(1))
}
