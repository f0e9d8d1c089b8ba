//! The OAuth 2.0 authorization code flow with PKCE from a terminal.
//!
//! The binary `oauth` is this library behind a thin `main`. Imports point
//! down only; `ARCHITECTURE.md` has the picture and `tests/architecture.rs`
//! keeps it true.

pub mod diagnosis;
pub mod protocol;
pub mod secret;
pub mod server;
pub mod system;
pub mod trace;
