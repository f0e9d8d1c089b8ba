//! Finds out who gives tokens for an API (RFC 9728): the API is asked without
//! a token, its challenge names its metadata, else they are at the well-known
//! URLs. What the API says is checked before any of it is used: its
//! operator chooses these words.

mod error;
mod probe;
pub mod server;

pub use error::ResourceError;
pub use probe::Probing;

use crate::flow::caller::Caller;
use crate::flow::discovery::discover;
use crate::flow::discovery::walk::{Attempt, FoundDocument, Outcome, Walk};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer, origin_of};
use crate::protocol::http::HttpResponse;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::protected_resource::{ProtectedResourceMetadata, ResourceMatch, vet_named, well_known_url};
use crate::protocol::scope::Scope;
use crate::protocol::www_authenticate::{Challenge, Challenges};
use crate::trace::Event;
use probe::probe;
use url::Url;

/// The search for the metadata of one API, and each step of it.
#[derive(Debug)]
pub struct ResourceSearch {
    url: Url,
    http: HttpPolicy,
    /// Each URL in the order in which it was asked for.
    pub attempts: Vec<Attempt>,
    /// The status and the challenges of the API's own answer.
    answer: Option<(u16, Challenges)>,
}

/// An API's metadata.
#[derive(Debug)]
pub struct FoundResource {
    pub document: FoundDocument,
    pub metadata: ProtectedResourceMetadata,
    pub matches: ResourceMatch,
}

impl FoundResource {
    /// The error for a document without a server that can be used.
    pub fn no_server(&self) -> ResourceError {
        ResourceError::NoServer {
            url: self.document.url.to_string(),
            resource: self.metadata.resource.clone(),
            refused: self.metadata.refused_authorization_servers.clone(),
        }
    }
}

impl ResourceSearch {
    /// A search that has not begun.
    pub fn new(url: &Endpoint, http: HttpPolicy) -> Self {
        ResourceSearch {
            url: url.url().clone(),
            http,
            attempts: Vec::new(),
            answer: None,
        }
    }

    /// Asks the API, then for its metadata; `None` where it publishes none. The
    /// document is not checked yet: see [`check`](Self::check).
    ///
    /// # Errors
    /// [`ResourceError`]: the API cannot be reached, or its challenge may not be used.
    pub async fn run(
        &mut self,
        probing: Probing,
        caller: &mut Caller<'_>,
    ) -> Result<Option<FoundDocument>, ResourceError> {
        if let Some(named) = self.named_by_challenge(probing, caller).await?
            && let Some(found) = self.fetch(named, caller).await?
        {
            return Ok(Some(found));
        }
        let own = well_known_url(&self.url);
        if let Some(found) = self.fetch(own.clone(), caller).await? {
            return Ok(Some(found));
        }
        let mut root = self.url.clone();
        root.set_path("/");
        root.set_query(None);
        let root = well_known_url(&root);
        let is_absent = self.attempts.last().is_some_and(Attempt::is_absence);
        match root != own && is_absent {
            true => self.fetch(root, caller).await,
            false => Ok(None),
        }
    }

