//! The modules of the FAPI 2.0 Security Profile for clients that are about the
//! ID token, the token response and `iss`. Those about pushed requests, DPoP
//! and signed responses stand with the tests of these.

use super::{CONFIGURATION, Provider};
use crate::support::authorization_server::{ACCESS_TOKEN, CODE, callback_url_with, consent};
use crate::support::callback;
use crate::support::literal_server::json as json_reply;
use crate::support::login::{CLIENT, assert_nothing_kept, parameter};
use crate::support::sessions::now;
use crate::support::signing::{Signer, unsigned};
use serde_json::{Value, json};

/// A provider that announces `iss`, as the profile wants it.
fn provider() -> Provider {
    let provider = Provider::start();
    provider.publish_configuration(|configuration| {
        configuration["authorization_response_iss_parameter_supported"] = json!(true);
        configuration["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    });
    provider
}

#[test]
fn fapi2_security_profile_final_client_test_happy_path() {
    let provider = provider();
    let login = provider.log_in(|nonce| provider.right_token(nonce));
    provider.passes(login);
}

#[test]
fn fapi2_security_profile_final_client_test_discovery_issuer_mismatch() {
    let provider = Provider::start();
    provider.publish_configuration(|configuration| {
        configuration["issuer"] = json!(format!("{}/", provider.server.origin()));
    });
    provider.begin_login(&[]).end().expect_error(6);
    assert_nothing_kept(&provider.home);
    assert_eq!(provider.paths().last().map(String::as_str), Some(CONFIGURATION));
}

/// A callback with the right code and state, and this `iss`.
#[track_caller]
fn refuses_issuer_of_response(issuer: Option<&str>) {
    let provider = provider();
    let running = provider.begin_login(&[]);
    let url = running.authorization_url();
    let state = parameter(&url, "state");
    let mut response = vec![("code", CODE), ("state", &*state)];
    response.extend(issuer.map(|issuer| ("iss", issuer)));
    let _ = callback::get_url(&callback_url_with(&url, &response));
    running.end().expect_error(6);
    assert_nothing_kept(&provider.home);
    assert_eq!(provider.server.requests_to("/token").len(), 0);
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_authorization_response_iss() {
    refuses_issuer_of_response(Some("https://other.example.com"));
}

#[test]
fn fapi2_security_profile_final_client_test_remove_authorization_response_iss() {
    refuses_issuer_of_response(None);
}

/// The wait goes on, and the right response is still taken.
#[track_caller]
fn ignores_state(state: Option<&str>) {
    let provider = provider();
    let running = provider.begin_login(&[]);
    let url = running.authorization_url();
    let issuer = provider.server.origin();
    let mut response = vec![("code", "forged"), ("iss", &*issuer)];
    response.extend(state.map(|state| ("state", state)));
    let answer = callback::get_url(&callback_url_with(&url, &response)).expect("a page");
    assert_eq!(answer.status, 400);
    assert_eq!(provider.server.requests_to("/token").len(), 0);
    provider.answer(&provider.right_token(&parameter(&url, "nonce")));
    consent(&url, &issuer);
    provider.passes(running.end());
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_authorization_response_with_invalid_state_fails() {
    ignores_state(Some("another"));
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_authorization_response_with_invalid_missing_state_fails() {
    ignores_state(None);
}

/// A login whose token response has these members changed; `null` removes one.
fn log_in_with_answer(provider: &Provider, changes: &Value) -> crate::support::outcome::Outcome {
    let running = provider.begin_login(&[]);
    let url = running.authorization_url();
    let mut answer = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
        "id_token": provider.right_token(&parameter(&url, "nonce")),
    });
    for (member, value) in changes.as_object().expect("an object") {
        answer[member] = value.clone();
        if value.is_null() {
            answer.as_object_mut().expect("an object").remove(member);
        }
    }
    provider
        .server
        .on("POST", "/token", json_reply(200, &answer.to_string()));
    consent(&url, &provider.server.origin());
    running.end()
}

#[test]
fn fapi2_security_profile_final_client_test_token_endpoint_response_without_expires_in() {
    let provider = provider();
    let login = log_in_with_answer(&provider, &json!({"expires_in": null}));
    provider.passes(login);
}

#[test]
fn fapi2_security_profile_final_client_test_token_type_case_insensitivity() {
    let provider = provider();
    let login = log_in_with_answer(&provider, &json!({"token_type": "bEARER"}));
    provider.passes(login);
}

#[test]
fn fapi2_security_profile_final_client_test_valid_aud_as_array() {
    let provider = provider();
    let login = provider.log_in(|nonce| {
        let mut claims = provider.claims(nonce);
        claims["aud"] = json!([CLIENT]);
        provider.key.token(Some("1"), &claims)
    });
    provider.passes(login);
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_null_alg() {
    let provider = provider();
    let login = provider.log_in(|nonce| unsigned(&json!({"alg": "none"}), &provider.claims(nonce)) + ".");
    provider.is_refused(login, "signed with \"none\"");
}

/// The key is published and the signature right, but the algorithm is another.
#[test]
fn fapi2_security_profile_final_client_test_invalid_alternate_alg() {
    let provider = provider();
    let other = Signer::new("other");
    provider.publish(&[provider.key.jwk(Some("1")), other.jwk()]);
    let login = provider.log_in(|nonce| other.token(&provider.claims(nonce)));
    provider.is_refused(
        login,
        "signed with \"EdDSA\", which the server's metadata does not list",
    );
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_iss() {
    provider().refuses_claim("iss", json!("https://other.example.com"), "is from");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_missing_iss() {
    provider().refuses_claim("iss", Value::Null, "no usable iss");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_aud() {
    provider().refuses_claim("aud", json!("another-client"), "aud does not hold");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_missing_aud() {
    provider().refuses_claim("aud", Value::Null, "no usable aud");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_secondary_aud() {
    provider().refuses_claim("aud", json!([CLIENT, "untrusted"]), "several audiences");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_expired_exp() {
    provider().refuses_claim("exp", json!(now() - 300), "expired");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_missing_exp() {
    provider().refuses_claim("exp", Value::Null, "no usable exp");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_nonce() {
    provider().refuses_claim("nonce", json!("another"), "nonce");
}

#[test]
fn fapi2_security_profile_final_client_test_invalid_missing_nonce() {
    provider().refuses_claim("nonce", Value::Null, "nonce");
}
