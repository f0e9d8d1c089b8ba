//! `oauth request`: the token goes where it may go and nowhere else, in the
//! bytes that curl would send, and the answer comes out as it came.

use super::support::binary::Home;
use super::support::literal_server::{Gate, LiteralServer, Reply, Request, json, redirect, status, value_of};
use super::support::outcome::{Outcome, finish, run, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, endpoint, refreshable, resource, scope, session};
use oauth::secret::Secret;
use oauth::store::{Renewal, Session};
use std::io::Read;
use std::process::Stdio;

const NEW_TOKEN: &str = "new-access-token-2b40";

/// A home where `work` has a session of an API at this server, and its server.
struct Stage {
    home: Home,
    server: LiteralServer,
}

impl Stage {
    fn new() -> Self {
        Stage::with(refreshable)
    }

    /// With this session at the server's own origin.
    fn with(make: impl Fn(&str) -> Session) -> Self {
        let server = LiteralServer::start();
        let home = Home::new();
        let issuer = server.origin();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{issuer}\"\nresource = [\"{issuer}/api\"]\n"
        ));
        let mut session = make(&issuer);
        session.requested.resource = vec![resource(&format!("{issuer}/api"))];
        home.keep("work", &session);
        let answer = format!(r#"{{"access_token":"{NEW_TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
        server.on("POST", "/token", json(200, &answer));
        Stage { home, server }
    }

    fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    fn request(&self, arguments: &[&str]) -> Outcome {
        run(self.home.oauth().arg("request").args(arguments))
    }
}

