//! Why the server is not known, or cannot take part.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::discovery::{DiscoveryError, hints_for};
use crate::flow::dpop::NoDpop;
use crate::flow::issuer_keys::IssuerKeysError;
use crate::protocol::metadata::MetadataError;
use crate::transport::TransportError;

/// Why the server is not known, or cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its metadata cannot be fetched or used.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// It does not support the authorization code grant with PKCE.
    #[error("this server cannot be used for a login with PKCE")]
    Unsuitable(#[source] MetadataError),
    /// An endpoint that is needed is not there or cannot be used.
    #[error(transparent)]
    Endpoint(MetadataError),
    /// Neither a client nor a way to register one is known.
    #[error("no client_id is known, and the server registers no clients (its metadata names no registration_endpoint)")]
    NoClient,
    /// What the session comes from belongs to a client, and none is named.
    #[error("no client_id is known, and this login registers no client")]
    NoClientForGrant,
    /// A login on another device as no client: only a login with a browser registers one.
    #[error("no client_id is known, and a login with --device registers no client")]
    NoClientForDevices,
    /// An API's server that does not announce PKCE (MCP 2026-07-28).
    #[error(
        "the server does not say that it takes PKCE, which a login by the URL of an API demands: its metadata has no code_challenge_methods_supported"
    )]
    PkceNotAnnounced,
    /// RFC 8628 §4.
    #[error("the server has no device authorization endpoint: its metadata names none (RFC 8628 §4)")]
    NoDeviceGrant,
    /// ID tokens cannot be verified.
    #[error("the keys that ID tokens are verified with are not available")]
    Keys(#[from] Box<IssuerKeysError>),
    /// `--par always`, and there is nowhere to push to.
    #[error(
        "the server accepts no pushed authorization requests: its metadata names no endpoint for them (RFC 9126 §5)"
    )]
    NoPushedRequests,
    /// `--par never`, and the server takes no others.
    #[error(
        "the server takes pushed authorization requests only (require_pushed_authorization_requests, RFC 9126 §5), and --par never rules them out"
    )]
    PushedRequestsOnly,
    /// `iss` of a signed response has nothing to be compared with.
    #[error("a signed response cannot be checked: the issuer of the server is not known (JARM §2.4)")]
    NoIssuerOfResponses,
    /// Its signature has no key.
    #[error("a signed response cannot be checked: it is not known where the keys of the server are (JARM §2.4)")]
    NoKeysOfResponses,
    /// It gives no tokens that are bound to a key.
    #[error(transparent)]
    Dpop(#[from] NoDpop),
    /// Requests to it would not be sent.
    #[error("the server cannot be reached")]
    Unreachable(#[source] TransportError),
}

impl Diagnosis for ServerError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ServerError::Discovery(source) => source.exit_code(),
            ServerError::Unreachable(source) => source.exit_code(),
            ServerError::PkceNotAnnounced => ExitCode::Protocol,
            ServerError::NoDeviceGrant
            | ServerError::NoClient
            | ServerError::NoClientForGrant
            | ServerError::NoClientForDevices
            | ServerError::NoPushedRequests
            | ServerError::PushedRequestsOnly
            | ServerError::NoIssuerOfResponses
            | ServerError::NoKeysOfResponses => ExitCode::Usage,
            ServerError::Dpop(source) => source.exit_code(),
            ServerError::Keys(source) => source.exit_code(),
            ServerError::Unsuitable(_) | ServerError::Endpoint(_) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            ServerError::Discovery(source) => source.hints(),
            ServerError::Unreachable(source) => source.hints(),
            ServerError::Dpop(source) => source.hints(),
            ServerError::NoClient => vec![
                "Register a native (public) client with the redirect URI http://127.0.0.1/callback at the server, and give its name: --client-id ID".to_owned(),
            ],
            ServerError::NoClientForGrant => vec![
                "Name the client that the token, the assertion or the secret belongs to: --client-id ID".to_owned(),
            ],
            ServerError::NoClientForDevices => vec![
                "Register a client for the device grant at the server, and give its name: --client-id ID".to_owned(),
                "Or log in with a browser, which registers a client where the server lets it: leave --device out, or replace it by --paste.".to_owned(),
            ],
            ServerError::PkceNotAnnounced => {
                vec!["If you know that it takes S256, log in with --assume-pkce, which is saved.".to_owned()]
            }
            ServerError::Keys(source) => {
                let mut hints = source.hints();
                hints.push("If the server publishes its keys elsewhere, name that URL: --jwks-uri URL".to_owned());
                hints
            }
            ServerError::NoDeviceGrant => vec![
                "If the server has one anyway, name it: --device-authorization-endpoint URL".to_owned(),
                "Else log in with a browser, here or elsewhere: --grant authorization-code, with --paste where none can be reached.".to_owned(),
            ],
            ServerError::NoPushedRequests => vec![
                "If the server has the endpoint anyway, name it: --pushed-authorization-request-endpoint URL; else log in with --par auto."
                    .to_owned(),
            ],
            ServerError::PushedRequestsOnly => vec!["Log in with --par auto.".to_owned()],
            ServerError::NoIssuerOfResponses => vec!["Name it: --issuer URL".to_owned()],
            ServerError::NoKeysOfResponses => vec!["Name them: --jwks-uri URL".to_owned()],
            ServerError::Unsuitable(problem) | ServerError::Endpoint(problem) => hints_for(problem),
        }
    }
}
