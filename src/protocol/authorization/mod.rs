//! The authorization request and response of the code flow (RFC 6749 §4.1.1,
//! §4.1.2), and the order in which a client may use them.

mod pending;
mod request;
mod request_object;
mod response;
mod signed_response;

#[cfg(test)]
mod tests;

pub use pending::{AuthorizationOptions, ExpectedIssuer, PendingAuthorization, RedeemableAuthorization, Validation};
pub use request::{AuthorizationRequest, RESERVED_PARAMETERS, RedirectTargetError, ResponseMode};
pub use request_object::{RequestObjectSigner, params_with_object, request_claims};
pub use response::{AuthorizationResponse, InvalidAuthorizationResponse, location};
pub use signed_response::{SignedResponseVerifier, UnprovenResponse};
