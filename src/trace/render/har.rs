//! The trace file `.har`: HTTP Archive 1.2, which browsers' developer tools
//! import. One entry for each exchange of the client, and of the browser for
//! the authorization request and the callbacks, as far as the client knows of
//! them. What else happened is in the other formats. A request that was not
//! answered has the status 0.

use crate::foreign_text::sanitize;
use crate::protocol::http::{HttpRequest, HttpResponse, Method, RequestBody};
use crate::protocol::params::Params;
use crate::trace::diagram::reason_phrase;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::redact::{Redaction, ShownBody};
use crate::trace::renderer::{Renderer, TraceContext};
use crate::trace::{Event, Party};
use serde_json::Number;
use std::time::Duration;
use url::Url;

/// Renders one archive.
pub struct Har {
    context: TraceContext,
    /// The step that was last begun, for the comments of the entries.
    step: String,
    /// Whether an entry was written.
    has_entries: bool,
    /// Requests without an answer so far, oldest first.
    unanswered: Vec<Unanswered>,
    /// What the browser was sent to, until it comes back.
    authorization: Option<AuthorizationRequest>,
    /// When the answer to it came.
    came_back: Duration,
}

/// The request of the browser to the authorization endpoint.
struct AuthorizationRequest {
    url: Url,
    since_start: Duration,
    step: String,
    /// The entry as it is if the browser does not come back.
    entry: String,
}

struct Unanswered {
    /// The request as the entry has it. Of two alike, the older one is answered first.
    request: String,
    since_start: Duration,
    /// The entry as it is if no answer comes.
    entry: String,
}

impl Har {
    /// For one file.
    pub fn new(context: TraceContext) -> Self {
        Har {
            context,
            step: String::new(),
            has_entries: false,
            unanswered: Vec::new(),
            authorization: None,
            came_back: Duration::ZERO,
        }
    }

    /// An entry of the browser.
    fn browser_entry(
        &self,
        step: &str,
        request: BrowserRequest<'_>,
        since_start: Duration,
        answer: BrowserAnswer,
    ) -> OrderedJson {
        let redaction = self.context.redaction;
        object([
            (
                "startedDateTime",
                format!("{:.3}", self.context.began_at + since_start).into(),
            ),
            ("time", milliseconds(answer.elapsed)),
            ("request", request.object(redaction)),
            ("response", answer.object()),
            ("cache", object([])),
            (
                "timings",
                object([
                    ("send", whole(0)),
                    ("wait", milliseconds(answer.elapsed)),
                    ("receive", whole(0)),
                ]),
            ),
            (
                "comment",
                format!("{step}, by the browser").trim_start_matches(", ").into(),
            ),
        ])
    }

    /// The entry of the authorization request. `response` is what the browser
    /// brought back, once it did.
    fn authorization_entry(
        &self,
        request: &AuthorizationRequest,
        response: Option<&Params>,
        since_start: Duration,
    ) -> String {
        let AuthorizationRequest {
            url,
            since_start: sent,
            step,
            ..
        } = request;
        let sent_params = Params::parse(url.query().unwrap_or_default());
        let by_form = sent_params.single("response_mode") == Ok(Some("form_post"));
        let redirect_uri = sent_params.single("redirect_uri").ok().flatten();
        let redirect = response
            .zip(redirect_uri)
            .and_then(|(params, uri)| callback_url(uri, params, self.context.redaction));
        let answer = BrowserAnswer {
            // a form post comes from a page, and everything else by a redirect
            status: match response {
                None => 0,
                Some(_) if by_form => 200,
                Some(_) => 302,
            },
            redirect: redirect.filter(|_| !by_form),
            elapsed: since_start.saturating_sub(*sent),
        };
        let request = BrowserRequest {
            method: Method::Get,
            url: valid_url(self.context.redaction.url(url.as_str())),
            query: sent_params,
            form: None,
        };
        self.browser_entry(step, request, *sent, answer).line()
    }

    fn settled(&mut self, entry: &str) -> String {
        let comma = if self.has_entries { "," } else { "" };
        self.has_entries = true;
        format!("{comma}\n{entry}")
    }

