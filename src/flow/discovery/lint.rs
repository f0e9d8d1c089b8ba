//! What in an authorization server's metadata (RFC 8414 §2, OpenID Connect
//! Discovery §3) is broken, contradictory or risky. Nothing is asked of the
//! server: these are its own words.

use super::report::DiscoveryReport;
use super::walk::FoundDocument;
use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::protocol::members::{GRANT_AUTHORIZATION_CODE, Members};
use crate::protocol::pkce::S256;
use crate::rules::{Level, Rule};
use serde_json::Value;
use url::Url;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A MUST of a specification is broken.
    Must,
    /// A SHOULD of a specification is not kept.
    Should,
    /// Allowed, but worth a look.
    Note,
}

impl Severity {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Must => "MUST",
            Severity::Should => "SHOULD",
            Severity::Note => "note",
        }
    }
}

/// Something that is broken, contradictory or risky.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule of `oauth check` that it belongs to.
    pub rule: Option<Rule>,
    /// How much it matters.
    pub severity: Severity,
    /// `RFC 8414 §2`; empty where there is none.
    pub reference: String,
    /// What is the matter. May hold text from the network.
    pub message: String,
}

/// Members that are URLs of the server, by their names in the metadata.
const ENDPOINTS: [&str; 13] = [
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "registration_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "backchannel_authentication_endpoint",
    "end_session_endpoint",
    "check_session_iframe",
    "challenge_endpoint",
];

/// Endpoints of RFC 6749 §3, which says that they have no fragment.
const IN_RFC_6749: [&str; 2] = ["authorization_endpoint", "token_endpoint"];

pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What is broken, contradictory or risky, heaviest first.
pub fn findings(exploration: &DiscoveryReport) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    if let Some(resource) = &exploration.resource {
        findings.resource(resource, exploration.server.as_ref());
    }
    if let Some(server) = &exploration.server {
        findings.document(server);
        findings.issuer(server);
        findings.endpoints(server);
        findings.authorization(&Members(&server.members));
        findings.pkce(&Members(&server.members));
        findings.contradictions(&Members(&server.members));
        findings.openid(exploration);
        for other in &exploration.other_documents {
            findings.agreement(exploration, server, other);
        }
    }
    findings.0.sort_by_key(|finding| finding.severity);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn violation(&mut self, rule: Rule, message: impl Into<String>) {
        self.0.push(Finding {
            rule: Some(rule),
            severity: match rule.level() {
                Level::Must => Severity::Must,
                Level::Should => Severity::Should,
            },
            reference: format!("{} §{}", rule.document(), rule.section()),
            message: message.into(),
        });
    }

    fn finding(&mut self, severity: Severity, reference: &str, message: impl Into<String>) {
        self.0.push(Finding {
            rule: None,
            severity,
            reference: reference.to_owned(),
            message: message.into(),
        });
    }

    fn note(&mut self, message: impl Into<String>) {
        self.finding(Severity::Note, "", message);
    }

    fn resource(&mut self, resource: &FoundDocument, server: Option<&FoundDocument>) {
        let members = Members(&resource.members);
        match members.text("resource") {
            Some(named) if named == resource.asked => {}
            Some(named) => self.finding(
                Severity::Must,
                "RFC 9728 §3.3",
                format!(
                    "the resource metadata is for {}, but {} was asked; they must be identical",
                    Quoted::name(named),
                    Quoted::name(&resource.asked)
                ),
            ),
            None => self.finding(
                Severity::Must,
                "RFC 9728 §2",
                "the resource metadata does not name the resource",
            ),
        }
        let named = members.list("authorization_servers").unwrap_or_default();
        if named.is_empty() {
            self.note("the resource metadata names no authorization server (RFC 9728 §2)");
        }
        if let Some(server) = server
            && named.len() > 1
        {
            self.note(format!(
                "the resource names {} authorization servers; this is about {}",
                named.len(),
                server.asked
            ));
        }
        for text in named {
            if let Err(problem) = Endpoint::parse_untrusted(text, &resource.url, HttpPolicy::LoopbackOnly) {
                self.finding(
                    Severity::Must,
                    "RFC 9728 §7.7",
                    format!("an authorization server of the resource is not asked: {problem}"),
                );
            }
        }
    }

    fn document(&mut self, server: &FoundDocument) {
        match server.media_type.as_deref() {
            Some("application/json") => {}
            Some(other) => self.violation(
                Rule::MetadataContentType,
                format!(
                    "the metadata is served as {}, not as application/json",
                    Quoted::name(other)
                ),
            ),
            None => self.violation(
                Rule::MetadataContentType,
                "the metadata is served without a content type",
            ),
        }
        for (name, value) in &server.members {
            if value.as_array().is_some_and(Vec::is_empty) {
                self.violation(
                    Rule::MetadataEmptyArrays,
                    format!("{name} is an empty list; a member without a value is left out"),
                );
            }
            let is_text_list = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
            if name.ends_with("_supported") && !value.is_boolean() && !value.is_null() && !is_text_list(value) {
                self.finding(
                    Severity::Must,
                    "RFC 8414 §2",
                    format!("{name} is neither a list of strings nor a boolean"),
                );
            }
        }
    }

    fn issuer(&mut self, server: &FoundDocument) {
        let Some(issuer) = Members(&server.members).text("issuer") else {
            self.violation(Rule::MetadataIssuer, "the metadata does not name an issuer");
            return;
        };
        if issuer != server.asked {
            let but_for_a_slash = issuer.trim_end_matches('/') == server.asked.trim_end_matches('/');
            let advice = if but_for_a_slash {
                "; only the trailing slash differs"
            } else {
                ""
            };
            self.violation(
                Rule::MetadataIssuer,
                format!(
                    "the metadata is for issuer {}, but {} was asked; they must be identical{advice}",
                    Quoted::name(issuer),
                    Quoted::name(&server.asked)
                ),
            );
        }
        if let Err(problem) = Issuer::parse(issuer, HttpPolicy::LoopbackOnly) {
            self.violation(Rule::MetadataIssuerUrl, format!("the issuer cannot be one: {problem}"));
        }
    }

    fn endpoints(&mut self, server: &FoundDocument) {
        let members = Members(&server.members);
        let uses_browser = members
            .grant_types()
            .iter()
            .any(|grant| [GRANT_AUTHORIZATION_CODE, "implicit"].contains(grant));
        if uses_browser && !members.is_there("authorization_endpoint") {
            self.violation(
                Rule::MetadataAuthorizationEndpoint,
                "there is no authorization_endpoint",
            );
        }
        if !members.is_there("token_endpoint") && members.grant_types() != ["implicit"] {
            self.violation(Rule::MetadataTokenEndpoint, "there is no token_endpoint");
        }
        for name in ENDPOINTS {
            if !members.is_there(name) {
                continue;
            }
            let Some(text) = members.text(name) else {
                self.finding(Severity::Must, "RFC 8414 §2", format!("{name} is not a string"));
                continue;
            };
            match Endpoint::parse_untrusted(text, &server.url, HttpPolicy::LoopbackOnly) {
                Ok(endpoint) => self.host(name, endpoint.url(), &server.url),
                Err(problem @ EndpointError::PlainHttp(_)) => {
                    self.violation(Rule::MetadataHttps, format!("{name}: {problem}"));
                }
                Err(problem @ EndpointError::Fragment(_)) if IN_RFC_6749.contains(&name) => {
                    self.violation(Rule::MetadataFragment, format!("{name}: {problem}"));
                }
                Err(problem) => self.finding(Severity::Must, "RFC 8414 §2", format!("{name}: {problem}")),
            }
        }
    }

    /// Many servers do this, on purpose; but credentials go there.
    fn host(&mut self, name: &str, endpoint: &Url, server: &Url) {
        if endpoint.host_str() != server.host_str() {
            self.note(format!(
                "{name} is on another host than the metadata: {} instead of {}",
                endpoint.host_str().unwrap_or_default(),
                server.host_str().unwrap_or_default()
            ));
        }
    }

    fn authorization(&mut self, members: &Members<'_>) {
        match members.list("response_types_supported") {
            None => self.violation(Rule::MetadataResponseTypes, "there is no response_types_supported"),
            Some(types) => {
                if !types.contains(&"code") {
                    self.violation(
                        Rule::MetadataResponseTypes,
                        "response_types_supported does not list code",
                    );
                }
                let with_token: Vec<&str> = types
                    .into_iter()
                    .filter(|response_type| response_type.split(' ').any(|part| part == "token"))
                    .collect();
                if !with_token.is_empty() {
                    self.violation(
                        Rule::MetadataNoImplicit,
                        format!(
                            "response types that put an access token into the browser's address bar are announced: {}",
                            with_token.join(", ")
                        ),
                    );
                }
            }
        }
        match members.list("grant_types_supported") {
            None => self.violation(
                Rule::MetadataGrantTypes,
                "there is no grant_types_supported, which means authorization_code and implicit",
            ),
            Some(grants) => {
                if !grants.contains(&GRANT_AUTHORIZATION_CODE) {
                    self.violation(
                        Rule::MetadataGrantTypes,
                        "grant_types_supported does not list authorization_code",
                    );
                }
                if grants.contains(&"implicit") {
                    // With `id_token` alone it gives no access token, which is what the rule is about.
                    self.finding(Severity::Should, "RFC 9700 §2.1.2", "the implicit grant is announced");
                }
                if grants.contains(&"password") {
                    self.violation(Rule::MetadataNoPassword, "the password grant is announced");
                }
            }
        }
        if !members.switch("authorization_response_iss_parameter_supported") {
            self.violation(
                Rule::MetadataIssParameter,
                "iss in authorization responses is not announced, so clients of several servers cannot see a mix-up",
            );
        }
        if !members.is_there("revocation_endpoint") {
            self.violation(
                Rule::MetadataRevocation,
                "there is no revocation_endpoint: a logout cannot end the tokens",
            );
        }
    }

    fn pkce(&mut self, members: &Members<'_>) {
        let Some(methods) = members.list("code_challenge_methods_supported") else {
            self.violation(
                Rule::MetadataChallengeMethods,
                "code_challenge_methods_supported is not announced, so clients cannot see whether PKCE is supported",
            );
            return;
        };
        if !methods.contains(&S256) {
            self.violation(
                Rule::MetadataS256,
                "S256 is not among the code_challenge_methods_supported: oauth login refuses this server",
            );
        }
        if methods.contains(&"plain") {
            self.violation(
                Rule::MetadataNoPlain,
                "the code challenge method plain is announced, which protects nothing where the request is seen",
            );
        }
    }

    fn contradictions(&mut self, members: &Members<'_>) {
        let grants = members.grant_types();
        let mut contradicts = |holds: bool, reference: &str, message: &str| {
            if holds {
                self.finding(Severity::Must, reference, message);
            }
        };
        contradicts(
            members.switch("require_pushed_authorization_requests")
                && !members.is_there("pushed_authorization_request_endpoint"),
            "RFC 9126 §5",
            "pushed authorization requests are required, but there is no pushed_authorization_request_endpoint",
        );
        contradicts(
            members.switch("require_signed_request_object")
                && !members.is_there("request_object_signing_alg_values_supported"),
            "RFC 9101 §10.5",
            "signed request objects are required, but no algorithm for them is announced",
        );
        let signed_by_client = ["client_secret_jwt", "private_key_jwt"]
            .iter()
            .any(|method| members.lists("token_endpoint_auth_methods_supported", method));
        contradicts(
            signed_by_client && !members.is_there("token_endpoint_auth_signing_alg_values_supported"),
            "RFC 8414 §2",
            "clients may authenticate by a signed JWT, but no algorithm for it is announced",
        );
        contradicts(
            members.lists("token_endpoint_auth_signing_alg_values_supported", "none"),
            "RFC 8414 §2",
            "clients may authenticate with an unsigned JWT (none)",
        );
        let has_device_endpoint = members.is_there("device_authorization_endpoint");
        match grants.contains(&DEVICE_CODE) {
            true if !has_device_endpoint => {
                self.note("the device grant is announced, but there is no device_authorization_endpoint (RFC 8628 §4)");
            }
            false if has_device_endpoint && members.is_there("grant_types_supported") => self.note(
                "there is a device_authorization_endpoint, but grant_types_supported does not list the device grant \
                 (RFC 8628 §4)",
            ),
            _ => {}
        }
        if members.is_there("token_endpoint_auth_methods_supported")
            && !members.lists("token_endpoint_auth_methods_supported", "none")
        {
            self.note(
                "token_endpoint_auth_methods_supported does not list none: clients without a secret may be refused",
            );
        }
    }

    /// What holds for servers that speak OpenID Connect, by the document that says so.
    fn openid(&mut self, exploration: &DiscoveryReport) {
        let mut documents = exploration.server.iter().chain(&exploration.other_documents);
        let is_unsigned = |document: &FoundDocument| {
            Members(&document.members).lists("id_token_signing_alg_values_supported", "none")
        };
        if documents.clone().any(is_unsigned) {
            self.violation(Rule::MetadataNoNone, "unsigned ID tokens (none) are announced");
        }
        let Some(document) = documents.find(|document| document.url.path().contains("openid-configuration")) else {
            return;
        };
        let members = Members(&document.members);
        if members.is_there("scopes_supported") && !members.lists("scopes_supported", "openid") {
            self.violation(Rule::MetadataScopes, "scopes_supported does not list openid");
        }
        if !members.is_there("subject_types_supported") {
            self.violation(Rule::MetadataSubjectTypes, "there is no subject_types_supported");
        }
        if !members.lists("id_token_signing_alg_values_supported", "RS256") {
            self.violation(
                Rule::MetadataIdTokenAlgorithms,
                "id_token_signing_alg_values_supported does not list RS256",
            );
        }
        if !members.is_there("jwks_uri") {
            self.violation(
                Rule::KeysPublished,
                "there is no jwks_uri: clients cannot verify its ID tokens",
            );
        }
    }

    /// What two documents of one server say differently, and what only the other one says.
    fn agreement(&mut self, report: &DiscoveryReport, used: &FoundDocument, other: &FoundDocument) {
        let shared = used
            .members
            .iter()
            .filter_map(|(name, one)| Some((name, one, other.members.get(name)?)));
        let differing = shared.filter(|(_, one, another)| !values_equal(one, another));
        let names: Vec<&str> = differing.map(|(name, _, _)| name.as_str()).collect();
        if !names.is_empty() {
            self.violation(
                Rule::MetadataDocumentsAgree,
                format!("{} says something else about {}", other.url, names.join(", ")),
            );
        }
        let further = other.members.keys().map(String::as_str);
        let further = further.filter(|name| name.ends_with("_endpoint") || *name == "jwks_uri");
        let further = further.filter(|name| !used.members.contains_key(*name));
        let (taken, ignored): (Vec<&str>, Vec<&str>) = further.partition(|name| report.is_taken_from(name, other));
        if !taken.is_empty() {
            self.note(format!(
                "{} also names {}, which is taken from there when it is needed",
                other.url,
                taken.join(", ")
            ));
        }
        if !ignored.is_empty() {
            self.note(format!(
                "{} also names {}, which is not used: a login uses one document",
                other.url,
                ignored.join(", ")
            ));
        }
    }
}

/// Lists in metadata is sets.
fn values_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.iter().all(|item| other.contains(item)) && other.iter().all(|item| one.contains(item))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
