//! One HTTP request and one HTTP response as values: what the flow asks the
//! transport to send, and what the trace shows. No IO.

use super::error::ErrorResponse;
use super::json::parse_object;
use super::params::Params;
use super::tls_identity::{TlsFiles, TlsIdentity};
use super::www_authenticate::{Challenges, InvalidChallenges};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How this program names itself to servers.
pub const USER_AGENT: &str = concat!("oauth/", env!("CARGO_PKG_VERSION"));

/// Shorter secrets are not looked for in other text: they are in every text.
const SECRET_FROM_CHARS: usize = 4;

/// What a request asks the server to do (RFC 9110 §9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    Get,
    /// Everything that carries credentials in a form.
    Post,
    /// Deletes a registration (RFC 7592 §2.3).
    Delete,
    /// Those that APIs have beside those that the protocol uses.
    Other(MethodName),
}

/// The name of a method: a token (RFC 9110 §5.6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodName(String);

impl Method {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Other(name) => &name.0,
        }
    }

    /// The method of this name; `None` for text that is not a token.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "GET" => Some(Method::Get),
            "POST" => Some(Method::Post),
            "DELETE" => Some(Method::Delete),
            other => is_token(other).then(|| Method::Other(MethodName(other.to_owned()))),
        }
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_token_character = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_character)
}

/// The name of a header field in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(Cow<'static, str>);

