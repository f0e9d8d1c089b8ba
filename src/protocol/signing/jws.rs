//! Signed tokens as they are written: the compact serialization of RFC 7515 §3.1.

use super::algorithm::{HmacAlgorithm, SigningAlgorithm};
use super::error::SigningError;
use super::public_jwk::PublicJwk;
use crate::protocol::abnf::base64url;
use crate::protocol::certificate::CertificateThumbprints;
use crate::protocol::jose::UnverifiedJwt;
use crate::secret::Secret;
use ring::hmac;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What a token is for: the `typ` of its header, so that no kind of token can
/// be taken for another (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtType {
    /// Whatever has no type of its own, such as an ID token.
    Jwt,
    /// RFC 9068 §2.1.
    AccessToken,
    /// draft-ietf-oauth-rfc7523bis §4.
    ClientAuthentication,
    /// RFC 9449 §4.2.
    DpopProof,
    /// draft-ietf-oauth-identity-assertion-authz-grant §3.
    IdentityAssertion,
    /// RFC 9101 §10.8.
    AuthorizationRequest,
}

impl JwtType {
    /// The value of `typ`.
    pub fn as_str(self) -> &'static str {
        match self {
            JwtType::Jwt => "JWT",
            JwtType::AccessToken => "at+jwt",
            JwtType::ClientAuthentication => "client-authentication+jwt",
            JwtType::DpopProof => "dpop+jwt",
            JwtType::IdentityAssertion => "oauth-id-jag+jwt",
            JwtType::AuthorizationRequest => "oauth-authz-req+jwt",
        }
    }
}

impl Serialize for JwtType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The header of a token that a private key signs (RFC 7515 §4.1).
#[derive(Debug, Clone, Copy, Serialize)]
pub struct JwsHeader<'a> {
    pub typ: JwtType,
    pub alg: SigningAlgorithm,
    /// Which key of the sender's signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<&'a str>,
    /// The public key itself, as DPoP proofs carry it (RFC 9449 §4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwk: Option<&'a PublicJwk>,
    /// The certificate of the key (RFC 7515 §4.1.7, §4.1.8).
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<&'a CertificateThumbprints>,
}

impl Serialize for SigningAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A header in base64url, to be written once for many tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedHeader {
    pub(super) algorithm: SigningAlgorithm,
    text: String,
}

impl EncodedHeader {
    /// The first segment of every token with this header.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl JwsHeader<'_> {
    /// The header as tokens begin with it.
    ///
    /// # Errors
    /// [`SigningError::Failed`].
    pub fn encode(&self) -> Result<EncodedHeader, SigningError> {
        Ok(EncodedHeader {
            algorithm: self.alg,
            text: segment(self)?,
        })
    }
}

/// A token that is signed with a shared secret (RFC 7518 §3.2), for
/// `client_secret_jwt`: its header has `typ` and `alg` alone.
///
/// # Errors
/// [`SigningError::Failed`] where the claims are not JSON.
pub fn sign_with_secret(
    secret: &Secret,
    typ: JwtType,
    algorithm: HmacAlgorithm,
    claims: &impl Serialize,
) -> Result<Secret, SigningError> {
    #[derive(Serialize)]
    struct Header {
        typ: JwtType,
        alg: &'static str,
    }
    let header = Header {
        typ,
        alg: algorithm.as_str(),
    };
    let input = signing_input(&segment(&header)?, claims)?;
    let algorithm = match algorithm {
        HmacAlgorithm::Hs256 => hmac::HMAC_SHA256,
        HmacAlgorithm::Hs384 => hmac::HMAC_SHA384,
        HmacAlgorithm::Hs512 => hmac::HMAC_SHA512,
    };
    let key = hmac::Key::new(algorithm, secret.expose().as_bytes());
    let signature = hmac::sign(&key, input.as_bytes());
    Ok(with_signature(input, signature.as_ref()))
}

/// Whether a token is signed with this secret, by any algorithm of shared
/// secrets (RFC 7518 §3.2); in constant time.
pub fn is_signed_with_secret(secret: &Secret, jwt: &UnverifiedJwt) -> bool {
    let algorithm = match jwt.header.get("alg").and_then(Value::as_str) {
        Some("HS256") => hmac::HMAC_SHA256,
        Some("HS384") => hmac::HMAC_SHA384,
        Some("HS512") => hmac::HMAC_SHA512,
        _ => return false,
    };
    let key = hmac::Key::new(algorithm, secret.expose().as_bytes());
    hmac::verify(&key, jwt.signing_input.as_bytes(), &jwt.signature).is_ok()
}

/// The text that the signature covers (RFC 7515 §5.1).
pub(super) fn signing_input(header: &str, claims: &impl Serialize) -> Result<String, SigningError> {
    Ok(format!("{header}.{}", segment(claims)?))
}

pub(super) fn with_signature(mut input: String, signature: &[u8]) -> Secret {
    input.push('.');
    input.push_str(&base64url(signature));
    Secret::new(input)
}

fn segment(value: &impl Serialize) -> Result<String, SigningError> {
    let json = serde_json::to_vec(value).map_err(|_| SigningError::Failed)?;
    Ok(base64url(&json))
}
