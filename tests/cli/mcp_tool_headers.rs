//! `oauth mcp` and the headers that tools declare for their arguments
//! (`x-mcp-header`): learned from lists, sent with calls, asked for again.

use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::literal_server::{LiteralServer, Reply, Request, json as answer};
use super::support::outcome::run_with_input;
use super::support::sessions::{refreshable, resource};
use serde_json::{Value, json};
use std::fs::File;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c"},"progressToken":"of-this-call"}"#;

struct Stage {
    home: Home,
    server: LiteralServer,
}

impl Stage {
    fn new() -> Self {
        let (home, server) = (Home::new(), LiteralServer::start());
        let origin = server.origin();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{origin}\"\nclient_id = \"desktop\"\nresource = [\"{origin}/mcp\"]\n"
        ));
        let mut session = refreshable(&origin);
        session.requested.resource = vec![resource(&server.url("/mcp"))];
        home.keep("work", &session);
        Stage { home, server }
    }

    fn start(&self) -> Bridge {
        let stderr = File::create(self.home.path().join("stderr")).unwrap();
        Bridge::start(self.home.oauth().args(["mcp", &self.server.url("/mcp")]), stderr)
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stderr")).unwrap()
    }
}

fn list(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{{META}}}}}"#)
}

fn call(id: u32, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"sql","arguments":{arguments},{META}}}}}"#
    )
}

fn result(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

/// A tool whose `region` goes into this header.
fn tool(name: &str, header: &str) -> String {
    json!({ "name": name, "inputSchema": { "properties": { "region": { "type": "string", "x-mcp-header": header } } } })
        .to_string()
}

/// A page of a list; the identifier is as it is written.
fn page(id: &str, tools: &[String], next: Option<&str>) -> String {
    let next = next.map_or_else(String::new, |next| format!(r#","nextCursor":"{next}""#));
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[{}]{next}}}}}"#,
        tools.join(",")
    )
}

