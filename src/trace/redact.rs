//! What of a message may be shown: the one place of the trace where secrets
//! are opened, for every renderer.
//!
//! Own values know how they may be shown. An answer is foreign: if the request
//! carried credentials, only members and headers on an allow-list are shown,
//! and everything else appears as its length, with a fingerprint where it is
//! long enough that nobody could guess it. If the request carried none, its
//! answer (metadata, keys) holds nobody's secret and is shown, but for names
//! that always hold one. A value that the request sent as a secret and that
//! comes back inside other text is cut out of it.
//!
//! Everything that comes out is neutralised (see [`crate::neutral`]).

use super::document::Document;
use crate::neutral::{neutralise, neutralise_whole};
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::protocol::params::{Params, Value};
use crate::secret::Secret;

/// A string of unknown meaning gets a fingerprint from this length on; the
/// fingerprint of a shorter one would confirm a guess.
const FINGERPRINT_FROM_CHARS: usize = 16;

/// Members that a token, introspection or error answer may show.
const OPEN_MEMBERS: [&str; 28] = [
    "active",
    "aud",
    "auth_time",
    "client_id",
    "correlation_id",
    "error",
    "error_codes",
    "error_description",
    "error_uri",
    "exp",
    "expires_in",
    "ext_expires_in",
    "iat",
    "interval",
    "iss",
    "issued_token_type",
    "issuer",
    "nbf",
    "not-before-policy",
    "refresh_expires_in",
    "refresh_token_expires_in",
    "resource",
    "scope",
    "sub",
    "token_type",
    "trace_id",
    "verification_uri",
    "x_refresh_token_expires_in",
];

/// Headers that any answer may show. `Location` is shown too, but for the
/// secrets in its query.
const OPEN_HEADERS: [&str; 34] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "dpop-nonce",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "permissions-policy",
    "pragma",
    "referrer-policy",
    "retry-after",
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
];

/// Members of a JSON Web Key that are private (RFC 7518 §6).
const PRIVATE_KEY_MEMBERS: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Decides what is shown.
#[derive(Debug, Clone, Copy)]
pub struct Redaction {
    show_secrets: bool,
}

/// An answer as it may be shown.
#[derive(Debug)]
pub struct ShownAnswer {
    /// Names and values in order.
    pub headers: Vec<(String, String)>,
    /// What came with it.
    pub body: ShownBody,
}

/// A body as it may be shown.
#[derive(Debug, PartialEq)]
pub enum ShownBody {
    /// There is none.
    Empty,
    /// It is JSON.
    Json(Document),
    /// It is something else; one line.
    Text(String),
}

impl Redaction {
    /// Redacts, unless the user asked to see secrets (`--show-secrets`).
    pub fn new(show_secrets: bool) -> Self {
        Redaction { show_secrets }
    }

    /// A parameter's value.
    pub fn value(self, value: &Value) -> String {
        if self.show_secrets {
            neutralise_whole(value.expose())
        } else {
            neutralise(&value.shown())
        }
    }

    /// Whether secrets are shown whole.
    pub fn shows_secrets(self) -> bool {
        self.show_secrets
    }

    /// A URL, with the secrets in its query (`state`, above all) as they may be shown.
    pub fn url(self, url: &str) -> String {
        let Some((start, query)) = url.split_once('?').filter(|_| !self.show_secrets) else {
            return neutralise_whole(url);
        };
        let (query, fragment) = match query.split_once('#') {
            Some((query, fragment)) => (query, format!("#{fragment}")),
            None => (query, String::new()),
        };
        let pieces = query.split('&').map(|piece| {
            let params = Params::parse(piece);
            match params.iter().next() {
                Some((name, value)) if !matches!(value, Value::Plain(_)) => format!("{name}={}", value.shown()),
                _ => piece.to_owned(),
            }
        });
        let pieces: Vec<String> = pieces.collect();
        neutralise_whole(&format!("{start}?{}{fragment}", pieces.join("&")))
    }

