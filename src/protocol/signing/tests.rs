//! Keys in every form that is taken, the examples of the specifications, and
//! every algorithm against the verification of `jwks`.

use super::*;
use crate::protocol::abnf::base64url;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::JwkSet;
use crate::secret::Secret;
use serde_json::{Value, json};

const RSA_JWK: &str = include_str!("test_keys/rsa.jwk");
const RSA_PKCS1: &str = include_str!("test_keys/rsa.pkcs1.pem");
const RSA_PKCS8: &str = include_str!("test_keys/rsa.pkcs8.pem");
const P256_SEC1: &str = include_str!("test_keys/p256.sec1.pem");
const P256_PKCS8: &str = include_str!("test_keys/p256.pkcs8.pem");
const P384_SEC1: &str = include_str!("test_keys/p384.sec1.pem");
const P384_PKCS8: &str = include_str!("test_keys/p384.pkcs8.pem");
const ED25519_PKCS8: &str = include_str!("test_keys/ed25519.pkcs8.pem");

/// RFC 7515 §A.3.1.
const P256_JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// RFC 8037 §A.1.
const ED25519_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn key(text: &str) -> SigningKey {
    SigningKey::parse(text).unwrap()
}

fn with(jwk: &str, member: &str, value: Value) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    match value {
        Value::Null => {
            jwk.as_object_mut().unwrap().remove(member);
        }
        value => jwk[member] = value,
    }
    jwk.to_string()
}

/// The JWK set that a server publishes for the key.
fn published(key: &SigningKey) -> JwkSet {
    let mut jwk = key.public_jwk().to_json();
    jwk.insert("kid".into(), json!(key.key_id()));
    JwkSet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap()
}

fn header<'a>(alg: SigningAlgorithm, kid: &'a str) -> JwsHeader<'a> {
    JwsHeader {
        typ: JwtType::Jwt,
        alg,
        kid: Some(kid),
        jwk: None,
        certificate: None,
    }
}

#[test]
fn the_same_key_is_read_from_every_form() {
    for forms in [
        &[RSA_JWK, RSA_PKCS1, RSA_PKCS8][..],
        &[P256_JWK, P256_SEC1, P256_PKCS8],
        &[P384_SEC1, P384_PKCS8],
        &[ED25519_JWK, ED25519_PKCS8],
    ] {
        let first = key(forms[0]);
        for form in forms {
            let read = key(form);
            assert_eq!(read.public_jwk(), first.public_jwk(), "{form}");
            assert_eq!(read.to_private_jwk().expose(), first.to_private_jwk().expose());
            let windows = form.replace('\n', "\r\n");
            assert_eq!(key(&windows).public_jwk(), first.public_jwk(), "{windows}");
            let after_a_certificate = format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{form}");
            if !form.starts_with('{') {
                assert_eq!(key(&after_a_certificate).public_jwk(), first.public_jwk());
            }
        }
    }
}

#[test]
fn a_key_that_is_kept_is_read_back_with_its_name_and_algorithm() {
    let named = with(&with(RSA_JWK, "kid", json!("mine")), "alg", json!("PS256"));
    let again = key(key(&named).to_private_jwk().expose());
    assert_eq!(again.key_id(), "mine");
    assert_eq!(again.algorithms(), [SigningAlgorithm::Ps256]);
    let generated = SigningKey::generate_p256().unwrap();
    let again = key(generated.to_private_jwk().expose());
    assert_eq!(again.public_jwk(), generated.public_jwk());
    assert_eq!(again.key_id(), generated.public_jwk().thumbprint());
    let renamed = key(again.with_key_id("a \"name\"").to_private_jwk().expose());
    assert_eq!(renamed.key_id(), "a \"name\"");
}

