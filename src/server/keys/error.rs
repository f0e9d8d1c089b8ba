//! Why a key cannot be made or used.

use crate::protocol::random::RandomnessFailed;

/// A key could not be made, or could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// The cryptographic library refused.
    #[error("the signing key could not be made or used")]
    Failed,
}
