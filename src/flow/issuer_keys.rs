//! Fetches the keys that an issuer publishes (RFC 7517), to verify what it
//! signed. Where they are is known from a session or from the issuer's
//! metadata, never from the token.

use super::caller::Caller;
use super::discovery::{DiscoveryError, discover_with};
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::http::{HttpRequest, is_unavailable};
use crate::protocol::id_token::{IdTokenSignature, NoProof};
use crate::protocol::jwks::{JwkSet, JwkSetError};
use crate::protocol::metadata::MetadataError;
use crate::trace::Event;
use crate::transport::TransportError;

/// How the keys of an issuer are found.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// By the address that its metadata gave earlier.
    JwksUri(Endpoint),
    Issuer(Issuer, HttpPolicy),
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum IssuerKeysError {
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    #[error(transparent)]
    NoAddress(#[from] MetadataError),
    #[error("the keys at {url} cannot be fetched")]
    Transport {
        /// Where they should be.
        url: String,
        #[source]
        source: TransportError,
    },
    /// An answer that is not a set of keys.
    #[error("{url} answered with status {status}, not with keys")]
    Status {
        /// Where they should be.
        url: String,
        status: u16,
    },
    /// An answer that cannot be read.
    #[error("the keys at {url} cannot be read")]
    Set {
        url: String,
        #[source]
        source: JwkSetError,
    },
}

impl Diagnosis for IssuerKeysError {
    fn exit_code(&self) -> ExitCode {
        match self {
            IssuerKeysError::Discovery(source) => source.exit_code(),
            IssuerKeysError::Transport { source, .. } => source.exit_code(),
            IssuerKeysError::Status { status, .. } if is_unavailable(*status) => ExitCode::Unreachable,
            IssuerKeysError::NoAddress(_) | IssuerKeysError::Status { .. } | IssuerKeysError::Set { .. } => {
                ExitCode::Protocol
            }
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            IssuerKeysError::Discovery(source) => source.hints(),
            IssuerKeysError::Transport { source, .. } => source.hints(),
            _ => Vec::new(),
        }
    }
}

/// The keys of an issuer, as they were when they were fetched, and where they
/// are fetched once more when the issuer has changed them.
#[derive(Debug, Clone)]
pub struct IssuerKeys {
    endpoint: Endpoint,
    set: JwkSet,
}

/// Why a signature is not proven by the keys of its issuer.
#[derive(Debug, thiserror::Error)]
pub enum UnprovenError {
    #[error(transparent)]
    NoProof(#[from] NoProof),
    /// They could not be fetched once more.
    #[error(transparent)]
    Keys(#[from] IssuerKeysError),
}

impl IssuerKeys {
    /// Fetches them.
    ///
    /// # Errors
    /// [`IssuerKeysError`].
    pub async fn fetch(endpoint: Endpoint, caller: &mut Caller<'_>) -> Result<Self, IssuerKeysError> {
        let set = fetch_set(&endpoint, caller).await?;
        Ok(IssuerKeys { endpoint, set })
    }

    /// Finds out where they are, and fetches them.
    ///
    /// # Errors
    /// [`IssuerKeysError`].
    pub async fn find(source: &KeySource, caller: &mut Caller<'_>) -> Result<Self, IssuerKeysError> {
        let endpoint = match source {
            KeySource::JwksUri(endpoint) => endpoint.clone(),
            KeySource::Issuer(issuer, allowance) => {
                let metadata = discover_with("jwks_uri", issuer, *allowance, caller).await;
                metadata.map_err(Box::new)?.required("jwks_uri").cloned()?
            }
        };
        IssuerKeys::fetch(endpoint, caller).await
    }

    /// Where they are.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// As they were when they were fetched.
    pub fn set(&self) -> &JwkSet {
        &self.set
    }

    /// Takes what was fetched later from the same place.
    pub fn replace(&mut self, set: JwkSet) {
        self.set = set;
    }

    /// Verifies an ID token. Where it names a key that is not there, the keys
    /// are fetched once more (OpenID Connect Core §10.1.1). Returns by what it
    /// was signed.
    ///
    /// # Errors
    /// [`UnprovenError`].
    pub async fn verify(&self, signature: &IdTokenSignature, caller: &mut Caller<'_>) -> Result<String, UnprovenError> {
        match signature.verify(&self.set) {
            Err(error) if error.is_unknown_key() => {
                caller.observe(&Event::Decision(&format!("{error}: the keys are fetched once more")));
                let set = fetch_set(&self.endpoint, caller).await?;
                Ok(signature.verify(&set)?)
            }
            verified => Ok(verified?),
        }
    }
}

/// Fetches the keys.
///
/// # Errors
/// [`IssuerKeysError`].
pub async fn issuer_keys(source: &KeySource, caller: &mut Caller<'_>) -> Result<JwkSet, IssuerKeysError> {
    Ok(IssuerKeys::find(source, caller).await?.set)
}

async fn fetch_set(endpoint: &Endpoint, caller: &mut Caller<'_>) -> Result<JwkSet, IssuerKeysError> {
    let url = endpoint.to_string();
    let request = HttpRequest::get(endpoint.url().clone());
    let response = match caller.send(&request).await {
        Ok(response) => response,
        Err(source) => return Err(IssuerKeysError::Transport { url, source }),
    };
    if response.status != 200 {
        let status = response.status;
        return Err(IssuerKeysError::Status { url, status });
    }
    let set = JwkSet::parse(response.body.expose()).map_err(|source| IssuerKeysError::Set { url, source })?;
    for key in set.unusable() {
        let named = key.key_id.as_deref().unwrap_or("without kid");
        caller.observe(&Event::Decision(&format!("key {named} is not used: {}", key.problem)));
    }
    Ok(set)
}
