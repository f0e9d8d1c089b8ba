//! The temporary listener at the redirect URI (RFC 8252 §7.3, §8.3).
//!
//! It knows HTTP and no OAuth: a request that passes the checks of `gate`
//! reaches the flow as a [`Callback`] and is held open until the flow answers
//! with one of the constant pages. Everything else is answered here and only
//! reported. Invariants: bound before anybody learns the port; loopback only
//! unless told otherwise; no byte of a request in any answer; no connection
//! can keep the real callback from being served; the port is closed as soon
//! as the [`Loopback`] is closed or dropped.

mod bind;
mod connection;
mod error;
mod gate;
mod head;
mod page;

pub use error::LoopbackError;
pub use page::{Page, content_security_policy};

use connection::serve;
use gate::RequestFilter;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

/// Connections open at once. Past that, the oldest one that has not delivered
/// a request is dropped for the newest.
pub const CONNECTION_LIMIT: usize = 64;

/// How long [`Loopback::close`] waits for browsers to take their last page.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// How long accepting pauses when the system refuses another socket.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Arrivals that wait for [`Loopback::next`]. Past that, strangers are
/// answered but no longer reported.
const ARRIVAL_BACKLOG: usize = 64;

/// The host of the redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `127.0.0.1`
    V4,
    /// `[::1]`
    V6,
    /// `localhost`: both addresses, on one port.
    Localhost,
}

impl LoopbackHost {
    /// The host as it stands in a URL: `127.0.0.1`, `[::1]` or `localhost`.
    pub fn as_str(self) -> &'static str {
        match self {
            LoopbackHost::V4 => "127.0.0.1",
            LoopbackHost::V6 => "[::1]",
            LoopbackHost::Localhost => "localhost",
        }
    }
}

/// What to listen on, and which requests are callbacks.
#[derive(Debug, Clone)]
pub struct ListenSettings {
    /// The host of the redirect URI; requests must carry it as `Host`.
    pub host: LoopbackHost,
    /// Ports to try in order; 0 is any free one. Empty counts as `[0]`.
    pub ports: Vec<u16>,
    /// The address to bind where it differs from the redirect URI. Without a
    /// port, the ports above are tried on it; with one, the first port above
    /// is only advertised (0: the bound one).
    pub listen: Option<(IpAddr, Option<u16>)>,
    /// The path of the callback, compared byte for byte: `/callback`.
    pub path: String,
    /// Whether a form post is a callback too (`response_mode=form_post`).
    pub accept_form_post: bool,
}

/// The listener. Its port is closed by [`Loopback::close`], which lets
/// browsers take their pages, or by dropping it, which does not.
#[derive(Debug)]
pub struct Loopback {
    shared: Arc<Shared>,
    arrivals: mpsc::Receiver<Arrival>,
    acceptor: AbortHandle,
    authority: String,
    port: u16,
    notes: Vec<String>,
    warning: Option<String>,
}

/// Something that came to the listener.
#[derive(Debug)]
pub enum Arrival {
    /// A request that passed every check and waits for its page.
    Callback(Callback),
    /// A request that was answered already and changed nothing.
    Stranger {
        /// Why it was not taken. Holds no byte of the request.
        reason: String,
    },
}

/// A request to the callback path, held open until it is answered. Dropping
/// it answers with [`Page::Failure`].
pub struct Callback {
    /// The query of a GET, the body of a form post (after the query and `&`
    /// where it has both), as sent: not decoded, at most 16 KiB each.
    pub parameters: String,
    verdict: oneshot::Sender<Page>,
}

impl Callback {
    /// Answers the browser. That it has gone meanwhile is no error.
    pub fn respond(self, page: Page) {
        let _browser_gone = self.verdict.send(page);
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the parameters hold the code
        formatter.write_str("Callback([redacted])")
    }
}

impl Loopback {
    /// Binds, and accepts from here on.
    ///
    /// # Errors
    /// [`LoopbackError`] when no port of the settings can be had.
    pub async fn bind(settings: &ListenSettings) -> Result<Loopback, LoopbackError> {
        let bound = bind::bind(settings).await?;
        let (reports, arrivals) = mpsc::channel(ARRIVAL_BACKLOG);
        let (closing, _) = watch::channel(false);
        let gate = RequestFilter::new(settings, bound.port);
        let authority = gate.authority().to_owned();
        let shared = Arc::new(Shared {
            gate,
            reports,
            closing,
            doors: Mutex::new(Doors {
                listeners: bound.listeners,
                places: BTreeMap::new(),
                next_place: 0,
                tasks: JoinSet::new(),
            }),
        });
        let acceptor = tokio::spawn(accept(Arc::clone(&shared))).abort_handle();
        Ok(Loopback {
            shared,
            arrivals,
            acceptor,
            authority,
            port: bound.port,
            notes: bound.notes,
            warning: bound.warning,
        })
    }

