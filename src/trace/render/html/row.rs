//! A line of the diagram as HTML.

use crate::foreign_text::{escape_html, mark_code};
use crate::output::duration::describe_milliseconds;
use crate::trace::Party;
use crate::trace::diagram::{DetailContent, DiagramLine, LineDetail, LineKind, PARTIES};
use std::fmt::Write;
use std::time::Duration;

/// How a redacted value begins.
const REDACTED: &str = "[redacted, ";

/// Whether the details of a row are shown at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum RowStyle<'a> {
    Closed,
    /// With the `id` that a link names.
    Open(&'a str),
}

/// Writes a row, which stays whole text: writing to a string does not fail.
/// `time` is the time since the start at a step, else since the row before.
pub(super) fn write(rows: &mut String, line: &DiagramLine, time: Duration, style: RowStyle<'_>) {
    if let Some(step) = line.step {
        let (time, title) = (describe_milliseconds(time), escape_html(step.title()));
        let _ = writeln!(rows, "<h2><time>{time}</time><b>{}</b>{title}</h2>", step.number());
        return;
    }
    let time = match time.as_millis() {
        0 => String::new(),
        _ => format!("<time>+{}</time>", describe_milliseconds(time)),
    };
    let opens = if line.details.is_empty() { "" } else { " opens" };
    let label = format!("<span class=\"label{opens}\">{}</span>", prose(&line.label));
    let (from, to) = (lane(line.from), lane(line.to));
    let (shape, figure) = if from == to {
        ("note", format!("<span class=\"box\">{label}</span>"))
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
    let (id, open) = match style {
        RowStyle::Closed => (String::new(), ""),
        RowStyle::Open(id) => (format!(" id=\"{id}\""), " open"),
    };
    if line.details.is_empty() {
        let _ = writeln!(rows, "<div class=\"row {shape} {kind}\"{id}>{time}{figure}</div>");
        return;
    }
    let _ = writeln!(
        rows,
        "<details class=\"{shape} {kind}\"{id}{open}><summary class=\"row\">{time}{figure}</summary><div class=\"card\">"
    );
    for detail in &line.details {
        section(rows, detail);
    }
    rows.push_str("</div></details>\n");
}

fn section(rows: &mut String, detail: &LineDetail) {
    let _ = write!(rows, "<p class=\"part\">{}</p>", escape_html(detail.title));
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

/// A sentence, in which what stands between backquotes is code.
pub(super) fn prose(text: &str) -> String {
    mark_code(&shown(text))
}

/// Escaped, with redacted values set apart.
pub(super) fn shown(text: &str) -> String {
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
