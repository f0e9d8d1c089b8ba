//! How authorization requests come to `oauth serve` and how answers go back:
//! pushed (RFC 9126), as signed objects (RFC 9101), signed responses (JARM),
//! authorization details (RFC 9396).

use super::support::binary::Home;
use super::support::development_server::{
    CALLBACK, CHALLENGE, DevelopmentServer, authorize_target, parameter, redemption,
};
use super::support::login::complete_at;
use super::support::outcome::run;
use super::support::plain_browser::PlainBrowser;
use super::support::sessions::now;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::protocol::jose::UnverifiedJwt;
use oauth::protocol::jwks::JwkSet;
use oauth::protocol::signing::{JwsHeader, JwtType, SigningAlgorithm, SigningKey};
use serde_json::{Value, json};
use std::path::PathBuf;

/// RFC 7515 §A.3.1.
const KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

fn file(home: &Home, name: &str, content: &str) -> PathBuf {
    let path = home.path().join(name);
    std::fs::write(&path, content).expect("writing a file");
    path
}

/// A server that grants at once and knows `signing` by its key, beside the default client.
fn server(home: &Home, members: Value, arguments: &[&str]) -> DevelopmentServer {
    let mut metadata = json!({
        "client_id": "signing",
        "token_endpoint_auth_method": "none",
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "mine", "x": X, "y": Y}]},
    });
    for (name, value) in members.as_object().expect("members") {
        metadata[name] = value.clone();
    }
    let metadata = file(home, "signing.json", &metadata.to_string()).display().to_string();
    let fixed = [
        "--approve",
        "auto",
        "--client",
        "oauth-cli",
        "--client-metadata",
        &metadata,
    ];
    DevelopmentServer::start(&[&fixed, arguments].concat())
}

fn lenient(arguments: &[&str]) -> DevelopmentServer {
    DevelopmentServer::start(&[&["--approve", "auto"], arguments].concat())
}

/// The form of a request to `/par` of the default client.
fn form(more: &str) -> String {
    authorize_target(more).split_once('?').expect("a query").1.to_owned()
}

