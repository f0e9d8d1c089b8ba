//! The resource server, userinfo, introspection and revocation.

use super::*;
use crate::protocol::abnf::{base64, base64url};
use serde_json::json as value;

#[test]
fn the_api_answers_who_the_token_speaks_for() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("");
    let response = fixture.get_with_token("/api/hello", tokens["access_token"].as_str().unwrap());
    let body = json(&response, 200);
    assert_eq!(body["subject"], "demo");
    assert_eq!(body["client_id"], "oauth-cli");
    assert_eq!(response.header("cache-control"), Some("no-store"));
}

#[test]
fn refusals_are_those_of_rfc_6750() {
    let fixture = Fixture::auto();
    let good = fixture.tokens("");
    let good = good["access_token"].as_str().unwrap();
    let other_audience = fixture.tokens("&resource=https://api.example");
    let no_hello = fixture.tokens("&scope=email");
    let metadata = "resource_metadata=\"http://127.0.0.1:9000/.well-known/oauth-protected-resource/api\"";

    for bare in [&[][..], &[("authorization", "Basic eDp5")], &[("authorization", "")]] {
        let response = fixture.send("GET", "/api/hello", bare, "");
        assert_eq!(response.status, 401, "{bare:?}");
        let challenge = response.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer ") && !challenge.contains("error") && challenge.contains(metadata),
            "{challenge}"
        );
    }
    let signature_of_another = format!("{}{}", &good[..good.len() - 4], "AAAA");
    let unsigned = format!(
        "{}.{}.",
        base64url(br#"{"alg":"none","typ":"at+jwt"}"#),
        good.split('.').nth(1).unwrap()
    );
    for invalid in [
        "x",
        "a.b.c",
        &signature_of_another,
        &unsigned,
        other_audience["access_token"].as_str().unwrap(),
    ] {
        let response = fixture.get_with_token("/api/hello", invalid);
        assert_eq!(json(&response, 401)["error"], "invalid_token", "{invalid}");
        assert!(
            response
                .header("www-authenticate")
                .unwrap()
                .contains("error=\"invalid_token\"")
        );
    }
    let response = fixture.get_with_token("/api/hello", no_hello["access_token"].as_str().unwrap());
    assert_eq!(json(&response, 403)["error"], "insufficient_scope");
    let challenge = response.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"hello\""),
        "{challenge}"
    );

    let bearer = format!("Bearer {good}");
    let two = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    for (target, headers) in [
        ("/api/hello".to_owned(), &two[..]),
        (format!("/api/hello?access_token={good}"), &[]),
        (format!("/api/hello?access_token={good}"), &two[..1]),
        ("/api/hello".to_owned(), &[("authorization", "Bearer")]),
        ("/api/hello".to_owned(), &[("authorization", "Bearer a b")]),
        ("/api/hello".to_owned(), &[("authorization", "Bearer \u{fffd}")]),
    ] {
        let response = fixture.send("GET", &target, headers, "");
        assert_eq!(json(&response, 400)["error"], "invalid_request", "{target} {headers:?}");
    }
}

#[test]
fn userinfo_tells_what_the_scopes_allow() {
    let fixture = Fixture::auto();
    let all = fixture.tokens("&scope=openid+profile+email&resource=https://api.example");
    let token = all["access_token"].as_str().unwrap();
    let claims = value!({
        "sub": "demo", "name": "demo", "preferred_username": "demo", "email": "demo@example.com", "email_verified": false,
    });
    let response = fixture.get_with_token("/userinfo", token);
    assert_eq!(json(&response, 200), claims);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let by_form = fixture.post("/userinfo", &format!("access_token={token}"));
    assert_eq!(json(&by_form, 200), claims);
    let both = fixture.post_with(
        "/userinfo",
        &format!("access_token={token}"),
        &[("authorization", &format!("Bearer {token}"))],
    );
    assert_eq!(both.status, 400);
    let only_openid = fixture.tokens("&scope=openid");
    let response = fixture.get_with_token("/userinfo", only_openid["access_token"].as_str().unwrap());
    assert_eq!(json(&response, 200), value!({ "sub": "demo" }));
    let no_openid = fixture.tokens("");
    assert_eq!(
        fixture
            .get_with_token("/userinfo", no_openid["access_token"].as_str().unwrap())
            .status,
        403
    );
    assert_eq!(fixture.send("GET", "/userinfo", &[], "").status, 401);
}

fn basic() -> String {
    format!(
        "Basic {}",
        base64(format!("{CONFIDENTIAL}:{}", encode(CLIENT_SECRET)).as_bytes())
    )
}

fn confidential_tokens(fixture: &Fixture) -> Value {
    let response = fixture.open(&authorize("").replace("oauth-cli", CONFIDENTIAL));
    let code = location_params(&response).single("code").unwrap().unwrap().to_owned();
    let form = without(&format!("?{}", redemption(&code)), "client_id")[1..].to_owned();
    json(&fixture.post_with("/token", &form, &[("authorization", &basic())]), 200)
}

