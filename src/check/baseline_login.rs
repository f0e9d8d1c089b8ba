//! The login that everything else is measured by.

use super::authorization_probe::AuthorizationExchange;
use super::exchange::{Exchange, Tokens};
use super::report::{CheckResult, Evidence, Failure, NO_TOKEN};

/// The login that everything else is measured by.
pub(super) struct BaselineLogin {
    pub(super) exchange: AuthorizationExchange,
    /// The token response, or why there is none.
    pub(super) tokens: Result<(Tokens, Exchange), Failure>,
    pub(super) redemption_evidence: Option<Evidence>,
}

impl BaselineLogin {
    /// How the server answered instead of giving a code.
    pub(super) fn refusal(&self) -> Option<String> {
        let response = &self.exchange.response;
        let is_refused = response.value("code").is_none();
        is_refused.then(|| format!("the login ended with {}", response.refusal()))
    }

    /// The token response, for rules about what is in it.
    pub(super) fn tokens(&self) -> Result<&(Tokens, Exchange), Failure> {
        self.tokens.as_ref().map_err(|failure| match failure {
            Failure::Inconclusive(_) => failure.clone(),
            _ => Failure::Inconclusive(NO_TOKEN.to_owned()),
        })
    }

    /// The token request and its answer, else what came with the browser.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.redemption_evidence
            .clone()
            .or_else(|| self.exchange.evidence.clone())
    }

    /// Whether the token endpoint gave tokens for the code, and if not, why.
    pub(super) fn redemption(&self) -> CheckResult {
        self.tokens.as_ref().map(|_| ()).map_err(Failure::clone)
    }
}
