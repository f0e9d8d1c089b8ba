//! How codes and sessions are obtained: straight from the server where it
//! grants without asking, else through the resource owner's browser.

use super::authorization_probe::{AuthorizationExchange, AuthorizationProbe, expect_refusal};
use super::baseline_login::BaselineLogin;
use super::browser::{Browser, BrowserAnswer};
use super::consent;
use super::error_page::ErrorPage;
use super::exchange::{Exchange, Outcome, Tokens};
use super::interactivity::Interactivity;
use super::login_plan;
use super::prober::Prober;
use super::redemption::{explain_refusal, refresh_pooled};
use super::report::{CheckResult, Failure, NO_WORKING_LOGIN, Stop, inconclusive, violated};
use super::token_requests::Code;
use super::variant_login::Variant;
use crate::exit::ExitCode;
use crate::flow::login::{LoginError, StraySummary};
use crate::rules::Rule;
use std::rc::Rc;

/// Something that a server must take in an authorization request.
#[derive(Clone, Copy)]
pub(super) struct ToleranceTest {
    pub(super) rule: Rule,
    pub(super) change: fn(&mut AuthorizationProbe),
    pub(super) check: fn(&AuthorizationExchange) -> CheckResult,
}

/// A session for a later test.
struct PooledSession {
    tokens: Tokens,
    /// [`Prober::disruptions`] when it came.
    disruptions_before: usize,
}

/// What is known of signing in at this server.
#[derive(Default)]
pub(super) struct Logins {
    pub(super) interactivity: Option<Interactivity>,
    browser: Browser,
    baseline: Option<Result<Rc<BaselineLogin>, Failure>>,
    /// Why the baseline brought no token, with the exit code of such a login.
    without_token: Option<Stop>,
    /// What can be seen by signing in alone; each later login takes one along.
    pub(super) pending: Vec<ToleranceTest>,
    /// Sessions that nothing was done with yet.
    pool: Vec<PooledSession>,
    /// Redirect URIs that must be sent through the browser.
    pub(super) pending_variants: usize,
    /// Whether a failed redemption ends a code at this server.
    pub(super) failures_end_codes: bool,
    /// Whether a status of 500 or more is how the token endpoint refuses; `None`
    /// where that was not tried.
    pub(super) fails_as_refusal: Option<bool>,
}

impl Logins {
    /// Why no login comes to its end, if none does.
    pub(super) fn without_login(&self) -> Option<Stop> {
        let refused = || {
            let baseline = self.baseline.as_ref()?.as_ref().ok()?;
            let (reason, exit_code) = (baseline.refusal()?, ExitCode::Refused);
            Some(Stop { reason, exit_code })
        };
        // A login that worked before is a login that comes to its end.
        let works = self
            .baseline
            .as_ref()
            .is_some_and(|baseline| baseline.as_ref().is_ok_and(|baseline| baseline.tokens.is_ok()));
        let given_up = self.browser.given_up().cloned().filter(|_| !works);
        given_up.or_else(|| self.without_token.clone()).or_else(refused)
    }

    /// Looks how the server meets a request.
    pub(super) fn detect_interactivity(&mut self, prober: &mut Prober<'_, '_>) {
        self.interactivity = Interactivity::detect(prober);
    }

    pub(super) fn auto_approves(&self) -> bool {
        self.interactivity == Some(Interactivity::AutoApproves)
    }

    pub(super) fn needs_login(&self) -> bool {
        self.interactivity == Some(Interactivity::NeedsLogin)
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.rejection().is_some()
    }

    /// The page that a good request without a browser is answered with, where
    /// that is an error page.
    pub(super) fn rejection(&self) -> Option<ErrorPage> {
        match self.interactivity {
            Some(Interactivity::Rejects(page)) => Some(page),
            _ => None,
        }
    }

    /// `Ok` where an answer to a request without a browser says something.
    pub(super) fn needs_plain_answers(&self) -> CheckResult {
        match self.interactivity {
            Some(Interactivity::Rejects(page)) => inconclusive(format!(
                "without a browser the server answers even a good request with {page}"
            )),
            _ => Ok(()),
        }
    }

