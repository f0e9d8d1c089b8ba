//! The only place that posts to a token endpoint (RFC 6749 §3.2), for every
//! grant: the request is traced and sent, once more only where the server wants
//! a nonce in the DPoP proof; the response is read, and freed of the secrets
//! that the server may have repeated.

use super::caller::Caller;
use super::dpop::{DpopSession, NoBoundAnswer};
use super::events::trace_request;
use super::hints::{EndpointKind, RequestSummary, hint_for, hint_for_no_json};
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::client::ClientAuthenticationError;
use crate::protocol::dpop::DpopError;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::grant::Grant;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::token_request::TokenRequest;
use crate::protocol::token_response::{
    InvalidTokenResponse, TokenError, TokenResponse, TokenType, salvage_refresh_token,
};
use crate::secret::Secret;
use crate::transport::TransportError;

/// A response of the token endpoint that is not read yet.
pub(in crate::flow) struct TokenEndpointAnswer<'e> {
    endpoint: &'e Endpoint,
    /// What type of token was asked for.
    token_type: TokenType,
    request: HttpRequest,
    response: HttpResponse,
}

/// Why no answer came from the token endpoint.
#[derive(Debug, thiserror::Error)]
pub enum NoTokenAnswer {
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(#[from] ClientAuthenticationError),
    /// There is no proof for the request (RFC 9449).
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// The request was not sent, or not answered.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl From<NoBoundAnswer> for NoTokenAnswer {
    fn from(error: NoBoundAnswer) -> Self {
        match error {
            NoBoundAnswer::Dpop(error) => NoTokenAnswer::Dpop(error),
            NoBoundAnswer::Authentication(error) => NoTokenAnswer::Authentication(error),
            NoBoundAnswer::Transport(error) => NoTokenAnswer::Transport(error),
        }
    }
}

/// Sends a token request, with a proof where the token is to be bound to a key.
///
/// # Errors
/// [`NoTokenAnswer`].
pub(in crate::flow) async fn request_token<'e>(
    endpoint: &'e Endpoint,
    token_request: &TokenRequest,
    dpop: Option<&mut DpopSession>,
    caller: &mut Caller<'_>,
) -> Result<TokenEndpointAnswer<'e>, NoTokenAnswer> {
    let title = match token_request.grant {
        Grant::RefreshToken(_) => "refresh request",
        _ => "token request",
    };
    let make = |caller: &mut Caller<'_>| {
        let request = token_request.http_request(endpoint, &mut caller.authentication_context())?;
        trace_request(title, &request, caller.observer);
        Ok(request)
    };
    let (token_type, (request, response)) = match dpop {
        Some(dpop) => (TokenType::Dpop, dpop.send(None, caller, &make).await?),
        None => {
            let request = make(caller)?;
            let response = caller.send(&request).await?;
            (TokenType::Bearer, (request, response))
        }
    };
    Ok(TokenEndpointAnswer {
        endpoint,
        token_type: match token_request.grant {
            Grant::TokenExchange(_) => token_type.exchanged(),
            _ => token_type,
        },
        request,
        response,
    })
}

impl TokenEndpointAnswer<'_> {
    /// The refresh token of the answer, however faulty that is.
    pub(in crate::flow) fn salvage_refresh_token(&self) -> Option<Secret> {
        salvage_refresh_token(&self.response)
    }

    /// Reads the token response.
    ///
    /// # Errors
    /// [`TokenError`] for everything else that came.
    pub(in crate::flow) fn read(&self) -> Result<TokenResponse, TokenError> {
        let read = TokenResponse::read(self.endpoint, &self.response, self.token_type);
        read.map_err(|error| error.scrubbed(&self.request.secrets()))
    }
}

/// The exit code where no answer came. Bytes that are not HTTP are someone
/// else's answer, as a page is; a body that cannot be decoded is an answer that was lost.
pub(in crate::flow) fn exit_code_without_answer(error: &TransportError) -> ExitCode {
    match error {
        TransportError::Malformed { .. } => ExitCode::Unreachable,
        _ => error.exit_code(),
    }
}

impl TokenError {
    /// By the status first, then by the JSON, then by the error code.
    pub(in crate::flow) fn exit_code(&self) -> ExitCode {
        match self {
            TokenError::Unavailable { .. } | TokenError::NotJson { .. } => ExitCode::Unreachable,
            TokenError::Redirect { .. } | TokenError::Invalid { .. } => ExitCode::Protocol,
            TokenError::OAuth { .. } | TokenError::Refused { .. } => ExitCode::Refused,
        }
    }

    /// The server's `error` and `error_description`.
    pub(in crate::flow) fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            TokenError::OAuth { error, .. } => Some((&error.error, error.error_description.as_deref())),
            _ => None,
        }
    }

    /// What a person can do about it. `sent` is `None` for a refresh.
    pub(in crate::flow) fn hints(&self, sent: Option<&RequestSummary>) -> Vec<String> {
        let hint = match self {
            TokenError::OAuth { error, .. } => return vec![hint_for(error, EndpointKind::Token, sent)],
            TokenError::NotJson {
                announced_as_json: true,
                ..
            } => "The answer is cut off or not well-formed JSON: see it with -vv, and try again later.",
            TokenError::NotJson { status, .. } => return vec![hint_for_no_json(*status, sent)],
            // An empty refusal comes from something in front of the server more often than from itself
            TokenError::Refused {
                words: None, status, ..
            } => return vec![hint_for_no_json(*status, sent)],
            TokenError::Refused { .. } => "Run it again with -vv to see the exchange.",
            TokenError::Unavailable { .. } => "Try again later.",
            TokenError::Redirect { .. } => "If the endpoint has moved there, give its final URL with --token-endpoint.",
            TokenError::Invalid {
                problem: InvalidTokenResponse::TokenType(token_type),
                ..
            } if token_type.eq_ignore_ascii_case("DPoP") => {
                "The server bound the token to a key (DPoP, RFC 9449), though no proof of one was sent: log in with --dpop, or set this client to Bearer tokens at the server."
            }
            TokenError::Invalid {
                problem: InvalidTokenResponse::TokenType(_),
                ..
            } => {
                "The server issues tokens of a type that this client did not request; check its settings for this client."
            }
            TokenError::Invalid {
                problem: InvalidTokenResponse::NotBound(_),
                ..
            } => {
                "The server returned a token that is not bound to a key, so it was not stored. Ask the server's operator to enable DPoP for this client, or log in again without --dpop."
            }
            TokenError::Invalid {
                problem: InvalidTokenResponse::NestedAccessToken(path),
                ..
            } if path == "authed_user.access_token" => {
                "This is the form in which Slack sends a user's token beside the app's own: ask for the user's token only, with --param user_scope=SCOPES instead of --scope."
            }
            TokenError::Invalid { .. } => "Run it again with -vv to see the answer.",
        };
        vec![hint.to_owned()]
    }
}
