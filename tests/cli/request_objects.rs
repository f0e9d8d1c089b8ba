//! `--request-object` (RFC 9101): the authorization request as a JWT that the
//! client signs, in the browser or pushed.

use super::support::authorization_server::{self, CODE};
use super::support::binary::Home;
use super::support::callback;
use super::support::literal_server::{LiteralServer, json, value_of};
use super::support::login::{assert_nothing_kept, login};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use super::support::sessions::now;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json as value};

/// RFC 7515 §A.3.1, in PKCS#8.
const P256: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const P256_THUMBPRINT: &str = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";

fn server_with(members: &str) -> LiteralServer {
    let server = authorization_server::start();
    let metadata = authorization_server::metadata(&server.origin());
    let metadata = metadata.replacen('{', &format!("{{{}", members.replace("ORIGIN", &server.origin())), 1);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server
}

fn key(home: &Home) -> String {
    let path = home.path().join("client.pem");
    std::fs::write(&path, P256).expect("writing the key");
    path.display().to_string()
}

/// The object's claims, once its signature and header hold.
#[track_caller]
fn claims_of(object: &str) -> Value {
    let parts: Vec<&str> = object.split('.').collect();
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let header: Value = serde_json::from_slice(&bytes(parts[0])).expect("JSON");
    assert_eq!(
        header,
        value!({"typ": "oauth-authz-req+jwt", "alg": "ES256", "kid": P256_THUMBPRINT})
    );
    let point = [vec![4], bytes(P256_X), bytes(P256_Y)].concat();
    let signed = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &bytes(parts[2]))
        .expect("the signature of the client's key");
    serde_json::from_slice(&bytes(parts[1])).expect("JSON")
}

/// Logs in; the carried parameters are taken from what `carried` finds.
fn complete(
    command: &mut std::process::Command,
    server: &LiteralServer,
    carried: impl Fn(&str) -> Vec<(String, String)>,
) -> (Outcome, Vec<(String, String)>, Value) {
    let running = Running::start(command);
    let carried = carried(&running.authorization_url());
    let claims = claims_of(value_of(&carried, "request").expect("an object"));
    let mut back = url::Url::parse(claims["redirect_uri"].as_str().expect("a redirect URI")).expect("a URL");
    let state = claims["state"].as_str().expect("a state");
    back.query_pairs_mut()
        .extend_pairs([("code", CODE), ("state", state), ("iss", &server.origin())]);
    callback::get_url(back.as_str()).expect("an answer of the listener");
    (running.end(), carried, claims)
}

#[test]
fn the_browser_carries_the_client_and_a_signed_object_with_every_parameter() {
    let (home, server) = (Home::new(), server_with(""));
    let key = key(&home);
    let mut command = login(&home, &server, &["-p", "signed", "--no-browser", "--request-object"]);
    command.args(["--client-key-file", &key, "--client-auth", "none", "--scope", "api"]);
    command.args(["--resource", "https://a.example", "--resource", "https://b.example"]);
    command.args(["--param", "max_age=60"]);
    let (outcome, carried, claims) = complete(&mut command, &server, authorization_server::parameters);
    outcome.expect_code(0);
    let names: Vec<&str> = carried.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["client_id", "request"]);
    let mut names: Vec<&str> = claims.as_object().expect("claims").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "aud",
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "exp",
            "iat",
            "iss",
            "jti",
            "max_age",
            "nbf",
            "redirect_uri",
            "resource",
            "response_type",
            "scope",
            "state"
        ]
    );
    assert_eq!(claims["iss"], "desktop");
    assert_eq!(claims["aud"], server.origin());
    assert_eq!(claims["resource"], value!(["https://a.example", "https://b.example"]));
    assert_eq!(claims["max_age"], 60);
    let lifetime = claims["exp"].as_i64().expect("a time") - now();
    assert!((60..=600).contains(&lifetime), "{lifetime}");
    assert_eq!(claims["nbf"], claims["iat"]);
    assert_eq!(claims["jti"].as_str().map(str::len), Some(43));
    // No assertion: the key signs the request only.
    assert_eq!(
        value_of(&server.only_request_to("/token").form(), "client_assertion"),
        None
    );
    assert!(
        home.configuration().contains("request_object = true"),
        "{}",
        home.configuration()
    );
}

#[test]
fn pushed_it_stands_alone_beside_the_client_and_its_authentication() {
    let (home, server) = (
        Home::new(),
        server_with(r#""pushed_authorization_request_endpoint":"ORIGIN/par","#),
    );
    let answer = r#"{"request_uri":"urn:example:1","expires_in":60}"#;
    server.on("POST", "/par", json(201, answer));
    let key = key(&home);
    let mut command = login(&home, &server, &["--no-browser", "--request-object"]);
    command.args(["--client-key-file", &key]);
    let (outcome, carried, _) = complete(&mut command, &server, |url| {
        assert_eq!(authorization_server::parameters(url).len(), 2, "{url}");
        server.only_request_to("/par").form()
    });
    outcome.expect_code(0);
    let names: Vec<&str> = carried.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["client_id", "request", "client_assertion_type", "client_assertion"]
    );
}

#[test]
fn a_server_that_requires_objects_gets_them_without_the_flag() {
    let (home, server) = (Home::new(), server_with(r#""require_signed_request_object":true,"#));
    let key = key(&home);
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--client-key-file", &key, "--client-auth", "none"],
    );
    complete(&mut command, &server, authorization_server::parameters)
        .0
        .expect_code(0);

    // Without a key the login is tried, with a warning that says what is missing.
    let home = Home::new();
    let mut command = login(&home, &server, &["--no-browser"]);
    let outcome = super::support::login::complete(&mut command, &server.origin()).expect_code(0);
    assert!(outcome.warnings().contains("--client-key-file"), "{}", outcome.stderr);
}

#[test]
fn without_a_key_there_is_nothing_to_sign_with() {
    let (home, server) = (Home::new(), server_with(""));
    run(&mut login(&home, &server, &["--no-browser", "--request-object"]))
        .expect_error(2)
        .says(&["--client-key-file"]);
    assert!(server.requests().is_empty());
    assert_nothing_kept(&home);
}

#[test]
fn the_trace_shows_nothing_of_the_object() {
    let (home, server) = (Home::new(), server_with(""));
    let key = key(&home);
    let trace = home.path().join("trace.har");
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--request-object", "-vv", "--client-auth", "none"],
    );
    command.args(["--client-key-file", &key, "--trace", &trace.display().to_string()]);
    let (outcome, carried, claims) = complete(&mut command, &server, authorization_server::parameters);
    let outcome = outcome.expect_code(0).says(&["signed with ES256"]);
    let trace = std::fs::read_to_string(trace).expect("the trace");
    let object = value_of(&carried, "request").expect("an object");
    for secret in [object, claims["state"].as_str().expect("a state")] {
        assert!(!trace.contains(secret), "in the trace");
    }
    // The URL to open is the one place for it.
    assert_eq!(outcome.stderr.matches(object).count(), 1, "{}", outcome.stderr);
}
