//! Authorization responses as signed JWTs (JARM §2.1).

use super::authorization_server::AuthorizationServer;
use super::keys::error::KeyError;
use super::moment::Moment;
use super::violations;
use crate::protocol::client::ClientId;
use crate::protocol::params::Params;
use serde_json::{Map, Value, json};

/// JARM §2.1 recommends at most 10 minutes.
const LIFETIME_S: i64 = 600;

/// The one parameter of a response that carries these as claims.
///
/// # Errors
/// [`KeyError`].
pub(crate) fn sign(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    client_id: &ClientId,
    params: &Params,
) -> Result<Params, KeyError> {
    let policy = moment.policy;
    let is_error = params.iter().any(|(name, _)| name == "error");
    if is_error && !policy.signs_errors() {
        return Ok(params.clone());
    }
    let mut claims: Map<String, Value> = params
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(value.expose())))
        .collect();
    claims.insert("aud".to_owned(), json!(client_id.as_str()));
    claims.insert("exp".to_owned(), json!(moment.now.plus_seconds(LIFETIME_S).0));
    violations::signed_response::alter_claims(policy, moment.now, &mut claims);
    let algorithm = server.clients.find(client_id.as_str());
    let algorithm = algorithm.and_then(|client| client.requests.response_algorithm);
    let mut response = match policy.signs_authorization_responses() {
        true => server.keys.sign_response(moment.randomness, algorithm, &claims)?,
        false => server.keys.leave_unsigned(moment.randomness, &claims)?,
    };
    if !policy.signs_authorization_responses_rightly() {
        claims.insert("exp".to_owned(), json!(0));
        let other = server.keys.sign_response(moment.randomness, algorithm, &claims)?;
        response = violations::signed_response::with_signature_of(&response, &other);
    }
    let mut signed = Params::new();
    if !policy.puts_nothing_beside_signed_responses() {
        signed = params.clone();
    }
    signed.push_secret("response", &response);
    Ok(signed)
}
