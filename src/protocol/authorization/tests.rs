//! What is sent, what is taken for an answer, and what is redeemed.

use super::signed_response::tests::{NOW, claims, signed, verifier};
use super::*;
use crate::protocol::client::{Client, ClientId};
use crate::protocol::client_auth::tests::{FixedRandomness, context};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::jwks::JwkSet;
use crate::protocol::params::{Params, Repeated};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::signing::SigningKey;
use serde_json::json;

struct Counting(u8);
impl Randomness for Counting {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
        self.0 += 1;
        buffer.fill(self.0);
        Ok(())
    }
}

fn issuer() -> Issuer {
    Issuer::parse("https://as.example", HttpPolicy::LoopbackOnly).unwrap()
}

fn pending(announced: bool) -> PendingAuthorization {
    pending_by(None, announced)
}

fn pending_by(response_mode: Option<ResponseMode>, announced: bool) -> PendingAuthorization {
    PendingAuthorization::new(
        Client::public(ClientId::parse("s6BhdRkqt3").unwrap()),
        RedirectUri::parse("http://127.0.0.1:4711/callback").unwrap(),
        ExpectedIssuer {
            issuer: Some(issuer()),
            announced,
        },
        AuthorizationOptions {
            scope: Scope::parse("openid api").unwrap(),
            resource: vec![
                Resource::parse("https://a.example").unwrap(),
                Resource::parse("https://b.example").unwrap(),
            ],
            extra: vec![("prompt".into(), "login".into())],
            response_mode,
            ..AuthorizationOptions::default()
        },
        &mut Counting(0),
    )
    .unwrap()
}

fn state_of(pending: &PendingAuthorization) -> String {
    pending.request().state.as_ref().unwrap().expose().to_owned()
}

#[test]
fn the_url_carries_every_parameter_of_the_request_and_keeps_the_query() {
    let endpoint = Endpoint::parse("https://as.example/authorize?tenant=x", HttpPolicy::LoopbackOnly).unwrap();
    let pending = pending(false);
    let url = pending.request().url(&endpoint);
    let state = state_of(&pending);
    let challenge = pending.code_verifier.challenge();
    let nonce = pending.request().nonce.as_ref().unwrap().expose();
    assert_eq!(
        url.as_str(),
        format!(
            "https://as.example/authorize?tenant=x&response_type=code&client_id=s6BhdRkqt3&state={state}\
             &scope=openid+api&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback\
             &resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example\
             &code_challenge={}&code_challenge_method=S256&nonce={nonce}&prompt=login",
            challenge.as_str()
        )
    );
    assert!(!url.as_str().contains(pending.code_verifier.expose()));
}

#[test]
fn what_the_client_sends_the_server_reads() {
    let pending = pending(false);
    let params = Params::parse(pending.request().params().encode().expose());
    let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(&params).unwrap();
    let read = AuthorizationRequest::parse(&params, client_id, redirect_uri.unwrap()).unwrap();
    assert_eq!(
        read.params().encode().expose(),
        pending.request().params().encode().expose()
    );
}

#[test]
fn a_foreign_state_never_ends_the_wait() {
    let state = state_of(&pending(true));
    for foreign in [
        "code=x".to_owned(),
        "code=x&state=".to_owned(),
        "code=x&state=wrong".to_owned(),
        format!("code=x&state={}", state.to_ascii_uppercase()),
        format!("code=x&state={state}&state=wrong"),
        format!("code=x&state=wrong&state={state}"),
        format!("code=x&state={state}x"),
        "error=access_denied&state=wrong".to_owned(),
        "error=access_denied".to_owned(),
    ] {
        let Validation::StateMismatch(unchanged) = pending(true).validate(&Params::parse(&foreign)) else {
            panic!("{foreign}")
        };
        let right = format!("code=x&iss=https%3A%2F%2Fas.example&state={state}");
        let validation = unchanged.validate(&Params::parse(&right));
        assert!(
            matches!(validation, Validation::Redeemable(_)),
            "{foreign}: {validation:?}"
        );
    }
}

