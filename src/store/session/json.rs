//! The record on disk: JSON that borrows, so that no second copy of a secret
//! is made while it is written, and whose texts are parsed where it is read.

use super::client_json::RecordClient;
use super::end::{SessionEnd, Suspension};
use super::error::{RECORD_VERSION, SessionError};
use super::json_text::{
    borrowed, endpoint_text, exposed, owned, parse_details, parse_endpoint, parse_issuer, parse_optional,
    parse_resources, parse_scope, secret,
};
use super::record::{RequestedAccess, Session, SessionClient, SessionEndpoints};
use super::registration::RecordRegistration;
use super::renewal_json::RecordRenewal;
use super::role_credentials::RoleCredentials;
use super::role_json::RecordRole;
use super::token::StoredToken;
use crate::protocol::id_token::FirstClaims;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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
    /// [`SessionError::NewerVersion`], [`SessionError::Unusable`], or
    /// [`SessionError::Malformed`] for anything else that is not a record.
    pub fn decode(text: &str) -> Result<Session, SessionError> {
        match serde_json::from_str::<Record<'_>>(text) {
            Ok(record) if record.v == RECORD_VERSION => record.parse(),
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
}

#[derive(Deserialize)]
struct RecordVersion {
    v: u64,
}

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    v: u64,
    generation: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client: RecordClient<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    registration: Option<RecordRegistration<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    api: Option<Cow<'a, str>>,
    #[serde(borrow)]
    endpoints: RecordEndpoints<'a>,
    #[serde(borrow)]
    asked: RecordRequest<'a>,
    renewal: RecordRenewal,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dpop_key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    certificate_bound: bool,
    /// As JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization_details: Option<String>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id_token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    subject_is_unverified: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dead: Option<RecordEnd<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    suspended: Option<RecordSuspension<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_expires_at: Option<i64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    first_claims: Option<RecordFirstClaims<'a>>,
    #[serde(borrow)]
    tokens: Vec<RecordToken<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    role_credentials: Vec<RecordRole<'a>>,
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
struct RecordRequest<'a> {
    #[serde(default)]
    scope: Cow<'a, [String]>,
    #[serde(default)]
    resource: Vec<String>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    audience: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct RecordEnd<'a> {
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
    resource: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Cow<'a, [String]>>,
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    narrowed_to: Cow<'a, [String]>,
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow)]
    token_type: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_at: Option<i64>,
}

impl<'a> From<&'a Session> for Record<'a> {
    fn from(session: &'a Session) -> Self {
        Record {
            v: RECORD_VERSION,
            generation: session.generation,
            issuer: session.issuer.as_ref().map(|issuer| Cow::Borrowed(issuer.as_str())),
            client: RecordClient::from(&session.client),
            registration: session.registration.as_ref().map(RecordRegistration::from),
            api: endpoint_text(&session.api),
            endpoints: RecordEndpoints {
                token: Cow::Borrowed(session.token_endpoint.url().as_str()),
                revocation: endpoint_text(&session.endpoints.revocation),
                introspection: endpoint_text(&session.endpoints.introspection),
                userinfo: endpoint_text(&session.endpoints.userinfo),
                jwks_uri: endpoint_text(&session.endpoints.jwks_uri),
            },
            asked: RecordRequest {
                scope: Cow::Borrowed(session.requested.scope.tokens()),
                resource: session.requested.resource.iter().map(Resource::to_string).collect(),
                audience: borrowed(&session.requested.audience),
            },
            renewal: RecordRenewal::from(&session.renewal),
            refresh_token: exposed(&session.refresh_token),
            dpop_key: exposed(&session.dpop_key),
            certificate_bound: session.client.certificate_bound,
            authorization_details: session.authorization_details.as_ref().map(ToString::to_string),
            id_token: exposed(&session.id_token),
            subject: borrowed(&session.subject),
            subject_is_unverified: session.subject_is_unverified,
            dead: session.dead.as_ref().map(RecordEnd::from),
            suspended: session.suspended.as_ref().map(|suspended| RecordSuspension {
                claim: Cow::Borrowed(&suspended.claim),
                expected: Cow::Borrowed(&suspended.expected),
                found: Cow::Borrowed(&suspended.found),
            }),
            refresh_expires_at: session.refresh_expires_at.map(|at| at.0),
            first_claims: session.first_claims.as_ref().map(|first| RecordFirstClaims {
                nonce: borrowed(&first.nonce),
                auth_time: first.auth_time.map(|at| at.0),
                azp: borrowed(&first.azp),
            }),
            tokens: session.tokens.iter().map(RecordToken::from).collect(),
            role_credentials: session.role_credentials.iter().map(RecordRole::from).collect(),
        }
    }
}

