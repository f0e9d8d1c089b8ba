//! Servers that send every request on to another page of their own before they
//! look at it, as Dex does: what a browser sees at the end counts.

use super::{rules, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, Request, html, json, redirect, value_of};
use crate::support::outcome::{Outcome, run};

/// Looks at a request two redirects later, for a browser that keeps its cookies.
fn server_with_a_front_desk() -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","response_types_supported":["code"],"grant_types_supported":["authorization_code"],"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["none"]}}"#
    );
    let metadata = json(200, &metadata);
    server.on("GET", "/.well-known/oauth-authorization-server", metadata);
    let on_to = |place: &'static str, cookie: &'static str| {
        move |request: &Request| {
            let query = request.target.split_once('?').map_or("", |(_, query)| query);
            let location = format!("Location: {place}?{query}");
            let cookie = format!("Set-Cookie: {cookie}; Path=/; HttpOnly");
            Reply::http(302, &[location.as_str(), cookie.as_str()], "")
        }
    };
    server.on_call("GET", "/authorize", on_to("/desk", "visit=1"));
    server.on_call("GET", "/desk", on_to("/counter", "visit=2"));
    server.on_call("GET", "/counter", |request| {
        assert_eq!(request.header("cookie"), Some("visit=2"));
        let query = request.query();
        let of = |name: &str| value_of(&query, name).unwrap_or_default();
        let redirect_uri = of("redirect_uri");
        if !redirect_uri.starts_with("http://127.0.0.1:") || !redirect_uri.ends_with("/callback") {
            return html(400, "<h1>Unregistered redirect URI</h1>");
        }
        let back = |error: &str| {
            let state = url::form_urlencoded::byte_serialize(of("state").as_bytes()).collect::<String>();
            redirect(302, &format!("{redirect_uri}?error={error}&state={state}"))
        };
        match (of("prompt"), of("response_type")) {
            ("none", _) => back("login_required"),
            (_, "code") => html(200, "<h1>Sign in</h1>"),
            _ => back("unsupported_response_type"),
        }
    });
    server
}

fn check(server: &LiteralServer, rules: &[&str]) -> Outcome {
    let home = Home::new();
    let mut command = home.oauth();
    command.args(["check", &server.origin(), "--client-id", "desktop", "--json"]);
    command.args(["--scope", "openid", "--no-browser", "--timeout", "100ms"]);
    run(command.args(rules.iter().flat_map(|rule| ["--rule", rule])))
}

#[test]
fn redirects_within_the_server_are_followed_with_its_cookies() {
    let server = server_with_a_front_desk();
    let asked_for = [
        "authorize.prompt-none",
        "authorize.response-type-unknown",
        "authorize.state-in-error",
        "redirect-uri.other-host",
        "redirect-uri.other-path",
    ];
    let outcome = check(&server, &asked_for).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), asked_for, "{outcome:#?}");
}

#[test]
fn what_was_sent_first_and_what_came_last_is_shown() {
    let server = server_with_a_front_desk();
    server.on("GET", "/counter", html(200, "<h1>Sign in, whoever you are</h1>"));
    let outcome = check(&server, &["authorize.prompt-none"]).expect_code(9);
    let rule = &rules(&outcome)["authorize.prompt-none"];
    let of = |name: &str| rule[name].as_str().expect("text");
    assert!(
        of("sent").starts_with(&format!("GET {}/authorize?", server.origin())),
        "{rule}"
    );
    assert_eq!(of("came"), "200 text/html", "{rule}");
}

#[test]
fn an_unknown_client_is_tried_with_a_code_that_works_where_the_code_is_looked_at_first() {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","response_types_supported":["code"]}}"#
    );
    let metadata = json(200, &metadata);
    server.on("GET", "/.well-known/oauth-authorization-server", metadata);
    server.on_call("GET", "/authorize", |request| {
        let query = request.query();
        let of = |name: &str| value_of(&query, name).unwrap_or_default();
        redirect(302, &format!("{}?code=good&state={}", of("redirect_uri"), of("state")))
    });
    server.on_call("POST", "/token", |request| {
        let form = request.form();
        match (value_of(&form, "code"), value_of(&form, "client_id")) {
            (Some("good"), Some("desktop")) => json(200, r#"{"access_token":"a","token_type":"Bearer"}"#),
            (Some("good"), _) => json(401, r#"{"error":"invalid_client"}"#),
            _ => json(400, r#"{"error":"invalid_grant"}"#),
        }
    });
    let outcome = check(&server, &["token.unknown-client"]).expect_code(0);
    assert_eq!(
        with_verdict(&outcome, &["pass"]),
        ["token.unknown-client"],
        "{outcome:#?}"
    );
}
