//! What can be seen of a server without a person who signs in.

use super::honest_server::{check as check_literal, start_with};
use super::{Client, check, lenient_server, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::{json, value_of};
use crate::support::outcome::run;

const JARM: [&str; 8] = [
    "jarm.alone",
    "jarm.audience",
    "jarm.errors",
    "jarm.expiry",
    "jarm.issuer",
    "jarm.lifetime",
    "jarm.signed",
    "jarm.state",
];

#[test]
fn signed_responses_are_judged_by_the_error_that_nobody_is_signed_in() {
    let home = Home::new();
    let rules = || JARM.iter().flat_map(|rule| ["--rule", rule]);
    let server = lenient_server(&home, &[]);
    let outcome = run(check(&home, &server.issuer(), Client::Public)
        .arg("--json")
        .args(rules()))
    .expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), JARM, "{outcome:#?}");
    for rule in ["jarm.audience", "jarm.issuer", "jarm.signed"] {
        let server = lenient_server(&home, &["--break", rule]);
        let outcome = run(check(&home, &server.issuer(), Client::Public)
            .arg("--json")
            .args(rules()))
        .expect_code(9);
        assert_eq!(with_verdict(&outcome, &["fail"]), [rule], "{outcome:#?}");
    }
}

/// Keycloak demands it of clients that must use PKCE.
#[test]
fn codes_for_devices_are_asked_for_with_pkce_and_redeemed_with_the_verifier() {
    let (server, _) = start_with(r#","device_authorization_endpoint":"ORIGIN/device""#);
    server.on_call("POST", "/device", |request| {
        match value_of(&request.form(), "code_challenge_method") {
            Some("S256") => json(
                200,
                r#"{"device_code":"d","user_code":"u","verification_uri":"https://as.example/enter","expires_in":600}"#,
            ),
            _ => json(
                400,
                r#"{"error":"invalid_request","error_description":"no code_challenge"}"#,
            ),
        }
    });
    server.on_call("POST", "/token", |request| {
        match value_of(&request.form(), "code_verifier").map(str::len) {
            Some(43) => json(400, r#"{"error":"authorization_pending"}"#),
            _ => json(400, r#"{"error":"invalid_grant"}"#),
        }
    });
    let rules = ["device.pending", "device.response"];
    let outcome = check_literal(&server, &rules, &[]).expect_code(0);
    let mut passed = with_verdict(&outcome, &["pass"]);
    passed.sort();
    assert_eq!(passed, rules, "{outcome:#?}");
}
