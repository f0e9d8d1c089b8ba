//! Error responses of the authorization endpoint (RFC 6749 §4.1.2.1) and the
//! token endpoint (§5.2).

use super::abnf::is_nqschar_text;
use super::params::{Params, Repeated};
use super::scrub::scrub;
use super::www_authenticate::Challenges;
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::secret::Secret;
use serde_json::{Map, Value, json};
use std::fmt;

/// `error`, `error_description` and `error_uri`. Text from the network: it is
/// neutralised where it is shown, never trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// One of the specification's codes, or whatever the server made up.
    pub error: String,
    /// For a person, in whatever language the server speaks.
    pub error_description: Option<String>,
    /// Shown only, never opened.
    pub error_uri: Option<String>,
}

/// The messages that an error code is registered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorPlace {
    /// RFC 6749 §4.1.2.1.
    AuthorizationResponse,
    /// RFC 6749 §5.2, and the endpoints that answer as the token endpoint does.
    TokenResponse,
}

const AUTHORIZATION: &[ErrorPlace] = &[ErrorPlace::AuthorizationResponse];
const TOKEN: &[ErrorPlace] = &[ErrorPlace::TokenResponse];
const BOTH: &[ErrorPlace] = &[ErrorPlace::AuthorizationResponse, ErrorPlace::TokenResponse];

/// The OAuth Extensions Error Registry, and the codes of RFC 6749 itself.
const REGISTERED_CODES: [(&str, &[ErrorPlace]); 32] = [
    // RFC 6749 §4.1.2.1 and §5.2; servers send the last two from any endpoint.
    ("invalid_request", BOTH),
    ("unauthorized_client", BOTH),
    ("access_denied", BOTH),
    ("unsupported_response_type", AUTHORIZATION),
    ("invalid_scope", BOTH),
    ("invalid_client", TOKEN),
    ("invalid_grant", TOKEN),
    ("unsupported_grant_type", TOKEN),
    ("server_error", BOTH),
    ("temporarily_unavailable", BOTH),
    // OpenID Connect Core §3.1.2.6
    ("interaction_required", AUTHORIZATION),
    ("login_required", AUTHORIZATION),
    ("account_selection_required", AUTHORIZATION),
    ("consent_required", AUTHORIZATION),
    ("registration_not_supported", AUTHORIZATION),
    // RFC 9101 §6
    ("invalid_request_uri", AUTHORIZATION),
    ("invalid_request_object", AUTHORIZATION),
    ("request_not_supported", AUTHORIZATION),
    ("request_uri_not_supported", AUTHORIZATION),
    // Unmet Authentication Requirements §2
    ("unmet_authentication_requirements", AUTHORIZATION),
    // RFC 9470 §3
    ("insufficient_user_authentication", TOKEN),
    // RFC 8707 §2
    ("invalid_target", BOTH),
    // RFC 9396 §5
    ("invalid_authorization_details", BOTH),
    // RFC 7009 §2.2.1
    ("unsupported_token_type", TOKEN),
    // RFC 8628 §3.5
    ("authorization_pending", TOKEN),
    ("slow_down", TOKEN),
    ("expired_token", TOKEN),
    // RFC 9449 §5, §8
    ("invalid_dpop_proof", TOKEN),
    ("use_dpop_nonce", TOKEN),
    // User-Managed Access 2.0 §3.3.6
    ("need_info", TOKEN),
    ("request_submitted", TOKEN),
    ("request_denied", TOKEN),
];

/// Whether this code is registered for this kind of message.
pub fn is_registered_error(code: &str, place: ErrorPlace) -> bool {
    let mut codes = REGISTERED_CODES.iter();
    codes.any(|(registered, places)| *registered == code && places.contains(&place))
}

/// `invalid_grant ("the code has expired")`.
impl fmt::Display for ErrorResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", WordOrQuoted(&self.error))?;
        match &self.error_description {
            Some(description) => write!(formatter, " ({})", Quoted::message(description)),
            None => Ok(()),
        }
    }
}

impl ErrorResponse {
    /// An error to send.
    pub fn new(error: &str, description: &str) -> Self {
        ErrorResponse {
            error: error.to_owned(),
            error_description: Some(description.to_owned()),
            error_uri: None,
        }
    }

