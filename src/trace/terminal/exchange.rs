//! An HTTP exchange in lines: `>` before what was sent, `<` before what came.

use super::Terminal;
use crate::neutral::{neutralise, neutralise_whole};
use crate::palette::Role;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::trace::redact::ShownBody;

/// More lines of one body than this are counted, not shown.
const MOST_BODY_LINES: usize = 200;

impl Terminal {
    pub(super) fn request_lines(&self, request: &HttpRequest) -> Vec<String> {
        let mark = self.palette.paint(Role::Aside, "  >");
        let start = format!("{} {}", request.method.as_str(), neutralise_whole(request.url.as_str()));
        let mut lines = vec![format!("{mark} {}", self.palette.paint(Role::Heading, &start))];
        for (name, value) in request.all_headers() {
            lines.push(self.header_line(&mark, name, &self.redaction.request_header(&value)));
        }
        if let Some(params) = &request.body {
            lines.push(mark.clone());
            lines.extend(self.params(&format!("{mark} "), params));
        }
        lines
    }

    pub(super) fn response_lines(&self, request: &HttpRequest, response: &HttpResponse) -> Vec<String> {
        let answer = self.redaction.answer(request, response);
        let mark = self.palette.paint(Role::Aside, "  <");
        let role = if response.status < 300 { Role::Good } else { Role::Error };
        let status = self.palette.paint(role, &response.status.to_string());
        let mut lines = vec![format!("{mark} {status} after {} ms", response.elapsed.as_millis())];
        for (name, value) in &answer.headers {
            lines.push(self.header_line(&mark, name, value));
        }
        let body = match answer.body {
            ShownBody::Empty => return lines,
            ShownBody::Json(document) => document.pretty(),
            ShownBody::Text(text) => text,
        };
        lines.push(mark.clone());
        lines.extend(body.lines().take(MOST_BODY_LINES).map(|line| format!("{mark} {line}")));
        let more = body.lines().count().saturating_sub(MOST_BODY_LINES);
        if more > 0 {
            lines.push(format!("{mark} [{more} more lines]"));
        }
        lines
    }

    pub(super) fn failure_line(&self, reason: &str) -> String {
        let mark = self.palette.paint(Role::Aside, "  <");
        let what = self.palette.paint(Role::Error, "no answer:");
        format!("{mark} {what} {}", neutralise(reason))
    }

    fn header_line(&self, mark: &str, name: &str, value: &str) -> String {
        let name = format!("{name}:");
        format!("{mark} {} {value}", self.palette.paint(Role::Aside, &name))
    }
}
