//! `grant_type=refresh_token` (RFC 6749 §6).

use super::caller::Caller;
use crate::protocol::grant::refresh_token::RefreshTokenGrant;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::IssuedTokens;
use crate::server::grants::refresh_token::Refresh;
use crate::server::moment::Moment;
use crate::server::violations::policy::Policy;

/// The tokens for a refresh token.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    grant: &RefreshTokenGrant,
    caller: &Caller<'_>,
) -> Result<IssuedTokens, GrantError> {
    let refresh_token = &grant.refresh_token;
    if moment.policy.refreshes_with_access_tokens()
        && let Some(access_token) = server.access_token(moment.now, refresh_token)
    {
        let mut grants = server.grants();
        return grants.refresh_by_access_token(moment, access_token.grant, caller.client_id);
    }
    let refresh = Refresh {
        client_id: caller.client_id,
        refresh_token,
        scope: grant.scope.as_ref(),
        resource: caller.resource,
        key: caller.key,
        is_concurrent: server.concurrent_use.was_concurrent(refresh_token),
    };
    let issued = server.grants().refresh(moment, &refresh)?;
    Ok(with_subject(moment.policy, issued))
}

/// With an ID token of another subject, where that rule is violated (OpenID Connect Core §12.2).
fn with_subject(policy: &Policy<'_>, mut issued: IssuedTokens) -> IssuedTokens {
    if issued.scope.contains("openid") && !policy.keeps_subject_on_refresh() {
        issued.subject += "-2";
        issued.with_id_token = true;
    }
    issued
}
