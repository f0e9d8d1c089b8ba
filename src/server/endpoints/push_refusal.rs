//! Why a pushed authorization request is not kept.

use crate::protocol::citation::RequestError;
use crate::server::rejection::Rejection;

pub(super) const CITATION: &str = "RFC 9126 §2.1";

/// A pushed request that is not kept.
pub(super) struct PushRefusal {
    /// The code of the error response.
    pub(super) error: &'static str,
    /// For the log also what was sent and what is registered.
    pub(super) rejection: Rejection,
}

impl From<RequestError> for PushRefusal {
    fn from(error: RequestError) -> Self {
        PushRefusal {
            error: error.error,
            rejection: Rejection::cited(error.cited, CITATION),
        }
    }
}
