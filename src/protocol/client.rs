//! The client's identity and how it authenticates at the token endpoint
//! (RFC 6749 §2.2, §2.3).

use super::abnf::{base64, from_base64, is_vschar_text};
use super::http::HeaderValue;
use super::params::{Params, Value};
use crate::secret::Secret;
use std::fmt;
use std::str::FromStr;
use subtle::ConstantTimeEq;

/// `client_id`: `1*VSCHAR` here, since an empty one identifies nobody (RFC 6749 Appendix A.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

/// Text that cannot be a `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a client_id is printable ASCII and not empty (RFC 6749 Appendix A.1)")]
pub struct InvalidClientId;

impl ClientId {
    /// Takes printable ASCII.
    ///
    /// # Errors
    /// [`InvalidClientId`].
    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        if is_vschar_text(text) {
            Ok(ClientId(text.to_owned()))
        } else {
            Err(InvalidClientId)
        }
    }

    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The names of client authentication methods (RFC 7591 §2) that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthenticationMethod {
    /// A public client: `client_id` in the body, no secret.
    None,
    /// HTTP Basic with form-encoded id and secret (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// Id and secret in the body (RFC 6749 §2.3.1).
    ClientSecretPost,
}

impl ClientAuthenticationMethod {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientAuthenticationMethod::None => "none",
            ClientAuthenticationMethod::ClientSecretBasic => "client_secret_basic",
            ClientAuthenticationMethod::ClientSecretPost => "client_secret_post",
        }
    }

    /// All names, for messages and for metadata.
    pub const ALL: [ClientAuthenticationMethod; 3] = [
        ClientAuthenticationMethod::None,
        ClientAuthenticationMethod::ClientSecretBasic,
        ClientAuthenticationMethod::ClientSecretPost,
    ];
}

/// A client authentication method that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no client authentication method; there are none, client_secret_basic and client_secret_post")]
pub struct UnknownClientAuthenticationMethod(pub String);

impl FromStr for ClientAuthenticationMethod {
    type Err = UnknownClientAuthenticationMethod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ClientAuthenticationMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| UnknownClientAuthenticationMethod(text.to_owned()))
    }
}

/// How the client proves who it is; one method a request (RFC 6749 §2.3).
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// It cannot: a public client.
    None,
    /// By HTTP Basic.
    ClientSecretBasic(Secret),
    /// By parameters in the body.
    ClientSecretPost(Secret),
}

impl ClientAuthentication {
    /// The method's name.
    pub fn method(&self) -> ClientAuthenticationMethod {
        match self {
            ClientAuthentication::None => ClientAuthenticationMethod::None,
            ClientAuthentication::ClientSecretBasic(_) => ClientAuthenticationMethod::ClientSecretBasic,
            ClientAuthentication::ClientSecretPost(_) => ClientAuthenticationMethod::ClientSecretPost,
        }
    }

    /// The secret, for the record that refreshes later.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            ClientAuthentication::None => None,
            ClientAuthentication::ClientSecretBasic(secret) | ClientAuthentication::ClientSecretPost(secret) => {
                Some(secret)
            }
        }
    }
}

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name at the server.
    pub id: ClientId,
    /// How it authenticates.
    pub authentication: ClientAuthentication,
}

impl Client {
    /// Adds the client's identity and proof to a request: to the body, or as
    /// the `Authorization` header that is returned.
    pub fn authenticate(&self, params: &mut Params) -> Option<HeaderValue> {
        match &self.authentication {
            ClientAuthentication::None => params.push("client_id", self.id.as_str()),
            ClientAuthentication::ClientSecretPost(secret) => {
                params.push("client_id", self.id.as_str());
                params.push("client_secret", secret.expose());
            }
            ClientAuthentication::ClientSecretBasic(secret) => {
                let credentials = Secret::new(format!(
                    "{}:{}",
                    form_encode(self.id.as_str()),
                    form_encode(secret.expose())
                ));
                return Some(HeaderValue::Credentials {
                    scheme: "Basic",
                    credentials: Secret::new(base64(credentials.expose().as_bytes())),
                });
            }
        }
        None
    }
}

/// What a request says about the client that sends it, before anybody has checked it.
#[derive(Debug, Clone)]
pub struct PresentedClient {
    /// The claimed `client_id`.
    pub id: String,
    /// The secret, if one was presented.
    pub secret: Option<Secret>,
    /// Whether it came in the `Authorization` header, so that a refusal must be 401 (RFC 6749 §5.2).
    pub by_header: bool,
}

