//! What servers of the revisions up to 2025-11-25 remember of a client, and
//! what the bridge has to remember in turn to begin again where a server has
//! lost it.

use crate::secret::Secret;

/// The state of the old era; empty in the new one.
#[derive(Default)]
pub(super) struct LegacySession {
    /// `Mcp-Session-Id`, where the server gives one.
    pub(super) id: Option<Secret>,
    /// The version that the initialization settled on.
    pub(super) version: Option<String>,
    /// The client's `initialize`, to be sent again to a server that has restarted.
    pub(super) initialize: Option<Vec<u8>>,
    /// Goes up with each initialization, so that a stream of the one before ends.
    pub(super) generation: u64,
}

/// What the bridge says in the client's place after it has sent `initialize` again.
pub(super) const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

impl LegacySession {
    /// Takes over what an initialization brought.
    pub(super) fn begin(&mut self, id: Option<&str>, version: Option<String>) {
        // Visible ASCII alone, as the specification has it: it becomes a header.
        let is_visible = |id: &&str| id.bytes().all(|byte| byte.is_ascii_graphic());
        self.id = id.filter(is_visible).map(Secret::from);
        self.version = version;
        self.generation += 1;
    }
}
