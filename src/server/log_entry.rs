//! What the person who runs the server sees of each request.
//!
//! Invariant: a [`LogEntry`] holds no header, no body and nothing of the query
//! but what a rejection names, since codes, tokens and passwords are there.

use super::message::Response;
use super::rejection::Rejection;
use crate::foreign_text::sanitize;
use crate::rules::Rule;
use std::fmt;

/// One request, as the person who runs the server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The method as it was sent.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Why the request was rejected, if it was.
    pub rejection: Option<Rejection>,
    /// The rules that were violated on purpose.
    pub violated: Vec<Rule>,
}

impl LogEntry {
    /// The entry of a request and its answer.
    pub fn new(method: &str, path: &str, response: &Response) -> Self {
        LogEntry {
            method: method.to_owned(),
            path: path.to_owned(),
            status: response.status,
            rejection: response.rejection.clone(),
            violated: response.violated.clone(),
        }
    }
}

/// One line without a line break: `GET /authorize 400 client_id is missing (RFC 6749 §4.1.1)`.
/// Control and bidirectional characters are shown as escapes.
impl fmt::Display for LogEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{} {} {}", self.method, self.path, self.status);
        if let Some(rejection) = &self.rejection {
            line += &format!(" {rejection}");
            for (name, values) in &rejection.facts {
                line += &format!("; {}: {}", name.to_lowercase(), values.join(", "));
            }
        }
        if !self.violated.is_empty() {
            let violated: Vec<&str> = self.violated.iter().map(|rule| rule.id()).collect();
            line += &format!(" [broken on purpose: {}]", violated.join(", "));
        }
        formatter.write_str(&sanitize(&line))
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Request;
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_log_line_is_one_line_and_shows_no_secret() {
        let hostile = Request {
            method: "POST".into(),
            path: "/\u{1b}[2J\u{202e}\n".into(),
            query: Some("code=s3cret".into()),
            headers: vec![("authorization".into(), "Bearer s3cret".into())],
            body: Secret::new(b"code=s3cret".to_vec()),
            certificate: None,
        };
        let response = Response::text(404, Rejection::new("no such\r\npath", "RFC 9110 §15.5.5"));
        let entry = LogEntry::new(&hostile.method, &hostile.path, &response);
        assert_eq!(
            entry.to_string(),
            "POST /\\u{1b}[2J\\u{202e}\\u{a} 404 no such\\u{d}\\u{a}path (RFC 9110 §15.5.5)"
        );
        assert!(!format!("{hostile:?} {response:?} {entry:?}").contains("s3cret"));
    }
}
