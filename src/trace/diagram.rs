//! What of an event a sequence diagram shows: the lines that `mermaid` and
//! `html` draw, each in its own way. Messages that go over HTTP appear once,
//! as their HTTP exchange.

use super::curl::curl_command;
use super::ordered_json::OrderedJson;
use super::redact::{Redaction, ShownAnswer, ShownBody};
use super::{Event, Party, Step, Verdict};
use crate::foreign_text::{sanitize, sanitize_line, sanitize_unbounded};
use crate::protocol::http::{HttpRequest, HttpResponse, Timings};
use crate::protocol::params::Params;
use hyper::StatusCode;
use std::time::Duration;

/// The parties as a diagram has them, from left to right.
pub const PARTIES: [Party; 6] = [
    Party::ResourceOwner,
    Party::Browser,
    Party::Client,
    Party::AuthorizationServer,
    Party::ResourceServer,
    Party::CredentialStore,
];

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// One of the seven steps begins: a heading.
    Step,
    /// An arrow: a request, a message.
    Message,
    /// An arrow back: an answer that is not an error.
    Answer,
    /// An arrow that the client does not see, but that must have been.
    Unseen,
    /// An arrow, or a note, of something that went wrong.
    Failure,
    /// A note beside the party: a fact.
    Fact,
    /// A note: a check that held.
    Check,
    /// A note: a check that was not made.
    Skipped,
    /// A note: for the person.
    Note,
    /// A note: not as it should be.
    Warning,
}

impl LineKind {
    /// Whether it goes from one party to another.
    pub fn is_arrow(self) -> bool {
        matches!(self, LineKind::Message | LineKind::Answer | LineKind::Unseen)
    }
}

/// One line of the diagram. All texts are neutralised.
#[derive(Debug)]
pub struct DiagramLine {
    pub kind: LineKind,
    /// Where it begins; a note is here.
    pub from: Party,
    pub to: Party,
    /// The step, where it is the heading of one.
    pub step: Option<Step>,
    pub label: String,
    /// What is behind it.
    pub details: Vec<LineDetail>,
}

/// What is behind a line.
#[derive(Debug)]
pub struct LineDetail {
    /// Such as `headers`.
    pub title: &'static str,
    pub content: DetailContent,
}

/// A detail's content.
#[derive(Debug)]
pub enum DetailContent {
    Pairs(Vec<(String, String)>),
    /// Text on one or more lines.
    Text(String),
}

/// Turns events into lines.
pub struct DiagramBuilder {
    redaction: Redaction,
    /// The title of a message that the next request carries.
    announced: Option<String>,
}

impl DiagramBuilder {
    /// With what may be shown.
    pub fn new(redaction: Redaction) -> Self {
        DiagramBuilder {
            redaction,
            announced: None,
        }
    }

