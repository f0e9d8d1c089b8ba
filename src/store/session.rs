//! What is kept of a login: one record a profile, with all that refreshing and
//! revoking need, so that neither reads metadata again.
//!
//! The record is JSON with `"v":1`. Members that this version does not know
//! are ignored; a record with a higher `v` is refused, so that an older program
//! never rewrites what a newer one understands better. Errors name a position,
//! never a value.

use crate::foreign_text::{Quoted, WordOrQuoted};
pub use crate::protocol::grant::Renewal;
use crate::protocol::id_token::FirstClaims;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The version of the record that this program writes.
pub const RECORD_VERSION: u64 = 1;

/// A profile's record, strings as they are stored.
#[derive(Debug, Clone)]
pub struct Session {
    /// Goes up by one with every change, so that a reader sees that somebody
    /// else wrote in between.
    pub generation: u64,
    /// The issuer; `None` where only endpoints were given.
    pub issuer: Option<String>,
    /// Who we are for the server.
    pub client: SessionClient,
    /// Where to refresh, revoke and ask.
    pub endpoints: SessionEndpoints,
    /// What the login asked for.
    pub asked: Asked,
    /// How a new access token is had.
    pub renewal: Renewal,
    /// RFC 6749 §1.5.
    pub refresh_token: Option<Secret>,
    /// OpenID Connect Core §2.
    pub id_token: Option<Secret>,
    /// Who signed in, when known.
    pub subject: Option<String>,
    /// Set when the server has ended the session.
    pub dead: Option<SessionEnd>,
    /// Set when a refresh brought the ID token of another party.
    pub suspended: Option<Suspension>,
    /// When the refresh token ends, where the server said so.
    pub refresh_expires_at: Option<UnixSeconds>,
    /// What the first ID token said, where there was one.
    pub first_claims: Option<FirstClaims>,
    /// The first one is the main one; others were asked for a part of it.
    pub tokens: Vec<StoredToken>,
}

/// The client's identity at the server.
#[derive(Debug, Clone)]
pub struct SessionClient {
    /// RFC 6749 §2.2.
    pub id: String,
    /// A `token_endpoint_auth_method` (RFC 8414 §2), such as `none`.
    pub auth_method: String,
    /// The client secret, where there is one.
    pub secret: Option<Secret>,
}

/// The endpoints of the server, as they were when the session began.
#[derive(Debug, Clone)]
pub struct SessionEndpoints {
    /// RFC 6749 §3.2.
    pub token: String,
    /// RFC 7009 §2.
    pub revocation: Option<String>,
    /// RFC 7662 §2.
    pub introspection: Option<String>,
    /// OpenID Connect Core §5.3.
    pub userinfo: Option<String>,
    /// The server's keys (RFC 8414 §2).
    pub jwks_uri: Option<String>,
}

/// What was asked for, to be compared with the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Scope values, in order (RFC 6749 §3.3).
    pub scope: Vec<String>,
    /// Resource indicators, in order (RFC 8707 §2).
    pub resource: Vec<String>,
    /// The `audience` parameter of servers that use that name.
    pub audience: Option<String>,
}

/// The end of a session by the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// When it said so.
    pub at: UnixSeconds,
    /// Its `error`; `None` in a record that has only a text of another program.
    pub error: Option<String>,
    /// Its `error_description`, or that text.
    pub description: Option<String>,
}

impl SessionEnd {
    /// What the record's `reason` says. Records before the members `error` and
    /// `error_description` have nothing else: the error code, and the
    /// description in parentheses.
    fn from_reason(at: UnixSeconds, reason: &str) -> Self {
        let is_code = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let described = reason
            .split_once(" (")
            .and_then(|(code, rest)| Some((code, rest.strip_suffix(')')?)));
        let (error, description) = match described {
            Some((code, description)) if is_code(code) => (Some(code), Some(description)),
            None if is_code(reason) => (Some(reason), None),
            _ => (None, Some(reason)),
        };
        SessionEnd {
            at,
            error: error.map(str::to_owned),
            description: description.map(str::to_owned),
        }
    }

    /// The inverse of [`from_reason`](Self::from_reason).
    fn reason(&self) -> String {
        match (&self.error, &self.description) {
            (Some(error), Some(description)) => format!("{error} ({description})"),
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        }
    }

