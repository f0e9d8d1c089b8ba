//! `oauth mcp`: what a client writes on standard input reaches the server with
//! the session's token, and nothing but messages comes back.

#[cfg(unix)]
use super::support::authorization_server::{self, FakeBrowser, consent};
use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::literal_server::{Gate, LiteralServer, Reply, Request, json, status};
use super::support::outcome::{Outcome, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, refreshable, resource};
use serde_json::Value;
use std::process::Stdio;

const NEW_TOKEN: &str = "new-access-token-77aa";

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const SETTLED: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;

struct Stage {
    home: Home,
    server: LiteralServer,
}

impl Stage {
    fn new() -> Self {
        let stage = Stage::without_session();
        stage.keep_session();
        stage
    }

    fn without_session() -> Self {
        let server = LiteralServer::start();
        let home = Home::new();
        let origin = server.origin();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{origin}\"\nclient_id = \"desktop\"\nresource = [\"{origin}/mcp\"]\n"
        ));
        let answer = format!(r#"{{"access_token":"{NEW_TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
        server.on("POST", "/token", json(200, &answer));
        server.on("GET", "/mcp", status(405));
        server.on("DELETE", "/mcp", status(200));
        Stage { home, server }
    }

    fn keep_session(&self) {
        let mut session = refreshable(&self.server.origin());
        session.requested.resource = vec![resource(&self.server.url("/mcp"))];
        self.home.keep("work", &session);
    }

    /// Writes these lines, closes standard input, and waits for the end.
    fn bridge(&self, arguments: &[&str], lines: &[&str]) -> Outcome {
        let input = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let mut command = self.home.oauth();
        command.args(["mcp", &self.server.url("/mcp")]).args(arguments);
        run_with_input(&mut command, input.as_bytes()).expect_code(0)
    }

    fn start(&self) -> Bridge {
        self.start_with(&[])
    }

    fn start_with(&self, arguments: &[&str]) -> Bridge {
        let mut command = self.home.oauth();
        command.args(["mcp", &self.server.url("/mcp")]).args(arguments);
        Bridge::start(&mut command, Stdio::null())
    }

    fn posts(&self) -> Vec<Request> {
        let mut requests = self.server.requests_to("/mcp");
        requests.retain(|request| request.method == "POST");
        requests
    }
}

fn request(id: u32, method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"odd":  [1]}}}}"#)
}

fn modern(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"add","_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}}}}"#
    )
}

fn response(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"a":1}}}}"#)
}

fn events(events: &[&str]) -> Reply {
    let body: String = events.iter().map(|event| format!("{event}\n\n")).collect();
    Reply::http(200, &["Content-Type: text/event-stream"], body)
}