fn mismatch(id: u32) -> Reply {
    let error = r#"{"code":-32020,"message":"Mcp-Param-Region is missing"}"#;
    answer(400, &format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#))
}

#[test]
fn an_argument_that_a_tool_declares_is_repeated_in_a_header() {
    for in_stream in [false, true] {
        let stage = Stage::new();
        let listed = page("1", &[tool("sql", "Region"), tool("other", "Zone")], None);
        let listing = match in_stream {
            false => answer(200, &listed),
            true => Reply::http(200, &["Content-Type: text/event-stream"], format!("data: {listed}\n\n")),
        };
        let replies = vec![listing, answer(200, &result(2)), answer(200, &result(3))];
        stage.server.on_each("POST", "/mcp", replies);
        let mut client = stage.start();
        client.say(&list(1));
        assert_eq!(client.next(), listed);
        client.say(&call(2, r#"{"region":"Köln\r\nHost: evil"}"#));
        assert_eq!(client.next(), result(2));
        client.say(&call(3, r#"{"region":null}"#));
        assert_eq!(client.next(), result(3));
        client.leave();
        let posts = stage.server.requests_to("/mcp");
        let regions: Vec<_> = posts.iter().map(|post| post.header("mcp-param-region")).collect();
        assert_eq!(regions, [None, Some("=?base64?S8O2bG4NCkhvc3Q6IGV2aWw=?="), None]);
        assert!(posts.iter().all(|post| post.header("mcp-param-zone").is_none()));
    }
}

#[test]
fn a_tool_with_an_invalid_declaration_is_left_out_of_the_list_with_a_warning() {
    let stage = Stage::new();
    let listed = page("1", &[tool("bad\u{1b}[2J", "two words"), tool("sql", "Region")], None);
    stage.server.on("POST", "/mcp", answer(200, &listed));
    let mut client = stage.start();
    client.say(&list(1));
    assert_eq!(client.next(), page("1", &[tool("sql", "Region")], None));
    client.say(&list(1));
    assert_eq!(client.next(), page("1", &[tool("sql", "Region")], None));
    client.leave();
    let warning = "warning: the tool bad\\u{1b}[2J is left out of the list: x-mcp-header \"two words\" is not the name of a header\n";
    assert_eq!(stage.stderr(), warning, "once");
}

#[test]
fn lists_of_the_old_era_pass_unchanged() {
    let stage = Stage::new();
    let listed = page("1", &[tool("bad", "two words"), tool("sql", "Region")], None);
    stage.server.on("POST", "/mcp", answer(200, &listed));
    let mut client = stage.start();
    client.say(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(client.next(), listed);
    client.say(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sql","arguments":{"region":"a"}}}"#);
    client.next();
    client.leave();
    let posts = stage.server.requests_to("/mcp");
    assert!(posts.iter().all(|post| post.header("mcp-param-region").is_none()));
}

/// A server that wants the header `Region`, has it on the second page of its
/// list, and refuses a call without it.
fn strict_server(stage: &Stage) {
    stage.server.on_call("POST", "/mcp", |request: &Request| {
        let message: Value = serde_json::from_str(request.body_text()).unwrap();
        let id = message["id"].to_string();
        match (message["method"].as_str(), message["params"]["cursor"].as_str()) {
            (Some("tools/list"), None) => answer(200, &page(&id, &[tool("other", "Zone")], Some("c2"))),
            (Some("tools/list"), _) => answer(200, &page(&id, &[tool("sql", "Region")], Some("c3"))),
            _ if request.header("mcp-param-region") == Some("eu") => answer(200, &result(7)),
            _ => mismatch(7),
        }
    });
}

#[test]
fn a_header_that_the_server_misses_is_looked_up_and_the_call_sent_once_more() {
    let stage = Stage::new();
    strict_server(&stage);
    let mut client = stage.start();
    client.say(&call(7, r#"{"region":"eu"}"#));
    assert_eq!(client.next(), result(7));
    client.say(&call(7, r#"{"region":"eu"}"#));
    assert_eq!(client.next(), result(7));
    client.leave();
    let posts = stage.server.requests_to("/mcp");
    let methods: Vec<_> = posts.iter().map(|post| post.header("mcp-method").unwrap()).collect();
    let (call, list) = ("tools/call", "tools/list");
    assert_eq!(
        methods,
        [call, list, list, call, call],
        "the list ends where the tool is found"
    );
    let asked: Value = serde_json::from_str(posts[2].body_text()).unwrap();
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo": { "name": "c" } });
    assert_eq!(asked["params"], json!({ "_meta": meta, "cursor": "c2" }));
}

#[test]
fn a_mismatch_that_the_list_does_not_explain_reaches_the_client() {
    let stage = Stage::new();
    strict_server(&stage);
    let mut client = stage.start();
    for arguments in [r#"{"region":"us"}"#, "{}"] {
        client.say(&call(7, arguments));
        assert!(client.next().contains("-32020"), "{arguments}");
    }
    client.leave();
    // the first call is sent again with the header that was learned, the second has none
    let posts = stage.server.requests_to("/mcp");
    let calls = posts
        .iter()
        .filter(|post| post.header("mcp-method") == Some("tools/call"));
    assert_eq!(calls.count(), 3);
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let stage = Stage::new();
    stage.server.on_call("POST", "/mcp", |request: &Request| {
        let message: Value = serde_json::from_str(request.body_text()).unwrap();
        match message["method"].as_str() {
            Some("tools/list") => answer(200, &page(&message["id"].to_string(), &[], Some("again"))),
            _ => mismatch(7),
        }
    });
    let mut client = stage.start();
    client.say(&call(7, r#"{"region":"eu"}"#));
    assert!(client.next().contains("-32020"));
    client.leave();
    assert_eq!(stage.server.requests_to("/mcp").len(), 51);
}

#[test]
fn headers_of_arguments_are_not_taken_from_the_command_line() {
    let stage = Stage::new();
    for header in ["Mcp-Param-Region: x", "Mcp-Method: x", "Mcp-Name: x"] {
        let mut command = stage.home.oauth();
        command.args(["mcp", &stage.server.url("/mcp"), "-H", header]);
        run_with_input(&mut command, b"").expect_error(2);
    }
}
