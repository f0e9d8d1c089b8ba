//! Why a metadata document, or a member of it, cannot be used.

use crate::foreign_text::Quoted;
use crate::protocol::endpoint::EndpointError;
use crate::protocol::json::JsonError;

/// Why a metadata document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// HTML, a list, a member twice.
    #[error("the document is not a JSON object: {0}")]
    Json(#[from] JsonError),
    /// RFC 8414 §2 requires it.
    #[error("the document has no issuer (RFC 8414 §2)")]
    NoIssuer,
    /// RFC 8414 §3.3: MUST NOT be used.
    #[error(
        "the document is for issuer {}, but {} was asked for (RFC 8414 §3.3: they must be identical)",
        Quoted::name(found),
        Quoted::name(asked)
    )]
    OtherIssuer {
        /// What the user gave.
        asked: String,
        /// What the document says.
        found: String,
    },
    /// An endpoint that is needed and is not named.
    #[error("the metadata of the server has no {0} (RFC 8414 §2)")]
    NoEndpoint(&'static str),
    /// A member has another JSON type than the specification says.
    #[error("member {0} is not of the type that RFC 8414 §2 says")]
    Type(&'static str),
    /// An endpoint that must not be called.
    #[error("{member} cannot be used: {problem}")]
    Endpoint {
        member: &'static str,
        /// What is wrong with it.
        problem: EndpointError,
    },
    /// RFC 7636: only S256 is spoken here.
    #[error("the server's code_challenge_methods_supported does not list S256 (RFC 7636 §4.2)")]
    NoS256,
    /// RFC 6749 §4.1.
    #[error("the server's response_types_supported does not list \"code\" (RFC 6749 §4.1)")]
    NoCodeResponse,
}

impl MetadataError {
    /// The member that is meant, where it is one.
    pub fn member(&self) -> Option<&'static str> {
        match self {
            MetadataError::Type(member)
            | MetadataError::NoEndpoint(member)
            | MetadataError::Endpoint { member, .. } => Some(member),
            _ => None,
        }
    }
}