    /// A code by a login like any other. `purpose` is shown to the person.
    ///
    /// A login that has to be made anyway takes one of the pending tests along;
    /// where the server refuses that, another login is made without it.
    pub(super) fn code(&mut self, prober: &mut Prober<'_, '_>, purpose: &str) -> Result<Code, Failure> {
        if let Some(test) = self.pending.pop()
            && let Some(exchange) = self.run_tolerance_test(prober, test, purpose)?
            && exchange.response.value("code").is_some()
        {
            return prober.code_from(exchange);
        }
        let probe = prober.probe()?;
        let exchange = self.answer(prober, probe, purpose)?;
        prober.code_from(exchange)
    }

    /// Judges a test by a login that has it. Refused, it counts only where a
    /// plain login works.
    fn run_tolerance_test(
        &mut self,
        prober: &mut Prober<'_, '_>,
        test: ToleranceTest,
        purpose: &str,
    ) -> Result<Option<AuthorizationExchange>, Failure> {
        let mut probe = prober.probe()?;
        (test.change)(&mut probe);
        prober.results.clear_evidence();
        let outcome = self.answer_or_page(prober, probe, purpose);
        let result = match &outcome {
            Ok(Some(exchange)) => (test.check)(exchange),
            Ok(None) => violated("it is refused by a page"),
            Err(failure) => Err(failure.as_inconclusive()),
        };
        let evidence = prober.results.evidence();
        let is_granted = matches!(&outcome, Ok(Some(exchange)) if exchange.response.grants());
        let result = match result {
            Err(Failure::Violated(how)) if !is_granted => match self.needs_baseline_grant(prober) {
                Ok(()) => violated(how),
                Err(failure) => Err(failure),
            },
            result => result,
        };
        prober.record(test.rule, result, evidence);
        outcome
    }

    /// `Ok` where a plain request is granted, so that the refusal of another means something.
    fn needs_baseline_grant(&mut self, prober: &mut Prober<'_, '_>) -> CheckResult {
        match self.baseline(prober)?.refusal() {
            None => Ok(()),
            Some(how) => inconclusive(how),
        }
    }

    /// Gives a login of its own to each pending test that no other login took along.
    pub(super) fn run_pending(&mut self, prober: &mut Prober<'_, '_>) {
        while let Some(test) = self.pending.pop()
            && !prober.is_stopped()
        {
            let purpose = format!("to see that {}", test.rule.statement());
            let _recorded = self.run_tolerance_test(prober, test, &purpose);
        }
    }

    /// The response to a request that the resource owner may agree to.
    pub(super) fn answer(
        &mut self,
        prober: &mut Prober<'_, '_>,
        probe: AuthorizationProbe,
        purpose: &str,
    ) -> Result<AuthorizationExchange, Failure> {
        if self.auto_approves() {
            return match self.answer_without_browser(prober, probe)? {
                (_, Some(exchange)) => Ok(exchange),
                (Outcome::PushRefused(refusal), None) => inconclusive(format!("the login for it ended with {refusal}")),
                (Outcome::Error(page), None) => inconclusive(format!("the login for it ended with {page}")),
                (_, None) => inconclusive("the login for it ended with a page"),
            };
        }
        let timeout = prober.request.login.timeout;
        let remaining = self.remaining(prober);
        match self.browser.answer(prober, probe, purpose, remaining, timeout)? {
            BrowserAnswer::Response(exchange) => Ok(*exchange),
            BrowserAnswer::PushRefused(refusal) => inconclusive(format!("the login for it ended with {refusal}")),
            BrowserAnswer::Nothing => self.browser.give_up_after(&LoginError::TimedOut {
                waited: timeout,
                strays: StraySummary::default(),
            }),
        }
    }

    /// The same for a request that the server may refuse by a page of its own,
    /// so that nothing comes back: `None` then. That login is given up after a
    /// short time, and a plain login shows that there is still someone.
    pub(super) fn answer_or_page(
        &mut self,
        prober: &mut Prober<'_, '_>,
        probe: AuthorizationProbe,
        purpose: &str,
    ) -> Result<Option<AuthorizationExchange>, Failure> {
        if self.auto_approves() {
            return match self.answer_without_browser(prober, probe)? {
                (_, Some(exchange)) => Ok(Some(exchange)),
                (outcome, None) => expect_refusal(&outcome).map(|()| None),
            };
        }
        let timeout = self.browser.short_timeout(prober);
        let remaining = self.remaining(prober);
        match self.browser.answer(prober, probe, purpose, remaining, timeout)? {
            BrowserAnswer::Response(exchange) => Ok(Some(*exchange)),
            BrowserAnswer::PushRefused(refusal) => expect_refusal(&Outcome::PushRefused(refusal)).map(|()| None),
            BrowserAnswer::Nothing => self.needs_somebody(prober).map(|()| None),
        }
    }

