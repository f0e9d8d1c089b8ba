//! What is found about a rule: the word of the report, and what was sent and
//! what came, as far as it may be shown.

use crate::exit::ExitCode;
use crate::rules::{Level, Rule};

/// What is said of a rule in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is kept.
    Pass,
    /// A MUST is broken.
    Fail,
    /// A SHOULD is broken.
    Warning,
    /// It could not be seen whether it is kept.
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

/// One message and its answer, with secrets redacted and text from the network neutralised.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The request.
    pub sent: String,
    /// The answer.
    pub came: String,
}

/// A rule with its verdict.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Which.
    pub rule: Rule,
    /// Whether it was to be tested.
    pub asked_for: bool,
    /// What is said of it.
    pub verdict: Verdict,
    /// Why, where it is no pass.
    pub reason: String,
    /// The exchange that decided, where one did.
    pub evidence: Option<Evidence>,
}

/// What an examination found: every rule, in the order of the catalogue.
#[derive(Debug, Clone)]
pub struct Report {
    /// The server's issuer, or its token endpoint.
    pub server: String,
    /// One for each rule.
    pub rules: Vec<Judged>,
    /// Why some of them could not be tested, where no login comes to its end,
    /// with the code that such a login exits with.
    pub ended_early: Option<(String, ExitCode)>,
}

impl Report {
    /// How many rules have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rules.iter().filter(|judged| judged.verdict == verdict).count()
    }

    /// The rules that were to be tested.
    pub fn asked_for(&self) -> Vec<&Judged> {
        self.rules.iter().filter(|judged| judged.asked_for).collect()
    }
}

/// Why a rule does not simply pass.
#[derive(Debug, Clone)]
pub(super) enum Finding {
    /// It is broken, and how.
    Broken(String),
    /// It cannot be seen, and why; where it helps, what to give.
    Unseen(String),
}

/// What a test of a rule comes to: kept, or a [`Finding`].
pub(super) type Judgement = Result<(), Finding>;

/// A test that looks at something that is there already.
pub(super) type Test<T> = fn(&T) -> Judgement;

/// The rule is broken.
pub(super) fn broken<T>(how: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::Broken(how.into()))
}

/// Whether the rule is kept cannot be seen.
pub(super) fn unseen<T>(why: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::Unseen(why.into()))
}

/// Broken, unless this holds.
pub(super) fn kept_if(holds: bool, otherwise: impl Into<String>) -> Judgement {
    if holds { Ok(()) } else { broken(otherwise) }
}

/// The verdict on a rule of this level, and the reason for it.
pub(super) fn verdict(level: Level, judgement: Judgement) -> (Verdict, String) {
    match (judgement, level) {
        (Ok(()), _) => (Verdict::Pass, String::new()),
        (Err(Finding::Broken(how)), Level::Must) => (Verdict::Fail, how),
        (Err(Finding::Broken(how)), Level::Should) => (Verdict::Warning, how),
        (Err(Finding::Unseen(why)), _) => (Verdict::Skipped, why),
    }
}
