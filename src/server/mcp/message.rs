//! JSON-RPC messages as the Model Context Protocol has them (2026-07-28,
//! Overview, "Messages"): one to a body, requests with a string or a whole
//! number as `id`.

use crate::protocol::json::parse_object;
use crate::server::message::Response;
use crate::server::rejection::Rejection;
use serde_json::{Map, Value, json};

pub(crate) const PARSE_ERROR: i64 = -32700;
pub(crate) const INVALID_REQUEST: i64 = -32600;
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
pub(crate) const INVALID_PARAMS: i64 = -32602;
/// Defined by 2026-07-28.
pub(crate) const HEADER_MISMATCH: i64 = -32020;
/// Defined by 2026-07-28.
pub(crate) const UNSUPPORTED_VERSION: i64 = -32022;

const CITATION: &str = "MCP, Messages";

/// One message of a client.
#[derive(Debug)]
pub(crate) enum Message {
    Request(RpcRequest),
    /// Wants no answer.
    Notification,
    /// An answer to a request of the server, which sends none.
    Response,
}

/// A request that wants an answer.
#[derive(Debug)]
pub(crate) struct RpcRequest {
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

/// Why a message is not answered with a result.
#[derive(Debug)]
pub(crate) struct RpcError {
    /// The status of the HTTP response.
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl RpcError {
    pub(crate) fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        RpcError {
            status,
            code,
            message: message.into(),
            data: None,
        }
    }

    /// A method that this server does not have.
    pub(crate) fn unknown_method(status: u16, method: &str) -> Self {
        RpcError::new(status, METHOD_NOT_FOUND, format!("there is no method \"{method}\""))
    }

    /// The HTTP response; `id` is that of the request, where it could be read.
    pub(crate) fn respond(self, id: Option<&Value>) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data;
        }
        let mut body = json!({ "jsonrpc": "2.0", "error": error });
        if let Some(id) = id {
            body["id"] = id.clone();
        }
        Response::json(self.status, &body).rejected(Rejection::new(self.message, CITATION))
    }
}

/// The message with the result of a request.
pub(crate) fn result_message(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

impl Message {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// [`RpcError`] with status 400.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, RpcError> {
        let invalid = |problem: &str| RpcError::new(400, INVALID_REQUEST, problem);
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(invalid("the body is a list, and one message is sent at a time"));
        }
        let mut object = parse_object(body).map_err(|error| RpcError::new(400, PARSE_ERROR, error.to_string()))?;
        if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid("jsonrpc is not 2.0"));
        }
        let Some(method) = object.get("method") else {
            let is_response = object.contains_key("result") || object.contains_key("error");
            return match is_response {
                true => Ok(Message::Response),
                false => Err(invalid("there is neither a method nor a result")),
            };
        };
        let method = method
            .as_str()
            .ok_or_else(|| invalid("method is not a string"))?
            .to_owned();
        let params = match object.remove("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(invalid("params is not an object")),
        };
        match object.remove("id") {
            None => Ok(Message::Notification),
            Some(id) if id.is_string() || id.is_i64() || id.is_u64() => {
                Ok(Message::Request(RpcRequest { id, method, params }))
            }
            Some(_) => Err(invalid("id is neither a string nor a whole number")),
        }
    }
}

impl RpcRequest {
    /// A member of `_meta`.
    pub(crate) fn meta(&self, name: &str) -> Option<&Value> {
        self.params.get("_meta")?.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_message() {
        let request = br#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#;
        assert!(matches!(Message::parse(request), Ok(Message::Request(request)) if request.method == "ping"));
        let notification = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert!(matches!(Message::parse(notification), Ok(Message::Notification)));
        let response = br#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        assert!(matches!(Message::parse(response), Ok(Message::Response)));
        for (bad, code) in [
            ("", PARSE_ERROR),
            ("7", PARSE_ERROR),
            ("[]", INVALID_REQUEST),
            (r#"{"id":1,"method":"ping"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, INVALID_REQUEST),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
                INVALID_REQUEST,
            ),
            (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST),
        ] {
            let error = Message::parse(bad.as_bytes()).expect_err(bad);
            assert_eq!((error.status, error.code), (400, code), "{bad}");
        }
    }
}
