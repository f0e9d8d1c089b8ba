//! The peers that other tests speak with do what they say, seen without the
//! binary: otherwise a test could pass because nobody was there.

use super::support::authorization_server::{self, ACCESS_TOKEN, CODE};
use super::support::callback;
use super::support::literal_server::{LiteralServer, html, value_of};
use url::Url;

#[test]
fn the_scripted_server_answers_and_records() {
    let server = authorization_server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let close = ["Connection: close", "Accept: application/json"];

    let gone = callback::get(&authority, "/.well-known/openid-configuration", &close).expect("an answer");
    assert_eq!(
        (gone.status, gone.header("content-type")),
        (404, Some("text/html; charset=utf-8"))
    );

    let metadata = callback::get(&authority, "/.well-known/oauth-authorization-server", &close).expect("an answer");
    assert_eq!(metadata.status, 200);
    assert!(
        metadata
            .body_text()
            .contains(&format!("\"issuer\":\"{}\"", server.origin()))
    );

    let token = callback::post(&authority, "/token?x=1", &close, "code=a%2Bb&code=c").expect("an answer");
    assert!(token.body_text().contains(ACCESS_TOKEN));
    let received = server.only_request_to("/token");
    assert_eq!(
        (received.target.as_str(), received.body_text()),
        ("/token?x=1", "code=a%2Bb&code=c")
    );
    assert_eq!(received.form()[0].1, "a+b");
    assert_eq!(received.header("content-length"), Some("17"));
}

#[test]
fn the_scripted_browser_brings_code_state_and_issuer() {
    let listener = LiteralServer::start();
    listener.on("GET", "/callback", html(200, "done")).expected();
    let mut url = Url::parse("https://id.example.com/authorize?tenant=x").expect("a URL");
    url.query_pairs_mut()
        .append_pair("state", "a+b/c=")
        .append_pair("redirect_uri", &listener.url("/callback"));

    let output = format!("1/7 prepare\nSign in at this address:\n{url}\n");
    let (found, before) = authorization_server::url_from(&mut output.as_bytes());
    assert_eq!((found.as_str(), before.len()), (url.as_str(), 2));

    let page = authorization_server::consent(&found, "https://id.example.com");
    assert_eq!((page.status, page.body_text().as_str()), (200, "done"));
    let response = listener.only_request_to("/callback").query();
    assert_eq!(value_of(&response, "code"), Some(CODE));
    assert_eq!(value_of(&response, "state"), Some("a+b/c="));
    assert_eq!(value_of(&response, "iss"), Some("https://id.example.com"));
}

#[test]
#[cfg(unix)]
fn the_fake_browser_hands_its_url_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = authorization_server::FakeBrowser::new(folder.path());
    let mut run = std::process::Command::new(browser.command())
        .arg("https://id.example.com/authorize?a=1&b=$(2)")
        .spawn()
        .expect("running it");
    assert_eq!(browser.wait_for_url(), "https://id.example.com/authorize?a=1&b=$(2)");
    assert!(run.wait().expect("its end").success());
}

#[test]
#[should_panic(expected = "GET /never was never called")]
fn a_route_that_is_expected_and_not_called_fails_the_test() {
    let server = LiteralServer::start();
    server.on("GET", "/never", html(200, "")).expected();
}

#[test]
#[should_panic(expected = "wrong scope")]
fn an_assertion_in_an_answer_fails_the_test() {
    let server = LiteralServer::start();
    server.on_call("GET", "/", |_| panic!("wrong scope"));
    let _ = callback::get(&format!("127.0.0.1:{}", server.port()), "/", &[]);
}
