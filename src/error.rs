//! The error that a command ends with: any error that knows its exit code and
//! its hints. Each is defined beside what fails.

use crate::exit::{Diagnosis, ExitCode};
use std::fmt;
use std::io;
use std::ops::Deref;

/// Why a command failed.
#[derive(Debug)]
pub struct Error(Box<dyn Diagnosis>);

impl Error {
    /// The same as a plain diagnosis.
    pub fn into_diagnosis(self) -> Box<dyn Diagnosis> {
        self.0
    }

    /// The same error with one more hint.
    #[must_use]
    pub fn with_hint(self, hint: String) -> Self {
        let mut hints = self.hints();
        hints.push(hint);
        self.with_hints(hints)
    }

    /// The same error with a hint before its own.
    #[must_use]
    pub fn with_first_hint(self, hint: String) -> Self {
        let mut hints = self.hints();
        hints.insert(0, hint);
        self.with_hints(hints)
    }

    /// The same error with these hints in the place of its own.
    #[must_use]
    pub fn with_hints(self, hints: Vec<String>) -> Self {
        Error(Box::new(Hinted { error: self.0, hints }))
    }

    /// The error itself, where it is of this type, whatever hints it was given.
    pub fn downcast_ref<E: Diagnosis>(&self) -> Option<&E> {
        let mut error: &(dyn std::error::Error + 'static) = &*self.0;
        while let Some(hinted) = error.downcast_ref::<Hinted>() {
            error = &*hinted.error;
        }
        error.downcast_ref()
    }
}

impl<E: Diagnosis> From<E> for Error {
    fn from(error: E) -> Self {
        Error(Box::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Deref for Error {
    type Target = dyn Diagnosis;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// What the operating system refused, or a signal that ended the process.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Other than a reader that has gone.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// Where a secret or a token is read from it.
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
    /// It was closed by the process that started this one.
    #[error("standard output is closed")]
    OutputClosed,
    /// What is printed is the only copy, and has no reader.
    #[error("the tokens would only be printed, and standard output is closed or /dev/null")]
    OutputLeadsNowhere,
    /// The operating system has no resources left.
    #[error("the asynchronous runtime cannot be started")]
    Runtime(#[source] io::Error),
    /// The same for a thread.
    #[error("a thread cannot be started")]
    Thread(#[source] io::Error),
    /// The code that stands for the signal.
    #[error("interrupted by {}", signal_name(*.0))]
    Interrupted(ExitCode),
}

fn signal_name(code: ExitCode) -> &'static str {
    match code {
        ExitCode::HungUp => "SIGHUP",
        ExitCode::Terminated => "SIGTERM",
        _ => "Ctrl-C",
    }
}

impl Diagnosis for ProcessError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ProcessError::Interrupted(code) => *code,
            ProcessError::OutputLeadsNowhere => ExitCode::Usage,
            _ => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            ProcessError::OutputLeadsNowhere => {
                "Send standard output to a file or a program, or leave out --no-store (--store none)."
            }
            ProcessError::Runtime(_) | ProcessError::Thread(_) => {
                "Raise the limits on processes and open files (`ulimit -u`, `ulimit -n`)."
            }
            ProcessError::Output(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                "Raise the limit on the size of files (`ulimit -f`)."
            }
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// An error that says something else to do than it knows itself.
#[derive(Debug)]
struct Hinted {
    error: Box<dyn Diagnosis>,
    hints: Vec<String>,
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Diagnosis for Hinted {
    fn exit_code(&self) -> ExitCode {
        self.error.exit_code()
    }

    fn hints(&self) -> Vec<String> {
        self.hints.clone()
    }

    fn is_reported(&self) -> bool {
        self.error.is_reported()
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        self.error.oauth_error()
    }
}
