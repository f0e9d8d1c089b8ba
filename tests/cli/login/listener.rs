//! Where the callback is listened for: `--redirect-uri`, `--port`, `--listen`,
//! and how long: `--timeout`.

use crate::support::authorization_server::{self, CODE, callback_url, callback_url_with, consent};
use crate::support::binary::Home;
use crate::support::callback::{self, Answer, BROWSER_NAVIGATION};
use crate::support::literal_server::value_of;
use crate::support::login::{MarkingBrowser, assert_nothing_kept, complete_seeing_url, listener_of, login, parameter};
use crate::support::outcome::run;
use crate::support::running::Running;
use std::net::{TcpListener, TcpStream};

/// A port that is free at this moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn the_first_free_port_of_a_list_is_taken() {
    let (home, server) = (Home::new(), authorization_server::start());
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let busy = (busy.local_addr().expect("its address").port(), busy);
    let free = free_port();
    let mut command = login(&home, &server, &["--port", &format!("{},{free}", busy.0)]);
    let (finished, url) = complete_seeing_url(&mut command, &server.origin());
    finished.expect_code(0);
    assert_eq!(
        parameter(&url, "redirect_uri"),
        format!("http://127.0.0.1:{free}/callback")
    );
    let form = server.only_request_to("/token").form();
    assert_eq!(
        value_of(&form, "redirect_uri"),
        Some(parameter(&url, "redirect_uri").as_str())
    );
}

#[test]
fn a_busy_port_is_named_before_the_browser_opens() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = MarkingBrowser::new(home.path());
    let listeners = [
        TcpListener::bind("127.0.0.1:0").expect("a port"),
        TcpListener::bind("127.0.0.1:0").expect("a port"),
    ];
    let ports = listeners
        .each_ref()
        .map(|listener| listener.local_addr().expect("its address").port().to_string());
    let uri = format!("http://127.0.0.1:{}/callback", ports[0]);
    let list = ports.join(",");
    for (arguments, named) in [
        (["--port", &ports[0]], &ports[..1]),
        (["--redirect-uri", &uri], &ports[..1]),
        (["--port", &list], &ports[..]),
    ] {
        let arguments = [&arguments[..], &["--browser", &browser.command]].concat();
        let finished = run(&mut login(&home, &server, &arguments)).expect_code(2);
        for port in named {
            assert!(finished.causes().contains(port), "{port}: {finished:?}");
        }
        assert!(finished.hints().contains("--port"), "{finished:?}");
        assert!(!finished.stdout.contains("http") && !browser.was_run());
        assert!(!finished.stderr.contains("/authorize?"), "{finished:?}");
    }
    assert_nothing_kept(&home);
}

#[test]
fn ports_that_contradict_are_refused() {
    let (home, server) = (Home::new(), authorization_server::start());
    for port in ["8081", "8081,8082", "8080,8081", "0"] {
        let arguments = ["--redirect-uri", "http://127.0.0.1:8080/callback", "--port", port];
        let finished = run(&mut login(&home, &server, &arguments)).expect_code(2);
        assert!(
            finished.error().contains("--port") && finished.error().contains("8080"),
            "{finished:?}"
        );
    }
    for bad in ["65536", "x", "1 2", ""] {
        run(&mut login(&home, &server, &["--port", bad]))
            .expect_code(2)
            .says(&["--port"]);
    }
    assert_eq!(server.requests().len(), 0);
    let port = free_port();
    let uri = format!("http://127.0.0.1:{port}/cb");
    let mut command = login(&home, &server, &["--redirect-uri", &uri, "--port", &port.to_string()]);
    let (finished, url) = complete_seeing_url(&mut command, &server.origin());
    finished.expect_code(0);
    assert_eq!(parameter(&url, "redirect_uri"), uri);
}

