//! JWK sets (RFC 7517 §5, RFC 7518 §6, RFC 8037 §2) and the signatures that
//! their keys prove (RFC 7515 §5.2).
//!
//! A set comes from the network: its size and the number of its keys are
//! bounded, and a key that cannot be used is told, and does not spoil the
//! others. Which key is tried is decided by the set alone, never by a key or
//! an address inside the token (RFC 8725 §3.1, §3.10).
//!
//! It is not the `jsonwebtoken` crate, because what is refused, and in which
//! words, is what this program is for; ring makes the comparisons either way.

mod algorithm;
mod key;
mod set;
#[cfg(test)]
mod tests;
mod verification;

pub use algorithm::is_supported_algorithm;
pub use key::{Jwk, KeyProblem};
pub use set::{JwkSet, JwkSetError, UnusableKey};
pub use verification::{SignatureError, VerifiedBy};
