//! The signature of an ID token: by a key that the issuer publishes, or by the
//! client's secret (OpenID Connect Core §3.1.3.7 items 6 to 8).

use crate::foreign_text::Quoted;
use crate::protocol::jose::{JwtError, UnverifiedJwt};
use crate::protocol::jwks::{JwkSet, SignatureError};
use crate::protocol::signing::is_signed_with_secret;
use crate::secret::Secret;
use serde_json::Value;

/// The only algorithm that is taken with a client secret. Longer ones want
/// secrets that servers do not make (RFC 7518 §3.2).
pub(super) const WITH_SECRET: &str = "HS256";

/// An ID token whose signature is still to be verified.
#[derive(Debug)]
pub struct IdTokenSignature {
    jwt: UnverifiedJwt,
}

/// Why the signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    #[error(transparent)]
    Key(#[from] SignatureError),
    /// A key that it may be from is there, and did not sign it.
    #[error(
        "{problem}: its header has alg {}, {}, and the issuer publishes {}",
        Quoted::name(algorithm),
        with_key_id(key_id.as_deref()),
        key_names(published)
    )]
    Mismatch {
        problem: Box<SignatureError>,
        /// What the header says.
        algorithm: String,
        /// What the header says.
        key_id: Option<String>,
        /// The `kid` of each key of the issuer that has one.
        published: Box<[String]>,
    },
    /// HS256 (OpenID Connect Core §10.1).
    #[error("its signature does not match the client secret (RFC 7515 §5.2)")]
    Secret,
    #[error("it is signed with HS256, and this client has no secret")]
    NoSecret,
}

fn with_key_id(key_id: Option<&str>) -> String {
    key_id.map_or_else(|| "no kid".to_owned(), |key_id| format!("kid {}", Quoted::name(key_id)))
}

/// The first of them: a set may have many.
fn key_names(key_ids: &[String]) -> String {
    const SHOWN: usize = 8;
    let names: Vec<String> = key_ids
        .iter()
        .take(SHOWN)
        .map(|id| Quoted::name(id).to_string())
        .collect();
    let more = if key_ids.len() > SHOWN { ", …" } else { "" };
    match names.is_empty() {
        true => "keys without kid".to_owned(),
        false => format!("keys with kid {}{more}", names.join(", ")),
    }
}

impl NoProof {
    /// Whether other keys of the issuer may prove it: it may have changed them
    /// (OpenID Connect Core §10.1.1).
    pub fn is_unknown_key(&self) -> bool {
        matches!(self, NoProof::Key(SignatureError::NoKey { .. }))
    }
}

impl IdTokenSignature {
    /// # Errors
    /// [`JwtError`].
    pub fn decode(id_token: &Secret) -> Result<Self, JwtError> {
        let jwt = UnverifiedJwt::decode(id_token.expose())?;
        Ok(IdTokenSignature { jwt })
    }

    /// Whether the client's secret proves it, and no key of the issuer.
    pub fn is_with_secret(&self) -> bool {
        self.jwt.header.get("alg").and_then(Value::as_str) == Some(WITH_SECRET)
    }

    /// Verifies it with the keys of the issuer. Returns by what it was signed.
    ///
    /// # Errors
    /// [`NoProof`].
    pub fn verify(&self, keys: &JwkSet) -> Result<String, NoProof> {
        keys.verify(&self.jwt)
            .map(|by| by.to_string())
            .map_err(|problem| match problem {
                SignatureError::Mismatch { .. } => self.mismatch(problem, keys),
                problem => NoProof::Key(problem),
            })
    }

    fn mismatch(&self, problem: SignatureError, keys: &JwkSet) -> NoProof {
        let text = |name: &str| self.jwt.header.get(name).and_then(Value::as_str).map(str::to_owned);
        NoProof::Mismatch {
            problem: Box::new(problem),
            algorithm: text("alg").unwrap_or_default(),
            key_id: text("kid"),
            published: keys.keys().iter().filter_map(|key| key.key_id.clone()).collect(),
        }
    }

    /// Verifies it with the client's secret. Returns by what it was signed.
    ///
    /// # Errors
    /// [`NoProof`].
    pub fn verify_with_secret(&self, secret: Option<&Secret>) -> Result<String, NoProof> {
        let secret = secret.ok_or(NoProof::NoSecret)?;
        match self.is_with_secret() && is_signed_with_secret(secret, &self.jwt) {
            true => Ok(format!("{WITH_SECRET} with the client secret")),
            false => Err(NoProof::Secret),
        }
    }
}
