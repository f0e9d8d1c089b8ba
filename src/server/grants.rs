//! What resource owners have granted: codes that wait to be redeemed, and
//! grants whose tokens are alive.
//!
//! Invariants:
//! - A code is redeemed at most once; the caller holds one lock around each
//!   call, so that is atomic (RFC 6749 §4.1.2).
//! - Codes and refresh tokens are kept as SHA-256 hashes only. Each begins
//!   with the public id of its grant, by which it is found; what follows is
//!   secret and compared in constant time.
//! - A grant that is gone takes all its tokens with it: reuse of a code or of
//!   a spent refresh token, and revocation, just remove it.
//! - Everything is bounded and expires.
//!
//! Each refusal names the rule that it keeps, by asking whether that one is to
//! be broken; what happens then is in [`against_the_rules`].

mod against_the_rules;

use super::bounded::Bounded;
use super::broken::{Broken, Commitment};
use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::client::ClientId;
use crate::protocol::pkce::{CodeChallenge, CodeVerifier};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Codes that wait to be redeemed, at most.
const MAX_CODES: usize = 1_000;
/// Grants with tokens, at most.
const MAX_GRANTS: usize = 10_000;
/// Refresh tokens that one grant remembers, at most: the live one, and those
/// that the grace period still admits.
const MAX_REFRESH_TOKENS: usize = 16;
/// Access tokens of one grant that were revoked one by one, at most; one more ends the grant.
const MAX_REVOKED_ACCESS_TOKENS: usize = 256;

const GRANT_ID_BYTES: usize = 16;
const FAMILY_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// The public name of a grant, drawn at random; it stands in codes, refresh
/// tokens and `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GrantId([u8; GRANT_ID_BYTES]);

impl GrantId {
    fn draw(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        let mut id = [0; GRANT_ID_BYTES];
        randomness.fill(&mut id)?;
        Ok(GrantId(id))
    }

    /// `jti` of an access token: the grant, and which of its access tokens (RFC 9068 §2.2).
    pub(crate) fn token_id(self, serial: u64) -> String {
        format!("{}.{serial}", base64url(&self.0))
    }

    /// The two parts of a `jti`.
    pub(crate) fn of_token_id(token_id: &str) -> Option<(Self, u64)> {
        let (id, serial) = token_id.split_once('.')?;
        Some((GrantId(from_base64url(id)?.try_into().ok()?), serial.parse().ok()?))
    }
}

#[derive(Clone, Copy)]
struct Hash([u8; 32]);

impl Hash {
    fn of(bytes: &[u8]) -> Self {
        Hash(Sha256::digest(bytes).into())
    }

    fn is_of(&self, bytes: &[u8]) -> bool {
        self.0.ct_eq(&Hash::of(bytes).0).into()
    }
}

/// Everything that a code is bound to (RFC 6749 §4.1.3, RFC 7636 §4.4, RFC 8707 §2.2).
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) client_id: ClientId,
    pub(crate) redirect_uri: RedirectUri,
    /// Whether the authorization request named it; then the token request must, too.
    pub(crate) redirect_uri_sent: bool,
    pub(crate) code_challenge: CodeChallenge,
    /// Instead of the challenge, where a rule about it is broken.
    pub(crate) commitment: Option<Commitment>,
    pub(crate) scope: Scope,
    /// Never empty.
    pub(crate) resource: Vec<Resource>,
    pub(crate) nonce: Option<String>,
    /// The user's name.
    pub(crate) subject: String,
    /// When the user signed in.
    pub(crate) auth_time: UnixSeconds,
}

/// Lifetimes and rotation, in whole seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) code_s: i64,
    pub(crate) access_token_s: i64,
    pub(crate) refresh_token_s: i64,
    pub(crate) refresh_grace_s: i64,
    pub(crate) rotate: bool,
}

struct IssuedCode {
    code: Hash,
    authorization: Authorization,
}

struct Grant {
    /// Of the redeemed code, so that its reuse is known for what it is.
    code: Hash,
    authorization: Authorization,
    /// The part that all refresh tokens of this grant share: whoever presents
    /// it has had one of them.
    family: Hash,
    refresh_tokens: Vec<RefreshToken>,
    /// Access tokens issued so far.
    serial: u64,
    /// When the last ID token was.
    id_token_issued_at: Option<UnixSeconds>,
    revoked_access_tokens: Vec<u64>,
}

struct RefreshToken {
    token: Hash,
    expires_at: UnixSeconds,
    spent_at: Option<UnixSeconds>,
}

