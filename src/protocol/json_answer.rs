//! The answer of an endpoint that speaks JSON and refuses with the errors of
//! RFC 6749 §5.2, read in the order that decides the exit code: the status,
//! then `error`, then whether it is JSON.

use super::endpoint::{Endpoint, origin_of};
use super::error::ErrorResponse;
use super::http::{HttpResponse, is_unavailable_for_post};
use super::json::parse_object;
use crate::secret::Secret;
use serde_json::{Map, Value};

/// What an endpoint answered, where it was not the object that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonAnswerError {
    /// 408, 429 or 5xx, whatever the body says.
    #[error("answered with status {status}")]
    Unavailable { status: u16 },
    /// Credentials are never sent on.
    #[error("answered with a redirect ({status}) to {location}, which is never followed")]
    Redirect {
        /// 3xx.
        status: u16,
        /// Origin only: the rest of a location may hold secrets.
        location: String,
    },
    /// A page, an empty body.
    #[error("answered with status {status}, not with JSON")]
    NotJson { status: u16 },
    /// RFC 6749 §5.2.
    #[error("refused: {error}")]
    OAuth { status: u16, error: ErrorResponse },
    /// Any other 4xx.
    #[error("refused with status {status}")]
    Refused { status: u16 },
}

impl JsonAnswerError {
    /// The same without these secrets, which a server may repeat.
    #[must_use]
    pub fn scrubbed(self, secrets: &[Secret]) -> Self {
        match self {
            JsonAnswerError::OAuth { status, error } => JsonAnswerError::OAuth {
                status,
                error: error.scrubbed(secrets),
            },
            other => other,
        }
    }
}

/// Reads the object that an endpoint answered with.
///
/// # Errors
/// [`JsonAnswerError`].
pub fn read_object(endpoint: &Endpoint, response: &HttpResponse) -> Result<Map<String, Value>, JsonAnswerError> {
    let status = response.status;
    if is_unavailable_for_post(status) {
        return Err(JsonAnswerError::Unavailable { status });
    }
    if (300..400).contains(&status) {
        let target = response.header("location");
        let location = target.and_then(|text| endpoint.url().join(text).ok());
        return Err(JsonAnswerError::Redirect {
            status,
            location: location.map_or_else(|| "nowhere".to_owned(), |url| origin_of(&url)),
        });
    }
    let object = parse_object(response.body.expose());
    let error = object.as_ref().ok().and_then(ErrorResponse::from_json);
    match (object, error) {
        (_, Some(error)) => Err(JsonAnswerError::OAuth { status, error }),
        (_, None) if status >= 400 => Err(JsonAnswerError::Refused { status }),
        (Ok(object), None) => Ok(object),
        (Err(_), None) => Err(JsonAnswerError::NotJson { status }),
    }
}
