//! The pages of the authorization server: sign-in, consent, errors, the way
//! back to the client. They work without scripts, in light and dark.
//!
//! Invariants: every value that came from outside passes [`escape`]; every
//! page carries a policy that allows its own style and nothing else, and
//! cannot be framed or kept (RFC 9700 §4.16, RFC 6749 §10.13).

use super::message::{Refused, Response};
use crate::output::sanitize::{escape_html, sanitize_unbounded};
use crate::protocol::abnf::base64;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

const STYLE: &str = include_str!("pages/style.css");
const SUBMIT_SCRIPT: &str = "document.forms[0].submit()";

const KEY: &str = concat!(
    r#"<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" "#,
    r#"stroke-linejoin="round" aria-hidden="true"><circle cx="7.5" cy="16" r="4.5"/><path d="M10.8 12.7 20 3.5M15.5 8l3.2 3.2"/></svg>"#
);
const CHECK: &str = concat!(
    r#"<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.25" stroke-linecap="round" "#,
    r#"stroke-linejoin="round" aria-hidden="true"><path d="m5 12.5 4.5 4.5L19 7.5"/></svg>"#
);
const WARNING: &str = concat!(
    r#"<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" "#,
    r#"stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5M12 16.5v.01"/></svg>"#
);

/// What stays the same on all pages of one server.
pub(crate) struct Pages {
    issuer: String,
    style_source: String,
    script_source: String,
    /// Whether the only account is the built-in one, whose password is no secret.
    names_demo_account: bool,
}

/// The sign-in page.
pub(crate) struct SignIn<'a> {
    pub(crate) client_id: &'a str,
    /// Where the form goes.
    pub(crate) action: &'a str,
    pub(crate) csrf: &'a str,
    /// What to fill in as user name.
    pub(crate) username: &'a str,
    /// The last try failed.
    pub(crate) failed: bool,
    pub(crate) redirect_uri: &'a RedirectUri,
}

/// The consent page.
pub(crate) struct Consent<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) action: &'a str,
    pub(crate) csrf: &'a str,
    pub(crate) user: &'a str,
    /// Where somebody else can sign in.
    pub(crate) sign_in: &'a str,
    pub(crate) scope: &'a [String],
    pub(crate) resource: &'a [String],
    pub(crate) redirect_uri: &'a RedirectUri,
}

impl Pages {
    pub(crate) fn new(issuer: &str, names_demo_account: bool) -> Self {
        Pages {
            issuer: issuer.to_owned(),
            style_source: hash_source(STYLE),
            script_source: hash_source(SUBMIT_SCRIPT),
            names_demo_account,
        }
    }

    pub(crate) fn sign_in(&self, page: &SignIn<'_>) -> Response {
        let SignIn {
            client_id,
            action,
            csrf,
            username,
            failed,
            redirect_uri,
        } = page;
        let (client_id, action, csrf, username) = (escape(client_id), escape(action), escape(csrf), escape(username));
        let (alert, invalid) = if *failed {
            let alert = format!(
                "<p class=\"alert\" role=\"alert\" id=\"wrong\">{WARNING}<span>That user name and password do not \
                 belong together. Please try again.</span></p>"
            );
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
             <p class=\"lead\">to continue to <strong><bdi>{client_id}</bdi></strong></p>\
             {alert}\
             <form method=\"post\" action=\"{action}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\
             <label for=\"username\">User name</label>\
             <input id=\"username\" name=\"username\" value=\"{username}\" autocomplete=\"username\" autocapitalize=\"none\" \
             spellcheck=\"false\" maxlength=\"200\" required{invalid}{focus_name}>\
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
            &self.policy(&form_target(redirect_uri)),
        )
    }

