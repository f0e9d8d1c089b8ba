//! The Model Context Protocol server: authorization first, then the era of the
//! request, then its method. `tools` and `sessions` know nothing of HTTP.

use super::resource::ProtectedResource;
use crate::server::access_token::AccessToken;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::dpop::with_nonce;
use crate::server::mcp::event_stream::{Delivery, event, first_event, stream};
use crate::server::mcp::message::{INVALID_REQUEST, Message, RpcError, RpcRequest, result_message};
use crate::server::mcp::sessions::{Resumed, event_id, events};
use crate::server::mcp::tools::{self, NotCalled, ToolAnswer};
use crate::server::mcp::{LEGACY_VERSIONS, modern};
use crate::server::message::{Ending, Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::scopes::DEFAULT_SCOPE;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const INSTRUCTIONS: &str = "hello says who you are; add_note keeps a line of text and needs the scope notes.";

/// Answers a message, opens or resumes a stream, or ends a session.
pub(crate) fn mcp(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let token = match ProtectedResource::Mcp.token(server, moment, http, DEFAULT_SCOPE) {
        Ok(token) => token,
        Err(response) => return *response,
    };
    let response = match http.method.as_str() {
        "POST" => post(server, moment, http, &token),
        "GET" => listen(server, moment, http, &token),
        _ => end_session(server, moment, http, &token),
    };
    with_nonce(server, moment, response)
}

fn post(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request, token: &AccessToken) -> Response {
    if !http.is_json() {
        return RpcError::new(415, INVALID_REQUEST, "the body is not of Content-Type application/json").respond(None);
    }
    if !http.accepts(JSON) || !http.accepts(EVENTS) {
        let problem = format!("Accept must have {JSON} and {EVENTS}");
        return RpcError::new(406, INVALID_REQUEST, problem).respond(None);
    }
    let request = match Message::parse(http.body.expose()) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification | Message::Response) => return Response::new(202),
        Err(error) => return error.respond(None),
    };
    if request.method == "initialize" {
        return initialize(server, moment, &request, token);
    }
    let answered = if modern::is_modern(http, &request) {
        modern::check(http, &request).map(|()| answer_modern(server, moment, &request, token))
    } else {
        session(server, moment, http, token).map(|session| answer_legacy(server, moment, session, &request, token))
    };
    answered.unwrap_or_else(|error| error.respond(Some(&request.id)))
}

/// Begins a session (2025-11-25, Lifecycle, "Initialization").
fn initialize(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    request: &RpcRequest,
    token: &AccessToken,
) -> Response {
    let asked = request.text("protocolVersion").unwrap_or_default();
    let version = LEGACY_VERSIONS.into_iter().find(|own| *own == asked);
    let id = match server.mcp_sessions.begin(moment.now, moment.randomness, token) {
        Ok(id) => id,
        Err(error) => return server_error(&error),
    };
    let result = json!({
        "protocolVersion": version.unwrap_or(LEGACY_VERSIONS[0]),
        "capabilities": capabilities(),
        "serverInfo": server_info(),
        "instructions": INSTRUCTIONS,
    });
    Response::json(200, &result_message(&request.id, result)).with("mcp-session-id", id.expose().clone())
}

fn answer_modern(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    request: &RpcRequest,
    token: &AccessToken,
) -> Response {
    let info = server_info();
    let answer = |result: Value| Response::json(200, &result_message(&request.id, result));
    match request.method.as_str() {
        "server/discover" => answer(modern::discovery(&capabilities(), INSTRUCTIONS, &info)),
        "tools/list" => answer(modern::cacheable(json!({ "tools": tools::list() }), &info)),
        "tools/call" => match tools::call(request, token, &server.notes) {
            Ok(ToolAnswer { result, delivery }) => {
                let message = result_message(&request.id, modern::complete(result, &info));
                deliver_modern(request, &message, delivery)
            }
            Err(not_called) => refuse_call(server, moment, request, not_called),
        },
        "subscriptions/listen" => {
            let first = event(&modern::subscription_acknowledged(&request.id));
            stream(first, Ending::StaysOpen)
        }
        other => RpcError::unknown_method(404, other).respond(Some(&request.id)),
    }
}

/// A stream of this era that breaks off is lost.
fn deliver_modern(request: &RpcRequest, message: &Value, delivery: Delivery) -> Response {
    let progress: String = progress(request).iter().map(event).collect();
    match delivery {
        Delivery::Json => Response::json(200, message),
        Delivery::Stream => stream(progress + &event(message), Ending::Complete),
        Delivery::BrokenStream => stream(progress, Ending::BreaksOff),
    }
}

