//! Logins for a scope that a token lacks (step-up), and their limit: a login
//! that changed nothing is not repeated, however often the server asks for it.

use super::api_token::{ApiToken, ApiTokens, ScopeNeeded};
use crate::error::Error;
use crate::protocol::scope::Scope;
use std::time::{Duration, Instant};

/// For so long after a login that did not bring the scope no other one asks
/// for it: a person who said no is not asked again by the next call.
const PAUSE: Duration = Duration::from_secs(30);

/// The logins for scopes that this process has made.
#[derive(Default)]
pub(super) struct StepUps {
    made: Vec<StepUp>,
}

struct StepUp {
    scope: Scope,
    ended_at: Instant,
}

impl StepUps {
    /// A token of a wider scope, after a login.
    ///
    /// # Errors
    /// Those of a login, and [`ScopeNeeded`] where no person may be asked, or
    /// where a login for the same has not helped.
    pub(super) fn log_in(&mut self, tokens: &ApiTokens<'_>, needed: ScopeNeeded) -> Result<ApiToken, Error> {
        if !tokens.login.is_given(tokens.context) || self.has_failed(&needed) {
            return Err(needed.into());
        }
        let widened = tokens.widen(&needed);
        if widened.is_ok() {
            self.made.push(StepUp {
                scope: needed.wanted,
                ended_at: Instant::now(),
            });
        }
        widened
    }

    /// The server asks for it again, although the token has it or the person
    /// has just been asked.
    fn has_failed(&self, needed: &ScopeNeeded) -> bool {
        self.made.iter().any(|step_up| {
            let is_recent = step_up.ended_at.elapsed() < PAUSE;
            needed.wanted.is_subset_of(&step_up.scope) && (needed.missing.is_empty() || is_recent)
        })
    }
}
