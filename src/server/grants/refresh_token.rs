//! The refresh token grant (RFC 6749 §6), with rotation and detection of reuse
//! (RFC 9700 §4.14.2).

use super::error::GrantError;
use super::grant::{Grant, IssuedTokens, RefreshToken, RequestKey, TokenAnswer, narrow_resource};
use super::opaque_token::{FAMILY_BYTES, GrantId, Presented, draw_token};
use super::store::{Grants, Lifetimes, Standing};
use crate::protocol::client::ClientId;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::server::moment::Moment;
use crate::server::violations::policy::Policy;

/// Refresh tokens that one grant remembers, at most: the live one, and those
/// that the grace period still admits.
const MAX_REFRESH_TOKENS: usize = 16;

/// A token request for a refresh token.
pub(crate) struct Refresh<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) refresh_token: &'a Secret,
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) resource: &'a [Resource],
    pub(crate) key: RequestKey<'a>,
    /// Whether another request brings the same token at this moment.
    pub(crate) is_concurrent: bool,
}

impl Grants {
    /// Refreshes. With rotation the token is spent and a new one comes with the
    /// response; a spent one that the grace period does not admit ends the
    /// whole family.
    pub(crate) fn refresh(
        &mut self,
        moment: &mut Moment<'_>,
        request: &Refresh<'_>,
    ) -> Result<IssuedTokens, GrantError> {
        let (now, policy, lifetimes) = (moment.now, moment.policy, self.lifetimes);
        let (id, standing) = self
            .find_refresh_token(now, request.refresh_token)
            .ok_or(GrantError::UnknownRefreshToken)?;
        let grant = self.grants.get_mut(now, &id).ok_or(GrantError::UnknownRefreshToken)?;
        grant.check_binding(request, policy)?;
        let index = match standing {
            Standing::Live(index) => index,
            Standing::Expired => return Err(GrantError::UnknownRefreshToken),
            Standing::Spent => {
                if let Some(rule) = policy.rule_for_reused_refresh_token(request.is_concurrent) {
                    return self.refresh_again(moment, id, rule);
                }
                if policy.revokes_families_of_reused_refresh_tokens() {
                    self.grants.remove(now, &id);
                }
                return Err(GrantError::RefreshTokenReused);
            }
        };
        let scope = grant.refreshed_scope(request.scope, policy)?;
        let resource = narrow_resource(&grant.authorization.resource, request.resource)?;
        if !policy.accepts_refresh_tokens() {
            return Err(GrantError::OnPurpose(Rule::RefreshWorks));
        }
        let mut expires_at = now.plus_seconds(lifetimes.access_token_s);
        let mut successor = None;
        if lifetimes.rotate {
            let refresh_expires_at = now.plus_seconds(lifetimes.refresh_token_s);
            expires_at = expires_at.max(refresh_expires_at);
            successor = Some(grant.rotate(moment, lifetimes, id, request.refresh_token, index)?);
        } else {
            policy.note_rotation();
        }
        let with_id_token = grant.is_id_token_due(now, lifetimes.access_token_s, &scope);
        let issued = grant.issue(
            id,
            TokenAnswer {
                scope,
                resource,
                nonce: None,
                with_id_token,
                refresh_token: successor,
            },
        );
        self.grants.extend(&id, expires_at);
        Ok(issued)
    }

    /// Refreshes with an access token of this client (RFC 6749 §1.5 has no such thing).
    pub(crate) fn refresh_by_access_token(
        &mut self,
        moment: &Moment<'_>,
        id: GrantId,
        client_id: &ClientId,
    ) -> Result<IssuedTokens, GrantError> {
        let grant = self.grants.get_mut(moment.now, &id);
        let grant = grant.ok_or(GrantError::UnknownRefreshToken)?;
        if grant.authorization.client_id != *client_id {
            return Err(GrantError::RefreshTokenOfOtherClient);
        }
        moment.policy.note(Rule::RefreshAccessToken);
        let scope = grant.authorization.scope.clone();
        let resource = grant.authorization.resource.clone();
        Ok(grant.issue(
            id,
            TokenAnswer {
                scope,
                resource,
                ..TokenAnswer::default()
            },
        ))
    }
}

impl Grant {
    /// The request comes from the client that the token was issued to, with its
    /// key and its certificate.
    fn check_binding(&self, request: &Refresh<'_>, policy: &Policy<'_>) -> Result<(), GrantError> {
        if self.authorization.client_id != *request.client_id && policy.binds_refresh_tokens_to_clients() {
            return Err(GrantError::RefreshTokenOfOtherClient);
        }
        let Some(own) = &self.authorization.refresh_key else {
            return Ok(());
        };
        let is_other_key = own.key.is_some() && own.key.as_deref() != request.key.thumbprint();
        if is_other_key && policy.binds_refresh_tokens_to_keys() {
            return Err(GrantError::RefreshTokenOfOtherKey);
        }
        if own.certificate.is_some() && own.certificate != request.key.confirmation.certificate {
            return Err(GrantError::RefreshTokenOfOtherCertificate);
        }
        Ok(())
    }

    /// The scope of the new access token: no wider than what was granted (RFC 6749 §6).
    fn refreshed_scope(&self, asked: Option<&Scope>, policy: &Policy<'_>) -> Result<Scope, GrantError> {
        let granted = &self.authorization.scope;
        match asked {
            None => Ok(granted.clone()),
            Some(scope) if scope.is_subset_of(granted) || !policy.limits_refreshed_scope() => Ok(scope.clone()),
            Some(_) => Err(GrantError::Scope),
        }
    }

    /// Spends the refresh token at `index` and makes its successor.
    fn rotate(
        &mut self,
        moment: &mut Moment<'_>,
        lifetimes: Lifetimes,
        id: GrantId,
        spent: &Secret,
        index: usize,
    ) -> Result<Secret, GrantError> {
        let now = moment.now;
        let presented = Presented::read(spent, &[FAMILY_BYTES]).ok_or(GrantError::UnknownRefreshToken)?;
        let (successor, hash) = draw_token(moment.randomness, &[&id.0, presented.family()])?;
        self.refresh_tokens[index].spent_at.get_or_insert(now);
        self.refresh_tokens
            .retain(|token| !token.is_spent_beyond(now, lifetimes.refresh_grace_s));
        if self.refresh_tokens.len() == MAX_REFRESH_TOKENS {
            self.refresh_tokens.remove(0);
        }
        self.refresh_tokens.push(RefreshToken {
            token: hash,
            expires_at: now.plus_seconds(lifetimes.refresh_token_s),
            spent_at: None,
        });
        Ok(successor)
    }
}
