//! The relying-party modules of the OpenID certification plans Basic, Config,
//! Refresh and Form Post, under the modules' own names.

use super::{CONFIGURATION, Provider, SECRET};
use crate::support::authorization_server::{CODE, consent, parameters};
use crate::support::callback;
use crate::support::literal_server::{json as json_reply, value_of};
use crate::support::login::{CLIENT, assert_nothing_kept, listener_of, parameter};
use crate::support::signing::{Signer, signed_with_secret, unsigned, with_broken_signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[test]
fn oidcc_client_test() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
    let paths = provider.paths();
    let without_first_try: Vec<&str> = paths.iter().map(String::as_str).skip(1).collect();
    assert_eq!(without_first_try, [CONFIGURATION, "/jwks", "/token", "/userinfo"]);
}

#[test]
fn oidcc_client_test_invalid_iss() {
    Provider::start().refuses_claim("iss", json!("https://other.example.com"), "is from");
}

#[test]
fn oidcc_client_test_missing_sub() {
    Provider::start().refuses_claim("sub", Value::Null, "no usable sub");
}

#[test]
fn oidcc_client_test_invalid_aud() {
    Provider::start().refuses_claim("aud", json!("another-client"), "aud does not hold");
}

#[test]
fn oidcc_client_test_missing_aud() {
    Provider::start().refuses_claim("aud", Value::Null, "no usable aud");
}

#[test]
fn oidcc_client_test_missing_iat() {
    Provider::start().refuses_claim("iat", Value::Null, "no usable iat");
}

#[test]
fn oidcc_client_test_nonce_invalid() {
    Provider::start().refuses_claim("nonce", json!("another"), "nonce");
}

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    let provider = Provider::start();
    provider.publish(&[provider.key.jwk(None)]);
    let login = provider.log_in(|nonce| provider.key.token(None, &provider.claims(nonce)));
    provider.passes(login);
}

#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    let provider = Provider::start();
    provider.publish(&[Signer::new("other").jwk(), provider.key.jwk(None)]);
    let login = provider.log_in(|nonce| provider.key.token(None, &provider.claims(nonce)));
    provider.passes(login);
}

#[test]
fn oidcc_client_test_idtoken_sig_rs256() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
}

/// The module lets a client choose; this one refuses.
#[test]
fn oidcc_client_test_idtoken_sig_none() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| unsigned(&json!({"alg": "none"}), &provider.claims(nonce)) + ".");
    provider.is_refused(login, "signed with \"none\", which proves nothing");
}

#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| with_broken_signature(&provider.right_token(nonce)));
    provider.is_refused(login, "its signature does not match the issuer's key");
}

/// The published key is for RS256, so that none can have made the signature.
#[test]
fn oidcc_client_test_invalid_sig_es256() {
    let provider = Provider::start();
    let point = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let other = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    provider.publish(&[json!({"kty": "EC", "crv": "P-256", "kid": "1", "x": point, "y": other})]);
    let login = provider.log_in(|nonce| {
        let input = unsigned(&json!({"alg": "ES256", "kid": "1"}), &provider.claims(nonce));
        format!("{input}.{}", "A".repeat(86))
    });
    provider.is_refused(login, "its signature does not match the issuer's key");
}

#[test]
fn oidcc_client_test_invalid_sig_hs256() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| with_broken_signature(&signed_with_secret(SECRET, &provider.claims(nonce))));
    provider.is_refused(login, "its signature does not match the client secret");
}

#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    let provider = Provider::start();
    provider.server.on(
        "GET",
        "/userinfo",
        json_reply(200, r#"{"sub":"mallory","name":"Jane Doe"}"#),
    );
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    login.expect_code(0);
    let userinfo = provider.oauth(&["userinfo"]).expect_error(6);
    assert_eq!(userinfo.stdout, "");
}

#[test]
fn oidcc_client_test_nonce_unless_code_flow() {
    let provider = Provider::start();
    let running = provider.begin_login(&[]);
    assert_eq!(parameter(&running.authorization_url(), "nonce").len(), 43);
}

#[test]
fn oidcc_client_test_scope_userinfo_claims() {
    let provider = Provider::start();
    let running = provider.begin_login(&["--scope", "profile email phone address"]);
    let url = running.authorization_url();
    assert_eq!(
        value_of(&parameters(&url), "scope"),
        Some("profile email phone address openid")
    );
    provider.answer(&provider.right_token(&parameter(&url, "nonce")));
    consent(&url, &provider.server.origin());
    running.end().expect_code(0);
    let claims = provider.oauth(&["userinfo", "--json"]).expect_code(0).json();
    assert_eq!(claims["email"], "jane@example.com");
}

#[test]
fn oidcc_client_test_client_secret_basic() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
    let request = provider.server.only_request_to("/token");
    let credentials = STANDARD.encode(format!("{CLIENT}:{SECRET}"));
    assert_eq!(request.header("authorization"), Some(&*format!("Basic {credentials}")));
    assert_eq!(value_of(&request.form(), "client_secret"), None);
}

#[test]
fn oidcc_client_test_userinfo_bearer_header() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
    assert_eq!(provider.server.only_request_to("/userinfo").body_text(), "");
}

