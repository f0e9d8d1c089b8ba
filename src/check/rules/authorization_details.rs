//! Rich authorization requests (RFC 9396), where the server announces types.

use crate::check::authorization_probe::{
    AuthorizationExchange, AuthorizationProbe, expect_refusal, inconclusive_needs_login,
};
use crate::check::context::Check;
use crate::check::exchange::Outcome;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::token_requests::Code;
use crate::foreign_text::WordOrQuoted;
use crate::rules::Rule;
use serde_json::json;

/// A type that no server knows.
const UNKNOWN_TYPE: &str = "oauth-check-unknown-type";

const INVALID: &str = "invalid_authorization_details";

/// Tests rich authorization requests.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::DetailsUnknownType, &mut |check| {
        known_type(check)?;
        expect_invalid(check, &json!([{ "type": UNKNOWN_TYPE }]).to_string())
    });
    check.rule(Rule::DetailsMalformed, &mut |check| {
        known_type(check)?;
        expect_invalid(check, "oauth-check")
    });
    check.rule(Rule::DetailsReported, &mut |check| {
        let details = json!([{ "type": known_type(check)? }]).to_string();
        let code = code_for(check, Some(&details))?;
        let redeemed = check.redeem(&code);
        let (_, exchange) = redeemed.map_err(|failure| failure.as_inconclusive())?;
        let members = exchange.members().unwrap_or_default();
        ensure(
            members
                .get("authorization_details")
                .is_some_and(|granted| granted.is_array()),
            "it has no authorization_details",
        )
    });
    check.rule(Rule::DetailsWidened, &mut |check| {
        let details = json!([{ "type": known_type(check)? }]).to_string();
        let code = code_for(check, None)?;
        let mut params = check.prober.code_params(&code);
        params.push("authorization_details", &details);
        let exchange = check.prober.token_request(params)?;
        if !exchange.has_token() {
            return check.expect_no_token(&exchange);
        }
        let granted = exchange.members().unwrap_or_default();
        ensure(
            !granted
                .get("authorization_details")
                .is_some_and(|granted| granted.is_array()),
            "it gets a token for more",
        )
    });
}

/// A type that the server announces.
fn known_type(check: &Check<'_, '_>) -> Result<String, Failure> {
    let types = check
        .prober
        .target
        .metadata
        .authorization_details_types_supported
        .as_deref();
    match types.unwrap_or_default().first() {
        Some(first) => Ok(first.clone()),
        None => inconclusive("the server announces no types (authorization_details_types_supported)"),
    }
}

fn probe(check: &mut Check<'_, '_>, details: Option<&str>) -> Result<AuthorizationProbe, Failure> {
    let mut probe = check.prober.probe()?;
    match details {
        Some(details) => probe.params.set("authorization_details", details),
        None => probe.params.remove("authorization_details"),
    }
    Ok(probe)
}

fn expect_invalid(check: &mut Check<'_, '_>, details: &str) -> CheckResult {
    check.needs_plain_answers()?;
    let probe = probe(check, Some(details))?;
    match check.prober.authorize(&probe)? {
        Outcome::Redirect(response) if !response.grants() => {
            let error = response.value("error").unwrap_or_default();
            ensure(error == INVALID, format!("the error is {}", WordOrQuoted(error)))
        }
        Outcome::PushRefused(refusal) if !refusal.is_outage() => {
            let error = refusal.error();
            ensure(error == INVALID, format!("the error is {}", WordOrQuoted(error)))
        }
        Outcome::Error(page) if !page.is_outage() => violated(format!("it is refused by {page}, not with {INVALID}")),
        outcome => expect_refusal(&outcome),
    }
}

/// A code that was asked for with these details, where no person is asked. A
/// server may want more members than the type, so a refusal says nothing.
fn code_for(check: &mut Check<'_, '_>, details: Option<&str>) -> Result<Code, Failure> {
    check.needs_plain_answers()?;
    let probe = probe(check, details)?;
    match check.prober.authorize(&probe)? {
        Outcome::Redirect(response) if response.grants() => check.code_from(AuthorizationExchange {
            probe,
            response,
            evidence: check.prober.results.evidence(),
        }),
        Outcome::Page => inconclusive_needs_login(),
        _ => inconclusive("the server refuses authorization details that have only a type"),
    }
}