    fn entry(&self, request: &HttpRequest, since_start: Duration, answer: Answer<'_>) -> String {
        let redaction = self.context.redaction;
        let started_at = self.context.began_at + since_start;
        let timings = timings(&answer);
        let mut comment = self.step.clone();
        if let Answer::None { reason, .. } = answer {
            comment = format!("no answer: {}; {comment}", sanitize(reason));
        }
        object([
            ("startedDateTime", format!("{started_at:.3}").into()),
            ("time", milliseconds(answer.elapsed())),
            ("request", request_object(request, redaction)),
            ("response", response_object(request, &answer, redaction)),
            ("cache", object([])),
            ("timings", timings),
            ("comment", comment.trim_end_matches("; ").into()),
        ])
        .line()
    }

    fn callback(
        &mut self,
        redirect_uri: &str,
        params: &Params,
        method: Method,
        status: u16,
        since_start: Duration,
    ) -> String {
        let by_form = method == Method::Post;
        let query = if by_form { Params::new() } else { params.clone() };
        let Some(url) = callback_url(redirect_uri, &query, self.context.redaction) else {
            return String::new();
        };
        // a foreign callback is answered at once, the right one when the session is stored
        let came = if self.came_back.is_zero() {
            since_start
        } else {
            self.came_back
        };
        let request = BrowserRequest {
            method,
            url: url.into(),
            query,
            form: by_form.then_some(params),
        };
        let answer = BrowserAnswer {
            status,
            redirect: None,
            elapsed: since_start.saturating_sub(came),
        };
        let entry = self.browser_entry(&self.step, request, came, answer).line();
        self.settled(&entry)
    }

    /// Takes the request out of the unanswered ones.
    fn answered(&mut self, request: &HttpRequest) -> Option<Unanswered> {
        let request = request_object(request, self.context.redaction).line();
        let index = self.unanswered.iter().position(|sent| sent.request == request)?;
        Some(self.unanswered.remove(index))
    }
}

/// What came of a request.
enum Answer<'a> {
    Received(&'a HttpResponse),
    None { reason: &'a str, elapsed: Duration },
}

impl Answer<'_> {
    fn elapsed(&self) -> Duration {
        match self {
            Answer::Received(response) => response.elapsed,
            Answer::None { elapsed, .. } => *elapsed,
        }
    }
}

impl Renderer for Har {
    fn head(&mut self) -> String {
        let creator = object([
            ("name", env!("CARGO_PKG_NAME").into()),
            ("version", env!("CARGO_PKG_VERSION").into()),
        ]);
        let shows_secrets = self.context.redaction.shows_secrets();
        let comment = if shows_secrets {
            "CONTAINS SECRETS, shown whole by --show-secrets: do not share this file"
        } else {
            "secrets are redacted: their length and a fingerprint are shown instead"
        };
        format!(
            "{{\"log\":{{\"version\":\"1.2\",\"creator\":{},\"comment\":{},\"_containsSecrets\":{shows_secrets},\"entries\":[",
            creator.line(),
            OrderedJson::from(comment).line(),
        )
    }

    fn event(&mut self, event: &Event<'_>, since_start: Duration) -> String {
        match event {
            Event::StepBegins(step) => {
                self.step = format!("{}/7 {}", step.number(), step.title());
                String::new()
            }
            Event::RequestSent(request) => {
                let answer = Answer::None {
                    reason: "the trace ended before one came",
                    elapsed: Duration::ZERO,
                };
                let unanswered = Unanswered {
                    request: request_object(request, self.context.redaction).line(),
                    since_start,
                    entry: self.entry(request, since_start, answer),
                };
                self.unanswered.push(unanswered);
                String::new()
            }
            Event::ResponseReceived { request, response } => {
                let sent = self.answered(request).map(|sent| sent.since_start);
                let sent = sent.unwrap_or_else(|| since_start.saturating_sub(response.elapsed));
                let entry = self.entry(request, sent, Answer::Received(response));
                self.settled(&entry)
            }
            Event::RequestFailed { request, reason } => {
                let sent = self.answered(request).map_or(since_start, |sent| sent.since_start);
                let elapsed = since_start.saturating_sub(sent);
                let entry = self.entry(request, sent, Answer::None { reason, elapsed });
                self.settled(&entry)
            }
            Event::AuthorizationUrl(address) => {
                self.authorization = Url::parse(address.url).ok().map(|url| {
                    let mut request = AuthorizationRequest {
                        url,
                        since_start,
                        step: self.step.clone(),
                        entry: String::new(),
                    };
                    request.entry = self.authorization_entry(&request, None, since_start);
                    request
                });
                String::new()
            }
            Event::Message {
                from: Party::Browser,
                to: Party::Client,
                params,
                ..
            } => {
                self.came_back = since_start;
                let Some(request) = self.authorization.take() else {
                    return String::new();
                };
                let entry = self.authorization_entry(&request, Some(params), since_start);
                self.settled(&entry)
            }
            Event::CallbackAnswered {
                redirect_uri,
                params,
                method,
                status,
            } => self.callback(redirect_uri, params, method.clone(), *status, since_start),
            _ => String::new(),
        }
    }

