//! Keys and sets that prove nothing, and do no harm.

use super::*;
use crate::protocol::json::JsonError;
use crate::protocol::jwks::set::{MAX_KEYS, MAX_SET_BYTES};

#[test]
fn hostile_keys_are_told_and_do_not_spoil_the_others() {
    let modulus = |bits: usize| {
        let mut octets = vec![0xff; bits / 8];
        octets[0] = 0x80;
        base64url(&octets)
    };
    let rsa = |n: String, e: &str| json!({"kty": "RSA", "n": n, "e": e});
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let cases = [
        (json!("key"), KeyProblem::NotAnObject),
        (json!({}), KeyProblem::Member("kty")),
        (json!({"kty": 7}), KeyProblem::Member("kty")),
        (json!({"kty": "AKP"}), KeyProblem::KeyType("AKP".into())),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), KeyProblem::PrivatePart),
        (rsa(modulus(1024), "AQAB"), KeyProblem::RsaTooSmall(1024)),
        (rsa(modulus(2040), "AQAB"), KeyProblem::RsaTooSmall(2040)),
        (rsa(modulus(8200), "AQAB"), KeyProblem::RsaTooLarge(8200)),
        (rsa(String::new(), "AQAB"), KeyProblem::RsaTooSmall(0)),
        (rsa("AAAA".repeat(1000), "AQAB"), KeyProblem::RsaTooSmall(0)),
        (rsa("=".into(), "AQAB"), KeyProblem::Member("n")),
        (rsa(modulus(2048), "AQ"), KeyProblem::Member("e")),
        (rsa(modulus(2048), "Ag"), KeyProblem::Member("e")),
        (rsa(modulus(2048), ""), KeyProblem::Member("e")),
        (rsa(modulus(2048), "AQAAAAAB"), KeyProblem::Member("e")),
        (json!({"kty": "RSA", "e": "AQAB"}), KeyProblem::Member("n")),
        (json!({"kty": "EC", "x": x, "y": x}), KeyProblem::Member("crv")),
        (
            json!({"kty": "EC", "crv": "secp256k1", "x": x, "y": x}),
            KeyProblem::Curve("secp256k1".into()),
        ),
        (
            json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
            KeyProblem::Member("x"),
        ),
        (
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": "AA"}),
            KeyProblem::Member("y"),
        ),
        (
            json!({"kty": "OKP", "crv": "X25519", "x": x}),
            KeyProblem::Curve("X25519".into()),
        ),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
            KeyProblem::Member("x"),
        ),
    ];
    let mut keys: Vec<Value> = cases.iter().map(|(key, _)| key.clone()).collect();
    keys.push(es256_key());
    let set = set_of(&keys);
    for ((key, problem), told) in cases.iter().zip(set.unusable()) {
        assert_eq!(&told.problem, problem, "{key}");
    }
    assert_eq!((set.unusable().len(), set.keys().len()), (cases.len(), 1));
    assert!(set.verify(&jws(&es256_token())).is_ok());
    // A point that is not on the curve, and a modulus that is not a product of two primes: no panic, no proof.
    let off_curve = json!({"kty": "EC", "crv": "P-256", "x": x, "y": x});
    assert_eq!(
        verify(&[off_curve], &es256_token()),
        Err(SignatureError::Mismatch { keys: 1 })
    );
    assert_eq!(
        verify(&[rsa(modulus(2048), "AQAB")], &rs256_token()),
        Err(SignatureError::Mismatch { keys: 1 })
    );
}

#[test]
fn text_that_is_no_set_or_too_large() {
    for (bad, error) in [
        ("{}", JwkSetError::NoKeys),
        (r#"{"keys":{}}"#, JwkSetError::NoKeys),
        ("[]", JwkSetError::Json(JsonError::NotAnObject)),
    ] {
        assert_eq!(JwkSet::parse(bad.as_bytes()).err(), Some(error), "{bad}");
    }
    assert!(matches!(JwkSet::parse(b"<html>").err(), Some(JwkSetError::Json(_))));
    let twice = br#"{"keys":[],"keys":[]}"#;
    assert!(matches!(JwkSet::parse(twice).err(), Some(JwkSetError::Json(_))));
    let many = json!({"keys": vec![es256_key(); MAX_KEYS + 1]}).to_string();
    assert_eq!(
        JwkSet::parse(many.as_bytes()).err(),
        Some(JwkSetError::TooManyKeys(MAX_KEYS + 1))
    );
    let long = format!("{{\"keys\":[],\"x\":\"{}\"}}", "a".repeat(MAX_SET_BYTES));
    assert_eq!(JwkSet::parse(long.as_bytes()).err(), Some(JwkSetError::TooLong));
    assert!(JwkSet::parse(br#"{"keys":[]}"#).unwrap().keys().is_empty());
}