#[test]
fn a_right_state_with_an_invalid_response_ends_the_login() {
    let state = state_of(&pending(true));
    let iss = "iss=https%3A%2F%2Fas.example";
    for (query, expected) in [
        (
            format!("code=x&code=y&{iss}"),
            InvalidAuthorizationResponse::Repeated(Repeated("code".into())),
        ),
        (
            format!("code=x&{iss}&{iss}"),
            InvalidAuthorizationResponse::Repeated(Repeated("iss".into())),
        ),
        (
            format!("error=x&error=y&{iss}"),
            InvalidAuthorizationResponse::Repeated(Repeated("error".into())),
        ),
        ("code=x".to_owned(), InvalidAuthorizationResponse::MissingIssuer),
        (
            format!("code=x&error=y&{iss}"),
            InvalidAuthorizationResponse::CodeAndError,
        ),
        (format!("code=&{iss}"), InvalidAuthorizationResponse::NoCode),
        (iss.to_owned(), InvalidAuthorizationResponse::NoCode),
        (format!("code=%00&{iss}"), InvalidAuthorizationResponse::MalformedCode),
        (format!("code=%ff&{iss}"), InvalidAuthorizationResponse::MalformedCode),
        (
            format!("code=x&access_token=t&{iss}"),
            InvalidAuthorizationResponse::TokenInResponse("access_token"),
        ),
    ] {
        match pending(true).validate(&Params::parse(&format!("{query}&state={state}"))) {
            Validation::Invalid(invalid) => {
                let is_of_unknown_issuer = expected == InvalidAuthorizationResponse::MissingIssuer;
                assert_eq!(invalid.is_of_unknown_issuer(), is_of_unknown_issuer, "{query}");
                assert_eq!(invalid, expected, "{query}");
            }
            other => panic!("{query}: {other:?}"),
        }
    }
    for found in [
        "https://as.example/",
        "https://AS.example",
        "https%253A%252F%252Fas.example",
        "https://evil",
    ] {
        let query = format!("code=x&state={state}&iss={found}");
        match pending(true).validate(&Params::parse(&query)) {
            Validation::Invalid(invalid @ InvalidAuthorizationResponse::WrongIssuer { .. }) => {
                assert!(invalid.is_of_unknown_issuer());
            }
            other => panic!("{found}: {other:?}"),
        }
    }
}

#[test]
fn an_error_ends_the_login_and_a_missing_iss_that_was_announced_makes_it_invalid() {
    for announced in [false, true] {
        let pending = pending(announced);
        let query = format!("error=access_denied&error_description=no&state={}", state_of(&pending));
        match pending.validate(&Params::parse(&query)) {
            Validation::Denied { error, .. } if !announced => assert_eq!(error.error, "access_denied"),
            Validation::Invalid(InvalidAuthorizationResponse::MissingIssuer) if announced => {}
            other => panic!("{announced}: {other:?}"),
        }
    }
}

/// A request that only a signed response answers, and such a response.
fn pending_signed(key: &SigningKey, state: Option<&str>) -> (PendingAuthorization, Params) {
    let pending = pending_by(Some(ResponseMode::QueryJwt), false).with_response_verifier(Some(verifier(key, None)));
    let mut claims = claims();
    claims["state"] = json!(state.map_or_else(|| state_of(&pending), str::to_owned));
    let params = Params::parse(&format!("response={}", signed(key, &claims)));
    (pending, params)
}

#[test]
fn the_parameters_of_a_signed_response_take_the_place_of_those_that_came() {
    let key = SigningKey::generate_p256().unwrap();
    let (pending, mut params) = pending_signed(&key, None);
    assert!(pending.expects_signed_response());
    let Validation::Redeemable(authorization) = pending.validate_signed(&mut params, NOW) else {
        panic!("no code")
    };
    assert_eq!(params.single("code"), Ok(Some("x")));
    assert_eq!(params.single("response"), Ok(None));
    let keys = authorization.keys_of_response().map(|keys| keys.keys().len());
    assert_eq!(keys, Some(1), "the keys that the response was verified with");
}

#[test]
fn where_a_signed_response_was_asked_for_nothing_else_is_an_answer() {
    let key = SigningKey::generate_p256().unwrap();
    let (pending, _) = pending_signed(&key, None);
    let mut unsigned = Params::parse(&format!("code=x&state={}", state_of(&pending)));
    let Validation::Unproven(pending, UnprovenResponse::NotSigned) = pending.validate(&unsigned) else {
        panic!("believed")
    };
    assert!(matches!(
        pending.validate_signed(&mut unsigned, NOW),
        Validation::Unproven(_, UnprovenResponse::NotSigned)
    ));
    let (pending, mut foreign) = pending_signed(&key, Some("another state"));
    let came = foreign.encode().expose().to_owned();
    assert!(matches!(
        pending.validate_signed(&mut foreign, NOW),
        Validation::StateMismatch(_)
    ));
    assert_eq!(foreign.encode().expose(), &came);
}

