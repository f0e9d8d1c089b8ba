//! The pure core: the messages of the authorization code flow with PKCE as
//! values, used by the client and by the development server alike.
//!
//! Invariant: no IO, no clock, no global randomness; time and randomness are
//! arguments. `tests/architecture.rs` keeps it so.

pub mod abnf;
pub mod authorization;
pub mod authorization_details;
pub mod aws_sts;
pub mod certificate;
pub mod certificate_names;
pub mod citation;
pub mod client;
pub mod client_auth;
pub mod client_id;
pub mod client_metadata_document;
pub mod client_metadata_url;
pub mod device_authorization;
mod distinguished_name;
pub mod dpop;
pub mod endpoint;
pub mod error;
pub mod event_stream;
pub mod global_address;
pub mod grant;
pub mod http;
pub mod id_token;
pub mod jose;
pub mod json;
pub mod json_answer;
pub mod json_scan;
pub mod jwks;
pub mod mcp;
pub mod mcp_probe;
pub mod mcp_tool_headers;
pub mod member_type;
pub mod members;
pub mod metadata;
pub mod mtls_endpoints;
pub mod params;
pub mod pasted_jwt;
pub mod pkce;
pub mod protected_resource;
pub mod pushed_authorization;
pub mod random;
pub mod redirect;
pub mod redirect_uri;
pub mod registration;
pub mod resource;
pub mod scope;
pub mod scrub;
pub mod signing;
pub mod state;
pub mod time;
pub mod tls_identity;
pub mod token_destination;
pub mod token_request;
pub mod token_response;
pub mod token_type_uri;
pub mod url_text;
pub mod www_authenticate;

#[cfg(test)]
mod round_trips;
