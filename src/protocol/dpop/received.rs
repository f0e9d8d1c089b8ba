//! A DPoP proof as a server received it (RFC 9449 §4.3): taken apart, each
//! check by itself, in the order of the specification.

use crate::protocol::citation::Cited;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::{Jwk, SignatureError};
use crate::protocol::signing::JwtType;
use serde_json::{Map, Value};
use url::Url;

/// The algorithms that a proof may be signed with: `dpop_signing_alg_values_supported`.
pub const PROOF_ALGORITHMS: [&str; 4] = ["ES256", "ES384", "PS256", "EdDSA"];

/// A longer header is not proof.
const MAX_PROOF_BYTES: usize = 8 * 1024;

/// A longer `jti` is not remembered.
const MAX_TOKEN_ID_CHARS: usize = 256;

/// Members of a JWK that are private (RFC 7518 §6.2.2, §6.3.2, §6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/// A proof whose claims are there and have their types; nothing else of it is
/// checked yet.
#[derive(Debug)]
pub struct ReceivedProof {
    jwt: UnverifiedJwt,
    key: Map<String, Value>,
    /// `jti`.
    pub token_id: String,
    /// `htm`.
    pub method: String,
    /// `htu`.
    pub url: String,
    /// `iat`.
    pub issued_at: i64,
    /// `ath`.
    pub access_token_hash: Option<String>,
    pub nonce: Option<String>,
}

fn refused(reason: &'static str) -> Cited {
    Cited::new(reason, "RFC 9449 §4.3")
}

impl ReceivedProof {
    /// Takes the value of the header apart.
    ///
    /// # Errors
    /// Why it is not proof.
    pub fn decode(text: &str) -> Result<Self, Cited> {
        if text.len() > MAX_PROOF_BYTES {
            return Err(refused("the DPoP proof is longer than 8 KiB"));
        }
        let jwt = UnverifiedJwt::decode(text)
            .map_err(|error| Cited::new(format!("the DPoP proof is not a JWT: {error}"), "RFC 9449 §4.3"))?;
        let Some(Value::Object(key)) = jwt.header.get("jwk").cloned() else {
            return Err(refused("the DPoP proof has no jwk in its header"));
        };
        let optional = |name: &str| match jwt.claims.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(refused("a claim of the DPoP proof is not a string")),
        };
        let required = |name: &str, missing: &'static str| {
            let text = optional(name)?.filter(|text| !text.is_empty());
            text.ok_or_else(|| refused(missing))
        };
        let token_id = required("jti", "the DPoP proof has no jti")?;
        if token_id.chars().count() > MAX_TOKEN_ID_CHARS {
            return Err(refused("the jti of the DPoP proof has more than 256 characters"));
        }
        let issued_at = jwt.claims.get("iat").and_then(Value::as_i64);
        Ok(ReceivedProof {
            token_id,
            method: required("htm", "the DPoP proof has no htm")?,
            url: required("htu", "the DPoP proof has no htu")?,
            issued_at: issued_at.ok_or_else(|| refused("the DPoP proof has no iat in whole seconds"))?,
            access_token_hash: optional("ath")?,
            nonce: optional("nonce")?,
            key,
            jwt,
        })
    }

    /// Whether `typ` is that of a proof. RFC 7515 §4.1.9 lets a sender write
    /// `application/` before it, and compares without regard to case.
    pub fn has_proof_type(&self) -> bool {
        let found = self.jwt.header.get("typ").and_then(Value::as_str).unwrap_or_default();
        let found = found.to_ascii_lowercase();
        let found = found.strip_prefix("application/").unwrap_or(&found);
        found == JwtType::DpopProof.as_str()
    }

    /// Whether it is not signed.
    pub fn is_unsigned(&self) -> bool {
        let algorithm = self.jwt.header.get("alg").and_then(Value::as_str);
        algorithm.is_none_or(|algorithm| algorithm.eq_ignore_ascii_case("none"))
    }

    /// Whether the key in its header is a private one.
    pub fn has_private_key(&self) -> bool {
        PRIVATE_MEMBERS.iter().any(|member| self.key.contains_key(*member))
    }

    /// Checks that the key in the header signed it, with an algorithm that is taken.
    ///
    /// # Errors
    /// Why the proof proves nothing.
    pub fn verify_signature(&self) -> Result<(), Cited> {
        let algorithm = self.jwt.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if !PROOF_ALGORITHMS.contains(&algorithm) {
            return Err(refused(
                "the alg of the DPoP proof is not among dpop_signing_alg_values_supported",
            ));
        }
        let verified = self.public_key()?.verify(&self.jwt);
        verified.map_err(|error| match error {
            SignatureError::Mismatch { .. } => {
                refused("the signature of the DPoP proof is not by the key in its header")
            }
            error => Cited::new(format!("the DPoP proof proves nothing: {error}"), "RFC 9449 §4.3"),
        })
    }

    /// Whether it is for a request to this URL, whose query and fragment do not
    /// count (RFC 9449 §4.3).
    pub fn is_for(&self, url: &Url) -> bool {
        Url::parse(&self.url).is_ok_and(|own| super::target_url(&own) == super::target_url(url))
    }

    /// The SHA-256 thumbprint of the key (RFC 7638).
    ///
    /// # Errors
    /// Why the key cannot be used.
    pub fn thumbprint(&self) -> Result<String, Cited> {
        Ok(self.public_key()?.thumbprint())
    }

    fn public_key(&self) -> Result<Jwk, Cited> {
        let mut public = self.key.clone();
        public.retain(|name, _| !PRIVATE_MEMBERS.contains(&name.as_str()));
        Jwk::parse(&Value::Object(public))
            .map_err(|problem| Cited::new(format!("the jwk of the DPoP proof: {problem}"), "RFC 9449 §4.3"))
    }
}
