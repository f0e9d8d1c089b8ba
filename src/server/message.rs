//! Requests, responses and log entries of the development server as plain
//! values, so that everything but the sockets can be tested without them.
//!
//! Invariant: a [`LogEntry`] holds no query, no header and no body, which is
//! where codes, tokens and passwords are.

use crate::output::sanitize::sanitize;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::{Params, Repeated};
use crate::rules::Rule;
use crate::secret::Secret;
use std::borrow::Cow;
use std::fmt;

/// The request headers that the server reads; the shell hands over no others.
pub const HEADERS_READ: [&str; 7] = [
    "authorization",
    "content-type",
    "cookie",
    "host",
    "origin",
    "sec-fetch-dest",
    "sec-fetch-site",
];

/// More parameters than any request has.
pub(crate) const MAX_PARAMETERS: usize = 100;

/// An HTTP request.
pub struct Request {
    /// Such as `GET`; case matters (RFC 9110 §9.1).
    pub method: String,
    /// The path as it was sent, without the query and not decoded.
    pub path: String,
    /// What stands behind the `?`, if there is one.
    pub query: Option<String>,
    /// Names in lower case, of [`HEADERS_READ`].
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Secret<Vec<u8>>,
}

impl Request {
    /// The values of a header, in order.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a header that may stand once.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn header<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Repeated> {
        let mut values = self.headers(name);
        let first = values.next();
        if values.next().is_some() {
            Err(Repeated(name.to_owned()))
        } else {
            Ok(first)
        }
    }

    /// The parameters of the query.
    pub fn query_params(&self) -> Params {
        Params::parse(self.query.as_deref().unwrap_or_default())
    }

    /// The parameters of a form body; `None` where the body is something else.
    pub fn form_params(&self) -> Option<Params> {
        let media_type = self.header("content-type").ok()??.split(';').next()?.trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        std::str::from_utf8(self.body.expose()).ok().map(Params::parse)
    }

    /// The value of a cookie (RFC 6265 §5.4).
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers("cookie")
            .flat_map(|header| header.split(';'))
            .find_map(|pair| {
                let (key, value) = pair.trim().split_once('=')?;
                (key == name).then_some(value)
            })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

/// Why a request was refused, and which rule says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For a person; may hold text from the request, not yet neutralised.
    pub reason: String,
    /// Such as `RFC 6749 §4.1.2.1`.
    pub rule: Cow<'static, str>,
}

impl Refused {
    /// A refusal by this rule.
    pub fn new(reason: impl Into<String>, rule: impl Into<Cow<'static, str>>) -> Self {
        Refused {
            reason: reason.into(),
            rule: rule.into(),
        }
    }

    /// A refusal from a text that ends with its rule, as those of the core do:
    /// `client_id is missing (RFC 6749 §4.1.1)`; else `rule` is taken.
    pub fn from_text(text: &str, rule: &'static str) -> Self {
        let parts = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (RFC "));
        match parts {
            Some((reason, rule)) => Refused::new(reason, format!("RFC {rule}")),
            None => Refused::new(text, rule),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.reason, self.rule)
    }
}

/// An HTTP response.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body, whole; it may hold tokens.
    pub body: Cow<'static, [u8]>,
    /// Why the request was refused, if it was.
    pub refused: Option<Refused>,
    /// The rules that this answer breaks, as far as the server noted them.
    pub broken: Vec<Rule>,
}

impl Response {
    /// A response without a body that nobody may keep.
    pub fn new(status: u16) -> Self {
        Response {
            status,
            headers: vec![
                ("cache-control", "no-store".into()),
                ("x-content-type-options", "nosniff".into()),
            ],
            body: Cow::Borrowed(b""),
            refused: None,
            broken: Vec::new(),
        }
    }

