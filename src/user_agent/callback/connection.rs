//! One connection: reads the head, lets hyper parse and answer the one
//! request, holds a callback until its verdict, and closes.
//!
//! The head is read here and not by hyper, so that an idle connection can be
//! told from one with a request, a bare LF is seen, and 414 and 431 come
//! before the whole request does. hyper gets the bytes as they came.

use super::connections::{Progress, SlotGuard};
use super::filter::MAX_FORM_BYTES;
use super::head::{HeadScanner, MAX_HEAD_BYTES, TLS_HANDSHAKE};
use super::page::{self, Page};
use super::refusal::Refusal;
use super::{Arrival, Callback, Reply};
use crate::protocol::http::Method;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::{HeaderValue, StatusCode, header};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::Cursor;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use url::Url;

/// How much is read and thrown away after a refusal.
const MAX_LINGER_BYTES: u64 = 4 * 1024 * 1024;

const MAX_HEADER_FIELDS: usize = 200;

/// As [`super::connections::Serve`].
pub(super) fn serve(stream: TcpStream, slot: SlotGuard) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move { serve_request(stream, &slot).await })
}

async fn serve_request(stream: TcpStream, slot: &SlotGuard) {
    let _delay_costs_only_time = stream.set_nodelay(true);
    let Some(acceptor) = &slot.shared.tls else {
        let (reader, writer) = stream.into_split();
        return serve_http(reader, writer, slot).await;
    };
    let handshake = tokio::select! {
        biased;
        handshake = timeout(slot.shared.limits.read, shake_hands(stream, acceptor, slot)) => handshake,
        () = slot.closed_and_read() => return,
    };
    // silent for too long: browsers open connections in advance
    if let Ok(Some(stream)) = handshake {
        let (reader, writer) = tokio::io::split(stream);
        serve_http(reader, writer, slot).await;
    }
}

/// The connection with TLS on it; `None` where it does not come to that.
async fn shake_hands(stream: TcpStream, acceptor: &TlsAcceptor, slot: &SlotGuard) -> Option<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    slot.set_progress(Progress::Spoken);
    if first != [TLS_HANDSHAKE] {
        slot.shared.report_refusal(Refusal::PlainHttp);
        let (reader, writer) = stream.into_split();
        refuse(Refusal::PlainHttp, reader, writer, slot).await;
        return None;
    }
    match acceptor.accept(stream).await {
        Ok(stream) => Some(stream),
        Err(_) => {
            slot.shared.report_refusal(Refusal::TlsHandshake);
            None
        }
    }
}

async fn serve_http<R, W>(mut reader: R, writer: W, slot: &SlotGuard)
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let head = tokio::select! {
        biased;
        head = timeout(slot.shared.limits.read, read_head(&mut reader, slot)) => head,
        () = slot.closed_and_read() => return,
    };
    match head {
        Ok(Ok(Some(head))) => exchange(head, reader, writer, slot).await,
        Ok(Err(refusal)) => {
            slot.shared.report_refusal(refusal);
            refuse(refusal, reader, writer, slot).await;
        }
        // silent until it left, or for too long: browsers open connections in advance
        Ok(Ok(None)) | Err(_) => {}
    }
}

/// The bytes up to the end of the head, and what came with them; `None` when
/// the client left before.
async fn read_head(reader: &mut (impl AsyncRead + Unpin), slot: &SlotGuard) -> Result<Option<Vec<u8>>, Refusal> {
    let mut scanner = HeadScanner::default();
    let mut buffer = Vec::with_capacity(2048);
    // one byte more than the limit tells a head that fits from one that does not
    let mut limited = reader.take(MAX_HEAD_BYTES as u64 + 1);
    loop {
        match limited.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => slot.set_progress(Progress::Spoken),
        }
        if scanner.is_full(&buffer)? {
            return Ok(Some(buffer));
        }
    }
}