impl<'a> From<&'a SessionEnd> for RecordEnd<'a> {
    fn from(end: &'a SessionEnd) -> Self {
        RecordEnd {
            at: end.at.0,
            reason: Cow::Owned(end.reason()),
            error: borrowed(&end.error),
            error_description: borrowed(&end.description).filter(|_| end.error.is_some()),
        }
    }
}

impl<'a> From<&'a StoredToken> for RecordToken<'a> {
    fn from(token: &'a StoredToken) -> Self {
        RecordToken {
            resource: token.resource.iter().map(Resource::to_string).collect(),
            scope: token.scope.as_ref().map(|scope| Cow::Borrowed(scope.tokens())),
            narrowed_to: Cow::Borrowed(token.narrowed_to.tokens()),
            access_token: Cow::Borrowed(token.access_token.expose()),
            token_type: Cow::Borrowed(&token.token_type),
            issued_token_type: borrowed(&token.issued_token_type),
            expires_at: token.expires_at.map(|at| at.0),
            issued_at: token.issued_at.map(|at| at.0),
        }
    }
}

impl Record<'_> {
    fn parse(self) -> Result<Session, SessionError> {
        let endpoints = self.endpoints;
        Ok(Session {
            generation: self.generation,
            issuer: self.issuer.map(|issuer| parse_issuer(&issuer)).transpose()?,
            client: SessionClient {
                certificate_bound: self.certificate_bound,
                ..self.client.parse()?
            },
            registration: self.registration.map(RecordRegistration::parse).transpose()?,
            api: parse_optional(self.api, "API")?,
            token_endpoint: parse_endpoint(&endpoints.token, "token endpoint")?,
            endpoints: SessionEndpoints {
                revocation: parse_optional(endpoints.revocation, "revocation endpoint")?,
                introspection: parse_optional(endpoints.introspection, "introspection endpoint")?,
                userinfo: parse_optional(endpoints.userinfo, "userinfo endpoint")?,
                jwks_uri: parse_optional(endpoints.jwks_uri, "jwks_uri")?,
            },
            requested: RequestedAccess {
                scope: parse_scope(self.asked.scope)?,
                resource: parse_resources(&self.asked.resource)?,
                audience: owned(self.asked.audience),
            },
            renewal: self.renewal.parse()?,
            refresh_token: secret(self.refresh_token),
            dpop_key: secret(self.dpop_key),
            authorization_details: parse_details(self.authorization_details)?,
            id_token: secret(self.id_token),
            subject: owned(self.subject),
            subject_is_unverified: self.subject_is_unverified,
            dead: self.dead.map(SessionEnd::from),
            suspended: self.suspended.map(|suspended| Suspension {
                claim: suspended.claim.into_owned(),
                expected: suspended.expected.into_owned(),
                found: suspended.found.into_owned(),
            }),
            refresh_expires_at: self.refresh_expires_at.map(UnixSeconds),
            first_claims: self.first_claims.map(|first| FirstClaims {
                nonce: owned(first.nonce),
                auth_time: first.auth_time.map(UnixSeconds),
                azp: owned(first.azp),
            }),
            tokens: self
                .tokens
                .into_iter()
                .map(RecordToken::parse)
                .collect::<Result<_, _>>()?,
            role_credentials: self.role_credentials.into_iter().map(RoleCredentials::from).collect(),
        })
    }
}

impl From<RecordEnd<'_>> for SessionEnd {
    fn from(end: RecordEnd<'_>) -> Self {
        let at = UnixSeconds(end.at);
        match owned(end.error) {
            None => SessionEnd::from_reason(at, &end.reason),
            error => SessionEnd {
                at,
                error,
                description: owned(end.error_description),
            },
        }
    }
}

impl RecordToken<'_> {
    fn parse(self) -> Result<StoredToken, SessionError> {
        Ok(StoredToken {
            resource: parse_resources(&self.resource)?,
            scope: self.scope.map(|scope| Scope::from_received_tokens(scope.into_owned())),
            narrowed_to: parse_scope(self.narrowed_to)?,
            access_token: Secret::new(self.access_token.into_owned()),
            token_type: self.token_type.into_owned(),
            issued_token_type: owned(self.issued_token_type),
            expires_at: self.expires_at.map(UnixSeconds),
            issued_at: self.issued_at.map(UnixSeconds),
        })
    }
}