#[test]
fn oidcc_client_test_discovery_openid_config() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
    assert_eq!(provider.server.requests_to(CONFIGURATION).len(), 1);
}

/// Where the keys are is in the configuration alone.
#[test]
fn oidcc_client_test_discovery_jwks_uri_keys() {
    let provider = Provider::start();
    let elsewhere = provider.server.url("/keys-of-this-run");
    provider.publish_configuration(|configuration| configuration["jwks_uri"] = json!(elsewhere));
    let keys = json!({"keys": [provider.key.jwk(Some("1"))]});
    provider
        .server
        .on("GET", "/keys-of-this-run", json_reply(200, &keys.to_string()));
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
    assert_eq!(provider.server.requests_to("/keys-of-this-run").len(), 1);
    assert_eq!(provider.server.requests_to("/jwks").len(), 0);
}

#[test]
fn oidcc_client_test_discovery_issuer_mismatch() {
    let provider = Provider::start();
    provider.publish_configuration(|configuration| configuration["issuer"] = json!("https://other.example.com"));
    provider.begin_login(&[]).end().expect_error(6);
    assert_nothing_kept(&provider.home);
    assert_eq!(provider.paths().last().map(String::as_str), Some(CONFIGURATION));
}

#[test]
fn oidcc_client_test_signing_key_rotation() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    login.expect_code(0);
    provider.publish(&[provider.key.jwk(Some("2"))]);
    let login = provider.log_in(|nonce| provider.key.token(Some("2"), &provider.claims(nonce)));
    provider.passes(login);
}

/// The key that signs is published after the client has fetched the keys.
#[test]
fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    let provider = Provider::start();
    let login = provider.log_in(|nonce| {
        provider.publish(&[provider.key.jwk(Some("1")), provider.key.jwk(Some("2"))]);
        provider.key.token(Some("2"), &provider.claims(nonce))
    });
    provider.passes(login);
    assert_eq!(provider.server.requests_to("/jwks").len(), 2);
}

#[test]
fn oidcc_client_test_refresh_token() {
    let provider = Provider::start();
    provider.log_in(|nonce| provider.right_token(nonce)).expect_code(0);
    let mut claims = provider.claims("");
    claims.as_object_mut().expect("an object").remove("nonce");
    let answer = json!({
        "access_token": "refreshed", "token_type": "Bearer", "expires_in": 3600,
        "id_token": provider.key.token(Some("1"), &claims),
    });
    provider
        .server
        .on("POST", "/token", json_reply(200, &answer.to_string()));
    provider.oauth(&["token", "--force-refresh"]).expect_code(0);
    provider.oauth(&["userinfo"]).expect_code(0);
    let request = provider.server.only_request_to("/userinfo");
    assert_eq!(request.header("authorization"), Some("Bearer refreshed"));
    assert_eq!(
        provider.server.requests_to("/jwks").len(),
        1,
        "keys are fetched at login alone"
    );
}

/// What the two modules about refreshed ID tokens share.
#[track_caller]
fn refuses_refreshed(claim: &str, value: &str) {
    let provider = Provider::start();
    provider.log_in(|nonce| provider.right_token(nonce)).expect_code(0);
    let mut claims = provider.claims("");
    claims.as_object_mut().expect("an object").remove("nonce");
    claims[claim] = json!(value);
    provider.answer(&provider.key.token(Some("1"), &claims));
    let token = provider.oauth(&["token", "--force-refresh"]).expect_error(6);
    assert_eq!(token.stdout, "");
    provider.oauth(&["userinfo"]).expect_error(6);
    assert_eq!(provider.server.requests_to("/userinfo").len(), 0);
}

#[test]
fn oidcc_client_test_refresh_token_invalid_issuer() {
    refuses_refreshed("iss", "https://other.example.com");
}

#[test]
fn oidcc_client_test_refresh_token_invalid_sub() {
    refuses_refreshed("sub", "mallory");
}

/// What a form_post response brings to the listener.
fn post_back(url: &str, members: &[(&str, &str)]) {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(members)
        .finish();
    let _ = callback::post(&listener_of(url), "/callback", &["Connection: close"], &form);
}

#[test]
fn oidcc_client_test_form_post() {
    let provider = Provider::start();
    let running = provider.begin_login(&["--response-mode", "form_post"]);
    let url = running.authorization_url();
    assert_eq!(parameter(&url, "response_mode"), "form_post");
    provider.answer(&provider.right_token(&parameter(&url, "nonce")));
    post_back(&url, &[("code", CODE), ("state", &parameter(&url, "state"))]);
    provider.passes(running.end());
}

#[test]
fn oidcc_client_test_form_post_error() {
    let provider = Provider::start();
    let running = provider.begin_login(&["--response-mode", "form_post"]);
    let url = running.authorization_url();
    let state = parameter(&url, "state");
    post_back(&url, &[("error", "login_required"), ("state", &state)]);
    let ended = running.end().expect_error(5);
    assert!(ended.error().contains("login_required"), "{ended:?}");
    assert_nothing_kept(&provider.home);
    assert_eq!(provider.server.requests_to("/token").len(), 0);
}
