//! Access tokens (RFC 9068) and ID tokens (OpenID Connect Core §2): what their
//! claims say, and what an access token that comes back stands for.

use super::grants::{GrantId, Issue};
use super::keys::{KeyError, Keys};
use crate::protocol::random::Randomness;
use crate::protocol::scope::Scope;
use crate::protocol::syntax::base64url;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    client_id: &'a str,
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

/// Signs the tokens of one token response and writes its JSON (RFC 6749 §5.1).
///
/// # Errors
/// [`KeyError`].
pub(crate) fn token_response(
    keys: &Keys,
    issuer: &str,
    lifetime_s: i64,
    now: UnixSeconds,
    randomness: &mut dyn Randomness,
    issue: &Issue,
) -> Result<Vec<u8>, KeyError> {
    let scope = issue.scope.to_string();
    let expires_at = now.plus_seconds(lifetime_s).0;
    let access_token = keys.sign_access_token(&AccessTokenClaims {
        iss: issuer,
        sub: &issue.subject,
        aud: match issue.resource.as_slice() {
            [one] => Audience::One(one.as_str()),
            several => Audience::Several(several.iter().map(|resource| resource.as_str()).collect()),
        },
        client_id: issue.client_id.as_str(),
        scope: &scope,
        jti: &issue.token_id,
        auth_time: issue.auth_time.0,
        iat: now.0,
        exp: expires_at,
    })?;
    let id_token = if issue.with_id_token {
        let claims = IdTokenClaims {
            iss: issuer,
            sub: &issue.subject,
            aud: issue.client_id.as_str(),
            azp: issue.client_id.as_str(),
            auth_time: issue.auth_time.0,
            iat: now.0,
            exp: expires_at,
            at_hash: &access_token_hash(&access_token),
            nonce: issue.nonce.as_deref(),
        };
        Some(keys.sign_id_token(randomness, &claims)?)
    } else {
        None
    };
    serde_json::to_vec(&TokenResponse {
        access_token: access_token.expose(),
        token_type: "Bearer",
        expires_in: lifetime_s,
        scope: &scope,
        refresh_token: issue.refresh_token.as_ref().map(|token| token.expose().as_str()),
        id_token: id_token.as_ref().map(|token| token.expose().as_str()),
    })
    .map_err(|_| KeyError::Failed)
}

/// The left half of the SHA-256 (OpenID Connect Core §3.1.3.6).
fn access_token_hash(access_token: &Secret) -> String {
    base64url(&Sha256::digest(access_token.expose().as_bytes())[..16])
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