    /// The lines of an event; most have one, some have none.
    pub fn lines(&mut self, event: &Event<'_>) -> Vec<DiagramLine> {
        let (from, to) = (event.from(), event.to());
        let line = |kind, label: String| DiagramLine {
            kind,
            from,
            to,
            step: None,
            label,
            details: Vec::new(),
        };
        let note = |kind, label: String| DiagramLine {
            kind,
            from: Party::Client,
            to: Party::Client,
            step: None,
            label,
            details: Vec::new(),
        };
        vec![match event {
            Event::StepBegins(step) => return step_lines(*step, from, to),
            Event::Detail { name, value } => note(LineKind::Fact, sanitize(&format!("{name} = {value}"))),
            // Over HTTP, where the exchange shows it.
            Event::Message { title, .. } if (from, to) == (Party::Client, Party::AuthorizationServer) => {
                self.announced = Some(sanitize(title));
                return Vec::new();
            }
            Event::Message { .. } if (from, to) == (Party::AuthorizationServer, Party::Client) => return Vec::new(),
            Event::Message { title, params, .. } => DiagramLine {
                details: vec![self.params("parameters", params)],
                ..line(LineKind::Message, sanitize(title))
            },
            Event::AuthorizationUrl(address) => DiagramLine {
                details: vec![text("address", self.redaction.url(address.url))],
                ..line(LineKind::Message, "sign in at this address".to_owned())
            },
            Event::UserCode { verification_uri, .. } => DiagramLine {
                details: vec![text("address", sanitize(verification_uri))],
                ..line(LineKind::Message, "enter this code at this address".to_owned())
            },
            Event::BrowserStarted { command } => line(LineKind::Message, sanitize(&format!("started: {command}"))),
            Event::BrowserFailed { command, reason } => line(
                LineKind::Failure,
                sanitize(&format!("could not be started with \"{command}\": {reason}")),
            ),
            Event::BrowserExited { command, how } => line(LineKind::Failure, sanitize(&format!("\"{command}\" {how}"))),
            Event::WaitBegins { timeout, awaited, .. } => note(
                LineKind::Fact,
                format!(
                    "waits for {awaited}, {} at most",
                    crate::output::duration::describe_seconds(timeout.as_secs())
                ),
            ),
            Event::BrowserOverdue { .. } | Event::WaitEnds | Event::Progress(_) => return Vec::new(),
            Event::CallbackAnswered { status, .. } => {
                // whose error it is stands in the answer before, not in the name of the status
                match *status {
                    500.. => line(LineKind::Failure, format!("the failure page ({status})")),
                    400.. => line(
                        LineKind::Failure,
                        format!("the page: {status} {}", reason_phrase(*status)),
                    ),
                    _ => line(
                        LineKind::Answer,
                        format!("the page: {status} {}", reason_phrase(*status)),
                    ),
                }
            }
            Event::CallbackIgnored { reason, .. } => line(LineKind::Failure, sanitize(&format!("ignored: {reason}"))),
            Event::DiscoveryTried { url, not_taken } => match not_taken {
                None => note(LineKind::Check, format!("metadata taken: {}", sanitize_unbounded(url))),
                Some(reason) => note(
                    LineKind::Skipped,
                    format!("metadata not taken: {}: {}", sanitize_unbounded(url), sanitize(reason)),
                ),
            },
            Event::RequestSent(request) => DiagramLine {
                details: self.request(request),
                ..line(LineKind::Message, self.request_label(request))
            },
            Event::ResponseReceived { request, response } => {
                let kind = if response.status < 400 {
                    LineKind::Answer
                } else {
                    LineKind::Failure
                };
                let answer = self.redaction.answer(request, response);
                DiagramLine {
                    label: response_label(response, &answer),
                    details: response_details(request, response, answer),
                    ..line(kind, String::new())
                }
            }
            Event::RequestFailed { reason, .. } => line(LineKind::Failure, sanitize(&format!("no answer: {reason}"))),
            Event::Retried { reason, .. } => note(LineKind::Warning, sanitize(reason)),
            Event::Refreshed { expires_in_s, rotated } => {
                let valid = expires_in_s
                    .map(|seconds| format!(", valid for {}", crate::output::duration::describe_seconds(seconds)));
                let and = if *rotated { ", and a new refresh token" } else { "" };
                note(
                    LineKind::Check,
                    format!("a new access token{}{and}", valid.unwrap_or_default()),
                )
            }
            Event::Revoked { token_type } => note(LineKind::Check, sanitize(&format!("revoked: {token_type}"))),
            Event::Stored { store } => DiagramLine {
                details: vec![text("store", sanitize(store))],
                ..line(LineKind::Message, "the session is stored".to_owned())
            },
            Event::Forgotten { store } => DiagramLine {
                details: vec![text("store", sanitize(store))],
                ..line(LineKind::Message, "the session is deleted".to_owned())
            },
            Event::Decision(what) => note(LineKind::Fact, sanitize(what)),
            Event::CheckPassed(what) => note(LineKind::Check, sanitize(what)),
            Event::CheckSkipped(what) => note(LineKind::Skipped, sanitize(&format!("not checked: {what}"))),
            Event::RuleTested { rule, verdict, reason } => {
                let kind = match verdict {
                    Verdict::Pass => LineKind::Check,
                    Verdict::Fail => LineKind::Failure,
                    Verdict::Warning => LineKind::Warning,
                    Verdict::Skipped => LineKind::Skipped,
                };
                let separator = if reason.is_empty() { "" } else { ": " };
                let label = format!("{}: {rule}{separator}{reason}", verdict.as_str());
                note(kind, sanitize(&label))
            }
            Event::Note(what)
            | Event::NamedNote(_, what)
            | Event::Outcome(what)
            | Event::Success(what)
            | Event::SuccessDetail(what) => note(LineKind::Note, sanitize_line(what)),
            Event::Warning(what) => note(LineKind::Warning, sanitize(what)),
            Event::Failed {
                message,
                causes,
                hints,
                exit_code,
            } => {
                let mut all = vec![format!("error: {}", sanitize(message))];
                all.extend(causes.iter().map(|cause| format!("caused by: {}", sanitize(cause))));
                all.extend(hints.iter().map(|hint| format!("hint: {}", sanitize_line(hint))));
                DiagramLine {
                    details: vec![text("error", all.join("\n"))],
                    ..note(
                        LineKind::Failure,
                        format!("exit code {}: {}", exit_code.code(), sanitize(message)),
                    )
                }
            }
        }]
    }

    fn request_label(&mut self, request: &HttpRequest) -> String {
        let what = format!("{} {}", request.method.as_str(), sanitize(request.url.path()));
        match self.announced.take() {
            Some(title) => format!("{title}: {what}"),
            None => what,
        }
    }

