//! The OAuth 2.0 authorization code flow with PKCE from a terminal.
//!
//! The binary `oauth` is this library behind a thin `main`. Imports point
//! down only; `ARCHITECTURE.md` has the picture and `tests/architecture.rs`
//! keeps it true.

pub mod browser;
pub mod diagnosis;
pub mod loopback;
pub mod protocol;
pub mod secret;
pub mod surroundings;
pub mod system;
pub mod terminal_input;
pub mod trace;
