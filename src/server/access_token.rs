//! Access tokens that come back (RFC 9068 §4).

use super::confirmation::Confirmation;
use super::grants::opaque_token::GrantId;
use super::keys::pair::Keys;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use serde_json::Value;

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
    /// What it is bound to.
    pub(crate) confirmation: Confirmation,
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
        let (grant, serial) = GrantId::from_token_id(text("jti")?)?;
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
            confirmation: Confirmation::read(&claims),
        })
    }
}