fn token_of(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

fn challenge(status: u16, challenge: &str) -> Reply {
    Reply::http(status, &[&format!("WWW-Authenticate: {challenge}")], "refused\n")
}

/// Other commands take the profile as a word.
#[test]
fn a_profile_in_the_place_of_the_method_is_not_sent_as_one() {
    let stage = Stage::new();
    let url = stage.url("/api/notes");
    let outcome = stage.request(&["work", &url]).expect_error(2);
    outcome.says(&["\"work\" is a profile", &format!("oauth request -p work {url}")]);
    assert!(stage.server.requests().is_empty());
    stage.server.on("PURGE", "/api/notes", json(200, "{}"));
    stage.request(&["purge", &url]).expect_code(0);
}

#[test]
fn a_get_carries_the_token_and_the_body_comes_out_byte_for_byte() {
    let stage = Stage::new();
    let body = b"\x00\xff\x1b[2J not text\n".to_vec();
    stage.server.on(
        "GET",
        "/api/notes",
        Reply::http(200, &["Content-Type: application/octet-stream"], &body),
    );
    let output = stage.home.path().join("answer");
    let url = stage.url("/api/notes?max=5&q=a%20b");
    stage.request(&[&url, "-o", output.to_str().unwrap()]).expect_code(0);
    assert_eq!(std::fs::read(&output).unwrap(), body);
    let request = stage.server.only_request_to("/api/notes");
    assert_eq!(request.target, "/api/notes?max=5&q=a%20b");
    assert_eq!(token_of(&request), Some(KEPT_ACCESS_TOKEN));
    assert_eq!(request.header("accept"), Some("*/*"));
    assert_eq!(request.header("content-type"), None);
    assert_eq!(stage.server.requests().len(), 1, "nothing else is asked");
}

#[test]
fn stdout_has_the_body_alone_and_with_include_the_head_before_it() {
    let stage = Stage::new();
    stage.server.on("GET", "/api", json(200, r#"{"a":1}"#));
    let outcome = stage.request(&[&stage.url("/api")]).expect_code(0);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (r#"{"a":1}"#, ""));
    let outcome = stage.request(&["--json", "-i", &stage.url("/api")]).expect_code(0);
    let (head, body) = outcome.stdout.split_once("\r\n\r\n").expect("head and body");
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: application/json"),
        "{head}"
    );
    assert_eq!(body, r#"{"a":1}"#);
}

#[test]
fn method_headers_and_data_are_sent_as_typed() {
    let stage = Stage::new();
    for method in ["PUT", "PATCH", "DELETE", "PROPFIND", "POST"] {
        stage.server.on(method, "/api/x", status(204));
    }
    let url = stage.url("/api/x");
    for method in ["PUT", "PATCH", "DELETE", "propfind"] {
        stage.request(&[method, &url]).expect_code(0);
    }
    std::fs::write(stage.home.path().join("b.txt"), "b=2\n").unwrap();
    let arguments = [
        "-H",
        "Content-Type: text/csv",
        "-H",
        "X-Key: k",
        "-d",
        "a=1",
        "-d",
        "@b.txt",
        &url,
    ];
    stage.request(&arguments).expect_code(0);
    stage.request(&["-d", "--x", &url]).expect_code(0);
    let requests = stage.server.requests();
    let methods: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["PUT", "PATCH", "DELETE", "PROPFIND", "POST", "POST"]);
    assert_eq!(requests[4].body_text(), "a=1&b=2\n");
    assert_eq!(requests[4].header("content-type"), Some("text/csv"));
    assert_eq!(requests[4].header("x-key"), Some("k"));
    assert_eq!(requests[5].body_text(), "--x");
    assert_eq!(
        requests[5].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(requests[5].header("content-length"), Some("3"));
}

// no file name of Windows has a quotation mark
#[cfg(unix)]
#[test]
fn a_form_has_its_parts_with_names_and_types() {
    let stage = Stage::new();
    stage.server.on("POST", "/api/x", status(201));
    std::fs::write(stage.home.path().join("a \"b\".bin"), b"\x00\x01").unwrap();
    let url = stage.url("/api/x");
    stage
        .request(&[
            "-F",
            "title=Über",
            "-F",
            "file=@a \"b\".bin",
            "-F",
            "t=<a \"b\".bin",
            &url,
        ])
        .expect_code(0);
    let request = stage.server.only_request_to("/api/x");
    let content_type = request.header("content-type").expect("a type");
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .expect("a boundary");
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nÜber\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b%22.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n\x00\x01\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\n\x00\x01\r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8(request.body).unwrap(), expected);
}

#[test]
fn bodies_from_pipes_and_large_files_are_sent_whole() {
    let stage = Stage::new();
    stage.server.on("POST", "/api/x", status(200));
    let large: Vec<u8> = (0..5_000_000u32).flat_map(u32::to_le_bytes).take(5_000_000).collect();
    std::fs::write(stage.home.path().join("large"), &large).unwrap();
    let url = stage.url("/api/x");
    stage.request(&["-d", "@large", &url]).expect_code(0);
    let mut command = stage.home.oauth();
    run_with_input(command.args(["request", "-d", "@-", &url]), &large).expect_code(0);
    let mut command = stage.home.oauth();
    run_with_input(command.args(["request", "-d", "@-", &url]), b"short").expect_code(0);
    let requests = stage.server.requests_to("/api/x");
    assert!(requests[0].body == large && requests[1].body == large);
    assert_eq!(requests[0].header("content-length"), Some("5000000"));
    assert_eq!(requests[1].header("transfer-encoding"), Some("chunked"));
    assert_eq!(requests[2].body_text(), "short");
    assert_eq!(requests[2].header("content-length"), Some("5"));
    stage
        .request(&["-d", "@absent", &url])
        .expect_error(2)
        .says(&["absent"]);
}

#[test]
fn the_token_goes_to_covered_urls_alone() {
    let stage = Stage::new();
    let other = LiteralServer::start();
    for url in [
        stage.url("/apix"),
        stage.url("/"),
        other.url("/api"),
        "https://api.example/".to_owned(),
    ] {
        stage.request(&[&url]).expect_error(2).says(&["allow_host"]);
        stage
            .request(&["-p", "work", &url])
            .expect_error(2)
            .says(&["work", "allow_host"]);
    }
    for url in ["http://api.example/", "ftp://127.0.0.1/", "127.0.0.1", "https:/x@y/"] {
        stage.request(&[url]).expect_error(2);
    }
    let url = stage.url("/api");
    for header in ["Authorization: Bearer x", "dpop: x", "Host: evil.example"] {
        stage.request(&["-H", header, &url]).expect_error(2);
    }
    stage
        .request(&["-p", "absent", &url])
        .expect_error(2)
        .says(&["absent", "work"]);
    assert_eq!(stage.server.requests().len() + other.requests().len(), 0);

    other.on("GET", "/api", status(200));
    let host = format!("127.0.0.1:{}", other.port());
    stage
        .request(&["--allow-host", &host, &other.url("/api")])
        .expect_code(0);
    assert_eq!(token_of(&other.only_request_to("/api")), Some(KEPT_ACCESS_TOKEN));
    assert!(
        !stage.home.configuration().contains("allow_host"),
        "for this call alone"
    );
}

#[test]
fn a_url_that_no_token_may_go_to_is_told_with_what_would_change_that() {
    let stage = Stage::new();
    let (url, api) = (stage.url("/hello"), stage.url("/api"));
    let host = format!("127.0.0.1:{}", stage.server.port());
    let outcome = stage.request(&[&url]).expect_error(2);
    let outcome = outcome.says(&[&format!("the token of profile \"work\" may go to {api} only")]);
    assert!(
        outcome
            .hints()
            .contains(&format!("oauth request -p work --allow-host {host} "))
    );
    assert!(
        outcome
            .hints()
            .contains(&format!("oauth profile set work 'allow_host={host}'"))
    );

    stage.home.configure("");
    let outcome = stage.request(&[&url]).expect_error(4);
    let first = outcome.hints().lines().next().unwrap_or_default().to_owned();
    assert!(first.contains(&format!("oauth login {url}")), "{outcome:?}");
}

#[test]
fn the_profile_that_covers_the_url_most_closely_is_used() {
    let stage = Stage::new();
    let origin = stage.server.origin();
    stage.home.configure(&format!(
        "default_profile = \"wide\"\n[profile.wide]\nresource = [\"{origin}\"]\n[profile.close]\nresource = [\"{origin}/api/v2\"]\n[profile.same]\nresource = [\"{origin}/api/v2\"]\n"
    ));
    for name in ["wide", "close", "same"] {
        let mut own = session(&origin);
        own.tokens[0].access_token = Secret::from(name);
        own.requested.resource = match name {
            "wide" => vec![resource(&origin)],
            _ => vec![resource(&format!("{origin}/api/v2"))],
        };
        stage.home.keep(name, &own);
    }
    stage.server.on("GET", "/api/v2/x", status(200));
    stage.server.on("GET", "/api/v20", status(200));
    stage
        .request(&[&stage.url("/api/v2/x")])
        .expect_error(2)
        .says(&["\"close\"", "\"same\""]);
    stage.request(&["-p", "same", &stage.url("/api/v2/x")]).expect_code(0);
    stage.request(&[&stage.url("/api/v20")]).expect_code(0);
    let tokens: Vec<String> = stage
        .server
        .requests()
        .iter()
        .filter_map(token_of)
        .map(str::to_owned)
        .collect();
    assert_eq!(tokens, ["same", "wide"]);
}

#[test]
fn a_status_that_is_no_success_is_22_and_its_body_is_written() {
    let stage = Stage::with(session);
    for (path, answer, said) in [
        ("/api/404", Reply::http(404, &[], "gone\n"), "404 Not Found"),
        ("/api/500", Reply::http(500, &[], "gone\n"), "500 Internal Server Error"),
        (
            "/api/401",
            Reply::http(
                401,
                &[&format!(
                    "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"\u{202e}{KEPT_ACCESS_TOKEN}\""
                )],
                "gone\n",
            ),
            "invalid_token",
        ),
        (
            "/api/301",
            Reply::http(301, &["Location: /api"], "gone\n"),
            "301 Moved Permanently",
        ),
    ] {
        stage.server.on("GET", path, answer);
        let outcome = stage.request(&[&stage.url(path)]).expect_code(22);
        assert_eq!(outcome.stdout, "gone\n");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:#?}");
        outcome.does_not_say(KEPT_ACCESS_TOKEN);
        outcome.does_not_say("\u{202e}");
        outcome.says(&[said]);
    }
    stage.server.on("GET", "/api/304", Reply::http(304, &[], ""));
    stage.request(&[&stage.url("/api/304")]).expect_code(0);
    let error = stage.request(&["--json", &stage.url("/api/401")]).json_error(22);
    assert_eq!(
        (error["name"].as_str(), error["oauth_error"].as_str()),
        (Some("http_status"), Some("invalid_token"))
    );
}

#[test]
fn a_token_that_is_not_taken_is_refreshed_once_and_the_request_repeated() {
    for refusal in ["Bearer error=\"invalid_token\"", "Bearer", "Basic realm=\"x\""] {
        let stage = Stage::new();
        stage
            .server
            .on_each("POST", "/api/x", vec![challenge(401, refusal), json(200, "{}")]);
        std::fs::write(stage.home.path().join("body"), vec![b'x'; 2_000_000]).unwrap();
        let outcome = stage.request(&["-d", "@body", &stage.url("/api/x")]).expect_code(0);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("{}", ""));
        let requests = stage.server.requests_to("/api/x");
        let tokens: Vec<_> = requests.iter().map(token_of).collect();
        assert_eq!(tokens, [Some(KEPT_ACCESS_TOKEN), Some(NEW_TOKEN)]);
        assert_eq!(requests[1].body.len(), 2_000_000);
        let refresh = stage.server.only_request_to("/token").form();
        assert_eq!(value_of(&refresh, "grant_type"), Some("refresh_token"));
        assert_eq!(
            stage.home.kept("work").unwrap().tokens[0].access_token.expose(),
            NEW_TOKEN
        );
    }
}

#[test]
fn a_second_refusal_is_final_and_other_refusals_need_no_refresh() {
    let stage = Stage::new();
    stage
        .server
        .on("GET", "/api/x", challenge(401, "Bearer error=\"invalid_token\""));
    let outcome = stage.request(&[&stage.url("/api/x")]).expect_code(22);
    assert_eq!(outcome.stdout, "refused\n");
    assert_eq!(stage.server.requests_to("/api/x").len(), 2);
    assert_eq!(stage.server.requests_to("/token").len(), 1);

    let stage = Stage::new();
    stage
        .server
        .on("GET", "/api/x", challenge(401, "Bearer error=\"invalid_request\""));
    stage.request(&[&stage.url("/api/x")]).expect_code(22);
    assert_eq!(stage.server.requests_to("/token").len(), 0);
}

#[test]
fn a_refresh_that_is_refused_is_4_with_the_body_of_the_refusal_before() {
    let stage = Stage::new();
    stage.server.on("GET", "/api/x", challenge(401, "Bearer"));
    stage
        .server
        .on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    let outcome = stage.request(&[&stage.url("/api/x")]).expect_code(4);
    assert_eq!(outcome.stdout, "refused\n");
    outcome.says(&["oauth login work"]);
}

#[test]
fn a_long_body_from_a_pipe_cannot_be_repeated_and_a_short_one_is() {
    let stage = Stage::new();
    stage
        .server
        .on_each("POST", "/api/x", vec![challenge(401, "Bearer"), status(200)]);
    let mut command = stage.home.oauth();
    run_with_input(
        command.args(["request", "-d", "@-", &stage.url("/api/x")]),
        &vec![b'x'; 1024 * 1024],
    )
    .expect_code(0);
    assert_eq!(stage.server.requests_to("/api/x")[1].body.len(), 1024 * 1024);

    let stage = Stage::new();
    stage.server.on("POST", "/api/x", challenge(401, "Bearer"));
    let mut command = stage.home.oauth();
    run_with_input(
        command.args(["request", "-d", "@-", &stage.url("/api/x")]),
        &vec![b'x'; 1024 * 1024 + 1],
    )
    .expect_code(22);
    assert_eq!(stage.server.requests_to("/token").len(), 0);
}

#[test]
fn an_expired_token_is_refreshed_before_it_is_sent() {
    let stage = Stage::with(|issuer| ending_in(-10, refreshable(issuer)));
    stage.server.on("GET", "/api/x", status(200));
    stage.request(&[&stage.url("/api/x")]).expect_code(0);
    assert_eq!(token_of(&stage.server.only_request_to("/api/x")), Some(NEW_TOKEN));
    stage.home.keep("work", &{
        let mut gone = ending_in(-10, session(&stage.server.origin()));
        gone.requested.resource = vec![resource(&stage.url("/api"))];
        gone
    });
    stage
        .request(&[&stage.url("/api/x")])
        .expect_error(4)
        .says(&["oauth login work"]);
}

#[test]
fn a_missing_scope_is_4_with_the_login_that_asks_for_all() {
    let stage = Stage::with(|issuer| {
        let mut session = refreshable(issuer);
        session.requested.scope = scope("read offline_access");
        session
    });
    let config = stage.home.configuration() + "scope = [\"read\", \"offline_access\"]\n";
    stage.home.configure(&config);
    let refusal = "Bearer error=\"insufficient_scope\", scope=\"read notes:$(id)\"";
    stage.server.on("GET", "/api/x", challenge(403, refusal));
    let outcome = stage.request(&[&stage.url("/api/x")]).expect_code(4);
    assert_eq!(outcome.stdout, "refused\n");
    assert_eq!(
        outcome.error(),
        "the API requires the scopes read and notes:$(id), and the token of profile \"work\" lacks notes:$(id)"
    );
    assert_eq!(
        outcome.hints(),
        "Ask for it: oauth login work --scope 'read offline_access notes:$(id)'"
    );
    assert_eq!(stage.server.requests_to("/token").len(), 0, "a refresh never widens");
    // without a terminal --login changes nothing
    stage.request(&["--login", &stage.url("/api/x")]).expect_code(4);

    stage
        .server
        .on("GET", "/api/y", challenge(403, "Bearer error=\"insufficient_scope\""));
    stage
        .request(&[&stage.url("/api/y")])
        .expect_code(22)
        .says(&["insufficient_scope"]);
}

#[test]
fn redirects_are_followed_only_if_asked_and_the_token_stays_at_its_origin() {
    let stage = Stage::new();
    let other = LiteralServer::start();
    let back = stage.url("/api/back");
    other.on("GET", "/there", redirect(302, &back));
    stage.server.on("POST", "/api/a", redirect(302, "/api/b"));
    stage.server.on("GET", "/api/b", redirect(307, "/outside"));
    stage.server.on("GET", "/outside", redirect(307, &other.url("/there")));
    stage.server.on("GET", "/api/back", json(200, "{}"));
    stage.request(&["-d", "x", &stage.url("/api/a")]).expect_code(22);
    let outcome = stage
        .request(&["-L", "-d", "x", "-H", "X-Api-Key: canary", &stage.url("/api/a")])
        .expect_code(0);
    assert_eq!(outcome.stdout, "{}");
    let seen: Vec<_> = stage.server.requests()[1..]
        .iter()
        .map(|request| {
            (
                request.path().to_owned(),
                token_of(request).is_some(),
                request.body_text().to_owned(),
            )
        })
        .collect();
    let expected = [
        ("/api/a", true, "x"),
        ("/api/b", true, ""),
        ("/outside", false, ""),
        ("/api/back", false, ""),
    ];
    let expected = expected.map(|(path, has_token, body)| (path.to_owned(), has_token, body.to_owned()));
    assert_eq!(seen, expected);
    let there = other.only_request_to("/there");
    assert_eq!((there.header("authorization"), there.header("x-api-key")), (None, None));
}

#[test]
fn endless_and_insecure_redirects_end_the_call() {
    let stage = Stage::new();
    stage.server.on("GET", "/api/a", redirect(302, "/api/a"));
    stage.server.on("GET", "/api/b", redirect(302, "http://example.com/"));
    stage.request(&["-L", &stage.url("/api/a")]).expect_error(6);
    assert_eq!(stage.server.requests().len(), 11);
    stage.request(&["-L", &stage.url("/api/b")]).expect_error(6);
}

#[test]
fn the_body_comes_out_while_it_comes_in() {
    let stage = Stage::new();
    let gate = Gate::new();
    let begun = Reply::bytes(*b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    stage.server.on("GET", "/api/x", begun.then_gate(&gate).then(*b"after"));
    let mut command = stage.home.oauth();
    let mut child = command
        .args(["request", &stage.url("/api/x")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first");
    gate.open();
    assert_eq!(finish(child).expect_code(0).stdout, "after");
}

#[test]
fn an_answer_that_stops_coming_ends_the_call() {
    let stage = Stage::new();
    let body = Reply::bytes(*b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst").then_silence();
    stage.server.on("GET", "/api/x", body);
    let outcome = stage
        .request(&["--http-timeout", "300ms", &stage.url("/api/x")])
        .expect_code(3);
    assert_eq!(outcome.stdout, "first");
}

#[test]
fn the_trace_shows_the_exchange_without_its_secrets() {
    let stage = Stage::new();
    stage.server.on("PUT", "/api/x", json(200, r#"{"answer":"canary"}"#));
    let arguments = [
        "-vv",
        "PUT",
        &stage.url("/api/x?key=canary-in-the-query"),
        "-d",
        "secret=canary",
        "-H",
        "X-Api-Key: canary-key-canary",
    ];
    let outcome = stage.request(&arguments).expect_code(0);
    outcome.does_not_say("canary");
    outcome.does_not_say(KEPT_ACCESS_TOKEN);
    outcome.says(&[
        "PUT http://127.0.0.1",
        "key=[redacted, 19 chars]",
        "x-api-key: [redacted, 17 chars]",
        "200 OK",
        "passed on as it comes",
    ]);
}

#[test]
fn a_machine_needs_no_login_before() {
    let stage = Stage::new();
    let origin = stage.server.origin();
    stage.home.configure(&format!(
        "[profile.bot]\ngrant = \"client-credentials\"\nclient_id = \"bot\"\ntoken_endpoint = \"{origin}/token\"\nauthorization_endpoint = \"{origin}/authorize\"\nresource = [\"{origin}/api\"]\nstore = \"none\"\n"
    ));
    stage.server.on("GET", "/api/x", status(200));
    let mut command = stage.home.oauth();
    command.env_remove("OAUTH_STORE").env("OAUTH_CLIENT_SECRET", "s3cret");
    run(command.args(["request", &stage.url("/api/x")])).expect_code(0);
    assert_eq!(token_of(&stage.server.only_request_to("/api/x")), Some(NEW_TOKEN));
}

#[test]
fn the_userinfo_endpoint_is_covered_too() {
    let stage = Stage::new();
    let mut session = refreshable(&stage.server.origin());
    session.requested.resource = vec![resource(&stage.url("/api"))];
    session.endpoints.userinfo = Some(endpoint(&stage.url("/userinfo")));
    session.renewal = Renewal::RefreshToken;
    stage.home.keep("work", &session);
    stage.server.on("GET", "/userinfo", json(200, "{}"));
    stage.request(&["-p", "work", &stage.url("/userinfo")]).expect_code(0);
}

#[test]
fn a_profile_is_named_by_the_whole_command() {
    let stage = Stage::new();
    let (host, url) = ("127.0.0.1:9", "http://127.0.0.1:9/x");
    let only = format!("For this call only: oauth request -p work --allow-host {host} POST {url}");
    stage.request(&["POST", url]).expect_error(2).says(&[&only]);
    stage
        .request(&["-p", "work", "POST", url])
        .expect_error(2)
        .says(&[&only]);

    let other = stage.home.configuration().replace("profile.work", "profile.lim");
    let both = stage.home.configuration() + &other;
    stage.home.configure(&both);
    stage.home.keep("lim", &refreshable(&stage.server.origin()));
    let url = stage.url("/api/x");
    stage.request(&[&url]).expect_error(2).says(&[
        "the profiles \"work\" and \"lim\" are both for ",
        &format!("Name one: oauth request -p work {url}"),
    ]);
}
