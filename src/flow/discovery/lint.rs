//! What in an authorization server's metadata (RFC 8414 §2, OpenID Connect
//! Discovery §3) is broken, contradictory or risky. Nothing is asked of the
//! server: these are its own words.

mod agreement;
mod announced;
mod resource;
mod types;

use super::report::DiscoveryReport;
use super::walk::FoundDocument;
use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::protocol::members::{GRANT_AUTHORIZATION_CODE, Members};
use crate::rules::{Level, Rule};
pub use types::{member_of, rule_about};
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
    let mut findings = Findings::default();
    if let Some(resource) = &exploration.resource {
        findings.resource(resource, exploration.server.as_ref());
    }
    if let Some(server) = &exploration.server {
        findings.types(server);
        findings.document(server);
        findings.issuer(server);
        findings.endpoints(server);
        findings.authorization(&Members(&server.members));
        findings.pkce(&Members(&server.members));
        findings.contradictions(&Members(&server.members));
        for other in &exploration.other_documents {
            findings.types_of_other(server, other);
            findings.agreement(exploration, server, other);
        }
        findings.openid(exploration);
    }
    findings.found.sort_by_key(|finding| finding.severity);
    findings.found
}

#[derive(Default)]
struct Findings {
    found: Vec<Finding>,
    /// Members of the document that is read, of another type than they must be.
    /// That is all that is said of each.
    mistyped: Vec<String>,
}

impl Findings {
    /// Says that a rule is broken, unless its member cannot be read.
    fn violation(&mut self, rule: Rule, message: impl Into<String>) {
        if member_of(rule).is_some_and(|member| self.is_mistyped(member)) {
            return;
        }
        self.found.push(Finding {
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
        self.found.push(Finding {
            rule: None,
            severity,
            reference: reference.to_owned(),
            message: message.into(),
        });
    }

    fn note(&mut self, message: impl Into<String>) {
        self.finding(Severity::Note, "", message);
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
                    "the metadata is for issuer {}, but {} was asked for; they must be identical{advice}",
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
        // Which endpoints there must be is not known without the grants.
        let has_grants = !self.is_mistyped("grant_types_supported");
        if has_grants && uses_browser && !members.is_there("authorization_endpoint") {
            self.violation(
                Rule::MetadataAuthorizationEndpoint,
                "there is no authorization_endpoint",
            );
        }
        if has_grants && !members.is_there("token_endpoint") && members.grant_types() != ["implicit"] {
            self.violation(Rule::MetadataTokenEndpoint, "there is no token_endpoint");
        }
        for name in ENDPOINTS {
            let Some(text) = members.text(name) else {
                continue;
            };
            match Endpoint::parse_untrusted(text, &server.url, HttpPolicy::LoopbackOnly) {
                Ok(endpoint) => self.host(name, endpoint.url(), &server.url),
                Err(problem @ EndpointError::PlainHttp(_)) => {
                    self.violation(Rule::MetadataHttps, format!("{name}: {problem}"));
                }
                Err(EndpointError::Fragment(_)) => {
                    // whole: what is wrong is at its end, and the document is public
                    let message = format!("{name}: {} has a fragment (RFC 6749 §3.1)", Quoted::name(text));
                    match IN_RFC_6749.contains(&name) {
                        true => self.violation(Rule::MetadataFragment, message),
                        false => self.finding(Severity::Must, "RFC 8414 §2", message),
                    }
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
}

#[cfg(test)]
mod tests;
