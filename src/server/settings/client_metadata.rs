//! Clients in the members of RFC 7591 §2, as `--client-metadata` takes them.

use super::clients::RegisteredClient;
use super::invalid::InvalidSetting;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::secret::Secret;
use crate::server::client_metadata::{ClientMetadata, InvalidClientMetadata, Members, invalid};
use crate::server::client_name::{ClientName, NameGiver};
use crate::server::request_metadata::RequestMetadata;

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
            name: ClientName::read(members.text("client_name")?, NameGiver::Operator),
            requests: RequestMetadata::read(&members)?,
            keys: metadata.keys,
            certificate: metadata.certificate,
            binds_tokens_to_certificate: metadata.binds_tokens_to_certificate,
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

impl From<InvalidClientMetadata> for InvalidSetting {
    fn from(invalid: InvalidClientMetadata) -> Self {
        InvalidSetting::ClientMetadata(invalid.to_string())
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
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"tls_client_auth"}"#.into(),
                "tls_client_auth_subject_dn is missing",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"me"}"#.into(),
                "not a distinguished name",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_ip":"::g"}"#.into(),
                "tls_client_auth_san_ip: it is not an IP address",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a","tls_client_auth_san_uri":"b"}"#.into(),
                "one tls_client_auth_ name only",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"self_signed_tls_client_auth","jwks":{"keys":[{"kty":"EC"}]}}"#.into(),
                "x5c",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"self_signed_tls_client_auth","jwks":{"keys":[{"x5c":["!"]}]}}"#.into(),
                "base64",
            ),
            (
                r#"{"client_id":"c","token_endpoint_auth_method":"none","tls_client_certificate_bound_access_tokens":"yes"}"#.into(),
                "neither true nor false",
            ),
        ] {
            let error = RegisteredClient::from_metadata(text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