    /// The port of the redirect URI.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port of the redirect URI, such as `127.0.0.1:49152`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What a person should know about how it listens, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// What a person should be warned of: other machines may connect.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Waits for the next arrival. Dropping the future loses none.
    ///
    /// # Errors
    /// [`LoopbackError::Ended`] when nothing accepts any more.
    pub async fn next(&mut self) -> Result<Arrival, LoopbackError> {
        self.arrivals.recv().await.ok_or(LoopbackError::Ended)
    }

    /// Closes the port at once, answers what is still open (callbacks with
    /// [`Page::AlreadyHandled`]) and waits at most [`DRAIN_LIMIT`] for the
    /// browsers to take their pages. Without it, a page on its way is lost
    /// when the runtime ends.
    pub async fn close(mut self) {
        self.arrivals.close();
        while let Ok(arrival) = self.arrivals.try_recv() {
            if let Arrival::Callback(callback) = arrival {
                callback.respond(Page::AlreadyHandled);
            }
        }
        self.shared.closing.send_replace(true);
        self.acceptor.abort();
        let mut tasks = {
            let mut doors = self.shared.doors();
            // connections that were made before the port closes are answered too
            let mut context = Context::from_waker(Waker::noop());
            while let Poll::Ready(Ok(stream)) = doors.poll_accept(&mut context) {
                doors.admit(stream, &self.shared);
            }
            doors.listeners.clear();
            std::mem::take(&mut doors.tasks)
        };
        let drained = async { while tasks.join_next().await.is_some() {} };
        let _cut_short = tokio::time::timeout(DRAIN_LIMIT, drained).await;
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.acceptor.abort();
        let mut doors = self.shared.doors();
        // the sockets close here, not when the runtime comes to the tasks
        doors.listeners.clear();
        doors.tasks.abort_all();
    }
}

/// What the acceptor and the connections share.
#[derive(Debug)]
struct Shared {
    gate: RequestFilter,
    reports: mpsc::Sender<Arrival>,
    closing: watch::Sender<bool>,
    doors: Mutex<Doors>,
}

#[derive(Debug)]
struct Doors {
    listeners: Vec<TcpListener>,
    places: BTreeMap<u64, Place>,
    next_place: u64,
    tasks: JoinSet<()>,
}

/// An open connection; the lowest number is the oldest.
#[derive(Debug)]
struct Place {
    task: AbortHandle,
    /// It delivered a callback and waits for the verdict.
    held: bool,
}

impl Shared {
    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report_stranger(&self, reason: String) {
        // a flood of strangers is answered, and reported as far as somebody listens
        let _full_or_closed = self.reports.try_send(Arrival::Stranger { reason });
    }

    async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        let _sender_lives_in_self = closing.wait_for(|closing| *closing).await;
    }
}

impl Doors {
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<std::io::Result<TcpStream>> {
        for listener in &self.listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, _peer): (TcpStream, SocketAddr)| stream));
            }
        }
        Poll::Pending
    }

    fn admit(&mut self, stream: TcpStream, shared: &Arc<Shared>) {
        while self.tasks.try_join_next().is_some() {}
        if self.places.len() >= CONNECTION_LIMIT && !self.drop_oldest_idle() {
            return;
        }
        let number = self.next_place;
        self.next_place += 1;
        let shared = Arc::clone(shared);
        let task = self.tasks.spawn(async move {
            // made in here: a task that is never polled must not take the lock in its drop
            let place = SlotGuard { number, shared };
            serve(stream, &place).await;
        });
        self.places.insert(number, Place { task, held: false });
    }

    fn drop_oldest_idle(&mut self) -> bool {
        let oldest = self.places.iter().find(|(_, place)| !place.held);
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return false;
        };
        if let Some(place) = self.places.remove(&number) {
            place.task.abort();
        }
        true
    }
}

/// Gives the place of a connection free when its task ends, however it ends.
struct SlotGuard {
    number: u64,
    shared: Arc<Shared>,
}

impl SlotGuard {
    /// From here on this connection is not dropped for a newer one.
    fn hold(&self) {
        if let Some(place) = self.shared.doors().places.get_mut(&self.number) {
            place.held = true;
        }
    }

    /// It has its verdict: a newer connection may take its place again.
    fn release(&self) {
        if let Some(place) = self.shared.doors().places.get_mut(&self.number) {
            place.held = false;
        }
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        self.shared.doors().places.remove(&self.number);
    }
}

async fn accept(shared: Arc<Shared>) {
    loop {
        let admitted = std::future::poll_fn(|context| {
            // accepted and admitted under one lock, so that closing misses none
            let mut doors = shared.doors();
            let accepted = doors.poll_accept(context);
            accepted.map_ok(|stream| doors.admit(stream, &shared))
        })
        .await;
        match admitted {
            // its task reads what is there already before newer connections can push it out
            Ok(()) => tokio::task::yield_now().await,
            // a client that left before it was accepted concerns nobody
            Err(error) if is_clients_doing(&error) => {}
            // being out of sockets passes as idle connections go
            Err(_) => {
                shared.doors().drop_oldest_idle();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_clients_doing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
