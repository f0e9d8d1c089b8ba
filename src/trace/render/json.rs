//! An event as a JSON object: `{"event":"response","from":…,"to":…,"status":200,…}`,
//! and the trace file that has one on each line. Names and members are for
//! programs and stay as they are; `docs/trace.md` lists them.

use crate::foreign_text::{sanitize, sanitize_line, sanitize_unbounded};
use crate::protocol::http::{HttpRequest, HttpResponse, USER_AGENT};
use crate::protocol::params::Params;
use crate::trace::curl::curl_command;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::redact::{Redaction, ShownBody};
use crate::trace::renderer::{Renderer, TraceContext};
use crate::trace::{Event, Party, Paste};
use std::time::Duration;

/// What the format of the lines is called; it changes when a member changes its meaning.
const VERSION: u64 = 1;

type Members = Vec<(String, OrderedJson)>;

/// The event as an object whose first members are `event`, `from` and `to`.
pub fn event_object(event: &Event<'_>, redaction: Redaction) -> OrderedJson {
    OrderedJson::Object(event_members(event, redaction))
}

fn event_members(event: &Event<'_>, redaction: Redaction) -> Members {
    let text = |text: &str| OrderedJson::from(sanitize(text));
    let named = |name: &str, members: Members| beginning(event, name, members);
    match event {
        Event::StepBegins(step) => named(
            "step",
            members([
                ("number", u64::from(step.number()).into()),
                ("title", step.title().into()),
            ]),
        ),
        Event::Detail { name, value } => named("detail", members([("name", text(name)), ("value", text(value))])),
        Event::Message { title, params, .. } => named(
            "message",
            members([("title", text(title)), ("params", params_list(params, redaction))]),
        ),
        Event::AuthorizationUrl(address) => named(
            "authorization_url",
            members([("url", redaction.url(address.url).into())]),
        ),
        Event::UserCode {
            verification_uri,
            expires_in,
            ..
        } => named(
            "user_code",
            members([
                ("verification_uri", text(verification_uri)),
                ("expires_in", expires_in.as_secs().into()),
            ]),
        ),
        Event::BrowserStarted { command } => named("browser_started", members([("command", text(command))])),
        Event::BrowserFailed { command, reason } => named(
            "browser_failed",
            members([("command", text(command)), ("reason", text(reason))]),
        ),
        Event::BrowserExited { command, how } => named(
            "browser_exited",
            members([("command", text(command)), ("reason", text(how))]),
        ),
        Event::BrowserOverdue { .. } => named("browser_overdue", Vec::new()),
        Event::WaitBegins { timeout, paste, .. } => named(
            "wait_begins",
            members([
                ("timeout_s", timeout.as_secs().into()),
                ("paste_accepted", OrderedJson::Bool(*paste != Paste::No)),
            ]),
        ),
        Event::WaitEnds => named("wait_ends", Vec::new()),
        Event::CallbackAnswered {
            params, method, status, ..
        } => named(
            "callback_answered",
            members([
                ("method", method.as_str().into()),
                ("status", u64::from(*status).into()),
                ("params", params_list(params, redaction)),
            ]),
        ),
        Event::CallbackIgnored { reason, .. } => named("callback_ignored", members([("reason", text(reason))])),
        Event::DiscoveryTried { url, not_taken } => named(
            "discovery_tried",
            members([
                ("url", sanitize_unbounded(url).into()),
                ("taken", OrderedJson::Bool(not_taken.is_none())),
                ("reason", not_taken.map_or(OrderedJson::Null, text)),
            ]),
        ),
        Event::RequestSent(request) => named("request", request_members(request, redaction)),
        Event::ResponseReceived { request, response } => {
            named("response", response_members(request, response, redaction))
        }
        Event::RequestFailed { request, reason } => named(
            "request_failed",
            members([
                ("method", request.method.as_str().into()),
                ("url", redaction.request_url(request).into()),
                ("reason", text(reason)),
            ]),
        ),
        Event::Retried { reason, .. } => named("retried", members([("reason", text(reason))])),
        Event::Refreshed { expires_in_s, rotated } => named(
            "refreshed",
            members([
                ("expires_in", expires_in_s.map_or(OrderedJson::Null, OrderedJson::from)),
                ("rotated", OrderedJson::Bool(*rotated)),
            ]),
        ),
        Event::Revoked { token_type } => named("revoked", members([("token_type", text(token_type))])),
        Event::Stored { store } => named("stored", members([("store", text(store))])),
        Event::Forgotten { store } => named("forgotten", members([("store", text(store))])),
        Event::Decision(what) => named("decision", members([("text", text(what))])),
        Event::CheckPassed(what) => named("check_passed", members([("text", text(what))])),
        Event::CheckSkipped(what) => named("check_skipped", members([("text", text(what))])),
        Event::Progress(progress) => named(
            "rule_begins",
            members([
                ("rule", text(progress.rule)),
                ("number", (progress.number as u64).into()),
                ("of", (progress.of as u64).into()),
            ]),
        ),
        Event::RuleTested { rule, verdict, reason } => named(
            "rule_tested",
            members([
                ("rule", text(rule)),
                ("verdict", verdict.as_str().into()),
                ("reason", text(reason)),
            ]),
        ),
        Event::Outcome(what) | Event::Success(what) | Event::SuccessDetail(what) => {
            named("outcome", members([("text", text(what))]))
        }
        Event::Note(what) => named("note", members([("text", OrderedJson::from(sanitize_line(what)))])),
        Event::NamedNote(name, what) => named(
            "note",
            members([
                ("name", name.as_str().into()),
                ("text", OrderedJson::from(sanitize_line(what))),
            ]),
        ),
        Event::Warning(what) => named("warning", members([("text", text(what))])),
        Event::Failed {
            message,
            causes,
            hints,
            exit_code,
        } => named(
            "failed",
            members([
                ("message", text(message)),
                (
                    "causes",
                    OrderedJson::List(causes.iter().map(|cause| text(cause)).collect()),
                ),
                (
                    "hints",
                    OrderedJson::List(hints.iter().map(|hint| text(hint)).collect()),
                ),
                ("exit_code", u64::from(exit_code.code()).into()),
            ]),
        ),
    }
}

