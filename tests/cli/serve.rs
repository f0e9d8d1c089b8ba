//! `oauth serve` as a strict client sees it, by literal bytes: what the shell
//! around the pure server does with sockets, limits, signals and faults.

use crate::support::binary::Home;
use crate::support::callback::send_bytes;
use crate::support::development_server::{
    CALLBACK, CHALLENGE, DevelopmentServer, VERIFIER, authorize_target, parameter, redemption,
};
use crate::support::outcome::run;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Barrier;
use std::time::{Duration, Instant};

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[test]
fn stdout_is_the_issuer_and_nothing_else() {
    let server = DevelopmentServer::start(&[]);
    assert_eq!(server.announcement, format!("http://127.0.0.1:{}\n", server.port()));
    assert_eq!(server.get("/.well-known/oauth-authorization-server", &[]).status, 200);
}

#[test]
fn with_json_stdout_names_clients_users_and_endpoints() {
    let server = DevelopmentServer::start(&["--json", "--user", "ada:lovelace", "--client", "app"]);
    let object = json(server.announcement.as_bytes());
    assert_eq!(object["issuer"], server.issuer());
    assert_eq!(object["clients"][0]["client_id"], "app");
    assert_eq!(object["users"], serde_json::json!(["ada"]));
    assert_eq!(
        object["endpoints"]["token_endpoint"],
        format!("{}/token", server.issuer())
    );
    assert!(!server.announcement.contains("lovelace"));
}

#[test]
fn a_busy_port_is_exit_2_with_a_way_out() {
    let occupied = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = occupied.local_addr().expect("its address").port().to_string();
    let output = Home::new()
        .oauth()
        .args(["serve", "--port", &port])
        .output()
        .expect("a run");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains(&port) && stderr.contains("hint: Use any free port: add --port 0"),
        "{stderr}"
    );
}

#[test]
fn settings_that_cannot_be_are_exit_2() {
    for arguments in [
        &["--fail", "tokn=500"][..],
        &["--fail", "token=99"],
        &["--user", "demo"],
        &["--redirect-uri", "/callback"],
        &["--client", "app:/no/such/file"],
        &["--approve", "maybe"],
        &["--code-ttl", "60"],
        &["--break", "anything"],
    ] {
        let output = Home::new()
            .oauth()
            .args(["serve", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("a run");
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{arguments:?}"
        );
    }
}

#[test]
#[cfg(unix)]
fn every_signal_ends_it_with_0_and_frees_the_port() {
    use rustix::process::Signal;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut server = DevelopmentServer::start(&[]);
        // Neither a silent connection nor one that is kept alive holds it up.
        let _silent = TcpStream::connect(&server.authority).expect("a connection");
        let mut kept = TcpStream::connect(&server.authority).expect("a connection");
        let request = format!("GET /userinfo HTTP/1.1\r\nHost: {}\r\n\r\n", server.authority);
        kept.write_all(request.as_bytes()).expect("sending");
        kept.read_exact(&mut [0; 12]).expect("the status line");
        let start = Instant::now();
        let status = server.end_by(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{signal:?} took {:?}",
            start.elapsed()
        );
        assert!(TcpStream::connect(&server.authority).is_err());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn only_the_loopback_interface_is_listened_on() {
    let server = DevelopmentServer::start(&[]);
    let port = format!(":{:04X}", server.port());
    let listeners = |file: &str| -> Vec<String> {
        let table = std::fs::read_to_string(file).unwrap_or_default();
        let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        // State 0A is LISTEN.
        rows.filter(|row| row.len() > 3 && row[3] == "0A" && row[1].ends_with(&port))
            .map(|row| row[1].to_owned())
            .collect()
    };
    assert_eq!(listeners("/proc/net/tcp"), [format!("0100007F{port}")]);
    assert!(listeners("/proc/net/tcp6").is_empty());
    assert!(TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, server.port())).is_err());
}

