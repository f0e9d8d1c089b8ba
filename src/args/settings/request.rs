//! What `oauth request` sends: method, URL, headers and body as they were typed.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::args::cli::RequestOptions;
use crate::protocol::http::{HeaderName, HeaderValue, Method};
use crate::protocol::url_text;
use std::path::PathBuf;
use url::Url;

/// A call of an API, without the token.
#[derive(Debug)]
pub struct ApiCall {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<CallBody>,
}

/// What goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallBody {
    /// `-d`.
    Data(Vec<DataSource>),
    /// `-F`.
    Form(Vec<FormField>),
}

/// Where a piece of a body comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    Text(String),
    File(PathBuf),
    Stdin,
}

/// One part of a form (RFC 7578).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    pub name: String,
    pub source: DataSource,
    /// The name of the file that is sent to the server.
    pub file_name: Option<String>,
    pub media_type: Option<String>,
}

/// Headers that go by what is sent and how, or that carry the token.
const RESERVED_HEADERS: [&str; 11] = [
    "authorization",
    "connection",
    "content-length",
    "dpop",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that hold no secret.
const OPEN_HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "prefer",
    "range",
    "user-agent",
];

/// Reads what was typed.
///
/// # Errors
/// [`SettingsError::Value`], which never repeats what may be a secret.
pub fn api_call(options: &RequestOptions) -> Result<ApiCall, SettingsError> {
    let body = match (options.data.as_slice(), options.form.as_slice()) {
        ([], []) => None,
        ([], form) => Some(CallBody::Form(
            form.iter().map(|text| form_field(text)).collect::<Result<_, _>>()?,
        )),
        (data, _) => Some(CallBody::Data(data.iter().map(|text| data_source(text)).collect())),
    };
    check_one_stdin(body.as_ref())?;
    let method = match (&options.method, &body) {
        (Some(name), _) => Method::parse(&name.to_ascii_uppercase())
            .filter(|method| method.as_str() != "CONNECT")
            .ok_or_else(|| invalid("METHOD", "that is not a method of HTTP that can be sent to a URL"))?,
        (None, Some(_)) => Method::Post,
        (None, None) => Method::Get,
    };
    Ok(ApiCall {
        method,
        url: api_url(&options.url)?,
        headers: headers(&options.token.header)?,
        body,
    })
}

/// The URL of an API, without a fragment.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn api_url(text: &str) -> Result<Url, SettingsError> {
    let parsed = url_text::parse_exact(text).filter(is_of_web);
    let mut url = parsed.ok_or_else(|| {
        let hint = "Write the whole URL, such as https://api.example.com/v1/notes?max=5, with other characters as %XX.";
        invalid_with_hint("URL", describe_unusable(text), hint)
    })?;
    url.set_fragment(None);
    Ok(url)
}

fn is_of_web(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
}

/// What is wrong with a text that is no URL for a call. It is not repeated: it may hold a password.
fn describe_unusable(text: &str) -> &'static str {
    let has_host = |url: &Url| url.has_host() && !text.contains('@');
    match url_text::parse(text).filter(is_of_web) {
        Some(url) => url_text::find_repair(text, &url).filter(|_| has_host(&url)),
        None => {
            let with_scheme = url_text::parse_exact(&format!("https://{text}"));
            let is_bare = with_scheme.is_some() && !text.contains("://");
            is_bare.then_some("http:// or https:// is missing before the host")
        }
    }
    .unwrap_or("that is not a URL of the web in its usual form")
}

/// The headers of `-H`.
///
/// # Errors
/// [`SettingsError::Value`], also for headers that are not the user's to set.
pub fn headers(given: &[String]) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    given.iter().map(|text| header(text)).collect()
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), SettingsError> {
    let parts = text
        .split_once(':')
        .map(|(name, value)| (name, value.trim_matches([' ', '\t'])));
    let (name, value) = parts
        .and_then(|(name, value)| Some((HeaderName::parse(name)?, value)))
        .ok_or_else(|| {
            invalid_with_hint(
                "-H",
                "it is not of the form \"Name: value\"",
                "Such as: -H 'Accept: text/csv'",
            )
        })?;
    if RESERVED_HEADERS.contains(&name.as_str()) {
        let problem = format!("the header {name} is not yours to set: it is made for the token, or for the message");
        return Err(invalid("-H", problem));
    }
    let is_sendable = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80;
    if value.is_empty() || !value.bytes().all(is_sendable) {
        let problem = format!("the value of the header {name} is empty, or has characters that no header may have");
        return Err(invalid("-H", problem));
    }
    let value = match OPEN_HEADERS.contains(&name.as_str()) {
        true => HeaderValue::Plain(value.to_owned()),
        false => HeaderValue::Chosen(value.into()),
    };
    Ok((name, value))
}

fn data_source(text: &str) -> DataSource {
    match text.strip_prefix('@') {
        Some("-") => DataSource::Stdin,
        Some(path) => DataSource::File(path.into()),
        None => DataSource::Text(text.to_owned()),
    }
}

