//! Requests, answers and times as objects of an archive, with what may be shown
//! of them.

use crate::foreign_text::sanitize;
use crate::protocol::http::{HttpRequest, HttpResponse, Method, RequestBody};
use crate::protocol::params::Params;
use crate::trace::diagram::reason_phrase;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::redact::{Redaction, ShownBody};
use serde_json::Number;
use std::time::Duration;
use url::Url;

/// What came of a request.
pub(super) enum Answer<'a> {
    Received(&'a HttpResponse),
    None { reason: &'a str, elapsed: Duration },
}

impl Answer<'_> {
    pub(super) fn elapsed(&self) -> Duration {
        match self {
            Answer::Received(response) => response.elapsed,
            Answer::None { elapsed, .. } => *elapsed,
        }
    }
}

/// The redirect URI with the parameters that came to it, as they may be shown.
pub(super) fn callback_url(redirect_uri: &str, params: &Params, redaction: Redaction) -> Option<Url> {
    let mut url = Url::parse(redirect_uri).ok()?;
    if !params.is_empty() {
        url.query_pairs_mut().extend_pairs(shown_params(params, redaction));
    }
    Some(url)
}

/// A request of the browser, as it may be shown.
pub(super) struct BrowserRequest<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) query: Params,
    pub(super) form: Option<&'a Params>,
}

impl BrowserRequest<'_> {
    pub(super) fn object(self, redaction: Redaction) -> OrderedJson {
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
pub(super) struct BrowserAnswer {
    pub(super) status: u16,
    pub(super) redirect: Option<Url>,
    pub(super) elapsed: Duration,
}

impl BrowserAnswer {
    pub(super) fn object(&self) -> OrderedJson {
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
pub(super) fn valid_url(shown: String) -> String {
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

pub(super) fn request_object(request: &HttpRequest, redaction: Redaction) -> OrderedJson {
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

pub(super) fn response_object(request: &HttpRequest, answer: &Answer<'_>, redaction: Redaction) -> OrderedJson {
    let Answer::Received(response) = answer else {
        let unanswered = BrowserAnswer {
            status: 0,
            redirect: None,
            elapsed: answer.elapsed(),
        };
        return unanswered.object();
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
pub(super) fn timings(answer: &Answer<'_>) -> OrderedJson {
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

pub(super) fn whole(number: i64) -> OrderedJson {
    OrderedJson::Number(number.into())
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// To the microsecond.
pub(super) fn milliseconds(duration: Duration) -> OrderedJson {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    Number::from_f64(f64::from(micros) / 1000.0).map_or_else(|| whole(0), OrderedJson::Number)
}
