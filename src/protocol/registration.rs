//! Dynamic client registration: the request and its answer (RFC 7591 §3), and
//! the end of a registration (RFC 7592 §2.3).

use super::abnf::{base64, is_vschar_text};
use super::certificate::CertificateChain;
use super::certificate_names::CertificateNames;
use super::client::{ClientAuthenticationMethod, ClientId, InvalidClientId};
use super::endpoint::{Endpoint, EndpointError, HttpPolicy, is_loopback};
use super::error::ErrorResponse;
use super::grant::refresh_token::GRANT_TYPE as GRANT_REFRESH_TOKEN;
use super::http::{HeaderValue, HttpRequest, HttpResponse, Method, is_unavailable_for_post};
use super::json::{JsonError, parse_object};
use super::members::GRANT_AUTHORIZATION_CODE;
use super::redirect_uri::RedirectUri;
use super::time::UnixSeconds;
use crate::foreign_text::Quoted;
use crate::secret::Secret;
use serde_json::{Map, Value, json};

/// The name that people see on consent pages.
pub const CLIENT_NAME: &str = "oauth";

/// Longer secrets and tokens are refused.
const MAX_SECRET_BYTES: usize = 64 * 1024;

/// What a native client registers as (RFC 7591 §2, RFC 8252 §8.4).
#[derive(Debug, Clone)]
pub struct RegistrationRequest {
    /// Exactly what the authorization request will have.
    pub redirect_uri: RedirectUri,
    pub method: ClientAuthenticationMethod,
    /// The public key as a JWK, for `private_key_jwt`.
    pub key: Option<Value>,
    /// The certificate of that key, for the methods that show it.
    pub certificate: Option<CertificateChain>,
}

impl RegistrationRequest {
    /// The document that is sent. A certificate is registered by its name (RFC
    /// 8705 §2.1.2), one that vouches for itself as it is (§2.2.2).
    pub fn to_json(&self) -> Value {
        let mut document = native_client_metadata(CLIENT_NAME, &[self.redirect_uri.as_str()], self.method);
        match (self.method, &self.certificate) {
            (ClientAuthenticationMethod::TlsClientAuth, Some(chain)) => {
                let own = chain.certificates().first();
                let name = own.and_then(|der| CertificateNames::read(der)?.registration());
                if let Some((member, name)) = name {
                    document[member] = name.into();
                }
            }
            (ClientAuthenticationMethod::SelfSignedTlsClientAuth, Some(chain)) => {
                let chain: Vec<String> = chain.certificates().iter().map(|der| base64(der)).collect();
                let mut key = self.key.clone().unwrap_or_else(|| json!({}));
                key["x5c"] = json!(chain);
                document["jwks"] = json!({ "keys": [key] });
            }
            _ => {
                if let Some(key) = &self.key {
                    document["jwks"] = json!({ "keys": [key] });
                }
            }
        }
        document
    }

    /// The request to the registration endpoint.
    pub fn to_http(&self, endpoint: &Endpoint) -> HttpRequest {
        HttpRequest::post_json(endpoint.url().clone(), self.to_json().to_string())
    }
}

/// What a native client says about itself, to be registered or in a document of
/// its own (RFC 7591 §2, RFC 8252 §8.4).
pub fn native_client_metadata(name: &str, redirect_uris: &[&str], method: ClientAuthenticationMethod) -> Value {
    json!({
        "client_name": name,
        "application_type": "native",
        "redirect_uris": redirect_uris,
        "grant_types": [GRANT_AUTHORIZATION_CODE, GRANT_REFRESH_TOKEN],
        "response_types": ["code"],
        "token_endpoint_auth_method": method.as_str(),
    })
}

