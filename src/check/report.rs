//! What is found about a rule: the word of the report, and what was sent and
//! what came, as far as it may be shown.

use crate::exit::ExitCode;
use crate::output::counted::counted;
use crate::rules::{Level, Rule, ServerProfile};
pub use crate::trace::Verdict;

/// Why rules are skipped after a login that brought no token.
pub(super) const NO_TOKEN: &str = "the login returned no token";
/// Why a refusal is not judged after one.
pub(super) const NO_WORKING_LOGIN: &str = "not even a plain login works, so a refusal says nothing";

/// What is between two messages where the evidence is a sequence.
const THEN: &str = "; then ";

/// Messages and their answers, as far as their types may be shown: known
/// secrets are not cut out yet, nor is their length bounded.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    messages: Vec<(String, String)>,
    /// The first answer that is a failure of the server.
    outage: Option<Outage>,
}

/// An answer that says nothing about the request, if the endpoint gives no others.
#[derive(Debug, Clone)]
pub(super) struct Outage {
    /// Method, origin and path.
    pub(super) endpoint: String,
    pub(super) status: u16,
}

impl Evidence {
    pub(super) fn new(request: String, response: String) -> Self {
        Evidence {
            messages: vec![(request, response)],
            outage: None,
        }
    }

    /// The same where the answer is a failure of the server.
    pub(super) fn with_outage(self, outage: Option<Outage>) -> Self {
        Evidence { outage, ..self }
    }

    /// The first answer that is a failure of the server.
    pub(super) fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// With the next messages of a sequence, which depend on those before.
    pub(super) fn then(mut self, next: Evidence) -> Self {
        self.messages.extend(next.messages);
        let outage = self.outage.clone().or(next.outage);
        self.with_outage(outage)
    }

    /// The request of the first message with the response of the last.
    pub(super) fn from_first_to_last(first: &Evidence, last: &Evidence) -> Self {
        let request = first.messages.first().map(|(request, _)| request.clone());
        let response = last.messages.last().map(|(_, response)| response.clone());
        Evidence::new(request.unwrap_or_default(), response.unwrap_or_default()).with_outage(last.outage.clone())
    }

    /// As the report shows it; `shown` makes one message safe to show.
    pub(super) fn shown(&self, shown: &dyn Fn(&str) -> String) -> ShownEvidence {
        let messages = self.messages.iter();
        ShownEvidence {
            messages: messages
                .map(|(request, response)| ShownMessage {
                    request: shown(request),
                    response: shown(response),
                })
                .collect(),
        }
    }
}

/// A message and its answer, or a sequence of them. Secrets are redacted, text
/// from the network is sanitized.
#[derive(Debug, Clone)]
pub struct ShownEvidence {
    pub messages: Vec<ShownMessage>,
}

/// One message of the evidence, and its answer.
#[derive(Debug, Clone)]
pub struct ShownMessage {
    pub request: String,
    pub response: String,
}

impl ShownEvidence {
    /// Every request in one text, for formats with one member for it.
    pub fn requests(&self) -> String {
        self.joined(|message| &message.request)
    }

    /// Every answer in one text.
    pub fn responses(&self) -> String {
        self.joined(|message| &message.response)
    }

    /// Each message on a line of its own, its answer below it.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.messages
            .iter()
            .flat_map(|message| [("sent", message.request.as_str()), ("came", message.response.as_str())])
    }

    fn joined(&self, part: fn(&ShownMessage) -> &str) -> String {
        self.messages.iter().map(part).collect::<Vec<_>>().join(THEN)
    }
}

/// A rule with its verdict.
#[derive(Debug, Clone)]
pub struct RuleResult {
    pub rule: Rule,
    /// How binding it is in this examination.
    pub level: Level,
    /// Whether the rule was to be tested.
    pub asked_for: bool,
    pub verdict: Verdict,
    /// Empty for a pass.
    pub reason: String,
    /// Every failure and every warning has one.
    pub evidence: Option<ShownEvidence>,
}

impl RuleResult {
    /// Whether something is wrong.
    pub fn is_finding(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warning)
    }

    /// What the rule demands and what the server does instead, on one line.
    pub fn sentence(&self) -> String {
        let (level, rule) = (self.level.as_str(), self.rule);
        format!(
            "{level} {} ({} §{}), but: {}",
            rule.statement(),
            rule.document(),
            rule.section(),
            self.reason
        )
    }
}

/// What an examination found, in the order of the catalogue.
#[derive(Debug, Clone)]
pub struct Report {
    /// The server's issuer, or its token endpoint.
    pub server: String,
    /// One for each rule.
    pub rules: Vec<RuleResult>,
    /// Why some rules could not be tested, where no login comes to its end.
    pub ended_early: Option<Stop>,
    /// The profile whose rules were asked for.
    pub profile: Option<ServerProfile>,
}

