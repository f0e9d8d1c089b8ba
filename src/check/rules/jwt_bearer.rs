//! Assertions as grants (RFC 7523 §3). Judged with identity assertions that the
//! server gives for itself, and only where such a one gets a token.

use super::token_exchange::{identity_assertion, needs_grant, unsigned, with_other_signature};
use crate::check::context::Check;
use crate::check::exchange::Exchange;
use crate::check::report::{Failure, ensure, inconclusive};
use crate::protocol::grant::jwt_bearer;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;

/// A server that does not exist: RFC 6761 §6.4 keeps the name for this.
const OTHER_SERVER: &str = "https://server.invalid";

/// What must get no token, made of an assertion that does.
type MakeAssertion = fn(&mut Check<'_, '_>, Secret) -> Result<Secret, Failure>;

const REJECTED: &[(Rule, MakeAssertion)] = &[
    (Rule::JwtBearerSignature, |_, assertion| {
        with_other_signature(&assertion)
    }),
    (Rule::JwtBearerUnsigned, |_, assertion| unsigned(&assertion)),
    (Rule::JwtBearerAudience, |check, _| {
        let (_, for_another) = identity_assertion(check, Some(OTHER_SERVER))?;
        Ok(for_another)
    }),
    (Rule::JwtBearerIdToken, |check, _| {
        let baseline = check.baseline()?;
        let (tokens, _) = baseline.tokens()?;
        match &tokens.id_token {
            Some(id_token) => Ok(id_token.clone()),
            None => inconclusive("no ID token came"),
        }
    }),
    (Rule::JwtBearerAccessToken, |check, _| {
        let baseline = check.baseline()?;
        let (tokens, _) = baseline.tokens()?;
        Ok(tokens.access_token.clone())
    }),
];

/// Tests which assertions get tokens.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    for (rule, make) in REJECTED {
        check.rule(*rule, &mut |check| {
            let assertion = accepted_assertion(check)?;
            let other = make(check, assertion)?;
            let exchange = present(check, &other)?;
            check.expect_no_token(&exchange)
        });
    }
    check.rule(Rule::JwtBearerRefreshToken, &mut |check| {
        needs_grant(check, jwt_bearer::GRANT_TYPE)?;
        let (_, assertion) = identity_assertion(check, None)?;
        let exchange = accepted(check, &assertion)?;
        let has_one = exchange.tokens().is_some_and(|tokens| tokens.refresh_token.is_some());
        ensure(!has_one, "one comes")
    });
}

/// An assertion of the server for itself, another of which gets a token.
fn accepted_assertion(check: &mut Check<'_, '_>) -> Result<Secret, Failure> {
    let aside = check.prober.results.put_aside();
    let tried = try_assertion(check);
    check.prober.results.take_back(aside);
    tried
}

fn try_assertion(check: &mut Check<'_, '_>) -> Result<Secret, Failure> {
    needs_grant(check, jwt_bearer::GRANT_TYPE)?;
    let (_, first) = identity_assertion(check, None)?;
    accepted(check, &first)?;
    // One that was not used yet: a server may take each only once.
    let (_, assertion) = identity_assertion(check, None)?;
    Ok(assertion)
}

fn accepted(check: &mut Check<'_, '_>, assertion: &Secret) -> Result<Exchange, Failure> {
    let exchange = present(check, assertion)?;
    check.prober.needs_permitted_grant(&exchange, "jwt-bearer")?;
    match exchange.has_token() {
        true => Ok(exchange),
        false => inconclusive("an assertion of the server itself gets no token, either"),
    }
}

fn present(check: &mut Check<'_, '_>, assertion: &Secret) -> Result<Exchange, Failure> {
    let mut params = Params::new();
    params.push("grant_type", jwt_bearer::GRANT_TYPE);
    params.push_secret("assertion", assertion);
    check.prober.token_request(params)
}
