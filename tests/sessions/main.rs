//! Sessions are never lost: many processes at once, processes that are killed
//! at any time and at named points, stores that fail in the middle, servers
//! that do not answer. With real processes, a real server and a real keyring.
//!
//! A short form runs with all tests; the long one by
//! `OAUTH_TESTS=long ./test --features fault-points --test sessions`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bridges;
mod everything_at_once;
mod failures;
mod jumping_clock;
mod kills;
mod moves;
mod odd_answers;
mod place;
mod points;
mod races;
#[path = "../cli/support/mod.rs"]
mod support;

/// The first number in the short form, the second in the long one.
fn times(short: usize, long: usize) -> usize {
    match std::env::var_os("OAUTH_TESTS") {
        Some(form) if form == "long" => long,
        _ => short,
    }
}

/// A figure that the test found, for those who run it by hand.
fn tell(text: &str) {
    use std::io::Write;
    // not `eprintln!`, which the test harness keeps to itself
    let _ = writeln!(std::io::stderr(), "{text}");
}
