//! The listener as a browser, a stranger and an attacker meet it: literal
//! bytes over sockets (the rows of hostile callbacks that are the listener's,
//! not the flow's). No HTTP library stands between the test and the wire.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use oauth::exit::{Diagnosis, ExitCode};
use oauth::protocol::redirect_uri::LoopbackAddress;
use oauth::user_agent::callback::{
    Arrival, Callback, ListenSettings, ListenerLimits, Loopback, LoopbackError, Page, Refusal,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Far above what anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listener on a runtime of its own, so that the test may block on sockets.
struct Listener {
    runtime: Runtime,
    loopback: Loopback,
    port: u16,
    refusals: Vec<Refusal>,
}

fn settings() -> ListenSettings {
    ListenSettings {
        host: LoopbackAddress::V4,
        name: None,
        certificate: None,
        ports: vec![0],
        listen: None,
        path: "/callback".to_owned(),
        accept_form_post: false,
        limits: ListenerLimits::default(),
    }
}

fn form_settings() -> ListenSettings {
    ListenSettings {
        accept_form_post: true,
        ..settings()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn try_bind(settings: &ListenSettings) -> Result<Loopback, LoopbackError> {
    // the listener lives as long as its runtime, and the test process is short
    Box::leak(Box::new(runtime())).block_on(Loopback::bind(settings))
}

impl Listener {
    fn open(settings: &ListenSettings) -> Listener {
        let runtime = runtime();
        let loopback = runtime.block_on(Loopback::bind(settings)).expect("a listener");
        Listener {
            port: loopback.port(),
            runtime,
            loopback,
            refusals: Vec::new(),
        }
    }

    fn connect(&self) -> TcpStream {
        connect((Ipv4Addr::LOCALHOST, self.port).into())
    }

    /// Sends the bytes, with every `PORT` replaced.
    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        // a refusal may come before the last byte is out
        let _reset = stream.write_all(&self.with_port(bytes));
        stream
    }

    fn with_port(&self, bytes: &[u8]) -> Vec<u8> {
        let port = self.port.to_string();
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(at) = rest.windows(4).position(|window| window == b"PORT") {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(port.as_bytes());
            rest = &rest[at + 4..];
        }
        out.extend_from_slice(rest);
        out
    }

    fn ask(&self, bytes: &[u8]) -> Answer {
        Answer::read(self.send(bytes))
    }

    fn get(&self, target: &str) -> TcpStream {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n").as_bytes())
    }

    fn next(&mut self) -> Arrival {
        let next = async { tokio::time::timeout(PATIENCE, self.loopback.next()).await };
        self.runtime.block_on(next).expect("an arrival").unwrap()
    }

    /// The next callback; notes the refusals before it.
    fn callback(&mut self) -> Callback {
        loop {
            match self.next() {
                Arrival::Callback(callback) => return callback,
                Arrival::Rejected(refusal) => self.refusals.push(refusal),
            }
        }
    }

    /// A right callback comes through and gets its page.
    fn still_waits(&mut self) {
        let browser = self.get("/callback?code=right&state=right");
        let callback = self.callback();
        assert_eq!(callback.parameters, "code=right&state=right");
        callback.respond(Page::Success);
        let answer = Answer::read(browser);
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("You are signed in"));
    }

    /// Closes, and ends the runtime at once, as the end of the process does.
    fn close(self) {
        self.runtime.block_on(self.loopback.close());
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

struct Answer {
    raw: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// Reads to the end of the connection.
    fn read(mut stream: TcpStream) -> Answer {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer, then the end");
        Answer::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Answer {
        let raw = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = raw
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {raw:?}"));
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap();
        let status = status_line.strip_prefix("HTTP/1.").unwrap()[2..5].parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status,
            headers,
            body: body.to_owned(),
            raw,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice");
        value
    }
}

#[test]
fn a_callback_is_held_until_its_verdict_and_gets_the_page_of_it() {
    for (page, status, words) in [
        (Page::Success, 200, "You are signed in"),
        (Page::Failure, 500, "The login failed"),
        (Page::Refused, 403, "Access was refused"),
        (Page::Ignored, 400, "not the response the login is waiting for"),
        (Page::AlreadyHandled, 409, "This login already has its response"),
    ] {
        let mut listener = Listener::open(&settings());
        let mut browser = listener.get("/callback?code=c&state=s");
        let callback = listener.callback();
        browser.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let early = browser.read(&mut [0; 1]).expect_err("nothing before the verdict");
        assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        browser.set_read_timeout(Some(PATIENCE)).unwrap();
        callback.respond(page);
        let answer = Answer::read(browser);
        assert_eq!(answer.status, status);
        assert!(answer.body.contains(words), "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("connection"), Some("close"));
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'; style-src 'sha256-",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
    }
}

#[test]
fn a_callback_without_a_verdict_is_told_that_the_login_failed() {
    let mut listener = Listener::open(&settings());
    let browser = listener.get("/callback?code=c");
    drop(listener.callback());
    assert_eq!(Answer::read(browser).status, 500);
}

#[test]
fn a_callback_before_anybody_asks_for_one_is_kept() {
    let mut listener = Listener::open(&settings());
    let browser = listener.get("/callback?code=early");
    // the answer to this one proves that the listener has seen the first
    assert_eq!(
        listener.ask(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n").status,
        404
    );
    let callback = listener.callback();
    assert_eq!(callback.parameters, "code=early");
    callback.respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
}

#[test]
fn replays_and_parallel_callbacks_get_the_page_that_says_so() {
    let mut listener = Listener::open(&settings());
    let first = listener.get("/callback?code=c&state=s");
    let callback = listener.callback();
    let replays: Vec<TcpStream> = (0..8).map(|_| listener.get("/callback?code=c&state=s")).collect();
    callback.respond(Page::Success);
    assert_eq!(Answer::read(first).status, 200);
    listener.close();
    for replay in replays {
        let answer = Answer::read(replay);
        assert_eq!(answer.status, 409);
        assert!(answer.body.contains("already has its response"));
    }
}

#[test]
fn the_page_survives_the_end_of_the_runtime() {
    for _ in 0..20 {
        let mut listener = Listener::open(&settings());
        let browser = listener.get("/callback?code=c&state=s");
        listener.callback().respond(Page::Success);
        listener.close();
        assert_eq!(Answer::read(browser).status, 200);
    }
}

#[test]
fn other_methods_are_refused_and_change_nothing() {
    let mut listener = Listener::open(&settings());
    for method in [
        "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND",
    ] {
        let answer = listener.ask(
            format!(
                "{method} /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: https://evil.example\r\n\
                 Access-Control-Request-Method: GET\r\nAccess-Control-Request-Private-Network: true\r\n\r\n"
            )
            .as_bytes(),
        );
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET"));
        assert!(!answer.raw.to_lowercase().contains("access-control-"), "{}", answer.raw);
    }
    assert_eq!(
        listener
            .ask(b"CONNECT 127.0.0.1:PORT HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n")
            .status,
        405
    );
    assert_eq!(
        listener
            .ask(b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n")
            .status,
        405
    );
    listener.still_waits();
    let expected = [[Refusal::UnrequestedFormPost].as_slice(), &[Refusal::Method; 10]].concat();
    assert_eq!(listener.refusals, expected);
}

#[test]
fn only_the_exact_path_is_the_callback() {
    let mut listener = Listener::open(&settings());
    let paths = [
        "/",
        "/favicon.ico",
        "/callback/",
        "/callback/x",
        "//callback",
        "/./callback",
        "/x/../callback",
        "/callback;a",
        "/%63allback",
        "/callback%2f",
        "/callback%00",
        "/CALLBACK",
        "/callbac",
        "/callbacks",
        "/.well-known/appspecific/com.chrome.devtools.json",
    ];
    for path in paths {
        let answer = Answer::read(listener.get(&format!("{path}?code=c&state=s")));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    listener.still_waits();
    let is_browser_file = |path: &&str| path.starts_with("/favicon") || path.starts_with("/.well-known");
    assert_eq!(listener.refusals.len(), paths.len());
    for (path, refusal) in paths.iter().zip(&listener.refusals) {
        // with a query they may be meant
        assert_eq!(*refusal, Refusal::Path, "{path}");
    }
    for path in paths.iter().filter(|path| is_browser_file(path)) {
        assert_eq!(Answer::read(listener.get(path)).status, 404);
    }
    listener.refusals.clear();
    listener.still_waits();
    assert_eq!(listener.refusals, [Refusal::BrowserFile; 2]);
}

#[test]
fn the_path_of_the_redirect_uri_is_compared_as_written() {
    let mut listener = Listener::open(&ListenSettings {
        path: "/a%20b/c".to_owned(),
        ..settings()
    });
    assert_eq!(Answer::read(listener.get("/a+b/c")).status, 404);
    let browser = listener.get("/a%20b/c?x");
    listener.callback().respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
}

#[test]
fn only_the_advertised_host_is_answered() {
    let mut listener = Listener::open(&settings());
    for (host, status) in [
        ("evil.example:PORT", 421),
        ("127.0.0.1.nip.io:PORT", 421),
        ("localhost:PORT", 421),
        ("[::1]:PORT", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1:1", 421),
        ("127.0.0.1:PORT:80", 421),
        ("127.0.0.1:0PORT", 421),
        ("127.1:PORT", 421),
        ("user@127.0.0.1:PORT", 400),
        ("127.0.0.1:PORT@evil.example", 400),
        ("", 400),
    ] {
        let request = format!("GET /callback?code=c&state=s HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(listener.ask(request.as_bytes()).status, status, "{host}");
    }
    for (request, status) in [
        ("GET /callback?code=c HTTP/1.1\r\n\r\n", 400),
        ("GET /callback?code=c HTTP/1.0\r\n\r\n", 400),
        (
            "GET /callback?code=c HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\n\r\n",
            400,
        ),
        (
            "GET /callback?code=c HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n",
            400,
        ),
    ] {
        assert_eq!(listener.ask(request.as_bytes()).status, status, "{request}");
    }
    listener.still_waits();
}

/// RFC 9112 §3.2.2: the authority of the target counts, and Host must be there once.
#[test]
fn an_absolute_target_is_taken_and_its_authority_compared_as_host_is() {
    let mut listener = Listener::open(&settings());
    for host in ["127.0.0.1:PORT", "proxy.example"] {
        let request = format!("GET http://127.0.0.1:PORT/callback?code=c HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let browser = listener.send(request.as_bytes());
        let callback = listener.callback();
        assert_eq!(callback.parameters, "code=c");
        callback.respond(Page::Success);
        assert_eq!(Answer::read(browser).status, 200);
    }
    for (target, fields, status) in [
        ("http://evil.example/callback?code=c", "Host: 127.0.0.1:PORT\r\n", 421),
        ("http://127.0.0.1/callback?code=c", "Host: 127.0.0.1:PORT\r\n", 421),
        ("http://localhost:PORT/callback?code=c", "Host: 127.0.0.1:PORT\r\n", 421),
        (
            "http://x@127.0.0.1:PORT/callback?code=c",
            "Host: 127.0.0.1:PORT\r\n",
            400,
        ),
        (
            "https://127.0.0.1:PORT/callback?code=c",
            "Host: 127.0.0.1:PORT\r\n",
            400,
        ),
        ("http://127.0.0.1:PORT/other?code=c", "Host: 127.0.0.1:PORT\r\n", 404),
        ("http://127.0.0.1:PORT/callback?code=c", "", 400),
        (
            "http://127.0.0.1:PORT/callback?code=c",
            "Host: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\n",
            400,
        ),
        (
            "http://127.0.0.1:PORT/callback?code=c",
            "Host: 127.0.0.1:PORT\r\nOrigin: https://evil.example\r\n",
            403,
        ),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{fields}\r\n");
        assert_eq!(listener.ask(request.as_bytes()).status, status, "{request}");
    }
    listener.still_waits();
}

#[test]
fn what_a_page_loads_as_a_part_of_itself_is_refused() {
    let mut listener = Listener::open(&settings());
    let ask = |listener: &Listener, fields: &str| {
        let request = format!("GET /callback?code=c&state=guess HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n{fields}\r\n");
        listener.ask(request.as_bytes()).status
    };
    for fields in [
        // <img>, <script>, fetch no-cors, fetch cors, <iframe>, <object>, another port of this host
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nOrigin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: object\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Mode: no-cors\r\n",
        "Sec-Fetch-Dest: document, image\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        assert_eq!(ask(&listener, fields), 403, "{fields}");
    }
    // the redirect of a real login, as Chromium sends it
    let browser = listener.send(
        b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: keep-alive\r\n\
          Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n\
          Referer: https://id.example/\r\nAccept: text/html\r\n\r\n",
    );
    listener.callback().respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
}

#[test]
fn a_thousand_connections_do_not_keep_the_callback_out() {
    let mut listener = Listener::open(&settings());
    for _ in 0..1000 {
        drop(listener.connect());
    }
    let kept: Vec<TcpStream> = (0..300).map(|_| listener.connect()).collect();
    listener.still_waits();
    drop(kept);
    listener.still_waits();
}

#[test]
fn a_callback_that_waits_before_a_hundred_others_is_read_before_they_push_it_out() {
    // its tasks run only while the test waits for an arrival: all connections come at once
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let loopback = runtime.block_on(Loopback::bind(&settings())).unwrap();
    let mut listener = Listener {
        port: loopback.port(),
        runtime,
        loopback,
        refusals: Vec::new(),
    };
    let browser = listener.get("/callback?code=right&state=right");
    let flood: Vec<TcpStream> = (0..100).map(|_| listener.connect()).collect();
    let callback = listener.callback();
    assert_eq!(callback.parameters, "code=right&state=right");
    callback.respond(Page::Success);
    listener.close();
    assert_eq!(Answer::read(browser).status, 200);
    drop(flood);
}

/// The listener accepts and reads only while the test lets it: everything is there at once.
#[test]
fn a_connection_with_unread_bytes_never_gives_way_to_a_newer_one() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let loopback = runtime.block_on(Loopback::bind(&settings())).unwrap();
    let mut listener = Listener {
        port: loopback.port(),
        runtime,
        loopback,
        refusals: Vec::new(),
    };
    // more than there may be at once, and fewer than the system keeps waiting: each with a request; the silent ones come between
    let mut browsers = Vec::new();
    let mut silent = Vec::new();
    for number in 0..80 {
        browsers.push(listener.get(&format!("/callback?code={number}")));
        if number % 2 == 0 {
            silent.push(listener.connect());
        }
    }
    let mut codes: Vec<u32> = (0..80)
        .map(|_| {
            let callback = listener.callback();
            let code = callback.parameters.strip_prefix("code=").unwrap().parse().unwrap();
            callback.respond(Page::Ignored);
            code
        })
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, Vec::from_iter(0..80));
    listener.close();
    for browser in browsers {
        assert_eq!(Answer::read(browser).status, 400);
    }
}

#[test]
fn silent_and_half_spoken_connections_do_not_keep_the_callback_out() {
    let mut listener = Listener::open(&settings());
    let silent: Vec<TcpStream> = (0..64).map(|_| listener.connect()).collect();
    listener.still_waits();
    let half: Vec<TcpStream> = (0..200).map(|_| listener.send(b"GET /callback?co")).collect();
    listener.still_waits();
    drop((silent, half));
}

#[test]
fn the_oldest_idle_connection_goes_first_and_a_held_one_never() {
    let mut listener = Listener::open(&settings());
    let browser = listener.get("/callback?code=c&state=s");
    let callback = listener.callback();
    let mut oldest = listener.connect();
    let idle: Vec<TcpStream> = (0..64).map(|_| listener.connect()).collect();
    let mut byte = [0; 1];
    match oldest.read(&mut byte) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("the oldest is still open: {other:?}"),
    }
    callback.respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
    drop(idle);
}

#[test]
fn who_does_not_send_the_head_in_time_is_cut_off() {
    let mut listener = Listener::open(&ListenSettings {
        limits: ListenerLimits {
            read: Duration::from_millis(300),
            ..ListenerLimits::default()
        },
        ..settings()
    });
    let mut silent = listener.connect();
    let mut dripping = listener.send(b"GET /callback HTTP/1.1\r\nX-");
    let mut drip = dripping.try_clone().unwrap();
    let dripper = std::thread::spawn(move || {
        let began = Instant::now();
        while drip.write_all(b"a").is_ok() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    // reading ends with the connection, at the latest when the test's patience does
    for stream in [&mut silent, &mut dripping] {
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
        let timed_out = |error: &std::io::Error| [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind());
        assert!(!ended.as_ref().is_err_and(timed_out), "{ended:?}");
    }
    dripper.join().unwrap();
    listener.still_waits();
}

#[test]
fn a_head_that_takes_its_time_within_the_limit_is_taken() {
    let mut listener = Listener::open(&ListenSettings {
        limits: ListenerLimits {
            read: PATIENCE,
            ..ListenerLimits::default()
        },
        ..settings()
    });
    let mut slow = listener.send(b"GET /callback?code=c HTTP/1.1\r\nHost: ");
    // the answer to this one proves that the listener has seen the first
    assert_eq!(Answer::read(listener.get("/")).status, 404);
    slow.write_all(&listener.with_port(b"127.0.0.1:PORT\r\n\r\n")).unwrap();
    listener.callback().respond(Page::Success);
    assert_eq!(Answer::read(slow).status, 200);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_whole() {
    let mut listener = Listener::open(&settings());
    let long = |length: usize| "a".repeat(length);
    let line = format!("GET /callback?error_description={} HTTP/1.1\r\n", long(1 << 20));
    let mut stream = listener.connect();
    stream
        .write_all(line.as_bytes())
        .expect("the rest is read too, or the answer would be lost in a reset");
    assert_eq!(Answer::read(stream).status, 414);
    let unending = format!("GET /callback?code={}", long(16 * 1024));
    assert_eq!(listener.ask(unending.as_bytes()).status, 414);
    let field = format!(
        "GET /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nCookie: {}\r\n\r\n",
        long(64 * 1024)
    );
    assert_eq!(listener.ask(field.as_bytes()).status, 431);
    let fields = format!(
        "GET /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n{}\r\n",
        "X: y\r\n".repeat(10_000)
    );
    assert_eq!(listener.ask(fields.as_bytes()).status, 431);
    let fields = format!(
        "GET /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n{}\r\n",
        "X: y\r\n".repeat(200)
    );
    assert_eq!(
        listener.ask(fields.as_bytes()).status,
        431,
        "201 fields in less than 64 KiB"
    );
    assert_eq!(
        listener
            .ask(b"GET /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 1073741824\r\n\r\n")
            .status,
        400
    );
    // and one that just fits
    let target = format!("/callback?code={}&state=s", long(15 * 1024));
    let browser = listener.get(&target);
    let callback = listener.callback();
    assert_eq!(callback.parameters.len(), target.len() - "/callback?".len());
    callback.respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
    listener.still_waits();
}

/// Browsers send the cookies of every program on another port of this host.
#[test]
fn many_cookies_and_fields_are_no_obstacle() {
    let mut listener = Listener::open(&settings());
    let cookies: String = (0..150)
        .map(|number| format!("Cookie: c{number}={}\r\n", "v".repeat(400)))
        .collect();
    assert!(cookies.len() > 60 * 1024 && cookies.len() < 64 * 1024);
    let fields = "X: y\r\n".repeat(199);
    let one_cookie = format!("Cookie: {}\r\n", "v".repeat(60 * 1024));
    for fields in [cookies, fields, one_cookie] {
        let browser =
            listener.send(format!("GET /callback?code=c HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n{fields}\r\n").as_bytes());
        let callback = listener.callback();
        assert_eq!(callback.parameters, "code=c");
        callback.respond(Page::Success);
        assert_eq!(Answer::read(browser).status, 200);
    }
}

#[test]
fn what_is_not_http_1_is_closed() {
    let mut listener = Listener::open(&settings());
    let client_hello = b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03";
    let junk: Vec<u8> = (0..=255).rev().collect();
    for bytes in [&client_hello[..], &junk, b"\r\n\r\n", b"\0\0\0\0"] {
        let mut answer = Vec::new();
        let _reset = listener.send(bytes).read_to_end(&mut answer);
        assert_eq!(answer, b"", "{}", bytes.escape_ascii());
    }
    listener.still_waits();
    let expected = [[Refusal::Tls].as_slice(), &[Refusal::NotHttp; 3]].concat();
    assert_eq!(listener.refusals, expected);
    for bytes in [
        &b"GET /callback\r\n"[..],
        b"GET /callback?code=c&state=s\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"GET /callback HTTP/3.0\r\n",
        b"GET  /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /call\x01back HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /callback?code=\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /callback?code=<script> HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /callback#state=s HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
    ] {
        assert_eq!(listener.ask(bytes).status, 400, "{}", bytes.escape_ascii());
    }
    listener.still_waits();
}

#[test]
fn what_two_parsers_would_read_differently_is_refused() {
    let mut listener = Listener::open(&form_settings());
    let head = "POST /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n";
    for (rest, status) in [
        ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG", 400),
        (
            "Transfer-Encoding: chunked\r\n\r\n6\r\nstate=\r\n0\r\nX-Trailer: y\r\n\r\n",
            400,
        ),
        ("Transfer-Encoding: gzip\r\n\r\n", 400),
        ("Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("Content-Length: +1\r\n\r\na", 400),
        ("Content-Length : 1\r\n\r\na", 400),
        ("X: a\r\n folded\r\n\r\n", 400),
        ("X: a\nContent-Length: 1\r\n\r\na", 400),
        ("X: a\rContent-Length: 1\r\n\r\na", 400),
        ("X: \0\r\n\r\n", 400),
        ("no colon\r\n\r\n", 400),
    ] {
        let answer = listener.ask(format!("{head}{rest}").as_bytes());
        assert_eq!(answer.status, status, "{rest:?}");
    }
    assert_eq!(
        listener.ask(b"GET /callback HTTP/1.1\nHost: 127.0.0.1:PORT\n\n").status,
        400
    );
    let head = "GET /callback?code=c HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n";
    for rest in [
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 1\r\n\r\na",
    ] {
        assert_eq!(listener.ask(format!("{head}{rest}").as_bytes()).status, 400, "{rest:?}");
    }
    listener.still_waits();
    assert_eq!(listener.refusals.len(), 16);
}

#[test]
fn expecting_100_continue_hangs_nobody() {
    let mut listener = Listener::open(&form_settings());
    let get = listener.send(b"GET /callback?x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nExpect: 100-continue\r\n\r\n");
    listener.callback().respond(Page::Ignored);
    assert_eq!(Answer::read(get).status, 400);
    let mut post = listener
        .send(b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n");
    let mut interim = [0; 25];
    post.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    post.write_all(b"code=c").unwrap();
    let callback = listener.callback();
    assert_eq!(callback.parameters, "code=c");
    callback.respond(Page::Success);
    assert_eq!(Answer::read(post).status, 200);
}

#[test]
fn parameters_arrive_as_sent_and_no_byte_of_them_comes_back() {
    let mut listener = Listener::open(&settings());
    let mut bodies = Vec::new();
    for query in [
        "code=%00&state=%0d%0aSet-Cookie:%20x",
        "%2573tate=canary&state=+%20%2B",
        "error=%3Cscript%3Ealert(canary)%3C/script%3E&error_description=%1b]0;canary%07&state=x",
        "code='canary'()[]{}|^`\\;$&x=javascript:canary()",
        "code=%c0%af%ff&code=canary&code",
        "",
        "?&&==&",
    ] {
        let browser = listener.get(&format!("/callback?{query}"));
        let callback = listener.callback();
        assert_eq!(callback.parameters, query);
        assert!(!format!("{callback:?}").contains("canary"));
        callback.respond(Page::Failure);
        let answer = Answer::read(browser);
        assert!(!answer.raw.contains("canary") && !answer.raw.contains("<script"));
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the page is the same for all");
    let stranger = listener.ask(b"GET /<b>canary?canary HTTP/1.1\r\nHost: canary\r\nX-Canary: canary\r\n\r\n");
    assert!(!stranger.raw.contains("canary"));
    listener.still_waits();
}

#[test]
fn a_form_post_is_a_callback_where_it_was_asked_for() {
    let mut listener = Listener::open(&form_settings());
    // as a browser posts it from the server's page; Origin is normal here
    let fields = "Host: 127.0.0.1:PORT\r\nOrigin: https://id.example\r\nSec-Fetch-Site: cross-site\r\n\
                  Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    for (target, content_type, form, parameters) in [
        (
            "/callback",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            "code=c&state=s",
            "code=c&state=s",
        ),
        (
            "/callback",
            "Content-Type: Application/X-WWW-form-urlencoded; charset=UTF-8\r\n",
            "a=%20+",
            "a=%20+",
        ),
        ("/callback", "", "code=c", "code=c"),
        ("/callback?code=q", "", "code=b", "code=q&code=b"),
        ("/callback?code=q", "", "", "code=q&"),
    ] {
        let length = form.len();
        let browser = listener.send(
            format!("POST {target} HTTP/1.1\r\n{fields}{content_type}Content-Length: {length}\r\n\r\n{form}")
                .as_bytes(),
        );
        let callback = listener.callback();
        assert_eq!(callback.parameters, parameters);
        callback.respond(Page::Success);
        assert_eq!(Answer::read(browser).status, 200);
    }
    let ask = |rest: &str| {
        let request = format!("POST /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n{rest}");
        listener.ask(request.as_bytes()).status
    };
    assert_eq!(
        ask("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
        415
    );
    assert_eq!(ask("Content-Type: text/plain\r\nContent-Length: 6\r\n\r\ncode=c"), 415);
    assert_eq!(ask("Content-Length: 1073741824\r\n\r\ncode="), 413);
    assert_eq!(ask(&format!("Content-Length: 16385\r\n\r\n{}", "a".repeat(16385))), 413);
    let invalid = [
        &b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 2\r\n\r\n"[..],
        b"\xff\xfe",
    ];
    assert_eq!(listener.ask(&invalid.concat()).status, 400);
    listener.still_waits();
}

#[test]
fn a_connection_serves_one_request() {
    let mut listener = Listener::open(&settings());
    let mut browser = listener.send(
        b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: keep-alive\r\n\r\n\
          GET /callback?code=c HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
    );
    let mut answers = String::new();
    browser.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    listener.still_waits();
}

#[test]
fn a_browser_that_left_does_not_stop_the_flow() {
    let mut listener = Listener::open(&settings());
    drop(listener.get("/callback?code=gone"));
    let callback = listener.callback();
    assert_eq!(callback.parameters, "code=gone");
    callback.respond(Page::Success);
    // and one that only stops sending still gets its page
    let half_open = listener.get("/callback?code=half");
    half_open.shutdown(Shutdown::Write).unwrap();
    let callback = listener.callback();
    // by now the listener has seen the end of what that one sends
    assert_eq!(Answer::read(listener.get("/")).status, 404);
    callback.respond(Page::Success);
    assert_eq!(Answer::read(half_open).status, 200);
    let began = Instant::now();
    listener.close();
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}

#[test]
fn closing_closes_the_port_and_waits_for_nobody_idle() {
    let mut listener = Listener::open(&settings());
    let idle: Vec<TcpStream> = (0..10).map(|_| listener.connect()).collect();
    let half = listener.send(b"GET /call");
    listener.still_waits();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.port));
    let began = Instant::now();
    listener.close();
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!(
        TcpStream::connect(address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    drop((idle, half));
}

#[test]
fn closing_closes_the_port_at_once_and_waits_for_pages_for_a_bounded_time() {
    let drain = Duration::from_millis(500);
    let mut listener = Listener::open(&ListenSettings {
        limits: ListenerLimits {
            drain,
            read: PATIENCE,
            ..ListenerLimits::default()
        },
        ..form_settings()
    });
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.port));
    // a form that never comes whole
    let endless = listener.send(b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 9\r\n\r\ncode=");
    listener.still_waits();
    let began = Instant::now();
    let closed_at = std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            while TcpStream::connect(address).is_ok() && began.elapsed() < PATIENCE {
                std::thread::yield_now();
            }
            began.elapsed()
        });
        listener.close();
        watcher.join().unwrap()
    });
    let took = began.elapsed();
    // not before its time, nor as late as the form might come; the port is closed before
    assert!(took >= drain && took < PATIENCE, "{took:?}");
    assert!(closed_at < took, "{closed_at:?} of {took:?}");
    drop(endless);
}

#[test]
fn dropping_closes_the_port_even_if_the_runtime_never_runs_again() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let loopback = runtime.block_on(Loopback::bind(&settings())).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, loopback.port()));
    drop(TcpStream::connect(address).expect("open before"));
    drop(loopback);
    assert_eq!(
        TcpStream::connect(address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
}

#[test]
fn a_fixed_port_serves_one_login_after_the_other() {
    let mut listener = Listener::open(&settings());
    let port = listener.port;
    let mut pooled = listener.get("/callback?code=c");
    listener.callback().respond(Page::Success);
    listener.close();
    let mut page = String::new();
    pooled.read_to_string(&mut page).unwrap();
    let mut second = Listener::open(&ListenSettings {
        ports: vec![port],
        ..settings()
    });
    assert_eq!(second.port, port);
    // the socket of the first login is dead, not served by the second
    let _broken_pipe = pooled.write_all(b"GET /callback?code=old HTTP/1.1\r\n\r\n");
    assert!(matches!(pooled.read(&mut [0; 1]), Ok(0) | Err(_)));
    second.still_waits();
}

#[test]
fn nobody_shares_our_port() {
    let listener = Listener::open(&settings());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.port));
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, listener.port));
    for address in [address, any] {
        assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.set_reuseport(true).unwrap();
        let shared = socket.bind(address).and_then(|()| {
            let _runtime = listener.runtime.enter();
            socket.listen(1).map(|_| ())
        });
        assert_eq!(shared.unwrap_err().kind(), ErrorKind::AddrInUse, "{address}");
    }
}

/// Containers often have no IPv6; what must hold there is tested there.
fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

#[test]
fn without_ipv6_localhost_is_the_other_address_with_a_note() {
    if has_ipv6() {
        // again, in a network of its own that has none; where that is not permitted, not at all
        let in_a_network_of_its_own = "ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || exit 77; \
                                       exec \"$0\" --exact without_ipv6_localhost_is_the_other_address_with_a_note";
        let alone = std::process::Command::new("unshare")
            .args(["--map-root-user", "--net", "sh", "-c", in_a_network_of_its_own])
            .arg(std::env::current_exe().unwrap())
            .output();
        let permitted = alone
            .as_ref()
            .is_ok_and(|run| run.stdout.starts_with(b"\nrunning 1 test"));
        assert!(!permitted || alone.unwrap().status.success());
        return;
    }
    let listener = Listener::open(&ListenSettings {
        host: LoopbackAddress::Localhost,
        ..settings()
    });
    let notes = listener.loopback.notes();
    assert!(
        notes.len() == 1 && notes[0].contains("no IPv6") && notes[0].contains("127.0.0.1"),
        "{notes:?}"
    );
    let request = b"GET /callback?x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n";
    assert_eq!(listener.ask(request).status, 421, "the redirect URI says localhost");
    // asked for by name, the other address is not a substitute
    let error = try_bind(&ListenSettings {
        host: LoopbackAddress::V6,
        ..settings()
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot listen on ::1: this machine does not have that address"
    );
    assert_eq!(error.exit_code(), ExitCode::Usage);
}

#[test]
fn it_listens_on_loopback_alone() {
    let listener = Listener::open(&ListenSettings {
        host: LoopbackAddress::Localhost,
        ..settings()
    });
    let port = format!(":{:04X}", listener.port);
    let listening_on: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| sockets(table))
        .filter(|(address, state)| address.ends_with(&port) && state == "0A")
        .map(|(address, _)| address)
        .collect();
    let mut expected = vec![format!("0100007F{port}")];
    if has_ipv6() {
        expected.push(format!("00000000000000000000000001000000{port}"));
    }
    assert_eq!(listening_on, expected);
}

/// Local address and state of each socket, as the kernel writes them.
fn sockets(table: &str) -> Vec<(String, String)> {
    let table = std::fs::read_to_string(table).unwrap_or_default();
    let columns = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    columns
        .map(|columns| (columns[1].to_owned(), columns[3].to_owned()))
        .collect()
}

#[test]
fn a_busy_port_is_an_error_that_names_it_or_leads_to_the_next() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let only = ListenSettings {
        ports: vec![port],
        ..settings()
    };
    let error = try_bind(&only).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on 127.0.0.1: port {port} is in use")
    );
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert!(error.hints().iter().any(|hint| hint.contains("--port")));
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let list = ListenSettings {
        ports: vec![port, free],
        ..settings()
    };
    assert_eq!(try_bind(&list).unwrap().port(), free);
}

#[test]
fn localhost_means_both_addresses_on_one_port_or_none() {
    if !has_ipv6() {
        return;
    }
    let mut listener = Listener::open(&ListenSettings {
        host: LoopbackAddress::Localhost,
        ..settings()
    });
    assert_eq!(listener.loopback.host(), LoopbackAddress::Localhost);
    assert_eq!(listener.loopback.notes(), Vec::<String>::new());
    assert_eq!(listener.loopback.warning(), None);
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let mut browser = connect((address, listener.port).into());
        let request = listener.with_port(b"GET /callback?x HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n");
        browser.write_all(&request).unwrap();
        listener.callback().respond(Page::Success);
        assert_eq!(Answer::read(browser).status, 200);
    }
    assert_eq!(
        listener
            .ask(b"GET /callback?x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n")
            .status,
        421
    );
    // somebody else holds ::1 on the port that we want
    let stranger = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let taken = stranger.local_addr().unwrap().port();
    let only = ListenSettings {
        host: LoopbackAddress::Localhost,
        ports: vec![taken],
        ..settings()
    };
    let error = try_bind(&only).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on localhost (127.0.0.1 and ::1): port {taken} is in use")
    );
    // 127.0.0.1 was given back
    TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).unwrap();
    let any = ListenSettings {
        ports: vec![taken, 0],
        ..only
    };
    assert_ne!(try_bind(&any).unwrap().port(), taken);
}

