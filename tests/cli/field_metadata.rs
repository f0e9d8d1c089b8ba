//! Metadata as they are met in the field: mistakes that a login does not
//! depend on, documents behind another one that cannot be read, and what is
//! said where none can be used.

use super::support::authorization_server::{metadata, token_answer};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, html, json, redirect, status};
use super::support::login::{complete, login};
use super::support::outcome::{Outcome, run};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// A server whose metadata has further members.
fn server_with(members: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let document = metadata(&server.origin()).replacen('{', &format!("{{{members},"), 1);
    server.on("GET", SERVER_METADATA, json(200, &document));
    server.on("POST", "/token", json(200, &token_answer()));
    server
}

fn login_fails(server: &LiteralServer, code: i32) -> Outcome {
    run(&mut login(&Home::new(), server, &[])).expect_code(code)
}

#[test]
fn a_member_that_the_login_does_not_use_may_be_malformed() {
    for (member, value) in [
        ("revocation_endpoint", r#""""#),
        ("revocation_endpoint", r#""http://id.example.com/revoke""#),
        ("introspection_endpoint", r#""/introspect""#),
        ("userinfo_endpoint", "7"),
        ("jwks_uri", r#""https://[""#),
        ("scopes_supported", r#""openid""#),
        ("grant_types_supported", "[1]"),
        ("require_pushed_authorization_requests", r#""no""#),
    ] {
        let server = server_with(&format!("\"{member}\":{value}"));
        let home = Home::new();
        let finished = complete(&mut login(&home, &server, &["-v"]), &server.origin()).expect_code(0);
        assert!(finished.stderr.contains(member), "{member}: {finished:#?}");
        assert!(
            finished.stderr.contains("it counts as absent"),
            "{member}: {finished:#?}"
        );
        let finished = complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
        assert!(!finished.stderr.contains(member), "{member}: {finished:#?}");
    }
}

#[test]
fn an_endpoint_is_vetted_by_the_command_that_uses_it() {
    let server = server_with(r#""userinfo_endpoint":"http://id.example.com/me""#);
    let home = Home::new();
    complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    let outcome = run(home.oauth().arg("userinfo")).expect_error(6);
    assert!(outcome.stderr.contains("userinfo_endpoint"), "{outcome:#?}");
    assert!(outcome.stderr.contains("plain http"), "{outcome:#?}");
}

#[test]
fn an_endpoint_that_an_option_replaces_is_not_vetted() {
    for (member, flag, path) in [
        ("token_endpoint", "--token-endpoint", "/token"),
        ("userinfo_endpoint", "--userinfo-endpoint", "/me"),
        ("introspection_endpoint", "--introspection-endpoint", "/introspect"),
        ("jwks_uri", "--jwks-uri", "/jwks"),
    ] {
        let server = LiteralServer::start();
        let document = metadata(&server.origin());
        let document = document.replace(&format!("\"{member}\""), "\"other\"");
        let document = document.replacen('{', &format!("{{\"{member}\":\"http://id.example.com/x\","), 1);
        server.on("GET", SERVER_METADATA, json(200, &document));
        server.on("POST", "/token", json(200, &token_answer()));
        let (home, url) = (Home::new(), server.url(path));
        complete(&mut login(&home, &server, &[flag, &url]), &server.origin()).expect_code(0);
    }
}

#[test]
fn the_option_for_an_endpoint_is_what_the_command_uses() {
    let server = server_with(r#""userinfo_endpoint":"http://id.example.com/me""#);
    server.on("GET", "/me", json(200, r#"{"sub":"ada"}"#));
    let (home, url) = (Home::new(), server.url("/me"));
    complete(
        &mut login(&home, &server, &["--userinfo-endpoint", &url]),
        &server.origin(),
    )
    .expect_code(0);
    let outcome = run(home.oauth().arg("userinfo")).expect_code(0);
    assert!(outcome.stdout.contains("ada"), "{outcome:#?}");
}

#[test]
fn a_member_that_decides_about_safety_must_be_readable() {
    for member in [
        "code_challenge_methods_supported",
        "response_types_supported",
        "authorization_response_iss_parameter_supported",
    ] {
        let server = LiteralServer::start();
        let document = metadata(&server.origin()).replace(&format!("\"{member}\""), "\"other\"");
        let document = document.replacen('{', &format!("{{\"{member}\":\"yes\","), 1);
        server.on("GET", SERVER_METADATA, json(200, &document));
        let finished = login_fails(&server, 6);
        assert!(finished.stderr.contains(member), "{finished:#?}");
        let outcome = run(Home::new().oauth().args(["discover", &server.origin()])).expect_code(6);
        assert!(outcome.stderr.contains(member), "{outcome:#?}");
    }
}

/// Answers that hold no document that can be read, and the exit code where
/// no other URL has one.
fn unusable_answers() -> Vec<(Reply, i32)> {
    vec![
        (html(200, &"x".repeat((1 << 20) + 1)), 6),
        (
            Reply::http(200, &["Content-Type: application/json", "Content-Encoding: br"], "x"),
            6,
        ),
        (Reply::bytes("HTTP/1.1 200 OK\r\nBad Header\r\n\r\n"), 6),
        (Reply::reset(), 3),
        (Reply::nothing(), 3),
        (status(503), 3),
        (status(429), 3),
    ]
}

#[test]
fn an_answer_that_cannot_be_read_leads_to_the_next_url() {
    for (index, (reply, _)) in unusable_answers().into_iter().enumerate() {
        let (home, server) = (Home::new(), LiteralServer::start());
        server.on("GET", SERVER_METADATA, reply);
        server.on("GET", OPENID, json(200, &metadata(&server.origin())));
        server.on("POST", "/token", json(200, &token_answer()));
        let finished = complete(&mut login(&home, &server, &[]), &server.origin());
        assert_eq!(finished.code, Some(0), "{index}: {finished:#?}");
    }
}

#[test]
fn where_no_url_has_a_document_the_first_fault_is_shown() {
    for (index, (reply, code)) in unusable_answers().into_iter().enumerate() {
        let server = LiteralServer::start();
        server.on("GET", SERVER_METADATA, reply);
        let finished = run(&mut login(&Home::new(), &server, &[]));
        assert_eq!(finished.code, Some(code), "{index}: {finished:#?}");
        assert!(
            !finished.stderr.contains("publishes no metadata"),
            "{index}: {finished:#?}"
        );
    }
}

#[test]
fn a_placeholder_in_the_issuer_is_explained_without_a_command() {
    let server = LiteralServer::start();
    let document = metadata("https://login.example.com/{tenantid}/v2.0");
    server.on("GET", OPENID, json(200, &document));
    let finished = login_fails(&server, 6);
    let hints = finished.hints();
    assert!(!hints.contains(['{', '}']), "{finished:#?}");
    assert!(hints.contains("placeholder"), "{finished:#?}");
    assert!(
        hints.contains("--authorization-endpoint") && hints.contains("--token-endpoint"),
        "{finished:#?}"
    );
}

#[test]
fn the_target_of_a_redirect_is_shown_and_its_issuer_where_it_is_one() {
    let server = LiteralServer::start();
    server.on(
        "GET",
        SERVER_METADATA,
        redirect(
            301,
            "https://id.example.com/.well-known/openid-configuration?session=4815",
        ),
    );
    let finished = login_fails(&server, 6);
    assert!(
        finished
            .error()
            .contains("https://id.example.com/.well-known/openid-configuration"),
        "{finished:#?}"
    );
    finished.does_not_say("4815");
    server.on(
        "GET",
        SERVER_METADATA,
        redirect(302, "https://id.example.com/t/.well-known/openid-configuration"),
    );
    let finished = login_fails(&server, 6);
    let command = "oauth login --issuer https://id.example.com/t";
    assert!(
        finished.hints().lines().any(|hint| hint.ends_with(command)),
        "{finished:#?}"
    );

    server.on("GET", SERVER_METADATA, redirect(302, "/login"));
    let finished = login_fails(&server, 6);
    assert!(finished.error().contains(&server.url("/login")), "{finished:#?}");
    assert!(!finished.hints().contains("--issuer"), "{finished:#?}");
}

#[test]
fn a_refusal_is_shown_with_its_reason() {
    let server = LiteralServer::start();
    server.on("GET", SERVER_METADATA, json(200, r#"{"issuer":"a","issuer":"b"}"#));
    server.on("GET", OPENID, html(403, "<html>denied</html>"));
    let finished = login_fails(&server, 6);
    for part in ["its JSON is not valid: a member is given twice", "403 with text/html"] {
        assert!(finished.error().contains(part), "{finished:#?}");
    }
    assert!(!finished.error().contains("publishes no metadata"), "{finished:#?}");

    server.on("GET", SERVER_METADATA, json(200, &metadata("https://id.example.com")));
    let outcome = run(Home::new().oauth().args(["discover", &server.origin()])).expect_code(6);
    assert!(
        outcome
            .stdout
            .contains("not used: refused because the document is for issuer"),
        "{outcome:#?}"
    );
}

#[test]
fn a_demand_that_this_program_does_not_meet_is_a_warning() {
    for (member, specification) in [
        ("require_pushed_authorization_requests", "RFC 9126"),
        ("require_signed_request_object", "RFC 9101"),
    ] {
        let server = server_with(&format!("\"{member}\":true"));
        let finished = complete(&mut login(&Home::new(), &server, &[]), &server.origin()).expect_code(0);
        let warnings = finished.warnings();
        assert!(
            warnings.contains(member) && warnings.contains(specification),
            "{finished:#?}"
        );
    }
}

#[test]
fn an_endpoint_is_taken_from_another_document_of_the_same_server_only() {
    for (issuer_differs, url_elsewhere, code) in [(false, false, 0), (true, false, 2), (false, true, 2)] {
        let (home, server) = (Home::new(), LiteralServer::start());
        let usual = metadata(&server.origin());
        server.on("GET", SERVER_METADATA, json(200, &usual));
        server.on("POST", "/token", json(200, &token_answer()));
        server.on("GET", "/me", json(200, r#"{"sub":"ada"}"#));
        let endpoint = if url_elsewhere {
            server.url("/me").replace("127.0.0.1", "localhost")
        } else {
            server.url("/me")
        };
        let other = usual.replacen('{', &format!("{{\"userinfo_endpoint\":\"{endpoint}\","), 1);
        let other = if issuer_differs {
            other.replace(
                &format!("\"issuer\":\"{}\"", server.origin()),
                "\"issuer\":\"https://id.example.com\"",
            )
        } else {
            other
        };
        server.on("GET", OPENID, json(200, &other));
        complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
        assert!(server.requests_to(OPENID).is_empty());
        run(home.oauth().arg("userinfo")).expect_code(code);
        assert_eq!(server.requests_to("/me").len(), usize::from(code == 0));
    }
}

#[test]
fn a_url_that_does_not_answer_in_time_leads_to_the_next() {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("GET", SERVER_METADATA, Reply::silence());
    server.on("GET", OPENID, json(200, &metadata(&server.origin())));
    server.on("POST", "/token", json(200, &token_answer()));
    let arguments = ["--http-timeout", "300ms"];
    complete(&mut login(&home, &server, &arguments), &server.origin()).expect_code(0);

    server.on("GET", OPENID, Reply::silence());
    let finished = run(&mut login(&home, &server, &arguments)).expect_error(3);
    assert!(finished.stderr.contains(SERVER_METADATA), "{finished:#?}");
    assert!(finished.hints().contains("--http-timeout"), "{finished:#?}");
    let outcome = run(home.oauth().args(["discover", &server.origin()]).args(arguments)).expect_code(3);
    assert!(
        outcome.stdout.contains("300ms") || outcome.stdout.contains("300 ms"),
        "{outcome:#?}"
    );
}

#[test]
fn an_internationalised_issuer_is_taken_in_its_ascii_form_alone() {
    for issuer in ["https://b\u{fc}cher.example", "https://\u{4f8b}\u{3048}.example/t"] {
        for arguments in [
            &["login", "--issuer", issuer, "--client-id", "c"][..],
            &["login", issuer, "--client-id", "c"],
            &["discover", issuer],
        ] {
            let outcome = run(Home::new().oauth().args(arguments)).expect_code(2);
            assert!(outcome.error().contains("xn--"), "{arguments:?}: {outcome:#?}");
        }
    }
    // a name that nobody has: it is asked for in this form
    let outcome = run(Home::new().oauth().args(["discover", "https://xn--bcher-kva.invalid"])).expect_code(3);
    outcome.says(&["xn--bcher-kva.invalid"]);
}

#[test]
fn endpoints_by_option_are_those_that_introspect_and_decode_use() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let document = metadata(&server.origin())
        .replacen('{', r#"{"introspection_endpoint":"https://id.example.com/i","#, 1)
        .replace("\"jwks_uri\"", "\"other\"")
        .replacen('{', r#"{"jwks_uri":"https://id.example.com/k","#, 1);
    server.on("GET", SERVER_METADATA, json(200, &document));
    let claims = format!(r#"{{"iss":"{}","exp":4102444800}}"#, server.origin());
    let access_token = jwt(r#"{"alg":"RS256","kid":"a"}"#, &claims);
    let answer = format!(r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600}}"#);
    server.on("POST", "/token", json(200, &answer));
    server
        .on("POST", "/my-introspect", json(200, r#"{"active":true}"#))
        .expected();
    server.on("GET", "/my-keys", json(200, r#"{"keys":[]}"#)).expected();
    let (introspection, keys) = (server.url("/my-introspect"), server.url("/my-keys"));
    let arguments = ["--introspection-endpoint", &introspection, "--jwks-uri", &keys];
    complete(&mut login(&home, &server, &arguments), &server.origin()).expect_code(0);
    run(home.oauth().arg("introspect")).expect_code(0);
    assert_eq!(server.requests_to("/my-introspect").len(), 1);
    // there is no such key, which is found out at the URL of the option
    let outcome = run(home.oauth().args(["decode", "-p", "default"]));
    assert!(!server.requests_to("/my-keys").is_empty(), "{outcome:#?}");
}

fn jwt(header: &str, claims: &str) -> String {
    let segment = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", segment(header), segment(claims))
}
