//! The documents that clients read first: metadata of the authorization server
//! and of the resource server.

use super::clients::document_url::ClientIdDocuments;
use super::route::Route;
use super::scopes::{DEFAULT_SCOPE, DETAILS_TYPE, KnownScopes, NOTES_SCOPE};
use super::settings::{Registration, ServeSettings};
use super::violations;
use super::violations::set::Violations;
use crate::protocol::authorization::ResponseMode;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::dpop::received::PROOF_ALGORITHMS;
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::protocol::grant::Grant;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::mtls_endpoints::MtlsEndpoints;
use crate::protocol::pkce::S256;
use crate::protocol::resource::Resource;
use crate::protocol::token_type_uri::TokenTypeUri;
use serde_json::{Value, json};

/// The documents that the home page links.
pub(crate) const HUMAN_LINKS: [&str; 5] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource/api",
    "/.well-known/oauth-protected-resource/mcp",
    "/jwks",
];

/// The documents as JSON, written once.
pub(crate) struct Documents {
    pub(crate) metadata: Vec<u8>,
    pub(crate) openid_configuration: Vec<u8>,
    pub(crate) api_metadata: Vec<u8>,
    pub(crate) mcp_metadata: Vec<u8>,
}

/// Where the server is.
pub(crate) struct Origins<'a> {
    pub(crate) issuer: &'a Issuer,
    /// Where clients with certificates find it, if it speaks TLS.
    pub(crate) for_certificates: Option<String>,
}

impl Documents {
    /// The documents of a server that violates these rules.
    ///
    /// # Errors
    /// [`EndpointError`]: an issuer that makes no URL.
    pub(crate) fn new(
        origins: &Origins<'_>,
        api: &Resource,
        mcp: &Resource,
        settings: &ServeSettings,
        violations: &Violations,
    ) -> Result<Self, EndpointError> {
        let issuer = origins.issuer;
        let mut metadata = metadata(origins, settings)?;
        violations::documents::alter_metadata(violations, issuer.as_str(), &mut metadata);
        let mut openid_configuration = metadata.clone();
        violations::documents::alter_openid_configuration(violations, &mut openid_configuration);
        let bytes = |document: &Value| document.to_string().into_bytes();
        let of_resource = |resource: &Resource, name: &str| {
            let mut document = resource_metadata(issuer, resource, name, settings);
            violations::protected_resource::alter_metadata(violations, issuer.as_str(), &mut document);
            bytes(&document)
        };
        Ok(Documents {
            metadata: bytes(&metadata),
            openid_configuration: bytes(&openid_configuration),
            api_metadata: of_resource(api, "oauth serve: example API"),
            mcp_metadata: of_resource(mcp, "oauth serve: example MCP server"),
        })
    }
}

/// How the clients of this server may authenticate. None comes first.
fn client_authentication_methods(with_certificates: bool) -> Vec<ClientAuthenticationMethod> {
    let methods = ClientAuthenticationMethod::ALL.into_iter();
    methods
        .filter(|method| with_certificates || !method.takes_certificate())
        .collect()
}

/// What request objects may be signed with.
const REQUEST_OBJECT_ALGORITHMS: [&str; 10] = [
    "ES256", "ES384", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
];

/// What their assertions may be signed with.
const ASSERTION_ALGORITHMS: [&str; 13] = [
    "ES256", "ES384", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "HS256", "HS384",
    "HS512",
];

