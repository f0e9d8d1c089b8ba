//! Metadata of a protected resource (RFC 9728): which authorization servers
//! give tokens for an API, and what it wants of them.

use super::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer, is_loopback, origin_of};
use super::json::{JsonError, parse_object};
use super::member_type::type_fault;
use super::members::Members;
use super::resource::{InvalidResource, Resource};
use super::token_destination::TokenReach;
use crate::foreign_text::Quoted;
use serde_json::{Map, Value};
use url::Url;

/// What the well-known URLs have between host and path (RFC 9728 §3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Authorization servers of one resource that are looked at.
pub const MAX_AUTHORIZATION_SERVERS: usize = 16;

/// What a resource says about itself.
#[derive(Debug, Clone)]
pub struct ProtectedResourceMetadata {
    /// Its identifier: what `resource` says in requests (RFC 8707 §2).
    pub resource: Resource,
    /// Who gives tokens for it, vetted and in order.
    pub authorization_servers: Vec<Issuer>,
    /// Servers that the document names and that may not be used, each with the reason.
    pub refused_authorization_servers: Vec<(String, EndpointError)>,
    /// What may be asked for. `None` where it does not say.
    pub scopes_supported: Option<Vec<String>>,
    /// `header`, `body`, `query`. `None` where it does not say.
    pub bearer_methods_supported: Option<Vec<String>>,
    /// Whether it takes bound tokens alone (RFC 9449).
    pub dpop_bound_access_tokens_required: bool,
    /// What proofs may be signed with.
    pub dpop_signing_alg_values_supported: Option<Vec<String>>,
    /// RFC 8705 §3.
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Its name for people. Text from the network.
    pub resource_name: Option<String>,
    /// Members of another type than RFC 9728 §2 says, which count as absent.
    pub problems: Vec<&'static str>,
}

/// Why the metadata of a resource cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtectedResourceError {
    /// HTML, a list, a member twice.
    #[error("the document is not a JSON object: {0}")]
    Json(#[from] JsonError),
    /// RFC 9728 §2 requires it.
    #[error("the document has no resource (RFC 9728 §2)")]
    NoResource,
    #[error("the document's resource {} cannot be used: {problem}", Quoted::name(found))]
    InvalidResource { found: String, problem: InvalidResource },
    /// RFC 9728 §3.3: MUST NOT be used.
    #[error(
        "the document is for the resource {}, and not for {asked} (RFC 9728 §3.3)",
        Quoted::name(found.as_str())
    )]
    OtherResource { asked: Url, found: Resource },
    /// A path above the asked one, named by the document of something else.
    #[error(
        "the document is for the resource {}, which covers more than {asked}, but it is not that resource's own document (RFC 9728 §3.3)",
        Quoted::name(found.as_str())
    )]
    WiderResource { asked: Url, found: Resource },
}

/// How the resource of a document relates to the URL that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceMatch {
    /// The URL itself; a slash at the end makes no difference.
    Identical,
    /// A path above it on the same origin, in that path's own document.
    Wider,
}

impl ProtectedResourceMetadata {
    /// Reads a document. Its `resource` is not compared yet: see [`matches`](Self::matches).
    ///
    /// # Errors
    /// [`ProtectedResourceError`].
    pub fn parse(bytes: &[u8], http: HttpPolicy) -> Result<Self, ProtectedResourceError> {
        ProtectedResourceMetadata::read(&parse_object(bytes)?, http)
    }

    /// The same from the members of a document.
    ///
    /// # Errors
    /// [`ProtectedResourceError`].
    pub fn read(object: &Map<String, Value>, http: HttpPolicy) -> Result<Self, ProtectedResourceError> {
        let members = Members(object);
        let text = members.text("resource").ok_or(ProtectedResourceError::NoResource)?;
        let resource = Resource::parse(text).map_err(|problem| ProtectedResourceError::InvalidResource {
            found: text.to_owned(),
            problem,
        })?;
        let mut authorization_servers = Vec::new();
        let mut refused_authorization_servers = Vec::new();
        let named = members.list("authorization_servers").unwrap_or_default();
        for text in named.into_iter().take(MAX_AUTHORIZATION_SERVERS) {
            match named_issuer(text, &resource, http) {
                Ok(issuer) => authorization_servers.push(issuer),
                Err(problem) => refused_authorization_servers.push((text.to_owned(), problem)),
            }
        }
        let strings = |name: &str| {
            let list = members.list(name)?;
            Some(list.into_iter().map(str::to_owned).collect())
        };
        Ok(ProtectedResourceMetadata {
            authorization_servers,
            refused_authorization_servers,
            scopes_supported: strings("scopes_supported"),
            bearer_methods_supported: strings("bearer_methods_supported"),
            dpop_bound_access_tokens_required: members.switch("dpop_bound_access_tokens_required"),
            dpop_signing_alg_values_supported: strings("dpop_signing_alg_values_supported"),
            tls_client_certificate_bound_access_tokens: members.switch("tls_client_certificate_bound_access_tokens"),
            resource_name: members.text("resource_name").map(str::to_owned),
            problems: members_of_another_type(object),
            resource,
        })
    }

