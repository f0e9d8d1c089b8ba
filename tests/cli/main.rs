//! The binary as a user and as a peer sees it: exact requests, exit codes,
//! stdout, files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod peers;
mod support;
