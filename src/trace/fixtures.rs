//! Two logins as events with fixed times, which every renderer is tested on:
//! one that works, with everything that can happen on the way, and one that
//! fails. The files that must come out are in `tests/golden`; run the tests
//! with `BLESS` set to write them again, and look at the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

pub(super) mod archive;
pub(super) mod secrets_in_urls;

use super::redact::Redaction;
use super::renderer::TraceContext;
use super::{Event, Party, Paste, Step};
use crate::exit::ExitCode;
use crate::protocol::http::{HeaderName, HeaderValue, HttpRequest, HttpResponse, Method, Timings, USER_AGENT};
use crate::protocol::params::Params;
use crate::secret::Secret;
use jiff::Timestamp;
use std::path::Path;
use std::time::Duration;
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

pub(super) fn metadata_request(path: &str) -> HttpRequest {
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

pub(super) fn authorization_response() -> Params {
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
            reason: "a request to 127.0.0.1:43211 was ignored: it asks for a file that browsers request on their own",
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
            hints: &["Run the login again: the code is valid once, and for a short time.".to_owned()],
            exit_code: ExitCode::Refused,
        },
    );
}

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

pub(super) fn context(show_secrets: bool) -> TraceContext {
    TraceContext {
        command: "login",
        command_line: "oauth login https://id.example.com --client-id desktop".to_owned(),
        began_at: "2026-11-22T13:58:20Z".parse::<Timestamp>().unwrap(),
        redaction: Redaction::new(show_secrets),
    }
}
