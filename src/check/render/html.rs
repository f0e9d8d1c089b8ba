//! The report as a page to attach to a ticket: what is broken comes first, each
//! rule with a link to its section and with what it protects from. No script,
//! and nothing is fetched.

use crate::check::report::{Report, RuleResult, Verdict};
use crate::foreign_text::{escape_html, mark_code};
use jiff::Timestamp;
use std::fmt::Write;

const STYLE: &str = include_str!("html.css");

/// What each page has near its beginning.
const MARK: &str = "<title>oauth check, ";

/// Whether a file that begins so is an earlier page.
pub fn is_report(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).contains(MARK)
}

/// One page; `command_line` is what was typed. Writing to a String cannot fail.
pub fn render(report: &Report, command_line: &str, ended_at: Timestamp) -> String {
    let server = escape_html(&report.server);
    let ended_at = ended_at.strftime("%Y-%m-%d %H:%M UTC");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{MARK}{server}, {ended_at}</title>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header><h1>{server}</h1><p>examined by oauth check {}, {ended_at}</p>\
         <p class=\"typed\"><code>{}</code></p></header>\n",
        env!("CARGO_PKG_VERSION"),
        escape_html(command_line),
    );
    counts(&mut page, report);
    if let Some(end) = report.early_end() {
        let _ = writeln!(page, "<p class=\"stop\">{}</p>", escape_html(&end));
    }
    for (verdict, title) in [(Verdict::Fail, "Broken"), (Verdict::Warning, "Warnings")] {
        let findings: Vec<&RuleResult> = with_verdict(report, verdict).collect();
        if !findings.is_empty() {
            let _ = writeln!(page, "<h2>{title}</h2>");
            findings.iter().for_each(|result| finding(&mut page, result));
        }
    }
    skipped(&mut page, report);
    passed(&mut page, report);
    if let Some(untested) = report.untested_demands() {
        let _ = writeln!(page, "<p>{}</p>", escape_html(&untested));
    }
    page + "</main>\n</body>\n</html>\n"
}

fn with_verdict(report: &Report, verdict: Verdict) -> impl Iterator<Item = &RuleResult> {
    let asked_for = report.asked_for().into_iter();
    asked_for.filter(move |result| result.verdict == verdict)
}

fn counts(page: &mut String, report: &Report) {
    page.push_str("<ul class=\"counts\">");
    for (verdict, word) in [
        (Verdict::Fail, "broken (MUST)"),
        (
            Verdict::Warning,
            if with_verdict(report, Verdict::Warning).count() == 1 {
                "warning"
            } else {
                "warnings"
            },
        ),
        (Verdict::Pass, "passed"),
        (Verdict::Skipped, "skipped"),
    ] {
        let count = with_verdict(report, verdict).count();
        let class = if count == 0 { "none" } else { verdict.as_str() };
        let _ = write!(page, "<li class=\"{class}\"><b>{count}</b> {word}</li>");
    }
    page.push_str("</ul>\n");
}

fn finding(page: &mut String, result: &RuleResult) {
    let (rule, level) = (result.rule, result.level.as_str());
    let _ = write!(
        page,
        "<article class=\"{}\" id=\"{rule}\"><h3>{rule}</h3>{}<dl><dt>{level}</dt><dd>{}</dd><dt>but</dt><dd><strong>{}</strong></dd>",
        result.verdict.as_str(),
        section(result),
        escape_html(rule.statement()),
        mark_code(&escape_html(&result.reason)),
    );
    if let Some(evidence) = &result.evidence {
        for (label, text) in evidence.lines() {
            let _ = write!(
                page,
                "<dt>{label}</dt><dd class=\"message\"><code>{}</code></dd>",
                escape_html(text)
            );
        }
    }
    let _ = writeln!(
        page,
        "<dt>why</dt><dd>{}</dd><dt>again</dt><dd>the same command with <code>--rule {rule} -vv</code>, without the options that write reports</dd></dl></article>",
        mark_code(&escape_html(rule.purpose())),
    );
}

/// The link to a rule's section.
fn section(result: &RuleResult) -> String {
    let rule = result.rule;
    let name = format!("{} §{}", rule.document(), rule.section());
    format!(
        "<a href=\"{}\" rel=\"noreferrer\">{}</a>",
        escape_html(&rule.url()),
        escape_html(&name)
    )
}

fn skipped(page: &mut String, report: &Report) {
    let reasons = report.skipped_by_reason();
    if reasons.is_empty() {
        return;
    }
    page.push_str("<h2>Skipped</h2>\n");
    for (reason, rules) in reasons {
        group(page, reason, &rules);
    }
}

fn passed(page: &mut String, report: &Report) {
    let passed: Vec<&RuleResult> = with_verdict(report, Verdict::Pass).collect();
    if passed.is_empty() {
        return;
    }
    page.push_str("<h2>Passed</h2>\n");
    for document in report.documents() {
        let of_document = passed.iter().filter(|result| result.rule.document() == document);
        let of_document: Vec<&RuleResult> = of_document.copied().collect();
        if !of_document.is_empty() {
            group(page, document, &of_document);
        }
    }
}

/// A list of rules that opens.
fn group(page: &mut String, title: &str, rules: &[&RuleResult]) {
    let _ = write!(
        page,
        "<details><summary><b>{}</b> {}</summary><ul>",
        rules.len(),
        escape_html(title)
    );
    for result in rules {
        let statement = escape_html(result.rule.statement());
        let _ = write!(
            page,
            "<li><code>{}</code> {statement} {}</li>",
            result.rule,
            section(result)
        );
    }
    page.push_str("</ul></details>\n");
}
