//! What is signed, and what verifies.

use super::jws::{encode_header, push_signature, signing_input, thumbprint};
use super::pair::Keys;
use super::rsa::RSA_BITS;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::server::test_randomness::FixedRng;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

#[test]
fn access_tokens_verify_and_nothing_else_does() {
    let keys = Keys::generate().unwrap();
    let token = keys.sign_access_token(&json!({"sub": "demo"})).unwrap();
    let token = token.expose();
    assert_eq!(keys.verify_access_token(token).unwrap()["sub"], "demo");
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let other_claims = base64url(br#"{"sub":"mallory"}"#);
    let header_with = |header: &str| base64url(header.as_bytes());
    for bad in [
        String::new(),
        "..".into(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}.{other_claims}.{signature}"),
        format!("{}.{claims}.", header_with(r#"{"alg":"none"}"#)),
        format!("{}.{claims}.{signature}", header_with(r#"{"typ":"JWT","alg":"ES256"}"#)),
        format!(
            "{}.{claims}.{signature}",
            header_with(r#"{"typ":"at+jwt","alg":"HS256"}"#)
        ),
        format!("{token}="),
        format!("{token}.x"),
    ] {
        assert!(keys.verify_access_token(&bad).is_none(), "{bad}");
    }
    // Well signed, but another kind of JWT.
    let mut other_kind = signing_input(
        &encode_header("JWT", "ES256", keys.es256_jwk["kid"].as_str().unwrap()),
        &json!({"sub": "demo"}),
    )
    .unwrap();
    let signature = keys.es256.sign(&keys.system_random, other_kind.as_bytes()).unwrap();
    push_signature(&mut other_kind, signature.as_ref());
    assert!(keys.verify_access_token(&other_kind).is_none());
    assert!(
        Keys::generate().unwrap().verify_access_token(token).is_none(),
        "a key of another run"
    );
}

#[test]
fn id_tokens_verify_with_the_published_key_and_are_no_access_tokens() {
    let keys = Keys::generate().unwrap();
    assert!(!keys.has_rs256());
    let token = keys
        .sign_id_token(&mut FixedRng::default(), &json!({"sub": "demo"}))
        .unwrap();
    let token = token.expose();
    assert!(keys.verify_access_token(token).is_none());
    assert!(keys.is_id_token(token));
    let set = keys.jwk_set(&mut FixedRng::default()).unwrap();
    let [es256, rs256] = [&set["keys"][0], &set["keys"][1]];
    assert_eq!((&es256["alg"], &rs256["alg"]), (&json!("ES256"), &json!("RS256")));
    assert!(
        rs256.get("d").is_none() && es256.get("d").is_none(),
        "public parts only"
    );
    let octets = |name: &str| from_base64url(rs256[name].as_str().unwrap()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&from_base64url(input.split_once('.').unwrap().0).unwrap()).unwrap();
    assert_eq!(header, json!({"typ": "JWT", "alg": "RS256", "kid": rs256["kid"]}));
    assert_eq!(octets("n").len() * 8, RSA_BITS);
    RsaPublicKeyComponents {
        n: octets("n"),
        e: octets("e"),
    }
    .verify(
        &RSA_PKCS1_2048_8192_SHA256,
        input.as_bytes(),
        &from_base64url(signature).unwrap(),
    )
    .unwrap();
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
    let canonical = concat!(
        r#"{"e":"AQAB","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxu"#,
        r#"hDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz"#,
        r#"qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"#,
        r#"XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#
    );
    assert_eq!(thumbprint(canonical), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}
