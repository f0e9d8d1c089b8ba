//! `private_key_jwt` and `client_secret_jwt` (RFC 7523 §2.2): what the
//! assertion says, where its key comes from and goes to, and what is said when
//! a server refuses it.

use super::support::authorization_server::{self, ACCESS_TOKEN, REFRESH_TOKEN};
use super::support::binary::Home;
use super::support::certificates::Authority;
use super::support::literal_server::{LiteralServer, Request, json, value_of};
use super::support::login::{ScriptedBrowser, assert_nothing_kept};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use super::support::sessions::{ending_in, now};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// RFC 7515 §A.3.1, in PKCS#8.
const P256: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// Its private part.
const P256_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const P256_THUMBPRINT: &str = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";

/// RFC 7515 §A.2.1.
const RSA_JWK: &str = include_str!("../../src/protocol/signing/test_keys/rsa.jwk");

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SECRET: &str = "a-shared-secret-of-32-bytes-or-more!";

/// An authorization server that says this of client authentication.
fn server(methods: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","revocation_endpoint":"{origin}/revoke","introspection_endpoint":"{origin}/introspect","response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true{methods}}}"#
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/token", json(200, &authorization_server::token_answer()));
    server.on("POST", "/revoke", json(200, "{}"));
    server.on("POST", "/introspect", json(200, r#"{"active":true}"#));
    server
}

/// `oauth login -p ci … --grant client-credentials` with these arguments.
fn login(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    let origin = server.origin();
    command
        .args(["login", "-p", "ci", "--issuer", &origin, "--client-id", "s6BhdRkqt3"])
        .args(["--grant", "client-credentials"])
        .args(arguments);
    command
}

fn file(home: &Home, name: &str, content: &str) -> String {
    let path = home.path().join(name);
    std::fs::write(&path, content).expect("writing a file");
    path.display().to_string()
}

/// An assertion that was sent.
#[derive(Debug)]
struct Assertion {
    header: Value,
    claims: Value,
    input: String,
    signature: Vec<u8>,
}

/// The assertion of a request, once the request around it was looked at.
fn assertion(request: &Request) -> Assertion {
    assert_eq!(request.header("authorization"), None);
    assert!(!request.target.contains('?'), "never in the URL");
    let form = request.form();
    assert_eq!(value_of(&form, "client_id"), Some("s6BhdRkqt3"));
    assert_eq!(value_of(&form, "client_secret"), None);
    assert_eq!(value_of(&form, "client_assertion_type"), Some(JWT_BEARER));
    let jwt = value_of(&form, "client_assertion").expect("an assertion");
    let (input, signature) = jwt.rsplit_once('.').expect("a JWT");
    let (header, claims) = input.split_once('.').expect("a JWT");
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let object = |text: &str| serde_json::from_slice(&bytes(text)).expect("JSON");
    Assertion {
        header: object(header),
        claims: object(claims),
        input: input.to_owned(),
        signature: bytes(signature),
    }
}

impl Assertion {
    fn assert_signed_by_p256(&self) {
        let coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let point = [&[4], &coordinate(P256_X)[..], &coordinate(P256_Y)[..]].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(self.input.as_bytes(), &self.signature)
            .expect("a signature of the key");
    }

    /// Claims of the client about itself, for this audience, good for a minute.
    fn assert_claims(&self, audience: &str) {
        let claims = self.claims.as_object().expect("an object");
        let names: BTreeSet<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["aud", "exp", "iat", "iss", "jti", "sub"]));
        assert_eq!(self.claims["iss"], "s6BhdRkqt3");
        assert_eq!(self.claims["sub"], "s6BhdRkqt3");
        assert_eq!(self.claims["aud"], audience);
        let issued = self.claims["iat"].as_i64().expect("a number");
        assert!((now() - 60..=now()).contains(&issued));
        assert_eq!(self.claims["exp"], issued + 60);
        assert!(self.claims["jti"].as_str().is_some_and(|jti| jti.len() >= 22));
    }
}