#[test]
fn the_redirect_uri_is_sent_as_it_was_given() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (first, second) = (free_port(), free_port());
    for (uri, sent) in [
        (format!("http://127.0.0.1:{first}"), None),
        (format!("http://127.0.0.1:{second}/a/b%2Fc?x=1"), None),
        ("http://127.0.0.1:0/a%2Fb/".to_owned(), Some("/a%2Fb/")),
        ("http://127.0.0.1:0".to_owned(), Some("")),
        ("http://127.0.0.1:0?a=%7e".to_owned(), Some("?a=%7e")),
        ("http://127.0.0.1:0/a/./b/../c".to_owned(), Some("/a/./b/../c")),
        ("http://127.0.0.1:0/{x}|^".to_owned(), Some("/{x}|^")),
    ] {
        let mut command = login(&home, &server, &["--redirect-uri", &uri]);
        let (finished, url) = complete_seeing_url(&mut command, &server.origin());
        finished.expect_code(0);
        let sent_uri = parameter(&url, "redirect_uri");
        match sent {
            None => assert_eq!(sent_uri, uri),
            Some(path) => assert_eq!(sent_uri, format!("http://{}{path}", listener_of(&url))),
        }
        let last = server.requests_to("/token").pop().expect("a token request");
        assert_eq!(value_of(&last.form(), "redirect_uri"), Some(sent_uri.as_str()));
    }
}

#[test]
fn localhost_is_listened_to_on_both_families() {
    let (home, server) = (Home::new(), authorization_server::start());
    for family in ["127.0.0.1", "[::1]"] {
        if family == "[::1]" && !has_ipv6() {
            continue;
        }
        let running = Running::start(&mut login(
            &home,
            &server,
            &["--redirect-uri", "http://localhost:0/callback"],
        ));
        let url = running.authorization_url();
        let authority = listener_of(&url);
        let port = authority.strip_prefix("localhost:").expect("localhost as the host");
        if !has_ipv6() {
            running.line_with("no IPv6 loopback address");
        } else {
            TcpStream::connect(format!("[::1]:{port}")).expect("a listener on ::1");
        }
        TcpStream::connect(format!("127.0.0.1:{port}")).expect("a listener on 127.0.0.1");
        let target = callback_url(&url, &server.origin());
        let target = callback::target(&url::Url::parse(&target).expect("a URL"));
        let host = format!("Host: {authority}");
        let mut headers = vec![host.as_str()];
        headers.extend(BROWSER_NAVIGATION);
        let page = callback::get(&format!("{family}:{port}"), &target, &headers).expect("a page");
        assert_eq!(page.status, 200, "{family}");
        running.end().expect_code(0);
    }
}

#[test]
fn localhost_with_one_family_busy_is_refused() {
    if !has_ipv6() {
        return;
    }
    let (home, server) = (Home::new(), authorization_server::start());
    let thief = TcpListener::bind("[::1]:0").expect("a port");
    let port = thief.local_addr().expect("its address").port();
    let uri = format!("http://localhost:{port}/callback");
    let finished = run(&mut login(&home, &server, &["--redirect-uri", &uri])).expect_code(2);
    assert!(finished.causes().contains(&port.to_string()), "{finished:?}");
    // the next port of a list will do
    let next = free_port();
    let arguments = [
        "--redirect-uri",
        "http://localhost:0/callback",
        "--port",
        &format!("{port},{next}"),
    ];
    let running = Running::start(&mut login(&home, &server, &arguments));
    assert_eq!(listener_of(&running.authorization_url()), format!("localhost:{next}"));
}

#[test]
fn the_ipv6_literal_works() {
    if !has_ipv6() {
        return;
    }
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(&home, &server, &["--redirect-uri", "http://[::1]:0/callback"]);
    let (finished, url) = complete_seeing_url(&mut command, &server.origin());
    finished.expect_code(0);
    assert!(parameter(&url, "redirect_uri").starts_with("http://[::1]:"), "{url}");
}

