//! Proof Key for Code Exchange (RFC 7636; RFC 9700 §2.1.1, §4.8).

use super::rejected_redemption::{RejectedRedemption, run_redemptions};
use crate::check::authorization_probe::{AuthorizationExchange, AuthorizationProbe, expect_refusal};
use crate::check::context::Check;
use crate::check::exchange::Outcome;
use crate::check::report::{CheckResult, Failure, inconclusive, violated};
use crate::check::secrets;
use crate::rules::Rule;

type PkceMutation = fn(&mut AuthorizationProbe);

/// Requests that must be refused at the authorization endpoint; the second
/// column says whether that binds public clients alone.
const WEAK_REQUESTS: &[(Rule, bool, PkceMutation)] = &[
    (Rule::PkceRequired, true, without_challenge),
    (Rule::PkceEmptyChallenge, true, |probe| {
        probe.params.set("code_challenge", "")
    }),
    (Rule::PkceMalformedChallenge, false, |probe| {
        probe
            .params
            .set("code_challenge", "oauth-check-oauth-check-oauth-check-oauth-");
    }),
    (Rule::PkcePlain, false, |probe| {
        plain(probe);
        probe.params.set("code_challenge_method", "plain");
    }),
    (Rule::PkceMethodMissing, false, |probe| {
        plain(probe);
        probe.params.remove("code_challenge_method");
    }),
    (Rule::PkceMethodUnknown, false, |probe| {
        probe.params.set("code_challenge_method", "S257")
    }),
];

fn without_challenge(probe: &mut AuthorizationProbe) {
    probe.params.remove("code_challenge");
    probe.params.remove("code_challenge_method");
}

fn plain(probe: &mut AuthorizationProbe) {
    probe.params.set_secret("code_challenge", &probe.code_verifier);
}

/// Redemptions that must be refused.
const REDEMPTIONS: &[RejectedRedemption] = &[
    RejectedRedemption {
        rule: Rule::PkceWrongVerifier,
        send: |check, code| {
            let mut params = check.prober.code_params(code);
            params.set_secret("code_verifier", &check.prober.random()?);
            check.prober.token_request(params)
        },
        error: Some((Rule::PkceErrorCode, "invalid_grant")),
    },
    RejectedRedemption {
        rule: Rule::PkceMissingVerifier,
        send: |check, code| {
            let mut params = check.prober.code_params(code);
            params.remove("code_verifier");
            check.prober.token_request(params)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::PkceChallengeAsVerifier,
        send: |check, code| {
            let mut params = check.prober.code_params(code);
            params.set_secret("code_verifier", &secrets::challenge(&code.code_verifier));
            check.prober.token_request(params)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::CodeRedirectUri,
        send: |check, code| {
            let mut params = check.prober.code_params(code);
            params.set("redirect_uri", "https://oauth-check.example/callback");
            check.prober.token_request(params)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::CodeRedirectUriMissing,
        send: |check, code| {
            let mut params = check.prober.code_params(code);
            params.remove("redirect_uri");
            check.prober.token_request(params)
        },
        error: None,
    },
];

/// Tests PKCE, and what else a code is bound to.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::PkceSupported, &mut |check| {
        let baseline = check.baseline()?;
        check.prober.show(baseline.evidence());
        baseline.redemption()
    });
    for (rule, public_only, weaken) in WEAK_REQUESTS {
        check.rule(*rule, &mut |check| {
            if *public_only {
                check.prober.needs_public_client()?;
            }
            match weak_answer(check, *weaken)? {
                Some(_) => violated("a code comes"),
                None => Ok(()),
            }
        });
    }
    check.rule(Rule::PkceVerifierWithoutChallenge, &mut |check| {
        let Some(exchange) = weak_answer(check, without_challenge)? else {
            return Ok(());
        };
        redeem_weak(check, exchange)
    });
    check.rule(Rule::PkceShortVerifier, &mut short_verifier);
    run_redemptions(check, REDEMPTIONS, "for redemptions that must fail");
}

/// The response to a weak request where it is granted; `None` where it is refused.
fn weak_answer(check: &mut Check<'_, '_>, weaken: PkceMutation) -> Result<Option<AuthorizationExchange>, Failure> {
    let mut probe = check.prober.probe()?;
    weaken(&mut probe);
    if !check.logins.is_rejected() {
        match check.prober.authorize(&probe)? {
            Outcome::Page if check.logins.needs_login() => {}
            Outcome::Redirect(response) if response.grants() => {
                let evidence = check.prober.results.evidence();
                return Ok(Some(AuthorizationExchange {
                    probe,
                    response,
                    evidence,
                }));
            }
            outcome => return expect_refusal(&outcome).map(|()| None),
        }
    }
    check.needs_working_login()?;
    let purpose = "for a request with weak or no PKCE, which should be refused";
    let exchange = check.answer_or_page(probe, purpose)?;
    Ok(exchange.filter(|exchange| exchange.response.grants()))
}

/// Redeems a code that should not have come; the request for it is part of the evidence.
fn redeem_weak(check: &mut Check<'_, '_>, exchange: AuthorizationExchange) -> CheckResult {
    check.prober.results.begin_sequence();
    if let Some(evidence) = exchange.evidence.clone() {
        check.prober.results.add_evidence(evidence);
    }
    let code = check.code_from(exchange)?;
    let params = check.prober.code_params(&code);
    let answer = check.prober.token_request(params)?;
    check.expect_no_token(&answer)
}

fn short_verifier(check: &mut Check<'_, '_>) -> CheckResult {
    check.needs_working_login()?;
    let mut probe = check.prober.probe()?;
    let short = secrets::beginning(&probe.code_verifier, 42);
    probe.challenge(short);
    match check.answer_or_page(probe, "for a verifier that is too short")? {
        Some(exchange) => redeem_weak(check, exchange),
        None => inconclusive("the request for it is refused by a page"),
    }
}
