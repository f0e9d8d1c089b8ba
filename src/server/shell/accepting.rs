//! One thread of the server: takes connections from the listener that all
//! threads share, and answers them.

use super::answering::{Shared, serve_connection};
use super::connections::Connections;
use super::error::ServeError;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long requests that are being answered may take at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Rest after the operating system had no connection to give, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a thread accepts connections with.
pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    pub(super) shared: Arc<Shared>,
    pub(super) open: Arc<Connections>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Acceptor {
    /// Answers until the server stops, on this thread alone.
    ///
    /// # Errors
    /// [`ServeError::Runtime`], and [`ServeError::Listener`].
    pub(super) fn run(self) -> Result<(), ServeError> {
        runtime().map_err(ServeError::Runtime)?.block_on(self.accept())
    }

    async fn accept(mut self) -> Result<(), ServeError> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Listener)?;
        let ended = self.stopping.clone();
        let mut stopped = pin!(self.stopping.wait_for(|stop| *stop));
        let mut tasks = JoinSet::new();
        let mut spare = TcpSocket::new_v4().ok();
        loop {
            let accepted = tokio::select! {
                _ = &mut stopped => break,
                Some(_) = tasks.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                refuse_without_descriptors(&listener, &mut spare).await;
                continue;
            };
            let slot = tokio::select! {
                _ = &mut stopped => break,
                slot = self.open.admit() => slot,
            };
            tasks.spawn(serve_connection(Arc::clone(&self.shared), stream, slot, ended.clone()));
        }
        drop(listener);
        let drained = async { while tasks.join_next().await.is_some() {} };
        let _ = timeout(DRAIN_TIMEOUT, drained).await;
        Ok(())
    }
}

/// Without signals, so that it takes two descriptors alone.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
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