#[test]
fn a_key_alone_signs_an_assertion_for_the_issuer() {
    let (home, server) = (Home::new(), server(""));
    let key = file(&home, "key.pem", P256);
    run(&mut login(&home, &server, &["--client-key-file", &key, "--scope", "a"])).expect_code(0);
    let request = server.only_request_to("/token");
    let names: Vec<String> = request.form().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "grant_type",
            "client_id",
            "client_assertion_type",
            "client_assertion",
            "scope"
        ]
    );
    let assertion = assertion(&request);
    assert_eq!(
        assertion.header,
        serde_json::json!({"typ": "client-authentication+jwt", "alg": "ES256", "kid": P256_THUMBPRINT})
    );
    assertion.assert_claims(&server.origin());
    assertion.assert_signed_by_p256();
}

#[test]
fn a_secret_signs_with_hmac_where_the_method_is_chosen_or_the_only_one() {
    for (methods, arguments, algorithm) in [
        ("", &["--client-auth", "client_secret_jwt"][..], "HS256"),
        (
            r#","token_endpoint_auth_methods_supported":["client_secret_jwt"],"token_endpoint_auth_signing_alg_values_supported":["HS384","HS512"]"#,
            &[],
            "HS384",
        ),
    ] {
        let (home, server) = (Home::new(), server(methods));
        run(login(&home, &server, arguments).env("OAUTH_CLIENT_SECRET", SECRET)).expect_code(0);
        let assertion = assertion(&server.only_request_to("/token"));
        assert_eq!(
            assertion.header,
            serde_json::json!({"typ": "client-authentication+jwt", "alg": algorithm})
        );
        assertion.assert_claims(&server.origin());
        let algorithm = match algorithm {
            "HS256" => hmac::HMAC_SHA256,
            _ => hmac::HMAC_SHA384,
        };
        let key = hmac::Key::new(algorithm, SECRET.as_bytes());
        hmac::verify(&key, assertion.input.as_bytes(), &assertion.signature).expect("a signature of the secret");
    }
}

#[test]
fn the_key_is_named_by_flag_by_jwk_or_by_thumbprint_and_by_its_certificate() {
    let home = Home::new();
    let named =
        format!(r#"{{"kty":"EC","crv":"P-256","kid":"of the JWK","x":"{P256_X}","y":"{P256_Y}","d":"{P256_D}"}}"#);
    let jwk = file(&home, "key.jwk", &named);
    let pem = file(&home, "key.pem", P256);
    let certificate = Authority::new().certify(P256);
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &der).as_ref());
    let (sha1, sha256) = (thumbprint(&SHA1_FOR_LEGACY_USE_ONLY), thumbprint(&SHA256));
    let certificate = file(&home, "certificate.pem", &certificate);
    for (arguments, key_id) in [
        (&["--client-key-file", &jwk][..], "of the JWK"),
        (
            &["--client-key-file", &pem, "--client-key-id", "of the flag"],
            "of the flag",
        ),
        (
            &["--client-key-file", &pem, "--client-cert-file", &certificate],
            P256_THUMBPRINT,
        ),
    ] {
        let server = server("");
        run(&mut login(&home, &server, &[arguments, &["--no-save"]].concat())).expect_code(0);
        let header = assertion(&server.only_request_to("/token")).header;
        assert_eq!(header["kid"], key_id);
        let is_certified = arguments.contains(&"--client-cert-file");
        assert_eq!(header["x5t"] == sha1.as_str(), is_certified, "{header}");
        assert_eq!(header["x5t#S256"] == sha256.as_str(), is_certified, "{header}");
    }
}

