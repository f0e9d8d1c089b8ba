//! Passes on later what it sees: for the moment in which the only copy of a new
//! refresh token is in memory, and a terminal that does not read must not keep
//! it from being stored.

use super::{Event, NoteName, Observer, Party};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::params::Params;

/// Holds the first answer or warning back, and then everything behind it, so
/// that the order stays, until [`flush`](BufferedObserver::flush).
pub struct BufferedObserver<'a> {
    observer: &'a mut dyn Observer,
    held: Vec<OwnedEvent>,
}

/// An event that borrows nothing: what can happen between an answer and its
/// write, and what one thread shows for another.
pub enum OwnedEvent {
    RequestSent(HttpRequest),
    ResponseReceived(HttpRequest, HttpResponse),
    RequestFailed(HttpRequest, String),
    Message(Party, Party, String, Params),
    Retried(Party, String),
    Refreshed(Option<u64>, bool),
    Stored(String),
    CheckPassed(String),
    CheckSkipped(String),
    Decision(String),
    Note(String),
    NamedNote(NoteName, String),
    Warning(String),
}

impl OwnedEvent {
    /// `None` for what does not happen there.
    pub fn new(event: &Event<'_>) -> Option<Self> {
        Some(match *event {
            Event::RequestSent(request) => OwnedEvent::RequestSent(request.clone()),
            Event::ResponseReceived { request, response } => {
                OwnedEvent::ResponseReceived(request.clone(), response.clone())
            }
            Event::RequestFailed { request, reason } => OwnedEvent::RequestFailed(request.clone(), reason.to_owned()),
            Event::Message {
                from,
                to,
                title,
                params,
            } => OwnedEvent::Message(from, to, title.to_owned(), params.clone()),
            Event::Retried { with, reason } => OwnedEvent::Retried(with, reason.to_owned()),
            Event::Refreshed { expires_in_s, rotated } => OwnedEvent::Refreshed(expires_in_s, rotated),
            Event::Stored { store } => OwnedEvent::Stored(store.to_owned()),
            Event::CheckPassed(text) => OwnedEvent::CheckPassed(text.to_owned()),
            Event::CheckSkipped(text) => OwnedEvent::CheckSkipped(text.to_owned()),
            Event::Decision(text) => OwnedEvent::Decision(text.to_owned()),
            Event::Note(text) => OwnedEvent::Note(text.to_owned()),
            Event::NamedNote(name, text) => OwnedEvent::NamedNote(name, text.to_owned()),
            Event::Warning(text) => OwnedEvent::Warning(text.to_owned()),
            _ => return None,
        })
    }

    pub fn event(&self) -> Event<'_> {
        match self {
            OwnedEvent::RequestSent(request) => Event::RequestSent(request),
            OwnedEvent::ResponseReceived(request, response) => Event::ResponseReceived { request, response },
            OwnedEvent::RequestFailed(request, reason) => Event::RequestFailed { request, reason },
            OwnedEvent::Message(from, to, title, params) => Event::Message {
                from: *from,
                to: *to,
                title,
                params,
            },
            OwnedEvent::Retried(with, reason) => Event::Retried { with: *with, reason },
            OwnedEvent::Refreshed(expires_in_s, rotated) => Event::Refreshed {
                expires_in_s: *expires_in_s,
                rotated: *rotated,
            },
            OwnedEvent::Stored(store) => Event::Stored { store },
            OwnedEvent::CheckPassed(text) => Event::CheckPassed(text),
            OwnedEvent::CheckSkipped(text) => Event::CheckSkipped(text),
            OwnedEvent::Decision(text) => Event::Decision(text),
            OwnedEvent::Note(text) => Event::Note(text),
            OwnedEvent::NamedNote(name, text) => Event::NamedNote(*name, text),
            OwnedEvent::Warning(text) => Event::Warning(text),
        }
    }
}

impl<'a> BufferedObserver<'a> {
    /// In front of this observer.
    pub fn new(observer: &'a mut dyn Observer) -> Self {
        BufferedObserver {
            observer,
            held: Vec::new(),
        }
    }

    /// Passes on what was held back, in order.
    pub fn flush(&mut self) {
        for held in self.held.drain(..) {
            self.observer.observe(&held.event());
        }
    }
}

impl Observer for BufferedObserver<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        let begins = matches!(
            event,
            Event::ResponseReceived { .. } | Event::RequestFailed { .. } | Event::Warning(_)
        );
        if !begins && self.held.is_empty() {
            return self.observer.observe(event);
        }
        match OwnedEvent::new(event) {
            Some(held) => self.held.push(held),
            None => {
                self.flush();
                self.observer.observe(event);
            }
        }
    }
}

impl Drop for BufferedObserver<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Seen(Vec<String>);

    impl Observer for Seen {
        fn observe(&mut self, event: &Event<'_>) {
            self.0.push(match event {
                Event::Warning(text) | Event::Note(text) => (*text).to_owned(),
                other => format!("{other:?}"),
            });
        }
    }

    #[test]
    fn what_is_held_back_comes_in_order_and_at_the_end_at_the_latest() {
        let mut seen = Seen(Vec::new());
        let mut later = BufferedObserver::new(&mut seen);
        later.observe(&Event::Note("first"));
        later.observe(&Event::Warning("second"));
        later.observe(&Event::Note("third"));
        later.flush();
        later.observe(&Event::Note("fourth"));
        later.observe(&Event::Warning("fifth"));
        drop(later);
        assert_eq!(seen.0, ["first", "second", "third", "fourth", "fifth"]);
    }

    #[test]
    fn nothing_passes_what_is_held_back() {
        let mut seen = Seen(Vec::new());
        let mut later = BufferedObserver::new(&mut seen);
        later.observe(&Event::Warning("held"));
        later.observe(&Event::Note("behind it"));
        later.held.clear();
        drop(later);
        assert_eq!(seen.0, [""; 0]);
    }
}
