//! What a login asked for, whichever message carried it.

use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::state::Nonce;
use crate::store::RequestedAccess;

/// What was asked for, which the answer is checked against and the session remembers.
pub(in crate::flow) struct Requested<'r> {
    pub(in crate::flow) scope: &'r Scope,
    pub(in crate::flow) resource: &'r [Resource],
    pub(in crate::flow) audience: &'r Option<String>,
    /// `None` where the request had none, so that the ID token must have none either.
    pub(in crate::flow) nonce: Option<&'r Nonce>,
    /// Further parameters of the request.
    pub(in crate::flow) extra: &'r [(String, String)],
}

impl Requested<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.extra.iter();
        parameters.find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// How long ago the resource owner may have signed in (OpenID Connect Core §3.1.2.1).
    pub(in crate::flow) fn max_age_s(&self) -> Option<u64> {
        self.parameter("max_age")?.parse().ok()
    }

    /// How the resource owner should sign in (OpenID Connect Core §3.1.2.1).
    pub(in crate::flow) fn acr_values(&self) -> Option<&str> {
        self.parameter("acr_values")
    }
}

impl From<&Requested<'_>> for RequestedAccess {
    fn from(requested: &Requested<'_>) -> Self {
        RequestedAccess {
            scope: requested.scope.clone(),
            resource: requested.resource.to_vec(),
            audience: requested.audience.clone(),
        }
    }
}
