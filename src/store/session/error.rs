//! Why a record cannot be read.

/// The version of the record that this program writes.
pub const RECORD_VERSION: u64 = 1;

/// A record that cannot be read. It holds no part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Written by a newer program.
    #[error("the record has version {0}, and this program knows versions up to {RECORD_VERSION}")]
    NewerVersion(u64),
    /// Torn, or never a record.
    #[error("invalid session record: parse error at byte {position}")]
    Malformed {
        /// Counted from 1; 0 when it is the record as a whole.
        position: usize,
    },
    /// A member that no request can be made of; a person edited the record, or
    /// another program did.
    #[error("the stored session has an unusable {0}")]
    Unusable(&'static str),
}

impl SessionError {
    /// Whether the record is of no use to any program, so that a login may replace it.
    pub fn is_damage(&self) -> bool {
        !matches!(self, SessionError::NewerVersion(_))
    }
}
