//! `--par` (RFC 9126): what is posted, what the browser then carries, what a
//! refusal and a hostile answer lead to.

use super::support::authorization_server::{self, CODE};
use super::support::binary::Home;
use super::support::callback;
use super::support::certificates::self_signed;
use super::support::literal_server::{LiteralServer, Reply, html, json, redirect, status, value_of};
use super::support::login::{MarkingBrowser, assert_nothing_kept, login};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;

/// The reference of RFC 9126 §2.2.
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";

fn answer() -> Reply {
    json(201, &format!(r#"{{"request_uri":"{REQUEST_URI}","expires_in":60}}"#))
}

/// A server whose metadata has these members too.
fn server_with(members: &str) -> LiteralServer {
    let server = authorization_server_with(members);
    server.on("POST", "/par", answer());
    server
}

fn authorization_server_with(members: &str) -> LiteralServer {
    let server = authorization_server::start();
    let metadata = authorization_server::metadata(&server.origin());
    let metadata = metadata.replacen('{', &format!("{{{}", members.replace("ORIGIN", &server.origin())), 1);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server
}

const ENDPOINT: &str = r#""pushed_authorization_request_endpoint":"ORIGIN/par","#;
const REQUIRED: &str =
    r#""pushed_authorization_request_endpoint":"ORIGIN/par","require_pushed_authorization_requests":true,"#;

/// Logs in with a browser that answers what was pushed.
fn complete(home: &Home, server: &LiteralServer, arguments: &[&str]) -> (Outcome, String) {
    let mut command = login(home, server, &["-p", "pushed", "--no-browser"]);
    let running = Running::start(command.args(arguments));
    let url = running.authorization_url();
    let pushed = server.requests_to("/par").last().expect("a pushed request").form();
    answer_as(&pushed, &server.origin());
    (running.end(), url)
}

/// The browser comes back with a code for these parameters.
fn answer_as(pushed: &[(String, String)], issuer: &str) {
    let mut back = url::Url::parse(value_of(pushed, "redirect_uri").expect("a redirect URI")).expect("a URL");
    let state = value_of(pushed, "state").expect("a state");
    back.query_pairs_mut()
        .extend_pairs([("code", CODE), ("state", state), ("iss", issuer)]);
    callback::get_url(back.as_str()).expect("an answer of the listener");
}

#[test]
fn where_the_server_has_the_endpoint_the_request_is_pushed_and_the_browser_carries_a_reference() {
    let (home, server) = (Home::new(), server_with(ENDPOINT));
    let arguments = [
        "--scope",
        "api more",
        "--resource",
        "https://api.example",
        "--param",
        "prompt=login",
    ];
    let (outcome, url) = complete(&home, &server, &arguments);
    outcome.expect_code(0);
    assert_eq!(
        authorization_server::parameters(&url),
        [("client_id", "desktop"), ("request_uri", REQUEST_URI)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let request = server.only_request_to("/par");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let form = request.form();
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "response_type",
            "client_id",
            "state",
            "scope",
            "redirect_uri",
            "resource",
            "code_challenge",
            "code_challenge_method",
            "prompt"
        ]
    );
    assert_eq!(value_of(&form, "client_id"), Some("desktop"));
    assert_eq!(value_of(&form, "scope"), Some("api more"));
    // Metadata, the pushed request, and the token: no more.
    assert_eq!(server.requests().len(), 3);
    let token = server.only_request_to("/token").form();
    assert_eq!(value_of(&token, "redirect_uri"), value_of(&form, "redirect_uri"));
    assert!(!home.configuration().contains("par ="), "{}", home.configuration());
}

#[test]
fn a_client_with_a_secret_authenticates_when_it_pushes() {
    for (method, in_body) in [("client_secret_basic", false), ("client_secret_post", true)] {
        let (home, server) = (Home::new(), server_with(ENDPOINT));
        let secret = home.path().join("secret");
        std::fs::write(&secret, "p%+ü").expect("writing");
        let secret = secret.display().to_string();
        let arguments = ["--client-secret-file", &secret, "--client-auth", method];
        complete(&home, &server, &arguments).0.expect_code(0);
        let request = server.only_request_to("/par");
        let basic = (!in_body).then_some("Basic ZGVza3RvcDpwJTI1JTJCJUMzJUJD");
        assert_eq!(request.header("authorization"), basic, "{method}");
        let form = request.form();
        assert_eq!(value_of(&form, "client_secret"), in_body.then_some("p%+ü"), "{method}");
        assert_eq!(value_of(&form, "client_id"), Some("desktop"), "{method}");
    }
}

#[test]
fn a_bound_login_has_a_proof_at_the_endpoint_and_one_retry_with_its_nonce() {
    let (home, server) = (Home::new(), server_with(ENDPOINT));
    let wants_nonce = Reply::http(
        400,
        &["Content-Type: application/json", "DPoP-Nonce: n-1"],
        r#"{"error":"use_dpop_nonce"}"#,
    );
    server.on_each("POST", "/par", vec![wants_nonce, answer()]);
    let bound = authorization_server::token_answer().replace("Bearer", "DPoP");
    server.on("POST", "/token", json(200, &bound));
    complete(&home, &server, &["--dpop"]).0.expect_code(0);
    let requests = server.requests_to("/par");
    assert_eq!(requests.len(), 2);
    let claims = |index: usize| {
        use base64::Engine;
        let proof = requests[index].header("dpop").expect("a proof").to_owned();
        let payload = proof.split('.').nth(1).expect("claims").to_owned();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
        serde_json::from_slice::<serde_json::Value>(&bytes.expect("base64url")).expect("JSON")
    };
    assert_eq!(claims(0)["htu"], server.url("/par"));
    assert_eq!(claims(0).get("nonce"), None);
    assert_eq!(claims(1)["nonce"], "n-1");
    assert!(value_of(&requests[1].form(), "dpop_jkt").is_some());
    // The nonce is the server's, so the token request has it at once.
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn always_is_saved_and_wants_the_endpoint() {
    let (home, server) = (Home::new(), server_with(ENDPOINT));
    complete(&home, &server, &["--par", "always"]).0.expect_code(0);
    assert!(
        home.configuration().contains("par = \"always\""),
        "{}",
        home.configuration()
    );

    let (home, server) = (Home::new(), authorization_server::start());
    let browser = MarkingBrowser::new(home.path());
    let mut command = login(&home, &server, &["--par", "always", "--browser", &browser.command]);
    let outcome = run(&mut command).expect_error(2);
    outcome.says(&["RFC 9126", "--pushed-authorization-request-endpoint URL"]);
    assert!(!browser.was_run());
    assert_nothing_kept(&home);

    // Named by hand, it is used.
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/par", answer());
    let endpoint = server.url("/par");
    let arguments = ["--par", "always", "--pushed-authorization-request-endpoint", &endpoint];
    complete(&home, &server, &arguments).0.expect_code(0);
    assert!(
        home.configuration()
            .contains("pushed_authorization_request_endpoint = ")
    );
}

#[test]
fn never_sends_the_request_through_the_browser_unless_the_server_forbids_it() {
    let (home, server) = (Home::new(), server_with(ENDPOINT));
    let mut command = login(&home, &server, &["--par", "never", "--no-browser"]);
    let outcome = super::support::login::complete(&mut command, &server.origin());
    outcome.expect_code(0);
    assert!(server.requests_to("/par").is_empty());

    let (home, server) = (Home::new(), server_with(REQUIRED));
    let browser = MarkingBrowser::new(home.path());
    let mut command = login(&home, &server, &["--par", "never", "--browser", &browser.command]);
    run(&mut command)
        .expect_error(2)
        .says(&["require_pushed_authorization_requests", "--par auto"]);
    assert!(!browser.was_run());
    assert_nothing_kept(&home);
}

#[test]
fn a_server_that_requires_them_and_names_no_endpoint_is_tried_with_a_warning() {
    let home = Home::new();
    let server = authorization_server_with(r#""require_pushed_authorization_requests":true,"#);
    let mut command = login(&home, &server, &["--no-browser"]);
    let outcome = super::support::login::complete(&mut command, &server.origin()).expect_code(0);
    let warnings = outcome.warnings();
    assert!(
        warnings.contains("--pushed-authorization-request-endpoint URL"),
        "{warnings}"
    );
}

#[test]
fn a_refusal_ends_the_login_with_the_servers_words_and_is_never_worked_around() {
    for (reply, code, words) in [
        (
            json(
                400,
                r#"{"error":"invalid_request","error_description":"no \u001b[2J luck"}"#,
            ),
            5,
            "invalid_request",
        ),
        (json(401, r#"{"error":"invalid_client"}"#), 5, "invalid_client"),
        (json(200, r#"{"error":"invalid_scope"}"#), 5, "--scope"),
        (json(403, "{}"), 5, "status 403"),
        (html(403, "<h1>Forbidden</h1>"), 5, "status 403"),
        (status(405), 5, "status 405"),
        (status(413), 5, "status 413"),
        (status(429), 3, "status 429"),
        (json(500, r#"{"error":"invalid_request"}"#), 3, "status 500"),
        (html(200, "<h1>Hello</h1>"), 3, "not with JSON"),
        (redirect(307, "http://127.0.0.1:1/elsewhere"), 6, "never followed"),
        (Reply::reset(), 3, "cannot be pushed"),
    ] {
        let (home, server) = (Home::new(), server_with(ENDPOINT));
        server.on("POST", "/par", reply);
        let browser = MarkingBrowser::new(home.path());
        let mut command = login(&home, &server, &["--browser", &browser.command]);
        let outcome = run(&mut command).expect_error(code).says(&[words]);
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
        assert!(!browser.was_run(), "{words}");
        assert_eq!(server.requests_to("/par").len(), 1, "{words}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn an_endpoint_that_must_not_be_called_ends_the_login() {
    for endpoint in [
        "http://par.example/par",
        "https://user@par.example/par",
        "/par",
        "javascript:alert(1)",
    ] {
        let home = Home::new();
        let member = format!(r#""pushed_authorization_request_endpoint":"{endpoint}","#);
        let server = authorization_server_with(&member);
        let browser = MarkingBrowser::new(home.path());
        run(&mut login(&home, &server, &["--browser", &browser.command]))
            .expect_error(6)
            .says(&["pushed_authorization_request_endpoint"]);
        assert!(!browser.was_run(), "{endpoint}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_hostile_answer_is_not_taken() {
    let long = format!(r#"{{"request_uri":"urn:x:{}","expires_in":60}}"#, "a".repeat(5_000));
    for body in [
        r#"{"expires_in":60}"#,
        r#"{"request_uri":"","expires_in":60}"#,
        r#"{"request_uri":["urn:x:1"],"expires_in":60}"#,
        r#"{"request_uri":"https://evil.example/r","expires_in":60}"#,
        r#"{"request_uri":"urn:x:1\nurn:x:2","expires_in":60}"#,
        r#"{"request_uri":"urn:x:1","expires_in":0}"#,
        r#"{"request_uri":"urn:x:1","expires_in":-1}"#,
        &long,
    ] {
        let (home, server) = (Home::new(), server_with(ENDPOINT));
        server.on("POST", "/par", json(201, body));
        let browser = MarkingBrowser::new(home.path());
        run(&mut login(&home, &server, &["--browser", &browser.command]))
            .expect_error(6)
            .says(&["RFC 9126 §2.2"]);
        assert!(!browser.was_run(), "{body:.80}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn an_odd_answer_is_taken_and_the_reference_is_encoded_into_the_url() {
    for (reply, warns) in [
        (
            json(200, r#"{"request_uri":"urn:x:a&client_id=evil#%s","expires_in":"90"}"#),
            false,
        ),
        (json(201, r#"{"request_uri":"urn:x:a&client_id=evil#%s"}"#), true),
    ] {
        let (home, server) = (Home::new(), server_with(ENDPOINT));
        server.on("POST", "/par", reply);
        let (outcome, url) = complete(&home, &server, &[]);
        let outcome = outcome.expect_code(0);
        assert_eq!(outcome.warnings().contains("expires_in"), warns, "{}", outcome.stderr);
        let parameters = authorization_server::parameters(&url);
        assert_eq!(value_of(&parameters, "client_id"), Some("desktop"));
        assert_eq!(value_of(&parameters, "request_uri"), Some("urn:x:a&client_id=evil#%s"));
    }
}

#[test]
fn a_client_certificate_is_shown_at_the_endpoint_for_that() {
    let home = Home::new();
    let server = server_with(
        r#""pushed_authorization_request_endpoint":"ORIGIN/par","mtls_endpoint_aliases":{"pushed_authorization_request_endpoint":"ORIGIN/mtls/par"},"#,
    );
    server.on("POST", "/mtls/par", answer()).expected();
    let (certificate, key) = self_signed(&["desktop"]).write(home.path(), "client");
    let mut command = login(&home, &server, &["--no-browser", "--client-auth", "tls_client_auth"]);
    command.args(["--client-cert-file", &certificate.display().to_string()]);
    command.args(["--client-key-file", &key.display().to_string()]);
    let running = Running::start(&mut command);
    running.authorization_url();
    answer_as(&server.only_request_to("/mtls/par").form(), &server.origin());
    running.end().expect_code(0);
    assert!(server.requests_to("/par").is_empty());
}

#[test]
fn stop_before_exchange_pushes_and_stores_nothing() {
    let (home, server) = (Home::new(), server_with(ENDPOINT));
    let (outcome, _) = complete(&home, &server, &["--stop-before", "exchange"]);
    outcome.expect_code(0);
    assert!(server.requests_to("/token").is_empty());
    assert_nothing_kept(&home);
}

#[test]
fn the_trace_shows_both_messages_and_no_secret_of_them() {
    let (home, server) = (Home::new(), server_with(ENDPOINT));
    let trace = home.path().join("trace.json");
    let (outcome, _) = complete(&home, &server, &["-vv", "--trace", &trace.display().to_string()]);
    let outcome = outcome.expect_code(0);
    let outcome = outcome.says(&[
        "pushed authorization request",
        "pushed authorization response",
        REQUEST_URI,
    ]);
    let form = server.only_request_to("/par").form();
    let state = value_of(&form, "state").expect("a state");
    let trace = std::fs::read_to_string(trace).expect("the trace");
    for text in [&outcome.stderr, &trace] {
        assert!(text.contains("pushed authorization request"), "{text}");
        assert!(!text.contains(state), "the state is shown");
    }
}
