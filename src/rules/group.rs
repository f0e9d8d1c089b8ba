//! The rules of a group, by the part of their names before the dot.

use super::{Rule, UnknownRule};
use std::str::FromStr;

/// A rule, or the rules of a group such as `pkce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOrGroup {
    Rule(Rule),
    /// In the order of a report; never empty.
    Group(Vec<Rule>),
}

impl FromStr for RuleOrGroup {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let group = name.trim_end_matches('.');
        let rules: Vec<Rule> = Rule::ALL.iter().copied().filter(|rule| rule.group() == group).collect();
        match rules.is_empty() {
            true => name.parse().map(RuleOrGroup::Rule),
            false => Ok(RuleOrGroup::Group(rules)),
        }
    }
}
