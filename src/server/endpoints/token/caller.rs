//! What every grant needs of a token request beside the grant itself.

use crate::protocol::client::ClientId;
use crate::protocol::params::Params;
use crate::protocol::resource::Resource;
use crate::server::grants::grant::RequestKey;

/// The client that asks, and what it asks for.
pub(super) struct Caller<'a> {
    /// Authenticated, or admitted without.
    pub(super) client_id: &'a ClientId,
    /// The resource servers that the token is for.
    pub(super) resource: &'a [Resource],
    /// The key that the request proved to hold.
    pub(super) key: RequestKey<'a>,
    /// The form as it was sent.
    pub(super) form: &'a Params,
}
