//! Which requests are callbacks: method, path, Host, then what the browser
//! says about who started the request (security.md calls this C-CB11 to 13).
//!
//! Invariants: pure, and a [`Refusal`] holds no byte of the request, so that
//! it may be shown anywhere.

use super::{ListenSettings, LoopbackHost};
use hyper::http::request::Parts;
use hyper::http::{HeaderMap, HeaderName, Method, StatusCode, header};

/// A form post longer than this is refused.
pub(super) const FORM_LIMIT_BYTES: usize = 16 * 1024;

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Why a request is not a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("its first bytes are not HTTP")]
    NotHttp,
    #[error("it is not HTTP/1.1 as RFC 9112 writes it")]
    Malformed,
    #[error("its request line is longer than 16 KiB")]
    TargetTooLong,
    #[error("its request line and header fields are longer than 16 KiB")]
    HeadTooLong,
    #[error("its method is not the one that a callback has")]
    Method,
    #[error("it names a whole URL in the place of the path")]
    AbsoluteTarget,
    #[error("its path is not the one of the redirect URI")]
    Path,
    #[error("it has no Host, or more than one")]
    HostCount,
    #[error("its Host is malformed")]
    HostMalformed,
    #[error("its Host is not the one of the redirect URI")]
    HostOther,
    #[error("a page loaded it as a part of itself; a callback is a navigation")]
    NoNavigation,
    #[error("a script or form of a page sent it; a callback is a navigation")]
    Origin,
    #[error("it has a body where a callback has none, or one in chunks")]
    Body,
    #[error("its body is not a form")]
    FormType,
    #[error("its form is longer than 16 KiB")]
    FormTooLong,
    #[error("its form did not come whole")]
    FormBroken,
}

impl Refusal {
    /// The status it is answered with.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Refusal::NotHttp
            | Refusal::Malformed
            | Refusal::AbsoluteTarget
            | Refusal::HostCount
            | Refusal::HostMalformed
            | Refusal::Body
            | Refusal::FormBroken => StatusCode::BAD_REQUEST,
            Refusal::NoNavigation | Refusal::Origin => StatusCode::FORBIDDEN,
            Refusal::Path => StatusCode::NOT_FOUND,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::FormTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TargetTooLong => StatusCode::URI_TOO_LONG,
            Refusal::FormType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::HostOther => StatusCode::MISDIRECTED_REQUEST,
            Refusal::HeadTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }
}

/// Where the parameters of a request stand that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// In the query.
    Query,
    /// In the form that is its body (and in the query, if it has one).
    Form,
}

/// The checks, with what they compare to.
#[derive(Debug)]
pub(super) struct RequestFilter {
    path: String,
    authority: String,
    /// The host alone, where browsers leave the port out of Host.
    host_without_port: Option<&'static str>,
    accept_form_post: bool,
}

impl RequestFilter {
    pub(super) fn new(settings: &ListenSettings, port: u16) -> RequestFilter {
        let host: LoopbackHost = settings.host;
        RequestFilter {
            path: settings.path.clone(),
            authority: format!("{}:{port}", host.as_str()),
            host_without_port: (port == 80).then_some(host.as_str()),
            accept_form_post: settings.accept_form_post,
        }
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The value of `Allow` in a 405.
    pub(super) fn allowed_methods(&self) -> &'static str {
        if self.accept_form_post { "GET, POST" } else { "GET" }
    }

    /// Checks the head of a request.
    pub(super) fn examine(&self, request: &Parts) -> Result<Passed, Refusal> {
        let passed = match request.method {
            Method::GET => Passed::Query,
            Method::POST if self.accept_form_post => Passed::Form,
            _ => return Err(Refusal::Method),
        };
        if request.uri.scheme().is_some() || request.uri.authority().is_some() {
            return Err(Refusal::AbsoluteTarget);
        }
        if request.uri.path() != self.path {
            return Err(Refusal::Path);
        }
        self.check_host(&request.headers)?;
        check_navigation(&request.headers)?;
        match passed {
            Passed::Query if request.headers.contains_key(header::ORIGIN) => return Err(Refusal::Origin),
            Passed::Query => check_no_body(&request.headers)?,
            Passed::Form => check_form(&request.headers)?,
        }
        Ok(passed)
    }

    fn check_host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::HostCount);
        };
        let host = host.as_bytes();
        if host == self.authority.as_bytes() || self.host_without_port.is_some_and(|bare| host == bare.as_bytes()) {
            return Ok(());
        }
        if host.is_empty() || host.contains(&b'@') || !host.is_ascii() {
            return Err(Refusal::HostMalformed);
        }
        Err(Refusal::HostOther)
    }
}

/// A callback is a top-level navigation. Browsers that say nothing (old ones,
/// and other programs) are taken as they are: PKCE and `state` still protect.
fn check_navigation(headers: &HeaderMap) -> Result<(), Refusal> {
    let says_only = |name: &HeaderName, expected: &str| {
        headers
            .get_all(name)
            .iter()
            .all(|value| value.as_bytes() == expected.as_bytes())
    };
    if says_only(&SEC_FETCH_MODE, "navigate") && says_only(&SEC_FETCH_DEST, "document") {
        Ok(())
    } else {
        Err(Refusal::NoNavigation)
    }
}

fn check_no_body(headers: &HeaderMap) -> Result<(), Refusal> {
    let empty = headers
        .get(header::CONTENT_LENGTH)
        .is_none_or(|length| length.as_bytes() == b"0");
    if empty && !headers.contains_key(header::TRANSFER_ENCODING) {
        Ok(())
    } else {
        Err(Refusal::Body)
    }
}

/// No browser sends a form in chunks, and where there are none, two readers
/// cannot disagree about where the body ends (RFC 9112 §11.2).
fn check_form(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::Body);
    }
    let is_form = headers.get_all(header::CONTENT_TYPE).iter().all(|value| {
        let media_type = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        media_type
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    });
    if !is_form || headers.get_all(header::CONTENT_TYPE).iter().count() > 1 {
        return Err(Refusal::FormType);
    }
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let too_long =
        length.is_some_and(|length| length.parse().is_ok_and(|length: u64| length > FORM_LIMIT_BYTES as u64));
    if too_long { Err(Refusal::FormTooLong) } else { Ok(()) }
}
