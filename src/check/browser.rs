//! Logins in the resource owner's browser: how many there were, how long they
//! take, and why no more are made. What comes back is looked at before it is used.

use super::authorization_probe::{AuthorizationExchange, AuthorizationProbe};
use super::browser_login::{CallbackOutcome, Trip, browser_login};
use super::exchange::PushRefusal;
use super::prober::Prober;
use super::redirect_response::{RedirectResponse, shown_params, shown_url};
use super::report::{CheckResult, Evidence, Failure, Stop, inconclusive, violated};
use super::variant_login::{Variant, send_variants};
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::login::LoginError;
use crate::foreign_text::Quoted;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::Event;
use std::time::{Duration, Instant};

/// The least time for a login that a server may refuse on a page of its own:
/// nothing comes back then, and a person must have had the time to sign in.
const MIN_PATIENCE: Duration = Duration::from_secs(20);

/// How much longer than the longest login before such a login may take.
const PATIENCE_FACTOR: u32 = 4;

/// What became of a request in the browser.
pub(super) enum BrowserAnswer {
    Response(Box<AuthorizationExchange>),
    /// It was refused when it was pushed, so that no browser was opened.
    PushRefused(PushRefusal),
    /// Nothing came back in time.
    Nothing,
}

#[derive(Default)]
pub(super) struct Browser {
    /// Logins that were begun.
    count: usize,
    /// The longest login by now.
    longest: Duration,
    /// Why no more logins are made.
    given_up: Option<Stop>,
}

impl Browser {
    pub(super) fn given_up(&self) -> Option<&Stop> {
        self.given_up.as_ref()
    }

    /// How long a login may take that the server may refuse by a page.
    pub(super) fn short_timeout(&self, prober: &Prober<'_, '_>) -> Duration {
        let patience = MIN_PATIENCE.max(self.longest * PATIENCE_FACTOR);
        prober.request.login.timeout.min(patience)
    }

    fn needs_more_logins(&self, prober: &Prober<'_, '_>) -> CheckResult {
        if prober.interrupted.is_some() {
            return inconclusive("interrupted");
        }
        match &self.given_up {
            Some(stop) => inconclusive(stop.reason.clone()),
            None => Ok(()),
        }
    }

    /// Says what the next logins are for, and how many there are at most.
    fn announce(&mut self, prober: &mut Prober<'_, '_>, logins: usize, purpose: &str, remaining: usize) {
        let most = self.count + remaining.max(logins);
        let first = self.count + 1;
        self.count += logins;
        let which = match logins {
            1 => format!("login {first}"),
            _ => format!("logins {first} to {}", self.count),
        };
        let text = format!("{which} of up to {most}: {purpose}");
        prober.world.caller.observe(&Event::Outcome(&text));
    }

    /// What becomes of a request in the browser.
    pub(super) fn answer(
        &mut self,
        prober: &mut Prober<'_, '_>,
        mut probe: AuthorizationProbe,
        purpose: &str,
        remaining: usize,
        timeout: Duration,
    ) -> Result<BrowserAnswer, Failure> {
        self.needs_more_logins(prober)?;
        let endpoint = prober.authorization_endpoint()?;
        let carrier = prober.carrier()?;
        self.announce(prober, 1, purpose, remaining);
        let trip = Trip {
            endpoint: &endpoint,
            carrier: &carrier,
            login: &prober.request.login,
            timeout,
            is_first: self.count == 1,
        };
        let world = &mut *prober.world;
        let shutdown = &mut prober.shutdown;
        let begun = Instant::now();
        let outcome = prober.runtime.block_on(async {
            let signing_in = browser_login(&mut probe, trip, world);
            tokio::select! {
                outcome = signing_in => Ok(outcome),
                code = shutdown => Err(code),
            }
        });
        let request = format!("by the browser GET {}", shown_url(&endpoint.with_params(&probe.params)));
        let params = match outcome {
            Ok(Ok(CallbackOutcome::Answer(params))) => params,
            Ok(Ok(CallbackOutcome::PushRefused(refusal))) => {
                prober.results.add_evidence(Evidence::new(request, refusal.to_string()));
                return Ok(BrowserAnswer::PushRefused(refusal));
            }
            Ok(Ok(CallbackOutcome::Unmade(failure))) => return Err(failure),
            Ok(Ok(CallbackOutcome::WrongState(params))) => {
                return self.give_up_for_state(prober, Evidence::new(request, shown_callback(&params)));
            }
            Ok(Ok(CallbackOutcome::Nothing)) => {
                let response = format!("nothing came to the redirect URI within {timeout:?}");
                prober.results.add_evidence(Evidence::new(request, response));
                return Ok(BrowserAnswer::Nothing);
            }
            Ok(Err(error)) => return self.give_up_after(&error),
            Err(code) => {
                prober.interrupted = Some(code);
                return inconclusive("interrupted");
            }
        };
        self.longest = self.longest.max(begun.elapsed());
        let exchange = self.accept_callback(prober, probe, params, request)?;
        Ok(BrowserAnswer::Response(Box::new(exchange)))
    }

