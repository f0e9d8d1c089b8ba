//! The two requests of the flow, byte for byte: each parameter once, PKCE with
//! S256, the same redirect URI and resources in both (RFC 6749 §4.1.1, §4.1.3,
//! RFC 7636 §4.2 to §4.5, RFC 8707 §2).

use crate::support::authorization_server::{self, CODE, consent, parameters, token_answer};
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::literal_server::{LiteralServer, json, value_of};
use crate::support::login::{complete_seeing_url, login, parameter};
use crate::support::outcome::run;
use crate::support::running::Running;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// 43 characters of base64url: 256 bits.
fn is_random(text: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.len() == 43 && text.bytes().all(alphabet)
}

fn sorted(mut params: Vec<(String, String)>) -> Vec<(String, String)> {
    params.sort();
    params
}

fn pairs(params: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    sorted(owned.collect())
}

#[test]
fn the_smallest_login_sends_exactly_this() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (finished, url) = complete_seeing_url(&mut login(&home, &server, &[]), &server.origin());
    assert_eq!(finished.expect_code(0).stdout, "");

    let (endpoint, query) = url.split_once('?').expect("a query");
    assert_eq!(endpoint, server.url("/authorize"));
    assert!(!query.contains('+') && !query.contains(' '), "{query}");
    let (state, challenge) = (parameter(&url, "state"), parameter(&url, "code_challenge"));
    let redirect_uri = parameter(&url, "redirect_uri");
    let port = redirect_uri
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/callback"))
        .expect("the default redirect URI");
    assert_ne!(port.parse::<u16>().expect("a port"), 0);
    assert!(is_random(&state) && is_random(&challenge), "{url}");
    let expected = pairs(&[
        ("response_type", "code"),
        ("client_id", "desktop"),
        ("redirect_uri", &redirect_uri),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    assert_eq!(sorted(parameters(&url)), expected);

    let request = server.only_request_to("/token");
    let verifier = value_of(&request.form(), "code_verifier")
        .expect("a verifier")
        .to_owned();
    assert!(is_random(&verifier), "{verifier}");
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)), challenge);
    let expected = pairs(&[
        ("grant_type", "authorization_code"),
        ("code", CODE),
        ("redirect_uri", &redirect_uri),
        ("client_id", "desktop"),
        ("code_verifier", &verifier),
    ]);
    assert_eq!(sorted(request.form()), expected);

    let encoded_uri = format!("http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback");
    assert!(request.body_text().contains(&format!("redirect_uri={encoded_uri}&")));
    assert!(query.contains(&format!("redirect_uri={encoded_uri}&")));
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/token"));
    let length = request.body.len().to_string();
    let agent = format!("oauth/{}", env!("CARGO_PKG_VERSION"));
    let host = format!("127.0.0.1:{}", server.port());
    for (name, value) in [
        ("host", host.as_str()),
        ("user-agent", &agent),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", &length),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.headers.len(), 6, "{:?}", request.headers);

    let metadata = server.only_request_to("/.well-known/oauth-authorization-server");
    assert_eq!(
        metadata.header_names(),
        ["accept", "accept-encoding", "host", "user-agent"]
    );
    assert_eq!(server.requests().len(), 2, "metadata and token, nothing else");
}

#[test]
fn everything_that_can_be_asked_for_is_sent_where_it_belongs() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(
        &home,
        &server,
        &[
            "--scope",
            "read write",
            "--scope",
            "offline_access",
            "--resource",
            "https://api.example.com/v1?x=1",
            "--resource",
            "urn:example:files",
            "--audience",
            "https://api.example.com/",
            "--param",
            "prompt=login",
            "--param",
            "ui_locales=de fr&x",
            "--token-param",
            "tenant=a=b",
        ],
    );
    let (finished, url) = complete_seeing_url(&mut command, &server.origin());
    finished.expect_code(0);

    let (state, challenge) = (parameter(&url, "state"), parameter(&url, "code_challenge"));
    let redirect_uri = parameter(&url, "redirect_uri");
    let expected = pairs(&[
        ("response_type", "code"),
        ("client_id", "desktop"),
        ("redirect_uri", &redirect_uri),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("scope", "read write offline_access"),
        ("resource", "https://api.example.com/v1?x=1"),
        ("resource", "urn:example:files"),
        ("audience", "https://api.example.com/"),
        ("prompt", "login"),
        ("ui_locales", "de fr&x"),
    ]);
    assert_eq!(sorted(parameters(&url)), expected);

    let form = server.only_request_to("/token").form();
    let verifier = value_of(&form, "code_verifier").expect("a verifier").to_owned();
    let expected = pairs(&[
        ("grant_type", "authorization_code"),
        ("code", CODE),
        ("redirect_uri", &redirect_uri),
        ("client_id", "desktop"),
        ("code_verifier", &verifier),
        ("resource", "https://api.example.com/v1?x=1"),
        ("resource", "urn:example:files"),
        ("audience", "https://api.example.com/"),
        ("tenant", "a=b"),
    ]);
    assert_eq!(sorted(form), expected);
}

