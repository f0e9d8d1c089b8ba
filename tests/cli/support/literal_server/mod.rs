//! A server that answers with literal bytes and records literal bytes: the
//! peer in tests of the client. Standard library only, so that no mistake of
//! the code under test, or of its libraries, can hide in it.
//!
//! A test says what to answer on which path ([`LiteralServer::on`] and its
//! kin), runs the client, and asserts on [`LiteralServer::requests`]. When the
//! server is dropped, the test fails if a route marked [`Route::expected`] was
//! never asked for, or if an answering closure panicked.
//!
//! Nothing here sleeps to wait for somebody: [`LiteralServer::wait_for`] and
//! [`Gate`] wait for events. The pauses in answers ([`Reply::after`],
//! [`Reply::drip`]) are what is being tested.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test crate uses its own part"
)]

mod reply;
mod request;

pub use reply::{Gate, Reply, html, json, redirect, status};
pub use request::{Request, value_of};

use reply::{Outcome, perform};
use request::read_request;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// No wait in a test is longer than this; a test that hangs fails with a message.
/// Loaded machines are slow, and programs of Windows in wine much more so.
pub const PATIENCE: Duration = Duration::from_secs(if cfg!(windows) { 300 } else { 60 });

type Answering = dyn FnMut(&Request) -> Reply + Send;

struct RouteEntry {
    method: String,
    path: String,
    answering: Arc<Mutex<Box<Answering>>>,
    expected: bool,
    calls: usize,
}

/// Wraps an accepted connection, for TLS; an error ends the connection.
pub type Wrap = Arc<dyn Fn(TcpStream) -> io::Result<Box<dyn Connection>> + Send + Sync>;

/// What the server reads from and writes to.
pub trait Connection: Read + Write + Send {
    /// A polite end of what was written so far, such as TLS's close_notify.
    fn finish(&mut self) {}
}

impl Connection for TcpStream {}

struct Shared {
    routes: Mutex<Vec<RouteEntry>>,
    requests: Mutex<Vec<Request>>,
    arrived: Condvar,
    connections: AtomicUsize,
    /// A second handle of each open connection, to end it with the test.
    open_sockets: Mutex<HashMap<usize, TcpStream>>,
    /// Done with every connection instead of reading from it.
    greeting: Mutex<Option<Reply>>,
    stopping: AtomicBool,
    panics: Mutex<Vec<String>>,
    wrap: Wrap,
}

/// The server. Listens on 127.0.0.1 with a free port from the moment it exists.
pub struct LiteralServer {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// A route that was just made, to be marked.
pub struct Route<'a> {
    server: &'a LiteralServer,
    index: usize,
}

impl Route<'_> {
    /// The test fails if nobody ever asks for this.
    pub fn expected(self) -> Self {
        lock(&self.server.shared.routes)[self.index].expected = true;
        self
    }
}

impl LiteralServer {
    /// For http.
    pub fn start() -> Self {
        LiteralServer::start_wrapped("http", Arc::new(|stream| Ok(Box::new(stream))))
    }

    /// For https or anything else around the connection.
    pub fn start_wrapped(scheme: &'static str, wrap: Wrap) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        LiteralServer::start_on(listener, scheme, wrap)
    }

    /// On a listener of the test's own.
    pub fn start_on(listener: TcpListener, scheme: &'static str, wrap: Wrap) -> Self {
        let address = listener.local_addr().expect("the listener's address");
        let shared = Arc::new(Shared {
            routes: Mutex::default(),
            requests: Mutex::default(),
            arrived: Condvar::new(),
            connections: AtomicUsize::new(0),
            open_sockets: Mutex::default(),
            greeting: Mutex::default(),
            stopping: AtomicBool::new(false),
            panics: Mutex::default(),
            wrap,
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared))
        };
        LiteralServer {
            address,
            scheme,
            shared,
            accepting: Some(accepting),
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The origin and this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Answers this method and path (without query) with this reply, every time.
    /// A later route for the same replaces an earlier one.
    pub fn on(&self, method: &str, path: &str, reply: Reply) -> Route<'_> {
        self.on_call(method, path, move |_| reply.clone())
    }

