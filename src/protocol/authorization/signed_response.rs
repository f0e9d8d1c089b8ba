//! Authorization responses as signed JWTs (JWT Secured Authorization Response
//! Mode, JARM §2.4): nothing in one is believed before it holds.

use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{Endpoint, Issuer};
use crate::protocol::id_token::{CLOCK_SKEW_S, numeric_date};
use crate::protocol::jose::{JwtError, UnverifiedJwt};
use crate::protocol::jwks::{JwkSet, SignatureError};
use crate::protocol::params::{Params, Repeated};
use crate::protocol::signing::is_signed_with_secret;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use serde_json::{Map, Value};

/// Claims that are about the JWT, not parameters of the response.
const CLAIMS_OF_THE_JWT: [&str; 5] = ["aud", "exp", "iat", "jti", "nbf"];

/// What signed responses are checked against.
#[derive(Debug, Clone)]
pub struct SignedResponseVerifier {
    pub issuer: Issuer,
    pub client_id: String,
    /// The keys that the issuer publishes.
    pub keys: JwkSet,
    /// Where they are fetched once more; `None` where they are not, or were.
    pub keys_endpoint: Option<Endpoint>,
    /// What an HMAC proves that it comes from the issuer.
    pub client_secret: Option<Secret>,
}

/// Why a response is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnprovenResponse {
    #[error("it has no response parameter, and only a signed response was asked for (JARM §2.3)")]
    NotSigned,
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("its response parameter cannot be read: {0}")]
    Jwt(#[from] JwtError),
    /// JARM §2.4 item 3.
    #[error("it is from {}, not from the server that was asked (JARM §2.4)", Quoted::name(.0))]
    Issuer(String),
    /// JARM §2.4 item 4.
    #[error("it is not for this client: its aud is {} (JARM §2.4)", Quoted::name(.0))]
    Audience(String),
    /// JARM §2.4 item 5.
    #[error("it has no exp (JARM §2.1)")]
    NoExpiry,
    #[error("it expired {0} s ago (JARM §2.4)")]
    Expired(i64),
    /// JARM §2.4 item 6.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// An HMAC of someone else, or of a client without a secret.
    #[error("it is signed with an HMAC that the client secret does not prove (RFC 8725 §3.2)")]
    Hmac,
}

impl UnprovenResponse {
    /// The kind of the problem in words of this program alone: anyone can have
    /// written the response.
    pub fn summary(&self) -> &'static str {
        match self {
            UnprovenResponse::NotSigned => "it is not signed",
            UnprovenResponse::Repeated(_) => "its response parameter is given twice",
            UnprovenResponse::Jwt(_) => "its response parameter is not a signed JWT",
            UnprovenResponse::Issuer(_) => "it is from another server",
            UnprovenResponse::Audience(_) => "it is for another client",
            UnprovenResponse::NoExpiry => "it has no exp",
            UnprovenResponse::Expired(_) => "it has expired, or the clock of this machine is off",
            UnprovenResponse::Signature(SignatureError::NoKey { .. }) => {
                "the server publishes no key that it is signed with"
            }
            UnprovenResponse::Signature(_) | UnprovenResponse::Hmac => "its signature does not hold",
        }
    }
}

impl SignedResponseVerifier {
    /// The parameters of a response that holds.
    ///
    /// # Errors
    /// [`UnprovenResponse`].
    pub fn open(&self, params: &Params, now: UnixSeconds) -> Result<Params, UnprovenResponse> {
        let text = params.single("response")?.ok_or(UnprovenResponse::NotSigned)?;
        let jwt = UnverifiedJwt::decode_with_repeated_claims(text)?;
        self.check_signature(&jwt)?;
        self.check_claims(&jwt.claims, now)?;
        Ok(parameters(&jwt.claims))
    }

    /// The parameters of a response that holds but for its key, which is not
    /// there. They are not proven.
    pub(super) fn claimed_with_unknown_key(&self, params: &Params, now: UnixSeconds) -> Option<Params> {
        let jwt = UnverifiedJwt::decode_with_repeated_claims(params.single("response").ok()??).ok()?;
        let is_unknown = matches!(
            self.check_signature(&jwt),
            Err(UnprovenResponse::Signature(SignatureError::NoKey { .. }))
        );
        (is_unknown && self.check_claims(&jwt.claims, now).is_ok()).then(|| parameters(&jwt.claims))
    }

    fn check_signature(&self, jwt: &UnverifiedJwt) -> Result<(), UnprovenResponse> {
        let algorithm = jwt.header.get("alg").and_then(Value::as_str).unwrap_or("none");
        if !algorithm.starts_with("HS") {
            self.keys.verify(jwt)?;
            return Ok(());
        }
        if jwt.header.contains_key("crit") {
            return Err(SignatureError::Critical.into());
        }
        let secret = self.client_secret.as_ref();
        match secret.is_some_and(|secret| is_signed_with_secret(secret, jwt)) {
            true => Ok(()),
            false => Err(UnprovenResponse::Hmac),
        }
    }

    fn check_claims(&self, claims: &Map<String, Value>, now: UnixSeconds) -> Result<(), UnprovenResponse> {
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        if issuer != self.issuer.as_str() {
            return Err(UnprovenResponse::Issuer(issuer.to_owned()));
        }
        let audience = claims.get("aud").unwrap_or(&Value::Null);
        let is_ours = match audience {
            Value::String(audience) => *audience == self.client_id,
            Value::Array(list) => list.len() == 1 && list[0].as_str() == Some(&self.client_id),
            _ => false,
        };
        if !is_ours {
            return Err(UnprovenResponse::Audience(audience.to_string()));
        }
        let expires_at = claims.get("exp").and_then(numeric_date);
        let expired_for_s = now.seconds_since(expires_at.ok_or(UnprovenResponse::NoExpiry)?);
        match expired_for_s > CLOCK_SKEW_S {
            true => Err(UnprovenResponse::Expired(expired_for_s)),
            false => Ok(()),
        }
    }
}

/// The claims that are parameters (JARM §2.1).
fn parameters(claims: &Map<String, Value>) -> Params {
    let mut params = Params::new();
    let of_response = claims
        .iter()
        .filter(|(name, _)| !CLAIMS_OF_THE_JWT.contains(&name.as_str()));
    for (name, value) in of_response {
        match value {
            Value::Null => {}
            Value::String(text) => params.push(name, text),
            other => params.push(name, &other.to_string()),
        }
    }
    params
}

#[cfg(test)]
pub(super) mod tests;
