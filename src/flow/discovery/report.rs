//! Looks at a server for a person: every well-known document that its URL may
//! have is asked for, and each answer is remembered, taken or not. The URL is
//! an issuer (RFC 8414 §3, OpenID Connect Discovery §4) or, where no such
//! document is found, a protected resource that names its authorization
//! servers (RFC 9728 §3), at its well-known URL or at the one in its challenge.

use super::{DiscoveryError, not_taken};
use crate::flow::caller::Caller;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::http::HttpRequest;
use crate::protocol::json::parse_object;
use crate::protocol::www_authenticate;
use crate::trace::{Event, Observer};
use crate::transport::TransportError;
use serde_json::{Map, Value};
use url::Url;

/// Authorization servers of one resource that are looked at.
const MAX_SERVERS: usize = 5;

/// One URL that was asked for.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Which.
    pub url: Url,
    /// `None` where no answer came.
    pub status: Option<u16>,
    /// Whether its document is the one that is used.
    pub taken: bool,
    /// Why it is taken, or why not. May hold text from the network.
    pub reason: String,
}

/// A document that was found.
#[derive(Debug, Clone)]
pub struct FoundDocument {
    /// Where.
    pub url: Url,
    /// What was asked about: an issuer or a resource.
    pub asked: String,
    /// Its media type.
    pub media_type: Option<String>,
    /// As it came.
    pub bytes: Vec<u8>,
    /// The same, read.
    pub members: Map<String, Value>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct DiscoveryReport {
    /// Each URL in the order in which it was asked for.
    pub attempts: Vec<Attempt>,
    /// RFC 9728, where the URL is that of a resource.
    pub resource: Option<FoundDocument>,
    /// The authorization server's metadata: what a login would use.
    pub server: Option<FoundDocument>,
    /// Further metadata of the same server, at its other well-known URLs.
    pub other_documents: Vec<FoundDocument>,
    /// Why no answer came to one of them, the first time.
    pub unreachable: Option<TransportError>,
}

impl DiscoveryReport {
    /// Why there are no metadata of an authorization server; `None` where there are.
    pub fn failure(&mut self, asked: &str) -> Option<DiscoveryError> {
        if self.server.is_some() {
            return None;
        }
        let issuer = asked.to_owned();
        if let Some(source) = self.unreachable.take() {
            return Some(DiscoveryError::Unreachable { issuer, source });
        }
        let unavailable = |attempt: &&Attempt| matches!(attempt.status, Some(429 | 500..));
        if let Some(attempt) = self.attempts.iter().rfind(unavailable) {
            return Some(DiscoveryError::Unavailable {
                issuer,
                url: attempt.url.to_string(),
                status: attempt.status.unwrap_or_default(),
            });
        }
        let tried = self.attempts.iter();
        Some(DiscoveryError::NotFound {
            issuer,
            tried: tried
                .map(|attempt| format!("{}: {}", attempt.url, attempt.reason))
                .collect(),
        })
    }

    async fn ask(&mut self, asked: &str, url: Url, caller: &mut Caller<'_>) -> Option<FoundDocument> {
        let response = match caller.send(&HttpRequest::get(url.clone())).await {
            Ok(response) => response,
            Err(error) => {
                self.attempts.push(Attempt {
                    url,
                    status: None,
                    taken: false,
                    reason: format!("no answer: {error}"),
                });
                self.unreachable.get_or_insert(error);
                return None;
            }
        };
        let problem = not_taken(&response);
        if let Some(problem) = &problem {
            caller.observe(&Event::DiscoveryTried {
                url: url.as_str(),
                not_taken: Some(problem),
            });
        }
        self.attempts.push(Attempt {
            url: url.clone(),
            status: Some(response.status),
            taken: false,
            reason: problem.clone().unwrap_or_default(),
        });
        let bytes = response.body.expose().clone();
        let members = parse_object(&bytes).ok().filter(|_| problem.is_none())?;
        Some(FoundDocument {
            url,
            asked: asked.to_owned(),
            media_type: response.media_type(),
            bytes,
            members,
        })
    }