fn form_field(text: &str) -> Result<FormField, SettingsError> {
    let hint = "Such as: -F title=Notes -F 'file=@notes.pdf;type=application/pdf'";
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| invalid_with_hint("-F", "it is not of the form K=V", hint))?;
    let (is_upload, value) = match (value.strip_prefix('@'), value.strip_prefix('<')) {
        (Some(path), _) => (true, path),
        (None, Some(path)) => (false, path),
        (None, None) => {
            return Ok(FormField {
                name: name.to_owned(),
                source: DataSource::Text(value.to_owned()),
                file_name: None,
                media_type: None,
            });
        }
    };
    let mut options = value.split(';');
    let path = options.next().unwrap_or_default();
    let (mut file_name, mut media_type) = (None, None);
    for option in options {
        match option.trim().split_once('=') {
            Some(("type", value)) if is_header_text(value) => media_type = Some(value.to_owned()),
            Some(("filename", value)) => file_name = Some(value.trim_matches('"').to_owned()),
            _ => {
                return Err(invalid_with_hint(
                    "-F",
                    "after a file only ;type= and ;filename= may follow",
                    hint,
                ));
            }
        }
    }
    if path.is_empty() {
        return Err(invalid_with_hint("-F", "no file is named", hint));
    }
    let source = match path {
        "-" => DataSource::Stdin,
        path => DataSource::File(path.into()),
    };
    let base_name = || {
        PathBuf::from(path)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    Ok(FormField {
        name: name.to_owned(),
        file_name: if is_upload {
            file_name.or_else(base_name)
        } else {
            file_name
        },
        media_type: media_type.or_else(|| is_upload.then(|| "application/octet-stream".to_owned())),
        source,
    })
}

fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn check_one_stdin(body: Option<&CallBody>) -> Result<(), SettingsError> {
    let (flag, count) = match body {
        None => return Ok(()),
        Some(CallBody::Data(sources)) => (
            "-d",
            sources.iter().filter(|source| **source == DataSource::Stdin).count(),
        ),
        Some(CallBody::Form(fields)) => (
            "-F",
            fields.iter().filter(|field| field.source == DataSource::Stdin).count(),
        ),
    };
    match count {
        0 | 1 => Ok(()),
        _ => Err(invalid(flag, "standard input can be read once only")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_carry_the_token_or_frame_the_message_are_refused() {
        for text in [
            "Authorization: Bearer canary",
            "authorization:canary",
            "DPoP: canary",
            "Host: canary",
            "Content-Length: 3",
            "Transfer-Encoding: chunked",
            "Proxy-Authorization: canary",
            "canary",
            "X Y: canary",
            ": canary",
            "X-Empty:",
            "X-Break: canary\r\nHost: x",
        ] {
            let error = headers(&[text.to_owned()]).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
        let (name, value) = header("X-Api-Key:  k1 ").unwrap();
        assert_eq!((name.as_str(), value.expose().expose().as_str()), ("x-api-key", "k1"));
        assert!(matches!(value, HeaderValue::Chosen(_)), "it may be a key");
    }

    #[test]
    fn a_form_field_is_a_value_a_file_or_the_text_of_a_file() {
        let field = |text: &str| form_field(text).unwrap();
        assert_eq!(field("a=b=c;d").source, DataSource::Text("b=c;d".to_owned()));
        let upload = field("f=@/tmp/a.txt;type=text/plain;filename=\"b.txt\"");
        assert_eq!(upload.source, DataSource::File("/tmp/a.txt".into()));
        assert_eq!(upload.file_name.as_deref(), Some("b.txt"));
        assert_eq!(upload.media_type.as_deref(), Some("text/plain"));
        let upload = field("f=@/tmp/a.txt");
        assert_eq!(upload.file_name.as_deref(), Some("a.txt"));
        assert_eq!(upload.media_type.as_deref(), Some("application/octet-stream"));
        let text = field("f=<-");
        assert_eq!(
            (text.source, text.file_name, text.media_type),
            (DataSource::Stdin, None, None)
        );
        for bad in ["f", "=x", "f=@", "f=@a;size=3"] {
            assert!(form_field(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_url_lacks_is_named() {
        for (bad, lacking) in [
            ("http://127.0.0.1:/x", "the port is missing after the colon"),
            ("127.0.0.1:4664/api", "http:// or https:// is missing before the host"),
            ("localhost:4664/api", "http:// or https:// is missing before the host"),
            ("api.example", "http:// or https:// is missing before the host"),
            ("ftp://api.example/", "that is not a URL of the web in its usual form"),
            (
                "user:secret@api.example/",
                "that is not a URL of the web in its usual form",
            ),
        ] {
            let error = api_url(bad).unwrap_err();
            assert_eq!(error.to_string(), format!("URL: {lacking}"), "{bad}");
        }
    }

    #[test]
    fn a_url_that_a_parser_would_repair_is_refused() {
        for bad in [
            "api.example",
            "https:/api.example/x",
            "https://user@api.example/",
            "https://api.example/a/../b",
            "https://api.example\\@evil.test/",
            "ftp://api.example/",
            "https://api.example/a b",
        ] {
            assert!(api_url(bad).is_err(), "{bad}");
        }
        assert_eq!(
            api_url("https://api.example/x?q=1#f").unwrap().as_str(),
            "https://api.example/x?q=1"
        );
    }
}