/// What a token response is to be made from.
pub(crate) struct Issue {
    pub(crate) client_id: ClientId,
    pub(crate) subject: String,
    pub(crate) scope: Scope,
    pub(crate) resource: Vec<Resource>,
    /// For the ID token; only the first one carries it.
    pub(crate) nonce: Option<String>,
    pub(crate) with_id_token: bool,
    pub(crate) auth_time: UnixSeconds,
    pub(crate) token_id: String,
    /// `None` where the old one stays.
    pub(crate) refresh_token: Option<Secret>,
    /// The rules that were broken to get so far.
    pub(crate) against: Vec<Rule>,
}

/// Why a grant was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantError {
    #[error("the code is unknown, was used before, or has expired")]
    UnknownCode,
    #[error("the code was used before: all tokens that were issued for it are revoked")]
    CodeReused,
    #[error("the code was issued to another client")]
    CodeOfOtherClient,
    #[error("redirect_uri is missing, though the authorization request had one; the code is void now")]
    NoRedirectUri,
    #[error("redirect_uri is not the one of the authorization request; the code is void now")]
    OtherRedirectUri,
    #[error("code_verifier is missing or malformed; the code is void now")]
    NoVerifier,
    #[error("code_verifier does not hash into the code_challenge; the code is void now")]
    WrongVerifier,
    #[error("the refresh token is unknown, revoked, or has expired")]
    UnknownRefreshToken,
    #[error("the refresh token was spent before: its whole family is revoked")]
    RefreshTokenReused,
    #[error("the refresh token was issued to another client")]
    RefreshTokenOfOtherClient,
    #[error("scope has more than was granted")]
    Scope,
    #[error("resource is not among those that were granted")]
    Resource,
    #[error("this refusal was asked for")]
    OnPurpose(Rule),
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

impl GrantError {
    /// The code of the error response (RFC 6749 §5.2, RFC 8707 §2).
    pub(crate) fn error(self) -> &'static str {
        match self {
            GrantError::Scope => "invalid_scope",
            GrantError::Resource => "invalid_target",
            GrantError::Randomness(_) => "server_error",
            _ => "invalid_grant",
        }
    }

    /// The rule behind it.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            GrantError::UnknownCode | GrantError::CodeReused => "RFC 6749 §4.1.2",
            GrantError::CodeOfOtherClient | GrantError::NoRedirectUri | GrantError::OtherRedirectUri => {
                "RFC 6749 §4.1.3"
            }
            GrantError::NoVerifier | GrantError::WrongVerifier => "RFC 7636 §4.6",
            GrantError::UnknownRefreshToken | GrantError::RefreshTokenOfOtherClient | GrantError::Scope => {
                "RFC 6749 §6"
            }
            GrantError::RefreshTokenReused => "RFC 9700 §4.14.2",
            GrantError::Resource => "RFC 8707 §2.2",
            GrantError::OnPurpose(_) => "--break",
            GrantError::Randomness(_) => "RFC 6749 §10.10",
        }
    }
}

/// A token request for a code.
pub(crate) struct Redemption<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) code: &'a Secret,
    pub(crate) redirect_uri: Option<&'a str>,
    /// `None` also where it is malformed.
    pub(crate) code_verifier: Option<&'a CodeVerifier>,
    /// As it was sent, for a server that takes a malformed one.
    pub(crate) verifier_sent: Option<&'a str>,
    pub(crate) resource: &'a [Resource],
    /// Whether another request brings the same code at this moment.
    pub(crate) is_one_of_several: bool,
}

/// A token request for a refresh token.
pub(crate) struct Refresh<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) refresh_token: &'a Secret,
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) resource: &'a [Resource],
    /// Whether another request brings the same token at this moment.
    pub(crate) is_one_of_several: bool,
}

/// What a refresh token stands for, to those who may know (RFC 7662 §2.2).
#[derive(Debug)]
pub(crate) struct LiveRefreshToken {
    pub(crate) client_id: ClientId,
    pub(crate) subject: String,
    pub(crate) scope: Scope,
    pub(crate) expires_at: UnixSeconds,
}

/// All grants.
pub(crate) struct Grants {
    lifetimes: Lifetimes,
    broken: Broken,
    codes: Bounded<GrantId, IssuedCode>,
    grants: Bounded<GrantId, Grant>,
}

impl fmt::Debug for Grants {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Grants")
    }
}

impl Grants {
    pub(crate) fn new(lifetimes: Lifetimes, broken: Broken) -> Self {
        Grants {
            lifetimes,
            broken,
            codes: Bounded::new(MAX_CODES),
            grants: Bounded::new(MAX_GRANTS),
        }
    }

