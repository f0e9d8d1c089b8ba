//! Redemptions that must get no token, tested with as few logins as can be.

use crate::check::context::Check;
use crate::check::exchange::Exchange;
use crate::check::report::{CheckResult, Evidence, Failure, inconclusive, violated};
use crate::check::token_requests::{Code, expect_error, expect_no_token};
use crate::rules::Rule;

/// A redemption that must get no token.
pub(super) struct RejectedRedemption {
    pub(super) rule: Rule,
    pub(super) send: fn(&mut Check<'_, '_>, &Code) -> Result<Exchange, Failure>,
    /// The rule about its error, and that error.
    pub(super) error: Option<(Rule, &'static str)>,
}

/// An answer that gave no token.
struct Rejection<'r> {
    redemption: &'r RejectedRedemption,
    exchange: Exchange,
}

impl RejectedRedemption {
    fn is_wanted(&self, check: &Check<'_, '_>) -> bool {
        check.prober.wants(self.rule) || self.error.is_some_and(|(rule, _)| check.prober.wants(rule))
    }

    fn record_failure(&self, check: &mut Check<'_, '_>, failure: &Failure) {
        check.prober.record(self.rule, Err(failure.clone()), None);
        if let Some((rule, _)) = self.error {
            check.prober.record(rule, Err(failure.as_inconclusive()), None);
        }
    }

    fn record_grant(&self, check: &mut Check<'_, '_>, how: &str, evidence: Evidence) {
        check.prober.record(self.rule, violated(how), Some(evidence));
        if let Some((rule, _)) = self.error {
            check.prober.record(
                rule,
                inconclusive(format!("what {} sends was not refused", self.rule)),
                None,
            );
        }
    }

    fn record_rejection(&self, check: &mut Check<'_, '_>, exchange: &Exchange) {
        let fails = check.is_failure_as_refusal(exchange);
        let evidence = Some(exchange.evidence());
        let result: CheckResult = if fails { Ok(()) } else { expect_no_token(exchange) };
        check.prober.record(self.rule, result, evidence.clone());
        if let Some((rule, wanted)) = self.error {
            let result = match fails {
                true => violated(format!("the answer is status {}, not {wanted}", exchange.status())),
                false => expect_error(exchange, wanted),
            };
            check.prober.record(rule, result, evidence);
        }
    }
}

/// Makes the redemptions, all with one code where that can be: if the right
/// redemption works after them, each refusal was meant. Where it does not, the
/// server ends a code at the first failure (which it may), and every other one
/// is made with a code of its own.
pub(super) fn run_redemptions(check: &mut Check<'_, '_>, redemptions: &[RejectedRedemption], purpose: &str) {
    let mut open: Vec<&RejectedRedemption> = redemptions
        .iter()
        .filter(|redemption| redemption.is_wanted(check))
        .collect();
    // What ends a code in one group may not reach it in another.
    check.logins.failures_end_codes = false;
    while !open.is_empty() && !check.prober.is_stopped() {
        let code = check.needs_working_login().and_then(|()| check.code(purpose));
        let code = match code {
            Ok(code) => code,
            Err(failure) => {
                for redemption in open {
                    redemption.record_failure(check, &failure);
                }
                return;
            }
        };
        let (rejections, is_code_alive) = redeem_wrongly(check, &mut open, &code);
        record_rejections(check, &mut open, rejections, is_code_alive, &code);
    }
}

/// Sends the redemptions with this code until one gets a token; whether one did.
fn redeem_wrongly<'r>(
    check: &mut Check<'_, '_>,
    open: &mut Vec<&'r RejectedRedemption>,
    code: &Code,
) -> (Vec<Rejection<'r>>, bool) {
    let mut rejections: Vec<Rejection<'r>> = Vec::new();
    while !open.is_empty() && (!check.logins.failures_end_codes || rejections.is_empty()) {
        let redemption = open.remove(0);
        match (redemption.send)(check, code) {
            Ok(exchange) if exchange.has_token() => {
                record_grant(check, redemption, &rejections, &exchange);
                return (rejections, true);
            }
            Ok(exchange) => rejections.push(Rejection { redemption, exchange }),
            Err(failure) => redemption.record_failure(check, &failure),
        }
    }
    (rejections, false)
}

/// A token where none may come. After other requests with the same code it is
/// tried with a fresh code, too: what depends on them is shown with them.
fn record_grant(
    check: &mut Check<'_, '_>,
    redemption: &RejectedRedemption,
    before: &[Rejection<'_>],
    exchange: &Exchange,
) {
    if before.is_empty() {
        return redemption.record_grant(check, "it gets a token", exchange.evidence());
    }
    let again = check
        .code("for the same request with a fresh code")
        .and_then(|code| (redemption.send)(check, &code));
    match again {
        Ok(again) if again.has_token() => redemption.record_grant(check, "it gets a token", again.evidence()),
        _ => {
            let mut all = before.iter().map(|rejection| &rejection.exchange).chain([exchange]);
            let Some(first) = all.next() else { return };
            let sequence = all.fold(first.evidence(), |before, next| before.then(next.evidence()));
            let how = "it gets a token after the requests before it, with a fresh code it does not";
            redemption.record_grant(check, how, sequence);
        }
    }
}

/// Records the refusals that were meant; the others are open again.
fn record_rejections<'r>(
    check: &mut Check<'_, '_>,
    open: &mut Vec<&'r RejectedRedemption>,
    mut rejections: Vec<Rejection<'r>>,
    is_code_alive: bool,
    code: &Code,
) {
    if rejections.is_empty() {
        return;
    }
    let all_meant = is_code_alive || check.logins.failures_end_codes || check.redeem_for_later(code);
    let meant = if all_meant { rejections.len() } else { 1 };
    let doubtful = rejections.split_off(meant);
    check.logins.failures_end_codes |= !all_meant;
    for rejection in rejections {
        rejection.redemption.record_rejection(check, &rejection.exchange);
    }
    open.splice(0..0, doubtful.into_iter().map(|rejection| rejection.redemption));
}