#[test]
fn requests_for_other_hosts_are_misdirected() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let port = server.port();
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
    ] {
        assert_eq!(server.get("/jwks", &[&format!("Host: {host}")]).status, 200, "{host}");
    }
    for host in [
        format!("evil.test:{port}"),
        "127.0.0.1".into(),
        format!("127.0.0.1.nip.io:{port}"),
        String::new(),
    ] {
        for target in ["/jwks", &authorize_target(""), "/nowhere"] {
            let answer = server.get(target, &[&format!("Host: {host}")]);
            assert_eq!(answer.status, 421, "{host} {target}");
        }
    }
    server.wait_for_log(&["GET /authorize 421", "evil.test"]);
    let own = format!("Host: {}", server.authority);
    for (request, status) in [
        (
            format!("GET /jwks HTTP/1.1\r\n{own}\r\n{own}\r\nConnection: close\r\n\r\n"),
            421,
        ),
        ("GET /jwks HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), 421),
        ("GET /jwks HTTP/1.0\r\n\r\n".to_owned(), 421),
        (
            format!("GET http://evil.test/jwks HTTP/1.1\r\n{own}\r\nConnection: close\r\n\r\n"),
            400,
        ),
        (
            format!("CONNECT evil.test:443 HTTP/1.1\r\n{own}\r\nConnection: close\r\n\r\n"),
            400,
        ),
        (format!("OPTIONS * HTTP/1.1\r\n{own}\r\nConnection: close\r\n\r\n"), 404),
    ] {
        let answer = send_bytes(&server.authority, request.as_bytes()).expect("an answer");
        assert_eq!(answer.status, status, "{request}");
    }
}

