//! The client of a login and the place where its answer comes in, which
//! depend on each other: a client is registered with exactly the redirect URI
//! that this login listens on (RFC 7591).

use super::callback::CallbackReceiver;
use super::error::LoginError;
use super::request::{CallbackChoice, LoginRequest};
use crate::flow::caller::Caller;
use crate::flow::registration::{self, UnusedClient};
use crate::flow::server::{ClientChoice, ResolvedServer, ServerError};
use crate::protocol::client::{Client, ClientAuthenticationMethod};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::registration::RegistrationRequest;
use crate::store::Registration;
use crate::trace::Event;
use crate::user_agent::callback::LoopbackError;
use serde_json::Value;

/// Opens the place for the callback, and finds the client that the login is
/// made as: the one that is known, or a new one with this very redirect URI,
/// which is then `registered_now`.
///
/// # Errors
/// [`LoginError`].
pub(super) async fn open_callback(
    request: &LoginRequest,
    server: &mut ResolvedServer,
    registered_now: &mut Option<UnusedClient>,
    caller: &mut Caller<'_>,
) -> Result<(Client, CallbackReceiver), LoginError> {
    let choice = &request.client;
    let registered = choice.registration.as_ref().and_then(|own| own.redirect_uri.as_ref());
    if choice.id.is_some() {
        let client = server.authenticated_client(&request.server, choice)?;
        let Some(registered) = registered else {
            return Ok((client, CallbackReceiver::open(&request.callback, caller).await?));
        };
        if let Some(receiver) = open_at(registered, &request.callback, caller).await? {
            server.registration.clone_from(&choice.registration);
            return Ok((client, receiver));
        }
        caller.observe(&Event::Note(&format!(
            "the redirect URI {registered}, which this client was registered with, cannot be used now"
        )));
    }
    let receiver = CallbackReceiver::open(&request.callback, caller).await?;
    let (client, unused) = register(request, &receiver.redirect_uri, server, caller).await?;
    *registered_now = Some(unused);
    let client = server.authenticated_client(&request.server, &client)?;
    Ok((client, receiver))
}

/// The receiver at the redirect URI that was registered; `None` where its port
/// is in use, or the login wants another redirect URI.
async fn open_at(
    registered: &RedirectUri,
    choice: &CallbackChoice,
    caller: &mut Caller<'_>,
) -> Result<Option<CallbackReceiver>, LoginError> {
    let port = registered.port().unwrap_or_default();
    let Some(at_port) = choice.at_port(port) else {
        return Ok(None);
    };
    match CallbackReceiver::open(&at_port, caller).await {
        Ok(receiver) if receiver.redirect_uri == *registered => Ok(Some(receiver)),
        Ok(receiver) => {
            receiver.close().await;
            Ok(None)
        }
        Err(LoginError::Listener(LoopbackError::PortsBusy { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn register(
    request: &LoginRequest,
    redirect_uri: &RedirectUri,
    server: &mut ResolvedServer,
    caller: &mut Caller<'_>,
) -> Result<(ClientChoice, UnusedClient), LoginError> {
    let endpoint = server.metadata.required("registration_endpoint");
    let endpoint = endpoint.map_err(|_| ServerError::NoClient)?.clone();
    let asked = request.client.registration_request(redirect_uri, &server.metadata);
    let client = registration::register(&asked, &endpoint, caller).await?;
    let unused = UnusedClient {
        id: client.id.clone(),
        has_secret: client.secret.is_some(),
        redirect_uri: redirect_uri.clone(),
        endpoint,
        management: client.management.clone(),
    };
    let mut choice = request.client.clone();
    choice.credentials.secret = client.secret.or_else(|| choice.credentials.secret.take());
    choice.method = Some(client.method);
    choice.id = Some(client.id);
    server.registration = Some(Registration {
        redirect_uri: Some(asked.redirect_uri),
        secret_expires_at: client.secret_expires_at,
        management: client.management,
    });
    Ok((choice, unused))
}

impl ClientChoice {
    /// What the client registers as at a server with these metadata, with its
    /// own key and certificate where it has them.
    pub(crate) fn registration_request(
        &self,
        redirect_uri: &RedirectUri,
        metadata: &ServerMetadata,
    ) -> RegistrationRequest {
        let key = self.credentials.key.as_ref();
        RegistrationRequest {
            redirect_uri: redirect_uri.clone(),
            method: self.registered_method(metadata),
            key: key.map(|key| Value::Object(key.public_jwk().to_json())),
            certificate: self.credentials.certificate.clone(),
        }
    }

    /// The method that was chosen, else a public client, unless the server lists
    /// methods and that one is not among them.
    fn registered_method(&self, metadata: &ServerMetadata) -> ClientAuthenticationMethod {
        if let Some(method) = self.method {
            return method;
        }
        let listed = metadata.token_endpoint_auth_methods_supported.as_deref();
        let is_listed = |method: &ClientAuthenticationMethod| {
            listed.is_none_or(|listed| listed.iter().any(|name| name == method.as_str()))
        };
        let wanted: &[ClientAuthenticationMethod] = match self.credentials.key.is_some() {
            true => &[ClientAuthenticationMethod::PrivateKeyJwt],
            false => &[
                ClientAuthenticationMethod::None,
                ClientAuthenticationMethod::ClientSecretBasic,
                ClientAuthenticationMethod::ClientSecretPost,
                ClientAuthenticationMethod::ClientSecretJwt,
            ],
        };
        let found = wanted.iter().copied().find(is_listed);
        found.unwrap_or(ClientAuthenticationMethod::None)
    }
}
