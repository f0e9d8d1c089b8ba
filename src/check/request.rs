//! What to examine, and by which rules.

use crate::exit::ExitCode;
use crate::flow::login::LoginRequest;
use crate::rules::Rule;
use std::pin::Pin;
use std::time::Instant;

/// Resolves when a signal asks the process to end.
pub type Shutdown<'e> = Pin<Box<dyn Future<Output = ExitCode> + 'e>>;

/// What to examine, and by which rules.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// The server and the client, as a login would take them.
    pub login: LoginRequest,
    /// The rules to test.
    pub rules: Selection,
    /// When no more is sent (`--deadline`): what was found until then is reported.
    pub deadline: Option<Instant>,
}

/// Which rules are tested.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these; all where it is empty.
    pub only: Vec<Rule>,
    /// And none of these.
    pub skip: Vec<Rule>,
}

impl Selection {
    pub(super) fn has(&self, rule: Rule) -> bool {
        (self.only.is_empty() || self.only.contains(&rule)) && !self.skip.contains(&rule)
    }
}
