//! `--dpop` (RFC 9449): the exact requests with their proofs, each verified
//! here, the server's nonce at each endpoint, and what becomes of bound tokens.

use super::support::authorization_server::{self, ACCESS_TOKEN, REFRESH_TOKEN};
use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, Request, json};
use super::support::login::{assert_nothing_kept, complete_at, complete_seeing_url, login, parameter};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{ending_in, refreshable};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::secret::Secret;
use oauth::store::Session;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json as value};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

const ACCESS_TOKEN_2: &str = "second-access-token-55d1";

/// A proof that holds: its claims, and the thumbprint of its key.
pub(super) struct Proof {
    pub(super) claims: Value,
    pub(super) thumbprint: String,
}

/// Takes the one proof of a request apart and verifies it.
#[track_caller]
pub(super) fn proof_of(request: &Request) -> Proof {
    let text = request.header("dpop").expect("a proof");
    let parts: Vec<&str> = text.split('.').collect();
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let header: Value = serde_json::from_slice(&bytes(parts[0])).expect("JSON");
    let claims: Value = serde_json::from_slice(&bytes(parts[1])).expect("JSON");
    let jwk = header["jwk"].as_object().expect("a key");
    let mut members: Vec<&str> = jwk.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["crv", "kty", "x", "y"], "nothing private");
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&value!("dpop+jwt"), &value!("ES256"))
    );
    let coordinate = |name: &str| bytes(jwk[name].as_str().expect("a coordinate"));
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let signed = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &bytes(parts[2]))
        .expect("the signature of the key in the proof");
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    Proof {
        claims,
        thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)),
    }
}

fn bound_answer(more: &str) -> String {
    format!(
        r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"DPoP","expires_in":3600,"refresh_token":"{REFRESH_TOKEN}"{more}}}"#
    )
}

/// A server whose metadata has these members, and that gives bound tokens.
fn server_with(members: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let metadata = authorization_server::metadata(&server.origin());
    let metadata = metadata.replacen('{', &format!("{{{}", members.replace("ORIGIN", &server.origin())), 1);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/token", json(200, &bound_answer("")));
    server
}

