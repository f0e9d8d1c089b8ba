//! The Model Context Protocol server in both eras, and the notes.

use super::*;
use crate::server::message::Ending;
use serde_json::json as value;

const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A token for `/mcp`.
fn token(fixture: &Fixture, scope: &str) -> String {
    let more = format!(
        "&scope={}&resource={}",
        encode(scope),
        encode("http://127.0.0.1:9000/mcp")
    );
    let tokens = fixture.tokens(&more);
    tokens["access_token"].as_str().unwrap().to_owned()
}

fn send(fixture: &Fixture, method: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> Response {
    let bearer = format!("Bearer {token}");
    let mut all = vec![ACCEPT, JSON, ("authorization", bearer.as_str())];
    all.extend(headers);
    let body = if method == "POST" {
        body.to_string()
    } else {
        String::new()
    };
    fixture.send(method, "/mcp", &all, &body)
}

fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = value!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": "p",
    });
    value!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

fn send_modern(fixture: &Fixture, token: &str, body: &Value) -> Response {
    let method = body["method"].as_str().unwrap();
    let name = body["params"]["name"].as_str();
    let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    headers.extend(name.map(|name| ("mcp-name", name)));
    send(fixture, "POST", token, &headers, body)
}

fn call(tool: &str, arguments: Value) -> Value {
    value!({ "name": tool, "arguments": arguments })
}

fn legacy(method: &str, params: Value) -> Value {
    value!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params })
}

fn initialize(fixture: &Fixture, token: &str, version: &str) -> (Value, String) {
    let request = legacy("initialize", value!({ "protocolVersion": version, "capabilities": {} }));
    let response = send(fixture, "POST", token, &[], &request);
    let id = response.header("mcp-session-id").expect("a session").to_owned();
    (json(&response, 200)["result"].clone(), id)
}

