//! A waiting `oauth login` as a browser, a stranger and an attacker meet it:
//! literal bytes to its listener, and what becomes of the login (RFC 6749
//! §4.1.2, §10.12; RFC 8252 §8.3; RFC 9700 §4.4, §4.7).

use crate::support::authorization_server::{self, CODE, callback_url, token_answer};
use crate::support::binary::Home;
use crate::support::callback::{self, Answer, BROWSER_NAVIGATION};
use crate::support::literal_server::{Gate, LiteralServer, PATIENCE, Reply, html, json, value_of};
use crate::support::login::{assert_nothing_kept, listener_of, login, parameter, sessions, stored};
use crate::support::outcome::Outcome;
use crate::support::running::Running;
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A login that waits for its callback.
struct Waiting {
    running: Running,
    url: String,
    authority: String,
    issuer: String,
}

impl Waiting {
    fn start(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Self {
        let running = Running::start(&mut login(home, server, arguments));
        let url = running.authorization_url();
        Waiting {
            authority: listener_of(&url),
            running,
            url,
            issuer: server.origin(),
        }
    }

    fn state(&self) -> String {
        parameter(&self.url, "state")
    }

    /// With `AUTHORITY`, `PORT`, `STATE` and `ISSUER` (form-encoded) replaced.
    fn filled(&self, text: &str) -> String {
        let issuer: String = url::form_urlencoded::byte_serialize(self.issuer.as_bytes()).collect();
        let port = self.authority.rsplit_once(':').expect("a port").1;
        text.replace("AUTHORITY", &self.authority)
            .replace("PORT", port)
            .replace("STATE", &self.state())
            .replace("ISSUER", &issuer)
    }

    /// The answer to these bytes; status 0 where the connection just ended.
    fn send(&self, bytes: &str) -> Answer {
        self.send_raw(self.filled(bytes).as_bytes())
    }

    fn send_raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.authority).expect("a listener");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // a refusal may come before the last byte is out
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        read_answer(stream)
    }

    /// Sends a GET of this path and query, and leaves the answer to be read.
    fn begin(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.authority).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let target = self.filled(target);
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.authority).expect("writing");
        stream
    }

    /// A navigation of a browser to this path and query.
    fn get(&self, target: &str) -> Answer {
        self.get_with(target, &BROWSER_NAVIGATION)
    }

    fn get_with(&self, target: &str, headers: &[&str]) -> Answer {
        callback::get(&self.authority, &self.filled(target), headers).expect("an answer")
    }

    /// The right callback, which gets the right page and ends the login well.
    fn succeeds(self, server: &LiteralServer) -> Outcome {
        let page = callback::get_url(&callback_url(&self.url, &self.issuer)).expect("a page");
        assert_eq!(page.status, 200);
        let finished = self.running.end().expect_code(0);
        server.only_request_to("/token");
        finished
    }

    /// A callback with the right state that ends the login with this code,
    /// without a token request, and with nothing kept.
    #[track_caller]
    fn ends(self, home: &Home, server: &LiteralServer, target: &str, code: i32) -> (Outcome, Answer) {
        let page = self.get(target);
        let finished = self.running.end();
        assert_eq!(finished.code, Some(code), "{target}: {finished:?}");
        let refused = target.contains("?error=access_denied") && target.matches("error=").count() == 1;
        assert_eq!(page.status, if refused { 403 } else { 500 }, "{target}");
        assert_eq!(server.requests_to("/token").len(), 0, "{target}");
        assert_nothing_kept(home);
        (finished, page)
    }
}

fn read_answer(mut stream: TcpStream) -> Answer {
    let mut raw = Vec::new();
    // a reset after the answer is as good an end as any
    let _ = stream.read_to_end(&mut raw);
    callback::parse(raw)
}

const RIGHT: &str = "/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=STATE&iss=ISSUER";