#[test]
fn with_cors_a_browser_application_gets_its_tokens_and_without_it_the_log_names_the_flag() {
    let spa = "Origin: http://localhost:5173";
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let form = redemption(&server.code(""));
    let refused = server.post("/token", &[spa, "Sec-Fetch-Site: cross-site"], &form);
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (403, Some("application/json"))
    );
    server.wait_for_log(&["POST /token 403", "oauth serve --cors http://localhost:5173"]);
    let server = DevelopmentServer::start(&["--approve", "auto", "--cors", "http://localhost:5173"]);
    let form = redemption(&server.code(""));
    let tokens = server.post("/token", &[spa, "Sec-Fetch-Site: cross-site"], &form);
    assert_eq!(tokens.status, 200);
    let readable_by = tokens.header("access-control-allow-origin");
    assert_eq!(readable_by, Some("http://localhost:5173"));
    let home = Home::new();
    let outcome = run(home.oauth().args(["serve", "--port", "0", "--cors", "localhost:5173"]));
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("\"localhost:5173\" is not an origin"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("oauth serve --cors http://localhost:5173"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let form = redemption(&server.code(""));
    for headers in [
        &["Origin: https://evil.test"][..],
        &["Origin: null"],
        &["Origin: null", "Sec-Fetch-Site: cross-site"],
        &["Sec-Fetch-Site: cross-site"],
    ] {
        for target in [
            "/token",
            "/revoke",
            "/introspect",
            "/sign-in?request=x",
            "/consent?request=x",
        ] {
            let answer = server.post(target, headers, &form);
            assert_eq!(answer.status, 403, "{target} {headers:?}");
            assert!(answer.header("access-control-allow-origin").is_none());
        }
    }
    assert_eq!(server.post("/token", &[], &form).status, 200);
}

#[test]
fn what_is_too_long_or_no_http_is_refused_and_the_server_lives() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let host = format!("Host: {}\r\nConnection: close\r\n", server.authority);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = "x".repeat(64 * 1024);
    for (request, expected) in [
        (
            format!("GET /jwks HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(20 * 1024)),
            &[431][..],
        ),
        (
            format!("GET /jwks?{} HTTP/1.1\r\n{host}\r\n", "x".repeat(20 * 1024)),
            &[414, 431],
        ),
        (
            format!("GET /jwks HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(200)),
            &[431],
        ),
        (
            format!("POST /token HTTP/1.1\r\n{host}{form}Content-Length: 65537\r\n\r\n{body}x"),
            &[413],
        ),
        (
            format!("POST /token HTTP/1.1\r\n{host}{form}Content-Length: 1073741824\r\n\r\nx"),
            &[413],
        ),
        (
            format!(
                "POST /token HTTP/1.1\r\n{host}{form}Transfer-Encoding: chunked\r\n\r\n10001\r\n{body}x\r\n0\r\n\r\n"
            ),
            &[413],
        ),
        // Exactly as long as may be: read, and then a request without a client.
        (
            format!("POST /token HTTP/1.1\r\n{host}{form}Content-Length: 65536\r\n\r\n{body}"),
            &[401],
        ),
        (
            format!("POST /token HTTP/1.1\r\n{host}{form}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            &[400],
        ),
        (
            format!("POST /token HTTP/1.1\r\n{host}{form}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            &[400],
        ),
        (format!("GET /jwks HTTP/1.1\r\n{host}X : y\r\n\r\n"), &[400]),
        (
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(),
            &[400, 0],
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[400, 505, 0]),
    ] {
        let answer = send_bytes(&server.authority, request.as_bytes());
        let status = answer.map_or(0, |answer| answer.status);
        assert!(expected.contains(&status), "{status} for {:.60}", request);
    }
    server.wait_for_log(&["POST /token 413"]);
    server.wait_for_log(&["? ? 431", "16 KiB"]);
    server.wait_for_log(&["? ? 400", "not an HTTP/1.1 request"]);
    assert_eq!(server.redeem(&server.code("")).status, 200);
}

#[test]
fn slow_and_silent_connections_are_closed_and_hold_nobody_up() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let connect = |bytes: &str| {
        let mut stream = TcpStream::connect(&server.authority).expect("a connection");
        stream.write_all(bytes.as_bytes()).expect("sending");
        stream
    };
    let start = Instant::now();
    let half_body = format!(
        "POST /token HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nx",
        server.authority
    );
    let mut slow: Vec<TcpStream> = (0..200).map(|_| connect("")).collect();
    slow.push(connect("GET /jwks HTTP/1.1\r\nHo"));
    slow.push(connect(&half_body));
    assert_eq!(server.redeem(&server.code("")).status, 200);
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "held up for {:?}",
        start.elapsed()
    );
    for mut stream in slow {
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a deadline");
        let mut rest = Vec::new();
        // Closed by a reset or by an end, but closed.
        let _ = stream.read_to_end(&mut rest);
        assert!(
            rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"),
            "{:?}",
            String::from_utf8_lossy(&rest)
        );
    }
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(25) && waited < Duration::from_secs(55),
        "{waited:?}"
    );
}

#[test]
fn silent_connections_give_way_to_one_that_asks() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let connect = || TcpStream::connect(&server.authority).expect("a connection");
    let silent: Vec<TcpStream> = (0..256).map(|_| connect()).collect();
    let mut late = connect();
    let request = format!(
        "GET /userinfo HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.authority
    );
    late.write_all(request.as_bytes()).expect("sending");
    // Shorter than the time after which silent connections are closed anyway.
    late.set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a deadline");
    let mut answer = String::new();
    late.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    // The one that was silent for the longest time had to go, and only that one.
    let read = |mut stream: &TcpStream, patience: Duration| {
        stream.set_read_timeout(Some(patience)).expect("a deadline");
        stream.read(&mut [0; 1])
    };
    assert_eq!(
        read(&silent[0], Duration::from_secs(20)).expect("the end of the stream"),
        0
    );
    for stream in &silent[1..] {
        let waiting = read(stream, Duration::from_millis(1)).expect_err("still open");
        assert!(
            matches!(waiting.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{waiting}"
        );
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let server = DevelopmentServer::start(&[]);
    let mut stream = TcpStream::connect(&server.authority).expect("a connection");
    let request = format!(
        "HEAD /.well-known/openid-configuration HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.authority
    );
    let last = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream
        .write_all(format!("{request}{request}{last}").as_bytes())
        .expect("sending");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("the answers");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    assert!(!answers.contains('{'), "HEAD has no body");
}

#[test]
fn the_flow_by_hand_with_sign_in_and_consent() {
    let server = DevelopmentServer::start(&["--user", "ada:love lace"]);
    let mut cookie = String::new();
    let mut browse = |method: &str, target: &str, form: &str| {
        let header = format!("Cookie: {cookie}");
        let headers = ["Origin: null", "Sec-Fetch-Site: same-origin", &header];
        let answer = match method {
            "GET" => server.get(target, &headers[2..]),
            _ => server.post(target, &headers, form),
        };
        if let Some(set) = answer.header("set-cookie") {
            assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
            cookie = set.split(';').next().expect("a cookie").to_owned();
        }
        answer
    };
    let csrf = |page: &str| {
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a CSRF token");
        rest.split('"').next().expect("its end").to_owned()
    };
    let answer = browse("GET", &authorize_target("&scope=openid+hello&nonce=n-0S6"), "");
    assert_eq!(answer.status, 303);
    let sign_in = answer.header("location").expect("the sign-in page").to_owned();
    let page = browse("GET", &sign_in, "");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.ends_with("form-action 'self' http://127.0.0.1:4711; frame-ancestors 'none'; base-uri 'none'"));
    let wrong = browse(
        "POST",
        &sign_in,
        &format!("csrf={}&username=ada&password=wrong", csrf(&page.body_text())),
    );
    assert_eq!(wrong.status, 403);
    assert_eq!(
        browse("POST", &sign_in, "username=ada&password=love+lace").status,
        403,
        "no CSRF token"
    );
    let answer = browse(
        "POST",
        &sign_in,
        &format!("csrf={}&username=ada&password=love+lace", csrf(&page.body_text())),
    );
    assert_eq!(answer.status, 303);
    let consent = answer.header("location").expect("the consent page").to_owned();
    let page = browse("GET", &consent, "");
    let answer = browse(
        "POST",
        &consent,
        &format!("csrf={}&decision=allow", csrf(&page.body_text())),
    );
    assert_eq!((answer.status, answer.header("cache-control")), (303, Some("no-store")));
    let location = answer.header("location").expect("the callback");
    assert!(
        location.starts_with("http://127.0.0.1:4711/callback?code="),
        "{location}"
    );
    assert_eq!(parameter(location, "state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(parameter(location, "iss"), Some(server.issuer()));

    let code = parameter(location, "code").expect("a code");
    let tokens = server.redeem(&code);
    assert_eq!(tokens.status, 200, "{}", tokens.body_text());
    assert_eq!(
        (tokens.header("cache-control"), tokens.header("pragma")),
        (Some("no-store"), Some("no-cache"))
    );
    let tokens = json(&tokens.body);
    assert_eq!(server.hello(&tokens), 200);

    let log = server.log();
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    for secret in [
        "love",
        "wrong",
        &code,
        VERIFIER,
        "af0ifjsldkj",
        &text("access_token"),
        &text("refresh_token"),
        &text("id_token"),
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    assert!(
        log.contains("403 unknown user name or password") && log.contains("RFC 9700 §4.7"),
        "{log}"
    );
}

#[test]
fn downgrades_of_pkce_are_refused_and_the_log_names_the_rule() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    for (request, error) in [
        (authorize_target("").replace("=S256", "=plain"), "invalid_request"),
        (
            authorize_target("").replace("&code_challenge_method=S256", ""),
            "invalid_request",
        ),
        (
            authorize_target("").replace(&format!("&code_challenge={CHALLENGE}"), ""),
            "invalid_request",
        ),
        (
            authorize_target("").replace("=code&", "=token&"),
            "unsupported_response_type",
        ),
    ] {
        let answer = server.get(&request, &[]);
        let location = answer.header("location").expect("a redirect").to_owned();
        assert_eq!(parameter(&location, "error").as_deref(), Some(error), "{location}");
        assert_eq!(parameter(&location, "state").as_deref(), Some("af0ifjsldkj"));
    }
    server.wait_for_log(&[
        "GET /authorize 303 invalid_request: code challenge required",
        "RFC 7636 §4.4.1",
    ]);
    let answer = server.post(
        "/token",
        &[],
        &redemption(&server.code("")).replace(VERIFIER, &"a".repeat(43)),
    );
    assert_eq!(
        (answer.status, &json(&answer.body)["error"]),
        (400, &Value::from("invalid_grant"))
    );
    server.wait_for_log(&["POST /token 400", "RFC 7636 §4.6"]);
    let answer = server.get(
        &authorize_target("").replace(CALLBACK, "https%3A%2F%2Fevil.test%2F"),
        &[],
    );
    assert_eq!((answer.status, answer.header("location")), (400, None));
    server.wait_for_log(&["GET /authorize 400", "RFC 6749 §3.1.2.3"]);
    let answer = server.get("/token", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[test]
fn of_a_hundred_clients_with_one_code_one_gets_tokens_until_the_replay_is_seen() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let code = server.code("");
    let barrier = Barrier::new(100);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let redeem = || {
            barrier.wait();
            server.redeem(&code)
        };
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(redeem)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("an answer"))
            .collect()
    });
    let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((good.len(), bad.len()), (1, 99));
    assert!(bad.iter().all(|answer| json(&answer.body)["error"] == "invalid_grant"));
    // The others were replays, so nothing of it is good any more (RFC 6749 §4.1.2).
    let tokens = json(&good[0].body);
    assert_eq!(server.hello(&tokens), 401);
    let form = format!(
        "grant_type=refresh_token&client_id=oauth-cli&refresh_token={}",
        tokens["refresh_token"].as_str().expect("one")
    );
    assert_eq!(server.post("/token", &[], &form).status, 400);
}

#[test]
fn tokens_verify_with_the_published_keys() {
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let tokens = server.tokens("&scope=openid+hello&nonce=n-0S6&resource=https%3A%2F%2Fapi.example");
    let keys = json(&server.get("/jwks", &[]).body);
    let octets = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().expect("text")).expect("base64url");
    let parts = |token: &str| {
        let token = tokens[token].as_str().expect("a token").to_owned();
        let (input, signature) = token.rsplit_once('.').expect("a JWT");
        let (header, claims) = input.split_once('.').expect("a JWT");
        let decode = |part: &str| json(&URL_SAFE_NO_PAD.decode(part).expect("base64url"));
        (
            decode(header),
            decode(claims),
            input.to_owned(),
            URL_SAFE_NO_PAD.decode(signature).expect("base64url"),
        )
    };
    let key = |id: &Value| {
        keys["keys"]
            .as_array()
            .expect("keys")
            .iter()
            .find(|key| key["kid"] == *id)
            .expect("the key")
            .clone()
    };

    let (header, claims, input, signature) = parts("access_token");
    assert_eq!((&header["alg"], &header["typ"]), (&"ES256".into(), &"at+jwt".into()));
    assert_eq!(
        (&claims["aud"], &claims["iss"]),
        (&"https://api.example".into(), &server.issuer().into())
    );
    let key_of_access_token = key(&header["kid"]);
    let point = [
        vec![4],
        octets(&key_of_access_token["x"]),
        octets(&key_of_access_token["y"]),
    ]
    .concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(input.as_bytes(), &signature)
        .expect("a good signature");

    let (header, claims, input, signature) = parts("id_token");
    assert_eq!(header["alg"], "RS256");
    assert_eq!(
        (&claims["aud"], &claims["azp"], &claims["nonce"]),
        (&"oauth-cli".into(), &"oauth-cli".into(), &"n-0S6".into())
    );
    let key_of_id_token = key(&header["kid"]);
    RsaPublicKeyComponents {
        n: octets(&key_of_id_token["n"]),
        e: octets(&key_of_id_token["e"]),
    }
    .verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &signature)
    .expect("a good signature");
}