/// Status and JSON of an answer of `/par`.
fn push(server: &DevelopmentServer, form: &str) -> (u16, Value) {
    let answer = server.post("/par", &[], form);
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn request_uri(server: &DevelopmentServer, more: &str) -> String {
    let (status, body) = push(server, &form(more));
    assert_eq!(status, 201, "{body}");
    body["request_uri"].as_str().expect("a reference").to_owned()
}

/// Status and location of the answer to a reference.
fn authorize(server: &DevelopmentServer, client_id: &str, request_uri: &str, more: &str) -> (u16, String) {
    let answer = server.get(
        &format!("/authorize?client_id={client_id}&request_uri={request_uri}{more}"),
        &[],
    );
    (answer.status, answer.header("location").unwrap_or_default().to_owned())
}

#[test]
fn a_pushed_request_is_kept_for_a_minute_and_works_once_for_the_client_that_pushed_it() {
    let server = lenient(&[]);
    let answer = server.post("/par", &[], &form("&scope=openid"));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(body["expires_in"], 60);
    let reference = body["request_uri"].as_str().expect("a reference");
    assert!(
        reference.starts_with("urn:ietf:params:oauth:request_uri:"),
        "{reference}"
    );
    let (status, location) = authorize(&server, "somebody-else", reference, "");
    assert_eq!((status, location.as_str()), (400, ""));
    let (status, location) = authorize(&server, "oauth-cli", reference, "&state=other&scope=hello");
    assert_eq!(status, 303);
    assert_eq!(parameter(&location, "state").as_deref(), Some("af0ifjsldkj"));
    let code = parameter(&location, "code").expect("a code");
    assert_eq!(server.redeem(&code).status, 200);
    let (status, location) = authorize(&server, "oauth-cli", reference, "");
    assert_eq!((status, location.as_str()), (400, ""));
}

#[test]
fn a_request_that_the_authorization_endpoint_would_refuse_is_not_kept() {
    let server = lenient(&[]);
    let without = |name: &str| {
        let pairs = url::form_urlencoded::parse(form("").as_bytes())
            .into_owned()
            .collect::<Vec<_>>();
        let kept = pairs.into_iter().filter(|(own, _)| own != name);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    };
    for (form, status, error) in [
        (
            form("&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax"),
            400,
            "invalid_request",
        ),
        (
            without("redirect_uri") + "&redirect_uri=https%3A%2F%2Fevil.example%2Fcb",
            400,
            "invalid_request",
        ),
        (without("code_challenge"), 400, "invalid_request"),
        (
            without("response_type") + "&response_type=token",
            400,
            "unsupported_response_type",
        ),
        (form("&scope=nonsense"), 400, "invalid_scope"),
        (form("&scope=openid&scope=openid"), 400, "invalid_request"),
        (form("&resource=not-a-uri"), 400, "invalid_target"),
        (form("&request=a.b.c"), 400, "request_not_supported"),
        (without("client_id") + "&client_id=nobody", 401, "invalid_client"),
        (without("client_id"), 401, "invalid_client"),
    ] {
        let (found, body) = push(&server, &form);
        assert_eq!((found, body["error"].as_str()), (status, Some(error)), "{form}: {body}");
        assert_eq!(body.get("request_uri"), None);
    }
    assert_eq!(server.get(&format!("/par?{}", form("")), &[]).status, 405);
}

#[test]
fn a_client_with_a_secret_pushes_nothing_without_it() {
    let home = Home::new();
    let secret = file(&home, "secret", "s3cret");
    let client = format!("confidential:{}", secret.display());
    let server = lenient(&["--client", &client]);
    let form = form("").replace("client_id=oauth-cli", "client_id=confidential");
    assert_eq!(push(&server, &form).0, 401);
    assert_eq!(push(&server, &format!("{form}&client_secret=wrong")).0, 401);
    let (status, body) = push(&server, &format!("{form}&client_secret=s3cret"));
    assert_eq!(status, 201, "{body}");
    let reference = body["request_uri"].as_str().expect("a reference");
    assert_eq!(authorize(&server, "confidential", reference, "").0, 303);
}

#[test]
fn require_par_refuses_what_was_not_pushed_and_a_login_pushes_by_itself() {
    let (home, server) = (Home::new(), lenient(&["--require", "par"]));
    let metadata: Value =
        serde_json::from_slice(&server.get("/.well-known/oauth-authorization-server", &[]).body).expect("JSON");
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let answer = server.authorize("");
    let location = answer.header("location").expect("a redirect");
    assert_eq!(parameter(location, "error").as_deref(), Some("invalid_request"));
    complete_at(
        &server,
        &home,
        &["--client-id", "oauth-cli", "-p", "pushed", "--scope", "openid"],
    )
    .expect_code(0);
    server.wait_for_log(&["POST /par 201"]);
    run(home.oauth().args(["login", "pushed", "--par", "never", "--no-browser"])).expect_error(2);
}

#[test]
fn a_client_may_be_the_only_one_that_has_to_push() {
    let home = Home::new();
    let server = server(&home, json!({"require_pushed_authorization_requests": true}), &[]);
    let own = authorize_target("").replace("client_id=oauth-cli", "client_id=signing");
    let refused = server.get(&own, &[]);
    let location = refused.header("location").expect("a redirect");
    assert_eq!(parameter(location, "error").as_deref(), Some("invalid_request"));
    assert!(parameter(server.authorize("").header("location").expect("a redirect"), "code").is_some());
}

#[test]
fn a_proof_at_the_endpoint_binds_the_code_to_its_key() {
    let (home, server) = (Home::new(), lenient(&["--require", "dpop,nonce,par"]));
    complete_at(&server, &home, &["--client-id", "oauth-cli", "--dpop", "-p", "bound"]).expect_code(0);
    // Once to learn the nonce, and once with it.
    assert_eq!(server.log().matches("POST /par").count(), 2, "{}", server.log());
}

fn object(server: &DevelopmentServer, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": "signing", "aud": server.issuer(), "exp": now() + 60, "iat": now(), "nbf": now(), "jti": "1",
        "client_id": "signing", "response_type": "code", "redirect_uri": "http://127.0.0.1:4711/callback",
        "state": "in-the-object", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "resource": ["https://a.example/", "https://b.example/"],
    });
    change(&mut claims);
    sign(&claims, JwtType::AuthorizationRequest)
}

fn sign(claims: &Value, typ: JwtType) -> String {
    let key = SigningKey::parse(KEY).expect("a key");
    let header = JwsHeader {
        typ,
        alg: SigningAlgorithm::Es256,
        kid: Some("mine"),
        jwk: None,
        certificate: None,
    };
    let signed = key
        .sign_jwt(&header.encode().expect("a header"), claims)
        .expect("a JWT");
    signed.expose().clone()
}

/// The answer to an object: the code, or the error, and the state.
fn ask(server: &DevelopmentServer, object: &str, more: &str) -> (Option<String>, Option<String>, Option<String>) {
    let answer = server.get(&format!("/authorize?client_id=signing&request={object}{more}"), &[]);
    let location = answer.header("location").unwrap_or_default();
    let value = |name: &str| parameter(location, name);
    (value("code"), value("error"), value("state"))
}

