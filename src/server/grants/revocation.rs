//! Revocation (RFC 7009).

use super::grant::Grant;
use super::opaque_token::GrantId;
use super::store::Grants;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::server::moment::Moment;

/// Access tokens of one grant that were revoked one by one, at most; one more ends the grant.
const MAX_REVOKED_ACCESS_TOKENS: usize = 256;

impl Grants {
    /// Revokes one access token (RFC 7009 §2.1).
    pub(crate) fn revoke_access_token(&mut self, now: UnixSeconds, id: GrantId, serial: u64) {
        if let Some(grant) = self.grants.get_mut(now, &id) {
            if grant.revoked_access_tokens.len() == MAX_REVOKED_ACCESS_TOKENS {
                self.grants.remove(now, &id);
            } else if !grant.revoked_access_tokens.contains(&serial) {
                grant.revoked_access_tokens.push(serial);
            }
        }
    }

    /// Revokes a refresh token and with it every token of its grant (RFC 7009
    /// §2.1), except for those that violated rules let live.
    pub(crate) fn revoke_refresh_token(&mut self, moment: &Moment<'_>, token: &Secret) {
        let revokes_refresh_tokens = moment.policy.revokes_refresh_tokens();
        let revokes_access_tokens = moment.policy.revokes_access_tokens_with_refresh_tokens();
        if revokes_refresh_tokens && revokes_access_tokens {
            return self.revoke_grant(moment.now, token);
        }
        let Some((id, _)) = self.find_refresh_token(moment.now, token) else {
            return;
        };
        let Some(grant) = self.grants.get_mut(moment.now, &id) else {
            return;
        };
        if revokes_refresh_tokens {
            grant.revoke_refresh_tokens();
        }
        if revokes_access_tokens {
            grant.revoke_access_tokens();
        }
    }

    /// Ends every grant of a client (RFC 7592 §2.3).
    pub(crate) fn revoke_client(&mut self, now: UnixSeconds, client_id: &str) {
        let is_own = |grant: &Grant| grant.authorization.client_id.as_str() == client_id;
        self.grants.remove_where(now, is_own);
    }

    /// Ends the grant of this refresh token.
    pub(crate) fn revoke_grant(&mut self, now: UnixSeconds, token: &Secret) {
        if let Some((id, _)) = self.find_refresh_token(now, token) {
            self.grants.remove(now, &id);
        }
    }
}
