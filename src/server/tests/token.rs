//! The token endpoint: codes, verifiers, refresh tokens, client authentication.

use super::*;
use crate::protocol::abnf::base64;

pub(super) fn error(response: &Response, status: u16, error: &str) {
    let body = json(response, status);
    assert_eq!(body["error"], error, "{body}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("pragma"), Some("no-cache"));
    assert!(response.rejection.is_some());
    let description = body["error_description"].as_str().unwrap();
    assert!(
        description.bytes().all(|byte| (0x20..=0x7e).contains(&byte)),
        "{description}"
    );
}

#[test]
fn a_code_with_its_verifier_brings_tokens() {
    let fixture = Fixture::auto();
    let response = fixture.post("/token", &redemption(&fixture.code("&scope=hello+offline_access")));
    let tokens = json(&response, 200);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], "hello offline_access");
    assert!(tokens["refresh_token"].is_string() && tokens.get("id_token").is_none());
    let claims = claims(&tokens["access_token"]);
    assert_eq!(
        claims,
        serde_json::json!({
            "iss": ISSUER, "sub": "demo", "aud": format!("{ISSUER}/api"), "client_id": "oauth-cli",
            "scope": "hello offline_access", "jti": claims["jti"], "auth_time": 1_000_000, "iat": 1_000_000,
            "exp": 1_003_600,
        })
    );
    assert!(fixture.says_hello(&tokens));
}

#[test]
fn openid_brings_an_id_token() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("&scope=openid+email&nonce=n-0S6_WzA2Mj");
    let id_token = claims(&tokens["id_token"]);
    assert_eq!(id_token["iss"], ISSUER);
    assert_eq!(
        (&id_token["aud"], &id_token["azp"]),
        (&serde_json::json!("oauth-cli"), &serde_json::json!("oauth-cli"))
    );
    assert_eq!(id_token["sub"], "demo");
    assert_eq!(id_token["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(
        (&id_token["iat"], &id_token["auth_time"]),
        (&1_000_000.into(), &1_000_000.into())
    );
    assert_eq!(id_token["at_hash"].as_str().unwrap().len(), 22);
    // The next comes when this one has lived half its life.
    fixture.pass(1_799);
    let early = json(&fixture.refresh(tokens["refresh_token"].as_str().unwrap(), ""), 200);
    assert!(early.get("id_token").is_none());
    fixture.pass(1);
    let narrowed = json(
        &fixture.refresh(early["refresh_token"].as_str().unwrap(), "&scope=email"),
        200,
    );
    assert!(narrowed.get("id_token").is_none());
    // It has no nonce, and the time of the sign-in stays (OpenID Connect Core §12.2).
    let refreshed = json(&fixture.refresh(narrowed["refresh_token"].as_str().unwrap(), ""), 200);
    let id_token = claims(&refreshed["id_token"]);
    assert!(id_token.get("nonce").is_none());
    assert_eq!(
        (&id_token["iat"], &id_token["auth_time"]),
        (&1_001_800.into(), &1_000_000.into())
    );
    // An ID token is not an access token (RFC 9068 §5, RFC 8725 §3.11).
    let used_as_access_token = fixture.get_with_token("/api/hello", refreshed["id_token"].as_str().unwrap());
    assert_eq!(used_as_access_token.status, 401);
}

#[test]
fn a_code_is_good_for_one_minute() {
    let fixture = Fixture::auto();
    let code = fixture.code("");
    fixture.pass(60);
    error(&fixture.post("/token", &redemption(&code)), 400, "invalid_grant");
    let code = fixture.code("");
    fixture.pass(59);
    json(&fixture.post("/token", &redemption(&code)), 200);
}

/// RFC 7636 §4.6: each of these brings nothing, and the code is void then.
#[test]
fn a_missing_wrong_or_malformed_verifier_is_refused() {
    let fixture = Fixture::auto();
    let wrong = "a".repeat(43);
    for verifier in [
        None,
        Some(""),
        Some(&*wrong),
        Some(CHALLENGE),
        Some(&VERIFIER[1..]),
        Some(&*"a".repeat(129)),
    ] {
        let code = fixture.code("");
        let form = redemption(&code);
        let form = match verifier {
            None => form.replace(&format!("&code_verifier={VERIFIER}"), ""),
            Some(verifier) => form.replace(VERIFIER, verifier),
        };
        error(&fixture.post("/token", &form), 400, "invalid_grant");
        error(&fixture.post("/token", &redemption(&code)), 400, "invalid_grant");
    }
}

