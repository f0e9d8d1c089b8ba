//! A redirect URI with https, whose listener has a certificate of the user's or
//! one made for the occasion; and `--success-url`, where the browser goes on.

use super::support::authorization_server::{self, callback_url, consent, parameters, token_answer};
use super::support::binary::Home;
use super::support::callback::{self, Answer, BROWSER_NAVIGATION, authority, send_bytes, target};
use super::support::certificates::Authority;
use super::support::literal_server::{LiteralServer, json, value_of};
use super::support::login::{assert_nothing_kept, listener_of, login};
use super::support::outcome::run;
use super::support::running::Running;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use url::Url;

/// A person who goes on past the warning of the browser.
#[derive(Debug)]
struct GoesOn;

impl ServerCertVerifier for GoesOn {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whom the browser trusts.
enum Trust<'a> {
    Authority(&'a Authority),
    /// Nobody, and the person goes on all the same.
    GoesOn,
}

fn client(trust: &Trust<'_>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions");
    match trust {
        Trust::GoesOn => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(GoesOn))
            .with_no_client_auth(),
        Trust::Authority(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.clone()).expect("an authority");
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(url: &Url, trust: &Trust<'_>) -> std::io::Result<Stream> {
    let name = ServerName::try_from(url.host_str().expect("a host").to_owned()).expect("a name");
    let connection = ClientConnection::new(Arc::new(client(trust)), name).expect("a client");
    let stream = TcpStream::connect(("127.0.0.1", url.port_or_known_default().expect("a port")))?;
    let mut stream = StreamOwned::new(connection, stream);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

fn ask(mut stream: Stream, url: &Url, host: &str) -> Answer {
    let headers = BROWSER_NAVIGATION.join("\r\n");
    let request = format!("GET {} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n", target(url));
    stream.write_all(request.as_bytes()).expect("writing the request");
    let mut raw = Vec::new();
    let ended = stream.read_to_end(&mut raw);
    assert!(ended.is_ok(), "the connection ends with close_notify: {ended:?}");
    callback::parse(raw)
}

/// The browser comes back to this URL.
fn come_back(url: &str, trust: &Trust<'_>) -> Answer {
    let url = Url::parse(url).expect("a URL");
    let stream = connect(&url, trust).expect("a TLS connection");
    ask(stream, &url, &authority(&url))
}

fn redirect_uri(authorization_url: &str) -> String {
    let parameters = parameters(authorization_url);
    value_of(&parameters, "redirect_uri")
        .expect("a redirect URI")
        .to_owned()
}

#[test]
fn a_certificate_of_the_users_is_shown_and_remembered() {
    let (home, server) = (Home::new(), authorization_server::start());
    let trusted = Authority::new();
    let (certificate, key) = trusted.issue(&["localhost"]).write(home.path(), "callback");
    let mut command = login(&home, &server, &["--no-browser", "--callback-cert"]);
    command.arg(&certificate).arg("--callback-key").arg(&key);
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    assert!(redirect_uri(&url).starts_with("https://localhost:"), "{url}");
    let page = come_back(&callback_url(&url, &server.origin()), &Trust::Authority(&trusted));
    assert_eq!(page.status, 200);
    assert!(page.body_text().contains("You are signed in"));
    let outcome = running.end().expect_code(0);
    outcome.does_not_say("warn about the certificate");
    let sent = server.only_request_to("/token").form();
    assert_eq!(value_of(&sent, "redirect_uri"), Some(redirect_uri(&url).as_str()));
    for saved in [&certificate, &key] {
        let saved = saved.display().to_string();
        assert!(home.configuration().contains(&saved), "{}", home.configuration());
    }
}

#[test]
fn without_one_a_certificate_is_made_and_what_the_browser_will_show_is_told() {
    for host in ["localhost", "127.0.0.1", "app.localhost"] {
        let (home, server) = (Home::new(), authorization_server::start());
        let registered = format!("https://{host}:0/callback");
        let running = Running::start(&mut login(
            &home,
            &server,
            &["--no-browser", "--redirect-uri", &registered],
        ));
        let note = running.line_with("the browser will warn about the certificate");
        let url = running.authorization_url();
        assert!(redirect_uri(&url).starts_with(&format!("https://{host}:")), "{url}");
        let callback = Url::parse(&callback_url(&url, &server.origin())).expect("a URL");
        let stream = connect(&callback, &Trust::GoesOn).expect("a TLS connection");
        let shown = stream.conn.peer_certificates().expect("a certificate")[0].clone();
        let digest: Vec<String> = Sha256::digest(&shown)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert!(note.contains(&digest.join(":")), "{note}");
        assert_eq!(ask(stream, &callback, &authority(&callback)).status, 200);
        let outcome = running.end().expect_code(0);
        outcome.does_not_say("the owner of that name");
    }
}

#[test]
fn what_is_not_a_callback_is_refused_as_by_the_plain_listener_and_told() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--redirect-uri", "https://localhost:0/callback"],
    );
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    let callback = Url::parse(&callback_url(&url, &server.origin())).expect("a URL");
    let listener = listener_of(&url);

    let plain = send_bytes(&listener, b"GET /callback?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("an answer");
    assert_eq!(plain.status, 400);
    running.line_with("it speaks plain http, and the redirect URI is https");

    let stranger = Authority::new();
    assert!(
        connect(&callback, &Trust::Authority(&stranger)).is_err(),
        "the certificate is not trusted"
    );
    running.line_with("does not trust the certificate");

    let stream = connect(&callback, &Trust::GoesOn).expect("a TLS connection");
    assert_eq!(ask(stream, &callback, "attacker.example").status, 421);
    let mut elsewhere = callback.clone();
    elsewhere.set_path("/other");
    let stream = connect(&elsewhere, &Trust::GoesOn).expect("a TLS connection");
    assert_eq!(ask(stream, &elsewhere, &authority(&callback)).status, 404);

    assert_eq!(come_back(callback.as_str(), &Trust::GoesOn).status, 200);
    running.end().expect_code(0);
}

#[test]
fn clients_that_are_silent_or_stop_in_the_handshake_do_not_keep_the_callback_out() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--redirect-uri", "https://localhost:0/callback"],
    );
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    let listener = listener_of(&url);
    let idle: Vec<TcpStream> = (0..100)
        .map(|number| {
            let mut stream = TcpStream::connect(&listener).expect("a connection");
            if number % 2 == 0 {
                // the beginning of a ClientHello
                let _ = stream.write_all(&[0x16, 3, 1, 2, 0, 1]);
            }
            stream
        })
        .collect();
    let page = come_back(&callback_url(&url, &server.origin()), &Trust::GoesOn);
    assert_eq!(page.status, 200);
    running.end().expect_code(0);
    drop(idle);
}

