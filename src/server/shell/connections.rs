//! The open connections: bounded, and an idle one gives way to a new one, so
//! that clients that connect and stay silent do not lock others out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The open connections.
pub(super) struct Connections {
    max: usize,
    slots: Mutex<Slots>,
    /// A slot became free, or idle.
    freed: Notify,
}

#[derive(Default)]
struct Slots {
    /// Counts connections and the moments at which one becomes idle.
    clock: u64,
    open: BTreeMap<u64, Connection>,
}

struct Connection {
    is_answering: bool,
    idle_since: u64,
    close: Arc<Notify>,
}

impl Slots {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Closes the connection that is idle for the longest time.
    fn close_oldest_idle(&mut self) -> bool {
        let idle = self.open.iter().filter(|(_, connection)| !connection.is_answering);
        let oldest = idle.min_by_key(|(_, connection)| connection.idle_since);
        let Some(id) = oldest.map(|(id, _)| *id) else {
            return false;
        };
        if let Some(connection) = self.open.remove(&id) {
            connection.close.notify_one();
        }
        true
    }
}

impl Connections {
    /// No connections yet, and at most `max`.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Connections {
            max,
            slots: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// A slot for one more connection: a free one, else that of the connection
    /// that is idle for the longest time. Waits where all of them are being answered.
    pub(super) async fn admit(self: &Arc<Self>) -> Slot {
        loop {
            let freed = self.freed.notified();
            if let Some(slot) = self.try_admit() {
                return slot;
            }
            freed.await;
        }
    }

    fn try_admit(self: &Arc<Self>) -> Option<Slot> {
        let mut slots = self.lock();
        if slots.open.len() >= self.max && !slots.close_oldest_idle() {
            return None;
        }
        let id = slots.tick();
        let close = Arc::new(Notify::new());
        slots.open.insert(
            id,
            Connection {
                is_answering: false,
                idle_since: id,
                close: Arc::clone(&close),
            },
        );
        Some(Slot {
            connections: Arc::clone(self),
            id,
            close,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, free again when dropped.
pub(super) struct Slot {
    connections: Arc<Connections>,
    id: u64,
    close: Arc<Notify>,
}

impl Slot {
    /// Resolves when the connection must give way.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    /// Marks that a request of the connection is being answered, until the result is dropped.
    pub(super) fn answer(&self) -> Answering<'_> {
        self.mark(true);
        Answering(self)
    }

    fn mark(&self, is_answering: bool) {
        let mut slots = self.connections.lock();
        let idle_since = slots.tick();
        if let Some(connection) = slots.open.get_mut(&self.id) {
            connection.is_answering = is_answering;
            connection.idle_since = idle_since;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.id);
        self.connections.freed.notify_one();
    }
}

/// A request that is being answered.
pub(super) struct Answering<'a>(&'a Slot);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.mark(false);
        self.0.connections.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_is_idle_for_the_longest_time_gives_way() {
        let connections = Connections::new(3);
        let slots: Vec<Slot> = (0..3).map(|_| connections.try_admit().unwrap()).collect();
        let answering = slots[0].answer();
        drop(slots[1].answer());
        let fourth = connections.try_admit().unwrap();
        let is_open = |slot: &Slot| connections.lock().open.contains_key(&slot.id);
        assert!(is_open(&slots[0]) && is_open(&slots[1]) && !is_open(&slots[2]) && is_open(&fourth));
        let fifth = connections.try_admit().unwrap();
        assert!(!is_open(&slots[1]) && is_open(&fourth) && is_open(&fifth));
        let busy = (fourth.answer(), fifth.answer());
        assert!(connections.try_admit().is_none(), "all are being answered");
        drop(answering);
        let sixth = connections.try_admit().unwrap();
        assert!(!is_open(&slots[0]));
        drop((busy, slots, sixth));
        assert_eq!(connections.lock().open.len(), 2);
    }
}
