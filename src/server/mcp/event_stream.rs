//! Messages as server-sent events (HTML, "Server-sent events"), and how an
//! answer comes: at once, or as such a stream.

use crate::server::message::{Ending, Response};
use serde_json::Value;

/// How soon a client may come back for the rest of a stream.
const RETRY_MS: u32 = 100;

/// How the answer to a tool call comes, as the caller asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Json,
    Stream,
    /// The connection breaks before the answer has come.
    BrokenStream,
}

impl Delivery {
    pub(crate) const NAMES: [(&'static str, Delivery); 3] = [
        ("json", Delivery::Json),
        ("stream", Delivery::Stream),
        ("broken-stream", Delivery::BrokenStream),
    ];
}

/// An event without an id, which no client can come back to.
pub(crate) fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// An event that a client can come back to.
pub(crate) fn event_with_id(id: &str, message: &Value) -> String {
    format!("id: {id}\n{}", event(message))
}

/// The first event of a stream that can be resumed: its id, and no message.
pub(crate) fn first_event(id: &str) -> String {
    format!("id: {id}\nretry: {RETRY_MS}\ndata:\n\n")
}

/// What keeps an empty stream from looking dead.
pub(crate) const COMMENT: &str = ":\n\n";

/// A response of events.
pub(crate) fn stream(events: String, ending: Ending) -> Response {
    let mut response = Response::new(200)
        .with("content-type", "text/event-stream")
        .with("x-accel-buffering", "no");
    response.body = events.into_bytes().into();
    response.ending = ending;
    response
}
