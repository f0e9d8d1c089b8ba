//! `none`: a public client says its `client_id` (RFC 6749 §3.2.1).

use crate::protocol::client_id::ClientId;
use crate::protocol::params::Params;

pub(super) const NAME: &str = "none";

pub(super) fn apply(id: &ClientId, params: &mut Params) {
    if !id.is_unnamed() {
        params.push("client_id", id.as_str());
    }
}