#[test]
fn a_code_is_bound_to_client_redirect_uri_and_resource() {
    let fixture = Fixture::auto();
    let other_uri = encode("http://127.0.0.1:4712/callback");
    for (change, expected) in [
        (encode(CALLBACK) + "%2F", "invalid_grant"),
        (other_uri, "invalid_grant"),
        (String::new(), "invalid_grant"),
        (
            format!("{}&resource=https://other.example", encode(CALLBACK)),
            "invalid_target",
        ),
        (format!("{}&resource=api", encode(CALLBACK)), "invalid_target"),
    ] {
        let code = fixture.code("&resource=https://api.example");
        error(
            &fixture.post("/token", &redemption(&code).replace(&encode(CALLBACK), &change)),
            400,
            expected,
        );
    }
    // Another client gets nothing, but does not spoil the code for the right one.
    let code = fixture.code("");
    error(
        &fixture.post("/token", &redemption(&code).replace("oauth-cli", "web")),
        400,
        "invalid_grant",
    );
    json(&fixture.post("/token", &redemption(&code)), 200);
}

#[test]
fn a_code_that_is_used_twice_takes_its_tokens_with_it() {
    let fixture = Fixture::auto();
    let code = fixture.code("");
    let tokens = json(&fixture.post("/token", &redemption(&code)), 200);
    let refreshed = json(&fixture.refresh(tokens["refresh_token"].as_str().unwrap(), ""), 200);
    let untouched = fixture.tokens("");
    assert!(fixture.says_hello(&tokens) && fixture.says_hello(&refreshed));
    // Long after it would have expired, and whoever tries.
    fixture.pass(600);
    let response = fixture.post("/token", &redemption(&code).replace("oauth-cli", "web"));
    error(&response, 400, "invalid_grant");
    assert!(response.rejection.unwrap().reason.contains("revoked"));
    assert!(!fixture.says_hello(&tokens) && !fixture.says_hello(&refreshed));
    error(
        &fixture.refresh(refreshed["refresh_token"].as_str().unwrap(), ""),
        400,
        "invalid_grant",
    );
    assert!(
        fixture.says_hello(&untouched),
        "another grant of the same user and client"
    );
}