    /// Answers with each reply once, in order, and then with the last one for ever.
    pub fn on_each(&self, method: &str, path: &str, replies: Vec<Reply>) -> Route<'_> {
        let mut replies = replies.into_iter().peekable();
        let mut last = Reply::nothing();
        self.on_call(method, path, move |_| {
            if let Some(next) = replies.next() {
                last = next;
            }
            last.clone()
        })
    }

    /// Answers with what the closure makes of the request. A panic in it,
    /// such as a failed assertion, fails the test.
    pub fn on_call(
        &self,
        method: &str,
        path: &str,
        answering: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Route<'_> {
        let mut routes = lock(&self.shared.routes);
        routes.push(RouteEntry {
            method: method.to_owned(),
            path: path.to_owned(),
            answering: Arc::new(Mutex::new(Box::new(answering))),
            expected: false,
            calls: 0,
        });
        Route {
            server: self,
            index: routes.len() - 1,
        }
    }

    /// Does this with every new connection, before and instead of reading.
    pub fn greet(&self, reply: Reply) {
        *lock(&self.shared.greeting) = Some(reply);
    }

    /// Everything that was received so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Lets go of what was received so far, in tests that send very much.
    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// What was received for this path so far.
    pub fn requests_to(&self, path: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.path() == path);
        requests
    }

    /// The one request to this path. Panics when there are none or several.
    pub fn only_request_to(&self, path: &str) -> Request {
        let mut requests = self.requests_to(path);
        assert_eq!(requests.len(), 1, "requests to {path}: {requests:#?}");
        requests.remove(0)
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until this many requests to the path have been received.
    pub fn wait_for(&self, path: &str, count: usize) -> Vec<Request> {
        let reached =
            |requests: &Vec<Request>| requests.iter().filter(|request| request.path() == path).count() >= count;
        let (requests, timeout) = self
            .shared
            .arrived
            .wait_timeout_while(lock(&self.shared.requests), PATIENCE, |requests| !reached(requests))
            .expect("the requests' lock");
        assert!(
            !timeout.timed_out(),
            "waited for {count} requests to {path}, got {requests:#?}"
        );
        requests
            .iter()
            .filter(|request| request.path() == path)
            .cloned()
            .collect()
    }
}

impl Drop for LiteralServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for (_, socket) in lock(&self.shared.open_sockets).drain() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        // wakes the accepting thread
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        if thread::panicking() {
            return;
        }
        let panics = lock(&self.shared.panics);
        assert!(panics.is_empty(), "an answer of the server panicked: {panics:?}");
        let routes = lock(&self.shared.routes);
        let missed = routes.iter().find(|route| route.expected && route.calls == 0);
        if let Some(route) = missed {
            let requests = self.requests();
            panic!(
                "{} {} was never called; received: {requests:#?}",
                route.method, route.path
            );
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut serving = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
        let handle = stream.try_clone().expect("a second handle");
        lock(&shared.open_sockets).insert(connection, handle);
        // a thread that has ended keeps its memory until it is joined
        let (ended, still_serving) = serving.into_iter().partition(JoinHandle::is_finished);
        serving = still_serving;
        join(ended, shared);
        let shared = Arc::clone(shared);
        serving.push(thread::spawn(move || {
            // an error here is the client going away, or refusing the certificate
            let _ = serve(stream, &shared, connection);
        }));
    }
    join(serving, shared);
}

fn join(threads: Vec<JoinHandle<()>>, shared: &Shared) {
    for thread in threads {
        if let Err(panic) = thread.join() {
            lock(&shared.panics).push(panic_text(&*panic));
        }
    }
}

fn serve(stream: TcpStream, shared: &Shared, connection: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let last_handle = stream.try_clone()?;
    let outcome = converse(stream, shared, connection);
    lock(&shared.open_sockets).remove(&connection);
    match outcome {
        Ok(Outcome::Reset) => close_with_reset(last_handle),
        _ => last_handle.shutdown(Shutdown::Both),
    }
}

/// Sends RST instead of FIN: what the close of a socket does that does not linger.
#[cfg(unix)]
fn close_with_reset(last_handle: TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(&last_handle, Some(Duration::ZERO))?;
    drop(last_handle);
    Ok(())
}

/// The standard library cannot reset; the end of the connection is near enough.
#[cfg(not(unix))]
fn close_with_reset(last_handle: TcpStream) -> io::Result<()> {
    last_handle.shutdown(Shutdown::Both)
}

fn converse(stream: TcpStream, shared: &Shared, connection: usize) -> io::Result<Outcome> {
    let raw = stream.try_clone()?;
    let greeting = lock(&shared.greeting).clone();
    if let Some(reply) = greeting {
        return perform(&reply, &mut { stream }, &raw, &shared.stopping);
    }
    let mut stream = (shared.wrap)(stream)?;
    while let Some(request) = read_request(stream.as_mut(), connection)? {
        let answering = find_route(shared, &request);
        lock(&shared.requests).push(request.clone());
        shared.arrived.notify_all();
        let reply = match answering {
            None => html(404, "<h1>Not Found</h1>"),
            Some(answering) => {
                let call = std::panic::AssertUnwindSafe(|| lock(&answering)(&request));
                match std::panic::catch_unwind(call) {
                    Ok(reply) => reply,
                    Err(panic) => {
                        lock(&shared.panics).push(panic_text(&*panic));
                        Reply::nothing()
                    }
                }
            }
        };
        let outcome = perform(&reply, stream.as_mut(), &raw, &shared.stopping)?;
        let last = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if last || outcome != Outcome::Open {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Closed)
}

fn find_route(shared: &Shared, request: &Request) -> Option<Arc<Mutex<Box<Answering>>>> {
    let mut routes = lock(&shared.routes);
    let route = routes
        .iter_mut()
        .rev()
        .find(|route| route.method == request.method && route.path == request.path())?;
    route.calls += 1;
    Some(Arc::clone(&route.answering))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