    /// The server's `error` and `error_description`.
    pub fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        Some((self.error.as_deref()?, self.description.as_deref()))
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.error, &self.description) {
            (Some(error), Some(description)) => {
                write!(formatter, "{} ({})", WordOrQuoted(error), Quoted::message(description))
            }
            (Some(error), None) => WordOrQuoted(error).fmt(formatter),
            (None, Some(description)) => Quoted::message(description).fmt(formatter),
            (None, None) => Ok(()),
        }
    }
}

/// A session whose refresh brought an ID token of another issuer, subject or
/// client: its tokens are kept, but not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// `iss`, `sub` or `aud`.
    pub claim: String,
    /// What the session is of.
    pub expected: String,
    /// What the ID token was of. Text from the network.
    pub found: String,
}

/// One access token.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// What it was asked for; empty when nothing was named.
    pub resource: Vec<String>,
    /// What was granted; `None` when the server did not say.
    pub scope: Option<Vec<String>>,
    /// What it was narrowed to; empty for all that was granted.
    pub narrowed_to: Vec<String>,
    pub access_token: Secret,
    /// As the server wrote it, such as `Bearer`.
    pub token_type: String,
    /// When it expires; `None` when the server did not say.
    pub expires_at: Option<UnixSeconds>,
    /// When it was received.
    pub issued_at: Option<UnixSeconds>,
}

/// Which access token of a session: by default the main one, else one for a
/// part of what was granted (RFC 6749 §6, RFC 8707 §2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// For these resources only; empty for all.
    pub resource: Vec<String>,
    /// With these scope values only; empty for all.
    pub scope: Vec<String>,
}

/// A record that cannot be read. It holds no part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Written by a newer program.
    #[error("the record has version {0}, and this program knows versions up to {RECORD_VERSION}")]
    NewerVersion(u64),
    /// Torn, or never a record.
    #[error("the record is not a session: byte {position} is where it breaks off or goes wrong")]
    Malformed {
        /// Counted from 1; 0 when it is the record as a whole.
        position: usize,
    },
}

impl Session {
    /// The record as it is stored.
    pub fn encode(&self) -> Secret {
        let record = Record::from(self);
        // A struct of strings and numbers has no way to fail; an empty record is refused when it is read
        Secret::new(serde_json::to_string(&record).unwrap_or_default())
    }

    /// Whether both are the same to the last token.
    pub fn is_same_as(&self, other: &Session) -> bool {
        self.encode().expose() == other.encode().expose()
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`SessionError::NewerVersion`], or [`SessionError::Malformed`] for anything else
    /// that is not a record.
    pub fn decode(text: &str) -> Result<Session, SessionError> {
        match serde_json::from_str::<Record<'_>>(text) {
            Ok(record) if record.v == RECORD_VERSION => Ok(record.into()),
            Ok(record) if record.v > RECORD_VERSION => Err(SessionError::NewerVersion(record.v)),
            Ok(_) => Err(SessionError::Malformed { position: 0 }),
            // A newer record need not have the members of this version
            Err(error) => match serde_json::from_str::<RecordVersion>(text) {
                Ok(RecordVersion { v }) if v > RECORD_VERSION => Err(SessionError::NewerVersion(v)),
                // The message of serde_json can quote the value that it found, so only the position is kept
                _ => Err(SessionError::Malformed {
                    position: error.column(),
                }),
            },
        }
    }

    /// Whether there is a token, or a way to get one. After a logout the
    /// record may stay for the client secret alone.
    pub fn is_signed_in(&self) -> bool {
        !self.tokens.is_empty() || self.can_renew()
    }

    /// Where the token for this part stands in [`tokens`](Self::tokens), if there is one.
    pub fn position_of(&self, part: &Part) -> Option<usize> {
        if self.is_full(part) {
            return (!self.tokens.is_empty()).then_some(0);
        }
        let resource = self.resource_of(part);
        let found =
            self.tokens.iter().skip(1).position(|token| {
                same_values(&token.resource, resource) && same_values(&token.narrowed_to, &part.scope)
            });
        found.map(|position| position + 1)
    }

    /// The token for this part.
    pub fn token(&self, part: &Part) -> Option<&StoredToken> {
        self.tokens.get(self.position_of(part)?)
    }

    /// Whether it is no part, but all that was asked for.
    pub fn is_full(&self, part: &Part) -> bool {
        same_values(self.resource_of(part), &self.asked.resource)
            && (part.scope.is_empty() || same_values(&part.scope, &self.asked.scope))
    }

    /// The resources of a part.
    pub fn resource_of<'a>(&'a self, part: &'a Part) -> &'a [String] {
        if part.resource.is_empty() {
            &self.asked.resource
        } else {
            &part.resource
        }
    }

    /// Whether a new access token can be had without the resource owner.
    pub fn can_renew(&self) -> bool {
        let is_over = self.dead.is_some() || self.suspended.is_some();
        !is_over && self.renewal.is_possible(self.refresh_token.is_some())
    }
}

