//! The examples of RFC 7515, RFC 7520 and RFC 8037, and keys and tokens that prove nothing.

mod hostile;

use super::*;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::jose::{UnverifiedJwt, signing_input};
use crate::protocol::json::parse_object;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Map, Value, json};

/// RFC 7515 §A.2.1, §A.3.1: the payload of all examples.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515 §A.2.1.
const RS256_SIGNATURE: &str = concat!(
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU",
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d",
    "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig",
    "cN_IoypGlUPQGe77Rw"
);

fn rs256_key() -> Value {
    json!({"kty": "RSA", "e": "AQAB", "n": concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd",
        "2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W",
        "TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9",
        "1kzk2PAcDTW9gb54h4FRWyuXpoQ"
    )})
}

/// RFC 7515 §A.3.1.
fn es256_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    })
}

const ES256_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// RFC 8037 §A.2.
fn ed25519_key() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn rs256_token() -> String {
    format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{RS256_SIGNATURE}")
}

fn es256_token() -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{ES256_SIGNATURE}")
}

fn set_of(keys: &[Value]) -> JwkSet {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// A JWS whose payload need not be JSON.
fn jws(compact: &str) -> UnverifiedJwt {
    let (input, signature) = compact.rsplit_once('.').unwrap();
    let header = from_base64url(input.split('.').next().unwrap()).unwrap();
    UnverifiedJwt {
        header: parse_object(&header).unwrap(),
        claims: Map::new(),
        signing_input: input.to_owned(),
        signature: from_base64url(signature).unwrap(),
    }
}

fn verify(keys: &[Value], compact: &str) -> Result<String, SignatureError> {
    set_of(keys).verify(&jws(compact)).map(|verified| verified.to_string())
}

fn with(mut key: Value, member: &str, value: Value) -> Value {
    key[member] = value;
    key
}

/// RFC 7520 §3.4, with the private part.
struct RsaSigner {
    pair: RsaKeyPair,
    jwk: Value,
}

impl RsaSigner {
    fn new() -> Self {
        let number = |text: &str| rsa::BigUint::from_bytes_be(&from_base64url(text).unwrap());
        let key = rsa::RsaPrivateKey::from_p_q(
            number(concat!(
                "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvu",
                "IAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k"
            )),
            number(concat!(
                "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2",
                "lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc"
            )),
            number("AQAB"),
        )
        .unwrap();
        let document = key.to_pkcs8_der().unwrap();
        RsaSigner {
            pair: RsaKeyPair::from_pkcs8(document.as_bytes()).unwrap(),
            jwk: json!({"kty": "RSA", "e": "AQAB", "n": base64url(&key.n().to_bytes_be())}),
        }
    }

    fn token(&self, algorithm: &str) -> String {
        let padding: &dyn signature::RsaEncoding = match algorithm {
            "RS256" => &signature::RSA_PKCS1_SHA256,
            "RS384" => &signature::RSA_PKCS1_SHA384,
            "RS512" => &signature::RSA_PKCS1_SHA512,
            "PS256" => &signature::RSA_PSS_SHA256,
            "PS384" => &signature::RSA_PSS_SHA384,
            _ => &signature::RSA_PSS_SHA512,
        };
        let input = signing_input(&json!({"alg": algorithm}), &json!({"sub": "a"}));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(padding, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .unwrap();
        format!("{input}.{}", base64url(&signature))
    }
}

#[test]
fn the_examples_of_the_specifications() {
    assert_eq!(verify(&[rs256_key()], &rs256_token()), Ok("RS256".into()));
    assert_eq!(verify(&[es256_key()], &es256_token()), Ok("ES256".into()));
    let rfc_8037 = concat!(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    assert_eq!(verify(&[ed25519_key()], rfc_8037), Ok("EdDSA".into()));
    // RFC 7520 §3.1, §4.3.
    let es512_key = json!({
        "kty": "EC", "crv": "P-521", "kid": "bilbo.baggins@hobbiton.example", "use": "sig",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"
    });
    let es512_token = concat!(
        "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.",
        "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwg",
        "YW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9m",
        "ZiB0by4.",
        "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMD",
        "xXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"
    );
    assert_eq!(
        verify(std::slice::from_ref(&es512_key), es512_token),
        Ok("ES512 with key \"bilbo.baggins@hobbiton.example\"".into())
    );
    let (input, signature) = es512_token.rsplit_once('.').unwrap();
    let mut flipped = from_base64url(signature).unwrap();
    flipped[7] ^= 1;
    for bad in [
        format!("{input}.{}", base64url(&flipped)),
        format!("{input}x.{signature}"),
        format!("{input}."),
    ] {
        let verdict = verify(std::slice::from_ref(&es512_key), &bad);
        assert_eq!(verdict, Err(SignatureError::Mismatch { keys: 1 }), "{bad}");
    }
    // RFC 7520 §4.2.
    let rfc_7520 = concat!(
        "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.",
        "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwg",
        "YW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9m",
        "ZiB0by4.",
        "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OL",
        "PpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shn",
        "r2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6",
        "oD4ifKo8DYM-X72Eaw"
    );
    let key = with(RsaSigner::new().jwk, "kid", json!("bilbo.baggins@hobbiton.example"));
    assert_eq!(
        verify(&[key], rfc_7520),
        Ok("PS384 with key \"bilbo.baggins@hobbiton.example\"".into())
    );
}

#[test]
fn every_algorithm_verifies_what_was_signed_and_nothing_else() {
    let system_random = SystemRandom::new();
    let rsa = RsaSigner::new();
    let algorithm = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &system_random).unwrap();
    let p384 = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &system_random).unwrap();
    let point = p384.public_key().as_ref();
    let p384_key = json!({"kty": "EC", "crv": "P-384", "x": base64url(&point[1..49]), "y": base64url(&point[49..])});
    let document = Ed25519KeyPair::generate_pkcs8(&system_random).unwrap();
    let edwards = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let edwards_key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(edwards.public_key().as_ref())});
    let input = |algorithm: &str| signing_input(&json!({"alg": algorithm}), &json!({"sub": "a"}));
    let es384 = input("ES384");
    let signature = p384.sign(&system_random, es384.as_bytes()).unwrap();
    let mut cases = vec![("ES384", p384_key, format!("{es384}.{}", base64url(signature.as_ref())))];
    for name in ["EdDSA", "Ed25519"] {
        let signature = edwards.sign(input(name).as_bytes());
        let token = format!("{}.{}", input(name), base64url(signature.as_ref()));
        cases.push((name, edwards_key.clone(), token));
    }
    for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        cases.push((name, rsa.jwk.clone(), rsa.token(name)));
    }
    for (name, key, token) in &cases {
        assert_eq!(verify(std::slice::from_ref(key), token), Ok((*name).into()), "{name}");
        let (input, signature) = token.rsplit_once('.').unwrap();
        let header = input.split('.').next().unwrap();
        let mut flipped = from_base64url(signature).unwrap();
        flipped[7] ^= 1;
        for (what, bad) in [
            (
                "claims",
                format!("{header}.{}.{signature}", base64url(br#"{"sub":"b"}"#)),
            ),
            ("signature", format!("{input}.{}", base64url(&flipped))),
            ("no signature", format!("{input}.")),
            ("short signature", format!("{input}.{}", base64url(&flipped[..5]))),
        ] {
            let verdict = verify(std::slice::from_ref(key), &bad);
            assert_eq!(verdict, Err(SignatureError::Mismatch { keys: 1 }), "{name} {what}");
        }
    }
    // One RSA key and another padding or hash: the header says which, and only that is tried.
    let (input, _) = rsa
        .token("RS256")
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    for name in ["RS384", "PS256"] {
        let (_, signature) = rsa
            .token(name)
            .rsplit_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let verdict = verify(std::slice::from_ref(&rsa.jwk), &format!("{input}.{signature}"));
        assert_eq!(verdict, Err(SignatureError::Mismatch { keys: 1 }), "{name}");
    }
}

#[test]
fn algorithms_that_a_published_key_cannot_prove() {
    let keys = [rs256_key(), es256_key(), ed25519_key()];
    for (alg, shown) in [
        (json!("none"), "none"),
        (json!("None"), "None"),
        (json!(null), "none"),
        (json!(7), "none"),
        (json!("HS256"), "HS256"),
        (json!("HS512"), "HS512"),
        (json!("ES256K"), "ES256K"),
        (json!("rs256"), "rs256"),
        (json!(""), ""),
    ] {
        let token = format!("{}.{RS256_SIGNATURE}", signing_input(&json!({"alg": alg}), &json!({})));
        assert_eq!(
            verify(&keys, &token),
            Err(SignatureError::Algorithm(shown.into())),
            "{alg}"
        );
    }
    // RFC 7515 §A.1 and §A.5.
    let hs256 =
        format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(verify(&keys, &hs256), Err(SignatureError::Algorithm("HS256".into())));
    let unsecured = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    assert_eq!(verify(&keys, &unsecured), Err(SignatureError::Algorithm("none".into())));
}

#[test]
fn the_key_comes_from_the_set_and_never_from_the_token() {
    let system_random = SystemRandom::new();
    let document = Ed25519KeyPair::generate_pkcs8(&system_random).unwrap();
    let attacker = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let own_key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(attacker.public_key().as_ref())});
    for header in [
        json!({"alg": "EdDSA", "jwk": own_key}),
        json!({"alg": "EdDSA", "jku": "https://evil.example/jwks"}),
    ] {
        let input = signing_input(&header, &json!({"sub": "admin"}));
        let token = format!("{input}.{}", base64url(attacker.sign(input.as_bytes()).as_ref()));
        assert_eq!(
            verify(&[ed25519_key()], &token),
            Err(SignatureError::Mismatch { keys: 1 }),
            "{header}"
        );
    }
    let input = signing_input(&json!({"alg": "EdDSA", "crit": ["x"], "x": 1}), &json!({}));
    let token = format!("{input}.{}", base64url(attacker.sign(input.as_bytes()).as_ref()));
    assert_eq!(verify(&[own_key], &token), Err(SignatureError::Critical));
}

