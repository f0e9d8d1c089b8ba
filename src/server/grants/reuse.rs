//! Codes and spent refresh tokens that are accepted again, because the rule
//! against that is violated.

use super::authorization_code::{Redemption, check_redemption};
use super::error::GrantError;
use super::grant::IssuedTokens;
use super::opaque_token::GrantId;
use super::store::Grants;
use crate::rules::Rule;
use crate::server::moment::Moment;

impl Grants {
    /// Redeems a code that was used. As long as the other rule about that is
    /// enforced, the tokens that it gave before end.
    pub(super) fn redeem_again(
        &mut self,
        moment: &mut Moment<'_>,
        request: &Redemption<'_>,
        id: GrantId,
        rule: Rule,
    ) -> Result<IssuedTokens, GrantError> {
        let policy = moment.policy;
        let grant = self.grants.get(moment.now, &id).ok_or(GrantError::UnknownCode)?;
        if grant.authorization.client_id != *request.client_id && policy.binds_codes_to_clients() {
            return Err(GrantError::CodeOfOtherClient);
        }
        let code = grant.code.as_ref().ok_or(GrantError::UnknownCode)?;
        check_redemption(policy, &code.binding, request)?;
        let ends_former = rule == Rule::CodeSingleUse && policy.revokes_tokens_of_reused_codes();
        self.issue_again(moment, id, ends_former)
    }

    /// Refreshes with a token that was spent.
    pub(super) fn refresh_again(
        &mut self,
        moment: &mut Moment<'_>,
        id: GrantId,
        rule: Rule,
    ) -> Result<IssuedTokens, GrantError> {
        let ends_former = rule == Rule::RefreshReuse && moment.policy.revokes_families_of_reused_refresh_tokens();
        self.issue_again(moment, id, ends_former)
    }

    /// Issues the tokens of a grant again, under another id.
    fn issue_again(
        &mut self,
        moment: &mut Moment<'_>,
        former: GrantId,
        ends_former: bool,
    ) -> Result<IssuedTokens, GrantError> {
        let grant = self.grants.get_mut(moment.now, &former);
        let grant = grant.ok_or(GrantError::UnknownCode)?;
        let authorization = grant.authorization.clone();
        if ends_former {
            grant.revoke_access_tokens();
            grant.revoke_refresh_tokens();
        }
        let id = GrantId::draw(moment.randomness)?;
        let resource = authorization.resource.clone();
        self.create_grant(moment, id, None, authorization, resource)
    }
}
