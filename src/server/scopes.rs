//! The scopes of the development server.

use crate::protocol::scope::Scope;

/// The scopes that can be requested.
pub(crate) const SCOPES: [&str; 7] = [
    "openid",
    "profile",
    "email",
    "offline_access",
    DEFAULT_SCOPE,
    NOTES_SCOPE,
    "introspect",
];

/// Those that a client can have without a user.
pub(crate) const CLIENT_SCOPES: [&str; 2] = ["hello", "introspect"];

/// The scope that is granted where none is requested (RFC 6749 §3.3).
pub(crate) const DEFAULT_SCOPE: &str = "hello";

/// The scope that keeping a note wants.
pub(crate) const NOTES_SCOPE: &str = "notes";

/// What both together are called in a challenge.
pub(crate) const HELLO_AND_NOTES: &str = "hello notes";

/// The same, parsed.
pub(crate) fn default_scope() -> Scope {
    Scope::from_tokens([DEFAULT_SCOPE]).unwrap_or_default()
}

/// The one type of authorization details that every client may ask for
/// (RFC 9396): `{"type":"api_access","actions":[…],"locations":[…]}`.
pub(crate) const DETAILS_TYPE: &str = "api_access";
