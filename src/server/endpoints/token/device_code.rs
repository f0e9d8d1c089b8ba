//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4).

use super::caller::Caller;
use crate::protocol::grant::device_code::DeviceCodeGrant;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::device_code::DeviceRedemption;
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::IssuedTokens;
use crate::server::grants::pending_device::DeviceDecision;
use crate::server::moment::Moment;
use crate::server::settings::Approval;

/// The tokens for a device code, once a user has allowed it. Where no user is
/// asked, that is done as soon as the device has asked for the first time, so
/// that it sees what every device sees first.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    grant: &DeviceCodeGrant,
    caller: &Caller<'_>,
) -> Result<IssuedTokens, GrantError> {
    let redemption = DeviceRedemption {
        client_id: caller.client_id,
        device_code: &grant.device_code,
        code_verifier: grant.code_verifier.as_ref(),
        resource: caller.resource,
        key: caller.key,
    };
    let mut grants = server.grants();
    let issued = grants.redeem_device_code(moment, &redemption);
    if matches!(issued, Err(GrantError::AuthorizationPending)) {
        let user = server.first_user(moment.now);
        match server.approval {
            Approval::Ask => {}
            Approval::Auto => grants.decide_unasked(moment.now, &grant.device_code, |request| {
                DeviceDecision::Allowed(Box::new(
                    request.authorization(&server.users.subject(&user.user), user.auth_time),
                ))
            }),
            Approval::Deny => grants.decide_unasked(moment.now, &grant.device_code, |_| DeviceDecision::Denied),
        }
    }
    issued
}
