//! `oauth client-metadata`: the document that this program has as a client, and
//! what is said of one that is hosted.

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, html, json, redirect, status};
use super::support::outcome::{Outcome, run};
use serde_json::{Value, json as value};

fn client_metadata(arguments: &[&str]) -> Outcome {
    run(Home::new().oauth().arg("client-metadata").args(arguments))
}

/// The document that was printed.
fn printed(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).expect("a document")
}

/// A document that only stands at an address of this machine.
fn document(url: &str) -> Value {
    printed(&client_metadata(&["--url", url]).expect_code(0))
}

fn problems(outcome: &Outcome) -> Vec<(String, String)> {
    let object = outcome.json();
    let problems = object["problems"].as_array().expect("problems").iter();
    let text = |problem: &Value, member: &str| problem[member].as_str().unwrap_or_default().to_owned();
    problems
        .map(|problem| (text(problem, "level"), text(problem, "message")))
        .collect()
}

/// What is said of an answer, but for the address of this machine.
fn said_of(answer: impl Fn(&str) -> Reply) -> Vec<(String, String)> {
    let server = LiteralServer::start();
    let url = server.url("/client.json");
    server.on("GET", "/client.json", answer(&url));
    let outcome = client_metadata(&["check", &url, "--json"]);
    let mut found = problems(&outcome);
    let has_error = found.iter().any(|(level, _)| level == "error");
    assert_eq!(outcome.code, Some(if has_error { 9 } else { 0 }), "{outcome:#?}");
    assert_eq!(
        found.remove(0),
        (
            "warning".to_owned(),
            "the URL is on this machine: only servers on it can fetch the document, and most refuse to".to_owned()
        )
    );
    assert_eq!(server.requests().len(), 1, "it is fetched once");
    found
}

fn said_of_document(change: impl Fn(&mut Value)) -> Vec<(String, String)> {
    said_of(|url| {
        let mut document = document(url);
        change(&mut document);
        json(200, &document.to_string())
    })
}

#[test]
fn a_document_for_hosting_is_printed() {
    let outcome = client_metadata(&["--url", "https://app.example/oauth.json", "--name", "Deploy"]).expect_code(0);
    assert_eq!(
        printed(&outcome),
        value!({
            "client_id": "https://app.example/oauth.json",
            "client_name": "Deploy",
            "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback", "http://[::1]/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        })
    );
    assert!(outcome.stderr.is_empty(), "{outcome:#?}");
    let own = client_metadata(&[
        "--url",
        "https://app.example/c",
        "--redirect-uri",
        "com.example.app:/callback",
    ]);
    assert_eq!(
        printed(&own.expect_code(0))["redirect_uris"],
        value!(["com.example.app:/callback"])
    );
}

#[test]
fn without_a_url_the_document_has_an_example_and_says_so() {
    let outcome = client_metadata(&[]).expect_code(0);
    assert_eq!(printed(&outcome)["client_id"], "https://example.com/oauth-client.json");
    assert!(outcome.stderr.contains("--url URL"), "{outcome:#?}");
    let home = Home::new();
    let named = run(home
        .oauth()
        .arg("client-metadata")
        .env("OAUTH_CLIENT_METADATA_URL", "https://app.example/named.json"));
    let named = named.expect_code(0);
    assert_eq!(printed(&named)["client_id"], "https://app.example/named.json");
    assert!(named.stderr.is_empty(), "{named:#?}");
    for bad in [
        "http://app.example/c",
        "https://app.example/",
        "https://u:p@app.example/c",
        "client",
    ] {
        client_metadata(&["--url", bad]).expect_error(2);
    }
    client_metadata(&[
        "--url",
        "https://app.example/c",
        "--redirect-uri",
        "javascript:alert(1)",
    ])
    .expect_error(2);
    client_metadata(&["check"]).expect_error(2);
}

#[test]
fn what_is_printed_is_right_wherever_servers_can_fetch_it() {
    assert_eq!(said_of_document(|_| {}), []);
}

#[test]
fn each_fault_of_a_document_is_named() {
    type Change = fn(&mut Value);
    let faults: [(Change, &str, &str); 13] = [
        (
            |d| d["client_id"] = value!("https://app.example/x"),
            "error",
            "client_id is \"https://app.example/x\"",
        ),
        (|d| d["client_id"] = Value::Null, "error", "client_id is missing"),
        (|d| d["client_name"] = value!(""), "warning", "client_name is missing"),
        (
            |d| d["client_secret"] = value!("s"),
            "error",
            "client_secret has no place",
        ),
        (
            |d| d["token_endpoint_auth_method"] = value!("client_secret_basic"),
            "error",
            "needs a secret",
        ),
        (
            |d| d["token_endpoint_auth_method"] = value!("private_key_jwt"),
            "error",
            "needs jwks or jwks_uri",
        ),
        (|d| d["redirect_uris"] = value!([]), "error", "redirect_uris is missing"),
        (
            |d| d["redirect_uris"][1] = value!("http://127.0.0.1:8400/callback"),
            "warning",
            "has the port 8400",
        ),
        (
            |d| d["redirect_uris"][1] = value!("http://app.example/callback"),
            "error",
            "is http and not on this machine",
        ),
        (
            |d| d["grant_types"] = value!(["authorization_code", "refresh_token", "implicit"]),
            "warning",
            "grant_types has \"implicit\"",
        ),
        (
            |d| d["grant_types"] = value!(["refresh_token"]),
            "error",
            "lacks authorization_code",
        ),
        (
            |d| d["response_types"] = value!(["token"]),
            "error",
            "response_types has no \"code\"",
        ),
        (
            |d| d["client_name"] = value!("x".repeat(6000)),
            "error",
            "servers take 5120",
        ),
    ];
    for (change, level, message) in faults {
        let found = said_of_document(change);
        let [(found_level, found_message)] = &found[..] else {
            panic!("{message}: {found:#?}");
        };
        assert_eq!(found_level, level, "{found_message}");
        assert!(found_message.contains(message), "{found_message}");
    }
}

#[test]
fn an_answer_that_servers_do_not_take_is_named() {
    let only = |found: Vec<(String, String)>| match &found[..] {
        [(level, message)] if level == "error" => message.clone(),
        _ => panic!("{found:#?}"),
    };
    assert_eq!(
        only(said_of(|_| redirect(302, "https://app.example/other.json"))),
        "the status is 302, not 200, a redirect to \"https://app.example/other.json\"; servers follow none"
    );
    assert_eq!(only(said_of(|_| status(404))), "the status is 404, not 200");
    assert!(only(said_of(|_| json(200, "[]"))).starts_with("the document is not a JSON object"));
    assert_eq!(
        only(said_of(|url| html(200, &document(url).to_string()))),
        "the Content-Type is \"text/html\", not application/json"
    );
}
