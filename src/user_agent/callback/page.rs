//! The pages that the browser ends on, and the headers they are sent with.
//!
//! Invariants: constant text, so that nothing of a request can stand in them;
//! no script, no link, no reference to anything outside.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

/// What the browser shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// 200: the session is stored.
    Success,
    /// 500: the login ended without one.
    Failure,
    /// 403: the resource owner or the server denied access.
    Refused,
    /// 400: this was not the response; the login continues to wait.
    Ignored,
    /// 409: the response came before.
    AlreadyHandled,
    /// 200: the answer came, and the login ends before the code is exchanged.
    Stopped,
}

const STYLE: &str = include_str!("page.css");

macro_rules! document {
    ($tone:literal, $drawing:literal, $heading:literal, $text:literal) => {
        concat!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
            $heading,
            " · oauth</title>\n<style>",
            include_str!("page.css"),
            "</style>\n</head>\n<body>\n<main>\n<div class=\"mark ",
            $tone,
            "\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">",
            $drawing,
            "</svg></div>\n<h1>",
            $heading,
            "</h1>\n<p>",
            $text,
            "</p>\n</main>\n<footer>This page comes from <b>oauth</b> in your terminal.</footer>\n",
            "</body>\n</html>\n"
        )
    };
}

const SUCCESS: &str = document!(
    "good",
    "<path d=\"M5 12.5l4.6 4.6L19 7.6\"/>",
    "You are signed in",
    "You can close this tab and go back to the terminal."
);
const FAILURE: &str = document!(
    "bad",
    "<path d=\"M7 7l10 10M17 7L7 17\"/>",
    "The login failed",
    "The terminal shows why. You can close this tab."
);
const REFUSED: &str = document!(
    "bad",
    "<circle cx=\"12\" cy=\"12\" r=\"8.6\"/><path d=\"M6.2 6.2l11.6 11.6\"/>",
    "Access was refused",
    "You or the server denied access. Nothing was stored. You can close this tab."
);
const IGNORED: &str = document!(
    "still",
    "<path d=\"M12 7v6.5M12 17h.01\"/>",
    "This is not the response the login is waiting for",
    "Nothing was changed. The terminal shows what the login is waiting for."
);
const ALREADY_HANDLED: &str = document!(
    "still",
    "<path d=\"M12 7v5.2l3.4 2\"/><circle cx=\"12\" cy=\"12\" r=\"8.6\"/>",
    "This login already has its response",
    "Nothing was done twice. The terminal shows how the login ended; you can close this tab."
);

const STOPPED: &str = document!(
    "still",
    "<path d=\"M9 8v8M15 8v8\"/>",
    "The login was stopped before the exchange",
    "Nothing was stored. The terminal shows what came back; you can close this tab."
);

impl Page {
    pub(super) fn html(self) -> &'static str {
        match self {
            Page::Success => SUCCESS,
            Page::Failure => FAILURE,
            Page::Refused => REFUSED,
            Page::Ignored => IGNORED,
            Page::AlreadyHandled => ALREADY_HANDLED,
            Page::Stopped => STOPPED,
        }
    }

    /// The status it is sent with.
    pub fn status(self) -> StatusCode {
        match self {
            Page::Success | Page::Stopped => StatusCode::OK,
            Page::Refused => StatusCode::FORBIDDEN,
            Page::Failure => StatusCode::INTERNAL_SERVER_ERROR,
            Page::Ignored => StatusCode::BAD_REQUEST,
            Page::AlreadyHandled => StatusCode::CONFLICT,
        }
    }
}

static POLICY: LazyLock<String> = LazyLock::new(|| content_security_policy(STYLE));

/// The policy of a page whose only active part is this style sheet, standing
/// in its `<style>` element byte for byte.
pub fn content_security_policy(style: &str) -> String {
    let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
}

const FIXED_HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONNECTION, "close"),
];

/// The headers of every answer.
pub(super) fn headers() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let fixed = FIXED_HEADERS
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)));
    let policy = HeaderValue::from_str(&POLICY)
        .ok()
        .map(|policy| (header::CONTENT_SECURITY_POLICY, policy));
    fixed.chain(policy)
}

/// A whole answer as bytes, for what is refused before it is parsed.
pub(super) fn raw_response(status: StatusCode, page: Page) -> Vec<u8> {
    let html = page.html();
    let mut response = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", html.len());
    for (name, value) in headers() {
        let _infallible = write!(response, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    response.push_str("\r\n");
    response.push_str(html);
    response.into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const PAGES: [Page; 6] = [
        Page::Success,
        Page::Failure,
        Page::Refused,
        Page::Ignored,
        Page::AlreadyHandled,
        Page::Stopped,
    ];

    #[test]
    fn the_hash_of_the_policy_is_the_one_a_browser_computes() {
        // `printf '' | openssl dgst -sha256 -binary | base64`
        assert!(content_security_policy("").contains("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
        for page in PAGES {
            let html = page.html();
            let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
            assert_eq!(content_security_policy(style), *POLICY);
        }
    }

    #[test]
    fn pages_reach_for_nothing_outside_and_need_no_script() {
        for page in PAGES {
            let html = page.html();
            for word in [
                "<script",
                "href=",
                "src=",
                "url(",
                "@import",
                "style=",
                "onload",
                "http-equiv",
            ] {
                assert!(!html.contains(word), "{page:?} contains {word}");
            }
        }
    }

    #[test]
    fn success_is_said_on_one_page_alone() {
        for page in PAGES {
            assert_eq!(page.html().contains("signed in"), page == Page::Success);
        }
    }
}