    /// Issues a code: 256 random bits behind the id of the grant.
    pub(crate) fn issue_code(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        authorization: Authorization,
    ) -> Result<Secret, RandomnessFailed> {
        let id = GrantId::draw(randomness)?;
        let (code, hash) = draw_token(randomness, &[&id.0])?;
        let expires_at = now.plus_seconds(self.lifetimes.code_s);
        self.codes.insert(
            now,
            id,
            IssuedCode {
                code: hash,
                authorization,
            },
            expires_at,
        );
        Ok(code)
    }

    /// Redeems a code (RFC 6749 §4.1.3). A failure burns the code if the right
    /// client made it: whoever has the code but not the verifier gets one try.
    /// Another client's failure leaves it alone.
    pub(crate) fn redeem(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &Redemption<'_>,
    ) -> Result<Issue, GrantError> {
        let presented = Presented::read(request.code, &[]).ok_or(GrantError::UnknownCode)?;
        let used = self.grants.get(now, &presented.id);
        if used.is_some_and(|grant| grant.code.is_of(&presented.bytes)) {
            if let Some(rule) = self.rule_for_code_again(request) {
                return self.redeem_again(now, randomness, request, &presented, rule);
            }
            if !self.broken.is_broken(Rule::CodeReuseRevokes) {
                self.grants.remove(now, &presented.id);
            }
            return Err(GrantError::CodeReused);
        }
        let mut against = Vec::new();
        let issued = self
            .codes
            .get(now, &presented.id)
            .filter(|issued| issued.code.is_of(&presented.bytes));
        if issued.ok_or(GrantError::UnknownCode)?.authorization.client_id != *request.client_id
            && !self.broken.breaks(Rule::CodeClient, &mut against)
        {
            return Err(GrantError::CodeOfOtherClient);
        }
        // From here on the code is gone, whatever comes of it.
        let IssuedCode { code, authorization } =
            self.codes.remove(now, &presented.id).ok_or(GrantError::UnknownCode)?;
        self.check_redemption(&authorization, request, &mut against)?;
        let resource = narrowed_resource(&authorization.resource, request.resource)?;
        let mut issue = self.begin(now, randomness, presented.id, code, authorization, resource)?;
        issue.against = against;
        Ok(issue)
    }

    /// Whether a code may be redeemed so: with its redirect URI (RFC 6749
    /// §4.1.3) and its verifier (RFC 7636 §4.6).
    fn check_redemption(
        &self,
        authorization: &Authorization,
        request: &Redemption<'_>,
        against: &mut Vec<Rule>,
    ) -> Result<(), GrantError> {
        match request.redirect_uri {
            None if authorization.redirect_uri_sent && !self.broken.breaks(Rule::CodeRedirectUriMissing, against) => {
                return Err(GrantError::NoRedirectUri);
            }
            Some(other)
                if other != authorization.redirect_uri.as_str()
                    && !self.broken.breaks(Rule::CodeRedirectUri, against) =>
            {
                return Err(GrantError::OtherRedirectUri);
            }
            _ => {}
        }
        if self.broken.is_empty() {
            prove(authorization, request)
        } else {
            self.prove_against_the_rules(authorization, request, against)
        }
    }

    /// A grant and its first tokens.
    fn begin(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        id: GrantId,
        code: Hash,
        authorization: Authorization,
        resource: Vec<Resource>,
    ) -> Result<Issue, GrantError> {
        let mut family = [0; FAMILY_BYTES];
        randomness.fill(&mut family)?;
        let (refresh_token, hash) = draw_token(randomness, &[&id.0, &family])?;
        let refresh_expires_at = now.plus_seconds(self.lifetimes.refresh_token_s);
        let mut grant = Grant {
            code,
            authorization,
            family: Hash::of(&family),
            refresh_tokens: vec![RefreshToken {
                token: hash,
                expires_at: refresh_expires_at,
                spent_at: None,
            }],
            serial: 0,
            id_token_issued_at: None,
            revoked_access_tokens: Vec::new(),
        };
        family.zeroize();
        let scope = grant.authorization.scope.clone();
        let nonce = grant.authorization.nonce.take();
        let with_id_token = grant.is_id_token_due(now, self.lifetimes.access_token_s, &scope);
        let issue = grant.issue(id, scope, resource, nonce, with_id_token, Some(refresh_token));
        let expires_at = refresh_expires_at.max(now.plus_seconds(self.lifetimes.access_token_s));
        self.grants.insert(now, id, grant, expires_at);
        Ok(issue)
    }