#[test]
fn what_cannot_be_listened_to_needs_pasting() {
    let (home, server) = (Home::new(), authorization_server::start());
    for uri in [
        "https://nowhere.invalid/callback",
        "https://192.0.2.1:8443/callback",
        "http://app.example.com/callback",
        "http://192.0.2.1:8080/callback",
        "http://0.0.0.0:0/callback",
        "com.example.app:/callback",
    ] {
        let finished = run(&mut login(&home, &server, &["--redirect-uri", uri])).expect_code(2);
        assert!(finished.stderr.contains("--redirect-uri"), "{uri}: {finished:?}");
        if uri.starts_with("http") {
            assert!(finished.hints().contains("--paste"), "{uri}: {finished:?}");
        }
    }
    for uri in ["/callback", "http://127.0.0.1/#part", "", "http://"] {
        run(&mut login(&home, &server, &["--redirect-uri", uri]))
            .expect_code(2)
            .says(&["--redirect-uri"]);
    }
    assert_eq!(server.requests().len(), 0);

    let uri = "https://app.example.com/callback";
    let mut running = Running::start_with_open_input(&mut login(&home, &server, &["--redirect-uri", uri, "--paste"]));
    let url = running.authorization_url();
    assert_eq!(parameter(&url, "redirect_uri"), uri);
    running.type_line(&callback_url(&url, &server.origin()));
    running.end().expect_code(0);
    let form = server.only_request_to("/token").form();
    assert_eq!(
        (value_of(&form, "redirect_uri"), value_of(&form, "code")),
        (Some(uri), Some(CODE))
    );
}

#[test]
fn listening_elsewhere_is_warned_of_and_changes_neither_uri_nor_host() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--listen", "0.0.0.0"]));
    let url = running.authorization_url();
    let redirect_uri = parameter(&url, "redirect_uri");
    assert!(redirect_uri.starts_with("http://127.0.0.1:"), "{redirect_uri}");
    let authority = listener_of(&url);
    let port = authority.rsplit_once(':').expect("a port").1;
    // 127.0.0.3 is another address of this machine, as a container's would be
    let ask = |host: &str| -> Answer {
        let target = callback::target(&url::Url::parse(&callback_url(&url, &server.origin())).expect("a URL"));
        callback::get(&format!("127.0.0.3:{port}"), &target, &[&format!("Host: {host}")]).expect("an answer")
    };
    for host in [
        format!("127.0.0.3:{port}"),
        "0.0.0.0".to_owned(),
        format!("0.0.0.0:{port}"),
    ] {
        assert_eq!(ask(&host).status, 421, "{host}");
    }
    assert_eq!(ask(&authority).status, 200);
    let finished = running.end().expect_code(0);
    assert!(finished.warnings().contains("0.0.0.0"), "{finished:?}");
}

#[test]
fn listening_on_another_loopback_address_needs_no_warning() {
    let (home, server) = (Home::new(), authorization_server::start());
    let (bound, advertised) = (free_port(), free_port());
    let listen = format!("127.0.0.3:{bound}");
    let arguments = ["--listen", &listen, "--port", &advertised.to_string()];
    let running = Running::start(&mut login(&home, &server, &arguments));
    let url = running.authorization_url();
    assert_eq!(listener_of(&url), format!("127.0.0.1:{advertised}"));
    let target = callback::target(&url::Url::parse(&callback_url(&url, &server.origin())).expect("a URL"));
    let host = format!("Host: 127.0.0.1:{advertised}");
    assert_eq!(callback::get(&listen, &target, &[&host]).expect("a page").status, 200);
    assert_eq!(running.end().expect_code(0).warnings(), "");
    for bad in ["localhost", "300.0.0.1", "127.0.0.1:99999", ""] {
        run(&mut login(&home, &server, &["--listen", bad]))
            .expect_code(2)
            .says(&["--listen"]);
    }
}

