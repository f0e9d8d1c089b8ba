//! One message's way to the server and back, in both eras of the protocol: up
//! to 2025-11-25 with a session that can be begun again and streams that can be
//! taken up again, from 2026-07-28 on without either.

use super::bridge::Bridge;
use super::failure::Failure;
use crate::app::context::caller;
use crate::app::deadline;
use crate::error::Error;
use crate::flow::authorized_request::{BodyAtHand, NoAnswer, PresentedToken, TokenVerdict, send_authorized};
use crate::protocol::event_stream::EventStream;
use crate::protocol::http::{Content, HeaderValue, HttpRequest, HttpResponse, Method, RequestBody};
use crate::protocol::mcp::{MAX_MESSAGE_BYTES, Message};
use crate::protocol::mcp_tool_headers::is_header_mismatch;
use crate::secret::Secret;
use crate::transport::{Answer, AnswerBody, TransportError};
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;

/// Tokens that take the place of one that was refused: the session's, and a new one.
const MAX_REPLACEMENTS: usize = 2;

/// Logins that one message leads to.
const MAX_STEP_UPS: usize = 2;

/// Waits for a server that does not listen yet, or not any more: nothing was
/// sent, so it may be tried again.
const CONNECT_PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1500),
];

/// Tries to take up a stream again, one after another without a message.
pub(super) const MAX_RESUMPTIONS: u32 = 5;

/// How long to wait before a stream is taken up again, where the server does not say.
const DEFAULT_RETRY: Duration = Duration::from_millis(1000);

/// A server may not ask for a longer wait.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// How a stream of events ended.
pub(super) enum StreamEnd {
    Closed,
    Broken(TransportError),
}

impl Bridge {
    /// Sends a message and passes on what comes back. Requests that are
    /// answered are taken out of `unanswered`.
    ///
    /// # Errors
    /// [`Failure`]: the requests that are left have no answer.
    pub(super) async fn exchange(
        self: &Rc<Self>,
        line: &[u8],
        messages: &[Message],
        unanswered: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        let is_initialize = messages.iter().any(Message::is_initialize);
        if is_initialize {
            self.legacy.borrow_mut().initialize = Some(line.to_vec());
        }
        let (mut is_begun_anew, mut is_learned) = (false, false);
        loop {
            let session_id = match is_initialize {
                true => None,
                false => self.legacy.borrow().id.clone(),
            };
            let request = self.post(line, messages, session_id.as_ref());
            let answer = self.send(&request).await?;
            let is_lost = session_id.is_some() && is_session_lost(&answer.head);
            if is_lost && !is_begun_anew {
                is_begun_anew = true;
                if self.begin_anew(session_id.as_ref()).await? {
                    continue;
                }
            }
            let call = messages.iter().find(|message| message.called_tool().is_some());
            let (400, Some(call), false) = (answer.head.status, call, is_learned) else {
                return self.receive(answer, messages, unanswered).await;
            };
            is_learned = true;
            let text = read_whole(answer.body).await?;
            if !(is_header_mismatch(&text) && self.learn_tools(call, line).await) {
                return self.receive_text(&answer.head, &text, messages, unanswered).await;
            }
        }
    }

    /// Sends a request with the token until it is taken: once more with
    /// another token, and with one of a wider scope. Where the other token is
    /// one that the store had, it may be refused too, and a new one is tried.
    pub(super) async fn send(&self, request: &HttpRequest) -> Result<Answer, Failure> {
        let mut token = self.tokens.fresh().await?;
        // What begins now takes as long as client and server want.
        deadline::lift();
        let (mut may_replace, mut replacements, mut step_ups) = (true, 0, 0);
        loop {
            let answer = self.send_once(request, &mut token).await?;
            match TokenVerdict::read(&answer.head) {
                TokenVerdict::Rejected if may_replace => {
                    replacements += 1;
                    let other = self.tokens.other_than(&token).await?;
                    may_replace = !other.is_new && replacements < MAX_REPLACEMENTS;
                    token = other.presented;
                }
                TokenVerdict::InsufficientScope(scope) if step_ups < MAX_STEP_UPS => {
                    step_ups += 1;
                    token = self.tokens.wider(scope, &token).await?;
                }
                _ => return Ok(answer),
            }
        }
    }

    pub(super) async fn send_once(&self, request: &HttpRequest, token: &mut PresentedToken) -> Result<Answer, Failure> {
        let mut pauses = CONNECT_PAUSES.into_iter();
        loop {
            let mut observer = self.observer.clone();
            let mut caller = caller(&self.transport, &mut observer);
            let sent = send_authorized(request, &mut BodyAtHand, Some(token), &mut caller).await;
            self.tokens.keep(token.clone());
            match (sent, pauses.next()) {
                (Ok(answer), _) => return Ok(answer),
                (Err(NoAnswer::Transport(TransportError::ConnectRefused { .. })), Some(pause)) => {
                    tokio::time::sleep(pause).await;
                }
                (Err(error), _) => return Err(Failure::from(&Error::from(error))),
            }
        }
    }

