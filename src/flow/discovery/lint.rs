//! What an authorization server's metadata (RFC 8414 §2, OpenID Connect
//! Discovery §3) say that it can do, and what in them is broken, contradictory
//! or risky. Nothing is asked of the server: these are its own words.

use super::report::{DiscoveryReport, FoundDocument};
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::protocol::pkce::S256;
use crate::rules::{Level, Rule};
use serde_json::{Map, Value};
use url::Url;

/// Something that a server can do, or cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// What, in the specification's words.
    pub what: &'static str,
    /// Where it is specified.
    pub reference: &'static str,
    /// How the metadata announce it; `None` where they do not. Text from the network.
    pub announced: Option<String>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A MUST of a specification is broken.
    Must,
    /// A SHOULD of a specification is not kept.
    Should,
    /// Allowed, but worth a look.
    Note,
}

impl Weight {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Weight::Must => "MUST",
            Weight::Should => "SHOULD",
            Weight::Note => "note",
        }
    }
}

/// Something that is broken, contradictory or risky.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule of `oauth check` that it belongs to.
    pub rule: Option<Rule>,
    /// How much it matters.
    pub weight: Weight,
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

const AUTHORIZATION_CODE: &str = "authorization_code";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A document's members, read leniently: what is of another type is absent here.
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        let items = self.0.get(name).and_then(Value::as_array)?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }

    fn lists(&self, name: &str, wanted: &str) -> bool {
        self.list(name).is_some_and(|items| items.contains(&wanted))
    }

    fn joined(&self, name: &str) -> Option<String> {
        self.list(name)
            .filter(|items| !items.is_empty())
            .map(|items| items.join(" "))
    }

    fn switch(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    fn is_there(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Absent, they mean these two (RFC 8414 §2).
    fn grant_types(&self) -> Vec<&'a str> {
        self.list("grant_types_supported")
            .unwrap_or_else(|| vec![AUTHORIZATION_CODE, "implicit"])
    }
}

