//! What all pages share: the frame, the style, the icons and the policy.

use crate::protocol::abnf::base64;
use crate::protocol::redirect_uri::RedirectUri;
use crate::server::html::escape;
use crate::server::message::Response;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

const STYLE: &str = include_str!("style.css");
pub(super) const SUBMIT_SCRIPT: &str = "document.forms[0].submit()";

pub(super) const KEY: &str = concat!(
    r#"<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" "#,
    r#"stroke-linejoin="round" aria-hidden="true"><circle cx="7.5" cy="16" r="4.5"/><path d="M10.8 12.7 20 3.5M15.5 8l3.2 3.2"/></svg>"#
);
pub(super) const CHECK: &str = concat!(
    r#"<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.25" stroke-linecap="round" "#,
    r#"stroke-linejoin="round" aria-hidden="true"><path d="m5 12.5 4.5 4.5L19 7.5"/></svg>"#
);
pub(super) const WARNING: &str = concat!(
    r#"<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" "#,
    r#"stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5M12 16.5v.01"/></svg>"#
);

/// What stays the same on all pages of one server.
pub(crate) struct Pages {
    pub(super) issuer: String,
    style_source: String,
    pub(super) script_source: String,
    /// Whether the only account is the built-in one, whose password is not a secret.
    pub(super) names_demo_account: bool,
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

    /// `form_target` is what `form-action` lists beside `'self'`.
    pub(super) fn policy(&self, form_target: &str) -> String {
        format!(
            "default-src 'none'; style-src {}; form-action 'self'{form_target}; frame-ancestors 'none'; base-uri 'none'",
            self.style_source
        )
    }

    /// A page with this body.
    pub(super) fn page(&self, status: u16, title: &str, class: &str, body: &str, policy: &str) -> Response {
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
pub(super) fn form_target(redirect_uri: &RedirectUri) -> String {
    let url = redirect_uri.url();
    match url.host_str() {
        // A policy cannot name an IPv6 address (CSP Level 3 §2.3.1), so the whole scheme is listed.
        Some(host) if host.starts_with('[') => format!(" {}:", url.scheme()),
        Some(_) if matches!(url.scheme(), "http" | "https") => format!(" {}", url.origin().ascii_serialization()),
        _ => format!(" {}:", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn the_policy_lets_the_redirect_through() {
        assert_eq!(form_target(&uri("http://127.0.0.1:5/cb")), " http://127.0.0.1:5");
        assert_eq!(form_target(&uri("http://[::1]:5/cb")), " http:");
        assert_eq!(form_target(&uri("com.example.app:/cb")), " com.example.app:");
    }
}
