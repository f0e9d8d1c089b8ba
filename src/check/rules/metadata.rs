//! The documents that the server publishes about itself (RFC 8414, OpenID
//! Connect Discovery), read raw: what a client may not use is looked at here.

use crate::check::context::Check;
use crate::check::error::CheckError;
use crate::check::exchange::Exchange;
use crate::check::member_type::needs_type;
use crate::check::report::{CheckResult, Evidence, Failure, ensure, inconclusive, violated};
use crate::exit::ExitCode;
use crate::flow::discovery::lint;
use crate::flow::discovery::report::DiscoveryReport;
use crate::flow::discovery::walk::{FoundDocument, Walk};
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::members::Members;
use crate::protocol::metadata::ServerMetadata;
use crate::rules::Rule;
use crate::transport::{TransportError, UrlSource};
use serde_json::{Map, Value};
use url::Url;

const OPENID_NAME: &str = "openid-configuration";

/// What was found at the well-known URLs.
#[derive(Default)]
pub(in crate::check) struct Documents {
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

    /// The exchange, with this member as it was published.
    fn evidence(&self, member: &str) -> Evidence {
        let shown = match self.members.get(member) {
            _ if member.is_empty() => String::new(),
            Some(value) => format!("with \"{member}\": {value}"),
            None => format!("without {member}"),
        };
        self.exchange.evidence_with(&shown)
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
    /// Whether a document of this URL's kind is there, or no further one is needed.
    fn have_kind_of(&self, url: &Url) -> bool {
        let is_openid = url.path().contains(OPENID_NAME);
        self.second.is_some() || self.first.iter().any(|first| first.is_openid() == is_openid)
    }

    fn add(&mut self, document: Document) {
        match self.first {
            None => self.first = Some(document),
            Some(_) => self.second = Some(document),
        }
    }

    fn openid(&self) -> Result<&Document, Failure> {
        let documents = self.first.iter().chain(&self.second);
        match documents.into_iter().find(|document| document.is_openid()) {
            Some(document) => Ok(document),
            None => inconclusive("the server publishes no openid-configuration"),
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
pub(in crate::check) fn fetch(check: &mut Check<'_, '_>) -> Result<Documents, CheckError> {
    let server = &check.prober.request.login.server;
    let mut documents = Documents {
        method: check.prober.client.authentication.method().as_str(),
        ..Documents::default()
    };
    let both_given = server.authorization_endpoint.is_some() && server.token_endpoint.is_some();
    if let Some(issuer) = server.issuer.as_ref().filter(|_| !both_given) {
        documents.asked = issuer.to_string();
        let mut walk = Walk::new(issuer);
        while let Some(url) = walk.next_url() {
            if documents.have_kind_of(&url) {
                continue;
            }
            let (exchange, answer) = match check.prober.send(HttpRequest::get(url.clone())) {
                Ok(exchange) => {
                    let response = exchange.response.clone();
                    (Some(exchange), Ok(response))
                }
                Err(_) if check.prober.interrupted.is_some() => break,
                // What is wrong on this side is said as a login says it.
                Err(_) => (None, answer_in_login(check, &url)),
            };
            let found = walk.record(url, answer);
            if let Some((found, exchange)) = found.zip(exchange) {
                let members = found.members;
                documents.add(Document { exchange, members });
            }
        }
        if documents.first.is_none() && check.prober.interrupted.is_none() {
            return Err(Box::new(walk.into_failure()).into());
        }
    }
    check.prober.target.is_openid_provider = documents.openid().is_ok();
    let mut all = documents.first.iter().chain(&documents.second);
    check.prober.target.unsigned_request_objects_supported =
        all.any(|document| takes_unsigned_request_objects(&document.members));
    let first = documents.first.as_ref();
    check.prober.target.takes_client_id_documents = first.is_some_and(|document| {
        document.members.get("client_id_metadata_document_supported") == Some(&Value::Bool(true))
    });
    check.prober.target.registration_endpoint = first.and_then(|document| {
        let named = document.text("registration_endpoint")?;
        Endpoint::parse_untrusted(named, &document.exchange.request.url, HttpPolicy::LoopbackOnly).ok()
    });
    check.prober.target.metadata = usable(check, documents.first.as_ref());
    check.prober.client = check
        .prober
        .request
        .login
        .client
        .authenticated_as(&check.prober.request.client_id, &check.prober.target.metadata);
    if check.prober.client.tls_identity().is_some() {
        // What is wrong with them is a finding about the metadata; the others are examined then.
        let _ = check.prober.target.metadata.use_mtls_endpoints();
    }
    documents.method = check.prober.client.authentication.method().as_str();
    Ok(documents)
}

/// By its own words; a server that takes objects and lists no algorithm may (OpenID Connect Discovery §3).
fn takes_unsigned_request_objects(members: &Map<String, Value>) -> bool {
    let members = Members(members);
    let listed = members.list("request_object_signing_alg_values_supported");
    members.switch("request_parameter_supported") && listed.is_none_or(|names| names.contains(&"none"))
}

/// What a login gets from this URL.
fn answer_in_login(check: &mut Check<'_, '_>, url: &Url) -> Result<HttpResponse, TransportError> {
    let transport = check.prober.world.caller.transport;
    let request = HttpRequest::get(url.clone());
    check.prober.runtime.block_on(async {
        transport.prepare(url, UrlSource::Server)?;
        transport.send(&request, &mut crate::trace::NoopObserver).await
    })
}

/// What can be used of the metadata, with what was given by hand before it.
fn usable(check: &Check<'_, '_>, document: Option<&Document>) -> ServerMetadata {
    let server = &check.prober.request.login.server;
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

/// Rules about what the document says: `oauth discover` finds what breaks them.
const RULES: [Rule; 17] = [
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
    Rule::MetadataS256,
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

const AUTH_METHODS: &str = "token_endpoint_auth_methods_supported";

/// Tests the documents, and stops where they must not be used.
pub(in crate::check) fn run(check: &mut Check<'_, '_>, documents: &Documents) {
    let Some(first) = &documents.first else {
        for rule in Rule::ALL.iter().filter(|rule| rule.group() == "metadata") {
            let why = "the endpoints were given by hand, so no metadata was fetched";
            check.prober.record(*rule, inconclusive(why), None);
        }
        return needs_endpoints(check);
    };
    check.prober.target.document = Some(first.evidence("jwks_uri"));
    let findings = lint::findings(&documents.as_explored());
    for rule in RULES {
        let member = lint::member_of(rule).unwrap_or_default();
        let result = readable(first, rule).and_then(|()| match first.list(member) {
            None if rule == Rule::MetadataS256 => inconclusive("no code challenge methods are announced"),
            _ => found(rule, &findings),
        });
        check.prober.record(rule, result, Some(first.evidence(member)));
    }
    let by_the_client = readable(first, Rule::MetadataAuthMethods).and_then(|()| lists_method(first, documents.method));
    let evidence = Some(first.evidence(AUTH_METHODS));
    check.prober.record(Rule::MetadataAuthMethods, by_the_client, evidence);

    let openid = documents.openid();
    for rule in OPENID_RULES {
        let member = lint::member_of(rule).unwrap_or_default();
        let result = openid.as_ref().map_err(Failure::clone);
        let result = result.and_then(|document| {
            readable(document, rule)?;
            found(rule, &findings)
        });
        let evidence = openid.as_ref().ok().map(|document| document.evidence(member));
        check.prober.record(rule, result, evidence);
    }
    let agreement = match documents.second {
        Some(_) => found(Rule::MetadataDocumentsAgree, &findings),
        None => inconclusive("there is only one"),
    };
    let both = documents
        .second
        .as_ref()
        .map(|second| first.evidence("").then(second.evidence("")));
    check.prober.record(Rule::MetadataDocumentsAgree, agreement, both);

    if first.text("issuer") != Some(&documents.asked) {
        check.prober.stop(
            ExitCode::Protocol,
            "the metadata is of another issuer and must not be used (metadata.issuer)",
        );
    }
    needs_endpoints(check);
}

fn needs_endpoints(check: &mut Check<'_, '_>) {
    let metadata = &check.prober.target.metadata;
    let missing = if metadata.authorization_endpoint.is_none() {
        Some("authorization_endpoint")
    } else if metadata.token_endpoint.is_none() {
        Some("token_endpoint")
    } else {
        None
    };
    if let Some(missing) = missing {
        check
            .prober
            .stop(ExitCode::Protocol, format!("the metadata has no usable {missing}"));
    }
}

/// `Ok` where the member that a rule is about is of the type that it must be.
/// Where it is not, one of its rules is broken, and the others cannot be tested.
fn readable(document: &Document, rule: Rule) -> CheckResult {
    let Some(member) = lint::member_of(rule) else {
        return Ok(());
    };
    let broken = lint::rule_about(member).unwrap_or(rule);
    needs_type(&document.members, member, rule, broken)
}

/// What was found about a rule.
fn found(rule: Rule, findings: &[lint::Finding]) -> CheckResult {
    let how: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.rule == Some(rule))
        .map(|finding| finding.message.as_str())
        .collect();
    ensure(how.is_empty(), how.join("; "))
}

fn lists_method(document: &Document, method: &str) -> CheckResult {
    match document.list(AUTH_METHODS) {
        Some(methods) => ensure(methods.contains(&method), format!("{method} is not listed")),
        None if method == ClientAuthenticationMethod::ClientSecretBasic.as_str() => Ok(()),
        None => violated(format!(
            "it is absent, which means client_secret_basic only, and the client uses {method}"
        )),
    }
}