async fn exchange<R, W>(head: Vec<u8>, reader: R, writer: W, slot: &SlotGuard)
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let refused = AtomicBool::new(false);
    let service = service_fn(|request| async {
        let answer = match answer(request, slot).await {
            Ok(Reply::Page(page)) => page_response(page),
            Ok(Reply::SuccessThen(url)) => success_then(&url),
            Err(refusal) => {
                refused.store(true, Ordering::Relaxed);
                slot.shared.report_refusal(refusal);
                refusal_response(refusal, slot.shared.filter.allowed_methods())
            }
        };
        slot.set_progress(Progress::Spoken);
        Ok::<_, Infallible>(answer)
    });
    let stream = tokio::io::join(Cursor::new(head).chain(reader), writer);
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        // a client that has said all it will say may still read
        .half_close(true)
        .max_headers(MAX_HEADER_FIELDS)
        .timer(TokioTimer::new())
        .header_read_timeout(slot.shared.limits.read)
        .serve_connection(TokioIo::new(stream), service)
        .without_shutdown();
    match connection.await {
        Ok(parts) => {
            let (reader, mut writer) = parts.io.into_inner().into_inner();
            let _client_gone = writer.shutdown().await;
            if refused.load(Ordering::Relaxed) {
                linger(reader, slot).await;
            }
        }
        // hyper has answered what it could not parse
        Err(error) if error.is_parse_too_large() => slot.shared.report_refusal(Refusal::HeadTooLong),
        Err(error) if error.is_parse() => slot.shared.report_refusal(Refusal::Malformed),
        Err(_client_gone) => {}
    }
}

async fn answer(request: Request<Incoming>, slot: &SlotGuard) -> Result<Reply, Refusal> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let method = slot.shared.filter.check(&head)?;
    let parameters = match method {
        Method::Post => {
            let form = read_form(body, slot.shared.limits.read).await?;
            // joined, so that a parameter in both places is seen as repeated
            if query.is_empty() {
                form
            } else {
                format!("{query}&{form}")
            }
        }
        _ => query.to_owned(),
    };
    slot.set_progress(Progress::Held);
    let (responder, reply) = oneshot::channel();
    let callback = Callback {
        parameters,
        method,
        responder,
    };
    let delivered = slot.shared.reports.send(Arrival::Callback(callback)).await;
    if delivered.is_err() {
        return Ok(Reply::Page(Page::AlreadyHandled));
    }
    Ok(reply.await.unwrap_or(Reply::Page(Page::Failure)))
}

async fn read_form(body: Incoming, limit: Duration) -> Result<String, Refusal> {
    let form = timeout(limit, Limited::new(body, MAX_FORM_BYTES).collect());
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

/// A page and not a redirect: Chromium and Safari apply the `form-action` of
/// the server's consent page to every redirect that follows its form (CSP Level
/// 3 §6.4.1), and that policy can list our address alone. `Referrer-Policy` is
/// among the headers of every answer, so that the other page does not learn
/// this address, which has the code in it.
fn success_then(url: &Url) -> Response<Full<Bytes>> {
    let mut response = page_response(Page::Success);
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={url}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    response
}

fn refusal_response(refusal: Refusal, allowed_methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = page_response(Page::Ignored);
    *response.status_mut() = refusal.status();
    if refusal.status() == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static(allowed_methods));
    }
    response
}

/// Answers what never reaches hyper. What is not HTTP is closed without an answer.
async fn refuse(
    refusal: Refusal,
    reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    slot: &SlotGuard,
) {
    if refusal.is_answered() {
        let _client_gone = writer
            .write_all(&page::raw_response(refusal.status(), Page::Ignored))
            .await;
    }
    let _client_gone = writer.shutdown().await;
    linger(reader, slot).await;
}

async fn linger(reader: impl AsyncRead + Unpin, slot: &SlotGuard) {
    let mut rest = reader.take(MAX_LINGER_BYTES);
    let mut nowhere = tokio::io::sink();
    tokio::select! {
        _cut_short = timeout(slot.shared.limits.linger, tokio::io::copy(&mut rest, &mut nowhere)) => {}
        () = slot.shared.closed() => {}
    }
}
