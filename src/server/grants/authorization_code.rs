//! The authorization code grant (RFC 6749 §4.1).

use super::error::{GrantError, IssueCodeError};
use super::grant::{Authorization, BoundCode, CodeBinding, IssuedTokens, RequestKey, narrow_resource};
use super::opaque_token::{GrantId, Presented, draw_token};
use super::pkce::{PresentedVerifier, verify_pkce};
use super::store::{Grants, IssuedCode};
use crate::protocol::client::ClientId;
use crate::protocol::resource::Resource;
use crate::secret::Secret;
use crate::server::moment::Moment;
use crate::server::violations::policy::Policy;
use sha2::{Digest, Sha256};

/// A token request for a code.
pub(crate) struct Redemption<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) code: &'a Secret,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: PresentedVerifier<'a>,
    pub(crate) resource: &'a [Resource],
    pub(crate) key: RequestKey<'a>,
    /// Whether another request brings the same code at this moment.
    pub(crate) is_concurrent: bool,
}

impl Grants {
    /// Issues a code: 256 random bits behind the id of the grant. Who asks for
    /// many pushes out no code of another redirect URI, and none that is issued.
    ///
    /// # Errors
    /// [`IssueCodeError`].
    pub(crate) fn issue_code(
        &mut self,
        moment: &mut Moment<'_>,
        authorization: Authorization,
        binding: CodeBinding,
    ) -> Result<Secret, IssueCodeError> {
        let id = GrantId::draw(moment.randomness)?;
        let (code, hash) = draw_token(moment.randomness, &[&id.0])?;
        let expires_at = moment.now.plus_seconds(self.lifetimes.code_s);
        let owner = Sha256::digest(binding.redirect_uri.as_str().as_bytes()).into();
        let issued = IssuedCode {
            code: BoundCode { hash, binding },
            authorization,
        };
        self.codes.insert_fairly(moment.now, id, issued, expires_at, owner)?;
        Ok(code)
    }

    /// Redeems a code (RFC 6749 §4.1.3). A failure burns the code if the right
    /// client made it: who has the code but not the verifier gets one try.
    /// Another client's failure leaves it alone.
    pub(crate) fn redeem(
        &mut self,
        moment: &mut Moment<'_>,
        request: &Redemption<'_>,
    ) -> Result<IssuedTokens, GrantError> {
        let (now, policy) = (moment.now, moment.policy);
        let presented = Presented::read(request.code, &[]).ok_or(GrantError::UnknownCode)?;
        let used = self.grants.get(now, &presented.id);
        if used.is_some_and(|grant| grant.has_code(&presented.bytes)) {
            if let Some(rule) = policy.rule_for_reused_code(request.is_concurrent) {
                return self.redeem_again(moment, request, presented.id, rule);
            }
            if policy.revokes_tokens_of_reused_codes() {
                self.grants.remove(now, &presented.id);
            }
            return Err(GrantError::CodeReused);
        }
        let issued = self
            .codes
            .get(now, &presented.id)
            .filter(|issued| issued.code.hash.matches(&presented.bytes))
            .ok_or(GrantError::UnknownCode)?;
        if issued.authorization.client_id != *request.client_id && policy.binds_codes_to_clients() {
            return Err(GrantError::CodeOfOtherClient);
        }
        // From here on the code is gone, whatever comes of it.
        let IssuedCode {
            code,
            mut authorization,
        } = self.codes.remove(now, &presented.id).ok_or(GrantError::UnknownCode)?;
        check_redemption(policy, &code.binding, request)?;
        let resource = narrow_resource(&authorization.resource, request.resource)?;
        authorization.refresh_key = request.key.for_refresh_tokens();
        self.create_grant(moment, presented.id, Some(code), authorization, resource)
    }
}

/// Whether a code may be redeemed so: with its redirect URI (RFC 6749 §4.1.3),
/// its verifier (RFC 7636 §4.6) and its key (RFC 9449 §10).
pub(super) fn check_redemption(
    policy: &Policy<'_>,
    binding: &CodeBinding,
    request: &Redemption<'_>,
) -> Result<(), GrantError> {
    let expected = binding.redirect_uri.as_str();
    match request.redirect_uri {
        None if binding.redirect_uri_sent && policy.requires_redirect_uri_with_codes() => {
            return Err(GrantError::NoRedirectUri);
        }
        Some(other) if other != expected && policy.binds_codes_to_redirect_uris() => {
            return Err(GrantError::OtherRedirectUri);
        }
        _ => {}
    }
    let is_bound = binding.dpop_jkt.is_some() && binding.dpop_jkt.as_deref() != request.key.thumbprint();
    if is_bound && policy.binds_codes_to_keys() {
        return Err(GrantError::CodeOfOtherKey);
    }
    verify_pkce(policy, binding, request.verifier)
}
