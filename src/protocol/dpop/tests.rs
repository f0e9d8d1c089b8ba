//! Proofs against the examples of RFC 9449, and proofs that prove nothing.

use super::received::{PROOF_ALGORITHMS, ReceivedProof};
use super::*;
use crate::protocol::jose::UnverifiedJwt;
use serde_json::{Value, json};

/// Draws a new octet each time.
struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
        self.0 = self.0.wrapping_add(1);
        buffer.fill(self.0);
        Ok(())
    }
}

/// RFC 9449 §4.1, figure 1.
const EXAMPLE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn target<'a>(url: &'a Url) -> ProofTarget<'a> {
    ProofTarget {
        method: "POST",
        url,
        access_token: None,
        nonce: None,
    }
}

fn proof(key: &DpopKey, target: &ProofTarget<'_>) -> Secret {
    key.proof(target, UnixSeconds(1_000_000), &mut Counting(0)).unwrap()
}

#[test]
fn the_example_of_rfc_9449_is_verified_with_its_claims_and_the_thumbprint_of_section_6() {
    let proof = ReceivedProof::decode(EXAMPLE).unwrap();
    assert!(proof.has_proof_type() && !proof.has_private_key() && !proof.is_unsigned());
    assert_eq!(proof.verify_signature(), Ok(()));
    assert_eq!(
        proof.thumbprint().unwrap(),
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    );
    assert_eq!(proof.token_id, "-BwC3ESc6acc2lTc");
    assert_eq!((proof.method.as_str(), proof.issued_at), ("POST", 1_562_262_616));
    for same in [
        "https://server.example.com/token",
        "https://SERVER.example.com:443/token?a=b#c",
    ] {
        assert!(proof.is_for(&url(same)), "{same}");
    }
    for other in [
        "http://server.example.com/token",
        "https://server.example.com/token/",
        "https://server.example.com:8443/token",
        "https://example.com/token",
    ] {
        assert!(!proof.is_for(&url(other)), "{other}");
    }
}

#[test]
fn the_access_token_hash_is_that_of_rfc_9449_section_7() {
    let token = Secret::from("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    assert_eq!(access_token_hash(&token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn a_proof_has_what_rfc_9449_section_4_2_says_and_nothing_else() {
    let key = DpopKey::generate().unwrap();
    let endpoint = url("https://api.example/a/b?query=1#fragment");
    let (token, nonce) = (Secret::from("the-token"), DpopNonce::parse("n-1").unwrap());
    let text = proof(
        &key,
        &ProofTarget {
            method: "GET",
            url: &endpoint,
            access_token: Some(&token),
            nonce: Some(&nonce),
        },
    );
    let jwt = UnverifiedJwt::decode(text.expose()).unwrap();
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.signing_key().public_jwk().to_json()});
    assert_eq!(Value::Object(jwt.header), header);
    let token_id = jwt.claims["jti"].as_str().unwrap().to_owned();
    assert_eq!(token_id.len(), 43, "256 bits");
    let claims = json!({
        "jti": token_id, "htm": "GET", "htu": "https://api.example/a/b", "iat": 1_000_000,
        "ath": access_token_hash(&token), "nonce": "n-1",
    });
    assert_eq!(Value::Object(jwt.claims), claims);
    let received = ReceivedProof::decode(text.expose()).unwrap();
    assert_eq!(received.verify_signature(), Ok(()));
    assert_eq!(received.thumbprint().unwrap(), key.thumbprint());

    let plain = UnverifiedJwt::decode(proof(&key, &target(&endpoint)).expose()).unwrap();
    assert!(!plain.claims.contains_key("ath") && !plain.claims.contains_key("nonce"));
}

#[test]
fn no_two_proofs_have_the_same_jti() {
    let key = DpopKey::generate().unwrap();
    let endpoint = url("https://as.example/token");
    let mut randomness = Counting(0);
    let mut ids = std::collections::HashSet::new();
    for _ in 0..50 {
        let text = key.proof(&target(&endpoint), UnixSeconds(0), &mut randomness).unwrap();
        assert!(ids.insert(ReceivedProof::decode(text.expose()).unwrap().token_id));
    }
}

