//! Begins a session by a grant without a person: client credentials
//! (RFC 6749 §4.4), token exchange (RFC 8693), an assertion (RFC 7523 §2.1).
//! Such a grant spends nothing: `oauth token` repeats it when the token has
//! expired.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::grant_inputs::SourceReader;
use crate::flow::hints::{RequestSummary, blames_credentials, client_authentication_refused};
use crate::flow::login::LoginRequest;
use crate::flow::refresh::{RefreshError, RefreshOptions, refresh};
use crate::flow::server::{ServerError, resolve_server};
use crate::flow::token_endpoint::exit_code_without_answer;
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::grant::{jwt_bearer, token_exchange};
use crate::protocol::scope::Scope;
use crate::protocol::token_response::TokenError;
use crate::store::{Part, Renewal, Session};
use crate::transport::TransportError;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum MachineGrantError {
    /// The server is not known.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A source gave no token.
    #[error("{0}")]
    Source(Box<dyn Diagnosis>),
    /// No answer from the token endpoint.
    #[error("the token endpoint did not answer")]
    Transport(#[source] TransportError),
    /// An answer that is not a token.
    #[error("{}", no_token(renewal))]
    Token {
        renewal: Renewal,
        #[source]
        error: TokenError,
        sent: Box<RequestSummary>,
        /// What was asked for.
        scope: Scope,
    },
    #[error(transparent)]
    Other(RefreshError),
}

fn no_token(renewal: &Renewal) -> &'static str {
    match renewal {
        Renewal::TokenExchange(_) => "the token was not exchanged",
        Renewal::JwtBearer { .. } | Renewal::IdJag(_) => "the assertion got no token",
        Renewal::ClientCredentials | Renewal::RefreshToken | Renewal::None => "the client got no token",
    }
}

impl Diagnosis for MachineGrantError {
    fn exit_code(&self) -> ExitCode {
        match self {
            MachineGrantError::Server(source) => source.exit_code(),
            MachineGrantError::Source(source) => source.exit_code(),
            MachineGrantError::Transport(source) => exit_code_without_answer(source),
            MachineGrantError::Token { error, .. } => error.exit_code(),
            MachineGrantError::Other(source) => source.exit_code(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            MachineGrantError::Server(source) => source.hints(),
            MachineGrantError::Source(source) => source.hints(),
            MachineGrantError::Transport(source) => source.hints(),
            MachineGrantError::Token { error, scope, .. } if is_scope_refused(error) => vec![hint_for_scope(scope)],
            MachineGrantError::Token {
                renewal, error, sent, ..
            } => hints_for_machine_grant(renewal, error, Some(sent)),
            MachineGrantError::Other(source) => source.hints(),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            MachineGrantError::Source(source) => source.oauth_error(),
            MachineGrantError::Token { error, .. } => error.oauth_error(),
            MachineGrantError::Other(source) => source.oauth_error(),
            _ => None,
        }
    }
}

/// What a person can do about an answer that is not a token. `sent` is `None`
/// where the grant worked before.
pub(in crate::flow) fn hints_for_machine_grant(
    renewal: &Renewal,
    error: &TokenError,
    sent: Option<&RequestSummary>,
) -> Vec<String> {
    let is_one_of = |codes: &[&str]| matches!(error, TokenError::OAuth { error, .. } if error.is_one_of(codes));
    let (grant, given) = match renewal {
        Renewal::ClientCredentials | Renewal::RefreshToken | Renewal::None => ("client_credentials", None),
        Renewal::TokenExchange(exchange) => (
            token_exchange::GRANT_TYPE,
            Some(format!("the subject token ({})", exchange.subject.source)),
        ),
        Renewal::JwtBearer { assertion } => (jwt_bearer::GRANT_TYPE, Some(format!("the assertion ({assertion})"))),
        Renewal::IdJag(id_jag) => (
            jwt_bearer::GRANT_TYPE,
            Some(format!("the identity assertion (from profile \"{}\")", id_jag.from)),
        ),
    };
    match given {
        Some(given) if is_one_of(&["invalid_grant"]) => vec![format!(
            "The server did not take {given}: it may have expired, be for another audience, or come from an issuer that the server does not trust. Look at it with: oauth decode"
        )],
        Some(_) if is_one_of(&["invalid_target"]) => {
            vec!["The server issues no token for this resource or audience: see --resource and --audience.".to_owned()]
        }
        // Keycloak says unauthorized_client of a wrong secret.
        _ if matches!(error, TokenError::OAuth { error, .. } if blames_credentials(error)) => {
            vec![client_authentication_refused(sent.and_then(|sent| sent.method))]
        }
        None if is_one_of(&["invalid_grant"]) => vec![may_not_use(grant)],
        _ if is_one_of(&["unauthorized_client", "unsupported_grant_type"]) => vec![may_not_use(grant)],
        _ => error.hints(sent),
    }
}

fn is_scope_refused(error: &TokenError) -> bool {
    matches!(error, TokenError::OAuth { error, .. } if error.is_one_of(&["invalid_scope"]))
}

/// The advice where the scope is refused, whether it was given or is what the
/// API lists for its users: a client of its own may have less.
fn hint_for_scope(scope: &Scope) -> String {
    match scope.is_empty() {
        true => "No scope was asked for, and the server requires one: name it with --scope.".to_owned(),
        false => format!(
            "The server does not give this client all of the scope \"{scope}\". Ask for less with --scope, or let the operator of the server allow it for this client."
        ),
    }
}

fn may_not_use(grant: &str) -> String {
    format!("See this client's settings at the server: it must allow the {grant} grant.")
}

/// Learns the server, reads the sources and requests the first token. A session
/// by a source that gives its token once cannot be renewed.
///
/// # Errors
/// [`MachineGrantError`].
pub async fn log_in_by_machine_grant(
    request: &LoginRequest,
    renewal: &Renewal,
    sources: &mut dyn SourceReader,
    mut options: RefreshOptions,
    caller: &mut Caller<'_>,
) -> Result<Session, MachineGrantError> {
    let mut server = resolve_server(&request.server, caller).await?;
    let client = server.authenticated_client(&request.server, &request.client)?;
    let dpop = DpopSession::begin(request.dpop, &server.metadata, caller).map_err(ServerError::from)?;
    let mut session = server.session(&client, (&request.authorization).into(), dpop.as_ref());
    session.renewal = renewal.clone();
    let reading = sources.read(&session, caller).await;
    let assertion = client.credentials.assertion.clone();
    options.inputs = reading.map_err(MachineGrantError::Source)?;
    options.inputs.client_assertion = options.inputs.client_assertion.or(assertion);
    let sent = summary(client.authentication.method(), &request.authorization, dpop.is_some());
    match refresh(&mut session, &Part::default(), &options, caller).await {
        Ok(_) => {
            if renewal.is_once() {
                session.renewal = Renewal::None;
            }
            Ok(session)
        }
        Err(RefreshError::Token(error)) => Err(MachineGrantError::Token {
            renewal: renewal.clone(),
            error,
            sent,
            scope: request.authorization.scope.clone(),
        }),
        Err(RefreshError::Transport(error)) => Err(MachineGrantError::Transport(error)),
        Err(error) => Err(MachineGrantError::Other(error)),
    }
}

fn summary(
    method: ClientAuthenticationMethod,
    authorization: &AuthorizationOptions,
    with_proof: bool,
) -> Box<RequestSummary> {
    Box::new(RequestSummary {
        redirect_uri: String::new(),
        method: Some(method),
        with_resource: !authorization.resource.is_empty(),
        with_proof,
        client_document: None,
    })
}
