//! Registers clients, reads and ends their registrations.

use super::context::Check;
use super::exchange::Exchange;
use super::registrations::{Management, NEEDS_REGISTER, Registered, management, registered_members};
use super::report::{Failure, inconclusive, violated};
use crate::foreign_text::Quoted;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::http::{HttpRequest, Method};
use crate::protocol::registration::native_client_metadata;
use crate::trace::Event;
use serde_json::{Value, json};
use std::rc::Rc;

/// The name that operators see if a client is left.
const CLIENT_NAME: &str = "oauth check";

impl Check<'_, '_> {
    /// The registration of a public native client; made once.
    pub(super) fn registered_native(&mut self) -> Result<Rc<Registered>, Failure> {
        if self.registrations.native.is_none() {
            let exchange = self.register(|_| {});
            self.registrations.native = Some(exchange.and_then(|exchange| self.as_registered(exchange)));
        }
        self.registrations
            .native
            .clone()
            .unwrap_or_else(|| inconclusive("nothing was registered"))
    }

    /// The registration of a client with a secret; made once.
    pub(super) fn registered_confidential(&mut self) -> Result<Rc<Registered>, Failure> {
        if self.registrations.confidential.is_none() {
            let exchange = self.register(|document| {
                document["token_endpoint_auth_method"] = json!("client_secret_basic");
            });
            self.registrations.confidential = Some(exchange.and_then(|exchange| self.as_registered(exchange)));
        }
        let confidential = self.registrations.confidential.clone();
        confidential.unwrap_or_else(|| inconclusive("nothing was registered"))
    }

    /// Registers one more client with a secret.
    pub(super) fn register_another(&mut self) -> Result<Rc<Registered>, Failure> {
        let exchange = self.register(|document| {
            document["token_endpoint_auth_method"] = json!("client_secret_basic");
        })?;
        self.as_registered(exchange)
            .map_err(|failure| failure.as_inconclusive())
    }

    /// Registers a client, changed so; whatever the server registers is
    /// deleted at the end.
    pub(super) fn register(&mut self, change: impl FnOnce(&mut Value)) -> Result<Exchange, Failure> {
        if !self.prober.request.registers {
            return inconclusive(NEEDS_REGISTER);
        }
        let Some(endpoint) = self.prober.target.registration_endpoint.clone() else {
            return inconclusive("the server announces no registration_endpoint");
        };
        let redirect_uris = [self.prober.redirect_uri.as_str()];
        let mut document = native_client_metadata(CLIENT_NAME, &redirect_uris, ClientAuthenticationMethod::None);
        change(&mut document);
        let request = HttpRequest::post_json(endpoint.url().clone(), document.to_string());
        let exchange = self.prober.send(request)?;
        if let Some(members) = registered_members(&exchange)
            && let Some(id) = members.get("client_id").and_then(Value::as_str)
        {
            let management = management(&members, &endpoint);
            self.registrations.left.push((id.to_owned(), management));
        }
        Ok(exchange)
    }

    fn as_registered(&self, exchange: Exchange) -> Result<Rc<Registered>, Failure> {
        let status = exchange.status();
        let Some(members) = registered_members(&exchange) else {
            let error = exchange.error().unwrap_or_default();
            return match exchange.is_outage() || matches!(status, 401 | 403) {
                true => inconclusive(format!("the server refuses open registration: status {status}")),
                false => violated(format!("it is refused: status {status} {}", Quoted::name(&error))),
            };
        };
        if !members.get("client_id").is_some_and(Value::is_string) {
            return violated("the answer has no client_id");
        }
        let endpoint = self.prober.target.registration_endpoint.as_ref();
        Ok(Rc::new(Registered {
            management: endpoint.and_then(|endpoint| management(&members, endpoint)),
            redirect_uri: self.prober.redirect_uri.to_string(),
            exchange,
            members,
        }))
    }

    /// Reads a registration with the token of this one (RFC 7592 §2.1).
    pub(super) fn read_registration(&mut self, of: &Registered, with: &Registered) -> Result<Exchange, Failure> {
        let management = Management {
            url: of.management()?.url.clone(),
            token: with.management()?.token.clone(),
        };
        self.prober.send(management.request(Method::Get))
    }

    /// Deletes a registration (RFC 7592 §2.3).
    pub(super) fn delete_registration(&mut self, registered: &Registered) -> Result<Exchange, Failure> {
        let management = registered.management()?.clone();
        self.prober.send(management.request(Method::Delete))
    }

    /// Deletes what is left, and says what cannot be deleted.
    pub(super) fn delete_registrations(&mut self) {
        let mut remaining = Vec::new();
        for (id, management) in std::mem::take(&mut self.registrations.left) {
            let is_gone = management.is_some_and(|management| self.end_registration(&management));
            if !is_gone {
                remaining.push(Quoted::name(&id).to_string());
            }
        }
        if !remaining.is_empty() {
            let warning = format!(
                "these clients are still registered, since the server does not delete them: {}",
                remaining.join(", ")
            );
            self.prober.world.caller.observe(&Event::Warning(&warning));
        }
    }

    /// Deletes a registration; whether it is gone then.
    fn end_registration(&mut self, management: &Management) -> bool {
        let mut status_by = |method| {
            let answer = self.prober.send(management.request(method));
            answer.map_or(0, |exchange| exchange.status())
        };
        match (status_by(Method::Delete), status_by(Method::Get)) {
            (_, 200) => false,
            (200..300 | 404 | 410, _) => true,
            // Its token may be no good any more, and the client is still there.
            _ => false,
        }
    }
}
