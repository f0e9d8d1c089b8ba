//! Two logins as events with fixed times, which every renderer is tested on:
//! one that works, with everything that can happen on the way, and one that
//! fails. The files that must come out are in `tests/golden`; run the tests
//! with `BLESS` set to write them again, and look at the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::redact::Redaction;
use super::render::har::Har;
use super::render::html::Html;
use super::render::json::JsonLines;
use super::render::mermaid::Mermaid;
use super::renderer::{Renderer, TraceContext};
use super::{Event, Party, Paste, Step};
use crate::exit::ExitCode;
use crate::protocol::http::{HeaderName, HeaderValue, HttpRequest, HttpResponse, Method, Timings, USER_AGENT};
use crate::protocol::params::Params;
use crate::secret::Secret;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use url::Url;

/// Where the resource owner signs in.
pub(super) const URL: &str =
    "https://id.example.com/authorize?response_type=code&client_id=desktop&state=hunter2-state-hunter2";

/// What no renderer may show unless it is asked to.
pub(super) const SECRETS: [&str; 6] = [
    "hunter2",
    "SplxlOBeZQQYbYS6WxSbIA",
    "dBjftJeZ4CVP",
    "ZGVza3RvcDpodW50ZXIy",
    "2YotnFZFEjr1zCsicMWpAA",
    "tGzv3JOkF0XG5Qx2TlKWIA",
];

/// Sees each event with its time.
type Watcher<'a> = dyn FnMut(&Event<'_>, Duration) + 'a;

