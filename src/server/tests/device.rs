//! The device authorization grant: two codes, a page for one of them, and a
//! device that asks with the other.

use super::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn ask(fixture: &Fixture, more: &str) -> Value {
    let answer = fixture.post_with(
        "/device_authorization",
        &format!("client_id=oauth-cli{more}"),
        &[("user-agent", "tv/1.0 <b>")],
    );
    json(&answer, 200)
}

fn text_of<'a>(answer: &'a Value, member: &str) -> &'a str {
    answer[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {answer}"))
}

fn redemption_of(codes: &Value) -> String {
    format!(
        "grant_type={GRANT}&client_id=oauth-cli&device_code={}",
        text_of(codes, "device_code")
    )
}

fn poll(fixture: &Fixture, codes: &Value) -> Response {
    fixture.post("/token", &redemption_of(codes))
}

#[track_caller]
fn assert_error(response: &Response, error: &str) {
    let object = json(response, 400);
    assert_eq!(object["error"], error, "{object}");
}

fn csrf(page: &Response) -> String {
    let (_, rest) = text(page).split_once("name=\"csrf\" value=\"").expect("a CSRF token");
    rest.split('"').next().unwrap().to_owned()
}

/// Enters a code; what comes of it.
fn enter(fixture: &Fixture, code: &str) -> Response {
    let page = fixture.open("/device");
    fixture.submit("/device", &format!("csrf={}&user_code={}", csrf(&page), encode(code)))
}

/// Enters a code and signs in as ada; where the consent page is.
fn enter_and_sign_in(fixture: &Fixture, codes: &Value) -> String {
    let entered = enter(fixture, text_of(codes, "user_code"));
    let sign_in = entered.header("location").expect("the sign-in page").to_owned();
    assert!(sign_in.starts_with("/sign-in?request="), "{sign_in}");
    let page = fixture.open(&sign_in);
    let form = format!("csrf={}&username=ada&password=love%3Alace", csrf(&page));
    fixture.submit(&sign_in, &form).header("location").unwrap().to_owned()
}

fn decide(fixture: &Fixture, consent: &str, decision: &str) -> Response {
    let page = fixture.open(consent);
    fixture.submit(consent, &format!("csrf={}&decision={decision}", csrf(&page)))
}

#[test]
fn a_person_enters_the_code_and_allows_it_and_the_device_gets_the_tokens_once() {
    let fixture = Fixture::new(|_| {});
    fixture.share_rs256();
    let codes = ask(&fixture, "&scope=openid+hello");
    assert_eq!(text_of(&codes, "verification_uri"), "http://127.0.0.1:9000/device");
    let user_code = text_of(&codes, "user_code").to_owned();
    assert_eq!(
        text_of(&codes, "verification_uri_complete"),
        format!("http://127.0.0.1:9000/device?user_code={user_code}")
    );
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&900.into(), &5.into()));
    assert_error(&poll(&fixture, &codes), "authorization_pending");

    // The code in the address is filled in, and nothing is sent by it.
    let page = fixture.open(&format!("/device?user_code={user_code}"));
    assert!(text(&page).contains(&format!("value=\"{user_code}\"")), "{page:?}");

    let consent = enter_and_sign_in(&fixture, &codes);
    let page = fixture.open(&consent);
    for shown in [
        "oauth-cli",
        "ada",
        "hello",
        &user_code,
        "tv/1.0 &lt;b&gt;",
        "they would be signed in as you",
    ] {
        assert!(text(&page).contains(shown), "{shown} in {}", text(&page));
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    fixture.pass(5);
    assert_error(&poll(&fixture, &codes), "authorization_pending");
    let done = decide(&fixture, &consent, "allow");
    assert_eq!(done.status, 200);
    assert!(text(&done).contains("Your device is connected"));

    fixture.pass(5);
    let tokens = json(&poll(&fixture, &codes), 200);
    assert_eq!(claims(&tokens["access_token"])["sub"], "ada");
    assert_eq!(claims(&tokens["id_token"])["nonce"], Value::Null);
    assert!(tokens["refresh_token"].is_string());
    fixture.pass(5);
    assert_error(&poll(&fixture, &codes), "invalid_grant");
    assert_eq!(
        enter(&fixture, &user_code).status,
        400,
        "the user code is spent as well"
    );
}

#[test]
fn a_code_is_found_however_it_is_typed_and_a_refusal_reaches_the_device() {
    let fixture = Fixture::new(|_| {});
    let codes = ask(&fixture, "");
    let typed = text_of(&codes, "user_code").to_lowercase().replace('-', " ");
    let entered = enter(&fixture, &typed);
    assert_eq!(entered.status, 303, "{entered:?}");
    let consent = enter_and_sign_in(&fixture, &codes);
    assert!(text(&decide(&fixture, &consent, "deny")).contains("Access denied"));
    assert_error(&poll(&fixture, &codes), "access_denied");
    assert_eq!(fixture.open(&consent).status, 400, "it was answered");
}

#[test]
fn who_is_signed_in_goes_on_to_consent_and_another_browser_cannot_decide() {
    let fixture = Fixture::new(|_| {});
    let first = ask(&fixture, "");
    enter_and_sign_in(&fixture, &first);
    let second = ask(&fixture, "");
    let entered = enter(&fixture, text_of(&second, "user_code"));
    let consent = entered.header("location").unwrap().to_owned();
    assert!(consent.starts_with("/consent?request="), "{consent}");
    fixture.forget_cookies();
    assert_eq!(fixture.open(&consent).status, 400);
    let form = format!("csrf=x&user_code={}", text_of(&second, "user_code"));
    assert_eq!(fixture.submit("/device", &form).status, 403);
    assert_error(&poll(&fixture, &second), "authorization_pending");
}

