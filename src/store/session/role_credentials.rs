//! Keys of AWS roles that were assumed with the session's ID token.

use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;

/// Which role, how and where it was assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleIdentity {
    pub role_arn: String,
    pub session_name: String,
    pub duration_s: u32,
    /// The URL of the STS.
    pub endpoint: String,
}

/// The keys of a role.
#[derive(Debug, Clone)]
pub struct RoleCredentials {
    pub identity: RoleIdentity,
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Secret,
    pub expires_at: UnixSeconds,
}
