//! `command:CMD`: what a command prints. No shell runs it; it gets no `OAUTH_*`
//! and an empty standard input, and its standard error is ours.

use super::error::SourceProblem;
use super::text::{MAX_TOKEN_BYTES, token_from_bytes};
use crate::secret::Secret;
use crate::store::TokenCommand;
use crate::system::environment::Environment;
use crate::system::program::{Limits, RunError, run};
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(30),
    // And a line ending, and one byte that shows that it is too long
    max_output_bytes: MAX_TOKEN_BYTES + 3,
    max_error_bytes: 0,
};

/// The token that the command prints.
pub(super) fn read(environment: &Environment, command: &TokenCommand) -> Result<Secret, SourceProblem> {
    let mut words = command.words().iter();
    let program = words.next().cloned().unwrap_or_default();
    let mut starting = Command::new(&program);
    starting
        .args(words)
        .env_clear()
        .envs(environment.for_children())
        .stderr(Stdio::inherit());
    let ended = run(&mut starting, &[], LIMITS).map_err(|error| match error {
        RunError::Missing => SourceProblem::NotRunnable {
            program: program.clone(),
            error: io::Error::from(io::ErrorKind::NotFound),
        },
        RunError::Failed(error) => SourceProblem::NotRunnable {
            program: program.clone(),
            error,
        },
        RunError::TimedOut => SourceProblem::CommandTimedOut {
            program: program.clone(),
            waited_s: LIMITS.deadline.as_secs(),
        },
    })?;
    // One that writes too much fails because of us.
    let is_cut_off = ended.output.len() == LIMITS.max_output_bytes;
    match ended.status.success() || is_cut_off {
        true => token_from_bytes(ended.output),
        false => Err(SourceProblem::CommandFailed {
            program,
            status: ended.status.to_string(),
        }),
    }
}
