//! Servers made of literal bytes, so that no mistake that client and
//! development server share can hide.

use super::{rules, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, Request, html, json, redirect, value_of};
use crate::support::outcome::{Outcome, run};
use oauth::rules::Rule;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

const METADATA: &str = "/.well-known/oauth-authorization-server";

fn metadata(origin: &str) -> String {
    format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","response_types_supported":["code"],"grant_types_supported":["authorization_code"],"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true,"token_endpoint_auth_methods_supported":["none"]}}"#
    )
}

fn check(server: &LiteralServer, arguments: &[&str]) -> Outcome {
    let home = Home::new();
    let mut command = home.oauth();
    command
        .args(["check", &server.origin(), "--client-id", "desktop", "--json"])
        .args(arguments);
    run(&mut command)
}

/// A server that grants everything to everybody, and notices nothing.
fn careless_server() -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    server.on("GET", METADATA, json(200, &metadata(&origin)));
    let codes = Arc::new(Mutex::new(0));
    server.on_call("GET", "/authorize", move |request| {
        let query = request.query();
        let first = |name: &str| {
            let found = query.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let mut count = codes.lock().expect("the count");
        *count += 1;
        let state = url::form_urlencoded::byte_serialize(first("state").as_bytes()).collect::<String>();
        let redirect_uri = first("redirect_uri");
        let line = redirect_uri.split(['\r', '\n']).next().expect("a line");
        let (uri, fragment) = line.split_at(line.find('#').unwrap_or(line.len()));
        redirect(302, &format!("{uri}?code=code-{count:04}&state={state}{fragment}"))
    });
    server.on(
        "POST",
        "/token",
        json(200, r#"{"access_token":"abcd","token_type":"bearer"}"#),
    );
    server
}

#[test]
fn what_a_careless_server_breaks_is_found() {
    let server = careless_server();
    let outcome = check(&server, &[]);
    assert_eq!(outcome.code, Some(9), "{outcome:#?}");
    let failed: HashSet<String> = with_verdict(&outcome, &["fail"]).into_iter().collect();
    for expected in [
        "authorize.iss",
        "authorize.code-entropy",
        "authorize.response-type-unknown",
        "authorize.client-unknown",
        "redirect-uri.other-host",
        "redirect-uri.fragment",
        "pkce.wrong-verifier",
        "pkce.missing-verifier",
        "code.single-use",
        "code.parallel",
        "code.client",
        "code.redirect-uri",
        "code.unknown",
        "token.password",
        "token.client-credentials",
        "token.entropy",
        "token.repeated",
        "refresh.unknown",
    ] {
        assert!(failed.contains(expected), "{expected} among {failed:?}");
    }
    let warned = with_verdict(&outcome, &["warning"]);
    for expected in [
        "authorize.implicit",
        "pkce.plain",
        "pkce.required",
        "pkce.short-verifier",
        "token.expires-in",
        "metadata.revocation",
    ] {
        assert!(warned.iter().any(|id| id == expected), "{expected} among {warned:?}");
    }
    let passed = with_verdict(&outcome, &["pass"]);
    for expected in [
        "metadata.issuer",
        "authorize.state",
        "authorize.state-characters",
        "authorize.state-long",
        "token.no-store",
        "token.content-type",
        "token.token-type",
        "token.unknown-parameter",
        "pkce.supported",
    ] {
        assert!(passed.iter().any(|id| id == expected), "{expected} among {passed:?}");
    }
    let rules = rules(&outcome);
    for (id, reason) in [
        ("refresh.works", "--scope offline_access"),
        ("id-token.present", "--scope openid"),
        ("token.two-methods", "--client-secret-file"),
        ("token.resource", "--resource"),
        ("revocation.access", "revocation_endpoint"),
        ("token.error-json", "no error came"),
    ] {
        assert_eq!(rules[id]["verdict"], "skipped");
        assert!(
            rules[id]["reason"].as_str().expect("a reason").contains(reason),
            "{}",
            rules[id]
        );
    }
}

/// It is in the names that later requests have, too.
#[test]
fn the_code_that_the_check_made_up_is_not_cut_out_of_what_it_shows() {
    let server = careless_server();
    let named = ["redirect-uri.code-in-query", "redirect-uri.fragment"];
    let arguments: Vec<&str> = named.iter().flat_map(|rule| ["--rule", rule]).collect();
    let outcome = check(&server, &arguments).expect_code(9);
    for (rule, part) in named.into_iter().zip(["code=oauth-check", "/callback#oauth-check"]) {
        let sent = &rules(&outcome)[rule]["sent"];
        assert!(sent.as_str().expect("text").contains(part), "{sent}");
    }
}

#[test]
fn the_redirect_uris_that_are_tried() {
    let server = careless_server();
    let mut arguments = vec!["--redirect-uri", "http://127.0.0.1:23111/callback"];
    let ids = Rule::ALL.iter().map(|rule| rule.id());
    arguments.extend(
        ids.filter(|id| id.starts_with("redirect-uri."))
            .flat_map(|id| ["--rule", id]),
    );
    let outcome = check(&server, &arguments);
    let tried: Vec<Vec<String>> = server
        .requests_to("/authorize")
        .iter()
        .map(|request| {
            let query = request.query().into_iter();
            query
                .filter(|(name, _)| name == "redirect_uri")
                .map(|(_, value)| value)
                .collect()
        })
        .collect();
    let registered = "http://127.0.0.1:23111/callback";
    assert_eq!(
        tried,
        [
            vec![registered],
            vec!["http://127.0.0.1:23112/callback"],
            vec!["http://oauth-check.example:23111/callback"],
            vec!["http://127.0.0.1.oauth-check.example:23111/callback"],
            vec!["http://127.0.0.1:23111@oauth-check.example/callback"],
            vec!["http://localhost:23111/callback"],
            vec!["https://127.0.0.1:23111/callback"],
            vec!["javascript://127.0.0.1:23111/callback%0aalert(1)"],
            vec!["http://127.0.0.1:23111/oauth-check"],
            vec!["http://127.0.0.1:23111/callback/oauth-check"],
            vec!["http://127.0.0.1:23111/CALLBACK"],
            vec!["http://127.0.0.1:23111/callback/"],
            vec!["http://127.0.0.1:23111/oauth-check/../callback"],
            vec!["http://127.0.0.1:23111/oauth-check/%2e%2e/callback"],
            vec!["http://oauth-check.example\\@127.0.0.1:23111/callback"],
            vec!["http://127.0.0.1:23111/callback?oauth-check=1"],
            vec!["http://127.0.0.1:23111/callback?code=oauth-check"],
            vec!["http://127.0.0.1:23111/callback#oauth-check"],
            vec!["http://127.0.0.1:23111/callback\r\nX-Oauth-Check: 1"],
            vec![registered, "https://oauth-check.example/"],
        ]
    );
    let any_port = &rules(&outcome)["redirect-uri.loopback-port"];
    assert_eq!(any_port["verdict"], "pass", "{any_port}");
    assert!(server.requests_to("/token").is_empty(), "no code is redeemed for these");
}

/// Nothing of a real session is at stake, so the whole of an examination is bounded.
#[test]
fn an_examination_sends_a_bounded_number_of_requests() {
    let server = careless_server();
    check(&server, &[]);
    let requests = server.requests().len();
    assert!(requests < 200, "{requests}");
}

#[test]
fn a_member_of_another_type_breaks_one_rule() {
    for (right, wrong, broken) in [
        (
            r#""response_types_supported":["code"]"#,
            r#""response_types_supported":"code""#,
            ("metadata.response-types", "fail"),
        ),
        (
            r#""code_challenge_methods_supported":["S256"]"#,
            r#""code_challenge_methods_supported":"S256""#,
            ("metadata.challenge-methods", "warning"),
        ),
        (
            r#""token_endpoint_auth_methods_supported":["none"]"#,
            r#""token_endpoint_auth_methods_supported":"none""#,
            ("metadata.auth-methods", "warning"),
        ),
    ] {
        let server = careless_server();
        let document = metadata(&server.origin()).replace(right, wrong);
        server.on("GET", METADATA, json(200, &document));
        let group = Rule::ALL.iter().filter(|rule| rule.group() == "metadata");
        // a server that grants everything has no revocation endpoint, which is another fault
        let group = group.filter(|rule| **rule != Rule::MetadataRevocation);
        let arguments: Vec<&str> = group.flat_map(|rule| ["--rule", rule.id()]).collect();
        let outcome = check(&server, &arguments);
        let (rule, verdict) = broken;
        assert_eq!(with_verdict(&outcome, &["fail", "warning"]), [rule], "{outcome:#?}");
        let found = &rules(&outcome)[rule];
        assert_eq!(found["verdict"], verdict);
        let (member, value) = wrong.split_once(':').expect("a member");
        let expected = format!(
            "{} is the string {value}; it must be a list of strings",
            member.trim_matches('"')
        );
        assert_eq!(found["reason"], expected);
    }
}

#[test]
fn metadata_of_another_issuer_are_a_finding_and_nothing_more_is_sent() {
    let server = LiteralServer::start();
    let slash =
        metadata(&server.origin()).replace(&format!("{}\"", server.origin()), &format!("{}/\"", server.origin()));
    server.on("GET", METADATA, json(200, &slash));
    let outcome = check(&server, &[]);
    assert_eq!(outcome.code, Some(9));
    assert_eq!(with_verdict(&outcome, &["fail"]), ["metadata.issuer"]);
    let rest = &rules(&outcome)["code.single-use"];
    assert!(
        rest["reason"].as_str().expect("a reason").contains("metadata.issuer"),
        "{rest}"
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.path().contains("well-known"))
    );
}

