//! The pages for a device that shows a code: where it is entered, and what
//! became of it.

use super::client::ShownClient;
use super::layout::{CHECK, KEY, Pages, WARNING};
use crate::server::html::escape;
use crate::server::message::Response;

/// What the page for the code shows.
pub(crate) struct UserCodePage<'a> {
    /// Where the form goes.
    pub(crate) action: &'a str,
    pub(crate) csrf: &'a str,
    /// What to fill in.
    pub(crate) user_code: &'a str,
    /// The last one was no code that waits.
    pub(crate) is_wrong: bool,
}

impl Pages {
    pub(crate) fn user_code(&self, page: &UserCodePage<'_>) -> Response {
        let (action, csrf, user_code) = (escape(page.action), escape(page.csrf), escape(page.user_code));
        let (alert, invalid) = match page.is_wrong {
            false => (String::new(), ""),
            true => {
                let alert = format!(
                    "<p class=\"alert\" role=\"alert\" id=\"wrong\">{WARNING}<span>No device is waiting with this code. \
                     Check the code, or start again on your device: codes expire.</span></p>"
                );
                (alert, " aria-invalid=\"true\" aria-describedby=\"wrong\"")
            }
        };
        let body = format!(
            "<div class=\"party\"><span class=\"tile\">{KEY}</span></div>\
             <h1>Connect a device</h1>\
             <p class=\"lead\">Enter the code that your device shows.</p>\
             {alert}\
             <form method=\"post\" action=\"{action}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\
             <label for=\"user_code\">Code</label>\
             <input class=\"code\" id=\"user_code\" name=\"user_code\" value=\"{user_code}\" autocomplete=\"off\" \
             autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"40\" required autofocus{invalid}>\
             <button name=\"decision\" value=\"continue\">Continue</button></form>\
             <p class=\"note\">Continue only if you started this yourself, on a device that you have before you. \
             Never enter a code that someone sent you.</p>"
        );
        let status = if page.is_wrong { 400 } else { 200 };
        self.page(status, "Connect a device", "card", &body, &self.policy(""))
    }

    pub(crate) fn device_allowed(&self, client: ShownClient<'_>) -> Response {
        let body = format!(
            "<div class=\"party\"><span class=\"tile\">{CHECK}</span></div>\
             <h1>Your device is connected</h1>\
             <p class=\"lead\"><strong><bdi>{}</bdi></strong> continues there by itself. You can close this page.</p>",
            client.title()
        );
        self.page(200, "Your device is connected", "card", &body, &self.policy(""))
    }

    pub(crate) fn device_denied(&self, client: ShownClient<'_>) -> Response {
        let body = format!(
            "<div class=\"party\"><span class=\"tile bad\">{WARNING}</span></div>\
             <h1>Access denied</h1>\
             <p class=\"lead\"><strong><bdi>{}</bdi></strong> gets no access. You can close this page.</p>",
            client.title()
        );
        self.page(200, "Access denied", "card", &body, &self.policy(""))
    }
}
