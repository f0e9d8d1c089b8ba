//! What an examination knows: the verdicts, the evidence of the rule that is
//! tested, and every secret that no report may show. Invariant: no IO.

use super::report::{CheckResult, Evidence, Failure, Report, RuleResult, Stop, Verdict, verdict};
use super::request::Selection;
use super::secrets;
use crate::foreign_text::sanitize;
use crate::protocol::scrub::scrub;
use crate::rules::{Level, Rule};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// A shorter secret is not looked for: it may be part of any text.
const MIN_KNOWN_CHARS: usize = 8;

pub(super) struct Results {
    selection: Selection,
    results: BTreeMap<Rule, RuleResult>,
    /// Every secret that was sent or came.
    known: Vec<Secret>,
    evidence: Option<Evidence>,
    /// Whether the next evidence belongs to the sequence that was begun.
    in_sequence: bool,
    stopped: Option<Stop>,
}

/// Evidence of a rule while something else is done.
pub(super) struct SetAside {
    evidence: Option<Evidence>,
    in_sequence: bool,
}

impl Results {
    pub(super) fn new(selection: Selection) -> Self {
        Results {
            selection,
            results: BTreeMap::new(),
            known: Vec::new(),
            evidence: None,
            in_sequence: false,
            stopped: None,
        }
    }

    /// Whether the rule was asked for, whatever is known by now.
    pub(super) fn selects(&self, rule: Rule) -> bool {
        self.selection.has(rule)
    }

    /// Whether the rule was asked for and has no verdict yet.
    pub(super) fn wants(&self, rule: Rule) -> bool {
        self.selects(rule) && !self.results.contains_key(&rule)
    }

    /// How many rules have a verdict.
    pub(super) fn count(&self) -> usize {
        self.results.len()
    }

    /// How many rules were asked for.
    pub(super) fn selected_count(&self) -> usize {
        Rule::ALL.iter().filter(|rule| self.selects(**rule)).count()
    }

    /// Whether the rule was tested and holds.
    pub(super) fn passed(&self, rule: Rule) -> bool {
        let result = self.results.get(&rule);
        result.is_some_and(|result| result.verdict == Verdict::Pass)
    }

    /// Records a verdict; the first one of a rule counts. The new result, to be shown.
    pub(super) fn record(
        &mut self,
        rule: Rule,
        result: CheckResult,
        evidence: Option<Evidence>,
    ) -> Option<&RuleResult> {
        if !self.wants(rule) {
            return None;
        }
        let level = match &result {
            Err(Failure::MustViolated(_)) => Level::Must,
            _ => self.selection.level(rule),
        };
        let (verdict, reason) = verdict(level, result);
        let reason = self.shown(&reason);
        let evidence = evidence.filter(|_| verdict != Verdict::Pass);
        let evidence = evidence.map(|evidence| evidence.shown(&|text| self.shown(text)));
        let result = RuleResult {
            rule,
            level,
            asked_for: true,
            verdict,
            reason,
            evidence,
        };
        Some(self.results.entry(rule).or_insert(result))
    }

    /// From here on no rule can be tested, and why.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.stopped.get_or_insert(stop);
    }

    pub(super) fn stopped(&self) -> Option<&Stop> {
        self.stopped.as_ref()
    }

    /// Forgets the evidence of the rule before.
    pub(super) fn clear_evidence(&mut self) {
        self.evidence = None;
        self.in_sequence = false;
    }

    /// From here on each exchange is part of the evidence, until it is cleared:
    /// what is seen at the end depends on all of them.
    pub(super) fn begin_sequence(&mut self) {
        self.evidence = None;
        self.in_sequence = true;
    }

    pub(super) fn is_in_sequence(&self) -> bool {
        self.in_sequence
    }

    /// Takes this for the evidence of the rule that is tested.
    pub(super) fn add_evidence(&mut self, evidence: Evidence) {
        self.evidence = Some(match self.evidence.take().filter(|_| self.in_sequence) {
            Some(before) => before.then(evidence),
            None => evidence,
        });
    }

    /// Puts the evidence aside while something else is done.
    pub(super) fn put_aside(&mut self) -> SetAside {
        SetAside {
            evidence: self.evidence.take(),
            in_sequence: std::mem::take(&mut self.in_sequence),
        }
    }

    pub(super) fn take_back(&mut self, aside: SetAside) {
        self.evidence = aside.evidence;
        self.in_sequence = aside.in_sequence;
    }

    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.evidence.clone()
    }

    /// Text of the report, without what no report may show.
    fn shown(&self, text: &str) -> String {
        sanitize(&scrub(text, &self.known, &Secret::redacted))
    }

    /// Takes note of secrets that no report may show.
    pub(super) fn keep_secrets(&mut self, secrets: Vec<Secret>) {
        for secret in secrets {
            let is_secret = secret.length_chars() >= MIN_KNOWN_CHARS && !secrets::is(&secret, secrets::MADE_UP);
            if is_secret && !self.known.iter().any(|known| secrets::same(known, &secret)) {
                self.known.push(secret);
            }
        }
    }

    /// The report where nothing could be tested, and why.
    pub(super) fn of_nothing(selection: Selection, server: &str, stop: Stop) -> Report {
        let mut results = Results::new(selection);
        results.stop(stop);
        results.into_report(server, None)
    }

    /// Every rule with what was found. `without_login` says why no login came
    /// to its end, if none did.
    pub(super) fn into_report(self, server: &str, without_login: Option<Stop>) -> Report {
        let shown = |stop: Stop| Stop {
            reason: self.shown(&stop.reason),
            ..stop
        };
        let stopped = self.stopped.clone().map(shown);
        let rules: Vec<RuleResult> = Rule::ALL
            .iter()
            .map(|rule| {
                let found = self.results.get(rule).cloned();
                found.unwrap_or_else(|| self.untested(*rule, stopped.as_ref()))
            })
            .collect();
        let is_missed = |because: &dyn Fn(&RuleResult) -> bool| {
            let mut skipped = rules
                .iter()
                .filter(|result| result.asked_for && result.verdict == Verdict::Skipped);
            skipped.any(because)
        };
        // An end that no rule misses is none.
        let ended_early = match stopped {
            Some(stop) => is_missed(&|result| result.reason == stop.reason).then_some(stop),
            None => without_login.filter(|_| is_missed(&|_| true)).map(shown),
        };
        Report {
            server: sanitize(server),
            ended_early,
            profile: self.selection.profile,
            rules,
        }
    }

    fn untested(&self, rule: Rule, stopped: Option<&Stop>) -> RuleResult {
        let asked_for = self.selects(rule);
        RuleResult {
            rule,
            level: self.selection.level(rule),
            asked_for,
            verdict: Verdict::Skipped,
            reason: match (asked_for, stopped) {
                (false, _) => "not selected".to_owned(),
                (true, Some(stop)) => stop.reason.clone(),
                (true, None) => "what it is about did not come up".to_owned(),
            },
            evidence: None,
        }
    }
}