#[test]
fn a_signed_object_is_the_request_and_nothing_beside_it_counts() {
    let home = Home::new();
    let server = server(&home, json!({}), &[]);
    let (code, error, state) = ask(&server, &object(&server, |_| {}), "&state=beside&scope=nonsense");
    assert_eq!((error, state.as_deref()), (None, Some("in-the-object")));
    let form = redemption(&code.expect("a code")).replace("client_id=oauth-cli", "client_id=signing");
    let form = form.replace(CALLBACK, "http%3A%2F%2F127.0.0.1%3A4711%2Fcallback");
    let tokens = server.post("/token", &[], &form);
    assert_eq!(tokens.status, 200, "{}", tokens.body_text());
    let tokens: Value = serde_json::from_slice(&tokens.body).expect("JSON");
    let token = tokens["access_token"].as_str().expect("a token");
    let payload = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).expect("claims"))
        .expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(claims["aud"], json!(["https://a.example/", "https://b.example/"]));
}

#[test]
fn an_object_that_does_not_hold_is_refused_at_the_redirect_uri_that_stands_beside_it() {
    let home = Home::new();
    let server = server(&home, json!({"request_object_signing_alg": "ES256"}), &[]);
    let beside = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback&state=beside";
    let spoiled = |change: fn(&mut Value)| object(&server, change);
    let right = object(&server, |_| {});
    let (input, _) = right.rsplit_once('.').expect("a signature");
    let mut objects = vec![
        (
            "unsigned",
            format!(
                "{}.{}.",
                URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
                right.split('.').nth(1).expect("claims")
            ),
        ),
        (
            "another signature",
            format!("{input}.{}", URL_SAFE_NO_PAD.encode([7; 64])),
        ),
        ("no JWT", "abc".to_owned()),
    ];
    for (what, change) in [
        ("iss", (|claims| claims["iss"] = json!("oauth-cli")) as fn(&mut Value)),
        ("aud", |claims| claims["aud"] = json!("https://other.example")),
        ("expired", |claims| claims["exp"] = json!(now() - 1)),
        ("without exp", |claims| claims["exp"] = Value::Null),
        ("for too long", |claims| claims["exp"] = json!(now() + 100_000)),
        ("from the future", |claims| claims["nbf"] = json!(now() + 3600)),
        ("another client", |claims| claims["client_id"] = json!("oauth-cli")),
        ("a reference within", |claims| {
            claims["request_uri"] = json!("https://a.example/r")
        }),
        ("an object within", |claims| claims["request"] = json!("a.b.c")),
    ] {
        objects.push((what, spoiled(change)));
    }
    let as_assertion = {
        let jwt = UnverifiedJwt::decode(&right).expect("a JWT");
        sign(&Value::Object(jwt.claims), JwtType::ClientAuthentication)
    };
    objects.push(("another type", as_assertion));
    for (what, object) in objects {
        let (code, error, state) = ask(&server, &object, beside);
        assert_eq!(
            (code, error.as_deref(), state.as_deref()),
            (None, Some("invalid_request_object"), Some("beside")),
            "{what}"
        );
    }
    // Without a redirect URI beside it there is nowhere to go back to.
    let answer = server.get(&format!("/authorize?client_id=signing&request={input}.AAAA"), &[]);
    assert_eq!((answer.status, answer.header("location")), (400, None));
    // A client without keys has no objects.
    let answer = server.authorize(&format!("&request={right}"));
    let location = answer.header("location").expect("a redirect");
    assert_eq!(parameter(location, "error").as_deref(), Some("request_not_supported"));
}

#[test]
fn require_request_object_refuses_plain_requests_and_a_login_with_a_key_signs_by_itself() {
    let home = Home::new();
    let server = server(&home, json!({}), &["--require", "request-object"]);
    let location = server.authorize("").header("location").expect("a redirect").to_owned();
    assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"));
    let key = file(&home, "key.pem", KEY).display().to_string();
    for par in ["auto", "never"] {
        let arguments = [
            "--client-id",
            "signing",
            "--client-key-file",
            &key,
            "--client-key-id",
            "mine",
        ];
        let arguments = [
            &arguments[..],
            &["--client-auth", "none", "--par", par, "-p", par, "--scope", "openid"],
        ]
        .concat();
        complete_at(&server, &home, &arguments).expect_code(0);
    }
}

#[test]
fn signed_responses_of_every_mode_satisfy_a_login() {
    let home = Home::new();
    let server = server(
        &home,
        json!({"authorization_signed_response_alg": "ES256"}),
        &["--code-ttl", "60s"],
    );
    for (client, mode) in [("oauth-cli", "jwt"), ("oauth-cli", "query.jwt"), ("signing", "jwt")] {
        let arguments = ["--client-id", client, "--response-mode", mode, "-p", "signed"];
        complete_at(&server, &home, &arguments).expect_code(0);
    }
}

