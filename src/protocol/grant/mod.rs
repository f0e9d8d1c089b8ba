//! What entitles a client to a token (RFC 6749 §1.3): one file and one variant
//! a grant type, for the client that sends it and for the server that reads it.

pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod jwt_bearer;
pub mod refresh_token;
pub mod token_exchange;

use super::citation::{Cited, RequestError};
use super::params::Params;
use super::scope::Scope;
use crate::secret::Secret;
use authorization_code::AuthorizationCodeGrant;
use client_credentials::ClientCredentialsGrant;
use device_code::DeviceCodeGrant;
use jwt_bearer::JwtBearerGrant;
use refresh_token::RefreshTokenGrant;
use token_exchange::TokenExchangeGrant;

/// What entitles the client to a token.
#[derive(Debug)]
pub enum Grant {
    /// RFC 6749 §4.1.3 with RFC 7636 §4.5.
    AuthorizationCode(AuthorizationCodeGrant),
    /// RFC 6749 §6.
    RefreshToken(RefreshTokenGrant),
    /// RFC 6749 §4.4.
    ClientCredentials(ClientCredentialsGrant),
    /// RFC 8628 §3.4.
    DeviceCode(DeviceCodeGrant),
    /// RFC 8693.
    TokenExchange(Box<TokenExchangeGrant>),
    /// RFC 7523 §2.1.
    JwtBearer(JwtBearerGrant),
}

impl Grant {
    /// The grant types that this program knows, by their names on the wire.
    pub const TYPES: [&'static str; 6] = [
        authorization_code::GRANT_TYPE,
        refresh_token::GRANT_TYPE,
        client_credentials::GRANT_TYPE,
        device_code::GRANT_TYPE,
        token_exchange::GRANT_TYPE,
        jwt_bearer::GRANT_TYPE,
    ];

    /// The name on the wire.
    pub fn grant_type(&self) -> &'static str {
        match self {
            Grant::AuthorizationCode(_) => authorization_code::GRANT_TYPE,
            Grant::RefreshToken(_) => refresh_token::GRANT_TYPE,
            Grant::ClientCredentials(_) => client_credentials::GRANT_TYPE,
            Grant::DeviceCode(_) => device_code::GRANT_TYPE,
            Grant::TokenExchange(_) => token_exchange::GRANT_TYPE,
            Grant::JwtBearer(_) => jwt_bearer::GRANT_TYPE,
        }
    }

    /// The refresh token that this grant may spend.
    pub fn spends(&self) -> Option<&Secret> {
        match self {
            Grant::RefreshToken(grant) => Some(&grant.refresh_token),
            Grant::AuthorizationCode(_)
            | Grant::ClientCredentials(_)
            | Grant::DeviceCode(_)
            | Grant::TokenExchange(_)
            | Grant::JwtBearer(_) => None,
        }
    }

    /// The parameters that stand before those of the client, in the order of the specification.
    pub(super) fn push_credentials(&self, params: &mut Params) {
        params.push("grant_type", self.grant_type());
        match self {
            Grant::AuthorizationCode(grant) => grant.push_credentials(params),
            Grant::RefreshToken(grant) => grant.push_credentials(params),
            Grant::ClientCredentials(_) => {}
            Grant::DeviceCode(grant) => grant.push_credentials(params),
            Grant::TokenExchange(grant) => grant.push_credentials(params),
            Grant::JwtBearer(grant) => grant.push_credentials(params),
        }
    }

    /// The parameters that stand after those of the client.
    pub(super) fn push_details(&self, params: &mut Params) {
        match self {
            Grant::AuthorizationCode(grant) => grant.push_details(params),
            Grant::RefreshToken(grant) => grant.push_details(params),
            Grant::ClientCredentials(grant) => grant.push_details(params),
            Grant::DeviceCode(grant) => grant.push_details(params),
            Grant::TokenExchange(grant) => grant.push_details(params),
            Grant::JwtBearer(grant) => grant.push_details(params),
        }
    }

    /// Reads the grant of a request as a server received it; nothing of it is
    /// checked against what the server knows.
    ///
    /// # Errors
    /// The [`RequestError`] to answer with.
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, RequestError> {
        match fields.required("grant_type")? {
            authorization_code::GRANT_TYPE => AuthorizationCodeGrant::parse(fields).map(Grant::AuthorizationCode),
            refresh_token::GRANT_TYPE => RefreshTokenGrant::parse(fields).map(Grant::RefreshToken),
            client_credentials::GRANT_TYPE => Ok(Grant::ClientCredentials(ClientCredentialsGrant::parse(fields))),
            device_code::GRANT_TYPE => DeviceCodeGrant::parse(fields).map(Grant::DeviceCode),
            token_exchange::GRANT_TYPE => {
                TokenExchangeGrant::parse(fields).map(|grant| Grant::TokenExchange(Box::new(grant)))
            }
            jwt_bearer::GRANT_TYPE => JwtBearerGrant::parse(fields).map(Grant::JwtBearer),
            other => {
                let reason = format!("only {} are supported", Grant::TYPES.join(", "));
                let citation = match other {
                    "password" => "RFC 9700 §2.4",
                    _ => "RFC 6749 §5.2",
                };
                Err(RequestError::new(
                    "unsupported_grant_type",
                    Cited::new(reason, citation),
                ))
            }
        }
    }
}

/// The parameters of a received token request, none of them repeated.
pub(super) struct Fields<'p> {
    params: &'p Params,
    pub(super) scope: Option<Scope>,
}

impl<'p> Fields<'p> {
    /// # Errors
    /// The [`RequestError`] for a scope that cannot be read.
    pub(super) fn new(params: &'p Params) -> Result<Self, RequestError> {
        let scope = params.single("scope").ok().flatten().map(Scope::parse);
        let scope = scope.transpose();
        let scope = scope.map_err(|error| RequestError::new("invalid_scope", error.cited()))?;
        Ok(Fields { params, scope })
    }

    fn optional(&self, name: &str) -> Option<&'p str> {
        self.params.single(name).ok().flatten()
    }

    fn required(&self, name: &str) -> Result<&'p str, RequestError> {
        self.optional(name).ok_or_else(|| {
            let cited = Cited::new(format!("{name} is missing"), "RFC 6749 §4.1.3, §6");
            RequestError::new("invalid_request", cited)
        })
    }
}
