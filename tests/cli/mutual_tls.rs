//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705): the
//! certificate of the client, where it is shown, and what is said when it is
//! not taken.

use super::support::binary::Home;
use super::support::certificates::{Authority, Identity};
use super::support::certified_server::CertifiedServer;
use super::support::literal_server::json;
use super::support::outcome::run;
use super::support::sessions::ending_in;
use std::path::PathBuf;
use std::process::Command;

const P256: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
const P384: &str = include_str!("../../src/protocol/signing/test_keys/p384.pkcs8.pem");
const RSA: &str = include_str!("../../src/protocol/signing/test_keys/rsa.pkcs8.pem");
const ED25519: &str = include_str!("../../src/protocol/signing/test_keys/ed25519.pkcs8.pem");

/// A server whose clients authenticate by this method.
fn start(method: &str) -> CertifiedServer {
    start_with(method, |certified| certified.to_owned())
}

/// The aliases are at the origin that `alias` makes of the right one.
fn start_with(method: &str, alias: impl Fn(&str) -> String) -> CertifiedServer {
    let server = CertifiedServer::start(|origin, certified| {
        let alias = alias(certified);
        format!(
            r#"{{"issuer":"{origin}","token_endpoint":"{origin}/token","revocation_endpoint":"{origin}/revoke","introspection_endpoint":"{origin}/introspect","response_types_supported":[],"token_endpoint_auth_methods_supported":["{method}"],"mtls_endpoint_aliases":{{"token_endpoint":"{alias}/token","revocation_endpoint":"{alias}/revoke","introspection_endpoint":"{alias}/introspect","par":7}}}}"#
        )
    });
    for server in [&server.everybody, &server.certified] {
        server.on("POST", "/revoke", json(200, "{}"));
    }
    server
}

fn files(home: &Home, certificate: &str, key: &str) -> (PathBuf, PathBuf) {
    let paths = (home.path().join("client.pem"), home.path().join("client.key"));
    std::fs::write(&paths.0, certificate).expect("the certificate");
    std::fs::write(&paths.1, key).expect("the key");
    paths
}

#[test]
fn the_certificate_of_every_kind_of_key_is_shown_at_the_endpoint_for_it() {
    for (method, key) in [
        ("tls_client_auth", P256),
        ("tls_client_auth", RSA),
        ("self_signed_tls_client_auth", P384),
        ("self_signed_tls_client_auth", ED25519),
    ] {
        let (home, server) = (Home::new(), start(method));
        let (certificate, key) = files(&home, &server.authority.certify(key), key);
        run(&mut server.login(&home, &certificate, &key)).expect_code(0);
        let request = server.certified.only_request_to("/token");
        assert_eq!(
            request.body_text(),
            "grant_type=client_credentials&client_id=s6BhdRkqt3",
            "{method}"
        );
        assert_eq!(request.header("authorization"), None);
        assert_eq!(server.everybody.requests_to("/token").len(), 0);
    }
}

#[test]
fn the_printed_command_names_the_files_of_certificate_and_key() {
    let (home, server) = (Home::new(), start("tls_client_auth"));
    let (certificate, key) = files(&home, &server.authority.certify(P256), P256);
    let mut login = server.login(&home, &certificate, &key);
    let authority = server.authority.write(home.path());
    let outcome = run(login.arg("-vv")).expect_code(0);
    let command = |stderr: &str| {
        let (_, command) = stderr
            .split_once(&format!("curl {}", server.certified.url("/token")))
            .expect("the command");
        command.split_once("--data-urlencode").expect("a form").0.to_owned()
    };
    let shown = command(&outcome.stderr);
    assert!(
        shown.contains(&format!(" --cacert {} ", authority.display())),
        "{shown}"
    );
    // a session keeps what was in the files, not where they are
    assert!(
        shown.contains(" --cert \"$CLIENT_CERT_FILE\" ") && shown.contains(" --key \"$CLIENT_KEY_FILE\" "),
        "{shown}"
    );
    // those of the transport are shown to every server
    let mut other = server.oauth(&home);
    other.args([
        "login",
        "-p",
        "other",
        "--issuer",
        &server.everybody.origin(),
        "--client-id",
        "other",
        "-vv",
    ]);
    other.args(["--grant", "client-credentials", "--client-auth", "client_secret_post"]);
    other
        .args(["--token-endpoint", &server.certified.url("/token")])
        .env("OAUTH_CLIENT_SECRET", "s");
    let outcome = run(other.arg("--cert").arg(&certificate).arg("--key").arg(&key)).expect_code(0);
    let shown = command(&outcome.stderr);
    for (option, path) in [("--cacert", &authority), ("--cert", &certificate), ("--key", &key)] {
        assert!(
            shown.contains(&format!(" {option} {} ", path.display())),
            "{option}: {shown}"
        );
    }
}

#[test]
fn the_next_token_introspection_and_revocation_show_the_kept_certificate() {
    let (home, server) = (Home::new(), start("tls_client_auth"));
    let (certificate, key) = files(&home, &server.authority.certify(P256), P256);
    run(&mut server.login(&home, &certificate, &key)).expect_code(0);
    std::fs::remove_file(certificate).expect("removing the certificate");
    std::fs::remove_file(key).expect("removing the key");
    let session = home.kept("ci").expect("the session");
    home.keep("ci", &ending_in(-10, session));
    run(server.oauth(&home).args(["token", "ci"])).expect_code(0);
    run(server.oauth(&home).args(["introspect", "-p", "ci"])).expect_code(0);
    run(server.oauth(&home).args(["logout", "ci"])).expect_code(0);
    for (path, count) in [("/token", 2), ("/introspect", 1), ("/revoke", 1)] {
        let requests = server.certified.requests_to(path);
        assert_eq!(requests.len(), count, "{path}");
        assert!(
            requests
                .iter()
                .all(|request| request.body_text().contains("client_id=s6BhdRkqt3"))
        );
        assert_eq!(server.everybody.requests_to(path).len(), 0, "{path}");
    }
}

