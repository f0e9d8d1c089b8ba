//! The connections of the listener: how many there may be at once, and which
//! one gives way to a newer one.
//!
//! Invariant: a connection gives way only while it has sent no whole request
//! and has no unread bytes. Where none can give way, the newer one waits.

use super::Arrival;
use super::filter::RequestFilter;
use super::limits::ListenerLimits;
use super::refusal::Refusal;
use std::collections::BTreeMap;
use std::io;
use std::net::{self, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Connections open at once.
const MAX_CONNECTIONS: usize = 64;

/// How long accepting pauses when the system refuses another socket.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long accepting pauses when no connection can give way.
const ROOM_PAUSE: Duration = Duration::from_millis(1);

/// How often a connection is looked at that is closing and has unread bytes.
const READ_PAUSE: Duration = Duration::from_millis(1);

/// Serves one connection. Its task ends with the future.
pub(super) type Serve = fn(TcpStream, SlotGuard) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the acceptor and the connections share.
pub(super) struct Shared {
    pub(super) filter: RequestFilter,
    pub(super) limits: ListenerLimits,
    /// For an https redirect URI.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) serve: Serve,
    pub(super) reports: mpsc::Sender<Arrival>,
    pub(super) closing: watch::Sender<bool>,
    pub(super) connections: Mutex<Connections>,
}

impl Shared {
    pub(super) fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report_refusal(&self, refusal: Refusal) {
        // a flood is answered, and reported as far as someone listens
        let _full_or_closed = self.reports.try_send(Arrival::Rejected(refusal));
    }

    pub(super) async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        let _sender_lives_in_self = closing.wait_for(|closing| *closing).await;
    }
}

#[derive(Debug, Default)]
pub(super) struct Connections {
    pub(super) listeners: Vec<TcpListener>,
    slots: BTreeMap<u64, ConnectionSlot>,
    next_slot: u64,
    pub(super) tasks: JoinSet<()>,
    /// Accepted while no other connection could give way.
    waiting: Option<TcpStream>,
}

/// An open connection; the lowest number is the oldest.
#[derive(Debug)]
struct ConnectionSlot {
    task: AbortHandle,
    progress: Progress,
    /// The same socket, to look for unread bytes.
    socket: net::TcpStream,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// No byte of it was read, as of those that browsers open in advance.
    Silent,
    /// A part of a request was read, or it has had its answer.
    Spoken,
    /// It delivered a callback and waits for its page.
    Held,
}

impl ConnectionSlot {
    fn has_unread_bytes(&self) -> bool {
        self.socket.peek(&mut [0]).is_ok_and(|length| length > 0)
    }
}

impl Connections {
    pub(super) fn new(listeners: Vec<TcpListener>) -> Self {
        Connections {
            listeners,
            ..Connections::default()
        }
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        for listener in &self.listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, _peer): (TcpStream, SocketAddr)| stream));
            }
        }
        Poll::Pending
    }

    /// Accepts the next connection and starts to serve it, or keeps it until
    /// another one can give way; false then.
    fn poll_serve(&mut self, shared: &Arc<Shared>, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.tasks.try_join_next().is_some() {}
        let stream = match self.waiting.take() {
            Some(stream) => stream,
            None => match self.poll_accept(context) {
                Poll::Ready(Ok(stream)) => stream,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            },
        };
        if self.slots.len() >= MAX_CONNECTIONS && !self.drop_idle() {
            self.waiting = Some(stream);
            return Poll::Ready(Ok(false));
        }
        Poll::Ready(self.serve(stream, shared).map(|()| true))
    }

    /// Serves all that were made so far, however many they are.
    pub(super) fn serve_rest(&mut self, shared: &Arc<Shared>) {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut next = self.waiting.take();
        loop {
            if let Some(stream) = next.take() {
                let _client_gone = self.serve(stream, shared);
            }
            match self.poll_accept(&mut context) {
                Poll::Ready(Ok(stream)) => next = Some(stream),
                Poll::Ready(Err(_)) | Poll::Pending => return,
            }
        }
    }

    fn serve(&mut self, stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
        let stream = stream.into_std()?;
        let socket = stream.try_clone()?;
        let stream = TcpStream::from_std(stream)?;
        let number = self.next_slot;
        self.next_slot += 1;
        let shared = Arc::clone(shared);
        let task = self.tasks.spawn(async move {
            // made in here: a task that is never polled must not take the lock in its drop
            let serve = shared.serve;
            serve(stream, SlotGuard { number, shared }).await;
        });
        let slot = ConnectionSlot {
            task,
            progress: Progress::Silent,
            socket,
        };
        self.slots.insert(number, slot);
        Ok(())
    }

    /// Drops the oldest silent connection, else the oldest with a part of a
    /// request; none with unread bytes. False where there is none.
    fn drop_idle(&mut self) -> bool {
        let oldest = |progress: Progress| {
            let mut candidates = self.slots.iter().filter(|(_, slot)| slot.progress == progress);
            candidates
                .find(|(_, slot)| !slot.has_unread_bytes())
                .map(|(number, _)| *number)
        };
        let Some(number) = oldest(Progress::Silent).or_else(|| oldest(Progress::Spoken)) else {
            return false;
        };
        if let Some(slot) = self.slots.remove(&number) {
            slot.task.abort();
        }
        true
    }
}

/// Gives the slot of a connection free when its task ends, however it ends.
pub(super) struct SlotGuard {
    number: u64,
    pub(super) shared: Arc<Shared>,
}

impl SlotGuard {
    /// Waits until the listener closes and what was sent before is read.
    pub(super) async fn closed_and_read(&self) {
        self.shared.closed().await;
        while self.has_unread_bytes() {
            tokio::time::sleep(READ_PAUSE).await;
        }
    }

    fn has_unread_bytes(&self) -> bool {
        let connections = self.shared.connections();
        let slot = connections.slots.get(&self.number);
        slot.is_some_and(ConnectionSlot::has_unread_bytes)
    }

    pub(super) fn set_progress(&self, progress: Progress) {
        if let Some(slot) = self.shared.connections().slots.get_mut(&self.number) {
            slot.progress = progress;
        }
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        self.shared.connections().slots.remove(&self.number);
    }
}

/// Accepts connections until it is aborted.
pub(super) async fn accept(shared: Arc<Shared>) {
    loop {
        // accepted and served under one lock, so that closing misses none
        let served = std::future::poll_fn(|context| shared.connections().poll_serve(&shared, context)).await;
        match served {
            // its task reads what is there already before newer connections can push it out
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => tokio::time::sleep(ROOM_PAUSE).await,
            // a client that left before it was accepted concerns nobody
            Err(error) if is_clients_doing(&error) => {}
            // being out of sockets passes as idle connections go
            Err(_) => {
                shared.connections().drop_idle();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_clients_doing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