    /// `Ok` where a plain login still works, after one from which nothing came back.
    fn needs_somebody(&mut self, prober: &mut Prober<'_, '_>) -> CheckResult {
        let aside = prober.results.put_aside();
        let result = self.plain_login(prober);
        prober.results.take_back(aside);
        result
    }

    fn plain_login(&mut self, prober: &mut Prober<'_, '_>) -> CheckResult {
        let probe = prober.probe()?;
        let exchange = self.answer(prober, probe, "to see that a plain login still works")?;
        let code = prober.code_from(exchange)?;
        self.redeem_for_later(prober, &code);
        Ok(())
    }

    /// Sends redirect URIs that reach this port through the browser, a few at a
    /// time; `false` where the port cannot be had. What nothing came for was
    /// refused by a page, since a plain login still works after it.
    pub(super) fn try_variants(
        &mut self,
        prober: &mut Prober<'_, '_>,
        variants: &mut [Variant],
        port: u16,
        purpose: &str,
    ) -> Result<bool, Failure> {
        self.needs_baseline_grant(prober)?;
        let remaining = self.remaining(prober).max(variants.len());
        self.pending_variants = self.pending_variants.saturating_sub(variants.len());
        let is_heard = self.browser.send_variants(prober, variants, port, purpose, remaining)?;
        if is_heard && variants.iter().any(|variant| variant.response.is_none()) {
            self.needs_somebody(prober)?;
        }
        Ok(is_heard)
    }

    /// The most logins in the browser that are still to come, once it is known that
    /// someone has to sign in.
    pub(super) fn in_browser_left(&self, prober: &Prober<'_, '_>) -> usize {
        match self.interactivity {
            None | Some(Interactivity::AutoApproves) => 0,
            Some(_) => self.remaining(prober),
        }
    }

    /// The most logins that are still to come, with the one that begins.
    fn remaining(&self, prober: &Prober<'_, '_>) -> usize {
        let planned = login_plan::remaining(&|rule| prober.wants(rule));
        let with_own_login = planned.saturating_sub(self.pool.len());
        let baseline = usize::from(self.baseline.is_none());
        baseline + with_own_login.max(self.pending.len()) + self.pending_variants
    }

    fn answer_without_browser(
        &mut self,
        prober: &mut Prober<'_, '_>,
        probe: AuthorizationProbe,
    ) -> Result<(Outcome, Option<AuthorizationExchange>), Failure> {
        let outcome = prober.authorize(&probe)?;
        let answer = match &outcome {
            Outcome::Redirect(response) => Some(AuthorizationExchange {
                probe,
                response: response.clone(),
                evidence: prober.results.evidence(),
            }),
            _ => None,
        };
        Ok((outcome, answer))
    }

    /// The first whole login; made once, however often it is asked for.
    pub(super) fn baseline(&mut self, prober: &mut Prober<'_, '_>) -> Result<Rc<BaselineLogin>, Failure> {
        if let Some(baseline) = &self.baseline {
            return baseline.clone();
        }
        let baseline = self.make_baseline(prober);
        self.baseline = Some(baseline.clone());
        if let Ok((tokens, _)) = baseline
            .as_ref()
            .map_err(Failure::clone)
            .and_then(|baseline| baseline.tokens())
            && consent::may_bring_refresh_token(prober, tokens)
        {
            let aside = prober.results.put_aside();
            let tried = self.log_in_with_consent(prober);
            prober.results.take_back(aside);
            consent::settle(prober, tried.unwrap_or(false));
        }
        baseline
    }

