//! The authorization request as a signed JWT (RFC 9101): its parameters are
//! claims, and no one between client and server can change them.

use super::request::AuthorizationRequest;
use crate::protocol::abnf::random_token;
use crate::protocol::client::{AuthenticationContext, ClientAuthenticationError, ClientId};
use crate::protocol::params::Params;
use crate::protocol::signing::{JwsHeader, JwtType, SigningAlgorithm, SigningKey};
use crate::secret::Secret;
use serde_json::{Map, Value, json};

/// A person may take some minutes to open the URL that holds it; FAPI 2.0
/// Message Signing §5.3.1 allows an hour.
const LIFETIME_S: i64 = 600;

/// Parameters whose values are JSON, not text (RFC 9101 §4, RFC 9396 §3,
/// OpenID Connect Core §6.1).
const JSON_PARAMETERS: [&str; 3] = ["authorization_details", "claims", "max_age"];

/// What request objects are signed with, and their audience.
#[derive(Debug, Clone)]
pub struct RequestObjectSigner {
    pub key: SigningKey,
    pub algorithm: SigningAlgorithm,
    /// `aud`: the issuer (RFC 9101 §4).
    pub audience: String,
}

impl RequestObjectSigner {
    /// Signs a request.
    ///
    /// # Errors
    /// [`ClientAuthenticationError`].
    pub fn sign(
        &self,
        request: &AuthorizationRequest,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<Secret, ClientAuthenticationError> {
        self.sign_params(&request.params(), &request.client_id, context)
    }

    /// Signs a request that is known by its parameters.
    ///
    /// # Errors
    /// [`ClientAuthenticationError`].
    pub fn sign_params(
        &self,
        params: &Params,
        client_id: &ClientId,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<Secret, ClientAuthenticationError> {
        let claims = request_claims(params, client_id, &self.audience, context)?;
        let header = JwsHeader {
            typ: JwtType::AuthorizationRequest,
            alg: self.algorithm,
            kid: Some(&self.key.key_id()),
            jwk: None,
            certificate: None,
        };
        Ok(self.key.sign_jwt(&header.encode()?, &claims)?)
    }
}

/// The claims of an object with these parameters.
///
/// # Errors
/// [`ClientAuthenticationError`].
pub fn request_claims(
    params: &Params,
    client_id: &ClientId,
    audience: &str,
    context: &mut AuthenticationContext<'_>,
) -> Result<Map<String, Value>, ClientAuthenticationError> {
    let unique_id = random_token(context.randomness)?;
    let mut claims = claims(params);
    for (name, value) in [
        ("iss", json!(client_id.as_str())),
        ("aud", json!(audience)),
        ("jti", json!(unique_id.expose())),
        ("iat", json!(context.now.0)),
        ("nbf", json!(context.now.0)),
        ("exp", json!(context.now.plus_seconds(LIFETIME_S).0)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    Ok(claims)
}

/// The request as it is then carried (RFC 9101 §5): nothing is beside the
/// object but the client.
pub fn params_with_object(client_id: &ClientId, object: &Secret) -> Params {
    let mut params = Params::new();
    params.push("client_id", client_id.as_str());
    params.push_secret("request", object);
    params
}

/// The parameters as claims: one that repeats is a list.
fn claims(params: &Params) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, value) in params.iter() {
        let value = claim(name, value.expose());
        match claims.get_mut(name) {
            None => {
                claims.insert(name.to_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    claims
}

fn claim(name: &str, text: &str) -> Value {
    let parsed = JSON_PARAMETERS.contains(&name).then(|| serde_json::from_str(text).ok());
    parsed.flatten().unwrap_or_else(|| json!(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_claims_and_those_that_repeat_are_lists() {
        let mut params = Params::new();
        for (name, value) in [
            ("response_type", "code"),
            ("resource", "https://a.example"),
            ("resource", "https://b.example"),
            ("max_age", "300"),
            ("claims", r#"{"id_token":{"acr":null}}"#),
            ("state", "300"),
            ("resource", "https://c.example"),
        ] {
            params.push(name, value);
        }
        assert_eq!(
            Value::Object(claims(&params)),
            json!({
                "response_type": "code",
                "resource": ["https://a.example", "https://b.example", "https://c.example"],
                "max_age": 300,
                "claims": {"id_token": {"acr": null}},
                "state": "300",
            })
        );
    }
}