#[test]
fn while_the_rsa_key_is_made_others_are_served() {
    let server = DevelopmentServer::start_without_key(&["--approve", "auto"]);
    let mut waiting = TcpStream::connect(&server.authority).expect("a connection");
    waiting
        .write_all(
            format!(
                "GET /jwks HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                server.authority
            )
            .as_bytes(),
        )
        .expect("sending");
    for _ in 0..20 {
        assert_eq!(server.redeem(&server.code("")).status, 200);
    }
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("\"RS256\""), "{answer}");
}

#[test]
fn a_confidential_client_has_its_secret_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret:+%\n").expect("writing");
    let client = format!("web:{}", file.display());
    let server = DevelopmentServer::start(&[
        "--approve",
        "auto",
        "--client",
        &client,
        "--redirect-uri",
        "https://rp.example/cb",
    ]);
    let uri = "https%3A%2F%2Frp.example%2Fcb";
    let code = || {
        let target = authorize_target("").replace("oauth-cli", "web").replace(CALLBACK, uri);
        parameter(server.get(&target, &[]).header("location").expect("a redirect"), "code").expect("a code")
    };
    let form = |code: &str| {
        redemption(code)
            .replace("&client_id=oauth-cli", "")
            .replace(CALLBACK, uri)
    };
    let basic = |secret: &str| format!("Authorization: Basic {}", STANDARD.encode(format!("web:{secret}")));
    assert_eq!(
        server
            .post("/token", &[&basic("s3cret%3A%2B%25")], &form(&code()))
            .status,
        200
    );
    let refused = server.post("/token", &[&basic("wrong")], &form(&code()));
    assert_eq!(
        (refused.status, &json(&refused.body)["error"]),
        (401, &"invalid_client".into())
    );
    assert!(
        refused
            .header("www-authenticate")
            .expect("a challenge")
            .starts_with("Basic ")
    );
    assert_eq!(
        server
            .post("/token", &[], &format!("{}&client_id=web", form(&code())))
            .status,
        401
    );
    // The default client is not there then.
    assert_eq!(server.authorize("").status, 400);
}

