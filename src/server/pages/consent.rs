//! The consent page.

use super::client::ShownClient;
use super::layout::{CHECK, KEY, Pages, form_target};
use crate::output::duration::describe_seconds;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;
use crate::server::html::escape;
use crate::server::message::Response;
use std::borrow::Cow;

/// What the consent page shows.
pub(crate) struct ConsentPage<'a> {
    pub(crate) client: ShownClient<'a>,
    pub(crate) action: &'a str,
    pub(crate) csrf: &'a str,
    pub(crate) user: &'a str,
    /// Where another user can sign in.
    pub(crate) sign_in: &'a str,
    pub(crate) scope: &'a [String],
    pub(crate) resource: &'a [String],
    pub(crate) authorization_details: Option<&'a AuthorizationDetails>,
    pub(crate) destination: Destination<'a>,
}

/// Where the answer goes.
pub(crate) enum Destination<'a> {
    /// With the browser back to the client.
    Browser(&'a RedirectUri),
    /// To a device that asks for it (RFC 8628 §3.3).
    Device {
        user_code: Secret,
        /// How the program there names itself.
        user_agent: &'a str,
        /// When it asked for the code.
        seconds_ago: i64,
    },
}

impl Pages {
    pub(crate) fn consent(&self, page: &ConsentPage<'_>) -> Response {
        let ConsentPage {
            client,
            action,
            csrf,
            user,
            sign_in,
            scope,
            resource,
            authorization_details,
            destination,
        } = page;
        let details = authorization_details
            .map(AuthorizationDetails::objects)
            .unwrap_or_default();
        let details = details.iter().map(|object| detail(&object.to_string()));
        let permissions: String = scope.iter().map(|token| permission(token)).chain(details).collect();
        let (facts, note) = destination.facts();
        let (warning, advice) = destination.place(&note);
        let resources: String = resource
            .iter()
            .map(|uri| format!("<dd><code>{}</code></dd>", escape(uri)))
            .collect();
        let body = format!(
            "<div class=\"party\"><span class=\"tile client\" aria-hidden=\"true\">{initial}</span>\
             <span class=\"dots\"></span><span class=\"tile\">{KEY}</span></div>\
             <h1>Allow <bdi>{title}</bdi> access?</h1>{identity}\
             <p class=\"account\"><span>Signed in as <strong><bdi>{user}</bdi></strong></span>\
             <a href=\"{sign_in}\">Use another account</a></p>\
             <form class=\"decision\" method=\"post\" action=\"{action}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\
             <h2>It asks to</h2><ul>{permissions}</ul>\
             <dl><div><dt>Its token is valid at</dt>{resources}</div>\
             {facts}</dl>\
             <div class=\"choices\">{warning}\
             <button class=\"quiet\" name=\"decision\" value=\"deny\">Deny</button>\
             <button name=\"decision\" value=\"allow\">Allow</button>\
             </div></form>{advice}",
            initial = client.initial(),
            title = client.title(),
            identity = client.identity(),
            user = escape(user),
            sign_in = escape(sign_in),
            action = escape(action),
            csrf = escape(csrf),
        );
        self.page(
            200,
            "Allow access?",
            "card wide",
            &body,
            &self.policy(&destination.form_target()),
        )
    }
}

impl Destination<'_> {
    /// As facts on the page, and what the person is warned of.
    fn facts(&self) -> (String, Cow<'static, str>) {
        match self {
            Destination::Browser(redirect_uri) => {
                let (origin, kind) = redirect_target(redirect_uri);
                let facts = format!(
                    "<div><dt>You will go back to</dt><dd><code>{}</code>{kind}</dd></div>",
                    escape(&origin)
                );
                (facts, "Allow this only if you started it yourself.".into())
            }
            Destination::Device {
                user_code,
                user_agent,
                seconds_ago,
            } => {
                let by = match user_agent.is_empty() {
                    true => String::new(),
                    false => format!(" by <code>{}</code>", escape(user_agent)),
                };
                let code = escape(user_code.expose());
                let ago = describe_seconds(u64::try_from(*seconds_ago).unwrap_or_default());
                let facts = format!(
                    "<div><dt>It will be used on another device</dt><dd>the one that shows <code>{code}</code></dd>\
                     <dd><small>asked for {ago} ago{by}</small></dd></div>"
                );
                // The note is in sight where the list above is not
                let note = format!(
                    "Allow this only if you started it yourself, on a device that shows <code>{code}</code>. If someone \
                     sent you the code, they would be signed in as you."
                );
                (facts, note.into())
            }
        }
    }

    /// The note beside the buttons, in sight however small the window is, or below them.
    fn place(&self, note: &str) -> (String, String) {
        let note = format!("<p class=\"note\">{note}</p>");
        match self {
            Destination::Device { .. } => (note, String::new()),
            Destination::Browser(_) => (String::new(), note),
        }
    }

    fn form_target(&self) -> String {
        match self {
            Destination::Browser(redirect_uri) => form_target(redirect_uri),
            Destination::Device { .. } => String::new(),
        }
    }
}

/// Where a redirect URI leads, as much of it as a person can check, and in words.
fn redirect_target(redirect_uri: &RedirectUri) -> (String, &'static str) {
    let url = redirect_uri.url();
    let origin = url.origin().ascii_serialization();
    match url.scheme() {
        "http" | "https" if redirect_uri.loopback_address().is_some() => (origin, " <small>– on this computer</small>"),
        "http" | "https" => (origin, ""),
        scheme => (format!("{scheme}:"), " <small>– an app on this computer</small>"),
    }
}

fn detail(object: &str) -> String {
    format!(
        "<li>{CHECK}<span>Do exactly this</span><code>{}</code></li>",
        escape(object)
    )
}

fn permission(token: &str) -> String {
    let words = match token {
        "openid" => "Know who you are",
        "profile" => "See your name",
        "email" => "See your email address",
        "offline_access" => "Stay signed in",
        "hello" => "Say hello in your name",
        "introspect" => "Look up the state of tokens",
        _ => "Use this permission",
    };
    format!("<li>{CHECK}<span>{words}</span><code>{}</code></li>", escape(token))
}