fn messages(events: &str) -> Vec<Value> {
    let data = events.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[test]
fn without_a_token_for_it_every_method_is_challenged_with_its_metadata() {
    let fixture = Fixture::auto();
    let for_api = fixture.tokens("");
    let metadata = "resource_metadata=\"http://127.0.0.1:9000/.well-known/oauth-protected-resource/mcp\"";
    for method in ["GET", "POST", "DELETE"] {
        let response = fixture.send(method, "/mcp", &[ACCEPT, JSON], "{}");
        let challenge = response.header("www-authenticate").unwrap();
        assert_eq!(response.status, 401);
        assert!(
            challenge.contains(metadata) && challenge.contains("scope=\"hello\""),
            "{challenge}"
        );
        let response = send(
            &fixture,
            method,
            for_api["access_token"].as_str().unwrap(),
            &[],
            &value!({}),
        );
        assert_eq!(json(&response, 401)["error"], "invalid_token");
    }
    let document = json(&fixture.open("/.well-known/oauth-protected-resource/mcp"), 200);
    assert_eq!(document["resource"], "http://127.0.0.1:9000/mcp");
    assert_eq!(document["authorization_servers"], value!(["http://127.0.0.1:9000"]));
    assert_eq!(document["scopes_supported"], value!(["hello", "notes"]));
}

#[test]
fn a_modern_request_says_all_and_is_answered_without_a_session() {
    let fixture = Fixture::auto();
    let token = token(&fixture, "hello");
    let found = json(
        &send_modern(&fixture, &token, &modern("server/discover", value!({}))),
        200,
    );
    assert_eq!(found["result"]["supportedVersions"][0], "2026-07-28");
    assert_eq!(found["result"]["resultType"], "complete");
    let tools = json(&send_modern(&fixture, &token, &modern("tools/list", value!({}))), 200);
    let names: Vec<&str> = tools["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["hello", "add_note"]);
    assert_eq!(tools["result"]["cacheScope"], "public");
    let response = send_modern(&fixture, &token, &modern("tools/call", call("hello", value!({}))));
    assert_eq!(response.header("mcp-session-id"), None);
    let answer = json(&response, 200);
    assert_eq!(answer["id"], 7);
    assert_eq!(answer["result"]["content"][0]["text"], "Hello, demo!");
    assert_eq!(answer["result"]["structuredContent"]["client_id"], "oauth-cli");
}

#[test]
fn a_modern_request_that_says_too_little_or_two_things_is_refused() {
    let fixture = Fixture::auto();
    let token = token(&fixture, "hello");
    let good = modern("tools/call", call("hello", value!({})));
    let version = ("mcp-protocol-version", "2026-07-28");
    let method = ("mcp-method", "tools/call");
    let name = ("mcp-name", "hello");
    let without = |member: &str| {
        let mut body = good.clone();
        body["params"]["_meta"]
            .as_object_mut()
            .unwrap()
            .remove(&format!("io.modelcontextprotocol/{member}"));
        body
    };
    let mut other = good.clone();
    other["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = value!("2099-01-01");
    let unknown = modern("tools/stop", value!({}));
    for (headers, body, status, code) in [
        (vec![method, name], &good, 400, -32020),
        (vec![version, name], &good, 400, -32020),
        (vec![version, method], &good, 400, -32020),
        (vec![version, method, ("mcp-name", "add_note")], &good, 400, -32020),
        (
            vec![("mcp-protocol-version", "2025-11-25"), method, name],
            &good,
            400,
            -32020,
        ),
        (vec![version, version, method, name], &good, 400, -32020),
        (vec![version, method, name], &without("protocolVersion"), 400, -32602),
        (vec![version, method, name], &without("clientCapabilities"), 400, -32602),
        (
            vec![("mcp-protocol-version", "2099-01-01"), method, name],
            &other,
            400,
            -32022,
        ),
        (vec![version, ("mcp-method", "tools/stop")], &unknown, 404, -32601),
    ] {
        let answer = json(&send(&fixture, "POST", &token, &headers, body), status);
        assert_eq!(answer["error"]["code"], code, "{headers:?}");
        assert_eq!(answer["id"], 7);
    }
    let encoded = [version, method, ("mcp-name", "=?base64?aGVsbG8=?=")];
    assert_eq!(send(&fixture, "POST", &token, &encoded, &good).status, 200);
    let answer = json(&send_modern(&fixture, &token, &other), 400);
    assert_eq!(answer["error"]["code"], -32020, "the header says another version");
}

#[test]
fn a_tool_that_wants_another_scope_is_refused_with_a_challenge_for_it() {
    let fixture = Fixture::auto();
    let narrow = token(&fixture, "hello");
    let body = modern("tools/call", call("add_note", value!({ "text": "milk" })));
    let response = send_modern(&fixture, &narrow, &body);
    assert_eq!(json(&response, 403)["error"], "insufficient_scope");
    let challenge = response.header("www-authenticate").unwrap();
    for part in [
        "error=\"insufficient_scope\"",
        "scope=\"notes\"",
        "protected-resource/mcp\"",
    ] {
        assert!(challenge.contains(part), "{challenge}");
    }
    let answer = json(&send_modern(&fixture, &token(&fixture, "hello notes"), &body), 200);
    assert_eq!(answer["result"]["structuredContent"], value!({ "number": 1 }));
}

#[test]
fn wrong_arguments_are_a_result_and_an_unknown_tool_an_error() {
    let fixture = Fixture::auto();
    let token = token(&fixture, "hello notes");
    for arguments in [
        value!({}),
        value!({ "text": 7 }),
        value!({ "text": "a", "more": 1 }),
        value!({ "text": "a", "delivery": "post" }),
        value!({ "text": "x".repeat(5_000) }),
    ] {
        let body = modern("tools/call", call("add_note", arguments.clone()));
        let answer = json(&send_modern(&fixture, &token, &body), 200);
        assert_eq!(answer["result"]["isError"], true, "{arguments}");
    }
    let answer = json(
        &send_modern(&fixture, &token, &modern("tools/call", call("rm", value!({})))),
        200,
    );
    assert_eq!(answer["error"]["code"], -32602);
}

#[test]
fn a_modern_stream_ends_with_the_answer_or_breaks_for_good() {
    let fixture = Fixture::auto();
    let token = token(&fixture, "hello");
    for (delivery, ending, count) in [("stream", Ending::Complete, 2), ("broken-stream", Ending::BreaksOff, 1)] {
        let body = modern("tools/call", call("hello", value!({ "delivery": delivery })));
        let response = send_modern(&fixture, &token, &body);
        assert_eq!(response.header("content-type"), Some("text/event-stream"));
        assert_eq!(response.ending, ending);
        let found = messages(text(&response));
        assert_eq!(found.len(), count);
        assert_eq!(found[0]["params"]["progressToken"], "p");
        assert!(!text(&response).contains("id: "));
    }
    let response = send_modern(
        &fixture,
        &token,
        &modern("subscriptions/listen", value!({ "notifications": {} })),
    );
    assert_eq!(response.ending, Ending::StaysOpen);
    let first = &messages(text(&response))[0];
    assert_eq!(first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
}

#[test]
fn a_session_begins_with_initialize_and_ends_with_delete() {
    let fixture = Fixture::auto();
    let token = token(&fixture, "hello");
    for (asked, agreed) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-03-26", "2025-03-26"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        assert_eq!(initialize(&fixture, &token, asked).0["protocolVersion"], agreed);
    }
    let (_, id) = initialize(&fixture, &token, "2025-11-25");
    let in_session = [("mcp-session-id", id.as_str()), ("mcp-protocol-version", "2025-11-25")];
    let initialized = value!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let response = send(&fixture, "POST", &token, &in_session, &initialized);
    assert_eq!((response.status, response.body.len()), (202, 0));
    let answer = json(
        &send(
            &fixture,
            "POST",
            &token,
            &in_session,
            &legacy("tools/call", call("hello", value!({}))),
        ),
        200,
    );
    assert_eq!(answer["result"]["content"][0]["text"], "Hello, demo!");
    assert!(answer["result"].get("resultType").is_none());
    let answer = json(
        &send(&fixture, "POST", &token, &in_session, &legacy("ping", value!({}))),
        200,
    );
    assert_eq!(answer["result"], value!({}));
    let answer = json(
        &send(
            &fixture,
            "POST",
            &token,
            &in_session,
            &legacy("prompts/list", value!({})),
        ),
        200,
    );
    assert_eq!(answer["error"]["code"], -32601);

    assert_eq!(send(&fixture, "DELETE", &token, &in_session, &Value::Null).status, 204);
    for method in ["POST", "GET", "DELETE"] {
        let response = send(&fixture, method, &token, &in_session, &legacy("ping", value!({})));
        assert_eq!(response.status, 404, "{method}");
    }
}

#[test]
fn a_session_is_of_its_user_and_client_alone() {
    let fixture = Fixture::auto();
    let own = token(&fixture, "hello");
    let (_, id) = initialize(&fixture, &own, "2025-11-25");
    let form = format!(
        "grant_type=client_credentials&resource={}",
        encode("http://127.0.0.1:9000/mcp")
    );
    let basic = crate::protocol::abnf::base64(format!("{CONFIDENTIAL}:{}", encode(CLIENT_SECRET)).as_bytes());
    let other = json(
        &fixture.post_with("/token", &form, &[("authorization", &format!("Basic {basic}"))]),
        200,
    );
    let other = other["access_token"].as_str().unwrap();
    let ping = legacy("ping", value!({}));
    for (token, headers, status) in [
        (own.as_str(), vec![("mcp-session-id", id.as_str())], 200),
        (other, vec![("mcp-session-id", &id)], 404),
        (&own, vec![("mcp-session-id", "x")], 404),
        (&own, vec![], 400),
        (&own, vec![("mcp-protocol-version", "2025-11-25")], 400),
        (
            &own,
            vec![("mcp-session-id", &id), ("mcp-protocol-version", "2024-01-01")],
            400,
        ),
    ] {
        assert_eq!(
            send(&fixture, "POST", token, &headers, &ping).status,
            status,
            "{headers:?}"
        );
    }
}

#[test]
fn a_broken_stream_goes_on_where_it_broke() {
    let fixture = Fixture::auto();
    let token = token(&fixture, "hello");
    let (_, id) = initialize(&fixture, &token, "2025-11-25");
    let session = ("mcp-session-id", id.as_str());
    let mut params = call("hello", value!({ "delivery": "broken-stream" }));
    params["_meta"] = value!({ "progressToken": 1 });
    let broken = send(&fixture, "POST", &token, &[session], &legacy("tools/call", params));
    assert_eq!(broken.ending, Ending::BreaksOff);
    let events = text(&broken);
    assert!(events.starts_with("id: 1-0\nretry: 100\ndata:\n\n"), "{events}");
    assert_eq!(messages(events).len(), 1, "the progress alone");
    for (last, count) in [("1-0", 2), ("1-1", 1), ("1-2", 0)] {
        let response = send(
            &fixture,
            "GET",
            &token,
            &[session, ("last-event-id", last)],
            &Value::Null,
        );
        assert_eq!((response.status, response.ending), (200, Ending::Complete));
        let rest = messages(text(&response));
        assert_eq!(rest.len(), count, "{last}");
        if let Some(answer) = rest.last() {
            assert_eq!(answer["result"]["content"][0]["text"], "Hello, demo!");
        }
    }
    for unknown in ["1-3", "9-0", "x", "-"] {
        let response = send(
            &fixture,
            "GET",
            &token,
            &[session, ("last-event-id", unknown)],
            &Value::Null,
        );
        assert_eq!(response.status, 400, "{unknown}");
    }
    let open = send(&fixture, "GET", &token, &[session], &Value::Null);
    assert_eq!((open.status, open.ending), (200, Ending::StaysOpen));
    let again = send(
        &fixture,
        "GET",
        &token,
        &[session, ("last-event-id", "2-0")],
        &Value::Null,
    );
    assert_eq!(again.ending, Ending::StaysOpen);
}

#[test]
fn what_is_not_of_the_protocol_is_refused_before_anything_is_done() {
    let fixture = Fixture::auto();
    let bearer = format!("Bearer {}", token(&fixture, "hello"));
    let authorization = ("authorization", bearer.as_str());
    for (headers, body, status) in [
        (vec![authorization, ACCEPT], "{}", 415),
        (vec![authorization, ACCEPT, ("content-type", "text/plain")], "{}", 415),
        (vec![authorization, JSON], "{}", 406),
        (vec![authorization, JSON, ("accept", "application/json")], "{}", 406),
        (vec![authorization, JSON, ("accept", "*/*")], "{", 400),
        (vec![authorization, JSON, ACCEPT], "[]", 400),
        (
            vec![authorization, JSON, ACCEPT, ("origin", "https://evil.example")],
            "{}",
            403,
        ),
    ] {
        assert_eq!(
            fixture.send("POST", "/mcp", &headers, body).status,
            status,
            "{headers:?} {body}"
        );
    }
    let foreign = [authorization, ACCEPT, ("origin", "https://evil.example")];
    assert_eq!(fixture.send("GET", "/mcp", &foreign, "").status, 403);
}

#[test]
fn notes_want_their_scope_and_are_kept_for_their_user() {
    let fixture = Fixture::auto();
    let token = |scope: &str| {
        let tokens = fixture.tokens(&format!("&scope={}", encode(scope)));
        format!("Bearer {}", tokens["access_token"].as_str().unwrap())
    };
    let post = |token: &str, media_type: &str, body: &str| {
        let headers = [("authorization", token), ("content-type", media_type)];
        fixture.send("POST", "/api/notes", &headers, body)
    };
    let narrow = post(&token("hello"), "application/json", r#"{"text":"a"}"#);
    assert_eq!(json(&narrow, 403)["error"], "insufficient_scope");
    assert!(
        narrow
            .header("www-authenticate")
            .unwrap()
            .contains("scope=\"hello notes\"")
    );
    let wide = token("hello notes");
    assert_eq!(
        json(&post(&wide, "application/json", r#"{"text":"a"}"#), 201),
        value!({ "number": 1, "text": "a" })
    );
    assert_eq!(post(&wide, "application/x-www-form-urlencoded", "text=b").status, 201);
    for (media_type, body) in [
        ("text/plain", "c"),
        ("application/json", "[]"),
        ("application/json", "{}"),
    ] {
        assert_eq!(post(&wide, media_type, body).status, 400, "{body}");
    }
    let list = fixture.send("GET", "/api/notes", &[("authorization", &token("hello"))], "");
    assert_eq!(json(&list, 200), value!({ "notes": ["a", "b"] }));
}