#[test]
fn redirect_uris_that_no_listener_may_have_are_refused_before_anything_is_sent() {
    let (home, server) = (Home::new(), authorization_server::start());
    let missing = home.path().join("missing.pem").display().to_string();
    let certificate = ["--callback-cert", &missing, "--callback-key", &missing];
    for (arguments, part) in [
        (
            &["--redirect-uri", "https://nowhere.invalid:1/cb"][..],
            "cannot be resolved",
        ),
        (
            &["--redirect-uri", "https://192.0.2.1:1/cb"],
            "neither http nor https on 127.0.0.1",
        ),
        (&["--redirect-uri", "myapp:/cb"], "neither http nor https on 127.0.0.1"),
        (&["--success-url", "http://elsewhere.example/"], "plain http"),
        (&["--success-url", "javascript:alert(1)"], "success-url"),
        (&["--callback-cert", &missing], "--callback-key"),
        (
            &[certificate, ["--redirect-uri", "http://127.0.0.1:0/cb", "--port", "1"]].concat(),
            "which has no certificate",
        ),
        (&["--paste", "--success-url", "https://app.example/"], "--paste"),
    ] {
        let outcome = run(&mut login(&home, &server, arguments)).expect_error(2);
        assert!(outcome.stderr.contains(part), "{outcome:#?}");
    }
    assert_eq!(server.requests().len(), 0);
    let outcome = run(&mut login(&home, &server, &certificate)).expect_error(2);
    assert!(
        outcome.error().starts_with("--callback-cert: the certificate"),
        "{outcome:#?}"
    );
    assert_nothing_kept(&home);
    assert_eq!(server.requests().len(), 0);
}

/// Names of this machine beside `localhost`, as its hosts file has them.
fn name_of_this_machine() -> Option<String> {
    let hosts = std::fs::read_to_string("/etc/hosts").ok()?;
    let names = hosts.lines().filter_map(|line| line.strip_prefix("127.0.0.1"));
    let mut names = names.flat_map(str::split_whitespace);
    names.find(|name| !name.starts_with("localhost")).map(str::to_owned)
}

#[test]
fn a_name_that_is_not_localhost_is_warned_of() {
    // A machine without such a name has nothing to show.
    let Some(name) = name_of_this_machine() else { return };
    let (home, server) = (Home::new(), authorization_server::start());
    let registered = format!("https://{name}:0/callback");
    let running = Running::start(&mut login(
        &home,
        &server,
        &["--no-browser", "--redirect-uri", &registered],
    ));
    let warning = running.line_with("the owner of that name");
    assert!(warning.starts_with("warning: ") && warning.contains(&name), "{warning}");
    let url = running.authorization_url();
    let page = come_back(&callback_url(&url, &server.origin()), &Trust::GoesOn);
    assert_eq!(page.status, 200);
    running.end().expect_code(0);
}

fn log_in_with_success_url(server: &LiteralServer, home: &Home) -> (Answer, i32) {
    let mut command = login(
        home,
        server,
        &["--no-browser", "--success-url", "https://app.example/done?a=1"],
    );
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    let answer = consent(&url, &server.origin());
    let outcome = running.end();
    (answer, outcome.code.expect("a code"))
}

#[test]
fn the_browser_goes_on_to_the_success_url_with_nothing_of_the_login() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (answer, code) = log_in_with_success_url(&server, &home);
    assert_eq!((code, answer.status), (0, 200));
    assert_eq!(answer.header("refresh"), Some("0; url=https://app.example/done?a=1"));
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body_text().contains("You are signed in"));
    assert!(!answer.body_text().contains("app.example"));
    assert!(
        home.configuration()
            .contains("success_url = \"https://app.example/done?a=1\"")
    );
}

#[test]
fn a_login_that_fails_keeps_our_page() {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    let (answer, code) = log_in_with_success_url(&server, &home);
    assert_eq!((code, answer.status, answer.header("refresh")), (5, 500, None));
    assert!(answer.body_text().contains("The login failed"));
    // Neither does one whose session cannot be stored.
    server.on("POST", "/token", json(200, &token_answer()));
    let sessions = home.path().join(".local/share/oauth/sessions");
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--success-url", "https://app.example/"],
    );
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    std::fs::remove_dir_all(&sessions).expect("the folder of the sessions");
    std::fs::write(&sessions, "in the way").expect("a file in its place");
    let answer = consent(&url, &server.origin());
    assert_eq!((answer.status, answer.header("refresh")), (500, None));
    running.end().expect_code(8);
}