    pub(super) fn post(&self, line: &[u8], messages: &[Message], session_id: Option<&Secret>) -> HttpRequest {
        let mut request = self.request(Method::Post, "application/json, text/event-stream", session_id);
        request.body = Some(RequestBody::Content(Content {
            media_type: Some("application/json".to_owned()),
            bytes: Secret::new(line.to_vec()),
        }));
        let modern = messages.iter().find(|message| message.modern_version.is_some());
        if let Some(message) = modern {
            self.modern_version.replace(message.modern_version.clone());
            request.headers.retain(|(name, _)| *name != "mcp-protocol-version");
            for (name, value) in message.modern_headers() {
                request.push_header(name, HeaderValue::Plain(value));
            }
            // arguments are no more to be shown here than in the body
            for (name, value) in self.tool_headers.borrow().of_call(message, line) {
                request.push_header(name, HeaderValue::Secret(value.into()));
            }
        }
        request
    }

    /// A request with the headers of the client's era.
    pub(super) fn request(&self, method: Method, accept: &str, session_id: Option<&Secret>) -> HttpRequest {
        let mut request = HttpRequest {
            method,
            headers: self.headers.clone(),
            ..HttpRequest::get_from_resource(self.url.clone())
        };
        request.push_header("accept", HeaderValue::Plain(accept.to_owned()));
        let legacy = self.legacy.borrow();
        let modern_version = self.modern_version.borrow();
        if let Some(version) = legacy.version.as_ref().or(modern_version.as_ref()) {
            request.push_header("mcp-protocol-version", HeaderValue::Plain(version.clone()));
        }
        if let Some(id) = session_id {
            request.push_header("mcp-session-id", HeaderValue::Secret(id.clone()));
        }
        request
    }

    /// Passes on what an answer holds.
    async fn receive(
        self: &Rc<Self>,
        answer: Answer,
        messages: &[Message],
        unanswered: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        let Answer { head, body } = answer;
        let is_success = (200..300).contains(&head.status);
        if is_success && head.media_type().as_deref() == Some("text/event-stream") {
            return self.receive_stream(&head, body, messages, unanswered).await;
        }
        let text = read_whole(body).await?;
        self.receive_text(&head, &text, messages, unanswered).await
    }

    async fn receive_text(
        &self,
        head: &HttpResponse,
        text: &[u8],
        messages: &[Message],
        unanswered: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        let is_success = (200..300).contains(&head.status);
        let received = Message::read(text);
        if let Ok(received) = &received {
            self.note_initialization(head, messages, received);
            let answers_ours = |message: &Message| message.answered_id().is_some_and(|id| unanswered.contains(id));
            if is_success || received.iter().any(answers_ours) {
                let mut text = String::from_utf8_lossy(text).into_owned();
                self.note_tools(messages, received, &mut text);
                self.write(&text).await;
                self.note_answers(received, unanswered);
            }
        }
        match (is_success, unanswered.is_empty()) {
            (true, true) => Ok(()),
            (true, false) if received.is_err() && !text.is_empty() => {
                Err(Failure::new("the answer of the server is not a message of JSON-RPC"))
            }
            (true, false) => Err(Failure::new("the server took the request and gave no response to it")),
            (false, true) if messages.iter().any(|message| message.request_id().is_some()) => Ok(()),
            (false, _) => Err(Failure::of_status(describe_status(head, text), head.status, &self.url)),
        }
    }

    async fn receive_stream(
        self: &Rc<Self>,
        head: &HttpResponse,
        mut body: AnswerBody,
        messages: &[Message],
        unanswered: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        let is_modern = messages.iter().any(|message| message.modern_version.is_some());
        let mut stream = EventStream::default();
        let mut last_event_id: Option<String> = None;
        let mut failures = 0;
        loop {
            let before = unanswered.len();
            let end = self.pass_events(&mut body, &mut stream, unanswered, |received, text| {
                self.note_initialization(head, messages, received);
                self.note_tools(messages, received, text);
            });
            let end = end.await?;
            if unanswered.is_empty() {
                return Ok(());
            }
            failures = if unanswered.len() < before { 0 } else { failures + 1 };
            last_event_id = stream.last_event_id().map(str::to_owned).or(last_event_id);
            let Some(id) = last_event_id
                .as_deref()
                .filter(|_| !is_modern && failures <= MAX_RESUMPTIONS)
            else {
                return Err(match end {
                    StreamEnd::Closed => Failure::new("the server ended the stream without a response to the request"),
                    StreamEnd::Broken(error) => Failure::from(&Error::from(error)),
                });
            };
            tokio::time::sleep(retry_pause(&stream)).await;
            let answer = self.resume(id).await?;
            body = answer.body;
            stream = EventStream::default();
        }
    }

