//! What a client says about itself in the members of RFC 7591 §2: in a file of
//! `--client-metadata`, in a registration request, in a client-ID metadata
//! document. Members that make no difference here are ignored, as §2 says.

use super::expected_certificate::ExpectedCertificate;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::json::parse_object;
use crate::protocol::jwks::JwkSet;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::signing::SigningAlgorithm;
use serde_json::{Map, Value};

/// More redirect URIs than any client has.
const MAX_REDIRECT_URIS: usize = 50;

/// The metadata of a client, as far as they make a difference here.
#[derive(Debug, Clone)]
pub(crate) struct ClientMetadata {
    /// May be empty.
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) method: ClientAuthenticationMethod,
    /// The keys of `jwks`; for `private_key_jwt` alone, and then there are some.
    pub(crate) keys: Option<JwkSet>,
    /// The certificate that the client shows in TLS (RFC 8705 §2).
    pub(crate) certificate: Option<ExpectedCertificate>,
    /// Whether its tokens are bound to that (RFC 8705 §3.4).
    pub(crate) binds_tokens_to_certificate: bool,
    /// The one `alg` that its assertions may have.
    pub(crate) assertion_algorithm: Option<String>,
}

/// Metadata that make no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidClientMetadata {
    /// About `redirect_uris`.
    #[error("{0}")]
    RedirectUri(String),
    /// About anything else.
    #[error("{0}")]
    Member(String),
}

impl InvalidClientMetadata {
    /// The error code (RFC 7591 §3.2.2).
    pub(crate) fn error(&self) -> &'static str {
        match self {
            InvalidClientMetadata::RedirectUri(_) => "invalid_redirect_uri",
            InvalidClientMetadata::Member(_) => "invalid_client_metadata",
        }
    }
}

/// Metadata that cannot be used, and why.
pub(super) fn invalid(problem: impl Into<String>) -> InvalidClientMetadata {
    InvalidClientMetadata::Member(problem.into())
}

impl ClientMetadata {
    /// Reads them. Where they name no authentication method, it is the default one.
    ///
    /// # Errors
    /// [`InvalidClientMetadata`], which names the member.
    pub(crate) fn read(
        members: &Members,
        default_method: ClientAuthenticationMethod,
    ) -> Result<Self, InvalidClientMetadata> {
        let method = match members.text("token_endpoint_auth_method")? {
            None => default_method,
            Some(name) => name
                .parse()
                .map_err(|error| invalid(format!("token_endpoint_auth_method: {error}")))?,
        };
        let certificate = match method {
            ClientAuthenticationMethod::TlsClientAuth => Some(ExpectedCertificate::named(&members.0)),
            ClientAuthenticationMethod::SelfSignedTlsClientAuth => Some(ExpectedCertificate::one_of(&members.0)),
            _ => None,
        };
        let certificate = certificate.transpose().map_err(invalid)?;
        // The keys of a client with certificates may be of any kind.
        let keys = match certificate {
            Some(_) => None,
            None => members.keys()?,
        };
        if method == ClientAuthenticationMethod::PrivateKeyJwt && keys.is_none() {
            return Err(invalid("jwks is missing for private_key_jwt"));
        }
        Ok(ClientMetadata {
            redirect_uris: members.redirect_uris()?,
            keys: keys.filter(|_| method == ClientAuthenticationMethod::PrivateKeyJwt),
            certificate,
            binds_tokens_to_certificate: members.switch("tls_client_certificate_bound_access_tokens")?,
            assertion_algorithm: members.assertion_algorithm(method)?,
            method,
        })
    }
}

/// The members of a JSON object, by their types.
#[derive(Debug)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// [`InvalidClientMetadata::Member`]: the text is none.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, InvalidClientMetadata> {
        Ok(Members(parse_object(json).map_err(|error| invalid(error.to_string()))?))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, InvalidClientMetadata> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} is not a string"))),
        }
    }

    fn switch(&self, name: &str) -> Result<bool, InvalidClientMetadata> {
        match self.0.get(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(invalid(format!("{name} is neither true nor false"))),
        }
    }

    /// A list of strings; `None` where there is no such member.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, InvalidClientMetadata> {
        let wrong = || invalid(format!("{name} is not a list of strings"));
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                Ok(Some(texts.collect::<Option<_>>().ok_or_else(wrong)?))
            }
            Some(_) => Err(wrong()),
        }
    }

    fn redirect_uris(&self) -> Result<Vec<RedirectUri>, InvalidClientMetadata> {
        let texts = self.list("redirect_uris")?.unwrap_or_default();
        if texts.len() > MAX_REDIRECT_URIS {
            let problem = format!("redirect_uris has more than {MAX_REDIRECT_URIS} entries");
            return Err(InvalidClientMetadata::RedirectUri(problem));
        }
        let parsed = texts.iter().map(|text| {
            RedirectUri::parse(text).map_err(|error| InvalidClientMetadata::RedirectUri(format!("{text}: {error}")))
        });
        parsed.collect()
    }

    fn keys(&self) -> Result<Option<JwkSet>, InvalidClientMetadata> {
        if self.has("jwks_uri") {
            return Err(invalid("jwks_uri is not fetched: give the keys themselves as jwks"));
        }
        let Some(set) = self.0.get("jwks") else {
            return Ok(None);
        };
        let set = JwkSet::parse(set.to_string().as_bytes()).map_err(|error| invalid(format!("jwks: {error}")))?;
        match (set.keys(), set.unusable()) {
            ([], [key, ..]) => Err(invalid(format!("jwks has no usable key: {}", key.problem))),
            ([], []) => Err(invalid("jwks has no key")),
            _ => Ok(Some(set)),
        }
    }

    fn assertion_algorithm(&self, method: ClientAuthenticationMethod) -> Result<Option<String>, InvalidClientMetadata> {
        const NAME: &str = "token_endpoint_auth_signing_alg";
        let Some(name) = self.text(NAME)? else {
            return Ok(None);
        };
        let is_known = match method {
            ClientAuthenticationMethod::ClientSecretJwt => ["HS256", "HS384", "HS512"].contains(&name),
            _ => SigningAlgorithm::from_name(name).is_some(),
        };
        match is_known {
            true => Ok(Some(name.to_owned())),
            false => Err(invalid(format!(
                "{NAME} \"{name}\" is not an algorithm of {}",
                method.as_str()
            ))),
        }
    }
}
