//! Token exchange (RFC 8693). Judged with tokens of this examination's own, and
//! only where an exchange of a valid one works.

use crate::check::context::Check;
use crate::check::exchange::{Exchange, Tokens};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive};
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::protocol::abnf::base64url;
use crate::protocol::grant::token_exchange;
use crate::protocol::jose::{UnverifiedJwt, signing_input};
use crate::protocol::params::Params;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Value, json};

/// A rule, and the request that it makes of a valid token.
type RejectedExchange = (Rule, fn(&Secret) -> Result<Params, Failure>);

/// Exchanges that must bring nothing.
const REJECTED: &[RejectedExchange] = &[
    (Rule::ExchangeSubjectTokenType, |token| {
        let mut params = exchange_params(token, &TokenTypeUri::access_token());
        params.remove("subject_token_type");
        Ok(params)
    }),
    (Rule::ExchangeActorTokenType, |token| {
        let mut params = exchange_params(token, &TokenTypeUri::access_token());
        params.push("actor_token_type", TokenTypeUri::access_token().as_str());
        Ok(params)
    }),
    (Rule::ExchangeUnknownToken, |_| {
        let unknown = Secret::from(UNKNOWN_TOKEN);
        Ok(exchange_params(&unknown, &TokenTypeUri::access_token()))
    }),
    (Rule::ExchangeSignature, |token| {
        let changed = with_other_signature(token)?;
        Ok(exchange_params(&changed, &TokenTypeUri::access_token()))
    }),
    (Rule::ExchangeUnsigned, |token| {
        let unsigned = unsigned(token)?;
        Ok(exchange_params(&unsigned, &TokenTypeUri::access_token()))
    }),
];

/// Tests what is exchanged for what.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::ExchangeIssuedTokenType, &mut |check| {
        let exchange = working_exchange(check)?;
        let named = exchange
            .object()
            .and_then(|object| object.get("issued_token_type").cloned());
        let is_named = named
            .as_ref()
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty());
        ensure(is_named, "issued_token_type is missing")
    });
    for (rule, params) in REJECTED {
        check.rule(*rule, &mut |check| {
            let token = exchangeable_token(check)?;
            let exchange = check.prober.token_request(params(&token)?)?;
            check.expect_no_token(&exchange)
        });
    }
    check.rule(Rule::ExchangeErrorCode, &mut |check| {
        exchangeable_token(check)?;
        let unknown = Secret::from(UNKNOWN_TOKEN);
        let params = exchange_params(&unknown, &TokenTypeUri::access_token());
        let exchange = check.prober.token_request(params)?;
        match exchange.has_token() {
            true => inconclusive("an unknown token was not refused (exchange.unknown-token)"),
            false => check.expect_error(&exchange, "invalid_request"),
        }
    });
    check.rule(Rule::ExchangeRevoked, &mut revoked);
    check.rule(Rule::IdJagTokenType, &mut |check| {
        let (exchange, _) = identity_assertion(check, None)?;
        let found = exchange.object().and_then(|object| object.get("token_type").cloned());
        let found = found.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        ensure(found.eq_ignore_ascii_case("N_A"), "it is another one")
    });
}

/// A token that an exchange brought is revoked, and then exchanged itself.
fn revoked(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.revocation_endpoint()?;
    let exchange = working_exchange(check)?;
    let Some(Tokens { access_token, .. }) = exchange.tokens() else {
        return inconclusive("no token came");
    };
    let params = exchange_params(&access_token, &TokenTypeUri::access_token());
    if !check.prober.token_request(params.clone())?.has_token() {
        return inconclusive("a token that came of an exchange is not exchanged again");
    }
    if !check.prober.is_access_token_alive(&access_token)? {
        return inconclusive("the token is not accepted from the start, so nothing shows that its revocation ended it");
    }
    check.prober.revoke_properly(&access_token, "access_token")?;
    if check.prober.is_access_token_alive(&access_token)? {
        return inconclusive("the revocation did not end the token (revocation.access)");
    }
    let exchange = check.prober.token_request(params)?;
    check.expect_no_token(&exchange)
}

