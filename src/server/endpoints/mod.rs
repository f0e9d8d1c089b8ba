//! One file for each endpoint: plain functions from a request to a response,
//! over the state in `authorization_server`.

pub(crate) mod authorization_response;
pub(crate) mod authorize;
pub(crate) mod client;
mod code;
pub(crate) mod device;
pub(crate) mod device_authorization;
mod device_decision;
mod form;
pub(crate) mod front_channel;
pub(crate) mod interaction;
pub(crate) mod introspect;
pub(crate) mod mcp;
mod prompt_requirements;
mod push_refusal;
pub(crate) mod pushed_authorization;
pub(crate) mod registration;
mod request_source;
mod requested_access;
pub(crate) mod resource;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