#[test]
fn the_audience_and_the_algorithm_are_what_the_server_needs() {
    let home = Home::new();
    let pem = file(&home, "key.pem", P256);
    let other = "https://login.example/realm?x=Y";
    for (audience, expected) in [
        ("issuer", None),
        ("token-endpoint", Some("/token")),
        (other, Some(other)),
    ] {
        let server = server("");
        let arguments = ["--client-key-file", &pem, "--assertion-audience", audience, "--no-save"];
        run(&mut login(&home, &server, &arguments)).expect_code(0);
        let expected = match expected {
            None => server.origin(),
            Some(path) if path.starts_with('/') => server.url(path),
            Some(url) => url.to_owned(),
        };
        assertion(&server.only_request_to("/token")).assert_claims(&expected);
    }
    run(&mut login(
        &home,
        &server(""),
        &["--client-key-file", &pem, "--assertion-audience", "nobody"],
    ))
    .expect_code(2)
    .says(&["--assertion-audience", "token-endpoint"]);

    let server = server(r#","token_endpoint_auth_signing_alg_values_supported":["ES256","PS256"]"#);
    let jwk = file(&home, "rsa.jwk", RSA_JWK);
    run(&mut login(&home, &server, &["--client-key-file", &jwk, "--no-save"])).expect_code(0);
    let assertion = assertion(&server.only_request_to("/token"));
    assert_eq!(assertion.header["alg"], "PS256");
    let jwk: Value = serde_json::from_str(RSA_JWK).expect("JSON");
    let octets = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(jwk[name].as_str().expect("text"))
            .expect("base64url")
    };
    RsaPublicKeyComponents {
        n: octets("n"),
        e: octets("e"),
    }
    .verify(
        &RSA_PSS_2048_8192_SHA256,
        assertion.input.as_bytes(),
        &assertion.signature,
    )
    .expect("a signature of the key");
}

#[test]
fn with_endpoints_alone_the_token_endpoint_is_the_audience() {
    let (home, server) = (Home::new(), server(""));
    let pem = file(&home, "key.pem", P256);
    let mut command = home.oauth();
    command
        .args(["login", "-p", "ci", "--token-endpoint", &server.url("/token")])
        .args(["--client-id", "s6BhdRkqt3", "--grant", "client-credentials"])
        .args(["--client-key-file", &pem]);
    run(&mut command).expect_code(0);
    assertion(&server.only_request_to("/token")).assert_claims(&server.url("/token"));
}

/// A session with a refresh token, made with a key whose file is gone since.
fn signed_in_with_a_key(home: &Home, server: &LiteralServer) -> Outcome {
    let pem = file(home, "key.pem", P256);
    let mut command = home.oauth();
    command
        .args([
            "login",
            "-p",
            "ci",
            "--issuer",
            &server.origin(),
            "--client-id",
            "s6BhdRkqt3",
        ])
        .args(["--client-key-file", &pem, "--client-key-id", "mine"]);
    let running = Running::start(&mut command);
    authorization_server::consent(&running.authorization_url(), &server.origin());
    let outcome = running.end().expect_code(0);
    std::fs::remove_file(pem).expect("removing the key");
    outcome
}

#[test]
fn refreshing_introspecting_and_revoking_sign_with_the_kept_key_anew_each_time() {
    let (home, server) = (Home::new(), server(""));
    signed_in_with_a_key(&home, &server);
    let session = home.kept("ci").expect("the session");
    home.keep("ci", &ending_in(-10, session));
    run(home.oauth().args(["token", "ci"])).expect_code(0);
    run(home.oauth().args(["introspect", "-p", "ci"])).expect_code(0);
    run(home.oauth().args(["logout", "ci"])).expect_code(0);
    let mut unique_ids = BTreeSet::new();
    let mut count = 0;
    for (path, requests) in [("/token", 2), ("/introspect", 1), ("/revoke", 2)] {
        let requests_to = server.requests_to(path);
        assert_eq!(requests_to.len(), requests, "{path}");
        for request in requests_to {
            let assertion = assertion(&request);
            assertion.assert_signed_by_p256();
            assertion.assert_claims(&server.origin());
            assert_eq!(assertion.header["kid"], "mine");
            unique_ids.insert(assertion.claims["jti"].to_string());
            count += 1;
        }
    }
    assert_eq!(unique_ids.len(), count);
}

#[test]
fn logout_keeps_the_key_for_the_next_login_and_removing_the_profile_deletes_it() {
    let (home, server) = (Home::new(), server(""));
    signed_in_with_a_key(&home, &server);
    // the profile names the file, which is gone: this login has the key of the store alone
    run(home
        .oauth()
        .args(["profile", "set", "ci", "client_key_file=", "grant=client-credentials"]))
    .expect_code(0);
    run(home.oauth().args(["logout", "ci"])).expect_code(0);
    run(home.oauth().args(["login", "ci"])).expect_code(0);
    let requests = server.requests_to("/token");
    assert_eq!(assertion(&requests[1]).header["kid"], "mine");
    run(home.oauth().args(["profile", "remove", "ci"])).expect_code(0);
    run(&mut login(&home, &server, &["--client-auth", "private_key_jwt"]))
        .expect_code(2)
        .says(&["client key", "--client-key-file"]);
    assert_eq!(server.requests_to("/token").len(), 2);
}

