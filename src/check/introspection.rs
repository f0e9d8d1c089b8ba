//! Introspection (RFC 7662).

use super::examination::Examination;
use super::probe::Exchange;
use super::token::no_tokens;
use super::token_request::NEVER_GIVEN;
use super::verdict::{Finding, broken, kept_if, unseen};
use crate::protocol::client::Client;
use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;

impl Examination<'_, '_> {
    /// Asks what a token stands for, as this client or as nobody at all.
    pub(super) fn introspect(&mut self, token: &Secret, client: Option<&Client>) -> Result<Exchange, Finding> {
        let endpoint = self.metadata.introspection_endpoint.clone();
        let url = self.needs(&endpoint, "introspection_endpoint")?.url().clone();
        let mut params = Params::new();
        params.push_secret("token", token);
        let request = match client {
            Some(client) => self.message(url, params, client)?,
            None => HttpRequest::post(url, params),
        };
        self.send(request)
    }
}

/// Judges introspection.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    examination.judge(Rule::IntrospectionAuthenticated, &mut |examination| {
        examination.needs(&examination.metadata.introspection_endpoint, "introspection_endpoint")?;
        let main = examination.main_login()?;
        let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
        let public = examination.client_by(crate::protocol::client::ClientAuthentication::None);
        for client in [None, Some(&public)] {
            let exchange = examination.introspect(&tokens.access_token, client)?;
            if exchange.object().is_some_and(|object| object.contains_key("active")) {
                let who = if client.is_some() {
                    "with client_id alone"
                } else {
                    "without any client"
                };
                return broken(format!("it is answered {who}"));
            }
        }
        Ok(())
    });
    examination.judge(Rule::IntrospectionActive, &mut |examination| {
        examination.needs(&examination.metadata.introspection_endpoint, "introspection_endpoint")?;
        examination.needs_secret()?;
        let main = examination.main_login()?;
        let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
        let client = examination.client.clone();
        let exchange = examination.introspect(&tokens.access_token, Some(&client))?;
        match exchange.object().as_ref().and_then(|object| object.get("active")) {
            Some(active) => kept_if(*active == Value::Bool(true), "it is not said to be active"),
            None => unseen(format!("the answer is status {} without active", exchange.status())),
        }
    });
    examination.judge(Rule::IntrospectionInactive, &mut |examination| {
        examination.needs(&examination.metadata.introspection_endpoint, "introspection_endpoint")?;
        examination.needs_secret()?;
        let client = examination.client.clone();
        let exchange = examination.introspect(&Secret::from(NEVER_GIVEN), Some(&client))?;
        let Some(object) = exchange.object().filter(|_| exchange.status() == 200) else {
            return broken(format!("the answer is status {}", exchange.status()));
        };
        let alone = object.len() == 1 && object.get("active") == Some(&Value::Bool(false));
        kept_if(alone, "more than active: false is said")
    });
}