#[test]
fn a_device_that_asks_too_often_has_to_wait_5_seconds_longer_from_then_on() {
    let fixture = Fixture::new(|_| {});
    let codes = ask(&fixture, "");
    assert_error(&poll(&fixture, &codes), "authorization_pending");
    fixture.pass(4);
    assert_error(&poll(&fixture, &codes), "slow_down");
    fixture.pass(9);
    assert_error(&poll(&fixture, &codes), "slow_down");
    fixture.pass(15);
    assert_error(&poll(&fixture, &codes), "authorization_pending");
    // Neither do tokens come early.
    let consent = enter_and_sign_in(&fixture, &codes);
    decide(&fixture, &consent, "allow");
    fixture.pass(14);
    assert_error(&poll(&fixture, &codes), "slow_down");
    fixture.pass(20);
    json(&poll(&fixture, &codes), 200);
}

#[test]
fn codes_expire_and_the_device_learns_it() {
    let fixture = Fixture::new(|_| {});
    let codes = ask(&fixture, "");
    fixture.pass(899);
    assert_error(&poll(&fixture, &codes), "authorization_pending");
    fixture.pass(1);
    assert_error(&poll(&fixture, &codes), "expired_token");
    assert_eq!(enter(&fixture, text_of(&codes, "user_code")).status, 400);
    fixture.pass(900);
    assert_error(&poll(&fixture, &codes), "invalid_grant");
}

#[test]
fn a_device_code_works_for_its_client_alone_and_with_its_verifier() {
    let fixture = Fixture::auto();
    let codes = ask(&fixture, "");
    let of_other = redemption_of(&codes).replace("oauth-cli", "web");
    assert_error(&fixture.post("/token", &of_other), "invalid_grant");
    assert_error(&poll(&fixture, &codes), "authorization_pending");
    fixture.pass(1);
    json(&poll(&fixture, &codes), 200);

    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    for (verifier, status) in [
        ("", 400),
        (&format!("&code_verifier={}", "x".repeat(43)), 400),
        (&format!("&code_verifier={VERIFIER}"), 200),
    ] {
        let codes = ask(&fixture, &challenge);
        assert_error(&poll(&fixture, &codes), "authorization_pending");
        fixture.pass(1);
        let form = format!("{}{verifier}", redemption_of(&codes));
        assert_eq!(fixture.post("/token", &form).status, status, "{verifier}");
    }
}

#[test]
fn where_nobody_is_asked_the_decision_comes_after_the_first_request_of_the_device() {
    for (approval, error) in [(Approval::Auto, None), (Approval::Deny, Some("access_denied"))] {
        let fixture = Fixture::new(|settings| settings.approval = approval);
        let codes = ask(&fixture, "");
        assert_eq!(codes["interval"], 1);
        assert_error(&poll(&fixture, &codes), "authorization_pending");
        fixture.pass(1);
        match error {
            None => drop(json(&poll(&fixture, &codes), 200)),
            Some(error) => assert_error(&poll(&fixture, &codes), error),
        }
    }
}

#[test]
fn after_five_wrong_codes_nobody_can_try_for_a_minute() {
    let fixture = Fixture::new(|_| {});
    let codes = ask(&fixture, "");
    for _ in 0..5 {
        let wrong = enter(&fixture, "BBBB-BBBB");
        assert_eq!(wrong.status, 400);
        assert!(text(&wrong).contains("No device is waiting"));
    }
    fixture.forget_cookies();
    let refused = enter(&fixture, text_of(&codes, "user_code"));
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")));
    fixture.pass(60);
    assert_eq!(enter(&fixture, text_of(&codes, "user_code")).status, 303);
}

#[test]
fn requests_for_codes_that_are_refused() {
    let fixture = Fixture::new(|_| {});
    let refused = |form: &str, status: u16| {
        let response = fixture.post("/device_authorization", form);
        json(&response, status)["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("client_id=nobody", 401), "invalid_client");
    assert_eq!(refused(&format!("client_id={CONFIDENTIAL}"), 401), "invalid_client");
    assert_eq!(refused("client_id=oauth-cli&scope=unheard-of", 400), "invalid_scope");
    assert_eq!(
        refused("client_id=oauth-cli&scope=hello&scope=hello", 400),
        "invalid_request"
    );
    assert_eq!(refused("client_id=oauth-cli&code_challenge=x", 400), "invalid_request");
    assert_eq!(refused("client_id=oauth-cli&resource=x", 400), "invalid_target");
    let in_url = fixture.post("/device_authorization?client_id=oauth-cli", "");
    assert_eq!(in_url.status, 400);
    let response = fixture.send("GET", "/device_authorization", &[], "");
    assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    assert_error(
        &fixture.post("/token", &format!("grant_type={GRANT}&client_id=oauth-cli")),
        "invalid_request",
    );
}

#[test]
fn the_metadata_announce_the_endpoint_and_the_grant() {
    let fixture = Fixture::new(|_| {});
    let metadata = fixture.send("GET", "/.well-known/oauth-authorization-server", &[], "");
    let metadata: Value = serde_json::from_slice(&metadata.body).unwrap();
    assert_eq!(
        metadata["device_authorization_endpoint"],
        format!("{ISSUER}/device_authorization")
    );
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&GRANT.into()), "{grants:?}");
}
