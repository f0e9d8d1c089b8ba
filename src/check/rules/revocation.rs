//! Revocation (RFC 7009).

use crate::check::context::Check;
use crate::check::exchange::{Exchange, Tokens};
use crate::check::report::{CheckResult, Evidence, Failure, ensure, inconclusive};
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::foreign_text::WordOrQuoted;
use crate::output::counted::counted;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::http::Method;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::Event;

/// Sessions that are revoked at the end, at most.
const MAX_LEFT: usize = 64;

/// Errors of a client that may not revoke at all.
const CLIENT_ERRORS: [&str; 3] = ["invalid_client", "unauthorized_client", "access_denied"];

type SessionTest = fn(&mut Check<'_, '_>, &mut Tokens) -> CheckResult;

/// Tests of one session.
const OF_ONE_SESSION: [(Rule, SessionTest); 4] = [
    (Rule::RevocationPostOnly, by_get),
    (Rule::RevocationClient, by_unknown_client),
    (Rule::RevocationClientAuthentication, without_authentication),
    (Rule::RevocationHint, by_wrong_hint),
];

/// Tests revocation.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::RevocationUnknown, &mut |check| {
        let client = check.prober.client.clone();
        let exchange = check.prober.revoke(&Secret::from(UNKNOWN_TOKEN), None, &client)?;
        may_revoke(&exchange)?;
        let status = exchange.status();
        ensure(status == 200, format!("the answer is status {status}"))
    });
    check.rule(Rule::RevocationMissing, &mut |check| {
        let url = check.prober.revocation_endpoint()?.url().clone();
        let client = check.prober.client.clone();
        let request = check.prober.message(url, Params::new(), &client)?;
        let exchange = check.prober.send(request)?;
        may_revoke(&exchange)?;
        let status = exchange.status();
        match exchange.error() {
            Some(error) => ensure(
                error == "invalid_request",
                format!("the error is {}", WordOrQuoted(&error)),
            ),
            None => ensure(false, format!("the answer is status {status} without an error")),
        }
    });
    let mut tokens = None;
    for (rule, test) in OF_ONE_SESSION {
        check.rule(rule, &mut |check| {
            let tokens = match &mut tokens {
                Some(tokens) => tokens,
                none => none.insert(begin(check)),
            };
            match tokens {
                Ok(tokens) => test(check, tokens),
                Err(failure) => Err(failure.clone()),
            }
        });
    }
    revoked_session(check);
    check.rule(Rule::RevocationAccess, &mut access_token);
}

/// `Ok` where the answer is not about the client: some may not revoke at all.
fn may_revoke(exchange: &Exchange) -> CheckResult {
    let status = exchange.status();
    let error = exchange.error().unwrap_or_default();
    if [401, 403].contains(&status) || CLIENT_ERRORS.contains(&&*error) {
        return inconclusive(format!("the client may not revoke: status {status} {error}").trim_end());
    }
    if exchange.is_outage() {
        return inconclusive(format!("the server failed with status {status}"));
    }
    Ok(())
}

/// What is dead after the refresh token was revoked.
fn revoked_session(check: &mut Check<'_, '_>) {
    let mut revoked: Option<Result<(Tokens, Option<Evidence>), Failure>> = None;
    let tests: [(Rule, SessionTest); 2] = [
        (Rule::RevocationCascade, |check, tokens| {
            let lives = check.prober.is_access_token_alive(&tokens.access_token)?;
            ensure(!lives, "the access token still works")
        }),
        (Rule::RevocationRefresh, |check, tokens| {
            let lives = check.prober.refresh(tokens.needs_refresh_token()?)?.is_some();
            ensure(!lives, "it still works")
        }),
    ];
    for (rule, test) in tests {
        check.rule(rule, &mut |check| {
            let revoked = match &mut revoked {
                Some(revoked) => revoked,
                none => none.insert(revoke_new_session(check)),
            };
            let (tokens, evidence) = revoked.as_mut().map_err(|failure| failure.clone())?;
            check.prober.results.begin_sequence();
            if let Some(evidence) = evidence.clone() {
                check.prober.results.add_evidence(evidence);
            }
            test(check, tokens)
        });
    }
}

fn revoke_new_session(check: &mut Check<'_, '_>) -> Result<(Tokens, Option<Evidence>), Failure> {
    let tokens = begin(check)?;
    check
        .prober
        .revoke_properly(tokens.needs_refresh_token()?, "refresh_token")?;
    Ok((tokens, check.prober.results.evidence()))
}

