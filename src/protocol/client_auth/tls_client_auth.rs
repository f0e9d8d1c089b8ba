//! `tls_client_auth`: the client shows a certificate of an authority that the
//! server trusts (RFC 8705 §2.1). The connection proves it; the request only
//! says whose it is (§2).

use super::TlsIdentity;
use crate::protocol::client_id::ClientId;
use crate::protocol::http::HttpRequest;
use std::sync::Arc;

pub(super) const NAME: &str = "tls_client_auth";

pub(super) fn apply(id: &ClientId, identity: &Arc<TlsIdentity>, request: &mut HttpRequest) {
    request.body.get_or_insert_default().push("client_id", id.as_str());
    request.tls_identity = Some(Arc::clone(identity));
}
