//! What every flow needs of the world: the HTTP client, the clock, randomness
//! and the observer, together in one value. Flows send through [`Caller::send`]
//! only, so whatever all requests need is added there.

use crate::protocol::client::AuthenticationContext;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::trace::{Event, Observer};
use crate::transport::{Transport, TransportError};

/// Reads the wall clock.
pub type Clock = fn() -> UnixSeconds;

/// The client that calls: how it sends, what time it is, and who watches.
pub struct Caller<'a> {
    pub transport: &'a Transport,
    pub clock: Clock,
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
