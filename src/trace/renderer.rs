//! What a renderer is: events in, the text of one file out.

use super::Event;
use super::redact::Redaction;
use jiff::Timestamp;
use std::time::Duration;

/// What a renderer knows beside the events.
#[derive(Debug, Clone)]
pub struct TraceContext {
    /// The command, such as `login`.
    pub command: &'static str,
    /// The whole of it, as it may be shown.
    pub command_line: String,
    /// When the first event can have happened.
    pub began_at: Timestamp,
    /// What may be shown.
    pub redaction: Redaction,
}

/// Turns events into the text of one file.
pub trait Renderer {
    /// What the file begins with.
    fn head(&mut self) -> String;

    /// What an event adds to the file; `since_start` is when it happened.
    fn event(&mut self, event: &Event<'_>, since_start: Duration) -> String;

    /// The command has ended without an error, or hands over to another program.
    fn finish(&mut self) {}

    /// What makes the file whole if nothing else comes.
    fn tail(&self) -> String;
}
