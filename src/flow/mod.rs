//! What the client does: the flow of the authorization code grant in
//! `login`, and what follows from a session. Each function walks from top to
//! bottom, tells the observer what happens, and prints nothing.

pub mod assertion_audience;
pub mod assume_role;
pub mod authorized_request;
pub mod caller;
pub mod device;
pub mod discovery;
pub mod dpop;
pub mod events;
pub mod grant_inputs;
pub mod hints;
pub mod id_jag;
pub mod import;
pub mod introspect;
pub mod issuer_keys;
pub mod login;
pub mod machine_grant;
mod policy_hints;
pub mod pushed_authorization_request;
pub mod refresh;
pub mod renew;
pub mod revoke;
pub mod server;
pub mod session;
pub mod token_endpoint;
pub mod token_services;
pub mod userinfo;
