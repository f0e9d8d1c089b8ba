//! What of a message may be shown: the one place of the trace where secrets
//! are opened, for every renderer.
//!
//! Own values know how they may be shown. An answer is foreign: if the request
//! carried credentials, only members and headers on an allow-list are shown,
//! and everything else appears as its length, with a fingerprint where it is
//! long enough that nobody could guess it. So it is with the answer to an
//! authorization request, which may be a page with a code in it. If the request
//! carried none, its answer (metadata, keys) holds nobody's secret and is shown, but for names
//! that always hold one. A value that the request sent as a secret and that
//! comes back inside other text is cut out of it.
//!
//! Everything that comes out is neutralised (see [`crate::output::sanitize`]).

use super::ordered_json::OrderedJson;
use crate::foreign_text::{sanitize, sanitize_unbounded};
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::protocol::params::{Params, Value};
use crate::protocol::pkce::S256;
use crate::protocol::scrub::scrub;
use crate::secret::Secret;
use url::form_urlencoded::byte_serialize;

/// A string of unknown meaning gets a fingerprint from this length on; the
/// fingerprint of a shorter one would confirm a guess.
const FINGERPRINT_FROM_CHARS: usize = 16;

/// A shorter secret of an answer is not looked for in the rest of it.
const REPEATED_FROM_CHARS: usize = 8;

/// Members that a token, introspection or error answer may show.
const OPEN_MEMBERS: [&str; 30] = [
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
    "nonce",
    "not-before-policy",
    "refresh_expires_in",
    "refresh_token_expires_in",
    "resource",
    "scope",
    "session_state",
    "sub",
    "token_type",
    "trace_id",
    "verification_uri",
    "x_refresh_token_expires_in",
];

/// Headers that any answer may show. `Location` is shown too, but for the
/// secrets in its query.
const OPEN_HEADERS: [&str; 49] = [
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "cf-ray",
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
    "request-id",
    "retry-after",
    "server",
    "server-timing",
    "strict-transport-security",
    "traceparent",
    "transfer-encoding",
    "vary",
    "via",
    "www-authenticate",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-cache",
    "x-content-type-options",
    "x-correlation-id",
    "x-frame-options",
    "x-ms-request-id",
    "x-powered-by",
    "x-request-id",
    "x-runtime",
    "x-trace-id",
    "x-xss-protection",
];

/// Counters of rate limits, which every gateway names in its own way.
const OPEN_HEADER_PREFIXES: [&str; 4] = ["ratelimit", "x-ratelimit-", "x-rate-limit-", "x-app-rate-limit"];

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
    Empty,
    Json(OrderedJson),
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
            sanitize_unbounded(value.expose())
        } else {
            sanitize(&value.shown())
        }
    }

    /// The value of a parameter of this name. A nonce is no credential, however
    /// the sender made it: the URL and the ID token say it too.
    pub fn parameter(self, name: &str, value: &Value) -> String {
        if name == "nonce" {
            sanitize(value.expose())
        } else {
            self.value(value)
        }
    }

    /// Whether secrets are shown whole.
    pub fn shows_secrets(self) -> bool {
        self.show_secrets
    }

    /// The URL for the resource owner, with the secrets in it (`state`, above
    /// all) as they may be shown.
    pub fn url(self, url: &str) -> String {
        if self.show_secrets {
            sanitize_unbounded(url)
        } else {
            redacted_url(parts(url, &[]))
        }
    }

    /// The URL of a request, with the secrets in it as they may be shown.
    pub fn request_url(self, request: &HttpRequest) -> String {
        if self.show_secrets {
            sanitize_unbounded(request.url.as_str())
        } else {
            redacted_url(parts_of_url(request))
        }
    }

    /// The parameters in the URL of a request, decoded.
    pub fn query(self, request: &HttpRequest) -> Vec<(String, String)> {
        let (known, query) = (request.secrets(), request.url.query().unwrap_or_default());
        let secrets = QuerySecrets::of(query, &known);
        let params = Params::parse(query);
        let pairs = params.iter().map(|(name, value)| {
            let shown = match secrets.hidden(name, value) {
                Some(hidden) => self.value(&hidden),
                None => sanitize_unbounded(value.expose()),
            };
            (sanitize(name), shown)
        });
        pairs.collect()
    }

    /// A request header's value.
    pub fn request_header(self, value: &HeaderValue) -> String {
        if self.show_secrets {
            sanitize_unbounded(value.expose().expose())
        } else {
            sanitize(&value.shown())
        }
    }

    /// Headers and body of an answer.
    pub fn answer(self, request: &HttpRequest, response: &HttpResponse) -> ShownAnswer {
        let query = Params::parse(request.url.query().unwrap_or_default());
        let known = if self.show_secrets {
            Vec::new()
        } else {
            secrets_of(request, response)
        };
        let public = !request.carries_credentials() && !is_personal(&query);
        let redactor = ResponseRedactor {
            show_secrets: self.show_secrets,
            public,
            known: &known,
        };
        let headers = response.headers.iter();
        ShownAnswer {
            headers: headers
                .map(|(name, value)| (redactor.open_text(name), redactor.header(name, value)))
                .collect(),
            body: redactor.body(response),
        }
    }
}

