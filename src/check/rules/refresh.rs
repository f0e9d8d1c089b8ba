//! Refresh tokens (RFC 6749 §6; RFC 9700 §2.2.2, §4.14).

use super::mtls::client_with_other_certificate;
use crate::check::context::Check;
use crate::check::exchange::{Exchange, Tokens};
use crate::check::report::{CheckResult, Evidence, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::check::services::{active, introspected_scope};
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::protocol::client::ClientAuthentication;
use crate::protocol::scope::Scope;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Map, Value};
use std::time::Duration;

/// Servers count time in whole seconds: what they write into a token, and what
/// they compare, is another value only in another second. No signal of the
/// server says when its second turns, so more than one passes.
const SETTLE_DELAY: Duration = Duration::from_millis(1100);

/// Scopes of OpenID Connect Core §5.4 with a claim that each brings.
const CLAIMS_OF_SCOPES: [(&str, &str); 4] = [
    ("email", "email"),
    ("phone", "phone_number"),
    ("address", "address"),
    ("profile", "name"),
];

/// A session in the course of its refreshes.
struct RefreshSequence {
    first: Tokens,
    /// `None` where the refresh did not work.
    second: Option<Tokens>,
    /// The refresh that brought the second tokens.
    evidence: Option<Evidence>,
}

impl RefreshSequence {
    fn spent(&self) -> Result<&Secret, Failure> {
        self.first.needs_refresh_token()
    }

    /// The refresh token that the server holds valid.
    fn live(&self) -> Result<&Secret, Failure> {
        match &self.second {
            None => inconclusive("no refresh works (refresh.works)"),
            Some(second) => match &second.refresh_token {
                Some(refresh_token) => Ok(refresh_token),
                None => self.spent(),
            },
        }
    }

    fn is_rotated(&self) -> Result<bool, Failure> {
        Ok(!secrets::same(self.live()?, self.spent()?))
    }

    fn live_access_token(&self) -> &Secret {
        let tokens = self.second.as_ref().unwrap_or(&self.first);
        &tokens.access_token
    }

    /// The session goes on with what a test got by its live refresh token.
    fn go_on_with(&mut self, new: Tokens) {
        if let Some(second) = &mut self.second {
            second.refresh_token = new.refresh_token.or(second.refresh_token.take());
        }
    }
}

type SequenceTest = fn(&mut Check<'_, '_>, &mut RefreshSequence) -> CheckResult;

/// Tests of one session, in an order in which none spoils the next.
const OF_ONE_SESSION: [(Rule, SequenceTest); 10] = [
    (Rule::RefreshWorks, |check, sequence| {
        check.prober.show(sequence.evidence.clone());
        ensure(sequence.second.is_some(), "the refresh is refused")
    }),
    (Rule::RefreshRotation, |check, sequence| {
        check.prober.needs_public_client()?;
        check.prober.show(sequence.evidence.clone());
        ensure(sequence.is_rotated()?, "the refresh token stays the same")
    }),
    (Rule::RefreshSubject, |check, sequence| {
        check.prober.show(sequence.evidence.clone());
        same_subject(sequence)
    }),
    (Rule::RefreshClient, |check, sequence| {
        let (params, client) = (
            check.prober.refresh_params(sequence.live()?),
            check.prober.unknown_client(),
        );
        let exchange = check.prober.token_request_as(params, &client)?;
        check.expect_no_token(&exchange)
    }),
    (Rule::RefreshAccessToken, |check, sequence| {
        sequence.live()?;
        let params = check.prober.refresh_params(sequence.live_access_token());
        let exchange = check.prober.token_request(params)?;
        check.expect_no_token(&exchange)
    }),
    (Rule::RefreshScope, more_scope),
    (Rule::RefreshClientAuthentication, |check, sequence| {
        check.prober.needs_confidential_client()?;
        let public = check.prober.client_with(ClientAuthentication::None);
        let params = check.prober.refresh_params(sequence.live()?);
        let exchange = check.prober.token_request_as(params, &public)?;
        if let Some(new) = exchange.tokens() {
            sequence.go_on_with(new);
        }
        check.expect_no_token(&exchange)
    }),
    (Rule::MtlsRefresh, |check, sequence| {
        let other = client_with_other_certificate(&check.prober)?;
        let params = check.prober.refresh_params(sequence.live()?);
        let exchange = check.prober.token_request_as(params, &other)?;
        if let Some(new) = exchange.tokens() {
            sequence.go_on_with(new);
        }
        check.expect_no_token(&exchange)
    }),
    (Rule::RefreshReuse, |check, sequence| {
        check.prober.needs_public_client()?;
        let refusal = spend_again(check, sequence)?;
        check.expect_no_token(&refusal)
    }),
    (Rule::RefreshReuseRevokes, |check, sequence| {
        check.prober.needs_public_client()?;
        let refusal = spend_again(check, sequence)?;
        if check.expect_no_token(&refusal).is_err() {
            return inconclusive("no reuse is noticed (refresh.reuse)");
        }
        let live = sequence.live()?.clone();
        let lives = check.prober.refresh(&live)?.is_some();
        ensure(!lives, "the newest refresh token still works")
    }),
];

