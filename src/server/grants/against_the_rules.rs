//! Grants that are given although a rule says no, because that rule is to be broken.

use super::{
    Authorization, Grant, GrantError, GrantId, Grants, Hash, Issue, Presented, Redemption, Refresh, draw_token, prove,
};
use crate::protocol::abnf::base64url;
use crate::protocol::client::ClientId;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::server::broken::Commitment;
use sha2::{Digest, Sha256};

impl Grants {
    /// By which broken rule a code that was used is taken again.
    pub(super) fn rule_for_code_again(&self, request: &Redemption<'_>) -> Option<Rule> {
        self.rule_for_again(Rule::CodeSingleUse, Rule::CodeParallel, request.is_one_of_several)
    }

    /// By which broken rule a refresh token that was spent is taken again.
    pub(super) fn rule_for_refresh_again(&self, request: &Refresh<'_>) -> Option<Rule> {
        self.rule_for_again(Rule::RefreshReuse, Rule::RefreshParallel, request.is_one_of_several)
    }

    fn rule_for_again(&self, always: Rule, parallel: Rule, is_one_of_several: bool) -> Option<Rule> {
        if self.broken.is_broken(always) {
            Some(always)
        } else {
            (is_one_of_several && self.broken.is_broken(parallel)).then_some(parallel)
        }
    }

    /// Redeems a code that was used. As long as the other rule about that is
    /// kept, the tokens that it gave before end.
    pub(super) fn redeem_again(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &Redemption<'_>,
        presented: &Presented,
        rule: Rule,
    ) -> Result<Issue, GrantError> {
        let mut against = vec![rule];
        let grant = self.grants.get(now, &presented.id).ok_or(GrantError::UnknownCode)?;
        let authorization = grant.authorization.clone();
        if authorization.client_id != *request.client_id && !self.broken.breaks(Rule::CodeClient, &mut against) {
            return Err(GrantError::CodeOfOtherClient);
        }
        self.check_redemption(&authorization, request, &mut against)?;
        let ends_former = rule == Rule::CodeSingleUse && !self.broken.breaks(Rule::CodeReuseRevokes, &mut against);
        self.again(now, randomness, presented.id, ends_former, against)
    }

    /// Refreshes with a token that was spent.
    pub(super) fn refresh_again(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        id: GrantId,
        rule: Rule,
    ) -> Result<Issue, GrantError> {
        let mut against = vec![rule];
        let ends_former = rule == Rule::RefreshReuse && !self.broken.breaks(Rule::RefreshReuseRevokes, &mut against);
        self.again(now, randomness, id, ends_former, against)
    }

    /// Gives the tokens of a grant anew, under another id.
    fn again(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        former: GrantId,
        ends_former: bool,
        against: Vec<Rule>,
    ) -> Result<Issue, GrantError> {
        let grant = self.grants.get_mut(now, &former).ok_or(GrantError::UnknownCode)?;
        let authorization = grant.authorization.clone();
        if ends_former {
            grant.end_access_tokens();
            grant.end_refresh_tokens();
        }
        let mut issue = self.issue_without_code_and_keep(now, randomness, authorization)?;
        issue.against = against;
        Ok(issue)
    }

    /// Gives an access token that nobody has a code for, and no refresh token.
    pub(crate) fn issue_without_code(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        authorization: Authorization,
    ) -> Result<Issue, RandomnessFailed> {
        match self.issue_without_code_and_keep(now, randomness, authorization) {
            Ok(issue) => Ok(Issue {
                refresh_token: None,
                with_id_token: false,
                ..issue
            }),
            Err(_) => Err(RandomnessFailed),
        }
    }

    fn issue_without_code_and_keep(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        authorization: Authorization,
    ) -> Result<Issue, GrantError> {
        let id = GrantId::draw(randomness)?;
        let (_, code) = draw_token(randomness, &[&id.0])?;
        let resource = authorization.resource.clone();
        self.begin(now, randomness, id, code, authorization, resource)
    }

