//! The trace file `.har`: HTTP Archive 1.2, which browsers' developer tools
//! import. One entry for each exchange; what else happened is in the other
//! formats. A request that was not answered has the status 0.

use crate::output::sanitize::sanitize;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::trace::Event;
use crate::trace::diagram::reason_phrase;
use crate::trace::files::{Occasion, Renderer};
use crate::trace::ordered_json::{Document, object};
use crate::trace::redact::{Redaction, ShownBody};
use serde_json::Number;
use std::time::Duration;
use url::Url;

/// Renders one archive.
pub struct Har {
    occasion: Occasion,
    /// The step that was last begun, for the comments of the entries.
    step: String,
    /// Whether an entry was written.
    has_entries: bool,
    /// Requests without an answer so far, oldest first.
    unanswered: Vec<Unanswered>,
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
    pub fn new(occasion: Occasion) -> Self {
        Har {
            occasion,
            step: String::new(),
            has_entries: false,
            unanswered: Vec::new(),
        }
    }

    fn settled(&mut self, entry: &str) -> String {
        let comma = if self.has_entries { "," } else { "" };
        self.has_entries = true;
        format!("{comma}\n{entry}")
    }

    fn entry(&self, request: &HttpRequest, since_start: Duration, answer: Answer<'_>) -> String {
        let redaction = self.occasion.redaction;
        let started_at = self.occasion.began_at + since_start;
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

    /// Takes the request out of the unanswered ones.
    fn answered(&mut self, request: &HttpRequest) -> Option<Unanswered> {
        let request = request_object(request, self.occasion.redaction).line();
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
        let shows_secrets = self.occasion.redaction.shows_secrets();
        let comment = if shows_secrets {
            "CONTAINS SECRETS, shown whole by --show-secrets: do not share this file"
        } else {
            "secrets are redacted: their length and a fingerprint stand in their place"
        };
        format!(
            "{{\"log\":{{\"version\":\"1.2\",\"creator\":{},\"comment\":{},\"_containsSecrets\":{shows_secrets},\"entries\":[",
            creator.line(),
            Document::from(comment).line(),
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
                    request: request_object(request, self.occasion.redaction).line(),
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
            _ => String::new(),
        }
    }

    fn tail(&self) -> String {
        let mut tail = String::new();
        for (index, unanswered) in self.unanswered.iter().enumerate() {
            let comma = if self.has_entries || index > 0 { "," } else { "" };
            tail += &format!("{comma}\n{}", unanswered.entry);
        }
        tail + "\n]}}\n"
    }
}

fn request_object(request: &HttpRequest, redaction: Redaction) -> Document {
    let shown = redaction.request_url(request);
    // Marks in the place of secrets have spaces and brackets, which a URL has not.
    let url = Url::parse(&shown).map_or(shown, String::from);
    let headers = request.all_headers().into_iter();
    let headers = headers.map(|(name, value)| (name.to_owned(), redaction.request_header(&value)));
    let mut members = vec![
        ("method".to_owned(), request.method.as_str().into()),
        ("url".to_owned(), url.as_str().into()),
        ("httpVersion".to_owned(), "HTTP/1.1".into()),
        ("cookies".to_owned(), Document::List(Vec::new())),
        ("headers".to_owned(), pairs(headers)),
        ("queryString".to_owned(), pairs(redaction.query(request).into_iter())),
    ];
    if let Some(params) = &request.body {
        let shown: Vec<(String, String)> = params
            .iter()
            .map(|(name, value)| (sanitize(name), redaction.parameter(name, value)))
            .collect();
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(&shown);
        let post_data = object([
            ("mimeType", "application/x-www-form-urlencoded".into()),
            ("params", pairs(shown.into_iter())),
            ("text", text.finish().into()),
        ]);
        members.push(("postData".to_owned(), post_data));
    }
    let body_bytes = request.body.as_ref().map_or(0, |params| params.encoded_length_bytes());
    members.push(("headersSize".to_owned(), whole(-1)));
    members.push(("bodySize".to_owned(), whole(size(body_bytes))));
    Document::Object(members)
}

fn response_object(request: &HttpRequest, answer: &Answer<'_>, redaction: Redaction) -> Document {
    let Answer::Received(response) = answer else {
        return object([
            ("status", whole(0)),
            ("statusText", "".into()),
            ("httpVersion", "".into()),
            ("cookies", Document::List(Vec::new())),
            ("headers", Document::List(Vec::new())),
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
        ("cookies", Document::List(Vec::new())),
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
fn timings(answer: &Answer<'_>) -> Document {
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

fn pairs(pairs: impl Iterator<Item = (String, String)>) -> Document {
    Document::List(
        pairs
            .map(|(name, value)| object([("name", name.into()), ("value", value.into())]))
            .collect(),
    )
}

fn whole(number: i64) -> Document {
    Document::Number(number.into())
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> Document {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    Number::from_f64(f64::from(micros) / 1000.0).map_or_else(|| whole(0), Document::Number)
}
