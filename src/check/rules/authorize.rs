//! The authorization endpoint (RFC 6749 §3.1, §4.1): what comes back, and what
//! is refused.

use crate::check::authorization_probe::{
    AuthorizationExchange, AuthorizationProbe, expect_refusal, inconclusive_needs_login,
};
use crate::check::context::Check;
use crate::check::entropy::expect_bits;
use crate::check::exchange::Outcome;
use crate::check::logins::ToleranceTest;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::check::token_requests::UNKNOWN_CLIENT;
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::http::Method;
use crate::rules::Rule;

/// With characters that no scope has (RFC 6749 §3.3), and no error either (§4.1.2.1).
const MALFORMED_SCOPE: &str = "oauth\"check\\";

/// Rules by one request each: what is changed in it, and what the reply must be.
type Refusal = (Rule, fn(&mut AuthorizationProbe), fn(&Outcome) -> CheckResult);

const REFUSALS: &[Refusal] = &[
    (
        Rule::AuthorizeResponseTypeUnknown,
        |probe| probe.params.set("response_type", "oauth-check"),
        expect_refusal,
    ),
    (
        Rule::AuthorizeResponseTypeMissing,
        |probe| probe.params.remove("response_type"),
        expect_refusal,
    ),
    (
        Rule::AuthorizeImplicit,
        |probe| probe.params.set("response_type", "token"),
        expect_refusal,
    ),
    (
        Rule::AuthorizeHybrid,
        |probe| probe.params.set("response_type", "code token"),
        expect_refusal,
    ),
    (
        Rule::AuthorizeClientMissing,
        |probe| probe.params.remove("client_id"),
        by_page,
    ),
    (
        Rule::AuthorizeClientUnknown,
        |probe| probe.params.set("client_id", UNKNOWN_CLIENT),
        by_page,
    ),
    (
        Rule::AuthorizeScopeMalformed,
        |probe| probe.params.set("scope", MALFORMED_SCOPE),
        |outcome| match outcome {
            Outcome::Redirect(response) if !response.grants() => is_invalid_scope(response.value("error")),
            Outcome::PushRefused(refusal) if !refusal.is_outage() => is_invalid_scope(Some(refusal.error())),
            Outcome::Error(page) if !page.is_outage() => {
                violated("it is refused by a page, not by a redirect with invalid_scope")
            }
            _ => expect_refusal(outcome),
        },
    ),
    (
        Rule::AuthorizeRepeated,
        |probe| probe.params.push("response_type", "code"),
        expect_refusal,
    ),
    (
        Rule::AuthorizeRepeatedClient,
        |probe| probe.params.push("client_id", UNKNOWN_CLIENT),
        expect_refusal,
    ),
];

/// What must be taken, with what the answer to it must be.
const TOLERANCE: &[ToleranceTest] = &[
    ToleranceTest {
        rule: Rule::AuthorizeUnknownParameter,
        change: |probe| probe.params.push("oauth_check", "unknown"),
        check: granted,
    },
    ToleranceTest {
        rule: Rule::AuthorizeEmptyParameter,
        change: |probe| {
            for name in ["prompt", "response_mode"] {
                if probe.params.all(name).next().is_none() {
                    probe.params.push(name, "");
                }
            }
        },
        check: granted,
    },
    ToleranceTest {
        rule: Rule::AuthorizeStateLong,
        change: |probe| probe.extend_state(&"s".repeat(1024 - 43)),
        check: same_state,
    },
    ToleranceTest {
        rule: Rule::AuthorizeStateCharacters,
        change: |probe| probe.extend_state(&(' '..='~').collect::<String>()),
        check: same_state,
    },
];

fn is_invalid_scope(error: Option<&str>) -> CheckResult {
    let error = error.unwrap_or_default();
    ensure(
        error == "invalid_scope",
        format!("the error is {}", WordOrQuoted(error)),
    )
}

fn by_page(outcome: &Outcome) -> CheckResult {
    match outcome {
        Outcome::Redirect(_) => violated("the browser is sent to the redirect URI"),
        _ => expect_refusal(outcome),
    }
}

fn granted(exchange: &AuthorizationExchange) -> CheckResult {
    ensure(
        exchange.response.grants(),
        format!("it is refused: {}", exchange.response.refusal()),
    )
}

fn same_state(exchange: &AuthorizationExchange) -> CheckResult {
    let came = exchange.response.value("state").unwrap_or_default();
    let same = secrets::is(&exchange.probe.state, came);
    if !same && came.is_empty() {
        granted(exchange)?;
        return violated("no state comes back");
    }
    ensure(same, "another state comes back")
}

fn same_state_in_error(exchange: &AuthorizationExchange) -> CheckResult {
    let came = exchange.response.value("state").unwrap_or_default();
    ensure(!came.is_empty(), "the error has no state")?;
    ensure(secrets::is(&exchange.probe.state, came), "the error has another state")
}