    /// Sends redirect URIs that reach this port through the browser at once;
    /// `false` where the port cannot be had.
    pub(super) fn send_variants(
        &mut self,
        prober: &mut Prober<'_, '_>,
        variants: &mut [Variant],
        port: u16,
        purpose: &str,
        remaining: usize,
    ) -> Result<bool, Failure> {
        self.needs_more_logins(prober)?;
        let endpoint = prober.authorization_endpoint()?;
        let timeout = self.short_timeout(prober);
        self.announce(prober, variants.len(), purpose, remaining);
        let mut carried = Vec::new();
        for variant in variants.iter() {
            carried.push(prober.carry(&variant.probe.params)?.ok().map(|carried| carried.params));
        }
        let context = &mut *prober.world;
        let shutdown = &mut prober.shutdown;
        let outcome = prober.runtime.block_on(async {
            tokio::select! {
                outcome = send_variants(variants, (&carried, &endpoint), port, timeout, context) => Ok(outcome),
                code = shutdown => Err(code),
            }
        });
        for variant in variants.iter() {
            let response = variant.response.iter();
            let secrets = response.flat_map(|response| response.params.secrets().cloned());
            let secrets = secrets.chain([variant.probe.state.clone()]);
            prober.results.keep_secrets(secrets.collect());
        }
        match outcome {
            Ok(Ok(is_heard)) => Ok(is_heard),
            Ok(Err(error)) => self.give_up_after(&error),
            Err(code) => {
                prober.interrupted = Some(code);
                inconclusive("interrupted")
            }
        }
    }

    /// What came with the browser, unless it must not be used.
    fn accept_callback(
        &mut self,
        prober: &mut Prober<'_, '_>,
        probe: AuthorizationProbe,
        params: Params,
        request: String,
    ) -> Result<AuthorizationExchange, Failure> {
        let mut secrets = vec![probe.state.clone(), probe.code_verifier.clone()];
        secrets.extend(params.secrets().cloned());
        prober.results.keep_secrets(secrets);
        let evidence = Evidence::new(request, shown_callback(&params));
        if params.is_empty() {
            let why = "the browser came back without parameters: they are in the fragment, or there are none";
            prober.record(Rule::AuthorizeQuery, violated(why), Some(evidence));
            return self.give_up(ExitCode::Protocol, format!("{why} (authorize.query)"));
        }
        let response = RedirectResponse {
            params,
            in_fragment: false,
            location: Secret::from(probe.redirect_uri()),
        };
        let issuer = prober.target.metadata.issuer.as_ref().map(ToString::to_string);
        if let (Some(found), Some(issuer)) = (response.value("iss"), issuer)
            && found != issuer
        {
            let why = format!(
                "the response is from issuer {}, but {} was asked",
                Quoted::name(found),
                Quoted::name(&issuer)
            );
            prober.record(Rule::AuthorizeIssValue, violated(why), Some(evidence));
            let why = "the response came from another issuer (authorize.iss-value), so its code goes nowhere";
            return self.give_up(ExitCode::Protocol, why);
        }
        let exchange = AuthorizationExchange {
            probe,
            response,
            evidence: Some(evidence.clone()),
        };
        prober.observations.note_authorization_error(&exchange, &evidence);
        prober.results.add_evidence(evidence);
        Ok(exchange)
    }

    fn give_up_for_state<T>(&mut self, prober: &mut Prober<'_, '_>, evidence: Evidence) -> Result<T, Failure> {
        let why = "an answer came with another state than the request's";
        prober.record(Rule::AuthorizeState, violated(why), Some(evidence));
        let why = format!("{why} (authorize.state), so no login can be finished");
        self.give_up(ExitCode::Protocol, why)
    }

    /// No person should be asked again and again for what does not work.
    pub(super) fn give_up_after<T>(&mut self, error: &LoginError) -> Result<T, Failure> {
        self.give_up(error.exit_code(), format!("the test login failed: {error}"))
    }

    /// From here on no sign-in is asked for, and why. What needs no login goes on.
    fn give_up<T>(&mut self, exit_code: ExitCode, reason: impl Into<String>) -> Result<T, Failure> {
        let reason = reason.into();
        let stop = Stop { reason, exit_code };
        inconclusive(self.given_up.insert(stop).reason.clone())
    }
}

fn shown_callback(params: &Params) -> String {
    format!("by the browser {}", shown_params(params))
}
