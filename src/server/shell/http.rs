//! From hyper's requests to ours, within limits, and back.

use crate::secret::Secret;
use crate::server::client_certificate::ShownCertificate;
use crate::server::log_entry::LogEntry;
use crate::server::mcp::event_stream::COMMENT;
use crate::server::message::{Ending, HEADERS_READ, Request, Response};
use crate::server::rejection::Rejection;
use futures_util::stream::unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Request line and headers, at most.
pub(super) const MAX_HEADERS_BYTES: usize = 16 * 1024;
/// A request's body, at most.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a connection may take to send a request's headers, and again for its body.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a stream without news stays silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a stream that is to break off has for what it sends.
const BREAK_PAUSE: Duration = Duration::from_millis(50);

/// What never became a request, and was answered without this server being asked.
pub(super) fn unreadable(error: &hyper::Error) -> LogEntry {
    let (status, reason, rule) = if error.is_parse_too_large() {
        (
            431,
            "the request line or the headers are longer than 16 KiB, or too many",
            "RFC 6585 §5",
        )
    } else {
        (400, "this is not an HTTP/1.1 request", "RFC 9112 §2.2")
    };
    LogEntry {
        method: "?".to_owned(),
        path: "?".to_owned(),
        status,
        rejection: Some(Rejection::new(reason, rule)),
        violated: Vec::new(),
    }
}

/// Takes a request in, within the limits.
pub(super) async fn read(
    request: hyper::Request<Incoming>,
    certificate: Option<ShownCertificate>,
) -> Result<Request, Response> {
    let (head, body) = request.into_parts();
    if head.uri.authority().is_some() {
        let rejection = Rejection::new(
            "this is not a proxy: the request target must be a path",
            "RFC 9112 §3.2.1",
        );
        return Err(Response::text(400, rejection));
    }
    let headers = HEADERS_READ.into_iter().flat_map(|name| {
        head.headers
            .get_all(name)
            .iter()
            .map(move |value| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    let headers = headers.collect();
    let body = match timeout(READ_TIMEOUT, read_body(body)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return Err(cut_off(413, "the body is longer than 64 KiB", "RFC 9110 §15.5.14")),
        Ok(Err(_)) => return Err(cut_off(400, "the body is incomplete or malformed", "RFC 9112 §6")),
        Err(_) => {
            let reason = "the body was not received within 30 seconds";
            return Err(cut_off(408, reason, "RFC 9110 §15.5.9"));
        }
    };
    Ok(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        body: Secret::new(body),
        certificate,
    })
}

/// The body; `None` where it is too long. A little more than allowed is read
/// and dropped, since a client that is still sending would not read the answer.
async fn read_body(mut body: Incoming) -> Result<Option<Vec<u8>>, hyper::Error> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Ok(None);
    }
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > 2 * MAX_BODY_BYTES {
            break;
        }
    }
    Ok((read.len() <= MAX_BODY_BYTES).then_some(read))
}

/// A refusal after which the connection cannot go on.
fn cut_off(status: u16, reason: &str, rule: &'static str) -> Response {
    Response::text(status, Rejection::new(reason, rule)).with("connection", "close")
}

/// What hyper sends; an error breaks the connection off.
pub(super) type AnswerBody = UnsyncBoxBody<Bytes, BrokenOff>;

/// The connection was to break.
#[derive(Debug, thiserror::Error)]
#[error("the stream breaks off, as it was asked to")]
pub(super) struct BrokenOff;

/// The body of a response with what comes after it, until `stopping` says that
/// the server ends.
fn answer_body(bytes: Bytes, ending: Ending, stopping: watch::Receiver<bool>) -> AnswerBody {
    match ending {
        Ending::Complete => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        Ending::StaysOpen => StreamBody::new(unfold((Some(bytes), stopping), open_stream)).boxed_unsync(),
        Ending::BreaksOff => StreamBody::new(unfold(Some(bytes), broken_stream)).boxed_unsync(),
    }
}

type Step<S> = Option<(Result<Frame<Bytes>, BrokenOff>, S)>;

async fn open_stream(state: (Option<Bytes>, watch::Receiver<bool>)) -> Step<(Option<Bytes>, watch::Receiver<bool>)> {
    let (first, mut stopping) = state;
    let next = match first {
        Some(first) => first,
        None => tokio::select! {
            () = tokio::time::sleep(KEEP_ALIVE) => Bytes::from_static(COMMENT.as_bytes()),
            _ = stopping.wait_for(|stop| *stop) => return None,
        },
    };
    Some((Ok(Frame::data(next)), (None, stopping)))
}

async fn broken_stream(first: Option<Bytes>) -> Step<Option<Bytes>> {
    match first {
        Some(first) => Some((Ok(Frame::data(first)), None)),
        None => {
            // What came before goes out first.
            tokio::time::sleep(BREAK_PAUSE).await;
            Some((Err(BrokenOff), None))
        }
    }
}

pub(super) fn encode(response: Response, stopping: watch::Receiver<bool>) -> hyper::Response<AnswerBody> {
    let body = answer_body(Bytes::from(response.body.into_owned()), response.ending, stopping);
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(*name, value.as_ref());
    }
    builder.body(body).unwrap_or_else(|_| {
        // A header value that HTTP cannot carry; none is made from unchecked text.
        let mut response = hyper::Response::new(Full::default().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
