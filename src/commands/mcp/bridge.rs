//! The thread of the messages: reads them from standard input, gives each a
//! task of its own, and ends when the client does.

use super::desk::DeskMessage;
use super::failure::Failure;
use super::legacy_session::LegacySession;
use super::observer::BridgeObserver;
use super::pipes::{Line, Output, read_lines};
use super::token_cell::TokenCell;
use super::tool_headers::ToolHeaders;
use crate::app::deadline::Deadline;
use crate::app::signals::shutdown_signal;
use crate::error::{Error, ProcessError};
use crate::protocol::http::{HeaderName, HeaderValue};
use crate::protocol::mcp::{InvalidMessage, Message, MessageKind, invalid_message_error, on_one_line};
use crate::trace::{Event, Observer};
use crate::transport::Transport;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, LocalSet, spawn_local};
use url::Url;

/// How long answers may still come when the client has closed its end.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long the end of a session may take.
const LAST_REQUEST: Duration = Duration::from_secs(2);

/// How long the next messages wait for `notifications/initialized`: servers
/// refuse what overtakes it.
const INITIALIZED_PATIENCE: Duration = Duration::from_secs(10);

/// What a bridge is made of.
pub(super) struct BridgeSettings {
    pub(super) url: Url,
    /// `-H`.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) transport: Transport,
    pub(super) desk: Sender<DeskMessage>,
    pub(super) observer: BridgeObserver,
    /// For what comes before the first exchange with the server.
    pub(super) deadline: Option<Deadline>,
}

pub(super) struct Bridge {
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) transport: Transport,
    pub(super) tokens: TokenCell,
    pub(super) legacy: RefCell<LegacySession>,
    /// One initialization at a time.
    pub(super) initializing: tokio::sync::Mutex<()>,
    /// The version that the last modern message named.
    pub(super) modern_version: RefCell<Option<String>>,
    pub(super) tool_headers: RefCell<ToolHeaders>,
    pub(super) observer: BridgeObserver,
    deadline: Option<Deadline>,
    output: mpsc::Sender<Vec<u8>>,
    in_flight: RefCell<HashMap<String, InFlight>>,
    tasks: Cell<u64>,
}

/// A message whose answers are awaited.
struct InFlight {
    task: u64,
    abort: AbortHandle,
    is_modern: bool,
    /// A stream of notifications without an end.
    is_endless: bool,
}

impl Bridge {
    /// Passes messages until the client closes one of its ends, a signal comes,
    /// or the deadline passes before the first exchange.
    ///
    /// # Errors
    /// [`ProcessError::Interrupted`], that of the deadline, or a thread that cannot be started.
    pub(super) fn run(settings: BridgeSettings, runtime: &Runtime) -> Result<(), Error> {
        let output = Output::start()?;
        let lines = read_lines()?;
        let bridge = Rc::new(Bridge {
            url: settings.url,
            headers: settings.headers,
            transport: settings.transport,
            tokens: TokenCell::new(settings.desk),
            legacy: RefCell::default(),
            initializing: tokio::sync::Mutex::new(()),
            modern_version: RefCell::default(),
            tool_headers: RefCell::default(),
            observer: settings.observer,
            deadline: settings.deadline,
            output: output.messages.clone(),
            in_flight: RefCell::default(),
            tasks: Cell::new(0),
        });
        let outcome = LocalSet::new().block_on(runtime, bridge.serve(lines));
        output.finish();
        outcome
    }