    /// Refreshes (RFC 6749 §6). With rotation the token is spent and a new one
    /// comes with the answer; a spent one that the grace period does not admit
    /// ends the whole family (RFC 9700 §4.14.2).
    pub(crate) fn refresh(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &Refresh<'_>,
    ) -> Result<Issue, GrantError> {
        let lifetimes = self.lifetimes;
        let mut against = Vec::new();
        let (id, standing) = self
            .find_refresh_token(now, request.refresh_token)
            .ok_or(GrantError::UnknownRefreshToken)?;
        let grant = self.grants.get_mut(now, &id).ok_or(GrantError::UnknownRefreshToken)?;
        if grant.authorization.client_id != *request.client_id && !self.broken.breaks(Rule::RefreshClient, &mut against)
        {
            return Err(GrantError::RefreshTokenOfOtherClient);
        }
        let index = match standing {
            Standing::Live(index) => index,
            Standing::Expired => return Err(GrantError::UnknownRefreshToken),
            Standing::Spent => {
                if let Some(rule) = self.rule_for_refresh_again(request) {
                    return self.refresh_again(now, randomness, id, rule);
                }
                if !self.broken.is_broken(Rule::RefreshReuseRevokes) {
                    self.grants.remove(now, &id);
                }
                return Err(GrantError::RefreshTokenReused);
            }
        };
        let scope = match request.scope {
            None => grant.authorization.scope.clone(),
            Some(scope) if scope.is_subset_of(&grant.authorization.scope) => scope.clone(),
            Some(scope) if self.broken.breaks(Rule::RefreshScope, &mut against) => scope.clone(),
            Some(_) => return Err(GrantError::Scope),
        };
        let resource = narrowed_resource(&grant.authorization.resource, request.resource)?;
        if self.broken.is_broken(Rule::RefreshWorks) {
            return Err(GrantError::OnPurpose(Rule::RefreshWorks));
        }
        let mut expires_at = now.plus_seconds(lifetimes.access_token_s);
        let mut successor = None;
        if lifetimes.rotate {
            let presented =
                Presented::read(request.refresh_token, &[FAMILY_BYTES]).ok_or(GrantError::UnknownRefreshToken)?;
            let (refresh_token, hash) = draw_token(randomness, &[&id.0, presented.family()])?;
            let refresh_expires_at = now.plus_seconds(lifetimes.refresh_token_s);
            expires_at = expires_at.max(refresh_expires_at);
            grant.refresh_tokens[index].spent_at.get_or_insert(now);
            grant
                .refresh_tokens
                .retain(|token| !token.is_spent_beyond(now, lifetimes.refresh_grace_s));
            if grant.refresh_tokens.len() == MAX_REFRESH_TOKENS {
                grant.refresh_tokens.remove(0);
            }
            grant.refresh_tokens.push(RefreshToken {
                token: hash,
                expires_at: refresh_expires_at,
                spent_at: None,
            });
            successor = Some(refresh_token);
        } else {
            self.broken.breaks(Rule::RefreshRotation, &mut against);
        }
        let with_id_token = grant.is_id_token_due(now, lifetimes.access_token_s, &scope);
        let mut issue = grant.issue(id, scope, resource, None, with_id_token, successor);
        issue.against = against;
        self.grants.extend(&id, expires_at);
        Ok(issue)
    }

    /// Whether the access token with this `jti` still stands.
    pub(crate) fn is_alive(&self, now: UnixSeconds, id: GrantId, serial: u64) -> bool {
        self.grants
            .get(now, &id)
            .is_some_and(|grant| !grant.revoked_access_tokens.contains(&serial))
    }

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

    /// Whose refresh token this is, or was; `None` where it is none of a living grant.
    pub(crate) fn client_of_refresh_token(&self, now: UnixSeconds, token: &Secret) -> Option<&ClientId> {
        let (id, _) = self.find_refresh_token(now, token)?;
        self.grants.get(now, &id).map(|grant| &grant.authorization.client_id)
    }

    /// Revokes a refresh token and with it every token of its grant (RFC 7009
    /// §2.1), except for those that broken rules let live.
    pub(crate) fn revoke_refresh_token(&mut self, now: UnixSeconds, token: &Secret, against: &mut Vec<Rule>) {
        let keeps_refresh_tokens = self.broken.breaks(Rule::RevocationRefresh, against);
        let keeps_access_tokens = self.broken.breaks(Rule::RevocationCascade, against);
        if keeps_refresh_tokens || keeps_access_tokens {
            self.end_in_part(now, token, keeps_refresh_tokens, keeps_access_tokens);
        } else {
            self.end(now, token);
        }
    }

