//! What a trace may show of every kind of message.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use url::Url;

const TOKEN: &str = "canary-token-canary-token";

fn token_request() -> HttpRequest {
    let mut body = Params::new();
    body.push("grant_type", "authorization_code");
    body.push("code", "canary-code-canary-code");
    body.push("client_secret", "canary-secret");
    HttpRequest::post(Url::parse("https://id.example.com/token").unwrap(), body)
}

fn metadata_request() -> HttpRequest {
    HttpRequest::get(Url::parse("https://id.example.com/.well-known/openid-configuration").unwrap())
}

fn response(headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let owned = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    HttpResponse {
        status: 200,
        headers: owned.collect(),
        body: Secret::new(body.as_bytes().to_vec()),
        elapsed: Duration::ZERO,
        timings: crate::protocol::http::Timings::default(),
        is_streamed: false,
    }
}

fn shown(request: &HttpRequest, body: &str) -> String {
    match Redaction::new(false).answer(request, &response(&[], body)).body {
        ShownBody::Json(document) => document.line(),
        ShownBody::Text(text) => text,
        ShownBody::Empty => String::new(),
    }
}

#[test]
fn a_token_answer_shows_what_is_on_the_list_and_no_more() {
    let answer = format!(
        r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600,"scope":"openid","id_token":"{TOKEN}",
            "refresh_token":"{TOKEN}","custom":"{TOKEN}","pin":"1234","code":123456,"nested":{{"list":["{TOKEN}",7,null,true]}},"access_token":"twice"}}"#
    );
    let tag = Secret::from(TOKEN).redacted();
    let again = Secret::from("twice").redacted();
    let expected = format!(
        r#"{{"access_token":"{tag}","token_type":"Bearer","expires_in":3600,"scope":"openid","id_token":"{tag}","refresh_token":"{tag}","custom":"{tag}","pin":"[redacted, 4 chars]","code":"[redacted, 6 chars]","nested":{{"list":["{tag}",7,null,true]}},"access_token":"{again}"}}"#
    );
    assert_eq!(shown(&token_request(), &answer), expected);
}

