//! Tokens that are bound to the certificate of a client that authenticates in
//! another way (RFC 8705 §3, FAPI 2.0 Security Profile §5.3.3): where the
//! certificate is shown, and where it only names the key of an assertion.

use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::certificates::Authority;
use super::support::certified_server::CertifiedServer;
use super::support::https_server::Stage;
use super::support::literal_server::json as json_reply;
use super::support::outcome::run;
use super::support::running::Running;
use super::support::sessions::ending_in;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
const SECRET: &str = "a-shared-secret-of-32-bytes-or-more!";

/// A client of each method whose tokens the server binds to its certificate.
fn bound_client(method: &str) -> Value {
    let mut metadata = json!({
        "client_id": "certified",
        "token_endpoint_auth_method": method,
        "tls_client_certificate_bound_access_tokens": true,
    });
    match method {
        "private_key_jwt" => {
            // RFC 7515 §A.3.1, under its thumbprint (RFC 7638)
            let key = json!({"kty": "EC", "crv": "P-256", "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
            metadata["jwks"] = json!({"keys": [key]});
        }
        "none" => {}
        _ => metadata["client_secret"] = SECRET.into(),
    }
    metadata
}

/// Certificate and key of the client, in files of this home.
fn files(home: &Home, authority: &Authority) -> (PathBuf, PathBuf) {
    let paths = (home.path().join("own.pem"), home.path().join("own.key.pem"));
    std::fs::write(&paths.0, authority.certify(KEY)).expect("the certificate");
    std::fs::write(&paths.1, KEY).expect("the key");
    paths
}

/// A client of this method that is logged in with scope and resource; the
/// files of its certificate and key are gone since.
fn logged_in(method: &str, resource: &str) -> Stage {
    let stage = Stage::set(&bound_client(method));
    let files = files(&stage.home, &stage.authority());
    let mut command = stage.login(method, &files);
    let resource = format!("{}{resource}", stage.server.issuer());
    command.args([
        "--no-browser",
        "--scope",
        "openid hello notes introspect",
        "--resource",
        &resource,
    ]);
    if method.starts_with("client_secret") {
        command.env("OAUTH_CLIENT_SECRET", SECRET);
    }
    let running = Running::start(&mut command);
    stage.consent(&running.authorization_url());
    running.end().expect_code(0);
    for file in [files.0, files.1] {
        std::fs::remove_file(file).expect("removing it");
    }
    stage
}

#[test]
fn tokens_of_clients_of_every_method_are_bound_refreshed_and_taken_with_the_certificate_alone() {
    for method in [
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "none",
    ] {
        let stage = logged_in(method, "/api");
        let hello = format!("{}/api/hello", stage.server.issuer());
        for _ in 0..2 {
            let userinfo = run(stage.oauth().args(["userinfo", "-p", "ci", "--json"])).expect_code(0);
            assert_eq!(userinfo.json()["sub"], "demo", "{method}");
            let answer = run(stage.oauth().args(["request", &hello, "-p", "ci"])).expect_code(0);
            assert!(answer.stdout.contains("\"demo\""), "{method}: {answer:?}");
            for target in ["/userinfo", "/api/hello"] {
                let refused = (401, "invalid_token".to_owned());
                assert_eq!(stage.resource(target, None), refused, "{method}: {target}");
            }
            run(stage.oauth().args(["token", "ci", "--force-refresh"])).expect_code(0);
        }
        if method != "none" {
            let facts = run(stage.oauth().args(["introspect", "-p", "ci", "--json"])).expect_code(0);
            assert!(facts.json()["cnf"]["x5t#S256"].is_string(), "{method}: {facts:?}");
        }
        run(stage.oauth().args(["logout", "ci"])).expect_code(0);
    }
}

#[test]
fn the_bridge_shows_the_certificate_that_its_token_is_bound_to_also_after_a_refresh() {
    for method in ["private_key_jwt", "none"] {
        let stage = logged_in(method, "/mcp");
        let url = format!("{}/mcp", stage.server.issuer());
        for is_expired in [false, true] {
            let session = stage.home.kept("ci").expect("the session");
            let before = session.tokens[0].access_token.clone();
            if is_expired {
                stage.home.keep("ci", &ending_in(-10, session));
            }
            let mut bridge = Bridge::start(stage.oauth().args(["mcp", &url, "-p", "ci"]), Stdio::null());
            bridge.say(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#);
            assert!(bridge.next().contains("\"result\""), "{method}");
            bridge.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
            bridge.say(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#);
            assert!(bridge.next().contains("\"tools\""), "{method}");
            bridge.leave();
            let after = stage.home.kept("ci").expect("the session");
            let is_new = after.tokens[0].access_token.expose() != before.expose();
            assert_eq!(is_new, is_expired, "{method}");
        }
        assert_eq!(stage.resource("/mcp", None).0, 401, "{method}");
    }
}

/// A server that says whether it binds tokens to certificates.
fn start(binds_tokens: bool) -> CertifiedServer {
    let server = CertifiedServer::start(|origin, alias| {
        json!({
            "issuer": origin,
            "token_endpoint": format!("{origin}/token"),
            "introspection_endpoint": format!("{origin}/introspect"),
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "tls_client_certificate_bound_access_tokens": binds_tokens,
            "mtls_endpoint_aliases": {"token_endpoint": format!("{alias}/token"), "introspection_endpoint": format!("{alias}/introspect")},
        })
        .to_string()
    });
    for server in [&server.everybody, &server.certified] {
        server.on("GET", "/api", json_reply(200, "{}"));
    }
    server
}

fn login(server: &CertifiedServer, home: &Home) -> Command {
    let (certificate, key) = files(home, &server.authority);
    server.login(home, &certificate, &key)
}

/// Header and claims of the assertion in a request.
fn assertion(request: &super::support::literal_server::Request) -> (Value, Value) {
    let form = request.form();
    let (_, jwt) = form
        .iter()
        .find(|(name, _)| name == "client_assertion")
        .expect("an assertion");
    let mut parts = jwt.split('.').map(|part| {
        let part = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&part).unwrap_or_default()
    });
    (parts.next().expect("a header"), parts.next().expect("claims"))
}

#[test]
fn the_assertion_is_sent_over_a_connection_with_the_certificate_where_the_server_binds_tokens() {
    let (home, server) = (Home::new(), start(true));
    run(&mut login(&server, &home)).expect_code(0);
    let session = home.kept("ci").expect("the session");
    home.keep("ci", &ending_in(-10, session));
    run(server.oauth(&home).args(["token", "ci"])).expect_code(0);
    run(server.oauth(&home).args(["introspect", "-p", "ci"])).expect_code(0);
    let url = server.certified.url("/api");
    let host = format!("127.0.0.1:{}", server.certified.port());
    let mut command = server.oauth(&home);
    run(command.args(["request", &url, "-p", "ci", "--allow-host", &host])).expect_code(0);
    for (path, count) in [("/token", 2), ("/introspect", 1)] {
        let requests = server.certified.requests_to(path);
        assert_eq!(requests.len(), count, "{path}");
        for request in requests {
            let (header, claims) = assertion(&request);
            assert!(header["x5t#S256"].is_string(), "{header}");
            assert_eq!(claims["aud"], server.everybody.origin());
        }
        assert_eq!(server.everybody.requests_to(path).len(), 0, "{path}");
    }
}

#[test]
fn without_such_tokens_or_with_an_endpoint_of_its_own_the_certificate_only_names_the_key() {
    let (home, server) = (Home::new(), start(false));
    run(&mut login(&server, &home)).expect_code(0);
    let (header, _) = assertion(&server.everybody.only_request_to("/token"));
    assert!(header["x5t#S256"].is_string(), "{header}");
    let url = server.certified.url("/api");
    let host = format!("127.0.0.1:{}", server.certified.port());
    let mut command = server.oauth(&home);
    let outcome = run(command.args(["request", &url, "-p", "ci", "--allow-host", &host])).expect_code(3);
    assert!(outcome.stderr.contains("certificate"), "{outcome:?}");

    let (home, other) = (Home::new(), start(true));
    run(login(&other, &home).args(["--token-endpoint", &other.everybody.url("/token")])).expect_code(0);
    assert_eq!(other.everybody.requests_to("/token").len(), 1);
    assert_eq!(server.certified.requests().len() + other.certified.requests().len(), 0);
}

/// Rules about what tokens are bound to, and about certificates as proof.
const JUDGED: [&str; 4] = [
    "mtls.confirmation",
    "mtls.introspection",
    "mtls.bearer",
    "mtls.token-of-other",
];
const SKIPPED: [&str; 2] = ["mtls.other-certificate", "mtls.refresh"];

#[test]
fn an_examination_with_such_a_client_judges_its_tokens_and_skips_what_is_about_the_other_methods() {
    let stage = Stage::set(&bound_client("private_key_jwt"));
    let (certificate, key) = files(&stage.home, &stage.authority());
    let mut command = stage.oauth();
    command
        .args(["check", &stage.server.issuer(), "--client-id", "certified", "--json"])
        .args(["--scope", "openid introspect"])
        .args(JUDGED.iter().chain(&SKIPPED).flat_map(|rule| ["--rule", rule]))
        .arg("--client-cert-file")
        .arg(certificate)
        .arg("--client-key-file")
        .arg(key);
    let outcome = run(&mut command).expect_code(0);
    let report = outcome.json();
    let rules = report["rules"].as_array().expect("rules");
    let verdict = |id: &str| {
        let rule = rules.iter().find(|rule| rule["id"] == id);
        rule.unwrap_or_else(|| panic!("no {id}: {report}"))["verdict"].clone()
    };
    for id in JUDGED {
        assert_eq!(verdict(id), "pass", "{id}: {report}");
    }
    for id in SKIPPED {
        assert_eq!(verdict(id), "skipped", "{id}: {report}");
    }
}