/// Every page, whatever was asked: constant, unframeable, uncached.
#[track_caller]
fn assert_page(page: &Answer, status: u16) {
    assert_eq!(page.status, status, "{}", String::from_utf8_lossy(&page.raw));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("connection", "close"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(page.header("access-control-allow-origin"), None);
}

#[test]
fn a_state_that_is_not_ours_is_answered_and_the_wait_goes_on() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &["-v"]);
    let state = waiting.state();
    let swapped: String = state
        .chars()
        .map(|character| match character.is_ascii_lowercase() {
            true => character.to_ascii_uppercase(),
            false => character.to_ascii_lowercase(),
        })
        .collect();
    let twice_encoded: String = state.bytes().map(|byte| format!("%25{byte:02X}")).collect();
    let foreign = [
        "code=x&iss=ISSUER".to_owned(),
        String::new(),
        "code=x&state=wrong&iss=ISSUER".to_owned(),
        "code=x&state=&iss=ISSUER".to_owned(),
        "code=x&state&iss=ISSUER".to_owned(),
        format!("code=x&state={swapped}&iss=ISSUER"),
        format!("code=x&state={}&iss=ISSUER", &state[..42]),
        format!("code=x&state={state}x&iss=ISSUER"),
        format!("code=x&state=%20{state}&iss=ISSUER"),
        format!("code=x&state={state}%00&iss=ISSUER"),
        format!("code=x&state={twice_encoded}&iss=ISSUER"),
        format!("code=x&%2573tate={state}&iss=ISSUER"),
        format!("code=x&State={state}&iss=ISSUER"),
        format!("code=x&state={state}&state=wrong&iss=ISSUER"),
        format!("code=x&state=wrong&state={state}&iss=ISSUER"),
        format!("code=x&state={state}&state={state}&iss=ISSUER"),
        "error=access_denied&state=wrong".to_owned(),
        "error=server_error".to_owned(),
        format!("error=access_denied&state={state}&state="),
        format!("code=x&%73tate={state}&state={state}"),
    ];
    for query in &foreign {
        let page = waiting.get(&format!("/callback?{query}"));
        assert_page(&page, 400);
    }
    assert_eq!(waiting.get("/callback").status, 400, "without a query");
    waiting.succeeds(&server);
}

#[test]
fn the_first_foreign_callback_is_told_and_then_that_there_are_many() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    for number in 0..50 {
        assert_eq!(waiting.get(&format!("/callback?code=x&state={number}")).status, 400);
    }
    let finished = waiting.succeeds(&server);
    let warnings = finished.labelled("warning: ");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("its state is not the one that was sent"),
        "{warnings:?}"
    );
    assert!(warnings[1].contains("many callbacks"), "{warnings:?}");
}

#[test]
fn a_broken_answer_with_the_right_state_ends_the_login() {
    let server = authorization_server::start();
    for (query, shown) in [
        ("code=a&code=a&state=STATE&iss=ISSUER", "code"),
        ("code=a&state=STATE&iss=ISSUER&iss=ISSUER", "iss"),
        (
            "error=access_denied&error=access_denied&state=STATE&iss=ISSUER",
            "error",
        ),
        (
            "error=x&error_description=a&error_description=b&state=STATE&iss=ISSUER",
            "error_description",
        ),
        ("error=x&error_uri=a&error_uri=b&state=STATE&iss=ISSUER", "error_uri"),
        ("code=a&%63ode=b&state=STATE&iss=ISSUER", "code"),
        ("code=a&error=access_denied&state=STATE&iss=ISSUER", "both"),
        ("code=&state=STATE&iss=ISSUER", "code"),
        ("code&state=STATE&iss=ISSUER", "code"),
        ("state=STATE&iss=ISSUER", "code"),
        ("code=&error=&state=STATE&iss=ISSUER", "code"),
        ("code=a%00b&state=STATE&iss=ISSUER", "code"),
        ("code=a%0d%0ab&state=STATE&iss=ISSUER", "code"),
        ("code=a%ffb&state=STATE&iss=ISSUER", "code"),
        ("code=%c0%af&state=STATE&iss=ISSUER", "code"),
        ("code=caf%c3%a9&state=STATE&iss=ISSUER", "code"),
        ("code=a&state=STATE&iss=ISSUER&access_token=x", "access_token"),
        ("code=a&state=STATE&iss=ISSUER&id_token=x", "id_token"),
        ("code=a&state=STATE&iss=ISSUER&response=x", "response"),
        ("code=a&state=STATE&iss=https%3A%2F%2Fevil.example.com", "iss"),
    ] {
        let home = Home::new();
        let waiting = Waiting::start(&home, &server, &[]);
        let (finished, page) = waiting.ends(&home, &server, &format!("/callback?{query}"), 6);
        assert!(finished.causes().contains(shown), "{query}: {finished:?}");
        assert_page(&page, 500);
    }
}

