//! The report as one JSON object.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::check::request::Selection;
use crate::rules::{Level, Rule};
use serde_json::{Value, json};

/// `rules` has every rule, `findings` those that break a MUST.
pub fn render(report: &Report) -> String {
    let rules: Vec<Value> = report.rules.iter().map(object).collect();
    let failed = report.rules.iter().filter(|result| result.verdict == Verdict::Fail);
    let findings: Vec<Value> = failed.map(object).collect();
    format!(
        "{}\n",
        json!({ "server": report.server, "rules": rules, "findings": findings })
    )
}

/// The rules that are asked for, with what they say, for `--list`.
pub fn list(selection: &Selection) -> String {
    let rules: Vec<Value> = Rule::ALL
        .iter()
        .filter(|rule| selection.is_of_profile(**rule))
        .map(|rule| {
            let mut object = named(*rule, selection.level(*rule));
            object["profiles"] = rule.profiles().map(|profile| json!(profile.as_str())).collect();
            object
        })
        .collect();
    format!("{}\n", Value::Array(rules))
}

/// One rule, for `--explain`.
pub fn explain(rule: Rule, selection: &Selection) -> String {
    format!("{}\n", explained(rule, selection))
}

/// The rules of a group, for `--explain`.
pub fn explain_group(rules: &[Rule], selection: &Selection) -> String {
    let rules = rules.iter().map(|rule| explained(*rule, selection));
    format!("{}\n", Value::Array(rules.collect()))
}

fn explained(rule: Rule, selection: &Selection) -> Value {
    let mut object = named(rule, selection.level(rule));
    object["profiles"] = rule.profiles().map(|profile| json!(profile.as_str())).collect();
    object["url"] = json!(rule.url());
    object["purpose"] = json!(rule.purpose());
    object
}

fn object(result: &RuleResult) -> Value {
    let mut object = named(result.rule, result.level);
    object["verdict"] = json!(result.verdict.as_str());
    object["reason"] = json!(result.reason);
    if let Some(evidence) = &result.evidence {
        object["sent"] = json!(evidence.requests());
        object["came"] = json!(evidence.responses());
    }
    object
}

fn named(rule: Rule, level: Level) -> Value {
    json!({
        "id": rule.id(),
        "rfc": rule.document(),
        "section": rule.section(),
        "level": level.as_str(),
        "statement": rule.statement(),
    })
}
