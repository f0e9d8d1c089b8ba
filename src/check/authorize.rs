//! The authorization endpoint (RFC 6749 §3.1, §4.1): what comes back, and what
//! is refused.

use super::ask::{Answer, Ask, asks_first, refused};
use super::entropy::bits_at_most;
use super::examination::Examination;
use super::probe::Reply;
use super::secrets;
use super::sign_in::{Addition, Door};
use super::token_request::NOBODY;
use super::verdict::{Judgement, broken, kept_if, unseen};
use crate::protocol::http::Method;
use crate::rules::Rule;

/// With characters that no scope has (RFC 6749 §3.3), and no error either (§4.1.2.1).
const MALFORMED_SCOPE: &str = "oauth\"check\\";

/// Rules by one request each: what is changed in it, and what the reply must be.
type Refusal = (Rule, fn(&mut Ask), fn(&Reply) -> Judgement);

const REFUSALS: &[Refusal] = &[
    (
        Rule::AuthorizeResponseTypeUnknown,
        |ask| ask.params.set("response_type", "oauth-check"),
        refused,
    ),
    (
        Rule::AuthorizeResponseTypeMissing,
        |ask| ask.params.remove("response_type"),
        refused,
    ),
    (
        Rule::AuthorizeImplicit,
        |ask| ask.params.set("response_type", "token"),
        refused,
    ),
    (
        Rule::AuthorizeHybrid,
        |ask| ask.params.set("response_type", "code token"),
        refused,
    ),
    (
        Rule::AuthorizeClientMissing,
        |ask| ask.params.remove("client_id"),
        by_page,
    ),
    (
        Rule::AuthorizeClientUnknown,
        |ask| ask.params.set("client_id", NOBODY),
        by_page,
    ),
    (
        Rule::AuthorizeScopeMalformed,
        |ask| ask.params.set("scope", MALFORMED_SCOPE),
        |reply| match reply {
            Reply::Back(back) if !back.grants() => {
                let error = back.value("error").unwrap_or_default();
                kept_if(error == "invalid_scope", format!("the error is {error}"))
            }
            Reply::ErrorPage(400..500) => broken("it is refused by a page, not by a redirect with invalid_scope"),
            _ => refused(reply),
        },
    ),
    (
        Rule::AuthorizeRepeated,
        |ask| ask.params.push("response_type", "code"),
        refused,
    ),
    (
        Rule::AuthorizeRepeatedClient,
        |ask| ask.params.push("client_id", NOBODY),
        refused,
    ),
];

/// What must be taken, with what the answer to it must be.
const ADDITIONS: &[Addition] = &[
    Addition {
        rule: Rule::AuthorizeUnknownParameter,
        add: |ask| ask.params.push("oauth_check", "unknown"),
        judge: granted,
    },
    Addition {
        rule: Rule::AuthorizeEmptyParameter,
        add: |ask| {
            for name in ["prompt", "response_mode"] {
                if ask.params.all(name).next().is_none() {
                    ask.params.push(name, "");
                }
            }
        },
        judge: granted,
    },
    Addition {
        rule: Rule::AuthorizeStateLong,
        add: |ask| ask.extend_state(&"s".repeat(1024 - 43)),
        judge: same_state,
    },
    Addition {
        rule: Rule::AuthorizeStateCharacters,
        add: |ask| ask.extend_state(&(' '..='~').collect::<String>()),
        judge: same_state,
    },
];

fn by_page(reply: &Reply) -> Judgement {
    match reply {
        Reply::Back(_) => broken("the browser is sent to the redirect URI"),
        _ => refused(reply),
    }
}

fn granted(answer: &Answer) -> Judgement {
    kept_if(
        answer.back.grants(),
        format!("it is refused: {}", answer.back.refusal()),
    )
}

fn same_state(answer: &Answer) -> Judgement {
    let came = answer.back.value("state").unwrap_or_default();
    let same = secrets::is(&answer.ask.state, came);
    if !same && came.is_empty() {
        granted(answer)?;
        return broken("no state comes back");
    }
    kept_if(same, "another state comes back")
}