    fn tail(&self) -> String {
        let mut tail = String::new();
        let authorization = self.authorization.iter().map(|request| &request.entry);
        let unanswered = self.unanswered.iter().map(|unanswered| &unanswered.entry);
        for (index, entry) in authorization.chain(unanswered).enumerate() {
            let comma = if self.has_entries || index > 0 { "," } else { "" };
            tail += &format!("{comma}\n{entry}");
        }
        tail + "\n]}}\n"
    }
}

/// The redirect URI with the parameters that came to it, as they may be shown.
fn callback_url(redirect_uri: &str, params: &Params, redaction: Redaction) -> Option<Url> {
    let mut url = Url::parse(redirect_uri).ok()?;
    if !params.is_empty() {
        url.query_pairs_mut().extend_pairs(shown_params(params, redaction));
    }
    Some(url)
}

/// A request of the browser, as it may be shown.
struct BrowserRequest<'a> {
    method: Method,
    url: String,
    query: Params,
    form: Option<&'a Params>,
}

impl BrowserRequest<'_> {
    fn object(self, redaction: Redaction) -> OrderedJson {
        let mut members = vec![
            ("method".to_owned(), self.method.as_str().into()),
            ("url".to_owned(), self.url.into()),
            ("httpVersion".to_owned(), "HTTP/1.1".into()),
            ("cookies".to_owned(), OrderedJson::List(Vec::new())),
            ("headers".to_owned(), OrderedJson::List(Vec::new())),
            (
                "queryString".to_owned(),
                pairs(shown_params(&self.query, redaction).into_iter()),
            ),
        ];
        if let Some(form) = self.form {
            members.push(("postData".to_owned(), post_data(form, redaction)));
        }
        members.push(("headersSize".to_owned(), whole(-1)));
        members.push(("bodySize".to_owned(), whole(-1)));
        OrderedJson::Object(members)
    }
}

/// What the browser got; status 0 where that is not known.
struct BrowserAnswer {
    status: u16,
    redirect: Option<Url>,
    elapsed: Duration,
}

impl BrowserAnswer {
    fn object(&self) -> OrderedJson {
        let redirect = self.redirect.as_ref().map_or("", Url::as_str);
        object([
            ("status", u64::from(self.status).into()),
            ("statusText", reason_phrase(self.status).into()),
            ("httpVersion", if self.status == 0 { "" } else { "HTTP/1.1" }.into()),
            ("cookies", OrderedJson::List(Vec::new())),
            ("headers", OrderedJson::List(Vec::new())),
            (
                "content",
                object([("size", whole(0)), ("mimeType", "x-unknown".into())]),
            ),
            ("redirectURL", redirect.into()),
            ("headersSize", whole(-1)),
            ("bodySize", whole(-1)),
        ])
    }
}

/// A URL with marks in the place of secrets: they have spaces and brackets,
/// which a URL has not.
fn valid_url(shown: String) -> String {
    Url::parse(&shown).map_or(shown, String::from)
}

fn shown_params(params: &Params, redaction: Redaction) -> Vec<(String, String)> {
    let shown = params.iter();
    let shown = shown.map(|(name, value)| (sanitize(name), redaction.parameter(name, value)));
    shown.collect()
}

fn post_data(params: &Params, redaction: Redaction) -> OrderedJson {
    let shown = shown_params(params, redaction);
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(&shown);
    object([
        ("mimeType", "application/x-www-form-urlencoded".into()),
        ("params", pairs(shown.into_iter())),
        ("text", text.finish().into()),
    ])
}

fn content_data(request: &HttpRequest, body: &RequestBody, redaction: Redaction) -> OrderedJson {
    let text = match redaction.content(request) {
        ShownBody::Empty => String::new(),
        ShownBody::Json(document) => document.pretty(),
        ShownBody::Text(text) => text,
    };
    let media_type = body.media_type().unwrap_or("x-unknown");
    object([("mimeType", sanitize(media_type).into()), ("text", text.into())])
}

