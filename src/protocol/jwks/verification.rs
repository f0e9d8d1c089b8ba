//! Whether a key of the set proves a signature (RFC 7515 §5.2).

use super::algorithm::Algorithm;
use super::key::{Jwk, KeyProblem};
use super::set::{JwkSet, UnusableKey};
use crate::foreign_text::Quoted;
use crate::protocol::jose::UnverifiedJwt;
use serde_json::Value;
use std::fmt;

/// Why a signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `none`, an HMAC, or an algorithm that is not spoken here.
    #[error("it is signed with {}, which a published key cannot prove (RFC 8725 §3.1, §3.2)", Quoted::name(.0))]
    Algorithm(String),
    /// RFC 7515 §4.1.11.
    #[error("its header has crit, none of whose extensions is known (RFC 7515 §4.1.11)")]
    Critical,
    /// RFC 7515 §4.1.4.
    #[error("the kid in its header is not a string (RFC 7515 §4.1.4)")]
    KeyIdType,
    /// The issuer has changed its keys, or the token is not from there.
    #[error("the issuer publishes no key for {algorithm}{}", with_key_id(key_id.as_deref()))]
    NoKey {
        /// What the header says.
        algorithm: &'static str,
        /// What the header says.
        key_id: Option<String>,
    },
    /// The key is there, and nothing can be verified with it.
    #[error("the issuer's key{} cannot be used: {problem}", with_key_id(key_id.as_deref()))]
    UnusableKey {
        /// Its `kid`.
        key_id: Option<String>,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// It was changed, or signed by someone else.
    #[error("its signature does not match {}", keys_tried(*keys))]
    Mismatch {
        /// How many keys were tried.
        keys: usize,
    },
}

fn with_key_id(key_id: Option<&str>) -> String {
    key_id
        .map(|key_id| format!(" with kid {}", Quoted::name(key_id)))
        .unwrap_or_default()
}

fn keys_tried(keys: usize) -> String {
    match keys {
        1 => "the issuer's key (RFC 7515 §5.2)".to_owned(),
        keys => format!("any of the issuer's {keys} keys that it may be from (RFC 7515 §5.2)"),
    }
}

/// A signature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedBy<'a> {
    /// `alg`.
    pub algorithm: &'static str,
    /// The `kid` of the key, where it has one.
    pub key_id: Option<&'a str>,
}

impl fmt::Display for VerifiedBy<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.algorithm)?;
        match self.key_id {
            Some(key_id) => write!(formatter, " with key {}", Quoted::name(key_id)),
            None => Ok(()),
        }
    }
}

impl Jwk {
    /// Verifies the signature of a JWS with this key, whatever `kid` the header names.
    ///
    /// # Errors
    /// [`SignatureError`]: then the token proves nothing.
    pub fn verify(&self, jwt: &UnverifiedJwt) -> Result<(), SignatureError> {
        let algorithm = algorithm_of(jwt)?;
        if algorithm.fits(self) && algorithm.verifies(&self.material, jwt.signing_input.as_bytes(), &jwt.signature) {
            return Ok(());
        }
        Err(SignatureError::Mismatch { keys: 1 })
    }
}

/// The algorithm of a header that has no extension which must be understood.
fn algorithm_of(jwt: &UnverifiedJwt) -> Result<Algorithm, SignatureError> {
    let name = jwt.header.get("alg").and_then(Value::as_str).unwrap_or("none");
    let algorithm = Algorithm::named(name).ok_or_else(|| SignatureError::Algorithm(name.to_owned()))?;
    match jwt.header.contains_key("crit") {
        true => Err(SignatureError::Critical),
        false => Ok(algorithm),
    }
}

impl JwkSet {
    /// Verifies the signature of a JWS: every key is tried whose type, `alg`
    /// and, where header and key have one, `kid` fit. `jwk`, `jku`, `x5c` and
    /// `x5u` in the header are not looked at.
    ///
    /// # Errors
    /// [`SignatureError`]: then the token proves nothing.
    pub fn verify(&self, jwt: &UnverifiedJwt) -> Result<VerifiedBy<'_>, SignatureError> {
        let algorithm = algorithm_of(jwt)?;
        let key_id = match jwt.header.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.as_str()),
            Some(_) => return Err(SignatureError::KeyIdType),
        };
        let candidates = || {
            self.keys
                .iter()
                .filter(|key| algorithm.fits(key) && (key_id.is_none() || key.key_id.as_deref() == key_id))
        };
        // A key need not have a name (RFC 7517 §4.5), and then it may be the one that is meant.
        let unnamed = || {
            self.keys
                .iter()
                .filter(|key| algorithm.fits(key) && key_id.is_some() && key.key_id.is_none())
        };
        let message = jwt.signing_input.as_bytes();
        let mut tried = candidates().chain(unnamed());
        if let Some(key) = tried.find(|key| algorithm.verifies(&key.material, message, &jwt.signature)) {
            return Ok(VerifiedBy {
                algorithm: algorithm.name,
                key_id: key.key_id.as_deref(),
            });
        }
        Err(match candidates().count() {
            0 => match self.unusable_key(key_id) {
                Some(key) => SignatureError::UnusableKey {
                    key_id: key.key_id.clone(),
                    problem: key.problem.clone(),
                },
                None => SignatureError::NoKey {
                    algorithm: algorithm.name,
                    key_id: key_id.map(str::to_owned),
                },
            },
            keys => SignatureError::Mismatch { keys },
        })
    }

    /// The unusable key that a token is probably signed with: that of its
    /// `kid`, and where it names none, the first with a fault.
    fn unusable_key(&self, key_id: Option<&str>) -> Option<&UnusableKey> {
        self.unusable.iter().find(|key| match key_id {
            Some(_) => key.key_id.as_deref() == key_id,
            None => key.problem != KeyProblem::OtherUse,
        })
    }
}
