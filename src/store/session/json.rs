//! The record on disk: JSON that borrows, so that no second copy of a secret
//! is made while it is written, and whose texts are parsed where it is read.

use super::end::{SessionEnd, Suspension};
use super::error::{RECORD_VERSION, SessionError};
use super::record::{RequestedAccess, Session, SessionClient, SessionEndpoints};
use super::registration::RecordRegistration;
use super::renewal_json::{RecordRenewal, parse_source};
use super::role_credentials::{RoleCredentials, RoleIdentity};
use super::token::StoredToken;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::client::{AssertionParameters, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
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
struct RecordClient<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    auth_method: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    secret: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    certificate_chain: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    assertion_audience: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    assertion_alg: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    assertion_source: Option<Cow<'a, str>>,
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
struct RecordRole<'a> {
    #[serde(borrow)]
    role_arn: Cow<'a, str>,
    #[serde(borrow)]
    session_name: Cow<'a, str>,
    duration_s: u32,
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Cow<'a, str>,
    expires_at: i64,
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

impl<'a> From<&'a SessionClient> for RecordClient<'a> {
    fn from(client: &'a SessionClient) -> Self {
        RecordClient {
            id: Cow::Borrowed(client.id.as_str()),
            auth_method: Cow::Borrowed(client.method.as_str()),
            secret: exposed(&client.secret),
            key: exposed(&client.key),
            certificate_chain: borrowed(&client.certificate_chain),
            assertion_audience: client
                .assertion
                .as_ref()
                .map(|assertion| Cow::Borrowed(assertion.audience.as_str())),
            assertion_alg: client
                .assertion
                .as_ref()
                .and_then(|assertion| borrowed(&assertion.algorithm)),
            assertion_source: client
                .assertion_source
                .as_ref()
                .map(|source| Cow::Owned(source.to_string())),
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

impl<'a> From<&'a RoleCredentials> for RecordRole<'a> {
    fn from(role: &'a RoleCredentials) -> Self {
        RecordRole {
            role_arn: Cow::Borrowed(&role.identity.role_arn),
            session_name: Cow::Borrowed(&role.identity.session_name),
            duration_s: role.identity.duration_s,
            endpoint: Cow::Borrowed(&role.identity.endpoint),
            access_key_id: Cow::Borrowed(&role.access_key_id),
            secret_access_key: Cow::Borrowed(role.secret_access_key.expose()),
            session_token: Cow::Borrowed(role.session_token.expose()),
            expires_at: role.expires_at.0,
        }
    }
}

impl From<RecordRole<'_>> for RoleCredentials {
    fn from(role: RecordRole<'_>) -> Self {
        RoleCredentials {
            identity: RoleIdentity {
                role_arn: role.role_arn.into_owned(),
                session_name: role.session_name.into_owned(),
                duration_s: role.duration_s,
                endpoint: role.endpoint.into_owned(),
            },
            access_key_id: role.access_key_id.into_owned(),
            secret_access_key: Secret::new(role.secret_access_key.into_owned()),
            session_token: Secret::new(role.session_token.into_owned()),
            expires_at: UnixSeconds(role.expires_at),
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

impl RecordClient<'_> {
    fn parse(self) -> Result<SessionClient, SessionError> {
        let id = match self.id.is_empty() {
            true => ClientId::unnamed(),
            false => ClientId::parse(&self.id).map_err(|_| SessionError::Unusable("client_id"))?,
        };
        let method: Result<ClientAuthenticationMethod, _> = self.auth_method.parse();
        Ok(SessionClient {
            id,
            method: method.map_err(|_| SessionError::Unusable("client authentication method"))?,
            secret: secret(self.secret),
            key: secret(self.key),
            certificate_chain: owned(self.certificate_chain),
            certificate_bound: false,
            assertion: self.assertion_audience.map(|audience| AssertionParameters {
                audience: audience.into_owned(),
                algorithm: owned(self.assertion_alg),
            }),
            assertion_source: self.assertion_source.map(|source| parse_source(&source)).transpose()?,
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

fn borrowed(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

fn exposed(secret: &Option<Secret>) -> Option<Cow<'_, str>> {
    secret.as_ref().map(|secret| Cow::Borrowed(secret.expose().as_str()))
}

fn endpoint_text(endpoint: &Option<Endpoint>) -> Option<Cow<'_, str>> {
    endpoint.as_ref().map(|endpoint| Cow::Borrowed(endpoint.url().as_str()))
}

fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}

fn secret(text: Option<Cow<'_, str>>) -> Option<Secret> {
    text.map(|text| Secret::new(text.into_owned()))
}

/// URLs were vetted when they were stored, so http stands there only where the
/// user allowed it.
fn parse_issuer(text: &str) -> Result<Issuer, SessionError> {
    Issuer::parse(text, HttpPolicy::Everywhere).map_err(|_| SessionError::Unusable("issuer"))
}

fn parse_endpoint(text: &str, member: &'static str) -> Result<Endpoint, SessionError> {
    Endpoint::parse(text, HttpPolicy::Everywhere).map_err(|_| SessionError::Unusable(member))
}

fn parse_optional(text: Option<Cow<'_, str>>, member: &'static str) -> Result<Option<Endpoint>, SessionError> {
    text.map(|text| parse_endpoint(&text, member)).transpose()
}

fn parse_details(text: Option<String>) -> Result<Option<AuthorizationDetails>, SessionError> {
    let details = text.map(|text| AuthorizationDetails::parse(&text)).transpose();
    details.map_err(|_| SessionError::Unusable("authorization_details"))
}

fn parse_scope(tokens: Cow<'_, [String]>) -> Result<Scope, SessionError> {
    Scope::from_tokens(tokens.iter().map(String::as_str)).map_err(|_| SessionError::Unusable("scope"))
}

fn parse_resources(resources: &[String]) -> Result<Vec<Resource>, SessionError> {
    let resources = resources.iter().map(|text| Resource::parse(text));
    resources
        .collect::<Result<_, _>>()
        .map_err(|_| SessionError::Unusable("resource"))
}