/// Whether both have the same values, in whatever order.
fn same_values(one: &[String], other: &[String]) -> bool {
    one.iter().all(|value| other.contains(value)) && other.iter().all(|value| one.contains(value))
}

#[derive(Deserialize)]
struct RecordVersion {
    v: u64,
}

/// The record on disk. It borrows, so that no second copy of a secret is made while encoding.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    v: u64,
    generation: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client: RecordClient<'a>,
    #[serde(borrow)]
    endpoints: RecordEndpoints<'a>,
    #[serde(borrow)]
    asked: RecordAsked<'a>,
    renewal: RecordRenewal,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id_token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dead: Option<RecordDead<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    suspended: Option<RecordSuspension<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_expires_at: Option<i64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    first_claims: Option<RecordFirstClaims<'a>>,
    #[serde(borrow)]
    tokens: Vec<RecordToken<'a>>,
}

#[derive(Serialize, Deserialize)]
struct RecordClient<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    auth_method: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    secret: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct RecordEndpoints<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    revocation: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    introspection: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    userinfo: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct RecordAsked<'a> {
    #[serde(default)]
    scope: Cow<'a, [String]>,
    #[serde(default)]
    resource: Cow<'a, [String]>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    audience: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecordRenewal {
    None,
    RefreshToken,
    Grant,
}

#[derive(Serialize, Deserialize)]
struct RecordDead<'a> {
    at: i64,
    /// For programs that do not know the members below.
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    error_description: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct RecordSuspension<'a> {
    #[serde(borrow)]
    claim: Cow<'a, str>,
    #[serde(borrow)]
    expected: Cow<'a, str>,
    #[serde(borrow)]
    found: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct RecordFirstClaims<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    nonce: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    azp: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct RecordToken<'a> {
    #[serde(default)]
    resource: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Cow<'a, [String]>>,
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    narrowed_to: Cow<'a, [String]>,
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow)]
    token_type: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_at: Option<i64>,
}

fn shown(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

fn exposed(secret: &Option<Secret>) -> Option<Cow<'_, str>> {
    secret.as_ref().map(|secret| Cow::Borrowed(secret.expose().as_str()))
}

fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}

fn kept(secret: Option<Cow<'_, str>>) -> Option<Secret> {
    secret.map(|secret| Secret::new(secret.into_owned()))
}

impl<'a> From<&'a Session> for Record<'a> {
    fn from(session: &'a Session) -> Self {
        Record {
            v: RECORD_VERSION,
            generation: session.generation,
            issuer: shown(&session.issuer),
            client: RecordClient {
                id: Cow::Borrowed(&session.client.id),
                auth_method: Cow::Borrowed(&session.client.auth_method),
                secret: exposed(&session.client.secret),
            },
            endpoints: RecordEndpoints {
                token: Cow::Borrowed(&session.endpoints.token),
                revocation: shown(&session.endpoints.revocation),
                introspection: shown(&session.endpoints.introspection),
                userinfo: shown(&session.endpoints.userinfo),
                jwks_uri: shown(&session.endpoints.jwks_uri),
            },
            asked: RecordAsked {
                scope: Cow::Borrowed(&session.asked.scope),
                resource: Cow::Borrowed(&session.asked.resource),
                audience: shown(&session.asked.audience),
            },
            renewal: match session.renewal {
                Renewal::None => RecordRenewal::None,
                Renewal::RefreshToken => RecordRenewal::RefreshToken,
                Renewal::Grant => RecordRenewal::Grant,
            },
            refresh_token: exposed(&session.refresh_token),
            id_token: exposed(&session.id_token),
            subject: shown(&session.subject),
            dead: session.dead.as_ref().map(|dead| RecordDead {
                at: dead.at.0,
                reason: Cow::Owned(dead.reason()),
                error: shown(&dead.error),
                error_description: shown(&dead.description).filter(|_| dead.error.is_some()),
            }),
            suspended: session.suspended.as_ref().map(|suspended| RecordSuspension {
                claim: Cow::Borrowed(&suspended.claim),
                expected: Cow::Borrowed(&suspended.expected),
                found: Cow::Borrowed(&suspended.found),
            }),
            refresh_expires_at: session.refresh_expires_at.map(|at| at.0),
            first_claims: session.first_claims.as_ref().map(|first| RecordFirstClaims {
                nonce: shown(&first.nonce),
                auth_time: first.auth_time.map(|at| at.0),
                azp: shown(&first.azp),
            }),
            tokens: session.tokens.iter().map(RecordToken::from).collect(),
        }
    }
}