#[test]
fn nobody_comes_and_the_wait_ends() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "250ms"]));
    let authority = listener_of(&running.authorization_url());
    let finished = running.end().expect_code(7);
    let hints = finished.hints();
    for word in [
        "--timeout",
        "--paste",
        "client_id",
        "form-action",
        "--browser",
        "--port 8400",
        "--redirect-uri http://127.0.0.1:8400/callback",
    ] {
        assert!(hints.contains(word), "{word}: {hints}");
    }
    TcpStream::connect(authority).expect_err("the port is closed");
    assert_eq!(server.requests_to("/token").len(), 0);
    assert_nothing_kept(&home);
    for bad in ["5", "5x", "", "1.5h", "5 m"] {
        run(&mut login(&home, &server, &["--timeout", bad]))
            .expect_code(2)
            .says(&["--timeout"]);
    }
}

/// Each first of its kind is told at once, in words of our own.
/// As by Ctrl-Z: when it runs again the time is over, and the browser has been there.
#[test]
#[cfg(unix)]
fn a_callback_that_comes_while_the_process_is_stopped_is_taken() {
    use rustix::process::Signal;
    use std::io::Write;
    let timeout = std::time::Duration::from_millis(700);
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "700ms"]));
    let url = running.authorization_url();
    running.signal(Signal::STOP);
    let callback = url::Url::parse(&callback_url(&url, &server.origin())).expect("a URL");
    let authority = callback::authority(&callback);
    let mut browser = TcpStream::connect(&authority).expect("a connection");
    let request = callback::request("GET", &authority, &callback::target(&callback), &[], "");
    browser.write_all(request.as_bytes()).expect("a request");
    // not a wait for anything: how long it lasts is what is tried
    std::thread::sleep(timeout);
    running.signal(Signal::CONT);
    running.end().expect_code(0);
    let answer = callback::exchange(browser, b"").expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_callback_that_is_not_the_answer_is_told_at_once_and_at_the_end() {
    let server = authorization_server::start();
    // a callback of this server that can never be taken leaves nothing else to look for
    for (response, told) in [
        (&[("code", CODE), ("state", "")][..], "because it has no state"),
        (
            &[("code", CODE), ("state", "not-ours")],
            "its state is not the one that was sent",
        ),
        (
            &[("code", CODE), ("state", "a"), ("state", "b")],
            "its state is not the one that was sent",
        ),
        (&[], "in the fragment"),
        (
            &[("error", "login_required")],
            "without state reported `login_required`",
        ),
        (
            &[
                ("error", "invalid_scope"),
                ("error_description", "obey me"),
                ("error_uri", "https://evil.example"),
                ("state", "not-ours"),
            ],
            "another state reported `invalid_scope`",
        ),
        (
            &[
                ("error", "call_0800_evil"),
                ("error_description", "obey me"),
                ("state", "x"),
            ],
            "another state reported an error",
        ),
        (
            &[("error", "access_denied"), ("error", "obey me"), ("state", "x")],
            "another state reported an error",
        ),
        (&[("access_token", "obey me"), ("state", "x")], "no code and no error"),
    ] {
        let home = Home::new();
        let running = Running::start(&mut login(&home, &server, &["--timeout", "1500ms"]));
        let url = running.authorization_url();
        let callback = match response {
            [] => parameter(&url, "redirect_uri"),
            response => callback_url_with(&url, response),
        };
        for _ in 0..3 {
            assert_eq!(callback::get_url(&callback).expect("a page").status, 400);
        }
        let line = running.line_with("a callback");
        assert!(line.starts_with("warning: ") && line.contains(told), "{told}: {line}");
        let finished = running.end().expect_code(7);
        assert_eq!(finished.labelled("warning: ").len(), 1, "{told}: {finished:?}");
        let hints = finished.labelled("hint: ");
        assert!(hints[0].contains(told), "{told}: {hints:?}");
        let is_explained = !response
            .iter()
            .any(|(name, value)| *name == "state" && !value.is_empty());
        for other in [
            "not registered",
            "firewall",
            "--timeout",
            "form-action",
            "cannot be reached",
        ] {
            assert_eq!(finished.hints().contains(other), !is_explained, "{told}: {hints:?}");
        }
        for foreign in ["obey me", "evil", CODE] {
            finished.does_not_say(foreign);
        }
        assert_eq!(server.requests_to("/token").len(), 0);
    }
}