/// Tests refreshes.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::RefreshUnknown, &mut unknown);
    let mut sequence = None;
    for (rule, test) in OF_ONE_SESSION {
        check.rule(rule, &mut |check| {
            let sequence = match &mut sequence {
                Some(sequence) => sequence,
                none => none.insert(begin(check)),
            };
            match sequence {
                Ok(sequence) => test(check, sequence),
                Err(failure) => Err(failure.clone()),
            }
        });
    }
    check.rule(Rule::RefreshParallel, &mut parallel);
}

fn unknown(check: &mut Check<'_, '_>) -> CheckResult {
    let params = check.prober.refresh_params(&Secret::from(UNKNOWN_TOKEN));
    let exchange = check.prober.token_request(params)?;
    if exchange.error().as_deref() != Some("unauthorized_client") {
        return check.expect_error(&exchange, "invalid_grant");
    }
    // That is right where the client may not refresh at all (RFC 6749 §5.2).
    let aside = check.prober.results.put_aside();
    let baseline = check.baseline();
    check.prober.results.take_back(aside);
    let baseline = baseline?;
    let (tokens, _) = baseline.tokens()?;
    ensure(
        tokens.refresh_token.is_none(),
        "the error is unauthorized_client, but the client gets refresh tokens",
    )
}

fn begin(check: &mut Check<'_, '_>) -> Result<RefreshSequence, Failure> {
    check.needs_working_login()?;
    let first = check.session("for a session that is refreshed")?;
    let refresh_token = first.needs_refresh_token()?.clone();
    check.prober.results.begin_sequence();
    let mut second = check.prober.refresh(&refresh_token)?;
    let next = second.as_ref().and_then(|second| second.refresh_token.clone());
    if let Some(next) = next
        && secrets::same(&next, &refresh_token)
        && secrets::jwt(&next).is_ok()
    {
        // In the same second a server that signs its refresh tokens writes the same one again.
        check.prober.pause(SETTLE_DELAY)?;
        second = check.prober.refresh(&next)?;
    }
    Ok(RefreshSequence {
        first,
        second,
        evidence: check.prober.results.evidence(),
    })
}

/// Presents the spent refresh token once more. Where it is taken at once, the
/// next one is spent and tried a little later: a server may count time in
/// seconds, or spare clients that refresh twice at the same moment, which is
/// another rule.
fn spend_again(check: &mut Check<'_, '_>, sequence: &mut RefreshSequence) -> Result<Exchange, Failure> {
    if !sequence.is_rotated()? {
        return inconclusive("refresh tokens are not rotated");
    }
    check.prober.show(None);
    check.prober.results.begin_sequence();
    if let Some(evidence) = sequence.evidence.clone() {
        check.prober.results.add_evidence(evidence);
    }
    check.prober.note_disruptive();
    let params = check.prober.refresh_params(sequence.spent()?);
    let exchange = check.prober.token_request(params)?;
    let Some(Tokens {
        refresh_token: Some(next),
        ..
    }) = exchange.tokens()
    else {
        return Ok(exchange);
    };
    // Time passes before and after it is spent: some servers compare when it
    // was issued with the last refresh.
    check.prober.pause(SETTLE_DELAY)?;
    if check.prober.refresh(&next)?.is_none() {
        return Ok(exchange);
    }
    check.prober.pause(SETTLE_DELAY)?;
    let params = check.prober.refresh_params(&next);
    check.prober.token_request(params)
}