#[test]
fn a_refused_redirect_uri_is_told_and_ends_the_examination() {
    let server = LiteralServer::start();
    server.on("GET", METADATA, json(200, &metadata(&server.origin())));
    server.on("GET", "/authorize", html(400, "<h1>redirect_uri does not match</h1>"));
    let outcome = check(&server, &[]).expect_code(5);
    let rule = &rules(&outcome)["pkce.supported"];
    assert_eq!(rule["verdict"], "skipped");
    assert!(
        rule["reason"]
            .as_str()
            .expect("a reason")
            .contains("compare client_id and redirect URI"),
        "{rule}"
    );
}

#[test]
fn an_examination_that_saw_no_login_is_no_success() {
    // the person, or the server, says no
    let server = LiteralServer::start();
    server.on("GET", METADATA, json(200, &metadata(&server.origin())));
    server.on_call("GET", "/authorize", |request| {
        let query = request.query();
        let state = value_of(&query, "state").unwrap_or_default();
        let redirect_uri = value_of(&query, "redirect_uri").unwrap_or_default();
        redirect(302, &format!("{redirect_uri}?error=access_denied&state={state}"))
    });
    let outcome = check(&server, &["--rule", "pkce.wrong-verifier"]).expect_code(5);
    assert!(outcome.stderr.contains("access_denied"), "{outcome:#?}");

    // nobody comes
    let server = LiteralServer::start();
    server.on("GET", METADATA, json(200, &metadata(&server.origin())));
    server.on("GET", "/authorize", html(200, "<h1>Sign in</h1>"));
    server.on("POST", "/token", json(400, r#"{"error":"unsupported_grant_type"}"#));
    let asked_for = ["--rule", "pkce.wrong-verifier", "--rule", "token.grant-type-unknown"];
    let in_vain = ["--timeout", "100ms", "--no-browser"];
    let outcome = check(&server, &[&asked_for[..], &in_vain].concat()).expect_code(7);
    assert_eq!(
        with_verdict(&outcome, &["pass"]),
        ["token.grant-type-unknown"],
        "it needs no login: {outcome:#?}"
    );
    assert!(outcome.stderr.contains("oauth login"), "{outcome:#?}");
    // what needs no login is no worse for it
    check(&server, &["--rule", "metadata.issuer"]).expect_code(0);
}

#[test]
fn a_request_nested_in_the_address_of_a_sign_in_page_is_shown_without_its_secrets() {
    let server = LiteralServer::start();
    let origin = server.origin();
    server.on("GET", METADATA, html(404, "no"));
    server.on(
        "GET",
        "/.well-known/openid-configuration",
        json(200, &metadata(&origin)),
    );
    server.on("GET", "/authorize", html(200, "<h1>Sign in</h1>"));
    let nested = |request: &Request| url::form_urlencoded::byte_serialize(&request.body).collect::<String>();
    server.on_call("POST", "/authorize", move |request| {
        redirect(307, &format!("/sign-in?next={}", nested(request)))
    });
    let outcome = check(&server, &["--rule", "authorize.no-307"]).expect_code(9);
    let came = rules(&outcome)["authorize.no-307"]["came"].clone();
    let came = came.as_str().expect("what came");
    assert!(
        came.starts_with(&format!("307 to {origin}/sign-in?next=response_type=code&")) && came.contains("[redacted"),
        "{came}"
    );
    let requests = server.requests();
    let sent = requests
        .iter()
        .find(|request| request.method == "POST")
        .expect("a POST")
        .form();
    for secret in ["state", "code_challenge"] {
        let shown = came.contains(value_of(&sent, secret).expect("it was sent"));
        assert_eq!(shown, secret != "state", "{secret}: {came}");
    }
}

/// Errors of a token endpoint that keeps no form at all.
#[test]
fn the_shape_of_errors_is_judged_apart_from_what_they_say() {
    let server = LiteralServer::start();
    let origin = server.origin();
    server.on("GET", METADATA, json(200, &metadata(&origin)));
    server.on_call("GET", "/authorize", |request| {
        let query = request.query();
        let (redirect_uri, state) = (value_of(&query, "redirect_uri"), value_of(&query, "state"));
        redirect(
            302,
            &format!(
                "{}?code=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&state={}",
                redirect_uri.expect("a redirect URI"),
                state.expect("a state")
            ),
        )
    });
    let answer = |request: &Request| {
        let form = request.form();
        match value_of(&form, "grant_type") {
            Some("authorization_code") => Reply::http(
                403,
                &["Content-Type: application/json"],
                r#"{"error":"invalid_code","error_description":"a \"quoted\" word"}"#,
            ),
            _ => html(400, "<h1>Bad Request</h1>"),
        }
    };
    server.on_call("POST", "/token", answer);
    let arguments: Vec<&str> = [
        "token.error-status",
        "token.error-json",
        "token.error-characters",
        "token.error-no-store",
        "code.unknown",
        "token.grant-type-unknown",
    ]
    .iter()
    .flat_map(|rule| ["--rule", rule])
    .collect();
    let outcome = check(&server, &arguments);
    assert_eq!(outcome.code, Some(9), "{outcome:#?}");
    assert_eq!(
        with_verdict(&outcome, &["fail"]),
        [
            "code.unknown",
            "token.error-characters",
            "token.error-json",
            "token.error-status"
        ]
    );
    assert_eq!(with_verdict(&outcome, &["warning"]), ["token.error-no-store"]);
    let unread = &rules(&outcome)["token.grant-type-unknown"];
    assert!(
        unread["reason"]
            .as_str()
            .expect("a reason")
            .contains("token.error-json"),
        "{unread}"
    );
}