#[test]
fn thumbprints_of_rfc_7638_rfc_8037_and_rfc_9449() {
    let modulus = concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn",
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q",
        "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awap",
        "JzKnqDKgw"
    );
    let rfc_7638 = PublicJwk::Rsa {
        modulus: modulus.into(),
        exponent: "AQAB".into(),
    };
    assert_eq!(rfc_7638.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let rfc_8037 = key(ED25519_JWK);
    assert_eq!(
        rfc_8037.public_jwk().thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    let rfc_9449 = PublicJwk::EllipticCurve {
        curve: "P-256",
        x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".into(),
        y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".into(),
    };
    assert_eq!(rfc_9449.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn signatures_of_rfc_7515_and_rfc_8037() {
    let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signed = |text: &str, algorithm, input: &str| base64url(&key(text).sign(algorithm, input.as_bytes()).unwrap());
    // §A.2.1: RS256 has one signature for one input.
    assert_eq!(
        signed(
            RSA_JWK,
            SigningAlgorithm::Rs256,
            &format!("eyJhbGciOiJSUzI1NiJ9.{payload}")
        ),
        concat!(
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7",
            "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi1",
            "2jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGl",
            "UPQGe77Rw"
        )
    );
    // RFC 8037 §A.4.
    assert_eq!(
        signed(
            ED25519_JWK,
            SigningAlgorithm::EdDsa,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        ),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn the_example_proof_of_rfc_9449_is_written_alike_and_verifies() {
    // §4.1, Figure 2: our header and claims of the same values, up to the order of members.
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo",
        "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJq",
        "dGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0Ijox",
        "NTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    );
    let proof = UnverifiedJwt::decode(proof).unwrap();
    let set = json!({"keys": [proof.header["jwk"]]}).to_string();
    assert!(JwkSet::parse(set.as_bytes()).unwrap().verify(&proof).is_ok());
    let public = PublicJwk::EllipticCurve {
        curve: "P-256",
        x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".into(),
        y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".into(),
    };
    let ours = JwsHeader {
        typ: JwtType::DpopProof,
        alg: SigningAlgorithm::Es256,
        kid: None,
        jwk: Some(&public),
        certificate: None,
    };
    assert_eq!(serde_json::to_value(ours).unwrap(), Value::Object(proof.header));
}

#[test]
fn every_algorithm_signs_what_its_public_key_verifies() {
    for text in [RSA_JWK, P256_JWK, P384_SEC1, ED25519_JWK] {
        let key = key(text);
        for algorithm in key.algorithms() {
            let name = key.key_id();
            let header = header(*algorithm, &name).encode().unwrap();
            let token = key.sign_jwt(&header, &json!({"sub": "a"})).unwrap();
            let jwt = UnverifiedJwt::decode(token.expose()).unwrap();
            assert_eq!(
                Value::Object(jwt.header.clone()),
                json!({"typ": "JWT", "alg": algorithm.as_str(), "kid": name})
            );
            assert_eq!(Value::Object(jwt.claims.clone()), json!({"sub": "a"}));
            let set = published(&key);
            assert_eq!(set.verify(&jwt).unwrap().algorithm, algorithm.as_str());
        }
    }
}

#[test]
fn a_shared_secret_signs_with_hmac() {
    // The key of RFC 7515 §A.1 is octets, a client secret is characters: computed with another program.
    let token = sign_with_secret(
        &Secret::from("a-shared-secret-of-32-bytes-or-more!"),
        JwtType::ClientAuthentication,
        HmacAlgorithm::Hs256,
        &json!({"iss": "joe"}),
    )
    .unwrap();
    assert_eq!(
        token.expose(),
        concat!(
            "eyJ0eXAiOiJjbGllbnQtYXV0aGVudGljYXRpb24rand0IiwiYWxnIjoiSFMyNTYifQ.eyJpc3MiOiJqb2UifQ.",
            "u2MYWYIESVEaAYvLlgdQ-n3gqcc4TpoItxH-CZ0KvO4"
        )
    );
}

#[test]
fn the_algorithm_is_the_usual_one_unless_the_server_lists_others() {
    let chosen = |text: &str, listed: &[&str]| {
        let listed: Vec<String> = listed.iter().map(|name| (*name).to_owned()).collect();
        key(text).algorithm_for_server(&listed).as_str()
    };
    assert_eq!(chosen(RSA_JWK, &[]), "RS256");
    assert_eq!(chosen(RSA_JWK, &["PS256", "RS256"]), "RS256");
    assert_eq!(chosen(RSA_JWK, &["ES256", "PS256"]), "PS256");
    assert_eq!(chosen(RSA_JWK, &["PS512"]), "PS512");
    assert_eq!(chosen(RSA_JWK, &["ES256"]), "RS256");
    assert_eq!(chosen(&with(RSA_JWK, "alg", json!("PS384")), &["RS256"]), "PS384");
    assert_eq!(chosen(P384_SEC1, &["ES256"]), "ES384");
    assert_eq!(chosen(ED25519_JWK, &[]), "EdDSA");
    assert_eq!(chosen(ED25519_JWK, &["Ed25519"]), "Ed25519");
    let hmac = |listed: &str| HmacAlgorithm::for_server(&[listed.to_owned()]).as_str();
    assert_eq!(
        (hmac("HS512"), hmac("RS256"), hmac("HS256")),
        ("HS512", "HS256", "HS256")
    );
}

#[test]
fn a_key_does_not_sign_with_the_algorithm_of_another() {
    let key = key(P256_JWK);
    let header = header(SigningAlgorithm::Rs256, "x").encode().unwrap();
    assert_eq!(
        key.sign_jwt(&header, &json!({})).err(),
        Some(SigningError::Algorithm("RS256"))
    );
}

#[test]
fn what_cannot_be_taken_is_named() {
    let x = json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let small = base64url(&[0xff; 128]);
    let large = base64url(&[0xff; 1024]);
    for (text, error) in [
        (String::new(), SigningKeyError::NotAKey),
        ("-----BEGIN PRIVATE KEY-----".into(), SigningKeyError::NotAKey),
        (
            include_str!("test_keys/p256.public.pem").into(),
            SigningKeyError::OtherPem("PUBLIC KEY".into()),
        ),
        (
            include_str!("test_keys/p256.pkcs8.encrypted.pem").into(),
            SigningKeyError::Encrypted,
        ),
        (
            include_str!("test_keys/p256.sec1.encrypted.pem").into(),
            SigningKeyError::Encrypted,
        ),
        (
            include_str!("test_keys/p521.pkcs8.pem").into(),
            SigningKeyError::Unsupported("OID 1.3.132.0.35".into()),
        ),
        (
            include_str!("test_keys/p256.without-public.pem").into(),
            SigningKeyError::WithoutPublicPart,
        ),
        (P256_PKCS8.replace("MIGH", "MIGI"), SigningKeyError::Malformed),
        (P256_PKCS8.replace("MIGH", "!"), SigningKeyError::Malformed),
        (with(P256_JWK, "y", x.clone()), SigningKeyError::Inconsistent),
        (with(P256_JWK, "d", Value::Null), SigningKeyError::PublicOnly),
        (with(P256_JWK, "d", json!(7)), SigningKeyError::Member("d")),
        (with(P256_JWK, "x", json!("AA")), SigningKeyError::Member("d, x or y")),
        (
            with(P256_JWK, "crv", json!("P-521")),
            SigningKeyError::Unsupported("P-521".into()),
        ),
        (with(P256_JWK, "kty", Value::Null), SigningKeyError::Member("kty")),
        (with(P256_JWK, "use", json!("enc")), SigningKeyError::OtherUse),
        (with(P256_JWK, "key_ops", json!(["verify"])), SigningKeyError::OtherUse),
        (
            with(P256_JWK, "alg", json!("RS256")),
            SigningKeyError::Algorithm("RS256".into()),
        ),
        (with(RSA_JWK, "p", Value::Null), SigningKeyError::RsaWithoutPrimes),
        (with(RSA_JWK, "d", Value::Null), SigningKeyError::PublicOnly),
        (with(RSA_JWK, "p", json!("AQAB")), SigningKeyError::Inconsistent),
        (with(RSA_JWK, "n", json!(small)), SigningKeyError::RsaTooSmall(1024)),
        (with(RSA_JWK, "n", json!(large)), SigningKeyError::RsaTooLarge(8192)),
        (
            with(ED25519_JWK, "crv", json!("X25519")),
            SigningKeyError::Unsupported("X25519".into()),
        ),
        (with(ED25519_JWK, "d", json!("AA")), SigningKeyError::Malformed),
        (r#"{"kty":"oct","k":"c2VjcmV0"}"#.into(), SigningKeyError::Symmetric),
        (format!(r#"{{"keys":[{P256_JWK}]}}"#), SigningKeyError::KeySet),
    ] {
        assert_eq!(SigningKey::parse(&text).err(), Some(error), "{text}");
    }
    assert!(matches!(SigningKey::parse("{").err(), Some(SigningKeyError::Json(_))));
    let truncated = &P256_PKCS8.replace('\n', "")[..];
    for end in 0..truncated.len() {
        let _ = SigningKey::parse(&truncated[..end]);
    }
}

#[test]
fn an_ed25519_public_part_that_is_not_of_the_private_one_is_refused() {
    let x = json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    assert_eq!(
        SigningKey::parse(&with(ED25519_JWK, "x", x)).err(),
        Some(SigningKeyError::Inconsistent)
    );
}

#[test]
fn debug_shows_no_private_part() {
    let shown = format!("{:?}", key(P256_JWK));
    assert!(shown.contains("f83OJ3D2") && !shown.contains("jpsQnnGQ"), "{shown}");
}