fn beginning(event: &Event<'_>, name: &str, rest: Members) -> Members {
    let mut all = members([
        ("event", name.into()),
        ("from", event.from().name().into()),
        ("to", event.to().name().into()),
    ]);
    all.extend(rest);
    all
}

fn members<const N: usize>(members: [(&str, OrderedJson); N]) -> Members {
    members.map(|(name, value)| (name.to_owned(), value)).into()
}

fn request_members(request: &HttpRequest, redaction: Redaction) -> Members {
    let headers = request.all_headers().into_iter();
    let headers = headers.map(|(name, value)| pair(name.as_str(), redaction.request_header(&value)));
    let form = request.form();
    let mut sent = members([
        ("method", request.method.as_str().into()),
        ("url", redaction.request_url(request).into()),
        ("headers", OrderedJson::List(headers.collect())),
        (
            "params",
            form.map_or(OrderedJson::Null, |params| params_list(params, redaction)),
        ),
        ("curl", curl_command(request).join(" ").into()),
    ]);
    if let body @ (ShownBody::Json(_) | ShownBody::Text(_)) = redaction.content(request) {
        sent.push(("body".to_owned(), shown_body(body)));
    }
    sent
}

fn response_members(request: &HttpRequest, response: &HttpResponse, redaction: Redaction) -> Members {
    let answer = redaction.answer(request, response);
    let headers = answer.headers.into_iter();
    let timings = response.timings;
    members([
        ("url", redaction.request_url(request).into()),
        ("status", u64::from(response.status).into()),
        ("elapsed_ms", whole_ms(response.elapsed).into()),
        ("name_lookup_ms", optional_ms(timings.name_lookup)),
        ("connect_ms", optional_ms(timings.connect)),
        ("first_byte_ms", optional_ms(timings.first_byte)),
        (
            "headers",
            OrderedJson::List(headers.map(|(name, value)| pair(&name, value)).collect()),
        ),
        ("body", shown_body(answer.body)),
    ])
}

fn shown_body(body: ShownBody) -> OrderedJson {
    match body {
        ShownBody::Empty => OrderedJson::Null,
        ShownBody::Json(document) => document,
        ShownBody::Text(text) => text.into(),
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn optional_ms(duration: Option<Duration>) -> OrderedJson {
    duration.map_or(OrderedJson::Null, |duration| whole_ms(duration).into())
}

fn params_list(params: &Params, redaction: Redaction) -> OrderedJson {
    let pairs = params
        .iter()
        .map(|(name, value)| pair(&sanitize(name), redaction.parameter(name, value)));
    OrderedJson::List(pairs.collect())
}

fn pair(name: &str, value: String) -> OrderedJson {
    object([("name", name.into()), ("value", value.into())])
}

/// The trace file `.json`: one object a line, each with `v` and the time since
/// the start; the first one says when that was and whether secrets follow.
pub struct JsonLines {
    context: TraceContext,
}

impl JsonLines {
    /// For one file.
    pub fn new(context: TraceContext) -> Self {
        JsonLines { context }
    }
}

impl Renderer for JsonLines {
    fn head(&mut self) -> String {
        let mut all = stamp(Duration::ZERO);
        all.extend(members([
            ("event", "trace_begins".into()),
            ("from", Party::Client.name().into()),
            ("to", Party::Client.name().into()),
            ("program", USER_AGENT.into()),
            ("began_at", format!("{:.3}", self.context.began_at).into()),
            (
                "contains_secrets",
                OrderedJson::Bool(self.context.redaction.shows_secrets()),
            ),
        ]));
        line(all)
    }

    fn event(&mut self, event: &Event<'_>, since_start: Duration) -> String {
        let mut all = stamp(since_start);
        all.extend(event_members(event, self.context.redaction));
        line(all)
    }

    fn tail(&self) -> String {
        String::new()
    }
}

fn stamp(since_start: Duration) -> Members {
    members([("v", VERSION.into()), ("since_start_ms", whole_ms(since_start).into())])
}

fn line(members: Members) -> String {
    let mut line = OrderedJson::Object(members).line();
    line.push('\n');
    line
}
