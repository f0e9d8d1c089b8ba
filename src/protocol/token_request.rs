//! The token request (RFC 6749 §4.1.3, §6), with PKCE (RFC 7636 §4.5) and
//! `resource` (RFC 8707 §2.2), as a client sends it and as a server reads it.

use super::citation::{Cited, RequestError};
use super::client::{AuthenticationContext, Client, ClientAuthenticationError, PresentedClient, PresentedClientError};
use super::endpoint::Endpoint;
use super::grant::{Fields, Grant};
use super::http::HttpRequest;
use super::params::Params;
use super::resource::Resource;

/// Parameters of a token request that the flow sets itself.
pub const RESERVED_TOKEN_PARAMETERS: [&str; 20] = [
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "device_code",
    "scope",
    "resource",
    "audience",
    "authorization_details",
    "client_assertion",
    "client_assertion_type",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "assertion",
];

/// What the client sends to the token endpoint.
#[derive(Debug)]
pub struct TokenRequest {
    pub client: Client,
    pub grant: Grant,
    /// Which resource servers the token is for.
    pub resource: Vec<Resource>,
    /// The same for servers that use this name.
    pub audience: Option<String>,
    /// Further parameters, in order.
    pub extra: Vec<(String, String)>,
}

impl TokenRequest {
    /// The request to send to the token endpoint.
    ///
    /// # Errors
    /// [`ClientAuthenticationError`].
    pub fn http_request(
        &self,
        token_endpoint: &Endpoint,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<HttpRequest, ClientAuthenticationError> {
        let mut params = Params::new();
        self.grant.push_credentials(&mut params);
        let mut request = HttpRequest::post(token_endpoint.url().clone(), params);
        self.client.authenticate(&mut request, context)?;
        let mut params = request.take_form();
        self.grant.push_details(&mut params);
        for resource in &self.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &self.audience {
            params.push("audience", audience);
        }
        for (name, value) in &self.extra {
            params.push(name, value);
        }
        request.set_form(params);
        Ok(request)
    }
}

/// A token request as a server received it: read, but nothing of it checked
/// against what the server knows.
#[derive(Debug)]
pub struct ReceivedTokenRequest {
    /// Who claims to ask.
    pub client: PresentedClient,
    pub grant: Grant,
    /// Which resource servers the token is for.
    pub resource: Vec<Resource>,
}

impl ReceivedTokenRequest {
    /// Reads the form body and the `Authorization` header.
    ///
    /// # Errors
    /// The [`RequestError`] to answer with, and whether the client was the
    /// problem, so that the status is 401 (RFC 6749 §5.2).
    pub fn parse(params: &Params, authorization: Option<&str>) -> Result<Self, RequestError> {
        let invalid_request = |cited: Cited| RequestError::new("invalid_request", cited);
        if let Some(repeated) = params.first_repeated() {
            return Err(invalid_request(repeated.cited()));
        }
        let client = PresentedClient::parse(params, authorization).map_err(|error| match error {
            PresentedClientError::TwoMethods | PresentedClientError::Repeated(_) => invalid_request(error.cited()),
            PresentedClientError::MalformedHeader
            | PresentedClientError::Missing
            | PresentedClientError::MalformedAssertion => RequestError::new("invalid_client", error.cited()),
        })?;
        let grant = Grant::parse(&Fields::new(params)?)?;
        let resource = params
            .all("resource")
            .map(Resource::parse)
            .collect::<Result<_, _>>()
            .map_err(|error| RequestError::new("invalid_target", error.cited()))?;
        Ok(ReceivedTokenRequest {
            client,
            grant,
            resource,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client_auth::tests::{FixedRandomness, context};
    use crate::protocol::endpoint::HttpPolicy;
    use crate::protocol::grant::refresh_token::RefreshTokenGrant;

    #[test]
    fn received_requests() {
        let parse = |body: &str| ReceivedTokenRequest::parse(&Params::parse(body), None).map_err(|error| error.error);
        assert!(parse("grant_type=authorization_code&code=c&client_id=x").is_ok());
        assert!(parse("grant_type=client_credentials&client_id=x").is_ok());
        for (body, error) in [
            ("client_id=x", "invalid_request"),
            ("grant_type=authorization_code&client_id=x", "invalid_request"),
            ("grant_type=refresh_token&client_id=x", "invalid_request"),
            ("grant_type=client_credentials", "invalid_client"),
            ("grant_type=client_credentials&client_id=x&scope=%22", "invalid_scope"),
            ("grant_type=password&client_id=x", "unsupported_grant_type"),
            ("grant_type=authorization_code&code=c", "invalid_client"),
            (
                "grant_type=authorization_code&code=c&code=d&client_id=x",
                "invalid_request",
            ),
            (
                "grant_type=refresh_token&refresh_token=r&client_id=x&scope=%22",
                "invalid_scope",
            ),
            (
                "grant_type=refresh_token&refresh_token=r&client_id=x&resource=r",
                "invalid_target",
            ),
        ] {
            assert_eq!(parse(body).err(), Some(error), "{body}");
        }
    }

    /// The form and the `Authorization` header.
    fn sent(request: &TokenRequest) -> (Params, Option<String>) {
        let endpoint = Endpoint::parse("https://as.example/token", HttpPolicy::LoopbackOnly).unwrap();
        let mut request = request
            .http_request(&endpoint, &mut context(&mut FixedRandomness))
            .unwrap();
        let header = request.headers.iter().find(|(name, _)| *name == "authorization");
        let header = header.map(|(_, value)| value.expose().expose().clone());
        (request.take_form(), header)
    }

    #[test]
    fn the_refresh_request_of_rfc_6749_section_6() {
        let request = TokenRequest {
            client: Client::public(super::super::client::ClientId::parse("s6BhdRkqt3").unwrap()).with_authentication(
                super::super::client::ClientAuthentication::ClientSecretBasic("gX1fBat3bV".into()),
            ),
            grant: Grant::RefreshToken(RefreshTokenGrant {
                refresh_token: "tGzv3JOkF0XG5Qx2TlKWIA".into(),
                scope: None,
            }),
            resource: vec![],
            audience: None,
            extra: vec![],
        };
        let (body, header) = sent(&request);
        assert_eq!(
            body.encode().expose(),
            "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
        );
        assert_eq!(header.unwrap(), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    }

    #[test]
    fn the_client_credentials_request_of_rfc_6749_section_4_4_2() {
        use crate::protocol::client::{ClientAuthentication, ClientId};
        use crate::protocol::grant::client_credentials::ClientCredentialsGrant;
        use crate::protocol::scope::Scope;
        let encode = |authentication: ClientAuthentication, scope: Option<&str>| {
            let request = TokenRequest {
                client: Client::public(ClientId::parse("s6BhdRkqt3").unwrap()).with_authentication(authentication),
                grant: Grant::ClientCredentials(ClientCredentialsGrant {
                    scope: scope.map(|scope| Scope::parse(scope).unwrap()),
                }),
                resource: vec![],
                audience: None,
                extra: vec![],
            };
            sent(&request)
        };
        let (body, header) = encode(ClientAuthentication::ClientSecretBasic("gX1fBat3bV".into()), None);
        assert_eq!(body.encode().expose(), "grant_type=client_credentials");
        assert_eq!(header.as_deref(), Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"));
        let (body, header) = encode(ClientAuthentication::ClientSecretPost("s".into()), Some("a b"));
        let text = "grant_type=client_credentials&client_id=s6BhdRkqt3&client_secret=s&scope=a+b";
        assert_eq!((body.encode().expose().as_str(), header), (text, None));

        let received = ReceivedTokenRequest::parse(&Params::parse(text), None).unwrap();
        let Grant::ClientCredentials(grant) = received.grant else {
            panic!("another grant")
        };
        assert_eq!(grant.scope, Some(Scope::parse("a b").unwrap()));
    }
}
