//! ID tokens as they should be, and every way in which they may not be.

use super::super::jose::signing_input;
use super::*;
use serde_json::json;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

fn claims() -> Value {
    json!({ "iss": "https://as.example", "aud": "c", "sub": "alice", "exp": NOW.0 + 300, "iat": NOW.0, "nonce": "n" })
}

fn check_with(header: Value, claims: &Value) -> Result<IdToken, IdTokenError> {
    let text = format!("{}.{}", signing_input(&header, claims), base64url(b"signature"));
    let access_token = Secret::from("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let nonce = Nonce::parse("n").unwrap();
    check(
        &text,
        &Expected {
            issuer: Some("https://as.example"),
            client_id: "c",
            client_has_secret: false,
            now: NOW,
            access_token: &access_token,
            context: IdTokenContext::Login(LoginDemands {
                nonce: Some(&nonce),
                ..LoginDemands::default()
            }),
        },
    )
}

fn with(member: &str, value: Value) -> Result<IdToken, IdTokenError> {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(member);
    } else {
        claims[member] = value;
    }
    check_with(json!({"alg": "RS256"}), &claims)
}

#[test]
fn good_claims_in_their_variations() {
    assert_eq!(with("x", json!(1)).unwrap().subject, "alice");
    for (member, value) in [
        ("aud", json!(["c"])),
        ("exp", json!(NOW.0 as f64 + 0.5)),
        ("exp", json!(NOW.0 - 60)),
        ("iat", json!(NOW.0 + 60)),
        ("iat", json!(NOW.0 - ISSUED_AT_MAX_AGE_S)),
        ("nbf", json!(NOW.0 + 60)),
        ("azp", json!("c")),
        ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")),
        ("auth_time", json!(0)),
    ] {
        assert!(with(member, value.clone()).is_ok(), "{member} {value}");
    }
}

#[test]
fn each_claim_that_must_hold() {
    use IdTokenError::{AccessTokenHash, Missing};
    let party = |found: Option<&str>| IdTokenError::AuthorizedParty {
        found: found.map(str::to_owned),
    };
    let audience = |found: &str| IdTokenError::Audience {
        expected: "c".into(),
        found: found.into(),
    };
    let cases = [
        ("iss", json!(null), Missing("iss")),
        ("aud", json!(null), Missing("aud")),
        ("aud", json!(7), Missing("aud")),
        ("aud", json!("other"), audience("other")),
        ("aud", json!([]), audience("")),
        ("aud", json!(["c", "other"]), party(None)),
        ("azp", json!("other"), party(Some("other"))),
        ("exp", json!(null), Missing("exp")),
        ("exp", json!("1700000300"), Missing("exp")),
        ("exp", json!(1e20), Missing("exp")),
        ("exp", json!(-1), Missing("exp")),
        (
            "exp",
            json!(NOW.0 - 61),
            IdTokenError::Expired(61, UnixSeconds(NOW.0 - 61)),
        ),
        ("iat", json!(null), Missing("iat")),
        (
            "iat",
            json!(NOW.0 + 61),
            IdTokenError::IssuedInFuture(61, UnixSeconds(NOW.0 + 61)),
        ),
        (
            "iat",
            json!(NOW.0 - 601),
            IdTokenError::IssuedLongAgo(601, UnixSeconds(NOW.0 - 601)),
        ),
        (
            "nbf",
            json!(NOW.0 + 61),
            IdTokenError::NotYetValid(61, UnixSeconds(NOW.0 + 61)),
        ),
        ("sub", json!(null), Missing("sub")),
        ("sub", json!(""), Missing("sub")),
        ("at_hash", json!("wrong"), AccessTokenHash),
    ];
    for (member, value, error) in cases {
        assert_eq!(with(member, value.clone()).err(), Some(error), "{member} {value}");
    }
    for other in [json!(null), json!("other")] {
        assert!(
            matches!(with("nonce", other.clone()), Err(IdTokenError::Nonce { .. })),
            "{other}"
        );
    }
    for other in ["https://as.example/", "https://evil.example"] {
        assert!(
            matches!(with("iss", json!(other)), Err(IdTokenError::Issuer { .. })),
            "{other}"
        );
    }
}

#[test]
fn headers_that_prove_nothing() {
    for alg in [
        json!("none"),
        json!("nOnE"),
        json!(null),
        json!("XX256"),
        json!(""),
        json!("HS256"),
    ] {
        let header = json!({ "alg": alg });
        assert!(
            matches!(check_with(header, &claims()), Err(IdTokenError::Algorithm(_))),
            "{alg}"
        );
    }
    assert_eq!(
        check_with(json!({"alg": "RS256", "crit": ["x"]}), &claims()).err(),
        Some(IdTokenError::Critical)
    );
}

