//! One connection of the server: its handshake, its requests and their answers.

use super::client_documents::DocumentFetcher;
use super::connections::Slot;
use super::http::{AnswerBody, MAX_HEADERS_BYTES, READ_TIMEOUT, encode, read, unreadable};
use super::tls::Tls;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::client_certificate::ShownCertificate;
use crate::server::log_entry::LogEntry;
use crate::server::message::{Request, Response};
use crate::server::rejection::Rejection;
use crate::system::{SystemRandomness, now};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How far apart requests may come that count as concurrent, where those are to be answered alike.
const CONCURRENCY_WINDOW: Duration = Duration::from_millis(300);

/// What all connections have in common.
pub(super) struct Shared {
    pub(super) authorization_server: AuthorizationServer,
    pub(super) latency: Duration,
    pub(super) tls: Option<Tls>,
    pub(super) documents: DocumentFetcher,
    pub(super) log: Box<dyn Fn(LogEntry) + Send + Sync>,
}

/// Answers until the other end leaves, the slot is taken away, or the server stops.
pub(super) async fn serve_connection(
    shared: Arc<Shared>,
    stream: TcpStream,
    slot: Slot,
    mut stopping: watch::Receiver<bool>,
) {
    // Small answers should not wait for a full segment; failing is no harm.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &shared.tls else {
        return serve_http(shared, stream, None, slot, stopping).await;
    };
    let handshake = tokio::select! {
        handshake = timeout(READ_TIMEOUT, tls.shake_hands(stream)) => handshake,
        () = slot.closed() => return,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    match handshake {
        Ok(Ok((stream, certificate))) => serve_http(shared, stream, certificate, slot, stopping).await,
        Ok(Err(Some(entry))) => (shared.log)(entry),
        // It left without a word, or said nothing for too long.
        Ok(Err(None)) | Err(_) => {}
    }
}

async fn serve_http(
    shared: Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    certificate: Option<ShownCertificate>,
    slot: Slot,
    mut stopping: watch::Receiver<bool>,
) {
    let client = Arc::new(Client { slot, certificate });
    let (answering, own_client, ending) = (Arc::clone(&shared), Arc::clone(&client), stopping.clone());
    let service =
        service_fn(move |request| answer(Arc::clone(&answering), Arc::clone(&own_client), ending.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_header_size(MAX_HEADERS_BYTES)
        .max_buf_size(MAX_HEADERS_BYTES + 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = client.slot.closed() => return,
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    match ended {
        None => {
            connection.as_mut().graceful_shutdown();
            // What goes wrong now concerns nobody but the other end.
            let _ = connection.await;
        }
        Some(Err(error)) if error.is_parse() => (shared.log)(unreadable(&error)),
        Some(_) => {}
    }
}

/// The other end of a connection.
struct Client {
    slot: Slot,
    certificate: Option<ShownCertificate>,
}

async fn answer(
    shared: Arc<Shared>,
    client: Arc<Client>,
    stopping: watch::Receiver<bool>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<AnswerBody>, Infallible> {
    let _answering = client.slot.answer();
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let response = match read(request, client.certificate.clone()).await {
        Err(rejected) => rejected,
        Ok(request) => {
            // A sleep of nothing would still wait for the timer's next tick.
            if !shared.latency.is_zero() {
                tokio::time::sleep(shared.latency).await;
            }
            let in_flight = shared.authorization_server.arrive(&request);
            if in_flight.is_some() {
                tokio::time::sleep(CONCURRENCY_WINDOW).await;
            }
            fetch_document(&shared, &request).await;
            decide(&shared, request).await
        }
    };
    (shared.log)(LogEntry::new(&method, &path, &response));
    Ok(encode(response, stopping))
}

/// Fetches the document that the client of the request is named by, where that
/// was not done of late.
async fn fetch_document(shared: &Arc<Shared>, request: &Request) {
    let server = &shared.authorization_server;
    if server.wanted_document(now(), request).is_none() {
        return;
    }
    let _turn = shared.documents.turn().await;
    if let Some(document) = server.wanted_document(now(), request) {
        let (fetching, wanted) = (Arc::clone(shared), document.clone());
        let runtime = Handle::current();
        // The transport stays on one thread while it waits.
        let fetched = spawn_blocking(move || runtime.block_on(fetching.documents.fetch(&wanted)));
        let fetched = fetched
            .await
            .unwrap_or_else(|_| Err("it could not be fetched".to_owned()));
        server.keep_document(now(), &document, fetched);
    }
}

/// Answers at once, or on a thread of its own where the RSA key must be made first.
async fn decide(shared: &Arc<Shared>, request: Request) -> Response {
    let server = &shared.authorization_server;
    if server.will_need_rsa_key(&request) {
        let shared = Arc::clone(shared);
        // Whoever needs the key makes it again if this fails, and reports it.
        drop(spawn_blocking(move || {
            shared.authorization_server.make_rsa_key(&mut SystemRandomness)
        }));
    }
    if !server.may_take_long(&request) {
        return server.handle(now(), &mut SystemRandomness, &request);
    }
    let shared = Arc::clone(shared);
    let answered = spawn_blocking(move || {
        let server = &shared.authorization_server;
        server.handle(now(), &mut SystemRandomness, &request)
    });
    answered.await.unwrap_or_else(|_| {
        Response::text(
            500,
            Rejection::new("the request could not be worked on", "RFC 9110 §15.6.1"),
        )
    })
}
