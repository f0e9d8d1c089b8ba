//! Tells later what it sees: for the moment in which the only copy of a new
//! refresh token is in memory, and a terminal that does not read must not keep
//! it from being stored.

use super::{Event, Observer};
use crate::protocol::http::{HttpRequest, HttpResponse};

/// Holds answers and warnings back until [`tell`](Later::tell); passes
/// everything else on at once.
pub struct Later<'a> {
    observer: &'a mut dyn Observer,
    held: Vec<Held>,
}

enum Held {
    ResponseReceived(HttpRequest, HttpResponse),
    RequestFailed(HttpRequest, String),
    Warning(String),
}

impl<'a> Later<'a> {
    /// In front of this observer.
    pub fn new(observer: &'a mut dyn Observer) -> Self {
        Later {
            observer,
            held: Vec::new(),
        }
    }

    /// Tells what was held back, in order.
    pub fn tell(&mut self) {
        for held in self.held.drain(..) {
            self.observer.observe(&match &held {
                Held::ResponseReceived(request, response) => Event::ResponseReceived { request, response },
                Held::RequestFailed(request, reason) => Event::RequestFailed { request, reason },
                Held::Warning(text) => Event::Warning(text),
            });
        }
    }
}

impl Observer for Later<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        self.held.push(match *event {
            Event::ResponseReceived { request, response } => Held::ResponseReceived(request.clone(), response.clone()),
            Event::RequestFailed { request, reason } => Held::RequestFailed(request.clone(), reason.to_owned()),
            Event::Warning(text) => Held::Warning(text.to_owned()),
            _ => return self.observer.observe(event),
        });
    }
}

impl Drop for Later<'_> {
    fn drop(&mut self) {
        self.tell();
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
        let mut later = Later::new(&mut seen);
        later.observe(&Event::Warning("second"));
        later.observe(&Event::Note("first"));
        later.tell();
        later.observe(&Event::Warning("third"));
        drop(later);
        assert_eq!(seen.0, ["first", "second", "third"]);
    }
}