    /// Whether a login with a consent page brings a refresh token.
    fn log_in_with_consent(&mut self, prober: &mut Prober<'_, '_>) -> Result<bool, Failure> {
        let mut probe = prober.probe()?;
        probe.params.set("prompt", "consent");
        let purpose = "to see whether a consent page returns a refresh token";
        let Some(exchange) = self.answer_or_page(prober, probe, purpose)? else {
            return Ok(false);
        };
        let code = prober.code_from(exchange)?;
        let (tokens, _) = self.redeem(prober, &code)?;
        let is_granted = tokens.refresh_token.is_some();
        if is_granted {
            self.keep_for_later(prober, tokens);
        }
        Ok(is_granted)
    }

    fn make_baseline(&mut self, prober: &mut Prober<'_, '_>) -> Result<Rc<BaselineLogin>, Failure> {
        let probe = prober.probe()?;
        let exchange = self.answer(prober, probe, "to test a complete login")?;
        let code = prober.code_from(exchange.clone());
        let redeemed = code.map(|code| {
            prober.results.clear_evidence();
            let tokens = self.redeem(prober, &code);
            (tokens, prober.results.evidence())
        });
        let (tokens, redemption_evidence) = redeemed.unwrap_or_else(|failure| (Err(failure), None));
        Ok(Rc::new(BaselineLogin {
            exchange,
            tokens,
            redemption_evidence,
        }))
    }

    /// `Ok` where a plain login works from end to end, so that a refusal means something.
    pub(super) fn needs_working_login(&mut self, prober: &mut Prober<'_, '_>) -> CheckResult {
        match self.baseline(prober)?.tokens {
            Ok(_) => Ok(()),
            Err(_) => inconclusive(NO_WORKING_LOGIN),
        }
    }

    /// Redeems a code as a client should.
    pub(super) fn redeem(&mut self, prober: &mut Prober<'_, '_>, code: &Code) -> Result<(Tokens, Exchange), Failure> {
        let params = prober.code_params(code);
        let exchange = prober.token_request(params)?;
        let Some(tokens) = exchange.tokens() else {
            let (failure, stop) = explain_refusal(prober, &exchange, self.baseline.is_none());
            self.without_token = stop.or_else(|| self.without_token.take());
            return Err(failure);
        };
        let evidence = Some(exchange.evidence());
        let observations = &mut prober.observations;
        observations
            .access_tokens
            .push(tokens.access_token.clone(), evidence.clone());
        if let Some(refresh_token) = &tokens.refresh_token {
            observations.refresh_tokens.push(refresh_token.clone(), evidence);
        }
        Ok((tokens, exchange))
    }

    /// A session that lives, and that nothing else was done with.
    pub(super) fn session(&mut self, prober: &mut Prober<'_, '_>, purpose: &str) -> Result<Tokens, Failure> {
        while let Some(session) = self.pool.pop() {
            if session.disruptions_before == prober.disruptions {
                return Ok(session.tokens);
            }
            if let Some(tokens) = refresh_pooled(prober, session.tokens) {
                return Ok(tokens);
            }
        }
        let code = self.code(prober, purpose)?;
        match self.redeem(prober, &code) {
            Ok((tokens, _)) => Ok(tokens),
            Err(failure) => Err(failure.as_inconclusive()),
        }
    }

    /// Keeps the tokens for a later test.
    pub(super) fn keep_for_later(&mut self, prober: &Prober<'_, '_>, tokens: Tokens) {
        self.pool.push(PooledSession {
            tokens,
            disruptions_before: prober.disruptions,
        });
    }

    /// Redeems the code for a later test; whether that worked.
    pub(super) fn redeem_for_later(&mut self, prober: &mut Prober<'_, '_>, code: &Code) -> bool {
        match self.redeem(prober, code) {
            Ok((tokens, _)) => {
                self.keep_for_later(prober, tokens);
                true
            }
            Err(_) => false,
        }
    }

    /// `Ok` where a refresh works, so that a refused one tells of a dead token.
    pub(super) fn needs_working_refresh(&mut self, prober: &mut Prober<'_, '_>) -> CheckResult {
        if prober.observations.refresh_works.is_none() {
            let tokens = self.session(prober, "for a session that is refreshed")?;
            let refresh_token = tokens.needs_refresh_token()?.clone();
            prober.refresh(&refresh_token)?;
        }
        match prober.observations.refresh_works {
            Some(true) => Ok(()),
            _ => inconclusive(
                "no refresh works (refresh.works), so there is no way to see whether a refresh token is valid",
            ),
        }
    }
}