/// Tests that need no signing in.
pub(in crate::check) fn run_refusals(check: &mut Check<'_, '_>) {
    for (rule, change, expect) in REFUSALS {
        check.rule(*rule, &mut |check| {
            check.needs_plain_answers()?;
            let mut probe = check.prober.probe()?;
            change(&mut probe);
            expect(&check.prober.authorize(&probe)?)
        });
    }
    for test in TOLERANCE {
        run_tolerance(check, *test);
    }
    check.rule(Rule::AuthorizeStateAbsent, &mut |check| {
        check.needs_plain_answers()?;
        let mut probe = check.prober.probe()?;
        probe.params.remove("state");
        match check.prober.authorize(&probe)? {
            Outcome::Redirect(response) if response.grants() => {
                ensure(response.value("state").is_none(), "a state comes back")
            }
            Outcome::Page => inconclusive_needs_login(),
            _ => inconclusive("a request without state is refused"),
        }
    });
    check.rule(Rule::AuthorizePost, &mut |check| {
        let (status, _) = by_post(check)?;
        let taken = !matches!(status, 400..500);
        ensure(taken, format!("POST is answered with {status}"))
    });
    check.rule(Rule::AuthorizeNo307, &mut |check| {
        let (status, redirects) = by_post(check)?;
        if !redirects {
            return inconclusive("POST is not answered with a redirect");
        }
        ensure(
            ![307, 308].contains(&status),
            format!("POST is redirected with {status}"),
        )
    });
    check.rule(Rule::AuthorizePromptNone, &mut |check| {
        check.prober.needs_openid()?;
        check.needs_plain_answers()?;
        let mut probe = check.prober.probe()?;
        probe.params.set("prompt", "none");
        match check.prober.authorize(&probe)? {
            Outcome::Redirect(_) => Ok(()),
            Outcome::Error(page) => violated(format!("{page} is shown")),
            Outcome::PushRefused(refusal) => inconclusive(format!("it is refused with {refusal}")),
            Outcome::Page => violated("a page is shown"),
        }
    });
    check.rule(Rule::AuthorizeRequestObject, &mut request_object);
}

/// Something that the server must take. Where it asks to sign in before it
/// looks at the request, a later login takes the test along.
fn run_tolerance(check: &mut Check<'_, '_>, test: ToleranceTest) {
    if !check.prober.wants(test.rule) || check.prober.is_stopped() {
        return;
    }
    check.prober.results.clear_evidence();
    let result = match tolerates(check, test) {
        Ok(()) if check.logins.needs_login() => return check.logins.pending.push(test),
        Ok(()) => inconclusive_needs_login(),
        Err(result) => result,
    };
    let evidence = check.prober.results.evidence();
    check.prober.record(test.rule, result, evidence);
}

/// What a request without a browser shows as an error; `Ok` where the server
/// asks to sign in first.
fn tolerates(check: &mut Check<'_, '_>, test: ToleranceTest) -> Result<(), CheckResult> {
    check.needs_plain_answers().map_err(Err)?;
    let mut probe = check.prober.probe().map_err(Err)?;
    (test.change)(&mut probe);
    match check.prober.authorize(&probe).map_err(Err)? {
        Outcome::Redirect(response) => Err((test.check)(&AuthorizationExchange {
            probe,
            response,
            evidence: None,
        })),
        Outcome::Error(page) if !page.is_outage() => Err(violated(format!("it is refused by {page}"))),
        Outcome::PushRefused(refusal) if !refusal.is_outage() => Err(violated(format!("it is refused with {refusal}"))),
        outcome @ (Outcome::Error(_) | Outcome::PushRefused(_)) => Err(expect_refusal(&outcome)),
        Outcome::Page => Ok(()),
    }
}

fn request_object(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.needs_openid()?;
    check.needs_plain_answers()?;
    if check.prober.target.unsigned_request_objects_supported {
        return inconclusive("the server announces that it accepts unsigned request objects");
    }
    let mut probe = check.prober.probe()?;
    // {"alg":"none"} and {}
    probe.params.push("request", "eyJhbGciOiJub25lIn0.e30.");
    match check.prober.authorize(&probe)? {
        Outcome::Redirect(response) if !response.grants() => {
            is_about_request_object(response.value("error").unwrap_or_default())
        }
        Outcome::PushRefused(refusal) if !refusal.is_outage() => is_about_request_object(refusal.error()),
        Outcome::Redirect(_) => violated("it is ignored"),
        Outcome::Error(page) if !page.is_outage() => violated(format!("it is refused by {page}")),
        outcome => expect_refusal(&outcome),
    }
}

fn is_about_request_object(error: &str) -> CheckResult {
    let known = ["request_not_supported", "invalid_request_object"].contains(&error);
    ensure(known, format!("the error is {}", WordOrQuoted(error)))
}

