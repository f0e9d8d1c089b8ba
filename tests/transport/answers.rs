//! Answers that are too large, encoded, or not HTTP.

use super::*;

#[test]
fn the_body_is_bounded_however_it_is_framed() {
    let mebibyte = 1024 * 1024;
    let spaces = |length: usize| " ".repeat(length);
    let fitting = LiteralServer::start();
    fitting.on("GET", "/", json(200, &spaces(mebibyte)));
    assert_eq!(send(&get(&fitting.url("/"))).unwrap().body.expose().len(), mebibyte);

    let chunk = format!("4000\r\n{}\r\n", spaces(0x4000));
    for reply in [
        json(200, &spaces(mebibyte + 1)),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n").endless(spaces(65_536)),
        Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").endless(chunk),
        Reply::bytes("HTTP/1.1 200 OK\r\n\r\n").endless(spaces(65_536)),
        Reply::bytes("HTTP/1.1 500 Oops\r\n\r\n").endless(spaces(65_536)),
    ] {
        let server = LiteralServer::start();
        server.on("GET", "/metadata", reply).expected();
        let error = send(&get(&server.url("/metadata?x=canary"))).unwrap_err();
        assert!(matches!(error, TransportError::BodyTooLarge { .. }), "{error:?}");
        refused_with(&error, ExitCode::Protocol, &["/metadata is larger than 1048576 bytes"]);
        assert!(error.may_have_been_received());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_body_of_100_mib_costs_no_memory() {
    const PEAK: &str = "VmHWM:";
    if let Ok(target) = std::env::var(TARGET) {
        send(&get(&target)).unwrap_err();
        let process_status = std::fs::read_to_string("/proc/self/status").unwrap();
        println!(
            "{}",
            process_status.lines().find(|line| line.starts_with(PEAK)).unwrap()
        );
        return;
    }
    let server = LiteralServer::start();
    let block = "x".repeat(1024 * 1024);
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 100 * block.len());
    server
        .on("GET", "/announced", Reply::bytes(announced).endless(block.clone()))
        .expected();
    server
        .on(
            "GET",
            "/endless",
            Reply::bytes("HTTP/1.1 200 OK\r\n\r\n").endless(block),
        )
        .expected();
    for path in ["/announced", "/endless"] {
        let output = run_again("answers::a_body_of_100_mib_costs_no_memory", &server.url(path), &[]);
        let peak = output.lines().find_map(|line| line.strip_prefix(PEAK)).unwrap();
        let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak_kib < 50 * 1024, "{path}: {peak_kib} KiB");
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn answered(headers: &[&str], body: &[u8]) -> Result<HttpResponse, TransportError> {
    let server = LiteralServer::start();
    server.on("GET", "/", Reply::http(200, headers, body)).expected();
    send(&get(&server.url("/")))
}

#[test]
fn an_empty_content_encoding_is_none() {
    for headers in [
        &["Content-Encoding:"][..],
        &["Content-Encoding: "],
        &["Content-Encoding: ,"],
        &["Content-Encoding: identity, "],
        &["Content-Encoding: Identity", "Content-Encoding:"],
    ] {
        assert_eq!(answered(headers, b"{}").unwrap().body.expose(), b"{}", "{headers:?}");
    }
}

#[test]
fn gzip_that_comes_all_the_same_is_decoded() {
    let body = gzip(b"{\"access_token\":\"t\"}");
    for header in [
        "Content-Encoding: gzip",
        "Content-Encoding: GZip",
        "Content-Encoding: x-gzip",
        "Content-Encoding: identity, gzip",
    ] {
        let response = answered(&[header], &body).unwrap();
        assert_eq!(response.body.expose(), b"{\"access_token\":\"t\"}", "{header}");
    }
    let two_members = [gzip(b"{\"a\":"), gzip(b"1}")].concat();
    assert_eq!(
        answered(&["Content-Encoding: gzip"], &two_members)
            .unwrap()
            .body
            .expose(),
        b"{\"a\":1}"
    );
    assert_eq!(answered(&["Content-Encoding: gzip"], b"").unwrap().body.expose(), b"");
}

#[test]
fn what_gzip_decodes_to_is_bounded_as_a_plain_body_is() {
    let mebibyte = 1024 * 1024;
    let fitting = answered(&["Content-Encoding: gzip"], &gzip(&vec![b' '; mebibyte])).unwrap();
    assert_eq!(fitting.body.expose().len(), mebibyte);
    for length in [mebibyte + 1, 200 * mebibyte] {
        let error = answered(&["Content-Encoding: gzip"], &gzip(&vec![b' '; length])).unwrap_err();
        assert!(matches!(error, TransportError::BodyTooLarge { .. }), "{error:?}");
        refused_with(&error, ExitCode::Protocol, &["is larger than 1048576 bytes"]);
    }
}

#[test]
fn a_body_that_cannot_be_decoded_is_an_answer_that_was_lost() {
    let whole = gzip(b"{\"access_token\":\"t\"}");
    for body in [
        &whole[..whole.len() - 4],
        b"{\"access_token\":\"t\"}",
        b"\x1f\x8b\x08\x00",
    ] {
        let error = answered(&["Content-Encoding: gzip"], body).unwrap_err();
        refused_with(
            &error,
            ExitCode::Unreachable,
            &["is not the gzip that its Content-Encoding announces"],
        );
        assert!(error.may_have_been_received() && error.answer_was_lost());
    }
    for header in [
        "Content-Encoding: br",
        "Content-Encoding: deflate",
        "Content-Encoding: gzip, gzip",
        "Content-Encoding: unheard-of",
    ] {
        let error = answered(&[header], &whole).unwrap_err();
        assert!(matches!(error, TransportError::Encoded { .. }), "{error:?}");
        refused_with(&error, ExitCode::Unreachable, &["is encoded as", "was not asked for"]);
        assert!(error.answer_was_lost());
    }
    let server = LiteralServer::start();
    let transfer = Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    server.on("GET", "/", transfer);
    assert!(matches!(
        send(&get(&server.url("/"))),
        Err(TransportError::Encoded { .. })
    ));
}

#[test]
fn folded_header_lines_and_spaces_after_names_are_replaced() {
    let server = LiteralServer::start();
    let answer = "HTTP/1.1 200 OK\r\nContent-Security-Policy: default-src 'self';\r\n\tframe-ancestors\r\n 'none'\r\n\
                  Content-Type : application/json\r\nContent-Length: 2\r\n\r\n{}";
    server.on("GET", "/", Reply::bytes(answer)).expected();
    let response = send(&get(&server.url("/"))).unwrap();
    assert_eq!(response.body.expose(), b"{}");
    assert_eq!(response.media_type().as_deref(), Some("application/json"));
    let policy = response.header("content-security-policy").unwrap();
    let words: Vec<&str> = policy.split_whitespace().collect();
    assert_eq!(words, ["default-src", "'self';", "frame-ancestors", "'none'"]);
    assert!(!policy.contains(['\r', '\n']), "{policy:?}");
}

#[test]
fn what_is_not_http_is_told_as_that() {
    let many_headers: String = (0..101).map(|number| format!("X-{number}: y\r\n")).collect();
    let long_header = format!("X: {}\r\n", "y".repeat(1024 * 1024));
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "<html>hello</html>\r\n\r\n".to_owned(),
        "{\"access_token\":\"canary\"}\r\n\r\n".to_owned(),
        "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        "HTTP/1.1 banana\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many_headers}Content-Length: 2\r\n\r\n{{}}"),
        format!("HTTP/1.1 200 OK\r\n{long_header}Content-Length: 2\r\n\r\n{{}}"),
    ] {
        let server = LiteralServer::start();
        server
            .on("GET", "/", Reply::bytes(answer.clone()).then_close())
            .expected();
        let error = send(&get(&server.url("/"))).unwrap_err();
        let shown: String = answer.chars().take(80).collect();
        assert!(
            matches!(error, TransportError::Malformed { .. }),
            "{shown:?}: {error:?}"
        );
        refused_with(
            &error,
            ExitCode::Unreachable,
            &["is not well-formed HTTP/1.1", "caused by: "],
        );
        assert!(error.may_have_been_received() && !error.answer_was_lost(), "{shown:?}");
    }
}

#[test]
fn what_follows_an_answer_belongs_to_no_other_request() {
    let server = LiteralServer::start();
    let first = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";
    let smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
    server.on("POST", "/token", Reply::bytes(format!("{first}{smuggled}")));
    server.on("GET", "/next", json(200, "next"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let transport = Transport::new(settings());
    let (token, next) = (post(&server.url("/token")), get(&server.url("/next")));
    let answer = runtime.block_on(transport.send(&token, &mut NoopObserver)).unwrap();
    assert_eq!(answer.body.expose(), b"first");
    let answer = runtime.block_on(transport.send(&next, &mut NoopObserver)).unwrap();
    assert_eq!(answer.body.expose(), b"next");
    assert_eq!(server.connections(), 2);
}
