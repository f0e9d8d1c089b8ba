//! The report as JUnit XML, as continuous integration reads it: a test case
//! a rule, a test suite a specification.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::foreign_text::escape_html;
use std::fmt::Write;

/// The rules that were asked for. Broken MUSTs are failures; broken SHOULDs pass, with their warning as output.
/// A check that ended early is an error, so that what was not tested does not pass.
pub fn render(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = |rules: &[&RuleResult], errors: usize| {
        let count = |verdict| rules.iter().filter(|result| result.verdict == verdict).count();
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{errors}\" skipped=\"{}\"",
            rules.len() + errors,
            count(Verdict::Fail),
            count(Verdict::Skipped)
        )
    };
    let all = report.asked_for();
    // Writing to a String cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites name=\"oauth check {}\" {}>",
        escape_html(&report.server),
        counts(&all, usize::from(report.ended_early.is_some()))
    );
    if let Some(stop) = &report.ended_early {
        let reason = escape_html(&stop.reason);
        let _ = writeln!(
            xml,
            "  <testsuite name=\"oauth check\" {}>\n    <testcase classname=\"oauth check\" name=\"complete\"><error message=\"not \
             every rule could be tested: {reason}\"/></testcase>\n  </testsuite>",
            counts(&[], 1)
        );
    }
    for document in report.documents() {
        let rules: Vec<&RuleResult> = all
            .iter()
            .copied()
            .filter(|result| result.rule.document() == document)
            .collect();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" {}>",
            escape_html(document),
            counts(&rules, 0)
        );
        for result in rules {
            test_case(&mut xml, result);
        }
        xml += "  </testsuite>\n";
    }
    xml += "</testsuites>\n";
    xml
}

fn test_case(xml: &mut String, result: &RuleResult) {
    let rule = result.rule;
    let class = format!("{} {}", rule.document(), rule.section());
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\"",
        escape_html(&class),
        rule.id()
    );
    let mut details = rule.url();
    if let Some(evidence) = &result.evidence {
        for (label, text) in evidence.lines() {
            let _ = write!(details, "\n{label}: {text}");
        }
    }
    let (details, reason) = (
        escape_html(&details),
        escape_html(&match result.is_finding() {
            true => result.sentence(),
            false => result.reason.clone(),
        }),
    );
    let _ = match result.verdict {
        Verdict::Pass => writeln!(xml, "/>"),
        Verdict::Skipped => writeln!(xml, "><skipped message=\"{reason}\"/></testcase>"),
        Verdict::Fail => writeln!(xml, "><failure message=\"{reason}\">{details}</failure></testcase>"),
        Verdict::Warning => writeln!(xml, "><system-out>warning: {reason}\n{details}</system-out></testcase>"),
    };
}