/// Rules that need no signing in.
pub(super) fn judge_refusals(examination: &mut Examination<'_, '_>) {
    for (rule, change, expect) in REFUSALS {
        examination.judge(*rule, &mut |examination| {
            examination.needs_plain_answers()?;
            let mut ask = examination.ask()?;
            change(&mut ask);
            expect(&examination.authorize(&ask)?)
        });
    }
    for addition in ADDITIONS {
        if examination.door() == Some(Door::Asks) && examination.wants(addition.rule) {
            examination.sign_ins.undecided.push(*addition);
            continue;
        }
        examination.judge(addition.rule, &mut |examination| {
            examination.needs_plain_answers()?;
            let mut ask = examination.ask()?;
            (addition.add)(&mut ask);
            match examination.authorize(&ask)? {
                Reply::Back(back) => (addition.judge)(&Answer {
                    ask,
                    back,
                    evidence: None,
                }),
                Reply::ErrorPage(status @ ..500) => broken(format!("it is refused by a page of status {status}")),
                reply => refused(&reply).and_then(|()| asks_first()),
            }
        });
    }
    examination.judge(Rule::AuthorizeStateAbsent, &mut |examination| {
        examination.needs_plain_answers()?;
        let mut ask = examination.ask()?;
        ask.params.remove("state");
        match examination.authorize(&ask)? {
            Reply::Back(back) if back.grants() => kept_if(back.value("state").is_none(), "a state comes back"),
            Reply::SignIn => asks_first(),
            _ => unseen("a request without state is refused"),
        }
    });
    examination.judge(Rule::AuthorizePost, &mut |examination| {
        by_post(examination).and_then(|(status, _)| {
            let taken = !matches!(status, 400..500);
            kept_if(taken, format!("POST is answered with {status}"))
        })
    });
    examination.judge(Rule::AuthorizeNo307, &mut |examination| {
        let (status, redirects) = by_post(examination)?;
        if !redirects {
            return unseen("POST is not answered with a redirect");
        }
        kept_if(
            ![307, 308].contains(&status),
            format!("POST is redirected with {status}"),
        )
    });
    examination.judge(Rule::AuthorizePromptNone, &mut |examination| {
        examination.needs_openid()?;
        examination.needs_plain_answers()?;
        let mut ask = examination.ask()?;
        ask.params.set("prompt", "none");
        match examination.authorize(&ask)? {
            Reply::Back(_) => Ok(()),
            Reply::ErrorPage(status) => broken(format!("a page of status {status} is shown")),
            Reply::SignIn => broken("a page is shown"),
        }
    });
    examination.judge(Rule::AuthorizeRequestObject, &mut |examination| {
        examination.needs_openid()?;
        examination.needs_plain_answers()?;
        if examination.request_objects_supported {
            return unseen("the server announces that it takes request objects");
        }
        let mut ask = examination.ask()?;
        // {"alg":"none"} and {}
        ask.params.push("request", "eyJhbGciOiJub25lIn0.e30.");
        match examination.authorize(&ask)? {
            Reply::Back(back) if !back.grants() => {
                let error = back.value("error").unwrap_or_default();
                let known = ["request_not_supported", "invalid_request_object"].contains(&error);
                kept_if(known, format!("the error is {error}"))
            }
            Reply::Back(_) => broken("it is ignored"),
            Reply::ErrorPage(status @ ..500) => broken(format!("it is refused by a page of status {status}")),
            reply => refused(&reply),
        }
    });
}

/// Status, and whether it is a redirect, of a POST of a good request.
fn by_post(examination: &mut Examination<'_, '_>) -> Result<(u16, bool), super::verdict::Finding> {
    if !examination.is_openid_provider {
        return unseen("this is about OpenID providers; RFC 6749 §3.1 leaves POST to the server");
    }
    examination.needs_plain_answers()?;
    let ask = examination.ask()?;
    let exchange = examination.authorize_by(Method::Post, &ask, Vec::new())?;
    let status = exchange.status();
    Ok((status, (300..400).contains(&status)))
}

