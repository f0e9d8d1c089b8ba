//! The client credentials grant (RFC 6749 §4.4): the client's own
//! authentication is all that it takes.

use super::Fields;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;

pub(super) const GRANT_TYPE: &str = "client_credentials";

/// What the client wants for itself.
#[derive(Debug)]
pub struct ClientCredentialsGrant {
    /// `None` for what the server gives by default.
    pub scope: Option<Scope>,
}

impl ClientCredentialsGrant {
    pub(super) fn push_details(&self, params: &mut Params) {
        if let Some(scope) = &self.scope {
            params.push("scope", &scope.to_string());
        }
    }

    pub(super) fn parse(fields: &Fields<'_>) -> Self {
        ClientCredentialsGrant {
            scope: fields.scope.clone(),
        }
    }
}