    /// Reads an error from an authorization response; `None` where there is no `error`.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn from_params(params: &Params) -> Result<Option<Self>, Repeated> {
        let Some(error) = params.single("error")? else {
            return Ok(None);
        };
        Ok(Some(ErrorResponse {
            error: error.to_owned(),
            error_description: params.single("error_description")?.map(str::to_owned),
            error_uri: params.single("error_uri")?.map(str::to_owned),
        }))
    }

    /// Reads an error from a JSON body, whatever the status; `None` where there
    /// is no `error` member, or one that says nothing (`""`, `null`, `false`).
    /// GitHub and others send one with status 200; Google and Facebook an object.
    pub fn from_json(object: &Map<String, Value>) -> Option<Self> {
        let text =
            |object: &Map<String, Value>, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut description = text(object, "error_description");
        let error = match object.get("error")? {
            Value::Null | Value::Bool(false) => return None,
            Value::Number(number) if number.as_u64() == Some(0) => return None,
            Value::String(error) if error.trim().is_empty() => return None,
            Value::Array(list) if list.is_empty() => return None,
            Value::Object(members) if members.is_empty() => return None,
            Value::String(error) => error.clone(),
            Value::Object(members) => {
                let name = ["type", "status", "code"].iter().find_map(|name| text(members, name));
                description = description.or_else(|| text(members, "message"));
                name.filter(|name| !name.is_empty())
                    .unwrap_or_else(|| Value::Object(members.clone()).to_string())
            }
            other => other.to_string(),
        };
        Some(ErrorResponse {
            error,
            error_description: description,
            error_uri: text(object, "error_uri"),
        })
    }

    /// Whether `error` is one of these codes; servers write them in capitals too.
    pub fn is_one_of(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.error.trim().eq_ignore_ascii_case(code))
    }

    /// The error that a challenge names (RFC 6750 §3); `None` where none does.
    pub fn from_challenges(challenges: &Challenges) -> Option<Self> {
        let challenge = challenges.with_error()?;
        Some(ErrorResponse {
            error: challenge.error()?.to_owned(),
            error_description: challenge.error_description().map(str::to_owned),
            error_uri: challenge.error_uri().map(str::to_owned),
        })
    }

    /// The same without these secrets: there are servers that repeat the code
    /// or the token that they refuse.
    #[must_use]
    pub fn scrubbed(self, secrets: &[Secret]) -> Self {
        let cut = |text: String| scrub(&text, secrets, &|_| "[redacted]".to_owned());
        ErrorResponse {
            error: cut(self.error),
            error_description: self.error_description.map(cut),
            error_uri: self.error_uri.map(cut),
        }
    }

    /// The code, where it is registered: it may be shown even if anyone can
    /// have sent it.
    pub fn registered_code(&self) -> Option<&'static str> {
        let mut codes = REGISTERED_CODES.iter().map(|(code, _)| *code);
        codes.find(|code| *code == self.error)
    }

    /// Adds the members to an authorization response.
    pub fn to_params(&self, params: &mut Params) {
        params.push("error", &self.error);
        if let Some(description) = &self.error_description {
            params.push("error_description", description);
        }
        if let Some(uri) = &self.error_uri {
            params.push("error_uri", uri);
        }
    }

    /// The JSON body of RFC 6749 §5.2.
    pub fn to_json(&self) -> Value {
        let mut object = json!({ "error": self.error });
        if let Some(description) = &self.error_description {
            object["error_description"] = json!(description);
        }
        if let Some(uri) = &self.error_uri {
            object["error_uri"] = json!(uri);
        }
        object
    }

    /// Whether `error` keeps the syntax of RFC 6749 §4.1.2.1.
    pub fn is_well_formed(&self) -> bool {
        is_nqschar_text(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse_object;

    #[test]
    fn json_and_params_round_trip() {
        let response = ErrorResponse {
            error: "invalid_scope".into(),
            error_description: Some("no".into()),
            error_uri: Some("https://x".into()),
        };
        let object = parse_object(response.to_json().to_string().as_bytes()).unwrap();
        assert_eq!(ErrorResponse::from_json(&object), Some(response.clone()));
        let mut params = Params::new();
        response.to_params(&mut params);
        assert_eq!(ErrorResponse::from_params(&params), Ok(Some(response)));
    }

    #[test]
    fn challenges_of_rfc_6750_section_3_and_odd_ones() {
        let read = |header: &str| {
            let error = ErrorResponse::from_challenges(&Challenges::parse([header]).unwrap())?;
            Some((error.error, error.error_description))
        };
        let some = |error: &str, description: Option<&str>| Some((error.to_owned(), description.map(str::to_owned)));
        for (header, expected) in [
            (r#"Bearer realm="example""#, None),
            ("Bearer", None),
            ("", None),
            (
                r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#,
                some("invalid_token", Some("The access token expired")),
            ),
            (r#"Bearer error="insufficient_scope""#, some("insufficient_scope", None)),
            (r#"error="invalid_token""#, some("invalid_token", None)),
            ("Bearer error=invalid_token", some("invalid_token", None)),
            (
                r#"Bearer error_description="a, error=\"x\"", ERROR="y""#,
                some("y", Some(r#"a, error="x""#)),
            ),
            (r#"Bearer error="unclosed"#, some("unclosed", None)),
            (r#"Bearer error="\"#, some("", None)),
        ] {
            assert_eq!(read(header), expected, "{header}");
        }
    }

    #[test]
    fn secrets_that_the_server_repeats_are_cut_out() {
        let error = ErrorResponse::new("invalid_grant", "code abcd1234 and abcd1234 of s3cret");
        let secrets = [Secret::from("abcd1234"), Secret::from("s3cret")];
        let said = "code [redacted] and [redacted] of [redacted]";
        assert_eq!(error.scrubbed(&secrets), ErrorResponse::new("invalid_grant", said));
    }

    #[test]
    fn odd_errors_are_still_errors() {
        let parse = |text: &str| ErrorResponse::from_json(&parse_object(text.as_bytes()).unwrap());
        assert_eq!(parse(r#"{"error":{"code":7}}"#).unwrap().error, r#"{"code":7}"#);
        assert_eq!(parse(r#"{"error":null}"#), None);
        assert_eq!(parse("{}"), None);
        assert!(!parse(r#"{"error":"\u001b[2J"}"#).unwrap().is_well_formed());
    }
}
