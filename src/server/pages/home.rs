//! The page at the issuer.

use super::layout::{KEY, Pages};
use crate::server::html::escape;
use crate::server::message::Response;

impl Pages {
    /// What is here, for a person who opens the issuer in a browser.
    pub(crate) fn home(&self, client_id: &str, documents: &[&str]) -> Response {
        let documents: String = documents
            .iter()
            .map(|path| format!("<dd><a href=\"{path}\">{path}</a></dd>"))
            .collect();
        let body = format!(
            "<div class=\"party\"><span class=\"tile\">{KEY}</span></div>\
             <h1>oauth serve</h1>\
             <p class=\"lead\">An authorization server for development and tests.</p>\
             <dl><div><dt>Issuer</dt><dd><code>{issuer}</code></dd></div>\
             <div><dt>Try it</dt><dd><code class=\"words\"><span>oauth login</span> <span>{issuer}</span> \
             <span>--client-id {client_id}</span></code></dd></div>\
             <div><dt>Documents</dt>{documents}</div></dl>",
            issuer = escape(&self.issuer),
            client_id = escape(client_id),
        );
        self.page(200, "oauth serve", "card wide", &body, &self.policy(""))
    }
}
