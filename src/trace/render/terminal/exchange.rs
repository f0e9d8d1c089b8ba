//! An HTTP exchange in lines: `>` before what was sent, `<` before what came.

use super::Terminal;
use crate::foreign_text::sanitize;
use crate::output::theme::Role;
use crate::output::wrap::Lead;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::trace::curl::curl_command;
use crate::trace::diagram::{reason_phrase, timings};
use crate::trace::redact::ShownBody;

/// More lines of one body than this are counted, not shown.
const MAX_BODY_LINES: usize = 200;

/// Before each line of the command, which can be copied as it is.
const COMMAND_INDENT: &str = "    ";

impl Terminal {
    pub(super) fn request_lines(&self, request: &HttpRequest) -> Vec<String> {
        let mark = self.theme.paint(Role::Aside, "  >");
        let url = self.redaction.request_url(request);
        let start = format!("{} {url}", request.method.as_str());
        let mut lines = vec![format!("{mark} {}", self.theme.paint(Role::Heading, &start))];
        for (name, value) in request.all_headers() {
            lines.extend(self.header_lines(&mark, name.as_str(), &self.redaction.request_header(&value)));
        }
        if let Some(params) = request.form() {
            lines.push(mark.clone());
            lines.extend(self.params("  > ", params));
        }
        lines.extend(self.body_lines(&mark, self.redaction.content(request)));
        let command = curl_command(request);
        let command = command.join(&format!(" \\\n{COMMAND_INDENT}  "));
        lines.push(format!("{COMMAND_INDENT}{}", self.theme.paint(Role::Aside, &command)));
        lines
    }

    pub(super) fn response_lines(&self, request: &HttpRequest, response: &HttpResponse) -> Vec<String> {
        let answer = self.redaction.answer(request, response);
        let mark = self.theme.paint(Role::Aside, "  <");
        let role = if response.status < 300 { Role::Good } else { Role::Error };
        let status = format!("{} {}", response.status, reason_phrase(response.status));
        let status = self.theme.paint(role, status.trim_end());
        let parts: Vec<String> = timings(request, response)
            .into_iter()
            .map(|(name, time)| format!("{name} {time}"))
            .collect();
        let times = self.theme.paint(Role::Aside, &format!("({})", parts.join(", ")));
        let mut lines = vec![format!("{mark} {status} {times}")];
        for (name, value) in &answer.headers {
            lines.extend(self.header_lines(&mark, name, value));
        }
        lines.extend(self.body_lines(&mark, answer.body));
        lines
    }

    fn body_lines(&self, mark: &str, body: ShownBody) -> Vec<String> {
        let body = match body {
            ShownBody::Empty => return Vec::new(),
            ShownBody::Json(document) => document.pretty(),
            ShownBody::Text(text) => text,
        };
        let mut lines = vec![mark.to_owned()];
        for line in body.lines().take(MAX_BODY_LINES) {
            let inside = line.chars().take_while(|character| *character == ' ').count();
            let (first, further) = (format!("{mark} "), format!("{mark} {:inside$}    ", ""));
            let lead = |text, columns| Lead { text, columns };
            lines.extend(self.wrapped(lead(&first, 4), lead(&further, 8 + inside), line));
        }
        let more = body.lines().count().saturating_sub(MAX_BODY_LINES);
        if more > 0 {
            lines.push(format!("{mark} [{more} more lines]"));
        }
        lines
    }

    pub(super) fn failure_lines(&self, reason: &str) -> Vec<String> {
        let mark = self.theme.paint(Role::Aside, "  <");
        let what = self.theme.paint(Role::Error, "no answer:");
        let (first, further) = (format!("{mark} {what} "), format!("{mark}     "));
        let lead = |text, columns| Lead { text, columns };
        self.wrapped(lead(&first, 15), lead(&further, 8), &sanitize(reason))
    }

    fn header_lines(&self, mark: &str, name: &str, value: &str) -> Vec<String> {
        let name = format!("{name}:");
        let first = format!("{mark} {} ", self.theme.paint(Role::Aside, &name));
        let further = format!("{mark}     ");
        let lead = |text, columns| Lead { text, columns };
        self.wrapped(lead(&first, 5 + name.chars().count()), lead(&further, 8), value)
    }
}
