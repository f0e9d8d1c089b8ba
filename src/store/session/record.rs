//! A session as it is kept: server, client, what was asked for, how it is
//! renewed, and its tokens.

use super::end::{SessionEnd, Suspension};
use super::registration::Registration;
use super::renewal::Renewal;
use super::role_credentials::RoleCredentials;
use super::token::StoredToken;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::certificate::{CertificateChain, CertificateError};
use crate::protocol::client::{
    AssertionParameters, Client, ClientAuthenticationMethod, ClientCredentials, ClientId, MissingCredential,
};
use crate::protocol::endpoint::{Endpoint, Issuer};
use crate::protocol::id_token::FirstClaims;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::signing::{SigningKey, SigningKeyError};
use crate::protocol::time::UnixSeconds;
use crate::protocol::tls_identity::TlsIdentity;
use crate::secret::Secret;
use crate::store::token_source::TokenSource;
use std::sync::Arc;

/// So many roles keep their keys: stores limit the size of a record.
const MAX_KEPT_ROLES: usize = 4;

/// A profile's record.
#[derive(Debug, Clone)]
pub struct Session {
    /// Goes up by one with every change, so that a reader sees that someone
    /// else wrote in between.
    pub generation: u64,
    /// The issuer; `None` where only endpoints were given.
    pub issuer: Option<Issuer>,
    /// Who we are for the server.
    pub client: SessionClient,
    /// Set where this program registered the client by itself.
    pub registration: Option<Registration>,
    /// The API whose URL the login was given.
    pub api: Option<Endpoint>,
    /// Where tokens are requested (RFC 6749 §3.2).
    pub token_endpoint: Endpoint,
    /// Where tokens are revoked and asked about.
    pub endpoints: SessionEndpoints,
    /// What the login asked for.
    pub requested: RequestedAccess,
    /// How a new access token is had.
    pub renewal: Renewal,
    /// RFC 6749 §1.5.
    pub refresh_token: Option<Secret>,
    /// The key that the tokens are bound to (RFC 9449), as a JWK.
    pub dpop_key: Option<Secret>,
    /// What was granted beside the scope, where the server says so (RFC 9396 §7).
    pub authorization_details: Option<AuthorizationDetails>,
    /// OpenID Connect Core §2.
    pub id_token: Option<Secret>,
    /// Who signed in, when known.
    pub subject: Option<String>,
    /// Whether no key proved the ID token that names the subject.
    pub subject_is_unverified: bool,
    /// Set when the server has ended the session.
    pub dead: Option<SessionEnd>,
    /// Set when a refresh brought the ID token of another party.
    pub suspended: Option<Suspension>,
    /// When the refresh token ends, where the server said so.
    pub refresh_expires_at: Option<UnixSeconds>,
    /// What the first ID token said, where there was one.
    pub first_claims: Option<FirstClaims>,
    /// The first one is the main one; others were asked for a part of it.
    pub tokens: Vec<StoredToken>,
    /// Keys of AWS roles that were assumed with the ID token, oldest first.
    pub role_credentials: Vec<RoleCredentials>,
}

/// The client's identity at the server, with all credentials that it has there.
#[derive(Debug, Clone)]
pub struct SessionClient {
    /// RFC 6749 §2.2.
    pub id: ClientId,
    /// How it authenticates.
    pub method: ClientAuthenticationMethod,
    /// The client secret, where there is one.
    pub secret: Option<Secret>,
    /// The private key that it signs with (RFC 7523 §2.2) or that belongs to
    /// its certificate, as PEM or as a JWK. It is taken apart where a request
    /// needs it: most commands send none.
    pub key: Option<Secret>,
    /// Its certificate and those that it depends on, as PEM (RFC 8705 §2).
    pub certificate_chain: Option<String>,
    /// Whether its tokens are bound to the certificate (RFC 8705 §3).
    pub certificate_bound: bool,
    /// How its assertions are made, where it authenticates with them.
    pub assertion: Option<AssertionParameters>,
    /// Where an assertion comes from that someone else makes for it.
    pub assertion_source: Option<TokenSource>,
}

/// What the client of a record proves itself with besides, for one request.
#[derive(Debug, Clone, Default)]
pub struct FreshCredentials {
    /// What the environment holds now; it wins over the secret of the record.
    pub secret: Option<Secret>,
    /// What was read from the source of assertions.
    pub assertion: Option<Secret>,
}

