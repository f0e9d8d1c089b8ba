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

mod answer;
mod body;
mod cause;
mod certificate_verifier;
mod client_key;
mod error;
mod error_chain;
mod exchange;
mod failure;
mod known_hosts;
mod no_proxy;
mod proxy;
mod proxy_error;
mod resolver;
mod settings;
mod shown_endpoint;
mod stopwatch;
pub(crate) mod time_limit;
mod tls;
mod tls_failure;
mod upload;

pub use answer::{Answer, AnswerBody};
pub use cause::{Cause, PemProblem};
pub use error::{TransportError, UrlSource};
pub use proxy::{ProxySettings, check_proxy_without_userinfo};
pub use proxy_error::ProxyError;
pub use settings::TransportSettings;
pub use tls_failure::TlsFailure;
pub use upload::Upload;

use crate::fault::{self, Point};
use crate::protocol::endpoint::is_loopback;
use crate::protocol::global_address::is_global;
use crate::protocol::http::{HttpRequest, HttpResponse, USER_AGENT};
use crate::protocol::tls_identity::{CertifiedKeyFiles, TlsFiles, TlsIdentity};
use crate::trace::{Event, Observer};
use body::{Coding, check_framing};
use certificate_verifier::remembering_names;
use exchange::{Sending, exchange, outgoing, receive_head};
use known_hosts::KnownHosts;
use proxy::{ProxyRules, ProxyUrl};
use resolver::Resolver;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use stopwatch::{TimedConnecting, timed};
use time_limit::within;
use upload::Progress;
use url::{Host, Url};

/// The longest wait for name, connection and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest body that is read.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What of an answer is read.
pub struct Reading<'a> {
    /// The time for it, where that is shorter than for others.
    pub limit: Option<Duration>,
    /// Whether the body is read, by the status. It may have no end.
    pub wants_body: &'a dyn Fn(u16) -> bool,
}

