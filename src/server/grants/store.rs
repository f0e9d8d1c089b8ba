//! All codes and grants, and how they are found.

use super::error::GrantError;
use super::grant::{Authorization, BoundCode, Grant, IssuedTokens, RefreshToken, TokenAnswer};
use super::opaque_token::{FAMILY_BYTES, GrantId, Hash, Presented, draw_token};
use super::pending_device::PendingDevice;
use super::user_code::UserCode;
use crate::protocol::client::ClientId;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::server::expiring_map::ExpiringMap;
use crate::server::moment::Moment;
use std::fmt;
use zeroize::Zeroize;

/// Codes that wait to be redeemed, at most.
const MAX_CODES: usize = 1_000;
/// Devices that wait, at most.
const MAX_DEVICES: usize = 1_000;
/// Grants with tokens, at most.
const MAX_GRANTS: usize = 10_000;

/// Lifetimes and rotation, in whole seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) code_s: i64,
    pub(crate) access_token_s: i64,
    pub(crate) refresh_token_s: i64,
    pub(crate) refresh_grace_s: i64,
    pub(crate) rotate: bool,
}

pub(super) struct IssuedCode {
    pub(super) code: BoundCode,
    pub(super) authorization: Authorization,
}

/// What a refresh token stands for, to those who may know (RFC 7662 §2.2).
#[derive(Debug)]
pub(crate) struct LiveRefreshToken {
    pub(crate) client_id: ClientId,
    pub(crate) subject: String,
    pub(crate) scope: Scope,
    pub(crate) expires_at: UnixSeconds,
}

/// What is to be said of a refresh token of a living grant.
pub(super) enum Standing {
    /// It may be used; its place in the list.
    Live(usize),
    Expired,
    /// It was used before, or never issued to someone who knows the family.
    Spent,
}

/// All codes and grants.
pub(crate) struct Grants {
    pub(super) lifetimes: Lifetimes,
    pub(super) codes: ExpiringMap<GrantId, IssuedCode>,
    pub(super) devices: ExpiringMap<GrantId, PendingDevice>,
    /// Which device waits for which code.
    pub(super) user_codes: ExpiringMap<UserCode, GrantId>,
    pub(super) grants: ExpiringMap<GrantId, Grant>,
}

impl fmt::Debug for Grants {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Grants")
    }
}

impl Grants {
    pub(crate) fn new(lifetimes: Lifetimes) -> Self {
        Grants {
            lifetimes,
            codes: ExpiringMap::new(MAX_CODES),
            devices: ExpiringMap::new(MAX_DEVICES),
            user_codes: ExpiringMap::new(MAX_DEVICES),
            grants: ExpiringMap::new(MAX_GRANTS),
        }
    }

    /// A grant and its first tokens.
    pub(super) fn create_grant(
        &mut self,
        moment: &mut Moment<'_>,
        id: GrantId,
        code: Option<BoundCode>,
        authorization: Authorization,
        resource: Vec<Resource>,
    ) -> Result<IssuedTokens, GrantError> {
        let now = moment.now;
        let mut family = [0; FAMILY_BYTES];
        moment.randomness.fill(&mut family)?;
        let (refresh_token, hash) = draw_token(moment.randomness, &[&id.0, &family])?;
        let refresh_expires_at = now.plus_seconds(self.lifetimes.refresh_token_s);
        let refresh_token_record = RefreshToken {
            token: hash,
            expires_at: refresh_expires_at,
            spent_at: None,
        };
        let mut grant = Grant::new(code, authorization, Hash::of(&family), vec![refresh_token_record]);
        family.zeroize();
        let scope = grant.authorization.scope.clone();
        let nonce = grant.authorization.nonce.take();
        let with_id_token = grant.is_id_token_due(now, self.lifetimes.access_token_s, &scope);
        let issued = grant.issue(
            id,
            TokenAnswer {
                scope,
                resource,
                nonce,
                with_id_token,
                refresh_token: Some(refresh_token),
            },
        );
        let expires_at = refresh_expires_at.max(now.plus_seconds(self.lifetimes.access_token_s));
        self.grants.insert(now, id, grant, expires_at);
        Ok(issued)
    }

    /// Whether the access token with this `jti` is still valid.
    pub(crate) fn is_alive(&self, now: UnixSeconds, id: GrantId, serial: u64) -> bool {
        self.grants
            .get(now, &id)
            .is_some_and(|grant| !grant.revoked_access_tokens.contains(&serial))
    }

    /// To which client a refresh token was issued; `None` where it is none of a living grant.
    pub(crate) fn client_of_refresh_token(&self, now: UnixSeconds, token: &Secret) -> Option<&ClientId> {
        let (id, _) = self.find_refresh_token(now, token)?;
        self.grants.get(now, &id).map(|grant| &grant.authorization.client_id)
    }

    /// The client that a code was issued to, whether it was used or not.
    pub(crate) fn client_of_code(&self, now: UnixSeconds, code: &Secret) -> Option<&ClientId> {
        let presented = Presented::read(code, &[])?;
        let waiting = self.codes.get(now, &presented.id);
        let waiting = waiting.filter(|issued| issued.code.hash.matches(&presented.bytes));
        let used = self.grants.get(now, &presented.id);
        let used = used.filter(|grant| grant.has_code(&presented.bytes));
        let authorization = match (waiting, used) {
            (Some(issued), _) => &issued.authorization,
            (None, Some(grant)) => &grant.authorization,
            (None, None) => return None,
        };
        Some(&authorization.client_id)
    }

    /// What a live refresh token stands for.
    pub(crate) fn live_refresh_token(&self, now: UnixSeconds, token: &Secret) -> Option<LiveRefreshToken> {
        let (id, standing) = self.find_refresh_token(now, token)?;
        let Standing::Live(index) = standing else { return None };
        let grant = self.grants.get(now, &id)?;
        Some(LiveRefreshToken {
            client_id: grant.authorization.client_id.clone(),
            subject: grant.authorization.subject.clone(),
            scope: grant.authorization.scope.clone(),
            expires_at: grant.refresh_tokens[index].expires_at,
        })
    }

    pub(super) fn find_refresh_token(&self, now: UnixSeconds, token: &Secret) -> Option<(GrantId, Standing)> {
        let presented = Presented::read(token, &[FAMILY_BYTES])?;
        let grant = self.grants.get(now, &presented.id)?;
        if !grant.family.matches(presented.family()) {
            return None;
        }
        let known = grant
            .refresh_tokens
            .iter()
            .position(|token| token.token.matches(&presented.bytes));
        let standing = match known {
            Some(index) if grant.refresh_tokens[index].expires_at <= now => Standing::Expired,
            Some(index) if !grant.refresh_tokens[index].is_spent_beyond(now, self.lifetimes.refresh_grace_s) => {
                Standing::Live(index)
            }
            _ => Standing::Spent,
        };
        Some((presented.id, standing))
    }
}
