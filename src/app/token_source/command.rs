//! `command:CMD`: what a command prints. No shell runs it; it gets no `OAUTH_*`
//! and no standard input, and its standard error is ours.

use super::error::SourceProblem;
use super::text::{MAX_TOKEN_BYTES, token_from_bytes};
use crate::secret::Secret;
use crate::store::TokenCommand;
use crate::system::environment::Environment;
use crate::system::process;
use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long it may take.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The longest pause between two looks whether it has ended.
const MAX_PAUSE: Duration = Duration::from_millis(5);

/// The token that the command prints.
pub(super) fn read(environment: &Environment, command: &TokenCommand) -> Result<Secret, SourceProblem> {
    let (program, arguments) = command.words().split_first().unwrap_or((const { &String::new() }, &[]));
    let not_runnable = |error| SourceProblem::NotRunnable {
        program: program.clone(),
        error,
    };
    let mut starting = Command::new(program);
    starting
        .args(arguments)
        .env_clear()
        .envs(environment.for_children())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let deadline = Instant::now() + MAX_WAIT;
    let mut child = process::spawn(&mut starting).map_err(not_runnable)?;
    let ended = run(&mut child, deadline);
    if !matches!(ended, Ok(Some(_))) {
        let _gone_already = child.kill();
        let _ = child.wait();
    }
    let Some((output, status)) = ended.map_err(not_runnable)? else {
        return Err(SourceProblem::CommandTimedOut {
            program: program.clone(),
            waited_s: MAX_WAIT.as_secs(),
        });
    };
    match status.success() {
        true => token_from_bytes(output),
        false => Err(SourceProblem::CommandFailed {
            program: program.clone(),
            status: status.to_string(),
        }),
    }
}

/// What the command printed, and how it ended; `None` where it did not in time.
fn run(child: &mut Child, deadline: Instant) -> io::Result<Option<(Zeroizing<Vec<u8>>, ExitStatus)>> {
    let Some(stdout) = child.stdout.take() else {
        return Ok(None);
    };
    let printed = collect(stdout)?;
    let output = match printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(output) => output?,
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(None),
    };
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some((output, status))),
            None if Instant::now() < deadline => thread::sleep(pause),
            None => return Ok(None),
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Reads on a thread of its own: a command that does not end must not keep us
/// beyond the deadline. What is too long is not read to its end, so that a
/// command that goes on writing fails.
fn collect(stdout: ChildStdout) -> io::Result<Receiver<io::Result<Zeroizing<Vec<u8>>>>> {
    const MOST_BYTES: usize = MAX_TOKEN_BYTES + 3;
    let (sender, printed) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut output = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        let reading = stdout.take(MOST_BYTES as u64).read_to_end(&mut output);
        let _nobody_waits = sender.send(reading.map(|_| output));
    })?;
    Ok(printed)
}
