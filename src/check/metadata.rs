//! The documents that the server publishes about itself (RFC 8414, OpenID
//! Connect Discovery), read raw: what a client may not use is looked at here.

use super::error::CheckError;
use super::examination::Examination;
use super::probe::Exchange;
use super::verdict::{Judgement, broken, kept_if, unseen};
use crate::diagnosis::ExitCode;
use crate::flow::discover::DiscoveryError;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::endpoint::{Endpoint, HttpAllowance, Issuer, is_loopback};
use crate::protocol::http::HttpRequest;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::pkce::S256;
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

    fn lists(&self, member: &str, wanted: &str) -> Option<bool> {
        self.list(member).map(|list| list.contains(&wanted))
    }

    /// Name and URL of each endpoint.
    fn endpoints(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.members.iter();
        members
            .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
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
        let mut tried = Vec::new();
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
                Err(super::verdict::Finding::Broken(why) | super::verdict::Finding::Unseen(why)) => {
                    // What is wrong on this side is said as a login says it.
                    unreachable_server(examination, issuer, &url)?;
                    tried.push(format!("{url}: {why}"));
                    continue;
                }
            };
            let status = exchange.status();
            match exchange.object().filter(|_| status == 200) {
                Some(members) if documents.first.is_none() => {
                    documents.first = Some(Document { exchange, members });
                }
                Some(members) => documents.second = Some(Document { exchange, members }),
                None => tried.push(format!("{url}: {status}")),
            }
        }
        if documents.first.is_none() && examination.interrupted.is_none() {
            let issuer = issuer.to_string();
            return Err(Box::new(DiscoveryError::NotFound { issuer, tried }).into());
        }
    }
    examination.is_openid_provider = documents.openid().is_ok();
    examination.metadata = usable(examination, documents.first.as_ref());
    examination.client = examination.request.login.client.authenticated_as(&examination.metadata);
    documents.method = examination.client.authentication.method().as_str();
    Ok(documents)
}

fn unreachable_server(examination: &mut Examination<'_, '_>, issuer: &Issuer, url: &Url) -> Result<(), CheckError> {
    let transport = examination.world.transport;
    let request = HttpRequest::get(url.clone());
    let outcome = examination.runtime.block_on(async {
        transport.prepare(url, UrlSource::Server)?;
        transport.send(&request, &mut crate::trace::Silent).await
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
    let endpoint = |member: &str| {
        let text = document?.text(member)?;
        let issuer = server.issuer.as_ref()?;
        Endpoint::parse_named_by(text, issuer.url(), server.allowance).ok()
    };
    let list = |member: &str| {
        let list = document?.list(member)?;
        Some(list.into_iter().map(str::to_owned).collect())
    };
    let given = |given: &Option<Endpoint>, member: &str| given.clone().or_else(|| endpoint(member));
    ServerMetadata {
        issuer: server.issuer.clone(),
        authorization_endpoint: given(&server.authorization_endpoint, "authorization_endpoint"),
        token_endpoint: given(&server.token_endpoint, "token_endpoint"),
        revocation_endpoint: given(&server.revocation_endpoint, "revocation_endpoint"),
        introspection_endpoint: endpoint("introspection_endpoint"),
        userinfo_endpoint: endpoint("userinfo_endpoint"),
        jwks_uri: endpoint("jwks_uri"),
        code_challenge_methods_supported: list("code_challenge_methods_supported"),
        token_endpoint_auth_methods_supported: list("token_endpoint_auth_methods_supported"),
        scopes_supported: list("scopes_supported"),
        response_types_supported: list("response_types_supported"),
        response_modes_supported: list("response_modes_supported"),
        grant_types_supported: list("grant_types_supported"),
        authorization_response_iss_parameter_supported: document.is_some_and(|document| {
            document.members.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true))
        }),
    }
}

type Test = fn(&Document, &Documents) -> Judgement;