/// What the server can do (RFC 8414 §2, OpenID Connect Discovery §3).
///
/// # Errors
/// [`EndpointError`]: an issuer that makes no URL.
fn metadata(origins: &Origins<'_>, settings: &ServeSettings) -> Result<Value, EndpointError> {
    let issuer = origins.issuer;
    let endpoint =
        |route: Route| Endpoint::parse(&format!("{issuer}{}", route.path()), HttpPolicy::LoopbackOnly).map(Some);
    let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect());
    let methods = client_authentication_methods(settings.tls.is_some());
    let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    let metadata = ServerMetadata {
        issuer: Some(issuer.clone()),
        authorization_endpoint: endpoint(Route::Authorize)?,
        token_endpoint: endpoint(Route::Token)?,
        revocation_endpoint: endpoint(Route::Revoke)?,
        introspection_endpoint: endpoint(Route::Introspect)?,
        userinfo_endpoint: endpoint(Route::Userinfo)?,
        jwks_uri: endpoint(Route::Jwks)?,
        device_authorization_endpoint: endpoint(Route::DeviceAuthorization)?,
        code_challenge_methods_supported: list(&[S256]),
        token_endpoint_auth_methods_supported: list(&methods),
        token_endpoint_auth_signing_alg_values_supported: list(&ASSERTION_ALGORITHMS),
        scopes_supported: list(&KnownScopes::new(settings).names()),
        response_types_supported: list(&["code"]),
        response_modes_supported: list(&ResponseMode::ALL.map(ResponseMode::as_str)),
        grant_types_supported: list(&Grant::TYPES),
        authorization_response_iss_parameter_supported: true,
        dpop_signing_alg_values_supported: list(&PROOF_ALGORITHMS),
        dpop_bound_access_tokens_required: settings.dpop.proof,
        pushed_authorization_request_endpoint: endpoint(Route::PushedAuthorization)?,
        require_pushed_authorization_requests: settings.request_demands.pushed,
        request_object_signing_alg_values_supported: list(&REQUEST_OBJECT_ALGORITHMS),
        require_signed_request_object: settings.request_demands.signed,
        authorization_signing_alg_values_supported: list(&["RS256", "ES256"]),
        authorization_details_types_supported: list(&[DETAILS_TYPE]),
        tls_client_certificate_bound_access_tokens: settings.tls.is_some(),
        ..ServerMetadata::default()
    };
    let mut document = metadata.to_json();
    for (member, value) in [
        ("revocation_endpoint_auth_methods_supported", json!(methods)),
        (
            "revocation_endpoint_auth_signing_alg_values_supported",
            json!(ASSERTION_ALGORITHMS),
        ),
        // It wants to know who asks.
        ("introspection_endpoint_auth_methods_supported", json!(methods[1..])),
        (
            "introspection_endpoint_auth_signing_alg_values_supported",
            json!(ASSERTION_ALGORITHMS),
        ),
        // RFC 9068 has no member for what access tokens are signed with; this one says it all the same.
        ("access_token_signing_alg_values_supported", json!(["ES256"])),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
        ("subject_types_supported", json!(["public"])),
        (
            "prompt_values_supported",
            json!(["none", "login", "consent", "select_account"]),
        ),
        (
            "claims_supported",
            json!([
                "sub",
                "iss",
                "aud",
                "azp",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "name",
                "preferred_username",
                "email"
            ]),
        ),
        (
            "authorization_grant_profiles_supported",
            json!(["urn:ietf:params:oauth:grant-profile:id-jag"]),
        ),
        (
            "identity_chaining_requested_token_types_supported",
            json!([TokenTypeUri::id_jag().as_str()]),
        ),
        ("claims_parameter_supported", json!(false)),
        ("request_parameter_supported", json!(true)),
        // True where absent (OpenID Connect Discovery §3).
        ("request_uri_parameter_supported", json!(false)),
        (
            "protected_resources",
            json!([format!("{issuer}/api"), format!("{issuer}/mcp")]),
        ),
    ] {
        document[member] = value;
    }
    if settings.registration == Registration::Open {
        document["registration_endpoint"] = json!(format!("{issuer}{}", Route::Register.path()));
    }
    if settings.client_id_documents != ClientIdDocuments::Off {
        document["client_id_metadata_document_supported"] = json!(true);
    }
    if let Some(origin) = &origins.for_certificates {
        document[MtlsEndpoints::MEMBER] = mtls_endpoint_aliases(issuer, origin, &document);
    }
    Ok(document)
}

/// The endpoints for programs, at the origin for clients with certificates (RFC 8705 §5).
fn mtls_endpoint_aliases(issuer: &Issuer, origin: &str, document: &Value) -> Value {
    let members = document.as_object().into_iter().flatten();
    let aliases = members.filter_map(|(member, url)| {
        let is_for_programs = member.ends_with("_endpoint") && member != "authorization_endpoint";
        let path = url.as_str()?.strip_prefix(issuer.as_str())?;
        is_for_programs.then(|| (member.clone(), json!(format!("{origin}{path}"))))
    });
    Value::Object(aliases.collect())
}

/// What a resource of this server wants (RFC 9728 §2).
fn resource_metadata(issuer: &Issuer, resource: &Resource, name: &str, settings: &ServeSettings) -> Value {
    let dpop = settings.dpop;
    json!({
        "tls_client_certificate_bound_access_tokens": settings.tls.is_some(),
        "resource": resource.as_str(),
        "resource_name": name,
        "authorization_servers": [issuer.as_str()],
        "scopes_supported": [DEFAULT_SCOPE, NOTES_SCOPE],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": PROOF_ALGORITHMS,
        "dpop_bound_access_tokens_required": dpop.proof,
    })
}
