//! The shell of the development server. It owns the sockets, the clock and the
//! operating system's randomness; what it answers is decided in `dispatch`,
//! which has none of them.
//!
//! Invariants: listens on 127.0.0.1 alone; headers, bodies, waiting times and
//! connections are bounded.

mod client_documents;
mod connections;
mod error;
mod http;
mod tls;
mod tls_files;

pub use error::ServeError;
pub use tls_files::{AUTHORITY, CLIENT, CLIENT_KEY, CLIENT_SUBJECT};

use super::authorization_server::AuthorizationServer;
use super::client_certificate::ShownCertificate;
use super::log_entry::LogEntry;
use super::message::{Request, Response};
use super::rejection::Rejection;
use super::settings::ServeSettings;
use crate::system::{SystemRandomness, now};
use crate::transport::TransportSettings;
use client_documents::DocumentFetcher;
use connections::{Connections, Slot};
use http::{AnswerBody, MAX_HEADERS_BYTES, READ_TIMEOUT, encode, read, unreadable};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tls::Tls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

/// Connections at once. Past that, an idle one is closed for a new one.
const MAX_CONNECTIONS: usize = 256;
/// How long requests that are being answered may take at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Rest after the operating system had no connection to give, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How far apart requests may come that count as concurrent, where those are to be answered alike.
const CONCURRENCY_WINDOW: Duration = Duration::from_millis(300);

/// A server that listens already, so that its issuer is known and connections
/// wait for [`Server::run`].
pub struct Server {
    listener: TcpListener,
    authorization_server: AuthorizationServer,
    latency: Duration,
    tls: Option<Tls>,
    documents: DocumentFetcher,
}

impl Server {
    /// Listens on 127.0.0.1; makes the certificates of https where they are not there.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn bind(settings: &ServeSettings) -> Result<Self, ServeError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
        let port_error = |source| ServeError::Port {
            port: settings.port,
            source,
        };
        let listener = TcpListener::bind(address).map_err(port_error)?;
        let port = listener.local_addr().map_err(ServeError::Listener)?.port();
        listener.set_nonblocking(true).map_err(ServeError::Listener)?;
        let authorization_server = AuthorizationServer::new(settings, port)?;
        let tls = settings.tls.as_deref().map(Tls::of_folder).transpose()?;
        Ok(Server {
            tls,
            listener,
            authorization_server,
            latency: settings.latency,
            documents: DocumentFetcher::new(TransportSettings::default()),
        })
    }

    /// Fetches client-ID metadata documents by these settings.
    #[must_use]
    pub fn with_transport(mut self, settings: TransportSettings) -> Self {
        self.documents = DocumentFetcher::new(settings);
        self
    }

    /// What is served: issuer, clients, metadata.
    pub fn authorization_server(&self) -> &AuthorizationServer {
        &self.authorization_server
    }

    /// Serves until `shutdown` is there, then lets running requests finish for
    /// a second at most. `log` is called once for each request.
    ///
    /// # Errors
    /// [`ServeError::Listener`].
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()>,
        log: impl Fn(LogEntry) + Send + Sync + 'static,
    ) -> Result<(), ServeError> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Listener)?;
        let shared = Arc::new(Shared {
            authorization_server: self.authorization_server,
            latency: self.latency,
            tls: self.tls,
            documents: self.documents,
            log: Box::new(log),
        });
        let (stop, stopping) = watch::channel(false);
        let open = Connections::new(MAX_CONNECTIONS);
        let mut tasks = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut spare = TcpSocket::new_v4().ok();
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = tasks.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                refuse_without_descriptors(&listener, &mut spare).await;
                continue;
            };
            let slot = tokio::select! {
                () = &mut shutdown => break,
                slot = open.admit() => slot,
            };
            tasks.spawn(serve_connection(Arc::clone(&shared), stream, slot, stopping.clone()));
        }
        drop(listener);
        // Nobody may be left to hear it.
        let _ = stop.send(true);
        let drained = async { while tasks.join_next().await.is_some() {} };
        let _ = timeout(DRAIN_TIMEOUT, drained).await;
        Ok(())
    }
}

/// Accepts one connection by the descriptor of `spare` and closes it, where the process has no other: a client that
/// is never accepted waits for its own timeout. Returns after [`ACCEPT_PAUSE`] at the latest.
async fn refuse_without_descriptors(listener: &tokio::net::TcpListener, spare: &mut Option<TcpSocket>) {
    if TcpSocket::new_v4().is_err() {
        drop(spare.take());
        let _closed_at_once = timeout(ACCEPT_PAUSE, listener.accept()).await;
    } else {
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
    if spare.is_none() {
        *spare = TcpSocket::new_v4().ok();
    }
}

struct Shared {
    authorization_server: AuthorizationServer,
    latency: Duration,
    tls: Option<Tls>,
    documents: DocumentFetcher,
    log: Box<dyn Fn(LogEntry) + Send + Sync>,
}

async fn serve_connection(shared: Arc<Shared>, stream: TcpStream, slot: Slot, mut stopping: watch::Receiver<bool>) {
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