/// Rules about responses that came.
pub(super) fn judge_responses(examination: &mut Examination<'_, '_>) {
    let announced = examination.metadata.authorization_response_iss_parameter_supported;
    let issuer = examination.metadata.issuer.as_ref().map(ToString::to_string);
    let has_iss = |answer: &Answer| {
        if !announced {
            return unseen("the server does not announce iss");
        }
        kept_if(answer.back.value("iss").is_some(), "there is none")
    };
    let mut with_main = |rule: Rule, test: &dyn Fn(&Answer) -> Judgement| {
        examination.judge(rule, &mut |examination| {
            let main = examination.main_login()?;
            if let Some(evidence) = main.answer.evidence.clone() {
                examination.seen(evidence);
            }
            if let Some(how) = main.refusal() {
                return unseen(how);
            }
            test(&main.answer)
        });
    };
    with_main(Rule::AuthorizeState, &same_state);
    with_main(Rule::AuthorizeIss, &has_iss);
    with_main(Rule::AuthorizeQuery, &|answer| {
        kept_if(!answer.back.in_fragment, "it comes in the fragment")
    });
    with_main(
        Rule::AuthorizeIssValue,
        &|answer| match (answer.back.value("iss"), &issuer) {
            (None, _) => unseen("there is no iss"),
            (_, None) => unseen("only endpoints are known, no issuer"),
            (Some(found), Some(issuer)) => kept_if(found == issuer, format!("it is \"{found}\"")),
        },
    );
    for (rule, test) in [
        (
            Rule::AuthorizeStateInError,
            &same_state as &dyn Fn(&Answer) -> Judgement,
        ),
        (Rule::AuthorizeIssInError, &has_iss),
    ] {
        examination.judge(rule, &mut |examination| {
            provoke_error(examination)?;
            match &examination.sign_ins.error_response {
                Some(answer) => test(answer),
                None => unseen("no error response came"),
            }
        });
    }
}

/// Judges how the error responses looked that came meanwhile.
pub(super) fn judge_errors(examination: &mut Examination<'_, '_>) {
    let rule = Rule::AuthorizeErrorCharacters;
    if !examination.wants(rule) || examination.is_stopped() {
        return;
    }
    // Errors that repeat what was sent, also where no other rule was asked for.
    let provoked = provoke_error(examination).and_then(|()| {
        let mut ask = examination.ask()?;
        ask.params.set("scope", MALFORMED_SCOPE);
        examination.authorize(&ask).map(|_| ())
    });
    match (examination.sign_ins.malformed_error.clone(), provoked) {
        (Some((how, evidence)), _) => examination.record(rule, broken(how), Some(evidence)),
        (None, _) if examination.sign_ins.error_response.is_some() => examination.record(rule, Ok(()), None),
        (None, Err(finding)) => examination.record(rule, Err(finding), None),
        (None, Ok(())) => examination.record(rule, unseen("no error response came"), None),
    }
}

fn provoke_error(examination: &mut Examination<'_, '_>) -> Judgement {
    examination.needs_plain_answers()?;
    let changes: [fn(&mut Ask); 2] = [
        |ask| ask.params.set("response_type", "oauth-check"),
        |ask| ask.params.set("prompt", "none"),
    ];
    for change in changes {
        if examination.sign_ins.error_response.is_none() {
            let mut ask = examination.ask()?;
            change(&mut ask);
            examination.authorize(&ask)?;
        }
    }
    Ok(())
}

/// Rules about the randomness of the codes that came.
pub(super) fn judge_entropy(examination: &mut Examination<'_, '_>) {
    for (rule, bits) in [(Rule::AuthorizeCodeEntropy, 128), (Rule::AuthorizeCodeEntropyMore, 160)] {
        examination.judge(rule, &mut |examination| {
            examination.main_login()?;
            if examination.sign_ins.codes.len() < 2 && examination.door() == Some(Door::Open) {
                examination.code("for another code to compare with")?;
            }
            let codes: Vec<_> = examination.sign_ins.codes.iter().collect();
            if codes.is_empty() {
                return unseen("no code came");
            }
            let found = bits_at_most(&codes);
            kept_if(found >= f64::from(bits), format!("they have {found:.0} bits at most"))
        });
    }
}
