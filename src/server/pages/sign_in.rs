//! The sign-in page.

use super::client::ShownClient;
use super::layout::{KEY, Pages, WARNING, form_target};
use crate::protocol::redirect_uri::RedirectUri;
use crate::server::html::escape;
use crate::server::message::Response;

/// What the sign-in page shows.
pub(crate) struct SignInPage<'a> {
    pub(crate) client: ShownClient<'a>,
    /// Where the form goes.
    pub(crate) action: &'a str,
    pub(crate) csrf: &'a str,
    /// What to fill in as user name.
    pub(crate) username: &'a str,
    /// The last try failed.
    pub(crate) failed: bool,
    /// Where the browser goes then; `None` where it stays here.
    pub(crate) redirect_uri: Option<&'a RedirectUri>,
}

impl Pages {
    pub(crate) fn sign_in(&self, page: &SignInPage<'_>) -> Response {
        let SignInPage {
            client,
            action,
            csrf,
            username,
            failed,
            redirect_uri,
        } = page;
        let (action, csrf, username) = (escape(action), escape(csrf), escape(username));
        let title = client.title();
        let identity = client.identity();
        let (alert, invalid) = if *failed {
            let alert = format!(
                "<p class=\"alert\" role=\"alert\" id=\"wrong\">{WARNING}<span>Wrong user name or password. \
                 Try again.</span></p>"
            );
            // the password is what has to be typed again, whichever of the two is wrong
            (alert, " aria-invalid=\"true\" aria-describedby=\"wrong\"")
        } else {
            (String::new(), "")
        };
        let (focus_name, focus_password) = if username.is_empty() {
            (" autofocus", "")
        } else {
            ("", " autofocus")
        };
        let demo_account = if self.names_demo_account {
            "<p class=\"note\">The made-up account is <code>demo</code> with password <code>demo</code>.</p>"
        } else {
            ""
        };
        let body = format!(
            "<div class=\"party\"><span class=\"tile\">{KEY}</span></div>\
             <h1>Sign in</h1>\
             <p class=\"lead\">to continue to <strong><bdi>{title}</bdi></strong></p>{identity}\
             {alert}\
             <form method=\"post\" action=\"{action}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\
             <label for=\"username\">User name</label>\
             <input id=\"username\" name=\"username\" value=\"{username}\" autocomplete=\"username\" autocapitalize=\"none\" \
             spellcheck=\"false\" maxlength=\"200\" required{focus_name}>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" \
             maxlength=\"1000\" required{invalid}{focus_password}>\
             <button name=\"decision\" value=\"sign-in\">Sign in</button>\
             <button class=\"plain\" name=\"decision\" value=\"cancel\" formnovalidate>Cancel</button>\
             </form>{demo_account}"
        );
        self.page(
            if *failed { 403 } else { 200 },
            "Sign in",
            "card",
            &body,
            &self.policy(&redirect_uri.map(form_target).unwrap_or_default()),
        )
    }
}