/// RFC 9207 §2.4: what another server may have written is not shown, at any verbosity.
#[test]
fn an_error_from_an_issuer_that_is_wrong_or_missing_is_not_repeated() {
    let server = authorization_server::start();
    let evil = "error=evil_error&error_description=evil+words&error_uri=https://evil.example&state=STATE";
    for (iss, told) in [
        ("", "this one has none"),
        (
            "&iss=https://other.example",
            "came from issuer \"https://other.example\"",
        ),
        ("&iss=ISSUER/", "came from issuer"),
    ] {
        let home = Home::new();
        let trace = home.path().join("trace.har");
        let waiting = Waiting::start(&home, &server, &["-vvv", "--trace", &trace.display().to_string()]);
        let page = waiting.get(&format!("/callback?{evil}{iss}"));
        assert_page(&page, 500);
        let finished = waiting.running.end().expect_code(6);
        assert!(finished.causes().contains(told), "{finished:?}");
        if iss.ends_with('/') {
            assert!(
                finished.hints().contains("does not match its own metadata"),
                "{finished:?}"
            );
        }
        finished.does_not_say("evil");
        assert!(!std::fs::read_to_string(&trace).expect("the trace").contains("evil"));
        assert_nothing_kept(&home);
    }
    assert_eq!(server.requests_to("/token").len(), 0);
}

#[test]
fn errors_of_the_authorization_endpoint() {
    let server = authorization_server::start();
    for (error, code) in [
        ("access_denied", 5),
        ("invalid_request", 5),
        ("unauthorized_client", 5),
        ("unsupported_response_type", 5),
        ("invalid_scope", 5),
        ("invalid_target", 5),
        ("login_required", 5),
        ("interaction_required", 5),
        ("consent_required", 5),
        ("account_selection_required", 5),
        ("request_not_supported", 5),
        ("made_up", 5),
        ("server_error", 3),
        ("temporarily_unavailable", 3),
    ] {
        let home = Home::new();
        let waiting = Waiting::start(&home, &server, &[]);
        let target = format!("/callback?error={error}&error_description=so+it+is&state=STATE&iss=ISSUER");
        let (finished, _) = waiting.ends(&home, &server, &target, code);
        assert!(
            finished.error().contains(error) && finished.error().contains("so it is"),
            "{finished:?}"
        );
        assert!(!finished.hints().is_empty(), "{error}");
    }
}

#[test]
fn text_of_the_callback_reaches_neither_page_nor_terminal_as_it_is() {
    let server = authorization_server::start();
    for (payload, shown) in [
        ("%1b%5b2J", "\\u{1b}[2J"),
        ("%1b%5d52;c;cm0%3d%07", "\\u{1b}]52;c;cm0=\\u{7}"),
        ("%1b%5d8;;http://evil%07", "\\u{1b}]8;;http://evil\\u{7}"),
        ("a%0d%0aerror:%20b", "a\\u{d}\\u{a}error: b"),
        ("%c2%9b31m", "\\u{9b}31m"),
        ("%e2%80%ae", "\\u{202e}"),
        ("%e2%81%a6", "\\u{2066}"),
        ("ab%08%08", "ab\\u{8}\\u{8}"),
        ("%3Cscript%3Ealert(1)%3C/script%3E", "<script>alert(1)</script>"),
        ("%00", "\\u{0}"),
    ] {
        let home = Home::new();
        let waiting = Waiting::start(&home, &server, &[]);
        let ignored = waiting.get(&format!(
            "/callback?error={payload}&error_description={payload}&state={payload}"
        ));
        let target = format!(
            "/callback?error=e{payload}&error_description={payload}&error_uri=javascript:alert(1)&state=STATE&iss=ISSUER"
        );
        let (finished, page) = waiting.ends(&home, &server, &target, 5);
        for page in [ignored, page] {
            let body = page.body_text();
            assert!(
                !body.contains("script") && !body.contains("evil") && !body.contains('\u{1b}'),
                "{body}"
            );
        }
        assert!(finished.stderr.contains(shown), "{payload}: {finished:?}");
        let harmless =
            |character: char| character == '\n' || !(character.is_control() || "\u{202e}\u{2066}".contains(character));
        assert!(finished.stderr.chars().all(harmless), "{payload}: {finished:?}");
        assert!(!finished.stderr.contains("javascript:"), "{payload}: {finished:?}");
        assert_eq!(
            finished
                .stderr
                .lines()
                .filter(|line| line.starts_with("error: "))
                .count(),
            1
        );
    }
}

