//! Authorization server metadata (RFC 8414 §2, OpenID Connect Discovery §3):
//! what the client reads and what the development server publishes.

use super::client::ClientAuthenticationMethod;
use super::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use super::json::{JsonError, parse_object};
use super::pkce::S256;
use serde_json::{Map, Value, json};
use std::str::FromStr;

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
    /// Absent means unknown, not "none" (RFC 9700 §2.1.1).
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Absent means `client_secret_basic` (RFC 8414 §2).
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
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
}

/// Why a metadata document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// HTML, a list, a member twice.
    #[error("the document is not a JSON object: {0}")]
    Json(#[from] JsonError),
    /// RFC 8414 §2 requires it.
    #[error("the document has no issuer (RFC 8414 §2)")]
    NoIssuer,
    /// RFC 8414 §3.3: MUST NOT be used.
    #[error(
        "the document is for issuer \"{found}\", but \"{asked}\" was asked (RFC 8414 §3.3: they must be identical)"
    )]
    OtherIssuer {
        /// What the user gave.
        asked: String,
        /// What the document says.
        found: String,
    },
    /// A member has another JSON type than the specification says.
    #[error("member {0} is not of the type that RFC 8414 §2 says")]
    Type(&'static str),
    /// An endpoint that must not be called.
    #[error("{member} cannot be used: {problem}")]
    Endpoint {
        /// The member's name.
        member: &'static str,
        /// What is wrong with it.
        problem: EndpointError,
    },
    /// RFC 7636: only S256 is spoken here.
    #[error("the server's code_challenge_methods_supported does not list S256 (RFC 7636 §4.2)")]
    NoS256,
    /// RFC 6749 §4.1.
    #[error("the server's response_types_supported does not list \"code\" (RFC 6749 §4.1)")]
    NoCodeResponse,
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
        let endpoint = |member: &'static str| match object.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Endpoint::parse_untrusted(text, asked.url(), allowance)
                .map(Some)
                .map_err(|problem| MetadataError::Endpoint { member, problem }),
            Some(_) => Err(MetadataError::Type(member)),
        };
        Ok(ServerMetadata {
            issuer: Some(asked.clone()),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            revocation_endpoint: endpoint("revocation_endpoint")?,
            introspection_endpoint: endpoint("introspection_endpoint")?,
            userinfo_endpoint: endpoint("userinfo_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            code_challenge_methods_supported: list(&object, "code_challenge_methods_supported")?,
            token_endpoint_auth_methods_supported: list(&object, "token_endpoint_auth_methods_supported")?,
            scopes_supported: list(&object, "scopes_supported")?,
            response_types_supported: list(&object, "response_types_supported")?,
            response_modes_supported: list(&object, "response_modes_supported")?,
            grant_types_supported: list(&object, "grant_types_supported")?,
            authorization_response_iss_parameter_supported: switch(
                &object,
                "authorization_response_iss_parameter_supported",
            )?,
        })
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
        if lacks(&self.code_challenge_methods_supported, S256) {
            return Err(MetadataError::NoS256);
        }
        if lacks(&self.response_types_supported, "code") {
            return Err(MetadataError::NoCodeResponse);
        }
        Ok(())
    }

    /// The authentication method for a client with a secret: the first that
    /// both sides know, `client_secret_basic` where the server is silent (RFC 8414 §2).
    pub fn client_authentication_method(&self) -> ClientAuthenticationMethod {
        let listed = self
            .token_endpoint_auth_methods_supported
            .as_deref()
            .unwrap_or_default();
        let known = |wanted: ClientAuthenticationMethod| {
            listed
                .iter()
                .any(|name| ClientAuthenticationMethod::from_str(name) == Ok(wanted))
        };
        if !known(ClientAuthenticationMethod::ClientSecretBasic) && known(ClientAuthenticationMethod::ClientSecretPost)
        {
            ClientAuthenticationMethod::ClientSecretPost
        } else {
            ClientAuthenticationMethod::ClientSecretBasic
        }
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
                "code_challenge_methods_supported",
                &self.code_challenge_methods_supported,
            ),
            (
                "token_endpoint_auth_methods_supported",
                &self.token_endpoint_auth_methods_supported,
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
        Value::Object(object)
    }
}

