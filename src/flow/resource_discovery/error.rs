//! Why an API cannot be logged in to by its URL.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::discovery::DiscoveryError;
use crate::flow::discovery::walk::{Attempt, attempts_text};
use crate::protocol::endpoint::{EndpointError, Issuer};
use crate::protocol::protected_resource::ProtectedResourceError;
use crate::protocol::resource::Resource;
use crate::protocol::www_authenticate::InvalidChallenges;
use crate::transport::TransportError;
use url::Url;

/// Why an API cannot be logged in to by its URL.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// The API or its metadata.
    #[error("{url} cannot be reached")]
    Unreachable {
        url: String,
        #[source]
        source: Box<TransportError>,
    },
    /// A challenge beyond the bounds.
    #[error("the answer of {url} cannot be used: {problem}")]
    Challenges { url: String, problem: InvalidChallenges },
    /// `resource_metadata` that may not be fetched (RFC 9728 §7.7).
    #[error("{url} names metadata of its own that are not fetched: {problem}")]
    MetadataUrl { url: String, problem: EndpointError },
    /// A document that may not be used.
    #[error("the resource metadata at {url} cannot be used: {problem}")]
    Document {
        url: String,
        /// The API.
        asked: Box<Url>,
        problem: Box<ProtectedResourceError>,
    },
    /// No server, or none that may be used.
    #[error(
        "the resource metadata at {url} names no authorization server that can be used{}",
        refused_text(refused)
    )]
    NoServer {
        url: String,
        resource: Resource,
        refused: Vec<(String, EndpointError)>,
    },
    /// Neither metadata of a server nor of a resource.
    #[error(
        "{url} is neither an authorization server nor an API that names one ({})",
        attempts_text(attempts)
    )]
    NotFound { url: String, attempts: Vec<Attempt> },
    /// An authorization server's, but its metadata cannot be used.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// The authorization server's own metadata.
    #[error("{issuer}, which gives tokens for {resource}, cannot be used")]
    Server {
        issuer: String,
        resource: String,
        #[source]
        source: Box<DiscoveryError>,
    },
}

impl From<DiscoveryError> for ResourceError {
    fn from(error: DiscoveryError) -> Self {
        ResourceError::Discovery(Box::new(error))
    }
}

fn refused_text(refused: &[(String, EndpointError)]) -> String {
    let texts: Vec<String> = refused.iter().map(|(_, problem)| problem.to_string()).collect();
    match texts.is_empty() {
        true => String::new(),
        false => format!(" ({})", texts.join("; ")),
    }
}

impl Diagnosis for ResourceError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ResourceError::Unreachable { source, .. } if source.is_unreadable_answer() => ExitCode::Protocol,
            ResourceError::Unreachable { source, .. } => source.exit_code(),
            ResourceError::Server { source, .. } | ResourceError::Discovery(source) => source.exit_code(),
            ResourceError::Challenges { .. }
            | ResourceError::MetadataUrl { .. }
            | ResourceError::Document { .. }
            | ResourceError::NoServer { .. }
            | ResourceError::NotFound { .. } => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            ResourceError::Unreachable { source, .. } => source.hints(),
            ResourceError::Server {
                issuer,
                resource,
                source,
            } if source.is_private_address() => vec![hint_for_meant_server(issuer, resource)],
            ResourceError::Server { source, .. } | ResourceError::Discovery(source) => source.hints(),
            ResourceError::Challenges { .. } => vec!["Tell the API's operator.".to_owned()],
            ResourceError::MetadataUrl { url, .. } => vec![
                "Tell the API's operator; no request was sent there.".to_owned(),
                hint_for_known_server(url),
            ],
            ResourceError::Document { asked, problem, .. } => hints_for_document(asked, problem),
            ResourceError::NoServer { resource, refused, .. } => {
                let private = refused.iter().find_map(|(named, problem)| {
                    let is_private = matches!(problem, EndpointError::PrivateAddress(_));
                    is_private.then_some(named.as_str())
                });
                vec![match private.filter(|named| is_issuer(named)) {
                    Some(named) => hint_for_meant_server(named, resource.as_str()),
                    None => hint_for_known_server(resource.as_str()),
                }]
            }
            ResourceError::NotFound { url, .. } => vec![
                "Check the URL: the API's documentation names it, or its authorization server.".to_owned(),
                hint_for_known_server(url),
            ],
        }
    }
}

fn is_issuer(text: &str) -> bool {
    Issuer::parse(text, crate::protocol::endpoint::HttpPolicy::LoopbackOnly).is_ok()
}

/// The way to a server that the API may not lead to.
fn hint_for_meant_server(issuer: &str, resource: &str) -> String {
    format!(
        "If you know that server and mean it, run: oauth login --issuer {} --resource {} --client-id ID",
        shell_words::quote(issuer),
        shell_words::quote(resource)
    )
}

/// The way around discovery.
fn hint_for_known_server(resource: &str) -> String {
    format!(
        "If you know the authorization server, run: oauth login --issuer URL --resource {} --client-id ID",
        shell_words::quote(resource)
    )
}

fn hints_for_document(asked: &Url, problem: &ProtectedResourceError) -> Vec<String> {
    let found = match problem {
        ProtectedResourceError::OtherResource { found, .. } | ProtectedResourceError::WiderResource { found, .. } => {
            Some(found.url())
        }
        _ => None,
    };
    // The server chose these words: at its own origin they can do no harm.
    match found.filter(|found| found.origin() == asked.origin()) {
        Some(found) => vec![format!(
            "If that is the API you mean, run: oauth login {}",
            shell_words::quote(found.as_str())
        )],
        None => vec!["Tell the API's operator; nothing of the document was used.".to_owned()],
    }
}
