//! The token response (RFC 6749 §5), relative to when it was received. What
//! weakens no check is taken as it is, with a [`Quirk`].

mod body;
mod error;
mod quirk;
#[cfg(test)]
mod tests;
mod token_type;

pub use body::{MAX_REFRESH_TOKEN_BYTES, salvage_refresh_token};
pub use error::{InvalidTokenResponse, TokenError};
pub use quirk::{Quirk, describe_quirks};
pub use token_type::{NOT_APPLICABLE, TokenType};

use super::abnf::is_vschar_text;
use super::authorization_details::AuthorizationDetails;
use super::endpoint::{Endpoint, origin_of};
use super::error::ErrorResponse;
use super::http::{HttpResponse, is_unavailable_for_post};
use super::scope::Scope;
use crate::secret::Secret;
use body::{TokenBody, is_page};
use serde_json::{Map, Value, json};

/// Longer tokens are refused: no server needs them, and every caller would choke.
const MAX_ACCESS_TOKEN_BYTES: usize = 128 * 1024;

/// Lifetimes beyond ten years are taken as ten years.
const MAX_EXPIRES_IN_S: u64 = 10 * 365 * 24 * 3600;

/// How deep a token is looked for that is not where it belongs.
const MAX_NESTING: usize = 4;

/// By what names servers say how long a refresh token lives, in seconds.
const REFRESH_TOKEN_LIFETIMES: [&str; 4] = [
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
    "authorization_expires_in",
];

/// A successful answer (RFC 6749 §5.1), relative to when it was received.
#[derive(Debug)]
pub struct TokenResponse {
    /// To access the resource server.
    pub access_token: Secret,
    /// As it was sent, `Bearer` where it was not; compared without regard to case.
    pub token_type: String,
    /// Lifetime in seconds; `None` where the server did not say, or said nonsense.
    pub expires_in_s: Option<u64>,
    /// To get a new access token.
    pub refresh_token: Option<Secret>,
    /// How long the refresh token can be used, where the server says so.
    pub refresh_expires_in_s: Option<u64>,
    /// What was granted; `None` means what was asked for.
    pub scope: Option<Scope>,
    /// OpenID Connect Core §3.1.3.3.
    pub id_token: Option<Secret>,
    /// What kind of token came of an exchange (RFC 8693 §2.2.1).
    pub issued_token_type: Option<String>,
    /// What was granted beside the scope (RFC 9396 §7), where it can be read.
    pub authorization_details: Option<AuthorizationDetails>,
    /// Members that this program does not know, and `authorization_details` as they came.
    pub other: Map<String, Value>,
    /// What is odd about the answer though it can be used.
    pub quirks: Vec<Quirk>,
}

