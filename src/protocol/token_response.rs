//! The token response (RFC 6749 §5), relative to when it was received.

use super::abnf::is_vschar_text;
use super::endpoint::{Endpoint, origin_of};
use super::error::ErrorResponse;
use super::http::HttpResponse;
use super::json::parse_object;
use super::scope::Scope;
use crate::secret::Secret;
use serde_json::{Map, Value, json};

/// Longer tokens are refused: no server needs them, and every caller would choke.
const MAX_ACCESS_TOKEN_BYTES: usize = 128 * 1024;

/// Lifetimes beyond ten years are taken as ten years.
const MAX_EXPIRES_IN_S: u64 = 10 * 365 * 24 * 3600;

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
    pub quirks: Vec<Quirk>,
}

/// Something in a token response that is not as it should be, but can be lived with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Quirk {
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
            token.quirks.push(Quirk::ContentType(media_type));
        }
        Ok(token)
    }

    /// Reads the members of RFC 6749 §5.1.
    ///
    /// # Errors
    /// [`InvalidTokenResponse`].
    pub fn from_json(mut object: Map<String, Value>) -> Result<Self, InvalidTokenResponse> {
        let mut quirks = Vec::new();
        let access_token = match object.remove("access_token") {
            Some(Value::String(text)) if is_vschar_text(&text) && text.len() <= MAX_ACCESS_TOKEN_BYTES => {
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
                    quirks.push(Quirk::ExpiresIn);
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
            quirks,
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
    (seconds <= i64::MAX as u64).then(|| seconds.min(MAX_EXPIRES_IN_S))
}

fn float_s(seconds: f64) -> Option<u64> {
    // A float's cast saturates, so the bound is checked before it.
    (seconds.is_finite() && (0.0..9e18).contains(&seconds)).then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::endpoint::HttpPolicy;
    use std::time::Duration;

    fn endpoint() -> Endpoint {
        Endpoint::parse("https://as.example/token", HttpPolicy::LoopbackOnly).unwrap()
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
            (token.expires_in_s, token.quirks.len())
        };
        assert_eq!(lifetime("3600"), (Some(3600), 0));
        assert_eq!(lifetime("\"3600\""), (Some(3600), 0));
        assert_eq!(lifetime("3600.9"), (Some(3600), 0));
        assert_eq!(lifetime("0"), (Some(0), 0));
        assert_eq!(lifetime("null"), (None, 0));
        assert_eq!(lifetime("999999999999"), (Some(MAX_EXPIRES_IN_S), 0));
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
            "a".repeat(MAX_ACCESS_TOKEN_BYTES + 1)
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
        assert_eq!(token.quirks, [Quirk::ContentType("text/html".into())]);
    }
}
