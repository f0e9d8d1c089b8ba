//! The groups of rules, a file each.

pub(super) mod authorize;
pub(super) mod challenge;
pub(super) mod client_assertion;
pub(super) mod client_id_document;
pub(super) mod code;
pub(super) mod device;
pub(super) mod dpop;
pub(super) mod id_token;
pub(super) mod introspection;
pub(super) mod jwt_bearer;
pub(super) mod keys;
pub(super) mod metadata;
pub(super) mod mtls;
pub(super) mod pages;
pub(super) mod pkce;
pub(super) mod redirect_uri;
pub(super) mod refresh;
pub(super) mod registration;
mod rejected_redemption;
pub(super) mod resource;
pub(super) mod revocation;
pub(super) mod token;
pub(super) mod token_exchange;
pub(super) mod token_refusals;
pub(super) mod userinfo;
