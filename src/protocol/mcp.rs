//! What a bridge has to know of the messages of the Model Context Protocol
//! (JSON-RPC 2.0): whose they are, which era they belong to, and the headers
//! that go with them over HTTP. Messages themselves pass unchanged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// Longer messages are refused.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// What is outside of a message's content.
#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    params: Option<Params>,
    #[serde(default)]
    result: Option<ResultMembers>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// Members of the parameters that say how a message travels. Any of them may
/// be of another type: that is for the server to judge.
#[derive(Debug, Default)]
struct Params {
    name: Option<String>,
    uri: Option<String>,
    request_id: Option<Value>,
    protocol_version: Option<String>,
}

/// The version that an initialization settled on.
#[derive(Debug, Default)]
struct ResultMembers {
    protocol_version: Option<String>,
}

/// The member of `_meta` that every message of the modern era has.
const VERSION_MEMBER: &str = "io.modelcontextprotocol/protocolVersion";

/// The members of `_meta` that say who the client is (MCP 2026-07-28, Basic, `_meta`).
const CLIENT_MEMBERS: [&str; 3] = [
    VERSION_MEMBER,
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
];

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Members::deserialize(deserializer)?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Params {
            name: text("name"),
            uri: text("uri"),
            request_id: value.get("requestId").cloned(),
            protocol_version: value
                .get("_meta")
                .and_then(|meta| meta.get(VERSION_MEMBER))
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }
}

impl<'de> Deserialize<'de> for ResultMembers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Members::deserialize(deserializer)?;
        let version = value.get("protocolVersion").and_then(Value::as_str);
        Ok(ResultMembers {
            protocol_version: version.map(str::to_owned),
        })
    }
}

/// The few members that are looked at; the others are read over, however large they are.
struct Members(Vec<(String, Value)>);

impl Members {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "_meta" | "name" | "uri" | "requestId" | "protocolVersion" => {
                            members.push((name, map.next_value()?));
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Members(members))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Members, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Members(Vec::new()))
            }

            fn visit_unit<E>(self) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }

            fn visit_str<E>(self, _: &str) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What a message is.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageKind {
    /// It wants a response of this identifier.
    Request(Value),
    Notification,
    /// An answer to a request of this identifier.
    Response(Value),
}

/// A message as the bridge sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub kind: MessageKind,
    pub method: Option<String>,
    /// The version that a message of the modern era (2026-07-28 and later) names.
    pub modern_version: Option<String>,
    /// The version that an initialization settled on, where it is its response.
    pub settled_version: Option<String>,
    /// The request that a `notifications/cancelled` is about.
    pub cancelled: Option<Value>,
    /// What `Mcp-Name` is made of.
    name: Option<String>,
}

/// Text that is not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    #[error("it is not JSON")]
    NotJson,
    #[error("it is not a message of JSON-RPC")]
    NotMessage,
}

impl Message {
    /// Reads a message, or each of a batch (which revision 2025-03-26 had).
    ///
    /// # Errors
    /// [`InvalidMessage`].
    pub fn read(text: &[u8]) -> Result<Vec<Self>, InvalidMessage> {
        let is_batch = text.trim_ascii_start().starts_with(b"[");
        let envelopes: Vec<Envelope> = match is_batch {
            true => serde_json::from_slice(text),
            false => serde_json::from_slice(text).map(|envelope| vec![envelope]),
        }
        .map_err(|error| match error.classify() {
            serde_json::error::Category::Data => InvalidMessage::NotMessage,
            _ => InvalidMessage::NotJson,
        })?;
        let messages: Option<Vec<Message>> = envelopes.into_iter().map(Message::from_envelope).collect();
        messages
            .filter(|messages| !messages.is_empty())
            .ok_or(InvalidMessage::NotMessage)
    }

    fn from_envelope(envelope: Envelope) -> Option<Self> {
        let params = envelope.params.unwrap_or_default();
        let id = envelope.id.filter(|id| !id.is_null());
        let is_answer = envelope.result.is_some() || envelope.error.is_some();
        let kind = match (&envelope.method, id) {
            (Some(_), Some(id)) => MessageKind::Request(id),
            (Some(_), None) => MessageKind::Notification,
            (None, id) if is_answer => MessageKind::Response(id.unwrap_or(Value::Null)),
            (None, _) => return None,
        };
        let name = match envelope.method.as_deref() {
            Some("tools/call" | "prompts/get") => params.name,
            Some("resources/read") => params.uri,
            _ => None,
        };
        let is_cancellation = envelope.method.as_deref() == Some("notifications/cancelled");
        Some(Message {
            kind,
            modern_version: params.protocol_version,
            settled_version: envelope.result.and_then(|result| result.protocol_version),
            cancelled: params.request_id.filter(|_| is_cancellation),
            name,
            method: envelope.method,
        })
    }

    /// The headers that repeat members of a message of the modern era
    /// (2026-07-28, Streamable HTTP, Request Metadata).
    pub fn modern_headers(&self) -> Vec<(&'static str, String)> {
        let Some(version) = &self.modern_version else {
            return Vec::new();
        };
        let mut headers = vec![("mcp-protocol-version", header_value(version))];
        headers.extend(self.method.iter().map(|method| ("mcp-method", header_value(method))));
        headers.extend(self.name.iter().map(|name| ("mcp-name", header_value(name))));
        headers
    }