/// The access token of the baseline, which the server exchanges.
fn exchangeable_token(check: &mut Check<'_, '_>) -> Result<Secret, Failure> {
    let aside = check.prober.results.put_aside();
    let working = working_exchange(check);
    check.prober.results.take_back(aside);
    working?;
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    Ok(tokens.access_token.clone())
}

/// The exchange of a valid access token for another one.
fn working_exchange(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    needs_grant(check, token_exchange::GRANT_TYPE)?;
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    let params = exchange_params(&tokens.access_token, &TokenTypeUri::access_token());
    let exchange = check.prober.token_request(params)?;
    check.prober.needs_permitted_grant(&exchange, "token exchange")?;
    match exchange.has_token() {
        true => Ok(exchange),
        false => inconclusive(format!(
            "a valid access token is not exchanged for this client: {}",
            exchange.refusal()
        )),
    }
}

/// An identity assertion for this audience, or for the server itself, with the
/// exchange that brought it.
pub(super) fn identity_assertion(
    check: &mut Check<'_, '_>,
    audience: Option<&str>,
) -> Result<(Exchange, Secret), Failure> {
    needs_grant(check, token_exchange::GRANT_TYPE).map_err(|failure| {
        let reason = failure.reason();
        Failure::Inconclusive(format!("the server issues no identity assertion (id-jag): {reason}"))
    })?;
    let own = check.prober.target.metadata.issuer.as_ref().map(ToString::to_string);
    let Some(audience) = audience.map(str::to_owned).or(own) else {
        return inconclusive("the issuer is not known");
    };
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    let Some(id_token) = &tokens.id_token else {
        return inconclusive("no ID token came: add --scope openid");
    };
    let mut params = exchange_params(id_token, &TokenTypeUri::id_token());
    params.push("requested_token_type", TokenTypeUri::id_jag().as_str());
    params.push("audience", &audience);
    let exchange = check.prober.token_request(params)?;
    check.prober.needs_permitted_grant(&exchange, "token exchange")?;
    match exchange.tokens() {
        Some(tokens) => Ok((exchange, tokens.access_token)),
        None => inconclusive("the server issues no identity assertion (id-jag) to this client"),
    }
}

/// `Ok` where the server says that it knows the grant.
pub(super) fn needs_grant(check: &Check<'_, '_>, grant_type: &str) -> CheckResult {
    let listed = check.prober.target.metadata.grant_types_supported.as_ref();
    match listed.is_some_and(|listed| listed.iter().any(|own| own == grant_type)) {
        true => Ok(()),
        false => inconclusive(format!("grant_types_supported does not list {grant_type}")),
    }
}

fn exchange_params(token: &Secret, token_type: &TokenTypeUri) -> Params {
    let mut params = Params::new();
    params.push("grant_type", token_exchange::GRANT_TYPE);
    params.push_secret("subject_token", token);
    params.push("subject_token_type", token_type.as_str());
    params
}

fn decode(token: &Secret) -> Result<UnverifiedJwt, Failure> {
    let decoded = UnverifiedJwt::decode(token.expose());
    decoded.map_err(|_| Failure::Inconclusive("its tokens are not signed JWTs".to_owned()))
}

/// The same token with one bit of its signature changed.
pub(super) fn with_other_signature(token: &Secret) -> Result<Secret, Failure> {
    let mut jwt = decode(token)?;
    if let Some(last) = jwt.signature.last_mut() {
        *last ^= 1;
    }
    Ok(Secret::new(format!(
        "{}.{}",
        jwt.signing_input,
        base64url(&jwt.signature)
    )))
}

/// The same token without a signature.
pub(super) fn unsigned(token: &Secret) -> Result<Secret, Failure> {
    let mut jwt = decode(token)?;
    jwt.header.insert("alg".to_owned(), json!("none"));
    jwt.header.remove("kid");
    let input = signing_input(&Value::Object(jwt.header), &Value::Object(jwt.claims));
    Ok(Secret::new(format!("{input}.")))
}
