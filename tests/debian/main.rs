//! `oauth` in Debian 13: its package installed in the smallest system; docker,
//! git and kubectl in newer versions than the tests' own machine may have, by the
//! tests of `tests/programs`; the files for Homebrew, Nix and winget and the
//! release workflow as ruby and Nix read them. `./test --debian` installs it and runs these.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "support modules are shared with tests/cli")]

#[path = "../cli/support/mod.rs"]
mod support;

#[path = "../programs/docker.rs"]
mod docker;
#[path = "../programs/git.rs"]
mod git;
#[path = "../programs/git_server.rs"]
mod git_server;
#[path = "../programs/kubectl.rs"]
mod kubectl;
mod newer_git;
mod package;
mod package_managers;
mod place;
#[path = "../programs/registry.rs"]
mod registry;
