//! The server of a flow: its metadata or the endpoints that were given, and how
//! the client authenticates there.

mod error;

pub use error::ServerError;

use super::assertion_audience::AssertionAudience;
use super::caller::Caller;
use super::discovery::{discover, discover_with};
use super::dpop::DpopSession;
use super::issuer_keys::IssuerKeys;
use crate::protocol::client::{AssertionParameters, Client, ClientAuthenticationMethod, ClientCredentials, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::jwks::JwkSet;
use crate::protocol::metadata::{MetadataError, ServerMetadata};
use crate::protocol::scope::Scope;
use crate::store::{Registration, RequestedAccess, Session, SessionClient, SessionEndpoints, TokenSource};
use crate::trace::Event;
use crate::transport::UrlSource;

/// Which authorization server, by issuer or by endpoints.
#[derive(Debug, Clone)]
pub struct ServerChoice {
    /// Whose metadata is discovered, unless both endpoints below are given.
    pub issuer: Option<Issuer>,
    /// Instead of the discovered one.
    pub authorization_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub token_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub revocation_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub userinfo_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub introspection_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub jwks_uri: Option<Endpoint>,
    /// Instead of the discovered one.
    pub device_authorization_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub pushed_authorization_request_endpoint: Option<Endpoint>,
    /// Where http may be spoken.
    pub allowance: HttpPolicy,
    /// The metadata, where they were fetched already.
    pub discovered: Option<Box<ServerMetadata>>,
    /// The API whose URL was given, where the server was found by that.
    pub api: Option<Endpoint>,
    /// Whether PKCE is used without asking where the metadata does not say that
    /// the server takes it, also for an API (`--assume-pkce`).
    pub assumes_pkce: bool,
}

/// Which client, and how it authenticates if it can.
#[derive(Debug, Clone)]
pub struct ClientChoice {
    /// Its name at the server; `None` where the login registers it.
    pub id: Option<ClientId>,
    /// What is known of it, where this program registered it before.
    pub registration: Option<Registration>,
    /// What it can prove itself with.
    pub credentials: ClientCredentials,
    /// The method that the user chose, else what the metadata says.
    pub method: Option<ClientAuthenticationMethod>,
    /// The method of a client with a secret, where none was chosen and more is
    /// known of the server than its metadata says.
    pub method_with_secret: Option<ClientAuthenticationMethod>,
    pub assertion_audience: AssertionAudience,
    /// Where the assertion in the credentials comes from, where someone else makes it.
    pub assertion_source: Option<TokenSource>,
}

/// A server that tokens can be requested from, by any grant.
pub(in crate::flow) struct ResolvedServer {
    pub(in crate::flow) metadata: ServerMetadata,
    pub(in crate::flow) token_endpoint: Endpoint,
    /// The keys that its ID tokens are verified with, once they were fetched.
    pub(in crate::flow) keys: Option<IssuerKeys>,
    /// Where the assertions of the client come from that someone else makes.
    pub(in crate::flow) assertion_source: Option<TokenSource>,
    /// Whether its metadata were fetched.
    pub(in crate::flow) is_discovered: bool,
    /// The API whose URL was given.
    pub(in crate::flow) api: Option<Endpoint>,
    pub(in crate::flow) assumes_pkce: bool,
    /// What the client is registered with, where this program registered it.
    pub(in crate::flow) registration: Option<Registration>,
}

/// Finds the server's endpoints: those that were given, else those of its metadata.
pub(in crate::flow) async fn resolve_server(
    choice: &ServerChoice,
    caller: &mut Caller<'_>,
) -> Result<ResolvedServer, ServerError> {
    resolve_with(choice, choice.authorization_endpoint.is_some(), None, caller).await
}

/// The same for a login by authorization code with this scope: with `openid`
/// in it, `jwks_uri` is needed too.
pub(in crate::flow) async fn resolve_server_for_login(
    choice: &ServerChoice,
    scope: &Scope,
    caller: &mut Caller<'_>,
) -> Result<ResolvedServer, ServerError> {
    let is_given = choice.authorization_endpoint.is_some();
    resolve_with(choice, is_given, choice.needed_member(scope), caller).await
}

/// The same for the device authorization grant.
pub(in crate::flow) async fn resolve_server_for_devices(
    choice: &ServerChoice,
    scope: &Scope,
    caller: &mut Caller<'_>,
) -> Result<ResolvedServer, ServerError> {
    let is_given = choice.device_authorization_endpoint.is_some();
    resolve_with(choice, is_given, choice.needed_member(scope), caller).await
}

/// Discovers nothing where the token endpoint and the other one that the grant
/// begins with were given. A member that is needed is looked for in all
/// documents of the issuer.
async fn resolve_with(
    choice: &ServerChoice,
    beginning_is_given: bool,
    needed_member: Option<&'static str>,
    caller: &mut Caller<'_>,
) -> Result<ResolvedServer, ServerError> {
    let is_complete = beginning_is_given && choice.token_endpoint.is_some();
    let is_discovered = choice.issuer.is_some() && !is_complete;
    // What another document of the server has to add was not looked for yet.
    let fetched = choice.discovered.as_deref();
    let fetched = fetched.filter(|metadata| needed_member.is_none_or(|member| !metadata.lacks(member)));
    let mut metadata = match (&choice.issuer, fetched) {
        (_, Some(metadata)) => metadata.clone(),
        (Some(issuer), None) if is_discovered => {
            let discovered = match needed_member {
                Some(member) => discover_with(member, issuer, choice.allowance, caller).await,
                None => discover(issuer, choice.allowance, caller).await,
            };
            discovered.map_err(Box::new)?
        }
        (issuer, None) => ServerMetadata {
            issuer: issuer.clone(),
            ..ServerMetadata::default()
        },
    };
    choice.replace_endpoints(&mut metadata);
    let token_endpoint = metadata
        .required("token_endpoint")
        .map_err(ServerError::Endpoint)?
        .clone();
    // Certificates and proxy settings are read before a person signs in for nothing.
    caller
        .transport
        .prepare(token_endpoint.url(), UrlSource::Server)
        .map_err(ServerError::Unreachable)?;
    Ok(ResolvedServer {
        metadata,
        token_endpoint,
        keys: None,
        assertion_source: None,
        is_discovered,
        api: choice.api.clone(),
        assumes_pkce: choice.assumes_pkce,
        registration: None,
    })
}

impl ServerChoice {
    /// What a login with this scope needs of the metadata beside its endpoints.
    fn needed_member(&self, scope: &Scope) -> Option<&'static str> {
        (scope.contains("openid") && self.jwks_uri.is_none()).then_some("jwks_uri")
    }

    /// Puts the endpoints for certificates, and then those that were given, in
    /// the place of those of the metadata.
    pub(crate) fn use_mtls_endpoints(&self, metadata: &mut ServerMetadata) -> Result<(), MetadataError> {
        metadata.use_mtls_endpoints()?;
        self.replace_endpoints(metadata);
        Ok(())
    }

    /// Puts the endpoints that were given in the place of those of the metadata.
    pub(crate) fn replace_endpoints(&self, metadata: &mut ServerMetadata) {
        for (own, given) in [
            (&mut metadata.authorization_endpoint, &self.authorization_endpoint),
            (&mut metadata.token_endpoint, &self.token_endpoint),
            (&mut metadata.revocation_endpoint, &self.revocation_endpoint),
            (&mut metadata.userinfo_endpoint, &self.userinfo_endpoint),
            (&mut metadata.introspection_endpoint, &self.introspection_endpoint),
            (&mut metadata.jwks_uri, &self.jwks_uri),
            (
                &mut metadata.device_authorization_endpoint,
                &self.device_authorization_endpoint,
            ),
            (
                &mut metadata.pushed_authorization_request_endpoint,
                &self.pushed_authorization_request_endpoint,
            ),
        ] {
            if given.is_some() {
                own.clone_from(given);
            }
        }
    }
}