    /// Whether the document, found at this URL, speaks for the resource that
    /// was asked for (RFC 9728 §3.3, §5.1).
    ///
    /// # Errors
    /// [`ProtectedResourceError::OtherResource`] and
    /// [`ProtectedResourceError::WiderResource`]: then it MUST NOT be used.
    pub fn matches(&self, asked: &Url, found_at: &Url) -> Result<ResourceMatch, ProtectedResourceError> {
        let found = self.resource.url();
        let other = || ProtectedResourceError::OtherResource {
            asked: asked.clone(),
            found: self.resource.clone(),
        };
        if is_same_place(asked, found) {
            return Ok(ResourceMatch::Identical);
        }
        let reach = TokenReach {
            resources: vec![found.clone()],
            ..TokenReach::default()
        };
        if reach.coverage(asked).is_none() {
            return Err(other());
        }
        if well_known_url(found) == *found_at {
            return Ok(ResourceMatch::Wider);
        }
        Err(ProtectedResourceError::WiderResource {
            asked: asked.clone(),
            found: self.resource.clone(),
        })
    }
}

/// The well-known URL of a resource's metadata (RFC 9728 §3.1).
pub fn well_known_url(resource: &Url) -> Url {
    let mut url = resource.clone();
    let path = resource.path().trim_end_matches('/');
    url.set_path(&format!("{WELL_KNOWN}{path}"));
    url.set_fragment(None);
    url
}

/// Vets a URL that a resource names: its metadata, or an authorization server.
/// This machine may be named by this machine alone.
///
/// # Errors
/// [`EndpointError`].
pub fn vet_named(text: &str, resource: &Url, http: HttpPolicy) -> Result<Endpoint, EndpointError> {
    let endpoint = Endpoint::parse_untrusted(text, resource, http)?;
    if is_loopback(endpoint.url()) && !is_loopback(resource) {
        return Err(EndpointError::PrivateAddress(origin_of(endpoint.url())));
    }
    Ok(endpoint)
}

fn named_issuer(text: &str, resource: &Resource, http: HttpPolicy) -> Result<Issuer, EndpointError> {
    let issuer = Issuer::parse(text, http)?;
    vet_named(text, resource.url(), http)?;
    Ok(issuer)
}

fn is_same_place(one: &Url, other: &Url) -> bool {
    let path = |url: &Url| url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
    one.origin() == other.origin() && path(one) == path(other) && one.query() == other.query()
}