const RULES: &[(Rule, Test)] = &[
    (Rule::MetadataIssuer, |document, documents| {
        let found = document.text("issuer").unwrap_or_default();
        kept_if(
            found == documents.asked,
            format!("the document says \"{found}\", but \"{}\" was asked", documents.asked),
        )
    }),
    (Rule::MetadataIssuerUrl, |document, _| {
        let found = document.text("issuer").unwrap_or_default();
        match Issuer::parse(found, HttpAllowance::LoopbackOnly) {
            Ok(_) => Ok(()),
            Err(error) => broken(error.to_string()),
        }
    }),
    (Rule::MetadataContentType, |document, _| {
        let found = document.exchange.response.media_type().unwrap_or_default();
        kept_if(found == "application/json", format!("it is \"{found}\""))
    }),
    (Rule::MetadataEmptyArrays, |document, _| {
        let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        match document.members.iter().find(|(_, value)| empty(value)) {
            Some((name, _)) => broken(format!("{name} is empty")),
            None => Ok(()),
        }
    }),
    (Rule::MetadataAuthorizationEndpoint, |document, _| {
        is_there(document, "authorization_endpoint")
    }),
    (Rule::MetadataTokenEndpoint, |document, _| {
        is_there(document, "token_endpoint")
    }),
    (Rule::MetadataHttps, |document, _| {
        let is_safe = |text: &str| {
            Url::parse(text).is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
        };
        match document.endpoints().find(|(_, url)| !is_safe(url)) {
            Some((name, url)) => broken(format!("{name} is {url}")),
            None => Ok(()),
        }
    }),
    (Rule::MetadataFragment, |document, _| {
        let mut own = document
            .endpoints()
            .filter(|(name, _)| ["authorization_endpoint", "token_endpoint"].contains(name));
        match own.find(|(_, url)| url.contains('#')) {
            Some((name, url)) => broken(format!("{name} is {url}")),
            None => Ok(()),
        }
    }),
    (Rule::MetadataResponseTypes, |document, _| {
        has(document, "response_types_supported", "code")
    }),
    (Rule::MetadataNoImplicit, |document, _| {
        let types = document.list("response_types_supported").unwrap_or_default();
        match types.iter().find(|found| found.split(' ').any(|word| word == "token")) {
            Some(found) => broken(format!("\"{found}\" is announced")),
            None => Ok(()),
        }
    }),
    (Rule::MetadataNoPassword, |document, _| {
        lacks(document, "grant_types_supported", "password")
    }),
    (Rule::MetadataGrantTypes, |document, _| {
        has(document, "grant_types_supported", "authorization_code")
    }),
    (Rule::MetadataChallengeMethods, |document, _| {
        is_there(document, "code_challenge_methods_supported")
    }),
    (Rule::MetadataS256, |document, _| {
        match document.lists("code_challenge_methods_supported", S256) {
            None => unseen("no code challenge methods are announced"),
            Some(listed) => kept_if(listed, "it is not listed"),
        }
    }),
    (Rule::MetadataNoPlain, |document, _| {
        lacks(document, "code_challenge_methods_supported", "plain")
    }),
    (Rule::MetadataIssParameter, |document, _| {
        let announced = document.members.get("authorization_response_iss_parameter_supported");
        kept_if(announced == Some(&Value::Bool(true)), "it is not announced")
    }),
    (Rule::MetadataAuthMethods, |document, documents| {
        let method = documents.method;
        match document.lists("token_endpoint_auth_methods_supported", method) {
            Some(listed) => kept_if(listed, format!("{method} is not listed")),
            None if method == ClientAuthenticationMethod::ClientSecretBasic.as_str() => Ok(()),
            None => broken(format!(
                "it is absent, which means client_secret_basic alone, and the client uses {method}"
            )),
        }
    }),
    (Rule::MetadataRevocation, |document, _| {
        is_there(document, "revocation_endpoint")
    }),
];

/// Rules for OpenID providers.
const OPENID_RULES: &[(Rule, Test)] = &[
    (Rule::MetadataScopes, |document, _| {
        match document.lists("scopes_supported", "openid") {
            Some(listed) => kept_if(listed, "it has no openid"),
            None => Ok(()),
        }
    }),
    (Rule::MetadataSubjectTypes, |document, _| {
        is_there(document, "subject_types_supported")
    }),
    (Rule::MetadataIdTokenAlgorithms, |document, _| {
        has(document, "id_token_signing_alg_values_supported", "RS256")
    }),
    (Rule::MetadataNoNone, |document, _| {
        lacks(document, "id_token_signing_alg_values_supported", "none")
    }),
];

/// Judges the documents, and stops where they may not be used.
pub(super) fn judge(examination: &mut Examination<'_, '_>, documents: &Documents) {
    let no_discovery = || unseen("the endpoints were given by hand, so no metadata were fetched");
    for (rule, test) in RULES {
        let judgement = match &documents.first {
            Some(document) => test(document, documents),
            None => no_discovery(),
        };
        let evidence = documents.first.as_ref().map(|document| document.exchange.evidence());
        examination.record(*rule, judgement, evidence);
    }
    for (rule, test) in OPENID_RULES {
        let document = documents.openid();
        let evidence = document.as_ref().ok().map(|document| document.exchange.evidence());
        let judgement = document.and_then(|document| test(document, documents));
        examination.record(*rule, judgement, evidence);
    }
    let judgement = match (&documents.first, &documents.second) {
        (Some(first), Some(second)) => agree(first, second),
        _ => unseen("there is only one"),
    };
    let evidence = documents.second.as_ref().map(|document| document.exchange.evidence());
    examination.record(Rule::MetadataDocumentsAgree, judgement, evidence);

    let other_issuer = documents
        .first
        .as_ref()
        .is_some_and(|first| first.text("issuer") != Some(&documents.asked));
    if other_issuer {
        examination.stop(
            ExitCode::Protocol,
            "the metadata are of another issuer and must not be used (metadata.issuer)",
        );
    }
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

fn agree(first: &Document, second: &Document) -> Judgement {
    let shared = first
        .members
        .iter()
        .filter_map(|(name, one)| Some((name, one, second.members.get(name)?)));
    let differing: Vec<&str> = shared
        .filter(|(_, one, other)| one != other)
        .map(|(name, _, _)| name.as_str())
        .collect();
    kept_if(differing.is_empty(), format!("they differ in {}", differing.join(", ")))
}

fn is_there(document: &Document, member: &str) -> Judgement {
    let there = document.members.get(member).is_some_and(|value| !value.is_null());
    kept_if(there, format!("there is no {member}"))
}

fn has(document: &Document, member: &str, wanted: &str) -> Judgement {
    match document.lists(member, wanted) {
        None => broken(format!("there is no {member}")),
        Some(listed) => kept_if(listed, format!("{member} has no {wanted}")),
    }
}

fn lacks(document: &Document, member: &str, unwanted: &str) -> Judgement {
    let listed = document.lists(member, unwanted).unwrap_or(false);
    kept_if(!listed, format!("{member} has {unwanted}"))
}