    pub(crate) fn consent(&self, page: &Consent<'_>) -> Response {
        let Consent {
            client_id,
            action,
            csrf,
            user,
            sign_in,
            scope,
            resource,
            redirect_uri,
        } = page;
        let initial: String = client_id
            .chars()
            .find(|character| character.is_alphanumeric())
            .into_iter()
            .collect();
        let permissions: String = scope.iter().map(|token| permission(token)).collect();
        let (origin, kind) = destination(redirect_uri);
        let resources: String = resource
            .iter()
            .map(|uri| format!("<dd><code>{}</code></dd>", escape(uri)))
            .collect();
        let body = format!(
            "<div class=\"party\"><span class=\"tile client\" aria-hidden=\"true\">{initial}</span>\
             <span class=\"dots\"></span><span class=\"tile\">{KEY}</span></div>\
             <h1>Allow <bdi>{client_id}</bdi> access?</h1>\
             <p class=\"account\"><span>Signed in as <strong><bdi>{user}</bdi></strong></span>\
             <a href=\"{sign_in}\">Use another account</a></p>\
             <h2>It asks to</h2><ul>{permissions}</ul>\
             <dl><div><dt>Its token will work at</dt>{resources}</div>\
             <div><dt>You will go back to</dt><dd><code>{origin}</code>{kind}</dd></div></dl>\
             <form method=\"post\" action=\"{action}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\
             <div class=\"choices\">\
             <button class=\"quiet\" name=\"decision\" value=\"deny\">Deny</button>\
             <button name=\"decision\" value=\"allow\">Allow</button>\
             </div></form>\
             <p class=\"note\">Allow this only if you started it yourself.</p>",
            initial = escape(&initial),
            client_id = escape(client_id),
            user = escape(user),
            sign_in = escape(sign_in),
            origin = escape(&origin),
            kind = kind,
            action = escape(action),
            csrf = escape(csrf),
        );
        self.page(
            200,
            "Allow access?",
            "card wide",
            &body,
            &self.policy(&form_target(redirect_uri)),
        )
    }

    /// The request cannot go on, and nobody can be told but the person (RFC 6749 §4.1.2.1).
    /// `facts` are what was sent and what would have been right; `advice` is for the person.
    pub(crate) fn error(
        &self,
        status: u16,
        title: &str,
        refused: Refused,
        facts: &[(&str, &[String])],
        advice: &str,
    ) -> Response {
        let facts: String = facts
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
            reason = escape(&sentence(&refused.reason)),
            rule = escape(&refused.rule),
            advice = escape(advice),
        );
        self.page(status, title, "card", &body, &self.policy(""))
            .refused(refused)
    }

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
             <h1>Going back</h1>\
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
        self.page(200, "Going back", "card", &body, &policy)
    }

    /// What is here, for whoever opens the issuer in a browser.
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
             <div><dt>Try it</dt><dd><code>oauth login {issuer} --client-id {client_id}</code></dd></div>\
             <div><dt>Documents</dt>{documents}</div></dl>",
            issuer = escape(&self.issuer),
            client_id = escape(client_id),
        );
        self.page(200, "oauth serve", "card wide", &body, &self.policy(""))
    }

    /// `form_target` is what `form-action` lists beside `'self'`.
    fn policy(&self, form_target: &str) -> String {
        format!(
            "default-src 'none'; style-src {}; form-action 'self'{form_target}; frame-ancestors 'none'; base-uri 'none'",
            self.style_source
        )
    }

    fn page(&self, status: u16, title: &str, class: &str, body: &str, policy: &str) -> Response {
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · development server</title>\
             <style>{STYLE}</style></head><body>\
             <p class=\"mark\" role=\"note\"><strong>Development server</strong> · made-up accounts, nothing is kept · \
             never type a real password</p>\
             <main><section class=\"{class}\">{body}</section><footer>{issuer}</footer></main></body></html>",
            title = escape(title),
            issuer = escape(self.issuer.strip_prefix("http://").unwrap_or(&self.issuer)),
        );
        let mut response = Response::new(status)
            .with("content-type", "text/html; charset=utf-8")
            .with("content-security-policy", policy.to_owned())
            .with("x-frame-options", "DENY")
            .with("referrer-policy", "no-referrer");
        response.body = Cow::Owned(html.into_bytes());
        response
    }
}

/// The source of a policy that allows just this inline text.
fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}