impl HeaderName {
    /// The name in lower case; `None` for text that is not a token (RFC 9110 §5.1).
    pub fn parse(name: &str) -> Option<Self> {
        is_token(name).then(|| HeaderName(name.to_ascii_lowercase().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that is in this program, in lower case.
impl From<&'static str> for HeaderName {
    fn from(name: &'static str) -> Self {
        HeaderName(Cow::Borrowed(name))
    }
}

impl PartialEq<str> for HeaderName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for HeaderName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A header value, which knows whether it may be shown.
#[derive(Debug, Clone)]
pub enum HeaderValue {
    /// May be shown to anyone.
    Plain(String),
    /// The authentication scheme may be shown, the credentials behind it may not.
    Credentials {
        /// `Basic`, `Bearer`.
        scheme: &'static str,
        /// What is after the scheme.
        credentials: Secret,
    },
    /// Nothing of it may be shown: a cookie.
    Secret(Secret),
    /// The same for what a person may have chosen, which gets no fingerprint.
    Chosen(Secret),
}

impl HeaderValue {
    /// The text that goes on the wire.
    pub fn expose(&self) -> Secret {
        match self {
            HeaderValue::Plain(text) => Secret::from(text.as_str()),
            HeaderValue::Secret(secret) | HeaderValue::Chosen(secret) => secret.clone(),
            HeaderValue::Credentials { scheme, credentials } => {
                Secret::new(format!("{scheme} {}", credentials.expose()))
            }
        }
    }

    /// User and password of Basic credentials as they are there, form-encoded
    /// where the client keeps to RFC 6749 §2.3.1; `None` for anything else.
    pub fn basic_parts(&self) -> Option<(String, Secret)> {
        let HeaderValue::Credentials {
            scheme: "Basic",
            credentials,
        } = self
        else {
            return None;
        };
        let decoded = Secret::new(String::from_utf8(STANDARD.decode(credentials.expose()).ok()?).ok()?);
        let (user, password) = decoded.expose().split_once(':')?;
        Some((user.to_owned(), Secret::from(password)))
    }

    /// The text that may be shown to a person. Basic credentials hold a secret
    /// that a person may have chosen, so they get no fingerprint.
    pub fn shown(&self) -> String {
        match self {
            HeaderValue::Plain(text) => text.clone(),
            HeaderValue::Secret(secret) => secret.redacted(),
            HeaderValue::Chosen(secret) => format!("[redacted, {} chars]", secret.length_chars()),
            HeaderValue::Credentials { scheme, credentials } if *scheme == "Basic" => {
                format!("{scheme} [redacted, {} chars]", credentials.length_chars())
            }
            HeaderValue::Credentials { scheme, credentials } => format!("{scheme} {}", credentials.redacted()),
        }
    }
}

/// What goes with a request.
#[derive(Debug, Clone)]
pub enum RequestBody {
    /// Parameters, of which each knows whether it may be shown.
    Form(Params),
    /// A JSON document without a secret of anyone, which may be shown. Its
    /// answer may hold some.
    Json(String),
    /// Anything else.
    Content(Content),
    /// Content that is read while it is sent; the transport has it.
    Stream {
        media_type: Option<String>,
        /// Where it is known from the start.
        length_bytes: Option<u64>,
    },
}

/// A body of any type. It may hold secrets.
#[derive(Debug, Clone)]
pub struct Content {
    pub media_type: Option<String>,
    pub bytes: Secret<Vec<u8>>,
}

impl RequestBody {
    /// Its `Content-Type`.
    pub fn media_type(&self) -> Option<&str> {
        match self {
            RequestBody::Form(_) => Some("application/x-www-form-urlencoded"),
            RequestBody::Json(_) => Some("application/json"),
            RequestBody::Content(content) => content.media_type.as_deref(),
            RequestBody::Stream { media_type, .. } => media_type.as_deref(),
        }
    }

    /// How long it is, where that is known.
    pub fn length_bytes(&self) -> Option<u64> {
        match self {
            RequestBody::Form(params) => Some(params.encoded_length_bytes() as u64),
            RequestBody::Json(json) => Some(json.len() as u64),
            RequestBody::Content(content) => Some(content.bytes.expose().len() as u64),
            RequestBody::Stream { length_bytes, .. } => *length_bytes,
        }
    }
}

/// What the client asks a server.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    pub method: Method,
    /// The whole URL. No client puts a secret there; an examination of a server does.
    pub url: Url,
    /// Headers beside those that follow from the rest, see [`HttpRequest::all_headers`].
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<RequestBody>,
    /// What the client shows of itself in TLS (RFC 8705 §2).
    pub tls_identity: Option<Arc<TlsIdentity>>,
    /// What the transport adds where it tells of the request.
    pub tls_files: Option<Arc<TlsFiles>>,
    /// Whether a protected resource answers, and not the authorization server
    /// (RFC 6749 §1.1).
    pub is_to_resource: bool,
}

impl HttpRequest {
    /// A GET that asks for JSON.
    pub fn get(url: Url) -> Self {
        HttpRequest {
            method: Method::Get,
            url,
            headers: vec![("accept".into(), HeaderValue::Plain("application/json".into()))],
            body: None,
            tls_identity: None,
            tls_files: None,
            is_to_resource: false,
        }
    }

    /// The same of what a protected resource publishes or serves.
    pub fn get_from_resource(url: Url) -> Self {
        HttpRequest {
            is_to_resource: true,
            ..HttpRequest::get(url)
        }
    }

    /// A POST of a form that asks for JSON (RFC 6749 §4.1.3).
    pub fn post(url: Url, body: Params) -> Self {
        HttpRequest {
            method: Method::Post,
            body: Some(RequestBody::Form(body)),
            ..HttpRequest::get(url)
        }
    }

    /// A POST of a JSON document without secrets, which asks for JSON (RFC 7591 §3.1).
    pub fn post_json(url: Url, json: String) -> Self {
        HttpRequest {
            method: Method::Post,
            body: Some(RequestBody::Json(json)),
            ..HttpRequest::get(url)
        }
    }

    /// Adds a header.
    pub fn push_header(&mut self, name: impl Into<HeaderName>, value: HeaderValue) {
        self.headers.push((name.into(), value));
    }

    /// The parameters of a form body.
    pub fn form(&self) -> Option<&Params> {
        match &self.body {
            Some(RequestBody::Form(params)) => Some(params),
            _ => None,
        }
    }

    /// Takes the parameters of a form body out, to be changed and given back to
    /// [`HttpRequest::set_form`].
    pub fn take_form(&mut self) -> Params {
        match self.body.take() {
            Some(RequestBody::Form(params)) => params,
            _ => Params::new(),
        }
    }

    /// Makes these parameters the body.
    pub fn set_form(&mut self, params: Params) {
        self.body = Some(RequestBody::Form(params));
    }

    /// Every header of the message but `Content-Length`: `Host`, `User-Agent`,
    /// the ones of [`HttpRequest::headers`], `Accept-Encoding` (RFC 9110 §12.5.3:
    /// without it a server may compress), and the `Content-Type` of the body
    /// (RFC 6749 Appendix B). Those of [`HttpRequest::headers`] win.
    pub fn all_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let host = self.url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let is_given = |name: &str| self.headers.iter().any(|(given, _)| given == name);
        let plain = |name: &'static str, value: &str| (HeaderName::from(name), HeaderValue::Plain(value.to_owned()));
        let mut headers = vec![plain("host", &host)];
        if !is_given("user-agent") {
            headers.push(plain("user-agent", USER_AGENT));
        }
        headers.extend(self.headers.iter().cloned());
        if !is_given("accept-encoding") {
            headers.push(plain("accept-encoding", "identity"));
        }
        let media_type = self.body.as_ref().and_then(RequestBody::media_type);
        if let Some(media_type) = media_type.filter(|_| !is_given("content-type")) {
            headers.push(plain("content-type", media_type));
        }
        headers
    }

    /// Whether the message carries anything that only this client should know.
    /// The answer to a message without holds no secret of anyone.
    pub fn carries_credentials(&self) -> bool {
        let in_header = |value: &HeaderValue| !matches!(value, HeaderValue::Plain(_));
        self.body.is_some() || self.headers.iter().any(|(_, value)| in_header(value))
    }

    /// The secrets that the message carries, so that they can be cut out of an
    /// answer that repeats them.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for (_, value) in &self.headers {
            match value {
                HeaderValue::Plain(_) => {}
                HeaderValue::Secret(cookies) | HeaderValue::Chosen(cookies) => {
                    let pairs = cookies.expose().split("; ").filter_map(|pair| pair.split_once('='));
                    secrets.extend(pairs.map(|(_, value)| Secret::from(value)));
                    secrets.push(cookies.clone());
                }
                HeaderValue::Credentials { scheme, credentials } => {
                    secrets.push(credentials.clone());
                    if *scheme == "Basic" {
                        secrets.extend(password_of(credentials));
                    }
                }
            }
        }
        let in_query = Params::parse(self.url.query().unwrap_or_default());
        secrets.extend(
            self.form()
                .into_iter()
                .chain([&in_query])
                .flat_map(Params::secrets)
                .cloned(),
        );
        secrets.retain(|secret| secret.length_chars() >= SECRET_FROM_CHARS);
        secrets
    }
}

