//! Members of another JSON type than they must be: one finding each, whatever
//! else would follow from that.

use super::{Finding, Findings, Severity};
use crate::flow::discovery::walk::FoundDocument;
use crate::protocol::member_type::type_fault;
use crate::rules::Rule;

/// Rules about one member of an authorization server's metadata. The first one
/// of a member is broken where it is of another type.
const MEMBERS: [(Rule, &str); 18] = [
    (Rule::MetadataIssuer, "issuer"),
    (Rule::MetadataIssuerUrl, "issuer"),
    (Rule::MetadataAuthorizationEndpoint, "authorization_endpoint"),
    (Rule::MetadataTokenEndpoint, "token_endpoint"),
    (Rule::MetadataResponseTypes, "response_types_supported"),
    (Rule::MetadataNoImplicit, "response_types_supported"),
    (Rule::MetadataGrantTypes, "grant_types_supported"),
    (Rule::MetadataNoPassword, "grant_types_supported"),
    (Rule::MetadataChallengeMethods, "code_challenge_methods_supported"),
    (Rule::MetadataS256, "code_challenge_methods_supported"),
    (Rule::MetadataNoPlain, "code_challenge_methods_supported"),
    (
        Rule::MetadataIssParameter,
        "authorization_response_iss_parameter_supported",
    ),
    (Rule::MetadataRevocation, "revocation_endpoint"),
    (Rule::MetadataAuthMethods, "token_endpoint_auth_methods_supported"),
    (Rule::MetadataScopes, "scopes_supported"),
    (Rule::MetadataSubjectTypes, "subject_types_supported"),
    (Rule::MetadataIdTokenAlgorithms, "id_token_signing_alg_values_supported"),
    (Rule::MetadataNoNone, "id_token_signing_alg_values_supported"),
];

/// The member that a rule is about, where it is one.
pub fn member_of(rule: Rule) -> Option<&'static str> {
    let entry = MEMBERS.iter().find(|(own, _)| *own == rule);
    entry.map(|(_, member)| *member)
}

/// The rule that is broken where a member is of another type than it must be.
pub fn rule_about(member: &str) -> Option<Rule> {
    let entry = MEMBERS.iter().find(|(_, own)| *own == member);
    entry.map(|(rule, _)| *rule)
}

impl Findings {
    pub(super) fn is_mistyped(&self, member: &str) -> bool {
        self.mistyped.iter().any(|own| own == member)
    }

    /// The members of the document that is used.
    pub(super) fn types(&mut self, server: &FoundDocument) {
        self.turn_to(server);
        for (name, fault) in mistyped(server) {
            self.found.push(mismatch("RFC 8414 §2", rule_about(name), fault));
        }
    }

    /// Those of a further document, but for what the document that is used has, too.
    pub(super) fn types_of_other(&mut self, used: &FoundDocument, other: &FoundDocument) {
        for (name, fault) in mistyped(other) {
            if used.members.get(name) != other.members.get(name) {
                let message = format!("{fault} ({})", other.url);
                self.found.push(mismatch("RFC 8414 §2", rule_about(name), message));
            }
        }
    }

    /// Those of a resource's metadata.
    pub(super) fn types_of_resource(&mut self, resource: &FoundDocument) {
        self.turn_to(resource);
        for (_, fault) in mistyped(resource) {
            self.found.push(mismatch("RFC 9728 §2", None, fault));
        }
    }

    /// From here on this document is the one that is read.
    pub(super) fn turn_to(&mut self, document: &FoundDocument) {
        self.mistyped = mistyped(document).map(|(name, _)| name.to_owned()).collect();
    }
}

/// Each member of another type, and what is wrong with it.
fn mistyped(document: &FoundDocument) -> impl Iterator<Item = (&str, String)> {
    let members = document.members.iter();
    members.filter_map(|(name, value)| Some((name.as_str(), type_fault(name, value)?)))
}

fn mismatch(reference: &str, rule: Option<Rule>, message: String) -> Finding {
    Finding {
        rule,
        severity: Severity::Must,
        reference: reference.to_owned(),
        message,
    }
}
