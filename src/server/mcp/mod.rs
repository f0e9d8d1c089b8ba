//! The little Model Context Protocol server at `/mcp` (streamable HTTP), in
//! both eras of the protocol: 2026-07-28, where each request says all that
//! there is to know, and up to 2025-11-25, with sessions.

pub(crate) mod event_stream;
pub(crate) mod message;
pub(crate) mod modern;
pub(crate) mod sessions;
pub(crate) mod tools;

/// The protocol without sessions.
pub(crate) const MODERN_VERSION: &str = "2026-07-28";

/// Those with sessions, the newest first.
pub(crate) const LEGACY_VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];
