//! Access tokens (RFC 9068) and ID tokens (OpenID Connect Core §2): what their
//! claims say, and what an access token that comes back stands for.

use super::authorization_server::AuthorizationServer;
use super::broken::Entropy;
use super::grants::{GrantId, Issue};
use super::keys::{KeyError, Keys};
use super::route::Route;
use crate::protocol::abnf::base64url;
use crate::protocol::random::Randomness;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// `aud` and `client_id` are always there, but where that rule is broken.
#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    scope: &'a str,
    jti: &'a str,
    auth_time: i64,
    iat: i64,
    exp: i64,
}

/// One resource is a string, several are a list (RFC 7519 §4.1.3).
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(Vec<&'a str>),
}

#[derive(Serialize)]
struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    azp: &'a str,
    auth_time: i64,
    iat: i64,
    exp: i64,
    at_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

/// Longer than `sub` may be (OpenID Connect Core §2).
const SUBJECT_TOO_LONG_CHARS: usize = 256;

impl AuthorizationServer {
    /// Signs the tokens of one token response and writes its JSON (RFC 6749
    /// §5.1); notes in `against` which rules were broken.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn token_response(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        issue: &Issue,
        against: &mut Vec<Rule>,
    ) -> Result<Vec<u8>, KeyError> {
        let scope = issue.scope.to_string();
        let access_token = self.give_access_token(now, randomness, issue, &scope, against)?;
        let id_token = if issue.with_id_token && !self.broken.breaks(Rule::IdTokenPresent, against) {
            Some(self.give_id_token(now, randomness, issue, &access_token, against)?)
        } else {
            None
        };
        if let Some(id_token) = &id_token
            && self.broken.is_broken(Rule::UserinfoIdToken)
        {
            self.let_stand_for(now, id_token, access_token.clone(), Some(Route::Userinfo));
        }
        let refresh_token = match &issue.refresh_token {
            Some(token) if self.broken.breaks(Rule::TokenRefreshEntropy, against) => {
                Some(self.weaken(now, randomness, token.clone(), Entropy::Guessable)?)
            }
            Some(token) if self.broken.breaks(Rule::TokenRefreshEntropyMore, against) => {
                Some(self.weaken(now, randomness, token.clone(), Entropy::Middling)?)
            }
            other => other.clone(),
        };
        serde_json::to_vec(&TokenResponse {
            access_token: access_token.expose(),
            token_type: "Bearer",
            expires_in: self.access_token_lifetime_s,
            scope: &scope,
            refresh_token: refresh_token.as_ref().map(|token| token.expose().as_str()),
            id_token: id_token.as_ref().map(|token| token.expose().as_str()),
        })
        .map_err(|_| KeyError::Failed)
    }

    /// The access token as the client gets it.
    fn give_access_token(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        issue: &Issue,
        scope: &str,
        against: &mut Vec<Rule>,
    ) -> Result<Secret, KeyError> {
        self.broken.breaks(Rule::TokenLifetime, against);
        let claims = AccessTokenClaims {
            iss: self.issuer.as_str(),
            sub: &issue.subject,
            aud: Some(match issue.resource.as_slice() {
                _ if self.broken.breaks(Rule::TokenResource, against) => Audience::One(self.api.as_str()),
                [one] => Audience::One(one.as_str()),
                several => Audience::Several(several.iter().map(|resource| resource.as_str()).collect()),
            }),
            client_id: Some(issue.client_id.as_str()),
            scope,
            jti: &issue.token_id,
            auth_time: issue.auth_time.0,
            iat: now.0,
            exp: now.plus_seconds(self.access_token_lifetime_s).0,
        };
        let real = self.keys.sign_access_token(&claims)?;
        if self.broken.breaks(Rule::TokenEntropy, against) {
            return Ok(self.weaken(now, randomness, real, Entropy::Guessable)?);
        }
        if self.broken.breaks(Rule::TokenEntropyMore, against) {
            return Ok(self.weaken(now, randomness, real, Entropy::Middling)?);
        }
        let lacks_audience = self.broken.breaks(Rule::TokenAudience, against);
        let lacks_client = self.broken.breaks(Rule::TokenProfile, against);
        if !lacks_audience && !lacks_client {
            return Ok(real);
        }
        let given = self.keys.sign_access_token(&AccessTokenClaims {
            aud: claims.aud.filter(|_| !lacks_audience),
            client_id: claims.client_id.filter(|_| !lacks_client),
            ..claims
        })?;
        self.let_stand_for(now, &given, real, None);
        Ok(given)
    }

    /// The ID token; each claim asks whether its rule is to be broken.
    fn give_id_token(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        issue: &Issue,
        access_token: &Secret,
        against: &mut Vec<Rule>,
    ) -> Result<Secret, KeyError> {
        let broken = &self.broken;
        let issuer = self.issuer.as_str();
        let client_id = issue.client_id.as_str();
        broken.breaks(Rule::IdTokenSubject, against);
        let hashed = broken.choose(
            Rule::IdTokenAccessTokenHash,
            access_token.expose().as_str(),
            "another-token",
            against,
        );
        let expires_at = now.plus_seconds(self.access_token_lifetime_s);
        let (long_ago, yesterday) = (now.plus_seconds(-30 * DAY_S), now.plus_seconds(-DAY_S));
        let nonce = issue.nonce.as_deref();
        let claims = IdTokenClaims {
            iss: broken.choose(Rule::IdTokenIssuer, issuer, "https://other.example", against),
            sub: &self.subject_of(&issue.subject),
            aud: broken.choose(Rule::IdTokenAudience, client_id, "another-client", against),
            azp: broken.choose(Rule::IdTokenAuthorizedParty, client_id, "another-client", against),
            auth_time: issue.auth_time.0,
            iat: broken.choose(Rule::IdTokenIssuedAt, now, long_ago, against).0,
            exp: broken.choose(Rule::IdTokenExpiry, expires_at, yesterday, against).0,
            at_hash: &access_token_hash(hashed),
            nonce: nonce.map(|nonce| broken.choose(Rule::IdTokenNonce, nonce, "another-nonce", against)),
        };
        if broken.breaks(Rule::IdTokenSigned, against) {
            return self.keys.leave_unsigned(randomness, &claims);
        }
        if broken.breaks(Rule::IdTokenKeyReference, against) {
            return self.keys.sign_id_token_without_key_id(randomness, &claims);
        }
        let token = self.keys.sign_id_token(randomness, &claims)?;
        if broken.breaks(Rule::IdTokenSignature, against) {
            let other_claims = IdTokenClaims { iat: 0, ..claims };
            let other = self.keys.sign_id_token(randomness, &other_claims)?;
            return Ok(with_signature_of(&token, &other));
        }
        Ok(token)
    }

    /// The subject of a user, in ID tokens and at the userinfo endpoint.
    pub(crate) fn subject_of(&self, user: &str) -> String {
        if self.broken.is_broken(Rule::IdTokenSubject) {
            format!("{user:x<SUBJECT_TOO_LONG_CHARS$}")
        } else {
            user.to_owned()
        }
    }
}

