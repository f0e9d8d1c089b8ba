//! Begins a session of a client that acts for itself (RFC 6749 §4.4). The
//! grant spends nothing: `oauth token` repeats it when the token has expired.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::hints::Sent;
use crate::flow::login::LoginRequest;
use crate::flow::refresh::{RefreshError, RefreshOptions, refresh};
use crate::flow::server::{ServerError, resolve_server};
use crate::flow::token_endpoint::exit_code_without_answer;
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::token_response::TokenError;
use crate::store::{Part, Renewal, Session};
use crate::transport::TransportError;

/// Why the client got no token.
#[derive(Debug, thiserror::Error)]
pub enum ClientCredentialsError {
    /// The server is not known.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No answer from the token endpoint.
    #[error("the token endpoint did not answer")]
    Transport(#[source] TransportError),
    /// An answer that is no token.
    #[error("the client got no token")]
    Token {
        #[source]
        error: TokenError,
        sent: Box<Sent>,
    },
    #[error(transparent)]
    Other(RefreshError),
}

impl Diagnosis for ClientCredentialsError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ClientCredentialsError::Server(source) => source.exit_code(),
            ClientCredentialsError::Transport(source) => exit_code_without_answer(source),
            ClientCredentialsError::Token { error, .. } => error.exit_code(),
            ClientCredentialsError::Other(source) => source.exit_code(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            ClientCredentialsError::Server(source) => source.hints(),
            ClientCredentialsError::Transport(source) => source.hints(),
            ClientCredentialsError::Token { error, sent } => hints_for_client_credentials(error, Some(sent)),
            ClientCredentialsError::Other(source) => source.hints(),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            ClientCredentialsError::Token { error, .. } => error.oauth_error(),
            ClientCredentialsError::Other(source) => source.oauth_error(),
            _ => None,
        }
    }
}

/// What a person can do about an answer that is not a token. `sent` is `None`
/// where the grant worked before.
pub(in crate::flow) fn hints_for_client_credentials(error: &TokenError, sent: Option<&Sent>) -> Vec<String> {
    let is_not_allowed = matches!(
        error,
        TokenError::OAuth { error, .. }
            if error.is_one_of(&["unauthorized_client", "unsupported_grant_type", "invalid_grant"])
    );
    match is_not_allowed {
        true => {
            vec!["See this client's settings at the server: it must allow the client_credentials grant.".to_owned()]
        }
        false => error.hints(sent),
    }
}

/// Learns the server and requests the first token.
///
/// # Errors
/// [`ClientCredentialsError`].
pub async fn log_in_as_client(
    request: &LoginRequest,
    options: &RefreshOptions,
    caller: &mut Caller<'_>,
) -> Result<Session, ClientCredentialsError> {
    let mut server = resolve_server(&request.server, caller).await?;
    let client = server.authenticated_client(&request.server, &request.client)?;
    let dpop = DpopSession::begin(request.dpop, &server.metadata, caller).map_err(ServerError::from)?;
    let mut session = server.session(&client, (&request.authorization).into(), dpop.as_ref());
    session.renewal = Renewal::ClientCredentials;
    let sent = sent(client.authentication.method(), &request.authorization, dpop.is_some());
    match refresh(&mut session, &Part::default(), options, caller).await {
        Ok(_) => Ok(session),
        Err(RefreshError::Token(error)) => Err(ClientCredentialsError::Token { error, sent }),
        Err(RefreshError::Transport(error)) => Err(ClientCredentialsError::Transport(error)),
        Err(error) => Err(ClientCredentialsError::Other(error)),
    }
}

fn sent(method: ClientAuthenticationMethod, authorization: &AuthorizationOptions, with_proof: bool) -> Box<Sent> {
    Box::new(Sent {
        redirect_uri: String::new(),
        method: Some(method),
        with_resource: !authorization.resource.is_empty(),
        with_proof,
    })
}
