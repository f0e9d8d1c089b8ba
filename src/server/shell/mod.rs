//! The shell of the development server. It owns the sockets, the clock and the
//! operating system's randomness; what it answers is decided in `dispatch`,
//! which has none of them.
//!
//! Invariants: listens on 127.0.0.1 alone; headers, bodies, waiting times and
//! connections are bounded.

mod accepting;
mod answering;
mod client_documents;
mod connections;
mod error;
mod http;
mod tls;
mod tls_files;

pub use error::ServeError;
pub use tls_files::{AUTHORITY, CLIENT, CLIENT_KEY, CLIENT_SUBJECT};

use super::authorization_server::AuthorizationServer;
use super::log_entry::LogEntry;
use super::settings::ServeSettings;
use crate::transport::TransportSettings;
use accepting::Acceptor;
use answering::Shared;
use client_documents::DocumentFetcher;
use connections::Connections;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tls::Tls;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections at once. Past that, an idle one is closed for a new one.
const MAX_CONNECTIONS: usize = 256;
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

    /// How many threads answer: one for each processor.
    pub fn threads() -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }

    /// What is served: issuer, clients, metadata.
    pub fn authorization_server(&self) -> &AuthorizationServer {
        &self.authorization_server
    }

    /// Serves until `shutdown` is there, then lets running requests finish for
    /// a second at most. `log` is called once for each request.
    ///
    /// # Errors
    /// [`ServeError::Listener`] and [`ServeError::Runtime`].
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()>,
        log: impl Fn(LogEntry) + Send + Sync + 'static,
    ) -> Result<(), ServeError> {
        let shared = Arc::new(Shared {
            authorization_server: self.authorization_server,
            latency: self.latency,
            tls: self.tls,
            documents: self.documents,
            log: Box::new(log),
        });
        let (stop, stopping) = watch::channel(false);
        let open = Connections::new(MAX_CONNECTIONS);
        let mut threads = JoinSet::new();
        // Fewer where there are no descriptors for more
        let others = (1..Self::threads()).map_while(|_| self.listener.try_clone().ok());
        let listeners: Vec<TcpListener> = others.collect();
        for listener in listeners.into_iter().chain([self.listener]) {
            let acceptor = Acceptor {
                listener,
                shared: Arc::clone(&shared),
                open: Arc::clone(&open),
                stopping: stopping.clone(),
            };
            threads.spawn_blocking(|| acceptor.run());
        }
        let mut shutdown = pin!(shutdown);
        let mut outcome = Ok(());
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                // One thread that could not start does not matter where others run
                ended = threads.join_next() => match ended {
                    Some(ended) => outcome = ended.unwrap_or(outcome),
                    None => return outcome,
                },
            }
        }
        // Nobody may be left to hear it.
        let _ = stop.send(true);
        while threads.join_next().await.is_some() {}
        Ok(())
    }
}
