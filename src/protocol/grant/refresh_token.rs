//! The refresh token grant (RFC 6749 §6).

use super::Fields;
use crate::protocol::citation::RequestError;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::secret::Secret;

pub const GRANT_TYPE: &str = "refresh_token";

/// A refresh token, and how much of what was granted is wanted.
#[derive(Debug)]
pub struct RefreshTokenGrant {
    /// From an earlier token response.
    pub refresh_token: Secret,
    /// A subset of what was granted; `None` for all of it.
    pub scope: Option<Scope>,
}

impl RefreshTokenGrant {
    pub(super) fn push_credentials(&self, params: &mut Params) {
        params.push("refresh_token", self.refresh_token.expose());
    }

    pub(super) fn push_details(&self, params: &mut Params) {
        if let Some(scope) = &self.scope {
            params.push("scope", &scope.to_string());
        }
    }

    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, RequestError> {
        Ok(RefreshTokenGrant {
            refresh_token: Secret::from(fields.required("refresh_token")?),
            scope: fields.scope.clone(),
        })
    }
}
