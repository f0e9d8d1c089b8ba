//! An API whose URL was given in place of an authorization server's: what it
//! answers without a token, its metadata, and which server they name. Read
//! raw, so that what a client may not use is looked at as well.

use super::error::CheckError;
use super::exchange::Exchange;
use super::prober::Prober;
use super::report::{CheckResult, Failure, inconclusive};
use super::request::{CheckRequest, ClientHome};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer, origin_of};
use crate::protocol::http::{HeaderValue, HttpRequest, Method};
use crate::protocol::protected_resource::{ProtectedResourceMetadata, ResourceMatch, vet_named, well_known_url};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::www_authenticate::{Challenge, Challenges};
use crate::secret::Secret;
use serde_json::{Map, Value};
use url::Url;

/// What the rules lack that are about APIs.
pub(super) const NEEDS_API: &str = "this needs the URL of an API: oauth check URL";

/// What an MCP client takes.
const ACCEPT: &str = "application/json, text/event-stream";

/// Where the metadata of an API came from, and what they say.
pub(super) struct ApiDocument {
    pub(super) exchange: Exchange,
    pub(super) members: Map<String, Value>,
}

/// An API.
pub(super) struct Api {
    pub(super) url: Url,
    /// Its answer to a request without a token.
    pub(super) challenge: Exchange,
    /// The document that its challenge names.
    pub(super) named: Option<ApiDocument>,
    /// The one at the well-known URL.
    pub(super) well_known: Option<ApiDocument>,
}

impl ApiDocument {
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    /// The texts of a list; `None` where it is absent.
    pub(super) fn list(&self, member: &str) -> Option<Vec<&str>> {
        let items = self.members.get(member)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }
}

impl Api {
    /// Looks whether the URL of the request is an API's: it has metadata of one.
    pub(super) fn find(prober: &mut Prober<'_, '_>) -> Option<Self> {
        let url = prober.request.login.server.issuer.as_ref()?.url().clone();
        let challenge = prober.send(api_request(&url, None)).ok()?;
        let named = resource_metadata(&challenge)
            .and_then(|named| vet_named(&named, &url, HttpPolicy::LoopbackOnly).ok())
            .and_then(|named| {
                prober.world.caller.transport.note_named(named.url(), &url);
                fetch(prober, named.url().clone())
            });
        let well_known = fetch(prober, well_known_url(&url));
        if named.is_none() && well_known.is_none() {
            return None;
        }
        Some(Api {
            url,
            challenge,
            named,
            well_known,
        })
    }

    /// The document that counts: the one that the challenge names.
    pub(super) fn document(&self) -> Option<&ApiDocument> {
        self.named.as_ref().or(self.well_known.as_ref())
    }

    /// Whether a `resource` names the API; a slash at the end makes no difference.
    pub(super) fn is_named_by(&self, resource: &str) -> bool {
        resource.trim_end_matches('/') == self.url.as_str().trim_end_matches('/')
    }

    /// The resource that the URL is a part of, where the document is that
    /// resource's own: a client takes it as a login does, and warns.
    pub(super) fn wider_resource(&self) -> Option<Resource> {
        let document = self.named.as_ref()?;
        let read = ProtectedResourceMetadata::read(&document.members, HttpPolicy::LoopbackOnly).ok()?;
        match read.matches(&self.url, &document.exchange.request.url) {
            Ok(ResourceMatch::Wider) => Some(read.resource),
            _ => None,
        }
    }

    /// The examination of its authorization server, with tokens for it.
    ///
    /// # Errors
    /// [`CheckError::ServerChanged`]: the client is of a server that the API does not name.
    pub(super) fn request(&self, asked: &CheckRequest) -> Result<CheckRequest, CheckError> {
        let mut request = asked.clone();
        let authorization = &mut request.login.authorization;
        if authorization.resource.is_empty() {
            authorization.resource = self.resource().into_iter().collect();
        }
        if authorization.scope.is_empty() {
            authorization.scope = self.scope();
        }
        request.login.server.issuer = self.issuer(asked.client_home.as_ref())?;
        Ok(request)
    }

    /// What tokens for it are asked for (RFC 8707 §2).
    fn resource(&self) -> Option<Resource> {
        let named = self.document()?.text("resource").filter(|text| self.is_named_by(text));
        let named = named.and_then(|text| Resource::parse(text).ok());
        let named = named.or_else(|| self.wider_resource());
        named.or_else(|| Resource::parse(self.url.as_str()).ok())
    }