/// What the server can do and what it lacks, by its own words.
pub fn capabilities(document: &Map<String, Value>) -> Vec<Capability> {
    let members = Members(document);
    let grants = members.grant_types();
    let url = |name: &str| members.text(name).map(str::to_owned);
    let grant = |name: &'static str| grants.contains(&name).then(|| format!("grant type {name}"));
    let switch = |name: &'static str| members.switch(name).then(|| name.to_owned());
    let mut pushed = url("pushed_authorization_request_endpoint");
    if members.switch("require_pushed_authorization_requests") {
        pushed = pushed.map(|url| format!("{url} (required)"));
    }
    let bound_by_certificate = switch("tls_client_certificate_bound_access_tokens").or_else(|| {
        let methods = members
            .list("token_endpoint_auth_methods_supported")
            .unwrap_or_default();
        let by_certificate = methods.into_iter().find(|method| method.contains("tls_client_auth"));
        by_certificate.map(str::to_owned)
    });
    let openid = members
        .joined("id_token_signing_alg_values_supported")
        .map(|algorithms| format!("ID tokens signed {algorithms}"));
    let rows = [
        (
            "authorization code grant",
            "RFC 6749 §4.1",
            url("authorization_endpoint"),
        ),
        ("token endpoint", "RFC 6749 §3.2", url("token_endpoint")),
        ("PKCE", "RFC 7636", members.joined("code_challenge_methods_supported")),
        (
            "issuer in authorization responses",
            "RFC 9207",
            switch("authorization_response_iss_parameter_supported"),
        ),
        ("refresh tokens", "RFC 6749 §6", grant("refresh_token")),
        ("client credentials grant", "RFC 6749 §4.4", grant("client_credentials")),
        (
            "device authorization grant",
            "RFC 8628",
            url("device_authorization_endpoint").or_else(|| grant(DEVICE_CODE)),
        ),
        ("token exchange", "RFC 8693", grant(TOKEN_EXCHANGE)),
        ("JWT bearer grant", "RFC 7523 §2.1", grant(JWT_BEARER)),
        (
            "client authentication",
            "RFC 6749 §2.3",
            members.joined("token_endpoint_auth_methods_supported"),
        ),
        ("scopes", "RFC 6749 §3.3", members.joined("scopes_supported")),
        (
            "response types",
            "RFC 6749 §3.1.1",
            members.joined("response_types_supported"),
        ),
        (
            "response modes",
            "OAuth Multiple Response Types §2.1",
            members.joined("response_modes_supported"),
        ),
        ("revocation", "RFC 7009", url("revocation_endpoint")),
        ("introspection", "RFC 7662", url("introspection_endpoint")),
        ("pushed authorization requests", "RFC 9126", pushed),
        (
            "signed authorization requests",
            "RFC 9101",
            members.joined("request_object_signing_alg_values_supported"),
        ),
        (
            "DPoP-bound tokens",
            "RFC 9449",
            members.joined("dpop_signing_alg_values_supported"),
        ),
        ("certificate-bound tokens", "RFC 8705", bound_by_certificate),
        (
            "rich authorization requests",
            "RFC 9396",
            members.joined("authorization_details_types_supported"),
        ),
        ("client registration", "RFC 7591", url("registration_endpoint")),
        (
            "list of its protected resources",
            "RFC 9728 §4",
            members.joined("protected_resources"),
        ),
        ("published keys", "RFC 7517", url("jwks_uri")),
        ("OpenID Connect", "OpenID Connect Core", openid),
        ("userinfo", "OpenID Connect Core §5.3", url("userinfo_endpoint")),
        (
            "logout in the browser",
            "OpenID Connect RP-Initiated Logout",
            url("end_session_endpoint"),
        ),
    ];
    let capability = |(what, reference, announced)| Capability {
        what,
        reference,
        announced,
    };
    rows.into_iter().map(capability).collect()
}

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
        findings.proof_key(&Members(&server.members));
        findings.contradictions(&Members(&server.members));
        findings.openid(exploration);
        for other in &exploration.other_documents {
            findings.agreement(server, other);
        }
    }
    findings.0.sort_by_key(|finding| finding.weight);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn breaks(&mut self, rule: Rule, message: impl Into<String>) {
        self.0.push(Finding {
            rule: Some(rule),
            weight: match rule.level() {
                Level::Must => Weight::Must,
                Level::Should => Weight::Should,
            },
            reference: format!("{} §{}", rule.document(), rule.section()),
            message: message.into(),
        });
    }

    fn breaks_other(&mut self, weight: Weight, reference: &str, message: impl Into<String>) {
        self.0.push(Finding {
            rule: None,
            weight,
            reference: reference.to_owned(),
            message: message.into(),
        });
    }

    fn note(&mut self, message: impl Into<String>) {
        self.breaks_other(Weight::Note, "", message);
    }

    fn resource(&mut self, resource: &FoundDocument, server: Option<&FoundDocument>) {
        let members = Members(&resource.members);
        match members.text("resource") {
            Some(named) if named == resource.asked => {}
            Some(named) => self.breaks_other(
                Weight::Must,
                "RFC 9728 §3.3",
                format!(
                    "the resource metadata are for \"{named}\", but \"{}\" was asked; they must be identical",
                    resource.asked
                ),
            ),
            None => self.breaks_other(
                Weight::Must,
                "RFC 9728 §2",
                "the resource metadata do not name the resource",
            ),
        }
        let named = members.list("authorization_servers").unwrap_or_default();
        if named.is_empty() {
            self.note("the resource metadata name no authorization server (RFC 9728 §2)");
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
                self.breaks_other(
                    Weight::Must,
                    "RFC 9728 §7.7",
                    format!("an authorization server of the resource is not asked: {problem}"),
                );
            }
        }
    }

    fn document(&mut self, server: &FoundDocument) {
        match server.media_type.as_deref() {
            Some("application/json") => {}
            Some(other) => self.breaks(
                Rule::MetadataContentType,
                format!("the metadata are served as {other}, not as application/json"),
            ),
            None => self.breaks(
                Rule::MetadataContentType,
                "the metadata are served without a content type",
            ),
        }
        for (name, value) in &server.members {
            if value.as_array().is_some_and(Vec::is_empty) {
                self.breaks(
                    Rule::MetadataEmptyArrays,
                    format!("{name} is an empty list; a member without a value is left out"),
                );
            }
            let is_text_list = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
            if name.ends_with("_supported") && !value.is_boolean() && !value.is_null() && !is_text_list(value) {
                self.breaks_other(
                    Weight::Must,
                    "RFC 8414 §2",
                    format!("{name} is neither a list of strings nor a boolean"),
                );
            }
        }
    }

    fn issuer(&mut self, server: &FoundDocument) {
        let Some(issuer) = Members(&server.members).text("issuer") else {
            self.breaks(Rule::MetadataIssuer, "the metadata do not name an issuer");
            return;
        };
        if issuer != server.asked {
            let but_for_a_slash = issuer.trim_end_matches('/') == server.asked.trim_end_matches('/');
            let advice = if but_for_a_slash {
                "; only the trailing slash differs"
            } else {
                ""
            };
            self.breaks(
                Rule::MetadataIssuer,
                format!(
                    "the metadata are for issuer \"{issuer}\", but \"{}\" was asked; they must be identical{advice}",
                    server.asked
                ),
            );
        }
        if let Err(problem) = Issuer::parse(issuer, HttpPolicy::LoopbackOnly) {
            self.breaks(Rule::MetadataIssuerUrl, format!("the issuer cannot be one: {problem}"));
        }
    }

    fn endpoints(&mut self, server: &FoundDocument) {
        let members = Members(&server.members);
        let uses_browser = members
            .grant_types()
            .iter()
            .any(|grant| [AUTHORIZATION_CODE, "implicit"].contains(grant));
        if uses_browser && !members.is_there("authorization_endpoint") {
            self.breaks(
                Rule::MetadataAuthorizationEndpoint,
                "there is no authorization_endpoint",
            );
        }
        if !members.is_there("token_endpoint") && members.grant_types() != ["implicit"] {
            self.breaks(Rule::MetadataTokenEndpoint, "there is no token_endpoint");
        }
        for name in ENDPOINTS {
            if !members.is_there(name) {
                continue;
            }
            let Some(text) = members.text(name) else {
                self.breaks_other(Weight::Must, "RFC 8414 §2", format!("{name} is no string"));
                continue;
            };
            match Endpoint::parse_untrusted(text, &server.url, HttpPolicy::LoopbackOnly) {
                Ok(endpoint) => self.host(name, endpoint.url(), &server.url),
                Err(problem @ EndpointError::PlainHttp(_)) => {
                    self.breaks(Rule::MetadataHttps, format!("{name}: {problem}"));
                }
                Err(problem @ EndpointError::Fragment(_)) if IN_RFC_6749.contains(&name) => {
                    self.breaks(Rule::MetadataFragment, format!("{name}: {problem}"));
                }
                Err(problem) => self.breaks_other(Weight::Must, "RFC 8414 §2", format!("{name}: {problem}")),
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
            None => self.breaks(Rule::MetadataResponseTypes, "there is no response_types_supported"),
            Some(types) => {
                if !types.contains(&"code") {
                    self.breaks(
                        Rule::MetadataResponseTypes,
                        "response_types_supported does not list code",
                    );
                }
                let with_token: Vec<&str> = types
                    .into_iter()
                    .filter(|response_type| response_type.split(' ').any(|part| part == "token"))
                    .collect();
                if !with_token.is_empty() {
                    self.breaks(
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
            None => self.breaks(
                Rule::MetadataGrantTypes,
                "there is no grant_types_supported, which means authorization_code and implicit",
            ),
            Some(grants) => {
                if !grants.contains(&AUTHORIZATION_CODE) {
                    self.breaks(
                        Rule::MetadataGrantTypes,
                        "grant_types_supported does not list authorization_code",
                    );
                }
                if grants.contains(&"implicit") {
                    // With `id_token` alone it gives no access token, which is what the rule is about.
                    self.breaks_other(Weight::Should, "RFC 9700 §2.1.2", "the implicit grant is announced");
                }
                if grants.contains(&"password") {
                    self.breaks(Rule::MetadataNoPassword, "the password grant is announced");
                }
            }
        }
        if !members.switch("authorization_response_iss_parameter_supported") {
            self.breaks(
                Rule::MetadataIssParameter,
                "iss in authorization responses is not announced, so clients of several servers cannot see a mix-up",
            );
        }
        if !members.is_there("revocation_endpoint") {
            self.breaks(
                Rule::MetadataRevocation,
                "there is no revocation_endpoint: a logout cannot end the tokens",
            );
        }
    }

    fn proof_key(&mut self, members: &Members<'_>) {
        let Some(methods) = members.list("code_challenge_methods_supported") else {
            self.breaks(
                Rule::MetadataChallengeMethods,
                "code_challenge_methods_supported is not announced, so nobody can see whether PKCE works",
            );
            return;
        };
        if !methods.contains(&S256) {
            self.breaks(
                Rule::MetadataS256,
                "S256 is not among the code_challenge_methods_supported: oauth login refuses this server",
            );
        }
        if methods.contains(&"plain") {
            self.breaks(
                Rule::MetadataNoPlain,
                "the code challenge method plain is announced, which protects nothing where the request is seen",
            );
        }
    }

    fn contradictions(&mut self, members: &Members<'_>) {
        let grants = members.grant_types();
        let mut contradicts = |holds: bool, reference: &str, message: &str| {
            if holds {
                self.breaks_other(Weight::Must, reference, message);
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
            "clients may authenticate by a JWT that nobody signed (none)",
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
            self.breaks(Rule::MetadataNoNone, "unsigned ID tokens (none) are announced");
        }
        let Some(document) = documents.find(|document| document.url.path().contains("openid-configuration")) else {
            return;
        };
        let members = Members(&document.members);
        if members.is_there("scopes_supported") && !members.lists("scopes_supported", "openid") {
            self.breaks(Rule::MetadataScopes, "scopes_supported does not list openid");
        }
        if !members.is_there("subject_types_supported") {
            self.breaks(Rule::MetadataSubjectTypes, "there is no subject_types_supported");
        }
        if !members.lists("id_token_signing_alg_values_supported", "RS256") {
            self.breaks(
                Rule::MetadataIdTokenAlgorithms,
                "id_token_signing_alg_values_supported does not list RS256",
            );
        }
        if !members.is_there("jwks_uri") {
            self.breaks(
                Rule::KeysPublished,
                "there is no jwks_uri: nobody can verify its ID tokens",
            );
        }
    }

    fn agreement(&mut self, taken: &FoundDocument, other: &FoundDocument) {
        let shared = taken
            .members
            .iter()
            .filter_map(|(name, one)| Some((name, one, other.members.get(name)?)));
        let differing = shared.filter(|(_, one, another)| !says_the_same(one, another));
        let names: Vec<&str> = differing.map(|(name, _, _)| name.as_str()).collect();
        if !names.is_empty() {
            self.breaks(
                Rule::MetadataDocumentsAgree,
                format!("{} says something else about {}", other.url, names.join(", ")),
            );
        }
        let further = other.members.keys().map(String::as_str);
        let further: Vec<&str> = further
            .filter(|name| name.ends_with("_endpoint") && !taken.members.contains_key(*name))
            .collect();
        if !further.is_empty() {
            self.note(format!(
                "{} also names {}, of which a login knows nothing: it takes one document",
                other.url,
                further.join(", ")
            ));
        }
    }
}

/// Lists in metadata are sets.
fn says_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.iter().all(|item| other.contains(item)) && other.iter().all(|item| one.contains(item))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://as.example";

    fn sound() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
            "revocation_endpoint": "https://as.example/revoke",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn found(document: &Value) -> FoundDocument {
        FoundDocument {
            url: Url::parse("https://as.example/.well-known/oauth-authorization-server").unwrap(),
            asked: ISSUER.to_owned(),
            media_type: Some("application/json".to_owned()),
            bytes: document.to_string().into_bytes(),
            members: document.as_object().unwrap().clone(),
        }
    }

    fn findings_of(document: &Value) -> Vec<(Weight, String)> {
        let exploration = DiscoveryReport {
            server: Some(found(document)),
            ..DiscoveryReport::default()
        };
        let findings = findings(&exploration).into_iter();
        findings.map(|finding| (finding.weight, finding.message)).collect()
    }

    #[test]
    fn a_sound_server_has_no_findings() {
        assert_eq!(findings_of(&sound()), []);
    }

    #[test]
    fn each_member_that_is_wrong_is_found_and_nothing_else() {
        use Weight::{Must, Note, Should};
        let null = Value::Null;
        let cases = [
            ("issuer", json!("https://as.example/"), Must, "trailing slash"),
            ("issuer", null.clone(), Must, "do not name an issuer"),
            (
                "authorization_endpoint",
                null.clone(),
                Must,
                "no authorization_endpoint",
            ),
            ("authorization_endpoint", json!(7), Must, "is no string"),
            (
                "authorization_endpoint",
                json!("http://as.example/"),
                Must,
                "plain http",
            ),
            (
                "authorization_endpoint",
                json!("https://as.example/#x"),
                Must,
                "fragment",
            ),
            (
                "authorization_endpoint",
                json!("javascript:alert(1)"),
                Must,
                "neither an https",
            ),
            ("jwks_uri", json!("https://10.0.0.1/jwks"), Must, "private address"),
            ("token_endpoint", null.clone(), Must, "no token_endpoint"),
            (
                "token_endpoint",
                json!("https://tokens.example/"),
                Note,
                "tokens.example instead of as.example",
            ),
            ("revocation_endpoint", null.clone(), Should, "no revocation_endpoint"),
            (
                "response_types_supported",
                null.clone(),
                Must,
                "no response_types_supported",
            ),
            ("response_types_supported", json!(["none"]), Must, "does not list code"),
            (
                "response_types_supported",
                json!(["code", "code token"]),
                Should,
                "code token",
            ),
            ("grant_types_supported", null.clone(), Should, "which means"),
            (
                "grant_types_supported",
                json!(["authorization_code", "implicit"]),
                Should,
                "implicit grant",
            ),
            (
                "grant_types_supported",
                json!(["authorization_code", "password"]),
                Must,
                "password grant",
            ),
            (
                "grant_types_supported",
                json!(["refresh_token"]),
                Should,
                "authorization_code",
            ),
            (
                "grant_types_supported",
                json!(["authorization_code", DEVICE_CODE]),
                Note,
                "device grant",
            ),
            (
                "device_authorization_endpoint",
                json!("https://as.example/d"),
                Note,
                "does not list the device",
            ),
            (
                "code_challenge_methods_supported",
                null.clone(),
                Should,
                "whether PKCE works",
            ),
            (
                "code_challenge_methods_supported",
                json!(["s256"]),
                Must,
                "S256 is not among",
            ),
            (
                "code_challenge_methods_supported",
                json!(["S256", "plain"]),
                Should,
                "plain",
            ),
            (
                "authorization_response_iss_parameter_supported",
                json!(false),
                Should,
                "mix-up",
            ),
            ("require_pushed_authorization_requests", json!(true), Must, "pushed"),
            (
                "require_signed_request_object",
                json!(true),
                Must,
                "signed request objects",
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!(["client_secret_basic"]),
                Note,
                "without a secret",
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!(["none", "private_key_jwt"]),
                Must,
                "signed JWT",
            ),
            (
                "token_endpoint_auth_signing_alg_values_supported",
                json!(["none"]),
                Must,
                "nobody signed",
            ),
            (
                "id_token_signing_alg_values_supported",
                json!(["none"]),
                Should,
                "unsigned",
            ),
            ("scopes_supported", json!("openid"), Must, "neither a list"),
            ("ui_locales_supported", json!([]), Must, "empty list"),
        ];
        for (member, value, weight, part) in cases {
            let mut document = sound();
            document[member] = value.clone();
            let found = findings_of(&document);
            let [(its_weight, message)] = &found[..] else {
                panic!("{member} {value}: {found:?}");
            };
            assert!(
                *its_weight == weight && message.contains(part),
                "{member} {value}: {found:?}"
            );
        }
    }

    #[test]
    fn a_server_that_speaks_openid_connect_keeps_its_rules_too() {
        let openid = |document: &Value| FoundDocument {
            url: Url::parse("https://as.example/.well-known/openid-configuration").unwrap(),
            ..found(document)
        };
        let mut document = sound();
        document["scopes_supported"] = json!(["openid"]);
        let findings_with = |server: FoundDocument, other: Option<FoundDocument>| {
            findings(&DiscoveryReport {
                server: Some(server),
                other_documents: other.into_iter().collect(),
                ..DiscoveryReport::default()
            })
        };
        assert_eq!(findings_with(openid(&document), None).len(), 3);
        // the document of RFC 8414 may leave to the other one what is of OpenID Connect alone
        assert_eq!(findings_with(found(&document), None), []);
        let mut whole = document.clone();
        whole["jwks_uri"] = json!("https://as.example/jwks");
        whole["subject_types_supported"] = json!(["public"]);
        whole["id_token_signing_alg_values_supported"] = json!(["RS256"]);
        assert_eq!(findings_with(openid(&whole), None), []);
        assert_eq!(findings_with(found(&document), Some(openid(&whole))), []);
        assert_eq!(findings_with(found(&document), Some(openid(&document))).len(), 3);
    }

    #[test]
    fn two_documents_that_differ_are_told() {
        let mut other = sound();
        other["token_endpoint"] = json!("https://as.example/token2");
        other["claims_supported"] = json!(["sub"]);
        // a list is a set
        other["grant_types_supported"] = json!(["refresh_token", "authorization_code"]);
        let exploration = DiscoveryReport {
            server: Some(found(&sound())),
            other_documents: vec![found(&sound()), found(&other)],
            ..DiscoveryReport::default()
        };
        let found = findings(&exploration);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.ends_with("something else about token_endpoint"));
    }

    #[test]
    fn a_resource_names_itself_and_servers_that_may_be_asked() {
        let of = |document: Value| {
            let mut resource = found(&document);
            resource.asked = "https://as.example/api".to_owned();
            let exploration = DiscoveryReport {
                resource: Some(resource),
                server: Some(found(&sound())),
                ..DiscoveryReport::default()
            };
            findings(&exploration)
        };
        assert_eq!(
            of(json!({"resource": "https://as.example/api", "authorization_servers": [ISSUER]})),
            []
        );
        let found =
            of(json!({"resource": "https://other.example", "authorization_servers": ["https://127.0.0.1/", ISSUER]}));
        let parts = ["https://other.example", "private address", "2 authorization servers"];
        assert_eq!(found.len(), parts.len(), "{found:?}");
        for (finding, part) in found.iter().zip(parts) {
            assert!(finding.message.contains(part), "{finding:?}");
        }
    }

    #[test]
    fn the_table_says_what_is_announced() {
        let table = capabilities(sound().as_object().unwrap());
        let announced = |what: &str| {
            let row = table.iter().find(|row| row.what == what).unwrap();
            row.announced.as_deref()
        };
        assert_eq!(announced("PKCE"), Some("S256"));
        assert_eq!(announced("token endpoint"), Some("https://as.example/token"));
        assert_eq!(announced("refresh tokens"), Some("grant type refresh_token"));
        assert_eq!(announced("introspection"), None);
    }
}