#[test]
fn the_key_is_kept_as_a_jwk_and_another_kind_of_key_is_refused() {
    let key = DpopKey::generate().unwrap();
    let again = DpopKey::from_private_jwk(&key.to_private_jwk()).unwrap();
    assert_eq!(again.thumbprint(), key.thumbprint());
    assert!(!format!("{key:?}").contains(key.to_private_jwk().expose()));
    // RFC 8037 A.1
    let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for bad in ["", "{}", ed25519] {
        assert!(DpopKey::from_private_jwk(&Secret::from(bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_nonce_that_no_header_or_claim_may_carry_is_none() {
    for good in ["eyJ7S_zG.eyJH0-Z.HX4w-7v", "a", "!#[]~"] {
        assert_eq!(
            DpopNonce::parse(good).map(|nonce| nonce.as_str().to_owned()).as_deref(),
            Some(good)
        );
    }
    for bad in ["", "a b", "a\"b", "a\\b", "a\r\nb", "é", &"a".repeat(1025)] {
        assert_eq!(DpopNonce::parse(bad), None, "{bad:?}");
    }
}

/// A proof of this header and these claims, signed with the key.
fn signed(key: &DpopKey, header: &Value, claims: &Value) -> String {
    let input = crate::protocol::jose::signing_input(header, claims);
    let signature = key.signing_key().sign(PROOF_ALGORITHM, input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(&signature))
}

#[test]
fn what_is_wrong_with_a_received_proof_is_found() {
    let key = DpopKey::generate().unwrap();
    let jwk = Value::Object(key.signing_key().public_jwk().to_json());
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
    let claims = json!({"jti": "1", "htm": "POST", "htu": "https://as.example/token", "iat": 5});
    let with = |member: &str, value: Value| {
        let mut changed = claims.clone();
        changed[member] = value;
        changed
    };
    assert!(ReceivedProof::decode(&signed(&key, &header, &claims)).is_ok());
    for changed in [
        with("jti", json!("")),
        with("jti", json!(7)),
        with("jti", json!("x".repeat(257))),
        with("htm", Value::Null),
        with("htu", json!(["https://as.example/token"])),
        with("iat", json!("5")),
        with("iat", json!(5.5)),
        with("ath", json!(1)),
        with("nonce", json!({})),
    ] {
        assert!(
            ReceivedProof::decode(&signed(&key, &header, &changed)).is_err(),
            "{changed}"
        );
    }
    let without_key = json!({"typ": "dpop+jwt", "alg": "ES256"});
    assert!(ReceivedProof::decode(&signed(&key, &without_key, &claims)).is_err());
    assert!(ReceivedProof::decode("a.b.c").is_err() && ReceivedProof::decode("").is_err());

    let read = |header: &Value| ReceivedProof::decode(&signed(&key, header, &claims)).unwrap();
    for (typ, is_proof) in [
        ("dpop+jwt", true),
        ("Application/DPoP+JWT", true),
        ("JWT", false),
        ("", false),
    ] {
        let mut header = header.clone();
        header["typ"] = json!(typ);
        assert_eq!(read(&header).has_proof_type(), is_proof, "{typ}");
    }
    for algorithm in ["none", "None", "HS256", "RS256", "ES384"] {
        let mut header = header.clone();
        header["alg"] = json!(algorithm);
        assert!(read(&header).verify_signature().is_err(), "{algorithm}");
    }
    let mut critical = header.clone();
    critical["crit"] = json!(["exp"]);
    assert!(read(&critical).verify_signature().is_err());
    let mut private = header.clone();
    private["jwk"]["d"] = json!("AAAA");
    assert!(read(&private).has_private_key());
    let other = DpopKey::generate().unwrap();
    let by_another = ReceivedProof::decode(&signed(&other, &header, &claims)).unwrap();
    assert!(by_another.verify_signature().is_err());
    assert!(PROOF_ALGORITHMS.contains(&PROOF_ALGORITHM.as_str()));
}
