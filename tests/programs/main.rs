//! `oauth` in the hands of real programs: git, kubectl, clients of
//! container registries, mail programs and a mail server, the AWS CLI. Each is driven as its users drive it, with the
//! configuration that the pages under `docs/` show. Where a program is missing
//! the test is skipped, loudly; under `CI` it fails.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "support modules are shared with tests/cli")]

#[path = "../cli/support/mod.rs"]
mod support;

mod aws;
mod docker;
mod git;
mod git_server;
mod kubectl;
mod mail;
mod pages;
mod place;
mod registry;
mod skopeo;
