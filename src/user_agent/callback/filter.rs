//! Which requests are callbacks: method, path, Host, then what the browser
//! reports about who started the request. Pure.

use super::ListenSettings;
use super::refusal::Refusal;
use crate::protocol::http::Method;
use hyper::http::request::Parts;
use hyper::http::{self, HeaderMap, HeaderName, header};

/// A form post longer than this is refused.
pub(super) const MAX_FORM_BYTES: usize = 16 * 1024;

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The checks, with what they compare to.
#[derive(Debug)]
pub(super) struct RequestFilter {
    path: String,
    authority: String,
    /// The host alone, where browsers leave the port out of Host.
    host_without_port: Option<String>,
    /// Of the redirect URI.
    scheme: &'static str,
    accept_form_post: bool,
}

impl RequestFilter {
    pub(super) fn new(settings: &ListenSettings, port: u16) -> RequestFilter {
        let host = settings.name.as_deref().unwrap_or(settings.host.as_str());
        let (scheme, default_port) = match settings.certificate {
            Some(_) => ("https", 443),
            None => ("http", 80),
        };
        RequestFilter {
            path: settings.path.clone(),
            authority: format!("{host}:{port}"),
            host_without_port: (port == default_port).then(|| host.to_owned()),
            scheme,
            accept_form_post: settings.accept_form_post,
        }
    }

    /// The value of `Allow` in a 405.
    pub(super) fn allowed_methods(&self) -> &'static str {
        if self.accept_form_post { "GET, POST" } else { "GET" }
    }

    /// Checks the head of a request. A callback has its parameters in the
    /// query of a GET or in the form of a POST (and in its query, if it has one).
    pub(super) fn check(&self, request: &Parts) -> Result<Method, Refusal> {
        let method = match request.method {
            http::Method::GET => Method::Get,
            http::Method::POST if self.accept_form_post => Method::Post,
            http::Method::POST if request.uri.path() == self.path => return Err(Refusal::UnrequestedFormPost),
            _ => return Err(Refusal::Method),
        };
        if request.uri.path() != self.path {
            return Err(match is_browser_file(&request.uri) {
                true => Refusal::BrowserFile,
                false => Refusal::Path,
            });
        }
        self.check_host(request)?;
        check_navigation(&request.headers)?;
        match method {
            Method::Post => check_form(&request.headers)?,
            _ if request.headers.contains_key(header::ORIGIN) => return Err(Refusal::Origin),
            _ => check_no_body(&request.headers)?,
        }
        Ok(method)
    }

    /// The authority of an absolute request target counts in the place of Host
    /// (RFC 9112 §3.2.2).
    fn check_host(&self, request: &Parts) -> Result<(), Refusal> {
        let mut hosts = request.headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::HostCount);
        };
        let host = match (request.uri.scheme_str(), request.uri.authority()) {
            (None, None) => host.as_bytes(),
            (Some(scheme), Some(authority)) if scheme == self.scheme => authority.as_str().as_bytes(),
            _ => return Err(Refusal::TargetScheme),
        };
        if host == self.authority.as_bytes()
            || self
                .host_without_port
                .as_ref()
                .is_some_and(|bare| host == bare.as_bytes())
        {
            return Ok(());
        }
        if host.is_empty() || host.contains(&b'@') || !host.is_ascii() {
            return Err(Refusal::HostMalformed);
        }
        Err(Refusal::HostOther)
    }
}

/// What a browser asks every host for, without a query.
fn is_browser_file(target: &http::Uri) -> bool {
    const PREFIXES: [&str; 4] = ["/favicon", "/apple-touch-icon", "/.well-known/", "/robots.txt"];
    target.query().is_none() && PREFIXES.iter().any(|prefix| target.path().starts_with(prefix))
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
    let too_long = length.is_some_and(|length| length.parse().is_ok_and(|length: u64| length > MAX_FORM_BYTES as u64));
    if too_long { Err(Refusal::FormTooLong) } else { Ok(()) }
}
