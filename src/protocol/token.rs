//! The token request and response (RFC 6749 §4.1.3, §5, §6), with PKCE
//! (RFC 7636 §4.5) and `resource` (RFC 8707 §2.2).

use super::client::{Client, PresentedClient, PresentedClientError};
use super::endpoint::{Endpoint, origin_of};
use super::error::ErrorResponse;
use super::http::{HeaderValue, HttpRequest, HttpResponse};
use super::json::parse_object;
use super::params::Params;
use super::pkce::CodeVerifier;
use super::redirect_uri::RedirectUri;
use super::resource::Resource;
use super::scope::Scope;
use super::syntax::is_vschar_text;
use crate::secret::Secret;
use serde_json::{Map, Value, json};

/// Parameters of a token request that the flow sets itself.
pub const OWN_TOKEN_PARAMETERS: [&str; 12] = [
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

/// Longer tokens are refused: no server needs them, and every caller would choke.
const ACCESS_TOKEN_MAX_BYTES: usize = 128 * 1024;

/// Lifetimes beyond ten years are taken as ten years.
const EXPIRES_IN_MAX_S: u64 = 10 * 365 * 24 * 3600;

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

/// A successful answer (RFC 6749 §5.1), relative to when it was received.
#[derive(Debug)]
pub struct TokenResponse {
    /// To access the resource server.
    pub access_token: Secret,
    /// As it was sent; compared without regard to case.
    pub token_type: String,
    /// Lifetime in seconds; `None` where the server did not say, or said nonsense.
    pub expires_in_s: Option<u64>,
    /// To get a new access token.
    pub refresh_token: Option<Secret>,
    /// What was granted; `None` means what was asked for.
    pub scope: Option<Scope>,
    /// OpenID Connect Core §3.1.3.3.
    pub id_token: Option<Secret>,
    /// Members that this program does not know.
    pub other: Map<String, Value>,
    /// What is odd about the answer though it can be used.
    pub oddities: Vec<Oddity>,
}

/// Something in a token response that is not as it should be, but can be lived with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// RFC 6749 §5.1.
    #[error("expires_in is no usable number, so the token's lifetime is unknown (RFC 6749 §5.1)")]
    ExpiresIn,
    /// RFC 6749 §5.1.
    #[error("the token response is JSON, but its content type is \"{0}\" (RFC 6749 §5.1: application/json)")]
    ContentType(String),
}

/// A token response that breaks the specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenResponse {
    /// A list, a member twice, too deep.
    #[error("the token response is JSON, but not one object without repetition: {0}")]
    Json(String),
    /// Neither 200 with a token nor an error.
    #[error("the token response has status {0} and neither a token nor an error (RFC 6749 §5)")]
    Status(u16),
    /// RFC 6749 §5.1.
    #[error("the token response has no usable access_token (RFC 6749 §5.1: a string of printable ASCII)")]
    AccessToken,
    /// RFC 6749 §5.1.
    #[error("the token response has no token_type (RFC 6749 §5.1)")]
    NoTokenType,
    /// RFC 6749 §7.1: it must not be used.
    #[error("token_type \"{0}\" is not Bearer, and a token of unknown type must not be used (RFC 6749 §7.1)")]
    TokenType(String),
    /// A member has another JSON type than the specification says.
    #[error("{0} in the token response is no string (RFC 6749 §5.1)")]
    Type(&'static str),
}

