//! What of a message may be shown: the one place of the trace where secrets
//! are opened, for every renderer.
//!
//! Own values know how they may be shown. An answer is foreign: if the request
//! carried credentials, only members and headers on an allow-list are shown,
//! and everything else appears as its length, with a fingerprint where it is
//! long enough that it cannot be guessed. So it is with the answer to an
//! authorization request, which may be a page with a code in it. If the request
//! carried none, its answer (metadata, keys) holds no secret and is shown, but for names
//! that always hold one. A value that the request sent as a secret and that
//! comes back inside other text is cut out of it.
//!
//! Everything that comes out is neutralised (see `foreign_text`).

mod allow_list;
mod command_line;
#[cfg(test)]
mod tests;
mod url_parts;

pub(super) use url_parts::{UrlPart, parts_of_url};

use super::ordered_json::OrderedJson;
use crate::foreign_text::{sanitize, sanitize_json, sanitize_unbounded};
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse, RequestBody};
use crate::protocol::params::{Params, Value};
use crate::protocol::scrub::scrub;
use crate::secret::Secret;
use allow_list::{OPEN_HEADER_PREFIXES, OPEN_HEADERS, OPEN_MEMBERS, PRIVATE_KEY_MEMBERS};
use url_parts::{QuerySecrets, parts, redacted_url};

/// A string of unknown meaning gets a fingerprint from this length on; the
/// fingerprint of a shorter one would confirm a guess.
const FINGERPRINT_FROM_CHARS: usize = 16;

/// A shorter secret of an answer is not looked for in the rest of it.
const REPEATED_FROM_CHARS: usize = 8;

/// In the place of a media type.
const NO_MEDIA_TYPE: &str = "no content type";

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

    /// The value of a parameter of this name. A nonce is not a credential, however
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

    /// What goes with a request that is not a form. Nothing is known of it, so
    /// it is shown as the answer to a request with credentials is.
    pub fn content(self, request: &HttpRequest) -> ShownBody {
        let (media_type, bytes) = match &request.body {
            None | Some(RequestBody::Form(_)) => return ShownBody::Empty,
            Some(RequestBody::Json(json)) => {
                return OrderedJson::parse(sanitize_json(json).as_bytes()).map_or(ShownBody::Empty, ShownBody::Json);
            }
            Some(RequestBody::Content(content)) => (content.media_type.as_deref(), content.bytes.expose()),
            Some(body @ RequestBody::Stream { .. }) => {
                let media_type = body.media_type().unwrap_or(NO_MEDIA_TYPE);
                return ShownBody::Text(sanitize(&format!("[{media_type}, read while it is sent]")));
            }
        };
        let known = request.secrets();
        let redactor = BodyRedactor {
            show_secrets: self.show_secrets,
            public: false,
            known: &known,
        };
        redactor.body(bytes, media_type)
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
        let redactor = BodyRedactor {
            show_secrets: self.show_secrets,
            public,
            known: &known,
        };
        let headers = response.headers.iter();
        ShownAnswer {
            headers: headers
                .map(|(name, value)| (redactor.open_text(name), redactor.header(name, value)))
                .collect(),
            body: match response.is_streamed {
                true => ShownBody::Text(sanitize(&format!(
                    "[{}, passed on as it comes]",
                    response.media_type().as_deref().unwrap_or(NO_MEDIA_TYPE)
                ))),
                false => redactor.body(response.body.expose(), response.media_type().as_deref()),
            },
        }
    }
}

/// A message whose meaning is not known: one answer from outside, or the content of a request.
struct BodyRedactor<'a> {
    show_secrets: bool,
    /// No secret can be in it.
    public: bool,
    /// The secrets of the request and of this answer, in whatever writing they come again.
    known: &'a [Secret],
}

impl BodyRedactor<'_> {
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

    fn body(&self, bytes: &[u8], media_type: Option<&str>) -> ShownBody {
        if bytes.is_empty() {
            return ShownBody::Empty;
        }
        if let Some(document) = OrderedJson::parse(bytes) {
            return ShownBody::Json(self.document(document, None));
        }
        if !self.public && !self.show_secrets {
            let media_type = media_type.unwrap_or(NO_MEDIA_TYPE);
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
                let is_json_rpc = members
                    .iter()
                    .any(|(name, value)| name == "jsonrpc" && is_text(value, "2.0"));
                let shown = members.into_iter().map(|(name, value)| {
                    let private = is_key && PRIVATE_KEY_MEMBERS.contains(&name.as_str());
                    let value = match value {
                        OrderedJson::Text(text) if private && !self.show_secrets => {
                            OrderedJson::Text(redact_unknown(&text))
                        }
                        OrderedJson::Text(text) if is_json_rpc && ["jsonrpc", "method"].contains(&name.as_str()) => {
                            OrderedJson::Text(self.open_text(&text))
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

fn is_text(value: &OrderedJson, wanted: &str) -> bool {
    matches!(value, OrderedJson::Text(text) if text == wanted)
}

fn redact_unknown(text: &str) -> String {
    let secret = Secret::from(text);
    if secret.length_chars() < FINGERPRINT_FROM_CHARS {
        format!("[redacted, {} chars]", secret.length_chars())
    } else {
        secret.redacted()
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
