//! Signals that ask this process to end, and what of its work they may end.

use crate::app::deadline::Uninterruptible;
use crate::error::{Error, ProcessError};
use crate::exit::ExitCode;

/// Ends the work when a signal comes; what it holds is then dropped, which
/// closes the listener and restores the terminal.
pub(crate) async fn interruptible<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let signal = shutdown_signal();
    tokio::select! {
        done = work => Ok(done),
        signal = signal => Err(ProcessError::Interrupted(signal).into()),
    }
}

/// Finishes the work even when a signal comes during it, and then obeys it.
pub(crate) async fn finish_then_interrupt<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let _until_written = Uninterruptible::begin();
    let mut signal = std::pin::pin!(shutdown_signal());
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        code = &mut signal => {
            work.await;
            Err(ProcessError::Interrupted(code).into())
        }
        done = &mut work => Ok(done),
    }
}

/// The first signal that asks this process to end. From this call on, inside
/// a runtime, none is missed, whenever the answer is awaited.
#[cfg(unix)]
pub(crate) fn shutdown_signal() -> impl Future<Output = ExitCode> {
    use tokio::signal::unix::{SignalKind, signal};
    let streams = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    );
    async {
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = streams else {
            // Without handlers the system's own end of the process applies.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => ExitCode::Interrupted,
            _ = terminate.recv() => ExitCode::Terminated,
            _ = hang_up.recv() => ExitCode::HungUp,
        }
    }
}

/// The first of the console's events that ask this process to end: Ctrl-C and
/// Ctrl-Break, the window that is closed, the user who logs off, the system
/// that shuts down. From this call on, inside a runtime, none is missed.
#[cfg(windows)]
pub(crate) fn shutdown_signal() -> impl Future<Output = ExitCode> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    let streams = (ctrl_c(), ctrl_break(), ctrl_close(), ctrl_logoff(), ctrl_shutdown());
    async {
        let (Ok(mut interrupt), Ok(mut abort), Ok(mut close), Ok(mut log_off), Ok(mut shut_down)) = streams else {
            // Without handlers the system's own end of the process applies.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => ExitCode::Interrupted,
            _ = abort.recv() => ExitCode::Interrupted,
            _ = close.recv() => ExitCode::HungUp,
            _ = log_off.recv() => ExitCode::Terminated,
            _ = shut_down.recv() => ExitCode::Terminated,
        }
    }
}