#[test]
fn of_a_hundred_redemptions_one_succeeds() {
    let fixture = Fixture::auto();
    let form = redemption(&fixture.code(""));
    let server = &fixture.server;
    let barrier = std::sync::Barrier::new(100);
    let successes: usize = std::thread::scope(|scope| {
        let redeem = || {
            let request = Request {
                method: "POST".into(),
                path: "/token".into(),
                query: None,
                headers: vec![
                    ("host".into(), "127.0.0.1:9000".into()),
                    ("content-type".into(), "application/x-www-form-urlencoded".into()),
                ],
                body: Secret::new(form.clone().into_bytes()),
                certificate: None,
            };
            barrier.wait();
            usize::from(
                server
                    .handle(UnixSeconds(1_000_000), &mut FixedRng::default(), &request)
                    .status
                    == 200,
            )
        };
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(redeem)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(successes, 1);
}

#[test]
fn requests_that_are_malformed() {
    let fixture = Fixture::auto();
    let good = redemption(&fixture.code(""));
    for bad in [
        good.replace("grant_type=authorization_code&", ""),
        good.replace("grant_type=authorization_code", "grant_type="),
        without(&format!("?{good}"), "code")[1..].to_owned(),
        format!("{good}&code_verifier={VERIFIER}"),
        format!("{good}&client_id=oauth-cli"),
        format!("{good}&grant_type=authorization_code"),
        format!("{good}&x=1&x=2"),
        format!("{good}{}", "&x=1".repeat(200)),
    ] {
        error(&fixture.post("/token", &bad), 400, "invalid_request");
    }
    error(&fixture.post("/token?x=1", &good), 400, "invalid_request");
    error(
        &fixture.send("POST", "/token", &[("content-type", "application/json")], &good),
        400,
        "invalid_request",
    );
    error(&fixture.send("POST", "/token", &[], &good), 400, "invalid_request");
    for unsupported in ["password", "implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer"] {
        let form = good.replace("=authorization_code", &format!("={unsupported}"));
        error(&fixture.post("/token", &form), 400, "unsupported_grant_type");
    }
    let response = fixture.send("GET", &format!("/token?{good}"), &[], "");
    assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    // None of this spent the code.
    json(&fixture.post("/token", &good), 200);
}

#[test]
fn garbage_instead_of_a_code_is_refused() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("");
    let code = fixture.code("");
    let half = &code[..code.len() / 2];
    for bad in [
        "x",
        half,
        &"A".repeat(64),
        tokens["refresh_token"].as_str().unwrap(),
        &code.to_ascii_lowercase(),
    ] {
        error(&fixture.post("/token", &redemption(bad)), 400, "invalid_grant");
    }
    json(&fixture.post("/token", &redemption(&code)), 200);
    assert!(fixture.says_hello(&tokens));
}

#[test]
fn confidential_clients_prove_who_they_are() {
    let fixture = Fixture::auto();
    let basic = |id: &str, secret: &str| {
        format!(
            "Basic {}",
            base64(format!("{}:{}", encode(id), encode(secret)).as_bytes())
        )
    };
    let code = || {
        let request = authorize("").replace("oauth-cli", CONFIDENTIAL);
        location_params(&fixture.open(&request))
            .single("code")
            .unwrap()
            .unwrap()
            .to_owned()
    };
    let form = |code: &str| redemption(code).replace("oauth-cli", CONFIDENTIAL);
    let without_id = |code: &str| without(&format!("?{}", redemption(code)), "client_id")[1..].to_owned();
    let good = basic(CONFIDENTIAL, CLIENT_SECRET);
    let authenticated = |form: &str, header: &str| fixture.post_with("/token", form, &[("authorization", header)]);

    json(&authenticated(&without_id(&code()), &good), 200);
    json(&authenticated(&form(&code()), &good), 200);
    json(
        &fixture.post(
            "/token",
            &format!("{}&client_secret={}", form(&code()), encode(CLIENT_SECRET)),
        ),
        200,
    );

    // Two methods at once, or two answers to who asks.
    let both = format!("{}&client_secret={}", form(&code()), encode(CLIENT_SECRET));
    error(&authenticated(&both, &good), 400, "invalid_request");
    error(&authenticated(&redemption(&code()), &good), 400, "invalid_request");
    let two_headers = [("authorization", good.as_str()), ("authorization", good.as_str())];
    error(
        &fixture.post_with("/token", &form(&code()), &two_headers),
        400,
        "invalid_request",
    );

    // No proof, a wrong one, one that nobody asked for.
    let unused = code();
    error(&fixture.post("/token", &form(&unused)), 401, "invalid_client");
    error(
        &fixture.post("/token", &format!("{}&client_secret=wrong", form(&unused))),
        401,
        "invalid_client",
    );
    error(
        &fixture.post("/token", &format!("{}&client_secret=x", redemption(&fixture.code("")))),
        401,
        "invalid_client",
    );
    error(&fixture.post("/token", &without_id(&unused)), 401, "invalid_client");
    let unknown = authenticated(&without_id(&unused), &basic("nobody", CLIENT_SECRET));
    for bad in [
        basic(CONFIDENTIAL, "wrong"),
        basic(CONFIDENTIAL, ""),
        "Basic !!!".into(),
        "Bearer x".into(),
    ] {
        let response = authenticated(&without_id(&unused), &bad);
        error(&response, 401, "invalid_client");
        assert!(
            response.header("www-authenticate").unwrap().starts_with("Basic "),
            "{bad}"
        );
    }
    // An unknown client and a wrong secret look the same (RFC 6749 §5.2).
    let wrong = authenticated(&without_id(&unused), &basic(CONFIDENTIAL, "wrong"));
    assert_eq!(
        (unknown.status, &unknown.headers, &unknown.body),
        (wrong.status, &wrong.headers, &wrong.body)
    );
    // None of it spent the code.
    json(&authenticated(&without_id(&unused), &good), 200);
}

#[test]
fn tokens_expire() {
    let fixture = Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.access_token_lifetime = std::time::Duration::from_secs(10);
        settings.refresh_token_lifetime = std::time::Duration::from_secs(100);
    });
    let tokens = fixture.tokens("");
    assert_eq!(tokens["expires_in"], 10);
    fixture.pass(9);
    assert!(fixture.says_hello(&tokens));
    fixture.pass(1);
    assert!(!fixture.says_hello(&tokens));
    fixture.pass(89);
    let refreshed = json(&fixture.refresh(tokens["refresh_token"].as_str().unwrap(), ""), 200);
    fixture.pass(100);
    error(
        &fixture.refresh(refreshed["refresh_token"].as_str().unwrap(), ""),
        400,
        "invalid_grant",
    );
}

