//! Tokens for a part of a session, and which token of a session is for which part.

use super::record::Session;
use super::token::StoredToken;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;

/// Which access token of a session: by default the main one, else one for a
/// part of what was granted (RFC 6749 §6, RFC 8707 §2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// For these resources only; empty for all.
    pub resource: Vec<Resource>,
    /// With these scope values only; empty for all.
    pub scope: Scope,
}

impl Session {
    /// Where the token for this part is in `tokens`, if there is one.
    pub fn position_of(&self, part: &Part) -> Option<usize> {
        if self.is_full(part) {
            return (!self.tokens.is_empty()).then_some(0);
        }
        let resource = self.resource_of(part);
        let found =
            self.tokens.iter().skip(1).position(|token| {
                same_values(&token.resource, resource) && token.narrowed_to.has_same_tokens(&part.scope)
            });
        found.map(|position| position + 1)
    }

    /// The token for this part.
    pub fn token(&self, part: &Part) -> Option<&StoredToken> {
        self.tokens.get(self.position_of(part)?)
    }

    /// Whether it is not a part, but all that was asked for.
    pub fn is_full(&self, part: &Part) -> bool {
        same_values(self.resource_of(part), &self.requested.resource)
            && (part.scope.is_empty() || part.scope.has_same_tokens(&self.requested.scope))
    }

    /// The resources of a part, to ask for at a refresh (RFC 8707 §2.2).
    pub fn resource_of<'a>(&'a self, part: &'a Part) -> &'a [Resource] {
        if part.resource.is_empty() {
            &self.requested.resource
        } else {
            &part.resource
        }
    }
}

/// Whether both have the same values, in whatever order.
fn same_values(one: &[Resource], other: &[Resource]) -> bool {
    one.iter().all(|value| other.contains(value)) && other.iter().all(|value| one.contains(value))
}
