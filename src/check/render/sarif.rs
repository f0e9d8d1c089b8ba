//! The report as SARIF 2.1.0 (OASIS), as code scanning services read it: one
//! run, every rule in its driver, one result for each rule that is broken.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::rules::Level;
use serde_json::{Value, json};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Broken MUSTs are errors, broken SHOULDs warnings. What could not be tested
/// is a notification of the run.
pub fn render(report: &Report) -> String {
    let rules: Vec<Value> = report.rules.iter().map(descriptor).collect();
    let results: Vec<Value> = report
        .rules
        .iter()
        .enumerate()
        .filter_map(|(index, result)| Some(finding(report, index, result, level(result.verdict)?)))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "oauth check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [invocation(report)],
            "results": results,
        }],
    });
    format!("{log}\n")
}

/// `reportingDescriptor` (SARIF §3.49).
fn descriptor(result: &RuleResult) -> Value {
    let rule = result.rule;
    json!({
        "id": rule.id(),
        "shortDescription": {"text": format!("{} ({} §{})", rule.statement(), rule.document(), rule.section())},
        "fullDescription": {"text": rule.purpose()},
        "helpUri": rule.url(),
        "defaultConfiguration": {"level": configured_level(result.level)},
        "properties": {
            "rfc": rule.document(),
            "section": rule.section(),
            "tags": rule.profiles().map(|profile| profile.as_str()).collect::<Vec<_>>(),
        },
    })
}

/// `result` (SARIF §3.27). Services show nothing that has no location; the
/// server is the only one.
fn finding(report: &Report, index: usize, result: &RuleResult, level: &str) -> Value {
    let rule = result.rule;
    let mut properties = json!({});
    if let Some(evidence) = &result.evidence {
        properties["sent"] = json!(evidence.requests());
        properties["came"] = json!(evidence.responses());
    }
    json!({
        "ruleId": rule.id(),
        "ruleIndex": index,
        "kind": "fail",
        "level": level,
        "message": {"text": result.sentence()},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": report.server}},
            "logicalLocations": [{"fullyQualifiedName": rule.id(), "kind": "member"}],
        }],
        "properties": properties,
    })
}

/// `invocation` (SARIF §3.20).
fn invocation(report: &Report) -> Value {
    let ended_early = report.ended_early.as_ref().map(|stop| {
        json!({
            "level": "error",
            "message": {"text": stop.reason},
        })
    });
    let untested = report
        .rules
        .iter()
        .filter(|result| result.asked_for && result.verdict == Verdict::Skipped);
    let notifications: Vec<Value> = ended_early
        .into_iter()
        .chain(untested.map(|result| {
            json!({
                "level": "note",
                "message": {"text": format!("not tested: {}", result.reason)},
                "associatedRule": {"id": result.rule.id()},
            })
        }))
        .collect();
    json!({
        "executionSuccessful": report.ended_early.is_none(),
        "toolExecutionNotifications": notifications,
    })
}

fn configured_level(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
    }
}

/// The level of a result; `None` where there is nothing to report.
fn level(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Fail => Some("error"),
        Verdict::Warning => Some("warning"),
        Verdict::Pass | Verdict::Skipped => None,
    }
}