#[test]
fn a_key_that_is_given_takes_the_place_of_a_kept_secret_and_the_other_way_round() {
    let (home, server) = (Home::new(), server(""));
    run(login(&home, &server, &[]).env("OAUTH_CLIENT_SECRET", SECRET)).expect_code(0);
    let pem = file(&home, "key.pem", P256);
    run(&mut login(&home, &server, &["--client-key-file", &pem])).expect_code(0);
    run(login(&home, &server, &[]).env("OAUTH_CLIENT_SECRET", SECRET)).expect_code(0);
    let requests = server.requests_to("/token");
    let by_basic: Vec<bool> = requests
        .iter()
        .map(|request| request.header("authorization").is_some())
        .collect();
    assert_eq!(by_basic, [true, false, true]);
}

#[test]
fn a_refused_assertion_leads_to_the_flags_that_may_help() {
    let (home, server) = (Home::new(), server(""));
    server.on("POST", "/token", json(401, r#"{"error":"invalid_client"}"#));
    let pem = file(&home, "key.pem", P256);
    let outcome = run(&mut login(&home, &server, &["--client-key-file", &pem])).expect_code(5);
    assert!(
        outcome.hints().contains("--assertion-audience token-endpoint"),
        "{outcome:?}"
    );
    assert!(outcome.hints().contains("--client-key-id"), "{outcome:?}");
    let mut by_secret = login(&home, &server, &["--client-auth", "client_secret_jwt"]);
    let outcome = run(by_secret.env("OAUTH_CLIENT_SECRET", SECRET)).expect_code(5);
    assert!(
        outcome.hints().contains("--assertion-audience token-endpoint"),
        "{outcome:?}"
    );
    assert_nothing_kept(&home);
}

#[test]
fn a_client_that_is_refused_when_it_refreshes_is_told_the_same_flags() {
    let (home, server) = (Home::new(), server(""));
    signed_in_with_a_key(&home, &server);
    server.on("POST", "/token", json(401, r#"{"error":"invalid_client"}"#));
    let outcome = run(home.oauth().args(["token", "ci", "--force-refresh"])).expect_code(5);
    assert!(
        outcome.hints().contains("--assertion-audience token-endpoint"),
        "{outcome:?}"
    );
}

#[test]
fn a_token_that_cannot_be_introspected_is_not_called_one_that_cannot_be_revoked() {
    let (home, server) = (Home::new(), server(""));
    signed_in_with_a_key(&home, &server);
    server.on(
        "POST",
        "/introspect",
        json(400, r#"{"error":"unsupported_token_type"}"#),
    );
    let outcome = run(home.oauth().args(["introspect", "-p", "ci"])).expect_code(5);
    assert!(outcome.hints().contains("oauth decode"), "{outcome:?}");
}

#[test]
fn a_key_that_cannot_be_used_is_named_before_anything_is_made() {
    let (home, server) = (Home::new(), server(""));
    let encrypted = file(
        &home,
        "encrypted.pem",
        include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.encrypted.pem"),
    );
    let public = file(
        &home,
        "public.pem",
        include_str!("../../src/protocol/signing/test_keys/p256.public.pem"),
    );
    let empty = file(&home, "empty.pem", "\n");
    let good = file(&home, "key.pem", P256);
    for (arguments, word) in [
        (&["--client-key-file", &encrypted][..], "openssl pkey"),
        (&["--client-key-file", &public], "PUBLIC KEY"),
        (&["--client-key-file", &empty], "empty"),
        (&["--client-key-file", "/nonexistent/key"], "/nonexistent/key"),
        (
            &["--client-key-file", &good, "--client-cert-file", &good],
            "--client-cert-file",
        ),
        (&["--client-auth", "private_key_jwt"], "--client-key-file"),
        (&["--client-auth", "client_secret_jwt"], "--client-secret-file"),
        (
            &["--client-key-file", &good, "--client-auth", "client_secret_basic"],
            "--client-secret-file",
        ),
    ] {
        run(&mut login(&home, &server, &[arguments, &["--store", "file"]].concat()))
            .expect_error(2)
            .says(&[word]);
        assert_nothing_kept(&home);
    }
    for key in [P256, r#"{"kty":"EC","d":"canary"}"#] {
        let outcome = run(&mut login(&home, &server, &["--client-key-file", key])).expect_error(2);
        assert!(
            !outcome.stderr.contains("canary") && !outcome.stderr.contains("MIGH"),
            "{outcome:?}"
        );
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_key_and_its_assertions_appear_nowhere_but_in_store_and_request() {
    let (home, server) = (Home::new(), server(""));
    let keys = Home::new();
    let pem = file(&keys, "key.pem", P256);
    let browser = ScriptedBrowser::new(home.path(), "env; tr '\\0' '\\n' < /proc/$$/cmdline; echo \"$@\"");
    let trace = |ending: &str| home.path().join(format!("trace.{ending}"));
    let mut command = home.oauth();
    command
        .args([
            "login",
            "-p",
            "ci",
            "--issuer",
            &server.origin(),
            "--client-id",
            "s6BhdRkqt3",
        ])
        .args(["--client-key-file", &pem, "-vvv", "--browser", &browser.command]);
    for ending in ["json", "har", "html", "mmd"] {
        command.arg("--trace").arg(trace(ending));
    }
    let running = Running::start(&mut command);
    let seen_by_browser = browser.output();
    let own_arguments = std::fs::read(format!("/proc/{}/cmdline", running.id())).expect("its argv");
    authorization_server::consent(&running.authorization_url(), &server.origin());
    let login = running.end().expect_code(0);
    let refresh = run(home.oauth().args(["token", "ci", "--force-refresh", "-vvv"])).expect_code(0);
    let logout = run(home.oauth().args(["logout", "ci", "-vvv"])).expect_code(0);

    let sent: Vec<String> = server
        .requests()
        .iter()
        .filter_map(|request| value_of(&request.form(), "client_assertion").map(str::to_owned))
        .collect();
    assert_eq!(sent.len(), 4);
    let pem_line = P256.lines().nth(1).expect("base64");
    let secrets: Vec<&str> = [P256_D, pem_line, REFRESH_TOKEN]
        .into_iter()
        .chain(sent.iter().map(|jwt| jwt.rsplit('.').next().expect("a signature")))
        .collect();
    let mut places: Vec<(String, Vec<u8>)> = vec![
        ("the browser".into(), seen_by_browser.into_bytes()),
        ("argv".into(), own_arguments),
    ];
    for outcome in [login, refresh, logout] {
        places.push(("stderr".into(), outcome.stderr.into_bytes()));
        places.push(("stdout".into(), outcome.stdout.replace(ACCESS_TOKEN, "").into_bytes()));
    }
    let files: Vec<PathBuf> = home.files();
    for file in files.iter().filter(|file| file.is_file()) {
        places.push((file.display().to_string(), std::fs::read(file).expect("reading")));
    }
    assert!(trace("har").exists() && places.len() > 12, "{}", places.len());
    for (place, bytes) in &places {
        let text = String::from_utf8_lossy(bytes);
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} stands in {place}: {text}");
        }
    }
}

#[test]
fn discover_names_the_login_where_clients_have_to_authenticate() {
    let home = Home::new();
    for (methods, options) in [
        (
            r#","token_endpoint_auth_methods_supported":["private_key_jwt"]"#,
            Some("--client-key-file FILE"),
        ),
        (
            r#","token_endpoint_auth_methods_supported":["tls_client_auth"]"#,
            Some("--client-cert-file FILE --client-key-file FILE"),
        ),
        (
            r#","token_endpoint_auth_methods_supported":["none","private_key_jwt"]"#,
            None,
        ),
        ("", None),
    ] {
        let server = server(methods);
        let outcome = run(home.oauth().args(["discover", &server.origin()]));
        let line = options.map(|options| format!("oauth login {} --client-id ID {options}\n", server.origin()));
        match line {
            Some(line) => assert!(outcome.stdout.contains(&line), "{outcome:?}"),
            None => assert!(
                outcome
                    .stdout
                    .contains(&format!("oauth login {} --client-id ID\n", server.origin())),
                "{outcome:?}"
            ),
        }
    }
}
