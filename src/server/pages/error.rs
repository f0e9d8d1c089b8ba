//! The page for what cannot go back to the client (RFC 6749 §4.1.2.1).

use super::layout::{Pages, WARNING};
use crate::server::html::escape;
use crate::server::message::Response;
use crate::server::rejection::Rejection;

impl Pages {
    /// The request cannot be completed, and only the person can be informed (RFC 6749 §4.1.2.1).
    /// `advice` is for the person.
    pub(crate) fn error(&self, status: u16, title: &str, rejection: Rejection, advice: &str) -> Response {
        let facts: String = rejection
            .facts
            .iter()
            .map(|(name, values)| {
                let values: String = values
                    .iter()
                    .map(|value| format!("<dd><code>{}</code></dd>", escape(value)))
                    .collect();
                format!("<div><dt>{name}</dt>{values}</div>")
            })
            .collect();
        let body = format!(
            "<div class=\"party\"><span class=\"tile bad\">{WARNING}</span></div>\
             <h1>{title}</h1>\
             <p class=\"lead\">{reason}</p>\
             <dl>{facts}<div><dt>The rule</dt><dd>{rule}</dd></div></dl>\
             <p class=\"note\">{advice}</p>",
            title = escape(title),
            reason = escape(&sentence(&rejection.reason)),
            rule = escape(rejection.citation),
            advice = escape(advice),
        );
        self.page(status, title, "card", &body, &self.policy(""))
            .rejected(rejection)
    }
}

/// The reason as a sentence. The name of a parameter keeps its first letter.
fn sentence(reason: &str) -> String {
    let first_word = reason.split(' ').next().unwrap_or_default();
    let mut characters = reason.chars();
    match characters.next() {
        Some(first) if !first_word.contains('_') => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        _ => format!("{reason}."),
    }
}
