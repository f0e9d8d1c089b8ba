//! Token exchange (RFC 8693 §2.1): a token of someone for another one.

use super::Fields;
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;

/// Its name on the wire.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A token, and what kind of token it is.
#[derive(Debug, Clone)]
pub struct TypedToken {
    pub token: Secret,
    pub token_type: TokenTypeUri,
}

/// What is to be exchanged for what.
#[derive(Debug)]
pub struct TokenExchangeGrant {
    /// The subject of the new token.
    pub subject: TypedToken,
    /// Who acts for them.
    pub actor: Option<TypedToken>,
    /// What kind of token is wanted.
    pub requested_token_type: Option<TokenTypeUri>,
    /// `None` for what the server gives by default.
    pub scope: Option<Scope>,
}

impl TokenExchangeGrant {
    pub(super) fn push_credentials(&self, params: &mut Params) {
        params.push_secret("subject_token", &self.subject.token);
        params.push("subject_token_type", self.subject.token_type.as_str());
        if let Some(actor) = &self.actor {
            params.push_secret("actor_token", &actor.token);
            params.push("actor_token_type", actor.token_type.as_str());
        }
    }

    pub(super) fn push_details(&self, params: &mut Params) {
        if let Some(wanted) = &self.requested_token_type {
            params.push("requested_token_type", wanted.as_str());
        }
        if let Some(scope) = &self.scope {
            params.push("scope", &scope.to_string());
        }
    }

    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, RequestError> {
        let subject = TypedToken {
            token: Secret::from(fields.required("subject_token")?),
            token_type: token_type(fields.required("subject_token_type")?)?,
        };
        let actor = match (fields.optional("actor_token"), fields.optional("actor_token_type")) {
            (Some(token), Some(kind)) => Some(TypedToken {
                token: Secret::from(token),
                token_type: token_type(kind)?,
            }),
            (None, None) => None,
            (Some(_), None) => return Err(invalid("actor_token_type is missing beside actor_token")),
            (None, Some(_)) => return Err(invalid("actor_token_type is given without actor_token")),
        };
        Ok(TokenExchangeGrant {
            subject,
            actor,
            requested_token_type: fields.optional("requested_token_type").map(token_type).transpose()?,
            scope: fields.scope.clone(),
        })
    }
}

/// On the wire it is a URI; the short forms are our own.
fn token_type(text: &str) -> Result<TokenTypeUri, RequestError> {
    match text.parse() {
        Ok(uri) if text.contains(':') => Ok(uri),
        _ => Err(invalid("a token type is not a URI")),
    }
}

fn invalid(reason: &'static str) -> RequestError {
    RequestError::new("invalid_request", Cited::new(reason, "RFC 8693 §2.1"))
}