#[test]
fn the_query_of_the_endpoint_stays() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let origin = server.origin();
    let metadata = authorization_server::metadata(&origin).replace("/authorize", "/authorize?tenant=a%2Fb&kind=");
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/token", json(200, &token_answer())).expected();
    let (finished, url) = complete_seeing_url(&mut login(&home, &server, &[]), &origin);
    finished.expect_code(0);
    assert!(
        url.starts_with(&format!("{origin}/authorize?tenant=a%2Fb&kind=&response_type=code&")),
        "{url}"
    );
}

#[test]
fn every_login_draws_new_secrets() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut drawn = BTreeSet::new();
    for _ in 0..3 {
        let running = Running::start(&mut login(&home, &server, &["--scope", "openid"]));
        let url = running.authorization_url();
        consent(&url, &server.origin());
        running.end().expect_code(0);
        for name in ["state", "nonce", "code_challenge"] {
            let value = parameter(&url, name);
            assert!(is_random(&value), "{name} {value}");
            assert!(drawn.insert(value), "{name} was drawn before");
        }
    }
    for request in server.requests_to("/token") {
        let verifier = value_of(&request.form(), "code_verifier").map(str::to_owned);
        assert!(drawn.insert(verifier.expect("a verifier")));
    }
    assert_eq!(drawn.len(), 12);
}

#[test]
fn parameters_of_the_flow_are_not_for_the_user_to_set() {
    let (home, server) = (Home::new(), authorization_server::start());
    for (flag, names) in [
        (
            "--param",
            &[
                "response_type",
                "client_id",
                "redirect_uri",
                "scope",
                "state",
                "nonce",
                "resource",
                "code_challenge",
                "code_challenge_method",
                "request",
                "request_uri",
            ][..],
        ),
        (
            "--token-param",
            &[
                "grant_type",
                "code",
                "redirect_uri",
                "client_id",
                "client_secret",
                "code_verifier",
                "refresh_token",
            ],
        ),
    ] {
        for name in names {
            let finished = run(&mut login(&home, &server, &[flag, &format!("{name}=x")])).expect_code(2);
            assert!(
                finished.error().contains(flag) && finished.error().contains(name),
                "{finished:?}"
            );
        }
    }
    for bad in ["state", "=x", ""] {
        run(&mut login(&home, &server, &["--param", bad]))
            .expect_code(2)
            .says(&["--param"]);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    let (home, server) = (Home::new(), authorization_server::start());
    for (flag, value) in [
        ("--scope", "a\"b"),
        ("--scope", "a\\b"),
        ("--scope", "caf\u{e9}"),
        ("--scope", "a\u{7}b"),
        ("--resource", "/relative"),
        ("--resource", "https://api.example.com/#part"),
        ("--resource", "not a uri"),
    ] {
        let finished = run(&mut login(&home, &server, &[flag, value])).expect_code(2);
        assert!(finished.error().contains(flag), "{flag} {value:?}: {finished:?}");
    }
    for client_id in ["", "caf\u{e9}", "a\nb"] {
        let mut command = home.oauth();
        command.args(["login", "--issuer", &server.origin(), "--client-id", client_id]);
        run(&mut command).expect_code(2).says(&["--client-id"]);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_answer_comes_as_a_form_post_where_that_is_asked_for() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--response-mode", "form_post"]));
    let url = running.authorization_url();
    assert_eq!(parameter(&url, "response_mode"), "form_post");
    let redirect_uri = url::Url::parse(&parameter(&url, "redirect_uri")).expect("a URI");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("code", CODE)
        .append_pair("state", &parameter(&url, "state"))
        .append_pair("iss", &server.origin())
        .finish();
    let headers = [
        "Origin: http://127.0.0.1:9",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Dest: document",
    ];
    let page = callback::post(&callback::authority(&redirect_uri), "/callback", &headers, &form).expect("an answer");
    assert_eq!(page.status, 200);
    running.end().expect_code(0);
    assert_eq!(value_of(&server.only_request_to("/token").form(), "code"), Some(CODE));
}
