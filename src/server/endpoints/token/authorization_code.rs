//! `grant_type=authorization_code` (RFC 6749 §4.1.3).

use super::caller::Caller;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::grant::authorization_code::AuthorizationCodeGrant;
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
    grant: &AuthorizationCodeGrant,
    caller: &Caller<'_>,
) -> Result<IssuedTokens, GrantError> {
    let details = caller.form.single("authorization_details").ok().flatten();
    let details = details.map(AuthorizationDetails::parse).transpose();
    let details = details.map_err(|_| GrantError::AuthorizationDetails)?;
    let redemption = Redemption {
        client_id: caller.client_id,
        code: grant.code(),
        redirect_uri: grant.redirect_uri(),
        verifier: PresentedVerifier {
            parsed: grant.code_verifier(),
            sent: caller.form.single("code_verifier").ok().flatten(),
        },
        resource: caller.resource,
        authorization_details: details.as_ref(),
        key: caller.key,
        is_concurrent: server.concurrent_use.was_concurrent(grant.code()),
    };
    server.grants().redeem(moment, &redemption)
}
