//! Sends one request and returns one answer, and tells the observer of both.
//!
//! What it never does: follow a redirect (RFC 9700 §4.12: a redirect would
//! carry the credentials on), send a request twice, use http outside this
//! machine, keep a cookie, send a `Referer`, ask for a compressed body. What
//! bounds it: [`CONNECT_TIMEOUT`], the time for a whole exchange counted to
//! the last byte of the body, [`MAX_BODY_BYTES`], 100 header fields.
//!
//! Connections are not reused, so that no request can meet a stale one and
//! need a second try (RFC 6749 §4.1.2: a code that comes twice revokes).
//! Building the client is what costs (certificates are read), so it happens
//! at the first request and not before; see [`Transport::prepare`].

mod body;
mod certificate_verifier;
mod client_key;
mod error;
mod error_chain;
mod failure;
mod no_proxy;
mod proxy;
mod proxy_error;
mod resolver;
mod stopwatch;
mod tls;
mod tls_failure;

pub use error::{Cause, PemProblem, TransportError, UrlSource};
pub use proxy::{ProxySettings, check_proxy_without_userinfo};
pub use proxy_error::ProxyError;
pub use tls_failure::TlsFailure;

use crate::fault::{self, Point};
use crate::protocol::endpoint::is_loopback;
use crate::protocol::global_address::is_global;
use crate::protocol::http::{HttpRequest, HttpResponse, Method, Timings, USER_AGENT};
use crate::protocol::params::Params;
use crate::protocol::tls_identity::TlsIdentity;
use crate::trace::{Event, Observer};
use body::{check_framing, read_body};
use certificate_verifier::remembering_names;
use failure::Attempt;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use proxy::{ProxyRules, ProxyUrl};
use reqwest::header::{HeaderName, HeaderValue};
use resolver::Resolver;
use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use stopwatch::{TimedConnecting, laps, timed};
use url::{Host, Url};

/// The longest wait for name, connection and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest body that is read.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What the transport goes by. Nothing of it is looked at before it is needed.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// The time for a whole exchange, from the call to the last byte (`--http-timeout`).
    pub http_timeout: Duration,
    /// When every exchange ends at the latest (`--deadline`).
    pub deadline: Option<Instant>,
    /// PEM file whose certificates are trusted instead of the system's (`--cacert`).
    pub ca_file: Option<PathBuf>,
    /// PEM files with this client's certificate chain and its key (`--cert`, `--key`).
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Which proxy, if any.
    pub proxy: ProxySettings,
    /// Permits http outside this machine (`--allow-http`).
    pub allow_http: bool,
    /// Refuses addresses that the public network does not reach: for URLs that a stranger names.
    pub public_addresses_only: bool,
    /// `SSL_CERT_FILE`: trusted instead of the system's certificates.
    pub ssl_cert_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: folders, beside or instead of `SSL_CERT_FILE`.
    pub ssl_cert_dir: Vec<PathBuf>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        TransportSettings {
            http_timeout: Duration::from_secs(30),
            deadline: None,
            ca_file: None,
            client_certificate: None,
            proxy: ProxySettings::default(),
            allow_http: false,
            public_addresses_only: false,
            ssl_cert_file: None,
            ssl_cert_dir: Vec::new(),
        }
    }
}

/// The way to the servers.
pub struct Transport {
    settings: TransportSettings,
    proxies: OnceLock<Arc<ProxyRules>>,
    /// For https, and for http where it is allowed elsewhere.
    network: OnceLock<reqwest::Client>,
    /// For http on this machine: needs neither certificates nor proxy.
    loopback: OnceLock<reqwest::Client>,
    /// For https, showing the certificate of this thumbprint.
    identified: OnceLock<(String, reqwest::Client)>,
}

impl Transport {
    /// Costs nothing: no file is read, no client built.
    pub fn new(settings: TransportSettings) -> Self {
        Transport {
            settings,
            proxies: OnceLock::new(),
            network: OnceLock::new(),
            loopback: OnceLock::new(),
            identified: OnceLock::new(),
        }
    }

    /// Whether requests to this URL would be sent: https, or http on this
    /// machine, without user information.
    ///
    /// # Errors
    /// [`TransportError::InsecureUrl`] and [`TransportError::UnusableUrl`],
    /// with the exit code that `source` asks for.
    pub fn vet(&self, url: &Url, source: UrlSource) -> Result<(), TransportError> {
        self.destination(url, source).map(|_| ())
    }