    /// Ends the grant of this refresh token.
    pub(crate) fn end(&mut self, now: UnixSeconds, token: &Secret) {
        if let Some((id, _)) = self.find_refresh_token(now, token) {
            self.grants.remove(now, &id);
        }
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

    fn find_refresh_token(&self, now: UnixSeconds, token: &Secret) -> Option<(GrantId, Standing)> {
        let presented = Presented::read(token, &[FAMILY_BYTES])?;
        let grant = self.grants.get(now, &presented.id)?;
        if !grant.family.is_of(presented.family()) {
            return None;
        }
        let known = grant
            .refresh_tokens
            .iter()
            .position(|token| token.token.is_of(&presented.bytes));
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

impl Grant {
    /// Whether an ID token is wanted, and the last one has lived half its
    /// life. So a code brings one, and a refresh that comes when it should
    /// brings a new one; the others need not (OpenID Connect Core §12.2), and
    /// an RSA signature costs more than all the rest of a refresh.
    fn is_id_token_due(&mut self, now: UnixSeconds, lifetime_s: i64, scope: &Scope) -> bool {
        let is_old = |issued_at| now.seconds_since(issued_at) >= lifetime_s / 2;
        let is_due = scope.contains("openid") && self.id_token_issued_at.is_none_or(is_old);
        if is_due {
            self.id_token_issued_at = Some(now);
        }
        is_due
    }

    fn issue(
        &mut self,
        id: GrantId,
        scope: Scope,
        resource: Vec<Resource>,
        nonce: Option<String>,
        with_id_token: bool,
        refresh_token: Option<Secret>,
    ) -> Issue {
        self.serial += 1;
        Issue {
            client_id: self.authorization.client_id.clone(),
            subject: self.authorization.subject.clone(),
            scope,
            resource,
            nonce,
            with_id_token,
            auth_time: self.authorization.auth_time,
            token_id: id.token_id(self.serial),
            refresh_token,
            against: Vec::new(),
        }
    }
}

impl RefreshToken {
    fn is_spent_beyond(&self, now: UnixSeconds, grace_s: i64) -> bool {
        self.spent_at
            .is_some_and(|spent_at| now.seconds_since(spent_at) >= grace_s)
    }
}

/// Whether the verifier hashes into the challenge (RFC 7636 §4.6).
fn prove(authorization: &Authorization, request: &Redemption<'_>) -> Result<(), GrantError> {
    let code_verifier = request.code_verifier.ok_or(GrantError::NoVerifier)?;
    if authorization.code_challenge.matches(code_verifier) {
        Ok(())
    } else {
        Err(GrantError::WrongVerifier)
    }
}

/// What is to be said of a refresh token of a living grant.
enum Standing {
    /// It may be used; its place in the list.
    Live(usize),
    Expired,
    /// It was used before, or never issued to somebody who knows the family.
    Spent,
}

/// The bytes of a presented code or refresh token.
struct Presented {
    id: GrantId,
    bytes: Vec<u8>,
}

impl Presented {
    /// Reads a token that consists of the grant's id, parts of these lengths, and the secret.
    fn read(token: &Secret, parts: &[usize]) -> Option<Self> {
        let bytes = from_base64url(token.expose())?;
        if bytes.len() != GRANT_ID_BYTES + parts.iter().sum::<usize>() + SECRET_BYTES {
            return None;
        }
        let id = GrantId(bytes[..GRANT_ID_BYTES].try_into().ok()?);
        Some(Presented { id, bytes })
    }

    fn family(&self) -> &[u8] {
        &self.bytes[GRANT_ID_BYTES..GRANT_ID_BYTES + FAMILY_BYTES]
    }
}

impl Drop for Presented {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

fn draw_token(randomness: &mut dyn Randomness, parts: &[&[u8]]) -> Result<(Secret, Hash), RandomnessFailed> {
    let mut secret = [0; SECRET_BYTES];
    randomness.fill(&mut secret)?;
    let mut bytes = parts.concat();
    bytes.extend_from_slice(&secret);
    let drawn = (Secret::new(base64url(&bytes)), Hash::of(&bytes));
    secret.zeroize();
    bytes.zeroize();
    Ok(drawn)
}

/// The resources of one token: all that were granted, or those of them that were asked for.
fn narrowed_resource(granted: &[Resource], asked: &[Resource]) -> Result<Vec<Resource>, GrantError> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    if asked.iter().all(|resource| granted.contains(resource)) {
        Ok(asked.to_vec())
    } else {
        Err(GrantError::Resource)
    }
}
