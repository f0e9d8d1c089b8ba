//! JWTs of issuers that this server trusts: its own, and those of
//! `--trust-issuer`, whose keys were fetched before it began to serve.

use super::authorization_server::AuthorizationServer;
use super::moment::Moment;
use super::violations::policy::Policy;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::JwkSet;
use crate::secret::Secret;
use serde_json::Value;

/// How far the clock of an issuer may be ahead.
const MAX_SKEW_S: i64 = 60;

/// What is asked before a signature counts: whether it must match, and whether
/// there must be one.
#[derive(Clone, Copy)]
pub(crate) struct SignaturePolicy {
    pub(crate) must_match: fn(&Policy<'_>) -> bool,
    pub(crate) must_be_there: fn(&Policy<'_>) -> bool,
}

/// The JWT, where an issuer that is trusted signed it and it is valid now.
pub(crate) fn verify(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    token: &Secret,
    signature: SignaturePolicy,
) -> Option<UnverifiedJwt> {
    let jwt = UnverifiedJwt::decode(token.expose()).ok()?;
    let keys = keys_of(server, moment, text(&jwt, "iss")?)?;
    let is_unsigned = jwt.header.get("alg").and_then(Value::as_str) == Some("none");
    let is_proved = match is_unsigned {
        true => !(signature.must_be_there)(moment.policy),
        false => keys.verify(&jwt).is_ok() || !(signature.must_match)(moment.policy),
    };
    (is_proved && is_valid_now(&jwt, moment)).then_some(jwt)
}

/// A claim that is a text.
pub(crate) fn text<'j>(jwt: &'j UnverifiedJwt, name: &str) -> Option<&'j str> {
    jwt.claims.get(name).and_then(Value::as_str)
}

/// Whether `aud` has one of these.
pub(crate) fn is_for(jwt: &UnverifiedJwt, audiences: &[&str]) -> bool {
    match jwt.claims.get("aud") {
        Some(Value::String(one)) => audiences.contains(&one.as_str()),
        Some(Value::Array(several)) => {
            let mut several = several.iter().filter_map(Value::as_str);
            several.any(|one| audiences.contains(&one))
        }
        _ => false,
    }
}

fn is_valid_now(jwt: &UnverifiedJwt, moment: &Moment<'_>) -> bool {
    let seconds = |name: &str| jwt.claims.get(name).and_then(Value::as_i64);
    let latest = moment.now.plus_seconds(MAX_SKEW_S).0;
    seconds("exp").is_some_and(|expires_at| expires_at > moment.now.0)
        && ["nbf", "iat"]
            .iter()
            .all(|name| seconds(name).is_none_or(|from| from <= latest))
}

fn keys_of(server: &AuthorizationServer, moment: &mut Moment<'_>, issuer: &str) -> Option<JwkSet> {
    if issuer == server.issuer.as_str() {
        return JwkSet::parse(server.jwks(moment.randomness).ok()?).ok();
    }
    let trusted = server
        .trusted_issuers
        .iter()
        .find(|trusted| trusted.issuer.as_str() == issuer);
    trusted.map(|trusted| trusted.keys.clone())
}
