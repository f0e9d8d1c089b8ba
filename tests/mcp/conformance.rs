//! The client scenarios of the conformance suite, each with `shim` as the client.

use super::{PACKAGES, node};
use crate::support::binary::Home;
use crate::support::outcome::run;

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

const EXTENSION_SCENARIOS: [&str; 6] = [
    "client-credentials-basic",
    "client-credentials-jwt",
    "dpop",
    "dpop-nonce",
    "wif-jwt-bearer",
    "enterprise-managed-authorization",
];

/// Scenarios of the transport, and the revision of each.
///
/// Not among them, because what they ask for is in messages that a bridge
/// passes on unchanged, and so is the work of its client:
/// `elicitation-sep1034-client-defaults` (fills in defaults of a form),
/// `sep-2322-client-request-state` (repeats a request with what it was asked
/// for), `sep-2640-client-…` (reads skills). And
/// `auth/2025-03-26-oauth-endpoint-fallback`, which wants guessed endpoints.
const TRANSPORT_SCENARIOS: [(&str, &str); 10] = [
    ("initialize", "2025-11-25"),
    ("tools_call", "2025-11-25"),
    ("tools_call", "2026-07-28"),
    ("request-metadata", "2026-07-28"),
    ("http-standard-headers", "2026-07-28"),
    ("http-custom-headers", "2026-07-28"),
    ("http-invalid-tool-headers", "2026-07-28"),
    ("json-schema-ref-no-deref", "2026-07-28"),
    ("json-schema-2020-12-preservation", "2025-11-25"),
    ("json-schema-2020-12-preservation", "2026-07-28"),
];

/// What the suite says of a scenario.
fn run_scenario(name: &str, arguments: &[&str]) -> String {
    let home = Home::new();
    let mut suite = node(&home, &format!("{PACKAGES}/conformance/dist/index.js"));
    suite
        .args(["client", "--command", "./shim", "--scenario", name])
        .args(arguments);
    let outcome = run(&mut suite);
    // which of them it writes to depends on the suite's version
    format!("{}{}", outcome.stdout, outcome.stderr)
}

fn check_scenario(name: &str, arguments: &[&str]) {
    let said = run_scenario(name, arguments);
    assert!(
        said.contains("OVERALL: PASSED") && !said.contains("WARNING"),
        "{name} {arguments:?}: {said}"
    );
}

fn check_authorization(name: &str, arguments: &[&str]) {
    check_scenario(&format!("auth/{name}"), arguments);
}

#[test]
#[ignore = "./test --mcp"]
fn the_authorization_scenarios_of_2025_11_25_pass() {
    for name in &SCENARIOS[..EARLIER_SCENARIOS] {
        check_authorization(name, &["--spec-version", "2025-11-25"]);
    }
}

#[test]
#[ignore = "./test --mcp"]
fn the_authorization_scenarios_of_2026_07_28_pass() {
    for name in SCENARIOS {
        check_authorization(name, &["--spec-version", "2026-07-28"]);
    }
}

#[test]
#[ignore = "./test --mcp"]
fn the_authorization_scenarios_of_extensions_and_of_2025_03_26_pass() {
    for name in EXTENSION_SCENARIOS {
        check_authorization(name, &["--spec-version", "2026-07-28", "--force"]);
    }
    check_authorization(
        "2025-03-26-oauth-metadata-backcompat",
        &["--spec-version", "2025-03-26"],
    );
}

#[test]
#[ignore = "./test --mcp"]
fn the_scenarios_of_the_transport_pass() {
    for (name, revision) in TRANSPORT_SCENARIOS {
        check_scenario(name, &["--spec-version", revision]);
    }
}

/// The suite judges a resumption half a second late as none: on a busy machine
/// only that it is not too early can be relied on.
#[test]
#[ignore = "./test --mcp"]
fn a_stream_is_taken_up_again_after_the_time_that_the_server_asks_for() {
    let said = run_scenario("sse-retry", &["--spec-version", "2025-11-25"]);
    let reconnected = said
        .lines()
        .any(|line| line.contains("client-sse-graceful-reconnect") && line.contains("SUCCESS"));
    assert!(reconnected && !said.contains("too early"), "{said}");
}
