//! What was seen on the way, for rules about all errors, all codes and all
//! tokens. Invariant: no IO.

use super::authorization_probe::AuthorizationExchange;
use super::exchange::{Exchange, Tokens};
use super::report::{CheckResult, Evidence, Failure, inconclusive};
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::abnf::is_nqschar_text;
use crate::protocol::error::{ErrorPlace, is_registered_error};
use crate::rules::Rule;
use crate::secret::Secret;

#[derive(Default)]
pub(super) struct Observations {
    /// The first error response of the authorization endpoint.
    pub(super) error_response: Option<AuthorizationExchange>,
    /// What is wrong with error responses of the authorization endpoint.
    malformed_error: Option<(String, Evidence)>,
    unregistered_error: Option<(String, Evidence)>,
    /// Errors that came from the token endpoint.
    token_errors: usize,
    /// What is wrong with them, the first of each rule.
    token_error_failures: Vec<(Rule, Failure, Evidence)>,
    /// Codes that came, for their randomness.
    pub(super) codes: Samples,
    /// Tokens of logins, for their randomness.
    pub(super) access_tokens: Samples,
    pub(super) refresh_tokens: Samples,
    /// Tokens that may be alive.
    pub(super) left: Vec<Tokens>,
    /// Whether refreshes work; `None` where that was not tried.
    pub(super) refresh_works: Option<bool>,
}

/// Values of one kind, with the exchange that brought the last one.
#[derive(Default)]
pub(super) struct Samples {
    pub(super) values: Vec<Secret>,
    pub(super) evidence: Option<Evidence>,
}

impl Samples {
    pub(super) fn push(&mut self, value: Secret, evidence: Option<Evidence>) {
        self.values.push(value);
        self.evidence = evidence.or(self.evidence.take());
    }
}

impl Observations {
    /// Takes note of how an error response of the authorization endpoint looks.
    pub(super) fn note_authorization_error(&mut self, exchange: &AuthorizationExchange, evidence: &Evidence) {
        let response = &exchange.response;
        let Some(error) = response.value("error") else { return };
        let description = response.value("error_description").unwrap_or_default();
        let odd = [("error", error), ("error_description", description)]
            .into_iter()
            .find(|(_, text)| !(text.is_empty() || is_nqschar_text(text)));
        if let Some((name, text)) = odd {
            self.malformed_error
                .get_or_insert_with(|| (format!("{name} is {}", Quoted::message(text)), evidence.clone()));
        } else if !is_registered_error(error, ErrorPlace::AuthorizationResponse) {
            let what = format!(
                "no registry has the error code {} (RFC 6749 §11.4)",
                WordOrQuoted(error)
            );
            self.unregistered_error.get_or_insert_with(|| (what, evidence.clone()));
        }
        if self.error_response.is_none() && exchange.probe.params.all("state").count() == 1 {
            self.error_response = Some(exchange.clone());
        }
    }

    /// What the errors of the authorization endpoint come to; `None` where none came.
    pub(super) fn authorization_errors(&self) -> Option<(CheckResult, Option<Evidence>)> {
        if let Some((how, evidence)) = self.malformed_error.clone() {
            return Some((Err(Failure::Violated(how)), Some(evidence)));
        }
        if let Some((how, evidence)) = self.unregistered_error.clone() {
            return Some((Err(Failure::Warning(how)), Some(evidence)));
        }
        self.error_response.as_ref().map(|_| (Ok(()), None))
    }

    /// Takes note of how an error of the token endpoint looks. An answer that
    /// cannot be read and a failure of the server are not errors in this sense.
    pub(super) fn note_token_error(&mut self, exchange: &Exchange) {
        if exchange.is_outage() || exchange.is_unreadable() {
            return;
        }
        self.token_errors += 1;
        let status = exchange.status();
        let error = exchange.error_response();
        let name = error.as_ref().map(|error| error.error.as_str());
        let is_right = status == 400 || (status == 401 && name.is_none_or(|name| name == "invalid_client"));
        if !is_right {
            let what = format!("an error came with status {status}");
            self.token_error_violation(Rule::TokenErrorStatus, what, exchange);
        }
        let Some(error) = error.filter(|_| exchange.object().is_some()) else {
            let what = "the body is not JSON with the member error".to_owned();
            return self.token_error_violation(Rule::TokenErrorJson, what, exchange);
        };
        let media_type = exchange.response.media_type().unwrap_or_default();
        if media_type != "application/json" {
            let what = format!("an error came as {}", Quoted::name(&media_type));
            self.token_error_violation(Rule::TokenErrorJson, what, exchange);
        }
        if !is_registered_error(&error.error, ErrorPlace::TokenResponse) {
            let what = format!(
                "no registry has the error code {} (RFC 6749 §11.4)",
                WordOrQuoted(&error.error)
            );
            self.token_error(Rule::TokenErrorJson, Failure::Warning(what), exchange);
        }
        let description = error.error_description.as_deref().unwrap_or("-");
        if !error.is_well_formed() || !(description.is_empty() || is_nqschar_text(description)) {
            let what = "an error came with characters that RFC 6749 §5.2 does not allow".to_owned();
            self.token_error_violation(Rule::TokenErrorCharacters, what, exchange);
        }
        let cache_control = exchange.header("cache-control").to_ascii_lowercase();
        if !cache_control.contains("no-store") {
            let what = "an error came without Cache-Control: no-store".to_owned();
            self.token_error_violation(Rule::TokenErrorNoStore, what, exchange);
        }
    }

    /// The server failed where it should have refused, and works otherwise.
    pub(super) fn note_failure_as_refusal(&mut self, exchange: &Exchange) {
        self.token_errors += 1;
        let what = format!("an error came with status {}", exchange.status());
        self.token_error_violation(Rule::TokenErrorStatus, what, exchange);
    }

    fn token_error_violation(&mut self, rule: Rule, what: String, exchange: &Exchange) {
        self.token_error(rule, Failure::Violated(what), exchange);
    }

    fn token_error(&mut self, rule: Rule, failure: Failure, exchange: &Exchange) {
        let known = self
            .token_error_failures
            .iter_mut()
            .find(|(known, _, _)| *known == rule);
        match known {
            // A violation weighs more than a warning that came before it.
            Some((_, known, evidence))
                if matches!((&*known, &failure), (Failure::Warning(_), Failure::Violated(_))) =>
            {
                (*known, *evidence) = (failure, exchange.evidence());
            }
            Some(_) => {}
            None => self.token_error_failures.push((rule, failure, exchange.evidence())),
        }
    }

    /// What the errors of the token endpoint come to for this rule.
    pub(super) fn token_errors(&self, rule: Rule) -> (CheckResult, Option<Evidence>) {
        let found = self.token_error_failures.iter().find(|(known, _, _)| *known == rule);
        match found {
            Some((_, failure, evidence)) => (Err(failure.clone()), Some(evidence.clone())),
            None if self.token_errors == 0 => (inconclusive("no error came from the token endpoint"), None),
            None => (Ok(()), None),
        }
    }
}
