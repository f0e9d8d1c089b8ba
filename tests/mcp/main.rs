//! Programs of the Model Context Protocol that are not ours, from npm: the
//! SDK's example server and client, the inspector, and the conformance suite.
//! `./test --mcp` installs them and runs these tests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "support modules are shared with tests/cli")]

#[path = "../cli/support/mod.rs"]
mod support;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::binary::Home;
use support::outcome::{run, run_with_input};
use support::server_program::ServerProgram;

const PACKAGES: &str = "node_modules/@modelcontextprotocol";

/// Of the suite's scenarios, those that end in a login or in the refusal of one.
const SCENARIOS: [&str; 25] = [
    "metadata-default",
    "metadata-var1",
    "metadata-var2",
    "metadata-var3",
    "basic-cimd",
    "scope-from-www-authenticate",
    "scope-from-scopes-supported",
    "scope-omitted-when-undefined",
    "scope-step-up",
    "scope-retry-limit",
    "token-endpoint-auth-basic",
    "token-endpoint-auth-post",
    "token-endpoint-auth-none",
    "pre-registration",
    "resource-mismatch",
    "offline-access-scope",
    "offline-access-not-supported",
    "authorization-server-migration",
    "iss-supported",
    "iss-not-advertised",
    "iss-supported-missing",
    "iss-wrong-issuer",
    "iss-unexpected",
    "iss-normalized",
    "metadata-issuer-mismatch",
];

/// Scenarios that revision 2025-11-25 has too.
const EARLIER_SCENARIOS: usize = 14;

const EXTENSION_SCENARIOS: [&str; 5] = [
    "client-credentials-basic",
    "client-credentials-jwt",
    "dpop",
    "dpop-nonce",
    "wif-jwt-bearer",
];

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

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
#[ignore = "./test --mcp"]
fn the_example_server_of_the_sdk_is_used_by_request_and_through_the_bridge() {
    let home = Home::new();
    let (port, authorization_port) = (free_port(), free_port());
    let script = format!("{PACKAGES}/sdk/dist/esm/examples/server/simpleStreamableHttp.js");
    let mut server = node(&home, &script);
    server
        .arg("--oauth")
        .env("MCP_PORT", port.to_string())
        .env("MCP_AUTH_PORT", authorization_port.to_string());
    let _server = ServerProgram::start(&mut server, "MCP Streamable HTTP Server listening");
    let url = format!("http://localhost:{port}/mcp");

    run(oauth(&home).args(["login", &url]))
        .expect_code(0)
        .says(&["registered at localhost", "granted: mcp:tools"]);

    let mut request = oauth(&home);
    request
        .args(["request", &url, "-H", "Content-Type: application/json"])
        .args(["-H", "Accept: application/json, text/event-stream", "-d", "@-"]);
    let initialize = br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    let answer = run_with_input(&mut request, initialize).expect_code(0);
    assert!(answer.stdout.contains("simple-streamable-http-server"), "{answer:?}");

    let client = run(node(&home, "client.mjs").args(["oauth", "mcp", &url])).expect_code(0);
    let lines: Vec<&str> = client.stdout.lines().collect();
    assert_eq!(lines[0], "simple-streamable-http-server");
    assert!(lines[1].contains("greet"), "{client:?}");
    assert_eq!(lines[2], "Hello, Alice!");
    assert!(lines[3].contains("alice@example.com"), "{client:?}");

    let inspector = format!("{PACKAGES}/inspector/clients/launcher/build/index.js");
    let mut inspector = node(&home, &inspector);
    inspector
        .args(["--cli", "oauth", "mcp", &url, "--method", "tools/call"])
        .args(["--tool-name", "greet", "--tool-arg", "name=Alice"]);
    let inspected = run(&mut inspector).expect_code(0);
    assert!(inspected.stdout.contains("Hello, Alice!"), "{inspected:?}");
}

fn check_scenario(name: &str, arguments: &[&str]) {
    let home = Home::new();
    let mut suite = node(&home, &format!("{PACKAGES}/conformance/dist/index.js"));
    let scenario = format!("auth/{name}");
    suite
        .args(["client", "--command", "./shim", "--scenario", &scenario])
        .args(arguments);
    let outcome = run(&mut suite);
    // which of them it writes to depends on the suite's version
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(
        said.contains("OVERALL: PASSED") && !said.contains("WARNING"),
        "{name} {arguments:?}: {said}"
    );
}

#[test]
#[ignore = "./test --mcp"]
fn the_authorization_scenarios_of_2025_11_25_pass() {
    for name in &SCENARIOS[..EARLIER_SCENARIOS] {
        check_scenario(name, &["--spec-version", "2025-11-25"]);
    }
}

#[test]
#[ignore = "./test --mcp"]
fn the_authorization_scenarios_of_2026_07_28_pass() {
    for name in SCENARIOS {
        check_scenario(name, &["--spec-version", "2026-07-28"]);
    }
}

#[test]
#[ignore = "./test --mcp"]
fn the_authorization_scenarios_of_extensions_and_of_2025_03_26_pass() {
    for name in EXTENSION_SCENARIOS {
        check_scenario(name, &["--spec-version", "2026-07-28", "--force"]);
    }
    check_scenario(
        "2025-03-26-oauth-metadata-backcompat",
        &["--spec-version", "2025-03-26"],
    );
}
