//! One grant: what a resource owner agreed to, and the tokens that came of it.

use super::error::GrantError;
use super::opaque_token::{GrantId, Hash};
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::client::ClientId;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;
use crate::server::confirmation::Confirmation;
use crate::server::violations::deviation::ChallengeOverride;

/// What a token request with a code must show (RFC 6749 §4.1.3, RFC 7636 §4.4).
#[derive(Debug, Clone)]
pub(crate) struct CodeBinding {
    pub(crate) redirect_uri: RedirectUri,
    /// Whether the authorization request named it; then the token request must, too.
    pub(crate) redirect_uri_sent: bool,
    pub(crate) code_challenge: CodeChallenge,
    /// Instead of the challenge, where a rule about it is violated.
    pub(crate) challenge_override: Option<ChallengeOverride>,
    /// The key that alone redeems it (RFC 9449 §10).
    pub(crate) dpop_jkt: Option<String>,
}

/// What a token request proved to hold: a key (RFC 9449 §5), a certificate (RFC 8705 §3).
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestKey<'a> {
    pub(crate) confirmation: &'a Confirmation,
    /// Whether refresh tokens are bound to it, too: those of a client that has
    /// nothing else to prove itself with.
    pub(crate) binds_refresh_tokens: bool,
}

impl RequestKey<'_> {
    /// The key of the request's DPoP proof.
    pub(super) fn thumbprint(&self) -> Option<&str> {
        self.confirmation.key.as_deref()
    }

    /// What refresh tokens are bound to from now on.
    pub(super) fn for_refresh_tokens(self) -> Option<Confirmation> {
        let is_bound = self.binds_refresh_tokens && !self.confirmation.is_empty();
        is_bound.then(|| self.confirmation.clone())
    }
}

/// What one token response is to hold beside the access token.
#[derive(Default)]
pub(super) struct TokenAnswer {
    pub(super) scope: Scope,
    pub(super) resource: Vec<Resource>,
    pub(super) nonce: Option<String>,
    pub(super) with_id_token: bool,
    pub(super) refresh_token: Option<Secret>,
}

/// Who may do what: all that tokens are made from, however they are requested.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) client_id: ClientId,
    pub(crate) scope: Scope,
    pub(crate) resource: Vec<Resource>,
    /// What was agreed to in detail (RFC 9396).
    pub(crate) authorization_details: Option<AuthorizationDetails>,
    pub(crate) nonce: Option<String>,
    /// The user's name, or the client's where it acts for itself (RFC 9068 §2.2).
    pub(crate) subject: String,
    /// When the user signed in, where one did.
    pub(crate) auth_time: Option<UnixSeconds>,
    /// What refresh tokens are bound to (RFC 9449 §5, RFC 8705 §4).
    pub(crate) refresh_key: Option<Confirmation>,
}

/// A code, known by its hash, and what redeems it.
pub(super) struct BoundCode {
    pub(super) hash: Hash,
    pub(super) binding: CodeBinding,
}

pub(super) struct Grant {
    /// The redeemed one, so that its reuse is known for what it is.
    pub(super) code: Option<BoundCode>,
    pub(super) authorization: Authorization,
    /// The part that all refresh tokens of this grant share: who presents
    /// it has had one of them.
    pub(super) family: Hash,
    pub(super) refresh_tokens: Vec<RefreshToken>,
    /// Access tokens issued so far.
    pub(super) serial: u64,
    /// When the last ID token was.
    pub(super) id_token_issued_at: Option<UnixSeconds>,
    pub(super) revoked_access_tokens: Vec<u64>,
}

pub(super) struct RefreshToken {
    pub(super) token: Hash,
    pub(super) expires_at: UnixSeconds,
    pub(super) spent_at: Option<UnixSeconds>,
}

