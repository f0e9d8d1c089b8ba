//! Programs of the Model Context Protocol that are not ours, from npm: the
//! SDK's servers and client with authorization servers of others, the
//! inspector, and the conformance suite.
//! `./test --mcp` installs them and runs these tests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "support modules are shared with tests/cli")]

#[path = "../cli/support/mod.rs"]
mod support;

mod conformance;
mod servers;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::binary::Home;

const PACKAGES: &str = "node_modules/@modelcontextprotocol";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/mcp")
}

/// Gives a program the folder of the packages, `oauth` and the node of
/// `./test` on PATH, and a browser that consents at once.
fn prepare(command: &mut Command, home: &Home) {
    let oauth = assert_cmd::cargo::cargo_bin!("oauth").parent().unwrap();
    let own_node = folder().join("node_modules/.bin");
    let browser = home.path().join("browser");
    std::fs::write(&browser, "curl --silent --location --output /dev/null \"$1\"\n").unwrap();
    let path = std::env::var("PATH").unwrap();
    command
        .current_dir(folder())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", format!("{}:{}:{path}", oauth.display(), own_node.display()))
        .env("OAUTH_STORE", "file")
        .env("BROWSER", format!("sh {} %s", browser.display()));
}

fn node(home: &Home, script: &str) -> Command {
    let mut command = Command::new("env");
    prepare(&mut command, home);
    command.args(["node", script]);
    command
}

fn oauth(home: &Home) -> Command {
    let mut command = home.oauth();
    prepare(&mut command, home);
    command
}