#[test]
fn a_long_description_is_cut() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    let target = format!(
        "/callback?error=invalid_scope&error_description={}&state=STATE&iss=ISSUER",
        "x".repeat(8000)
    );
    let (finished, _) = waiting.ends(&home, &server, &target, 5);
    assert!(finished.error().chars().count() <= 500, "{}", finished.error().len());
}

#[test]
fn unknown_parameters_and_odd_codes_are_taken() {
    let server = authorization_server::start();
    let unknown: String = (0..50).map(|number| format!("&x{number}=%1b{number}")).collect();
    let long = "c".repeat(8192);
    for (code, sent) in [
        ("a%2Bb+c%26%3D%25", "a+b c&=%"),
        ("4%2F0AX4XfWh_%7E%21%22", "4/0AX4XfWh_~!\""),
        (long.as_str(), &long),
    ] {
        let home = Home::new();
        let waiting = Waiting::start(&home, &server, &[]);
        let page = waiting.get(&format!(
            "/callback?session_state=a&scope=a%20b&authuser=0{unknown}&code={code}&state=STATE&iss=ISSUER"
        ));
        assert_page(&page, 200);
        waiting.running.end().expect_code(0);
        let last = server.requests_to("/token").pop().expect("a token request");
        assert_eq!(value_of(&last.form(), "code"), Some(sent));
    }
}

#[test]
fn requests_that_are_no_callback_change_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    let right = waiting.filled(RIGHT);
    let answered = |request: &str, status: u16| {
        let answer = waiting.send(request);
        assert_eq!(
            answer.status,
            status,
            "{request:?}: {}",
            String::from_utf8_lossy(&answer.raw)
        );
        answer
    };
    // methods
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PATCH", "get"] {
        let answer = answered(
            &format!(
                "{method} {right} HTTP/1.1\r\nHost: AUTHORITY\r\nOrigin: https://evil.example.com\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Private-Network: true\r\nContent-Length: 0\r\n\r\n"
            ),
            405,
        );
        assert!(
            answer
                .headers
                .iter()
                .all(|(name, _)| !name.starts_with("access-control")),
            "{method}"
        );
    }
    let answer = waiting.send("CONNECT AUTHORITY HTTP/1.1\r\nHost: AUTHORITY\r\n\r\n");
    assert!([400, 405].contains(&answer.status), "CONNECT: {}", answer.status);
    // paths
    let query = right.split_once('?').expect("a query").1;
    for path in [
        "/",
        "/favicon.ico",
        "/callback/",
        "/callback/x",
        "//callback",
        "/callback;a",
        "/%63allback",
        "/CALLBACK",
        "/callback%2f",
        "/callback%3f",
        "/x/../callback",
        "/.well-known/x",
    ] {
        answered(&format!("GET {path}?{query} HTTP/1.1\r\nHost: AUTHORITY\r\n\r\n"), 404);
    }
    // hosts, as after DNS rebinding
    for host in [
        "evil.example.com",
        "evil.example.com:PORT",
        "localhost:PORT",
        "[::1]:PORT",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1.nip.io:PORT",
        "127.0.0.2:PORT",
        "0:PORT",
        "2130706433:PORT",
    ] {
        answered(&format!("GET {right} HTTP/1.1\r\nHost: {host}\r\n\r\n"), 421);
    }
    for hosts in [
        "",
        "Host: AUTHORITY\r\nHost: AUTHORITY\r\n",
        "Host: user@AUTHORITY\r\n",
        "Host:\r\n",
        "Host: AUTHORITY, AUTHORITY\r\n",
    ] {
        let answer = waiting.send(&format!("GET {right} HTTP/1.1\r\n{hosts}\r\n"));
        assert!([400, 421].contains(&answer.status), "{hosts:?}: {}", answer.status);
    }
    answered(
        &format!("GET http://evil.example.com{right} HTTP/1.1\r\nHost: AUTHORITY\r\n\r\n"),
        421,
    );
    // what a page loads or sends by itself
    for headers in [
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: object",
        "Origin: https://evil.example.com",
        "Origin: null",
    ] {
        answered(
            &format!("GET {right} HTTP/1.1\r\nHost: AUTHORITY\r\n{headers}\r\n\r\n"),
            403,
        );
    }
    // none of them was reported with a byte of its own, and the right one still works
    let finished = waiting.succeeds(&server);
    finished.does_not_say("evil");
}

