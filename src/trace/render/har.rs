//! The trace file `.har`: HTTP Archive 1.2, which browsers' developer tools
//! import. One entry for each exchange of the client, and of the browser for
//! the authorization request and the callbacks, as far as the client knows of
//! them. What else happened is in the other formats. A request that was not
//! answered has the status 0.

mod objects;
#[cfg(test)]
mod tests;

use crate::foreign_text::sanitize;
use crate::protocol::http::{HttpRequest, Method};
use crate::protocol::params::Params;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::renderer::{Renderer, TraceContext};
use crate::trace::{Event, Party};
use objects::{
    Answer, BrowserAnswer, BrowserRequest, callback_url, milliseconds, request_object, response_object, timings,
    valid_url, whole,
};
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

    fn settle(&mut self, entry: &str) -> String {
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
        self.settle(&entry)
    }

    fn authorization_request(&self, url: &str, since_start: Duration) -> Option<AuthorizationRequest> {
        let mut request = AuthorizationRequest {
            url: Url::parse(url).ok()?,
            since_start,
            step: self.step.clone(),
            entry: String::new(),
        };
        request.entry = self.authorization_entry(&request, None, since_start);
        Some(request)
    }

    /// Notes a request that has no answer yet.
    fn note_sent(&mut self, request: &HttpRequest, since_start: Duration) {
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
    }

    /// Takes the request out of the unanswered ones.
    fn take_unanswered(&mut self, request: &HttpRequest) -> Option<Unanswered> {
        let request = request_object(request, self.context.redaction).line();
        let index = self.unanswered.iter().position(|sent| sent.request == request)?;
        Some(self.unanswered.remove(index))
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
                self.note_sent(request, since_start);
                String::new()
            }
            Event::ResponseReceived { request, response } => {
                let sent = self.take_unanswered(request).map(|sent| sent.since_start);
                let sent = sent.unwrap_or_else(|| since_start.saturating_sub(response.elapsed));
                let entry = self.entry(request, sent, Answer::Received(response));
                self.settle(&entry)
            }
            Event::RequestFailed { request, reason } => {
                let sent = self
                    .take_unanswered(request)
                    .map_or(since_start, |sent| sent.since_start);
                let elapsed = since_start.saturating_sub(sent);
                let entry = self.entry(request, sent, Answer::None { reason, elapsed });
                self.settle(&entry)
            }
            Event::AuthorizationUrl(address) => {
                self.authorization = self.authorization_request(address.url, since_start);
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
                self.settle(&entry)
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
