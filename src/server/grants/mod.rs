//! What resource owners have granted: codes that wait to be redeemed, and
//! grants whose tokens are alive.
//!
//! Invariants:
//! - A code is redeemed at most once; the caller holds one lock around each
//!   call, so that is atomic (RFC 6749 §4.1.2).
//! - Codes and refresh tokens are kept as SHA-256 hashes only. Each begins
//!   with the public id of its grant, by which it is found; what follows is
//!   secret and compared in constant time.
//! - A grant that is gone takes all its tokens with it: reuse of a code or of
//!   a spent refresh token, and revocation, just remove it.
//! - Everything is bounded and expires.
//!
//! `store` keeps them; each other file adds one way to use it.

mod access_token_only;
pub(crate) mod authorization_code;
pub(crate) mod device_code;
pub(crate) mod error;
pub(crate) mod grant;
pub(crate) mod opaque_token;
pub(crate) mod pending_device;
pub(crate) mod pkce;
pub(crate) mod refresh_token;
mod reuse;
pub(crate) mod revocation;
pub(crate) mod store;
pub(crate) mod user_code;
