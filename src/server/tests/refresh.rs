//! Refresh tokens: rotation, reuse, the grace period, narrower scopes.

use super::token::error;
use super::*;

#[test]
fn refreshing_rotates_and_reuse_ends_the_family() {
    let fixture = Fixture::auto();
    let first = fixture.tokens("");
    let second = json(&fixture.refresh(first["refresh_token"].as_str().unwrap(), ""), 200);
    let third = json(&fixture.refresh(second["refresh_token"].as_str().unwrap(), ""), 200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(third["scope"], "hello");
    assert!(fixture.says_hello(&first) && fixture.says_hello(&third));
    // Another client's attempt ends nothing.
    let stolen = format!(
        "grant_type=refresh_token&client_id=web&refresh_token={}",
        third["refresh_token"].as_str().unwrap()
    );
    error(&fixture.post("/token", &stolen), 400, "invalid_grant");
    assert!(fixture.says_hello(&third));
    let response = fixture.refresh(first["refresh_token"].as_str().unwrap(), "");
    error(&response, 400, "invalid_grant");
    assert!(response.rejection.unwrap().reason.contains("family is revoked"));
    error(
        &fixture.refresh(third["refresh_token"].as_str().unwrap(), ""),
        400,
        "invalid_grant",
    );
    assert!(!fixture.says_hello(&first) && !fixture.says_hello(&third));
}

#[test]
fn a_grace_period_admits_a_spent_token_for_a_while() {
    let fixture = Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.refresh_grace = std::time::Duration::from_millis(9_500);
    });
    let first = fixture.tokens("");
    let spent = first["refresh_token"].as_str().unwrap();
    let lost = json(&fixture.refresh(spent, ""), 200);
    fixture.pass(9);
    let again = json(&fixture.refresh(spent, ""), 200);
    // Both successors are good: the answer that was thought lost may have arrived.
    let lost = json(&fixture.refresh(lost["refresh_token"].as_str().unwrap(), ""), 200);
    let again = json(&fixture.refresh(again["refresh_token"].as_str().unwrap(), ""), 200);
    fixture.pass(1);
    error(&fixture.refresh(spent, ""), 400, "invalid_grant");
    for tokens in [lost, again] {
        error(
            &fixture.refresh(tokens["refresh_token"].as_str().unwrap(), ""),
            400,
            "invalid_grant",
        );
    }
}

#[test]
fn without_rotation_the_old_token_stays_and_no_member_says_otherwise() {
    let fixture = Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.refresh_rotation = false;
    });
    let refresh_token = fixture.tokens("")["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let refreshed = json(&fixture.refresh(&refresh_token, ""), 200);
        assert!(refreshed.get("refresh_token").is_none());
        assert!(fixture.says_hello(&refreshed));
    }
}

#[test]
fn a_refresh_may_narrow_but_not_widen() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("&scope=hello+email&resource=https://a.example&resource=https://b.example");
    assert_eq!(
        claims(&tokens["access_token"])["aud"],
        serde_json::json!(["https://a.example", "https://b.example"])
    );
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    error(
        &fixture.refresh(refresh_token, "&scope=hello+profile"),
        400,
        "invalid_scope",
    );
    error(&fixture.refresh(refresh_token, "&scope=a%22"), 400, "invalid_scope");
    error(
        &fixture.refresh(refresh_token, "&resource=https://c.example"),
        400,
        "invalid_target",
    );
    // None of this spent the token.
    let narrowed = json(
        &fixture.refresh(refresh_token, "&scope=email&resource=https://b.example"),
        200,
    );
    assert_eq!(narrowed["scope"], "email");
    assert_eq!(claims(&narrowed["access_token"])["aud"], "https://b.example");
    // The grant itself stays as wide as it was (RFC 6749 §6).
    let widened = json(&fixture.refresh(narrowed["refresh_token"].as_str().unwrap(), ""), 200);
    assert_eq!(widened["scope"], "hello email");
}