#[test]
fn what_is_not_http_or_too_much_of_it_is_refused() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    let big = "x".repeat(1024 * 1024);
    let fields: String = (0..10_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let closed_or = |bytes: &str, statuses: &[u16]| {
        let answer = waiting.send(bytes);
        assert!(
            answer.status == 0 || statuses.contains(&answer.status),
            "{:?}: {}",
            &bytes[..bytes.len().min(60)],
            String::from_utf8_lossy(&answer.raw)
        );
    };
    closed_or(
        &format!("GET /callback?error=x&error_description={big}&state=STATE HTTP/1.1\r\nHost: AUTHORITY\r\n\r\n"),
        &[414],
    );
    closed_or(
        &format!("GET {RIGHT} HTTP/1.1\r\nHost: AUTHORITY\r\n{fields}\r\n"),
        &[431],
    );
    closed_or(
        &format!("GET {RIGHT} HTTP/1.1\r\nHost: AUTHORITY\r\nCookie: {big}\r\n\r\n"),
        &[431],
    );
    closed_or(
        &format!("POST {RIGHT} HTTP/1.1\r\nHost: AUTHORITY\r\nContent-Length: 1073741824\r\n\r\n{big}"),
        &[405, 413],
    );
    for junk in [
        "GET /callback?code=x&state=STATE\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\r\n\r\n\r\n",
        "hello\r\n\r\n",
        "GET  /callback HTTP/1.1\r\nHost: AUTHORITY\r\n\r\n",
        "GET /callback HTTP/9.9\r\nHost: AUTHORITY\r\n\r\n",
    ] {
        closed_or(junk, &[400, 505]);
    }
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x01\x02\x03";
    assert!([0, 400].contains(&waiting.send_raw(hello).status));
    assert!([0, 400].contains(&waiting.send_raw(&[0, 255, 1, 254, 10, 13]).status));
    // what two parsers would read differently
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Trailer: a\r\n\r\n",
        "X: a\r\n folded\r\n\r\n",
        "X : a\r\n\r\n",
        "X: a\nY: b\r\n\r\n",
        "X: a\0b\r\n\r\n",
    ] {
        closed_or(&format!("GET {RIGHT} HTTP/1.1\r\nHost: AUTHORITY\r\n{headers}"), &[400]);
    }
    assert_eq!(server.requests_to("/token").len(), 0);
    waiting.succeeds(&server);
}

#[test]
fn expecting_100_continue_hangs_nobody() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    let target = waiting.filled(RIGHT);
    let began = Instant::now();
    let answer = waiting.send(&format!(
        "POST {target} HTTP/1.1\r\nHost: AUTHORITY\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
    ));
    assert!([405, 417].contains(&answer.status), "{}", answer.status);
    assert!(began.elapsed() < Duration::from_secs(4));
    waiting.succeeds(&server);
}

#[test]
fn neither_a_flood_nor_silence_keeps_the_callback_out() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    for _ in 0..1000 {
        drop(TcpStream::connect(&waiting.authority).expect("a connection"));
    }
    let mut silent: Vec<TcpStream> = (0..80)
        .map(|_| TcpStream::connect(&waiting.authority).expect("a connection"))
        .collect();
    for (number, stream) in silent.iter_mut().enumerate().filter(|(number, _)| number % 2 == 0) {
        // half a request; the oldest connections may have been dropped by now
        let _ = write!(stream, "GET /callback?code={number} HTTP/1.1\r\nHost: ");
    }
    let began = Instant::now();
    waiting.succeeds(&server);
    assert!(began.elapsed() < Duration::from_secs(4), "nobody idle was waited for");
}

/// A server whose token endpoint waits for the gate.
fn gated_server(answer: Reply) -> (LiteralServer, Gate) {
    let (server, gate) = (authorization_server::start(), Gate::new());
    server.on("POST", "/token", answer.after_gate(&gate));
    (server, gate)
}

