//! An identity assertion from the identity provider, for the authorization
//! server of an API (draft-ietf-oauth-identity-assertion-authz-grant §4.3): a
//! token exchange in the session that someone has at the provider.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::events::{Quirks, trace_token_response};
use crate::flow::token_endpoint::{NoTokenAnswer, exit_code_without_answer, request_token};
use crate::foreign_text::Quoted;
use crate::protocol::grant::Grant;
use crate::protocol::grant::token_exchange::{TokenExchangeGrant, TypedToken};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::signing::JwtType;
use crate::protocol::token_request::TokenRequest;
use crate::protocol::token_response::TokenError;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;
use crate::store::{ClientCredentialError, FreshCredentials, Session};
use crate::trace::Event;
use serde_json::Value;

/// The session at the identity provider.
pub struct IdentityProvider<'a> {
    pub session: &'a Session,
    /// The ID token or the refresh token of the session.
    pub subject: &'a TypedToken,
    /// What its client proves itself with, beside what the session keeps.
    pub credentials: &'a FreshCredentials,
}

/// What the assertion is for.
pub struct IdJagRequest {
    /// The issuer that takes it.
    pub audience: String,
    /// The APIs.
    pub resource: Vec<Resource>,
    pub scope: Scope,
}

/// Why there is no assertion.
#[derive(Debug, thiserror::Error)]
pub enum IdJagError {
    /// Only endpoints of the authorization server are known.
    #[error("the identity assertion needs an audience: the issuer of the authorization server is not known")]
    NoAudience,
    #[error(transparent)]
    Credential(#[from] ClientCredentialError),
    #[error("the identity provider did not answer")]
    NoAnswer(#[source] NoTokenAnswer),
    #[error("the identity provider issued no identity assertion for {}", Quoted::name(audience))]
    Token {
        audience: String,
        #[source]
        error: TokenError,
    },
    /// Another kind of token would be sent to a server that it is not for.
    #[error("the identity provider gave another kind of token: {}", Quoted::name(.0))]
    AnotherType(String),
    #[error("the identity assertion cannot be read")]
    Unreadable,
    /// It would be sent to a server that it is not for.
    #[error("the identity assertion is not only for {}", Quoted::name(.0))]
    AnotherAudience(String),
}

impl Diagnosis for IdJagError {
    fn exit_code(&self) -> ExitCode {
        match self {
            IdJagError::NoAudience => ExitCode::Usage,
            IdJagError::Credential(_) => ExitCode::Store,
            IdJagError::NoAnswer(NoTokenAnswer::Transport(source)) => exit_code_without_answer(source),
            IdJagError::NoAnswer(_) => ExitCode::Unexpected,
            IdJagError::Token { error, .. } => error.exit_code(),
            IdJagError::AnotherType(_) | IdJagError::Unreadable | IdJagError::AnotherAudience(_) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            IdJagError::NoAudience => vec!["Name it: --audience ISSUER".to_owned()],
            IdJagError::NoAnswer(NoTokenAnswer::Transport(source)) => source.hints(),
            IdJagError::Token { error, .. } if error.is_refusal() => vec![
                "The administrator of the identity provider must allow its client to ask for this audience and these scopes."
                    .to_owned(),
                "If the session there has ended, log in there again.".to_owned(),
            ],
            IdJagError::Token { error, .. } => error.hints(None),
            _ => Vec::new(),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            IdJagError::Token { error, .. } => error.oauth_error(),
            _ => None,
        }
    }
}

/// Asks for an assertion, and checks that it is one for this audience.
///
/// # Errors
/// [`IdJagError`].
pub async fn request_id_jag(
    provider: &IdentityProvider<'_>,
    request: IdJagRequest,
    caller: &mut Caller<'_>,
) -> Result<Secret, IdJagError> {
    let IdJagRequest {
        audience,
        resource,
        scope,
    } = request;
    let session = provider.session;
    let token_request = TokenRequest {
        client: session.client.to_client(provider.credentials)?,
        grant: Grant::TokenExchange(Box::new(TokenExchangeGrant {
            subject: provider.subject.clone(),
            actor: None,
            requested_token_type: Some(TokenTypeUri::id_jag()),
            scope: Some(scope).filter(|scope| !scope.is_empty()),
        })),
        resource,
        audience: Some(audience.clone()),
        extra: Vec::new(),
    };
    let answer = request_token(&session.token_endpoint, &token_request, None, caller).await;
    let response = answer.map_err(IdJagError::NoAnswer)?.read();
    let response = response.map_err(|error| IdJagError::Token {
        audience: audience.clone(),
        error,
    })?;
    trace_token_response(&response, Quirks::Trace, caller.observer);
    if let Some(found) = response.issued_token_type.as_deref()
        && found != TokenTypeUri::id_jag().as_str()
    {
        return Err(IdJagError::AnotherType(found.to_owned()));
    }
    let assertion = UnverifiedJwt::decode(response.access_token.expose()).map_err(|_| IdJagError::Unreadable)?;
    if !is_for(&assertion, &audience) {
        return Err(IdJagError::AnotherAudience(audience));
    }
    let typ = JwtType::IdentityAssertion.as_str();
    if assertion.header.get("typ").and_then(Value::as_str) != Some(typ) {
        caller.observe(&Event::Warning(&format!(
            "the typ of the identity assertion is not {typ}"
        )));
    }
    Ok(response.access_token)
}

/// Whether it names this audience and no other.
fn is_for(assertion: &UnverifiedJwt, audience: &str) -> bool {
    match assertion.claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => {
            let mut several = several.iter().map(Value::as_str);
            several.len() > 0 && several.all(|one| one == Some(audience))
        }
        _ => false,
    }
}
