//! What each request of 2026-07-28 must say: its version, what the client can
//! do, and in headers what is in the body (Streamable HTTP, "Request
//! Metadata" and "Server Validation"; Overview, "Per-request protocol fields").

use super::message::{HEADER_MISMATCH, INVALID_PARAMS, RpcError, RpcRequest, UNSUPPORTED_VERSION};
use super::{LEGACY_VERSIONS, MODERN_VERSION};
use crate::protocol::abnf::from_base64;
use crate::server::message::Request;
use serde_json::{Value, json};

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// How long lists may be kept.
const TTL_MS: u32 = 60_000;

/// Whether the request is of this era: it says its version itself, or in a
/// header that no session goes with.
pub(crate) fn is_modern(http: &Request, request: &RpcRequest) -> bool {
    let header = http.headers("mcp-protocol-version").next();
    let has_session = http.headers("mcp-session-id").next().is_some();
    let says_so = request.meta(PROTOCOL_VERSION).is_some();
    let by_header = !has_session && header.is_some_and(|version| !LEGACY_VERSIONS.contains(&version));
    request.method != "initialize" && (says_so || by_header)
}

/// Whether the request says what it must.
///
/// # Errors
/// [`RpcError`] with status 400.
pub(crate) fn check(http: &Request, request: &RpcRequest) -> Result<(), RpcError> {
    let Some(version) = request.meta(PROTOCOL_VERSION).and_then(Value::as_str) else {
        let problem = format!("_meta has no {PROTOCOL_VERSION}");
        return Err(RpcError::new(400, INVALID_PARAMS, problem));
    };
    check_header(http, "mcp-protocol-version", version)?;
    if version != MODERN_VERSION {
        return Err(RpcError {
            data: Some(json!({ "supported": supported_versions(), "requested": version })),
            ..RpcError::new(400, UNSUPPORTED_VERSION, "Unsupported protocol version")
        });
    }
    check_header(http, "mcp-method", &request.method)?;
    let named = match request.method.as_str() {
        "tools/call" | "prompts/get" => request.text("name"),
        "resources/read" => request.text("uri"),
        _ => None,
    };
    if let Some(name) = named {
        check_header(http, "mcp-name", name)?;
    }
    match request.meta(CLIENT_CAPABILITIES) {
        Some(Value::Object(_)) => Ok(()),
        _ => {
            let problem = format!("_meta has no {CLIENT_CAPABILITIES}");
            Err(RpcError::new(400, INVALID_PARAMS, problem))
        }
    }
}

fn check_header(http: &Request, name: &'static str, body_value: &str) -> Result<(), RpcError> {
    let mismatch = |problem: String| Err(RpcError::new(400, HEADER_MISMATCH, problem));
    match http.header(name) {
        Err(_) => mismatch(format!("Header mismatch: there is more than one {name} header")),
        Ok(None) => mismatch(format!("Header mismatch: there is no {name} header")),
        Ok(Some(value)) if decode(value).as_deref() == Some(body_value) => Ok(()),
        Ok(Some(value)) => mismatch(format!(
            "Header mismatch: {name} is '{value}', and the body says '{body_value}'"
        )),
    }
}

/// A header's value; what cannot stand in a header comes as `=?base64?…?=`.
fn decode(value: &str) -> Option<String> {
    let encoded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    match encoded {
        None => Some(value.to_owned()),
        Some(encoded) => String::from_utf8(from_base64(encoded)?).ok(),
    }
}

/// All versions that this server speaks, in either era.
fn supported_versions() -> Vec<&'static str> {
    let mut versions = vec![MODERN_VERSION];
    versions.extend(LEGACY_VERSIONS);
    versions
}

/// What every result has beside its own members.
pub(crate) fn complete(mut result: Value, server_info: &Value) -> Value {
    result["resultType"] = json!("complete");
    result["_meta"][SERVER_INFO] = server_info.clone();
    result
}

/// The same with how long it may be kept ("Caching").
pub(crate) fn cacheable(result: Value, server_info: &Value) -> Value {
    let mut result = complete(result, server_info);
    result["ttlMs"] = json!(TTL_MS);
    result["cacheScope"] = json!("public");
    result
}

/// The answer to `server/discover`.
pub(crate) fn discovery(capabilities: &Value, instructions: &str, server_info: &Value) -> Value {
    let result = json!({
        "supportedVersions": supported_versions(),
        "capabilities": capabilities,
        "instructions": instructions,
    });
    cacheable(result, server_info)
}

/// The first message of a `subscriptions/listen` stream. Nothing here changes,
/// so no kind of notification is agreed to.
pub(crate) fn subscription_acknowledged(id: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": { "_meta": { SUBSCRIPTION_ID: id }, "notifications": {} },
    })
}
