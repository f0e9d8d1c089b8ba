//! An event as a JSON object: `{"event":"response","status":200,…}`. Names
//! and members are for programs and stay as they are.

use super::Event;
use super::document::{Document, object};
use super::redact::{Redaction, ShownBody};
use crate::neutral::{neutralise, neutralise_whole};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::params::Params;

/// The event as an object whose first member is `event`.
pub fn event_object(event: &Event<'_>, redaction: Redaction) -> Document {
    match event {
        Event::StepBegins(step) => object([
            ("event", "step".into()),
            ("number", u64::from(step.number()).into()),
            ("title", step.title().into()),
        ]),
        Event::Detail { name, value } => object([
            ("event", "detail".into()),
            ("name", neutralise(name).into()),
            ("value", neutralise(value).into()),
        ]),
        Event::Message {
            from,
            to,
            title,
            params,
        } => object([
            ("event", "message".into()),
            ("from", from.name().into()),
            ("to", to.name().into()),
            ("title", neutralise(title).into()),
            ("params", params_list(params, redaction)),
        ]),
        Event::AuthorizationUrl(url) => text_event("authorization_url", "url", neutralise_whole(url)),
        Event::BrowserStarted { command } => text_event("browser_started", "command", neutralise(command)),
        Event::BrowserFailed { command, reason } => object([
            ("event", "browser_failed".into()),
            ("command", neutralise(command).into()),
            ("reason", neutralise(reason).into()),
        ]),
        Event::WaitBegins {
            timeout,
            paste_accepted,
        } => object([
            ("event", "wait_begins".into()),
            ("timeout_s", timeout.as_secs().into()),
            ("paste_accepted", Document::Bool(*paste_accepted)),
        ]),
        Event::WaitEnds => object([("event", "wait_ends".into())]),
        Event::CallbackIgnored { reason } => text_event("callback_ignored", "reason", neutralise(reason)),
        Event::RequestSent(request) => request_object(request, redaction),
        Event::ResponseReceived { request, response } => response_object(request, response, redaction),
        Event::RequestFailed { request, reason } => object([
            ("event", "request_failed".into()),
            ("method", request.method.as_str().into()),
            ("url", neutralise_whole(request.url.as_str()).into()),
            ("reason", neutralise(reason).into()),
        ]),
        Event::Decision(text) => text_event("decision", "text", neutralise(text)),
        Event::CheckPassed(text) => text_event("check_passed", "text", neutralise(text)),
        Event::CheckSkipped(text) => text_event("check_skipped", "text", neutralise(text)),
        Event::Outcome(text) => text_event("outcome", "text", neutralise(text)),
        Event::Note(text) => text_event("note", "text", neutralise(text)),
        Event::Warning(text) => text_event("warning", "text", neutralise(text)),
    }
}

fn text_event(event: &str, name: &str, text: String) -> Document {
    object([("event", event.into()), (name, text.into())])
}

fn request_object(request: &HttpRequest, redaction: Redaction) -> Document {
    let headers = request.all_headers().into_iter();
    let headers = headers.map(|(name, value)| pair(name, redaction.request_header(&value)));
    let body = request.body.as_ref();
    object([
        ("event", "request".into()),
        ("method", request.method.as_str().into()),
        ("url", neutralise_whole(request.url.as_str()).into()),
        ("headers", Document::List(headers.collect())),
        (
            "params",
            body.map_or(Document::Null, |params| params_list(params, redaction)),
        ),
    ])
}

fn response_object(request: &HttpRequest, response: &HttpResponse, redaction: Redaction) -> Document {
    let answer = redaction.answer(request, response);
    let headers = answer.headers.into_iter();
    let elapsed_ms = u64::try_from(response.elapsed.as_millis()).unwrap_or(u64::MAX);
    object([
        ("event", "response".into()),
        ("url", neutralise_whole(request.url.as_str()).into()),
        ("status", u64::from(response.status).into()),
        ("elapsed_ms", elapsed_ms.into()),
        (
            "headers",
            Document::List(headers.map(|(name, value)| pair(&name, value)).collect()),
        ),
        (
            "body",
            match answer.body {
                ShownBody::Empty => Document::Null,
                ShownBody::Json(document) => document,
                ShownBody::Text(text) => text.into(),
            },
        ),
    ])
}

fn params_list(params: &Params, redaction: Redaction) -> Document {
    let pairs = params
        .iter()
        .map(|(name, value)| pair(&neutralise(name), redaction.value(value)));
    Document::List(pairs.collect())
}

fn pair(name: &str, value: String) -> Document {
    object([("name", name.into()), ("value", value.into())])
}
