//! DPoP (RFC 9449): what is taken for a proof, what is bound to its key, and
//! the nonce that a proof must carry where the server demands one.

use super::*;
use crate::protocol::abnf::base64url;
use crate::protocol::dpop::{DpopKey, DpopNonce, PROOF_ALGORITHM, ProofTarget, access_token_hash};
use crate::protocol::jose::signing_input;
use crate::server::settings::dpop::DpopDemands;
use serde_json::json as value;
use url::Url;

const NOW: i64 = 1_000_000;

/// The claims of a right proof for the token endpoint.
fn claims_of(token_id: &str) -> Value {
    value!({"jti": token_id, "htm": "POST", "htu": "http://127.0.0.1:9000/token", "iat": NOW})
}

fn header_of(key: &DpopKey) -> Value {
    value!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.signing_key().public_jwk().to_json()})
}

fn signed(key: &DpopKey, header: &Value, claims: &Value) -> String {
    let input = signing_input(header, claims);
    let signature = key.signing_key().sign(PROOF_ALGORITHM, input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(&signature))
}

/// A right proof for a request, as the client makes it.
fn proof(
    fixture: &Fixture,
    key: &DpopKey,
    method: &str,
    path: &str,
    token: Option<&str>,
    nonce: Option<&str>,
) -> String {
    let url = Url::parse(&format!("{ISSUER}{path}")).unwrap();
    let token = token.map(Secret::from);
    let nonce = nonce.map(|nonce| DpopNonce::parse(nonce).unwrap());
    let target = ProofTarget {
        method,
        url: &url,
        access_token: token.as_ref(),
        nonce: nonce.as_ref(),
    };
    let made = key.proof(
        &target,
        UnixSeconds(fixture.now.get()),
        &mut *fixture.randomness.borrow_mut(),
    );
    made.unwrap().expose().clone()
}

fn redeem_with(fixture: &Fixture, code: &str, proofs: &[&str]) -> Response {
    let headers: Vec<(&str, &str)> = proofs.iter().map(|proof| ("dpop", *proof)).collect();
    fixture.post_with("/token", &redemption(code), &headers)
}

/// Tokens that are bound to the key.
fn bound_tokens(fixture: &Fixture, key: &DpopKey) -> Value {
    let proof = proof(fixture, key, "POST", "/token", None, None);
    json(
        &redeem_with(fixture, &fixture.code("&scope=openid+hello"), &[&proof]),
        200,
    )
}

fn get(fixture: &Fixture, path: &str, scheme: &str, token: &str, proof: Option<&str>) -> Response {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proof.map(|proof| ("dpop", proof)));
    fixture.send("GET", path, &headers, "")
}

#[test]
fn a_proof_binds_the_access_token_and_everybody_is_told() {
    let fixture = Fixture::auto();
    fixture.share_rs256();
    let key = DpopKey::generate().unwrap();
    let tokens = bound_tokens(&fixture, &key);
    assert_eq!(tokens["token_type"], "DPoP");
    assert_eq!(
        claims(&tokens["access_token"])["cnf"],
        value!({"jkt": key.thumbprint()})
    );
    let token = tokens["access_token"].as_str().unwrap();
    for path in ["/api/hello", "/userinfo"] {
        let proof = proof(&fixture, &key, "GET", path, Some(token), None);
        assert_eq!(get(&fixture, path, "dPoP", token, Some(&proof)).status, 200, "{path}");
    }
    // Introspection by a holder of the scope for it.
    let caller = fixture.tokens("&scope=introspect");
    let bearer = format!("Bearer {}", caller["access_token"].as_str().unwrap());
    let form = format!("token={token}");
    let facts = json(
        &fixture.post_with("/introspect", &form, &[("authorization", &bearer)]),
        200,
    );
    assert_eq!(
        (&facts["token_type"], &facts["cnf"]["jkt"]),
        (&value!("DPoP"), &value!(key.thumbprint()))
    );
    // Without a proof tokens are as ever.
    let plain = fixture.tokens("");
    assert_eq!(plain["token_type"], "Bearer");
    assert!(claims(&plain["access_token"]).get("cnf").is_none());
}