    /// A request header's value.
    pub fn request_header(self, value: &HeaderValue) -> String {
        if self.show_secrets {
            neutralise_whole(value.expose().expose())
        } else {
            neutralise(&value.shown())
        }
    }

    /// Headers and body of an answer.
    pub fn answer(self, request: &HttpRequest, response: &HttpResponse) -> ShownAnswer {
        let sent = if self.show_secrets {
            Vec::new()
        } else {
            request.secrets()
        };
        let foreign = Foreign {
            show_secrets: self.show_secrets,
            public: !request.carries_credentials(),
            sent: &sent,
        };
        let headers = response.headers.iter();
        ShownAnswer {
            headers: headers
                .map(|(name, value)| (neutralise(name), foreign.header(name, value)))
                .collect(),
            body: foreign.body(response),
        }
    }
}

/// One answer from outside.
struct Foreign<'a> {
    show_secrets: bool,
    /// The request carried no credentials.
    public: bool,
    /// What the request sent as secrets.
    sent: &'a [Secret],
}

impl Foreign<'_> {
    fn header(&self, name: &str, value: &str) -> String {
        if self.show_secrets {
            return neutralise_whole(value);
        }
        if name == "location" {
            return self.open_text(&redacted_location(value));
        }
        if OPEN_HEADERS.contains(&name) {
            return self.open_text(value);
        }
        unknown(value)
    }

    fn body(&self, response: &HttpResponse) -> ShownBody {
        let bytes = response.body.expose();
        if bytes.is_empty() {
            return ShownBody::Empty;
        }
        if let Some(document) = Document::parse(bytes) {
            return ShownBody::Json(self.document(document, None));
        }
        if !self.public && !self.show_secrets {
            let media_type = response.media_type().unwrap_or_else(|| "no content type".to_owned());
            return ShownBody::Text(neutralise(&format!(
                "[{media_type}, {} bytes, shown with --show-secrets]",
                bytes.len()
            )));
        }
        let text = String::from_utf8_lossy(bytes);
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        ShownBody::Text(if self.show_secrets {
            neutralise_whole(&line)
        } else {
            neutralise(&line)
        })
    }

    /// `name` is the member that the document is the value of.
    fn document(&self, document: Document, name: Option<&str>) -> Document {
        match document {
            Document::Text(text) => Document::Text(self.member(name, &text)),
            Document::List(items) => Document::List(items.into_iter().map(|item| self.document(item, name)).collect()),
            Document::Object(members) => {
                let is_key = members.iter().any(|(name, _)| name == "kty");
                let shown = members.into_iter().map(|(name, value)| {
                    let private = is_key && PRIVATE_KEY_MEMBERS.contains(&name.as_str());
                    let value = match value {
                        Document::Text(text) if private && !self.show_secrets => Document::Text(unknown(&text)),
                        value => self.document(value, Some(&name)),
                    };
                    (neutralise(&name), value)
                });
                Document::Object(shown.collect())
            }
            Document::Number(number) if !self.show_secrets => {
                let digits = number.to_string();
                match Value::tagged(name.unwrap_or_default(), &digits) {
                    Value::Plain(_) => Document::Number(number),
                    _ => Document::Text(unknown(&digits)),
                }
            }
            plain => plain,
        }
    }

    fn member(&self, name: Option<&str>, text: &str) -> String {
        if self.show_secrets {
            return neutralise_whole(text);
        }
        match Value::tagged(name.unwrap_or_default(), text) {
            Value::Plain(_) if self.public || name.is_some_and(|name| OPEN_MEMBERS.contains(&name)) => {
                self.open_text(text)
            }
            Value::Plain(_) => unknown(text),
            secret => secret.shown(),
        }
    }

    /// Text that may be shown, once the secrets that were sent are out of it.
    fn open_text(&self, text: &str) -> String {
        let mut open = text.to_owned();
        for secret in self.sent {
            if open.contains(secret.expose().as_str()) {
                open = open.replace(secret.expose().as_str(), &unknown(secret.expose()));
            }
        }
        neutralise(&open)
    }
}