#[test]
fn a_flood_of_authorization_requests_pushes_out_no_code_and_no_token() {
    let fixture = Fixture::auto();
    let redeemed = fixture.tokens("");
    let first = fixture.code("");
    for _ in 0..2_000 {
        fixture.open(&authorize(""));
    }
    let response = fixture.open(&authorize(""));
    let refused = location_params(&response);
    assert_eq!(refused.single("error"), Ok(Some("temporarily_unavailable")));
    // Another redirect URI has room.
    let other = fixture.open(&authorize("").replace("4711", "4712"));
    assert!(location_params(&other).single("code").unwrap().is_some());
    json(&fixture.post("/token", &redemption(&first)), 200);
    assert!(fixture.says_hello(&redeemed), "codes and grants have room of their own");
    fixture.pass(60);
    fixture.code("");
}

#[test]
fn only_requests_that_need_the_rsa_key_wait_for_it() {
    let fixture = Fixture::auto();
    let waits = |path: &str| fixture.server.may_take_long(&Fixture::request("POST", path, &[], ""));
    let hello = fixture.code("");
    assert!(waits("/jwks") && !waits("/token") && !waits("/userinfo"));
    json(&fixture.post("/token", &redemption(&hello)), 200);
    assert!(!fixture.server.keys.has_rs256());
    fixture.code("&scope=openid");
    assert!(waits("/token"));
    fixture.share_rs256();
    assert!(!waits("/token") && !waits("/jwks"));
}

#[test]
fn client_credentials_bring_a_confidential_client_an_access_token_and_nothing_else() {
    let fixture = Fixture::auto();
    let basic = format!(
        "Basic {}",
        base64(format!("{CONFIDENTIAL}:{}", encode(CLIENT_SECRET)).as_bytes())
    );
    let ask = |more: &str| {
        let form = format!("grant_type=client_credentials{more}");
        fixture.post_with("/token", &form, &[("authorization", &basic)])
    };
    let tokens = json(&ask(""), 200);
    let members: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    let claims = claims(&tokens["access_token"]);
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&CONFIDENTIAL.into(), &CONFIDENTIAL.into())
    );
    assert_eq!((&claims["scope"], claims.get("auth_time")), (&"hello".into(), None));
    assert!(fixture.says_hello(&tokens));
    let other = json(&ask("&scope=introspect&resource=https://api.example/"), 200);
    assert_eq!(super::claims(&other["access_token"])["aud"], "https://api.example/");
    assert!(!fixture.says_hello(&other));

    error(&ask("&scope=hello+openid"), 400, "invalid_scope");
    error(&ask("&scope=unknown"), 400, "invalid_scope");
    for public in ["oauth-cli", "web"] {
        let form = format!("grant_type=client_credentials&client_id={public}");
        error(&fixture.post("/token", &form), 400, "unauthorized_client");
    }
    let form = format!("grant_type=client_credentials&client_id={CONFIDENTIAL}");
    error(&fixture.post("/token", &form), 401, "invalid_client");
}