#[test]
fn deny_decides_at_once() {
    let server = DevelopmentServer::start(&["--approve", "deny"]);
    let answer = server.authorize("");
    let location = answer.header("location").expect("a redirect");
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"));
}

#[test]
fn faults_and_lifetimes_are_as_asked_for() {
    let server = DevelopmentServer::start(&[
        "--approve",
        "auto",
        "--fail",
        "token=503:2",
        "--fail",
        "/userinfo=500",
        "--access-token-ttl",
        "90s",
        "--refresh-rotation",
        "off",
    ]);
    let form = redemption(&server.code(""));
    for _ in 0..2 {
        let answer = server.post("/token", &[], &form);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    }
    server.wait_for_log(&["POST /token 503", "--fail"]);
    let answer = server.post("/token", &[], &form);
    let tokens = json(&answer.body);
    assert_eq!((answer.status, &tokens["expires_in"]), (200, &90.into()));
    assert_eq!(server.get("/userinfo", &[]).status, 500);
    let refresh = format!(
        "grant_type=refresh_token&client_id=oauth-cli&refresh_token={}",
        tokens["refresh_token"].as_str().expect("one")
    );
    let refreshed = json(&server.post("/token", &[], &refresh).body);
    assert!(refreshed["access_token"].is_string() && refreshed.get("refresh_token").is_none());
}