fn refreshed(claims: &Value, algorithm: &str, first: &FirstClaims) -> Result<IdToken, IdTokenError> {
    let text = format!("{}.AA", signing_input(&json!({"alg": algorithm}), claims));
    check(
        &text,
        &Expected {
            issuer: Some("https://as.example"),
            client_id: "c",
            client_has_secret: false,
            now: NOW,
            access_token: &Secret::from("t"),
            context: IdTokenContext::Refresh {
                subject: Some("alice"),
                first: Some(first),
            },
        },
    )
}

#[test]
fn a_refreshed_id_token_of_another_party_is_told_whatever_else_is_wrong_with_it() {
    let first = FirstClaims::of(claims().as_object().unwrap());
    assert!(refreshed(&claims(), "ES256", &first).is_ok());
    for (claim, value, expected) in [
        ("sub", "bob", "alice"),
        ("iss", "https://other.example", "https://as.example"),
        ("aud", "other", "c"),
    ] {
        let mut claims = claims();
        claims[claim] = json!(value);
        claims["exp"] = json!(1);
        for algorithm in ["ES256", "none"] {
            let other = refreshed(&claims, algorithm, &first)
                .err()
                .and_then(|error| error.other_party());
            let found = OtherParty {
                claim,
                expected: expected.into(),
                found: value.into(),
            };
            assert_eq!(other, Some(found), "{claim} {algorithm}");
        }
    }
}

#[test]
fn a_refreshed_id_token_repeats_the_claims_of_the_first_where_it_has_them() {
    let first = FirstClaims {
        nonce: Some("n".into()),
        auth_time: Some(UnixSeconds(7)),
        azp: None,
    };
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        claims["auth_time"] = json!(7);
        claims[claim] = value;
        if claims[claim].is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
        refreshed(&claims, "ES256", &first).map(|id_token| id_token.subject)
    };
    for (claim, value) in [("x", json!(1)), ("nonce", json!(null)), ("auth_time", json!(null))] {
        assert_eq!(with(claim, value), Ok("alice".to_owned()), "{claim}");
    }
    for (claim, value) in [("nonce", json!("m")), ("auth_time", json!(8)), ("azp", json!("c"))] {
        assert_eq!(with(claim, value), Err(IdTokenError::Changed(claim)));
    }
}

/// The demands of a login, beside the right nonce.
fn demanded(
    max_age_s: Option<u64>,
    algorithms: &[&str],
    header: &Value,
    claims: &Value,
) -> Result<IdToken, IdTokenError> {
    let text = format!("{}.AA", signing_input(header, claims));
    let nonce = Nonce::parse("n").unwrap();
    let algorithms: Vec<String> = algorithms.iter().map(|name| (*name).to_owned()).collect();
    check(
        &text,
        &Expected {
            issuer: Some("https://as.example"),
            client_id: "c",
            client_has_secret: true,
            now: NOW,
            access_token: &Secret::from("t"),
            context: IdTokenContext::Login(LoginDemands {
                nonce: Some(&nonce),
                max_age_s,
                algorithms: &algorithms,
            }),
        },
    )
}

#[test]
fn with_max_age_the_sign_in_must_be_that_recent() {
    let with = |max_age_s: u64, auth_time: Value| {
        let mut claims = claims();
        claims["auth_time"] = auth_time;
        demanded(Some(max_age_s), &[], &json!({"alg": "ES256"}), &claims).err()
    };
    assert_eq!(with(300, json!(NOW.0 - 300)), None);
    assert_eq!(with(300, json!(NOW.0 - 360)), None, "within the clocks' skew");
    assert_eq!(with(0, json!(NOW.0)), None);
    assert_eq!(with(u64::MAX, json!(0)), None);
    assert_eq!(
        with(300, json!(NOW.0 - 361)),
        Some(IdTokenError::SignedInTooLongAgo {
            age_s: 361,
            max_age_s: 300
        })
    );
    for unusable in [json!(null), json!("now"), json!(-1)] {
        assert_eq!(with(300, unusable), Some(IdTokenError::Missing("auth_time")));
    }
    let without = demanded(Some(300), &[], &json!({"alg": "ES256"}), &claims());
    assert_eq!(without.err(), Some(IdTokenError::Missing("auth_time")));
}

