//! The report as one JSON object.

use crate::check::{Judged, Report, Verdict};
use serde_json::{Value, json};

/// `rules` has every rule, `findings` those that break a MUST.
pub fn render(report: &Report) -> String {
    let rules: Vec<Value> = report.rules.iter().map(object).collect();
    let failed = report.rules.iter().filter(|judged| judged.verdict == Verdict::Fail);
    let findings: Vec<Value> = failed.map(object).collect();
    format!(
        "{}\n",
        json!({ "server": report.server, "rules": rules, "findings": findings })
    )
}

fn object(judged: &Judged) -> Value {
    let rule = judged.rule;
    let mut object = json!({
        "id": rule.id(),
        "rfc": rule.document(),
        "section": rule.section(),
        "level": rule.level().as_str(),
        "statement": rule.statement(),
        "verdict": judged.verdict.as_str(),
        "reason": judged.reason,
    });
    if let Some(evidence) = &judged.evidence {
        object["sent"] = json!(evidence.sent);
        object["came"] = json!(evidence.came);
    }
    object
}