#[test]
fn introspection_is_for_those_who_prove_who_they_are() {
    let fixture = Fixture::auto();
    let inactive = value!({ "active": false });
    let public = fixture.tokens("&scope=hello+introspect");
    let plain = fixture.tokens("");
    let own = confidential_tokens(&fixture);
    let asked = |token: &Value| format!("token={}&token_type_hint=whatever", token.as_str().unwrap());
    let by_client = |token: &Value| {
        json(
            &fixture.post_with("/introspect", &asked(token), &[("authorization", &basic())]),
            200,
        )
    };
    let bearer = |tokens: &Value| format!("Bearer {}", tokens["access_token"].as_str().unwrap());

    // A confidential client: its own tokens, and of others not even that they exist.
    let facts = by_client(&own["access_token"]);
    assert_eq!(
        (&facts["active"], &facts["client_id"]),
        (&value!(true), &value!(CONFIDENTIAL))
    );
    assert_eq!(
        (&facts["sub"], &facts["scope"], &facts["exp"]),
        (&value!("demo"), &value!("hello"), &value!(1_003_600))
    );
    assert_eq!(by_client(&own["refresh_token"])["active"], true);
    assert_eq!(by_client(&public["access_token"]), inactive);
    assert_eq!(by_client(&public["refresh_token"]), inactive);
    assert_eq!(by_client(&value!("unknown")), inactive);

    // A holder of scope introspect: all.
    let response = fixture.post_with(
        "/introspect",
        &asked(&own["access_token"]),
        &[("authorization", &bearer(&public))],
    );
    assert_eq!(json(&response, 200)["active"], true);
    assert_eq!(response.header("cache-control"), Some("no-store"));

    // Nobody else.
    for (form, headers, status) in [
        (asked(&own["access_token"]), vec![], 401),
        (
            format!("{}&client_id=oauth-cli", asked(&plain["access_token"])),
            vec![],
            401,
        ),
        (
            asked(&own["access_token"]),
            vec![("authorization", "Basic bm9ib2R5Ong=".to_owned())],
            401,
        ),
        (
            asked(&own["access_token"]),
            vec![("authorization", bearer(&plain))],
            401,
        ),
        (
            asked(&own["access_token"]),
            vec![("authorization", "Bearer x".to_owned())],
            401,
        ),
        (String::new(), vec![("authorization", basic())], 400),
        (
            format!("{}&token=y", asked(&own["access_token"])),
            vec![("authorization", basic())],
            400,
        ),
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let response = fixture.post_with("/introspect", &form, &headers);
        assert_eq!(response.status, status, "{form} {headers:?}");
        assert!(!text(&response).contains("active"));
        assert!(status != 401 || headers.is_empty() || response.header("www-authenticate").is_some());
    }
    // What was revoked is inactive at once.
    let revocation = format!("token={}", own["access_token"].as_str().unwrap());
    assert_eq!(
        fixture
            .post_with("/revoke", &revocation, &[("authorization", &basic())])
            .status,
        200
    );
    assert_eq!(by_client(&own["access_token"]), inactive);
    assert_eq!(by_client(&own["refresh_token"])["active"], true);
}

#[test]
fn revoking_a_refresh_token_ends_its_access_tokens() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("");
    let refreshed = json(&fixture.refresh(tokens["refresh_token"].as_str().unwrap(), ""), 200);
    let others = fixture.tokens("");
    let form = |token: &Value| format!("client_id=oauth-cli&token={}", token.as_str().unwrap());
    assert_eq!(fixture.post("/revoke", &form(&refreshed["refresh_token"])).status, 200);
    assert!(!fixture.says_hello(&tokens) && !fixture.says_hello(&refreshed));
    assert_eq!(
        fixture.refresh(refreshed["refresh_token"].as_str().unwrap(), "").status,
        400
    );
    assert!(fixture.says_hello(&others));
    // Again, and what never was: done already (RFC 7009 §2.2).
    assert_eq!(fixture.post("/revoke", &form(&refreshed["refresh_token"])).status, 200);
    assert_eq!(
        fixture
            .post("/revoke", "client_id=oauth-cli&token=unknown&token_type_hint=odd")
            .status,
        200
    );
}

#[test]
fn revoking_an_access_token_ends_that_one() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("");
    let form = format!("client_id=oauth-cli&token={}", tokens["access_token"].as_str().unwrap());
    assert_eq!(fixture.post("/revoke", &form).status, 200);
    assert!(!fixture.says_hello(&tokens));
    let refreshed = json(&fixture.refresh(tokens["refresh_token"].as_str().unwrap(), ""), 200);
    assert!(fixture.says_hello(&refreshed));
}

#[test]
fn revocation_belongs_to_the_client() {
    let fixture = Fixture::auto();
    let tokens = fixture.tokens("&scope=openid+hello");
    for token in ["access_token", "refresh_token"] {
        let form = format!("client_id=web&token={}", tokens[token].as_str().unwrap());
        assert_eq!(json(&fixture.post("/revoke", &form), 400)["error"], "invalid_grant");
    }
    assert!(fixture.says_hello(&tokens));
    let form = format!("client_id=oauth-cli&token={}", tokens["id_token"].as_str().unwrap());
    assert_eq!(
        json(&fixture.post("/revoke", &form), 400)["error"],
        "unsupported_token_type"
    );
    for (form, status, error) in [
        ("token=x", 401, "invalid_client"),
        ("client_id=nobody&token=x", 401, "invalid_client"),
        ("client_id=confidential&token=x", 401, "invalid_client"),
        ("client_id=oauth-cli", 400, "invalid_request"),
        ("client_id=oauth-cli&token=x&token=y", 400, "invalid_request"),
    ] {
        assert_eq!(json(&fixture.post("/revoke", form), status)["error"], error, "{form}");
    }
}
