//! The pure core: the messages of the authorization code flow with PKCE as
//! values, used by the client and by the development server alike.
//!
//! Invariant: no IO, no clock, no global randomness; time and randomness are
//! arguments. `tests/architecture.rs` keeps it so.

pub mod http;
pub mod params;
pub mod random;
pub mod time;