    /// The tool that a message of the modern era calls.
    pub fn called_tool(&self) -> Option<&str> {
        let is_call = self.modern_version.is_some() && self.method.as_deref() == Some("tools/call");
        self.name.as_deref().filter(|_| is_call)
    }

    pub fn is_modern_list_of_tools(&self) -> bool {
        self.modern_version.is_some() && self.method.as_deref() == Some("tools/list")
    }

    pub fn is_initialize(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// The identifier, where it wants a response.
    pub fn request_id(&self) -> Option<&Value> {
        match &self.kind {
            MessageKind::Request(id) => Some(id),
            _ => None,
        }
    }

    /// The identifier of the request that it answers.
    pub fn answered_id(&self) -> Option<&Value> {
        match &self.kind {
            MessageKind::Response(id) => Some(id),
            _ => None,
        }
    }
}

/// A value as it is, or in base64 where a header cannot have it (2026-07-28,
/// Streamable HTTP, Value Encoding).
pub fn header_value(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let is_padded = value.starts_with(' ') || value.ends_with(' ') || value.is_empty();
    let is_marked = value.starts_with("=?base64?") && value.ends_with("?=");
    match is_plain && !is_padded && !is_marked {
        true => value.to_owned(),
        false => format!("=?base64?{}?=", STANDARD.encode(value)),
    }
}

/// A `tools/list` of the bridge itself, with what a message of the client says
/// of that in `_meta`.
pub fn tools_list(message: &[u8], cursor: Option<&str>) -> String {
    let message: Value = serde_json::from_slice(message).unwrap_or_default();
    let meta = message["params"]["_meta"].as_object().into_iter().flatten();
    // the others, as a progress token, are of that message alone
    let meta: Map<String, Value> = meta
        .filter(|(name, _)| CLIENT_MEMBERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut params = json!({ "_meta": meta });
    if let Some(cursor) = cursor {
        params["cursor"] = cursor.into();
    }
    json!({ "jsonrpc": "2.0", "id": "oauth-mcp-tools", "method": "tools/list", "params": params }).to_string()
}

/// The response of the bridge itself to a request that it cannot pass on. The
/// code is that of an internal error (JSON-RPC 2.0 §5.1); who says it is in the
/// message and in `data`, so that it passes for no word of the server.
pub fn bridge_error(id: &Value, message: &str, hints: &[String]) -> String {
    json!({
        "jsonrpc": "2.0",
        "id": id,
        "error": {
            "code": -32603,
            "message": format!("oauth mcp: {message}"),
            "data": { "source": "oauth mcp", "hints": hints },
        },
    })
    .to_string()
}

/// The response to what is not a message (JSON-RPC 2.0 §5.1).
pub fn invalid_message_error(error: InvalidMessage) -> String {
    let code = match error {
        InvalidMessage::NotJson => -32700,
        InvalidMessage::NotMessage => -32600,
    };
    let message = format!("oauth mcp: {error}");
    json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } }).to_string()
}

/// The message on one line: JSON has line breaks between its members only.
pub fn on_one_line(message: &str) -> String {
    message.trim().replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Message {
        Message::read(text.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        for (text, kind) in [
            (r#"{"id":1,"method":"ping"}"#, MessageKind::Request(json!(1))),
            (
                r#"{"id":"a","method":"x","params":[1]}"#,
                MessageKind::Request(json!("a")),
            ),
            (r#"{"method":"x","params":7}"#, MessageKind::Notification),
            (r#"{"id":null,"method":"x","params":null}"#, MessageKind::Notification),
            (r#"{"id":1,"result":"text"}"#, MessageKind::Response(json!(1))),
            (r#"{"id":1,"result":{"x":[{}]}}"#, MessageKind::Response(json!(1))),
            (r#"{"id":null,"error":{"code":-1}}"#, MessageKind::Response(Value::Null)),
        ] {
            assert_eq!(one(text).kind, kind, "{text}");
        }
        for (text, error) in [
            ("", InvalidMessage::NotJson),
            ("{", InvalidMessage::NotJson),
            ("[]", InvalidMessage::NotMessage),
            ("{}", InvalidMessage::NotMessage),
            ("7", InvalidMessage::NotMessage),
            (r#"{"id":1}"#, InvalidMessage::NotMessage),
        ] {
            assert_eq!(Message::read(text.as_bytes()), Err(error), "{text}");
        }
        assert_eq!(
            Message::read(br#" [{"method":"a"},{"id":1,"method":"b"}]"#)
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn a_modern_message_has_its_members_in_headers() {
        let text = r#"{"id":1,"method":"tools/call","params":{"name":"wetter für Köln","arguments":{"_meta":1},
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let headers = one(text).modern_headers();
        let expected = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "=?base64?d2V0dGVyIGbDvHIgS8O2bG4=?="),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(
            one(r#"{"id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#).modern_headers(),
            []
        );
    }

    #[test]
    fn values_that_no_header_can_have_are_in_base64() {
        for (value, encoded) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ] {
            assert_eq!(header_value(value), encoded);
        }
    }
}