/// What `form-action` must list beside `'self'`, since browsers apply it to
/// the redirect that answers the form, too.
fn form_target(redirect_uri: &RedirectUri) -> String {
    let url = redirect_uri.url();
    match url.host_str() {
        // A policy cannot name an IPv6 address (CSP Level 3 §2.3.1), so the whole scheme is listed.
        Some(host) if host.starts_with('[') => format!(" {}:", url.scheme()),
        Some(_) if matches!(url.scheme(), "http" | "https") => format!(" {}", url.origin().ascii_serialization()),
        _ => format!(" {}:", url.scheme()),
    }
}

/// Where a redirect URI leads, as much of it as a person can check, and in words.
fn destination(redirect_uri: &RedirectUri) -> (String, &'static str) {
    let url = redirect_uri.url();
    let origin = url.origin().ascii_serialization();
    match url.scheme() {
        "http" | "https" if redirect_uri.loopback_address().is_some() => (origin, " <small>– on this computer</small>"),
        "http" | "https" => (origin, ""),
        scheme => (format!("{scheme}:"), " <small>– an app on this computer</small>"),
    }
}

fn permission(token: &str) -> String {
    let words = match token {
        "openid" => "Know who you are",
        "profile" => "See your name",
        "email" => "See your email address",
        "offline_access" => "Stay signed in",
        "hello" => "Say hello in your name",
        "introspect" => "Look up what tokens stand for",
        _ => "Use this permission",
    };
    format!("<li>{CHECK}<span>{words}</span><code>{}</code></li>", escape(token))
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

/// Text as it may stand in HTML, in content and in quoted attributes. Control
/// and bidirectional characters are shown as escapes.
pub(crate) fn escape(text: &str) -> String {
    escape_html(&sanitize_unbounded(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
        let pages = Pages::new("http://127.0.0.1:9000", false);
        let redirect_uri = uri("http://127.0.0.1:1/callback?q='%22<x>");
        let values = [hostile.to_owned()];
        let mut params = Params::new();
        params.push("state", hostile);
        for response in [
            pages.sign_in(&SignIn {
                client_id: hostile,
                action: hostile,
                csrf: hostile,
                username: hostile,
                failed: true,
                redirect_uri: &redirect_uri,
            }),
            pages.consent(&Consent {
                client_id: hostile,
                action: hostile,
                csrf: hostile,
                user: hostile,
                sign_in: hostile,
                scope: &values,
                resource: &values,
                redirect_uri: &redirect_uri,
            }),
            pages.error(
                400,
                hostile,
                Refused::new(hostile, "RFC 6749 §3.1"),
                &[("Sent", &values)],
                hostile,
            ),
            pages.form_post(hostile, &redirect_uri, &params),
        ] {
            let html = String::from_utf8(response.body.to_vec()).unwrap();
            assert!(
                !html.contains("<script>alert") && !html.contains("<img") && !html.contains("q='\""),
                "{html}"
            );
            assert!(!html.contains("\"'>") && !html.contains('\u{202e}'), "{html}");
        }
    }

    #[test]
    fn every_page_carries_its_policy() {
        let pages = Pages::new("http://127.0.0.1:9000", false);
        let response = pages.form_post("c", &uri("https://rp.example/cb?x=1"), &Params::new());
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("form-action 'self' https://rp.example; frame-ancestors 'none'; base-uri 'none'"));
        assert!(!policy.contains("unsafe"));
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(response.header(name), Some(value));
        }
        let html = String::from_utf8(response.body.to_vec()).unwrap();
        assert!(html.contains("Development server"));
        assert!(
            !html.contains(" style=") && !html.contains(" on"),
            "no inline style or handler"
        );
    }

    #[test]
    fn the_policy_lets_the_redirect_through() {
        assert_eq!(form_target(&uri("http://127.0.0.1:5/cb")), " http://127.0.0.1:5");
        assert_eq!(form_target(&uri("http://[::1]:5/cb")), " http:");
        assert_eq!(form_target(&uri("com.example.app:/cb")), " com.example.app:");
    }
}
