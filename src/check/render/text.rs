//! The report for a person: what passed and what could not be tested as counts, and at the end what is broken, with a summary line.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::check::request::Selection;
use crate::output::counted::counted;
use crate::output::table::align_columns;
use crate::output::theme::{Role, Theme};
use crate::rules::Rule;
use std::fmt::Write;

/// How much of the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Counts of what passed, and each reason of what was skipped.
    Findings,
    /// Each rule.
    All,
}

/// Lines of text, coloured or not. Writing to a String cannot fail.
pub fn render(report: &Report, detail: Detail, colour: bool) -> String {
    let theme = Theme::new(colour);
    let mut text = String::new();
    let asked_for = report.asked_for();
    if let Some(end) = report.early_end() {
        let _ = writeln!(text, "{end}\n");
    }
    match detail {
        Detail::Findings => counts(&mut text, report, theme),
        Detail::All => {
            for document in report.documents() {
                let rules = asked_for.iter().filter(|result| result.rule.document() == document);
                let mut quiet = rules.filter(|result| !result.is_finding()).peekable();
                if quiet.peek().is_some() {
                    let _ = writeln!(text, "{}", theme.paint(Role::Heading, document));
                    quiet.for_each(|result| line(&mut text, result, theme));
                    text.push('\n');
                }
            }
        }
    }
    for verdict in [Verdict::Warning, Verdict::Fail] {
        for result in asked_for.iter().filter(|result| result.verdict == verdict) {
            finding(&mut text, result, theme);
            text.push('\n');
        }
    }
    if let Some(untested) = report.untested_demands() {
        let _ = writeln!(text, "{}\n", theme.paint(Role::Aside, &untested));
    }
    text + &summary(report)
}

/// `RFC 7636  8 passed, 1 failed`, and a line for each reason why rules were skipped.
fn counts(text: &mut String, report: &Report, theme: Theme) {
    let documents = report.documents();
    let width = documents
        .iter()
        .map(|document| document.len())
        .max()
        .unwrap_or_default();
    for document in documents {
        let rules: Vec<&RuleResult> = report
            .asked_for()
            .into_iter()
            .filter(|result| result.rule.document() == document)
            .collect();
        let parts = [
            (Verdict::Pass, Role::Good, "passed"),
            (Verdict::Fail, Role::Error, "failed"),
            (Verdict::Warning, Role::Warning, "with a warning"),
            (Verdict::Skipped, Role::Aside, "skipped"),
        ];
        let parts = parts.iter().filter_map(|(verdict, role, word)| {
            let count = rules.iter().filter(|result| result.verdict == *verdict).count();
            (count > 0).then(|| theme.paint(*role, &format!("{count} {word}")))
        });
        let parts: Vec<String> = parts.collect();
        let _ = writeln!(text, "{document:<width$}  {}", parts.join(", "));
    }
    let skipped = report.skipped_by_reason();
    if !skipped.is_empty() {
        text.push('\n');
    }
    for (reason, rules) in skipped {
        let word = theme.paint(Role::Aside, "skipped");
        let _ = writeln!(text, "{word}  {}  {reason}", count_or_id(&rules));
    }
    text.push('\n');
}

/// The rules that one reason is about: `12 rules`, or the only one by its name.
/// Each is named in the report of all rules.
fn count_or_id(rules: &[&RuleResult]) -> String {
    match rules {
        [only] => only.rule.id().to_owned(),
        several => counted(several.len(), "rule"),
    }
}

fn line(text: &mut String, result: &RuleResult, theme: Theme) {
    let rule = result.rule;
    let role = match result.verdict {
        Verdict::Pass => Role::Good,
        _ => Role::Aside,
    };
    let word = theme.paint(role, &format!("{:<7}", result.verdict.as_str()));
    let (id, section, statement) = (rule.id(), rule.section(), rule.statement());
    let _ = writeln!(text, "  {word}  {id}  §{section}  {statement}");
    if !result.reason.is_empty() {
        let _ = writeln!(text, "           {}", result.reason);
    }
}

/// What the rule demands, and what the server does instead.
fn finding(text: &mut String, result: &RuleResult, theme: Theme) {
    let rule = result.rule;
    let role = match result.verdict {
        Verdict::Fail => Role::Error,
        _ => Role::Warning,
    };
    let word = theme.paint(role, &format!("{:<7}", result.verdict.as_str()));
    let (id, document, section) = (rule.id(), rule.document(), rule.section());
    let _ = writeln!(
        text,
        "{word}  {}  {document} §{section}",
        theme.paint(Role::Heading, id)
    );
    let mut labelled = |label: &str, value: &str| {
        let label = theme.paint(Role::Aside, &format!("{label:<6}"));
        let _ = writeln!(text, "         {label} {value}");
    };
    labelled(result.level.as_str(), rule.statement());
    labelled("but", &result.reason);
    if let Some(evidence) = &result.evidence {
        for (label, text) in evidence.lines() {
            labelled(label, text);
        }
    }
}

fn summary(report: &Report) -> String {
    let asked_for = report.asked_for();
    let count = |verdict| asked_for.iter().filter(|result| result.verdict == verdict).count();
    let mut text = format!(
        "{}: {}: {} passed, {} failed (MUST), {}, {} skipped",
        report.server,
        counted(asked_for.len(), "rule"),
        count(Verdict::Pass),
        count(Verdict::Fail),
        counted(count(Verdict::Warning), "warning"),
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

/// The rules that are asked for, with what they say, for `--list`, on a terminal
/// with so many columns.
pub fn list(selection: &Selection, width: Option<usize>) -> String {
    let rules = Rule::ALL.iter().filter(|rule| selection.is_of_profile(**rule));
    let rows: Vec<[String; 3]> = rules
        .map(|rule| {
            [
                rule.id().to_owned(),
                selection.level(*rule).as_str().to_owned(),
                format!("{} §{}: {}", rule.document(), rule.section(), rule.statement()),
            ]
        })
        .collect();
    align_columns(&rows, width)
}

/// One rule, for `--explain`.
pub fn explain(rule: Rule, selection: &Selection) -> String {
    format!(
        "{}\n{}\n\nTo test only this rule, and see each exchange:\n\n    oauth check URL --rule {rule} -vv\n\nTo see a server that breaks it:\n\n    oauth serve --break {rule}\n",
        statement(rule, selection),
        rule.purpose(),
    )
}

/// The rules of a group, for `--explain`.
/// What several in a row protect from is said once.
pub fn explain_group(rules: &[Rule], selection: &Selection) -> String {
    let mut text = String::new();
    for (index, rule) in rules.iter().enumerate() {
        text.push_str(&statement(*rule, selection));
        let next = rules.get(index + 1);
        if next.is_none_or(|next| next.purpose() != rule.purpose()) {
            let _ = writeln!(text, "\n{}", rule.purpose());
        }
        if next.is_some() {
            text.push('\n');
        }
    }
    text
}

/// What a rule says, and where.
fn statement(rule: Rule, selection: &Selection) -> String {
    let profiles: Vec<&str> = rule.profiles().map(|profile| profile.as_str()).collect();
    let profiles = match profiles.is_empty() {
        true => String::new(),
        false => format!("\n  in the profiles {}", profiles.join(", ")),
    };
    format!(
        "{rule}\n  {} {}\n  {} §{}: {}{profiles}\n",
        selection.level(rule).as_str(),
        rule.statement(),
        rule.document(),
        rule.section(),
        rule.url(),
    )
}
