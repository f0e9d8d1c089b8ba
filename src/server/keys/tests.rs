//! What is signed, and what verifies.

use super::pair::Keys;
use super::rsa::RSA_BITS;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::signing::JwtType;
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
    let header = keys.es256.header(JwtType::Jwt).unwrap();
    let other_kind = keys.es256.key.sign_jwt(&header, &json!({"sub": "demo"})).unwrap();
    assert!(keys.verify_access_token(other_kind.expose()).is_none());
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
