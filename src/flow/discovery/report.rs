//! Looks at a server for a person: every well-known document that its URL may
//! have is asked for, and each answer is remembered, used or not. The URL is
//! an issuer (RFC 8414 §3, OpenID Connect Discovery §4) or, where no such
//! document is found, a protected resource that names its authorization
//! servers (RFC 9728 §3), at its well-known URL or at the one in its challenge.

use super::walk::{Attempt, FoundDocument, Outcome, Walk};
use super::{DiscoveryError, FIRST, LATER};
use crate::flow::caller::Caller;
use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::http::HttpRequest;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::www_authenticate::{Challenge, Challenges};
use serde_json::{Map, Value};
use url::Url;

/// Authorization servers of one resource that are looked at.
const MAX_SERVERS: usize = 5;

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
}

impl DiscoveryReport {
    /// Why there are no metadata of an authorization server; `None` where there are.
    pub fn failure(&mut self, asked: &str) -> Option<DiscoveryError> {
        if self.server.is_some() {
            return None;
        }
        let attempts = std::mem::take(&mut self.attempts);
        Some(DiscoveryError::from_attempts(asked.to_owned(), attempts))
    }

    /// The members that the program goes by: those of the document that is
    /// used, and what another document of the same issuer adds when needed.
    pub fn usable_members(&self) -> Map<String, Value> {
        let Some(server) = &self.server else {
            return Map::new();
        };
        let mut members = server.members.clone();
        for other in &self.other_documents {
            for (name, value) in &other.members {
                if !members.contains_key(name) && self.is_taken_from(name, other) {
                    members.insert(name.clone(), value.clone());
                }
            }
        }
        members
    }

    /// Whether a member that the document in use lacks is taken from this one.
    pub fn is_taken_from(&self, member: &str, other: &FoundDocument) -> bool {
        let parse = |document: &FoundDocument| {
            let issuer = Issuer::parse(&document.asked, HttpPolicy::LoopbackOnly).ok()?;
            ServerMetadata::parse(&document.bytes, &issuer, HttpPolicy::LoopbackOnly).ok()
        };
        let (Some(mut used), Some(other)) = (self.server.as_ref().and_then(parse), parse(other)) else {
            return false;
        };
        used.lacks(member) && used.complete_from(member, &other)
    }

    fn was_unreachable(&self) -> bool {
        let last = self.attempts.last().map(|attempt| &attempt.outcome);
        matches!(last, Some(Outcome::Failed(error)) if !error.may_have_been_received())
    }

    /// One document of a protected resource.
    async fn fetch_resource(&mut self, asked: &str, url: Url, caller: &mut Caller<'_>) -> Option<FoundDocument> {
        let mut walk = Walk::over(asked, [url]);
        let found = walk.next_document(caller).await;
        if found.is_some() {
            walk.conclude(Outcome::Used("the metadata of a protected resource"), caller);
        }
        self.attempts.append(&mut walk.attempts);
        found
    }

    /// Asks the resource itself, without a token: its challenge may name its
    /// metadata (RFC 9728 §5.1).
    async fn fetch_challenge(&mut self, resource: &Url, caller: &mut Caller<'_>) -> Option<Url> {
        let mut walk = Walk::over(resource.as_str(), []);
        let response = caller.send(&HttpRequest::get(resource.clone())).await;
        let (outcome, named) = match response {
            Err(error) => (Outcome::Failed(error), None),
            Ok(response) => {
                let status = response.status;
                let challenges = response.challenges().ok().filter(|_| status == 401);
                let challenge = challenges.as_ref().and_then(Challenges::with_resource_metadata);
                let named = challenge.and_then(Challenge::resource_metadata).map(str::to_owned);
                let vetted = named.map(|text| {
                    let vetted = Endpoint::parse_untrusted(&text, resource, HttpPolicy::LoopbackOnly);
                    vetted.map_err(|problem| (text, problem))
                });
                let found = match &vetted {
                    Some(Ok(named)) => format!("the challenge of the resource names {named} (RFC 9728 §5.1)"),
                    Some(Err((text, problem))) => {
                        format!(
                            "the challenge of the resource names {}, which is not asked: {problem}",
                            Quoted::name(text)
                        )
                    }
                    None => format!("{status}, and no challenge that names the metadata of a resource"),
                };
                (Outcome::Challenge { status, found }, vetted.and_then(Result::ok))
            }
        };
        let url = resource.clone();
        walk.attempts.push(Attempt {
            url,
            outcome: Outcome::NotUsed(""),
        });
        walk.conclude(outcome, caller);
        self.attempts.append(&mut walk.attempts);
        named.map(|named| named.url().clone())
    }

    /// All well-known documents of an issuer: the first is used, as a login
    /// uses it, and the others are kept to be compared.
    async fn fetch_server(&mut self, issuer: &Issuer, caller: &mut Caller<'_>) {
        let mut walk = Walk::new(issuer);
        while let Some(found) = walk.next_document(caller).await {
            let parsed = ServerMetadata::parse(&found.bytes, issuer, HttpPolicy::LoopbackOnly);
            let outcome = match (parsed, &self.server) {
                (Err(problem), _) => Outcome::Refused(problem),
                (Ok(_), None) => Outcome::Used(FIRST),
                (Ok(_), Some(_)) => Outcome::NotUsed(LATER),
            };
            walk.conclude(outcome, caller);
            match self.server {
                None => self.server = Some(found),
                Some(_) => self.other_documents.push(found),
            }
        }
        self.attempts.append(&mut walk.attempts);
    }
}

/// Asks for everything that `url` may publish. What went wrong stands in the
/// result: see [`DiscoveryReport::failure`].
pub async fn explore(url: &Endpoint, issuer: Option<&Issuer>, caller: &mut Caller<'_>) -> DiscoveryReport {
    let mut report = DiscoveryReport::default();
    if let Some(issuer) = issuer {
        report.fetch_server(issuer, caller).await;
    }
    if report.server.is_some() || report.was_unreachable() {
        return report;
    }
    let asked = issuer.map_or_else(|| url.to_string(), Issuer::to_string);
    let well_known = resource_metadata_url(url.url());
    let mut resource = report.fetch_resource(&asked, well_known, caller).await;
    if resource.is_none()
        && !report.was_unreachable()
        && let Some(named) = report.fetch_challenge(url.url(), caller).await
    {
        resource = report.fetch_resource(&asked, named, caller).await;
    }
    let Some(resource) = resource else {
        return report;
    };
    for server in servers_of(&resource) {
        report.fetch_server(&server, caller).await;
        if report.server.is_some() {
            break;
        }
    }
    report.resource = Some(resource);
    report
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
