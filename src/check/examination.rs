//! What an examination knows and what it may do: send raw requests, judge
//! rules, stop. The rules themselves stand in the files of their groups.

use super::probe::Exchange;
use super::secrets;
use super::sign_in::SignIns;
use super::token_request::TokenAnswers;
use super::verdict::{Evidence, Finding, Judged, Judgement, Report, Verdict, unseen, verdict};
use super::{CheckRequest, Interruption};
use crate::exit::ExitCode;
use crate::flow::login::LoginContext;
use crate::output::sanitize::sanitize;
use crate::protocol::abnf::random_token;
use crate::protocol::client::Client;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::{HeaderValue, HttpRequest, Method};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scrub::scrub;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::{Event, NoopObserver};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A shorter secret is not looked for: it may stand in any text.
const KNOWN_FROM_CHARS: usize = 8;

/// Requests that are sent at the same moment.
pub(super) const AT_ONCE: usize = 4;

/// Why something is not tried any more.
#[derive(Clone)]
pub(super) struct Stop {
    pub(super) reason: String,
    /// What a login that ended for this reason would exit with.
    pub(super) exit_code: ExitCode,
}

/// What an examination knows by now.
pub(super) struct Examination<'e, 'w> {
    pub(super) request: &'e CheckRequest,
    pub(super) world: &'e mut LoginContext<'w>,
    pub(super) runtime: &'e Runtime,
    pub(super) interruption: Interruption<'e>,
    pub(super) interrupted: Option<ExitCode>,
    judged: BTreeMap<Rule, Judged>,
    /// Every secret that was sent or came: no server may bring one into a report.
    known: Vec<Secret>,
    last: Option<Evidence>,
    stopped: Option<Stop>,
    /// As far as they can be used; rules about them look at the documents.
    pub(super) metadata: ServerMetadata,
    /// Whether the server publishes OpenID Connect metadata.
    pub(super) is_openid_provider: bool,
    /// Whether the server announces that it takes the request parameter (OpenID Connect Core §6.1).
    pub(super) request_objects_supported: bool,
    pub(super) client: Client,
    /// Where requests without a browser ask to be answered.
    pub(super) redirect_uri: RedirectUri,
    pub(super) sign_ins: SignIns,
    pub(super) token_answers: TokenAnswers,
}

impl<'e, 'w> Examination<'e, 'w> {
    pub(super) fn new(
        request: &'e CheckRequest,
        world: &'e mut LoginContext<'w>,
        runtime: &'e Runtime,
        interruption: Interruption<'e>,
        redirect_uri: RedirectUri,
    ) -> Self {
        let metadata = ServerMetadata::default();
        Examination {
            client: request.login.client.authenticated_as(&metadata),
            request,
            world,
            runtime,
            interruption,
            interrupted: None,
            judged: BTreeMap::new(),
            known: Vec::new(),
            last: None,
            stopped: None,
            metadata,
            is_openid_provider: false,
            request_objects_supported: false,
            redirect_uri,
            sign_ins: SignIns::default(),
            token_answers: TokenAnswers::default(),
        }
    }

    /// Whether the rule was asked for and nothing is known of it yet.
    pub(super) fn wants(&self, rule: Rule) -> bool {
        self.request.rules.has(rule) && !self.judged.contains_key(&rule) && self.interrupted.is_none()
    }

    /// Whether the rule was found to be kept.
    pub(super) fn keeps(&self, rule: Rule) -> bool {
        let judged = self.judged.get(&rule);
        judged.is_some_and(|judged| judged.verdict == Verdict::Pass)
    }

