//! What is kept of a login: one record a profile, with all that refreshing and
//! revoking need, so that neither reads metadata again.
//!
//! The record is JSON with `"v":1`. It is parsed once, where it is read, into
//! the types of the protocol. Members that this version does not know are
//! ignored; a record with a higher `v` is refused, so that an older program
//! never rewrites what a newer one understands better. Errors name a position
//! or a member, never a value.

mod client_json;
mod end;
mod error;
mod json;
mod json_text;
mod part;
mod record;
mod registration;
mod renewal;
mod renewal_json;
mod role_credentials;
mod role_json;
mod token;

#[cfg(test)]
pub(super) mod tests;

pub use end::{SessionEnd, Suspension};
pub use error::{RECORD_VERSION, SessionError};
pub use part::Part;
pub use record::{ClientCredentialError, FreshCredentials, RequestedAccess, Session, SessionClient, SessionEndpoints};
pub use registration::Registration;
pub use renewal::{IdJagRenewal, Renewal, SourcedToken, TokenExchangeRenewal};
pub use role_credentials::{RoleCredentials, RoleIdentity};
pub use token::StoredToken;