/// The password in Basic credentials, form-decoded (RFC 6749 §2.3.1).
fn password_of(credentials: &Secret) -> Option<Secret> {
    let decoded = Secret::new(String::from_utf8(STANDARD.decode(credentials.expose()).ok()?).ok()?);
    let (_, password) = decoded.expose().split_once(':')?;
    let (password, _) = url::form_urlencoded::parse(password.as_bytes()).next()?;
    Some(Secret::from(&*password))
}

/// What the server answered. The body may hold secrets.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    pub status: u16,
    /// Names in lower case, values as they came; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Secret<Vec<u8>>,
    /// The body is not in `body`: it is passed on as it comes.
    pub is_streamed: bool,
    /// From the call to the last byte of the body.
    pub elapsed: Duration,
    /// The parts of it.
    pub timings: Timings,
}

/// What the time of an exchange went into, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// From the name to its addresses; absent where the URL holds an address.
    pub name_lookup: Option<Duration>,
    /// From the addresses to a connection, TLS included.
    pub connect: Option<Duration>,
    /// From the call to the head of the answer: name, connection and the server's work.
    pub first_byte: Option<Duration>,
}

/// Whether a server that answers with this status cannot serve for now: 429
/// (RFC 6585 §4) and 5xx.
pub fn is_unavailable(status: u16) -> bool {
    matches!(status, 429 | 500..)
}

/// The same where a request is posted, whose body may have come too late
/// (408, RFC 9110 §15.5.9).
pub fn is_unavailable_for_post(status: u16) -> bool {
    status == 408 || is_unavailable(status)
}

impl HttpResponse {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// How long the body is.
    pub fn length_bytes(&self) -> usize {
        self.body.expose().len()
    }

    /// The error that the body names, where it is a JSON object.
    pub fn error_in_body(&self) -> Option<ErrorResponse> {
        let object = parse_object(self.body.expose()).ok()?;
        ErrorResponse::from_json(&object)
    }

    /// The challenges of all its `WWW-Authenticate` headers.
    ///
    /// # Errors
    /// [`InvalidChallenges`].
    pub fn challenges(&self) -> Result<Challenges, InvalidChallenges> {
        let of_this_name = self.headers.iter().filter(|(name, _)| name == "www-authenticate");
        Challenges::parse(of_this_name.map(|(_, value)| value.as_str()))
    }

    /// The error that a challenge names ([`ErrorResponse::from_challenges`]).
    pub fn error_in_challenge(&self) -> Option<ErrorResponse> {
        ErrorResponse::from_challenges(&self.challenges().ok()?)
    }

    /// The media type of `Content-Type` in lower case, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let media_type = value.split(';').next().unwrap_or_default();
        Some(media_type.trim().to_ascii_lowercase())
    }
}
