//! What goes over the wire, once, and what the observer sees of it.

use super::*;

#[test]
fn a_form_goes_out_as_rfc_6749_says_and_nothing_else_goes_with_it() {
    let server = LiteralServer::start();
    server
        .on("POST", "/token", json(200, r#"{"access_token":"t"}"#))
        .expected();

    let mut body = Params::new();
    body.push("code", "a+b/c=&d");
    body.push("resource", "https://api.example.com/ü");
    let mut request = HttpRequest::post(url(&server.url("/token?tenant=x")), body);
    let credentials = Secret::from("czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    let basic = HeaderValue::Credentials {
        scheme: "Basic",
        credentials,
    };
    request.push_header("authorization", basic);
    let response = send(&request).unwrap();

    let received = server.only_request_to("/token");
    assert_eq!(received.target, "/token?tenant=x");
    assert_eq!(
        received.body_text(),
        "code=a%2Bb%2Fc%3D%26d&resource=https%3A%2F%2Fapi.example.com%2F%C3%BC"
    );
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    ];
    assert_eq!(received.header_names(), expected);
    assert_eq!(received.header("accept"), Some("application/json"));
    assert_eq!(
        received.header("authorization"),
        Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
    );
    assert_eq!(
        received.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        received.header("host"),
        Some(format!("127.0.0.1:{}", server.port()).as_str())
    );
    let user_agent = concat!("oauth/", env!("CARGO_PKG_VERSION"));
    assert_eq!(received.header("user-agent"), Some(user_agent));
    // what the trace will show is what was sent
    for (name, value) in request.all_headers() {
        assert_eq!(
            received.header(name.as_str()),
            Some(value.expose().expose().as_str()),
            "{name}"
        );
    }

    assert_eq!(response.status, 200);
    assert_eq!(response.body.expose(), br#"{"access_token":"t"}"#);
    assert_eq!(response.media_type().as_deref(), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
}

#[test]
fn a_get_asks_for_json_and_no_compression() {
    let server = LiteralServer::start();
    server.on("GET", "/metadata", json(200, "{}")).expected();
    send(&get(&server.url("/metadata"))).unwrap();
    let received = server.only_request_to("/metadata");
    assert_eq!(
        received.header_names(),
        ["accept", "accept-encoding", "host", "user-agent"]
    );
    assert!(received.body.is_empty());
}

#[test]
fn a_cookie_is_not_sent_back() {
    let server = LiteralServer::start();
    let with_cookie = Reply::http(
        200,
        &["Set-Cookie: session=canary; Path=/", "Content-Type: application/json"],
        "{}",
    );
    server.on("POST", "/token", with_cookie).expected();
    let transport = Transport::new(settings());
    send_over(&transport, &post(&server.url("/token")), &mut NoopObserver).unwrap();
    send_over(&transport, &post(&server.url("/token")), &mut NoopObserver).unwrap();
    let received = server.requests_to("/token");
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].header("cookie"), None);
}

#[test]
fn connections_are_not_reused() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, "{}")).expected();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let transport = Transport::new(settings());
    for _ in 0..3 {
        runtime
            .block_on(transport.send(&post(&server.url("/token")), &mut NoopObserver))
            .unwrap();
    }
    let connections: Vec<usize> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}

#[test]
fn a_redirect_is_an_answer_and_its_target_is_never_asked() {
    for code in [301, 302, 303, 307, 308] {
        let server = LiteralServer::start();
        let target = LiteralServer::start();
        server
            .on("POST", "/token", redirect(code, &target.url("/steal")))
            .expected();
        server
            .on("GET", "/metadata", redirect(code, &target.url("/steal")))
            .expected();
        let response = send(&post(&server.url("/token"))).unwrap();
        assert_eq!(response.status, code);
        assert_eq!(response.header("location"), Some(target.url("/steal").as_str()));
        assert_eq!(send(&get(&server.url("/metadata"))).unwrap().status, code);
        assert_eq!(target.connections(), 0);
    }
}

#[test]
fn every_status_is_an_answer() {
    for code in [201, 204, 304, 400, 401, 404, 429, 500, 503] {
        let server = LiteralServer::start();
        server.on("POST", "/token", status(code)).expected();
        assert_eq!(send(&post(&server.url("/token"))).unwrap().status, code);
    }
}

#[test]
fn an_interim_answer_is_skipped() {
    let server = LiteralServer::start();
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    server.on(
        "POST",
        "/token",
        Reply::bytes(format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{{}}")),
    );
    assert_eq!(send(&post(&server.url("/token"))).unwrap().body.expose(), b"{}");
}

#[test]
fn all_framings_of_http_1_arrive_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\nTrailer: t\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":1}",
        "HTTP/1.0 200 OK\r\n\r\n{\"a\":1}",
        "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    ] {
        let server = LiteralServer::start();
        server.on("GET", "/", Reply::bytes(answer).then_close());
        assert_eq!(
            send(&get(&server.url("/"))).unwrap().body.expose(),
            b"{\"a\":1}",
            "{answer}"
        );
    }
}

/// Writes one line an event.
#[derive(Default)]
struct Recorder(Vec<String>);

impl Observer for Recorder {
    fn observe(&mut self, event: &Event<'_>) {
        self.0.push(match event {
            Event::RequestSent(request) => format!("sent {}", request.method.as_str()),
            Event::ResponseReceived { request, response } => {
                format!("received {} for {}", response.status, request.method.as_str())
            }
            Event::RequestFailed { request, reason } => format!("{} failed: {reason}", request.method.as_str()),
            other => format!("{other:?}"),
        });
    }
}

#[test]
fn the_observer_sees_request_and_answer_or_failure() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(400, "{}"));
    server.on("GET", "/gone", Reply::nothing());
    let transport = Transport::new(settings());
    let mut recorder = Recorder::default();

    let _ = send_over(&transport, &post(&server.url("/token")), &mut recorder);
    assert_eq!(std::mem::take(&mut recorder.0), ["sent POST", "received 400 for POST"]);

    let error = send_over(&transport, &get(&server.url("/gone?code=canary")), &mut recorder).unwrap_err();
    assert_eq!(
        std::mem::take(&mut recorder.0),
        ["sent GET".to_owned(), format!("GET failed: {error}")]
    );
    told(&error);

    // refused here: nothing was sent
    let _ = send_over(&transport, &get("http://id.example.com/"), &mut recorder);
    assert!(recorder.0.is_empty(), "{:?}", recorder.0);
}

#[test]
fn an_answer_can_wait_for_the_test() {
    let server = LiteralServer::start();
    let gate = Gate::new();
    server
        .on("POST", "/token", json(200, "{}").after_gate(&gate))
        .expected();
    let target = server.url("/token");
    let client = std::thread::spawn(move || send(&post(&target)).map(|response| response.status));
    server.wait_for("/token", 1);
    assert!(!client.is_finished());
    gate.open();
    assert!(gate.wait(PATIENCE));
    assert_eq!(client.join().unwrap().unwrap(), 200);
}