/// One answer from outside.
struct ResponseRedactor<'a> {
    show_secrets: bool,
    /// Nobody's secret can be in it.
    public: bool,
    /// The secrets of the request and of this answer, in whatever writing they come again.
    known: &'a [Secret],
}

impl ResponseRedactor<'_> {
    fn header(&self, name: &str, value: &str) -> String {
        if self.show_secrets {
            return sanitize_unbounded(value);
        }
        if name == "location" {
            return self.open_text(&redacted_location(value));
        }
        if OPEN_HEADERS.contains(&name) || OPEN_HEADER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            return self.open_text(value);
        }
        redact_unknown(value)
    }

    fn body(&self, response: &HttpResponse) -> ShownBody {
        let bytes = response.body.expose();
        if bytes.is_empty() {
            return ShownBody::Empty;
        }
        if let Some(document) = OrderedJson::parse(bytes) {
            return ShownBody::Json(self.document(document, None));
        }
        if !self.public && !self.show_secrets {
            let media_type = response.media_type().unwrap_or_else(|| "no content type".to_owned());
            return ShownBody::Text(sanitize(&format!(
                "[{media_type}, {} bytes, shown with --show-secrets]",
                bytes.len()
            )));
        }
        let text = String::from_utf8_lossy(bytes);
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        ShownBody::Text(if self.show_secrets {
            sanitize_unbounded(&line)
        } else {
            sanitize(&line)
        })
    }

    /// `name` is the member that the document is the value of.
    fn document(&self, document: OrderedJson, name: Option<&str>) -> OrderedJson {
        match document {
            OrderedJson::Text(text) => OrderedJson::Text(self.member(name, &text)),
            OrderedJson::List(items) => {
                OrderedJson::List(items.into_iter().map(|item| self.document(item, name)).collect())
            }
            OrderedJson::Object(members) => {
                let is_key = members.iter().any(|(name, _)| name == "kty");
                let shown = members.into_iter().map(|(name, value)| {
                    let private = is_key && PRIVATE_KEY_MEMBERS.contains(&name.as_str());
                    let value = match value {
                        OrderedJson::Text(text) if private && !self.show_secrets => {
                            OrderedJson::Text(redact_unknown(&text))
                        }
                        value => self.document(value, Some(&name)),
                    };
                    (self.open_text(&name), value)
                });
                OrderedJson::Object(shown.collect())
            }
            OrderedJson::Number(number) if !self.show_secrets => {
                let digits = number.to_string();
                match Value::tagged(name.unwrap_or_default(), &digits) {
                    Value::Plain(_) => OrderedJson::Number(number),
                    _ => OrderedJson::Text(redact_unknown(&digits)),
                }
            }
            plain => plain,
        }
    }

    fn member(&self, name: Option<&str>, text: &str) -> String {
        if self.show_secrets {
            return sanitize_unbounded(text);
        }
        match Value::tagged(name.unwrap_or_default(), text) {
            Value::Plain(_) if self.public || name.is_some_and(|name| OPEN_MEMBERS.contains(&name)) => {
                self.open_text(text)
            }
            Value::Plain(_) => redact_unknown(text),
            secret => secret.shown(),
        }
    }

    /// Text that may be shown, once the known secrets are out of it.
    fn open_text(&self, text: &str) -> String {
        sanitize(&scrub(text, self.known, &|secret| redact_unknown(secret.expose())))
    }
}

fn redact_unknown(text: &str) -> String {
    let secret = Secret::from(text);
    if secret.length_chars() < FINGERPRINT_FROM_CHARS {
        format!("[redacted, {} chars]", secret.length_chars())
    } else {
        secret.redacted()
    }
}

/// A part of a URL.
pub(super) enum UrlPart {
    /// Shown byte for byte.
    Plain(String),
    /// The value of a parameter of this name, decoded.
    Secret(String, Value),
}

