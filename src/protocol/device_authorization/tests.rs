//! The messages of RFC 8628 §3.1 and §3.2, and those of odd servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::protocol::client::{ClientAuthentication, ClientId};
use crate::protocol::client_auth::tests::{FixedRandomness, context};
use crate::protocol::pkce::CodeVerifier;

fn server() -> Url {
    "https://server.example.com/device_authorization".parse().unwrap()
}

fn read(json: &Value) -> Result<DeviceAuthorization, InvalidDeviceAuthorization> {
    DeviceAuthorization::from_json(json.as_object().unwrap(), &server(), HttpPolicy::LoopbackOnly)
}

/// The example of RFC 8628 §3.2 with one member replaced.
fn with(name: &str, value: Value) -> Value {
    let mut object = json!({
        "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device",
        "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800,
        "interval": 5
    });
    object[name] = value;
    object
}

fn request(authentication: ClientAuthentication, code_challenge: Option<CodeChallenge>) -> HttpRequest {
    let client = Client::public(ClientId::parse("1406020730").unwrap()).with_authentication(authentication);
    let scope = Scope::parse("example_scope").unwrap();
    let request = DeviceAuthorizationRequest {
        client: &client,
        scope: &scope,
        resource: &[],
        audience: None,
        code_challenge,
        extra: &[],
    };
    let endpoint = Endpoint::parse(server().as_str(), HttpPolicy::LoopbackOnly).unwrap();
    request
        .http_request(&endpoint, &mut context(&mut FixedRandomness))
        .unwrap()
}

#[test]
fn the_request_of_rfc_8628_section_3_1() {
    let sent = request(ClientAuthentication::None, None);
    assert_eq!(
        sent.form().unwrap().encode().expose(),
        "client_id=1406020730&scope=example_scope"
    );
    let sent = request(ClientAuthentication::ClientSecretBasic("s".into()), None);
    assert!(sent.headers.iter().any(|(name, _)| *name == "authorization"));
    assert_eq!(sent.form().unwrap().encode().expose(), "scope=example_scope");
}

#[test]
fn the_challenge_of_rfc_7636_appendix_b_goes_along_where_it_is_wanted() {
    let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
    let sent = request(ClientAuthentication::None, Some(verifier.challenge()));
    let body = sent.form().unwrap();
    assert_eq!(
        body.encode().expose(),
        "client_id=1406020730&scope=example_scope&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
    let received = ReceivedDeviceAuthorizationRequest::parse(body).unwrap();
    assert!(received.code_challenge.unwrap().matches(&verifier));
    for bad in [
        "code_challenge=x&code_challenge_method=S256",
        "code_challenge=x",
        "code_challenge_method=plain",
    ] {
        let error = ReceivedDeviceAuthorizationRequest::parse(&Params::parse(bad)).unwrap_err();
        assert_eq!(error.error, "invalid_request", "{bad}");
    }
}

#[test]
fn the_answer_of_rfc_8628_section_3_2_is_read_and_written() {
    let authorization = read(&with("interval", json!(5))).unwrap();
    assert_eq!(
        authorization.device_code.expose(),
        "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"
    );
    assert_eq!(authorization.user_code.expose(), "WDJB-MJHT");
    assert_eq!(authorization.verification_uri.as_str(), "https://example.com/device");
    assert_eq!(authorization.lifetime, Duration::from_secs(1800));
    assert_eq!(authorization.interval, Some(Duration::from_secs(5)));
    assert!(authorization.quirks.is_empty());
    let again = serde_json::from_str::<Value>(authorization.to_json().expose()).unwrap();
    assert_eq!(again, with("interval", json!(5)));
}

#[test]
fn times_are_read_as_servers_send_them() {
    let interval = |value: Value| {
        read(&with("interval", value))
            .unwrap()
            .interval
            .map(|time| time.as_millis())
    };
    assert_eq!(interval(json!("7")), Some(7000));
    assert_eq!(interval(json!(2.5)), Some(2500));
    assert_eq!(interval(json!(-5)), Some(0));
    assert_eq!(interval(json!(1e300)), Some(86_400_000));
    assert_eq!(interval(Value::Null), None);
    for odd in [json!("soon"), json!([5]), json!(true)] {
        let authorization = read(&with("interval", odd.clone())).unwrap();
        assert_eq!((authorization.interval, authorization.quirks.len()), (None, 1), "{odd}");
    }
    let lifetime = |value: Value| read(&with("expires_in", value)).unwrap().lifetime.as_secs();
    assert_eq!(lifetime(json!("900")), 900);
    assert_eq!(lifetime(json!(1e9)), 1800);
    for odd in [Value::Null, json!(0), json!(-1), json!("soon")] {
        assert_eq!(lifetime(odd.clone()), 600, "{odd}");
    }
}

#[test]
fn what_the_grant_cannot_do_without_is_named() {
    for (name, value, expected) in [
        ("device_code", Value::Null, "has no device_code"),
        (
            "device_code",
            json!(""),
            "device_code in the device authorization response is empty",
        ),
        ("device_code", json!({}), "is not a string"),
        ("device_code", json!("x".repeat(20_000)), "too long"),
        (
            "user_code",
            json!("x".repeat(10_240)),
            "user_code in the device authorization response is too long",
        ),
        ("user_code", Value::Null, "has no user_code"),
        ("verification_uri", Value::Null, "has no verification_uri"),
        ("verification_uri", json!("file:///etc/passwd"), "verification_uri in"),
        ("verification_uri", json!("javascript:alert(1)"), "verification_uri in"),
        ("verification_uri", json!("http://example.com/device"), "plain http"),
        (
            "verification_uri",
            json!("https://example.com/\u{1b}[2J"),
            "verification_uri in",
        ),
        ("verification_uri", json!("https://user@example.com/"), "userinfo"),
        ("verification_uri", json!("https://169.254.169.254/"), "private"),
    ] {
        let error = read(&with(name, value.clone())).unwrap_err().to_string();
        assert!(error.contains(expected), "{name} {value}: {error}");
    }
}

#[test]
fn the_name_that_google_uses_and_pages_with_a_fragment_are_taken() {
    let mut answer = with("verification_url", json!("https://www.google.com/device"));
    answer.as_object_mut().unwrap().remove("verification_uri");
    let authorization = read(&answer).unwrap();
    assert_eq!(authorization.verification_uri.as_str(), "https://www.google.com/device");
    assert_eq!(authorization.quirks.len(), 1);
    let authorization = read(&with("verification_uri", json!("https://app.example/#/device"))).unwrap();
    assert_eq!(authorization.verification_uri.as_str(), "https://app.example/#/device");
    let authorization = read(&with("verification_uri_complete", json!("javascript:x"))).unwrap();
    assert_eq!(
        (authorization.verification_uri_complete, authorization.quirks.len()),
        (None, 1)
    );
}