#[test]
fn the_answer_is_taken_once_however_often_it_comes() {
    let home = Home::new();
    let (server, gate) = gated_server(json(200, &token_answer()));
    let waiting = Waiting::start(&home, &server, &[]);
    let first = waiting.begin(RIGHT);
    server.wait_for("/token", 1);
    let later = [
        RIGHT,
        RIGHT,
        "/callback?error=access_denied&state=STATE&iss=ISSUER",
        "/callback?code=x&state=wrong",
    ]
    .map(|target| waiting.begin(target));
    gate.open();
    assert_page(&read_answer(first), 200);
    for stream in later {
        assert_page(&read_answer(stream), 409);
    }
    waiting.running.end().expect_code(0);
    server.only_request_to("/token");
}

#[test]
fn of_two_at_once_one_is_taken() {
    for _ in 0..5 {
        let home = Home::new();
        let (server, gate) = gated_server(json(200, &token_answer()));
        let waiting = Waiting::start(&home, &server, &[]);
        let connections: Vec<TcpStream> = (0..2).map(|_| waiting.begin(RIGHT)).collect();
        server.wait_for("/token", 1);
        gate.open();
        let mut statuses: Vec<u16> = connections
            .into_iter()
            .map(|stream| read_answer(stream).status)
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        waiting.running.end().expect_code(0);
        server.only_request_to("/token");
    }
}

#[test]
fn success_is_shown_when_the_session_is_stored_and_not_before() {
    let home = Home::new();
    let (server, gate) = gated_server(json(200, &token_answer()));
    let waiting = Waiting::start(&home, &server, &[]);
    let mut browser = waiting.begin(RIGHT);
    server.wait_for("/token", 1);
    browser
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("a timeout");
    let error = browser.read(&mut [0; 1]).expect_err("no page yet");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(stored(&home).len(), 0);
    gate.open();
    browser.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut first = [0; 12];
    browser.read_exact(&mut first).expect("a page");
    assert_eq!(&first, b"HTTP/1.1 200");
    assert_eq!(stored(&home).len(), 1, "it is stored by now");
    waiting.running.end().expect_code(0);
}

