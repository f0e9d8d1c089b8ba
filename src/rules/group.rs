//! The rules of a group, by the part of their names before the dot.

use super::Rule;
use crate::foreign_text::sanitize;
use crate::spelling::nearest;
use std::fmt;
use std::str::FromStr;

/// A rule, or the rules of a group such as `pkce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOrGroup {
    Rule(Rule),
    /// In the order of a report; never empty.
    Group(Vec<Rule>),
}

/// A name that neither a rule nor a group has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule and no group `{}`{}", sanitize(name), self.suggestion())]
pub struct UnknownRuleOrGroup {
    pub name: String,
}

impl UnknownRuleOrGroup {
    fn suggestion(&self) -> String {
        let names = Rule::ALL.iter().flat_map(|rule| [rule.group(), rule.id()]);
        let nearest = nearest(&self.name, names);
        match nearest {
            Some(name) => format!("; did you mean `{name}`?"),
            None => "; to see them: oauth check --list".to_owned(),
        }
    }
}

impl RuleOrGroup {
    /// The rules that are meant.
    pub fn rules(&self) -> &[Rule] {
        match self {
            RuleOrGroup::Rule(rule) => std::slice::from_ref(rule),
            RuleOrGroup::Group(rules) => rules,
        }
    }
}

/// As it is typed.
impl fmt::Display for RuleOrGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RuleOrGroup::Rule(rule) => rule.id(),
            RuleOrGroup::Group(rules) => rules.first().map(|rule| rule.group()).unwrap_or_default(),
        })
    }
}

impl FromStr for RuleOrGroup {
    type Err = UnknownRuleOrGroup;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let group = name.trim_end_matches('.');
        let rules: Vec<Rule> = Rule::ALL.iter().copied().filter(|rule| rule.group() == group).collect();
        match (rules.is_empty(), name.parse()) {
            (false, _) => Ok(RuleOrGroup::Group(rules)),
            (true, Ok(rule)) => Ok(RuleOrGroup::Rule(rule)),
            (true, Err(_)) => Err(UnknownRuleOrGroup { name: name.to_owned() }),
        }
    }
}
