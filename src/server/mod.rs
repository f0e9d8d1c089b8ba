//! The development server of `oauth serve`.
//!
//! `shell` is the only IO; everything else is a pure function of a request, the
//! time and randomness. `dispatch` finds the endpoint of a request; `endpoints`
//! answer over the state in `authorization_server`; `violations` is what
//! `--break` does to all that.

pub mod authorization_server;
pub mod log_entry;
pub mod message;
pub mod rejection;
pub mod route;
pub mod scripted_user;
pub mod settings;
pub mod violations;
mod wrong_user_codes;

mod access_token;
mod bearer;
mod client_authentication;
pub mod client_certificate;
mod client_metadata;
pub mod client_name;
pub mod clients;
mod confirmation;
mod cors;
mod dispatch;
mod documents;
mod dpop;
mod dpop_proofs;
mod endpoints;
pub mod expected_certificate;
mod expiring_map;
mod fault_injection;
mod grants;
mod html;
mod interactions;
mod keys;
mod mcp;
mod moment;
mod notes;
mod pages;
mod pushed_requests;
mod request_metadata;
mod request_object;
mod scopes;
mod shell;
mod signed_response;
#[cfg(test)]
mod test_randomness;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
mod tests;
mod token_response;
mod trusted_issuers;

pub use shell::{AUTHORITY, CLIENT, CLIENT_KEY, CLIENT_SUBJECT, Server};