    /// Does now what the first request to `url` would do before it sends
    /// anything: looks at the URL, reads certificates and proxy settings. For
    /// those who must know before a person signs in.
    ///
    /// # Errors
    /// Everything that is wrong on this side: URL, files, proxy settings.
    pub fn prepare(&self, url: &Url, source: UrlSource) -> Result<(), TransportError> {
        let destination = self.destination(url, source)?;
        self.proxy_for(url)?;
        self.client(destination).map(|_| ())
    }

    /// Sends the request, once, and reads the whole answer. Every status is an
    /// answer, 3xx included.
    ///
    /// The observer sees [`Event::RequestSent`], then [`Event::ResponseReceived`]
    /// or [`Event::RequestFailed`]; nothing where the request was refused here.
    ///
    /// # Errors
    /// [`TransportError`]; [`TransportError::may_have_been_received`] says
    /// whether the server may have acted on the request.
    pub async fn send(
        &self,
        request: &HttpRequest,
        observer: &mut dyn Observer,
    ) -> Result<HttpResponse, TransportError> {
        let destination = self.destination(&request.url, UrlSource::Server)?;
        let proxy = self.proxy_for(&request.url)?;
        let client = match (&request.tls_identity, destination) {
            (Some(identity), Destination::Network) => &self.identified_client(identity)?,
            _ => self.client(destination)?,
        };
        let sending_began = Arc::new(AtomicBool::new(false));
        let outgoing = outgoing(request, &sending_began)?;
        let has_body = request.body.is_some() || request.json.is_some();

        observer.observe(&Event::RequestSent(request));
        let attempt = Attempt {
            url: &request.url,
            // without a body there is nothing to watch: err on the side of yes
            sending_began: &|| !has_body || sending_began.load(Ordering::Relaxed),
            proxy,
            connect_timeout: self.connect_timeout(),
        };
        let started = Instant::now();
        let http_timeout = self.http_timeout();
        let exchange = timed(remembering_names(exchange(client, outgoing, &attempt, started)));
        let outcome = match tokio::time::timeout(http_timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(attempt.timed_out(http_timeout)),
        };
        match &outcome {
            Ok(response) => observer.observe(&Event::ResponseReceived { request, response }),
            Err(error) => observer.observe(&Event::RequestFailed {
                request,
                reason: &error.to_string(),
            }),
        }
        outcome
    }

