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
        let mut command = login(&home, &server, &arguments);
        let finished = run(command.args(["--browser", &browser.command])).expect_code(2);
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
        "https://app.example.com/callback",
        "https://127.0.0.1:8443/callback",
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
    for word in ["--timeout", "--paste", "client_id"] {
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

#[test]
fn a_code_that_came_without_its_state_is_told_at_the_end() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "1500ms"]));
    let url = running.authorization_url();
    let answer = callback::get_url(&callback_url_with(&url, &[("code", CODE), ("state", "")])).expect("a page");
    assert_eq!(answer.status, 400);
    let finished = running.end().expect_code(7);
    assert!(
        finished.hints().contains("its state was missing or foreign"),
        "{finished:?}"
    );
    assert_eq!(server.requests_to("/token").len(), 0);
}

#[test]
fn a_foreign_callback_with_an_error_is_told_at_once_and_at_the_end() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "1500ms"]));
    let url = running.authorization_url();
    let foreign = |error: &str, description: &str| {
        let response = [
            ("error", error),
            ("error_description", description),
            ("state", "not-ours"),
        ];
        callback::get_url(&callback_url_with(&url, &response))
            .expect("a page")
            .status
    };
    assert_eq!(foreign("invalid_scope", "no such \u{1b}[31mscope"), 400);
    let told = running.line_with("invalid_scope");
    assert!(
        told.starts_with("warning: ") && told.contains("no such \\u{1b}[31mscope"),
        "{told}"
    );
    assert_eq!(foreign("access_denied", "a later one"), 400);
    let finished = running.end().expect_code(7);
    let hints = finished.hints();
    assert!(
        hints.contains("invalid_scope") && !hints.contains("access_denied"),
        "{hints}"
    );
    assert_eq!(finished.stderr.matches("a later one").count(), 0, "{finished:?}");
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