    /// A JSON answer that holds tokens or facts about them (RFC 6749 §5.1).
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Response::json_text(status, value.to_string().into_bytes())
    }

    /// The same from JSON that is written already.
    pub fn json_text(status: u16, text: Vec<u8>) -> Self {
        let mut response = Response::new(status)
            .with("pragma", "no-cache")
            .with("content-type", "application/json");
        response.body = Cow::Owned(text);
        response
    }

    /// An error answer in JSON (RFC 6749 §5.2).
    pub fn error(status: u16, error: &str, refused: Refused) -> Self {
        let body = ErrorResponse::new(error, &description(&refused)).to_json();
        Response::json(status, &body).refused(refused)
    }

    /// A line of text, for what no browser page and no OAuth client asked for.
    pub fn text(status: u16, refused: Refused) -> Self {
        let mut response = Response::new(status).with("content-type", "text/plain; charset=utf-8");
        response.body = Cow::Owned(format!("{refused}\n").into_bytes());
        response.refused(refused)
    }

    /// A redirect that the browser follows with GET (RFC 9700 §4.12).
    pub fn see_other(location: String) -> Self {
        Response::new(303)
            .with("location", location)
            .with("referrer-policy", "no-referrer")
    }

    /// The same with a header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with the reason for the log.
    #[must_use]
    pub fn refused(mut self, refused: Refused) -> Self {
        self.refused = Some(refused);
        self
    }

    /// The same with a rule that it breaks, for the log.
    #[must_use]
    pub(crate) fn against(mut self, rule: Rule) -> Self {
        self.broken.push(rule);
        self
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_ref())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.status, self.refused)
    }
}

/// `error_description` takes printable ASCII without quote and backslash
/// (RFC 6749 §5.2), so `§` and whatever the client sent are replaced.
pub(crate) fn description(refused: &Refused) -> String {
    let text = refused.to_string().replace('§', "section ");
    text.chars()
        .map(|character| match character {
            '"' | '\\' => '\'',
            ' '..='~' => character,
            _ => '?',
        })
        .take(500)
        .collect()
}

/// One request, as the person who runs the server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The method as it was sent.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Why the request was refused, if it was.
    pub refused: Option<Refused>,
    /// The rules that were broken on purpose.
    pub broken: Vec<Rule>,
}

impl LogEntry {
    /// The entry of a request and its answer.
    pub fn new(method: &str, path: &str, response: &Response) -> Self {
        LogEntry {
            method: method.to_owned(),
            path: path.to_owned(),
            status: response.status,
            refused: response.refused.clone(),
            broken: response.broken.clone(),
        }
    }
}

/// One line without a line break: `GET /authorize 400 client_id is missing (RFC 6749 §4.1.1)`.
/// Control and bidirectional characters are shown as escapes.
impl fmt::Display for LogEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{} {} {}", self.method, self.path, self.status);
        if let Some(refused) = &self.refused {
            line += &format!(" {refused}");
        }
        if !self.broken.is_empty() {
            let broken: Vec<&str> = self.broken.iter().map(|rule| rule.id()).collect();
            line += &format!(" [broken on purpose: {}]", broken.join(", "));
        }
        formatter.write_str(&sanitize(&line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            method: "POST".into(),
            path: "/token".into(),
            query: None,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Secret::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn a_form_is_known_by_its_media_type() {
        for good in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
        ] {
            let params = request(&[("content-type", good)], "a=1").form_params().unwrap();
            assert_eq!(params.single("a"), Ok(Some("1")));
        }
        for bad in ["application/json", "text/plain", ""] {
            assert!(
                request(&[("content-type", bad)], "a=1").form_params().is_none(),
                "{bad}"
            );
        }
        assert!(request(&[], "a=1").form_params().is_none());
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let request = request(&[("cookie", "xa=1; a=2"), ("cookie", "b=3=4")], "");
        assert_eq!(request.cookie("a"), Some("2"));
        assert_eq!(request.cookie("b"), Some("3=4"));
        assert_eq!(request.cookie("c"), None);
    }

    #[test]
    fn a_log_line_is_one_line_and_shows_no_secret() {
        let mut hostile = request(&[("authorization", "Bearer s3cret")], "code=s3cret");
        hostile.path = "/\u{1b}[2J\u{202e}\n".into();
        hostile.query = Some("code=s3cret".into());
        let response = Response::text(404, Refused::new("no such\r\npath", "RFC 9110 §15.5.5"));
        let entry = LogEntry::new(&hostile.method, &hostile.path, &response);
        assert_eq!(
            entry.to_string(),
            "POST /\\u{1b}[2J\\u{202e}\\u{a} 404 no such\\u{d}\\u{a}path (RFC 9110 §15.5.5)"
        );
        assert!(!format!("{hostile:?} {response:?} {entry:?}").contains("s3cret"));
    }

    #[test]
    fn descriptions_keep_the_syntax_of_rfc_6749() {
        let text = description(&Refused::new("scope \"é\\\u{1b}\" is unknown", "RFC 6749 §3.3"));
        assert_eq!(text, "scope '?'?' is unknown (RFC 6749 section 3.3)");
    }
}
