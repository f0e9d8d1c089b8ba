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
