//! Requests that show what a server of the Model Context Protocol wants of its
//! clients: such servers challenge POST alone. None of them changes anything.

use super::http::{HeaderValue, HttpRequest, HttpResponse, USER_AGENT};
use super::json::parse_object;
use serde_json::{Value, json};
use url::Url;

/// The revision without a handshake.
const STATELESS_REVISION: &str = "2026-07-28";

/// The last revision that begins with `initialize`.
const HANDSHAKE_REVISION: &str = "2025-11-25";

/// Both forms in which a server may answer a POST.
const ACCEPT: &str = "application/json, text/event-stream";

/// Errors that servers of the stateless revision alone send (MCP 2026-07-28, Basic, Error Codes).
const STATELESS_ERRORS: std::ops::RangeInclusive<i64> = -32_099..=-32_020;

/// A GET that takes whatever an API answers.
pub fn get_request(url: Url) -> HttpRequest {
    let mut request = HttpRequest::get_from_resource(url);
    request.headers = vec![("accept".into(), HeaderValue::Plain(ACCEPT.to_owned()))];
    request
}

/// `server/discover`, which every server of revision 2026-07-28 answers.
pub fn discover_request(url: Url) -> HttpRequest {
    let message = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "server/discover",
        "params": { "_meta": {
            "io.modelcontextprotocol/protocolVersion": STATELESS_REVISION,
            "io.modelcontextprotocol/clientInfo": client_info(),
            "io.modelcontextprotocol/clientCapabilities": {},
        }},
    });
    let headers = [
        ("mcp-protocol-version", STATELESS_REVISION),
        ("mcp-method", "server/discover"),
    ];
    message_request(url, &message, &headers)
}

/// `initialize`, for servers of the revisions up to 2025-11-25.
pub fn initialize_request(url: Url) -> HttpRequest {
    let message = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": HANDSHAKE_REVISION,
            "capabilities": {},
            "clientInfo": client_info(),
        },
    });
    message_request(url, &message, &[])
}

/// Whether an answer with status 400 is an error of a server that knows
/// revision 2026-07-28, so that `initialize` would not help.
pub fn is_stateless_error(response: &HttpResponse) -> bool {
    let object = parse_object(response.body.expose()).ok();
    let code = object.and_then(|object| object.get("error")?.get("code").and_then(Value::as_i64));
    code.is_some_and(|code| STATELESS_ERRORS.contains(&code))
}

fn client_info() -> Value {
    let (name, version) = USER_AGENT.split_once('/').unwrap_or((USER_AGENT, ""));
    json!({ "name": name, "version": version })
}

fn message_request(url: Url, message: &Value, headers: &[(&'static str, &str)]) -> HttpRequest {
    let mut request = HttpRequest {
        is_to_resource: true,
        ..HttpRequest::post_json(url, message.to_string())
    };
    request.headers = vec![("accept".into(), HeaderValue::Plain(ACCEPT.to_owned()))];
    let headers = headers.iter();
    request
        .headers
        .extend(headers.map(|(name, value)| ((*name).into(), HeaderValue::Plain((*value).to_owned()))));
    request
}