#[test]
fn the_key_id_selects_and_without_one_every_fitting_key_is_tried() {
    let signer = RsaSigner::new();
    let named = |key: Value, key_id: &str| with(key, "kid", json!(key_id));
    // No kid in the token: the third key is the right one.
    let keys = [named(rs256_key(), "a"), es256_key(), named(signer.jwk.clone(), "b")];
    assert_eq!(verify(&keys, &signer.token("PS256")), Ok("PS256 with key \"b\"".into()));
    assert_eq!(
        verify(&[rs256_key(), rs256_key()], &signer.token("RS256")),
        Err(SignatureError::Mismatch { keys: 2 })
    );
    let with_key_id = |key_id: Value| {
        let input = signing_input(&json!({"alg": "RS256", "kid": key_id}), &json!({}));
        let mut signature = vec![0; 256];
        signer
            .pair
            .sign(
                &signature::RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{input}.{}", base64url(&signature))
    };
    assert_eq!(
        verify(&keys, &with_key_id(json!("b"))),
        Ok("RS256 with key \"b\"".into())
    );
    assert_eq!(
        verify(&keys, &with_key_id(json!("a"))),
        Err(SignatureError::Mismatch { keys: 1 })
    );
    let no_key = |key_id: &str| SignatureError::NoKey {
        algorithm: "RS256",
        key_id: Some(key_id.into()),
    };
    assert_eq!(verify(&keys, &with_key_id(json!("c"))), Err(no_key("c")));
    // A key without a name may be the one that is meant, and a wrong one of them is not.
    assert_eq!(
        verify(&[rs256_key(), signer.jwk.clone()], &with_key_id(json!("b"))),
        Ok("RS256".into())
    );
    assert_eq!(verify(&[rs256_key()], &with_key_id(json!("b"))), Err(no_key("b")));
    assert_eq!(verify(&keys, &with_key_id(json!(7))), Err(SignatureError::KeyIdType));
    // Two keys of one name: both are tried.
    let twins = [named(rs256_key(), "b"), named(signer.jwk.clone(), "b")];
    assert!(verify(&twins, &with_key_id(json!("b"))).is_ok());
}

#[test]
fn a_key_serves_the_algorithm_and_the_use_that_it_names() {
    let token = rs256_token();
    let unusable = |member: &str, value: Value| {
        let set = set_of(&[with(rs256_key(), member, value)]);
        set.unusable().first().map(|key| key.problem.clone())
    };
    assert!(verify(&[with(rs256_key(), "alg", json!("RS256"))], &token).is_ok());
    assert!(verify(&[with(rs256_key(), "use", json!("sig"))], &token).is_ok());
    assert!(verify(&[with(rs256_key(), "key_ops", json!(["verify"]))], &token).is_ok());
    assert_eq!(
        verify(&[with(rs256_key(), "alg", json!("PS256"))], &token),
        Err(SignatureError::NoKey {
            algorithm: "RS256",
            key_id: None
        })
    );
    assert_eq!(unusable("use", json!("enc")), Some(KeyProblem::OtherUse));
    assert_eq!(unusable("key_ops", json!(["encrypt"])), Some(KeyProblem::OtherUse));
    assert_eq!(unusable("kid", json!(7)), Some(KeyProblem::Member("kid")));
    assert_eq!(unusable("d", json!("AQ")), Some(KeyProblem::PrivatePart));
}

#[test]
fn a_sign_octet_before_the_modulus_is_taken() {
    let octets = from_base64url(rs256_key()["n"].as_str().unwrap()).unwrap();
    let key = with(rs256_key(), "n", json!(base64url(&[&[0], &octets[..]].concat())));
    assert!(verify(&[key], &rs256_token()).is_ok());
}