fn members_of_another_type(object: &Map<String, Value>) -> Vec<&'static str> {
    let read = [
        "authorization_servers",
        "scopes_supported",
        "bearer_methods_supported",
        "dpop_signing_alg_values_supported",
        "dpop_bound_access_tokens_required",
        "tls_client_certificate_bound_access_tokens",
        "resource_name",
    ];
    let is_wrong = |name: &&str| object.get(*name).is_some_and(|value| type_fault(name, value).is_some());
    read.into_iter().filter(is_wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: &Value) -> Result<ProtectedResourceMetadata, ProtectedResourceError> {
        ProtectedResourceMetadata::parse(document.to_string().as_bytes(), HttpPolicy::LoopbackOnly)
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn resource(text: &str) -> ProtectedResourceMetadata {
        read(&json!({ "resource": text })).unwrap()
    }

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        for (resource, expected) in [
            (
                "https://resource.example.com",
                "https://resource.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://resource.example.com/resource1",
                "https://resource.example.com/.well-known/oauth-protected-resource/resource1",
            ),
            (
                "https://resource.example.com/a/?k=1",
                "https://resource.example.com/.well-known/oauth-protected-resource/a?k=1",
            ),
        ] {
            assert_eq!(well_known_url(&url(resource)).as_str(), expected);
        }
    }

    #[test]
    fn a_document_is_read_and_what_is_malformed_counts_as_absent() {
        let metadata = read(&json!({
            "resource": "https://api.example/v1",
            "authorization_servers": ["https://as.example/t", "https://other.example"],
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": "header",
            "dpop_bound_access_tokens_required": "yes",
            "dpop_signing_alg_values_supported": ["ES256"],
            "resource_name": "Notes",
            "x": 1,
        }))
        .unwrap();
        assert_eq!(metadata.resource.as_str(), "https://api.example/v1");
        let servers: Vec<&str> = metadata.authorization_servers.iter().map(Issuer::as_str).collect();
        assert_eq!(servers, ["https://as.example/t", "https://other.example"]);
        assert_eq!(
            metadata.scopes_supported.as_deref(),
            Some(&["read".to_owned(), "write".into()][..])
        );
        assert_eq!(metadata.bearer_methods_supported, None);
        assert!(!metadata.dpop_bound_access_tokens_required);
        assert_eq!(metadata.resource_name.as_deref(), Some("Notes"));
        assert_eq!(
            metadata.problems,
            ["bearer_methods_supported", "dpop_bound_access_tokens_required"]
        );
        assert_eq!(read(&json!({})).unwrap_err(), ProtectedResourceError::NoResource);
        for bad in [
            "api",
            "https://a.example/#x",
            "https:/a.example@b.example",
            "https://127.1/",
        ] {
            let error = read(&json!({ "resource": bad })).unwrap_err();
            assert!(matches!(error, ProtectedResourceError::InvalidResource { .. }), "{bad}");
        }
    }

    #[test]
    fn servers_that_a_public_resource_may_not_name_are_refused() {
        let named = [
            "https://10.0.0.1",
            "https://169.254.169.254/latest",
            "https://localhost",
            "http://127.0.0.1:9000",
            "https://[::ffff:10.0.0.1]",
            "https://db.internal",
            "http://as.example",
            "https://user@as.example",
            "file:///etc/passwd",
            "https://as.example/?x",
        ];
        let metadata = read(&json!({ "resource": "https://api.example", "authorization_servers": named })).unwrap();
        assert!(metadata.authorization_servers.is_empty(), "{metadata:?}");
        assert_eq!(metadata.refused_authorization_servers.len(), named.len());

        let servers = json!(["http://127.0.0.1:9000", "https://10.0.0.1"]);
        let local = read(&json!({ "resource": "http://127.0.0.1/mcp", "authorization_servers": servers })).unwrap();
        assert_eq!(local.authorization_servers.len(), 2);
        let private = read(&json!({ "resource": "https://api.internal", "authorization_servers": servers })).unwrap();
        assert_eq!(
            private.authorization_servers.len(),
            1,
            "this machine is not named from another one"
        );
    }

    #[test]
    fn a_document_speaks_for_its_own_resource_alone() {
        let asked = url("https://api.example/v1/mcp");
        let own = well_known_url(&asked);
        let root = url("https://api.example/.well-known/oauth-protected-resource");
        for identical in ["https://api.example/v1/mcp", "https://API.example:443/v1/mcp/"] {
            assert_eq!(
                resource(identical).matches(&asked, &own),
                Ok(ResourceMatch::Identical),
                "{identical}"
            );
        }
        assert_eq!(
            resource("https://api.example").matches(&asked, &root),
            Ok(ResourceMatch::Wider)
        );
        for (wider, found_at) in [("https://api.example", &own), ("https://api.example/v1", &root)] {
            let outcome = resource(wider).matches(&asked, found_at);
            assert!(
                matches!(outcome, Err(ProtectedResourceError::WiderResource { .. })),
                "{wider}"
            );
        }
        for other in [
            "https://api.example/v1/mcp/sub",
            "https://api.example/v1/mc",
            "https://api.example/V1/mcp",
            "https://api.example/v1/mcp?x=1",
            "https://api.example:8443/v1/mcp",
            "http://api.example/v1/mcp",
            "https://evil.example/v1/mcp",
            "https://api.example.evil.example",
            "urn:api",
        ] {
            for found_at in [&own, &root, &well_known_url(&url(other))] {
                let outcome = resource(other).matches(&asked, found_at);
                assert!(
                    matches!(outcome, Err(ProtectedResourceError::OtherResource { .. })),
                    "{other}"
                );
            }
        }
    }
}