const DAY_S: i64 = 24 * 3600;

/// A token with the signature of another one.
fn with_signature_of(token: &Secret, other: &Secret) -> Secret {
    let parts = token.expose().rsplit_once('.').zip(other.expose().rsplit_once('.'));
    Secret::new(parts.map_or_else(String::new, |((input, _), (_, signature))| {
        format!("{input}.{signature}")
    }))
}

/// The left half of the SHA-256 (OpenID Connect Core §3.1.3.6).
fn access_token_hash(access_token: &str) -> String {
    base64url(&Sha256::digest(access_token.as_bytes())[..16])
}

/// What an access token of this server says, when it has not expired. Whether
/// it was revoked, the grants know.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) subject: String,
    pub(crate) client_id: String,
    pub(crate) audience: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) token_id: String,
    pub(crate) grant: GrantId,
    pub(crate) serial: u64,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

impl AccessToken {
    /// Checks signature, issuer and expiry (RFC 9068 §4); `None` for everything else.
    pub(crate) fn verify(keys: &Keys, issuer: &str, now: UnixSeconds, token: &str) -> Option<Self> {
        let claims = keys.verify_access_token(token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let expires_at = number("exp").filter(|expires_at| *expires_at > now.0)?;
        if text("iss") != Some(issuer) {
            return None;
        }
        let audience = match claims.get("aud")? {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => return None,
        };
        let (grant, serial) = GrantId::of_token_id(text("jti")?)?;
        Some(AccessToken {
            subject: text("sub")?.to_owned(),
            client_id: text("client_id")?.to_owned(),
            audience,
            scope: Scope::parse(text("scope")?).ok()?,
            token_id: text("jti")?.to_owned(),
            grant,
            serial,
            issued_at: number("iat")?,
            expires_at,
        })
    }
}
