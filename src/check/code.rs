//! The code (RFC 6749 §4.1.2, §4.1.3): it works once, for whom it was made.
//! And how a row of refusals is tested with as few logins as can be.

use super::examination::Examination;
use super::probe::Exchange;
use super::sign_in::Code;
use super::token_request::{NEVER_GIVEN, gives_nothing, redeemed, says};
use super::verdict::{Finding, Test, broken, kept_if, unseen};
use crate::protocol::params::Params;
use crate::rules::Rule;

/// A redemption that must get no token.
pub(super) struct Attempt {
    pub(super) rule: Rule,
    /// Sends it.
    pub(super) send: fn(&mut Examination<'_, '_>, &Code) -> Result<Exchange, Finding>,
    /// What else its answer shows.
    pub(super) further: &'static [(Rule, Test<Exchange>)],
}

impl Attempt {
    fn is_wanted(&self, examination: &Examination<'_, '_>) -> bool {
        examination.wants(self.rule) || self.further.iter().any(|(rule, _)| examination.wants(*rule))
    }

    fn record(&self, examination: &mut Examination<'_, '_>, outcome: &Result<Exchange, Finding>) {
        let evidence = outcome.as_ref().ok().map(Exchange::evidence);
        let judge = |test: Test<Exchange>| match outcome {
            Ok(exchange) => test(exchange),
            Err(finding) => Err(finding.clone()),
        };
        examination.record(self.rule, judge(gives_nothing), evidence.clone());
        for (rule, test) in self.further {
            // A token where none may come says nothing about the error.
            let judgement = match outcome {
                Ok(exchange) if exchange.has_token() => unseen("it was not refused"),
                _ => judge(*test),
            };
            examination.record(*rule, judgement, evidence.clone());
        }
    }
}

/// Makes the attempts, all with one code where that can be: if the right
/// redemption works after them, each refusal was meant. Where it does not, the
/// server ends a code at the first failure (which it may), and every other
/// attempt is made with a code of its own.
pub(super) fn judge_attempts(examination: &mut Examination<'_, '_>, attempts: &[Attempt], purpose: &str) {
    let mut open: Vec<&Attempt> = attempts
        .iter()
        .filter(|attempt| attempt.is_wanted(examination))
        .collect();
    let mut one_by_one = false;
    while !open.is_empty() && !examination.is_stopped() {
        let code = examination
            .needs_working_login()
            .and_then(|()| examination.code(purpose));
        let code = match code {
            Ok(code) => code,
            Err(finding) => {
                for attempt in open {
                    attempt.record(examination, &Err(finding.clone()));
                }
                return;
            }
        };
        let mut refused: Vec<(&Attempt, Exchange)> = Vec::new();
        let mut code_works = false;
        while !open.is_empty() && (!one_by_one || refused.is_empty()) {
            let attempt = open.remove(0);
            match (attempt.send)(examination, &code) {
                Ok(exchange) if exchange.has_token() => {
                    attempt.record(examination, &Ok(exchange));
                    code_works = true;
                    break;
                }
                Ok(exchange) => refused.push((attempt, exchange)),
                Err(finding) => attempt.record(examination, &Err(finding)),
            }
        }
        if refused.is_empty() {
            continue;
        }
        let all_meant = code_works || one_by_one || examination.redeem_for_later(&code);
        let meant = if all_meant { refused.len() } else { 1 };
        let doubtful = refused.split_off(meant);
        for (attempt, exchange) in refused {
            attempt.record(examination, &Ok(exchange));
        }
        open.splice(0..0, doubtful.into_iter().map(|(attempt, _)| attempt));
        one_by_one = one_by_one || !all_meant;
    }
}

/// Judges what is left about codes.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    let mut tokens = None;
    if examination.wants_any(&[Rule::CodeSingleUse, Rule::CodeReuseRevokes]) {
        examination.judge(Rule::CodeSingleUse, &mut |examination| {
            examination.needs_working_login()?;
            let (first, second) = use_twice(examination)?;
            gives_nothing(&second)?;
            tokens = Some(first);
            Ok(())
        });
        if !examination.request.rules.has(Rule::CodeSingleUse) && !examination.is_stopped() {
            tokens = use_twice(examination)
                .ok()
                .filter(|(_, second)| gives_nothing(second).is_ok())
                .map(|(first, _)| first);
        }
    }
    examination.judge(Rule::CodeReuseRevokes, &mut |examination| {
        let Some(tokens) = &tokens else {
            return unseen("no reuse of a code was seen to be refused (code.single-use)");
        };
        let lives = examination.is_access_token_alive(&tokens.access_token);
        let lives = match (&tokens.refresh_token, lives) {
            (_, Ok(lives)) => lives,
            (Some(refresh_token), Err(_)) => {
                examination.needs_working_refresh()?;
                examination.refresh(refresh_token)?.is_some()
            }
            (None, Err(finding)) => return Err(finding),
        };
        kept_if(!lives, "the tokens of the first use still work")
    });
    examination.judge(Rule::CodeParallel, &mut |examination| {
        examination.needs_working_login()?;
        let code = examination.code("for a code that is used several times at once")?;
        let params = examination.redemption(&code);
        let client = examination.client.clone();
        let request = examination.token_message(params, &client)?;
        let exchanges = examination.send_at_once(&request)?;
        for exchange in &exchanges {
            examination.note_token_answer(exchange);
        }
        let worked = exchanges.iter().filter(|exchange| exchange.has_token()).count();
        match worked {
            0 => unseen("it did not work even once"),
            1 => Ok(()),
            _ => broken(format!("it worked {worked} times")),
        }
    });
    examination.judge(Rule::CodeUnknown, &mut |examination| {
        let params = unknown_code(examination)?;
        says(&examination.token_request(params)?, "invalid_grant")
    });
}

fn use_twice(examination: &mut Examination<'_, '_>) -> Result<(super::token_request::Tokens, Exchange), Finding> {
    let code = examination.code("for a code that is used twice")?;
    let (first, _) = redeemed(examination, &code)?;
    let params = examination.redemption(&code);
    examination.attacked();
    Ok((first, examination.token_request(params)?))
}

/// A redemption of a code that was never given.
pub(super) fn unknown_code(examination: &mut Examination<'_, '_>) -> Result<Params, Finding> {
    let mut params = Params::new();
    params.push("grant_type", "authorization_code");
    params.push("code", NEVER_GIVEN);
    params.push("redirect_uri", examination.redirect_uri.as_str());
    params.push_secret("code_verifier", &examination.random()?);
    Ok(params)
}
