//! The token request (RFC 6749 §4.1.3, §6), with PKCE (RFC 7636 §4.5) and
//! `resource` (RFC 8707 §2.2), as a client sends it and as a server reads it.

use super::client::{Client, PresentedClient, PresentedClientError};
use super::endpoint::Endpoint;
use super::error::ErrorResponse;
use super::http::{HeaderValue, HttpRequest};
use super::params::Params;
use super::pkce::CodeVerifier;
use super::redirect_uri::RedirectUri;
use super::resource::Resource;
use super::scope::Scope;
use crate::secret::Secret;

/// Parameters of a token request that the flow sets itself.
pub const RESERVED_TOKEN_PARAMETERS: [&str; 12] = [
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "scope",
    "resource",
    "audience",
    "client_assertion",
    "client_assertion_type",
];

/// What entitles the client to a token.
#[derive(Debug)]
pub enum Grant {
    /// RFC 6749 §4.1.3 with RFC 7636 §4.5.
    AuthorizationCode {
        /// From the authorization response.
        code: Secret,
        /// Identical to that of the authorization request.
        redirect_uri: RedirectUri,
        /// Proves that this client asked.
        code_verifier: CodeVerifier,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// From an earlier token response.
        refresh_token: Secret,
        /// Less than was granted, where wanted.
        scope: Option<Scope>,
    },
}

/// What the client sends to the token endpoint.
#[derive(Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub client: Client,
    /// By what right.
    pub grant: Grant,
    /// Which resource servers the token is for.
    pub resource: Vec<Resource>,
    /// The same for servers that use this name.
    pub audience: Option<String>,
    /// Further parameters, in order.
    pub extra: Vec<(String, String)>,
}

impl TokenRequest {
    /// The form body and, for HTTP Basic, the `Authorization` header.
    pub fn encode(&self) -> (Params, Option<HeaderValue>) {
        let mut params = Params::new();
        let mut header = None;
        match &self.grant {
            Grant::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                params.push("grant_type", "authorization_code");
                params.push("code", code.expose());
                params.push("redirect_uri", redirect_uri.as_str());
                header = self.client.authenticate(&mut params).or(header);
                params.push("code_verifier", code_verifier.expose());
            }
            Grant::RefreshToken { refresh_token, scope } => {
                params.push("grant_type", "refresh_token");
                params.push("refresh_token", refresh_token.expose());
                header = self.client.authenticate(&mut params).or(header);
                if let Some(scope) = scope {
                    params.push("scope", &scope.to_string());
                }
            }
        }
        for resource in &self.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &self.audience {
            params.push("audience", audience);
        }
        for (name, value) in &self.extra {
            params.push(name, value);
        }
        (params, header)
    }

    /// The request to send to the token endpoint.
    pub fn http_request(&self, token_endpoint: &Endpoint) -> HttpRequest {
        let (params, header) = self.encode();
        let mut request = HttpRequest::post(token_endpoint.url().clone(), params);
        request.headers.extend(header.map(|header| ("authorization", header)));
        request
    }
}

/// A token request as a server received it: read, but nothing of it checked
/// against what the server knows.
#[derive(Debug)]
pub struct ReceivedTokenRequest {
    /// Who claims to ask.
    pub client: PresentedClient,
    /// By what right.
    pub grant: ReceivedGrant,
    /// Which resource servers the token is for.
    pub resource: Vec<Resource>,
}

/// The grants that the development server knows.
#[derive(Debug)]
pub enum ReceivedGrant {
    /// RFC 6749 §4.1.3.
    AuthorizationCode {
        /// The code.
        code: Secret,
        /// Required when the authorization request had one.
        redirect_uri: Option<String>,
        /// `None` also where it is malformed: either way the proof fails.
        code_verifier: Option<CodeVerifier>,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// The refresh token.
        refresh_token: Secret,
        /// Must be a subset of what was granted.
        scope: Option<Scope>,
    },
}

impl ReceivedTokenRequest {
    /// Reads the form body and the `Authorization` header.
    ///
    /// # Errors
    /// The [`ErrorResponse`] to answer with, and whether the client was the
    /// problem, so that the status is 401 (RFC 6749 §5.2).
    pub fn parse(params: &Params, authorization: Option<&str>) -> Result<Self, ErrorResponse> {
        let invalid_request = |description: &str| ErrorResponse::new("invalid_request", description);
        if let Some(repeated) = params.first_repeated() {
            return Err(invalid_request(&repeated.to_string()));
        }
        let single = |name: &str| params.single(name).ok().flatten();
        let required = |name: &str| {
            single(name).ok_or_else(|| invalid_request(&format!("{name} is missing (RFC 6749 §4.1.3, §6)")))
        };
        let client = PresentedClient::parse(params, authorization).map_err(|error| match error {
            PresentedClientError::TwoMethods | PresentedClientError::Repeated(_) => invalid_request(&error.to_string()),
            PresentedClientError::MalformedHeader | PresentedClientError::Missing => {
                ErrorResponse::new("invalid_client", &error.to_string())
            }
        })?;
        let scope = single("scope")
            .map(Scope::parse)
            .transpose()
            .map_err(|error| ErrorResponse::new("invalid_scope", &error.to_string()))?;
        let grant = match required("grant_type")? {
            "authorization_code" => ReceivedGrant::AuthorizationCode {
                code: Secret::from(required("code")?),
                redirect_uri: single("redirect_uri").map(str::to_owned),
                code_verifier: single("code_verifier").and_then(|text| CodeVerifier::parse(text).ok()),
            },
            "refresh_token" => ReceivedGrant::RefreshToken {
                refresh_token: Secret::from(required("refresh_token")?),
                scope,
            },
            _ => {
                let description = "only authorization_code and refresh_token are supported (RFC 9700 §2.4)";
                return Err(ErrorResponse::new("unsupported_grant_type", description));
            }
        };
        let resource = params
            .all("resource")
            .map(Resource::parse)
            .collect::<Result<_, _>>()
            .map_err(|error| ErrorResponse::new("invalid_target", &error.to_string()))?;
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

    #[test]
    fn received_requests() {
        let parse = |body: &str| ReceivedTokenRequest::parse(&Params::parse(body), None).map_err(|error| error.error);
        assert!(parse("grant_type=authorization_code&code=c&client_id=x").is_ok());
        for (body, error) in [
            ("client_id=x", "invalid_request"),
            ("grant_type=authorization_code&client_id=x", "invalid_request"),
            ("grant_type=refresh_token&client_id=x", "invalid_request"),
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
            assert_eq!(parse(body).err().as_deref(), Some(error), "{body}");
        }
    }

    #[test]
    fn the_refresh_request_of_rfc_6749_section_6() {
        let request = TokenRequest {
            client: Client {
                id: super::super::client::ClientId::parse("s6BhdRkqt3").unwrap(),
                authentication: super::super::client::ClientAuthentication::ClientSecretBasic("gX1fBat3bV".into()),
            },
            grant: Grant::RefreshToken {
                refresh_token: "tGzv3JOkF0XG5Qx2TlKWIA".into(),
                scope: None,
            },
            resource: vec![],
            audience: None,
            extra: vec![],
        };
        let (body, header) = request.encode();
        assert_eq!(
            body.encode().expose(),
            "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
        );
        assert_eq!(header.unwrap().expose().expose(), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    }
}