fn request_object(request: &HttpRequest, redaction: Redaction) -> OrderedJson {
    let headers = request.all_headers().into_iter();
    let headers = headers.map(|(name, value)| (name.to_string(), redaction.request_header(&value)));
    let mut members = vec![
        ("method".to_owned(), request.method.as_str().into()),
        ("url".to_owned(), valid_url(redaction.request_url(request)).into()),
        ("httpVersion".to_owned(), "HTTP/1.1".into()),
        ("cookies".to_owned(), OrderedJson::List(Vec::new())),
        ("headers".to_owned(), pairs(headers)),
        ("queryString".to_owned(), pairs(redaction.query(request).into_iter())),
    ];
    if let Some(params) = request.form() {
        members.push(("postData".to_owned(), post_data(params, redaction)));
    } else if let Some(body) = &request.body {
        members.push(("postData".to_owned(), content_data(request, body, redaction)));
    }
    // -1 is "not known"
    let body_bytes = request.body.as_ref().map_or(Some(0), RequestBody::length_bytes);
    let body_bytes = body_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    members.push(("headersSize".to_owned(), whole(-1)));
    members.push(("bodySize".to_owned(), whole(body_bytes)));
    OrderedJson::Object(members)
}

fn response_object(request: &HttpRequest, answer: &Answer<'_>, redaction: Redaction) -> OrderedJson {
    let Answer::Received(response) = answer else {
        return object([
            ("status", whole(0)),
            ("statusText", "".into()),
            ("httpVersion", "".into()),
            ("cookies", OrderedJson::List(Vec::new())),
            ("headers", OrderedJson::List(Vec::new())),
            (
                "content",
                object([("size", whole(0)), ("mimeType", "x-unknown".into())]),
            ),
            ("redirectURL", "".into()),
            ("headersSize", whole(-1)),
            ("bodySize", whole(-1)),
        ]);
    };
    let shown = redaction.answer(request, response);
    let text = match shown.body {
        ShownBody::Empty => String::new(),
        ShownBody::Json(document) => document.pretty(),
        ShownBody::Text(text) => text,
    };
    let location = shown.headers.iter().find(|(name, _)| name == "location");
    let location = location.map(|(_, value)| value.clone()).unwrap_or_default();
    let media_type = response.media_type().unwrap_or_else(|| "x-unknown".to_owned());
    object([
        ("status", u64::from(response.status).into()),
        ("statusText", reason_phrase(response.status).into()),
        ("httpVersion", "HTTP/1.1".into()),
        ("cookies", OrderedJson::List(Vec::new())),
        ("headers", pairs(shown.headers.into_iter())),
        (
            "content",
            object([
                ("size", whole(size(response.length_bytes()))),
                ("mimeType", sanitize(&media_type).into()),
                ("text", text.into()),
            ]),
        ),
        ("redirectURL", location.into()),
        ("headersSize", whole(-1)),
        ("bodySize", whole(size(response.length_bytes()))),
    ])
}

/// -1 is "not known, or did not happen"; the others add up to the entry's time.
fn timings(answer: &Answer<'_>) -> OrderedJson {
    let Answer::Received(response) = answer else {
        return object([
            ("send", whole(0)),
            ("wait", milliseconds(answer.elapsed())),
            ("receive", whole(0)),
        ]);
    };
    let known = response.timings;
    let optional = |duration: Option<Duration>| duration.map_or_else(|| whole(-1), milliseconds);
    let first_byte = known.first_byte.unwrap_or(response.elapsed);
    let before = known.name_lookup.unwrap_or_default() + known.connect.unwrap_or_default();
    object([
        ("blocked", whole(-1)),
        ("dns", optional(known.name_lookup)),
        ("connect", optional(known.connect)),
        ("ssl", whole(-1)),
        ("send", whole(0)),
        ("wait", milliseconds(first_byte.saturating_sub(before))),
        ("receive", milliseconds(response.elapsed.saturating_sub(first_byte))),
    ])
}

fn pairs(pairs: impl Iterator<Item = (String, String)>) -> OrderedJson {
    OrderedJson::List(
        pairs
            .map(|(name, value)| object([("name", name.into()), ("value", value.into())]))
            .collect(),
    )
}

fn whole(number: i64) -> OrderedJson {
    OrderedJson::Number(number.into())
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> OrderedJson {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    Number::from_f64(f64::from(micros) / 1000.0).map_or_else(|| whole(0), OrderedJson::Number)
}
