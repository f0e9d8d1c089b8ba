//! What every flow needs of the world: the HTTP client, the clock, randomness
//! and the observer, together in one value. Flows send through [`Caller::send`]
//! only, so whatever all requests need is added there.

use crate::protocol::client::AuthenticationContext;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::trace::{Event, Observer};
use crate::transport::{Answer, Transport, TransportError, Upload};
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Reads the wall clock.
pub type Clock = fn() -> UnixSeconds;

/// Waits, and measures how long something took. A trait, so that a test of an
/// hour of waiting takes none.
pub trait Timer {
    /// The time since some beginning; it never goes back.
    fn now(&self) -> Duration;

    /// Waits for this long.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>>;
}

/// The timer of this machine. It counts from its first use.
#[derive(Debug)]
pub struct SystemTimer;

impl Timer for SystemTimer {
    fn now(&self) -> Duration {
        static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGINNING.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The client that calls: how it sends, what time it is, and who watches.
pub struct Caller<'a> {
    pub transport: &'a Transport,
    pub clock: Clock,
    pub timer: &'a dyn Timer,
    /// For verifier, state, nonce and everything else that must not be guessed.
    pub randomness: &'a mut dyn Randomness,
    pub observer: &'a mut dyn Observer,
}

impl Caller<'_> {
    /// Sends one request and returns the response, whatever its status.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.transport.send(request, self.observer).await
    }

    /// Sends one request and returns the response, whatever its status, as soon
    /// as its head is there.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn open(&mut self, request: &HttpRequest, upload: Option<Upload>) -> Result<Answer, TransportError> {
        self.transport.open(request, upload, self.observer).await
    }

    /// What the client's proof in a request is made with.
    pub fn authentication_context(&mut self) -> AuthenticationContext<'_> {
        AuthenticationContext {
            now: self.now(),
            randomness: self.randomness,
        }
    }

    /// The time now.
    pub fn now(&self) -> UnixSeconds {
        (self.clock)()
    }

    /// Reports an event to the observer.
    pub fn observe(&mut self, event: &Event<'_>) {
        self.observer.observe(event);
    }
}