/// What a token response is made from.
pub(crate) struct IssuedTokens {
    pub(crate) client_id: ClientId,
    pub(crate) subject: String,
    pub(crate) scope: Scope,
    pub(crate) resource: Vec<Resource>,
    pub(crate) authorization_details: Option<AuthorizationDetails>,
    /// For the ID token; only the first one carries it.
    pub(crate) nonce: Option<String>,
    pub(crate) with_id_token: bool,
    pub(crate) auth_time: Option<UnixSeconds>,
    pub(crate) token_id: String,
    /// `None` where the old one stays.
    pub(crate) refresh_token: Option<Secret>,
    /// What the access token is bound to.
    pub(crate) confirmation: Confirmation,
    /// Who acts for the subject (RFC 8693 §4.1).
    pub(crate) actor: Option<String>,
    /// What kind of token it is, where it came of an exchange (RFC 8693 §2.2.1).
    pub(crate) issued_token_type: Option<TokenTypeUri>,
}

impl Grant {
    /// A grant that has had no tokens yet. `family` is not a family where no refresh token is issued.
    pub(super) fn new(
        code: Option<BoundCode>,
        authorization: Authorization,
        family: Hash,
        refresh_tokens: Vec<RefreshToken>,
    ) -> Self {
        Grant {
            code,
            authorization,
            family,
            refresh_tokens,
            serial: 0,
            id_token_issued_at: None,
            revoked_access_tokens: Vec::new(),
        }
    }

    /// Whether this code was redeemed for it.
    pub(super) fn has_code(&self, bytes: &[u8]) -> bool {
        self.code.as_ref().is_some_and(|code| code.hash.matches(bytes))
    }

    /// Whether an ID token is wanted, and the last one has lived half its
    /// life. So a code brings one, and a refresh that comes when it should
    /// brings a new one; the others need not (OpenID Connect Core §12.2), and
    /// an RSA signature costs more than all the rest of a refresh.
    pub(super) fn is_id_token_due(&mut self, now: UnixSeconds, lifetime_s: i64, scope: &Scope) -> bool {
        let is_old = |issued_at| now.seconds_since(issued_at) >= lifetime_s / 2;
        let is_due = scope.contains("openid") && self.id_token_issued_at.is_none_or(is_old);
        if is_due {
            self.id_token_issued_at = Some(now);
        }
        is_due
    }

    pub(super) fn issue(&mut self, id: GrantId, answer: TokenAnswer) -> IssuedTokens {
        let TokenAnswer {
            scope,
            resource,
            nonce,
            with_id_token,
            refresh_token,
        } = answer;
        self.serial += 1;
        IssuedTokens {
            client_id: self.authorization.client_id.clone(),
            subject: self.authorization.subject.clone(),
            scope,
            resource,
            authorization_details: self.authorization.authorization_details.clone(),
            nonce,
            with_id_token,
            auth_time: self.authorization.auth_time,
            token_id: id.token_id(self.serial),
            refresh_token,
            confirmation: Confirmation::default(),
            actor: None,
            issued_token_type: None,
        }
    }

    /// Ends all access tokens issued so far.
    pub(super) fn revoke_access_tokens(&mut self) {
        self.revoked_access_tokens = (1..=self.serial).collect();
    }

    /// Ends all refresh tokens.
    pub(super) fn revoke_refresh_tokens(&mut self) {
        self.refresh_tokens.clear();
        // So that those that were given are not even known as spent.
        self.family = Hash::of_nothing();
    }
}

impl RefreshToken {
    pub(super) fn is_spent_beyond(&self, now: UnixSeconds, grace_s: i64) -> bool {
        self.spent_at
            .is_some_and(|spent_at| now.seconds_since(spent_at) >= grace_s)
    }
}

/// The resources of one token: all that were granted, or those of them that were asked for.
pub(super) fn narrow_resource(granted: &[Resource], asked: &[Resource]) -> Result<Vec<Resource>, GrantError> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    if asked.iter().all(|resource| granted.contains(resource)) {
        Ok(asked.to_vec())
    } else {
        Err(GrantError::Resource)
    }
}
