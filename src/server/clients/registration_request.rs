//! Which clients may register themselves, and as what (RFC 7591 §2, §3.1;
//! OpenID Connect Registration §2 for `application_type`).

use crate::protocol::client::{ClientAuthenticationMethod, ClientId};
use crate::protocol::grant::{Grant, authorization_code};
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;
use crate::server::client_metadata::{ClientMetadata, InvalidClientMetadata, Members, invalid};
use crate::server::client_name::{ClientName, NameGiver};
use crate::server::request_metadata::RequestMetadata;
use crate::server::settings::clients::RegisteredClient;
use serde_json::{Map, Value, json};

/// Members that say something to people alone; they are kept as they came.
const DESCRIPTIVE_MEMBERS: [&str; 7] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "software_id",
    "software_version",
];

/// The name that a client with `tls_client_auth` has (RFC 8705 §2.1.2).
const CERTIFICATE_NAMES: [&str; 5] = [
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
];

/// Where a client runs. What registers without saying so is held to the rules
/// that both kinds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApplicationType {
    Web,
    Native,
}

/// A registration that can be made.
pub(crate) struct RegistrationRequest {
    metadata: ClientMetadata,
    requests: RequestMetadata,
    grant_types: Vec<String>,
    /// What is registered, but for the authentication.
    described: Map<String, Value>,
}

impl RegistrationRequest {
    /// Reads the body of a registration request. Members that this server does
    /// not know are ignored, grant types that it does not know are left out.
    /// `speaks_tls` says whether clients can show certificates.
    ///
    /// # Errors
    /// [`InvalidClientMetadata`], which names the member.
    pub(crate) fn parse(body: &[u8], speaks_tls: bool) -> Result<Self, InvalidClientMetadata> {
        let members = Members::parse(body)?;
        // RFC 7591 §2
        let mut request = Self::read(&members, ClientAuthenticationMethod::ClientSecretBasic)?;
        request.metadata.binds_tokens_to_certificate &= speaks_tls;
        match request.metadata.certificate {
            Some(_) if !speaks_tls => Err(invalid(format!(
                "{} is for servers that speak TLS, and this one does not (--tls)",
                request.metadata.method.as_str()
            ))),
            _ => Ok(request),
        }
    }

    /// Reads a client-ID metadata document: the same members, but no secret,
    /// which would be everyone's, and the URL as `client_id`
    /// (draft-ietf-oauth-client-id-metadata-document §4).
    ///
    /// # Errors
    /// [`InvalidClientMetadata`], which names the member.
    pub(crate) fn parse_document(body: &[u8], url: &str) -> Result<Self, InvalidClientMetadata> {
        let members = Members::parse(body)?;
        match members.text("client_id")? {
            Some(id) if id == url => {}
            Some(other) => return Err(invalid(format!("its client_id is \"{other}\", not its URL"))),
            None => return Err(invalid("client_id is missing")),
        }
        if let Some(name) = ["client_secret", "client_secret_expires_at"]
            .into_iter()
            .find(|name| members.has(name))
        {
            return Err(invalid(format!("{name} has no place in a public document")));
        }
        let mut request = Self::read(&members, ClientAuthenticationMethod::None)?;
        request.metadata.binds_tokens_to_certificate = false;
        if request.metadata.certificate.is_some() {
            let method = request.metadata.method.as_str();
            return Err(invalid(format!(
                "{method} is not for clients that a document describes"
            )));
        }
        match request.takes_secret() {
            true => Err(invalid(
                "token_endpoint_auth_method is one with a secret, which a public document cannot hold",
            )),
            false => Ok(request),
        }
    }

    fn read(members: &Members, default_method: ClientAuthenticationMethod) -> Result<Self, InvalidClientMetadata> {
        let metadata = ClientMetadata::read(members, default_method)?;
        let application_type = application_type(members)?;
        for redirect_uri in &metadata.redirect_uris {
            check_redirect_uri(redirect_uri, application_type)?;
        }
        let grant_types = grant_types(members)?;
        check_response_types(members)?;
        let needs_browser = grant_types.iter().any(|own| own == authorization_code::GRANT_TYPE);
        if needs_browser && metadata.redirect_uris.is_empty() {
            let problem = "redirect_uris is missing for the authorization code grant";
            return Err(InvalidClientMetadata::RedirectUri(problem.to_owned()));
        }
        Ok(RegistrationRequest {
            described: described(members)?,
            requests: RequestMetadata::read(members)?,
            metadata,
            grant_types,
        })
    }

    /// Whether the client gets a secret.
    pub(crate) fn takes_secret(&self) -> bool {
        self.metadata.method.takes_secret()
    }

