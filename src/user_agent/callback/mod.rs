//! The temporary listener at the redirect URI (RFC 8252 §7.3, §8.3).
//!
//! It knows HTTP and no OAuth: a request that passes the `filter` reaches
//! the flow as a [`Callback`] and is held open until the flow answers with one
//! of the constant pages. Everything else is answered here and only reported.
//! Invariants: bound before anyone learns the port; loopback only unless told
//! otherwise; no byte of a request in any answer; no connection can keep the
//! real callback from being served; the port is closed as soon as the
//! [`Loopback`] is closed or dropped.

mod bind;
mod certificate;
mod connection;
mod connections;
mod error;
mod filter;
mod head;
mod limits;
mod named_host;
mod page;
mod refusal;

pub use certificate::{CallbackCertificate, CallbackCertificateError};
pub use error::LoopbackError;
#[cfg(fuzzing)]
pub use head::ends_head;
pub use limits::ListenerLimits;
pub use named_host::{NotLoopback, resolve_loopback};
pub use page::{Page, content_security_policy};
pub use refusal::Refusal;

use crate::protocol::http::Method;
use crate::protocol::redirect_uri::LoopbackAddress;
use connection::serve;
use connections::{Connections, Shared, accept};
use filter::RequestFilter;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// Arrivals that wait for [`Loopback::next`]. Past that, refused requests are
/// answered but no longer reported.
const ARRIVAL_BACKLOG: usize = 64;

/// What to listen on, and which requests are callbacks.
#[derive(Debug, Clone)]
pub struct ListenSettings {
    /// The host of the redirect URI, or what its name resolves to.
    pub host: LoopbackAddress,
    /// The name in the redirect URI, where that is another one; requests must
    /// carry it, or the host, as `Host`.
    pub name: Option<String>,
    /// The certificate of an https redirect URI; `None` for http.
    pub certificate: Option<CallbackCertificate>,
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
    /// How long it waits for each kind of peer.
    pub limits: ListenerLimits,
}

/// The listener. Its port is closed by [`Loopback::close`], which lets
/// browsers take their pages, or by dropping it, which does not.
pub struct Loopback {
    shared: Arc<Shared>,
    arrivals: mpsc::Receiver<Arrival>,
    acceptor: AbortHandle,
    host: LoopbackAddress,
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
    Rejected(Refusal),
}

/// Where the browser comes back, as the redirect URI names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerAddress {
    pub host: LoopbackAddress,
    pub port: u16,
}

impl fmt::Display for ListenerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host.as_str(), self.port)
    }
}

/// A request to the callback path, held open until it is answered. Dropping
/// it answers with [`Page::Failure`].
pub struct Callback {
    /// The query of a GET, the body of a form post (after the query and `&`
    /// where it has both), as sent: not decoded, at most 16 KiB each.
    pub parameters: String,
    /// GET for a query, POST for a form.
    pub method: Method,
    responder: oneshot::Sender<Reply>,
}

/// What the browser of a callback gets.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Page(Page),
    /// The page of success, which goes on to this URL by itself.
    SuccessThen(Box<Url>),
}

impl Callback {
    /// Answers the browser. That it has gone is not an error.
    pub fn respond(self, page: Page) {
        let _browser_gone = self.responder.send(Reply::Page(page));
    }

    /// Sends the browser on to another page, which learns nothing of this one.
    pub fn send_on(self, url: &Url) {
        let _browser_gone = self.responder.send(Reply::SuccessThen(Box::new(url.clone())));
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the parameters hold the code
        formatter.write_str("Callback([redacted])")
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Loopback({}:{})", self.host.as_str(), self.port)
    }
}

impl Loopback {
    /// Binds, and accepts from here on.
    ///
    /// # Errors
    /// [`LoopbackError`] when no port of the settings can be had.
    pub async fn bind(settings: &ListenSettings) -> Result<Loopback, LoopbackError> {
        let name = settings.name.as_deref().unwrap_or(settings.host.as_str());
        let tls = settings
            .certificate
            .as_ref()
            .map(|certificate| certificate.configure(name));
        let tls = tls.transpose()?;
        let mut bound = bind::bind(settings).await?;
        bound.notes.extend(tls.as_ref().and_then(|tls| tls.note.clone()));
        if let Some(name) = settings.name.as_ref().filter(|name| !name.ends_with(".localhost")) {
            let warning = format!(
                "the redirect URI names {name}, which resolves to this machine now: the owner of that name could have the code sent elsewhere"
            );
            bound.warning = Some(
                bound
                    .warning
                    .map_or(warning.clone(), |first| format!("{first}; {warning}")),
            );
        }
        let (reports, arrivals) = mpsc::channel(ARRIVAL_BACKLOG);
        let (closing, _) = watch::channel(false);
        let shared = Arc::new(Shared {
            filter: RequestFilter::new(settings, bound.port),
            limits: settings.limits,
            tls: tls.map(|tls| TlsAcceptor::from(tls.config)),
            serve,
            reports,
            closing,
            connections: Mutex::new(Connections::new(bound.listeners)),
        });
        let acceptor = tokio::spawn(accept(Arc::clone(&shared))).abort_handle();
        Ok(Loopback {
            shared,
            arrivals,
            acceptor,
            host: settings.host,
            port: bound.port,
            notes: bound.notes,
            warning: bound.warning,
        })
    }

    /// The port of the redirect URI.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host of the redirect URI.
    pub fn host(&self) -> LoopbackAddress {
        self.host
    }

    /// The address that the redirect URI names.
    pub fn address(&self) -> ListenerAddress {
        ListenerAddress {
            host: self.host,
            port: self.port,
        }
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
    /// [`Page::AlreadyHandled`]) and waits at most [`ListenerLimits::drain`] for
    /// the browsers to take their pages. Without it, a page on its way is lost
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
            let mut connections = self.shared.connections();
            // connections that were made before the port closes are answered too
            connections.serve_rest(&self.shared);
            connections.listeners.clear();
            std::mem::take(&mut connections.tasks)
        };
        let drained = async { while tasks.join_next().await.is_some() {} };
        let _cut_short = tokio::time::timeout(self.shared.limits.drain, drained).await;
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.acceptor.abort();
        let mut connections = self.shared.connections();
        // the sockets close here, not when the runtime comes to the tasks
        connections.listeners.clear();
        connections.tasks.abort_all();
    }
}
