//! What the tests share: the binary in a clean environment, and the peers it
//! speaks with. Nothing here uses the crate's own protocol code, so that a
//! mistake in it cannot hide.

pub mod binary;
