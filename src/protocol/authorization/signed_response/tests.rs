//! Signed responses that hold, and every way in which one may not.

use super::*;
use crate::protocol::abnf::base64url;
use crate::protocol::endpoint::HttpPolicy;
use crate::protocol::jose::signing_input;
use crate::protocol::signing::{HmacAlgorithm, JwsHeader, JwtType, SigningAlgorithm, SigningKey, sign_with_secret};
use serde_json::json;

pub(in super::super) const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
const SECRET: &str = "a secret of thirty-two bytes at least";

pub(in super::super) fn verifier(key: &SigningKey, client_secret: Option<&str>) -> SignedResponseVerifier {
    let keys = json!({ "keys": [key.public_jwk().to_json()] });
    SignedResponseVerifier {
        issuer: Issuer::parse("https://as.example", HttpPolicy::LoopbackOnly).unwrap(),
        client_id: "c".to_owned(),
        keys: JwkSet::parse(keys.to_string().as_bytes()).unwrap(),
        keys_endpoint: None,
        client_secret: client_secret.map(Secret::from),
    }
}

pub(in super::super) fn claims() -> Value {
    json!({ "iss": "https://as.example", "aud": "c", "exp": NOW.0 + 60, "code": "x", "state": "s" })
}

pub(in super::super) fn signed(key: &SigningKey, claims: &Value) -> String {
    let header = JwsHeader {
        typ: JwtType::Jwt,
        alg: SigningAlgorithm::Es256,
        kid: None,
        jwk: None,
        certificate: None,
    };
    let jwt = key.sign_jwt(&header.encode().unwrap(), claims).unwrap();
    jwt.expose().to_owned()
}

fn response(jwt: &str) -> Params {
    Params::parse(&format!("response={jwt}"))
}

#[test]
fn the_claims_of_a_response_that_holds_are_its_parameters() {
    let key = SigningKey::generate_p256().unwrap();
    let mut all = claims();
    for (name, value) in [("iat", json!(NOW.0)), ("n", json!(7)), ("nothing", json!(null))] {
        all[name] = value;
    }
    let params = verifier(&key, None).open(&response(&signed(&key, &all)), NOW).unwrap();
    assert_eq!(
        params.encode().expose(),
        "code=x&iss=https%3A%2F%2Fas.example&n=7&state=s"
    );
}

#[test]
fn a_response_must_be_for_this_client_of_this_issuer_and_not_too_old() {
    let key = SigningKey::generate_p256().unwrap();
    let open = |name: &str, value: Value| {
        let mut changed = claims();
        changed[name] = value;
        verifier(&key, None).open(&response(&signed(&key, &changed)), NOW).err()
    };
    let audience = |found: &str| Some(UnprovenResponse::Audience(found.to_owned()));
    for (name, value, error) in [
        ("aud", json!(["c"]), None),
        ("aud", json!(["c", "other"]), audience(r#"["c","other"]"#)),
        ("aud", json!(["other"]), audience(r#"["other"]"#)),
        ("aud", json!("other"), audience(r#""other""#)),
        ("aud", json!(null), audience("null")),
        (
            "iss",
            json!("https://evil.example"),
            Some(UnprovenResponse::Issuer("https://evil.example".into())),
        ),
        ("iss", json!(null), Some(UnprovenResponse::Issuer(String::new()))),
        ("exp", json!(null), Some(UnprovenResponse::NoExpiry)),
        ("exp", json!(NOW.0 - 60), None),
        ("exp", json!(NOW.0 - 61), Some(UnprovenResponse::Expired(61))),
    ] {
        assert_eq!(open(name, value.clone()), error, "{name} {value}");
    }
}

#[test]
fn a_response_without_a_jwt_or_with_two_is_not_believed() {
    let key = SigningKey::generate_p256().unwrap();
    let verifier = verifier(&key, None);
    let jwt = signed(&key, &claims());
    let open = |query: &str| verifier.open(&Params::parse(query), NOW).err();
    assert_eq!(open("code=x&state=s"), Some(UnprovenResponse::NotSigned));
    assert!(matches!(
        open(&format!("response={jwt}&response={jwt}")),
        Some(UnprovenResponse::Repeated(_))
    ));
    assert_eq!(open("response=x"), Some(UnprovenResponse::Jwt(JwtError::Segments)));
}

#[test]
fn an_hmac_proves_that_the_issuer_knows_the_secret() {
    let key = SigningKey::generate_p256().unwrap();
    let secret = Secret::from(SECRET);
    let jwt = sign_with_secret(&secret, JwtType::Jwt, HmacAlgorithm::Hs256, &claims()).unwrap();
    let jwt = response(jwt.expose());
    assert!(verifier(&key, Some(SECRET)).open(&jwt, NOW).is_ok());
    for other in [None, Some("another secret")] {
        let unproven = verifier(&key, other).open(&jwt, NOW).err();
        assert_eq!(unproven, Some(UnprovenResponse::Hmac), "{other:?}");
    }
    let critical = signing_input(&json!({ "alg": "HS256", "crit": ["x"] }), &claims());
    let critical = format!("{critical}.{}", base64url(b"signature"));
    assert_eq!(
        verifier(&key, Some(SECRET)).open(&response(&critical), NOW).err(),
        Some(UnprovenResponse::Signature(SignatureError::Critical))
    );
}

#[test]
fn what_a_response_claims_is_read_where_only_its_key_is_missing() {
    let (key, other) = (
        SigningKey::generate_p256().unwrap(),
        SigningKey::generate_p256().unwrap(),
    );
    let mut without_keys = verifier(&key, None);
    without_keys.keys = JwkSet::parse(br#"{"keys":[]}"#).unwrap();
    let claimed = |verifier: &SignedResponseVerifier, jwt: &str| {
        let claimed = verifier.claimed_with_unknown_key(&response(jwt), NOW);
        claimed.map(|params| params.encode().expose().to_owned())
    };
    let jwt = signed(&key, &claims());
    assert_eq!(
        claimed(&without_keys, &jwt).as_deref(),
        Some("code=x&iss=https%3A%2F%2Fas.example&state=s")
    );
    let mut of_another_issuer = claims();
    of_another_issuer["iss"] = json!("https://evil.example");
    assert_eq!(claimed(&without_keys, &signed(&key, &of_another_issuer)), None);
    // The key is there: either the signature holds, or it is of someone else
    assert_eq!(claimed(&verifier(&key, None), &jwt), None);
    assert_eq!(claimed(&verifier(&key, None), &signed(&other, &claims())), None);
}
