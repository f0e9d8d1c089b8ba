//! DPoP proofs (RFC 9449 §4): a token for one request alone, by which the
//! sender shows that it holds the private key of its tokens. They are made
//! here; those that a server receives are read in `received`.

pub mod received;
#[cfg(test)]
mod tests;

use super::abnf::{base64url, is_nqchar_text, random_token};
use super::random::{Randomness, RandomnessFailed};
use super::signing::{EncodedHeader, JwsHeader, JwtType, SigningAlgorithm, SigningError, SigningKey, SigningKeyError};
use super::time::UnixSeconds;
use crate::secret::Secret;
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;

/// The header that carries a proof (RFC 9449 §4.1).
pub const PROOF_HEADER: &str = "dpop";

/// The header by which a server hands out its nonce (RFC 9449 §8).
pub const NONCE_HEADER: &str = "dpop-nonce";

/// The scheme of a token that is bound to a key (RFC 9449 §7.1).
pub const SCHEME: &str = "DPoP";

/// The error of a server that wants its nonce in the proof (RFC 9449 §8, §9).
pub const USE_NONCE: &str = "use_dpop_nonce";

/// The error for a proof that does not hold (RFC 9449 §5).
pub const INVALID_PROOF: &str = "invalid_dpop_proof";

/// What every proof of this program is signed with.
pub const PROOF_ALGORITHM: SigningAlgorithm = SigningAlgorithm::Es256;

/// A longer nonce is not sent back.
const MAX_NONCE_BYTES: usize = 1024;

/// The key that the tokens of a session are bound to, and the header of its proofs.
#[derive(Debug, Clone)]
pub struct DpopKey {
    key: SigningKey,
    header: EncodedHeader,
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// What is stored is not a key that signs proofs.
    #[error("the stored DPoP key of the session cannot be used: {0}")]
    Key(#[from] SigningKeyError),
    #[error("the DPoP proof cannot be signed: {0}")]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

/// The request that a proof is for.
#[derive(Debug, Clone, Copy)]
pub struct ProofTarget<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// Where the request goes; query and fragment are not in the proof.
    pub url: &'a Url,
    /// The token that the request carries, at a resource server.
    pub access_token: Option<&'a Secret>,
    /// What the server wants in the proof.
    pub nonce: Option<&'a DpopNonce>,
}

/// A nonce as a server handed it out: `1*NQCHAR` (RFC 9449 §8.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopNonce(String);

impl DpopNonce {
    /// Takes the value of the header; `None` where no proof may carry it.
    pub fn parse(text: &str) -> Option<Self> {
        (is_nqchar_text(text) && text.len() <= MAX_NONCE_BYTES).then(|| DpopNonce(text.to_owned()))
    }

    /// The value of the claim `nonce`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9449 §4.2.
#[derive(Serialize)]
struct Claims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl DpopKey {
    /// Makes a P-256 key.
    ///
    /// # Errors
    /// [`DpopError::Signing`].
    pub fn generate() -> Result<Self, DpopError> {
        DpopKey::new(SigningKey::generate_p256()?)
    }

    /// Reads the key as a session keeps it.
    ///
    /// # Errors
    /// [`DpopError`] for anything but a private P-256 key.
    pub fn from_private_jwk(jwk: &Secret) -> Result<Self, DpopError> {
        DpopKey::new(SigningKey::parse(jwk.expose())?)
    }

    fn new(key: SigningKey) -> Result<Self, DpopError> {
        if !key.algorithms().contains(&PROOF_ALGORITHM) {
            return Err(SigningError::Algorithm(PROOF_ALGORITHM.as_str()).into());
        }
        let header = JwsHeader {
            typ: JwtType::DpopProof,
            alg: PROOF_ALGORITHM,
            kid: None,
            jwk: Some(key.public_jwk()),
            certificate: None,
        };
        let header = header.encode()?;
        Ok(DpopKey { key, header })
    }

    /// The key as a session keeps it.
    pub fn to_private_jwk(&self) -> Secret {
        self.key.to_private_jwk()
    }

    /// The key that signs, for an examination that makes proofs of its own.
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The SHA-256 thumbprint: `dpop_jkt` of an authorization request (RFC
    /// 9449 §10), `jkt` of a token (§6.1).
    pub fn thumbprint(&self) -> String {
        self.key.public_jwk().thumbprint()
    }

    /// Makes a proof, with a `jti` that no other has.
    ///
    /// # Errors
    /// [`DpopError`].
    pub fn proof(
        &self,
        target: &ProofTarget<'_>,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
    ) -> Result<Secret, DpopError> {
        let token_id = random_token(randomness)?;
        let claims = Claims {
            jti: token_id.expose(),
            htm: target.method,
            htu: &target_url(target.url),
            iat: now.0,
            ath: target.access_token.map(access_token_hash),
            nonce: target.nonce.map(DpopNonce::as_str),
        };
        Ok(self.key.sign_jwt(&self.header, &claims)?)
    }
}

/// `htu`: the URL of a request without query and fragment (RFC 9449 §4.2).
pub fn target_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// `ath`: the SHA-256 of the token in base64url (RFC 9449 §4.2).
pub fn access_token_hash(access_token: &Secret) -> String {
    base64url(&Sha256::digest(access_token.expose().as_bytes()))
}
