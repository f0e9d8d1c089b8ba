//! The two tools: `hello` says who the token speaks for, `add_note` keeps a
//! line of text and wants another scope for it.

use super::event_stream::Delivery;
use super::message::{INVALID_PARAMS, RpcError, RpcRequest};
use crate::server::access_token::AccessToken;
use crate::server::notes::{MAX_NOTE_BYTES, Notes};
use crate::server::scopes::NOTES_SCOPE;
use serde_json::{Map, Value, json};

const HELLO: &str = "hello";
const ADD_NOTE: &str = "add_note";

/// Why a tool is not run.
pub(crate) enum NotCalled {
    Rpc(RpcError),
    /// The token lacks this scope.
    InsufficientScope(&'static str),
}

/// What a tool gave, and how the caller wants to get it.
pub(crate) struct ToolAnswer {
    pub(crate) result: Value,
    pub(crate) delivery: Delivery,
}

/// The tools as `tools/list` describes them.
pub(crate) fn list() -> Value {
    let delivery = json!({
        "type": "string",
        "enum": Delivery::NAMES.map(|(name, _)| name),
        "description": "How the answer comes: at once, as an event stream, or as one that breaks off before it",
    });
    json!([
        {
            "name": HELLO,
            "title": "Say hello",
            "description": "Says who the access token speaks for.",
            "inputSchema": {
                "type": "object",
                "properties": { "delivery": delivery },
                "additionalProperties": false,
            },
        },
        {
            "name": ADD_NOTE,
            "title": "Add a note",
            "description": format!("Keeps a line of text. Needs the scope {NOTES_SCOPE}."),
            "inputSchema": {
                "type": "object",
                "properties": { "text": { "type": "string" }, "delivery": delivery },
                "required": ["text"],
                "additionalProperties": false,
            },
        },
    ])
}

/// Runs a tool for the holder of this token.
///
/// # Errors
/// [`NotCalled`]: there is no such tool, or the token may not use it. Arguments
/// that are wrong are a result that says so, which the model reads.
pub(crate) fn call(request: &RpcRequest, token: &AccessToken, notes: &Notes) -> Result<ToolAnswer, NotCalled> {
    let invalid = |problem: String| NotCalled::Rpc(RpcError::new(200, INVALID_PARAMS, problem));
    let name = request
        .text("name")
        .ok_or_else(|| invalid("name is missing".to_owned()))?;
    let nothing = Map::new();
    let arguments = match request.params.get("arguments") {
        None => &nothing,
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return Err(invalid("arguments is not an object".to_owned())),
    };
    if name == ADD_NOTE && !token.scope.contains(NOTES_SCOPE) {
        return Err(NotCalled::InsufficientScope(NOTES_SCOPE));
    }
    let outcome = match name {
        HELLO => hello(arguments, token),
        ADD_NOTE => add_note(arguments, token, notes),
        other => return Err(invalid(format!("there is no tool \"{other}\""))),
    };
    let delivery = delivery(arguments).unwrap_or(Delivery::Json);
    Ok(ToolAnswer {
        result: match outcome {
            Ok((text, facts)) => json!({
                "content": [{ "type": "text", "text": text }], "structuredContent": facts, "isError": false,
            }),
            Err(problem) => json!({ "content": [{ "type": "text", "text": problem }], "isError": true }),
        },
        delivery,
    })
}

fn hello(arguments: &Map<String, Value>, token: &AccessToken) -> Result<(String, Value), String> {
    check_arguments(arguments, &["delivery"])?;
    let facts = json!({
        "subject": token.subject, "client_id": token.client_id, "scope": token.scope.to_string(),
    });
    Ok((format!("Hello, {}!", token.subject), facts))
}

fn add_note(arguments: &Map<String, Value>, token: &AccessToken, notes: &Notes) -> Result<(String, Value), String> {
    check_arguments(arguments, &["text", "delivery"])?;
    let text = arguments
        .get("text")
        .and_then(Value::as_str)
        .ok_or("text is not a string")?;
    if text.len() > MAX_NOTE_BYTES {
        return Err(format!("text is longer than {MAX_NOTE_BYTES} bytes"));
    }
    let number = notes.add(&token.subject, text);
    Ok((format!("Note {number} is kept."), json!({ "number": number })))
}

fn check_arguments(arguments: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    if let Some(name) = arguments.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no argument \"{name}\""));
    }
    match arguments.contains_key("delivery") && delivery(arguments).is_none() {
        true => Err("delivery is neither json nor stream nor broken-stream".to_owned()),
        false => Ok(()),
    }
}

fn delivery(arguments: &Map<String, Value>) -> Option<Delivery> {
    let name = arguments.get("delivery")?.as_str()?;
    let known = Delivery::NAMES.into_iter().find(|(own, _)| *own == name);
    known.map(|(_, delivery)| delivery)
}