#[test]
fn of_foreign_callbacks_the_first_error_is_remembered() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "1500ms"]));
    let url = running.authorization_url();
    for response in [
        &[("code", CODE), ("state", "x")][..],
        &[("error", "invalid_scope"), ("state", "x")],
        &[("error", "access_denied"), ("state", "x")],
    ] {
        callback::get_url(&callback_url_with(&url, response)).expect("a page");
    }
    let finished = running.end().expect_code(7);
    let warnings = finished.labelled("warning: ");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let hints = finished.hints();
    assert!(
        hints.contains("reported `invalid_scope`") && !hints.contains("access_denied"),
        "{hints}"
    );
}

/// What the page calls "the terminal says": the first of each kind at once, the
/// last of them first among the hints.
#[test]
fn a_request_that_the_listener_refuses_is_told_at_once_and_at_the_end() {
    let server = authorization_server::start();
    let navigation = BROWSER_NAVIGATION.join("\r\n");
    let host = "Host: AUTHORITY\r\n";
    for (request, told) in [
        (
            "\x16\x03\x01\x02\x00\x01\x00\x01\x01\x03\x03".to_owned(),
            "it speaks TLS (https)",
        ),
        ("\0\0\0\0".to_owned(), "not HTTP"),
        (format!("GET /callback?code=c HTTP/1.1\n{host}\n"), "not valid HTTP/1.1"),
        (
            format!("GET /callback?code={} HTTP/1.1\r\n{host}\r\n", "x".repeat(17_000)),
            "longer than 16 KiB",
        ),
        (
            format!("GET /callback HTTP/1.1\r\n{host}Cookie: {}\r\n\r\n", "x".repeat(66_000)),
            "longer than 64 KiB",
        ),
        (
            format!("GET /callback HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(201)),
            "more than 200",
        ),
        (
            format!(
                "POST /callback HTTP/1.1\r\n{host}{navigation}\r\nOrigin: https://id.example\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\ncode=c"
            ),
            "log in with --response-mode form_post",
        ),
        (format!("PUT /callback HTTP/1.1\r\n{host}\r\n"), "its method"),
        (format!("GET /callback/?code=c HTTP/1.1\r\n{host}\r\n"), "its path"),
        ("GET /callback?code=c HTTP/1.1\r\n\r\n".to_owned(), "no Host"),
        (
            "GET /callback?code=c HTTP/1.1\r\nHost: localhost:1\r\n\r\n".to_owned(),
            "its Host is not the one of the redirect URI",
        ),
        (
            format!("GET /callback?code=c HTTP/1.1\r\n{host}Sec-Fetch-Mode: no-cors\r\n\r\n"),
            "a part of a web page (an image, a frame, a script) requested it",
        ),
        (
            format!("GET /callback?code=c HTTP/1.1\r\n{host}Origin: https://evil.example\r\n\r\n"),
            "a web page's script or form sent it",
        ),
        (
            format!("GET /callback?code=c HTTP/1.1\r\n{host}Content-Length: 1\r\n\r\na"),
            "a body where a callback has none",
        ),
    ] {
        let home = Home::new();
        let running = Running::start(&mut login(&home, &server, &["--timeout", "2s"]));
        let authority = listener_of(&running.authorization_url());
        for _ in 0..3 {
            let bytes = request.replace("AUTHORITY", &authority);
            let _closed_or_refused = callback::send_bytes(&authority, bytes.as_bytes());
        }
        let line = running.line_with("was ignored: ");
        assert!(line.starts_with("warning: ") && line.contains(told), "{told}: {line}");
        let finished = running.end().expect_code(7);
        assert_eq!(finished.labelled("warning: ").len(), 1, "{told}: {finished:?}");
        let hints = finished.labelled("hint: ");
        assert!(hints[0].contains(told), "{told}: {hints:?}");
        finished.does_not_say("evil");
    }
}

#[test]
fn an_upgrade_to_https_is_told_by_the_host_of_the_redirect_uri() {
    let (home, server) = (Home::new(), authorization_server::start());
    for (uri, told) in [
        (
            "http://localhost:0/callback",
            "the browser upgrades http://localhost to https: use 127.0.0.1 in the redirect URI, or paste the address",
        ),
        ("http://127.0.0.1:0/callback", "turn its HTTPS-only mode off"),
    ] {
        let arguments = ["--timeout", "1s", "--redirect-uri", uri];
        let running = Running::start(&mut login(&home, &server, &arguments));
        let authority = listener_of(&running.authorization_url()).replace("localhost", "127.0.0.1");
        let _closed = callback::send_bytes(&authority, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        let line = running.line_with("TLS");
        assert!(line.contains(told), "{line}");
        let finished = running.end().expect_code(7);
        let hints = finished.labelled("hint: ");
        assert!(hints.len() == 1 && hints[0].contains(told), "{hints:?}");
    }
}

#[test]
fn what_browsers_ask_for_on_their_own_is_told_to_nobody() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &[]));
    let url = running.authorization_url();
    for target in [
        "/favicon.ico",
        "/apple-touch-icon.png",
        "/.well-known/appspecific/com.chrome.devtools.json",
    ] {
        let page = callback::get(&listener_of(&url), target, &[]).expect("a page");
        assert_eq!(page.status, 404, "{target}");
    }
    consent(&url, &server.origin());
    assert_eq!(running.end().expect_code(0).warnings(), "");
}