    fn request(&self, request: &HttpRequest) -> Vec<LineDetail> {
        let url = self.redaction.request_url(request);
        let mut details = vec![text("request", format!("{} {url}", request.method.as_str()))];
        if request.url.query().is_some() {
            details.push(pairs("query", self.redaction.query(request)));
        }
        let headers = request.all_headers().into_iter();
        let headers = headers.map(|(name, value)| (name.to_string(), self.redaction.request_header(&value)));
        details.push(pairs("headers", headers.collect()));
        match self.redaction.content(request) {
            ShownBody::Empty => {}
            ShownBody::Json(document) => details.push(text("body", document.pretty())),
            ShownBody::Text(body) => details.push(text("body", body)),
        }
        if let Some(params) = request.form() {
            details.push(self.params("parameters", params));
        }
        details.push(text("as a command", curl_command(request).join(" \\\n  ")));
        details
    }

    fn params(&self, title: &'static str, params: &Params) -> LineDetail {
        let shown = params.iter();
        let shown = shown.map(|(name, value)| (sanitize(name), self.redaction.parameter(name, value)));
        pairs(title, shown.collect())
    }
}

/// A heading; for what happens at the server also the arrows that this client
/// does not see, and knows of by their outcome alone.
fn step_lines(step: Step, from: Party, to: Party) -> Vec<DiagramLine> {
    let line = |kind, from, to, label: String| DiagramLine {
        kind,
        from,
        to,
        step: None,
        label,
        details: Vec::new(),
    };
    let unseen = |from, to, label: &str| line(LineKind::Unseen, from, to, label.to_owned());
    let heading = format!("{}/7 {}", step.number(), step.title());
    let mut lines = vec![DiagramLine {
        step: Some(step),
        ..line(LineKind::Step, from, to, heading)
    }];
    let (owner, browser, server) = (Party::ResourceOwner, Party::Browser, Party::AuthorizationServer);
    match step {
        Step::Prompt => {
            lines.push(unseen(browser, server, "opens the address"));
            lines.push(unseen(server, owner, "asks to sign in and to consent"));
        }
        Step::Consent => lines.push(unseen(owner, server, "signs in and consents")),
        Step::Receive => lines.push(unseen(server, browser, "redirects to the client")),
        _ => {}
    }
    lines
}

/// `400 Bad Request, 37 ms: invalid_grant`.
fn response_label(response: &HttpResponse, answer: &ShownAnswer) -> String {
    let phrase = reason_phrase(response.status);
    let elapsed_ms = response.elapsed.as_millis();
    let error = match &answer.body {
        ShownBody::Json(OrderedJson::Object(members)) => members.iter().find(|(name, _)| name == "error"),
        _ => None,
    };
    let error = match error {
        Some((_, OrderedJson::Text(error))) => format!(": {error}"),
        _ => String::new(),
    };
    format!("{} {phrase}, {elapsed_ms} ms{error}", response.status)
}

fn response_details(request: &HttpRequest, response: &HttpResponse, answer: ShownAnswer) -> Vec<LineDetail> {
    let mut details = vec![
        pairs("timings", timings(request, response)),
        pairs("headers", answer.headers),
    ];
    match answer.body {
        ShownBody::Empty => {}
        ShownBody::Json(document) => details.push(text("body", document.pretty())),
        ShownBody::Text(body) => details.push(text("body", body)),
    }
    details
}

/// What a status code is called (RFC 9110 §15).
pub(super) fn reason_phrase(status: u16) -> &'static str {
    let known = StatusCode::from_u16(status).ok();
    known.and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// The parts of an exchange's time, with their names.
pub(super) fn timings(request: &HttpRequest, response: &HttpResponse) -> Vec<(String, String)> {
    let Timings {
        name_lookup,
        connect,
        first_byte,
    } = response.timings;
    let connecting = match request.url.scheme() {
        "https" => "connect with TLS",
        _ => "connect",
    };
    let parts = [
        ("DNS", name_lookup),
        (connecting, connect),
        ("first byte", first_byte),
        ("total", Some(response.elapsed)),
    ];
    let known = parts.into_iter().filter_map(|(name, part)| Some((name, part?)));
    known
        .map(|(name, part)| (name.to_owned(), in_milliseconds(part)))
        .collect()
}

/// `37 ms`; below ten with one decimal.
fn in_milliseconds(duration: Duration) -> String {
    if duration < Duration::from_millis(10) {
        format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
    } else {
        format!("{} ms", duration.as_millis())
    }
}

fn pairs(title: &'static str, pairs: Vec<(String, String)>) -> LineDetail {
    LineDetail {
        title,
        content: DetailContent::Pairs(pairs),
    }
}

fn text(title: &'static str, text: String) -> LineDetail {
    LineDetail {
        title,
        content: DetailContent::Text(text),
    }
}