#[test]
fn a_signed_response_says_who_to_whom_and_for_how_long_errors_too() {
    let server = lenient(&[]);
    let keys = JwkSet::parse(&server.get("/jwks", &[]).body).expect("keys");
    for (more, is_error) in [
        ("&response_mode=jwt", false),
        ("&response_mode=jwt&scope=nonsense", true),
    ] {
        let answer = server.authorize(more);
        let location = answer.header("location").expect("a redirect");
        assert_eq!(
            (parameter(location, "code"), parameter(location, "error")),
            (None, None)
        );
        let jwt = UnverifiedJwt::decode(&parameter(location, "response").expect("a response")).expect("a JWT");
        keys.verify(&jwt).expect("the signature of a published key");
        assert_eq!(jwt.header["alg"], "RS256");
        let claims = Value::Object(jwt.claims);
        assert_eq!(claims["iss"], server.issuer());
        assert_eq!(claims["aud"], "oauth-cli");
        assert_eq!(claims["state"], "af0ifjsldkj");
        let lifetime_s = claims["exp"].as_i64().expect("a time") - now();
        assert!((1..=600).contains(&lifetime_s), "{lifetime_s}");
        assert_eq!(claims["error"].is_string(), is_error, "{claims}");
        assert_eq!(claims["code"].is_string(), !is_error, "{claims}");
    }
}

const DETAILS: &str = r#"[{"type":"api_access","actions":["read"],"locations":["https://a.example"]}]"#;

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn authorization_details_are_granted_reported_and_never_widened() {
    let server = lenient(&[]);
    let asked: Value = serde_json::from_str(DETAILS).expect("JSON");
    let more = format!("&authorization_details={}", encoded(DETAILS));
    let tokens = server.tokens(&more);
    assert_eq!(tokens["authorization_details"], asked);
    let payload = tokens["access_token"]
        .as_str()
        .and_then(|token| token.split('.').nth(1))
        .expect("claims");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON");
    assert_eq!(claims["authorization_details"], asked);
    // What a refresh brings is for the same.
    let refresh = format!(
        "grant_type=refresh_token&client_id=oauth-cli&refresh_token={}",
        tokens["refresh_token"].as_str().expect("a refresh token")
    );
    let refreshed: Value = serde_json::from_slice(&server.post("/token", &[], &refresh).body).expect("JSON");
    assert_eq!(refreshed["authorization_details"], asked);
    // Some of them, or more.
    for (asks, status) in [(DETAILS, 200), (r#"[{"type":"api_access"}]"#, 400), ("nonsense", 400)] {
        let code = server.code(&more);
        let form = format!("{}&authorization_details={}", redemption(&code), encoded(asks));
        let answer = server.post("/token", &[], &form);
        assert_eq!(answer.status, status, "{asks}: {}", answer.body_text());
        assert_eq!(
            status == 400,
            answer.body_text().contains("invalid_authorization_details")
        );
    }
    assert_eq!(server.tokens("")["authorization_details"], Value::Null);
}

#[test]
fn authorization_details_that_are_unknown_or_malformed_are_refused() {
    let server = lenient(&[]);
    for details in [r#"[{"type":"unknown"}]"#, "[]", "{}", "nonsense", r#"[{"actions":[]}]"#] {
        let answer = server.authorize(&format!("&authorization_details={}", encoded(details)));
        let error = parameter(answer.header("location").expect("a redirect"), "error");
        assert_eq!(error.as_deref(), Some("invalid_authorization_details"), "{details}");
    }
}

#[test]
fn a_person_sees_the_details_before_agreeing_and_a_login_shows_what_was_granted() {
    let home = Home::new();
    let server = server(&home, json!({"authorization_details_types": ["payment"]}), &[]);
    let details = file(&home, "details.json", r#"[{"type":"payment","amount":"123.50"}]"#)
        .display()
        .to_string();
    let arguments = [
        "--client-id",
        "signing",
        "--authorization-details",
        &details,
        "-p",
        "rich",
    ];
    complete_at(&server, &home, &arguments)
        .expect_code(0)
        .says(&["granted in detail:", "123.50"]);

    let server = DevelopmentServer::start(&[]);
    let mut browser = PlainBrowser::new();
    let url = format!(
        "{}{}",
        server.issuer(),
        authorize_target(&format!("&authorization_details={}", encoded(DETAILS)))
    );
    let page = browser.go_to(&url).page();
    let consent = browser
        .submit(&page, &[("username", "demo"), ("password", "demo")])
        .page();
    assert!(
        consent.html.contains("&quot;actions&quot;:[&quot;read&quot;]"),
        "{}",
        consent.html
    );
}