#[test]
fn what_is_wrong_with_a_proof_is_told_and_the_code_lives_on() {
    let fixture = Fixture::auto();
    let (key, other) = (DpopKey::generate().unwrap(), DpopKey::generate().unwrap());
    let header = header_of(&key);
    let changed = |document: &Value, member: &str, value: Value| {
        let mut document = document.clone();
        document[member] = value;
        document
    };
    let mut private = header.clone();
    private["jwk"]["d"] = value!("AAAA");
    let unsigned = signing_input(&changed(&header, "alg", value!("none")), &claims_of("u")) + ".";
    let right = signed(&key, &header, &claims_of("two"));
    let also_right = signed(&key, &header, &claims_of("two-2"));
    let with_claim =
        |member: &str, value: Value| vec![signed(&key, &header, &changed(&claims_of(member), member, value))];
    let with_header =
        |member: &str, value: Value| vec![signed(&key, &changed(&header, member, value), &claims_of("h"))];
    let code = fixture.code("");
    for (proofs, part) in [
        (vec!["x".to_owned()], "not a JWT"),
        (vec![right, also_right], "more than one DPoP header"),
        (with_header("typ", value!("JWT")), "typ is not dpop+jwt"),
        (with_header("alg", value!("RS256")), "alg"),
        (with_header("alg", value!("HS256")), "alg"),
        (with_header("jwk", value!({"kty": "oct", "k": "AAAA"})), "private"),
        (vec![signed(&key, &private, &claims_of("p"))], "private"),
        (vec![unsigned], "not signed"),
        (vec![signed(&other, &header, &claims_of("s"))], "signature"),
        (with_claim("htm", value!("GET")), "htm"),
        (with_claim("htm", value!("post")), "htm"),
        (with_claim("htu", value!("http://127.0.0.1:9000/userinfo")), "htu"),
        (with_claim("htu", value!("https://127.0.0.1:9000/token")), "htu"),
        (with_claim("htu", value!("/token")), "htu"),
        (with_claim("iat", value!(NOW - 61)), "iat"),
        (with_claim("iat", value!(NOW + 61)), "iat"),
    ] {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        let response = redeem_with(&fixture, &code, &proofs);
        let answer = json(&response, 400);
        assert_eq!(answer["error"], "invalid_dpop_proof", "{part}: {response:?}");
        let reason = &response.rejection.as_ref().unwrap().reason;
        assert!(reason.contains(part), "{part}: {reason}");
    }
    // The same of the code that was refused all along; query and other names of this server do not matter.
    let mut last = claims_of("last");
    last["htu"] = value!("http://localhost:9000/token?a=b");
    last["iat"] = value!(NOW - 60);
    assert_eq!(
        redeem_with(&fixture, &code, &[&signed(&key, &header, &last)]).status,
        200
    );
}

#[test]
fn a_proof_works_once_for_each_key() {
    let fixture = Fixture::auto();
    let (key, other) = (DpopKey::generate().unwrap(), DpopKey::generate().unwrap());
    let proof = signed(&key, &header_of(&key), &claims_of("same"));
    assert_eq!(redeem_with(&fixture, &fixture.code(""), &[&proof]).status, 200);
    let again = redeem_with(&fixture, &fixture.code(""), &[&proof]);
    assert_eq!(json(&again, 400)["error"], "invalid_dpop_proof");
    fixture.pass(60);
    assert_eq!(
        redeem_with(&fixture, &fixture.code(""), &[&proof]).status,
        400,
        "to its last second"
    );
    let by_other = signed(&other, &header_of(&other), &claims_of("same"));
    assert_eq!(redeem_with(&fixture, &fixture.code(""), &[&by_other]).status, 200);
}

#[test]
fn a_code_with_dpop_jkt_works_with_that_key_alone() {
    let fixture = Fixture::auto();
    let (key, other) = (DpopKey::generate().unwrap(), DpopKey::generate().unwrap());
    let more = format!("&dpop_jkt={}", key.thumbprint());
    let proof_by = |key: &DpopKey| proof(&fixture, key, "POST", "/token", None, None);
    let right = proof_by(&key);
    assert_eq!(redeem_with(&fixture, &fixture.code(&more), &[&right]).status, 200);
    for proofs in [vec![], vec![proof_by(&other)]] {
        let code = fixture.code(&more);
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        assert_eq!(
            json(&redeem_with(&fixture, &code, &proofs), 400)["error"],
            "invalid_grant"
        );
        // It is void now.
        let right = proof_by(&key);
        assert_eq!(redeem_with(&fixture, &code, &[&right]).status, 400);
    }
    for malformed in ["x", "AAAA", &key.thumbprint()[1..], &format!("{}=", key.thumbprint())] {
        let response = fixture.open(&authorize(&format!("&dpop_jkt={malformed}")));
        assert_eq!(
            location_params(&response).single("error"),
            Ok(Some("invalid_request")),
            "{malformed}"
        );
    }
}

#[test]
fn a_refresh_token_of_a_public_client_is_bound_and_a_refused_refresh_spends_nothing() {
    let fixture = Fixture::auto();
    fixture.share_rs256();
    let (key, other) = (DpopKey::generate().unwrap(), DpopKey::generate().unwrap());
    let tokens = bound_tokens(&fixture, &key);
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refresh = |refresh_token: &str, proof: Option<&str>| {
        let form = format!("grant_type=refresh_token&client_id=oauth-cli&refresh_token={refresh_token}");
        let headers: Vec<(&str, &str)> = proof.iter().map(|proof| ("dpop", *proof)).collect();
        fixture.post_with("/token", &form, &headers)
    };
    let by_other = proof(&fixture, &other, "POST", "/token", None, None);
    for proof in [None, Some(by_other.as_str())] {
        assert_eq!(json(&refresh(refresh_token, proof), 400)["error"], "invalid_grant");
    }
    assert_eq!(refresh(refresh_token, Some("x")).status, 400);
    let right = proof(&fixture, &key, "POST", "/token", None, None);
    let next = json(&refresh(refresh_token, Some(&right)), 200);
    assert_eq!(next["token_type"], "DPoP");
    assert_eq!(claims(&next["access_token"])["cnf"]["jkt"], key.thumbprint());
}