#[test]
fn the_ipv6_address_can_be_the_redirect_host() {
    if !has_ipv6() {
        return;
    }
    let mut listener = Listener::open(&ListenSettings {
        host: LoopbackAddress::V6,
        ..settings()
    });
    let mut browser = connect((Ipv6Addr::LOCALHOST, listener.port).into());
    let request = listener.with_port(b"GET /callback?x HTTP/1.1\r\nHost: [::1]:PORT\r\n\r\n");
    browser.write_all(&request).unwrap();
    listener.callback().respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
}

#[test]
fn the_bound_address_may_differ_from_the_advertised_one() {
    let elsewhere = Ipv4Addr::new(127, 0, 0, 2);
    let mut listener = Listener::open(&ListenSettings {
        ports: vec![8080],
        listen: Some((elsewhere.into(), Some(0))),
        ..settings()
    });
    assert_eq!(listener.port, 8080);
    assert_eq!(listener.loopback.notes(), Vec::<String>::new());
    assert_eq!(listener.loopback.warning(), None);
    let listening = sockets("/proc/net/tcp").into_iter().filter(|(_, state)| state == "0A");
    let bound: Vec<u16> = listening
        .filter_map(|(address, _)| u16::from_str_radix(address.strip_prefix("0200007F:")?, 16).ok())
        .collect();
    let [bound] = bound[..] else {
        panic!("one socket on 127.0.0.2: {bound:?}");
    };
    let mut browser = connect((elsewhere, bound).into());
    browser
        .write_all(b"GET /callback?x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n")
        .unwrap();
    listener.callback().respond(Page::Success);
    assert_eq!(Answer::read(browser).status, 200);
}

#[test]
fn listening_beyond_loopback_is_said_and_the_host_still_checked() {
    let mut listener = Listener::open(&ListenSettings {
        listen: Some((Ipv4Addr::UNSPECIFIED.into(), None)),
        ..settings()
    });
    let warning = listener.loopback.warning().expect("a warning").to_owned();
    assert!(
        warning.contains("0.0.0.0") && warning.contains("other machines"),
        "{warning}"
    );
    assert_eq!(
        listener
            .ask(b"GET /callback HTTP/1.1\r\nHost: 192.0.2.1:PORT\r\n\r\n")
            .status,
        421
    );
    listener.still_waits();
    let error = try_bind(&ListenSettings {
        listen: Some(("192.0.2.1".parse().unwrap(), None)),
        ..settings()
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot listen on 192.0.2.1: this machine does not have that address"
    );
    assert_eq!(error.exit_code(), ExitCode::Usage);
}