fn error_message(line: &str) -> String {
    let message: Value = serde_json::from_str(line).unwrap();
    message["error"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{line}"))
        .to_owned()
}

#[test]
fn a_message_passes_unchanged_with_the_token_and_so_does_its_answer() {
    let stage = Stage::new();
    let pretty = "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1, \"result\": {\"ü\": \"\\n\"}\n}\n";
    stage.server.on("POST", "/mcp", json(200, pretty));
    let line = request(1, "tools/list");
    let outcome = stage.bridge(&["-H", "X-Tenant: a"], &[&line, ""]);
    assert_eq!(
        outcome.stdout,
        "{   \"jsonrpc\": \"2.0\",    \"id\": 1, \"result\": {\"ü\": \"\\n\"} }\n"
    );
    assert_eq!(outcome.stderr, "");
    let post = &stage.posts()[0];
    assert_eq!(post.body_text(), line);
    let header = |name: &str| post.header(name);
    assert_eq!(header("authorization"), Some(&*format!("Bearer {KEPT_ACCESS_TOKEN}")));
    assert_eq!(header("accept"), Some("application/json, text/event-stream"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("x-tenant"), Some("a"));
    assert_eq!(
        (
            header("mcp-protocol-version"),
            header("mcp-session-id"),
            header("mcp-method")
        ),
        (None, None, None)
    );
}

#[test]
fn the_old_era_has_a_session_with_its_headers_and_its_end() {
    let stage = Stage::new();
    let settled = Reply::http(200, &["Content-Type: application/json", "Mcp-Session-Id: s1"], SETTLED);
    stage
        .server
        .on_each("POST", "/mcp", vec![settled, status(202), json(200, &response(1))]);
    let mut client = stage.start();
    client.say(INITIALIZE);
    assert_eq!(client.next(), SETTLED);
    client.say(INITIALIZED);
    client.say(&request(1, "tools/list"));
    assert_eq!(client.next(), response(1));
    client.leave();
    let requests = stage.server.requests_to("/mcp");
    let headers: Vec<_> = requests
        .iter()
        .map(|request| {
            (
                request.method.as_str(),
                request.header("mcp-session-id"),
                request.header("mcp-protocol-version"),
            )
        })
        .collect();
    let in_session = |method| (method, Some("s1"), Some("2025-11-25"));
    assert_eq!(headers[0], ("POST", None, None));
    assert_eq!(headers[1], in_session("POST"));
    assert!(headers.contains(&in_session("GET")), "{headers:?}");
    assert_eq!(headers.last(), Some(&in_session("DELETE")));
}

#[test]
fn the_new_era_has_headers_and_no_session() {
    let stage = Stage::new();
    let answer = Reply::http(
        200,
        &["Content-Type: application/json", "Mcp-Session-Id: s1"],
        response(1),
    );
    stage.server.on("POST", "/mcp", answer);
    let outcome = stage.bridge(&[], &[&modern(1)]);
    assert_eq!(outcome.stdout, response(1) + "\n");
    let requests = stage.server.requests_to("/mcp");
    assert_eq!(requests.len(), 1, "neither GET nor DELETE");
    assert_eq!(requests[0].header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(requests[0].header("mcp-method"), Some("tools/call"));
    assert_eq!(requests[0].header("mcp-name"), Some("add"));
}

#[test]
fn a_stream_gives_its_messages_one_by_one() {
    let stage = Stage::new();
    let gate = Gate::new();
    let begun = Reply::bytes(
        *b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: hello\n\nid: 1\ndata:\n\ndata: {\"method\":\"n\"}\n\nevent: other\ndata: {\"method\":\"x\"}\n\ndata: not json\n\n",
    );
    let rest = format!("data: {}\n\n", response(1));
    stage
        .server
        .on("POST", "/mcp", begun.then_gate(&gate).then(rest).then_close());
    let mut client = stage.start();
    client.say(&request(1, "tools/call"));
    assert_eq!(client.next(), r#"{"method":"n"}"#);
    gate.open();
    assert_eq!(client.next(), response(1));
    client.leave();
}

#[test]
fn a_stream_that_stays_open_after_the_answer_holds_up_no_end() {
    let stage = Stage::new();
    let answered = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n",
        response(1)
    );
    stage
        .server
        .on("POST", "/mcp", Reply::bytes(answered.into_bytes()).then_silence());
    let mut client = stage.start();
    client.say(&request(1, "tools/call"));
    assert_eq!(client.next(), response(1));
    let closed = std::time::Instant::now();
    client.leave();
    // so long the bridge would wait for what is not answered
    assert!(closed.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn a_broken_stream_is_an_error_in_the_new_era_and_taken_up_again_in_the_old() {
    let stage = Stage::new();
    stage
        .server
        .on("POST", "/mcp", events(&["id: e7\nretry: 1\ndata: {\"method\":\"n\"}"]));
    let outcome = stage.bridge(&[], &[&modern(1)]);
    let mut lines = outcome.stdout.lines();
    assert_eq!(lines.next(), Some(r#"{"method":"n"}"#));
    assert!(
        error_message(lines.next().unwrap()).contains("ended the stream"),
        "{outcome:#?}"
    );
    assert_eq!(stage.server.requests().len(), 1, "it is not sent again");

    stage
        .server
        .on("GET", "/mcp", events(&[&format!("data: {}", response(2))]));
    let outcome = stage.bridge(&[], &[&request(2, "tools/call")]);
    assert_eq!(outcome.stdout, format!("{{\"method\":\"n\"}}\n{}\n", response(2)));
    let resumed = stage.server.requests().pop().unwrap();
    assert_eq!(
        (resumed.method.as_str(), resumed.header("last-event-id")),
        ("GET", Some("e7"))
    );
}

#[test]
fn a_server_that_lost_the_session_gets_the_initialization_again() {
    for lost in [
        status(404),
        json(
            400,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}"#,
        ),
    ] {
        let stage = Stage::new();
        let settled = |id: &str| {
            Reply::http(
                200,
                &["Content-Type: application/json", &format!("Mcp-Session-Id: {id}")],
                SETTLED,
            )
        };
        let replies = vec![
            settled("s1"),
            status(202),
            lost,
            settled("s2"),
            status(202),
            json(200, &response(1)),
        ];
        stage.server.on_each("POST", "/mcp", replies);
        let mut client = stage.start();
        client.say(INITIALIZE);
        client.next();
        client.say(INITIALIZED);
        client.say(&request(1, "tools/list"));
        assert_eq!(client.next(), response(1), "the client does not notice");
        client.leave();
        let posts = stage.posts();
        let bodies: Vec<&str> = posts.iter().map(Request::body_text).collect();
        let list = request(1, "tools/list");
        assert_eq!(bodies, [INITIALIZE, INITIALIZED, &list, INITIALIZE, INITIALIZED, &list]);
        assert_eq!(posts[5].header("mcp-session-id"), Some("s2"));
    }
}

#[test]
fn a_status_that_says_nothing_is_answered_with_what_to_do() {
    let stage = Stage::new();
    let url = stage.server.url("/mcp");
    for (answer, expected) in [(404, url.as_str()), (405, url.as_str()), (503, "later"), (429, "later")] {
        stage.server.on("POST", "/mcp", status(answer));
        let outcome = stage.bridge(&[], &[&modern(1)]);
        let message: Value = serde_json::from_str(outcome.stdout.trim()).unwrap();
        let hint = message["error"]["data"]["hints"][0].as_str().unwrap_or_default();
        assert!(hint.contains(expected), "{answer}: {message}");
        let text = message["error"]["message"].as_str().unwrap();
        assert!(text.contains(&answer.to_string()), "{message}");
        assert_eq!(text.contains(&url), expected == url, "{message}");
    }
}

#[test]
fn errors_of_the_server_pass_and_others_are_named_as_ours() {
    let stage = Stage::new();
    let own = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#;
    stage.server.on("POST", "/mcp", json(404, own));
    assert_eq!(stage.bridge(&[], &[&modern(1)]).stdout, format!("{own}\n"));
    for (answer, said) in [
        (Reply::http(500, &["Content-Type: text/html"], "<h1>"), "status 500"),
        (json(200, "{}"), "not a message"),
        (status(202), "no response"),
        (
            json(403, r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"bad origin"}}"#),
            "bad origin",
        ),
        (json(200, &response(9)), "no response"),
    ] {
        stage.server.on("POST", "/mcp", answer);
        let outcome = stage.bridge(&[], &[&modern(1)]);
        let last = outcome.stdout.lines().last().unwrap();
        let message = error_message(last);
        assert!(
            message.starts_with("oauth mcp: ") && message.contains(said),
            "{outcome:#?}"
        );
        assert!(last.contains(r#""id":1"#), "{last}");
    }
    let outcome = stage.bridge(&[], &["{", "{}"]);
    assert!(
        outcome.stdout.contains("-32700") && outcome.stdout.contains("-32600"),
        "{outcome:#?}"
    );
}

#[test]
fn a_token_that_is_not_taken_is_refreshed_once_for_all_messages() {
    let stage = Stage::new();
    stage.server.on_call("POST", "/mcp", |request| {
        match request.header("authorization") == Some(&*format!("Bearer {NEW_TOKEN}")) {
            true => {
                let message: Value = serde_json::from_str(request.body_text()).unwrap();
                json(200, &response(u32::try_from(message["id"].as_u64().unwrap()).unwrap()))
            }
            false => Reply::http(401, &["WWW-Authenticate: Bearer error=\"invalid_token\""], ""),
        }
    });
    let mut client = stage.start();
    for id in 1..=20 {
        client.say(&modern(id));
    }
    // all of them before the end, which a bridge does not wait for long
    let mut answers: Vec<String> = (1..=20).map(|_| client.next()).collect();
    client.leave();
    answers.sort_unstable();
    let mut expected: Vec<String> = (1..=20).map(response).collect();
    expected.sort_unstable();
    assert_eq!(answers, expected);
    assert_eq!(stage.server.requests_to("/token").len(), 1);
}

#[test]
fn without_a_session_the_answer_is_the_command_and_it_goes_on_after_a_login() {
    let stage = Stage::without_session();
    stage.server.on("POST", "/mcp", json(200, &response(2)));
    let mut client = stage.start();
    client.say(&modern(1));
    let message = error_message(&client.next());
    assert!(message.contains("oauth login work"), "{message}");
    client.say(INITIALIZE);
    let message = error_message(&client.next());
    assert!(message.contains("Then restart this server in your client"), "{message}");
    stage.keep_session();
    client.say(&modern(2));
    assert_eq!(client.next(), response(2));
    client.leave();
    // no profile at all
    stage.home.configure("");
    let outcome = stage.bridge(&[], &[&modern(3)]);
    let command = format!("oauth login {}", stage.server.url("/mcp"));
    assert!(error_message(outcome.stdout.trim()).contains(&command), "{outcome:#?}");
}

#[test]
fn a_missing_scope_is_answered_with_the_login_that_asks_for_it() {
    let stage = Stage::new();
    let challenge = "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"notes\"";
    stage.server.on("POST", "/mcp", Reply::http(403, &[challenge], ""));
    let outcome = stage.bridge(&[], &[&modern(1)]);
    let message = error_message(outcome.stdout.trim());
    assert!(message.contains("oauth login work --scope notes"), "{message}");
}

/// Logins at this stage bring [`NEW_TOKEN`] with the scope `notes`.
#[cfg(unix)]
fn offer_notes(stage: &Stage) -> FakeBrowser {
    let browser = FakeBrowser::new(stage.home.path());
    let origin = stage.server.origin();
    let configuration = stage.home.configuration();
    stage
        .home
        .configure(&format!("{configuration}browser = \"{}\"\n", browser.command()));
    let metadata = authorization_server::metadata(&origin);
    let well_known = "/.well-known/oauth-authorization-server";
    stage.server.on("GET", well_known, json(200, &metadata));
    let answer =
        format!(r#"{{"access_token":"{NEW_TOKEN}","token_type":"Bearer","expires_in":3600,"scope":"read notes"}}"#);
    stage.server.on("POST", "/token", json(200, &answer));
    browser
}

fn insufficient_scope() -> Reply {
    let challenge = "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"notes\"";
    Reply::http(403, &[challenge], "")
}

// the browser is a script
#[cfg(unix)]
#[test]
fn one_login_brings_a_missing_scope_to_all_messages() {
    let stage = Stage::new();
    let browser = offer_notes(&stage);
    stage.server.on_call("POST", "/mcp", |request| {
        let is_wide = request.header("authorization") == Some(&*format!("Bearer {NEW_TOKEN}"));
        let message: Value = serde_json::from_str(request.body_text()).unwrap();
        match is_wide {
            true => json(200, &response(u32::try_from(message["id"].as_u64().unwrap()).unwrap())),
            false => insufficient_scope(),
        }
    });
    let mut client = stage.start_with(&["--login"]);
    (1..=5).for_each(|id| client.say(&modern(id)));
    stage.server.wait_for("/mcp", 5);
    consent(&browser.wait_for_url(), &stage.server.origin());
    let mut answers: Vec<String> = (1..=5).map(|_| client.next()).collect();
    answers.sort();
    assert_eq!(answers, (1..=5).map(response).collect::<Vec<_>>());
    assert_eq!(stage.server.requests_to("/token").len(), 1);
    client.leave();
}

// the browser is a script
#[cfg(unix)]
#[test]
fn a_login_for_a_scope_is_not_repeated_where_it_has_not_helped() {
    for granted in ["read notes", "read"] {
        let stage = Stage::new();
        let browser = offer_notes(&stage);
        let answer =
            format!(r#"{{"access_token":"{NEW_TOKEN}","token_type":"Bearer","expires_in":3600,"scope":"{granted}"}}"#);
        stage.server.on("POST", "/token", json(200, &answer));
        stage.server.on("POST", "/mcp", insufficient_scope());
        let mut client = stage.start_with(&["--login"]);
        client.say(&modern(1));
        consent(&browser.wait_for_url(), &stage.server.origin());
        let first = error_message(&client.next());
        client.say(&modern(2));
        for message in [first, error_message(&client.next())] {
            let is_told = message.contains("although the authorization server granted it");
            assert_eq!(is_told, granted.contains("notes"), "{message}");
            assert!(message.contains("oauth login work --scope "), "{message}");
        }
        assert_eq!(stage.server.requests_to("/token").len(), 1);
        client.leave();
    }
}

#[test]
fn a_cancelled_request_of_the_new_era_ends_its_stream_and_is_not_posted() {
    let stage = Stage::new();
    let head = *b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"method\":\"begun\"}\n\n";
    stage.server.on("POST", "/mcp", Reply::bytes(head).then_silence());
    let mut client = stage.start();
    client.say(&modern(1));
    assert_eq!(client.next(), r#"{"method":"begun"}"#);
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    client.leave();
    assert_eq!(stage.server.requests().len(), 1);
}

#[test]
fn a_cancelled_request_of_the_old_era_is_posted() {
    let stage = Stage::new();
    let gate = Gate::new();
    let cancelled = gate.clone();
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let answer = json(200, &response(1)).after_gate(&gate);
    stage
        .server
        .on_call("POST", "/mcp", move |request| match request.body_text() == cancel {
            true => {
                cancelled.open();
                status(202)
            }
            false => answer.clone(),
        });
    let mut client = stage.start();
    client.say(&request(1, "tools/call"));
    stage.server.wait_for("/mcp", 1);
    client.say(cancel);
    stage.server.wait_for("/mcp", 2);
    assert_eq!(stage.posts()[1].body_text(), cancel);
}

#[test]
fn a_message_of_ten_mebibytes_passes_both_ways() {
    let stage = Stage::new();
    stage.server.on_call("POST", "/mcp", |request| {
        let message: Value = serde_json::from_slice(&request.body).unwrap();
        let text = &message["params"]["text"];
        json(
            200,
            &format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"text":{text}}}}}"#),
        )
    });
    let text = "x".repeat(10 * 1024 * 1024);
    let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"echo","params":{{"text":"{text}"}}}}"#);
    let outcome = stage.bridge(&[], &[&line]);
    assert!(outcome.stdout == format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"text\":\"{text}\"}}}}\n"));
}

#[test]
fn headers_of_the_protocol_and_uncovered_servers_are_refused() {
    let stage = Stage::new();
    for header in ["Mcp-Session-Id: x", "Accept: x", "Authorization: x"] {
        let mut command = stage.home.oauth();
        command.args(["mcp", &stage.server.url("/mcp"), "-H", header]);
        run_with_input(&mut command, b"").expect_error(2);
    }
    let other = LiteralServer::start();
    let mut command = stage.home.oauth();
    command.args(["mcp", "-p", "work", &other.url("/mcp")]);
    let outcome = run_with_input(&mut command, format!("{}\n", modern(1)).as_bytes()).expect_code(0);
    assert!(
        error_message(outcome.stdout.trim()).contains("may not go to"),
        "{outcome:#?}"
    );
    assert_eq!(other.requests().len(), 0);
}