#[test]
fn a_bound_token_is_refused_without_its_proof_and_with_another() {
    let fixture = Fixture::auto();
    fixture.share_rs256();
    let (key, other) = (DpopKey::generate().unwrap(), DpopKey::generate().unwrap());
    let tokens = bound_tokens(&fixture, &key);
    let token = tokens["access_token"].as_str().unwrap();
    let plain = fixture.tokens("&scope=openid+hello");
    let plain = plain["access_token"].as_str().unwrap();
    for path in ["/api/hello", "/userinfo"] {
        let make = |key: &DpopKey, token: Option<&str>| proof(&fixture, key, "GET", path, token, None);
        for (scheme, token, proof, error) in [
            ("Bearer", token, None, "invalid_token"),
            ("Bearer", token, Some(make(&key, Some(token))), "invalid_token"),
            ("DPoP", token, None, "invalid_dpop_proof"),
            ("DPoP", token, Some(make(&key, None)), "invalid_dpop_proof"),
            ("DPoP", token, Some(make(&key, Some(plain))), "invalid_dpop_proof"),
            ("DPoP", token, Some(make(&other, Some(token))), "invalid_token"),
            ("DPoP", plain, Some(make(&key, Some(plain))), "invalid_token"),
            ("DPoP", "unknown", Some(make(&key, Some("unknown"))), "invalid_token"),
        ] {
            let response = get(&fixture, path, scheme, token, proof.as_deref());
            assert_eq!(json(&response, 401)["error"], error, "{path} {scheme} {proof:?}");
            let challenge = response.header("www-authenticate").unwrap();
            assert!(challenge.starts_with(scheme), "{challenge}");
            assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
            assert_eq!(challenge.contains("algs=\"ES256 "), scheme == "DPoP", "{challenge}");
        }
    }
    assert_eq!(access_token_hash(&Secret::from("a")).len(), 43);
    let bare = fixture.send("GET", "/userinfo", &[], "");
    let challenges: Vec<&str> = bare
        .headers
        .iter()
        .filter(|(name, _)| *name == "www-authenticate")
        .map(|(_, value)| value.split(' ').next().unwrap())
        .collect();
    assert_eq!(challenges, ["Bearer", "DPoP"]);
}

#[test]
fn a_nonce_is_demanded_handed_out_and_taken_for_a_while() {
    let demands = DpopDemands {
        proof: true,
        nonce: true,
    };
    let fixture = Fixture::new(|settings| {
        settings.approval = crate::server::settings::Approval::Auto;
        settings.dpop = demands;
    });
    let key = DpopKey::generate().unwrap();
    let code = fixture.code("");
    let without_proof = redeem_with(&fixture, &code, &[]);
    assert_eq!(json(&without_proof, 400)["error"], "invalid_dpop_proof");
    let make = |nonce: Option<&str>| proof(&fixture, &key, "POST", "/token", None, nonce);
    let first = redeem_with(&fixture, &code, &[&make(None)]);
    assert_eq!(json(&first, 400)["error"], "use_dpop_nonce");
    let nonce = first.header("dpop-nonce").unwrap().to_owned();
    assert_eq!(redeem_with(&fixture, &code, &[&make(Some("another"))]).status, 400);
    let taken = redeem_with(&fixture, &code, &[&make(Some(&nonce))]);
    let tokens = json(&taken, 200);
    assert!(taken.header("dpop-nonce").is_some());
    let token = tokens["access_token"].as_str().unwrap();

    let hello = |nonce: Option<&str>| {
        let proof = proof(&fixture, &key, "GET", "/api/hello", Some(token), nonce);
        get(&fixture, "/api/hello", "DPoP", token, Some(&proof))
    };
    let refused = hello(None);
    assert_eq!(json(&refused, 401)["error"], "use_dpop_nonce");
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains("error=\"use_dpop_nonce\"")
    );
    let nonce = refused.header("dpop-nonce").unwrap().to_owned();
    assert_eq!(hello(Some(&nonce)).status, 200);
    fixture.pass(120);
    assert_eq!(hello(Some(&nonce)).status, 200, "the one before");
    fixture.pass(120);
    assert_eq!(hello(Some(&nonce)).status, 401);
    let metadata: Value = serde_json::from_slice(fixture.server.metadata()).unwrap();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true);
    assert_eq!(metadata["dpop_signing_alg_values_supported"][0], "ES256");
}