    /// Whether the request proves whose it is, or what is missing is overlooked.
    pub(super) fn prove_against_the_rules(
        &self,
        authorization: &Authorization,
        request: &Redemption<'_>,
        against: &mut Vec<Rule>,
    ) -> Result<(), GrantError> {
        let sent = request.verifier_sent;
        match (&authorization.commitment, sent) {
            (None, _) => {}
            (Some(Commitment::Nothing), None) => return Ok(()),
            (Some(Commitment::Nothing), Some(_)) => {
                let is_overlooked = self.broken.breaks(Rule::PkceVerifierWithoutChallenge, against);
                return is_overlooked.then_some(()).ok_or(GrantError::WrongVerifier);
            }
            (Some(Commitment::Plain(_)), None) => return Err(GrantError::NoVerifier),
            (Some(Commitment::Plain(plain)), Some(sent)) => {
                return (sent == plain).then_some(()).ok_or(GrantError::WrongVerifier);
            }
            (Some(Commitment::Unmeetable), _) => return Err(GrantError::WrongVerifier),
        }
        let challenge = authorization.code_challenge.as_str();
        let proof = prove(authorization, request);
        let rule = match (&proof, sent) {
            (Ok(()), _) if self.broken.is_broken(Rule::PkceSupported) => {
                return Err(GrantError::OnPurpose(Rule::PkceSupported));
            }
            (Ok(()), _) => return Ok(()),
            (Err(_), None) => Rule::PkceMissingVerifier,
            (Err(_), Some(sent)) if sent == challenge => Rule::PkceChallengeAsVerifier,
            (Err(_), Some(sent)) if base64url(&Sha256::digest(sent.as_bytes())) == challenge => Rule::PkceShortVerifier,
            (Err(GrantError::NoVerifier), Some(_)) => return proof,
            (Err(_), Some(_)) => Rule::PkceWrongVerifier,
        };
        if self.broken.breaks(rule, against) {
            Ok(())
        } else {
            proof
        }
    }

    /// To whom a code was issued, whether it was used or not.
    pub(crate) fn client_of_code(&self, now: UnixSeconds, code: &Secret) -> Option<&ClientId> {
        let presented = Presented::read(code, &[])?;
        let waiting = self.codes.get(now, &presented.id);
        let waiting = waiting.filter(|issued| issued.code.is_of(&presented.bytes));
        let used = self.grants.get(now, &presented.id);
        let used = used.filter(|grant| grant.code.is_of(&presented.bytes));
        let authorization = match (waiting, used) {
            (Some(issued), _) => &issued.authorization,
            (None, Some(grant)) => &grant.authorization,
            (None, None) => return None,
        };
        Some(&authorization.client_id)
    }

    /// Refreshes with an access token of this client (RFC 6749 §1.5 has no such thing).
    pub(crate) fn refresh_by_access_token(
        &mut self,
        now: UnixSeconds,
        id: GrantId,
        client_id: &ClientId,
    ) -> Result<Issue, GrantError> {
        let grant = self.grants.get_mut(now, &id).ok_or(GrantError::UnknownRefreshToken)?;
        if grant.authorization.client_id != *client_id {
            return Err(GrantError::RefreshTokenOfOtherClient);
        }
        let scope = grant.authorization.scope.clone();
        let resource = grant.authorization.resource.clone();
        let mut issue = grant.issue(id, scope, resource, None, false, None);
        issue.against.push(Rule::RefreshAccessToken);
        Ok(issue)
    }

    /// Ends some tokens of the grant of this refresh token, and keeps others.
    pub(super) fn end_in_part(
        &mut self,
        now: UnixSeconds,
        token: &Secret,
        keeps_refresh_tokens: bool,
        keeps_access_tokens: bool,
    ) {
        let Some((id, _)) = self.find_refresh_token(now, token) else {
            return;
        };
        let Some(grant) = self.grants.get_mut(now, &id) else {
            return;
        };
        if !keeps_refresh_tokens {
            grant.end_refresh_tokens();
        }
        if !keeps_access_tokens {
            grant.end_access_tokens();
        }
    }
}

impl Grant {
    fn end_access_tokens(&mut self) {
        self.revoked_access_tokens = (1..=self.serial).collect();
    }

    fn end_refresh_tokens(&mut self) {
        self.refresh_tokens.clear();
        // So that those that were given are not even known as spent.
        self.family = Hash::of(b"");
    }
}