impl Report {
    /// The rules that are broken and bind the server.
    pub fn broken(&self) -> Vec<Rule> {
        let failed = self.rules.iter().filter(|result| result.verdict == Verdict::Fail);
        failed.map(|result| result.rule).collect()
    }

    /// What the profile demands and none of these rules tests, as a sentence
    /// without a full stop.
    pub fn untested_demands(&self) -> Option<String> {
        let profile = self.profile?;
        Some(format!("no rule of {profile} tests {}", profile.untested()))
    }

    /// The rules that were to be tested.
    pub fn asked_for(&self) -> Vec<&RuleResult> {
        self.rules.iter().filter(|result| result.asked_for).collect()
    }

    /// The specifications of the rules that were to be tested, in the order in
    /// which they first come up.
    pub fn documents(&self) -> Vec<&'static str> {
        let mut documents: Vec<&str> = Vec::new();
        for result in self.asked_for() {
            if !documents.contains(&result.rule.document()) {
                documents.push(result.rule.document());
            }
        }
        documents
    }

    /// Rules that could not be tested, by the reason, but for the one that
    /// ended the examination.
    pub fn skipped_by_reason(&self) -> Vec<(&str, Vec<&RuleResult>)> {
        let mut reasons: Vec<(&str, Vec<&RuleResult>)> = Vec::new();
        let skipped = self.asked_for().into_iter().filter(|result| {
            let ended = self.ended_early.as_ref();
            result.verdict == Verdict::Skipped && ended.is_none_or(|stop| stop.reason != result.reason)
        });
        for result in skipped {
            match reasons.iter_mut().find(|(reason, _)| *reason == result.reason) {
                Some((_, rules)) => rules.push(result),
                None => reasons.push((&result.reason, vec![result])),
            }
        }
        reasons
    }

    /// Why the examination ended early, with how many rules were not tested for it.
    pub fn early_end(&self) -> Option<String> {
        let reason = &self.ended_early.as_ref()?.reason;
        let is_for_it = |result: &&RuleResult| {
            let own = &result.reason;
            own.contains(reason.as_str()) || own == NO_TOKEN || own == NO_WORKING_LOGIN
        };
        let asked_for = self.asked_for().into_iter();
        let skipped = asked_for.filter(|result| result.verdict == Verdict::Skipped);
        let missed = skipped.filter(is_for_it).count();
        let need = if missed == 1 { "needs" } else { "need" };
        Some(format!("{reason}; {} {need} it", counted(missed, "rule")))
    }

    /// Whether no rule was tested of those that were asked for.
    pub fn tests_nothing(&self) -> bool {
        self.asked_for().iter().all(|result| result.verdict == Verdict::Skipped)
    }
}

/// Why something is not tried any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    pub reason: String,
    /// The exit code of a login that ends for this reason.
    pub exit_code: ExitCode,
}

/// Why a rule does not simply pass.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The server breaks the rule, and how.
    Violated(String),
    /// The server breaks more than the rule: a MUST, whatever the level of the rule.
    MustViolated(String),
    /// Worth a warning, whatever the level of the rule.
    Warning(String),
    /// Nothing can be said about the rule, and why; where it helps, what to add.
    Inconclusive(String),
}

impl Failure {
    pub(super) fn reason(&self) -> &str {
        match self {
            Failure::Violated(reason)
            | Failure::MustViolated(reason)
            | Failure::Warning(reason)
            | Failure::Inconclusive(reason) => reason,
        }
    }

    /// The same reason, for a rule that it says nothing about.
    pub(super) fn as_inconclusive(&self) -> Failure {
        Failure::Inconclusive(self.reason().to_owned())
    }
}

/// The outcome of a rule's test.
pub(super) type CheckResult = Result<(), Failure>;

/// A test that looks at something that is there already.
pub(super) type Test<T> = fn(&T) -> CheckResult;

pub(super) fn violated<T>(how: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Violated(how.into()))
}

pub(super) fn inconclusive<T>(why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Inconclusive(why.into()))
}

/// Violated, unless this holds.
pub(super) fn ensure(holds: bool, otherwise: impl Into<String>) -> CheckResult {
    if holds { Ok(()) } else { violated(otherwise) }
}

/// The verdict on a rule of this level, and the reason for it.
pub(super) fn verdict(level: Level, result: CheckResult) -> (Verdict, String) {
    match (result, level) {
        (Ok(()), _) => (Verdict::Pass, String::new()),
        (Err(Failure::MustViolated(how)), _) | (Err(Failure::Violated(how)), Level::Must) => (Verdict::Fail, how),
        (Err(Failure::Violated(how)), Level::Should) | (Err(Failure::Warning(how)), _) => (Verdict::Warning, how),
        (Err(Failure::Inconclusive(why)), _) => (Verdict::Skipped, why),
    }
}
