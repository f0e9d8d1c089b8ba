//! The report for a person: what was asked for, grouped by specification, what
//! is not as it should be with its reason, a summary line at the end.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::check::request::Selection;
use crate::output::theme::{Role, Theme};
use crate::rules::Rule;
use std::fmt::Write;

/// Lines of text, coloured or not.
pub fn render(report: &Report, colour: bool) -> String {
    let theme = Theme::new(colour);
    let mut text = String::new();
    let asked_for = report.asked_for();
    if let Some(stop) = &report.ended_early {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}; {} rules are skipped\n", stop.reason, report.skipped());
    }
    for document in documents() {
        let mut rules = asked_for
            .iter()
            .filter(|result| result.rule.document() == document)
            .peekable();
        if rules.peek().is_none() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", theme.paint(Role::Heading, document));
        for result in rules {
            line(&mut text, result, theme);
        }
        text.push('\n');
    }
    let count = |verdict| asked_for.iter().filter(|result| result.verdict == verdict).count();
    let _ = write!(
        text,
        "{}: {} rule{}: {} passed, {} failed (MUST), {} warnings (SHOULD), {} skipped",
        report.server,
        asked_for.len(),
        if asked_for.len() == 1 { "" } else { "s" },
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Warning),
        count(Verdict::Skipped)
    );
    match report.rules.len() - asked_for.len() {
        0 => text.push('\n'),
        others => {
            let _ = writeln!(text, "; {others} not selected");
        }
    }
    text
}

fn line(text: &mut String, result: &RuleResult, theme: Theme) {
    let rule = result.rule;
    let role = match result.verdict {
        Verdict::Pass => Role::Good,
        Verdict::Fail => Role::Error,
        Verdict::Warning => Role::Warning,
        Verdict::Skipped => Role::Aside,
    };
    let word = theme.paint(role, &format!("{:<7}", result.verdict.as_str()));
    let _ = writeln!(
        text,
        "  {word}  {}  §{}  {}",
        rule.id(),
        rule.section(),
        rule.statement()
    );
    if !result.reason.is_empty() {
        let _ = writeln!(text, "           {}", result.reason);
    }
    if let Some(evidence) = result.evidence.as_ref().filter(|_| result.verdict != Verdict::Skipped) {
        let _ = writeln!(
            text,
            "           {} {}",
            theme.paint(Role::Aside, "sent:"),
            evidence.request
        );
        let _ = writeln!(
            text,
            "           {} {}",
            theme.paint(Role::Aside, "came:"),
            evidence.response
        );
    }
}

/// The rules that are asked for, with what they say, for `--list`.
pub fn list(selection: &Selection) -> String {
    let mut text = String::new();
    for rule in Rule::ALL.iter().filter(|rule| selection.is_of_profile(**rule)) {
        let _ = writeln!(
            text,
            "{:<32} {:<6} {} §{}: {}",
            rule.id(),
            selection.level(*rule).as_str(),
            rule.document(),
            rule.section(),
            rule.statement()
        );
    }
    text
}

/// The specifications that rules stand in, in the order in which they first come up.
fn documents() -> Vec<&'static str> {
    let mut documents: Vec<&str> = Vec::new();
    for rule in Rule::ALL {
        if !documents.contains(&rule.document()) {
            documents.push(rule.document());
        }
    }
    documents
}