fn access_token(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.revocation_endpoint()?;
    check.needs_working_login()?;
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    let mut tokens = tokens.clone();
    if !check.prober.is_access_token_alive(&tokens.access_token)? {
        tokens = check.session("for an access token that is revoked")?;
    }
    check.prober.results.begin_sequence();
    if !check.prober.is_access_token_alive(&tokens.access_token)? {
        return inconclusive("the access token is not taken before, either");
    }
    check.prober.revoke_properly(&tokens.access_token, "access_token")?;
    let lives = check.prober.is_access_token_alive(&tokens.access_token)?;
    ensure(!lives, "it still works")
}

fn begin(check: &mut Check<'_, '_>) -> Result<Tokens, Failure> {
    check.prober.revocation_endpoint()?;
    check.needs_working_login()?;
    check.needs_working_refresh()?;
    let tokens = check.session("for a session that is revoked")?;
    tokens.needs_refresh_token()?;
    Ok(tokens)
}

/// Refreshes to see whether the session lives; it goes on with the new tokens.
fn lives_on(check: &mut Check<'_, '_>, tokens: &mut Tokens) -> Result<bool, Failure> {
    let refreshed = check.prober.refresh(&tokens.needs_refresh_token()?.clone())?;
    let Some(refreshed) = refreshed else { return Ok(false) };
    if refreshed.refresh_token.is_some() {
        tokens.refresh_token = refreshed.refresh_token;
    }
    tokens.access_token = refreshed.access_token;
    Ok(true)
}

fn by_get(check: &mut Check<'_, '_>, tokens: &mut Tokens) -> CheckResult {
    let endpoint = check.prober.revocation_endpoint()?;
    let mut params = Params::new();
    params.push_secret("token", tokens.needs_refresh_token()?);
    let header = check.prober.authenticate_in_query(endpoint.url(), &mut params)?;
    check.prober.note_disruptive();
    check.prober.results.begin_sequence();
    check.prober.send_in_url(Method::Get, &endpoint, &params, header)?;
    expect_alive(check, tokens)
}

fn by_unknown_client(check: &mut Check<'_, '_>, tokens: &mut Tokens) -> CheckResult {
    let client = check.prober.unknown_client();
    by_another(check, tokens, &client)
}

fn without_authentication(check: &mut Check<'_, '_>, tokens: &mut Tokens) -> CheckResult {
    check.prober.needs_confidential_client()?;
    let client = check.prober.client_with(ClientAuthentication::None);
    by_another(check, tokens, &client)
}

/// Revokes as a client that may not.
fn by_another(check: &mut Check<'_, '_>, tokens: &mut Tokens, client: &Client) -> CheckResult {
    let refresh_token = tokens.needs_refresh_token()?.clone();
    check.prober.results.begin_sequence();
    check.prober.revoke(&refresh_token, None, client)?;
    expect_alive(check, tokens)
}

/// The session must live on; where it does not, the next test gets a new one.
fn expect_alive(check: &mut Check<'_, '_>, tokens: &mut Tokens) -> CheckResult {
    let lives = lives_on(check, tokens)?;
    if !lives {
        let aside = check.prober.results.put_aside();
        if let Ok(new) = begin(check) {
            *tokens = new;
        }
        check.prober.results.take_back(aside);
    }
    ensure(lives, "the refresh token no longer works after it")
}

fn by_wrong_hint(check: &mut Check<'_, '_>, tokens: &mut Tokens) -> CheckResult {
    let refresh_token = tokens.needs_refresh_token()?.clone();
    check.prober.results.begin_sequence();
    check.prober.revoke_properly(&refresh_token, "access_token")?;
    let lives = lives_on(check, tokens)?;
    ensure(
        !lives,
        "the refresh token still works after a revocation that called it an access token",
    )
}

/// Revokes every token that came and may be alive, and warns about what stays.
pub(in crate::check) fn revoke_left(check: &mut Check<'_, '_>) {
    let prober = &mut check.prober;
    if prober.interrupted.is_some() {
        return;
    }
    let left = std::mem::take(&mut prober.observations.left);
    let client = prober.client.clone();
    let is_announced = prober.target.metadata.revocation_endpoint.is_some();
    let mut stay = left.len();
    if is_announced {
        for tokens in left.iter().rev().take(MAX_LEFT) {
            let token = tokens.refresh_token.as_ref().unwrap_or(&tokens.access_token);
            let is_revoked = prober
                .revoke(token, None, &client)
                .is_ok_and(|exchange| exchange.status() == 200);
            stay -= usize::from(is_revoked);
        }
    }
    if stay > 0 {
        let why = match is_announced {
            true => "the server did not revoke them",
            false => "the server announces no revocation endpoint",
        };
        let responses = counted(stay, "response");
        prober.world.caller.observe(&Event::Warning(&format!(
            "the tokens of {responses} of this check are not revoked, and will expire: {why}"
        )));
    }
}