#[test]
fn a_certificate_of_others_an_expired_one_and_none_are_refused_and_nothing_is_kept() {
    let server = start("tls_client_auth");
    let write = |home: &Home, identity: &Identity| identity.write(home.path(), "client");
    for identity in [
        Authority::new().issue(&["client.example"]),
        server.authority.issue_expired(&["client.example"]),
    ] {
        let home = Home::new();
        let (certificate, key) = write(&home, &identity);
        let outcome = run(&mut server.login(&home, &certificate, &key)).expect_code(3);
        assert!(outcome.stderr.contains("certificate"), "{outcome:?}");
        assert!(home.kept("ci").is_none());
    }
    let home = Home::new();
    let mut command = server.oauth(&home);
    command
        .args(["login", "-p", "ci", "--token-endpoint", &server.certified.url("/token")])
        .args(["--client-id", "s6BhdRkqt3", "--grant", "client-credentials"])
        .env("OAUTH_CLIENT_SECRET", "s");
    let outcome = run(&mut command).expect_code(3);
    assert!(outcome.stderr.contains("certificate"), "{outcome:?}");
    assert_eq!(server.certified.requests().len(), 0);
}

#[test]
fn a_token_that_is_not_bound_goes_to_a_resource_without_the_certificate() {
    let (home, server) = (Home::new(), start("tls_client_auth"));
    let (certificate, key) = files(&home, &server.authority.certify(P256), P256);
    run(&mut server.login(&home, &certificate, &key)).expect_code(0);
    server.certified.on("GET", "/api", json(200, "{}"));
    let url = server.certified.url("/api");
    let host = format!("127.0.0.1:{}", server.certified.port());
    let mut command = server.oauth(&home);
    command.args(["request", &url, "-p", "ci", "--allow-host", &host]);
    let outcome = run(&mut command).expect_code(3);
    assert!(outcome.stderr.contains("certificate"), "{outcome:?}");
    assert_eq!(server.certified.requests_to("/api").len(), 0);
}

#[test]
fn one_certificate_for_a_host_alone() {
    let (home, server) = (Home::new(), start("tls_client_auth"));
    let (certificate, key) = files(&home, &server.authority.certify(P256), P256);
    let transport = |command: &mut Command| {
        command.arg("--cert").arg(&certificate).arg("--key").arg(&key);
    };
    let mut both = server.login(&home, &certificate, &key);
    transport(both.args(["--client-auth", "tls_client_auth"]));
    run(&mut both).expect_error(2).says(&["--cert", "--client-cert-file"]);
    run(&mut server.login(&home, &certificate, &key)).expect_code(0);
    let session = home.kept("ci").expect("the session");
    home.keep("ci", &ending_in(-10, session));
    let mut both = server.oauth(&home);
    transport(&mut both);
    run(both.args(["token", "ci"])).expect_error(2).says(&["--cert"]);
    assert!(!home.configuration().contains("\ncert ="), "{}", home.configuration());
}

#[test]
fn a_method_with_a_certificate_needs_certificate_and_key() {
    let (home, server) = (Home::new(), start("tls_client_auth"));
    let (_, key) = files(&home, &server.authority.certify(P256), P256);
    let mut command = server.oauth(&home);
    command
        .args(["login", "-p", "ci", "--issuer", &server.everybody.origin()])
        .args(["--client-id", "s6BhdRkqt3", "--grant", "client-credentials"])
        .args(["--client-auth", "tls_client_auth", "--client-key-file"])
        .arg(key);
    run(&mut command)
        .expect_error(2)
        .says(&["client certificate", "--client-cert-file"]);
    assert_eq!(server.everybody.requests().len(), 0);
}

#[test]
fn a_certificate_of_another_key_is_found_before_anything_is_sent() {
    let (home, server) = (Home::new(), start("tls_client_auth"));
    for (of, with) in [(P384, P256), (RSA, ED25519), (ED25519, RSA)] {
        let (certificate, key) = files(&home, &server.authority.certify(of), with);
        run(&mut server.login(&home, &certificate, &key))
            .expect_error(2)
            .says(&["--client-cert-file", "--client-key-file", "another key"]);
    }
    assert_eq!(server.everybody.requests().len(), 0);
}

#[test]
fn aliases_that_must_not_be_called_end_the_login() {
    for wrong in ["http://as.example", "file:///etc", "https://user@as.example"] {
        let server = start_with("tls_client_auth", |_| wrong.to_owned());
        let home = Home::new();
        let (certificate, key) = files(&home, &server.authority.certify(P256), P256);
        let outcome = run(&mut server.login(&home, &certificate, &key)).expect_code(6);
        assert!(outcome.stderr.contains("mtls_endpoint_aliases"), "{wrong}: {outcome:?}");
        assert_eq!(server.everybody.requests_to("/token").len(), 0);
    }
}
