//! Proxies, by the environment and by flag.

use super::*;

/// A proxy that understands CONNECT, records its request's head and then does
/// what the test says.
struct Connecting {
    port: u16,
    thread: std::thread::JoinHandle<String>,
}

impl Connecting {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let head = read_head(&mut client);
            client.write_all(answer.as_bytes()).unwrap();
            if answer.starts_with("HTTP/1.1 200") {
                let target = head.split(' ').nth(1).unwrap().rsplit(':').next().unwrap().to_owned();
                pipe(client, TcpStream::connect(format!("127.0.0.1:{target}")).unwrap());
            }
            head
        });
        Connecting { port, thread }
    }

    fn environment(&self, userinfo: &str) -> ProxySettings {
        let proxy = format!("http://{userinfo}127.0.0.1:{}", self.port);
        ProxySettings::from_environment(move |name| (name == "HTTPS_PROXY").then(|| proxy.clone()))
    }
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn pipe(client: TcpStream, server: TcpStream) {
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let there = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut &server, &mut &client);
    let _ = client.shutdown(std::net::Shutdown::Both);
    there.join().unwrap();
}

#[test]
fn https_goes_through_the_proxy_and_stays_unreadable_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["id.example.test"]));
    server.on("POST", "/token", json(200, "{}")).expected();
    let proxy = Connecting::start("HTTP/1.1 200 Connection established\r\n\r\n");
    let through = TransportSettings {
        proxy: proxy.environment("user:pass%2Fword@"),
        ..trusting(&authority, &folder)
    };
    let target = format!("https://id.example.test:{}/token", server.port());
    assert_eq!(send_with(through, &post(&target)).unwrap().status, 200);
    let head = proxy.thread.join().unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with(&format!("connect id.example.test:{} http/1.1\r\n", server.port())),
        "{head}"
    );
    // user:pass/word
    assert!(
        head.contains("proxy-authorization: basic dxnlcjpwyxnzl3dvcmq="),
        "{head}"
    );
    let user_agent = concat!("user-agent: oauth/", env!("CARGO_PKG_VERSION"));
    assert!(head.contains(user_agent), "{head}");
    assert!(
        !head.contains("authorization: bearer") && !head.contains("canary"),
        "{head}"
    );
    let received = server.only_request_to("/token");
    assert_eq!(received.header("proxy-authorization"), None);
    assert_eq!(
        received.body_text(),
        format!("grant_type=authorization_code&code={CODE}")
    );
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["127.0.0.1"]));
    server.on("POST", "/token", json(200, "{}"));
    let plain = LiteralServer::start();
    plain.on("POST", "/token", json(200, "{}"));
    let proxy = LiteralServer::start();
    let through = TransportSettings {
        proxy: ProxySettings::default().with_proxy(&proxy.origin()),
        ..trusting(&authority, &folder)
    };
    let transport = Transport::new(through);
    for target in [server.url("/token"), plain.url("/token")] {
        assert!(send_over(&transport, &post(&target), &mut NoopObserver).is_ok());
    }
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn the_environment_is_read_by_the_caller_alone() {
    if let Ok(target) = std::env::var(TARGET) {
        assert_eq!(send(&get(&target)).unwrap().status, 200);
        return;
    }
    let server = LiteralServer::start();
    server.on("GET", "/", json(200, "{}")).expected();
    let proxy = LiteralServer::start();
    let origin = proxy.origin();
    let environment = [("http_proxy", origin.as_str()), ("ALL_PROXY", &origin)];
    run_again(
        "proxies::the_environment_is_read_by_the_caller_alone",
        &server.url("/"),
        &environment,
    );
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_proxy_that_refuses_or_is_absent_is_told_apart_from_the_server() {
    let target = "https://id.example.test/token";
    for (answer, part) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "authorization required",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "unsuccessful"),
        ("garbage\r\n\r\n", "unsuccessful"),
    ] {
        let proxy = Connecting::start(answer);
        let through = TransportSettings {
            proxy: proxy.environment("user:canary@"),
            ..settings()
        };
        let error = send_with(through, &post(target)).unwrap_err();
        assert!(matches!(error, TransportError::ProxyRefused { .. }), "{error:?}");
        let shown = format!(
            "the proxy http://127.0.0.1:{} did not connect to id.example.test:443",
            proxy.port
        );
        refused_with(&error, ExitCode::Unreachable, &[&shown, part, "HTTPS_PROXY"]);
        assert!(!error.may_have_been_received());
        proxy.thread.join().unwrap();
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let through = TransportSettings {
        proxy: ProxySettings::default().with_proxy(&closed.to_string()),
        ..settings()
    };
    let error = send_with(through, &post(target)).unwrap_err();
    assert!(matches!(error, TransportError::ConnectRefused { .. }), "{error:?}");
    refused_with(
        &error,
        ExitCode::Unreachable,
        &[&format!("the proxy http://{closed} refused the connection")],
    );
}