fn list(object: &Map<String, Value>, member: &'static str) -> Result<Option<Vec<String>>, MetadataError> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or(MetadataError::Type(member)))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(MetadataError::Type(member)),
    }
}

fn switch(object: &Map<String, Value>, member: &'static str) -> Result<bool, MetadataError> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(switch)) => Ok(*switch),
        Some(_) => Err(MetadataError::Type(member)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text, HttpPolicy::LoopbackOnly).unwrap()
    }

    fn parse(document: &Value) -> Result<ServerMetadata, MetadataError> {
        ServerMetadata::parse(
            document.to_string().as_bytes(),
            &issuer("https://as.example"),
            HttpPolicy::LoopbackOnly,
        )
    }

    #[test]
    fn the_issuer_must_be_identical() {
        for found in [
            "https://as.example/",
            "https://AS.example",
            "https://as.example:443",
            "https://other.example",
        ] {
            assert!(
                matches!(
                    parse(&json!({ "issuer": found })),
                    Err(MetadataError::OtherIssuer { .. })
                ),
                "{found}"
            );
        }
        assert_eq!(parse(&json!({})).unwrap_err(), MetadataError::NoIssuer);
    }

    #[test]
    fn endpoints_are_vetted() {
        for bad in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://as.example/",
            "https://169.254.169.254/",
        ] {
            let error = parse(&json!({ "issuer": "https://as.example", "authorization_endpoint": bad })).unwrap_err();
            assert!(
                matches!(
                    error,
                    MetadataError::Endpoint {
                        member: "authorization_endpoint",
                        ..
                    }
                ),
                "{bad}"
            );
        }
        let error = parse(&json!({ "issuer": "https://as.example", "token_endpoint": 7 })).unwrap_err();
        assert_eq!(error, MetadataError::Type("token_endpoint"));
    }

    #[test]
    fn what_is_published_can_be_read() {
        let endpoint =
            |path: &str| Endpoint::parse(&format!("https://as.example{path}"), HttpPolicy::LoopbackOnly).ok();
        let metadata = ServerMetadata {
            issuer: Some(issuer("https://as.example")),
            authorization_endpoint: endpoint("/authorize"),
            token_endpoint: endpoint("/token"),
            jwks_uri: endpoint("/jwks"),
            code_challenge_methods_supported: Some(vec!["S256".into()]),
            response_types_supported: Some(vec!["code".into()]),
            authorization_response_iss_parameter_supported: true,
            ..ServerMetadata::default()
        };
        let read = parse(&metadata.to_json()).unwrap();
        assert_eq!(read.to_json(), metadata.to_json());
        assert_eq!(read.supports_code_flow_with_pkce(), Ok(()));
    }

    #[test]
    fn a_server_without_s256_is_told_apart_from_a_silent_one() {
        let with = |methods: Value| {
            parse(&json!({ "issuer": "https://as.example", "code_challenge_methods_supported": methods }))
                .and_then(|metadata| metadata.supports_code_flow_with_pkce())
        };
        assert_eq!(with(json!(["plain"])), Err(MetadataError::NoS256));
        assert_eq!(with(json!([])), Err(MetadataError::NoS256));
        assert_eq!(with(json!(null)), Ok(()));
        assert_eq!(with(json!(["plain", "S256"])), Ok(()));
    }

    #[test]
    fn the_authentication_method_comes_from_the_metadata() {
        let with = |methods: Value| {
            parse(&json!({ "issuer": "https://as.example", "token_endpoint_auth_methods_supported": methods }))
                .unwrap()
                .client_authentication_method()
        };
        assert_eq!(with(json!(null)), ClientAuthenticationMethod::ClientSecretBasic);
        assert_eq!(
            with(json!(["client_secret_post", "none"])),
            ClientAuthenticationMethod::ClientSecretPost
        );
        assert_eq!(
            with(json!(["client_secret_post", "client_secret_basic"])),
            ClientAuthenticationMethod::ClientSecretBasic
        );
    }
}
