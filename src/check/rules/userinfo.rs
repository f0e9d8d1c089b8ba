//! What takes the token: the userinfo endpoint (OpenID Connect Core §5.3,
//! RFC 6750).

use super::id_token::claims_of;
use crate::check::context::Check;
use crate::check::exchange::{Exchange, Tokens, header_is};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::protocol::http::Method;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;

type TokenTest = fn(&mut Check<'_, '_>, &Tokens) -> CheckResult;

/// Rules that take a token with `openid`.
const RULES: &[(Rule, TokenTest)] = &[
    (Rule::UserinfoWorks, |check, tokens| {
        let status = check.prober.userinfo(Some(&tokens.access_token))?.status();
        ensure(status == 200, format!("the answer is status {status}"))
    }),
    (Rule::UserinfoPost, |check, tokens| {
        works(check, tokens)?;
        let status = check.prober.userinfo_by_post(&tokens.access_token)?.status();
        ensure(status == 200, format!("the answer is status {status}"))
    }),
    (Rule::UserinfoSubject, |check, tokens| {
        let exchange = works(check, tokens)?;
        let Some(object) = exchange.object() else {
            return inconclusive("the answer is not a JSON object");
        };
        let (found, expected) = (object.get("sub"), claims_of(tokens)?.claims.get("sub").cloned());
        ensure(found.is_some() && found == expected.as_ref(), "it is another one")
    }),
    (Rule::UserinfoNoStore, |check, tokens| {
        let exchange = works(check, tokens)?;
        let found = exchange.header("cache-control").to_ascii_lowercase();
        let private = ["no-store", "private", "no-cache"]
            .iter()
            .any(|word| found.contains(word));
        ensure(private, header_is("Cache-Control", &found))
    }),
    (Rule::UserinfoTokenInQuery, |check, tokens| {
        works(check, tokens)?;
        let endpoint = check.prober.userinfo_endpoint()?;
        let mut params = Params::new();
        params.push_secret("access_token", &tokens.access_token);
        let exchange = check.prober.send_in_url(Method::Get, &endpoint, &params, None)?;
        ensure(exchange.status() != 200, "it is accepted")
    }),
    (Rule::UserinfoIdToken, |check, tokens| {
        works(check, tokens)?;
        let Some(id_token) = &tokens.id_token else {
            return inconclusive("no ID token came");
        };
        let status = check.prober.userinfo(Some(id_token))?.status();
        ensure(status != 200, "it is accepted")
    }),
];

fn works(check: &mut Check<'_, '_>, tokens: &Tokens) -> Result<Exchange, Failure> {
    let exchange = check.prober.userinfo(Some(&tokens.access_token))?;
    match exchange.status() {
        200 => Ok(exchange),
        status => inconclusive(format!("the endpoint does not work: status {status}")),
    }
}

/// Tests the userinfo endpoint.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    for (rule, test) in RULES {
        check.rule(*rule, &mut |check| {
            check.prober.needs_openid()?;
            check.prober.userinfo_endpoint()?;
            let baseline = check.baseline()?;
            let (tokens, _) = baseline.tokens()?;
            test(check, tokens)
        });
    }
    check.rule(Rule::UserinfoNoToken, &mut |check| {
        let (status, challenge) = challenge(check)?;
        if status != 401 {
            return violated(format!("the answer is status {status}"));
        }
        ensure(has_scheme(&challenge), header_is("WWW-Authenticate", &challenge))
    });
    check.rule(Rule::UserinfoNoTokenNoError, &mut |check| {
        let (_, challenge) = challenge(check)?;
        if !has_scheme(&challenge) {
            return inconclusive("there is no challenge");
        }
        ensure(!challenge.contains("error="), header_is("WWW-Authenticate", &challenge))
    });
    check.rule(Rule::UserinfoInvalidToken, &mut |check| {
        let exchange = check.prober.userinfo(Some(&Secret::from(UNKNOWN_TOKEN)))?;
        let status = exchange.status();
        let has_claims = exchange.object().is_some_and(|claims| claims.contains_key("sub"));
        if status == 200 && has_claims {
            let how = "the endpoint accepts any token: it answers one that was never issued with 200 and claims";
            return Err(Failure::MustViolated(how.to_owned()));
        }
        ensure(status == 401, format!("the answer is status {status}"))
    });
}

fn challenge(check: &mut Check<'_, '_>) -> Result<(u16, String), Failure> {
    let exchange = check.prober.userinfo(None)?;
    Ok((exchange.status(), exchange.header("www-authenticate").to_owned()))
}

fn has_scheme(challenge: &str) -> bool {
    let challenge = challenge.to_ascii_lowercase();
    ["bearer", "dpop"].iter().any(|scheme| challenge.starts_with(scheme))
}
