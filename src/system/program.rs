//! A program that is run to its end: it is given its input, its output is
//! collected within limits, and after a deadline it is ended.

use super::process;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// What the program wrote is waited for this long after its end, where
/// something that it has started still holds its output.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);
/// The longest pause between two looks whether the program has ended.
const MAX_PAUSE: Duration = Duration::from_millis(5);

/// How long a program may run, and how much of what it writes is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The program, and on Unix what it has started, is killed after it.
    pub deadline: Duration,
    /// The output is closed after so many bytes, which ends a program that goes on writing.
    pub max_output_bytes: usize,
    /// Of its errors, where the command pipes them; what comes after them is read and dropped.
    pub max_error_bytes: usize,
}

/// What a program left behind. It may hold secrets.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub output: Zeroizing<Vec<u8>>,
    /// Empty where the command does not pipe them.
    pub errors: Zeroizing<Vec<u8>>,
}

/// Why a program did not come to its end.
#[derive(Debug)]
pub enum RunError {
    /// There is no such program.
    Missing,
    /// It cannot be started, or not be waited for.
    Failed(io::Error),
    TimedOut,
}

/// Runs a program in a process group of its own, so that Ctrl-C does not reach
/// it in the middle of a write. Its input and output are piped; arguments,
/// environment and where its errors go are those of the command.
///
/// # Errors
/// There is no such program, the system refuses to start it, or the deadline passed.
pub fn run(command: &mut Command, input: &[u8], limits: Limits) -> Result<Ended, RunError> {
    let began = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = process::spawn(command).map_err(|error| match error.kind() {
        ErrorKind::NotFound => RunError::Missing,
        _ => RunError::Failed(error),
    })?;
    let outcome = converse(&mut child, input, limits)
        .map_err(RunError::Failed)
        .and_then(|(output, errors)| {
            let status = wait(&mut child, began, limits.deadline)?;
            Ok((status, output, errors))
        });
    let (status, output, errors) = match outcome {
        Ok(ended) => ended,
        Err(error) => {
            kill(&mut child);
            return Err(error);
        }
    };
    let collect = |stream: Option<OutputReader>| stream.map(OutputReader::take).unwrap_or_default();
    Ok(Ended {
        status,
        output: collect(output),
        errors: collect(errors),
    })
}

fn wait(child: &mut Child, began: Instant, deadline: Duration) -> Result<ExitStatus, RunError> {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait().map_err(RunError::Failed)? {
            Some(status) => return Ok(status),
            None if began.elapsed() < deadline => thread::sleep(pause),
            None => return Err(RunError::TimedOut),
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// What becomes of output beyond the limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OverflowPolicy {
    /// The stream is closed, which ends a program that goes on writing.
    Refused,
    /// It is read and forgotten.
    Dropped,
}

/// What a program writes, read on a thread of its own.
struct OutputReader {
    bytes: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    ended: Receiver<()>,
}

impl OutputReader {
    /// Keeps at most so many bytes.
    fn from(mut stream: impl Read + Send + 'static, max_bytes: usize, excess: OverflowPolicy) -> io::Result<Self> {
        let bytes = Arc::new(Mutex::new(Zeroizing::new(Vec::with_capacity(max_bytes))));
        let shared = Arc::clone(&bytes);
        let (ending, ended) = mpsc::channel();
        thread::Builder::new().spawn(move || {
            let mut block = Zeroizing::new([0; 4096]);
            while let Ok(length @ 1..) = stream.read(block.as_mut()) {
                let mut bytes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = max_bytes - bytes.len();
                bytes.extend_from_slice(&block[..length.min(room)]);
                if bytes.len() == max_bytes && excess == OverflowPolicy::Refused {
                    break;
                }
            }
            let _nobody_waits = ending.send(());
        })?;
        Ok(OutputReader { bytes, ended })
    }

    /// What has come, when the program has ended.
    fn take(self) -> Zeroizing<Vec<u8>> {
        let _still_held = self.ended.recv_timeout(OUTPUT_GRACE);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hands the program its input, and collects what it writes. On threads: one
/// that does not read, or does not end, must not keep us beyond the deadline.
fn converse(
    child: &mut Child,
    input: &[u8],
    limits: Limits,
) -> io::Result<(Option<OutputReader>, Option<OutputReader>)> {
    if let Some(mut stdin) = child.stdin.take() {
        let input = Zeroizing::new(input.to_vec());
        // A program that reads only a part says by its exit code how it went.
        thread::Builder::new().spawn(move || drop(stdin.write_all(&input)))?;
    }
    let output = child.stdout.take();
    let output = output.map(|stream| OutputReader::from(stream, limits.max_output_bytes, OverflowPolicy::Refused));
    let errors = child.stderr.take();
    let errors = errors.map(|stream| OutputReader::from(stream, limits.max_error_bytes, OverflowPolicy::Dropped));
    Ok((output.transpose()?, errors.transpose()?))
}

/// Ends the program, and on Unix what it has started too.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    let _gone_already =
        rustix::process::kill_process_group(rustix::process::Pid::from_child(child), rustix::process::Signal::KILL);
    let _gone_already = child.kill();
    let _ = child.wait();
}