/// What the token endpoint answered, if it was not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// 429 or 5xx, whatever the body says.
    #[error("the token endpoint {endpoint} answered with status {status}")]
    Unavailable {
        /// Whom we asked.
        endpoint: String,
        /// What it answered.
        status: u16,
    },
    /// Credentials are never sent on.
    #[error("the token endpoint {endpoint} answered with a redirect ({status}) to {location}, which is never followed")]
    Redirect {
        /// Whom we asked.
        endpoint: String,
        /// 3xx.
        status: u16,
        /// Origin only: the rest of a location may hold secrets.
        location: String,
    },
    /// An HTML page, an empty body.
    #[error("the token endpoint {endpoint} answered with status {status} and {what}, not with JSON")]
    NotJson {
        /// Whom we asked.
        endpoint: String,
        /// What it answered.
        status: u16,
        /// `text/html`, `an empty body`.
        what: String,
    },
    /// RFC 6749 §5.2.
    #[error("the token endpoint {endpoint} refused: {}{}", error.error, described(error))]
    OAuth {
        /// Whom we asked.
        endpoint: String,
        /// 4xx, or 200 where the server does not know better.
        status: u16,
        /// What it said.
        error: ErrorResponse,
    },
    /// RFC 6749 §5.1.
    #[error("the answer of the token endpoint {endpoint} breaks the specification")]
    Invalid {
        /// Whom we asked.
        endpoint: String,
        /// How.
        #[source]
        problem: InvalidTokenResponse,
    },
}

impl TokenError {
    /// The same without these secrets, which the server may have repeated.
    #[must_use]
    pub fn without(self, secrets: &[Secret]) -> Self {
        match self {
            TokenError::OAuth {
                endpoint,
                status,
                error,
            } => TokenError::OAuth {
                endpoint,
                status,
                error: error.without(secrets),
            },
            other => other,
        }
    }
}

fn described(error: &ErrorResponse) -> String {
    error
        .error_description
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default()
}

impl TokenResponse {
    /// Reads the answer of the token endpoint, in the order that decides the
    /// exit code: status, then JSON, then `error`, then the members.
    ///
    /// # Errors
    /// [`TokenError`], with the endpoint's URL in each variant.
    pub fn read(endpoint: &Endpoint, response: &HttpResponse) -> Result<Self, TokenError> {
        let url = endpoint.url();
        let endpoint = endpoint.to_string();
        let status = response.status;
        if status == 429 || status >= 500 {
            return Err(TokenError::Unavailable { endpoint, status });
        }
        if (300..400).contains(&status) {
            let location = response.header("location").and_then(|text| url.join(text).ok());
            let location = location.map_or_else(|| "nowhere".to_owned(), |url| origin_of(&url));
            return Err(TokenError::Redirect {
                endpoint,
                status,
                location,
            });
        }
        let media_type = response.media_type().unwrap_or_default();
        let object = match parse_object(response.body.expose()) {
            Ok(object) => object,
            Err(problem) if is_json(response.body.expose()) => {
                let problem = InvalidTokenResponse::Json(problem.to_string());
                return Err(TokenError::Invalid { endpoint, problem });
            }
            Err(_) => {
                let what = match (response.body.expose().is_empty(), media_type.is_empty()) {
                    (true, _) => "an empty body".to_owned(),
                    (false, true) => "a body without a content type".to_owned(),
                    (false, false) => media_type,
                };
                return Err(TokenError::NotJson { endpoint, status, what });
            }
        };
        if let Some(error) = ErrorResponse::from_json(&object) {
            return Err(TokenError::OAuth {
                endpoint,
                status,
                error,
            });
        }
        if status != 200 {
            return Err(TokenError::Invalid {
                endpoint,
                problem: InvalidTokenResponse::Status(status),
            });
        }
        let mut token =
            TokenResponse::from_json(object).map_err(|problem| TokenError::Invalid { endpoint, problem })?;
        if media_type != "application/json" && !media_type.ends_with("+json") {
            token.oddities.push(Oddity::ContentType(media_type));
        }
        Ok(token)
    }