impl<'a> From<&'a StoredToken> for RecordToken<'a> {
    fn from(token: &'a StoredToken) -> Self {
        RecordToken {
            resource: Cow::Borrowed(&token.resource),
            scope: token.scope.as_deref().map(Cow::Borrowed),
            narrowed_to: Cow::Borrowed(&token.narrowed_to),
            access_token: Cow::Borrowed(token.access_token.expose()),
            token_type: Cow::Borrowed(&token.token_type),
            expires_at: token.expires_at.map(|at| at.0),
            issued_at: token.issued_at.map(|at| at.0),
        }
    }
}

impl From<Record<'_>> for Session {
    fn from(record: Record<'_>) -> Self {
        Session {
            generation: record.generation,
            issuer: owned(record.issuer),
            client: SessionClient {
                id: record.client.id.into_owned(),
                auth_method: record.client.auth_method.into_owned(),
                secret: kept(record.client.secret),
            },
            endpoints: SessionEndpoints {
                token: record.endpoints.token.into_owned(),
                revocation: owned(record.endpoints.revocation),
                introspection: owned(record.endpoints.introspection),
                userinfo: owned(record.endpoints.userinfo),
                jwks_uri: owned(record.endpoints.jwks_uri),
            },
            asked: Asked {
                scope: record.asked.scope.into_owned(),
                resource: record.asked.resource.into_owned(),
                audience: owned(record.asked.audience),
            },
            renewal: match record.renewal {
                RecordRenewal::None => Renewal::None,
                RecordRenewal::RefreshToken => Renewal::RefreshToken,
                RecordRenewal::Grant => Renewal::Grant,
            },
            refresh_token: kept(record.refresh_token),
            id_token: kept(record.id_token),
            subject: owned(record.subject),
            dead: record.dead.map(SessionEnd::from),
            suspended: record.suspended.map(|suspended| Suspension {
                claim: suspended.claim.into_owned(),
                expected: suspended.expected.into_owned(),
                found: suspended.found.into_owned(),
            }),
            refresh_expires_at: record.refresh_expires_at.map(UnixSeconds),
            first_claims: record.first_claims.map(|first| FirstClaims {
                nonce: owned(first.nonce),
                auth_time: first.auth_time.map(UnixSeconds),
                azp: owned(first.azp),
            }),
            tokens: record.tokens.into_iter().map(StoredToken::from).collect(),
        }
    }
}

impl From<RecordDead<'_>> for SessionEnd {
    fn from(dead: RecordDead<'_>) -> Self {
        let at = UnixSeconds(dead.at);
        match owned(dead.error) {
            None => SessionEnd::from_reason(at, &dead.reason),
            error => SessionEnd {
                at,
                error,
                description: owned(dead.error_description),
            },
        }
    }
}

