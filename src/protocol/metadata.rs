//! Authorization server metadata (RFC 8414 §2, OpenID Connect Discovery §3):
//! what the client reads and what the development server publishes.

mod error;
mod reader;

pub use error::MetadataError;

use super::client::{ClientAuthenticationMethod, ClientCredentials};
use super::endpoint::{Endpoint, HttpPolicy, Issuer};
use super::json::parse_object;
use super::mtls_endpoints::MtlsEndpoints;
use super::pkce::S256;
use reader::Reader;
use serde_json::{Map, Value, json};

/// What is known of an authorization server, from its metadata or from flags.
#[derive(Debug, Clone, Default)]
pub struct ServerMetadata {
    /// `None` only where the endpoints were given by hand.
    pub issuer: Option<Issuer>,
    /// Where the browser is sent.
    pub authorization_endpoint: Option<Endpoint>,
    /// Where codes and refresh tokens are redeemed.
    pub token_endpoint: Option<Endpoint>,
    /// RFC 7009.
    pub revocation_endpoint: Option<Endpoint>,
    /// RFC 7662.
    pub introspection_endpoint: Option<Endpoint>,
    /// OpenID Connect Core §5.3.
    pub userinfo_endpoint: Option<Endpoint>,
    /// RFC 7517.
    pub jwks_uri: Option<Endpoint>,
    /// RFC 8628 §4.
    pub device_authorization_endpoint: Option<Endpoint>,
    /// RFC 7591 §3.
    pub registration_endpoint: Option<Endpoint>,
    /// RFC 9126 §5.
    pub pushed_authorization_request_endpoint: Option<Endpoint>,
    /// RFC 8705 §5.
    pub mtls_endpoint_aliases: MtlsEndpoints,
    /// Absent means unknown, not "none" (RFC 9700 §2.1.1).
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Absent means `client_secret_basic` (RFC 8414 §2).
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// What assertions of clients may be signed with.
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// What may be asked for.
    pub scopes_supported: Option<Vec<String>>,
    /// Must hold `code` for this flow.
    pub response_types_supported: Option<Vec<String>>,
    /// `query` where absent.
    pub response_modes_supported: Option<Vec<String>>,
    /// `authorization_code` where absent.
    pub grant_types_supported: Option<Vec<String>>,
    /// RFC 9207 §3.
    pub authorization_response_iss_parameter_supported: bool,
    /// RFC 9126 §5.
    pub require_pushed_authorization_requests: bool,
    /// RFC 9101 §10.5.
    pub require_signed_request_object: bool,
    /// What request objects may be signed with (RFC 9101 §10.5).
    pub request_object_signing_alg_values_supported: Option<Vec<String>>,
    /// What authorization responses may be signed with (JARM §4).
    pub authorization_signing_alg_values_supported: Option<Vec<String>>,
    /// RFC 9396 §10.
    pub authorization_details_types_supported: Option<Vec<String>>,
    /// What proofs may be signed with (RFC 9449 §5.1).
    pub dpop_signing_alg_values_supported: Option<Vec<String>>,
    /// Whether the URL of a document can be a client's name (OAuth Client ID Metadata Document).
    pub client_id_metadata_document_supported: bool,
    /// Whether the server gives bound tokens only, by the name that RFC 9728 §2 has for it.
    pub dpop_bound_access_tokens_required: bool,
    /// Whether tokens are bound to the certificate of the client (RFC 8705 §3.3).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// How ID tokens may be signed (OpenID Connect Discovery §3).
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
    /// Members that cannot be used as they are, and count as absent.
    pub problems: Vec<MetadataError>,
}

impl ServerMetadata {
    /// Reads a metadata document that was fetched for `asked`.
    ///
    /// # Errors
    /// [`MetadataError`]: then nothing of the document may be used.
    pub fn parse(bytes: &[u8], asked: &Issuer, allowance: HttpPolicy) -> Result<Self, MetadataError> {
        let object = parse_object(bytes)?;
        let found = object
            .get("issuer")
            .and_then(Value::as_str)
            .ok_or(MetadataError::NoIssuer)?;
        if found != asked.as_str() {
            return Err(MetadataError::OtherIssuer {
                asked: asked.as_str().to_owned(),
                found: found.to_owned(),
            });
        }
        Ok(ServerMetadata::read(&object, asked, allowance))
    }

