//! `oauth serve --tls`: https with an authority of its own, clients with
//! certificates, and tokens that are bound to them (RFC 8705).

use super::support::binary::Home;
use super::support::certificates::{Authority, Identity, self_signed};
use super::support::development_server::DevelopmentServer;
use super::support::https_server::{Stage, folder};
use super::support::outcome::run;
use super::support::running::Running;
use super::support::sessions::ending_in;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

const NAMES: [&str; 6] = [
    "authority.key.pem",
    "authority.pem",
    "client.key.pem",
    "client.pem",
    "server.key.pem",
    "server.pem",
];

/// The client of the certificate that the server makes, with bound tokens.
fn of_the_authority() -> Value {
    json!({
        "client_id": "certified",
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=oauth serve client",
        "tls_client_certificate_bound_access_tokens": true,
    })
}

/// A client that is known by its certificate alone.
fn of_itself(identity: &Identity) -> Value {
    json!({
        "client_id": "certified",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": {"keys": [{"kty": "EC", "x5c": [identity.base64()]}]},
        "tls_client_certificate_bound_access_tokens": true,
    })
}

fn thumbprint(identity: &Identity) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(&identity.certificate))
}

#[test]
fn the_certificates_are_made_once_for_the_owner_alone_and_used_again() {
    let stage = Stage::set(&of_the_authority());
    assert!(stage.server.issuer().starts_with("https://127.0.0.1:"));
    let contents = || NAMES.map(|name| std::fs::read(stage.file(name)).expect(name));
    for name in NAMES {
        let mode = std::fs::metadata(stage.file(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let before = contents();
    let folder = folder(&stage.home).display().to_string();
    let again = DevelopmentServer::start_with(&["--tls", &folder], |command| {
        command.arg("--json");
    });
    assert!(before == contents(), "they were made again");
    let announced: Value = serde_json::from_str(&again.announcement).expect("JSON");
    assert_eq!(announced["tls"]["authority"], format!("{folder}/authority.pem"));
    assert_eq!(announced["tls"]["client_subject"], "CN=oauth serve client");

    run(stage.oauth().args(["discover", &again.issuer()])).expect_code(0);
    let untrusting = run(stage.home.oauth().args(["discover", &again.issuer()])).expect_code(3);
    assert!(untrusting.hints().contains("--cacert"), "{untrusting:?}");
}

#[test]
fn the_authority_vouches_for_this_machine_alone() {
    let stage = Stage::set(&of_the_authority());
    let authority = stage.authority();
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone()).expect("the authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().expect("a verifier");
    for (name, is_vouched_for) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("localhost.example", false),
        ("192.0.2.1", false),
    ] {
        let certificate = authority.issue(&[name]).certificate;
        let server_name = ServerName::try_from(name).expect("a name");
        let verified = verifier.verify_server_cert(&certificate, &[], &server_name, &[], UnixTime::now());
        assert_eq!(verified.is_ok(), is_vouched_for, "{name}: {verified:?}");
    }
    let outside = authority.issue(&["as.example"]).certificate;
    let name = ServerName::try_from("as.example").expect("a name");
    let refused = verifier.verify_server_cert(&outside, &[], &name, &[], UnixTime::now());
    let refused = refused.expect_err("a name of another machine");
    assert_ne!(
        refused,
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
    );
}

#[test]
fn clients_with_certificates_are_sent_to_the_endpoints_for_them() {
    let stage = Stage::set(&of_the_authority());
    let target = "/.well-known/oauth-authorization-server";
    let metadata = stage.send("GET", target, &["Connection: close"], None).body_text();
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let port = stage.server.port();
    for member in [
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "userinfo_endpoint",
        "device_authorization_endpoint",
    ] {
        let alias = metadata["mtls_endpoint_aliases"][member].as_str().expect(member);
        assert!(alias.starts_with(&format!("https://localhost:{port}/")), "{alias}");
    }
    assert_eq!(metadata["mtls_endpoint_aliases"]["authorization_endpoint"], Value::Null);
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        let methods = metadata["token_endpoint_auth_methods_supported"].as_array();
        assert!(methods.expect("a list").contains(&json!(method)));
    }
    let plain = DevelopmentServer::start(&[]).get(target, &[]).body_text();
    assert!(
        !plain.contains("mtls_endpoint_aliases") && !plain.contains("tls_client"),
        "{plain}"
    );
}

#[test]
fn a_certificate_of_the_authority_brings_tokens_that_are_bound_to_it() {
    let stage = Stage::set(&of_the_authority());
    run(&mut stage.machine_login("tls_client_auth", &stage.own())).expect_code(0);
    let introspected = run(stage.oauth().args(["introspect", "-p", "ci", "--json"])).expect_code(0);
    let introspected = introspected.json();
    let read = |name: &str| std::fs::read_to_string(stage.file(name)).expect(name);
    let own = Identity::from_pem(&read("client.pem"), &read("client.key.pem"));
    assert_eq!(introspected["cnf"], json!({"x5t#S256": thumbprint(&own)}));
    assert_eq!(introspected["token_type"], "Bearer");
}

#[test]
fn a_login_with_a_certificate_refreshes_asks_who_it_is_and_logs_out() {
    let identity = self_signed(&["client.example"]);
    let stage = Stage::set(&of_itself(&identity));
    let files = identity.write(stage.home.path(), "own");
    let mut command = stage.login("self_signed_tls_client_auth", &files);
    let api = format!("{}/api", stage.server.issuer());
    command.args(["--no-browser", "--scope", "openid hello", "--resource", &api]);
    let running = Running::start(&mut command);
    stage.consent(&running.authorization_url());
    running.end().expect_code(0);
    let userinfo = || {
        let outcome = run(stage.oauth().args(["userinfo", "-p", "ci", "--json"])).expect_code(0);
        assert_eq!(outcome.json()["sub"], "demo");
    };
    userinfo();
    run(stage.oauth().args(["token", "ci", "--force-refresh"])).expect_code(0);
    userinfo();
    let hello = run(stage.oauth().args(["request", &format!("{api}/hello"), "-p", "ci"])).expect_code(0);
    let hello: Value = serde_json::from_str(&hello.stdout).expect("JSON");
    assert_eq!(hello["subject"], "demo");

    let other = self_signed(&["client.example"]);
    for target in ["/userinfo", "/api/hello"] {
        assert_eq!(stage.resource(target, Some(&identity)).0, 200, "{target}");
        let refused = (401, "invalid_token".to_owned());
        assert_eq!(stage.resource(target, None), refused, "{target} without a certificate");
        assert_eq!(
            stage.resource(target, Some(&other)),
            refused,
            "{target} with another one"
        );
    }
    stage
        .server
        .wait_for_log(&["/api/hello 401", "bound to a certificate", "RFC 8705 §3"]);
    run(stage.oauth().args(["logout", "ci"])).expect_code(0);
}

#[test]
fn a_client_with_a_certificate_registers_itself_and_is_known_by_that_certificate_alone() {
    let stage = Stage::set(&of_the_authority());
    let own = self_signed(&["client.example"]);
    let others = [
        self_signed(&["client.example"]),
        stage.authority().issue(&["client.example"]),
    ];
    for (method, (certificate, key), member) in [
        ("tls_client_auth", stage.own(), "tls_client_auth_subject_dn"),
        (
            "self_signed_tls_client_auth",
            own.write(stage.home.path(), "own"),
            "jwks",
        ),
    ] {
        let mut command = stage.oauth();
        command
            .args([
                "login",
                "-p",
                method,
                "--issuer",
                &stage.server.issuer(),
                "--register",
                "--no-browser",
            ])
            .args(["--client-auth", method, "--scope", "openid"])
            .arg("--client-cert-file")
            .arg(certificate)
            .arg("--client-key-file")
            .arg(key);
        let running = Running::start(&mut command);
        stage.consent(&running.authorization_url());
        running.end().expect_code(0).says(&["registered"]);
        let session = stage.home.kept(method).expect("the session");
        let registration = session
            .registration
            .as_ref()
            .and_then(|own| own.management.as_ref())
            .expect("a registration");
        let read = |identity: Option<&Identity>| {
            let authorization = format!("Authorization: Bearer {}", registration.access_token.expose());
            let target = registration.uri.url()[url::Position::BeforePath..].to_owned();
            stage.send("GET", &target, &[&authorization, "Connection: close"], identity)
        };
        let registered: Value = serde_json::from_str(&read(None).body_text()).expect("JSON");
        assert_eq!(registered["token_endpoint_auth_method"], method, "{registered}");
        assert!(registered.get(member).is_some(), "{registered}");
        run(stage.oauth().args(["token", method, "--force-refresh"])).expect_code(0);

        // what another certificate sends in its name is refused
        for other in others.iter().map(Some).chain([None]) {
            let form = format!("grant_type=client_credentials&client_id={}", session.client.id.as_str());
            assert_eq!(stage.post("/token", &form, other).status, 401, "{method}");
        }
        run(stage.oauth().args(["profile", "remove", method])).expect_code(0);
        assert_eq!(read(None).status, 401, "it is not registered any more");
    }
}

#[test]
fn without_tls_no_client_registers_with_a_certificate() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let client = json!({
        "redirect_uris": ["http://127.0.0.1:4711/callback"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=client",
    });
    let answer = server.post("/register", &["Content-Type: application/json"], &client.to_string());
    assert_eq!(answer.status, 400);
    for part in ["invalid_client_metadata", "--tls"] {
        assert!(answer.body_text().contains(part), "{}", answer.body_text());
    }
}

#[test]
fn another_an_expired_and_no_certificate_bring_no_token_and_the_session_stays() {
    let stage = Stage::set_with(&of_the_authority(), &["--access-token-ttl", "2h"]);
    run(&mut stage.machine_login("tls_client_auth", &stage.own())).expect_code(0);
    let session = stage.home.kept("ci").expect("the session");
    let session = ending_in(-10, session);
    stage.home.keep("ci", &session);
    let authority = stage.authority();
    for (identity, said) in [
        (Authority::new().issue(&["client.example"]), "did not sign it"),
        (authority.issue(&["localhost"]), "of another client"),
        (authority.issue_expired(&["localhost"]), "it has expired"),
    ] {
        let mut session = session.clone();
        let (certificate, key) = identity.write(stage.home.path(), "wrong");
        session.client.certificate_chain = Some(std::fs::read_to_string(&certificate).expect("the certificate"));
        let key_text = std::fs::read_to_string(&key).expect("the key");
        session.client.key = Some(oauth::secret::Secret::from(key_text));
        stage.home.keep("ci", &session);
        let outcome = run(stage.oauth().args(["token", "ci"])).expect_code(5);
        assert!(
            outcome.stderr.contains("invalid_client") && outcome.stderr.contains(said),
            "{outcome:?}"
        );
        let kept = stage.home.kept("ci").expect("the session");
        assert_eq!(
            kept.tokens[0].access_token.expose(),
            session.tokens[0].access_token.expose()
        );
        assert!(kept.dead.is_none());

        let home = Home::new();
        let mut login = stage.machine_login("tls_client_auth", &(certificate, key));
        run(login.args(["-p", "new"])).expect_code(5);
        assert!(stage.home.kept("new").is_none() && home.kept("new").is_none());
    }
    let mut command = stage.oauth();
    command
        .args(["login", "-p", "none", "--issuer", &stage.server.issuer()])
        .args(["--client-id", "certified", "--grant", "client-credentials"])
        .env("OAUTH_CLIENT_SECRET", "s");
    run(&mut command).expect_code(5);
    assert!(stage.home.kept("none").is_none());
    stage.home.keep("ci", &session);
    run(stage.oauth().args(["token", "ci"])).expect_code(0);
}

#[test]
fn a_client_with_a_certificate_takes_https() {
    let home = Home::new();
    let file = home.path().join("client.json");
    for metadata in [
        of_the_authority(),
        json!({"client_id": "app", "token_endpoint_auth_method": "none", "tls_client_certificate_bound_access_tokens": true}),
    ] {
        std::fs::write(&file, metadata.to_string()).expect("the metadata");
        let mut command = home.oauth();
        command.args(["serve", "--port", "0", "--client-metadata"]).arg(&file);
        run(&mut command).expect_error(2).says(&["https", "--tls DIR"]);
    }
}

#[test]
fn plain_http_at_a_port_of_https_is_answered_with_what_is_wrong() {
    let stage = Stage::set(&of_the_authority());
    let answer = stage.server.get("/jwks", &[]);
    assert_eq!(
        (answer.status, answer.body_text().as_str()),
        (400, "this server speaks https\n")
    );
    stage.server.wait_for_log(&["400", "this server speaks https"]);
    assert_eq!(stage.send("GET", "/jwks", &["Connection: close"], None).status, 200);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let stage = Stage::set(&of_the_authority());
    let folder = folder(&stage.home).display().to_string();
    let serve = || {
        let mut command = stage.home.oauth();
        command.args(["serve", "--port", "0", "--tls", &folder]);
        command
    };
    std::fs::write(stage.file("server.pem"), "-----BEGIN CERTIFICATE-----\n").expect("a damaged file");
    run(&mut serve()).expect_error(2).says(&["server.pem", "damaged"]);
    std::fs::remove_file(stage.file("server.pem")).expect("removing it");
    std::fs::remove_file(stage.file("authority.key.pem")).expect("removing the key");
    run(&mut serve())
        .expect_error(2)
        .says(&["authority.key.pem", "missing"]);
}