/// What happens in a login.
pub(super) type Recording = fn(&mut dyn FnMut(u64, &Event<'_>));

/// Plays a recording to an observer.
pub(super) fn play(watcher: &mut Watcher<'_>, recording: Recording) {
    recording(&mut |since_start_ms, event| watcher(event, Duration::from_millis(since_start_ms)));
}

pub(super) fn token_request() -> HttpRequest {
    let mut body = Params::new();
    body.push("grant_type", "authorization_code");
    body.push("code", "SplxlOBeZQQYbYS6WxSbIA");
    body.push("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    body.push("redirect_uri", "http://127.0.0.1:43111/callback");
    let mut request = HttpRequest::post(Url::parse("https://id.example.com/token").unwrap(), body);
    request.headers.push(credentials("Basic", "ZGVza3RvcDpodW50ZXIy"));
    request
}

fn credentials(scheme: &'static str, text: &str) -> (HeaderName, HeaderValue) {
    let credentials = Secret::from(text);
    ("authorization".into(), HeaderValue::Credentials { scheme, credentials })
}

pub(super) fn response(status: u16, media_type: &str, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![
            ("content-type".to_owned(), media_type.to_owned()),
            ("set-cookie".to_owned(), "session=hunter2".to_owned()),
        ],
        body: Secret::new(body.as_bytes().to_vec()),
        elapsed: Duration::from_millis(37),
        is_streamed: false,
        timings: Timings {
            name_lookup: Some(Duration::from_micros(1_500)),
            connect: Some(Duration::from_millis(21)),
            first_byte: Some(Duration::from_millis(36)),
        },
    }
}

fn metadata_request(path: &str) -> HttpRequest {
    HttpRequest::get(
        Url::parse("https://id.example.com/.well-known/")
            .unwrap()
            .join(path)
            .unwrap(),
    )
}

fn authorization_request() -> Params {
    let mut params = Params::new();
    params.push("response_type", "code");
    params.push("client_id", "desktop");
    params.push("redirect_uri", "http://127.0.0.1:43111/callback");
    params.push("scope", "openid offline_access");
    params.push("state", "hunter2-state-hunter2");
    params.push("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    params.push("code_challenge_method", "S256");
    params
}

/// The first two steps, which both recordings share.
fn ask(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    let not_there = metadata_request("oauth-authorization-server");
    let found = metadata_request("openid-configuration");
    let page = response(404, "text/html", "<html>\n<b>Not here</b></html>");
    let metadata = response(
        200,
        "application/json",
        r#"{"issuer":"https://id.example.com","scopes_supported":["openid","offline_access"]}"#,
    );
    let params = authorization_request();
    let step = |step| Event::StepBegins(step);
    tell(0, &step(Step::Prepare));
    tell(1, &Event::RequestSent(&not_there));
    tell(
        38,
        &Event::ResponseReceived {
            request: &not_there,
            response: &page,
        },
    );
    tell(
        38,
        &Event::DiscoveryTried {
            url: not_there.url.as_str(),
            not_taken: Some("404"),
        },
    );
    tell(39, &Event::RequestSent(&found));
    tell(
        76,
        &Event::ResponseReceived {
            request: &found,
            response: &metadata,
        },
    );
    tell(
        76,
        &Event::DiscoveryTried {
            url: found.url.as_str(),
            not_taken: None,
        },
    );
    tell(
        76,
        &Event::CheckPassed("the metadata's issuer is the one that was asked for (RFC 8414 §3.3)"),
    );
    tell(
        77,
        &Event::Detail {
            name: "redirect_uri",
            value: "http://127.0.0.1:43111/callback",
        },
    );
    tell(78, &step(Step::Ask));
    tell(
        78,
        &Event::Message {
            from: Party::Client,
            to: Party::Browser,
            title: "authorization request",
            params: &params,
        },
    );
    tell(78, &Event::AuthorizationUrl(URL.into()));
}

fn authorization_response() -> Params {
    let mut params = Params::new();
    params.push("code", "SplxlOBeZQQYbYS6WxSbIA");
    params.push("state", "hunter2-state-hunter2");
    params.push("iss", "https://id.example.com\u{1b}[2J");
    params
}

/// A whole login with everything that can happen on the way, a call of a
/// resource server, a refresh and a revocation.
pub(super) fn recorded_login(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    ask(tell);
    for event in [
        Event::BrowserFailed {
            command: "firefox -P work",
            reason: "no such file",
        },
        Event::BrowserExited {
            command: "chromium",
            how: "exited with 3",
        },
        Event::BrowserStarted { command: "xdg-open" },
        Event::StepBegins(Step::Prompt),
        Event::WaitBegins {
            timeout: Duration::from_secs(300),
            awaited: "the browser",
            paste: Paste::BesideListener,
        },
    ] {
        tell(90, &event);
    }
    tell(
        2_400,
        &Event::CallbackIgnored {
            reason: "a request to the listener was refused: it asks for a file that browsers request on their own",
            notable: false,
        },
    );
    tell(
        3_000,
        &Event::CallbackIgnored {
            reason: "a callback with another state reported `access_denied`",
            notable: true,
        },
    );
    let mut foreign = Params::new();
    foreign.push("error", "access_denied");
    foreign.push("state", "hunter2-foreign-hunter2");
    tell(3_000, &callback_answered(&foreign, 400));
    let params = authorization_response();
    for event in [
        Event::StepBegins(Step::Consent),
        Event::StepBegins(Step::Receive),
        Event::Message {
            from: Party::Browser,
            to: Party::Client,
            title: "authorization response",
            params: &params,
        },
        Event::CheckPassed("state is the one that was sent (RFC 6749 §10.12)"),
        Event::WaitEnds,
        Event::StepBegins(Step::Exchange),
    ] {
        tell(12_345, &event);
    }
    exchange(tell);
    tell(12_400, &callback_answered(&params, 200));
    afterwards(tell);
}

fn callback_answered(params: &Params, status: u16) -> Event<'_> {
    Event::CallbackAnswered {
        redirect_uri: "http://127.0.0.1:43111/callback",
        params,
        method: Method::Get,
        status,
    }
}

/// Steps 6 and 7 of a login that works.
fn exchange(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    let request = token_request();
    let answer = response(
        200,
        "application/json",
        r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"}"#,
    );
    tell(
        12_346,
        &Event::Message {
            from: Party::Client,
            to: Party::AuthorizationServer,
            title: "token request",
            params: request.form().unwrap(),
        },
    );
    tell(12_346, &Event::RequestSent(&request));
    tell(
        12_383,
        &Event::ResponseReceived {
            request: &request,
            response: &answer,
        },
    );
    let mut params = Params::new();
    params.push("access_token", "2YotnFZFEjr1zCsicMWpAA");
    params.push("token_type", "Bearer");
    for event in [
        Event::StepBegins(Step::Store),
        Event::Message {
            from: Party::AuthorizationServer,
            to: Party::Client,
            title: "token response",
            params: &params,
        },
        Event::Warning("the server granted less than was asked for\u{1b}]0;owned\u{7}\nerror: run this <script>"),
        Event::CheckSkipped("the ID token's signature: keys are not fetched"),
        Event::Decision("no other process has changed the session"),
        Event::Stored {
            store: "the keyring of this session",
        },
        Event::Success("signed in as alice at https://id.example.com"),
    ] {
        tell(12_390, &event);
    }
}

/// What a session is good for.
fn afterwards(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    let mut call = HttpRequest::get(Url::parse("https://api.example.com/hello?name=alice").unwrap());
    call.headers.push(credentials("Bearer", "2YotnFZFEjr1zCsicMWpAA"));
    let hello = response(200, "text/plain", "hello");
    tell(13_000, &Event::RequestSent(&call));
    tell(
        13_037,
        &Event::ResponseReceived {
            request: &call,
            response: &hello,
        },
    );
    let again = token_request();
    tell(14_000, &Event::RequestSent(&again));
    tell(
        14_500,
        &Event::RequestFailed {
            request: &again,
            reason: "id.example.com:443 refused the connection",
        },
    );
    for event in [
        Event::Retried {
            with: Party::AuthorizationServer,
            reason: "the answer to the refresh was lost; asking once more",
        },
        Event::Refreshed {
            expires_in_s: Some(3600),
            rotated: true,
        },
        Event::Revoked {
            token_type: "refresh_token",
        },
        Event::Forgotten {
            store: "the keyring of this session",
        },
    ] {
        tell(15_000, &event);
    }
}

/// A login that the token endpoint refuses.
pub(super) fn failed_login(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    ask(tell);
    let params = authorization_response();
    for event in [
        Event::StepBegins(Step::Prompt),
        Event::StepBegins(Step::Consent),
        Event::StepBegins(Step::Receive),
        Event::Message {
            from: Party::Browser,
            to: Party::Client,
            title: "authorization response",
            params: &params,
        },
        Event::StepBegins(Step::Exchange),
    ] {
        tell(5_000, &event);
    }
    let request = token_request();
    let answer = response(
        400,
        "application/json",
        r#"{"error":"invalid_grant","error_description":"the code SplxlOBeZQQYbYS6WxSbIA has expired"}"#,
    );
    tell(5_001, &Event::RequestSent(&request));
    tell(
        5_038,
        &Event::ResponseReceived {
            request: &request,
            response: &answer,
        },
    );
    tell(5_039, &Event::StepBegins(Step::Store));
    tell(
        5_040,
        &Event::Failed {
            message: "the code was not exchanged",
            causes: &["the token endpoint https://id.example.com/token refused: invalid_grant".to_owned()],
            exit_code: ExitCode::Refused,
        },
    );
}

/// Requests with secrets in their URLs, as an examination sends them, each with
/// a server's answer that repeats what came.
pub(super) fn secrets_in_urls(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    let mut with_body = token_request();
    with_body.url.set_query(Some(
        "code=SplxlOBeZQQYbYS6WxSbIA&odd=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ));
    let get = |url: &str| HttpRequest::get(Url::parse(url).unwrap());
    let requests = [
        get(
            "https://id.example.com/token?code=SplxlOBeZQQYbYS6WxSbIA&code_verifier=dBjftJeZ4CVP-mB92K27&client_secret=hunter2",
        ),
        get("https://id.example.com/revoke?token=tGzv3JOkF0XG5Qx2TlKWIA&token_type_hint=refresh_token"),
        get("https://id.example.com/userinfo?access_token=2YotnFZFEjr1zCsicMWpAA"),
        get(URL),
        with_body,
    ];
    for request in requests {
        let query = request.url.query().unwrap_or_default();
        let answer = response(
            400,
            "application/json",
            &format!(r#"{{"error":"invalid_request","error_description":"no: {query}"}}"#),
        );
        tell(1, &Event::RequestSent(&request));
        tell(
            38,
            &Event::ResponseReceived {
                request: &request,
                response: &answer,
            },
        );
        tell(39, &Event::RequestSent(&request));
        tell(
            40,
            &Event::RequestFailed {
                request: &request,
                reason: "gone",
            },
        );
    }
}

/// How the URL of the second of them may be shown.
pub(super) fn revocation_url() -> String {
    let token = Secret::from("tGzv3JOkF0XG5Qx2TlKWIA").redacted();
    format!("https://id.example.com/revoke?token={token}&token_type_hint=refresh_token")
}

/// What is in the place of the secret in its command.
pub(super) const REVOCATION_COMMAND: &str =
    r#"curl "https://id.example.com/revoke?token=$TOKEN&token_type_hint=refresh_token""#;

/// Compares with a file in `tests/golden`; with `BLESS` set, writes it.
#[track_caller]
pub(super) fn compare_with_golden(name: &str, text: &str) {
    let text = text
        .replace(USER_AGENT, "oauth/VERSION")
        .replace(concat!("oauth ", env!("CARGO_PKG_VERSION")), "oauth VERSION")
        .replace(
            concat!("\"version\":\"", env!("CARGO_PKG_VERSION"), "\""),
            "\"version\":\"VERSION\"",
        );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(text == expected, "{name} is now:\n{text}\n--- expected:\n{expected}");
}

fn context(show_secrets: bool) -> TraceContext {
    TraceContext {
        command: "login",
        began_at: "2026-11-22T13:58:20Z".parse::<Timestamp>().unwrap(),
        redaction: Redaction::new(show_secrets),
    }
}

/// One of each, with the ending of its files.
fn renderers(show_secrets: bool) -> [(&'static str, Box<dyn Renderer>); 4] {
    let context = context(show_secrets);
    [
        ("json", Box::new(JsonLines::new(context))),
        ("har", Box::new(Har::new(context))),
        ("html", Box::new(Html::new(context))),
        ("mmd", Box::new(Mermaid::new(context))),
    ]
}

/// The file as it is after each event, the last one whole.
fn stages(renderer: &mut dyn Renderer, recording: Recording) -> Vec<String> {
    let mut text = renderer.head();
    let mut stages = vec![text.clone() + &renderer.tail()];
    play(
        &mut |event, since_start| {
            text += &renderer.event(event, since_start);
            stages.push(text.clone() + &renderer.tail());
        },
        recording,
    );
    stages
}

fn whole(renderer: &mut dyn Renderer, recording: Recording) -> String {
    stages(renderer, recording).pop().unwrap()
}

const RECORDINGS: [(&str, Recording); 2] = [("login", recorded_login), ("failed", failed_login)];

#[test]
fn each_renderer_makes_the_golden_file_of_each_recording() {
    for (name, recording) in RECORDINGS {
        for (ending, mut renderer) in renderers(false) {
            let text = whole(renderer.as_mut(), recording);
            compare_with_golden(&format!("trace/{name}.{ending}"), &text);
        }
    }
}

#[test]
fn no_renderer_shows_a_secret_or_lets_foreign_text_act() {
    for recording in [recorded_login, failed_login, secrets_in_urls] {
        for (ending, mut renderer) in renderers(false) {
            let text = whole(renderer.as_mut(), recording);
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} in .{ending}:\n{text}");
            }
            assert!(text.contains("sha256 "), ".{ending}:\n{text}");
            let harmful = |character: char| character.is_control() && character != '\n';
            assert!(!text.contains(harmful), ".{ending}:\n{text}");
            assert!(!text.contains("<script>") || ending == "json", ".{ending}:\n{text}");
        }
    }
}

#[test]
fn a_secret_in_a_url_is_redacted_and_a_variable_of_the_command() {
    let [json, har, html, mmd] = renderers(false).map(|(_, mut renderer)| whole(renderer.as_mut(), secrets_in_urls));
    let lines = json_lines(&json);
    let about = |event: &str| {
        let mut events = lines.iter().filter(|line| line["event"] == event);
        events.nth(if event == "request" { 2 } else { 1 }).unwrap().clone()
    };
    let request = about("request");
    assert!(
        request["curl"].as_str().unwrap().starts_with(REVOCATION_COMMAND),
        "{request}"
    );
    for event in ["request", "response", "request_failed"] {
        assert_eq!(about(event)["url"], revocation_url());
    }

    let archive: Value = serde_json::from_str(&har).expect("JSON");
    check_archive(&archive);
    let request = &archive["log"]["entries"][2]["request"];
    assert_eq!(request["url"], Url::parse(&revocation_url()).unwrap().as_str());
    let token = Secret::from("tGzv3JOkF0XG5Qx2TlKWIA").redacted();
    let query = serde_json::json!([
        { "name": "token", "value": token },
        { "name": "token_type_hint", "value": "refresh_token" },
    ]);
    assert_eq!(request["queryString"], query);

    let url = revocation_url()
        .replace('&', "&amp;")
        .replace(&token, &format!("<i>{token}</i>"));
    let command = REVOCATION_COMMAND.replace('&', "&amp;").replace('"', "&quot;");
    for shown in [url, format!("<th>token</th><td><i>{token}</i></td>"), command] {
        assert!(html.contains(&shown), "{shown} in:\n{html}");
    }

    assert!(mmd.contains("  client->>server: GET /revoke\n"), "{mmd}");
    assert!(mmd.contains("  client->>resource: GET /userinfo\n"), "{mmd}");

    for (ending, mut renderer) in renderers(true) {
        let text = whole(renderer.as_mut(), secrets_in_urls);
        let is_shown = text.contains("revoke?token=tGzv3JOkF0XG5Qx2TlKWIA");
        assert_eq!(is_shown, ending != "mmd", ".{ending}:\n{text}");
    }
}

#[test]
fn whoever_asks_for_secrets_gets_a_file_that_says_so() {
    for ((ending, mut renderer), mark) in renderers(true).into_iter().zip([
        "\"contains_secrets\":true",
        "\"comment\":\"CONTAINS SECRETS",
        "This page contains secrets",
        "CONTAINS SECRETS",
    ]) {
        let text = whole(renderer.as_mut(), recorded_login);
        assert!(text.contains(mark) && !text.contains("[redacted"), ".{ending}:\n{text}");
        assert!(text.contains("SplxlOBeZQQYbYS6WxSbIA"), ".{ending}:\n{text}");
        let (_, mut redacting) = renderers(false)
            .into_iter()
            .find(|(other, _)| *other == ending)
            .unwrap();
        assert!(!whole(redacting.as_mut(), recorded_login).contains(mark));
    }
}

#[test]
fn a_file_is_whole_after_every_event() {
    for (_, recording) in RECORDINGS {
        for (ending, mut renderer) in renderers(false) {
            for text in stages(renderer.as_mut(), recording) {
                match ending {
                    "json" => json_lines(&text).clear(),
                    "har" => check_archive(&serde_json::from_str(&text).expect("JSON")),
                    "html" => assert!(text.contains("</main>\n<section") && text.ends_with("</body>\n</html>\n")),
                    _ => assert!(text.starts_with("sequenceDiagram\n") && text.ends_with('\n')),
                }
            }
        }
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn each_line_of_json_has_version_time_event_and_parties() {
    let [(_, mut renderer), ..] = renderers(false);
    let lines = json_lines(&whole(renderer.as_mut(), recorded_login));
    assert_eq!(lines[0]["event"], "trace_begins");
    assert_eq!(lines[0]["began_at"], "2026-11-22T13:58:20.000Z");
    let mut last_ms = 0;
    for line in &lines {
        assert_eq!(line["v"], 1, "{line}");
        let since_start_ms = line["since_start_ms"].as_u64().expect("a time");
        assert!(since_start_ms >= last_ms, "{line}");
        last_ms = since_start_ms;
        for name in ["event", "from", "to"] {
            assert!(line[name].is_string(), "{line}");
        }
    }
    assert_eq!(last_ms, 15_000);
}

/// What HTTP Archive 1.2 asks for: every member that it requires, with its type.
#[track_caller]
fn check_archive(archive: &Value) {
    let text = |value: &Value, names: &[&str]| {
        for name in names {
            assert!(value[name].is_string(), "{name} in {value}");
        }
    };
    let number = |value: &Value, names: &[&str]| {
        for name in names {
            assert!(
                value[name].as_f64().is_some_and(|number| number >= -1.0),
                "{name} in {value}"
            );
        }
    };
    let pairs = |value: &Value, names: &[&str]| {
        for name in names {
            for pair in value[name].as_array().unwrap_or_else(|| panic!("{name} in {value}")) {
                text(pair, &["name", "value"]);
            }
        }
    };
    let log = &archive["log"];
    assert_eq!(log["version"], "1.2");
    text(&log["creator"], &["name", "version"]);
    for entry in log["entries"].as_array().expect("entries") {
        text(entry, &["startedDateTime"]);
        let started_at = entry["startedDateTime"].as_str().unwrap();
        assert!(started_at.parse::<Timestamp>().is_ok(), "{started_at}");
        assert!(entry["cache"].is_object());
        let request = &entry["request"];
        text(request, &["method", "url", "httpVersion"]);
        assert!(Url::parse(request["url"].as_str().unwrap()).is_ok());
        pairs(request, &["cookies", "headers", "queryString"]);
        number(request, &["headersSize", "bodySize"]);
        if let Some(post_data) = request.get("postData") {
            text(post_data, &["mimeType", "text"]);
            pairs(post_data, &["params"]);
        }
        let response = &entry["response"];
        assert!(response["status"].is_u64());
        text(response, &["statusText", "httpVersion", "redirectURL"]);
        pairs(response, &["cookies", "headers"]);
        number(response, &["headersSize", "bodySize"]);
        number(&response["content"], &["size"]);
        text(&response["content"], &["mimeType"]);
        let timings = entry["timings"].as_object().expect("timings");
        number(&entry["timings"], &["send", "wait", "receive"]);
        assert!(
            ["send", "wait", "receive"]
                .iter()
                .all(|name| timings[*name].as_f64() >= Some(0.0))
        );
        // "time: sum of all timings, not including -1 values"
        let sum: f64 = timings
            .values()
            .filter_map(Value::as_f64)
            .filter(|part| *part >= 0.0)
            .sum();
        let time = entry["time"].as_f64().expect("a time");
        assert!((sum - time).abs() < 0.01, "{entry}");
    }
}

#[test]
fn an_unanswered_request_is_in_the_archive_and_makes_way_for_its_answer() {
    let [_, (_, mut renderer), ..] = renderers(false);
    let request = token_request();
    let other = metadata_request("openid-configuration");
    let mut text = renderer.head();
    let entries = |text: &str, renderer: &dyn Renderer| {
        let archive: Value = serde_json::from_str(&(text.to_owned() + &renderer.tail())).expect("JSON");
        check_archive(&archive);
        let entries = archive["log"]["entries"].as_array().unwrap();
        let shown = entries.iter().map(|entry| {
            let method = entry["request"]["method"].as_str().unwrap();
            format!("{method} {}", entry["response"]["status"])
        });
        shown.collect::<Vec<_>>()
    };
    text += &renderer.event(&Event::RequestSent(&request), Duration::ZERO);
    assert_eq!(entries(&text, renderer.as_ref()), ["POST 0"]);
    // two at once, answered in the other order
    text += &renderer.event(&Event::RequestSent(&other), Duration::from_millis(1));
    assert_eq!(entries(&text, renderer.as_ref()), ["POST 0", "GET 0"]);
    let answer = response(200, "application/json", "{}");
    // told later, of a copy
    let copy = other.clone();
    let received = Event::ResponseReceived {
        request: &copy,
        response: &answer,
    };
    text += &renderer.event(&received, Duration::from_millis(38));
    assert_eq!(entries(&text, renderer.as_ref()), ["GET 200", "POST 0"]);
    // the same again: one answer is for one of the two
    text += &renderer.event(&Event::RequestSent(&request), Duration::from_millis(50));
    assert_eq!(entries(&text, renderer.as_ref()), ["GET 200", "POST 0", "POST 0"]);
    let failed = Event::RequestFailed {
        request: &request,
        reason: "gone",
    };
    text += &renderer.event(&failed, Duration::from_millis(70));
    assert_eq!(entries(&text, renderer.as_ref()), ["GET 200", "POST 0", "POST 0"]);
    assert_eq!(text.matches("gone").count(), 1);
    assert!(renderer.tail().contains("the trace ended before one came"));
}

/// The part of an archive that most logins fail in.
#[test]
fn the_browsers_side_is_in_the_archive_as_far_as_the_client_knows_it() {
    let redirect_uri = "http://127.0.0.1:43111/cb?x=1";
    for (response_mode, authorized, callback) in [
        ("query", json!([302, "http://127.0.0.1:43111/cb?x=1&code="]), "GET"),
        ("form_post", json!([200, ""]), "POST"),
    ] {
        let [_, (_, mut renderer), ..] = renderers(false);
        let url = format!(
            "https://id.example.com/authorize?state=hunter2&response_mode={response_mode}&redirect_uri={}",
            "http%3A%2F%2F127.0.0.1%3A43111%2Fcb%3Fx%3D1"
        );
        let mut text = renderer.head();
        let entries = |text: &str, renderer: &dyn Renderer| {
            let archive: Value = serde_json::from_str(&(text.to_owned() + &renderer.tail())).expect("JSON");
            check_archive(&archive);
            archive["log"]["entries"].as_array().unwrap().clone()
        };
        text += &renderer.event(&Event::AuthorizationUrl(url.as_str().into()), Duration::from_millis(10));
        let [waiting] = &entries(&text, renderer.as_ref())[..] else {
            panic!("{text}")
        };
        assert_eq!(
            (&waiting["response"]["status"], &waiting["request"]["method"]),
            (&json!(0), &json!("GET"))
        );
        assert!(
            waiting["request"]["url"]
                .as_str()
                .unwrap()
                .starts_with("https://id.example.com/authorize?state=[redacted")
        );

        let (foreign, right) = (
            Params::parse("error=access_denied&state=hunter2x"),
            authorization_response(),
        );
        let answered = |params, status| Event::CallbackAnswered {
            redirect_uri,
            params,
            method: if callback == "GET" { Method::Get } else { Method::Post },
            status,
        };
        text += &renderer.event(&answered(&foreign, 400), Duration::from_millis(20));
        let message = Event::Message {
            from: Party::Browser,
            to: Party::Client,
            title: "authorization response",
            params: &right,
        };
        text += &renderer.event(&message, Duration::from_millis(30));
        text += &renderer.event(&answered(&right, 200), Duration::from_millis(50));
        let [ignored, authorization, came] = &entries(&text, renderer.as_ref())[..] else {
            panic!("{text}")
        };
        assert_eq!(ignored["response"]["status"], 400);
        assert_eq!(authorization["response"]["status"], authorized[0]);
        assert_eq!(authorization["time"], 20.0);
        let redirect = authorization["response"]["redirectURL"].as_str().unwrap();
        assert!(redirect.starts_with(authorized[1].as_str().unwrap()), "{redirect}");
        assert_eq!(
            (&came["response"]["status"], &came["request"]["method"]),
            (&json!(200), &json!(callback))
        );
        assert_eq!(came["time"], 20.0);
        let query = came["request"]["queryString"].as_array().unwrap();
        let form = came["request"]["postData"]["params"].as_array();
        assert_eq!(
            (query.is_empty(), form.is_some()),
            (callback == "POST", callback == "POST")
        );
        for secret in ["hunter2", "SplxlOBeZQQYbYS6WxSbIA"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// Events of a long examination cost little. To run it:
/// `cargo test --release --lib ten_thousand -- --ignored`.
#[test]
#[ignore = "a measurement: only the release build keeps the bound"]
fn ten_thousand_events_cost_less_than_50_ms_and_20_mib_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["json", "har", "html", "mmd"] {
        let path = folder.path().join(format!("trace.{ending}"));
        // other work on the machine makes it slower, nothing makes it faster
        let least = (0..5)
            .map(|_| time_on_the_processor(|| trace_ten_thousand(&path)))
            .min();
        assert!(least < Some(Duration::from_millis(50)), ".{ending}: {least:?}");
        let length_bytes = std::fs::metadata(&path).unwrap().len();
        assert!(length_bytes < 20 * 1024 * 1024, ".{ending}: {length_bytes} bytes");
    }
}

/// A third of the events are of HTTP.
fn trace_ten_thousand(path: &Path) {
    let mut files = super::files::TraceFiles::open(&[path.to_owned()], context(false)).unwrap();
    let mut count = 0;
    while count < 10_000 {
        play(
            &mut |event, _| {
                count += 1;
                super::Observer::observe(&mut files, event);
            },
            recorded_login,
        );
    }
}

/// Where the system tells it; elsewhere the time on the wall.
fn time_on_the_processor(work: impl FnOnce()) -> Duration {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds = text.split(' ').next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    };
    let (began, before) = (Instant::now(), spent());
    work();
    match (before, spent()) {
        (Some(before), Some(after)) => after - before,
        _ => began.elapsed(),
    }
}
