//! The documents that the server publishes about itself (RFC 8414, OpenID
//! Connect Discovery), read raw: what a client may not use is looked at here.

use super::error::CheckError;
use super::examination::Examination;
use super::probe::Exchange;
use super::verdict::{Judgement, broken, kept_if, unseen};
use crate::exit::ExitCode;
use crate::flow::discovery::DiscoveryError;
use crate::flow::discovery::lint;
use crate::flow::discovery::report::DiscoveryReport;
use crate::flow::discovery::walk::{Attempt, FoundDocument, Outcome};
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::endpoint::Issuer;
use crate::protocol::http::HttpRequest;
use crate::protocol::metadata::ServerMetadata;
use crate::rules::Rule;
use crate::transport::UrlSource;
use serde_json::{Map, Value};
use url::Url;

const OPENID_NAME: &str = "openid-configuration";

/// What was found at the well-known URLs.
#[derive(Default)]
pub(super) struct Documents {
    /// The one that a client takes first.
    first: Option<Document>,
    /// The first of OpenID Connect Discovery, where the other is of RFC 8414, or the other way round.
    second: Option<Document>,
    asked: String,
    method: &'static str,
}

struct Document {
    exchange: Exchange,
    members: Map<String, Value>,
}

impl Document {
    fn is_openid(&self) -> bool {
        self.exchange.request.url.path().contains(OPENID_NAME)
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    /// The texts of a list; `None` where it is absent.
    fn list(&self, member: &str) -> Option<Vec<&str>> {
        let items = self.members.get(member)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }
}

impl Documents {
    fn openid(&self) -> Result<&Document, super::verdict::Finding> {
        let documents = self.first.iter().chain(&self.second);
        match documents.into_iter().find(|document| document.is_openid()) {
            Some(document) => Ok(document),
            None => unseen("the server publishes no openid-configuration"),
        }
    }

    /// As `oauth discover` would find them.
    fn as_explored(&self) -> DiscoveryReport {
        DiscoveryReport {
            server: self.first.as_ref().map(|document| self.found(document)),
            other_documents: self.second.iter().map(|document| self.found(document)).collect(),
            ..DiscoveryReport::default()
        }
    }