    /// The client under this id, and what is registered of it (RFC 7591 §3.2.1).
    pub(crate) fn register(self, id: ClientId, secret: Option<Secret>) -> (RegisteredClient, Map<String, Value>) {
        let mut registered = self.described;
        let redirect_uris: Vec<&str> = self.metadata.redirect_uris.iter().map(RedirectUri::as_str).collect();
        let response_types: &[&str] = match redirect_uris.is_empty() {
            true => &[],
            false => &["code"],
        };
        for (name, value) in [
            ("client_id", json!(id.as_str())),
            ("redirect_uris", json!(redirect_uris)),
            ("grant_types", json!(self.grant_types)),
            ("response_types", json!(response_types)),
            ("token_endpoint_auth_method", json!(self.metadata.method.as_str())),
        ] {
            registered.insert(name.to_owned(), value);
        }
        let client = RegisteredClient {
            id,
            name: ClientName::read(registered.get("client_name").and_then(Value::as_str), NameGiver::Client),
            secret,
            keys: self.metadata.keys,
            requests: self.requests,
            certificate: self.metadata.certificate,
            binds_tokens_to_certificate: self.metadata.binds_tokens_to_certificate,
            method: Some(self.metadata.method),
            assertion_algorithm: self.metadata.assertion_algorithm,
            redirect_uris: self.metadata.redirect_uris,
            grant_types: Some(self.grant_types),
        };
        (client, registered)
    }
}

fn application_type(members: &Members) -> Result<Option<ApplicationType>, InvalidClientMetadata> {
    match members.text("application_type")? {
        None => Ok(None),
        Some("native") => Ok(Some(ApplicationType::Native)),
        Some("web") => Ok(Some(ApplicationType::Web)),
        Some(other) => Err(invalid(format!(
            "application_type is \"{other}\", neither native nor web"
        ))),
    }
}

/// https anywhere, http on loopback alone; a scheme of its own, and loopback,
/// are for native applications (RFC 8252 §7, §8.4; OpenID Connect Registration §2).
fn check_redirect_uri(uri: &RedirectUri, kind: Option<ApplicationType>) -> Result<(), InvalidClientMetadata> {
    let is_web = kind == Some(ApplicationType::Web);
    let is_loopback = uri.loopback_address().is_some();
    let problem = match uri.url().scheme() {
        "https" => return Ok(()),
        "http" if !is_loopback => "http is allowed only for loopback addresses",
        "http" if is_web => "loopback is for native applications: register with application_type native",
        "http" => return Ok(()),
        scheme if !scheme.contains('.') => {
            "a scheme of an application is a domain name backwards, such as com.example.app"
        }
        _ if is_web => "a scheme of its own is for native applications: register with application_type native",
        _ => return Ok(()),
    };
    Err(InvalidClientMetadata::RedirectUri(format!("{uri}: {problem}")))
}

fn grant_types(members: &Members) -> Result<Vec<String>, InvalidClientMetadata> {
    let Some(mut types) = members.list("grant_types")? else {
        // RFC 7591 §2
        return Ok(vec![authorization_code::GRANT_TYPE.to_owned()]);
    };
    types.retain(|name| Grant::TYPES.contains(&name.as_str()));
    match types.is_empty() {
        true => Err(invalid(format!("grant_types has none of {}", Grant::TYPES.join(", ")))),
        false => Ok(types),
    }
}

fn check_response_types(members: &Members) -> Result<(), InvalidClientMetadata> {
    match members.list("response_types")? {
        Some(types) if !types.is_empty() && !types.iter().any(|own| own == "code") => Err(invalid(
            "response_types has no code, which is the only one of this server",
        )),
        _ => Ok(()),
    }
}

/// What is kept as it came.
fn described(members: &Members) -> Result<Map<String, Value>, InvalidClientMetadata> {
    let mut described = Map::new();
    for name in DESCRIPTIVE_MEMBERS
        .into_iter()
        .chain(["application_type", "token_endpoint_auth_signing_alg"])
        .chain(["request_object_signing_alg", "authorization_signed_response_alg"])
        .chain(CERTIFICATE_NAMES)
    {
        if let Some(text) = members.text(name)? {
            described.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(contacts) = members.list("contacts")? {
        described.insert("contacts".to_owned(), json!(contacts));
    }
    for name in [
        "jwks",
        "tls_client_certificate_bound_access_tokens",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "authorization_details_types",
    ] {
        if let Some(value) = members.value(name) {
            described.insert(name.to_owned(), value.clone());
        }
    }
    Ok(described)
}
