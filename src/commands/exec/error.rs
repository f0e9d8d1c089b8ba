//! Why a command was not run, with the exit codes of a shell.

use crate::exit::{Diagnosis, ExitCode};
use std::ffi::OsStr;
use std::io;

/// Why a command was not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    #[error("there is no command to run")]
    NoCommand,
    #[error("there is no command \"{program}\"")]
    NotFound {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("the command \"{program}\" cannot be run")]
    NotExecutable {
        program: String,
        #[source]
        source: io::Error,
    },
}

impl ExecError {
    pub(super) fn new(program: &OsStr, source: io::Error) -> Self {
        let program = program.to_string_lossy().into_owned();
        match source.kind() {
            io::ErrorKind::NotFound => ExecError::NotFound { program, source },
            _ => ExecError::NotExecutable { program, source },
        }
    }
}

impl Diagnosis for ExecError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ExecError::NoCommand => ExitCode::Usage,
            ExecError::NotFound { .. } => ExitCode::NoSuchCommand,
            ExecError::NotExecutable { .. } => ExitCode::NotExecutable,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            ExecError::NotFound { program, .. } if program.contains([' ', '$', '%', '|', '&', ';']) => {
                let shell = match cfg!(windows) {
                    true => "cmd /C \"LINE\"",
                    false => "sh -c 'LINE'",
                };
                vec![format!("A line for a shell needs the shell: oauth exec -- {shell}")]
            }
            _ => Vec::new(),
        }
    }
}