    fn destination(&self, url: &Url, source: UrlSource) -> Result<Destination, TransportError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TransportError::unusable_url(
                url,
                "it holds a user name or password",
                source,
            ));
        }
        if self.settings.public_addresses_only
            && let Some(address) = literal_address(url).filter(|address| !is_global(*address))
        {
            return Err(TransportError::private_address(url, address));
        }
        match url.scheme() {
            "https" => Ok(Destination::Network),
            "http" if is_loopback(url) => Ok(Destination::Loopback),
            "http" if self.settings.allow_http => Ok(Destination::Network),
            "http" => Err(TransportError::insecure_url(url, source)),
            _ => Err(TransportError::unusable_url(url, "its scheme is not https", source)),
        }
    }

    /// Only the proxy that this URL needs is looked at; another may be given wrongly.
    fn proxy_for(&self, url: &Url) -> Result<Option<&ProxyUrl>, TransportError> {
        self.rules().proxy_for(url)
    }

    fn rules(&self) -> &Arc<ProxyRules> {
        self.proxies.get_or_init(|| Arc::new(self.settings.proxy.rules()))
    }

    fn client(&self, destination: Destination) -> Result<&reqwest::Client, TransportError> {
        let slot = match destination {
            Destination::Network => &self.network,
            Destination::Loopback => &self.loopback,
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = match destination {
            Destination::Loopback => self.build(tls::without_roots(&self.settings)?, None)?,
            Destination::Network => {
                let tls = tls::with_roots(&self.settings)?;
                self.build(tls, Some(self.rules()))?
            }
        };
        Ok(slot.get_or_init(|| client))
    }

    /// The client that shows this certificate; it is used again for the same one.
    fn identified_client(&self, identity: &TlsIdentity) -> Result<reqwest::Client, TransportError> {
        if self.settings.client_certificate.is_some() {
            return Err(TransportError::TwoClientCertificates);
        }
        let name = &identity.chain.thumbprints().sha256;
        if let Some((_, client)) = self.identified.get().filter(|(of, _)| of == name) {
            return Ok(client.clone());
        }
        let tls = tls::with_identity(&self.settings, identity)?;
        let client = self.build(tls, Some(self.rules()))?;
        // One command is one client: another certificate is not kept.
        let _ = self.identified.set((name.clone(), client.clone()));
        Ok(client)
    }

    fn build(
        &self,
        tls: rustls::ClientConfig,
        proxies: Option<&Arc<ProxyRules>>,
    ) -> Result<reqwest::Client, TransportError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Resolver {
                allow_http: self.settings.allow_http,
                public_addresses_only: self.settings.public_addresses_only,
            })
            .connector_layer(TimedConnecting)
            .connect_timeout(self.connect_timeout())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            // RFC 9112 §5.2: a client replaces them and goes on
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .user_agent(USER_AGENT)
            .pool_max_idle_per_host(0)
            // the environment is read by whoever made the settings
            .no_proxy();
        if let Some(rules) = proxies {
            let rules = Arc::clone(rules);
            builder = builder.proxy(reqwest::Proxy::custom(move |url| rules.url_for(url)));
        }
        builder
            .build()
            .map_err(|error| TransportError::ClientNotBuilt(Cause::innermost(&error)))
    }

    /// Shorter than the time for the whole, so that a server that cannot be
    /// reached is told as that.
    /// The time for the next exchange.
    fn http_timeout(&self) -> Duration {
        let left = self
            .settings
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.settings.http_timeout, |left| left.min(self.settings.http_timeout))
    }

    fn connect_timeout(&self) -> Duration {
        CONNECT_TIMEOUT.min(self.http_timeout().mul_f32(0.9))
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Transport")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The address that a URL names itself, which no resolver sees.
fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Which of the two clients a URL needs.
#[derive(Debug, Clone, Copy)]
enum Destination {
    Network,
    Loopback,
}

fn outgoing(request: &HttpRequest, sending_began: &Arc<AtomicBool>) -> Result<reqwest::Request, TransportError> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut outgoing = reqwest::Request::new(method, request.url.clone());
    for (name, value) in request.all_headers() {
        let mut wire_value =
            HeaderValue::from_str(value.expose().expose()).map_err(|_| TransportError::UnsendableHeader(name))?;
        wire_value.set_sensitive(matches!(value, crate::protocol::http::HeaderValue::Credentials { .. }));
        outgoing.headers_mut().append(HeaderName::from_static(name), wire_value);
    }
    let form = request.body.as_ref().map(Params::encode);
    let bytes = match (&form, &request.json) {
        (Some(form), _) => Some(form.expose().as_bytes()),
        (None, json) => json.as_ref().map(String::as_bytes),
    };
    if let Some(bytes) = bytes {
        let body = SingleUseBody {
            bytes: Some(Bytes::copy_from_slice(bytes)),
            taken: Arc::clone(sending_began),
        };
        *outgoing.body_mut() = Some(reqwest::Body::wrap(body));
    }
    Ok(outgoing)
}

/// A body that cannot be sent a second time, and that remembers whether
/// anybody asked for it.
struct SingleUseBody {
    bytes: Option<Bytes>,
    taken: Arc<AtomicBool>,
}

impl Body for SingleUseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.store(true, Ordering::Relaxed);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

async fn exchange(
    client: &reqwest::Client,
    outgoing: reqwest::Request,
    attempt: &Attempt<'_>,
    started: Instant,
) -> Result<HttpResponse, TransportError> {
    let response = client.execute(outgoing).await.map_err(|error| attempt.failed(&error))?;
    let timings = Timings {
        first_byte: Some(started.elapsed()),
        ..laps()
    };
    let status = response.status().as_u16();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    fault::here(Point::ResponseBegun);
    let coding = check_framing(&headers, attempt)?;
    let body = read_body(response, coding, attempt).await?;
    fault::here(Point::ResponseRead);
    Ok(HttpResponse {
        status,
        headers,
        body,
        elapsed: started.elapsed(),
        timings,
    })
}