/// Asks for more than was granted. Where that is granted without the surplus,
/// the session goes on with the new tokens.
fn more_scope(check: &mut Check<'_, '_>, sequence: &mut RefreshSequence) -> CheckResult {
    let refresh_token = sequence.live()?.clone();
    let granted = sequence.first.scope.clone();
    let granted = granted.unwrap_or_else(|| check.prober.request.login.authorization.scope.to_string());
    let granted = Scope::received(&granted);
    let supported = check.prober.target.metadata.scopes_supported.clone();
    let supported = supported.unwrap_or_default();
    let more = supported.iter().find(|scope| !granted.contains(scope));
    let more = more.map_or("oauth-check", String::as_str).to_owned();
    let mut params = check.prober.refresh_params(&refresh_token);
    params.set("scope", format!("{granted} {more}").trim());
    check.prober.results.begin_sequence();
    let exchange = check.prober.token_request(params)?;
    let Some(new) = exchange.tokens() else {
        return check.expect_no_token(&exchange);
    };
    let before = sequence.live_access_token().clone();
    sequence.go_on_with(new.clone());
    let has_more = match &new.scope {
        Some(scope) => Some(Scope::received(scope).contains(&more)),
        None => has_scope(check, &new.access_token, &before, &more),
    };
    match has_more {
        Some(has_more) => ensure(!has_more, format!("{more} is granted, which was not before")),
        // Absent means that all was granted that was asked for (RFC 6749 §5.1).
        None => inconclusive(format!(
            "the answer names no scope, which means that {more} is granted; whether it is cannot be seen"
        )),
    }
}

/// Whether an access token has this scope, where a client can see it: in the
/// token itself, by introspection, or by a claim that the one before did not bring.
fn has_scope(check: &mut Check<'_, '_>, token: &Secret, before: &Secret, scope: &str) -> Option<bool> {
    if let Ok(jwt) = secrets::jwt(token)
        && let Some(scopes) = jwt.claims.get("scope").or_else(|| jwt.claims.get("scp"))
    {
        return Some(match scopes {
            Value::Array(several) => several.iter().any(|one| one.as_str() == Some(scope)),
            one => Scope::received(one.as_str().unwrap_or_default()).contains(scope),
        });
    }
    if check.prober.target.metadata.introspection_endpoint.is_some() {
        let client = check.prober.client.clone();
        let exchange = check.prober.introspect(token, Some(&client)).ok()?;
        if active(&exchange) == Some(true)
            && let Some(scopes) = introspected_scope(&exchange)
        {
            return Some(Scope::received(&scopes).contains(scope));
        }
    }
    let (_, claim) = CLAIMS_OF_SCOPES.iter().find(|(known, _)| *known == scope)?;
    let mut claims = |token: &Secret| {
        let exchange = check.prober.userinfo(Some(token)).ok()?;
        exchange.object().filter(|_| exchange.status() == 200)
    };
    let has_claim = claims(token)?.contains_key(*claim);
    if !has_claim {
        return Some(false);
    }
    let had_claim = claims(before)?.contains_key(*claim);
    (!had_claim).then_some(true)
}

fn same_subject(sequence: &RefreshSequence) -> CheckResult {
    let (Some(first), Some(second)) = (
        &sequence.first.id_token,
        sequence.second.as_ref().and_then(|second| second.id_token.as_ref()),
    ) else {
        return inconclusive("no ID token came with the refresh");
    };
    let claims = |token: &Secret| secrets::jwt(token).map(|jwt| jwt.claims);
    let (Ok(first), Ok(second)) = (claims(first), claims(second)) else {
        return inconclusive("an ID token cannot be read");
    };
    let differs = |name: &&str| Map::get(&first, *name) != Map::get(&second, *name);
    match ["sub", "iss", "aud"].iter().find(|name| differs(name)) {
        Some(name) => violated(format!("{name} is another one")),
        None => Ok(()),
    }
}

fn parallel(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.needs_public_client()?;
    check.needs_working_login()?;
    let tokens = check.session("for a refresh token that is used several times at once")?;
    let refresh_token = tokens.needs_refresh_token()?;
    let params = check.prober.refresh_params(refresh_token);
    let client = check.prober.client.clone();
    let request = check.prober.token_message(params, &client)?;
    let exchanges = check.prober.send_simultaneously(&request)?;
    for exchange in &exchanges {
        check.prober.note_token_answer(exchange);
    }
    let new: Vec<Tokens> = exchanges.iter().filter_map(Exchange::tokens).collect();
    let worked = secrets::distinct(new.iter().map(|new| new.access_token.clone()));
    let is_rotated = new.iter().any(|new| {
        let next = new.refresh_token.as_ref();
        next.is_some_and(|next| !secrets::same(next, refresh_token))
    });
    if worked > 0 && !is_rotated {
        return inconclusive("refresh tokens are not rotated");
    }
    match worked {
        0 => inconclusive("it did not work even once"),
        1 => Ok(()),
        _ => violated(format!("it worked {worked} times")),
    }
}