#[test]
fn the_frame_of_a_json_rpc_message_is_shown() {
    let body = r#"{"jsonrpc":"2.0","method":"tools/list","result":{"protocolVersion":"2025-11-25","text":"canary"}}"#;
    let shown = shown(&token_request(), body);
    for open in ["2.0", "tools/list", "2025-11-25"] {
        assert!(shown.contains(open), "{shown}");
    }
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_secret_that_was_sent_is_cut_out_of_what_comes_back() {
    let answer =
        r#"{"error":"invalid_grant","error_description":"code canary-code-canary-code and canary-secret are wrong"}"#;
    let text = shown(&token_request(), answer);
    assert!(
        text.contains("\"invalid_grant\"") && text.contains("are wrong"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");

    let mut basic = token_request();
    let credentials = Secret::new(STANDARD.encode("client:canary%2Fp%C3%A4ss"));
    basic.headers.push((
        "authorization".into(),
        HeaderValue::Credentials {
            scheme: "Basic",
            credentials,
        },
    ));
    let text = shown(&basic, r#"{"error_description":"canary/päss is not the password"}"#);
    assert!(
        !text.contains("canary") && text.contains("is not the password"),
        "{text}"
    );
}

#[test]
fn metadata_is_shown_but_for_private_parts_of_keys() {
    let metadata = r#"{"issuer":"https://id.example.com","scopes_supported":["openid"],"extra":"shown"}"#;
    assert_eq!(shown(&metadata_request(), metadata), metadata);
    let keys = r#"{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN","d":"X4cTteJY_gn4FYPsXB8rdXix","p":"83i"}]}"#;
    let text = shown(&metadata_request(), keys);
    assert!(
        text.contains("0vx7agoebGcQSuuPiLJXZptN") && text.contains("[redacted, 3 chars]"),
        "{text}"
    );
    assert!(!text.contains("X4cT") && !text.contains("83i"), "{text}");
    let token = format!(r#"{{"access_token":"{TOKEN}"}}"#);
    assert!(!shown(&metadata_request(), &token).contains("canary"));
}

#[test]
fn a_page_is_shown_only_where_no_secret_was_sent() {
    let page = "<html>\n  <b>canary</b> not\tfound\u{1b}[2J</html>";
    assert_eq!(
        shown(&metadata_request(), page),
        "<html> <b>canary</b> not found\\u{1b}[2J</html>"
    );
    assert_eq!(
        shown(&token_request(), page),
        format!("[no content type, {} bytes, shown with --show-secrets]", page.len())
    );
    assert_eq!(shown(&token_request(), ""), "");
}

#[test]
fn a_url_keeps_its_bytes_but_for_the_secrets() {
    let url = "https://id.example.com/a?client_id=x&state=canary-state-canary&redirect_uri=http%3A%2F%2F[::1]#end";
    let tag = Secret::from("canary-state-canary").redacted();
    let expected = url.replace("canary-state-canary", &tag);
    assert_eq!(Redaction::new(false).url(url), expected);
    assert_eq!(Redaction::new(true).url(url), url);
    assert_eq!(Redaction::new(false).url("https://x/y"), "https://x/y");
}

fn get(url: &str) -> HttpRequest {
    HttpRequest::get(Url::parse(url).unwrap())
}

#[test]
fn the_url_of_a_request_shows_no_secret_wherever_it_stands() {
    let redaction = Redaction::new(false);
    let request = get("https://x/token?tenant=a&c%6Fde=canary%2Bcode&state=&token=canary?canary#id_token=canary");
    let shown = redaction.request_url(&request);
    let (code, token, id_token) = ("canary+code", "canary?canary", "canary");
    let expected = [("code", code), ("state", ""), ("token", token), ("#id_token", id_token)]
        .map(|(name, value)| format!("{name}={}", Secret::from(value).redacted()))
        .join("&")
        .replace("&#", "#");
    assert_eq!(shown, format!("https://x/token?tenant=a&{expected}"));
    assert_eq!(Redaction::new(true).request_url(&request), request.url.as_str());

    // what is a secret in the body is one in the URL, under any name
    let mut body = Params::new();
    body.push("client_secret", "canary/secret");
    let request = HttpRequest::post(
        Url::parse("https://x/token?next=a%3Dcanary%2Fsecret%26b&c=d").unwrap(),
        body,
    );
    assert_eq!(
        redaction.request_url(&request),
        "https://x/token?next=[redacted, 17 chars]&c=d"
    );
    let query = |redaction: Redaction| redaction.query(&request).into_iter().map(|(_, value)| value);
    assert_eq!(query(redaction).collect::<Vec<_>>(), ["[redacted, 17 chars]", "d"]);
    let whole: Vec<String> = query(Redaction::new(true)).collect();
    assert_eq!(whole, ["a=canary/secret&b", "d"]);
}

#[test]
fn a_challenge_that_is_the_verifier_is_redacted() {
    for (method, is_shown) in [
        ("&code_challenge_method=S256", true),
        ("&code_challenge_method=plain", false),
        ("", false),
    ] {
        let request = get(&format!("https://x/authorize?code_challenge=canary{method}"));
        let shown = Redaction::new(false).request_url(&request);
        let (_, value) = &Redaction::new(false).query(&request)[0];
        assert_eq!(
            (shown.contains("canary"), value == "canary"),
            (is_shown, is_shown),
            "{shown} {value}"
        );
    }
}

#[test]
fn an_answer_to_secrets_in_the_url_is_not_public() {
    let in_url = get("https://x/token?code=canary%2Fcode%2Fcanary&grant_type=authorization_code");
    let answer = format!(r#"{{"error":"e","error_description":"canary/code/canary","custom":"{TOKEN}"}}"#);
    let text = shown(&in_url, &answer);
    assert!(text.contains("\"error\":\"e\"") && !text.contains("canary"), "{text}");
    let page = "<a href='http://127.0.0.1:1/?code=canary-code-canary-code'>go on</a>";
    for url in [
        "https://x/token?code=a",
        "https://x/authorize?client_id=a&response_type=code",
    ] {
        let text = shown(&get(url), page);
        assert!(text.starts_with("[no content type, "), "{text}");
    }
    // a server may nest the request in the address of its sign-in page
    let nested = (
        "location",
        "/sign-in?next=%2Ftoken%3Fcode%3Dcanary%252Fcode%252Fcanary%26a%3Db",
    );
    let answer = Redaction::new(false).answer(&in_url, &response(&[nested], ""));
    let (_, location) = &answer.headers[0];
    assert!(location.contains("a=b") && !location.contains("canary"), "{location}");
}

#[test]
fn what_is_no_credential_is_shown() {
    let answer = r#"{"nonce":"n-0S6_WzA2Mj","session_state":"9d5c7e.a1b2"}"#;
    assert_eq!(shown(&token_request(), answer), answer);
    let nonce = Value::Secret(Secret::from("n-0S6_WzA2Mj"));
    assert_eq!(Redaction::new(false).parameter("nonce", &nonce), "n-0S6_WzA2Mj");
    assert!(
        Redaction::new(false)
            .parameter("other", &nonce)
            .starts_with("[redacted, ")
    );
}

#[test]
fn headers_pass_a_list_too() {
    let headers = [
        ("content-type", "application/json"),
        ("set-cookie", "session=canary; Path=/"),
        ("x-token", TOKEN),
        ("location", "http://127.0.0.1:1/cb?code=canary-code&x=1#state=canary"),
        ("www-authenticate", "Bearer error=\"canary-code-canary-code\""),
        ("server", "evil\u{1b}]52;c;x\u{7}"),
        ("ratelimit-remaining", "99"),
        ("ratelimit", "\"default\";r=50;t=30"),
        ("x-ratelimit-reset", "1764360000"),
        ("x-request-id", "0af7651916cd43dd8448eb211c80319c"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-amzn-trace-id", "canary-code-canary-code"),
    ];
    let answer = Redaction::new(false).answer(&token_request(), &response(&headers, ""));
    let value = |name: &str| answer.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(value("content-type"), "application/json");
    for (name, harmless) in headers
        .iter()
        .filter(|(name, _)| name.contains("rate") || name.contains("request-id"))
    {
        assert_eq!(value(name), *harmless);
    }
    assert!(value("traceparent").ends_with("-b7ad6b7169203331-01"));
    assert_eq!(value("x-token"), Secret::from(TOKEN).redacted());
    assert!(value("location").starts_with("http://127.0.0.1:1/cb?code=[redacted, 11 chars, sha256 "));
    assert!(value("location").contains("&x=1#state=[redacted, 6 chars, sha256 "));
    assert_eq!(value("server"), "evil\\u{1b}]52;c;x\\u{7}");
    assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
}

#[test]
fn whoever_asks_to_see_secrets_sees_them_whole_and_still_harmless() {
    let long = "t".repeat(2_000);
    let body = format!(r#"{{"access_token":"{long}","custom":"\u001b[2J"}}"#);
    let answer = Redaction::new(true).answer(&token_request(), &response(&[("set-cookie", "a=b")], &body));
    assert_eq!(answer.headers, [("set-cookie".to_owned(), "a=b".to_owned())]);
    let ShownBody::Json(document) = answer.body else {
        panic!("{:?}", answer.body);
    };
    assert_eq!(
        document.line(),
        format!(r#"{{"access_token":"{long}","custom":"\\u{{1b}}[2J"}}"#)
    );
    let code = Value::tagged("code", "SplxlOBeZQQYbYS6WxSbIA");
    assert_eq!(Redaction::new(true).value(&code), "SplxlOBeZQQYbYS6WxSbIA");
    assert!(Redaction::new(false).value(&code).starts_with("[redacted, 22 chars"));
}
