//! How a client authenticates at the token endpoint and those like it
//! (RFC 6749 §2.3): one file and one variant a method.

mod client_secret_basic;
mod client_secret_post;
mod none;
pub mod presented;

use super::client_id::ClientId;
use super::http::HeaderValue;
use super::params::Params;
use super::random::{Randomness, RandomnessFailed};
use super::time::UnixSeconds;
use crate::foreign_text::Quoted;
use crate::secret::Secret;
use std::str::FromStr;
use url::Url;

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
    /// All methods, for messages and for metadata.
    pub const ALL: [ClientAuthenticationMethod; 3] = [
        ClientAuthenticationMethod::None,
        ClientAuthenticationMethod::ClientSecretBasic,
        ClientAuthenticationMethod::ClientSecretPost,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientAuthenticationMethod::None => none::NAME,
            ClientAuthenticationMethod::ClientSecretBasic => client_secret_basic::NAME,
            ClientAuthenticationMethod::ClientSecretPost => client_secret_post::NAME,
        }
    }
}

/// A client authentication method that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown client authentication method {} (expected: {})", Quoted::name(.0), ClientAuthenticationMethod::ALL.map(ClientAuthenticationMethod::as_str).join(", "))]
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
    /// It does not: a public client.
    None,
    ClientSecretBasic(Secret),
    /// By parameters in the body.
    ClientSecretPost(Secret),
}

/// The method takes a credential that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("client authentication with {} needs a client secret", .0.as_str())]
pub struct MissingCredential(pub ClientAuthenticationMethod);

/// What a proof is made for: methods that sign a claim put it in there.
pub struct AuthenticationContext<'a> {
    /// The endpoint that the request goes to.
    pub audience: &'a Url,
    pub now: UnixSeconds,
    /// For an identifier that no other claim has.
    pub randomness: &'a mut dyn Randomness,
}

impl ClientAuthentication {
    /// The method with its credential, as settings and records keep them.
    ///
    /// # Errors
    /// [`MissingCredential`].
    pub fn new(method: ClientAuthenticationMethod, secret: Option<&Secret>) -> Result<Self, MissingCredential> {
        let secret = || secret.cloned().ok_or(MissingCredential(method));
        Ok(match method {
            ClientAuthenticationMethod::None => ClientAuthentication::None,
            ClientAuthenticationMethod::ClientSecretBasic => ClientAuthentication::ClientSecretBasic(secret()?),
            ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost(secret()?),
        })
    }

    /// The method's name.
    pub fn method(&self) -> ClientAuthenticationMethod {
        match self {
            ClientAuthentication::None => ClientAuthenticationMethod::None,
            ClientAuthentication::ClientSecretBasic(_) => ClientAuthenticationMethod::ClientSecretBasic,
            ClientAuthentication::ClientSecretPost(_) => ClientAuthenticationMethod::ClientSecretPost,
        }
    }

    /// The client secret, where the method has one.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            ClientAuthentication::None => None,
            ClientAuthentication::ClientSecretBasic(secret) | ClientAuthentication::ClientSecretPost(secret) => {
                Some(secret)
            }
        }
    }

    /// Adds the client's identity and proof to a request: to the body, or as
    /// the `Authorization` header that is returned.
    ///
    /// # Errors
    /// [`RandomnessFailed`] by methods that draw an identifier or sign.
    pub fn apply(
        &self,
        id: &ClientId,
        params: &mut Params,
        _context: &mut AuthenticationContext<'_>,
    ) -> Result<Option<HeaderValue>, RandomnessFailed> {
        Ok(match self {
            ClientAuthentication::None => none::apply(id, params),
            ClientAuthentication::ClientSecretBasic(secret) => Some(client_secret_basic::header(id, secret)),
            ClientAuthentication::ClientSecretPost(secret) => client_secret_post::apply(id, secret, params),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::presented::{PresentedClient, PresentedClientError};
    use super::*;
    use crate::protocol::abnf::base64;

    pub(in crate::protocol) struct FixedRandomness;

    impl Randomness for FixedRandomness {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
            buffer.fill(7);
            Ok(())
        }
    }

    pub(in crate::protocol) fn context<'a>(
        audience: &'a Url,
        randomness: &'a mut dyn Randomness,
    ) -> AuthenticationContext<'a> {
        AuthenticationContext {
            audience,
            now: UnixSeconds(1_700_000_000),
            randomness,
        }
    }

    fn basic(id: &str, secret: &str) -> String {
        let authentication = ClientAuthentication::ClientSecretBasic(Secret::from(secret));
        let (mut params, url) = (Params::new(), "https://as.example/token".parse().unwrap());
        let header = authentication
            .apply(
                &ClientId::parse(id).unwrap(),
                &mut params,
                &mut context(&url, &mut FixedRandomness),
            )
            .unwrap()
            .unwrap();
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
        assert_eq!(presented.secret.unwrap().expose(), "p%+ü");
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
        assert!(!presented.by_header);
        assert_eq!(presented.secret.unwrap().expose(), "secret");
        for bad in ["Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg=="] {
            assert_eq!(
                PresentedClient::parse(&Params::new(), Some(bad)).err(),
                Some(PresentedClientError::MalformedHeader),
                "{bad}"
            );
        }
    }
}
