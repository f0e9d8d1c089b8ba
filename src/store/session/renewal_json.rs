//! How a session is renewed, as its record says it. A way that needs data has
//! them in its variant: it is written as `{"name":{…}}`, and programs that do
//! not know it refuse the record.

use super::error::SessionError;
use super::renewal::{IdJagRenewal, Renewal, SourcedToken, TokenExchangeRenewal};
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::store::profile_name::ProfileName;
use crate::store::token_source::TokenSource;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecordRenewal {
    None,
    RefreshToken,
    #[serde(rename = "grant")]
    ClientCredentials,
    TokenExchange(Box<RecordExchange>),
    JwtBearer {
        assertion: String,
    },
    IdJag {
        from: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct RecordExchange {
    subject: RecordSourcedToken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<RecordSourcedToken>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_token_type: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RecordSourcedToken {
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
}

impl From<&Renewal> for RecordRenewal {
    fn from(renewal: &Renewal) -> Self {
        let uri = |uri: &TokenTypeUri| uri.as_str().to_owned();
        match renewal {
            Renewal::None => RecordRenewal::None,
            Renewal::RefreshToken => RecordRenewal::RefreshToken,
            Renewal::ClientCredentials => RecordRenewal::ClientCredentials,
            Renewal::TokenExchange(exchange) => RecordRenewal::TokenExchange(Box::new(RecordExchange {
                subject: RecordSourcedToken::from(&exchange.subject),
                actor: exchange.actor.as_ref().map(RecordSourcedToken::from),
                requested_token_type: exchange.requested_token_type.as_ref().map(uri),
            })),
            Renewal::JwtBearer { assertion } => RecordRenewal::JwtBearer {
                assertion: assertion.to_string(),
            },
            Renewal::IdJag(id_jag) => RecordRenewal::IdJag {
                from: id_jag.from.to_string(),
                audience: id_jag.audience.clone(),
            },
        }
    }
}

impl From<&SourcedToken> for RecordSourcedToken {
    fn from(token: &SourcedToken) -> Self {
        RecordSourcedToken {
            source: token.source.to_string(),
            token_type: token.token_type.as_ref().map(|uri| uri.as_str().to_owned()),
        }
    }
}

impl RecordRenewal {
    pub(super) fn parse(self) -> Result<Renewal, SessionError> {
        Ok(match self {
            RecordRenewal::None => Renewal::None,
            RecordRenewal::RefreshToken => Renewal::RefreshToken,
            RecordRenewal::ClientCredentials => Renewal::ClientCredentials,
            RecordRenewal::TokenExchange(exchange) => Renewal::TokenExchange(TokenExchangeRenewal {
                subject: exchange.subject.parse()?,
                actor: exchange.actor.map(RecordSourcedToken::parse).transpose()?,
                requested_token_type: parse_token_type(exchange.requested_token_type)?,
            }),
            RecordRenewal::JwtBearer { assertion } => Renewal::JwtBearer {
                assertion: parse_source(&assertion)?,
            },
            RecordRenewal::IdJag { from, audience } => Renewal::IdJag(IdJagRenewal {
                from: ProfileName::parse(&from).map_err(|_| SessionError::Unusable("profile"))?,
                audience,
            }),
        })
    }
}

impl RecordSourcedToken {
    fn parse(self) -> Result<SourcedToken, SessionError> {
        Ok(SourcedToken {
            source: parse_source(&self.source)?,
            token_type: parse_token_type(self.token_type)?,
        })
    }
}

pub(super) fn parse_source(text: &str) -> Result<TokenSource, SessionError> {
    text.parse().map_err(|_| SessionError::Unusable("source of tokens"))
}

fn parse_token_type(text: Option<String>) -> Result<Option<TokenTypeUri>, SessionError> {
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_| SessionError::Unusable("token type"))
}
