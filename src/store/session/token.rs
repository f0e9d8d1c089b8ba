//! An access token as it is kept.

use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_response::NOT_APPLICABLE;
use crate::secret::Secret;

/// One access token.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// What it was asked for; empty when nothing was named.
    pub resource: Vec<Resource>,
    /// What was granted, as the server wrote it; `None` when it did not say.
    pub scope: Option<Scope>,
    /// What it was narrowed to; empty for all that was granted.
    pub narrowed_to: Scope,
    pub access_token: Secret,
    /// As the server wrote it, such as `Bearer`.
    pub token_type: String,
    /// What kind of token it is, where it came of an exchange (RFC 8693 §2.2.1).
    pub issued_token_type: Option<String>,
    /// When it expires; `None` when the server did not say.
    pub expires_at: Option<UnixSeconds>,
    /// When it was received.
    pub issued_at: Option<UnixSeconds>,
}

impl StoredToken {
    /// Whether it is not an access token, so that no API takes it (RFC 8693 §2.2.1).
    pub fn is_no_access_token(&self) -> bool {
        self.token_type.eq_ignore_ascii_case(NOT_APPLICABLE)
    }
}
