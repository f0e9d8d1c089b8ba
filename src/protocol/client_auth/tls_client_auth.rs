//! `tls_client_auth`: the client shows a certificate of an authority that the
//! server trusts (RFC 8705 §2.1). The connection proves it; the request only
//! says whose it is (§2).

use crate::protocol::client_id::ClientId;
use crate::protocol::params::Params;

pub(super) const NAME: &str = "tls_client_auth";

pub(super) fn apply(id: &ClientId, params: &mut Params) {
    params.push("client_id", id.as_str());
}