impl ResolvedServer {
    /// Fetches the keys that an ID token will be verified with, where one is
    /// asked for: before a person signs in for nothing.
    pub(in crate::flow) async fn fetch_keys(
        &mut self,
        scope: &Scope,
        caller: &mut Caller<'_>,
    ) -> Result<(), ServerError> {
        if !scope.contains("openid") {
            return Ok(());
        }
        let endpoint = match self.metadata.required("jwks_uri") {
            Ok(endpoint) => endpoint.clone(),
            Err(MetadataError::NoEndpoint(_)) => return Ok(()),
            Err(problem) => return Err(ServerError::Endpoint(problem)),
        };
        self.keys = Some(IssuerKeys::fetch(endpoint, caller).await.map_err(Box::new)?);
        Ok(())
    }

    /// Goes on with these keys, which are newer, where there are any.
    pub(in crate::flow) fn replace_keys(&mut self, newer: Option<&JwkSet>) {
        if let (Some(keys), Some(newer)) = (&mut self.keys, newer) {
            keys.replace(newer.clone());
        }
    }

    /// The client as it authenticates here. Where it shows a certificate, its
    /// requests go to the endpoints for that (RFC 8705 §5), but for those that
    /// were given.
    pub(in crate::flow) fn authenticated_client(
        &mut self,
        choice: &ServerChoice,
        client: &ClientChoice,
    ) -> Result<Client, ServerError> {
        let registers = self.metadata.required("registration_endpoint").is_ok();
        let without = || match registers {
            true => ServerError::NoClientForGrant,
            false => ServerError::NoClient,
        };
        let id = client.id.as_ref().ok_or_else(without)?;
        self.assertion_source.clone_from(&client.assertion_source);
        let client = client.authenticated_as(id, &self.metadata);
        if client.tls_identity().is_some() {
            choice
                .use_mtls_endpoints(&mut self.metadata)
                .map_err(ServerError::Endpoint)?;
            let token_endpoint = self.metadata.required("token_endpoint");
            self.token_endpoint = token_endpoint.map_err(ServerError::Endpoint)?.clone();
        }
        Ok(client)
    }