#[test]
fn a_socks_proxy_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["id.example.test"]));
    server.on("GET", "/", json(200, "{}")).expected();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy_port = listener.local_addr().unwrap().port();
    let server_port = server.port();
    let proxy = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).unwrap();
        assert_eq!(greeting, [5, 1, 0], "version 5, no authentication");
        client.write_all(&[5, 0]).unwrap();
        // CONNECT, by name: the proxy resolves it (socks5h)
        let mut request = [0; 5 + 15 + 2];
        client.read_exact(&mut request).unwrap();
        assert_eq!(request[..5], [5, 1, 0, 3, 15]);
        assert_eq!(&request[5..20], b"id.example.test");
        assert_eq!(request[20..], server_port.to_be_bytes());
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        pipe(client, TcpStream::connect(("127.0.0.1", server_port)).unwrap());
    });
    let through = TransportSettings {
        proxy: ProxySettings::default().with_proxy(&format!("socks5h://127.0.0.1:{proxy_port}")),
        ..trusting(&authority, &folder)
    };
    let target = format!("https://id.example.test:{server_port}/");
    assert_eq!(send_with(through, &get(&target)).unwrap().status, 200);
    proxy.join().unwrap();
}

#[test]
fn a_proxy_that_answers_in_the_servers_place_is_met_with_how_to_trust_it() {
    let folder = tempfile::tempdir().unwrap();
    // what inspects TLS has a certificate of its own for every name
    let server = start_tls(&Authority::new().issue(&["id.example.test"]));
    let proxy = Connecting::start("HTTP/1.1 200 OK\r\n\r\n");
    let through = TransportSettings {
        proxy: proxy.environment(""),
        ..trusting(&Authority::new(), &folder)
    };
    let target = format!("https://id.example.test:{}/token", server.port());
    let error = send_with(through, &post(&target)).unwrap_err();
    let peer = format!("id.example.test:{} cannot be trusted", server.port());
    refused_with(
        &error,
        ExitCode::Unreachable,
        &[&peer, "inspects TLS", "--cacert FILE", "SSL_CERT_FILE"],
    );
    proxy.thread.join().unwrap();
}

#[test]
fn a_certificate_of_the_proxy_itself_that_is_not_trusted_is_told_as_the_proxys() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = start_tls(&Authority::new().issue(&["127.0.0.1"]));
    let through = TransportSettings {
        proxy: ProxySettings::default().with_proxy(&format!("https://127.0.0.1:{}", proxy.port())),
        ..trusting(&Authority::new(), &folder)
    };
    let error = send_with(through, &post("https://id.example.test/token")).unwrap_err();
    let peer = format!("the proxy https://127.0.0.1:{} cannot be trusted", proxy.port());
    refused_with(
        &error,
        ExitCode::Unreachable,
        &[&peer, "trusted authority", "SSL_CERT_FILE"],
    );
}

#[test]
fn a_name_that_this_machine_cannot_resolve_leads_to_the_scheme_by_which_the_proxy_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (scheme, hint) in [("socks5", "socks5h://"), ("socks4", "socks4a://")] {
        let through = TransportSettings {
            proxy: ProxySettings::default().with_proxy(&format!("{scheme}://127.0.0.1:{port}")),
            ..settings()
        };
        let error = send_with(through, &post("https://inside.invalid/token")).unwrap_err();
        refused_with(&error, ExitCode::Unreachable, &["inside.invalid", hint]);
    }
}
