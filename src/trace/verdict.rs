//! What `oauth check` finds out about one rule.

/// The word for a rule in reports and traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The server keeps the rule.
    Pass,
    /// The server breaks a MUST.
    Fail,
    /// The server breaks a SHOULD, or something else is odd.
    Warning,
    /// The examination could not see whether the server keeps the rule.
    Skipped,
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warning => "warning",
            Verdict::Skipped => "skipped",
        }
    }
}