/// attacks.md 16: neither a terminal nor a trace grows with what strangers send.
#[test]
fn a_thousand_strangers_are_a_line_for_each_kind_and_a_count() {
    let (home, server) = (Home::new(), authorization_server::start());
    let trace = home.path().join("trace.json");
    let mut command = login(&home, &server, &["-v"]);
    let running = Running::start(command.arg("--trace").arg(&trace));
    let url = running.authorization_url();
    let authority = listener_of(&url);
    for number in 0..300 {
        callback::get(&authority, &format!("/callback?code={number}&state=x"), &[]).expect("a page");
        callback::get(&authority, &format!("/x{number}"), &[]).expect("a page");
        callback::get(&authority, "/callback?code=c", &["Host: evil.example"]).expect("a page");
    }
    consent(&url, &server.origin());
    let finished = running.end().expect_code(0);
    let lines = finished
        .stderr
        .lines()
        .filter(|line| line.contains("ignored") || line.contains("refused"));
    assert_eq!(lines.count(), 6, "{finished:?}");
    finished.says(&["299 more of this kind: a callback with a code was ignored"]);
    let trace = std::fs::read_to_string(trace).expect("the trace");
    assert_eq!(trace.matches("\"callback_ignored\"").count(), 6);
    assert_eq!(trace.matches("\"callback_answered\"").count(), 2);
    assert!(!trace.contains("evil"));
}

#[test]
fn a_fixed_port_serves_one_login_after_the_other() {
    let (home, server) = (Home::new(), authorization_server::start());
    let port = free_port().to_string();
    for _ in 0..3 {
        let running = Running::start(&mut login(&home, &server, &["--port", &port]));
        let url = running.authorization_url();
        // a browser keeps its connections open
        let idle = TcpStream::connect(listener_of(&url)).expect("a connection");
        assert_eq!(consent(&url, &server.origin()).header("connection"), Some("close"));
        running.end().expect_code(0);
        drop(idle);
    }
}
