//! An authorization request that can be changed at will, and what the answer
//! to one must be.

use super::exchange::Outcome;
use super::redirect_response::RedirectResponse;
use super::report::{CheckResult, Evidence, Failure, inconclusive, violated};
use super::secrets;
use crate::protocol::params::Params;
use crate::secret::Secret;

/// An authorization request that can be changed at will.
#[derive(Clone)]
pub(super) struct AuthorizationProbe {
    pub(super) params: Params,
    pub(super) state: Secret,
    pub(super) code_verifier: Secret,
    pub(super) nonce: Option<Secret>,
}

impl AuthorizationProbe {
    pub(super) fn redirect_uri(&self) -> &str {
        self.redirect_uris().next().unwrap_or_default()
    }

    /// More than one where a probe repeats the parameter.
    pub(super) fn redirect_uris(&self) -> impl Iterator<Item = &str> {
        self.params.all("redirect_uri")
    }

    /// Gives the request another state behind the same random part.
    pub(super) fn extend_state(&mut self, more: &str) {
        self.state = secrets::extended(&self.state, more);
        self.params.set_secret("state", &self.state);
    }

    /// Asks with the S256 challenge of this verifier.
    pub(super) fn challenge(&mut self, code_verifier: Secret) {
        self.params
            .set_secret("code_challenge", &secrets::challenge(&code_verifier));
        self.code_verifier = code_verifier;
    }
}

/// An authorization response with its request.
#[derive(Clone)]
pub(super) struct AuthorizationExchange {
    pub(super) probe: AuthorizationProbe,
    pub(super) response: RedirectResponse,
    pub(super) evidence: Option<Evidence>,
}

/// The verdict on the outcome of a request that must be refused.
pub(super) fn expect_refusal(outcome: &Outcome) -> CheckResult {
    match outcome {
        Outcome::Redirect(response) if response.grants() => violated("it was granted"),
        Outcome::Redirect(response) if response.value("error").is_some() => Ok(()),
        Outcome::Redirect(_) => violated("it was answered without an error"),
        Outcome::Error(page) if page.is_outage() => inconclusive(format!("the server failed with {page}")),
        Outcome::PushRefused(refusal) if refusal.is_outage() => {
            inconclusive(format!("the server failed with {refusal}"))
        }
        Outcome::Error(_) | Outcome::PushRefused(_) => Ok(()),
        Outcome::Page => inconclusive_needs_login(),
    }
}

/// The verdict where the server's view of a request cannot be seen.
pub(super) fn inconclusive_needs_login<T>() -> Result<T, Failure> {
    inconclusive("the server asks to sign in first, so what it thinks of the request cannot be seen")
}
