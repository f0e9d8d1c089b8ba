//! What an authorization may be asked for, however it is asked: the scopes of
//! the server, and the resources that it issues tokens for.

use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::server::authorization_server::AuthorizationServer;

/// Whether the server has these scopes and issues tokens for these resources.
pub(super) fn check_requested_access(
    server: &AuthorizationServer,
    scope: &Scope,
    resource: &[Resource],
) -> Result<(), RequestError> {
    if let Some(unknown) = server.scopes.first_unknown(scope) {
        let reason = format!("unknown scope \"{unknown}\": there are {}", server.scopes);
        return Err(RequestError::new("invalid_scope", Cited::new(reason, "RFC 6749 §3.3")));
    }
    match server.resources.first_unknown(&[&server.api, &server.mcp], resource) {
        Some(unknown) => {
            let reason = format!("no token is issued for the resource \"{unknown}\"");
            Err(RequestError::new("invalid_target", Cited::new(reason, "RFC 8707 §2")))
        }
        None => Ok(()),
    }
}