    /// The status of the API's answer to a request without a token.
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|(status, _)| *status)
    }

    /// The scope that the API's challenge asks for.
    pub fn challenged_scope(&self) -> Option<Scope> {
        let (status, challenges) = self.answer.as_ref()?;
        challenges.scope().filter(|_| *status == 401)
    }

    /// Whether the API's own answer names metadata.
    pub fn is_challenged(&self) -> bool {
        self.resource_metadata().is_some()
    }

    fn resource_metadata(&self) -> Option<&str> {
        let (status, challenges) = self.answer.as_ref()?;
        let challenge = challenges.with_resource_metadata().filter(|_| *status == 401);
        challenge.and_then(Challenge::resource_metadata)
    }

    /// Asks the API itself, once: its challenge may name its metadata (RFC 9728 §5.1).
    ///
    /// # Errors
    /// [`ResourceError`].
    pub async fn ask(&mut self, probing: Probing, caller: &mut Caller<'_>) -> Result<(), ResourceError> {
        if self.answer.is_some() {
            return Ok(());
        }
        match probe(&self.url, probing, caller).await {
            Ok(None) => Ok(()),
            Ok(Some(response)) => self.take_answer(&response, caller),
            Err(error) if error.may_have_been_received() => {
                self.record(Outcome::Failed(error), caller);
                Ok(())
            }
            Err(source) => Err(ResourceError::Unreachable {
                url: self.url.to_string(),
                source: Box::new(source),
            }),
        }
    }

    fn take_answer(&mut self, response: &HttpResponse, caller: &mut Caller<'_>) -> Result<(), ResourceError> {
        let status = response.status;
        let challenges = response.challenges().map_err(|problem| ResourceError::Challenges {
            url: self.url.to_string(),
            problem,
        })?;
        self.answer = Some((status, challenges));
        let found = match self.resource_metadata() {
            Some(named) => match vet_named(named, &self.url, self.http) {
                Ok(named) => format!("the challenge of the resource names {named} (RFC 9728 §5.1)"),
                Err(problem) => {
                    format!("the challenge of the resource names metadata that is not fetched: {problem}")
                }
            },
            None => format!("{status}, and no challenge that names the metadata of a resource"),
        };
        self.record(Outcome::Challenge { status, found }, caller);
        Ok(())
    }

    fn record(&mut self, outcome: Outcome, caller: &mut Caller<'_>) {
        let mut walk = Walk::of_resource(self.url.as_str(), []);
        let url = self.url.clone();
        walk.attempts.push(Attempt {
            url,
            outcome: Outcome::NotUsed(""),
        });
        walk.conclude(outcome, caller);
        self.attempts.append(&mut walk.attempts);
    }

    async fn named_by_challenge(
        &mut self,
        probing: Probing,
        caller: &mut Caller<'_>,
    ) -> Result<Option<Url>, ResourceError> {
        self.ask(probing, caller).await?;
        let Some(named) = self.resource_metadata() else {
            return Ok(None);
        };
        let vetted = vet_named(named, &self.url, self.http).map_err(|problem| ResourceError::MetadataUrl {
            url: self.url.to_string(),
            problem,
        })?;
        caller.transport.note_named(vetted.url(), &self.url);
        if vetted.url().origin() != self.url.origin() {
            let note = format!(
                "the metadata of the API are at another host: {}",
                origin_of(vetted.url())
            );
            caller.observe(&Event::Note(&note));
        }
        Ok(Some(vetted.url().clone()))
    }

    async fn fetch(&mut self, url: Url, caller: &mut Caller<'_>) -> Result<Option<FoundDocument>, ResourceError> {
        let mut walk = Walk::of_resource(self.url.as_str(), [url.clone()]);
        let document = walk.next_document(caller).await;
        if document.is_some() {
            walk.conclude(Outcome::Used("the metadata of a protected resource"), caller);
        }
        self.attempts.append(&mut walk.attempts);
        match document {
            Some(document) => Ok(Some(document)),
            None => self.absence(&url),
        }
    }

    /// Reads a document that was found, and checks that it speaks for the API.
    ///
    /// # Errors
    /// [`ResourceError::Document`]: then nothing of it may be used.
    pub fn check(&self, document: FoundDocument, caller: &mut Caller<'_>) -> Result<FoundResource, ResourceError> {
        let checked = ProtectedResourceMetadata::read(&document.members, self.http)
            .and_then(|metadata| Ok((metadata.matches(&self.url, &document.url)?, metadata)));
        let (matches, metadata) = checked.map_err(|problem| ResourceError::Document {
            url: document.url.to_string(),
            asked: Box::new(self.url.clone()),
            problem: Box::new(problem),
        })?;
        caller.observe(&Event::CheckPassed(
            "the metadata of the resource is for the URL that was asked for (RFC 9728 §3.3)",
        ));
        for member in &metadata.problems {
            let text =
                format!("{member} of the resource is not of the type that RFC 9728 §2 says; it counts as absent");
            caller.observe(&Event::CheckSkipped(&text));
        }
        Ok(FoundResource {
            document,
            metadata,
            matches,
        })
    }

    /// A host that cannot be reached is not an absence.
    fn absence(&mut self, url: &Url) -> Result<Option<FoundDocument>, ResourceError> {
        let is_unreachable =
            |attempt: &Attempt| matches!(&attempt.outcome, Outcome::Failed(error) if !error.may_have_been_received());
        let Some(attempt) = self.attempts.pop_if(|attempt| is_unreachable(attempt)) else {
            return Ok(None);
        };
        match attempt.outcome {
            Outcome::Failed(source) => Err(ResourceError::Unreachable {
                url: url.to_string(),
                source: Box::new(source),
            }),
            _ => Ok(None),
        }
    }

    /// The API's origin as issuer, as it was before RFC 9728: only where the
    /// API wants a token, and where the origin's metadata name it byte for byte
    /// and list S256. `None` where that is not so.
    pub async fn origin_as_issuer(&self, caller: &mut Caller<'_>) -> Option<ServerMetadata> {
        if self.status() != Some(401) {
            return None;
        }
        let issuer = Issuer::parse(&origin_of(&self.url), self.http).ok()?;
        let metadata = discover(&issuer, self.http, caller).await.ok()?;
        metadata.announces_s256().then_some(metadata)
    }
}