/// A client that a server has registered.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    pub id: ClientId,
    pub method: ClientAuthenticationMethod,
    pub secret: Option<Secret>,
    /// `None` where the secret does not expire.
    pub secret_expires_at: Option<UnixSeconds>,
    /// How the registration is ended, where the server lets a client do that.
    pub management: Option<RegistrationManagement>,
    /// What is odd about the answer though it can be used.
    pub problems: Vec<String>,
}

/// The client configuration endpoint and its token (RFC 7592 §3).
#[derive(Debug, Clone)]
pub struct RegistrationManagement {
    pub uri: Endpoint,
    pub access_token: Secret,
}

impl RegistrationManagement {
    /// The request that deletes the client (RFC 7592 §2.3).
    pub fn delete_request(&self) -> HttpRequest {
        let mut request = HttpRequest::get(self.uri.url().clone());
        request.method = Method::Delete;
        let credentials = HeaderValue::Credentials {
            scheme: "Bearer",
            credentials: self.access_token.clone(),
        };
        request.push_header("authorization", credentials);
        request
    }
}

/// Why a server did not register the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// 429 and 5xx.
    #[error("{endpoint} answered with status {status}")]
    Unavailable { endpoint: String, status: u16 },
    /// An error of RFC 7591 §3.2.2, or of RFC 6750 where it wants a token.
    #[error("{endpoint} refused to register this client: {error}")]
    Refused {
        endpoint: String,
        status: u16,
        error: ErrorResponse,
    },
    /// A status without a reason.
    #[error("{endpoint} refused to register this client with status {status}")]
    Status { endpoint: String, status: u16 },
    /// A success that cannot be used.
    #[error("{endpoint} registered a client, but {problem}")]
    Invalid {
        endpoint: String,
        problem: InvalidRegistration,
    },
}

/// What is wrong with the answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistration {
    #[error("its answer is not a JSON object: {0}")]
    Json(#[from] JsonError),
    /// RFC 7591 §3.2.1 requires it.
    #[error("its answer has no client_id (RFC 7591 §3.2.1)")]
    NoClientId,
    #[error(transparent)]
    ClientId(#[from] InvalidClientId),
    #[error("{0} in its answer is not printable ASCII of at most {MAX_SECRET_BYTES} bytes")]
    Secret(&'static str),
    #[error("its answer has the unknown token_endpoint_auth_method {}", Quoted::name(.0))]
    UnknownMethod(String),
    #[error("its answer has no client_secret, which {} needs", .0.as_str())]
    NoSecret(ClientAuthenticationMethod),
}

impl RegisteredClient {
    /// Reads the answer of a registration endpoint to a request.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn read(
        endpoint: &Endpoint,
        request: &RegistrationRequest,
        response: &HttpResponse,
    ) -> Result<Self, RegistrationError> {
        let status = response.status;
        let name = endpoint.to_string();
        if is_unavailable_for_post(status) {
            return Err(RegistrationError::Unavailable { endpoint: name, status });
        }
        if !(200..300).contains(&status) {
            let error = response.error_in_body().or_else(|| response.error_in_challenge());
            return Err(match error {
                Some(error) => RegistrationError::Refused {
                    endpoint: name,
                    status,
                    error,
                },
                None => RegistrationError::Status { endpoint: name, status },
            });
        }
        let client = parse_object(response.body.expose())
            .map_err(InvalidRegistration::from)
            .and_then(|object| RegisteredClient::from_json(&object, endpoint, request));
        let mut client = client.map_err(|problem| RegistrationError::Invalid {
            endpoint: name,
            problem,
        })?;
        if status != 201 {
            client
                .problems
                .push(format!("status {status} instead of 201 (RFC 7591 §3.2.1)"));
        }
        Ok(client)
    }

    fn from_json(
        object: &Map<String, Value>,
        endpoint: &Endpoint,
        request: &RegistrationRequest,
    ) -> Result<Self, InvalidRegistration> {
        let id = object.get("client_id").and_then(Value::as_str);
        let id = ClientId::parse(id.ok_or(InvalidRegistration::NoClientId)?)?;
        let secret = secret(object, "client_secret")?;
        let method = match object.get("token_endpoint_auth_method") {
            Some(Value::String(name)) => name
                .parse()
                .map_err(|_| InvalidRegistration::UnknownMethod(name.clone()))?,
            _ => request.method,
        };
        if method.takes_secret() && secret.is_none() {
            return Err(InvalidRegistration::NoSecret(method));
        }
        let mut problems = Vec::new();
        let uris = object.get("redirect_uris").and_then(Value::as_array);
        let own = request.redirect_uri.as_str();
        if uris.is_some_and(|uris| !uris.iter().any(|uri| uri.as_str() == Some(own))) {
            problems.push(format!("the registered redirect URIs do not include {own}"));
        }
        let expires_at = object.get("client_secret_expires_at").and_then(Value::as_i64);
        Ok(RegisteredClient {
            id,
            method,
            // 0 means that it does not expire (RFC 7591 §3.2.1)
            secret_expires_at: expires_at
                .filter(|seconds| *seconds > 0 && secret.is_some())
                .map(UnixSeconds),
            secret: secret.filter(|_| method.takes_secret()),
            management: match management(object, endpoint) {
                Ok(management) => management,
                Err(problem) => {
                    problems.push(format!("registration_client_uri cannot be used: {problem}"));
                    None
                }
            },
            problems,
        })
    }
}

fn secret(object: &Map<String, Value>, name: &'static str) -> Result<Option<Secret>, InvalidRegistration> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_SECRET_BYTES && is_vschar_text(text) => {
            Ok(Some(Secret::from(text.as_str())))
        }
        Some(_) => Err(InvalidRegistration::Secret(name)),
    }
}

