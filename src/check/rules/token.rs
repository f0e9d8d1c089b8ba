//! The token response (RFC 6749 §5.1) and the tokens in it.

use crate::check::baseline_login::BaselineLogin;
use crate::check::context::Check;
use crate::check::entropy::expect_bits;
use crate::check::exchange::{Exchange, header_is};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::foreign_text::Quoted;
use crate::protocol::jose::UnverifiedJwt;
use crate::rules::Rule;
use serde_json::{Map, Value};

const LIFETIME_MAX_S: u64 = 3600;
const TOKEN_BITS_MIN: f64 = 128.0;
const TOKEN_BITS_BETTER: f64 = 160.0;

type ResponseTest = fn(&Exchange, &Map<String, Value>) -> CheckResult;

/// Rules about the token response of the first login.
const RESPONSES: &[(Rule, ResponseTest)] = &[
    (Rule::TokenNoStore, |exchange, _| {
        let found = exchange.header("cache-control").to_ascii_lowercase();
        ensure(found.contains("no-store"), header_is("Cache-Control", &found))
    }),
    (Rule::TokenPragma, |exchange, _| {
        let found = exchange.header("pragma").to_ascii_lowercase();
        ensure(found.contains("no-cache"), header_is("Pragma", &found))
    }),
    (Rule::TokenContentType, |exchange, _| {
        let found = exchange.response.media_type().unwrap_or_default();
        ensure(found == "application/json", format!("it is {}", Quoted::name(&found)))
    }),
    (Rule::TokenType, |_, object| {
        let found = object.get("token_type").and_then(Value::as_str).unwrap_or_default();
        let known = ["bearer", "dpop"].contains(&found.to_ascii_lowercase().as_str());
        ensure(known, format!("it is {}", Quoted::name(found)))
    }),
    (Rule::TokenExpiresIn, |_, object| match object.get("expires_in") {
        None | Some(Value::Null) => violated("it is absent"),
        Some(value) => ensure(value.as_u64().is_some(), "it is not a whole number"),
    }),
    (Rule::TokenLifetime, |_, object| {
        match object.get("expires_in").and_then(Value::as_u64) {
            None => inconclusive("there is no expires_in"),
            Some(seconds) => ensure(seconds <= LIFETIME_MAX_S, format!("they live {seconds} s")),
        }
    }),
];

/// Tests the token response, and the access token in it.
pub(in crate::check) fn run_responses(check: &mut Check<'_, '_>) {
    for (rule, test) in RESPONSES {
        check.rule(*rule, &mut |check| {
            let baseline = check.baseline_tokens()?;
            let (_, exchange) = baseline.tokens()?;
            test(exchange, &exchange.members().unwrap_or_default())
        });
    }
    check.rule(Rule::TokenAudience, &mut |check| {
        let baseline = check.baseline_tokens()?;
        let audience = access_token_claims(&baseline)?.claims.contains_key("aud");
        ensure(audience, "there is no aud")
    });
    check.rule(Rule::TokenResource, &mut |check| {
        let Some(wanted) = check.prober.request.login.authorization.resource.first() else {
            return inconclusive("no resource was asked for: add --resource URI");
        };
        let wanted = wanted.as_str().to_owned();
        let baseline = check.baseline_tokens()?;
        let jwt = access_token_claims(&baseline)?;
        let found = match jwt.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(&wanted)),
            Some(one) => one.as_str() == Some(&wanted),
            None => false,
        };
        ensure(found, format!("aud has no {wanted}"))
    });
    check.rule(Rule::TokenProfile, &mut |check| {
        let baseline = check.baseline_tokens()?;
        let jwt = access_token_claims(&baseline)?;
        let media_type = jwt.header.get("typ").and_then(Value::as_str).unwrap_or_default();
        if !["at+jwt", "application/at+jwt"].contains(&media_type.to_ascii_lowercase().as_str()) {
            return inconclusive("the access token does not say to be of type at+jwt");
        }
        let claims = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
        let missing: Vec<&str> = claims
            .into_iter()
            .filter(|claim| !jwt.claims.contains_key(*claim))
            .collect();
        ensure(missing.is_empty(), format!("it has no {}", missing.join(", ")))
    });
}

fn access_token_claims(baseline: &BaselineLogin) -> Result<UnverifiedJwt, Failure> {
    let (tokens, _) = baseline.tokens()?;
    match secrets::jwt(&tokens.access_token) {
        Ok(jwt) => Ok(jwt),
        Err(_) => inconclusive("the access token cannot be read by a client"),
    }
}

/// Tests the randomness of the tokens that came, at the end of everything.
pub(in crate::check) fn run_entropy(check: &mut Check<'_, '_>) {
    for (rule, bits) in [
        (Rule::TokenEntropy, TOKEN_BITS_MIN),
        (Rule::TokenEntropyMore, TOKEN_BITS_BETTER),
    ] {
        check.rule(rule, &mut |check| {
            check.needs_token_samples()?;
            let samples = &check.prober.observations.access_tokens.values;
            // Nobody guesses a signature.
            match samples.first().map(secrets::jwt) {
                Some(Ok(_)) if rule == Rule::TokenEntropyMore => Ok(()),
                Some(Ok(jwt)) => ensure(
                    jwt.claims.contains_key("jti") || !jwt.signature.is_empty(),
                    "they have neither a signature nor jti",
                ),
                _ => expect_bits(samples, bits),
            }
        });
    }
    for (rule, bits) in [
        (Rule::TokenRefreshEntropy, TOKEN_BITS_MIN),
        (Rule::TokenRefreshEntropyMore, TOKEN_BITS_BETTER),
    ] {
        check.rule(rule, &mut |check| {
            let baseline = check.baseline_tokens()?;
            let (tokens, _) = baseline.tokens()?;
            tokens.needs_refresh_token()?;
            check.needs_token_samples()?;
            expect_bits(&check.prober.observations.refresh_tokens.values, bits)
        });
    }
}