    /// Takes up a stream after this event.
    async fn resume(&self, last_event_id: &str) -> Result<Answer, Failure> {
        let session_id = self.legacy.borrow().id.clone();
        let mut request = self.request(Method::Get, "text/event-stream", session_id.as_ref());
        request.push_header("last-event-id", HeaderValue::Plain(last_event_id.to_owned()));
        let answer = self.send(&request).await?;
        match is_event_stream(&answer.head) {
            true => Ok(answer),
            false => Err(Failure::new(format!(
                "the stream was interrupted, and the server cannot resume it: {}",
                describe_status(&answer.head, &[])
            ))),
        }
    }

    /// Passes on the messages of a stream until it ends. Requests that are
    /// answered in it are taken out of `unanswered`.
    pub(super) async fn pass_events(
        &self,
        body: &mut AnswerBody,
        stream: &mut EventStream,
        unanswered: &mut Vec<Value>,
        mut note: impl FnMut(&[Message], &mut String),
    ) -> Result<StreamEnd, Failure> {
        // Nothing may happen for hours; the client or a cancellation ends it.
        body.patience = None;
        loop {
            let piece = match body.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(StreamEnd::Closed),
                Err(error) => return Ok(StreamEnd::Broken(error)),
            };
            let events = stream.push(&piece).map_err(|error| Failure::new(error.to_string()))?;
            for mut event in events {
                let is_message = event.event_type.as_deref().is_none_or(|name| name == "message");
                // An event without data only names an identifier.
                let received = match is_message && !event.data.trim().is_empty() {
                    true => Message::read(event.data.as_bytes()),
                    false => continue,
                };
                if let Ok(received) = received {
                    note(&received, &mut event.data);
                    self.write(&event.data).await;
                    self.note_answers(&received, unanswered);
                }
            }
        }
    }

    /// Takes the session over that the response to `initialize` begins.
    pub(super) fn note_initialization(&self, head: &HttpResponse, sent: &[Message], received: &[Message]) {
        let initialize = sent.iter().find(|message| message.is_initialize());
        let Some(id) = initialize.and_then(Message::request_id) else {
            return;
        };
        let response = received.iter().find(|message| message.answered_id() == Some(id));
        if let Some(version) = response.and_then(|response| response.settled_version.clone()) {
            let session_id = head.header("mcp-session-id");
            self.legacy.borrow_mut().begin(session_id, Some(version));
        }
    }

    /// Reads the response to a request that the client knows nothing of.
    pub(super) async fn read_response(&self, answer: Answer) -> Result<(HttpResponse, Vec<u8>), Failure> {
        let Answer { head, mut body } = answer;
        if !is_event_stream(&head) {
            let text = read_whole(body).await?;
            return Ok((head, text));
        }
        let mut stream = EventStream::default();
        while let Some(piece) = body.next().await.map_err(|error| Failure::from(&Error::from(error)))? {
            for event in stream.push(&piece).map_err(|error| Failure::new(error.to_string()))? {
                let received = Message::read(event.data.as_bytes()).unwrap_or_default();
                if received.iter().any(|message| message.answered_id().is_some()) {
                    return Ok((head, event.data.into_bytes()));
                }
            }
        }
        Ok((head, Vec::new()))
    }
}

/// Whether a server does not know the session: 404 by the specification, 400
/// by the examples that many servers were made from.
fn is_session_lost(head: &HttpResponse) -> bool {
    matches!(head.status, 400 | 404)
}

pub(super) fn is_event_stream(head: &HttpResponse) -> bool {
    head.status == 200 && head.media_type().as_deref() == Some("text/event-stream")
}

pub(super) fn retry_pause(stream: &EventStream) -> Duration {
    let asked = stream.retry_ms().map(Duration::from_millis);
    asked.unwrap_or(DEFAULT_RETRY).min(MAX_RETRY)
}

async fn read_whole(mut body: AnswerBody) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    while let Some(piece) = body.next().await.map_err(|error| Failure::from(&Error::from(error)))? {
        text.extend_from_slice(&piece);
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(Failure::new(format!(
                "the answer of the server has more than {MAX_MESSAGE_BYTES} bytes"
            )));
        }
    }
    Ok(text)
}

/// What a status says, with the words of the server where its body is an error
/// of JSON-RPC.
fn describe_status(head: &HttpResponse, text: &[u8]) -> String {
    let said = serde_json::from_slice::<Value>(text).ok();
    let said = said.as_ref().and_then(|body| body["error"]["message"].as_str());
    match (said, head.error_in_challenge()) {
        (Some(said), _) => format!("the server answered with status {}: {said}", head.status),
        (None, Some(error)) => format!("the server answered with status {}: {error}", head.status),
        (None, None) => format!("the server answered with status {}", head.status),
    }
}
