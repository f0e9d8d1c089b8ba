//! `--deadline`: the whole command ends by then. Requests and waits are cut
//! short by what is left. What blocks where it cannot be cut short (a keyring's
//! prompt, a pipe) is ended by a thread, but never between the answer of a token
//! endpoint and its write.

use crate::args::cli::GlobalOptions;
use crate::args::settings;
use crate::error::{Error, ProcessError};
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::renew::MORE_TIME;
use crate::output::duration::describe;
use crate::output::report::{self, Style};
use crate::system::environment::Environment;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How much later the thread ends what should have ended by itself.
const GRACE: Duration = Duration::from_millis(500);

/// What a server needs to answer a refresh. A deadline that is shorter than twice that has half of it.
const TIME_FOR_ANSWER: Duration = Duration::from_secs(1);

/// When a command ends at the latest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    given: Duration,
}

impl Deadline {
    /// That of `--deadline`, else of `OAUTH_DEADLINE`, counted from now.
    pub(crate) fn start(
        global: &GlobalOptions,
        environment: &Environment,
        style: Style,
    ) -> Result<Option<Self>, Error> {
        let Some(given) = settings::deadline(global, environment)? else {
            return Ok(None);
        };
        // One that is too far away to be counted is none.
        let Some(at) = Instant::now().checked_add(given) else {
            return Ok(None);
        };
        let deadline = Deadline { at, given };
        std::thread::Builder::new()
            .name("deadline".to_owned())
            .spawn(move || end_process(deadline, style))
            .map_err(ProcessError::Thread)?;
        Ok(Some(deadline))
    }

    /// What is left of the time.
    pub(crate) fn left(&self) -> Duration {
        if IS_LIFTED.load(Ordering::Relaxed) {
            return Duration::MAX;
        }
        self.at.saturating_duration_since(Instant::now())
    }

    /// When a request that spends a refresh token is sent at the latest.
    pub(crate) fn send_by(&self) -> Option<Instant> {
        self.at.checked_sub(TIME_FOR_ANSWER.min(self.given / 2))
    }

    /// The time that was given, in words.
    pub(crate) fn describe(&self) -> String {
        describe(self.given)
    }

    pub(crate) fn passed(&self) -> DeadlinePassed {
        DeadlinePassed(self.given)
    }
}

/// Ends the process where it has not ended by itself.
fn end_process(deadline: Deadline, style: Style) {
    std::thread::sleep(deadline.left());
    if let Some(_free) = wait_until_free(|| IS_LIFTED.load(Ordering::Relaxed)) {
        let error = Error::from(deadline.passed());
        report::report(&error, style);
        std::process::exit(i32::from(error.exit_code().code()));
    }
}

/// Ends the process with this code where it does not end by itself within a
/// moment, but never between the answer of a token endpoint and its write.
pub(crate) fn exit_when_free(code: u8) {
    if let Some(_free) = wait_until_free(|| false) {
        std::process::exit(i32::from(code));
    }
}

/// Waits until nothing runs that must be finished. As long as the guard is
/// held, nothing of that kind begins.
fn wait_until_free(is_lifted: impl Fn() -> bool) -> Option<std::sync::MutexGuard<'static, ()>> {
    while !is_lifted() {
        drop(Uninterruptible::begin());
        // What was just written may still be printed.
        std::thread::sleep(GRACE);
        if let Ok(free) = BUSY.try_lock() {
            return Some(free);
        }
    }
    None
}

/// The command waited for a person, a lock or the store until its deadline.
#[derive(Debug, thiserror::Error)]
#[error("the deadline of {} has passed", describe(*.0))]
pub(crate) struct DeadlinePassed(Duration);

/// A wait that was cut short by the deadline: what it waited for is the cause.
#[derive(Debug)]
struct CutShort {
    deadline: DeadlinePassed,
    error: Error,
}

impl Deadline {
    /// The error with this deadline as its reason, where that ended a wait
    /// before its own time.
    pub(crate) fn explain(self, error: Error) -> Error {
        /// A wait ends at the deadline, and what it waited for is told a moment later.
        const MOMENT: Duration = Duration::from_millis(50);
        let knows_it = error.downcast_ref::<DeadlinePassed>().is_some() || error.to_string().contains("deadline");
        if error.is_reported() || error.exit_code() != ExitCode::Timeout || knows_it || self.left() > MOMENT {
            return error;
        }
        let deadline = self.passed();
        CutShort { deadline, error }.into()
    }
}

impl std::fmt::Display for CutShort {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.deadline.fmt(formatter)
    }
}

impl std::error::Error for CutShort {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}

impl Diagnosis for CutShort {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Timeout
    }

    /// A longer limit of its own would not help.
    fn hints(&self) -> Vec<String> {
        let hints = self.error.hints().into_iter();
        let others = hints.filter(|hint| !hint.contains("--timeout"));
        others.chain(self.deadline.hints()).collect()
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        self.error.oauth_error()
    }
}

impl Diagnosis for DeadlinePassed {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Timeout
    }

    fn hints(&self) -> Vec<String> {
        vec![MORE_TIME.to_owned()]
    }
}

/// Ends the deadline itself: what begins now goes on for as long as others want.
pub(crate) fn lift() {
    IS_LIFTED.store(true, Ordering::Relaxed);
}

static IS_LIFTED: AtomicBool = AtomicBool::new(false);

static BUSY: Mutex<()> = Mutex::new(());

/// While this is held, the thread does not end the process: what runs is cut
/// short by itself, and may write an answer that is needed.
pub(crate) struct Uninterruptible {
    _busy: Option<std::sync::MutexGuard<'static, ()>>,
}

impl Uninterruptible {
    /// Within one thread it is taken once.
    pub(crate) fn begin() -> Self {
        Uninterruptible {
            _busy: BUSY.lock().ok(),
        }
    }
}
