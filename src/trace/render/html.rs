//! The trace file `.html`: one page with a sequence diagram of the parties,
//! in which each arrow opens what is behind it. No script, and nothing is
//! fetched: the page says so itself (Content-Security-Policy). Colours follow
//! the reader's light or dark scheme; printed, everything is open.

use crate::foreign_text::escape_html;
use crate::trace::diagram::{DetailContent, DiagramBuilder, DiagramLine, LineDetail, LineKind, PARTIES};
use crate::trace::renderer::{Renderer, TraceContext};
use crate::trace::{Event, Party};

use std::fmt::Write;
use std::time::Duration;

const STYLE: &str = include_str!("html.css");

/// How a redacted value begins.
const REDACTED: &str = "[redacted, ";

/// Renders one page.
pub struct Html {
    context: TraceContext,
    diagram: DiagramBuilder,
}

impl Html {
    /// For one file.
    pub fn new(context: TraceContext) -> Self {
        Html {
            context,
            diagram: DiagramBuilder::new(context.redaction),
        }
    }
}

impl Renderer for Html {
    fn head(&mut self) -> String {
        let began_at = self.context.began_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let secrets = if self.context.redaction.shows_secrets() {
            "<p class=\"alarm\">This page contains secrets, shown whole (--show-secrets): do not share it.</p>"
        } else {
            "<p class=\"remark\">Secrets are redacted: in their place stand their length and a fingerprint, by which two can be compared.</p>"
        };
        let parties: String = PARTIES
            .iter()
            .map(|party| format!("<span>{}</span>", escape_html(party.name())))
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>OAuth trace, {began_at}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>OAuth trace</h1><p>{began_at}, by oauth {}</p>{secrets}\
             <p class=\"remark\">Each arrow with a <b>+</b> opens. Times count from the start, in milliseconds.</p></header>\n\
             <main>\n<div class=\"parties\">{parties}</div>\n",
            env!("CARGO_PKG_VERSION"),
        )
    }

    fn event(&mut self, event: &Event<'_>, since_start: Duration) -> String {
        let mut rows = String::new();
        for line in self.diagram.lines(event) {
            row(&mut rows, &line, since_start);
        }
        rows
    }

    fn tail(&self) -> String {
        "</main>\n</body>\n</html>\n".to_owned()
    }
}

/// One line of the diagram. Writing to a string does not fail.
fn row(rows: &mut String, line: &DiagramLine, since_start: Duration) {
    let time = format!("<time>{}</time>", since_start.as_millis());
    if let Some(step) = line.step {
        let title = escape_html(step.title());
        let _ = writeln!(rows, "<h2>{time}<b>{}</b>{title}</h2>", step.number());
        return;
    }
    let opens = if line.details.is_empty() { "" } else { " opens" };
    let label = format!("<span class=\"label{opens}\">{}</span>", shown(&line.label));
    let (from, to) = (lane(line.from), lane(line.to));
    let (shape, figure) = if from == to {
        // as wide as three lanes, or four where there is room on one side only
        let (start, end) = (2 * from, 2 * from + 4);
        let (start, end) = (start.saturating_sub(1).max(1), (end + 1).min(2 * PARTIES.len() + 1));
        (
            "note",
            format!("<span class=\"box\" style=\"grid-column:{start}/{end}\">{label}</span>"),
        )
    } else {
        let direction = if from < to { "right" } else { "left" };
        let (first, last) = (from.min(to), from.max(to));
        // the middle of a lane is the line between its two columns
        let (start, end) = (2 * first + 2, 2 * last + 2);
        (
            "arrow",
            format!("<span class=\"line {direction}\" style=\"grid-column:{start}/{end}\">{label}</span>"),
        )
    };
    let kind = class(line.kind);
    if line.details.is_empty() {
        let _ = writeln!(rows, "<div class=\"row {shape} {kind}\">{time}{figure}</div>");
        return;
    }
    let _ = writeln!(
        rows,
        "<details class=\"{shape} {kind}\"><summary class=\"row\">{time}{figure}</summary><div class=\"card\">"
    );
    for detail in &line.details {
        section(rows, detail);
    }
    rows.push_str("</div></details>\n");
}

fn section(rows: &mut String, detail: &LineDetail) {
    let _ = write!(rows, "<h3>{}</h3>", escape_html(detail.title));
    match &detail.content {
        DetailContent::Text(text) => {
            let _ = write!(rows, "<pre>{}</pre>", shown(text));
        }
        DetailContent::Pairs(pairs) => {
            rows.push_str("<table>");
            for (name, value) in pairs {
                let _ = write!(rows, "<tr><th>{}</th><td>{}</td></tr>", escape_html(name), shown(value));
            }
            rows.push_str("</table>");
        }
    }
}

fn lane(party: Party) -> usize {
    PARTIES.iter().position(|other| *other == party).unwrap_or_default()
}

fn class(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Step => "step",
        LineKind::Message => "message",
        LineKind::Answer => "answer",
        LineKind::Unseen => "unseen",
        LineKind::Failure => "failure",
        LineKind::Fact => "fact",
        LineKind::Check => "check",
        LineKind::Skipped => "skipped",
        LineKind::Note => "remark",
        LineKind::Warning => "warning",
    }
}

/// Escaped, with redacted values set apart.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(start) = rest.find(REDACTED) {
        let length = rest[start..].find(']').map_or(rest.len() - start, |end| end + 1);
        let (before, from_mark) = rest.split_at(start);
        let (mark, after) = from_mark.split_at(length);
        let _ = write!(shown, "{}<i>{}</i>", escape_html(before), escape_html(mark));
        rest = after;
    }
    shown + &escape_html(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_text() {
        assert_eq!(
            shown("<script>\"a\"&'b' [redacted, 3 chars] [redacted, cut"),
            "&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39; <i>[redacted, 3 chars]</i> <i>[redacted, cut</i>"
        );
    }
}