#[test]
fn only_algorithms_that_prove_something_and_are_announced() {
    let with =
        |algorithm: &str, announced: &[&str]| demanded(None, announced, &json!({ "alg": algorithm }), &claims()).err();
    for algorithm in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256",
    ] {
        assert_eq!(with(algorithm, &[]), None, "{algorithm}");
        assert_eq!(with(algorithm, &["RS1", algorithm]), None, "{algorithm}");
    }
    assert_eq!(with("Ed25519", &["EdDSA"]), None);
    for algorithm in ["HS384", "HS512", "ES256K", "Ed448", "none"] {
        let refused = Some(IdTokenError::Algorithm(algorithm.into()));
        assert_eq!(with(algorithm, &[algorithm]), refused);
    }
    assert_eq!(
        with("PS256", &["RS256", "ES256"]),
        Some(IdTokenError::UnannouncedAlgorithm("PS256".into()))
    );
}

#[test]
fn at_hash_takes_the_hash_of_the_signature() {
    // OpenID Connect Core §A.3 has the first value; that of Ed25519 is SHA-512.
    let token = Secret::from("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let hash = |algorithm: &str| access_token_hash(algorithm, &token);
    assert_eq!(hash("RS256").as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
    assert_eq!(hash("EdDSA"), hash("ES512"));
    assert_eq!(hash("Ed25519"), hash("ES512"));
    // SHA-256, SHA-384 and SHA-512, of which each gives its left half
    for (algorithm, length) in [("PS256", 22), ("ES384", 32), ("RS512", 43)] {
        assert_eq!(hash(algorithm).map(|hash| hash.len()), Some(length), "{algorithm}");
    }
    assert_eq!(hash("none"), None);
    let mut claims = claims();
    claims["at_hash"] = json!("77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(
        check_with(json!({"alg": "EdDSA"}), &claims).err(),
        Some(IdTokenError::AccessTokenHash)
    );
}

/// The same claims with these instead of some.
fn stored(changes: Value) -> Secret {
    let mut claims = claims();
    for (member, value) in changes.as_object().unwrap() {
        claims[member] = value.clone();
    }
    Secret::new(format!("{}.AA", signing_input(&json!({"alg": "RS256"}), &claims)))
}

#[test]
fn a_person_is_shown_the_name_that_they_know_and_only_of_the_subject_asked_for() {
    let all = json!({"email": "a@b.example", "preferred_username": "ali", "name": "Alice"});
    for (claims, known) in [
        (all, Some("a@b.example")),
        (
            json!({"email": "", "preferred_username": "ali", "name": "Alice"}),
            Some("ali"),
        ),
        (json!({"email": 7, "name": "Alice"}), Some("Alice")),
        (json!({"name": ""}), None),
    ] {
        assert_eq!(
            stored_name(&stored(claims.clone()), "alice").as_deref(),
            known,
            "{claims}"
        );
        assert_eq!(stored_name(&stored(claims.clone()), "bob"), None, "{claims}");
        let checked = demanded(None, &[], &json!({"alg": "RS256"}), &{
            let mut all = self::claims();
            all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
            all
        });
        assert_eq!(checked.unwrap().display_name(), known.unwrap_or("alice"), "{claims}");
    }
}

#[test]
fn the_first_claims_are_those_of_the_stored_token() {
    let first = FirstClaims::of_stored(&stored(json!({"auth_time": 5, "azp": "c"}))).unwrap();
    assert_eq!(
        (first.nonce.as_deref(), first.auth_time, first.azp.as_deref()),
        (Some("n"), Some(UnixSeconds(5)), Some("c"))
    );
    assert!(FirstClaims::of_stored(&Secret::from("no.token")).is_none());
}

#[test]
fn without_a_nonce_in_the_request_there_must_be_none_in_the_token() {
    let without_nonce = |claims: &Value| {
        let text = format!("{}.AA", signing_input(&json!({"alg": "RS256"}), claims));
        let expected = Expected {
            issuer: Some("https://as.example"),
            client_id: "c",
            client_has_secret: false,
            now: NOW,
            access_token: &Secret::from("t"),
            context: IdTokenContext::Login(LoginDemands::default()),
        };
        check(&text, &expected).err()
    };
    let mut claims = claims();
    assert!(matches!(
        without_nonce(&claims),
        Some(IdTokenError::Nonce {
            sent: None,
            found: Some(_)
        })
    ));
    claims.as_object_mut().unwrap().remove("nonce");
    assert_eq!(without_nonce(&claims), None);
}

#[test]
fn times_are_read_from_whole_and_broken_numbers_within_reason() {
    assert_eq!(access_token_expiry(&stored(json!({}))), Some(UnixSeconds(NOW.0 + 300)));
    assert_eq!(access_token_expiry(&Secret::from("opaque")), None);
    for (value, time) in [
        (json!(0), Some(0)),
        (json!(1.9), Some(1)),
        (json!(-1), None),
        (json!(9e15), None),
    ] {
        assert_eq!(numeric_date(&value), time.map(UnixSeconds), "{value}");
    }
}