    /// Reads the members of RFC 6749 §5.1.
    ///
    /// # Errors
    /// [`InvalidTokenResponse`].
    pub fn from_json(mut object: Map<String, Value>) -> Result<Self, InvalidTokenResponse> {
        let mut oddities = Vec::new();
        let access_token = match object.remove("access_token") {
            Some(Value::String(text)) if is_vschar_text(&text) && text.len() <= ACCESS_TOKEN_MAX_BYTES => {
                Secret::new(text)
            }
            _ => return Err(InvalidTokenResponse::AccessToken),
        };
        let token_type = match object.remove("token_type") {
            Some(Value::String(text)) if text.eq_ignore_ascii_case("bearer") => text,
            Some(Value::String(text)) => return Err(InvalidTokenResponse::TokenType(text)),
            Some(_) => return Err(InvalidTokenResponse::Type("token_type")),
            None => return Err(InvalidTokenResponse::NoTokenType),
        };
        let expires_in_s = match object.remove("expires_in") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let seconds = lifetime_s(&value);
                if seconds.is_none() {
                    oddities.push(Oddity::ExpiresIn);
                }
                seconds
            }
        };
        let mut text = |name: &'static str| match object.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(InvalidTokenResponse::Type(name)),
        };
        let refresh_token = text("refresh_token")?.map(Secret::new);
        let id_token = text("id_token")?.map(Secret::new);
        let scope = text("scope")?.map(|text| Scope::received(&text));
        Ok(TokenResponse {
            access_token,
            token_type,
            expires_in_s,
            refresh_token,
            scope,
            id_token,
            other: object,
            oddities,
        })
    }

    /// The JSON body of RFC 6749 §5.1. It holds the tokens: it goes to the one
    /// who asked for them, and nowhere else.
    pub fn to_json(&self) -> Secret {
        let mut object = Map::new();
        object.insert("access_token".into(), json!(self.access_token.expose()));
        object.insert("token_type".into(), json!(self.token_type));
        if let Some(expires_in_s) = self.expires_in_s {
            object.insert("expires_in".into(), json!(expires_in_s));
        }
        if let Some(refresh_token) = &self.refresh_token {
            object.insert("refresh_token".into(), json!(refresh_token.expose()));
        }
        if let Some(scope) = &self.scope {
            object.insert("scope".into(), json!(scope.to_string()));
        }
        if let Some(id_token) = &self.id_token {
            object.insert("id_token".into(), json!(id_token.expose()));
        }
        for (name, value) in &self.other {
            object.insert(name.clone(), value.clone());
        }
        Secret::new(Value::Object(object).to_string())
    }
}

/// Whether it is JSON at all, objects with repetition and other values included.
fn is_json(bytes: &[u8]) -> bool {
    // what is ignored is not checked for being UTF-8
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// `expires_in` as servers send it: a number, a number in a string, a float.
fn lifetime_s(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_u64().or_else(|| float_s(number.as_f64()?)),
        Value::String(text) => text
            .trim()
            .parse::<u64>()
            .ok()
            .or_else(|| float_s(text.trim().parse().ok()?)),
        _ => None,
    }?;
    (seconds <= i64::MAX as u64).then(|| seconds.min(EXPIRES_IN_MAX_S))
}

