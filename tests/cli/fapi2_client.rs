//! The client modules of the OpenID conformance suite for FAPI 2.0 (prefix
//! `fapi2-security-profile-final-client-`) that are about the authorization
//! and the token request: pushed requests, `private_key_jwt`, DPoP, PKCE and
//! `iss`. A negative one passes where nothing is called after the bad answer.
//! Those for signed responses are in `signed_responses`.

use super::support::authorization_server::{ACCESS_TOKEN, CODE, REFRESH_TOKEN};
use super::support::binary::Home;
use super::support::callback;
use super::support::literal_server::{LiteralServer, Reply, Request, json, value_of};
use super::support::login::assert_nothing_kept;
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// RFC 7515 §A.3.1, in PKCS#8.
const KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");

fn metadata(origin: &str) -> String {
    format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token",
        "pushed_authorization_request_endpoint":"{origin}/par","require_pushed_authorization_requests":true,
        "userinfo_endpoint":"{origin}/accounts","response_types_supported":["code"],
        "code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true,
        "token_endpoint_auth_methods_supported":["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported":["PS256","ES256","EdDSA"],
        "dpop_signing_alg_values_supported":["PS256","ES256","EdDSA"]}}"#
    )
}

fn token_answer() -> String {
    format!(
        r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"DPoP","expires_in":3600,"refresh_token":"{REFRESH_TOKEN}"}}"#
    )
}

fn reference() -> Reply {
    json(
        201,
        r#"{"request_uri":"urn:ietf:params:oauth:request_uri:1","expires_in":60}"#,
    )
}

