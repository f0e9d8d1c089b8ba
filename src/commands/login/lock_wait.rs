//! One login of a profile at a time: waits for the others, and takes the
//! session of one that asked for the same.

use super::methods::LoginMethod;
use super::saver::SessionSaver;
use crate::app::login_lock::{self, LoginLock, LoginWait, OnOtherFailure};
use crate::error::Error;
use crate::flow::login::LoginRequest;
use crate::flow::server::ServerChoice;
use crate::store::{RequestedAccess, Session, StoreKind};
use crate::trace::Observer;
use std::time::Duration;

/// A login that is about to begin.
pub(super) struct LockWait<'a> {
    pub(super) request: &'a LoginRequest,
    pub(super) method: &'a LoginMethod<'a>,
    /// How long to wait for another login.
    pub(super) timeout: Duration,
    /// The generation of the session before; one above it is of another login.
    pub(super) known: Option<u64>,
    pub(super) after_failure: OnOtherFailure,
}

impl LockWait<'_> {
    /// The turn to log in, or the session of another login; `None` where
    /// logins need not wait for each other.
    ///
    /// # Errors
    /// Those of [`login_lock::acquire`].
    pub(super) fn wait(
        self,
        saver: &mut SessionSaver,
        observer: &mut dyn Observer,
    ) -> Result<Option<LoginLock>, Error> {
        let LockWait { request, method, .. } = self;
        if *saver.kind() == StoreKind::None || !method.may_share_session() {
            return Ok(None);
        }
        let name = saver.name().clone();
        let wait = LoginWait {
            profile: &name,
            server: server_label(request),
            known: self.known,
            timeout: self.timeout,
            after_failure: self.after_failure,
        };
        let locks = saver.locks().to_owned();
        let serves = |session: &Session| matches_request(session, request) && method.renews_like(session);
        login_lock::acquire(&wait, &locks, saver.store_mut(), &serves, observer).map(Some)
    }
}

/// The server, as other processes show it while they wait.
fn server_label(request: &LoginRequest) -> String {
    let ServerChoice {
        issuer,
        authorization_endpoint,
        ..
    } = &request.server;
    let endpoint = || authorization_endpoint.as_ref().map(ToString::to_string);
    let issuer = issuer.as_ref().map(ToString::to_string);
    issuer.or_else(endpoint).unwrap_or_default()
}

/// Whether a session is of the client of this login; one that was registered
/// by itself is as good as another one.
fn is_client(session: &Session, request: &LoginRequest) -> bool {
    let is_registered = request.client.id.is_none() || request.client.registration.is_some();
    Some(&session.client.id) == request.client.id.as_ref() || (is_registered && session.registration.is_some())
}

/// Whether a session is what this login would bring.
fn matches_request(session: &Session, request: &LoginRequest) -> bool {
    session.issuer == request.server.issuer
        && is_client(session, request)
        && session.requested == RequestedAccess::from(&request.authorization)
        && (session.dpop_key.is_some() || !request.dpop)
        // What was asked for in this way is not kept.
        && request.authorization.authorization_details.is_none()
}
