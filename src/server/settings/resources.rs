//! Resource servers that tokens can be asked for, beside the server's own API.

use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;

/// A resource server of a setup.
#[derive(Debug, Clone)]
pub struct KnownResource {
    pub resource: Resource,
    /// The scopes that are of use there.
    pub scope: Scope,
}

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct KnownResources(Vec<KnownResource>);

impl KnownResources {
    pub(crate) fn new(resources: Vec<KnownResource>) -> Self {
        KnownResources(resources)
    }

    /// The first of these that no token is issued for (RFC 8707 §2). A server
    /// without a list issues tokens for any; its own are always known.
    pub(crate) fn first_unknown<'r>(&self, own: &[&Resource], requested: &'r [Resource]) -> Option<&'r Resource> {
        let is_known =
            |resource: &&Resource| own.contains(resource) || self.0.iter().any(|known| known.resource == **resource);
        let mut requested = requested.iter();
        requested.find(|resource| !self.0.is_empty() && !is_known(resource))
    }
}
