//! `client_secret_post`: id and secret in the body (RFC 6749 §2.3.1).

use crate::protocol::client_id::ClientId;
use crate::protocol::params::Params;
use crate::secret::Secret;

pub(super) const NAME: &str = "client_secret_post";

pub(super) fn apply(id: &ClientId, secret: &Secret, params: &mut Params) {
    params.push("client_id", id.as_str());
    params.push("client_secret", secret.expose());
}
