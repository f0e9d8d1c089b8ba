//! Clients in the members of RFC 7591 §2, as `--client-metadata` takes them.

use super::clients::RegisteredClient;
use super::invalid::InvalidSetting;
use super::request_demands::RequestDemands;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::secret::Secret;
use crate::server::client_metadata::{ClientMetadata, InvalidClientMetadata, Members, invalid};

impl RegisteredClient {
    /// Registers a client from its metadata.
    ///
    /// # Errors
    /// [`InvalidSetting::ClientMetadata`] naming the member.
    pub fn from_metadata(json: &[u8]) -> Result<Self, InvalidSetting> {
        let members = Members::parse(json)?;
        let id = members
            .text("client_id")?
            .ok_or_else(|| invalid("client_id is missing"))?;
        let secret = members.text("client_secret")?.map(Secret::from);
        let metadata = ClientMetadata::read(&members, ClientAuthenticationMethod::ClientSecretBasic)?;
        let method = metadata.method;
        if method.takes_secret() && secret.is_none() {
            return Err(invalid(format!("client_secret is missing for {}", method.as_str())).into());
        }
        let defaults = RegisteredClient::new(id, secret.filter(|_| method.takes_secret()), &[])?;
        Ok(RegisteredClient {
<<<<<<< HEAD
            request_object_algorithm: members.request_object_algorithm()?,
            response_algorithm: members.response_algorithm()?,
            request_demands: RequestDemands {
                pushed: members.switch("require_pushed_authorization_requests")?,
                signed: members.switch("require_signed_request_object")?,
            },
            authorization_details_types: members.list("authorization_details_types")?,
            request_keys: keys.clone(),
            keys: keys.filter(|_| method == ClientAuthenticationMethod::PrivateKeyJwt),
=======
            keys: metadata.keys,
>>>>>>> main
            method: Some(method),
            assertion_algorithm: metadata.assertion_algorithm,
            redirect_uris: match metadata.redirect_uris {
                none if none.is_empty() => defaults.redirect_uris,
                given => given,
            },
            ..defaults
        })
    }
}

<<<<<<< HEAD
fn invalid(problem: impl Into<String>) -> InvalidSetting {
    InvalidSetting::ClientMetadata(problem.into())
}

struct Members(Map<String, Value>);

impl Members {
    fn text(&self, name: &str) -> Result<Option<&str>, InvalidSetting> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} is not a string"))),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<String>, InvalidSetting> {
        let wrong = || invalid(format!("{name} is not a list of strings"));
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    fn keys(&self) -> Result<Option<JwkSet>, InvalidSetting> {
        if self.0.contains_key("jwks_uri") {
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

    fn switch(&self, name: &str) -> Result<bool, InvalidSetting> {
        match self.0.get(name) {
            None => Ok(false),
            Some(Value::Bool(switch)) => Ok(*switch),
            Some(_) => Err(invalid(format!("{name} is neither true nor false"))),
        }
    }

    fn request_object_algorithm(&self) -> Result<Option<String>, InvalidSetting> {
        const NAME: &str = "request_object_signing_alg";
        match self.text(NAME)? {
            Some(name) if SigningAlgorithm::from_name(name).is_none() => Err(invalid(format!(
                "{NAME} \"{name}\" is not an algorithm of request objects"
            ))),
            name => Ok(name.map(str::to_owned)),
        }
    }

    fn response_algorithm(&self) -> Result<Option<SigningAlgorithm>, InvalidSetting> {
        const NAME: &str = "authorization_signed_response_alg";
        match self.text(NAME)? {
            None => Ok(None),
            Some("RS256") => Ok(Some(SigningAlgorithm::Rs256)),
            Some("ES256") => Ok(Some(SigningAlgorithm::Es256)),
            Some(name) => Err(invalid(format!("{NAME} \"{name}\" is neither RS256 nor ES256"))),
        }
    }

    fn assertion_algorithm(&self, method: ClientAuthenticationMethod) -> Result<Option<String>, InvalidSetting> {
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
=======
impl From<InvalidClientMetadata> for InvalidSetting {
    fn from(invalid: InvalidClientMetadata) -> Self {
        InvalidSetting::ClientMetadata(invalid.to_string())
>>>>>>> main
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_make_a_client_of_one_method() {
        let client = RegisteredClient::from_metadata(
            br#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_jwt","redirect_uris":["http://127.0.0.1/cb"],"client_name":"x","token_endpoint_auth_signing_alg":"HS512"}"#,
        )
        .unwrap();
        assert!(client.may_use(ClientAuthenticationMethod::ClientSecretJwt));
        assert!(!client.may_use(ClientAuthenticationMethod::ClientSecretBasic));
        assert_eq!(client.redirect_uris[0].as_str(), "http://127.0.0.1/cb");
        let public = RegisteredClient::from_metadata(br#"{"client_id":"c","token_endpoint_auth_method":"none"}"#);
        assert!(!public.unwrap().is_confidential());
    }

    #[test]
    fn what_cannot_be_a_client_is_named() {
        let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"AA"}"#;
        for (text, word) in [
            ("[]".to_owned(), "object"),
            ("{}".into(), "client_id"),
            (r#"{"client_id":7}"#.into(), "client_id"),
            (r#"{"client_id":"c"}"#.into(), "client_secret"),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"magic"}"#.into(),
                "magic",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}"#.into(),
                "jwks is missing",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"none","jwks_uri":"https://a.example"}"#.into(),
                "jwks_uri",
            ),
            (
                format!(
                    r#"{{"client_id":"c","token_endpoint_auth_method":"private_key_jwt","jwks":{{"keys":[{key}]}}}}"#
                ),
                "private",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"none","redirect_uris":"x"}"#.into(),
                "redirect_uris",
            ),
        ] {
            let error = RegisteredClient::from_metadata(text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
