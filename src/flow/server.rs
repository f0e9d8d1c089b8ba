//! Step 1, the server: its metadata or the endpoints that were given, and how
//! the client authenticates there.

use super::login::error::LoginError;
use super::login::{ClientChoice, ServerChoice};
use crate::flow::caller::Caller;
use crate::flow::discovery::discover;
use crate::protocol::client::{Client, ClientAuthentication, ClientAuthenticationMethod};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::metadata::ServerMetadata;
use crate::trace::Event;
use crate::transport::UrlSource;

/// A server with the two endpoints that the flow needs.
pub(in crate::flow) struct ResolvedServer {
    pub(in crate::flow) metadata: ServerMetadata,
    pub(in crate::flow) authorization_endpoint: Endpoint,
    pub(in crate::flow) token_endpoint: Endpoint,
}

/// Learns the server's endpoints and whether it can take part in the flow.
pub(in crate::flow) async fn resolve_server(
    choice: &ServerChoice,
    caller: &mut Caller<'_>,
) -> Result<ResolvedServer, LoginError> {
    let both_given = choice.authorization_endpoint.is_some() && choice.token_endpoint.is_some();
    let mut metadata = match &choice.issuer {
        Some(issuer) if !both_given => discover(issuer, choice.allowance, caller).await.map_err(Box::new)?,
        issuer => ServerMetadata {
            issuer: issuer.clone(),
            ..ServerMetadata::default()
        },
    };
    for (own, given) in [
        (&mut metadata.authorization_endpoint, &choice.authorization_endpoint),
        (&mut metadata.token_endpoint, &choice.token_endpoint),
        (&mut metadata.revocation_endpoint, &choice.revocation_endpoint),
    ] {
        if given.is_some() {
            own.clone_from(given);
        }
    }
    metadata
        .supports_code_flow_with_pkce()
        .map_err(LoginError::Unsuitable)?;
    let required = |endpoint: &Option<Endpoint>, name| endpoint.clone().ok_or(LoginError::NoEndpoint(name));
    let authorization_endpoint = required(&metadata.authorization_endpoint, "authorization_endpoint")?;
    let token_endpoint = required(&metadata.token_endpoint, "token_endpoint")?;
    // Certificates and proxy settings are looked at before a person signs in for nothing.
    caller
        .transport
        .prepare(token_endpoint.url(), UrlSource::Server)
        .map_err(LoginError::Unreachable)?;
    match &metadata.code_challenge_methods_supported {
        Some(_) => caller.observe(&Event::CheckPassed("the server lists S256 (RFC 7636 §4.2)")),
        None => caller.observe(&Event::CheckSkipped(
            "the server does not say whether it knows PKCE; S256 is sent all the same (RFC 9700 §2.1.1)",
        )),
    }
    Ok(ResolvedServer {
        metadata,
        authorization_endpoint,
        token_endpoint,
    })
}

impl ClientChoice {
    /// The client as it authenticates at a server with these metadata.
    pub(crate) fn authenticated_as(&self, metadata: &ServerMetadata) -> Client {
        let authentication = match &self.secret {
            None => ClientAuthentication::None,
            Some(secret) => match self.method.unwrap_or_else(|| metadata.client_authentication_method()) {
                ClientAuthenticationMethod::None => ClientAuthentication::None,
                ClientAuthenticationMethod::ClientSecretBasic => {
                    ClientAuthentication::ClientSecretBasic(secret.clone())
                }
                ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost(secret.clone()),
            },
        };
        Client {
            id: self.id.clone(),
            authentication,
        }
    }
}
