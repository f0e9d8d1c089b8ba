//! The authorization response as a form.

use super::layout::{KEY, Pages, SUBMIT_SCRIPT, form_target};
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::server::html::escape;
use crate::server::message::Response;

impl Pages {
    /// The authorization response as a form that posts itself
    /// (OAuth 2.0 Form Post Response Mode §2), with a button where scripts are off.
    pub(crate) fn form_post(&self, client_id: &str, redirect_uri: &RedirectUri, params: &Params) -> Response {
        let fields: String = params
            .iter()
            .map(|(name, value)| {
                format!(
                    "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                    escape(name),
                    escape(value.expose())
                )
            })
            .collect();
        let body = format!(
            "<div class=\"party\"><span class=\"tile\">{KEY}</span></div>\
             <h1>Redirecting</h1>\
             <p class=\"lead\">to <strong><bdi>{client_id}</bdi></strong></p>\
             <form method=\"post\" action=\"{action}\">{fields}<button autofocus>Continue</button></form>\
             <script>{SUBMIT_SCRIPT}</script>",
            client_id = escape(client_id),
            action = escape(redirect_uri.as_str()),
        );
        let policy = format!(
            "{}; script-src {}",
            self.policy(&form_target(redirect_uri)),
            self.script_source
        );
        self.page(200, "Redirecting", "card", &body, &policy)
    }
}
