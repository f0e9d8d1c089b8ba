//! The binary as a user and as a peer sees it: exact requests, exit codes,
//! stdout, files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "support modules are shared by tests that come and go"
)]

#[cfg(unix)]
mod callback;
#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod demo;
mod discover;
#[cfg(unix)]
mod foreign;
mod global;
#[cfg(unix)]
mod in_a_browser;
#[cfg(all(unix, not(target_os = "macos")))]
mod keyring;
#[cfg(unix)]
mod login;
mod logout;
#[cfg(unix)]
mod narrowed;
#[cfg(unix)]
mod paste;
mod peers;
mod profile;
#[cfg(unix)]
mod refresh;
#[cfg(target_os = "linux")]
mod secrets;
mod serve;
#[cfg(unix)]
mod server_errors;
mod status;
mod support;
mod token;
#[cfg(unix)]
mod trace;
#[cfg(target_os = "linux")]
mod turns;
