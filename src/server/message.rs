//! Requests and responses of the development server as plain values, so that
//! everything but the sockets can be tested without them.

use super::client_certificate::ShownCertificate;
use super::rejection::Rejection;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::{Params, Repeated};
use crate::rules::Rule;
use crate::secret::Secret;
use std::borrow::Cow;
use std::fmt;

/// The request headers that the server reads; the shell hands over no others.
pub const HEADERS_READ: [&str; 16] = [
    "accept",
    "access-control-request-method",
    "authorization",
    "content-type",
    "cookie",
    "dpop",
    "host",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "origin",
    "sec-fetch-dest",
    "sec-fetch-site",
    "user-agent",
];

/// More parameters than any request has.
pub(crate) const MAX_PARAMETERS: usize = 100;

/// An HTTP request.
pub struct Request {
    /// Such as `GET`; case matters (RFC 9110 §9.1).
    pub method: String,
    /// The path as it was sent, without the query and not decoded.
    pub path: String,
    /// What is behind the `?`, if there is one.
    pub query: Option<String>,
    /// Names in lower case, of [`HEADERS_READ`].
    pub headers: Vec<(String, String)>,
    pub body: Secret<Vec<u8>>,
    /// What the client shows in TLS.
    pub certificate: Option<ShownCertificate>,
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
        if !self.is_of_media_type("application/x-www-form-urlencoded") {
            return None;
        }
        std::str::from_utf8(self.body.expose()).ok().map(Params::parse)
    }

    /// Whether the client takes an answer of this media type (RFC 9110 §12.5.1).
    pub fn accepts(&self, media_type: &str) -> bool {
        let group = media_type.split_once('/').map(|(group, _)| format!("{group}/*"));
        let taken = self.headers("accept").flat_map(|header| header.split(','));
        let mut taken = taken.map(|item| item.split(';').next().unwrap_or_default().trim());
        taken.any(|own| own == "*/*" || own.eq_ignore_ascii_case(media_type) || group.as_deref() == Some(own))
    }

    /// Whether the body is JSON, by what the request says.
    pub fn is_json(&self) -> bool {
        self.is_of_media_type("application/json")
    }

    fn is_of_media_type(&self, wanted: &str) -> bool {
        let header = self.header("content-type").ok().flatten().unwrap_or_default();
        let media_type = header.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case(wanted)
    }

    /// The values of all cookies of this name, in order: a page on another port
    /// of this machine may have set one beside ours (RFC 6265 §5.4, §8.5).
    pub fn cookies<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers("cookie")
            .flat_map(|header| header.split(';'))
            .filter_map(move |pair| {
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

/// What comes after the body of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Complete,
    /// It is the begin of a stream of events, which stays open until the client
    /// or the server goes.
    StaysOpen,
    /// It is the begin of a stream that breaks off, which was asked for.
    BreaksOff,
}

/// An HTTP response.
#[derive(Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body, whole; it may hold tokens.
    pub body: Cow<'static, [u8]>,
    /// What comes after the body.
    pub ending: Ending,
    /// Why the request was rejected, if it was.
    pub rejection: Option<Rejection>,
    /// The rules that were violated on purpose to get here.
    pub violated: Vec<Rule>,
}

impl Response {
    /// A response without a body that must not be cached.
    pub fn new(status: u16) -> Self {
        Response {
            status,
            headers: vec![
                ("cache-control", "no-store".into()),
                ("x-content-type-options", "nosniff".into()),
            ],
            body: Cow::Borrowed(b""),
            ending: Ending::Complete,
            rejection: None,
            violated: Vec::new(),
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
    pub fn error(status: u16, error: &str, rejection: Rejection) -> Self {
        let body = ErrorResponse::new(error, &rejection.description()).to_json();
        Response::json(status, &body).rejected(rejection)
    }

    /// A line of text, for what no browser page and no OAuth client asked for.
    pub fn text(status: u16, rejection: Rejection) -> Self {
        let mut response = Response::new(status).with("content-type", "text/plain; charset=utf-8");
        response.body = Cow::Owned(format!("{rejection}\n").into_bytes());
        response.rejected(rejection)
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
    pub fn rejected(mut self, rejection: Rejection) -> Self {
        self.rejection = Some(rejection);
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

/// Something failed for which the client is not to blame.
pub(crate) fn server_error(error: &dyn std::error::Error) -> Response {
    let rejection = Rejection::new(error.to_string(), "RFC 9110 §15.6.1");
    Response::error(500, "server_error", rejection)
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.status, self.rejection)
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
            certificate: None,
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
        let request = request(&[("cookie", "xa=1; a=2; a=5"), ("cookie", "b=3=4; a=6")], "");
        let values = |name| request.cookies(name).collect::<Vec<_>>();
        assert_eq!(values("a"), ["2", "5", "6"]);
        assert_eq!(values("b"), ["3=4"]);
        assert!(values("c").is_empty());
    }
}
