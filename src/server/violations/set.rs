//! The rules that `--break` names.

use crate::rules::{Rule, ViolationPoint};
use std::collections::BTreeSet;

/// The rules that are violated on purpose.
#[derive(Debug, Clone, Default)]
pub struct Violations(BTreeSet<Rule>);

impl FromIterator<Rule> for Violations {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Violations(rules.into_iter().collect())
    }
}

impl Violations {
    /// Whether every rule is enforced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The violated rules, in the order of the catalogue.
    pub fn rules(&self) -> impl Iterator<Item = Rule> {
        self.0.iter().copied()
    }

    /// Whether this rule is violated.
    pub(crate) fn violates(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }

    /// Whether any rule is violated at this point.
    pub(crate) fn violates_any_at(&self, point: ViolationPoint) -> bool {
        self.rules().any(|rule| rule.violation_point() == point)
    }
}
