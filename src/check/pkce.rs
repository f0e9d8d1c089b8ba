//! Proof Key for Code Exchange (RFC 7636; RFC 9700 §2.1.1, §4.8).

use super::ask::{Answer, Ask, refused};
use super::code::{Attempt, judge_attempts};
use super::examination::Examination;
use super::probe::Reply;
use super::secrets;
use super::sign_in::Door;
use super::token_request::{gives_nothing, says};
use super::verdict::{Finding, Judgement, broken};
use crate::rules::Rule;

type Weaken = fn(&mut Ask);

/// Requests that must be refused at the authorization endpoint; the second
/// column says whether that binds public clients alone.
const WEAK_REQUESTS: &[(Rule, bool, Weaken)] = &[
    (Rule::PkceRequired, true, without_challenge),
    (Rule::PkceEmptyChallenge, true, |ask| {
        ask.params.set("code_challenge", "")
    }),
    (Rule::PkceMalformedChallenge, false, |ask| {
        ask.params
            .set("code_challenge", "oauth-check-oauth-check-oauth-check-oauth-");
    }),
    (Rule::PkcePlain, false, |ask| {
        plain(ask);
        ask.params.set("code_challenge_method", "plain");
    }),
    (Rule::PkceMethodMissing, false, |ask| {
        plain(ask);
        ask.params.remove("code_challenge_method");
    }),
    (Rule::PkceMethodUnknown, false, |ask| {
        ask.params.set("code_challenge_method", "S257")
    }),
];

fn without_challenge(ask: &mut Ask) {
    ask.params.remove("code_challenge");
    ask.params.remove("code_challenge_method");
}

fn plain(ask: &mut Ask) {
    ask.params.set_secret("code_challenge", &ask.code_verifier);
}

/// Redemptions that must be refused.
const ATTEMPTS: &[Attempt] = &[
    Attempt {
        rule: Rule::PkceWrongVerifier,
        send: |examination, code| {
            let mut params = examination.redemption(code);
            params.set_secret("code_verifier", &examination.random()?);
            examination.token_request(params)
        },
        further: &[(Rule::PkceErrorCode, |exchange| says(exchange, "invalid_grant"))],
    },
    Attempt {
        rule: Rule::PkceMissingVerifier,
        send: |examination, code| {
            let mut params = examination.redemption(code);
            params.remove("code_verifier");
            examination.token_request(params)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::PkceChallengeAsVerifier,
        send: |examination, code| {
            let mut params = examination.redemption(code);
            params.set_secret("code_verifier", &secrets::challenge(&code.code_verifier));
            examination.token_request(params)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::CodeRedirectUri,
        send: |examination, code| {
            let mut params = examination.redemption(code);
            params.set("redirect_uri", "https://oauth-check.example/callback");
            examination.token_request(params)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::CodeRedirectUriMissing,
        send: |examination, code| {
            let mut params = examination.redemption(code);
            params.remove("redirect_uri");
            examination.token_request(params)
        },
        further: &[],
    },
];

/// Judges PKCE, and what else a code is bound to.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    examination.judge(
        Rule::PkceSupported,
        &mut |examination| match &examination.main_login()?.tokens {
            Ok(_) => Ok(()),
            Err(finding) => Err(finding.clone()),
        },
    );
    for (rule, public_only, weaken) in WEAK_REQUESTS {
        examination.judge(*rule, &mut |examination| {
            if *public_only {
                examination.needs_public_client()?;
            }
            match weak_answer(examination, *weaken)? {
                Some(_) => broken("a code comes"),
                None => Ok(()),
            }
        });
    }
    examination.judge(Rule::PkceVerifierWithoutChallenge, &mut |examination| {
        let Some(answer) = weak_answer(examination, without_challenge)? else {
            return Ok(());
        };
        let code = examination.code_of(answer)?;
        let params = examination.redemption(&code);
        gives_nothing(&examination.token_request(params)?)
    });
    examination.judge(Rule::PkceShortVerifier, &mut short_verifier);
    judge_attempts(examination, ATTEMPTS, "for redemptions that must fail");
}

/// The response to a weak request where it is granted; `None` where it is refused.
fn weak_answer(examination: &mut Examination<'_, '_>, weaken: fn(&mut Ask)) -> Result<Option<Answer>, Finding> {
    let mut ask = examination.ask()?;
    weaken(&mut ask);
    if !matches!(examination.door(), Some(Door::Closed(_))) {
        let reply = examination.authorize(&ask)?;
        match reply {
            Reply::SignIn if examination.door() == Some(Door::Asks) => {}
            Reply::Back(back) if back.grants() => {
                return Ok(Some(Answer {
                    ask,
                    back,
                    evidence: None,
                }));
            }
            reply => return refused(&reply).map(|()| None),
        }
    }
    examination.needs_working_login()?;
    let answer = examination.answer(ask, "for a request with weak or no PKCE, which should be refused")?;
    Ok(answer.back.grants().then_some(answer))
}

fn short_verifier(examination: &mut Examination<'_, '_>) -> Judgement {
    examination.needs_working_login()?;
    let mut ask = examination.ask()?;
    let short = secrets::beginning(&ask.code_verifier, 42);
    ask.challenge(short);
    let answer = examination.answer(ask, "for a verifier that is too short")?;
    let code = examination.code_of(answer)?;
    let params = examination.redemption(&code);
    gives_nothing(&examination.token_request(params)?)
}