    /// Asks the resource itself, without a token: its challenge may name its
    /// metadata (RFC 9728 §5.1).
    async fn ask_resource(&mut self, resource: &Url, caller: &mut Caller<'_>) -> Option<Url> {
        let response = caller.send(&HttpRequest::get(resource.clone())).await;
        let named = response.as_ref().ok().and_then(|response| {
            let header = response.header("www-authenticate").filter(|_| response.status == 401)?;
            www_authenticate::parameter(header, "resource_metadata")
        });
        let metadata = named.map(|text| {
            Endpoint::parse_untrusted(&text, resource, HttpPolicy::LoopbackOnly).map_err(|problem| (text, problem))
        });
        let (status, reason) = match (&response, &metadata) {
            (Err(error), _) => (None, format!("no answer: {error}")),
            (Ok(response), Some(Ok(named))) => (
                Some(response.status),
                format!("the challenge of the resource names {named} (RFC 9728 §5.1)"),
            ),
            (Ok(response), Some(Err((text, problem)))) => (
                Some(response.status),
                format!("the challenge of the resource names {text}, which is not asked: {problem}"),
            ),
            (Ok(response), None) => (
                Some(response.status),
                format!(
                    "{}, and no challenge that names the metadata of a resource",
                    response.status
                ),
            ),
        };
        self.attempts.push(Attempt {
            url: resource.clone(),
            status,
            taken: false,
            reason: String::new(),
        });
        self.judged(false, &reason, caller.observer);
        metadata?.ok().map(|named| named.url().clone())
    }

    fn judged(&mut self, taken: bool, reason: &str, observer: &mut dyn Observer) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.taken = taken;
            reason.clone_into(&mut attempt.reason);
            observer.observe(&Event::DiscoveryTried {
                url: attempt.url.as_str(),
                not_taken: (!taken).then_some(reason),
            });
        }
    }

    /// All well-known documents of an issuer: the first is taken, as a login
    /// takes it, and the others are kept to be compared.
    async fn ask_server(&mut self, issuer: &Issuer, caller: &mut Caller<'_>) {
        for url in issuer.well_known_urls() {
            if let Some(found) = self.ask(issuer.as_str(), url, caller).await {
                if self.server.is_none() {
                    self.judged(true, "the first JSON object that came", caller.observer);
                    self.server = Some(found);
                } else {
                    self.judged(
                        false,
                        "an earlier one is taken, and nothing is merged from two",
                        caller.observer,
                    );
                    self.other_documents.push(found);
                }
            } else if self.attempts.last().is_some_and(|attempt| attempt.status.is_none()) {
                // The other URLs are on the same host.
                return;
            }
        }
    }
}

/// Asks for everything that `url` may publish. What went wrong stands in the
/// result: see [`DiscoveryReport::failure`].
pub async fn explore(url: &Endpoint, issuer: Option<&Issuer>, caller: &mut Caller<'_>) -> DiscoveryReport {
    let mut exploration = DiscoveryReport::default();
    if let Some(issuer) = issuer {
        exploration.ask_server(issuer, caller).await;
    }
    if exploration.server.is_some() || exploration.unreachable.is_some() {
        return exploration;
    }
    let asked = issuer.map_or_else(|| url.to_string(), Issuer::to_string);
    let well_known = resource_metadata_url(url.url());
    let mut resource = exploration.ask(&asked, well_known, caller).await;
    if resource.is_none()
        && exploration.unreachable.is_none()
        && let Some(named) = exploration.ask_resource(url.url(), caller).await
    {
        resource = exploration.ask(&asked, named, caller).await;
    }
    let Some(resource) = resource else {
        return exploration;
    };
    exploration.judged(true, "the metadata of a protected resource", caller.observer);
    for server in servers_of(&resource) {
        exploration.ask_server(&server, caller).await;
        if exploration.server.is_some() {
            break;
        }
    }
    exploration.resource = Some(resource);
    exploration
}

/// The well-known part stands between host and path (RFC 9728 §3.1).
fn resource_metadata_url(resource: &Url) -> Url {
    let mut url = resource.clone();
    let path = resource.path().trim_end_matches('/');
    url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    url
}

/// The issuers that a resource names, without those that a server on a public
/// name may not point to.
fn servers_of(resource: &FoundDocument) -> Vec<Issuer> {
    let named = resource.members.get("authorization_servers").and_then(Value::as_array);
    let texts = named.into_iter().flatten().filter_map(Value::as_str);
    let allowed = texts.filter(|text| Endpoint::parse_untrusted(text, &resource.url, HttpPolicy::LoopbackOnly).is_ok());
    allowed
        .filter_map(|text| Issuer::parse(text, HttpPolicy::LoopbackOnly).ok())
        .take(MAX_SERVERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_url_of_a_resource_is_that_of_rfc_9728_section_3_1() {
        for (resource, url) in [
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
            assert_eq!(resource_metadata_url(&Url::parse(resource).unwrap()).as_str(), url);
        }
    }
}
