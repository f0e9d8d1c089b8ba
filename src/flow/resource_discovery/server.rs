//! What the URL of a login is: an authorization server's or an API's, and
//! then which server gives tokens for it.

use super::{FoundResource, Probing, ResourceError, ResourceSearch};
use crate::flow::caller::Caller;
use crate::flow::discovery::walk::Attempt;
use crate::flow::discovery::{DiscoveryError, discover};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::metadata::{MetadataError, ServerMetadata};
use crate::protocol::protected_resource::ResourceMatch;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::trace::Event;

/// A URL, and what is known of it.
#[derive(Debug)]
pub struct LookedAt<'a> {
    pub url: &'a Endpoint,
    /// The same as an issuer; `None` where it is none for sure.
    pub issuer: Option<&'a Issuer>,
    /// Where http may be spoken.
    pub http: HttpPolicy,
    pub probing: Probing,
}

/// What the URL is.
#[derive(Debug)]
pub enum UrlMeaning {
    /// An authorization server's, with its metadata.
    Server(Box<ServerMetadata>),
    Api(Box<DiscoveredApi>),
}

/// What an API says about itself, as far as a login needs it.
#[derive(Debug)]
pub struct DiscoveredApi {
    /// What `resource` says in requests (RFC 8707).
    pub resource: Resource,
    /// Who gives tokens for it; never empty.
    pub authorization_servers: Vec<Issuer>,
    /// What to ask for: the scope of the challenge, else all that the metadata lists.
    pub scope: Option<Scope>,
    /// Whether it takes bound tokens alone (RFC 9449).
    pub dpop_required: bool,
}

impl LookedAt<'_> {
    /// Finds out what the URL is. An API is looked for only where the URL has
    /// no metadata of a server, or where it asks for tokens of another one.
    ///
    /// # Errors
    /// [`ResourceError`].
    pub async fn find_meaning(&self, caller: &mut Caller<'_>) -> Result<UrlMeaning, ResourceError> {
        let mut search = ResourceSearch::new(self.url, self.http);
        let Some(issuer) = self.issuer else {
            let api = self.find_api(&mut search, caller).await?;
            return api
                .map(|api| UrlMeaning::Api(Box::new(api)))
                .ok_or_else(|| ResourceError::NotFound {
                    url: self.url.to_string(),
                    attempts: search.attempts,
                });
        };
        let problem = match discover(issuer, self.http, caller).await {
            Ok(metadata) => return Ok(UrlMeaning::Server(Box::new(metadata))),
            Err(problem) => problem,
        };
        match &problem {
            DiscoveryError::NotFound { .. } => {}
            DiscoveryError::Invalid {
                problem: MetadataError::OtherIssuer { .. },
                ..
            } => {
                search.ask(self.probing, caller).await?;
                if !search.is_challenged() {
                    return Err(problem.into());
                }
            }
            _ => return Err(problem.into()),
        }
        match self.find_api(&mut search, caller).await? {
            Some(api) => Ok(UrlMeaning::Api(Box::new(api))),
            None => Err(with_attempts(problem, search.attempts).into()),
        }
    }

    async fn find_api(
        &self,
        search: &mut ResourceSearch,
        caller: &mut Caller<'_>,
    ) -> Result<Option<DiscoveredApi>, ResourceError> {
        if let Some(document) = search.run(self.probing, caller).await? {
            let found = search.check(document, caller)?;
            return self.read(search, &found, caller).map(Some);
        }
        let (Some(metadata), Ok(resource)) = (
            search.origin_as_issuer(caller).await,
            Resource::parse(self.url.url().as_str()),
        ) else {
            return Ok(None);
        };
        let Some(issuer) = metadata.issuer else {
            return Ok(None);
        };
        caller.observe(&Event::Warning(&format!(
            "{} publishes no metadata of a resource (RFC 9728): its origin is taken as the authorization server, since that has metadata",
            self.url
        )));
        Ok(Some(DiscoveredApi {
            resource,
            authorization_servers: vec![issuer],
            scope: search.challenged_scope(),
            dpop_required: false,
        }))
    }

    fn read(
        &self,
        search: &ResourceSearch,
        found: &FoundResource,
        caller: &mut Caller<'_>,
    ) -> Result<DiscoveredApi, ResourceError> {
        let metadata = &found.metadata;
        if metadata.authorization_servers.is_empty() {
            return Err(found.no_server());
        }
        if found.matches == ResourceMatch::Wider {
            caller.observe(&Event::Warning(&format!(
                "the tokens will be for {}, which is more than {}",
                metadata.resource, self.url
            )));
        }
        let listed = metadata.scopes_supported.as_deref().map(|scopes| {
            let mut listed = Scope::default();
            for scope in scopes.iter().filter_map(|token| Scope::parse(token).ok()) {
                listed = listed.union(&scope);
            }
            listed
        });
        Ok(DiscoveredApi {
            resource: metadata.resource.clone(),
            authorization_servers: metadata.authorization_servers.clone(),
            scope: search.challenged_scope().or(listed).filter(|scope| !scope.is_empty()),
            dpop_required: metadata.dpop_bound_access_tokens_required,
        })
    }
}

impl DiscoveredApi {
    /// The metadata of one of its authorization servers. Whatever they name may
    /// be reached at public addresses alone where the API is at one.
    ///
    /// # Errors
    /// [`ResourceError::Server`].
    pub async fn discover_server(
        &self,
        issuer: &Issuer,
        http: HttpPolicy,
        caller: &mut Caller<'_>,
    ) -> Result<ServerMetadata, ResourceError> {
        let api = self.resource.url();
        caller.transport.note_named(issuer.url(), api);
        let found = discover(issuer, http, caller).await;
        let metadata = found.map_err(|source| ResourceError::Server {
            issuer: issuer.to_string(),
            resource: self.resource.to_string(),
            source: Box::new(source),
        })?;
        for endpoint in metadata.endpoints() {
            caller.transport.note_named(endpoint.url(), api);
        }
        Ok(metadata)
    }

    /// The scope of a login: what the API asks for, and `offline_access` beside
    /// it where the server lists that.
    pub fn scope_at(&self, server: &ServerMetadata) -> Scope {
        const OFFLINE_ACCESS: &str = "offline_access";
        let Some(scope) = &self.scope else {
            return Scope::default();
        };
        let listed = server.scopes_supported.as_deref().unwrap_or_default();
        match listed.iter().any(|token| token == OFFLINE_ACCESS) {
            true => scope.union(&Scope::received(OFFLINE_ACCESS)),
            false => scope.clone(),
        }
    }
}

/// The same error with what was tried after it.
fn with_attempts(problem: DiscoveryError, more: Vec<Attempt>) -> DiscoveryError {
    match problem {
        DiscoveryError::NotFound { issuer, mut attempts } => {
            attempts.extend(more);
            DiscoveryError::NotFound { issuer, attempts }
        }
        other => other,
    }
}
