//! What a server says about PKCE, and what it says about itself in its answer
//! (RFC 9207): when a login goes on, and when it ends before the exchange.

use crate::support::authorization_server::{self, CODE, callback_url_with, metadata, token_answer};
use crate::support::binary::Home;
use crate::support::callback::{self, Answer};
use crate::support::literal_server::{LiteralServer, json};
use crate::support::login::{MarkingBrowser, assert_nothing_kept, complete_seeing_url, login, parameter};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;

const PKCE: &str = r#""code_challenge_methods_supported":["S256"],"#;
const ISS: &str = r#""authorization_response_iss_parameter_supported":true,"#;

/// A server whose metadata differ from the usual ones in this.
fn server_with(replaced: &str, replacement: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let usual = metadata(&server.origin());
    assert!(usual.contains(replaced));
    let document = usual.replace(replaced, replacement);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    server.on("POST", "/token", json(200, &token_answer()));
    server
}

#[test]
fn a_server_that_is_silent_about_pkce_gets_s256_all_the_same() {
    for silence in ["", r#""code_challenge_methods_supported":null,"#] {
        let (home, server) = (Home::new(), server_with(PKCE, silence));
        let mut command = login(&home, &server, &["-v"]);
        let (finished, url) = complete_seeing_url(&mut command, &server.origin());
        finished.expect_code(0).says(&["PKCE"]);
        assert_eq!(parameter(&url, "code_challenge_method"), "S256");
        let form = server.only_request_to("/token").form();
        assert!(form.iter().any(|(name, _)| name == "code_verifier"));
    }
}

#[test]
fn a_server_that_lists_other_methods_alone_is_refused() {
    for methods in [r#"["plain"]"#, "[]", r#"["s256"]"#, r#"["plain","S512"]"#] {
        let replacement = format!(r#""code_challenge_methods_supported":{methods},"#);
        let (home, server) = (Home::new(), server_with(PKCE, &replacement));
        let browser = MarkingBrowser::new(home.path());
        let finished = run(&mut login(&home, &server, &["--browser", &browser.command])).expect_code(6);
        assert!(finished.stderr.contains("S256"), "{finished:?}");
        assert!(!finished.hints().is_empty() && !browser.was_run());
        assert_eq!(server.requests_to("/token").len(), 0);
        assert_nothing_kept(&home);
    }
    let both = r#""code_challenge_methods_supported":["plain","S256"],"#;
    let (home, server) = (Home::new(), server_with(PKCE, both));
    complete_seeing_url(&mut login(&home, &server, &[]), &server.origin())
        .0
        .expect_code(0);
}

#[test]
fn a_server_without_the_code_flow_is_refused() {
    let usual = r#""response_types_supported":["code"]"#;
    let (home, server) = (
        Home::new(),
        server_with(usual, r#""response_types_supported":["token","id_token"]"#),
    );
    let finished = run(&mut login(&home, &server, &[])).expect_code(6);
    assert!(finished.stderr.contains("code"), "{finished:?}");
}

/// A login that gets this response; `STATE` and `ISSUER` stand for the right values.
fn answered(server: &LiteralServer, home: &Home, arguments: &[&str], response: &[(&str, &str)]) -> (Outcome, Answer) {
    let running = Running::start(&mut login(home, server, arguments));
    let url = running.authorization_url();
    let (state, issuer) = (parameter(&url, "state"), server.origin());
    let response: Vec<(&str, &str)> = response
        .iter()
        .map(|(name, value)| match *value {
            "STATE" => (*name, state.as_str()),
            "ISSUER" => (*name, issuer.as_str()),
            value => (*name, value),
        })
        .collect();
    let page = callback::get_url(&callback_url_with(&url, &response)).expect("a page");
    (running.end(), page)
}

#[test]
fn an_issuer_that_was_announced_must_come_with_a_code() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (finished, page) = answered(&server, &home, &[], &[("code", CODE), ("state", "STATE")]);
    let finished = finished.expect_code(6);
    assert!(finished.stderr.contains("iss"), "{finished:?}");
    assert_eq!(page.status, 500);
    // a parameter without a value is treated as absent (RFC 6749 §3.1)
    let (finished, _) = answered(&server, &home, &[], &[("code", CODE), ("state", "STATE"), ("iss", "")]);
    finished.expect_code(6);
    assert_eq!(server.requests_to("/token").len(), 0);
    assert_nothing_kept(&home);
}

#[test]
fn an_announced_issuer_that_is_missing_in_an_error_makes_the_response_invalid() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (finished, _) = answered(&server, &home, &[], &[("error", "access_denied"), ("state", "STATE")]);
    let finished = finished.expect_code(6);
    assert!(finished.causes().contains("iss"), "{finished:?}");
    finished.does_not_say("access_denied");
    let response = [("error", "access_denied"), ("state", "STATE"), ("iss", "ISSUER")];
    let (finished, _) = answered(&server, &home, &[], &response);
    assert_eq!(finished.expect_code(5).warnings(), "");
}

#[test]
fn an_issuer_that_was_not_announced_may_be_missing() {
    for silence in ["", r#""authorization_response_iss_parameter_supported":false,"#] {
        let (home, server) = (Home::new(), server_with(ISS, silence));
        let (finished, page) = answered(&server, &home, &[], &[("code", CODE), ("state", "STATE")]);
        finished.expect_code(0);
        assert_eq!(page.status, 200);
    }
}

#[test]
fn another_issuer_ends_the_login_announced_or_not_with_code_or_error() {
    for server in [authorization_server::start(), server_with(ISS, "")] {
        let home = Home::new();
        let origin = server.origin();
        let wrong = [
            "https://evil.example.com".to_owned(),
            format!("{origin}/"),
            origin.to_uppercase(),
            origin.replace("127.0.0.1", "localhost"),
            origin.replace("://", "%3A%2F%2F"),
        ];
        for issuer in &wrong {
            for response in [
                [("code", CODE), ("state", "STATE"), ("iss", issuer.as_str())],
                [("error", "access_denied"), ("state", "STATE"), ("iss", issuer)],
            ] {
                let (finished, page) = answered(&server, &home, &[], &response);
                let finished = finished.expect_code(6);
                assert!(finished.stderr.contains("RFC 9207"), "{issuer}: {finished:?}");
                assert!(page.status == 500 && !page.body_text().contains("evil"));
            }
        }
        assert_eq!(server.requests_to("/token").len(), 0);
        assert_nothing_kept(&home);
    }
}

#[test]
fn an_issuer_given_beside_the_endpoints_is_compared_too() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (authorize, token) = (server.url("/authorize"), server.url("/token"));
    let arguments = ["--authorization-endpoint", &authorize, "--token-endpoint", &token];
    let wrong = [("code", CODE), ("state", "STATE"), ("iss", "https://evil.example.com")];
    answered(&server, &home, &arguments, &wrong).0.expect_code(6);
    let right = [("code", CODE), ("state", "STATE"), ("iss", "ISSUER")];
    answered(&server, &home, &arguments, &right).0.expect_code(0);
    let silent = [("code", CODE), ("state", "STATE")];
    answered(&server, &home, &arguments, &silent).0.expect_code(0);
}
