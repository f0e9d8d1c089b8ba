//! The streams of `/mcp` as they are on the wire: one that stays open, one
//! that breaks off.

use crate::support::development_server::{DevelopmentServer, authorize_target, parameter, redemption};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn token(server: &DevelopmentServer) -> String {
    let resource = format!("&resource=http://{}/mcp", server.authority);
    let answer = server.get(&authorize_target(&resource), &[]);
    let code = parameter(answer.header("location").expect("a redirect"), "code").expect("a code");
    let answer = server.post("/token", &[], &redemption(&code));
    let tokens: Value = serde_json::from_slice(&answer.body).expect("JSON");
    tokens["access_token"].as_str().expect("a token").to_owned()
}

/// Sends a request to `/mcp`; what comes back is read by the test.
fn send(server: &DevelopmentServer, method: &str, token: &str, headers: &str, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(&server.authority).expect("a connection");
    let request = format!(
        "{method} /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nAccept: application/json, text/event-stream\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        server.authority,
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sending");
    BufReader::new(stream)
}

/// The lines up to one that holds this.
fn read_to(reader: &mut BufReader<TcpStream>, part: &str) -> String {
    let mut read = String::new();
    while !read.contains(part) {
        let count = reader.read_line(&mut read).expect("a line");
        assert!(count > 0, "the stream ended: {read}");
    }
    read
}

fn session(server: &DevelopmentServer, token: &str) -> String {
    let body =
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;
    let mut answer = send(server, "POST", token, "", body);
    let head = read_to(&mut answer, "mcp-session-id: ");
    let line = head.lines().last().expect("a line");
    line.trim_start_matches("mcp-session-id: ").trim().to_owned()
}

#[test]
#[cfg(unix)]
fn an_open_stream_stays_until_the_server_ends_and_holds_up_nothing() {
    let mut server = DevelopmentServer::start(&["--approve", "auto"]);
    let token = token(&server);
    let headers = format!("MCP-Session-Id: {}\r\n", session(&server, &token));
    let mut stream = send(&server, "GET", &token, &headers, "");
    let head = read_to(&mut stream, "id: 1-0");
    assert!(head.contains("200 OK") && head.contains("text/event-stream"), "{head}");
    let status = server.end_by(rustix::process::Signal::TERM);
    assert_eq!(status.code(), Some(0));
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the end");
    assert!(rest.ends_with("0\r\n\r\n"), "the end of the chunks: {rest:?}");
}

#[test]
fn a_stream_that_is_to_break_sends_what_it_has_and_then_closes_in_the_middle() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let token = token(&server);
    let headers = format!("MCP-Session-Id: {}\r\n", session(&server, &token));
    let body = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"hello","arguments":{"delivery":"broken-stream"}}}"#;
    let mut stream = send(&server, "POST", &token, &headers, body);
    read_to(&mut stream, "id: 1-0");
    let mut rest = Vec::new();
    // Some systems say that it was reset.
    let _ = stream.read_to_end(&mut rest);
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(!rest.contains("\r\n0\r\n") && !rest.contains("Hello"), "{rest:?}");

    let resumed = format!("{headers}Last-Event-ID: 1-0\r\nConnection: close\r\n");
    let mut stream = send(&server, "GET", &token, &resumed, "");
    read_to(&mut stream, "Hello, demo!");
}