fn server() -> LiteralServer {
    server_with(r#""dpop_signing_alg_values_supported":["RS256","ES256"],"userinfo_endpoint":"ORIGIN/userinfo","#)
}

fn with_nonce(status: u16, nonce: &str, body: &str) -> Reply {
    Reply::http(
        status,
        &["Content-Type: application/json", &format!("DPoP-Nonce: {nonce}")],
        body,
    )
}

fn wants_nonce(nonce: &str) -> Reply {
    with_nonce(400, nonce, r#"{"error":"use_dpop_nonce"}"#)
}

fn log_in(home: &Home, server: &LiteralServer, arguments: &[&str]) -> (Outcome, String) {
    let mut command = login(home, server, &["-p", "bound", "--dpop", "--no-browser"]);
    complete_seeing_url(command.args(arguments), &server.origin())
}

/// A session whose tokens are bound to a new key.
pub(super) fn bound_session(issuer: &str) -> Session {
    let key = oauth::protocol::dpop::DpopKey::generate().expect("a key");
    let mut session = refreshable(issuer);
    session.dpop_key = Some(key.to_private_jwk());
    session.tokens[0].token_type = "DPoP".to_owned();
    session
}

#[test]
fn the_code_is_bound_to_the_key_and_the_token_request_has_a_proof_of_it() {
    let (home, server) = (Home::new(), server());
    let (outcome, url) = log_in(&home, &server, &[]);
    let outcome = outcome.expect_code(0);
    outcome.says(&["bound to a key that is stored with the session (DPoP)"]);
    let request = server.only_request_to("/token");
    let proof = proof_of(&request);
    assert_eq!(parameter(&url, "dpop_jkt"), proof.thumbprint);
    assert_eq!(proof.claims["htm"], "POST");
    assert_eq!(proof.claims["htu"], server.url("/token"));
    let age_s = super::support::sessions::now() - proof.claims["iat"].as_i64().expect("a time");
    assert!((0..60).contains(&age_s), "{age_s}");
    assert_eq!(proof.claims["jti"].as_str().map(str::len), Some(43));
    for absent in ["ath", "nonce", "exp"] {
        assert!(proof.claims.get(absent).is_none(), "{}", proof.claims);
    }
    let kept = home.kept("bound").expect("the session");
    assert!(kept.dpop_key.is_some());
    assert!(home.configuration().contains("dpop = true"), "{}", home.configuration());
}

#[test]
fn without_the_flag_tokens_are_bearer_tokens_whatever_the_server_offers() {
    let (home, server) = (Home::new(), server());
    server.on("POST", "/token", json(200, &authorization_server::token_answer()));
    let mut command = login(&home, &server, &["-p", "plain", "--no-browser"]);
    let (outcome, url) = complete_seeing_url(&mut command, &server.origin());
    outcome.expect_code(0);
    assert!(!url.contains("dpop_jkt"), "{url}");
    assert_eq!(server.only_request_to("/token").header("dpop"), None);
    assert!(home.kept("plain").expect("the session").dpop_key.is_none());
    // And a bound token that nobody asked for is refused.
    let (home, server) = (Home::new(), self::server());
    let mut command = login(&home, &server, &["-p", "plain", "--no-browser"]);
    complete_seeing_url(&mut command, &server.origin()).0.expect_error(6);
    assert_nothing_kept(&home);
}

#[test]
fn a_server_that_gives_no_other_tokens_gets_proofs_without_the_flag() {
    let server = server_with(r#""dpop_bound_access_tokens_required":true,"#);
    let home = Home::new();
    let mut command = login(&home, &server, &["-p", "bound", "--no-browser"]);
    complete_seeing_url(&mut command, &server.origin()).0.expect_code(0);
    proof_of(&server.only_request_to("/token"));
    assert!(home.kept("bound").expect("the session").dpop_key.is_some());
}

#[test]
fn a_server_that_does_not_take_the_algorithm_is_named_before_the_browser_opens() {
    for (algorithms, part) in [(r#"["RS256","PS256"]"#, "PS256"), ("[]", "it takes none")] {
        let server = server_with(&format!(r#""dpop_signing_alg_values_supported":{algorithms},"#));
        let home = Home::new();
        let outcome = run(&mut login(&home, &server, &["--dpop", "--no-browser"])).expect_error(6);
        assert!(outcome.error().contains(part), "{outcome:#?}");
        assert!(outcome.hints().contains("without --dpop"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("/authorize?"), "{outcome:#?}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_token_that_is_not_bound_is_a_downgrade_and_nothing_is_kept_of_a_login() {
    for (token_type, part) in [
        (r#""token_type":"Bearer","#, "token_type is \"Bearer\""),
        ("", "has no token_type"),
        (r#""token_type":"mac","#, "token_type is \"mac\""),
        (r#""token_type":7,"#, "token_type"),
    ] {
        let (home, server) = (Home::new(), server());
        let body = format!(r#"{{{token_type}"access_token":"{ACCESS_TOKEN}","refresh_token":"{REFRESH_TOKEN}"}}"#);
        server.on("POST", "/token", json(200, &body));
        let (outcome, _) = log_in(&home, &server, &[]);
        outcome.expect_error(6).says(&[part]);
        assert_nothing_kept(&home);
    }
    for odd_case in ["dpop", "DPOP"] {
        let (home, server) = (Home::new(), server());
        server.on("POST", "/token", json(200, &bound_answer("").replace("DPoP", odd_case)));
        log_in(&home, &server, &[]).0.expect_code(0);
    }
}

#[test]
fn a_downgrade_by_a_refresh_keeps_the_refresh_token_alone() {
    for token_type in [r#""token_type":"Bearer","#, ""] {
        let (home, server) = (Home::new(), server());
        home.keep("bound", &ending_in(-10, bound_session(&server.origin())));
        let body = format!(r#"{{{token_type}"access_token":"{ACCESS_TOKEN_2}","refresh_token":"the-next-one"}}"#);
        server.on("POST", "/token", json(200, &body));
        let outcome = run(home.oauth().args(["token", "bound"])).expect_error(6);
        assert_eq!(outcome.stdout, "");
        let kept = home.kept("bound").expect("the session");
        assert_eq!(kept.refresh_token.expect("one").expose(), "the-next-one");
        assert_ne!(kept.tokens[0].access_token.expose(), ACCESS_TOKEN_2);
        assert!(kept.dpop_key.is_some());
    }
}

#[test]
fn a_nonce_is_taken_and_the_same_code_is_sent_once_more_with_another_proof() {
    let (home, server) = (Home::new(), server());
    server.on_each(
        "POST",
        "/token",
        vec![
            wants_nonce("eyJ7S_zG.1"),
            with_nonce(200, "eyJ7S_zG.2", &bound_answer("")),
        ],
    );
    log_in(&home, &server, &[]).0.expect_code(0);
    let requests = server.requests_to("/token");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body_text(), requests[1].body_text(), "code and verifier");
    let proofs: Vec<Proof> = requests.iter().map(proof_of).collect();
    assert_eq!(proofs[0].claims.get("nonce"), None);
    assert_eq!(proofs[1].claims["nonce"], "eyJ7S_zG.1");
    assert_ne!(proofs[0].claims["jti"], proofs[1].claims["jti"]);
    assert_eq!(proofs[0].thumbprint, proofs[1].thumbprint);
}

#[test]
fn a_server_that_wants_nonces_for_ever_gets_two_requests() {
    for replies in [
        vec![wants_nonce("n1"), wants_nonce("n2"), wants_nonce("n3")],
        // The second one is no other.
        vec![wants_nonce("n1"), wants_nonce("n1")],
    ] {
        let (home, server) = (Home::new(), server());
        server.on_each("POST", "/token", replies);
        let (outcome, _) = log_in(&home, &server, &[]);
        outcome.expect_error(5).says(&["use_dpop_nonce"]);
        assert_eq!(server.requests_to("/token").len(), 2);
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_nonce_that_no_proof_may_carry_and_a_demand_without_one_are_refusals() {
    let without = json(400, r#"{"error":"use_dpop_nonce"}"#);
    let odd = |nonce: &str| wants_nonce(nonce);
    for reply in [without, odd("a b"), odd("a\"b"), odd(&"x".repeat(2000))] {
        let (home, server) = (Home::new(), server());
        server.on("POST", "/token", reply);
        log_in(&home, &server, &[]).0.expect_error(5);
        assert_eq!(server.requests_to("/token").len(), 1);
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_refused_proof_leads_to_the_clock() {
    let (home, server) = (Home::new(), server());
    let refusal = r#"{"error":"invalid_dpop_proof","error_description":"DPoP proof iat is not recent enough"}"#;
    server.on("POST", "/token", json(400, refusal));
    let (outcome, _) = log_in(&home, &server, &[]);
    let outcome = outcome.expect_error(5);
    assert!(outcome.hints().contains("clock of this machine"), "{outcome:#?}");
}

#[test]
fn a_refresh_has_a_proof_of_the_stored_key_and_a_nonce_costs_no_second_refresh_token() {
    let (home, server) = (Home::new(), server());
    let session = ending_in(-10, bound_session(&server.origin()));
    home.keep("bound", &session);
    let next = format!(
        r#"{{"access_token":"{ACCESS_TOKEN_2}","token_type":"DPoP","expires_in":3600,"refresh_token":"the-next-one"}}"#
    );
    server.on_each("POST", "/token", vec![wants_nonce("n-1"), json(200, &next)]);
    let outcome = run(home.oauth().args(["token", "bound"])).expect_code(0);
    assert_eq!(outcome.stdout, format!("{ACCESS_TOKEN_2}\n"));
    outcome.says(&["bound to a key"]);
    let requests = server.requests_to("/token");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body_text(), requests[1].body_text());
    let key = oauth::protocol::dpop::DpopKey::from_private_jwk(session.dpop_key.as_ref().expect("a key")).expect("one");
    for request in &requests {
        assert_eq!(proof_of(request).thumbprint, key.thumbprint());
    }
    let kept = home.kept("bound").expect("the session");
    assert_eq!(kept.refresh_token.expect("one").expose(), "the-next-one");
    assert!(
        kept.dpop_key
            .is_some_and(|kept| kept.expose() == session.dpop_key.as_ref().expect("a key").expose())
    );
}

#[test]
fn a_stored_key_that_is_damaged_sends_nothing() {
    let (home, server) = (Home::new(), server());
    let mut session = ending_in(-10, bound_session(&server.origin()));
    session.dpop_key = Some(Secret::from("{\"kty\":\"EC\"}"));
    home.keep("bound", &session);
    let outcome = run(home.oauth().args(["token", "bound"])).expect_error(8);
    assert!(outcome.error().contains("DPoP key"), "{outcome:#?}");
    assert!(server.requests_to("/token").is_empty());
}

#[test]
fn userinfo_goes_with_the_scheme_dpop_and_the_hash_of_the_token() {
    let (home, server) = (Home::new(), server());
    let mut session = bound_session(&server.origin());
    session.endpoints.userinfo = Some(super::support::sessions::endpoint(&server.url("/userinfo?a=b")));
    home.keep("bound", &session);
    let challenge = Reply::http(
        401,
        &[
            "WWW-Authenticate: DPOP error=\"use_dpop_nonce\", algs=\"ES256\"",
            "DPoP-Nonce: of-the-resource",
        ],
        "",
    );
    server.on_each("GET", "/userinfo", vec![challenge, json(200, r#"{"sub":"alice"}"#)]);
    run(home.oauth().args(["userinfo", "-p", "bound"])).expect_code(0);
    let requests = server.requests_to("/userinfo");
    assert_eq!(requests.len(), 2);
    let token = session.tokens[0].access_token.expose();
    let mut ids = HashSet::new();
    for request in &requests {
        assert_eq!(request.header("authorization"), Some(format!("DPoP {token}").as_str()));
        let Proof { claims, .. } = proof_of(request);
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&value!("GET"), &value!(server.url("/userinfo")))
        );
        assert_eq!(claims["ath"], URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        assert!(ids.insert(claims["jti"].to_string()));
    }
    assert_eq!(proof_of(&requests[1]).claims["nonce"], "of-the-resource");
}

#[test]
fn the_nonce_of_one_server_is_not_sent_to_another() {
    let (home, server, resource) = (Home::new(), server(), LiteralServer::start());
    let mut session = ending_in(-10, bound_session(&server.origin()));
    session.endpoints.userinfo = Some(super::support::sessions::endpoint(&resource.url("/userinfo")));
    home.keep("bound", &session);
    server.on_each(
        "POST",
        "/token",
        vec![wants_nonce("of-the-as"), json(200, &bound_answer(""))],
    );
    resource.on("GET", "/userinfo", json(200, r#"{"sub":"alice"}"#));
    run(home.oauth().args(["userinfo", "-p", "bound"])).expect_code(0);
    assert_eq!(proof_of(&server.requests_to("/token")[1]).claims["nonce"], "of-the-as");
    let request = resource.only_request_to("/userinfo");
    assert_eq!(proof_of(&request).claims.get("nonce"), None);
}

#[test]
fn client_credentials_and_devices_have_proofs_too() {
    let (home, server) = (Home::new(), server());
    let bound = format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"DPoP","expires_in":3600}}"#);
    server.on_each("POST", "/token", vec![wants_nonce("n"), json(200, &bound)]);
    let mut command = login(&home, &server, &["-p", "ci", "--dpop", "--grant", "client-credentials"]);
    run(command.env("OAUTH_CLIENT_SECRET", "s3cret-s3cret")).expect_code(0);
    assert_eq!(proof_of(&server.requests_to("/token")[1]).claims["nonce"], "n");
    let thumbprint = proof_of(&server.requests_to("/token")[0]).thumbprint;
    // The next token is bound to the same key.
    server.on("POST", "/token", json(200, &bound));
    run(home
        .oauth()
        .args(["token", "ci", "--force-refresh"])
        .env("OAUTH_CLIENT_SECRET", "s3cret-s3cret"))
    .expect_code(0);
    assert_eq!(proof_of(&server.requests_to("/token")[2]).thumbprint, thumbprint);

    let server = server_with(r#""device_authorization_endpoint":"ORIGIN/codes","#);
    let codes = r#"{"device_code":"d-code-d-code","user_code":"WDJB-MJHT","verification_uri":"https://example.com/device","expires_in":900,"interval":0}"#;
    server.on("POST", "/codes", json(200, codes));
    let pending = with_nonce(400, "n2", r#"{"error":"authorization_pending"}"#);
    server.on_each("POST", "/token", vec![pending, json(200, &bound_answer(""))]);
    run(&mut login(&home, &server, &["-p", "tv", "--dpop", "--device"])).expect_code(0);
    let requests = server.requests_to("/token");
    assert_eq!(requests.len(), 2);
    // That of any answer is taken.
    assert_eq!(proof_of(&requests[1]).claims["nonce"], "n2");
}

#[test]
fn formats_that_would_send_it_as_a_bearer_token_are_refused_and_status_says_dpop() {
    let home = Home::new();
    home.keep("bound", &bound_session("https://id.example"));
    home.configure("[profile.bound]\nissuer = \"https://id.example\"\nclient_id = \"desktop\"\n");
    for format in ["header", "headers", "exec-credential"] {
        let outcome = run(home.oauth().args(["token", "bound", "--format", format])).expect_error(2);
        assert_eq!(outcome.stdout, "", "{format}");
    }
    for format in ["raw", "json", "env"] {
        let outcome = run(home.oauth().args(["token", "bound", "--format", format])).expect_code(0);
        outcome.says(&["DPoP"]);
    }
    let table = run(home.oauth().args(["status", "bound"])).expect_code(0);
    assert!(table.stdout.contains(", DPoP"), "{}", table.stdout);
    let rows = run(home.oauth().args(["status", "bound", "--json"]))
        .expect_code(0)
        .json();
    assert_eq!(rows[0]["token_type"], "DPoP");
}

#[test]
fn a_bearer_session_is_not_what_a_profile_with_dpop_wants() {
    let home = Home::new();
    home.keep("plain", &refreshable("https://id.example"));
    home.configure("[profile.plain]\nissuer = \"https://id.example\"\nclient_id = \"desktop\"\ndpop = true\n");
    let outcome = run(home.oauth().args(["token", "plain"])).expect_error(4);
    assert!(outcome.error().contains("dpop"), "{outcome:#?}");
}

#[test]
fn key_and_proofs_stand_in_no_trace_and_in_no_file() {
    let (home, server) = (Home::new(), server());
    let traces = ["trace.json", "trace.har", "trace.html", "trace.mmd"].map(|name| home.path().join(name));
    let mut command = login(&home, &server, &["-p", "bound", "--dpop", "--no-browser", "-vvv"]);
    for trace in &traces {
        command.arg("--trace").arg(trace);
    }
    let (outcome, _) = complete_seeing_url(&mut command, &server.origin());
    let outcome = outcome.expect_code(0);
    let kept = home.kept("bound").expect("the session").dpop_key.expect("the key");
    let key: Value = serde_json::from_str(kept.expose()).expect("a JWK");
    let private = key["d"].as_str().expect("the private part").to_owned();
    let proof = server
        .only_request_to("/token")
        .header("dpop")
        .expect("a proof")
        .to_owned();
    let signature = proof.rsplit('.').next().expect("a signature").to_owned();
    for secret in [&private, &signature] {
        assert!(!outcome.stderr.contains(secret.as_str()) && !outcome.stdout.contains(secret.as_str()));
        for file in home.files() {
            let content = std::fs::read(&file).expect("a file");
            assert!(
                !String::from_utf8_lossy(&content).contains(secret.as_str()),
                "{}",
                file.display()
            );
        }
    }
    for arguments in [
        &["status", "--json"][..],
        &["token", "bound", "--format", "json"],
        &["profile", "show", "bound"],
    ] {
        let outcome = run(home.oauth().args(arguments));
        assert!(!format!("{outcome:?}").contains(&private), "{arguments:?}");
    }
}

#[test]
fn a_whole_session_at_a_server_that_demands_proofs_and_nonces() {
    let server = DevelopmentServer::start(&["--approve", "auto", "--require", "dpop,nonce"]);
    let home = Home::new();
    let arguments = ["-p", "bound", "--client-id", "oauth-cli", "--scope", "openid hello"];
    complete_at(&server, &home, &arguments).expect_code(0);
    let userinfo = run(home.oauth().args(["userinfo", "-p", "bound", "--json"]))
        .expect_code(0)
        .json();
    assert_eq!(userinfo["sub"], "demo");
    let before = home.kept("bound").expect("the session").refresh_token.expect("one");
    run(home.oauth().args(["token", "bound", "--force-refresh"])).expect_code(0);
    let kept = home.kept("bound").expect("the session");
    assert_ne!(kept.refresh_token.expect("one").expose(), before.expose());
    assert_eq!(kept.tokens[0].token_type, "DPoP");
    // As a bearer token it is worth nothing.
    let token = value!({ "access_token": kept.tokens[0].access_token.expose() });
    assert_eq!(server.hello(&token), 401);
    run(home.oauth().args(["logout", "bound"])).expect_code(0);
}

#[test]
fn many_processes_at_once_spend_the_refresh_token_once_nonce_and_all() {
    let (home, server) = (Home::new(), server());
    home.keep("bound", &ending_in(-10, bound_session(&server.origin())));
    let next = bound_answer("").replace(ACCESS_TOKEN, ACCESS_TOKEN_2);
    server.on_each("POST", "/token", vec![wants_nonce("n-1"), json(200, &next)]);
    std::thread::scope(|scope| {
        let get = || run(home.oauth().args(["token", "bound"])).expect_code(0).stdout;
        let processes: Vec<_> = (0..12).map(|_| scope.spawn(get)).collect();
        for process in processes {
            assert_eq!(process.join().expect("its end"), format!("{ACCESS_TOKEN_2}\n"));
        }
    });
    // One refresh: asked for the nonce, then with it.
    assert_eq!(server.requests_to("/token").len(), 2);
}