    /// Reads the members of a document whose issuer was compared, or that is
    /// only looked at. What is malformed is kept in [`problems`](Self::problems).
    pub fn read(object: &Map<String, Value>, asked: &Issuer, allowance: HttpPolicy) -> Self {
        let mut reader = Reader {
            object,
            server: asked,
            allowance,
            problems: Vec::new(),
        };
        ServerMetadata {
            issuer: Some(asked.clone()),
            authorization_endpoint: reader.endpoint("authorization_endpoint"),
            token_endpoint: reader.endpoint("token_endpoint"),
            revocation_endpoint: reader.endpoint("revocation_endpoint"),
            introspection_endpoint: reader.endpoint("introspection_endpoint"),
            userinfo_endpoint: reader.endpoint("userinfo_endpoint"),
            jwks_uri: reader.endpoint("jwks_uri"),
            device_authorization_endpoint: reader.endpoint("device_authorization_endpoint"),
            registration_endpoint: reader.endpoint("registration_endpoint"),
            pushed_authorization_request_endpoint: reader.endpoint("pushed_authorization_request_endpoint"),
            mtls_endpoint_aliases: reader.mtls_endpoints(),
            code_challenge_methods_supported: reader.list("code_challenge_methods_supported"),
            token_endpoint_auth_methods_supported: reader.list("token_endpoint_auth_methods_supported"),
            token_endpoint_auth_signing_alg_values_supported: reader
                .list("token_endpoint_auth_signing_alg_values_supported"),
            scopes_supported: reader.list("scopes_supported"),
            response_types_supported: reader.list("response_types_supported"),
            response_modes_supported: reader.list("response_modes_supported"),
            grant_types_supported: reader.list("grant_types_supported"),
            authorization_response_iss_parameter_supported: reader
                .switch("authorization_response_iss_parameter_supported"),
            require_pushed_authorization_requests: reader.switch("require_pushed_authorization_requests"),
            require_signed_request_object: reader.switch("require_signed_request_object"),
            request_object_signing_alg_values_supported: reader.list("request_object_signing_alg_values_supported"),
            authorization_signing_alg_values_supported: reader.list("authorization_signing_alg_values_supported"),
            authorization_details_types_supported: reader.list("authorization_details_types_supported"),
            dpop_signing_alg_values_supported: reader.list("dpop_signing_alg_values_supported"),
            client_id_metadata_document_supported: reader.switch("client_id_metadata_document_supported"),
            dpop_bound_access_tokens_required: reader.switch("dpop_bound_access_tokens_required"),
            tls_client_certificate_bound_access_tokens: reader.switch("tls_client_certificate_bound_access_tokens"),
            id_token_signing_alg_values_supported: reader.list("id_token_signing_alg_values_supported"),
            problems: reader.problems,
        }
    }

    /// What is wrong with a member, if it is there and cannot be used.
    pub fn problem_with(&self, member: &str) -> Option<&MetadataError> {
        self.problems.iter().find(|problem| problem.member() == Some(member))
    }

    /// What is wrong with a member that every login needs.
    pub fn problem_for_a_login(&self) -> Option<&MetadataError> {
        let members = ["authorization_endpoint", "token_endpoint"];
        let mut members = members.iter().chain(&NEEDED_BY_THE_FLOW);
        members.find_map(|member| self.problem_with(member))
    }

    /// An endpoint that is needed now.
    ///
    /// # Errors
    /// What is wrong with it, or that it is not there.
    pub fn required(&self, member: &'static str) -> Result<&Endpoint, MetadataError> {
        let endpoint = self.endpoint(member);
        endpoint.ok_or_else(|| match self.problem_with(member) {
            Some(problem) => problem.clone(),
            None => MetadataError::NoEndpoint(member),
        })
    }

    /// The endpoint that a member names, by the member's name.
    pub fn endpoint(&self, member: &str) -> Option<&Endpoint> {
        match member {
            "authorization_endpoint" => self.authorization_endpoint.as_ref(),
            "token_endpoint" => self.token_endpoint.as_ref(),
            "revocation_endpoint" => self.revocation_endpoint.as_ref(),
            "introspection_endpoint" => self.introspection_endpoint.as_ref(),
            "userinfo_endpoint" => self.userinfo_endpoint.as_ref(),
            "jwks_uri" => self.jwks_uri.as_ref(),
            "device_authorization_endpoint" => self.device_authorization_endpoint.as_ref(),
            "registration_endpoint" => self.registration_endpoint.as_ref(),
            "pushed_authorization_request_endpoint" => self.pushed_authorization_request_endpoint.as_ref(),
            _ => None,
        }
    }