/// The URL in parts: values in its query and its fragment are hidden where they
/// are secrets by their names or repeat a known one.
fn parts(url: &str, known: &[Secret]) -> Vec<UrlPart> {
    let (address, fragment) = split_before(url, '#');
    let (path, query) = split_before(address, '?');
    let mut parts = vec![UrlPart::Plain(path.to_owned())];
    let secrets = QuerySecrets::of(query, known);
    for pair in [query, fragment].iter().flat_map(|part| part.split_inclusive('&')) {
        let (mark, pair) = pair.split_at(usize::from(pair.starts_with(['?', '#'])));
        let (pair, end) = match pair.strip_suffix('&') {
            Some(pair) => (pair, "&"),
            None => (pair, ""),
        };
        let params = Params::parse(pair);
        let hidden = params
            .iter()
            .find_map(|(name, value)| Some((name, secrets.hidden(name, value)?)));
        match hidden {
            Some((name, value)) => {
                let encoded: String = byte_serialize(name.as_bytes()).collect();
                parts.push(UrlPart::Plain(format!("{mark}{encoded}=")));
                parts.push(UrlPart::Secret(name.to_owned(), value));
                parts.push(UrlPart::Plain(end.to_owned()));
            }
            None => parts.push(UrlPart::Plain(format!("{mark}{pair}{end}"))),
        }
    }
    parts
}

/// The URL of a request in parts.
pub(super) fn parts_of_url(request: &HttpRequest) -> Vec<UrlPart> {
    parts(request.url.as_str(), &request.secrets())
}

/// The text up to a mark, and the rest with it.
fn split_before(text: &str, mark: char) -> (&str, &str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

fn redacted_url(parts: Vec<UrlPart>) -> String {
    let shown = parts.into_iter().map(|part| match part {
        UrlPart::Plain(text) => text,
        UrlPart::Secret(_, value) => value.shown(),
    });
    sanitize_unbounded(&shown.collect::<String>())
}

/// Knows what is secret in one query.
struct QuerySecrets<'k> {
    /// The secrets of the rest of the message.
    known: &'k [Secret],
    /// The challenge is the verifier itself (RFC 7636 §4.2 `plain`, also where
    /// no method is named).
    challenge_is_verifier: bool,
}

impl<'k> QuerySecrets<'k> {
    fn of(query: &str, known: &'k [Secret]) -> Self {
        let params = Params::parse(query.trim_start_matches('?'));
        let challenge_is_verifier = !params.all("code_challenge_method").any(|method| method == S256);
        QuerySecrets {
            known,
            challenge_is_verifier,
        }
    }

    /// The value where it is a secret; what repeats a known one may have been
    /// chosen by a person.
    fn hidden(&self, name: &str, value: &Value) -> Option<Value> {
        let Value::Plain(text) = value else {
            return Some(value.clone());
        };
        if name == "code_challenge" && self.challenge_is_verifier {
            return Some(Value::Secret(Secret::from(text.as_str())));
        }
        if holds_secret_parameter(text) {
            return Some(Value::Chosen(Secret::from(text.as_str())));
        }
        let repeats = self.known.iter().any(|secret| text.contains(secret.expose().as_str()));
        repeats.then(|| Value::Chosen(Secret::from(text.as_str())))
    }
}

/// The secrets of a request and of its answer: a server may say them more than once.
fn secrets_of(request: &HttpRequest, response: &HttpResponse) -> Vec<Secret> {
    let mut secrets = request.secrets();
    if let Some(document) = OrderedJson::parse(response.body.expose()) {
        collect_secrets(&document, None, &mut secrets);
    }
    secrets
}

fn collect_secrets(document: &OrderedJson, name: Option<&str>, secrets: &mut Vec<Secret>) {
    match document {
        OrderedJson::Text(text) => {
            let member = Value::tagged(name.unwrap_or_default(), text);
            let long_enough = |secret: &&Secret| secret.length_chars() >= REPEATED_FROM_CHARS;
            secrets.extend(member.secret().filter(long_enough).cloned());
        }
        OrderedJson::List(items) => items.iter().for_each(|item| collect_secrets(item, name, secrets)),
        OrderedJson::Object(members) => {
            for (name, value) in members {
                collect_secrets(value, Some(name), secrets);
            }
        }
        _ => {}
    }
}

/// Whether a value is itself an address, or a query, with a secret in it.
fn holds_secret_parameter(text: &str) -> bool {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    query.contains('=') && Params::parse(query).iter().any(|(_, value)| value.secret().is_some())
}

