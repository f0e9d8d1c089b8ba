//! The scopes of the development server.

use super::settings::ServeSettings;
use crate::protocol::scope::Scope;
use std::fmt;

/// The scopes that can be requested.
const SCOPES: [&str; 7] = [
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

/// The scopes of this server, its users and the resource servers that it knows.
pub(crate) struct KnownScopes {
    all: Vec<String>,
    /// Those of resource servers, which clients can have without a user.
    of_resources: Vec<String>,
}

impl KnownScopes {
    pub(crate) fn new(settings: &ServeSettings) -> Self {
        let of_users = settings.users.iter().flat_map(|user| user.claims.scopes());
        let of_resources: Vec<String> = settings
            .resources
            .iter()
            .flat_map(|known| known.scope.tokens().iter().cloned())
            .collect();
        let own = SCOPES.into_iter().chain(of_users).map(str::to_owned);
        let mut all: Vec<String> = Vec::new();
        for scope in own.chain(of_resources.iter().cloned()) {
            if !all.contains(&scope) {
                all.push(scope);
            }
        }
        KnownScopes { all, of_resources }
    }

    /// The first token that is not a scope here.
    pub(crate) fn first_unknown<'s>(&self, scope: &'s Scope) -> Option<&'s String> {
        scope.tokens().iter().find(|token| !self.all.contains(token))
    }

    /// Whether a client can have all of it without a user.
    pub(crate) fn are_for_clients(&self, scope: &Scope) -> bool {
        let mut tokens = scope.tokens().iter();
        tokens.all(|token| CLIENT_SCOPES.contains(&token.as_str()) || self.of_resources.contains(token))
    }

    /// All of them, for the metadata.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.all.iter().map(String::as_str).collect()
    }
}

/// As a list for a person.
impl fmt::Display for KnownScopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.all.join(", "))
    }
}

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