impl TokenResponse {
    /// Reads the answer of the token endpoint to a request for a token of this
    /// type, in the order that decides the exit code: status, then `error`,
    /// then whether it is JSON, then the members.
    ///
    /// # Errors
    /// [`TokenError`], with the endpoint's URL in each variant.
    pub fn read(endpoint: &Endpoint, response: &HttpResponse, wanted: TokenType) -> Result<Self, TokenError> {
        let url = endpoint.url();
        let endpoint = endpoint.to_string();
        let status = response.status;
        if is_unavailable_for_post(status) {
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
        let body = TokenBody::read(response);
        if status >= 400 {
            return Err(refusal(endpoint, response, &body));
        }
        match body {
            TokenBody::Members(members, mut quirks) => {
                if let Some(error) = ErrorResponse::from_json(&members) {
                    return Err(TokenError::OAuth {
                        endpoint,
                        status,
                        error,
                    });
                }
                if status != 200 {
                    quirks.insert(0, Quirk::Status(status));
                }
                let token = TokenResponse::from_json(members, wanted);
                let mut token = token.map_err(|problem| TokenError::Invalid { endpoint, problem })?;
                token.quirks.splice(0..0, quirks);
                Ok(token)
            }
            TokenBody::Invalid(problem, _) => Err(TokenError::Invalid { endpoint, problem }),
            TokenBody::NotJson(_) => Err(not_json(endpoint, response)),
        }
    }

    /// Reads the members of RFC 6749 §5.1.
    ///
    /// # Errors
    /// [`InvalidTokenResponse`].
    pub fn from_json(mut object: Map<String, Value>, wanted: TokenType) -> Result<Self, InvalidTokenResponse> {
        let mut quirks = Vec::new();
        if object.remove("error").is_some() {
            quirks.push(Quirk::EmptyError);
        }
        let access_token = access_token(&mut object)?;
        let token_type = wanted.take(&mut object, &mut quirks)?;
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
        let scope = scope(&mut object, &mut quirks)?;
        let refresh_token = optional_token(&mut object, "refresh_token", MAX_REFRESH_TOKEN_BYTES)?;
        if refresh_token
            .as_ref()
            .is_some_and(|token| !is_vschar_text(token.expose()))
        {
            quirks.push(Quirk::RefreshTokenCharacters);
        }
        if expires_in_s == Some(0) && refresh_token.is_none() {
            quirks.push(Quirk::ExpiresAtOnce);
        }
        let id_token = optional_token(&mut object, "id_token", usize::MAX)?;
        let issued_token_type = match object.remove("issued_token_type") {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        if wanted.is_exchanged() && issued_token_type.is_none() {
            quirks.push(Quirk::NoIssuedTokenType);
        }
        let refresh_lifetimes = REFRESH_TOKEN_LIFETIMES.iter();
        let refresh_expires_in_s = refresh_lifetimes
            .filter_map(|name| lifetime_s(object.get(*name)?))
            // 0 is what Keycloak says about a refresh token without an end
            .find(|seconds| *seconds > 0);
        let details = object.get("authorization_details");
        let authorization_details = details.and_then(|value| AuthorizationDetails::from_json(value).ok());
        Ok(TokenResponse {
            access_token,
            token_type,
            expires_in_s,
            refresh_token,
            refresh_expires_in_s,
            scope,
            id_token,
            issued_token_type,
            authorization_details,
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
        if let Some(issued_token_type) = &self.issued_token_type {
            object.insert("issued_token_type".into(), json!(issued_token_type));
        }
        for (name, value) in &self.other {
            object.insert(name.clone(), value.clone());
        }
        Secret::new(Value::Object(object).to_string())
    }
}

fn refusal(endpoint: String, response: &HttpResponse, body: &TokenBody<'_>) -> TokenError {
    let status = response.status;
    match body.error() {
        Some(error) => TokenError::OAuth {
            endpoint,
            status,
            error,
        },
        None if is_page(response) => not_json(endpoint, response),
        None => TokenError::Refused {
            endpoint,
            status,
            words: body.words(),
        },
    }
}

fn not_json(endpoint: String, response: &HttpResponse) -> TokenError {
    let media_type = response.media_type().unwrap_or_default();
    let announced_as_json = media_type == "application/json" || media_type.ends_with("+json");
    let what = match (response.body.expose().is_empty(), media_type.is_empty()) {
        (true, _) => "an empty body".to_owned(),
        (false, true) => "a body without a content type".to_owned(),
        (false, false) if announced_as_json => "a broken body".to_owned(),
        (false, false) => media_type,
    };
    TokenError::NotJson {
        endpoint,
        status: response.status,
        what,
        announced_as_json,
    }
}

fn access_token(object: &mut Map<String, Value>) -> Result<Secret, InvalidTokenResponse> {
    match object.remove("access_token") {
        None | Some(Value::Null) => Err(match path_of_access_token(object, MAX_NESTING) {
            Some(path) => InvalidTokenResponse::NestedAccessToken(path),
            None => InvalidTokenResponse::NoAccessToken,
        }),
        Some(Value::String(text)) if text.is_empty() => Err(InvalidTokenResponse::EmptyAccessToken),
        Some(Value::String(text)) if text.len() > MAX_ACCESS_TOKEN_BYTES => Err(InvalidTokenResponse::TooLong {
            name: "access_token",
            max_bytes: MAX_ACCESS_TOKEN_BYTES,
        }),
        Some(Value::String(text)) if is_vschar_text(&text) => Ok(Secret::new(text)),
        Some(Value::String(_)) => Err(InvalidTokenResponse::AccessTokenCharacters),
        Some(_) => Err(InvalidTokenResponse::Type("access_token")),
    }
}

/// Where in a nested object a token is, such as `authed_user.access_token`.
fn path_of_access_token(object: &Map<String, Value>, depth: usize) -> Option<String> {
    object.iter().find_map(|(name, value)| {
        let nested = value.as_object()?;
        if nested.get("access_token").is_some_and(Value::is_string) {
            return Some(format!("{name}.access_token"));
        }
        let path = path_of_access_token(nested, depth.checked_sub(1)?)?;
        Some(format!("{name}.{path}"))
    })
}

fn scope(object: &mut Map<String, Value>, quirks: &mut Vec<Quirk>) -> Result<Option<Scope>, InvalidTokenResponse> {
    let text = match object.remove("scope") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Array(list)) => {
            quirks.push(Quirk::ScopeList);
            let tokens: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            tokens.ok_or(InvalidTokenResponse::Type("scope"))?.join(" ")
        }
        Some(_) => return Err(InvalidTokenResponse::Type("scope")),
    };
    if text.contains(',') {
        quirks.push(Quirk::ScopeCommas);
    }
    Ok(Some(Scope::received(&text)).filter(|scope| !scope.is_empty()))
}

/// A token that need not be there; `null`, `false` and `""` stand for that.
fn optional_token(
    object: &mut Map<String, Value>,
    name: &'static str,
    max_bytes: usize,
) -> Result<Option<Secret>, InvalidTokenResponse> {
    match object.remove(name) {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() > max_bytes => Err(InvalidTokenResponse::TooLong { name, max_bytes }),
        Some(Value::String(text)) => Ok(Some(Secret::new(text))),
        Some(_) => Err(InvalidTokenResponse::Type(name)),
    }
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
