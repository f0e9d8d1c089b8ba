//! Servers that companies run, which take long to install or to start:
//! Glewlwyd and Keycloak. `./test --servers` installs and starts them, says by
//! variables where they are, and runs these tests; others skip them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "support modules are shared with tests/cli")]

#[path = "../cli/support/mod.rs"]
mod support;

mod glewlwyd;
mod keycloak;

/// The issuer that a variable names.
fn issuer(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run ./test --servers"))
}