    /// All endpoints that requests are sent to.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        let own = [
            &self.token_endpoint,
            &self.revocation_endpoint,
            &self.introspection_endpoint,
            &self.userinfo_endpoint,
            &self.jwks_uri,
            &self.device_authorization_endpoint,
            &self.registration_endpoint,
            &self.pushed_authorization_request_endpoint,
        ];
        let aliases = self.mtls_endpoint_aliases.iter().map(|(_, endpoint)| endpoint);
        own.into_iter().flatten().chain(aliases)
    }

    /// Puts the endpoints for requests that show a certificate in the place of
    /// the others (RFC 8705 §5).
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn use_mtls_endpoints(&mut self) -> Result<(), MetadataError> {
        if let Some(problem) = self.problem_with(MtlsEndpoints::MEMBER) {
            return Err(problem.clone());
        }
        for (member, endpoint) in std::mem::take(&mut self.mtls_endpoint_aliases).iter() {
            let slot = match member {
                "token_endpoint" => &mut self.token_endpoint,
                "revocation_endpoint" => &mut self.revocation_endpoint,
                "introspection_endpoint" => &mut self.introspection_endpoint,
                "device_authorization_endpoint" => &mut self.device_authorization_endpoint,
                "pushed_authorization_request_endpoint" => &mut self.pushed_authorization_request_endpoint,
                "userinfo_endpoint" => &mut self.userinfo_endpoint,
                _ => continue,
            };
            *slot = Some(endpoint.clone());
        }
        Ok(())
    }

    /// Whether the tokens of a client with a certificate are bound to it, by
    /// whatever method the client authenticates (RFC 8705 §3).
    pub fn binds_tokens_to_certificates(&self) -> bool {
        self.tls_client_certificate_bound_access_tokens && !self.issuer.as_ref().is_some_and(binds_on_request_alone)
    }

    /// Whether the document says nothing of a member that may be taken from another one.
    pub fn lacks(&self, member: &str) -> bool {
        FROM_ANOTHER_DOCUMENT.contains(&member)
            && self.endpoint(member).is_none()
            && self.problem_with(member).is_none()
    }

    /// Takes a member that this document lacks from another document of the
    /// same issuer, if it is of the same origin as this one's endpoints. Says
    /// whether it did.
    pub fn complete_from(&mut self, member: &str, other: &ServerMetadata) -> bool {
        let Some(endpoint) = other.endpoint(member).filter(|_| self.issuer == other.issuer) else {
            return false;
        };
        let origin = endpoint.url().origin();
        let mut own = [&self.authorization_endpoint, &self.token_endpoint]
            .into_iter()
            .flatten();
        if !own.any(|own| own.url().origin() == origin) {
            return false;
        }
        let slot = match member {
            "revocation_endpoint" => &mut self.revocation_endpoint,
            "introspection_endpoint" => &mut self.introspection_endpoint,
            "userinfo_endpoint" => &mut self.userinfo_endpoint,
            "jwks_uri" => &mut self.jwks_uri,
            _ => return false,
        };
        *slot = Some(endpoint.clone());
        true
    }

    /// Whether this server can take part in the flow at all.
    ///
    /// # Errors
    /// [`MetadataError::NoS256`] and [`MetadataError::NoCodeResponse`], where
    /// the server lists what it supports and the flow needs something else.
    pub fn supports_code_flow_with_pkce(&self) -> Result<(), MetadataError> {
        let lacks = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref()
                .is_some_and(|list| !list.iter().any(|item| item == wanted))
        };
        if let Some(problem) = NEEDED_BY_THE_FLOW.iter().find_map(|member| self.problem_with(member)) {
            return Err(problem.clone());
        }
        if lacks(&self.code_challenge_methods_supported, S256) {
            return Err(MetadataError::NoS256);
        }
        if lacks(&self.response_types_supported, "code") {
            return Err(MetadataError::NoCodeResponse);
        }
        Ok(())
    }

    /// Whether the server says that it takes PKCE with S256.
    pub fn announces_s256(&self) -> bool {
        let methods = self.code_challenge_methods_supported.as_deref().unwrap_or_default();
        methods.iter().any(|method| method == S256)
    }

    /// The algorithms that ID tokens may be signed with; empty where the server
    /// does not say.
    pub fn id_token_algorithms(&self) -> &[String] {
        self.id_token_signing_alg_values_supported
            .as_deref()
            .unwrap_or_default()
    }

    /// The authentication method for a client with these credentials: of those
    /// that they allow the first that the server lists, by the order here; the
    /// first of all where the server is silent (RFC 8414 §2).
    pub fn client_authentication_method(&self, credentials: &ClientCredentials) -> ClientAuthenticationMethod {
        let listed = self
            .token_endpoint_auth_methods_supported
            .as_deref()
            .unwrap_or_default();
        let is_listed = |method: &&ClientAuthenticationMethod| listed.iter().any(|name| name == method.as_str());
        let possible = credentials.methods();
        let first = possible.first().unwrap_or(&ClientAuthenticationMethod::None);
        *possible.iter().find(is_listed).unwrap_or(first)
    }

    /// The document as it is published.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        if let Some(issuer) = &self.issuer {
            object.insert("issuer".into(), json!(issuer.as_str()));
        }
        for (member, endpoint) in [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("revocation_endpoint", &self.revocation_endpoint),
            ("introspection_endpoint", &self.introspection_endpoint),
            ("userinfo_endpoint", &self.userinfo_endpoint),
            ("jwks_uri", &self.jwks_uri),
            ("device_authorization_endpoint", &self.device_authorization_endpoint),
            ("registration_endpoint", &self.registration_endpoint),
            (
                "pushed_authorization_request_endpoint",
                &self.pushed_authorization_request_endpoint,
            ),
        ] {
            if let Some(endpoint) = endpoint {
                object.insert(member.into(), json!(endpoint.url().as_str()));
            }
        }
        for (member, list) in [
            ("response_types_supported", &self.response_types_supported),
            ("response_modes_supported", &self.response_modes_supported),
            ("grant_types_supported", &self.grant_types_supported),
            ("scopes_supported", &self.scopes_supported),
            (
                "dpop_signing_alg_values_supported",
                &self.dpop_signing_alg_values_supported,
            ),
            (
                "request_object_signing_alg_values_supported",
                &self.request_object_signing_alg_values_supported,
            ),
            (
                "authorization_signing_alg_values_supported",
                &self.authorization_signing_alg_values_supported,
            ),
            (
                "authorization_details_types_supported",
                &self.authorization_details_types_supported,
            ),
            (
                "code_challenge_methods_supported",
                &self.code_challenge_methods_supported,
            ),
            (
                "token_endpoint_auth_methods_supported",
                &self.token_endpoint_auth_methods_supported,
            ),
            (
                "token_endpoint_auth_signing_alg_values_supported",
                &self.token_endpoint_auth_signing_alg_values_supported,
            ),
        ] {
            if let Some(list) = list {
                object.insert(member.into(), json!(list));
            }
        }
        object.insert(
            "authorization_response_iss_parameter_supported".into(),
            json!(self.authorization_response_iss_parameter_supported),
        );
        for (member, value) in [
            (
                "client_id_metadata_document_supported",
                self.client_id_metadata_document_supported,
            ),
            (
                "dpop_bound_access_tokens_required",
                self.dpop_bound_access_tokens_required,
            ),
            (
                "tls_client_certificate_bound_access_tokens",
                self.tls_client_certificate_bound_access_tokens,
            ),
        ] {
            if value {
                object.insert(member.into(), json!(true));
            }
        }
        for (member, is_required) in [
            (
                "require_pushed_authorization_requests",
                self.require_pushed_authorization_requests,
            ),
            ("require_signed_request_object", self.require_signed_request_object),
        ] {
            if is_required {
                object.insert(member.into(), json!(true));
            }
        }
        Value::Object(object)
    }
}

/// Members that decide whether the flow is safe: where they cannot be read, it does not begin.
const NEEDED_BY_THE_FLOW: [&str; 3] = [
    "code_challenge_methods_supported",
    "response_types_supported",
    "authorization_response_iss_parameter_supported",
];

/// Endpoints that may stand in one document of an issuer alone. The other
/// ones decide where a person signs in and where codes go.
const FROM_ANOTHER_DOCUMENT: [&str; 4] = [
    "userinfo_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "jwks_uri",
];

/// Whether the issuer is Microsoft Entra ID. It announces bound tokens, and binds
/// only those that a request asks for by a type of its own, for some of its own
/// APIs. A certificate names the key of an assertion there.
fn binds_on_request_alone(issuer: &Issuer) -> bool {
    const HOSTS: [&str; 4] = [
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "sts.windows.net",
    ];
    let host = issuer.url().host_str().unwrap_or_default();
    HOSTS.contains(&host) || host.ends_with(".ciamlogin.com")
}

#[cfg(test)]
mod tests;
