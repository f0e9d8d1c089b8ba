//! The client of an examination that was given none, and may register: it
//! registers one for itself (RFC 7591), which is deleted at the end.

use super::context::Check;
use super::error::CheckError;
use super::registrations::registered_members;
use super::request::CheckRequest;
use crate::exit::ExitCode;
use crate::foreign_text::Quoted;
use crate::protocol::client::ClientId;
use crate::secret::Secret;
use crate::trace::Event;
use serde_json::Value;

/// What the check is about to do, before it registers anything.
pub(super) const REGISTERS: &str = "this check registers clients at the server, and deletes them at the end";

impl<'e> Check<'e, '_> {
    /// The examination with a client that is registered for it, at the port
    /// that its redirect URI has.
    ///
    /// # Errors
    /// [`CheckError::NoClient`].
    pub(super) fn with_own_client(&mut self) -> Result<CheckRequest, CheckError> {
        self.prober.world.caller.observe(&Event::Note(REGISTERS));
        let mut request = self.prober.request.clone();
        let client = &mut request.login.client;
        let asked = client.registration_request(&self.prober.redirect_uri, &self.prober.target.metadata);
        let has_endpoint = self.prober.target.registration_endpoint.is_some();
        let registered = self.register(|document| {
            let name = std::mem::take(&mut document["client_name"]);
            *document = asked.to_json();
            document["client_name"] = name;
        });
        let exchange = registered.map_err(|failure| CheckError::NoClient {
            reason: failure.reason().to_owned(),
            exit_code: match has_endpoint {
                true => ExitCode::Unreachable,
                false => ExitCode::Usage,
            },
        })?;
        let members = registered_members(&exchange).unwrap_or_default();
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let Some(id) = text("client_id").and_then(|id| ClientId::parse(id).ok()) else {
            let error = exchange.error().unwrap_or_default();
            return Err(CheckError::NoClient {
                reason: format!("status {} {}", exchange.status(), Quoted::name(&error)),
                exit_code: match exchange.is_outage() {
                    true => ExitCode::Unreachable,
                    false => ExitCode::Refused,
                },
            });
        };
        let method = text("token_endpoint_auth_method").and_then(|method| method.parse().ok());
        // A server that knows only clients with a secret says so.
        client.method = Some(method.unwrap_or(asked.method));
        client.credentials.secret = text("client_secret").map(Secret::from);
        client.id = Some(id.clone());
        request.client_id = id;
        let port = self.prober.redirect_uri.port();
        if let Some(callback) = port.and_then(|port| request.login.callback.at_port(port)) {
            request.login.callback = callback;
        }
        Ok(request)
    }

    /// Goes on as this request's client.
    pub(super) fn use_client_of(&mut self, request: &'e CheckRequest) {
        let prober = &mut self.prober;
        prober.client = request
            .login
            .client
            .authenticated_as(&request.client_id, &prober.target.metadata);
        prober.request = request;
        prober.has_own_client = true;
    }
}
