//! What the groups of rules work with: the prober, which has the results, and
//! the logins. A rule is tested by [`Check::rule`].

use super::api::Api;
use super::authorization_probe::{AuthorizationExchange, AuthorizationProbe};
use super::baseline_login::BaselineLogin;
use super::exchange::{Exchange, Tokens};
use super::logins::Logins;
use super::prober::Prober;
use super::registrations::Registrations;
use super::report::{CheckResult, Failure, inconclusive, violated};
use super::token_requests::{Code, expect_error, expect_no_token};
use crate::rules::Rule;
use crate::trace::{Event, Progress};
use std::rc::Rc;

pub(super) struct Check<'e, 'w> {
    pub(super) prober: Prober<'e, 'w>,
    pub(super) logins: Logins,
    /// The API, where the URL is one's.
    pub(super) api: Option<Rc<Api>>,
    pub(super) registrations: Registrations,
}

impl Check<'_, '_> {
    /// Judges a rule by this test, unless it is not wanted or nothing more can
    /// be tested. The last exchange of the test is its evidence, or the
    /// sequence that the test began.
    pub(super) fn rule(&mut self, rule: Rule, test: &mut dyn FnMut(&mut Self) -> CheckResult) {
        if !self.prober.wants(rule) {
            return;
        }
        self.prober.results.clear_evidence();
        self.report_progress(rule);
        let stopped = self.prober.results.stopped().map(|stop| stop.reason.clone());
        let result = match stopped {
            Some(reason) => inconclusive(reason),
            None => test(self),
        };
        let evidence = self.prober.results.evidence();
        self.prober.record(rule, result, evidence);
    }

    fn report_progress(&mut self, rule: Rule) {
        let results = &self.prober.results;
        let progress = Progress {
            number: results.count() + 1,
            of: results.selected_count(),
            rule: rule.id(),
            text: rule.statement(),
            logins_left: self.logins.in_browser_left(&self.prober),
        };
        self.prober.world.caller.observe(&Event::Progress(progress));
    }

    pub(super) fn code(&mut self, purpose: &str) -> Result<Code, Failure> {
        self.logins.code(&mut self.prober, purpose)
    }

    pub(super) fn code_from(&mut self, exchange: AuthorizationExchange) -> Result<Code, Failure> {
        self.prober.code_from(exchange)
    }

    pub(super) fn answer_or_page(
        &mut self,
        probe: AuthorizationProbe,
        purpose: &str,
    ) -> Result<Option<AuthorizationExchange>, Failure> {
        self.logins.answer_or_page(&mut self.prober, probe, purpose)
    }

    pub(super) fn baseline(&mut self) -> Result<Rc<BaselineLogin>, Failure> {
        self.logins.baseline(&mut self.prober)
    }

    /// The tokens of the baseline, whose exchange becomes the evidence.
    pub(super) fn baseline_tokens(&mut self) -> Result<Rc<BaselineLogin>, Failure> {
        let baseline = self.baseline()?;
        let (_, exchange) = baseline.tokens()?;
        self.prober.show(Some(exchange.evidence()));
        Ok(baseline)
    }

    pub(super) fn needs_working_login(&mut self) -> CheckResult {
        let aside = self.prober.results.put_aside();
        let result = self.logins.needs_working_login(&mut self.prober);
        self.prober.results.take_back(aside);
        result
    }

    pub(super) fn needs_working_refresh(&mut self) -> CheckResult {
        let aside = self.prober.results.put_aside();
        let result = self.logins.needs_working_refresh(&mut self.prober);
        self.prober.results.take_back(aside);
        result
    }

    pub(super) fn needs_plain_answers(&self) -> CheckResult {
        self.logins.needs_plain_answers()
    }

    pub(super) fn redeem(&mut self, code: &Code) -> Result<(Tokens, Exchange), Failure> {
        self.logins.redeem(&mut self.prober, code)
    }

    pub(super) fn session(&mut self, purpose: &str) -> Result<Tokens, Failure> {
        self.logins.session(&mut self.prober, purpose)
    }

    pub(super) fn keep_for_later(&mut self, tokens: Tokens) {
        self.logins.keep_for_later(&self.prober, tokens);
    }

    pub(super) fn redeem_for_later(&mut self, code: &Code) -> bool {
        self.logins.redeem_for_later(&mut self.prober, code)
    }

    /// The verdict on an answer of the token endpoint that must give no token.
    /// A server that fails, but works otherwise, has refused.
    pub(super) fn expect_no_token(&mut self, exchange: &Exchange) -> CheckResult {
        match expect_no_token(exchange) {
            Err(Failure::Inconclusive(_)) if self.is_failure_as_refusal(exchange) => Ok(()),
            result => result,
        }
    }

    /// The verdict on an answer of the token endpoint that must be this error.
    pub(super) fn expect_error(&mut self, exchange: &Exchange, wanted: &str) -> CheckResult {
        if self.is_failure_as_refusal(exchange) {
            return violated(format!("the answer is status {}, not {wanted}", exchange.status()));
        }
        expect_error(exchange, wanted)
    }

    /// Whether the server fails for this request alone: the right one works
    /// before it and after it.
    pub(super) fn is_failure_as_refusal(&mut self, exchange: &Exchange) -> bool {
        if exchange.status() < 500 {
            return false;
        }
        if self.logins.fails_as_refusal.is_none() {
            let aside = self.prober.results.put_aside();
            self.logins.fails_as_refusal = Some(self.works_now());
            self.prober.results.take_back(aside);
        }
        let is_refusal = self.logins.fails_as_refusal == Some(true);
        if is_refusal {
            self.prober.observations.note_failure_as_refusal(exchange);
        }
        is_refusal
    }

    /// Whether a login works now, as one did before; its session is for a later test.
    fn works_now(&mut self) -> bool {
        self.needs_working_login().is_ok()
            && self
                .code("to see that the server still works")
                .is_ok_and(|code| self.redeem_for_later(&code))
    }

    /// Makes sure that there are codes to compare, and takes the last for the evidence.
    pub(super) fn needs_code_samples(&mut self) -> CheckResult {
        if self.prober.observations.codes.values.len() < 2 {
            self.code("for another code to compare with")?;
        }
        self.prober.show(self.prober.observations.codes.evidence.clone());
        Ok(())
    }

    /// The same for the tokens of logins.
    pub(super) fn needs_token_samples(&mut self) -> CheckResult {
        self.baseline_tokens()?;
        if self.prober.observations.access_tokens.values.len() < 2 {
            let code = self.code("for another token to compare with")?;
            self.redeem_for_later(&code);
        }
        self.prober
            .show(self.prober.observations.access_tokens.evidence.clone());
        Ok(())
    }
}