    fn found(&self, document: &Document) -> FoundDocument {
        let exchange = &document.exchange;
        FoundDocument {
            url: exchange.request.url.clone(),
            asked: self.asked.clone(),
            media_type: exchange.response.media_type(),
            bytes: exchange.bytes(),
            members: document.members.clone(),
        }
    }
}

/// Fetches the documents, and takes from them what the rest works with.
pub(super) fn fetch(examination: &mut Examination<'_, '_>) -> Result<Documents, CheckError> {
    let server = &examination.request.login.server;
    let mut documents = Documents {
        method: examination.client.authentication.method().as_str(),
        ..Documents::default()
    };
    let both_given = server.authorization_endpoint.is_some() && server.token_endpoint.is_some();
    if let Some(issuer) = server.issuer.as_ref().filter(|_| !both_given) {
        documents.asked = issuer.to_string();
        let mut attempts = Vec::new();
        for url in issuer.well_known_urls() {
            let is_openid = url.path().contains(OPENID_NAME);
            let known = documents.first.iter().any(|first| first.is_openid() == is_openid);
            if known || documents.second.is_some() {
                continue;
            }
            let request = HttpRequest::get(url.clone());
            let exchange = match examination.send(request) {
                Ok(exchange) => exchange,
                Err(_) if examination.interrupted.is_some() => break,
                Err(_) => {
                    // What is wrong on this side is said as a login says it.
                    unreachable_server(examination, issuer, &url)?;
                    continue;
                }
            };
            let status = exchange.status();
            match exchange.object().filter(|_| status == 200) {
                Some(members) if documents.first.is_none() => {
                    documents.first = Some(Document { exchange, members });
                }
                Some(members) => documents.second = Some(Document { exchange, members }),
                None => {
                    if let Err(outcome) = Outcome::from_response(&url, &exchange.response) {
                        attempts.push(Attempt { url, outcome });
                    }
                }
            }
        }
        if documents.first.is_none() && examination.interrupted.is_none() {
            let issuer = issuer.to_string();
            return Err(Box::new(DiscoveryError::from_attempts(issuer, attempts)).into());
        }
    }
    examination.is_openid_provider = documents.openid().is_ok();
    let mut all = documents.first.iter().chain(&documents.second);
    examination.request_objects_supported =
        all.any(|document| document.members.get("request_parameter_supported") == Some(&Value::Bool(true)));
    examination.metadata = usable(examination, documents.first.as_ref());
    examination.client = examination.request.login.client.authenticated_as(&examination.metadata);
    documents.method = examination.client.authentication.method().as_str();
    Ok(documents)
}

fn unreachable_server(examination: &mut Examination<'_, '_>, issuer: &Issuer, url: &Url) -> Result<(), CheckError> {
    let transport = examination.world.caller.transport;
    let request = HttpRequest::get(url.clone());
    let outcome = examination.runtime.block_on(async {
        transport.prepare(url, UrlSource::Server)?;
        transport.send(&request, &mut crate::trace::NoopObserver).await
    });
    match outcome {
        Ok(_) => Ok(()),
        Err(source) => Err(Box::new(DiscoveryError::Unreachable {
            issuer: issuer.to_string(),
            source,
        })
        .into()),
    }
}

/// What can be used of the metadata, with what was given by hand before it.
fn usable(examination: &Examination<'_, '_>, document: Option<&Document>) -> ServerMetadata {
    let server = &examination.request.login.server;
    let mut metadata = match (document, &server.issuer) {
        (Some(document), Some(issuer)) => ServerMetadata::read(&document.members, issuer, server.allowance),
        (_, issuer) => ServerMetadata {
            issuer: issuer.clone(),
            ..ServerMetadata::default()
        },
    };
    server.replace_endpoints(&mut metadata);
    metadata
}

/// Rules about what the document says, whose judge is the one of `oauth discover`.
const RULES: [Rule; 16] = [
    Rule::MetadataIssuer,
    Rule::MetadataIssuerUrl,
    Rule::MetadataContentType,
    Rule::MetadataEmptyArrays,
    Rule::MetadataAuthorizationEndpoint,
    Rule::MetadataTokenEndpoint,
    Rule::MetadataHttps,
    Rule::MetadataFragment,
    Rule::MetadataResponseTypes,
    Rule::MetadataNoImplicit,
    Rule::MetadataNoPassword,
    Rule::MetadataGrantTypes,
    Rule::MetadataChallengeMethods,
    Rule::MetadataNoPlain,
    Rule::MetadataIssParameter,
    Rule::MetadataRevocation,
];

/// The same for OpenID providers.
const OPENID_RULES: [Rule; 4] = [
    Rule::MetadataScopes,
    Rule::MetadataSubjectTypes,
    Rule::MetadataIdTokenAlgorithms,
    Rule::MetadataNoNone,
];

/// Judges the documents, and stops where they may not be used.
pub(super) fn judge(examination: &mut Examination<'_, '_>, documents: &Documents) {
    let Some(first) = &documents.first else {
        for rule in Rule::ALL.iter().filter(|rule| rule.group() == "metadata") {
            let why = "the endpoints were given by hand, so no metadata were fetched";
            examination.record(*rule, unseen(why), None);
        }
        return needs_endpoints(examination);
    };
    let evidence = Some(first.exchange.evidence_in_brief());
    let findings = lint::findings(&documents.as_explored());
    for rule in RULES {
        examination.record(rule, kept(rule, &findings), evidence.clone());
    }
    let s256 = match first.list("code_challenge_methods_supported") {
        None => unseen("no code challenge methods are announced"),
        Some(_) => kept(Rule::MetadataS256, &findings),
    };
    examination.record(Rule::MetadataS256, s256, evidence.clone());
    let by_the_client = lists_method(first, documents.method);
    examination.record(Rule::MetadataAuthMethods, by_the_client, evidence);

    let openid = documents.openid();
    for rule in OPENID_RULES {
        let judgement = openid.clone().and_then(|_| kept(rule, &findings));
        let evidence = openid
            .as_ref()
            .ok()
            .map(|document| document.exchange.evidence_in_brief());
        examination.record(rule, judgement, evidence);
    }
    let agreement = match documents.second {
        Some(_) => kept(Rule::MetadataDocumentsAgree, &findings),
        None => unseen("there is only one"),
    };
    let evidence = documents
        .second
        .as_ref()
        .map(|document| document.exchange.evidence_in_brief());
    examination.record(Rule::MetadataDocumentsAgree, agreement, evidence);

    if first.text("issuer") != Some(&documents.asked) {
        examination.stop(
            ExitCode::Protocol,
            "the metadata are of another issuer and must not be used (metadata.issuer)",
        );
    }
    needs_endpoints(examination);
}

fn needs_endpoints(examination: &mut Examination<'_, '_>) {
    let metadata = &examination.metadata;
    let missing = if metadata.authorization_endpoint.is_none() {
        Some("authorization_endpoint")
    } else if metadata.token_endpoint.is_none() {
        Some("token_endpoint")
    } else {
        None
    };
    if let Some(missing) = missing {
        examination.stop(ExitCode::Protocol, format!("the metadata have no usable {missing}"));
    }
}

/// What was found about a rule.
fn kept(rule: Rule, findings: &[lint::Finding]) -> Judgement {
    let broken_how: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.rule == Some(rule))
        .map(|finding| finding.message.as_str())
        .collect();
    kept_if(broken_how.is_empty(), broken_how.join("; "))
}

fn lists_method(document: &Document, method: &str) -> Judgement {
    match document.list("token_endpoint_auth_methods_supported") {
        Some(methods) => kept_if(methods.contains(&method), format!("{method} is not listed")),
        None if method == ClientAuthenticationMethod::ClientSecretBasic.as_str() => Ok(()),
        None => broken(format!(
            "it is absent, which means client_secret_basic alone, and the client uses {method}"
        )),
    }
}