/// Why the client of a request cannot even be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresentedClientError {
    /// RFC 6749 §2.3.
    #[error("more than one client authentication method in one request (RFC 6749 §2.3)")]
    TwoMethods,
    /// The header is not Basic, or not decodable.
    #[error("the Authorization header is not HTTP Basic with form-encoded client_id and secret (RFC 6749 §2.3.1)")]
    MalformedHeader,
    /// Neither header nor `client_id`.
    #[error("client_id is missing (RFC 6749 §3.2.1)")]
    Missing,
    /// A parameter stands twice.
    #[error(transparent)]
    Repeated(#[from] super::params::Repeated),
}

impl PresentedClient {
    /// Reads the client from the `Authorization` header or the body (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// [`PresentedClientError`].
    pub fn parse(params: &Params, authorization: Option<&str>) -> Result<Self, PresentedClientError> {
        let body_id = params.single("client_id")?;
        let body_secret = params.single("client_secret")?;
        let Some(header) = authorization else {
            return Ok(PresentedClient {
                id: body_id.ok_or(PresentedClientError::Missing)?.to_owned(),
                secret: body_secret.map(Secret::from),
                by_header: false,
            });
        };
        if body_secret.is_some() {
            return Err(PresentedClientError::TwoMethods);
        }
        let (id, secret) = basic_credentials(header).ok_or(PresentedClientError::MalformedHeader)?;
        if body_id.is_some_and(|body_id| body_id != id) {
            return Err(PresentedClientError::TwoMethods);
        }
        Ok(PresentedClient {
            id,
            secret: Some(secret),
            by_header: true,
        })
    }

    /// Whether the presented secret is the registered one, in constant time.
    pub fn secret_matches(&self, registered: &Secret) -> bool {
        self.secret.as_ref().is_some_and(|presented| {
            presented
                .expose()
                .as_bytes()
                .ct_eq(registered.expose().as_bytes())
                .into()
        })
    }
}

fn basic_credentials(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Secret::new(String::from_utf8(from_base64(encoded.trim())?).ok()?);
    let (id, secret) = decoded.expose().split_once(':')?;
    Some((form_decode(id), Secret::new(form_decode(secret))))
}

fn form_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn form_decode(text: &str) -> String {
    // Joined to a name, so that the one public decoder of form bodies can be used.
    let pair = Params::parse(&format!("v={}", text.replace('&', "%26")));
    pair.iter()
        .next()
        .map(|(_, value)| Value::expose(value).to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(id: &str, secret: &str) -> String {
        let client = Client {
            id: ClientId::parse(id).unwrap(),
            authentication: ClientAuthentication::ClientSecretBasic(Secret::from(secret)),
        };
        let mut params = Params::new();
        let header = client.authenticate(&mut params).unwrap();
        assert!(params.is_empty(), "nothing of the client in the body beside Basic");
        header.expose().expose().clone()
    }

    #[test]
    fn basic_credentials_of_rfc_6749_section_2_3_1() {
        assert_eq!(basic("s6BhdRkqt3", "gX1fBat3bV"), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    }

    #[test]
    fn basic_credentials_are_form_encoded_first() {
        let header = basic("a:b c", "p%+ü");
        assert_eq!(header, format!("Basic {}", base64(b"a%3Ab+c:p%25%2B%C3%BC")));
        let presented = PresentedClient::parse(&Params::new(), Some(&header)).unwrap();
        assert_eq!(presented.id, "a:b c");
        assert!(presented.secret_matches(&Secret::from("p%+ü")));
        assert!(!presented.secret_matches(&Secret::from("p%+u")));
    }

    #[test]
    fn one_authentication_method_a_request() {
        let header = basic("id", "secret");
        let both = Params::parse("client_id=id&client_secret=secret");
        assert_eq!(
            PresentedClient::parse(&both, Some(&header)).err(),
            Some(PresentedClientError::TwoMethods)
        );
        assert_eq!(
            PresentedClient::parse(&Params::new(), None).err(),
            Some(PresentedClientError::Missing)
        );
        let presented = PresentedClient::parse(&both, None).unwrap();
        assert!(!presented.by_header && presented.secret_matches(&Secret::from("secret")));
        for bad in ["Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg=="] {
            assert_eq!(
                PresentedClient::parse(&Params::new(), Some(bad)).err(),
                Some(PresentedClientError::MalformedHeader),
                "{bad}"
            );
        }
    }
}
