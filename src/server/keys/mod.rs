//! The server's signing keys, made for each run: ES256 for access tokens, RS256
//! for ID tokens, published as a JWK set (RFC 7517) under their thumbprints
//! (RFC 7638). They sign as every key of this program does: `protocol::signing`.

pub(crate) mod error;
mod misbehaving;
pub(crate) mod pair;
mod published;
mod rsa;
#[cfg(test)]
mod tests;
