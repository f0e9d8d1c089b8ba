//! The code (RFC 6749 §4.1.2, §4.1.3): it works once.

use crate::check::context::Check;
use crate::check::exchange::{Exchange, Tokens};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::rules::Rule;

/// Tests what is left about codes.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    single_use(check);
    check.rule(Rule::CodeParallel, &mut parallel);
    check.rule(Rule::CodeUnknown, &mut |check| {
        let params = check.prober.unknown_code_params()?;
        let exchange = check.prober.token_request(params)?;
        check.expect_error(&exchange, "invalid_grant")
    });
}

fn single_use(check: &mut Check<'_, '_>) {
    let mut tokens = inconclusive("no reuse of a code was seen to be refused (code.single-use)");
    check.rule(Rule::CodeSingleUse, &mut |check| {
        check.needs_working_login()?;
        let (first, second) = use_twice(check)?;
        check.expect_no_token(&second)?;
        tokens = Ok((first, check.prober.results.evidence()));
        Ok(())
    });
    let is_selected = check.prober.results.selects(Rule::CodeSingleUse);
    check.rule(Rule::CodeReuseRevokes, &mut |check| {
        if !is_selected {
            check.needs_working_login()?;
            let (first, second) = use_twice(check)?;
            if check.expect_no_token(&second).is_ok() {
                tokens = Ok((first, check.prober.results.evidence()));
            }
        }
        let (tokens, uses) = tokens.clone()?;
        check.prober.results.begin_sequence();
        if let Some(uses) = uses {
            check.prober.results.add_evidence(uses);
        }
        ensure(!live_on(check, &tokens)?, "the tokens of the first use still work")
    });
}

/// Whether the tokens still work.
fn live_on(check: &mut Check<'_, '_>, tokens: &Tokens) -> Result<bool, Failure> {
    let lives = check.prober.is_access_token_alive(&tokens.access_token);
    match (&tokens.refresh_token, lives) {
        (_, Ok(lives)) => Ok(lives),
        (Some(refresh_token), Err(_)) => {
            check.needs_working_refresh()?;
            Ok(check.prober.refresh(refresh_token)?.is_some())
        }
        (None, Err(failure)) => Err(failure),
    }
}

fn parallel(check: &mut Check<'_, '_>) -> CheckResult {
    check.needs_working_login()?;
    let code = check.code("for a code that is used several times at once")?;
    let params = check.prober.code_params(&code);
    let client = check.prober.client.clone();
    let request = check.prober.token_message(params, &client)?;
    let exchanges = check.prober.send_simultaneously(&request)?;
    for exchange in &exchanges {
        check.prober.note_token_answer(exchange);
    }
    let worked = exchanges.iter().filter(|exchange| exchange.has_token()).count();
    match worked {
        0 => inconclusive("it did not work even once"),
        1 => Ok(()),
        _ => violated(format!("it worked {worked} times")),
    }
}

/// The tokens of the first use, and the answer to the second.
fn use_twice(check: &mut Check<'_, '_>) -> Result<(Tokens, Exchange), Failure> {
    let code = check.code("for a code that is used twice")?;
    check.prober.results.begin_sequence();
    let (first, _) = check.redeem(&code).map_err(|failure| failure.as_inconclusive())?;
    let params = check.prober.code_params(&code);
    check.prober.note_disruptive();
    Ok((first, check.prober.token_request(params)?))
}
