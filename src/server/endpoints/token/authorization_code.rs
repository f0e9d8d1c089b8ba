//! `grant_type=authorization_code` (RFC 6749 §4.1.3).

use crate::protocol::client::ClientId;
use crate::protocol::resource::Resource;
use crate::secret::Secret;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::authorization_code::Redemption;
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::IssuedTokens;
use crate::server::grants::pkce::PresentedVerifier;
use crate::server::moment::Moment;

/// The tokens for a code.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    client_id: &ClientId,
    (code, redirect_uri, verifier): (&Secret, Option<&str>, PresentedVerifier<'_>),
    resource: &[Resource],
) -> Result<IssuedTokens, GrantError> {
    let redemption = Redemption {
        client_id,
        code,
        redirect_uri,
        verifier,
        resource,
        is_concurrent: server.concurrent_use.was_concurrent(code),
    };
    server.grants().redeem(moment, &redemption)
}
