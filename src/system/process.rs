//! This process: what of it may be seen by others, and what the limits that it
//! runs under do to it. Limits are errors with an exit code, not the end of the
//! process.

use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Keeps secrets in memory out of core files and away from debuggers of the
/// same user, and lets a write beyond the limit on the size of files fail
/// instead of ending the process. The first thing that a process does.
///
/// What the system refuses here stays as it is: nothing depends on it.
pub fn harden() {
    #[cfg(unix)]
    {
        let _ = set_core_limit(Some(0));
        // A handler and not "ignore", which a child would inherit
        let _ = signal_hook::flag::register(rustix::process::Signal::XFSZ.as_raw(), std::sync::Arc::default());
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// The soft limit on core files before [`harden`].
#[cfg(unix)]
static CORE_LIMIT: Mutex<Option<rustix::process::Rlimit>> = Mutex::new(None);

/// Sets the soft limit alone, which can be raised again.
#[cfg(unix)]
fn set_core_limit(bytes: Option<u64>) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let found = getrlimit(Resource::Core);
    CORE_LIMIT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(found);
    Ok(setrlimit(
        Resource::Core,
        Rlimit {
            current: bytes,
            ..found
        },
    )?)
}

/// Gives back the limit on core files that this process was started with, for
/// a program that takes its place.
#[cfg(unix)]
pub fn restore_core_limit() {
    let limit = *CORE_LIMIT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(limit) = limit {
        let _ = set_core_limit(limit.current);
    }
}

/// Starts a program under the limit on core files that this process was started with.
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{Pid, Resource, prlimit};
        let child = command.spawn()?;
        if let Some(limit) = *CORE_LIMIT.lock().unwrap_or_else(PoisonError::into_inner) {
            // A program that runs as another user keeps the lower one
            let _ = prlimit(Some(Pid::from_child(&child)), Resource::Core, limit);
        }
        Ok(child)
    }
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    {
        let limit = *CORE_LIMIT.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(limit) = limit else { return command.spawn() };
        let _ = set_core_limit(limit.current);
        let child = command.spawn();
        let _ = set_core_limit(Some(0));
        child
    }
    #[cfg(not(unix))]
    command.spawn()
}

/// Whether what is printed has no reader: standard output was closed, or is
/// the null device.
pub fn leads_nowhere(standard_output: &io::Stdout) -> bool {
    #[cfg(unix)]
    let is_null = super::files::is_null_device(standard_output);
    #[cfg(not(unix))]
    let (_, is_null) = (standard_output, false);
    is_null || stdout_was_closed()
}

/// Whether standard output was closed when the process started.
pub fn stdout_was_closed() -> bool {
    oauth_startup::stdout_was_closed()
}

/// Shows that a runtime can be made, whose own way of saying that there are no
/// descriptors left for its pipe of signals is to panic.
///
/// # Errors
/// The limit on open files.
pub fn check_descriptors() -> io::Result<()> {
    #[cfg(unix)]
    {
        /// For the poller, its waker, the pipe of signals and a copy of it, and one to spare.
        const PAIRS: usize = 4;
        let pairs: io::Result<Vec<_>> = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair()).collect();
        pairs?;
    }
    Ok(())
}

/// Shows that so many threads can run at once: a runtime with threads panics where not.
///
/// # Errors
/// The limit on processes.
pub fn check_threads(count: usize) -> io::Result<()> {
    let gate = std::sync::Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let threads: io::Result<Vec<_>> = (0..count)
        .map(|_| {
            let gate = std::sync::Arc::clone(&gate);
            thread::Builder::new().spawn(move || drop(gate.lock()))
        })
        .collect();
    drop(closed);
    for thread in threads? {
        let _ = thread.join();
    }
    Ok(())
}