#[test]
fn failure_is_shown_when_exchange_or_store_fail() {
    for (answer, code) in [
        (json(500, "{}"), 3),
        (html(200, "<html>"), 3),
        (json(400, r#"{"error":"invalid_grant"}"#), 5),
        (json(200, r#"{"token_type":"Bearer"}"#), 6),
        (Reply::reset(), 3),
    ] {
        let (home, server) = (Home::new(), authorization_server::start());
        server.on("POST", "/token", answer);
        let waiting = Waiting::start(&home, &server, &[]);
        let page = waiting.get(RIGHT);
        assert_page(&page, 500);
        assert!(!page.body_text().contains("You are signed in"));
        waiting.running.end().expect_code(code);
        server.only_request_to("/token");
        assert_nothing_kept(&home);
    }

    // the store was tried before, and breaks while the person signs in
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    std::fs::remove_dir_all(sessions(&home)).expect("removing the folder");
    std::fs::write(sessions(&home), "").expect("a file in its place");
    assert_page(&waiting.get(RIGHT), 500);
    let finished = waiting.running.end().expect_code(8);
    assert!(!home.config_file().exists() && finished.stdout.is_empty());
    finished.does_not_say(authorization_server::ACCESS_TOKEN);
}

#[test]
fn a_browser_that_leaves_before_its_page_spoils_nothing() {
    let home = Home::new();
    let (server, gate) = gated_server(json(200, &token_answer()));
    let waiting = Waiting::start(&home, &server, &[]);
    let browser = waiting.begin(RIGHT);
    server.wait_for("/token", 1);
    drop(browser);
    gate.open();
    waiting.running.end().expect_code(0);
    assert_eq!(stored(&home).len(), 1);
}

/// How long connections are still taken from now on.
fn time_until_closed(authority: &str) -> Duration {
    let began = Instant::now();
    while TcpStream::connect(authority).is_ok() {
        assert!(began.elapsed() < PATIENCE, "the port stays open");
    }
    began.elapsed()
}

#[test]
fn the_port_is_closed_when_the_login_has_ended() {
    let server = authorization_server::start();
    for target in [
        RIGHT,
        "/callback?error=access_denied&state=STATE&iss=ISSUER",
        "/callback?code=&state=STATE",
    ] {
        // a busy machine may delay one run, not each of them
        let mut times = Vec::new();
        for _ in 0..3 {
            let home = Home::new();
            let waiting = Waiting::start(&home, &server, &[]);
            let idle = TcpStream::connect(&waiting.authority).expect("a connection");
            waiting.get(target);
            times.push(time_until_closed(&waiting.authority));
            waiting.running.end();
            drop(idle);
        }
        let best = times.iter().min().expect("a time");
        assert!(*best < Duration::from_millis(100), "{target}: {times:?}");
    }
}

#[test]
fn a_signal_ends_the_wait_and_closes_everything() {
    let server = authorization_server::start();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let home = Home::new();
        let waiting = Waiting::start(&home, &server, &[]);
        let mut idle = TcpStream::connect(&waiting.authority).expect("a connection");
        waiting.running.signal(signal);
        let closed = time_until_closed(&waiting.authority);
        assert!(closed < Duration::from_secs(2), "{closed:?}");
        let finished = waiting.running.end().expect_code(code);
        assert!(finished.error().contains("interrupted"), "{finished:?}");
        let _ = idle.read_to_end(&mut Vec::new());
        assert_nothing_kept(&home);
    }
    assert_eq!(server.requests_to("/token").len(), 0);
}

#[test]
fn a_signal_during_an_exchange_ends_it_with_nothing_kept() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let home = Home::new();
        let (server, gate) = gated_server(json(200, &token_answer()));
        let waiting = Waiting::start(&home, &server, &[]);
        let browser = waiting.begin(RIGHT);
        server.wait_for("/token", 1);
        waiting.running.signal(signal);
        waiting.running.end().expect_code(code);
        assert!(![200].contains(&read_answer(browser).status));
        gate.open();
        assert_nothing_kept(&home);

        // and before anything was asked
        let server = LiteralServer::start();
        server.on("GET", "/.well-known/oauth-authorization-server", Reply::silence());
        let running = Running::start(&mut login(&home, &server, &[]));
        server.wait_for("/.well-known/oauth-authorization-server", 1);
        running.signal(signal);
        running.end().expect_code(code);
    }
}

#[test]
fn nobody_else_gets_the_port_while_it_waits() {
    let (home, server) = (Home::new(), authorization_server::start());
    let waiting = Waiting::start(&home, &server, &[]);
    let port = waiting.authority.rsplit_once(':').expect("a port").1;
    TcpListener::bind(&waiting.authority).expect_err("it is in use");
    TcpListener::bind(format!("0.0.0.0:{port}")).expect_err("it is in use");
    let socket =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).expect("a socket");
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true).expect("an option");
    rustix::net::sockopt::set_socket_reuseport(&socket, true).expect("an option");
    let address: std::net::SocketAddr = waiting.authority.parse().expect("an address");
    rustix::net::bind(&socket, &address).expect_err("it is in use");
    waiting.succeeds(&server);
}

#[test]
fn an_answer_for_another_login_is_not_taken() {
    let (home, server) = (Home::new(), authorization_server::start());
    let one = Waiting::start(&home, &server, &["--profile", "one"]);
    let other = Waiting::start(&home, &server, &["--profile", "other"]);
    let crossed = callback_url(&one.url, &one.issuer).replace(&one.authority, &other.authority);
    assert_eq!(callback::get_url(&crossed).expect("a page").status, 400);
    assert_eq!(
        callback::get_url(&callback_url(&other.url, &other.issuer))
            .expect("a page")
            .status,
        200
    );
    other.running.end().expect_code(0);
    one.succeeds_second(&server);
}

impl Waiting {
    /// As [`Waiting::succeeds`], where another login has sent a token request before.
    fn succeeds_second(self, server: &LiteralServer) {
        assert_eq!(self.get(RIGHT).status, 200);
        self.running.end().expect_code(0);
        let codes = server.requests_to("/token");
        assert!(
            codes
                .iter()
                .all(|request| value_of(&request.form(), "code") == Some(CODE))
        );
        assert_eq!(codes.len(), 2);
    }
}
