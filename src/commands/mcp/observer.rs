//! What the bridge sees is shown by the other thread, which has the terminal
//! and the trace files.

use super::desk::DeskMessage;
use crate::trace::buffered::OwnedEvent;
use crate::trace::{Event, Observer};
use std::sync::mpsc::Sender;

/// Passes events on to the desk.
#[derive(Clone)]
pub(super) struct BridgeObserver {
    desk: Sender<DeskMessage>,
    /// Whether anyone looks at exchanges; a copy of each would cost time and memory.
    shows_exchanges: bool,
}

impl BridgeObserver {
    pub(super) fn new(desk: Sender<DeskMessage>, shows_exchanges: bool) -> Self {
        BridgeObserver { desk, shows_exchanges }
    }
}

impl Observer for BridgeObserver {
    fn observe(&mut self, event: &Event<'_>) {
        if !self.shows_exchanges && !matches!(event, Event::Note(_) | Event::NamedNote(..) | Event::Warning(_)) {
            return;
        }
        if let Some(event) = OwnedEvent::new(event) {
            // Without a desk nobody is left to look.
            let _ = self.desk.send(DeskMessage::Observe(Box::new(event)));
        }
    }
}