    /// A session of this client at this server, without any token yet.
    pub(in crate::flow) fn session(
        &self,
        client: &Client,
        requested: RequestedAccess,
        dpop: Option<&DpopSession>,
    ) -> Session {
        let client = SessionClient {
            assertion_source: self.assertion_source.clone(),
            ..SessionClient::from(client)
        };
        Session {
            dpop_key: dpop.map(|dpop| dpop.key().to_private_jwk()),
            endpoints: SessionEndpoints::from(&self.metadata),
            requested,
            registration: self.registration.clone(),
            api: self.api.clone(),
            ..Session::new(self.metadata.issuer.clone(), client, self.token_endpoint.clone())
        }
    }

    /// What the authorization code grant needs besides: an authorization
    /// endpoint, and PKCE with S256 as far as the metadata tell.
    pub(in crate::flow) fn authorization_endpoint(&self, caller: &mut Caller<'_>) -> Result<&Endpoint, ServerError> {
        let supported = self.metadata.supports_code_flow_with_pkce();
        supported.map_err(ServerError::Unsuitable)?;
        let endpoint = self.metadata.required("authorization_endpoint");
        let endpoint = endpoint.map_err(ServerError::Endpoint)?;
        match &self.metadata.code_challenge_methods_supported {
            Some(_) => caller.observe(&Event::CheckPassed("the server lists S256 (RFC 7636 §4.2)")),
            None if self.api.is_some() && !self.assumes_pkce => return Err(ServerError::PkceNotAnnounced),
            None => caller.observe(&Event::CheckSkipped(
                "the server does not say whether it knows PKCE; S256 is sent all the same (RFC 9700 §2.1.1)",
            )),
        }
        Ok(endpoint)
    }
}

impl ResolvedServer {
    /// What the device authorization grant needs besides.
    pub(in crate::flow) fn device_authorization_endpoint(
        &self,
        caller: &mut Caller<'_>,
    ) -> Result<&Endpoint, ServerError> {
        let endpoint = self.metadata.required("device_authorization_endpoint");
        let endpoint = endpoint.map_err(|problem| match problem {
            MetadataError::NoEndpoint(_) => ServerError::NoDeviceGrant,
            problem => ServerError::Endpoint(problem),
        })?;
        match self.metadata.announces_s256() {
            true => caller.observe(&Event::CheckPassed("the server lists S256 (RFC 7636 §4.2)")),
            false => caller.observe(&Event::CheckSkipped(
                "PKCE: the server does not list it, and the device grant does without (RFC 8628)",
            )),
        }
        Ok(endpoint)
    }
}

impl ClientChoice {
    /// The client of this name as it authenticates at a server with these
    /// metadata. One with a certificate has its tokens bound to it, by whatever
    /// method it authenticates, where the server does so (RFC 8705 §3.3).
    pub(crate) fn authenticated_as(&self, id: &ClientId, metadata: &ServerMetadata) -> Client {
        let method = self
            .method
            .or(self.method_with_secret.filter(|_| self.credentials.secret.is_some()))
            .unwrap_or_else(|| metadata.client_authentication_method(&self.credentials));
        let listed = metadata.token_endpoint_auth_signing_alg_values_supported.as_deref();
        let algorithm = self.credentials.assertion_algorithm(method, listed.unwrap_or_default());
        let assertion = AssertionParameters {
            audience: self.assertion_audience.at(metadata),
            algorithm: algorithm.map(str::to_owned),
        };
        let client = Client::new(id.clone(), method, self.credentials.clone(), &assertion);
        // A client without a credential is a public one.
        let client = client.unwrap_or_else(|_| Client::public(id.clone()));
        match metadata.binds_tokens_to_certificates() {
            true => client.with_bound_tokens(),
            false => client,
        }
    }
}
