//! Rules that the development server violates because it was told to
//! (`oauth serve --break`), so that `oauth check`, and other people's clients,
//! can be tested.
//!
//! [`set`] is what was asked for; [`policy`] is what the honest code asks
//! before it enforces a rule. The other files change what goes in and what
//! comes out, and the honest code knows nothing of them: requests are read
//! differently (`request`, `authorization_request`), documents and responses are
//! altered (`documents`, `authorization_response`, `response`).
//!
//! `Rule::violation_point` says for each rule where it is violated. Nothing
//! here knows the server: `dispatch` and the endpoints hand in what is needed.

pub(crate) mod authorization_request;
pub(crate) mod authorization_response;
pub(crate) mod client_id_document;
pub mod concurrent_use;
pub(crate) mod deviation;
pub(crate) mod documents;
pub(crate) mod policy;
pub(crate) mod protected_resource;
pub(crate) mod redirect_uri;
pub(crate) mod registration;
pub(crate) mod request;
pub(crate) mod response;
pub mod set;
pub(crate) mod signed_response;
pub(crate) mod token_alias;