/// Status, and whether it is a redirect, of a POST of a good request.
fn by_post(check: &mut Check<'_, '_>) -> Result<(u16, bool), Failure> {
    if !check.prober.target.is_openid_provider {
        return inconclusive("this is about OpenID providers; RFC 6749 §3.1 leaves POST to the server");
    }
    check.needs_plain_answers()?;
    let probe = check.prober.probe()?;
    let exchange = check.prober.authorize_by(Method::Post, &probe, Vec::new())?;
    let status = exchange.status();
    Ok((status, (300..400).contains(&status)))
}

type ExchangeTest<'t> = dyn Fn(&AuthorizationExchange) -> CheckResult + 't;

/// Rules about the response of the first login.
pub(in crate::check) fn run_responses(check: &mut Check<'_, '_>) {
    let metadata = &check.prober.target.metadata;
    let announced = metadata.authorization_response_iss_parameter_supported;
    let issuer = metadata.issuer.as_ref().map(ToString::to_string);
    let has_iss = |exchange: &AuthorizationExchange| {
        if !announced {
            return inconclusive("the server does not announce iss");
        }
        ensure(exchange.response.value("iss").is_some(), "there is none")
    };
    let is_issuer = |exchange: &AuthorizationExchange| match (exchange.response.value("iss"), &issuer) {
        (None, _) => inconclusive("there is no iss"),
        (_, None) => inconclusive("only endpoints are known, no issuer"),
        (Some(found), Some(issuer)) => ensure(found == issuer, format!("it is {}", Quoted::name(found))),
    };
    let in_query =
        |exchange: &AuthorizationExchange| ensure(!exchange.response.in_fragment, "it comes in the fragment");
    let tests: [(Rule, &ExchangeTest<'_>); 4] = [
        (Rule::AuthorizeState, &same_state),
        (Rule::AuthorizeIss, &has_iss),
        (Rule::AuthorizeQuery, &in_query),
        (Rule::AuthorizeIssValue, &is_issuer),
    ];
    for (rule, test) in tests {
        check.rule(rule, &mut |check| {
            let baseline = check.baseline()?;
            check.prober.show(baseline.exchange.evidence.clone());
            if let Some(how) = baseline.refusal() {
                return inconclusive(how);
            }
            test(&baseline.exchange)
        });
    }
    let tests: [(Rule, &ExchangeTest<'_>); 2] = [
        (Rule::AuthorizeStateInError, &same_state_in_error),
        (Rule::AuthorizeIssInError, &has_iss),
    ];
    for (rule, test) in tests {
        check.rule(rule, &mut |check| {
            provoke_error(check)?;
            let Some(exchange) = check.prober.observations.error_response.clone() else {
                return inconclusive("no error response came");
            };
            check.prober.show(exchange.evidence.clone());
            test(&exchange)
        });
    }
}

/// Tests how the error responses looked that came.
pub(in crate::check) fn run_errors(check: &mut Check<'_, '_>) {
    let rule = Rule::AuthorizeErrorCharacters;
    if !check.prober.wants(rule) || check.prober.is_stopped() {
        return;
    }
    // Errors that repeat what was sent, also where no other rule was asked for.
    let provoked = provoke_error(check).and_then(|()| {
        let mut probe = check.prober.probe()?;
        probe.params.set("scope", MALFORMED_SCOPE);
        check.prober.authorize_unpushed(&probe).map(|_| ())
    });
    let (result, evidence) = match (check.prober.observations.authorization_errors(), provoked) {
        (Some(found), _) => found,
        (None, Err(failure)) => (Err(failure), None),
        (None, Ok(())) => (inconclusive("no error response came"), None),
    };
    check.prober.record(rule, result, evidence);
}

fn provoke_error(check: &mut Check<'_, '_>) -> CheckResult {
    check.needs_plain_answers()?;
    let changes: [fn(&mut AuthorizationProbe); 2] = [
        |probe| probe.params.set("response_type", "oauth-check"),
        |probe| probe.params.set("prompt", "none"),
    ];
    for change in changes {
        if check.prober.observations.error_response.is_none() {
            let mut probe = check.prober.probe()?;
            change(&mut probe);
            check.prober.authorize_unpushed(&probe)?;
        }
    }
    Ok(())
}

/// Tests the randomness of the codes that came, at the end of everything.
pub(in crate::check) fn run_entropy(check: &mut Check<'_, '_>) {
    for (rule, bits) in [
        (Rule::AuthorizeCodeEntropy, 128.0),
        (Rule::AuthorizeCodeEntropyMore, 160.0),
    ] {
        check.rule(rule, &mut |check| {
            let baseline = check.baseline()?;
            if let Some(how) = baseline.refusal() {
                return inconclusive(how);
            }
            check.needs_code_samples()?;
            expect_bits(&check.prober.observations.codes.values, bits)
        });
    }
}