    /// Whether any of these is wanted.
    pub(super) fn wants_any(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| self.wants(*rule))
    }

    /// Judges a rule by this test, unless it is not wanted or nothing more can
    /// be tested. The last exchange of the test is its evidence.
    pub(super) fn judge(&mut self, rule: Rule, test: &mut dyn FnMut(&mut Self) -> Judgement) {
        if !self.wants(rule) {
            return;
        }
        self.last = None;
        let judgement = match &self.stopped {
            Some(stop) => unseen(stop.reason.clone()),
            None => test(self),
        };
        if self.interrupted.is_none() {
            let evidence = self.last.take();
            self.record(rule, judgement, evidence);
        }
    }

    /// Puts a verdict down; the first one of a rule counts.
    pub(super) fn record(&mut self, rule: Rule, judgement: Judgement, evidence: Option<Evidence>) {
        if !self.wants(rule) {
            return;
        }
        let (verdict, reason) = verdict(rule.level(), judgement);
        let reason = self.shown(&reason);
        let evidence =
            evidence
                .filter(|_| verdict != Verdict::Pass || !reason.is_empty())
                .map(|Evidence { sent, came }| Evidence {
                    sent: self.shown(&sent),
                    came: self.shown(&came),
                });
        self.world
            .caller
            .observer
            .observe(&Event::Decision(&format!("{rule}: {} {reason}", verdict.as_str())));
        self.judged.insert(
            rule,
            Judged {
                rule,
                asked_for: true,
                verdict,
                reason,
                evidence,
            },
        );
    }

    /// From here on no rule can be tested, and why. `exit_code` is that of a
    /// login that ends for this reason.
    pub(super) fn stop(&mut self, exit_code: ExitCode, reason: impl Into<String>) {
        let reason = reason.into();
        self.stopped.get_or_insert(Stop { reason, exit_code });
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some() || self.interrupted.is_some()
    }

    /// Every rule with what was found.
    pub(super) fn report(self, server: String) -> Report {
        let stopped = self
            .stopped
            .as_ref()
            .map(|stop| (self.shown(&stop.reason), stop.exit_code));
        let rules: Vec<Judged> = Rule::ALL
            .iter()
            .map(|rule| {
                self.judged.get(rule).cloned().unwrap_or_else(|| Judged {
                    rule: *rule,
                    asked_for: self.request.rules.has(*rule),
                    verdict: Verdict::Skipped,
                    reason: match (self.request.rules.has(*rule), &stopped) {
                        (false, _) => "not asked for".to_owned(),
                        (true, Some((reason, _))) => reason.clone(),
                        (true, None) => "what it is about did not come up".to_owned(),
                    },
                    evidence: None,
                })
            })
            .collect();
        let is_missed = |because: &dyn Fn(&Judged) -> bool| {
            let mut skipped = rules
                .iter()
                .filter(|judged| judged.asked_for && judged.verdict == Verdict::Skipped);
            skipped.any(because)
        };
        // What no rule misses is no end.
        let ended_early = match stopped {
            Some((reason, exit_code)) => is_missed(&|judged| judged.reason == reason).then_some((reason, exit_code)),
            None => {
                let stop = self.sign_ins.without_login().filter(|_| is_missed(&|_| true));
                stop.map(|stop| (self.shown(&stop.reason), stop.exit_code))
            }
        };
        Report {
            server: sanitize(&server),
            ended_early,
            rules,
        }
    }

    /// Sends a request; its answer becomes the evidence of the rule that is judged.
    pub(super) fn send(&mut self, request: HttpRequest) -> Result<Exchange, Finding> {
        if self.interrupted.is_some() {
            return unseen("interrupted");
        }
        let world = &mut *self.world;
        let interruption = &mut self.interruption;
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                outcome = world.caller.send(&request) => Ok(outcome),
                code = interruption => Err(code),
            }
        });
        match outcome {
            Ok(Ok(response)) => {
                let exchange = Exchange { request, response };
                self.keep_secret(exchange.secrets());
                self.last = Some(exchange.evidence());
                Ok(exchange)
            }
            Ok(Err(error)) => unseen(format!("no answer: {error}")),
            Err(code) => {
                self.interrupted = Some(code);
                unseen("interrupted")
            }
        }
    }

    /// Text of the report, without what no report may show.
    fn shown(&self, text: &str) -> String {
        sanitize(&scrub(text, &self.known, &Secret::redacted))
    }

    /// Takes note of secrets that no report may show.
    pub(super) fn keep_secret(&mut self, secrets: Vec<Secret>) {
        for secret in secrets {
            if secret.length_chars() >= KNOWN_FROM_CHARS
                && !self.known.iter().any(|known| secrets::same(known, &secret))
            {
                self.known.push(secret);
            }
        }
    }

    /// Takes this for the evidence of the rule that is judged.
    pub(super) fn seen(&mut self, evidence: Evidence) {
        self.last = Some(evidence);
    }

    /// What was seen last for the rule that is judged.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.last.clone()
    }

    /// Waits, unless a signal comes.
    pub(super) fn pause(&mut self, duration: Duration) -> Judgement {
        let interruption = &mut self.interruption;
        let signal = self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(duration) => None,
                code = interruption => Some(code),
            }
        });
        self.interrupted = self.interrupted.or(signal);
        match signal {
            None => Ok(()),
            Some(_) => unseen("interrupted"),
        }
    }

    /// Sends the same request [`AT_ONCE`] times at the same moment.
    pub(super) fn send_at_once(&mut self, request: &HttpRequest) -> Result<Vec<Exchange>, Finding> {
        self.attacked();
        let transport = self.world.caller.transport;
        let (mut a, mut b, mut c, mut d) = (NoopObserver, NoopObserver, NoopObserver, NoopObserver);
        let outcomes: [_; AT_ONCE] = self.runtime.block_on(async {
            let (a, b, c, d) = tokio::join!(
                transport.send(request, &mut a),
                transport.send(request, &mut b),
                transport.send(request, &mut c),
                transport.send(request, &mut d),
            );
            [a, b, c, d]
        });
        let mut exchanges = Vec::new();
        for outcome in outcomes {
            let response = outcome.map_err(|error| Finding::Unseen(format!("no answer: {error}")))?;
            let request = request.clone();
            self.world.caller.observer.observe(&Event::RequestSent(&request));
            self.world.caller.observer.observe(&Event::ResponseReceived {
                request: &request,
                response: &response,
            });
            exchanges.push(Exchange { request, response });
        }
        for exchange in &exchanges {
            self.keep_secret(exchange.secrets());
        }
        self.last = exchanges.first().map(Exchange::evidence);
        Ok(exchanges)
    }

    /// Sends parameters in the URL, where none of them belongs.
    pub(super) fn send_in_url(
        &mut self,
        method: Method,
        endpoint: &Endpoint,
        params: &Params,
        header: Option<HeaderValue>,
    ) -> Result<Exchange, Finding> {
        self.send(HttpRequest {
            method,
            url: endpoint.with_params(params),
            headers: header.map(|header| ("authorization", header)).into_iter().collect(),
            body: (method == Method::Post).then(Params::new),
        })
    }

    /// A value that nobody can have issued or asked for before.
    pub(super) fn random(&mut self) -> Result<Secret, Finding> {
        random_token(self.world.caller.randomness).map_err(|error| Finding::Unseen(error.to_string()))
    }

    /// The client has a secret.
    pub(super) fn is_confidential(&self) -> bool {
        self.client.authentication.secret().is_some()
    }

    /// `Ok` where the client has a secret.
    pub(super) fn needs_secret(&self) -> Judgement {
        if self.is_confidential() {
            return Ok(());
        }
        unseen("this takes a client with a secret: add --client-secret-file FILE")
    }

    /// `Ok` where the client has none.
    pub(super) fn needs_public_client(&self) -> Judgement {
        if self.is_confidential() {
            return unseen("this is about clients without a secret");
        }
        Ok(())
    }

    /// `Ok` where `openid` is asked for.
    pub(super) fn needs_openid(&self) -> Judgement {
        if self.asks_for_openid() {
            return Ok(());
        }
        unseen("this is about OpenID Connect: add --scope openid")
    }

    pub(super) fn asks_for_openid(&self) -> bool {
        self.request.login.wish.scope.contains("openid")
    }

    /// An endpoint of the metadata.
    pub(super) fn needs<'m>(&self, endpoint: &'m Option<Endpoint>, name: &str) -> Result<&'m Endpoint, Finding> {
        match endpoint {
            Some(endpoint) => Ok(endpoint),
            None => unseen(format!("the server announces no {name}")),
        }
    }
}
