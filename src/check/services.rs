//! Requests to what takes a token: userinfo, introspection and revocation; and
//! whether an access token is alive.

use super::exchange::Exchange;
use super::prober::Prober;
use super::report::{CheckResult, Failure, inconclusive};
use crate::protocol::client::Client;
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::params::Params;
use crate::protocol::tls_identity::TlsIdentity;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;
use std::sync::Arc;

impl Prober<'_, '_> {
    /// Fetches the claims about the user (OpenID Connect Core §5.3).
    pub(super) fn userinfo(&mut self, token: Option<&Secret>) -> Result<Exchange, Failure> {
        let identity = self.tls_identity();
        self.userinfo_as(identity, token)
    }

    /// The same over a connection with this certificate, or with none.
    pub(super) fn userinfo_as(
        &mut self,
        identity: Option<Arc<TlsIdentity>>,
        token: Option<&Secret>,
    ) -> Result<Exchange, Failure> {
        let mut request = HttpRequest::get(self.userinfo_endpoint()?.url().clone());
        request.tls_identity = identity;
        self.with_bearer(request, token)
    }

    /// The same by POST, with the token in the header; where that is refused,
    /// in a form (RFC 6750 §2.2): some servers read no POST without one.
    pub(super) fn userinfo_by_post(&mut self, token: &Secret) -> Result<Exchange, Failure> {
        let url = self.userinfo_endpoint()?.url().clone();
        let mut request = HttpRequest::post(url.clone(), Params::new());
        request.tls_identity = self.tls_identity();
        let exchange = self.with_bearer(request, Some(token))?;
        if exchange.status() == 200 {
            return Ok(exchange);
        }
        let mut form = Params::new();
        form.push_secret("access_token", token);
        let mut request = HttpRequest::post(url, form);
        request.tls_identity = self.tls_identity();
        self.with_bearer(request, None)
    }

    fn with_bearer(&mut self, mut request: HttpRequest, token: Option<&Secret>) -> Result<Exchange, Failure> {
        request.headers.extend(token.map(|token| {
            let credentials = HeaderValue::Credentials {
                scheme: "Bearer",
                credentials: token.clone(),
            };
            ("authorization".into(), credentials)
        }));
        self.send(request)
    }

    /// Introspects a token as this client, or without any (RFC 7662 §2.1).
    pub(super) fn introspect(&mut self, token: &Secret, client: Option<&Client>) -> Result<Exchange, Failure> {
        let url = self.introspection_endpoint()?.url().clone();
        let mut params = Params::new();
        params.push_secret("token", token);
        let request = match client {
            Some(client) => self.message(url, params, client)?,
            None => HttpRequest::post(url, params),
        };
        self.send(request)
    }

    /// Revokes a token as this client (RFC 7009 §2.1).
    pub(super) fn revoke(&mut self, token: &Secret, hint: Option<&str>, client: &Client) -> Result<Exchange, Failure> {
        let url = self.revocation_endpoint()?.url().clone();
        let mut params = Params::new();
        params.push_secret("token", token);
        if let Some(hint) = hint {
            params.push("token_type_hint", hint);
        }
        self.note_disruptive();
        let request = self.message(url, params, client)?;
        self.send(request)
    }

    /// Revokes as a client does; a refusal leaves nothing to see.
    pub(super) fn revoke_properly(&mut self, token: &Secret, hint: &str) -> CheckResult {
        let client = self.client.clone();
        let exchange = self.revoke(token, Some(hint), &client)?;
        match exchange.status() {
            200..300 => Ok(()),
            status => inconclusive(format!("the revocation is refused with status {status}")),
        }
    }

    /// Whether an access token is still taken.
    pub(super) fn is_access_token_alive(&mut self, token: &Secret) -> Result<bool, Failure> {
        if self.asks_for_openid() && self.target.metadata.userinfo_endpoint.is_some() {
            return match self.userinfo(Some(token))?.status() {
                200 => Ok(true),
                401 => Ok(false),
                // It took tokens of the same kind before.
                403 if self.results.passed(Rule::UserinfoWorks) => Ok(false),
                status => inconclusive(format!("userinfo answers with status {status}")),
            };
        }
        if self.is_confidential() && self.target.metadata.introspection_endpoint.is_some() {
            let client = self.client.clone();
            return match active(&self.introspect(token, Some(&client))?) {
                Some(active) => Ok(active),
                None => inconclusive("introspection does not say whether the token is active"),
            };
        }
        let what_to_add = if self.target.metadata.userinfo_endpoint.is_some() {
            "add --scope openid"
        } else {
            "a client with a secret could ask for introspection: --client-secret-file FILE"
        };
        inconclusive(format!(
            "there is no way to see whether an access token is valid: {what_to_add}"
        ))
    }
}

/// The `active` of an introspection response.
pub(super) fn active(exchange: &Exchange) -> Option<bool> {
    exchange.object()?.get("active").and_then(Value::as_bool)
}

/// The `scope` of an introspection response.
pub(super) fn introspected_scope(exchange: &Exchange) -> Option<String> {
    exchange
        .object()?
        .get("scope")
        .and_then(Value::as_str)
        .map(str::to_owned)
}