fn float_s(seconds: f64) -> Option<u64> {
    // A float's cast saturates, so the bound is checked before it.
    (seconds.is_finite() && (0.0..9e18).contains(&seconds)).then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::endpoint::HttpAllowance;
    use std::time::Duration;

    fn endpoint() -> Endpoint {
        Endpoint::parse("https://as.example/token", HttpAllowance::LoopbackOnly).unwrap()
    }

    fn read(status: u16, content_type: &str, body: &str) -> Result<TokenResponse, TokenError> {
        let response = HttpResponse {
            status,
            headers: vec![
                ("content-type".into(), content_type.into()),
                ("location".into(), "https://evil.example/token?code=x".into()),
            ],
            body: Secret::new(body.as_bytes().to_vec()),
            elapsed: Duration::ZERO,
            timings: crate::protocol::http::Timings::default(),
        };
        TokenResponse::read(&endpoint(), &response)
    }

    fn json(body: &str) -> Result<TokenResponse, TokenError> {
        read(200, "application/json", body)
    }

    #[test]
    fn the_example_of_rfc_6749_section_5_1() {
        let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,
            "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#;
        assert!(matches!(
            json(body),
            Err(TokenError::Invalid {
                problem: InvalidTokenResponse::TokenType(_),
                ..
            })
        ));
        let token = json(&body.replace("\"example\"", "\"bEaReR\"")).unwrap();
        assert_eq!(token.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(token.token_type, "bEaReR");
        assert_eq!(token.expires_in_s, Some(3600));
        assert_eq!(token.refresh_token.as_ref().unwrap().expose(), "tGzv3JOkF0XG5Qx2TlKWIA");
        assert_eq!(token.other["example_parameter"], "example_value");
        let again = TokenResponse::from_json(parse_object(token.to_json().expose().as_bytes()).unwrap()).unwrap();
        assert_eq!(again.to_json().expose(), token.to_json().expose());
    }

    #[test]
    fn lifetimes_as_servers_send_them() {
        let lifetime = |value: &str| {
            let token = json(&format!(
                r#"{{"access_token":"t","token_type":"Bearer","expires_in":{value}}}"#
            ))
            .unwrap();
            (token.expires_in_s, token.oddities.len())
        };
        assert_eq!(lifetime("3600"), (Some(3600), 0));
        assert_eq!(lifetime("\"3600\""), (Some(3600), 0));
        assert_eq!(lifetime("3600.9"), (Some(3600), 0));
        assert_eq!(lifetime("0"), (Some(0), 0));
        assert_eq!(lifetime("null"), (None, 0));
        assert_eq!(lifetime("999999999999"), (Some(EXPIRES_IN_MAX_S), 0));
        for odd in [
            "-1",
            "\"abc\"",
            "9223372036854775808",
            "{}",
            "[]",
            "true",
            "1e300",
            "-0.5",
            "\"NaN\"",
        ] {
            assert_eq!(lifetime(odd), (None, 1), "{odd}");
        }
    }

    #[test]
    fn answers_that_break_the_specification() {
        for bad in [
            "null",
            "[]",
            "\"x\"",
            "{}",
            r#"{"access_token":"t"}"#,
            r#"{"access_token":null,"token_type":"Bearer"}"#,
            r#"{"access_token":7,"token_type":"Bearer"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a\nb","token_type":"Bearer"}"#,
            r#"{"access_token":"a\u0000b","token_type":"Bearer"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
            r#"{"access_token":"t","token_type":"Bearer","scope":["a"]}"#,
            r#"{"access_token":"t","token_type":"Bearer","refresh_token":7}"#,
            r#"{"access_token":"t","access_token":"u","token_type":"Bearer"}"#,
        ] {
            assert!(matches!(json(bad), Err(TokenError::Invalid { .. })), "{bad}");
        }
        let long = format!(
            r#"{{"access_token":"{}","token_type":"Bearer"}}"#,
            "a".repeat(ACCESS_TOKEN_MAX_BYTES + 1)
        );
        assert!(matches!(json(&long), Err(TokenError::Invalid { .. })));
    }

    #[test]
    fn the_status_decides_before_the_body() {
        let error = r#"{"error":"invalid_grant","error_description":"no"}"#;
        assert!(matches!(
            read(503, "application/json", error),
            Err(TokenError::Unavailable { status: 503, .. })
        ));
        assert!(matches!(
            read(429, "application/json", error),
            Err(TokenError::Unavailable { status: 429, .. })
        ));
        match read(307, "text/html", "") {
            Err(TokenError::Redirect { location, .. }) => assert_eq!(location, "https://evil.example"),
            other => panic!("{other:?}"),
        }
        for status in [200, 400, 401, 403] {
            match read(status, "application/json", error) {
                Err(TokenError::OAuth { error, .. }) => assert_eq!(error.error, "invalid_grant"),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(
            read(400, "text/html", "<html>"),
            Err(TokenError::NotJson { .. })
        ));
        assert!(matches!(read(403, "text/html", ""), Err(TokenError::NotJson { .. })));
        assert!(matches!(
            read(404, "application/json", "{}"),
            Err(TokenError::Invalid { .. })
        ));
    }

    #[test]
    fn json_under_another_content_type_is_taken_with_a_remark() {
        let token = read(200, "text/html", r#"{"access_token":"t","token_type":"Bearer"}"#).unwrap();
        assert_eq!(token.oddities, [Oddity::ContentType("text/html".into())]);
    }

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
