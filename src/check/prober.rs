//! Sends requests that a client must not send, and takes down what came.
//! Everything that is sent in an examination goes through [`Prober::send`],
//! but for what the browser of the resource owner carries.

use super::exchange::Exchange;
use super::observations::Observations;
use super::report::{CheckResult, Evidence, Failure, Outage, Stop, inconclusive};
use super::request::{CheckRequest, Shutdown};
use super::results::Results;
use crate::exit::ExitCode;
use crate::flow::login::LoginContext;
use crate::protocol::abnf::random_token;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::{HeaderValue, HttpRequest, Method, RequestBody};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::tls_identity::TlsIdentity;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::{Event, NoopObserver};
use crate::transport::TransportError;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Requests that are sent at the same moment.
const SIMULTANEOUS_REQUESTS: usize = 4;

/// After so many requests in a row without an answer in time the rest is
/// skipped: a slow server would hold the examination for hours.
const MAX_TIMEOUTS_IN_A_ROW: usize = 3;

const DEADLINE_PASSED: &str = "the deadline of the check has passed (--deadline)";

/// What is examined, as far as it can be used.
#[derive(Default)]
pub(super) struct Target {
    pub(super) metadata: ServerMetadata,
    /// Whether the server publishes OpenID Connect metadata.
    pub(super) is_openid_provider: bool,
    /// Whether the server announces that it accepts unsigned request objects (OpenID Connect Core §6.1).
    pub(super) unsigned_request_objects_supported: bool,
    /// Where clients register themselves (RFC 7591 §3).
    pub(super) registration_endpoint: Option<Endpoint>,
    /// Whether a client may be known by the document at its id.
    pub(super) takes_client_id_documents: bool,
    /// The document that the metadata is from.
    pub(super) document: Option<Evidence>,
}

/// How the requests of an examination travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Carriage {
    pub(super) is_pushed: bool,
    pub(super) is_signed: bool,
}

/// Sends requests, under the name of the client.
pub(super) struct Prober<'e, 'w> {
    pub(super) request: &'e CheckRequest,
    pub(super) world: &'e mut LoginContext<'w>,
    pub(super) runtime: &'e Runtime,
    pub(super) shutdown: Shutdown<'e>,
    pub(super) interrupted: Option<ExitCode>,
    pub(super) results: Results,
    pub(super) observations: Observations,
    pub(super) target: Target,
    pub(super) client: Client,
    /// Whether this examination registered the client for itself.
    pub(super) has_own_client: bool,
    /// Where requests without a browser ask to be answered.
    pub(super) redirect_uri: RedirectUri,
    /// How authorization requests travel.
    pub(super) carriage: Carriage,
    /// Whether every login asks for a consent page, since refresh tokens come only so.
    pub(super) asks_for_consent: bool,
    /// How often something was sent for which a server may end other sessions, too.
    pub(super) disruptions: usize,
    timeouts_in_a_row: usize,
    /// Endpoints that answered at least once, and did not fail.
    working: BTreeSet<String>,
}

impl<'e, 'w> Prober<'e, 'w> {
    pub(super) fn new(
        request: &'e CheckRequest,
        world: &'e mut LoginContext<'w>,
        runtime: &'e Runtime,
        shutdown: Shutdown<'e>,
        redirect_uri: RedirectUri,
    ) -> Self {
        Prober {
            client: request
                .login
                .client
                .authenticated_as(&request.client_id, &ServerMetadata::default()),
            has_own_client: false,
            request,
            world,
            runtime,
            shutdown,
            interrupted: None,
            results: Results::new(request.rules.clone()),
            observations: Observations::default(),
            target: Target::default(),
            redirect_uri,
            carriage: Carriage::default(),
            asks_for_consent: false,
            disruptions: 0,
            timeouts_in_a_row: 0,
            working: BTreeSet::new(),
        }
    }

    /// Whether the rule was asked for and nothing is known of it yet.
    pub(super) fn wants(&self, rule: Rule) -> bool {
        self.results.wants(rule) && self.interrupted.is_none()
    }