    async fn serve(self: Rc<Self>, mut lines: mpsc::Receiver<Line>) -> Result<(), Error> {
        let mut signal = std::pin::pin!(shutdown_signal());
        let outcome = loop {
            tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => self.dispatch(line).await,
                    None => break Ok(()),
                },
                () = self.output.closed() => break Ok(()),
                code = &mut signal => break Err(ProcessError::Interrupted(code).into()),
                error = deadline_passes(self.deadline) => break Err(error),
            }
        };
        if outcome.is_ok() {
            tokio::select! {
                () = self.wait_for_answers() => {}
                () = self.output.closed() => {}
                _ = &mut signal => {}
            }
        }
        self.abort_all();
        // A server that does not answer keeps nobody waiting.
        let _ = tokio::time::timeout(LAST_REQUEST, self.end_session()).await;
        outcome
    }

    /// Gives a message a task of its own.
    async fn dispatch(self: &Rc<Self>, line: Line) {
        let line = match line {
            Line::Message(line) => line,
            Line::TooLong => {
                return self.write(&invalid_message_error(InvalidMessage::NotMessage)).await;
            }
        };
        let line = line.trim_ascii().to_vec();
        if line.is_empty() {
            return;
        }
        let messages = match Message::read(&line) {
            Ok(messages) => messages,
            Err(error) => return self.write(&invalid_message_error(error)).await,
        };
        if self.cancel(&messages) {
            return;
        }
        let is_initialized = messages
            .iter()
            .any(|message| message.method.as_deref() == Some("notifications/initialized"));
        let task = self.tasks.get();
        self.tasks.set(task + 1);
        let ids: Vec<String> = messages
            .iter()
            .filter_map(Message::request_id)
            .map(Value::to_string)
            .collect();
        let is_modern = messages.iter().any(|message| message.modern_version.is_some());
        let is_endless = messages
            .iter()
            .any(|message| message.method.as_deref() == Some("subscriptions/listen"));
        let bridge = Rc::clone(self);
        let own_ids = ids.clone();
        let handle = spawn_local(async move {
            bridge.pass_on(line, messages).await;
            let mut in_flight = bridge.in_flight.borrow_mut();
            for id in own_ids {
                // Another request may have the identifier by now.
                if in_flight.get(&id).is_some_and(|flight| flight.task == task) {
                    in_flight.remove(&id);
                }
            }
        });
        for id in ids {
            let flight = InFlight {
                task,
                abort: handle.abort_handle(),
                is_modern,
                is_endless,
            };
            self.in_flight.borrow_mut().insert(id, flight);
        }
        if is_initialized && tokio::time::timeout(INITIALIZED_PATIENCE, handle).await.is_ok() {
            spawn_local(Rc::clone(self).listen());
        }
    }

    /// `notifications/cancelled`: in the modern era the end of the request's
    /// stream says it, and nothing is sent; before, the server is informed.
    fn cancel(&self, messages: &[Message]) -> bool {
        let [message] = messages else { return false };
        let Some(id) = &message.cancelled else { return false };
        let Some(flight) = self.in_flight.borrow_mut().remove(&id.to_string()) else {
            return false;
        };
        if flight.is_modern {
            flight.abort.abort();
        }
        flight.is_modern
    }

    async fn pass_on(self: &Rc<Self>, line: Vec<u8>, messages: Vec<Message>) {
        let mut unanswered: Vec<Value> = messages.iter().filter_map(Message::request_id).cloned().collect();
        let Err(failure) = self.exchange(&line, &messages, &mut unanswered).await else {
            return;
        };
        let is_initialize = messages
            .iter()
            .any(|message| message.method.as_deref() == Some("initialize"));
        let failure = match is_initialize {
            true => failure.of_initialize(),
            false => failure,
        };
        for id in &unanswered {
            self.write(&failure.response(id)).await;
        }
        if unanswered.is_empty() && messages.iter().all(|message| message.kind == MessageKind::Notification) {
            self.note(&failure);
        }
    }

    /// Takes requests whose answers were written out of those that are waited
    /// for: the stream that an answer came in may stay open.
    pub(super) fn note_answers(&self, received: &[Message], unanswered: &mut Vec<Value>) {
        for id in received.iter().filter_map(Message::answered_id) {
            let before = unanswered.len();
            unanswered.retain(|waiting| waiting != id);
            if unanswered.len() < before {
                self.in_flight.borrow_mut().remove(&id.to_string());
            }
        }
    }

    pub(super) fn note(&self, failure: &Failure) {
        let text = format!("a notification did not reach the server: {}", failure.message());
        self.observer.clone().observe(&Event::Note(&text));
    }

    /// Writes a message to the client.
    pub(super) async fn write(&self, message: &str) {
        let line = on_one_line(message) + "\n";
        // Without a reader the bridge is about to end.
        let _ = self.output.send(line.into_bytes()).await;
    }

    /// Waits for the answers that are still to come.
    async fn wait_for_answers(&self) {
        let all_answered = async {
            while self.in_flight.borrow().values().any(|flight| !flight.is_endless) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // The client has said that it needs no more.
        let _ = tokio::time::timeout(LAST_ANSWERS, all_answered).await;
    }

    fn abort_all(&self) {
        for (_, flight) in self.in_flight.borrow_mut().drain() {
            flight.abort.abort();
        }
    }
}

/// Resolves when the deadline has passed, unless it is lifted by then.
async fn deadline_passes(deadline: Option<Deadline>) -> Error {
    let Some(deadline) = deadline else {
        return std::future::pending().await;
    };
    while !deadline.left().is_zero() {
        tokio::time::sleep(deadline.left()).await;
    }
    deadline.passed().into()
}
