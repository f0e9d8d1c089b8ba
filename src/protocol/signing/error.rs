//! Why a private key cannot be taken, and why one does not sign.

use crate::protocol::json::JsonError;

/// Text that is not a private key that signs. No variant holds a part of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    #[error("it is neither a private key in PEM nor a JWK")]
    NotAKey,
    /// A certificate, a public key.
    #[error("it has \"{0}\" and no private key")]
    OtherPem(String),
    #[error("the private key is encrypted with a passphrase")]
    Encrypted,
    /// The base64 or the DER inside.
    #[error("the private key in PEM is damaged")]
    Malformed,
    #[error("the JWK is not one JSON object: {0}")]
    Json(#[from] JsonError),
    #[error("the {0} of the JWK is missing or not what RFC 7518 §6 and RFC 8037 §2 say")]
    Member(&'static str),
    #[error("it is a set of keys, not one key")]
    KeySet,
    #[error("the JWK has no private part \"d\"")]
    PublicOnly,
    #[error("it is a symmetric key (kty \"oct\"), not a private key")]
    Symmetric,
    /// DSA, X25519, P-521.
    #[error("keys of the type {0} are not supported (RSA, P-256, P-384 and Ed25519 are)")]
    Unsupported(String),
    #[error("the JWK is for another use than to sign (RFC 7517 §4.2, §4.3)")]
    OtherUse,
    #[error("the JWK is for the algorithm {0}, which a key of its type does not have")]
    Algorithm(String),
    /// RFC 7518 §3.3.
    #[error("the RSA key has {0} bits; at least 2048 are needed (RFC 7518 §3.3)")]
    RsaTooSmall(usize),
    #[error("the RSA key has {0} bits; more than 4096 are not supported")]
    RsaTooLarge(usize),
    /// They can be left out (RFC 7518 §6.3.2), but nothing signs without them.
    #[error("the JWK lacks p, q, dp, dq or qi")]
    RsaWithoutPrimes,
    #[error("the private key has no public part")]
    WithoutPublicPart,
    /// Its numbers contradict each other.
    #[error("the parts of the private key do not belong together")]
    Inconsistent,
}

impl SigningKeyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            SigningKeyError::Encrypted => {
                Some("to write it without the passphrase: openssl pkey -in FILE -out NEW_FILE")
            }
            SigningKeyError::OtherPem(_) | SigningKeyError::PublicOnly => {
                Some("use the file with the private key; the server needs the public key")
            }
            SigningKeyError::WithoutPublicPart => {
                Some("to write it with the public part: openssl ec -in FILE -out NEW_FILE")
            }
            SigningKeyError::KeySet => Some("write the one key to use to a file of its own"),
            SigningKeyError::Symmetric => {
                Some("a shared secret is for client_secret_jwt: use --client-secret-file instead")
            }
            SigningKeyError::RsaTooSmall(_)
            | SigningKeyError::RsaTooLarge(_)
            | SigningKeyError::Unsupported(_)
            | SigningKeyError::NotAKey => {
                Some("to make a key: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE")
            }
            _ => None,
        }
    }
}

/// A key did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The header names an algorithm that the key does not have.
    #[error("the key does not sign with {0}")]
    Algorithm(&'static str),
    /// The cryptographic library refused, or the claims are not JSON.
    #[error("the key could not be made or used")]
    Failed,
}