    pub(super) fn wants_any(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| self.wants(*rule))
    }

    /// Records a verdict, and shows it to the observer.
    pub(super) fn record(&mut self, rule: Rule, result: CheckResult, evidence: Option<Evidence>) {
        if self.interrupted.is_some() {
            return;
        }
        let result = self.judgeable(result, evidence.as_ref());
        if let Some(result) = self.results.record(rule, result, evidence) {
            self.world.caller.observe(&Event::RuleTested {
                rule: rule.id(),
                verdict: result.verdict,
                reason: &result.reason,
            });
        }
    }

    /// The verdict, unless it rests on the answer of an endpoint that only fails.
    fn judgeable(&self, result: CheckResult, evidence: Option<&Evidence>) -> CheckResult {
        let outage = evidence.and_then(Evidence::outage);
        match (&result, outage) {
            (Err(Failure::Inconclusive(_)), _) | (_, None) => result,
            (_, Some(outage)) if self.working.contains(&outage.endpoint) => result,
            (_, Some(Outage { status, .. })) => {
                inconclusive(format!("the endpoint answers everything with status {status}"))
            }
        }
    }

    /// Takes what was seen before for the evidence of the rule that is tested.
    pub(super) fn show(&mut self, evidence: Option<Evidence>) {
        self.results.clear_evidence();
        if let Some(evidence) = evidence {
            self.results.add_evidence(evidence);
        }
    }

    /// From here on no rule can be tested, and why. `exit_code` is that of a
    /// login that ends for this reason.
    pub(super) fn stop(&mut self, exit_code: ExitCode, reason: impl Into<String>) {
        let reason = reason.into();
        self.results.stop(Stop { reason, exit_code });
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.results.stopped().is_some() || self.interrupted.is_some()
    }

    /// Sends a request; its answer becomes the evidence of the rule that is tested.
    pub(super) fn send(&mut self, request: HttpRequest) -> Result<Exchange, Failure> {
        let exchange = self.send_unrecorded(request)?;
        self.results.add_evidence(exchange.evidence());
        Ok(exchange)
    }

    /// Sends a request that is not evidence by itself.
    pub(super) fn send_unrecorded(&mut self, request: HttpRequest) -> Result<Exchange, Failure> {
        if self.interrupted.is_some() {
            return inconclusive("interrupted");
        }
        self.stop_at_deadline()?;
        let world = &mut *self.world;
        let shutdown = &mut self.shutdown;
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                outcome = world.caller.send(&request) => Ok(outcome),
                code = shutdown => Err(code),
            }
        });
        match outcome {
            Ok(Ok(response)) => {
                self.timeouts_in_a_row = 0;
                let exchange = Exchange { request, response };
                self.note_working(&exchange);
                self.results.keep_secrets(exchange.secrets());
                Ok(exchange)
            }
            Ok(Err(error)) => Err(self.without_answer(&error)),
            Err(code) => {
                self.interrupted = Some(code);
                inconclusive("interrupted")
            }
        }
    }

    fn note_working(&mut self, exchange: &Exchange) {
        if !exchange.is_outage() {
            self.working.insert(exchange.endpoint());
        }
    }

    /// Whether there is time for one more request.
    fn stop_at_deadline(&mut self) -> CheckResult {
        match self.request.deadline {
            Some(deadline) if deadline <= Instant::now() => {
                self.stop(ExitCode::Unreachable, DEADLINE_PASSED);
                inconclusive(DEADLINE_PASSED)
            }
            _ => Ok(()),
        }
    }

    fn without_answer(&mut self, error: &TransportError) -> Failure {
        if let Err(passed) = self.stop_at_deadline() {
            return passed;
        }
        if matches!(
            error,
            TransportError::Timeout { .. } | TransportError::ConnectTimeout { .. }
        ) {
            self.timeouts_in_a_row += 1;
            if self.timeouts_in_a_row >= MAX_TIMEOUTS_IN_A_ROW {
                let why = format!("{MAX_TIMEOUTS_IN_A_ROW} requests in a row got no answer in time: {error}");
                self.stop(ExitCode::Unreachable, why);
            }
        } else {
            self.timeouts_in_a_row = 0;
        }
        Failure::Inconclusive(format!("no answer: {error}"))
    }

    /// Takes note of a reuse or a revocation: a server may end more than the one
    /// session for it, such as all of the same person and client.
    pub(super) fn note_disruptive(&mut self) {
        self.disruptions += 1;
    }

    /// Waits, unless a signal comes.
    pub(super) fn pause(&mut self, duration: Duration) -> CheckResult {
        let shutdown = &mut self.shutdown;
        let signal = self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(duration) => None,
                code = shutdown => Some(code),
            }
        });
        self.interrupted = self.interrupted.or(signal);
        match signal {
            None => Ok(()),
            Some(_) => inconclusive("interrupted"),
        }
    }

    /// Sends the same request [`SIMULTANEOUS_REQUESTS`] times at the same moment.
    pub(super) fn send_simultaneously(&mut self, request: &HttpRequest) -> Result<Vec<Exchange>, Failure> {
        self.stop_at_deadline()?;
        self.note_disruptive();
        let transport = self.world.caller.transport;
        let mut observers = [const { NoopObserver }; SIMULTANEOUS_REQUESTS];
        let shutdown = &mut self.shutdown;
        let outcomes = self.runtime.block_on(async {
            let requests = observers.iter_mut().map(|observer| transport.send(request, observer));
            tokio::select! {
                outcomes = join_all(requests) => Ok(outcomes),
                code = shutdown => Err(code),
            }
        });
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(code) => {
                self.interrupted = Some(code);
                return inconclusive("interrupted");
            }
        };
        let mut exchanges = Vec::new();
        for outcome in outcomes {
            let response = outcome.map_err(|error| Failure::Inconclusive(format!("no answer: {error}")))?;
            let request = request.clone();
            self.world.caller.observe(&Event::RequestSent(&request));
            self.world.caller.observe(&Event::ResponseReceived {
                request: &request,
                response: &response,
            });
            exchanges.push(Exchange { request, response });
        }
        self.results.begin_sequence();
        for exchange in &exchanges {
            self.note_working(exchange);
            self.results.keep_secrets(exchange.secrets());
            self.results.add_evidence(exchange.evidence());
        }
        Ok(exchanges)
    }

    /// Sends parameters in the URL, where none of them belongs.
    pub(super) fn send_in_url(
        &mut self,
        method: Method,
        endpoint: &Endpoint,
        params: &Params,
        header: Option<HeaderValue>,
    ) -> Result<Exchange, Failure> {
        let is_post = method == Method::Post;
        self.send(HttpRequest {
            method,
            headers: header
                .map(|header| ("authorization".into(), header))
                .into_iter()
                .collect(),
            body: is_post.then(|| RequestBody::Form(Params::new())),
            tls_identity: self.tls_identity(),
            ..HttpRequest::get(endpoint.with_params(params))
        })
    }

    /// A value that cannot have been issued or asked for before.
    pub(super) fn random(&mut self) -> Result<Secret, Failure> {
        random_token(self.world.caller.randomness).map_err(|error| Failure::Inconclusive(error.to_string()))
    }

    /// The certificate of the client, where it shows one.
    pub(super) fn tls_identity(&self) -> Option<Arc<TlsIdentity>> {
        self.client.tls_identity().cloned()
    }

    /// Whether the client can prove who it is.
    pub(super) fn is_confidential(&self) -> bool {
        self.client.is_confidential()
    }

    /// `Ok` where the client can prove who it is.
    pub(super) fn needs_confidential_client(&self) -> CheckResult {
        if self.is_confidential() {
            return Ok(());
        }
        inconclusive("this needs a client with a secret: add --client-secret-file FILE")
    }

    /// `Ok` where the client sends its secret.
    pub(super) fn needs_secret(&self) -> CheckResult {
        match &self.client.authentication {
            ClientAuthentication::ClientSecretBasic(_) | ClientAuthentication::ClientSecretPost(_) => Ok(()),
            _ => inconclusive("this needs a client that sends a secret: add --client-secret-file FILE"),
        }
    }

    /// `Ok` where the client cannot.
    pub(super) fn needs_public_client(&self) -> CheckResult {
        if self.is_confidential() {
            return inconclusive("this is about clients without a secret");
        }
        Ok(())
    }

    /// `Ok` where `openid` is asked for.
    pub(super) fn needs_openid(&self) -> CheckResult {
        if self.asks_for_openid() {
            return Ok(());
        }
        inconclusive("this is about OpenID Connect: add --scope openid")
    }

    pub(super) fn asks_for_openid(&self) -> bool {
        self.request.login.authorization.scope.contains("openid")
    }

    pub(super) fn authorization_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(&self.target.metadata.authorization_endpoint, "authorization_endpoint")
    }

    pub(super) fn token_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(&self.target.metadata.token_endpoint, "token_endpoint")
    }

    pub(super) fn revocation_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(&self.target.metadata.revocation_endpoint, "revocation_endpoint")
    }

    pub(super) fn introspection_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(&self.target.metadata.introspection_endpoint, "introspection_endpoint")
    }

    pub(super) fn device_authorization_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(
            &self.target.metadata.device_authorization_endpoint,
            "device_authorization_endpoint",
        )
    }

    pub(super) fn pushed_authorization_request_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(
            &self.target.metadata.pushed_authorization_request_endpoint,
            "pushed_authorization_request_endpoint",
        )
    }

    pub(super) fn userinfo_endpoint(&self) -> Result<Endpoint, Failure> {
        announced(&self.target.metadata.userinfo_endpoint, "userinfo_endpoint")
    }
}

fn announced(endpoint: &Option<Endpoint>, name: &str) -> Result<Endpoint, Failure> {
    match endpoint {
        Some(endpoint) => Ok(endpoint.clone()),
        None => inconclusive(format!("the server announces no {name}")),
    }
}
