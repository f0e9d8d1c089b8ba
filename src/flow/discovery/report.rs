//! Looks at a server for a person: every well-known document that its URL may
//! have is asked for, and each answer is remembered, used or not. The URL is
//! an issuer (RFC 8414 §3, OpenID Connect Discovery §4) or, where no such
//! document is found, a protected resource that names its authorization
//! servers (RFC 9728 §3), at its well-known URL or at the one in its challenge.

use super::walk::{Attempt, FoundDocument, Outcome, Walk};
use super::{DiscoveryError, FIRST, LATER};
use crate::flow::caller::Caller;
use crate::flow::resource_discovery::{Probing, ResourceError, ResourceSearch};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::protected_resource::ProtectedResourceMetadata;
use serde_json::{Map, Value};

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
    /// Why what the resource says cannot be used.
    pub resource_problem: Option<ResourceError>,
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

/// Asks for everything that `url` may publish. What went wrong is in the
/// result: see [`DiscoveryReport::failure`].
pub async fn explore(url: &Endpoint, issuer: Option<&Issuer>, caller: &mut Caller<'_>) -> DiscoveryReport {
    let mut report = DiscoveryReport::default();
    if let Some(issuer) = issuer {
        report.fetch_server(issuer, caller).await;
    }
    if report.server.is_some() || report.was_unreachable() {
        return report;
    }
    let mut search = ResourceSearch::new(url, HttpPolicy::LoopbackOnly);
    let found = search.run(Probing::Get, caller).await;
    report.attempts.append(&mut search.attempts);
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => return report,
        Err(error) => {
            report.resource_problem = Some(error);
            return report;
        }
    };
    for server in servers_named_by(&found) {
        caller.transport.note_named(server.url(), url.url());
        report.fetch_server(&server, caller).await;
        if report.server.is_some() {
            break;
        }
    }
    report.resource_problem = match search.check(found.clone(), caller) {
        Ok(resource) if resource.metadata.authorization_servers.is_empty() => Some(resource.no_server()),
        Ok(_) => None,
        Err(problem) => Some(problem),
    };
    report.resource = Some(found);
    report
}

/// The servers that a document names, also where it is not for the resource
/// that was asked for: a person who looks wants to see them.
fn servers_named_by(document: &FoundDocument) -> Vec<Issuer> {
    let metadata = ProtectedResourceMetadata::read(&document.members, HttpPolicy::LoopbackOnly);
    let mut servers = metadata.map_or_else(|_| Vec::new(), |metadata| metadata.authorization_servers);
    servers.truncate(MAX_SERVERS);
    servers
}