    /// What the API says to ask for.
    pub(super) fn scope(&self) -> Scope {
        let challenges = Challenges::parse(self.challenge.headers("www-authenticate")).unwrap_or_default();
        let listed = || {
            let names = self.document()?.list("scopes_supported")?;
            Scope::from_tokens(names.into_iter().filter(|name| *name != "offline_access")).ok()
        };
        challenges.scope().or_else(listed).unwrap_or_default()
    }

    /// The server that the client is of, else the first of those that it names.
    fn issuer(&self, client_home: Option<&ClientHome>) -> Result<Option<Issuer>, CheckError> {
        let named = self.issuers();
        match client_home {
            Some(home) if named.contains(&home.issuer) => Ok(Some(home.issuer.clone())),
            Some(home) => Err(CheckError::server_changed(&self.url, home)),
            None => Ok(named.into_iter().next()),
        }
    }

    /// Its authorization servers, else its origin.
    fn issuers(&self) -> Vec<Issuer> {
        let named = self
            .document()
            .and_then(|document| document.list("authorization_servers"));
        let parsed = named.unwrap_or_default().into_iter().filter_map(|text| {
            Endpoint::parse_untrusted(text, &self.url, HttpPolicy::LoopbackOnly).ok()?;
            Issuer::parse(text, HttpPolicy::LoopbackOnly).ok()
        });
        let issuers: Vec<Issuer> = parsed.collect();
        let origin = || Issuer::parse(&origin_of(&self.url), HttpPolicy::LoopbackOnly).ok();
        match issuers.is_empty() {
            true => origin().into_iter().collect(),
            false => issuers,
        }
    }
}

/// A request to the API, with a token or without.
pub(super) fn api_request(url: &Url, token: Option<&Secret>) -> HttpRequest {
    let mut headers = vec![("accept".into(), HeaderValue::Plain(ACCEPT.to_owned()))];
    headers.extend(token.map(|token| {
        let credentials = HeaderValue::Credentials {
            scheme: "Bearer",
            credentials: token.clone(),
        };
        ("authorization".into(), credentials)
    }));
    HttpRequest {
        method: Method::Get,
        headers,
        ..HttpRequest::get_from_resource(url.clone())
    }
}

/// The URL of the metadata that a challenge names.
pub(super) fn resource_metadata(challenge: &Exchange) -> Option<String> {
    let challenges = Challenges::parse(challenge.headers("www-authenticate")).ok()?;
    let named = challenges
        .with_resource_metadata()
        .and_then(Challenge::resource_metadata);
    named.map(str::to_owned)
}

fn fetch(prober: &mut Prober<'_, '_>, url: Url) -> Option<ApiDocument> {
    let exchange = prober.send(HttpRequest::get_from_resource(url)).ok()?;
    let members = exchange.object().filter(|_| exchange.status() == 200)?;
    Some(ApiDocument { exchange, members })
}

/// `Ok` where the API takes a token, so that a refusal of another means something.
pub(super) fn expect_taken(exchange: &Exchange) -> CheckResult {
    match is_refused(exchange) {
        true => inconclusive(format!(
            "the API accepts no token: status {} (resource.token)",
            exchange.status()
        )),
        false => Ok(()),
    }
}

/// `Ok` unless the token lacks scope that was not asked for: the API may take
/// others.
pub(super) fn needs_scope(exchange: &Exchange, api: &Api, requested: &Scope) -> CheckResult {
    let challenges = Challenges::parse(exchange.headers("www-authenticate")).unwrap_or_default();
    let error = challenges.with_error().and_then(Challenge::error);
    let wanted = challenges.scope().unwrap_or_else(|| api.scope()).without(requested);
    if error != Some("insufficient_scope") || wanted.is_empty() {
        return Ok(());
    }
    inconclusive(format!(
        "the access token lacks scope: add --scope {}",
        shell_words::quote(&wanted.to_string())
    ))
}

/// Whether the API does not take the token: it answers 401, for want of scope
/// 403, or with a challenge.
pub(super) fn is_refused(exchange: &Exchange) -> bool {
    matches!(exchange.status(), 401 | 403) || exchange.headers("www-authenticate").next().is_some()
}

/// Where no API is examined.
pub(super) fn no_api<T>() -> Result<T, Failure> {
    inconclusive(NEEDS_API)
}
