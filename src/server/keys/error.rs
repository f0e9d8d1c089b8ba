//! Why a key cannot be made or used.

use crate::protocol::random::RandomnessFailed;
use crate::protocol::signing::{SigningError, SigningKeyError};

/// A key could not be made, or could not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The key that was made cannot be read.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// The cryptographic library refused.
    #[error("the signing key could not be made")]
    Failed,
}
