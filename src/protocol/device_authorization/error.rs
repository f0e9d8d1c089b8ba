//! What the device authorization endpoint answered where it was no device
//! authorization (RFC 8628 §3.2, RFC 6749 §5.2), and what is wrong with one
//! that breaks the specification.

use crate::protocol::endpoint::EndpointError;
use crate::protocol::error::ErrorResponse;
use crate::secret::Secret;

/// A device authorization response that breaks the specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeviceAuthorization {
    #[error("the device authorization response has no {0} (RFC 8628 §3.2)")]
    Missing(&'static str),
    #[error("{0} in the device authorization response is empty (RFC 8628 §3.2)")]
    Empty(&'static str),
    /// A list, an object.
    #[error("{0} in the device authorization response is not a string (RFC 8628 §3.2)")]
    Type(&'static str),
    #[error("{0} in the device authorization response is too long")]
    TooLong(&'static str),
    /// A page that no person may be sent to.
    #[error("{member} in the device authorization response cannot be used: {problem}")]
    VerificationUri {
        member: &'static str,
        /// What is wrong with it.
        problem: EndpointError,
    },
}

/// What the device authorization endpoint answered, if it was no device authorization.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceAuthorizationError {
    /// 408, 429 or 5xx, whatever the body says.
    #[error("the device authorization endpoint {endpoint} answered with status {status}")]
    Unavailable { endpoint: String, status: u16 },
    /// Credentials are never sent on.
    #[error(
        "the device authorization endpoint {endpoint} answered with a redirect ({status}) to {location}, which is never followed"
    )]
    Redirect {
        endpoint: String,
        /// 3xx.
        status: u16,
        /// Origin only: the rest of a location may hold secrets.
        location: String,
    },
    /// A page, an empty body.
    #[error("the device authorization endpoint {endpoint} answered with status {status}, not with JSON")]
    NotJson { endpoint: String, status: u16 },
    /// RFC 6749 §5.2.
    #[error("the server refused the device login: {error}")]
    OAuth {
        endpoint: String,
        status: u16,
        error: ErrorResponse,
    },
    /// Any other 4xx.
    #[error("the device authorization endpoint {endpoint} refused with status {status}")]
    Refused { endpoint: String, status: u16 },
    /// JSON that breaks the specification.
    #[error("the answer of the device authorization endpoint {endpoint} cannot be used")]
    Invalid {
        endpoint: String,
        #[source]
        problem: InvalidDeviceAuthorization,
    },
}

impl DeviceAuthorizationError {
    /// The same without these secrets, which a server may repeat.
    #[must_use]
    pub fn scrubbed(self, secrets: &[Secret]) -> Self {
        match self {
            DeviceAuthorizationError::OAuth {
                endpoint,
                status,
                error,
            } => DeviceAuthorizationError::OAuth {
                endpoint,
                status,
                error: error.scrubbed(secrets),
            },
            other => other,
        }
    }

    /// Whether the server says that it does not take a code challenge here.
    pub fn refuses_code_challenge(&self) -> bool {
        let DeviceAuthorizationError::OAuth { error, .. } = self else {
            return false;
        };
        let description = error.error_description.as_deref().unwrap_or_default().to_lowercase();
        let names_it = ["code_challenge", "code challenge", "pkce"]
            .iter()
            .any(|words| description.contains(words));
        error.is_one_of(&["invalid_request"]) && names_it
    }
}
