//! The binary as a user and as a peer sees it: exact requests, exit codes,
//! stdout, files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "support modules are shared by tests that come and go"
)]

mod completions;
mod demo;
mod global;
mod logout;
mod peers;
mod profile;
mod secrets;
mod status;
mod support;
mod token;