/// Why the client of a record cannot authenticate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientCredentialError {
    /// Neither the record nor the environment has it.
    #[error(transparent)]
    Missing(#[from] MissingCredential),
    #[error("the client key of the session cannot be used: {0}")]
    Key(#[from] SigningKeyError),
    /// The source of its assertions was not read.
    #[error("the client authenticates with an assertion from another program, and there is none")]
    NoAssertion,
    #[error("the client certificate of the session cannot be used: {0}")]
    Certificate(#[from] CertificateError),
}

impl SessionClient {
    /// The client for a request.
    ///
    /// # Errors
    /// [`ClientCredentialError`].
    pub fn to_client(&self, fresh: &FreshCredentials) -> Result<Client, ClientCredentialError> {
        let mut credentials = self.credentials()?;
        if let Some(secret) = &fresh.secret {
            credentials.secret = Some(secret.clone());
        }
        credentials.assertion.clone_from(&fresh.assertion);
        if self.assertion_source.is_some() && credentials.assertion.is_none() {
            return Err(ClientCredentialError::NoAssertion);
        }
        let assertion = self.assertion.clone().unwrap_or_default();
        let client = Client::new(self.id.clone(), self.method, credentials, &assertion)?;
        Ok(match self.certificate_bound {
            true => client.with_bound_tokens(),
            false => client,
        })
    }

    /// What the client shows of itself in TLS to its server, where it
    /// authenticates so or has its tokens bound to it.
    ///
    /// # Errors
    /// [`ClientCredentialError`], but never for one that is missing.
    pub fn tls_identity(&self) -> Result<Option<Arc<TlsIdentity>>, ClientCredentialError> {
        match self.certificate_bound || self.method.takes_certificate() {
            true => Ok(self.credentials()?.tls_identity().map(Arc::new)),
            false => Ok(None),
        }
    }

    /// What is shown in TLS to resources: the certificate, where the tokens are
    /// bound to it (RFC 8705 §3).
    ///
    /// # Errors
    /// As [`SessionClient::tls_identity`].
    pub fn tls_identity_for_resources(&self) -> Result<Option<Arc<TlsIdentity>>, ClientCredentialError> {
        match self.certificate_bound {
            true => self.tls_identity(),
            false => Ok(None),
        }
    }

    /// What the client can prove itself with, taken apart.
    ///
    /// # Errors
    /// [`ClientCredentialError`], but never for one that is missing.
    pub fn credentials(&self) -> Result<ClientCredentials, ClientCredentialError> {
        let key = self
            .key
            .as_ref()
            .map(|key| SigningKey::parse(key.expose()))
            .transpose()?;
        let certificate = self
            .certificate_chain
            .as_deref()
            .map(CertificateChain::parse)
            .transpose()?;
        Ok(ClientCredentials {
            secret: self.secret.clone(),
            key,
            certificate,
            certified_key_files: None,
            assertion: None,
        })
    }
}

impl From<&Client> for SessionClient {
    fn from(client: &Client) -> Self {
        SessionClient {
            id: client.id.clone(),
            method: client.authentication.method(),
            secret: client.credentials.secret.clone(),
            key: client.credentials.key.as_ref().map(SigningKey::to_private_jwk),
            certificate_chain: client.credentials.certificate.as_ref().map(CertificateChain::to_pem),
            certificate_bound: client.has_bound_tokens(),
            assertion: client.authentication.assertion_parameters(),
            assertion_source: None,
        }
    }
}

/// Other endpoints of the server, as they were when the session began.
#[derive(Debug, Clone, Default)]
pub struct SessionEndpoints {
    /// RFC 7009 §2.
    pub revocation: Option<Endpoint>,
    /// RFC 7662 §2.
    pub introspection: Option<Endpoint>,
    /// OpenID Connect Core §5.3.
    pub userinfo: Option<Endpoint>,
    /// The server's keys (RFC 8414 §2).
    pub jwks_uri: Option<Endpoint>,
}

/// What was asked for, to be compared with the profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedAccess {
    /// RFC 6749 §3.3.
    pub scope: Scope,
    /// Resource indicators, in order (RFC 8707 §2).
    pub resource: Vec<Resource>,
    /// The `audience` parameter of servers that use that name.
    pub audience: Option<String>,
}

impl Session {
    /// A session of this client at this server without a login.
    pub fn new(issuer: Option<Issuer>, client: SessionClient, token_endpoint: Endpoint) -> Self {
        Session {
            generation: 0,
            issuer,
            client,
            registration: None,
            api: None,
            token_endpoint,
            endpoints: SessionEndpoints::default(),
            requested: RequestedAccess::default(),
            renewal: Renewal::None,
            refresh_token: None,
            dpop_key: None,
            authorization_details: None,
            id_token: None,
            subject: None,
            subject_is_unverified: false,
            dead: None,
            suspended: None,
            refresh_expires_at: None,
            first_claims: None,
            tokens: Vec::new(),
            role_credentials: Vec::new(),
        }
    }

    /// The same server, client and request, without any token.
    pub fn without_tokens(self) -> Self {
        Session {
            generation: self.generation.saturating_add(1),
            endpoints: self.endpoints,
            requested: self.requested,
            registration: self.registration,
            api: self.api,
            ..Session::new(self.issuer, self.client, self.token_endpoint)
        }
    }

    /// Keeps these keys in the place of those of the same role. Keys that have
    /// ended are dropped, and the oldest where there are too many.
    pub fn keep_role_credentials(&mut self, credentials: RoleCredentials, now: UnixSeconds) {
        let is_obsolete = |kept: &RoleCredentials| kept.identity == credentials.identity || kept.expires_at <= now;
        self.role_credentials.retain(|kept| !is_obsolete(kept));
        let surplus = (self.role_credentials.len() + 1).saturating_sub(MAX_KEPT_ROLES);
        self.role_credentials.drain(..surplus);
        self.role_credentials.push(credentials);
    }

    /// Whether there is a token, a way to get one, or one that a suspended
    /// session keeps unused. After a logout the record may stay for the secrets
    /// of the client alone.
    pub fn is_signed_in(&self) -> bool {
        !self.tokens.is_empty() || self.can_renew() || self.suspended.is_some()
    }

    /// Whether a new access token can be had without the resource owner.
    pub fn can_renew(&self) -> bool {
        let is_over = self.dead.is_some() || self.suspended.is_some();
        !is_over && self.renewal.is_possible(self.refresh_token.is_some())
    }
}
