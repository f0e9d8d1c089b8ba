//! Grants of one access token, without a code before it and without a refresh
//! token: those of a client that acts for itself (RFC 6749 §4.4.3), and those
//! of servers that violate a rule.

use super::grant::{Authorization, Grant, IssuedTokens, TokenAnswer};
use super::opaque_token::{GrantId, Hash};
use super::store::Grants;
use crate::protocol::random::RandomnessFailed;
use crate::server::moment::Moment;

impl Grants {
    /// Issues an access token and nothing else.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub(crate) fn issue_access_token_only(
        &mut self,
        moment: &mut Moment<'_>,
        authorization: Authorization,
    ) -> Result<IssuedTokens, RandomnessFailed> {
        let id = GrantId::draw(moment.randomness)?;
        let (scope, resource) = (authorization.scope.clone(), authorization.resource.clone());
        let mut grant = Grant::new(None, authorization, Hash::of_nothing(), Vec::new());
        let issued = grant.issue(
            id,
            TokenAnswer {
                scope,
                resource,
                ..TokenAnswer::default()
            },
        );
        let expires_at = moment.now.plus_seconds(self.lifetimes.access_token_s);
        self.grants.insert(moment.now, id, grant, expires_at);
        Ok(issued)
    }
}