fn answer_legacy(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    session: &str,
    request: &RpcRequest,
    token: &AccessToken,
) -> Response {
    let answer = |result: Value| Response::json(200, &result_message(&request.id, result));
    match request.method.as_str() {
        "ping" => answer(json!({})),
        "tools/list" => answer(json!({ "tools": tools::list() })),
        "tools/call" => match tools::call(request, token, &server.notes) {
            Ok(ToolAnswer { result, delivery }) => {
                let message = result_message(&request.id, result);
                match delivery {
                    Delivery::Json => Response::json(200, &message),
                    delivery => stream_legacy(server, moment, session, (request, message), delivery),
                }
            }
            Err(not_called) => refuse_call(server, moment, request, not_called),
        },
        other => RpcError::unknown_method(200, other).respond(Some(&request.id)),
    }
}

/// A stream that the client can come back to.
fn stream_legacy(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    session: &str,
    (request, message): (&RpcRequest, Value),
    delivery: Delivery,
) -> Response {
    let mut messages: Vec<Value> = progress(request).into_iter().collect();
    messages.push(message);
    let number = server.mcp_sessions.open_stream(moment.now, session, messages.clone());
    let (sent, ending) = match delivery {
        Delivery::BrokenStream => (&messages[..messages.len() - 1], Ending::BreaksOff),
        Delivery::Stream | Delivery::Json => (&messages[..], Ending::Complete),
    };
    stream(first_event(&event_id(number, 0)) + &events(number, 0, sent), ending)
}

fn refuse_call(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    request: &RpcRequest,
    not_called: NotCalled,
) -> Response {
    match not_called {
        NotCalled::Rpc(error) => error.respond(Some(&request.id)),
        NotCalled::InsufficientScope(scope) => ProtectedResource::Mcp.insufficient_scope(server, moment.policy, scope),
    }
}

/// The notification of progress that a request asks for.
fn progress(request: &RpcRequest) -> Option<Value> {
    let token = request.meta("progressToken")?;
    Some(json!({
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": { "progressToken": token, "progress": 1, "total": 1 },
    }))
}

/// Opens the stream of a session, or resumes one ("Listening for Messages from
/// the Server", "Resumability and Redelivery").
fn listen(server: &AuthorizationServer, moment: &Moment<'_>, http: &Request, token: &AccessToken) -> Response {
    if !http.accepts(EVENTS) {
        return RpcError::new(406, INVALID_REQUEST, format!("Accept must have {EVENTS}")).respond(None);
    }
    let session = match session(server, moment, http, token) {
        Ok(session) => session,
        Err(error) => return error.respond(None),
    };
    let open = || {
        let number = server.mcp_sessions.open_stream(moment.now, session, Vec::new());
        stream(first_event(&event_id(number, 0)), Ending::StaysOpen)
    };
    match http.header("last-event-id") {
        Ok(None) => open(),
        Ok(Some(last)) => match server.mcp_sessions.resume(moment.now, session, last) {
            Resumed::Rest(events) => stream(events, Ending::Complete),
            Resumed::Open => open(),
            Resumed::Unknown => RpcError::new(400, INVALID_REQUEST, "there is no such event").respond(None),
        },
        Err(_) => RpcError::new(400, INVALID_REQUEST, "there is more than one Last-Event-ID header").respond(None),
    }
}

fn end_session(server: &AuthorizationServer, moment: &Moment<'_>, http: &Request, token: &AccessToken) -> Response {
    match session(server, moment, http, token) {
        Ok(session) => {
            server.mcp_sessions.end(moment.now, session);
            Response::new(204)
        }
        Err(error) => error.respond(None),
    }
}

/// The session that a request belongs to.
///
/// # Errors
/// 400 where it names none, or a version without sessions; 404 where there is
/// none of the holder of the token.
fn session<'a>(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    http: &'a Request,
    token: &AccessToken,
) -> Result<&'a str, RpcError> {
    let invalid = |status: u16, problem: String| RpcError::new(status, INVALID_REQUEST, problem);
    let once = |name: &'static str| {
        let value = http.header(name);
        value.map_err(|_| invalid(400, format!("there is more than one {name} header")))
    };
    let version = once("mcp-protocol-version")?;
    if let Some(version) = version.filter(|version| !LEGACY_VERSIONS.contains(version)) {
        return Err(invalid(
            400,
            format!("\"{version}\" is not a protocol version with sessions"),
        ));
    }
    let Some(id) = once("mcp-session-id")? else {
        return Err(invalid(
            400,
            "there is no MCP-Session-Id header: send initialize first".to_owned(),
        ));
    };
    match server.mcp_sessions.is_of(moment.now, id, token) {
        true => Ok(id),
        false => Err(invalid(
            404,
            "there is no such session: send initialize again".to_owned(),
        )),
    }
}

fn capabilities() -> Value {
    json!({ "tools": {} })
}

fn server_info() -> Value {
    json!({ "name": "oauth serve", "version": env!("CARGO_PKG_VERSION") })
}
