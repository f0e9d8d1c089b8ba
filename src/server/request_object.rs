//! Signed authorization requests (RFC 9101 §6): the JWT is the request, and
//! nothing beside it counts.

use super::authorization_server::AuthorizationServer;
use super::moment::Moment;
use super::settings::clients::RegisteredClient;
use super::violations::policy::Policy;
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::params::Params;
use crate::protocol::signing::JwtType;
use crate::protocol::time::UnixSeconds;
use serde_json::{Map, Value};

/// A request object is for one request, so it need not live longer.
const MAX_LIFETIME_S: i64 = 3600;

/// How far the clock of a client may be ahead.
const MAX_SKEW_S: i64 = 60;

/// Claims that are about the JWT, not parameters of the request.
const CLAIMS_OF_THE_JWT: [&str; 7] = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"];

/// The parameters of a request that came as an object of this client.
///
/// # Errors
/// The [`RequestError`] `invalid_request_object` (RFC 9101 §7), or
/// `request_not_supported` for a client without keys.
pub(crate) fn open(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    object: &str,
) -> Result<Params, RequestError> {
    let jwt = UnverifiedJwt::decode(object)
        .map_err(|problem| refuse(format!("the request object cannot be read: {problem}"), "RFC 9101 §6.1"))?;
    check_signature(moment.policy, client, &jwt)?;
    check_claims(server, moment, client, &jwt.claims)?;
    parameters(moment.policy, &jwt.claims)
}

fn refuse(reason: impl Into<String>, section: &'static str) -> RequestError {
    let reason: String = reason.into();
    RequestError::new("invalid_request_object", Cited::new(reason, section))
}

fn check_signature(policy: &Policy<'_>, client: &RegisteredClient, jwt: &UnverifiedJwt) -> Result<(), RequestError> {
    let text = |name: &str| jwt.header.get(name).and_then(Value::as_str);
    let is_unsigned = text("alg").is_none_or(|algorithm| algorithm == "none");
    if is_unsigned && !policy.rejects_unsigned_request_objects() {
        return Ok(());
    }
    let own = JwtType::AuthorizationRequest.as_str();
    let is_request_type = |typ: &str| [own, "JWT"].iter().any(|known| typ.eq_ignore_ascii_case(known));
    if !text("typ").is_none_or(is_request_type) && policy.rejects_other_jwts_as_request_objects() {
        return Err(refuse(
            "the typ of the request object is of another kind of JWT",
            "RFC 9101 §10.8",
        ));
    }
    let Some(keys) = &client.requests.keys else {
        return Err(refuse(
            "the client has no keys to verify a request object with",
            "RFC 9101 §6.2",
        ));
    };
    if let Some(registered) = &client.requests.object_algorithm
        && text("alg") != Some(registered)
    {
        let reason = format!("the request object is not signed with {registered}, which is registered");
        return Err(refuse(reason, "RFC 9101 §10.5"));
    }
    match keys.verify(jwt) {
        Err(problem) if is_unsigned || policy.verifies_request_objects() => Err(refuse(
            format!("the request object does not hold: {problem}"),
            "RFC 9101 §6.2",
        )),
        _ => Ok(()),
    }
}

fn check_claims(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    claims: &Map<String, Value>,
) -> Result<(), RequestError> {
    let (policy, now) = (moment.policy, moment.now);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let own = client.id.as_str();
    if text("client_id") != Some(own) && policy.compares_clients_of_request_objects() {
        return Err(refuse(
            "client_id in the request object is not that of the request",
            "RFC 9101 §5",
        ));
    }
    if text("iss") != Some(own) && policy.rejects_request_objects_by_others() {
        return Err(refuse("the iss of the request object is not the client", "RFC 9101 §4"));
    }
    if !is_for(claims.get("aud"), server.issuer.as_str()) && policy.rejects_request_objects_for_others() {
        return Err(refuse("the aud of the request object is not the issuer", "RFC 9101 §4"));
    }
    let expires_at = claims.get("exp").and_then(Value::as_i64).map(UnixSeconds);
    match expires_at {
        None => {
            return Err(refuse(
                "the request object has no exp",
                "FAPI 2.0 Message Signing §5.3.1",
            ));
        }
        Some(expires_at) if expires_at <= now && policy.rejects_expired_request_objects() => {
            return Err(refuse("the request object has expired", "RFC 7519 §4.1.4"));
        }
        Some(expires_at) if expires_at > now.plus_seconds(MAX_LIFETIME_S) => {
            return Err(refuse(
                "the request object is good for more than an hour",
                "FAPI 2.0 Message Signing §5.3.1",
            ));
        }
        Some(_) => {}
    }
    let from_future = |name: &str| {
        let from = claims.get(name).and_then(Value::as_i64);
        from.is_some_and(|from| from > now.plus_seconds(MAX_SKEW_S).0)
    };
    match from_future("nbf") || from_future("iat") {
        true => Err(refuse("the request object is from the future", "RFC 7519 §4.1.5")),
        false => Ok(()),
    }
}

fn is_for(audience: Option<&Value>, issuer: &str) -> bool {
    match audience {
        Some(Value::String(audience)) => audience == issuer,
        Some(Value::Array(list)) => list.iter().any(|audience| audience.as_str() == Some(issuer)),
        _ => false,
    }
}

/// The claims as parameters: a list of strings stands for one that repeats,
/// everything else that is not a string for its JSON.
fn parameters(policy: &Policy<'_>, claims: &Map<String, Value>) -> Result<Params, RequestError> {
    let mut params = Params::new();
    for (name, value) in claims {
        if CLAIMS_OF_THE_JWT.contains(&name.as_str()) {
            continue;
        }
        if ["request", "request_uri"].contains(&name.as_str()) {
            if policy.rejects_nested_request_objects() {
                return Err(refuse(
                    "there is a request object within the request object",
                    "RFC 9101 §4",
                ));
            }
            continue;
        }
        match value {
            Value::Null => {}
            Value::String(text) => params.push(name, text),
            Value::Array(list) if name == "resource" => {
                for text in list.iter().filter_map(Value::as_str) {
                    params.push(name, text);
                }
            }
            other => params.push(name, &other.to_string()),
        }
    }
    Ok(params)
}
