//! What the server announces: response types, grants, PKCE, OpenID Connect, and
//! what of it contradicts itself.

use super::{DEVICE_CODE, Findings, Severity};
use crate::flow::discovery::report::DiscoveryReport;
use crate::flow::discovery::walk::FoundDocument;
use crate::protocol::members::{GRANT_AUTHORIZATION_CODE, Members};
use crate::protocol::pkce::S256;
use crate::rules::Rule;

impl Findings {
    pub(super) fn authorization(&mut self, members: &Members<'_>) {
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

    pub(super) fn pkce(&mut self, members: &Members<'_>) {
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

    pub(super) fn contradictions(&mut self, members: &Members<'_>) {
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
            _ if self.is_mistyped("grant_types_supported") => {}
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
            && !self.is_mistyped("token_endpoint_auth_methods_supported")
            && !members.lists("token_endpoint_auth_methods_supported", "none")
        {
            self.note(
                "token_endpoint_auth_methods_supported does not list none: clients without a secret may be refused",
            );
        }
    }

    /// What holds for servers that speak OpenID Connect, by the document that says so.
    pub(super) fn openid(&mut self, exploration: &DiscoveryReport) {
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
        self.turn_to(document);
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
}
