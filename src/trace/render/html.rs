//! The trace file `.html`: one page with a sequence diagram of the parties,
//! in which each arrow opens what is behind it. No script, and nothing is
//! fetched: the page says so itself (Content-Security-Policy). Colours follow
//! the reader's light or dark scheme; printed, everything is open.
//!
//! What only the end of a command tells is in the tail of the file: the result,
//! which is shown at the top all the same, the lifelines that nothing touches,
//! and the last answer, which is open where the command fails because of it.

mod banner;
mod row;
#[cfg(test)]
mod tests;

use crate::exit::ExitCode;
use crate::foreign_text::escape_html;
use crate::trace::diagram::{DiagramBuilder, DiagramLine, LineKind, PARTIES};
use crate::trace::renderer::{Renderer, TraceContext};
use crate::trace::{Event, Party};
use banner::Banner;
use row::RowStyle;

use std::fmt::Write;
use std::time::Duration;

const STYLE: &str = include_str!("html.css");

/// Renders one page.
pub struct Html {
    context: TraceContext,
    diagram: DiagramBuilder,
    banner: Banner,
    last_answer: Option<LastAnswer>,
    /// When the row before happened.
    previous: Duration,
    /// By position in [`PARTIES`]: whether something comes from it or goes to it.
    is_involved: [bool; PARTIES.len()],
}

/// An answer, and the rows after it, until the client does something else.
struct LastAnswer {
    line: DiagramLine,
    elapsed: Duration,
    /// Its row, closed.
    row: String,
    following: String,
}

impl Html {
    /// For one file.
    pub fn new(context: TraceContext) -> Self {
        Html {
            diagram: DiagramBuilder::new(context.redaction),
            context,
            banner: Banner::new(),
            last_answer: None,
            previous: Duration::ZERO,
            is_involved: PARTIES.map(|party| party == Party::Client),
        }
    }

    /// The last answer for good: open, as the cause of this failure, or closed.
    fn release_answer(&mut self, failure: Option<ExitCode>) -> String {
        let Some(mut answer) = self.last_answer.take() else {
            return String::new();
        };
        let mut rows = String::new();
        match failure.filter(|exit_code| blames_answer(*exit_code)) {
            Some(_) => {
                answer.line.kind = LineKind::Failure;
                let id = self.banner.cause_id();
                row::write(&mut rows, &answer.line, answer.elapsed, RowStyle::Open(&id));
            }
            None => rows = answer.row,
        }
        rows + &answer.following
    }

    /// Hides the lifelines that nothing touches.
    fn lanes(&self) -> String {
        let columns = self.is_involved.map(|is_involved| match is_involved {
            true => "minmax(0,1fr) minmax(0,1fr)",
            false => "0 0",
        });
        let mut style = format!(
            "<style>:root{{--count:{};--columns:{}}}",
            self.is_involved.iter().filter(|is_involved| **is_involved).count(),
            columns.join(" ")
        );
        for (position, _) in self.is_involved.iter().enumerate().filter(|(_, involved)| !**involved) {
            let _ = write!(style, ".parties span:nth-child({}){{display:none}}", position + 1);
        }
        style + "</style>\n"
    }
}

impl Renderer for Html {
    fn head(&mut self) -> String {
        let command = self.context.command;
        let command_line = escape_html(&self.context.command_line);
        let began_at = self.context.began_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let secrets = if self.context.redaction.shows_secrets() {
            "<p class=\"alarm\">This page contains secrets, shown whole (--show-secrets): do not share it.</p>"
        } else {
            "<p class=\"remark\">Secrets are redacted: two with the same length and fingerprint are the same.</p>"
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
             <title>OAuth trace, oauth {command}, {began_at}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>oauth {command}</h1><p>OAuth trace, {began_at}, by oauth {}</p>\
             <p class=\"typed\"><code>{command_line}</code></p></header>\n\
             <div class=\"legend\">{secrets}\
             <p class=\"remark\">Each arrow with a <b>+</b> opens. Beside a step is the time since the start, \
             beside a row the time since the row before. \
             An arrow that is grey and dashed is not seen by this program, which knows of it by its outcome alone.</p></div>\n\
             <main>\n<div class=\"parties\">{parties}</div>\n",
            env!("CARGO_PKG_VERSION"),
        )
    }

    fn event(&mut self, event: &Event<'_>, since_start: Duration) -> String {
        self.banner.observe(event, since_start);
        let failure = match event {
            Event::Failed { exit_code, .. } => Some(*exit_code),
            _ => None,
        };
        let mut rows = String::new();
        if failure.is_some() || ends_judgement(event) {
            rows = self.release_answer(failure);
        }
        for line in self.diagram.lines(event) {
            let elapsed = since_start.saturating_sub(self.previous);
            self.previous = since_start;
            for (position, party) in PARTIES.iter().enumerate() {
                self.is_involved[position] |= line.step.is_none() && [line.from, line.to].contains(party);
            }
            let time = if line.step.is_some() { since_start } else { elapsed };
            let id = self.banner.failure_id();
            let style = match failure {
                Some(_) => RowStyle::Open(&id),
                None => RowStyle::Closed,
            };
            let mut text = String::new();
            row::write(&mut text, &line, time, style);
            if is_answer(event) {
                rows += &self.release_answer(None);
                self.last_answer = Some(LastAnswer {
                    line,
                    elapsed,
                    row: text,
                    following: String::new(),
                });
            } else {
                match &mut self.last_answer {
                    Some(answer) => answer.following.push_str(&text),
                    None => rows.push_str(&text),
                }
            }
        }
        rows
    }

    fn finish(&mut self) {
        self.banner.finish();
    }

    fn tail(&self) -> String {
        let (row, following) = match &self.last_answer {
            Some(answer) => (answer.row.as_str(), answer.following.as_str()),
            None => ("", ""),
        };
        let (banner, lanes) = (self.banner.render(), self.lanes());
        format!("{row}{following}</main>\n{banner}{lanes}</body>\n</html>\n")
    }
}

/// Whether this brings something that the client judges.
fn is_answer(event: &Event<'_>) -> bool {
    match event {
        Event::ResponseReceived { .. } | Event::RequestFailed { .. } => true,
        Event::Message { from, to, .. } => (*from, *to) == (Party::Browser, Party::Client),
        _ => false,
    }
}

/// Whether the client goes on to something else, so that a failure after it is
/// not about the answer before.
fn ends_judgement(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::RequestSent(_)
            | Event::AuthorizationUrl(_)
            | Event::UserCode { .. }
            | Event::WaitBegins { .. }
            | Event::Stored { .. }
            | Event::Forgotten { .. }
    )
}

/// Whether a command that ends so does because of what came.
fn blames_answer(exit_code: ExitCode) -> bool {
    matches!(
        exit_code,
        ExitCode::Unreachable | ExitCode::LoginRequired | ExitCode::Refused | ExitCode::Protocol | ExitCode::HttpStatus
    )
}