/// The HTTP client for authorization and resource servers.
pub struct Transport {
    settings: TransportSettings,
    proxies: OnceLock<Arc<ProxyRules>>,
    /// For https, and for http where it is allowed elsewhere.
    network: OnceLock<reqwest::Client>,
    /// For http on this machine: needs neither certificates nor proxy.
    loopback: OnceLock<reqwest::Client>,
    /// For https, showing the certificate of this thumbprint.
    identified: OnceLock<(String, reqwest::Client)>,
    hosts: Arc<KnownHosts>,
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
            hosts: Arc::default(),
        }
    }

    /// Takes note that the server of `by` named `named`: if that server was
    /// reached at a public address, requests to what it named are sent to
    /// public addresses alone.
    pub fn note_named(&self, named: &Url, by: &Url) {
        self.hosts.note_named(named, by);
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
    /// # Errors
    /// Those of [`send_reading`](Self::send_reading).
    pub async fn send(
        &self,
        request: &HttpRequest,
        observer: &mut dyn Observer,
    ) -> Result<HttpResponse, TransportError> {
        let whole = Reading {
            limit: None,
            wants_body: &|_| true,
        };
        self.send_reading(request, &whole, observer).await
    }

    /// Sends the request, once, and reads of the answer what is wanted.
    ///
    /// The observer sees [`Event::RequestSent`], then [`Event::ResponseReceived`]
    /// or [`Event::RequestFailed`]; nothing where the request was refused here.
    ///
    /// # Errors
    /// [`TransportError`]; [`TransportError::may_have_been_received`] says
    /// whether the server may have acted on the request.
    pub async fn send_reading(
        &self,
        request: &HttpRequest,
        reading: &Reading<'_>,
        observer: &mut dyn Observer,
    ) -> Result<HttpResponse, TransportError> {
        let sending = self.sending(request, None)?;
        observer.observe(&Event::RequestSent(&self.with_files(request)));
        let http_timeout = self.http_timeout();
        let http_timeout = reading.limit.map_or(http_timeout, |limit| limit.min(http_timeout));
        let context = sending.context(request, self.connect_timeout());
        let exchange = timed(remembering_names(exchange(
            &sending.client,
            sending.outgoing,
            &context,
            Instant::now(),
            reading.wants_body,
        )));
        let outcome = within(http_timeout, exchange)
            .await
            .unwrap_or_else(|| Err(context.timed_out(http_timeout)));
        report(request, outcome.as_ref(), observer);
        outcome
    }

    /// Sends the request, once, and gives the answer as soon as its head is
    /// there; the body is read piece by piece. The time for an exchange bounds
    /// the wait for the head, counted from the last piece of an upload that was
    /// sent, and then each wait for a piece of the body.
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn open(
        &self,
        request: &HttpRequest,
        upload: Option<Upload>,
        observer: &mut dyn Observer,
    ) -> Result<Answer, TransportError> {
        let sending = self.sending(request, upload)?;
        observer.observe(&Event::RequestSent(&self.with_files(request)));
        let outcome = self.open_sending(request, sending).await;
        report(request, outcome.as_ref().map(|answer| &answer.head), observer);
        outcome
    }

    async fn open_sending(&self, request: &HttpRequest, sending: Sending<'_>) -> Result<Answer, TransportError> {
        let http_timeout = self.http_timeout();
        let context = sending.context(request, self.connect_timeout());
        let receiving = timed(remembering_names(receive_head(
            &sending.client,
            sending.outgoing,
            &context,
            Instant::now(),
        )));
        let received = sending.progress.within(http_timeout, receiving).await;
        let (mut head, response) = received.ok_or_else(|| context.timed_out(http_timeout))??;
        fault::here(Point::ResponseBegun);
        let coding = match request.headers.iter().any(|(name, _)| name == "accept-encoding") {
            // What was asked for is passed on as it is.
            true => Coding::Identity,
            false => check_framing(&head.headers, &context)?,
        };
        head.is_streamed = true;
        let body = AnswerBody::new(
            response,
            coding,
            &request.url,
            (self.http_timeout(), self.settings.deadline),
        );
        Ok(Answer { head, body })
    }

    /// The request with the files that this transport goes by, for one who is told of it.
    pub fn with_files<'r>(&self, request: &'r HttpRequest) -> Cow<'r, HttpRequest> {
        let files = TlsFiles {
            authorities: self.settings.ca_file.clone(),
            certified_key: (self.settings.client_certificate.clone())
                .map(|(certificate, key)| CertifiedKeyFiles { certificate, key }),
        };
        if request.url.scheme() != "https" || files == TlsFiles::default() {
            return Cow::Borrowed(request);
        }
        Cow::Owned(HttpRequest {
            tls_files: Some(Arc::new(files)),
            ..request.clone()
        })
    }

    /// Everything that can fail before a byte is sent.
    fn sending(&self, request: &HttpRequest, upload: Option<Upload>) -> Result<Sending<'_>, TransportError> {
        let destination = self.destination(&request.url, UrlSource::Server)?;
        let proxy = self.proxy_for(&request.url)?;
        let client = match (&request.tls_identity, destination) {
            (Some(identity), Destination::Network) => self.identified_client(identity)?,
            _ => self.client(destination)?.clone(),
        };
        // Without a body there is nothing to watch: err on the side of yes.
        let progress = Arc::new(Progress::new(request.body.is_none()));
        Ok(Sending {
            client,
            proxy,
            outgoing: outgoing(request, upload, &progress)?,
            progress,
            deadline: self.settings.deadline,
        })
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
                hosts: Arc::clone(&self.hosts),
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

    /// The time for the next exchange.
    fn http_timeout(&self) -> Duration {
        let left = self
            .settings
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.settings.http_timeout, |left| left.min(self.settings.http_timeout))
    }

    /// Shorter than the time for the whole, so that a server that cannot be
    /// reached is reported as that.
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

fn report(request: &HttpRequest, outcome: Result<&HttpResponse, &TransportError>, observer: &mut dyn Observer) {
    match outcome {
        Ok(response) => observer.observe(&Event::ResponseReceived { request, response }),
        Err(error) => observer.observe(&Event::RequestFailed {
            request,
            reason: &error.to_string(),
        }),
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