/// Both members or nothing: one of them is of no use.
fn management(
    object: &Map<String, Value>,
    endpoint: &Endpoint,
) -> Result<Option<RegistrationManagement>, EndpointError> {
    let token = secret(object, "registration_access_token").ok().flatten();
    let uri = object.get("registration_client_uri").and_then(Value::as_str);
    let (Some(access_token), Some(uri)) = (token, uri) else {
        return Ok(None);
    };
    let is_plain = endpoint.url().scheme() == "http" && !is_loopback(endpoint.url());
    let http = if is_plain {
        HttpPolicy::Everywhere
    } else {
        HttpPolicy::LoopbackOnly
    };
    let uri = Endpoint::parse_untrusted(uri, endpoint.url(), http)?;
    Ok(Some(RegistrationManagement { uri, access_token }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::RequestBody;
    use crate::protocol::http::Timings;
    use std::time::Duration;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text, HttpPolicy::LoopbackOnly).unwrap()
    }

    fn request(method: ClientAuthenticationMethod) -> RegistrationRequest {
        RegistrationRequest {
            redirect_uri: RedirectUri::parse("http://127.0.0.1:4711/callback").unwrap(),
            method,
            key: None,
            certificate: None,
        }
    }

    fn read(status: u16, body: &Value) -> Result<RegisteredClient, RegistrationError> {
        let response = HttpResponse {
            status,
            headers: vec![("www-authenticate".into(), "Bearer error=\"invalid_token\"".into())],
            body: Secret::new(body.to_string().into_bytes()),
            elapsed: Duration::ZERO,
            is_streamed: false,
            timings: Timings::default(),
        };
        let request = request(ClientAuthenticationMethod::None);
        RegisteredClient::read(&endpoint("https://as.example/register"), &request, &response)
    }

    fn json_text(body: &RequestBody) -> Option<&str> {
        match body {
            RequestBody::Json(text) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn the_request_asks_for_a_native_public_client_with_this_very_redirect_uri() {
        let request = request(ClientAuthenticationMethod::None).to_http(&endpoint("https://as.example/register"));
        assert_eq!(
            request.body.as_ref().and_then(json_text),
            Some(concat!(
                r#"{"application_type":"native","client_name":"oauth","grant_types":["authorization_code","refresh_token"],"#,
                r#""redirect_uris":["http://127.0.0.1:4711/callback"],"response_types":["code"],"token_endpoint_auth_method":"none"}"#
            ))
        );
        let header = |wanted: &str| {
            let headers = request.all_headers().into_iter();
            let mut values = headers
                .filter(|(name, _)| *name == wanted)
                .map(|(_, value)| value.shown());
            values.next()
        };
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        assert!(request.carries_credentials(), "its answer may hold secrets");
    }

    #[test]
    fn a_public_client_is_read_and_a_secret_that_it_does_not_use_is_dropped() {
        let client = read(
            201,
            &json!({"client_id": "c 1", "client_secret": "s", "client_secret_expires_at": 5}),
        )
        .unwrap();
        assert_eq!(
            (client.id.as_str(), client.method),
            ("c 1", ClientAuthenticationMethod::None)
        );
        assert!(client.secret.is_none() && client.problems.is_empty(), "{client:?}");
    }

    #[test]
    fn a_secret_expires_only_where_the_answer_says_when() {
        for (expires_at, expected) in [
            (json!(0), None),
            (Value::Null, None),
            (json!(1_800_000_000), Some(1_800_000_000)),
        ] {
            let client = read(
                200,
                &json!({
                    "client_id": "c", "client_secret": "s", "client_secret_expires_at": expires_at,
                    "token_endpoint_auth_method": "client_secret_post",
                }),
            )
            .unwrap();
            assert_eq!(client.secret_expires_at, expected.map(UnixSeconds));
            assert_eq!(client.secret.unwrap().expose(), "s");
            assert_eq!(client.problems, ["status 200 instead of 201 (RFC 7591 §3.2.1)"]);
        }
    }

    #[test]
    fn the_registration_is_ended_with_its_own_token_at_a_vetted_url() {
        let answer =
            |uri: &str| json!({"client_id": "c", "registration_client_uri": uri, "registration_access_token": "t0ken"});
        let request = read(201, &answer("https://as.example/register/c"))
            .unwrap()
            .management
            .unwrap()
            .delete_request();
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("DELETE", "https://as.example/register/c")
        );
        assert_eq!(request.secrets()[0].expose(), "t0ken");
        for bad in [
            "http://as.example/c",
            "https://127.0.0.1/c",
            "https://10.0.0.1/c",
            "file:///c",
            "/register/c",
        ] {
            let client = read(201, &answer(bad)).unwrap();
            assert!(
                client.management.is_none() && client.problems.len() == 1,
                "{bad}: {client:?}"
            );
        }
    }

    #[test]
    fn answers_that_cannot_be_used_are_refused() {
        for bad in [
            json!([]),
            json!({}),
            json!({"client_id": ""}),
            json!({"client_id": "a\nb"}),
            json!({"client_id": 7}),
            json!({"client_id": "c", "client_secret": 7}),
            json!({"client_id": "c", "client_secret": "a\u{1b}"}),
            json!({"client_id": "c", "token_endpoint_auth_method": "magic"}),
            json!({"client_id": "c", "token_endpoint_auth_method": "client_secret_basic"}),
        ] {
            assert!(
                matches!(read(201, &bad), Err(RegistrationError::Invalid { .. })),
                "{bad}"
            );
        }
        let refused = |status, body: Value| read(status, &body).unwrap_err().to_string();
        assert!(refused(400, json!({"error": "invalid_redirect_uri"})).contains("invalid_redirect_uri"));
        assert!(
            refused(401, json!(null)).contains("invalid_token"),
            "the challenge says why"
        );
        assert!(refused(503, json!(null)).contains("503"));
        assert!(matches!(
            read(302, &json!({})),
            Err(RegistrationError::Refused { .. } | RegistrationError::Status { .. })
        ));
    }
}
