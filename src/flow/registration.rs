//! Registers a client (RFC 7591), and ends registrations (RFC 7592).

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::client::ClientId;
use crate::protocol::endpoint::{Endpoint, host_and_port};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::registration::{
    InvalidRegistration, RegisteredClient, RegistrationError, RegistrationManagement, RegistrationRequest,
};
use crate::trace::{Event, NoteName};
use crate::transport::TransportError;
use std::time::Duration;

/// How long the end of a registration may take: no person waits for it.
const UNREGISTER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no client was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationFailure {
    #[error("no client could be registered")]
    Transport(#[source] TransportError),
    #[error(transparent)]
    Server(#[from] RegistrationError),
}

impl Diagnosis for RegistrationFailure {
    fn exit_code(&self) -> ExitCode {
        match self {
            RegistrationFailure::Transport(source) => source.exit_code(),
            RegistrationFailure::Server(RegistrationError::Unavailable { .. }) => ExitCode::Unreachable,
            RegistrationFailure::Server(RegistrationError::Refused { .. } | RegistrationError::Status { .. }) => {
                ExitCode::Refused
            }
            RegistrationFailure::Server(RegistrationError::Invalid { .. }) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let known_client = "Register a client in the server's own way, and give its name: --client-id ID";
        match self {
            RegistrationFailure::Transport(source) => source.hints(),
            RegistrationFailure::Server(RegistrationError::Unavailable { .. }) => {
                vec!["Try again later.".to_owned(), format!("{known_client}.")]
            }
            RegistrationFailure::Server(
                RegistrationError::Refused { status, .. } | RegistrationError::Status { status, .. },
            ) => match status {
                401 | 403 => vec![
                    format!("This server registers no client without a permission. {known_client}."),
                    "If it takes client-ID metadata documents, host one, and set OAUTH_CLIENT_METADATA_URL to its URL. To print one: oauth client-metadata"
                        .to_owned(),
                ],
                _ => vec![format!("{known_client}.")],
            },
            RegistrationFailure::Server(RegistrationError::Invalid { problem, .. }) => match problem {
                InvalidRegistration::UnknownMethod(_) => {
                    vec!["Ask for another method: --client-auth none --register".to_owned()]
                }
                _ => vec![format!("{known_client}, or tell the server's operator.")],
            },
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            RegistrationFailure::Server(RegistrationError::Refused { error, .. }) => {
                Some((&error.error, error.error_description.as_deref()))
            }
            _ => None,
        }
    }
}

/// Registers a client.
///
/// # Errors
/// [`RegistrationFailure`].
pub(in crate::flow) async fn register(
    asked: &RegistrationRequest,
    endpoint: &Endpoint,
    caller: &mut Caller<'_>,
) -> Result<RegisteredClient, RegistrationFailure> {
    let response = caller.send(&asked.to_http(endpoint)).await;
    let response = response.map_err(RegistrationFailure::Transport)?;
    let client = RegisteredClient::read(endpoint, asked, &response)?;
    for problem in &client.problems {
        let text = format!("the registration: {problem}");
        caller.observe(&Event::CheckSkipped(&text));
    }
    caller.observe(&Event::NamedNote(
        NoteName::ClientRegistered,
        &format!(
            "registered at {} as the client {}",
            host_and_port(endpoint.url()),
            WordOrQuoted(client.id.as_str())
        ),
    ));
    Ok(client)
}

/// Ends a registration, where the server lets a client do that. A failure is a
/// note: the client is of no use to anyone without its owner.
pub async fn unregister(client: &str, management: &RegistrationManagement, caller: &mut Caller<'_>) {
    let request = management.delete_request();
    let answer = caller.send_for_head(&request, UNREGISTER_TIMEOUT, &|_| false).await;
    let failure = match answer {
        Ok(response) if (200..300).contains(&response.status) || response.status == 404 => None,
        Ok(response) => Some(format!("status {}", response.status)),
        Err(error) => Some(error.to_string()),
    };
    let host = host_and_port(management.uri.url());
    let client = Quoted::name(client);
    let text = match failure {
        None => format!("the client {client} is no longer registered at {host}"),
        Some(failure) => format!(
            "the client {client} may remain registered at {host} ({failure}); it is of no use without this profile, and there is nothing to do"
        ),
    };
    caller.observe(&Event::Note(&text));
}

/// A client that was registered for a login which has kept no session yet.
#[derive(Debug)]
pub struct UnusedClient {
    pub(in crate::flow) id: ClientId,
    pub(in crate::flow) has_secret: bool,
    /// The one that it was registered with.
    pub(in crate::flow) redirect_uri: RedirectUri,
    /// Where it was registered.
    pub(in crate::flow) endpoint: Endpoint,
    pub(in crate::flow) management: Option<RegistrationManagement>,
}

/// Ends a registration that no session keeps, or says that the client stays
/// and how it can be used.
pub(in crate::flow) async fn unregister_unused(client: &UnusedClient, caller: &mut Caller<'_>) {
    if let Some(management) = &client.management {
        unregister(client.id.as_str(), management, caller).await;
        return;
    }
    let use_of_it = match client.has_secret {
        true => "its secret is not kept, and the next login registers another one".to_owned(),
        false => format!(
            "a login can use it with --client-id {} --redirect-uri {}",
            shell_words::quote(client.id.as_str()),
            shell_words::quote(&client.redirect_uri.to_string())
        ),
    };
    caller.observe(&Event::Note(&format!(
        "the client {} stays registered at {}, which gave no way to delete it (RFC 7592); {use_of_it}",
        WordOrQuoted(client.id.as_str()),
        host_and_port(client.endpoint.url())
    )));
}