#[test]
fn keys_are_fetched_once_more_for_an_answer_with_the_state_of_the_request_alone() {
    let key = SigningKey::generate_p256().unwrap();
    let endpoint = Endpoint::parse("https://as.example/jwks", HttpPolicy::LoopbackOnly).unwrap();
    let rotated = |state| {
        let (mut pending, params) = pending_signed(&key, state);
        let mut verifier = verifier(&key, None);
        verifier.keys = JwkSet::parse(br#"{"keys":[]}"#).unwrap();
        verifier.keys_endpoint = Some(endpoint.clone());
        pending = pending.with_response_verifier(Some(verifier));
        (pending, params)
    };
    let (mut pending, params) = rotated(Some("another state"));
    assert!(pending.take_keys_endpoint(&params, NOW).is_none());
    let (mut pending, mut params) = rotated(None);
    assert!(pending.take_keys_endpoint(&params, NOW).is_some());
    assert!(pending.take_keys_endpoint(&params, NOW).is_none(), "once");
    pending.set_keys(verifier(&key, None).keys);
    assert!(matches!(
        pending.validate_signed(&mut params, NOW),
        Validation::Redeemable(_)
    ));
}

#[test]
fn a_code_is_redeemed_with_the_same_redirect_uri_and_the_verifier() {
    let pending = pending(false);
    let query = format!(
        "code=SplxlOBeZQQYbYS6WxSbIA&state={}&session_state=a%2B%2F%3D",
        state_of(&pending)
    );
    let verifier = pending.code_verifier.expose().to_owned();
    let Validation::Redeemable(authorization) = pending.validate(&Params::parse(&query)) else {
        panic!("no code")
    };
    let (token_request, _) = authorization.redeem();
    let endpoint = Endpoint::parse("https://as.example/token", HttpPolicy::LoopbackOnly).unwrap();
    let request = token_request
        .http_request(&endpoint, &mut context(&mut FixedRandomness))
        .unwrap();
    assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
    assert_eq!(
        request.form().unwrap().encode().expose(),
        &format!(
            "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2F\
             callback&client_id=s6BhdRkqt3&code_verifier={verifier}&resource=https%3A%2F%2Fa.example\
             &resource=https%3A%2F%2Fb.example"
        )
    );
}

#[test]
fn requests_that_the_server_refuses() {
    let good = "response_type=code&client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb\
                &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let parse = |query: &str| {
        let params = Params::parse(query);
        let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(&params).unwrap();
        AuthorizationRequest::parse(&params, client_id, redirect_uri.unwrap())
            .map(|_| ())
            .map_err(|e| e.error)
    };
    assert_eq!(parse(good), Ok(()));
    for (query, error) in [
        (good.replace("response_type=code&", ""), "invalid_request"),
        (good.replace("=code&", "=token&"), "unsupported_response_type"),
        (good.replace("_method=S256", "_method=plain"), "invalid_request"),
        (good.replace("_method=S256", "_method=s256"), "invalid_request"),
        (good.replace("&code_challenge_method=S256", ""), "invalid_request"),
        (good.replace("code_challenge=", "x="), "invalid_request"),
        (good.replace("w-cM", "w-c"), "invalid_request"),
        (format!("{good}&scope=a%22b"), "invalid_scope"),
        (format!("{good}&resource=api"), "invalid_target"),
        (format!("{good}&scope=a&scope=b"), "invalid_request"),
        (format!("{good}&prompt=a&prompt=b"), "invalid_request"),
        (format!("{good}&request=x"), "request_not_supported"),
        (format!("{good}&response_mode=fragment"), "invalid_request"),
    ] {
        assert_eq!(parse(&query), Err(error), "{query}");
    }
    assert_eq!(
        parse(&format!("{good}&resource=https://a&resource=https://b&unknown=1")),
        Ok(())
    );
}

#[test]
fn requests_without_a_trustworthy_addressee_are_never_redirected() {
    for bad in [
        "",
        "client_id=",
        "client_id=a&client_id=b",
        "client_id=a&redirect_uri=x&redirect_uri=x",
    ] {
        assert!(
            AuthorizationRequest::redirect_target(&Params::parse(bad)).is_err(),
            "{bad}"
        );
    }
}