impl From<RecordToken<'_>> for StoredToken {
    fn from(token: RecordToken<'_>) -> Self {
        StoredToken {
            resource: token.resource.into_owned(),
            scope: token.scope.map(Cow::into_owned),
            narrowed_to: token.narrowed_to.into_owned(),
            access_token: Secret::new(token.access_token.into_owned()),
            token_type: token.token_type.into_owned(),
            expires_at: token.expires_at.map(UnixSeconds),
            issued_at: token.issued_at.map(UnixSeconds),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// A session with every member filled.
    pub(in crate::store) fn full_session(generation: u64) -> Session {
        Session {
            generation,
            issuer: Some("https://id.example.com".to_owned()),
            client: SessionClient {
                id: "desktop".to_owned(),
                auth_method: "client_secret_basic".to_owned(),
                secret: Some(Secret::from("canary-client-secret")),
            },
            endpoints: SessionEndpoints {
                token: "https://id.example.com/token".to_owned(),
                revocation: Some("https://id.example.com/revoke".to_owned()),
                introspection: Some("https://id.example.com/introspect".to_owned()),
                userinfo: Some("https://id.example.com/userinfo".to_owned()),
                jwks_uri: Some("https://id.example.com/jwks".to_owned()),
            },
            asked: Asked {
                scope: vec!["openid".to_owned(), "offline_access".to_owned()],
                resource: vec!["https://api.example.com".to_owned()],
                audience: Some("api".to_owned()),
            },
            renewal: Renewal::RefreshToken,
            refresh_token: Some(Secret::from("canary-refresh-token")),
            id_token: Some(Secret::from("canary.id.token")),
            subject: Some("ümläut \"quoted\" \u{1f600}".to_owned()),
            dead: Some(SessionEnd {
                at: UnixSeconds(1_800_000_000),
                error: Some("invalid_grant".to_owned()),
                description: Some("Session (web) not active".to_owned()),
            }),
            suspended: Some(Suspension {
                claim: "sub".to_owned(),
                expected: "alice".to_owned(),
                found: "bob".to_owned(),
            }),
            refresh_expires_at: Some(UnixSeconds(1_900_000_000)),
            first_claims: Some(FirstClaims {
                nonce: Some("n".to_owned()),
                auth_time: Some(UnixSeconds(1_700_000_000)),
                azp: None,
            }),
            tokens: vec![
                StoredToken {
                    narrowed_to: Vec::new(),
                    resource: vec!["https://api.example.com".to_owned()],
                    scope: Some(vec!["openid".to_owned()]),
                    access_token: Secret::from("canary-access-token"),
                    token_type: "Bearer".to_owned(),
                    expires_at: Some(UnixSeconds(1_700_003_600)),
                    issued_at: Some(UnixSeconds(1_700_000_000)),
                },
                StoredToken {
                    narrowed_to: vec!["email".to_owned()],
                    resource: Vec::new(),
                    scope: None,
                    access_token: Secret::from("canary-second-access-token"),
                    token_type: "bearer".to_owned(),
                    expires_at: None,
                    issued_at: None,
                },
            ],
        }
    }

    /// A session with nothing that can be left out.
    fn bare_session() -> Session {
        Session {
            generation: 0,
            issuer: None,
            client: SessionClient {
                id: String::new(),
                auth_method: "none".to_owned(),
                secret: None,
            },
            endpoints: SessionEndpoints {
                token: "http://127.0.0.1/token".to_owned(),
                revocation: None,
                introspection: None,
                userinfo: None,
                jwks_uri: None,
            },
            asked: Asked {
                scope: Vec::new(),
                resource: Vec::new(),
                audience: None,
            },
            renewal: Renewal::None,
            refresh_token: None,
            id_token: None,
            subject: None,
            dead: None,
            suspended: None,
            refresh_expires_at: None,
            first_claims: None,
            tokens: Vec::new(),
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for session in [full_session(7), bare_session()] {
            let text = session.encode();
            let again = Session::decode(text.expose()).unwrap();
            assert_eq!(again.encode().expose(), text.expose());
            assert_eq!(again.tokens.len(), session.tokens.len());
            assert_eq!(again.dead, session.dead);
            assert_eq!(again.asked, session.asked);
            assert_eq!(again.subject, session.subject);
        }
    }

    #[test]
    fn the_record_has_the_members_that_others_rely_on() {
        let mut session = full_session(7);
        session.tokens.truncate(1);
        session.dead = None;
        session.suspended = None;
        session.refresh_expires_at = None;
        session.first_claims = None;
        session.subject = Some("alice".to_owned());
        assert_eq!(
            session.encode().expose(),
            concat!(
                r#"{"v":1,"generation":7,"issuer":"https://id.example.com","#,
                r#""client":{"id":"desktop","auth_method":"client_secret_basic","secret":"canary-client-secret"},"#,
                r#""endpoints":{"token":"https://id.example.com/token","revocation":"https://id.example.com/revoke","#,
                r#""introspection":"https://id.example.com/introspect","userinfo":"https://id.example.com/userinfo","#,
                r#""jwks_uri":"https://id.example.com/jwks"},"#,
                r#""asked":{"scope":["openid","offline_access"],"resource":["https://api.example.com"],"audience":"api"},"#,
                r#""renewal":"refresh_token","refresh_token":"canary-refresh-token","id_token":"canary.id.token","#,
                r#""subject":"alice","tokens":[{"resource":["https://api.example.com"],"scope":["openid"],"#,
                r#""access_token":"canary-access-token","token_type":"Bearer","expires_at":1700003600,"issued_at":1700000000}]}"#
            )
        );
    }

    #[test]
    fn the_end_of_a_session_is_stored_in_members_and_read_from_the_text_of_older_records() {
        let end = |error: Option<&str>, description: Option<&str>| SessionEnd {
            at: UnixSeconds(5),
            error: error.map(str::to_owned),
            description: description.map(str::to_owned),
        };
        for (stored, read) in [
            (r#""reason":"invalid_grant""#, end(Some("invalid_grant"), None)),
            (
                r#""reason":"invalid_grant (Session (web) not active)""#,
                end(Some("invalid_grant"), Some("Session (web) not active")),
            ),
            (
                r#""reason":"invalid_grants are many""#,
                end(None, Some("invalid_grants are many")),
            ),
            (
                r#""reason":"x","error":"invalid_grant","error_description":"(gone)""#,
                end(Some("invalid_grant"), Some("(gone)")),
            ),
        ] {
            let text = bare_session().encode();
            let dead = format!(r#""dead":{{"at":5,{stored}}},"tokens""#);
            let text = text.expose().replacen(r#""tokens""#, &dead, 1);
            assert_eq!(Session::decode(&text).unwrap().dead, Some(read), "{stored}");
        }
        for (end, stored) in [
            (
                end(Some("invalid_grant"), Some("gone")),
                r#""dead":{"at":5,"reason":"invalid_grant (gone)","error":"invalid_grant","error_description":"gone"}"#,
            ),
            (
                end(None, Some("another text")),
                r#""dead":{"at":5,"reason":"another text"}"#,
            ),
        ] {
            let mut session = bare_session();
            session.dead = Some(end);
            let text = session.encode();
            assert!(text.expose().contains(stored), "{}", text.expose());
        }
    }

    #[test]
    fn unknown_members_are_tolerated_and_newer_versions_are_not() {
        let text = bare_session().encode();
        let with_more = text.expose().replacen("{", r#"{"color":{"a":[1,2]},"#, 1);
        assert!(Session::decode(&with_more).is_ok());

        let newer = text.expose().replacen(r#""v":1"#, r#""v":2"#, 1);
        assert_eq!(Session::decode(&newer).unwrap_err(), SessionError::NewerVersion(2));
        // a newer record that shares nothing but its version
        assert_eq!(
            Session::decode(r#"{"v":7,"sealed":"…"}"#).unwrap_err(),
            SessionError::NewerVersion(7)
        );
    }

    #[test]
    fn every_truncation_and_other_nonsense_is_malformed_and_tells_no_value() {
        let text = full_session(7).encode();
        let text = text.expose();
        for (end, _) in text.char_indices() {
            let error = Session::decode(&text[..end]).unwrap_err();
            assert!(matches!(error, SessionError::Malformed { .. }), "{end}: {error}");
        }
        for nonsense in [
            "".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"v":0}"#.to_owned(),
            r#"{"v":-1}"#.to_owned(),
            text.replacen(r#""v":1"#, r#""v":0"#, 1),
            text.replacen(r#""generation":7"#, r#""generation":"canary-access-token""#, 1),
            text.replacen(r#""renewal":"refresh_token""#, r#""renewal":"canary-access-token""#, 1),
            format!("{text}canary-access-token"),
        ] {
            let error = Session::decode(&nonsense).unwrap_err();
            assert!(matches!(error, SessionError::Malformed { .. }), "{nonsense}: {error}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", full_session(1)).contains("canary"));
    }

    #[test]
    fn signed_in_means_a_token_or_a_way_to_get_one() {
        let client_secret_only = bare_session();
        assert!(!client_secret_only.is_signed_in());

        let mut renewable = bare_session();
        renewable.renewal = Renewal::RefreshToken;
        assert!(!renewable.is_signed_in(), "no refresh token");
        renewable.refresh_token = Some(Secret::from("r"));
        assert!(renewable.is_signed_in());
        renewable.dead = Some(SessionEnd {
            at: UnixSeconds(0),
            error: Some("invalid_grant".to_owned()),
            description: None,
        });
        assert!(!renewable.is_signed_in(), "dead");

        let mut own_grant = bare_session();
        own_grant.renewal = Renewal::Grant;
        assert!(own_grant.is_signed_in(), "the client credentials grant can be repeated");

        let mut with_token = full_session(1);
        with_token.refresh_token = None;
        assert!(with_token.is_signed_in() && !with_token.can_renew());
    }
}
