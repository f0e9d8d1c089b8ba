//! `oauth serve`: the shell of the development server. It owns the sockets,
//! the clock and the operating system's randomness; what it answers is decided
//! in [`authorization_server`], which has none of them.
//!
//! Invariants: listens on 127.0.0.1 alone; headers, bodies, waiting times and
//! connections are bounded; nothing that a request holds beside method and
//! path reaches the log.

pub mod authorization_server;
pub mod broken;
pub mod message;
pub mod resource_owner;
pub mod route;
pub mod settings;

mod authorization_endpoint;
mod bearer;
mod bounded;
mod documents;
mod failures;
mod grants;
mod interaction;
mod introspection;
mod keys;
mod pages;
mod prompt;
mod resource_server;
#[cfg(test)]
mod test_randomness;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
mod tests;
mod token_endpoint;
mod tokens;

use crate::exit::{Diagnosis, ExitCode};
use crate::secret::Secret;
use crate::system::{SystemRandomness, now};
use authorization_server::{AuthorizationServer, SetUpError};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use message::{HEADERS_READ, LogEntry, Refused, Request, Response};
use settings::ServeSettings;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

/// Request line and headers, at most.
const HEADERS_MAX_BYTES: usize = 16 * 1024;
/// A request's body, at most.
const BODY_MAX_BYTES: usize = 64 * 1024;
/// How long a connection may take to send a request's headers, and again for its body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections at once; the others wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// How long requests that are being answered may take at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Rest after the operating system had no connection to give, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How far apart requests may come that count as simultaneous, where those are to be answered alike.
const SIMULTANEITY: Duration = Duration::from_millis(300);

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("port {port} of 127.0.0.1 cannot be listened on")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The listener was made, but cannot be used.
    #[error("the listener on 127.0.0.1 cannot be used")]
    Listener(#[source] io::Error),
    /// Keys, issuer or accounts.
    #[error("the authorization server cannot be set up")]
    SetUp(#[from] SetUpError),
}

impl Diagnosis for ServeError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ServeError::Port { .. } | ServeError::SetUp(SetUpError::NoUser) => ExitCode::Usage,
            ServeError::Listener(_) | ServeError::SetUp(_) => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            ServeError::Port { .. } => "Take any free port with: oauth serve --port 0.",
            ServeError::SetUp(SetUpError::NoUser) => "Make an account with: oauth serve --user demo:demo.",
            ServeError::Listener(_) | ServeError::SetUp(_) => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// A server that listens already, so that its issuer is known and connections
/// wait for [`Server::run`].
pub struct Server {
    listener: TcpListener,
    authorization_server: AuthorizationServer,
    latency: Duration,
}

impl Server {
    /// Listens on 127.0.0.1.
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
        Ok(Server {
            listener,
            authorization_server,
            latency: settings.latency,
        })
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
            log: Box::new(log),
        });
        let (stop, stopping) = watch::channel(false);
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accept = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (permit, listener.accept().await)
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                (permit, accepted) = accept => match accepted {
                    Ok((stream, _)) => {
                        let serve = serve_connection(Arc::clone(&shared), stream, stopping.clone());
                        connections.spawn(async move {
                            let _permit = permit;
                            serve.await;
                        });
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        // Nobody may be left to hear it.
        let _ = stop.send(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        let _ = timeout(DRAIN_TIMEOUT, drained).await;
        Ok(())
    }
}

struct Shared {
    authorization_server: AuthorizationServer,
    latency: Duration,
    log: Box<dyn Fn(LogEntry) + Send + Sync>,
}

async fn serve_connection(shared: Arc<Shared>, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    // Small answers should not wait for a full segment; failing is no harm.
    let _ = stream.set_nodelay(true);
    let answering = Arc::clone(&shared);
    let service = service_fn(move |request| answer(Arc::clone(&answering), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_header_size(HEADERS_MAX_BYTES)
        .max_buf_size(HEADERS_MAX_BYTES + 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
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

/// What never became a request, and was answered without this server being asked.
fn unreadable(error: &hyper::Error) -> LogEntry {
    let (status, reason, rule) = if error.is_parse_too_large() {
        (
            431,
            "the request line or the headers are longer than 16 KiB, or too many",
            "RFC 6585 §5",
        )
    } else {
        (400, "this is no HTTP/1.1 request", "RFC 9112 §2.2")
    };
    LogEntry {
        method: "?".to_owned(),
        path: "?".to_owned(),
        status,
        refused: Some(Refused::new(reason, rule)),
        broken: Vec::new(),
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let response = match read(request).await {
        Err(refused) => refused,
        Ok(request) => {
            // A sleep of nothing would still wait for the timer's next tick.
            if !shared.latency.is_zero() {
                tokio::time::sleep(shared.latency).await;
            }
            let arrival = shared.authorization_server.arrives(&request);
            if arrival.is_some() {
                tokio::time::sleep(SIMULTANEITY).await;
            }
            decide(&shared, request).await
        }
    };
    (shared.log)(LogEntry::new(&method, &path, &response));
    Ok(encode(response))
}

/// Takes a request in, within the limits.
async fn read(request: hyper::Request<Incoming>) -> Result<Request, Response> {
    let (head, body) = request.into_parts();
    if head.uri.authority().is_some() {
        let refused = Refused::new("this is no proxy: the request target is a path", "RFC 9112 §3.2.1");
        return Err(Response::text(400, refused));
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
        Ok(Err(_)) => return Err(cut_off(400, "the body broke off or is malformed", "RFC 9112 §6")),
        Err(_) => {
            let reason = "the body did not arrive within 30 seconds";
            return Err(cut_off(408, reason, "RFC 9110 §15.5.9"));
        }
    };
    Ok(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        body: Secret::new(body),
    })
}

/// The body; `None` where it is too long. A little more than allowed is read
/// and dropped, since a client that is still sending would not read the answer.
async fn read_body(mut body: Incoming) -> Result<Option<Vec<u8>>, hyper::Error> {
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return Ok(None);
    }
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > 2 * BODY_MAX_BYTES {
            break;
        }
    }
    Ok((read.len() <= BODY_MAX_BYTES).then_some(read))
}

/// A refusal after which the connection cannot go on.
fn cut_off(status: u16, reason: &str, rule: &'static str) -> Response {
    Response::text(status, Refused::new(reason, rule)).with("connection", "close")
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
            Refused::new("the request could not be worked on", "RFC 9110 §15.6.1"),
        )
    })
}

fn encode(response: Response) -> hyper::Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(response.body.into_owned()));
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(*name, value.as_ref());
    }
    builder.body(body).unwrap_or_else(|_| {
        // A header value that HTTP cannot carry; none is made from unchecked text.
        let mut response = hyper::Response::new(Full::default());
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