fn unknown(text: &str) -> String {
    let secret = Secret::from(text);
    if secret.length_chars() < FINGERPRINT_FROM_CHARS {
        format!("[redacted, {} chars]", secret.length_chars())
    } else {
        secret.redacted()
    }
}

/// The URL with the values of its query and fragment as they may be shown
/// (an authorization response is such a URL).
fn redacted_location(location: &str) -> String {
    let end_of_path = location.find(['?', '#']).unwrap_or(location.len());
    let (path, rest) = location.split_at(end_of_path);
    let mut shown = path.to_owned();
    for piece in rest.split_inclusive(['?', '#']) {
        let (params, mark) = match piece.strip_suffix(['?', '#']) {
            Some(params) => (params, &piece[params.len()..]),
            None => (piece, ""),
        };
        let params = Params::parse(params);
        let pairs: Vec<String> = params
            .iter()
            .map(|(name, value)| format!("{name}={}", value.shown()))
            .collect();
        shown.push_str(&pairs.join("&"));
        shown.push_str(mark);
    }
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use std::time::Duration;
    use url::Url;

    const TOKEN: &str = "canary-token-canary-token";

    fn token_request() -> HttpRequest {
        let mut body = Params::new();
        body.push("grant_type", "authorization_code");
        body.push("code", "canary-code-canary-code");
        body.push("client_secret", "canary-secret");
        HttpRequest::post(Url::parse("https://id.example.com/token").unwrap(), body)
    }

    fn metadata_request() -> HttpRequest {
        HttpRequest::get(Url::parse("https://id.example.com/.well-known/openid-configuration").unwrap())
    }

    fn response(headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let owned = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HttpResponse {
            status: 200,
            headers: owned.collect(),
            body: Secret::new(body.as_bytes().to_vec()),
            elapsed: Duration::ZERO,
            timings: crate::protocol::http::Timings::default(),
        }
    }

    fn shown(request: &HttpRequest, body: &str) -> String {
        match Redaction::new(false).answer(request, &response(&[], body)).body {
            ShownBody::Json(document) => document.line(),
            ShownBody::Text(text) => text,
            ShownBody::Empty => String::new(),
        }
    }

    #[test]
    fn a_token_answer_shows_what_is_on_the_list_and_no_more() {
        let answer = format!(
            r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600,"scope":"openid","id_token":"{TOKEN}",
                "refresh_token":"{TOKEN}","custom":"{TOKEN}","pin":"1234","code":123456,"nested":{{"list":["{TOKEN}",7,null,true]}},"access_token":"twice"}}"#
        );
        let tag = Secret::from(TOKEN).redacted();
        let again = Secret::from("twice").redacted();
        let expected = format!(
            r#"{{"access_token":"{tag}","token_type":"Bearer","expires_in":3600,"scope":"openid","id_token":"{tag}","refresh_token":"{tag}","custom":"{tag}","pin":"[redacted, 4 chars]","code":"[redacted, 6 chars]","nested":{{"list":["{tag}",7,null,true]}},"access_token":"{again}"}}"#
        );
        assert_eq!(shown(&token_request(), &answer), expected);
    }

    #[test]
    fn a_secret_that_was_sent_is_cut_out_of_what_comes_back() {
        let answer = r#"{"error":"invalid_grant","error_description":"code canary-code-canary-code and canary-secret are wrong"}"#;
        let text = shown(&token_request(), answer);
        assert!(
            text.contains("\"invalid_grant\"") && text.contains("are wrong"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");

        let mut basic = token_request();
        let credentials = Secret::new(STANDARD.encode("client:canary%2Fp%C3%A4ss"));
        basic.headers.push((
            "authorization",
            HeaderValue::Credentials {
                scheme: "Basic",
                credentials,
            },
        ));
        let text = shown(&basic, r#"{"error_description":"canary/päss is not the password"}"#);
        assert!(
            !text.contains("canary") && text.contains("is not the password"),
            "{text}"
        );
    }

    #[test]
    fn metadata_is_shown_but_for_private_parts_of_keys() {
        let metadata = r#"{"issuer":"https://id.example.com","scopes_supported":["openid"],"extra":"shown"}"#;
        assert_eq!(shown(&metadata_request(), metadata), metadata);
        let keys =
            r#"{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN","d":"X4cTteJY_gn4FYPsXB8rdXix","p":"83i"}]}"#;
        let text = shown(&metadata_request(), keys);
        assert!(
            text.contains("0vx7agoebGcQSuuPiLJXZptN") && text.contains("[redacted, 3 chars]"),
            "{text}"
        );
        assert!(!text.contains("X4cT") && !text.contains("83i"), "{text}");
        let token = format!(r#"{{"access_token":"{TOKEN}"}}"#);
        assert!(!shown(&metadata_request(), &token).contains("canary"));
    }

    #[test]
    fn a_page_is_shown_only_where_no_secret_was_sent() {
        let page = "<html>\n  <b>canary</b> not\tfound\u{1b}[2J</html>";
        assert_eq!(
            shown(&metadata_request(), page),
            "<html> <b>canary</b> not found\\u{1b}[2J</html>"
        );
        assert_eq!(
            shown(&token_request(), page),
            format!("[no content type, {} bytes, shown with --show-secrets]", page.len())
        );
        assert_eq!(shown(&token_request(), ""), "");
    }

    #[test]
    fn a_url_keeps_its_bytes_but_for_the_secrets() {
        let url = "https://id.example.com/a?client_id=x&state=canary-state-canary&redirect_uri=http%3A%2F%2F[::1]#end";
        let tag = Secret::from("canary-state-canary").redacted();
        let expected = url.replace("canary-state-canary", &tag);
        assert_eq!(Redaction::new(false).url(url), expected);
        assert_eq!(Redaction::new(true).url(url), url);
        assert_eq!(Redaction::new(false).url("https://x/y"), "https://x/y");
    }

    #[test]
    fn headers_pass_a_list_too() {
        let headers = [
            ("content-type", "application/json"),
            ("set-cookie", "session=canary; Path=/"),
            ("x-token", TOKEN),
            ("location", "http://127.0.0.1:1/cb?code=canary-code&x=1#state=canary"),
            ("www-authenticate", "Bearer error=\"canary-code-canary-code\""),
            ("server", "evil\u{1b}]52;c;x\u{7}"),
        ];
        let answer = Redaction::new(false).answer(&token_request(), &response(&headers, ""));
        let value = |name: &str| answer.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
        assert_eq!(value("content-type"), "application/json");
        assert_eq!(value("x-token"), Secret::from(TOKEN).redacted());
        assert!(value("location").starts_with("http://127.0.0.1:1/cb?code=[redacted, 11 chars, sha256 "));
        assert!(value("location").contains("&x=1#state=[redacted, 6 chars, sha256 "));
        assert_eq!(value("server"), "evil\\u{1b}]52;c;x\\u{7}");
        assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
    }

    #[test]
    fn whoever_asks_to_see_secrets_sees_them_whole_and_still_harmless() {
        let long = "t".repeat(2_000);
        let body = format!(r#"{{"access_token":"{long}","custom":"\u001b[2J"}}"#);
        let answer = Redaction::new(true).answer(&token_request(), &response(&[("set-cookie", "a=b")], &body));
        assert_eq!(answer.headers, [("set-cookie".to_owned(), "a=b".to_owned())]);
        let ShownBody::Json(document) = answer.body else {
            panic!("{:?}", answer.body);
        };
        assert_eq!(
            document.line(),
            format!(r#"{{"access_token":"{long}","custom":"\\u{{1b}}[2J"}}"#)
        );
        let code = Value::tagged("code", "SplxlOBeZQQYbYS6WxSbIA");
        assert_eq!(Redaction::new(true).value(&code), "SplxlOBeZQQYbYS6WxSbIA");
        assert!(Redaction::new(false).value(&code).starts_with("[redacted, 22 chars"));
    }
}
