//! How long the listener waits for each kind of peer; tests shorten the times.

use std::time::Duration;

/// The times of the listener.
#[derive(Debug, Clone, Copy)]
pub struct ListenerLimits {
    /// For a client to send the head, and then the form.
    pub read: Duration,
    /// For a refused client to send the rest, which is thrown away: closing
    /// earlier would reset the connection, and the answer would be lost.
    pub linger: Duration,
    /// For browsers to take their last page when the listener is closed.
    pub drain: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        ListenerLimits {
            read: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            drain: Duration::from_secs(1),
        }
    }
}