/// A server by the profile.
fn server() -> LiteralServer {
    let server = LiteralServer::start();
    let path = "/.well-known/oauth-authorization-server";
    server.on("GET", path, json(200, &metadata(&server.origin())));
    server.on("POST", "/par", reference());
    server.on("POST", "/token", json(200, &token_answer()));
    server.on("GET", "/accounts", json(200, r#"{"sub":"ada"}"#));
    server
}

/// The same that wants its nonce in each proof.
fn server_with_nonce() -> LiteralServer {
    let server = server();
    let answering = |status: u16, body: String| {
        move |request: &Request| {
            let headers = ["Content-Type: application/json", "DPoP-Nonce: n-0S6_WzA2Mj"];
            match claims(request.header("dpop").expect("a proof"))["nonce"].as_str() {
                Some("n-0S6_WzA2Mj") => Reply::http(status, &headers, &body),
                _ => Reply::http(400, &headers, r#"{"error":"use_dpop_nonce"}"#),
            }
        }
    };
    let pushed = r#"{"request_uri":"urn:ietf:params:oauth:request_uri:1","expires_in":60}"#;
    server.on_call("POST", "/par", answering(201, pushed.to_owned()));
    server.on_call("POST", "/token", answering(200, token_answer()));
    server
}

fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// Logs in by the profile; the browser comes back with what `answer` makes of
/// the state that was pushed.
fn log_in(home: &Home, server: &LiteralServer, answer: impl Fn(&str) -> Vec<(&'static str, String)>) -> Outcome {
    let key = home.path().join("key.pem");
    std::fs::write(&key, KEY).expect("writing the key");
    let mut command = home.oauth();
    command.args([
        "login",
        &server.origin(),
        "--client-id",
        "desktop",
        "-p",
        "fapi",
        "--dpop",
    ]);
    command.args([
        "--scope",
        "accounts",
        "--no-browser",
        "--timeout",
        "2s",
        "--client-key-file",
    ]);
    let running = Running::start(command.arg(key));
    running.authorization_url();
    let pushed = server.requests_to("/par").last().expect("a pushed request").form();
    let mut back = url::Url::parse(value_of(&pushed, "redirect_uri").expect("a redirect URI")).expect("a URL");
    let state = value_of(&pushed, "state").expect("a state");
    back.query_pairs_mut().extend_pairs(answer(state));
    callback::get_url(back.as_str()).expect("an answer of the listener");
    running.end()
}

/// The answer of an honest server.
fn honest(server: &LiteralServer) -> impl Fn(&str) -> Vec<(&'static str, String)> {
    let issuer = server.origin();
    move |state| {
        vec![
            ("code", CODE.to_owned()),
            ("state", state.to_owned()),
            ("iss", issuer.clone()),
        ]
    }
}

/// What the suite looks at in every request of a client.
#[track_caller]
fn assert_by_the_profile(server: &LiteralServer) {
    let pushed = server.requests_to("/par").last().expect("a pushed request").form();
    let token = server.requests_to("/token").last().expect("a token request").form();
    assert_eq!(value_of(&pushed, "response_type"), Some("code"));
    assert_eq!(value_of(&pushed, "code_challenge_method"), Some("S256"));
    let verifier = value_of(&token, "code_verifier").expect("a verifier");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    assert_eq!(value_of(&pushed, "code_challenge"), Some(&*challenge));
    assert_eq!(value_of(&pushed, "redirect_uri"), value_of(&token, "redirect_uri"));
    let mut identifiers = Vec::new();
    for form in [&pushed, &token] {
        let assertion = claims(value_of(form, "client_assertion").expect("an assertion"));
        assert_eq!(assertion["aud"], server.origin(), "the issuer as one string");
        assert_eq!(
            (&assertion["iss"], &assertion["sub"]),
            (&"desktop".into(), &"desktop".into())
        );
        identifiers.push(assertion["jti"].clone());
        assert_eq!(value_of(form, "client_secret"), None);
    }
    assert_ne!(identifiers[0], identifiers[1], "an assertion for each request");
    assert!(value_of(&pushed, "dpop_jkt").is_some());
}

#[track_caller]
fn assert_stopped(home: &Home, server: &LiteralServer) {
    assert!(server.requests_to("/token").is_empty());
    assert!(server.requests_to("/accounts").is_empty());
    assert_nothing_kept(home);
}

#[test]
fn test_happy_path() {
    let (home, server) = (Home::new(), server_with_nonce());
    log_in(&home, &server, honest(&server)).expect_code(0);
    assert_by_the_profile(&server);
    // The nonce is learned once and used from then on.
    assert_eq!(server.requests_to("/par").len(), 2);
    assert_eq!(server.requests_to("/token").len(), 1);
    run(home.oauth().args(["userinfo", "-p", "fapi"])).expect_code(0);
    let request = server.only_request_to("/accounts");
    assert_eq!(request.header("authorization"), Some(&*format!("DPoP {ACCESS_TOKEN}")));
}

#[test]
fn test_happy_path_no_dpop_nonce() {
    let (home, server) = (Home::new(), server());
    log_in(&home, &server, honest(&server)).expect_code(0);
    assert_by_the_profile(&server);
    assert_eq!(server.requests().len(), 3, "metadata, pushed request, token");
}

#[test]
fn test_discovery_issuer_mismatch() {
    let (home, server) = (Home::new(), server());
    let path = "/.well-known/oauth-authorization-server";
    server.on("GET", path, json(200, &metadata("https://other.example")));
    let mut command = home.oauth();
    command.args([
        "login",
        "--issuer",
        &server.origin(),
        "--client-id",
        "desktop",
        "--no-browser",
    ]);
    run(&mut command).expect_error(6);
    assert!(server.requests_to("/par").is_empty());
    assert_stopped(&home, &server);
}

#[test]
fn test_invalid_authorization_response_iss() {
    let (home, server) = (Home::new(), server());
    let outcome = log_in(&home, &server, |state| {
        let issuer = "https://other.example".to_owned();
        vec![("code", CODE.to_owned()), ("state", state.to_owned()), ("iss", issuer)]
    });
    outcome.expect_error(6);
    assert_stopped(&home, &server);
}

#[test]
fn test_remove_authorization_response_iss() {
    let (home, server) = (Home::new(), server());
    let outcome = log_in(&home, &server, |state| {
        vec![("code", CODE.to_owned()), ("state", state.to_owned())]
    });
    outcome.expect_error(6);
    assert_stopped(&home, &server);
}

#[test]
fn test_ensure_authorization_response_with_invalid_state_fails() {
    let (home, server) = (Home::new(), server());
    let issuer = server.origin();
    let outcome = log_in(&home, &server, |state| {
        vec![
            ("code", CODE.to_owned()),
            ("state", format!("{state}1")),
            ("iss", issuer.clone()),
        ]
    });
    outcome.expect_error(7);
    assert_stopped(&home, &server);
}

#[test]
fn test_ensure_authorization_response_with_invalid_missing_state_fails() {
    let (home, server) = (Home::new(), server());
    let issuer = server.origin();
    let outcome = log_in(&home, &server, |_| {
        vec![("code", CODE.to_owned()), ("iss", issuer.clone())]
    });
    outcome.expect_error(7);
    assert_stopped(&home, &server);
}

#[test]
fn test_token_endpoint_response_without_expires_in() {
    let (home, server) = (Home::new(), server());
    let answer = token_answer().replace(r#""expires_in":3600,"#, "");
    server.on("POST", "/token", json(200, &answer));
    log_in(&home, &server, honest(&server)).expect_code(0);
    run(home.oauth().args(["userinfo", "-p", "fapi"])).expect_code(0);
}

#[test]
fn test_token_type_case_insensitivity() {
    let (home, server) = (Home::new(), server());
    server.on("POST", "/token", json(200, &token_answer().replace("DPoP", "dpOp")));
    log_in(&home, &server, honest(&server)).expect_code(0);
    run(home.oauth().args(["userinfo", "-p", "fapi"])).expect_code(0);
    let request = server.only_request_to("/accounts");
    assert!(request.header("dpop").is_some());
}

/// The API takes each access token once; twice the client refreshes, with the
/// refresh token that came last, and asks again.
#[test]
fn refresh_token_test() {
    let (home, server) = (Home::new(), server());
    log_in(&home, &server, honest(&server)).expect_code(0);
    let answer = |number: usize| {
        let members = token_answer()
            .replace(ACCESS_TOKEN, &format!("access-{number}"))
            .replace(REFRESH_TOKEN, &format!("refresh-{number}"));
        json(200, &members)
    };
    server.on_each("POST", "/token", vec![answer(1), answer(2)]);
    let refused = || {
        let challenge = r#"WWW-Authenticate: DPoP error="invalid_token""#;
        Reply::http(401, &[challenge], "")
    };
    let taken = || json(200, r#"{"sub":"ada"}"#);
    server.on_each("GET", "/accounts", vec![refused(), taken(), refused(), taken()]);
    let accounts = format!("{}/accounts", server.origin());
    for _ in 0..2 {
        let outcome = run(home.oauth().args(["request", &accounts, "-p", "fapi"])).expect_code(0);
        assert_eq!(outcome.stdout, r#"{"sub":"ada"}"#);
    }
    let sent: Vec<String> = server
        .requests_to("/accounts")
        .iter()
        .map(|request| request.header("authorization").expect("a token").to_owned())
        .collect();
    let first = format!("DPoP {ACCESS_TOKEN}");
    assert_eq!(sent, [&*first, "DPoP access-1", "DPoP access-1", "DPoP access-2"]);
    let refreshes = server.requests_to("/token").split_off(1);
    for (request, token) in refreshes.iter().zip([REFRESH_TOKEN, "refresh-1"]) {
        let form = request.form();
        assert_eq!(value_of(&form, "grant_type"), Some("refresh_token"));
        assert_eq!(value_of(&form, "refresh_token"), Some(token));
        assert!(value_of(&form, "client_assertion").is_some() && request.header("dpop").is_some());
    }
    assert_eq!(refreshes.len(), 2);
}

/// The nonce of the API comes with a challenge whose scheme is in another case.
#[test]
fn test_rs_dpop_auth_scheme_case_insensitivity() {
    let (home, server) = (Home::new(), server());
    log_in(&home, &server, honest(&server)).expect_code(0);
    let headers = [
        r#"WWW-Authenticate: dpOP error="use_dpop_nonce""#,
        "DPoP-Nonce: of-the-api",
    ];
    let answers = vec![Reply::http(401, &headers, ""), json(200, r#"{"sub":"ada"}"#)];
    server.on_each("GET", "/accounts", answers);
    let accounts = format!("{}/accounts", server.origin());
    run(home.oauth().args(["request", &accounts, "-p", "fapi"])).expect_code(0);
    let requests = server.requests_to("/accounts");
    let nonce = |position: usize| claims(requests[position].header("dpop").expect("a proof"))["nonce"].clone();
    assert_eq!((nonce(0), nonce(1)), (Value::Null, "of-the-api".into()));
    assert_eq!(server.requests_to("/token").len(), 1, "nothing was refreshed");
}
