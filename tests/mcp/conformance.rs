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

const EXTENSION_SCENARIOS: [&str; 5] = [
    "client-credentials-basic",
    "client-credentials-jwt",
    "dpop",
    "dpop-nonce",
    "wif-jwt-bearer",
];

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
