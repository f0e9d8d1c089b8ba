//! Each way in which an examination ends without a clean report.

use super::report::Stop;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::discovery::DiscoveryError;

/// Why an examination did not end well.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no server to examine.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// The report was printed, and has findings.
    #[error("the server breaks {broken} of the rules (MUST){}", .ended_early.as_ref().map(|reason| format!("; not every rule could be tested: {reason}")).unwrap_or_default())]
    Findings {
        broken: usize,
        /// Why the report is not whole, if it is not.
        ended_early: Option<String>,
    },
    /// The report was printed, and is not whole.
    #[error("not every rule could be tested: {}", .0.reason)]
    EndedEarly(Stop),
    #[error("the check was interrupted")]
    Interrupted(ExitCode),
}

impl CheckError {
    /// Whether no authorization server is at the URL that was asked.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, CheckError::Discovery(problem) if matches!(**problem, DiscoveryError::NotFound { .. }))
    }
}

impl Diagnosis for CheckError {
    fn exit_code(&self) -> ExitCode {
        match self {
            CheckError::Discovery(source) => source.exit_code(),
            CheckError::Findings { .. } => ExitCode::Findings,
            CheckError::EndedEarly(stop) => stop.exit_code,
            CheckError::Interrupted(code) => *code,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            CheckError::Discovery(source) => source.hints(),
            CheckError::Findings { .. } => {
                vec!["To see the exchanges of one rule, add --rule ID -vv; to leave one out, add --skip ID.".to_owned()]
            }
            CheckError::EndedEarly(_) => {
                vec!["First make a login work, with the same options: oauth login -vv".to_owned()]
            }
            CheckError::Interrupted(_) => Vec::new(),
        }
    }
}