/// Whether the answer to a message with this query may hold a secret: where one
/// was sent, and where the page may lead the browser on with a code in it.
fn is_personal(query: &Params) -> bool {
    query
        .iter()
        .any(|(name, value)| name == "client_id" || value.secret().is_some())
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

    fn get(url: &str) -> HttpRequest {
        HttpRequest::get(Url::parse(url).unwrap())
    }

    #[test]
    fn the_url_of_a_request_shows_no_secret_wherever_it_stands() {
        let redaction = Redaction::new(false);
        let request = get("https://x/token?tenant=a&c%6Fde=canary%2Bcode&state=&token=canary?canary#id_token=canary");
        let shown = redaction.request_url(&request);
        let (code, token, id_token) = ("canary+code", "canary?canary", "canary");
        let expected = [("code", code), ("state", ""), ("token", token), ("#id_token", id_token)]
            .map(|(name, value)| format!("{name}={}", Secret::from(value).redacted()))
            .join("&")
            .replace("&#", "#");
        assert_eq!(shown, format!("https://x/token?tenant=a&{expected}"));
        assert_eq!(Redaction::new(true).request_url(&request), request.url.as_str());

        // what is a secret in the body is one in the URL, under any name
        let mut body = Params::new();
        body.push("client_secret", "canary/secret");
        let request = HttpRequest::post(
            Url::parse("https://x/token?next=a%3Dcanary%2Fsecret%26b&c=d").unwrap(),
            body,
        );
        assert_eq!(
            redaction.request_url(&request),
            "https://x/token?next=[redacted, 17 chars]&c=d"
        );
        let query = |redaction: Redaction| redaction.query(&request).into_iter().map(|(_, value)| value);
        assert_eq!(query(redaction).collect::<Vec<_>>(), ["[redacted, 17 chars]", "d"]);
        let whole: Vec<String> = query(Redaction::new(true)).collect();
        assert_eq!(whole, ["a=canary/secret&b", "d"]);
    }

    #[test]
    fn a_challenge_that_is_the_verifier_is_redacted() {
        for (method, is_shown) in [
            ("&code_challenge_method=S256", true),
            ("&code_challenge_method=plain", false),
            ("", false),
        ] {
            let request = get(&format!("https://x/authorize?code_challenge=canary{method}"));
            let shown = Redaction::new(false).request_url(&request);
            let (_, value) = &Redaction::new(false).query(&request)[0];
            assert_eq!(
                (shown.contains("canary"), value == "canary"),
                (is_shown, is_shown),
                "{shown} {value}"
            );
        }
    }

    #[test]
    fn an_answer_to_secrets_in_the_url_is_not_public() {
        let in_url = get("https://x/token?code=canary%2Fcode%2Fcanary&grant_type=authorization_code");
        let answer = format!(r#"{{"error":"e","error_description":"canary/code/canary","custom":"{TOKEN}"}}"#);
        let text = shown(&in_url, &answer);
        assert!(text.contains("\"error\":\"e\"") && !text.contains("canary"), "{text}");
        let page = "<a href='http://127.0.0.1:1/?code=canary-code-canary-code'>go on</a>";
        for url in [
            "https://x/token?code=a",
            "https://x/authorize?client_id=a&response_type=code",
        ] {
            let text = shown(&get(url), page);
            assert!(text.starts_with("[no content type, "), "{text}");
        }
        // a server may nest the request in the address of its sign-in page
        let nested = (
            "location",
            "/sign-in?next=%2Ftoken%3Fcode%3Dcanary%252Fcode%252Fcanary%26a%3Db",
        );
        let answer = Redaction::new(false).answer(&in_url, &response(&[nested], ""));
        let (_, location) = &answer.headers[0];
        assert!(location.contains("a=b") && !location.contains("canary"), "{location}");
    }

    #[test]
    fn what_is_no_credential_is_shown() {
        let answer = r#"{"nonce":"n-0S6_WzA2Mj","session_state":"9d5c7e.a1b2"}"#;
        assert_eq!(shown(&token_request(), answer), answer);
        let nonce = Value::Secret(Secret::from("n-0S6_WzA2Mj"));
        assert_eq!(Redaction::new(false).parameter("nonce", &nonce), "n-0S6_WzA2Mj");
        assert!(
            Redaction::new(false)
                .parameter("other", &nonce)
                .starts_with("[redacted, ")
        );
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
            ("ratelimit-remaining", "99"),
            ("ratelimit", "\"default\";r=50;t=30"),
            ("x-ratelimit-reset", "1764360000"),
            ("x-request-id", "0af7651916cd43dd8448eb211c80319c"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("x-amzn-trace-id", "canary-code-canary-code"),
        ];
        let answer = Redaction::new(false).answer(&token_request(), &response(&headers, ""));
        let value = |name: &str| answer.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
        assert_eq!(value("content-type"), "application/json");
        for (name, harmless) in headers
            .iter()
            .filter(|(name, _)| name.contains("rate") || name.contains("request-id"))
        {
            assert_eq!(value(name), *harmless);
        }
        assert!(value("traceparent").ends_with("-b7ad6b7169203331-01"));
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
