//! One connection: reads the head, lets hyper parse and answer the one
//! request, holds a callback until its verdict, and closes.
//!
//! The head is read here and not by hyper, so that an idle connection can be
//! told from one with a request, a bare LF is seen, and 414 and 431 come
//! before the whole request does. hyper gets the bytes as they came.

use super::gate::{FORM_LIMIT_BYTES, Passed, Refusal};
use super::head::{HEAD_LIMIT_BYTES, HeadScanner};
use super::page::{self, Page};
use super::{Arrival, Callback, SlotGuard};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::{HeaderValue, header};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a client has to send the head, and then the form.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// How long, and how much, is read and thrown away after a refusal: closing
/// earlier would reset the connection and take the answer with it.
const LINGER_LIMIT: Duration = Duration::from_secs(1);
const LINGER_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

const HEADER_FIELD_LIMIT: usize = 64;

pub(super) async fn serve(stream: TcpStream, place: &SlotGuard) {
    let _delay_costs_only_time = stream.set_nodelay(true);
    let (mut reader, writer) = stream.into_split();
    let head = tokio::select! {
        biased;
        head = timeout(READ_LIMIT, read_head(&mut reader)) => head,
        () = place.shared.closed() => return,
    };
    match head {
        Ok(Ok(Some(head))) => exchange(head, reader, writer, place).await,
        Ok(Err(refusal)) => {
            place.shared.report_stranger(refusal.to_string());
            refuse(refusal, reader, writer, place).await;
        }
        // silent until it left, or for too long: browsers open connections in advance
        Ok(Ok(None)) | Err(_) => {}
    }
}

/// The bytes up to the end of the head, and what came with them; `None` when
/// the client left before.
async fn read_head(reader: &mut OwnedReadHalf) -> Result<Option<Vec<u8>>, Refusal> {
    let mut scanner = HeadScanner::default();
    let mut buffer = Vec::with_capacity(2048);
    // one byte more than the limit tells a head that fits from one that does not
    let mut limited = reader.take(HEAD_LIMIT_BYTES as u64 + 1);
    loop {
        match limited.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
        if scanner.is_full(&buffer)? {
            return Ok(Some(buffer));
        }
    }
}

async fn exchange(head: Vec<u8>, reader: OwnedReadHalf, writer: OwnedWriteHalf, place: &SlotGuard) {
    let refused = AtomicBool::new(false);
    let service = service_fn(|request| async {
        let answer = match answer(request, place).await {
            Ok(page) => page_response(page),
            Err(refusal) => {
                refused.store(true, Ordering::Relaxed);
                place.shared.report_stranger(refusal.to_string());
                refusal_response(refusal, place.shared.gate.allowed_methods())
            }
        };
        place.release();
        Ok::<_, Infallible>(answer)
    });
    let stream = tokio::io::join(Cursor::new(head).chain(reader), writer);
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        // a client that has said all it will say may still read
        .half_close(true)
        .max_headers(HEADER_FIELD_LIMIT)
        .timer(TokioTimer::new())
        .header_read_timeout(READ_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .without_shutdown();
    match connection.await {
        Ok(parts) => {
            let (reader, mut writer) = parts.io.into_inner().into_inner();
            let _client_gone = writer.shutdown().await;
            if refused.load(Ordering::Relaxed) {
                linger(reader, place).await;
            }
        }
        // hyper has answered what it could not parse
        Err(error) if error.is_parse() => place.shared.report_stranger(Refusal::Malformed.to_string()),
        Err(_client_gone) => {}
    }
}

async fn answer(request: Request<Incoming>, place: &SlotGuard) -> Result<Page, Refusal> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let parameters = match place.shared.gate.examine(&head)? {
        Passed::Query => query.to_owned(),
        Passed::Form => {
            let form = read_form(body).await?;
            // joined, so that a parameter in both places is seen as repeated
            if query.is_empty() {
                form
            } else {
                format!("{query}&{form}")
            }
        }
    };
    place.hold();
    let (verdict, page) = oneshot::channel();
    let delivered = place
        .shared
        .reports
        .send(Arrival::Callback(Callback { parameters, verdict }))
        .await;
    if delivered.is_err() {
        return Ok(Page::AlreadyHandled);
    }
    Ok(page.await.unwrap_or(Page::Failure))
}

async fn read_form(body: Incoming) -> Result<String, Refusal> {
    let form = timeout(READ_LIMIT, Limited::new(body, FORM_LIMIT_BYTES).collect());
    let form = form.await.map_err(|_| Refusal::FormBroken)?.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Refusal::FormTooLong
        } else {
            Refusal::FormBroken
        }
    })?;
    String::from_utf8(form.to_bytes().into()).map_err(|_| Refusal::FormBroken)
}

fn page_response(page: Page) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(page.html().as_bytes())));
    *response.status_mut() = page.status();
    for (name, value) in page::headers() {
        response.headers_mut().insert(name, value);
    }
    response
}

fn refusal_response(refusal: Refusal, allowed_methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = page_response(Page::Ignored);
    *response.status_mut() = refusal.status();
    if refusal == Refusal::Method {
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static(allowed_methods));
    }
    response
}

/// Answers what never reaches hyper. What is not HTTP is closed without a word.
async fn refuse(refusal: Refusal, reader: OwnedReadHalf, mut writer: OwnedWriteHalf, place: &SlotGuard) {
    if refusal != Refusal::NotHttp {
        let _client_gone = writer
            .write_all(&page::raw_response(refusal.status(), Page::Ignored))
            .await;
    }
    let _client_gone = writer.shutdown().await;
    linger(reader, place).await;
}

async fn linger(reader: impl AsyncRead + Unpin, place: &SlotGuard) {
    let mut rest = reader.take(LINGER_LIMIT_BYTES);
    let mut nowhere = tokio::io::sink();
    tokio::select! {
        _cut_short = timeout(LINGER_LIMIT, tokio::io::copy(&mut rest, &mut nowhere)) => {}
        () = place.shared.closed() => {}
    }
}