#[test]
fn latency_comes_before_anything_is_committed() {
    let server = DevelopmentServer::start(&["--approve", "auto", "--latency", "700ms"]);
    let start = Instant::now();
    let form = redemption(&server.code(""));
    assert!(start.elapsed() >= Duration::from_millis(700));
    let mut impatient = TcpStream::connect(&server.authority).expect("a connection");
    let head = "Content-Type: application/x-www-form-urlencoded";
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: {}\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}",
        server.authority,
        form.len()
    );
    impatient.write_all(request.as_bytes()).expect("sending");
    drop(impatient);
    // It went away while it had to wait, so the code is still good.
    assert_eq!(server.post("/token", &[], &form).status, 200);
}

/// Sends authorization requests over one connection, a hundred at a time.
fn send_authorization_requests(server: &DevelopmentServer, count: usize) {
    let mut stream = TcpStream::connect(&server.authority).expect("a connection");
    let target = authorize_target(&format!("&nonce={}", "n".repeat(100)));
    let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", server.authority);
    let hundred = request.repeat(100);
    let mut block = vec![0; 64 * 1024];
    for _ in 0..count / 100 {
        stream.write_all(hundred.as_bytes()).expect("sending");
        let mut ends = 0;
        let mut tail: Vec<u8> = Vec::new();
        while ends < 100 {
            let length = stream.read(&mut block).expect("an answer");
            assert!(length > 0, "closed");
            tail.extend_from_slice(&block[..length]);
            ends += tail.windows(4).filter(|bytes| bytes == b"\r\n\r\n").count();
            tail.drain(..tail.len().saturating_sub(3));
        }
    }
}

#[cfg(target_os = "linux")]
fn resident_kib(process_id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).expect("the process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number")
}

#[test]
#[cfg(target_os = "linux")]
fn a_hundred_thousand_authorization_requests_leave_memory_flat() {
    for (approve, count) in [("ask", 100_000), ("auto", 10_000)] {
        let server = DevelopmentServer::start_with(&["--approve", approve], |command| {
            command.arg("--quiet");
        });
        // As many as are kept at once, so that the tables are full.
        send_authorization_requests(&server, 2_000);
        let before = resident_kib(server.process_id());
        send_authorization_requests(&server, count);
        let after = resident_kib(server.process_id());
        // The allocator may take some more; one kept request each would be a hundred MiB.
        assert!(
            after < before + 3 * 1024,
            "{approve}: {before} KiB before, {after} KiB after"
        );
    }
}
