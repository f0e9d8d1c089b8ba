//! The report as one JSON object.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::rules::Rule;
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

/// All rules with what they say, for `--list`.
pub fn list() -> String {
    let rules: Vec<Value> = Rule::ALL.iter().copied().map(named).collect();
    format!("{}\n", Value::Array(rules))
}

fn object(result: &RuleResult) -> Value {
    let mut object = named(result.rule);
    object["verdict"] = json!(result.verdict.as_str());
    object["reason"] = json!(result.reason);
    if let Some(evidence) = &result.evidence {
        object["sent"] = json!(evidence.request);
        object["came"] = json!(evidence.response);
    }
    object
}

fn named(rule: Rule) -> Value {
    json!({
        "id": rule.id(),
        "rfc": rule.document(),
        "section": rule.section(),
        "level": rule.level().as_str(),
        "statement": rule.statement(),
    })
}
