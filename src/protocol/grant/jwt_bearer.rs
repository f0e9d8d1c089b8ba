//! The JWT bearer grant (RFC 7523 §2.1): an assertion of an issuer that the
//! server trusts, for an access token.

use super::Fields;
use crate::protocol::citation::RequestError;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::secret::Secret;

/// Its name on the wire.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An assertion, and how much is wanted for it.
#[derive(Debug)]
pub struct JwtBearerGrant {
    pub assertion: Secret,
    /// `None` for what the server gives by default.
    pub scope: Option<Scope>,
}

impl JwtBearerGrant {
    pub(super) fn push_credentials(&self, params: &mut Params) {
        params.push_secret("assertion", &self.assertion);
    }

    pub(super) fn push_details(&self, params: &mut Params) {
        if let Some(scope) = &self.scope {
            params.push("scope", &scope.to_string());
        }
    }

    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, RequestError> {
        Ok(JwtBearerGrant {
            assertion: Secret::from(fields.required("assertion")?),
            scope: fields.scope.clone(),
        })
    }
}
