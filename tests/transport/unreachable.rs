//! Servers that are not there, say nothing, or break off: one request, never two.

use super::*;

#[test]
fn a_closed_port_is_told_as_refused() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = send(&post(&format!("http://{closed}/token"))).unwrap_err();
    assert!(matches!(error, TransportError::ConnectRefused { .. }), "{error:?}");
    refused_with(
        &error,
        ExitCode::Unreachable,
        &[&closed.to_string(), "refused the connection", "caused by: "],
    );
    assert!(!error.may_have_been_received());
}

#[test]
fn an_unknown_name_is_told_as_that() {
    // a label of 64 characters cannot exist, so no name server is asked
    let host = format!("{}.invalid", "a".repeat(64));
    let allowed = TransportSettings {
        allow_http: true,
        ..settings()
    };
    let error = send_with(allowed, &post(&format!("http://{host}/token?x=canary"))).unwrap_err();
    assert!(matches!(error, TransportError::Dns { .. }), "{error:?}");
    refused_with(
        &error,
        ExitCode::Unreachable,
        &[&format!("\"{host}\" cannot be resolved"), "--proxy"],
    );
    assert!(!error.may_have_been_received());
}

#[test]
#[cfg(target_os = "linux")]
fn a_host_that_accepts_nothing_is_told_as_that() {
    // a listener whose backlog is full drops further connection requests
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    rustix::net::listen(&full, 0).unwrap();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let socket = rustix::net::socket_with(
                rustix::net::AddressFamily::INET,
                rustix::net::SocketType::STREAM,
                rustix::net::SocketFlags::NONBLOCK,
                None,
            );
            let socket = socket.unwrap();
            let _ = rustix::net::connect(&socket, &address);
            socket
        })
        .collect();
    let started = Instant::now();
    let error = send_with(
        within(Duration::from_millis(600)),
        &post(&format!("http://{address}/token")),
    )
    .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(matches!(error, TransportError::ConnectTimeout { .. }), "{error:?}");
    refused_with(
        &error,
        ExitCode::Unreachable,
        &["did not accept a connection within 540 ms"],
    );
    assert!(!error.may_have_been_received());
    drop(waiting);
}

#[test]
fn silence_after_accepting_ends_at_the_deadline() {
    let server = LiteralServer::start();
    server.on("POST", "/token", Reply::silence()).expected();
    let started = Instant::now();
    let error = send_with(
        within(Duration::from_millis(400)),
        &post(&server.url("/token?x=canary")),
    )
    .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(
        matches!(
            error,
            TransportError::Timeout {
                after_sending: true,
                ..
            }
        ),
        "{error:?}"
    );
    refused_with(
        &error,
        ExitCode::Unreachable,
        &["within 400 ms", "--http-timeout", "/token"],
    );
    assert!(error.may_have_been_received());
}

#[test]
fn a_slow_drip_ends_at_the_deadline() {
    for (head, body) in [
        ("", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
            "{                                      ",
        ),
    ] {
        let server = LiteralServer::start();
        let drip = Reply::bytes(head).drip(body, Duration::from_millis(100));
        server.on("GET", "/metadata", drip).expected();
        let started = Instant::now();
        let error = send_with(within(Duration::from_millis(700)), &get(&server.url("/metadata"))).unwrap_err();
        let elapsed = started.elapsed();
        assert!(
            elapsed >= Duration::from_millis(700) && elapsed < Duration::from_secs(5),
            "{elapsed:?}"
        );
        refused_with(
            &error,
            ExitCode::Unreachable,
            &["did not finish its answer within 700 ms"],
        );
    }
}

#[test]
fn a_slow_answer_within_the_time_arrives() {
    let server = LiteralServer::start();
    server
        .on("POST", "/token", json(200, "{}").after(Duration::from_millis(300)))
        .expected();
    let response = send(&post(&server.url("/token"))).unwrap();
    assert!(response.elapsed >= Duration::from_millis(300), "{:?}", response.elapsed);
}

#[test]
fn a_request_is_never_sent_twice() {
    for reply in [
        Reply::nothing(),
        Reply::reset(),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Le").then_close(),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a").then_close(),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a").then_reset(),
        Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a").then_close(),
    ] {
        let server = LiteralServer::start();
        server.on("POST", "/token", reply).expected();
        let error = send(&post(&server.url("/token"))).unwrap_err();
        assert!(
            matches!(
                error,
                TransportError::ConnectionLost {
                    after_sending: true,
                    ..
                }
            ),
            "{error:?}"
        );
        refused_with(
            &error,
            ExitCode::Unreachable,
            &["/token was lost after the request was sent"],
        );
        assert!(error.may_have_been_received());
        assert_eq!((server.requests().len(), server.connections()), (1, 1));
    }
}

#[test]
fn a_connection_that_is_dropped_before_the_request_is_not_tried_again() {
    let server = LiteralServer::start();
    server.greet(Reply::reset());
    let error = send(&post(&server.url("/token"))).unwrap_err();
    refused_with(&error, ExitCode::Unreachable, &["was lost"]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_503_with_retry_after_is_an_answer_and_is_not_repeated() {
    let server = LiteralServer::start();
    server
        .on("POST", "/token", Reply::http(503, &["Retry-After: 0"], ""))
        .expected();
    assert_eq!(send(&post(&server.url("/token"))).unwrap().status, 503);
    assert_eq!(server.requests().len(), 1);
}
