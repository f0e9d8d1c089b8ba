//! The body of an answer of the token endpoint, whatever it is: an object, a
//! form, something that is neither. It never fails; what can be taken from a
//! faulty body is what a refusal says, and a refresh token that must not be lost.

use super::error::InvalidTokenResponse;
use super::quirk::Quirk;
use crate::protocol::abnf::is_vschar_text;
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::HttpResponse;
use crate::protocol::json::{JsonError, parse_object};
use crate::protocol::json_scan::ScannedObject;
use crate::protocol::params::Params;
use crate::secret::Secret;
use serde_json::{Map, Value};

/// Longer refresh tokens are refused.
pub const MAX_REFRESH_TOKEN_BYTES: usize = 64 * 1024;

/// More of a text that is not JSON is not shown.
const MAX_WORDS_CHARS: usize = 300;

/// The names by which servers say why they refuse, other than those of RFC 6749.
const MEMBERS_FOR_PEOPLE: [&str; 8] = [
    "error_description",
    "message",
    "errorSummary",
    "detail",
    "title",
    "reason",
    "error_message",
    "msg",
];

/// A body as far as it could be read.
pub(super) enum TokenBody<'a> {
    /// One object, or a form that stands for one.
    Members(Map<String, Value>, Vec<Quirk>),
    /// JSON that must not be used.
    Invalid(InvalidTokenResponse, &'a [u8]),
    NotJson(&'a [u8]),
}

impl<'a> TokenBody<'a> {
    pub(super) fn read(response: &'a HttpResponse) -> Self {
        let bytes = response.body.expose().as_slice();
        let media_type = response.media_type().unwrap_or_default();
        let mut quirks = Vec::new();
        let json = match bytes.strip_prefix("\u{feff}".as_bytes()) {
            Some(rest) => {
                quirks.push(Quirk::ByteOrderMark);
                rest
            }
            None => bytes,
        };
        match parse_object(json) {
            Ok(object) => {
                if media_type != "application/json" && !media_type.ends_with("+json") {
                    quirks.push(Quirk::ContentType(media_type));
                }
                TokenBody::Members(object, quirks)
            }
            Err(problem) if is_json(json) => {
                let problem = match problem {
                    JsonError::NotAnObject => InvalidTokenResponse::NotAnObject,
                    JsonError::Malformed(_) if std::str::from_utf8(json).is_err() => InvalidTokenResponse::NotUtf8,
                    JsonError::Malformed(text) => InvalidTokenResponse::Ambiguous(text),
                };
                TokenBody::Invalid(problem, bytes)
            }
            Err(_) => match form(bytes, &media_type) {
                Some(Ok(members)) => TokenBody::Members(members, vec![Quirk::Form]),
                Some(Err(problem)) => TokenBody::Invalid(problem, bytes),
                None => TokenBody::NotJson(bytes),
            },
        }
    }

    /// `error` of RFC 6749 §5.2, from a faulty body too.
    pub(super) fn error(&self) -> Option<ErrorResponse> {
        match self {
            TokenBody::Members(members, _) => ErrorResponse::from_json(members),
            TokenBody::Invalid(_, bytes) | TokenBody::NotJson(bytes) => {
                let members = readable_members(bytes)?;
                ErrorResponse::from_json(&members)
            }
        }
    }

    /// What the server says for a person, where there is no `error`.
    pub(super) fn words(&self) -> Option<String> {
        match self {
            TokenBody::Members(members, _) => words_in(members),
            TokenBody::Invalid(_, bytes) | TokenBody::NotJson(bytes) => match readable_members(bytes) {
                Some(members) => words_in(&members),
                None => {
                    let text = String::from_utf8_lossy(bytes);
                    let text: String = text.trim().chars().take(MAX_WORDS_CHARS).collect();
                    Some(text).filter(|text| !text.is_empty())
                }
            },
        }
    }
}

/// Whether the answer is a page: a server that has no such endpoint, or something in front of it.
pub(super) fn is_page(response: &HttpResponse) -> bool {
    let media_type = response.media_type().unwrap_or_default();
    let body = response.body.expose();
    media_type.contains("html") || body.trim_ascii_start().starts_with(b"<")
}

/// The refresh token of a successful answer, however faulty that is: it has
/// replaced the one that was sent (RFC 6749 §6), and exists nowhere else. Of
/// several the last. Beside an `error` nothing is taken.
pub fn salvage_refresh_token(response: &HttpResponse) -> Option<Secret> {
    if !(200..300).contains(&response.status) {
        return None;
    }
    let bytes = response.body.expose().as_slice();
    let found = match ScannedObject::read(bytes) {
        Some(object) if object.stands_first || looks_like_token_response(&object) => {
            let says_nothing = |error: String| matches!(error.trim(), "" | "null" | "false" | "0" | "{}" | "[]");
            let is_error = !object.texts("error").all(says_nothing);
            object.string("refresh_token").filter(|_| !is_error)
        }
        _ => {
            let media_type = response.media_type().unwrap_or_default();
            let params = form_params(bytes, &media_type)?;
            let is_error = params.all("error").any(|error| !error.is_empty());
            let last = params.all("refresh_token").last().map(str::to_owned);
            last.filter(|_| !is_error)
        }
    };
    found.filter(|text| is_refresh_token(text)).map(Secret::new)
}

/// Whether it can be sent (RFC 6749 Appendix A.17), and kept.
fn is_refresh_token(text: &str) -> bool {
    is_vschar_text(text) && text.len() <= MAX_REFRESH_TOKEN_BYTES
}

/// A page may have an object with such names in a script, as words of a user interface.
fn looks_like_token_response(object: &ScannedObject<'_>) -> bool {
    let token_type = object.string("token_type").unwrap_or_default();
    let is_known = ["bearer", "dpop"]
        .iter()
        .any(|known| token_type.eq_ignore_ascii_case(known));
    is_known && object.string("access_token").is_some()
}

/// Whether it is JSON at all, objects with repetition, other values and bytes
/// that are not UTF-8 included.
fn is_json(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
}

/// The members that say something, of an object that may be faulty.
fn readable_members(bytes: &[u8]) -> Option<Map<String, Value>> {
    let object = ScannedObject::read(bytes).filter(|object| object.stands_first)?;
    let names = ["error", "error_uri"].into_iter().chain(MEMBERS_FOR_PEOPLE);
    let members = names.filter_map(|name| Some((name.to_owned(), Value::String(object.text(name)?))));
    Some(members.collect())
}

fn words_in(members: &Map<String, Value>) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned).filter(|text| !text.is_empty());
    let own = MEMBERS_FOR_PEOPLE.iter().find_map(|name| text(members.get(*name)?));
    own.or_else(|| match members.get("errors")?.as_array()?.first()? {
        Value::Object(first) => MEMBERS_FOR_PEOPLE.iter().find_map(|name| text(first.get(*name)?)),
        first => text(first),
    })
}

/// A form (GitHub sends one) as the members of an object; `None` where it is not one.
fn form(bytes: &[u8], media_type: &str) -> Option<Result<Map<String, Value>, InvalidTokenResponse>> {
    let params = form_params(bytes, media_type)?;
    let mut members = Map::new();
    for (name, value) in params.iter() {
        let value = Value::String(value.expose().to_owned());
        if members.insert(name.to_owned(), value).is_some() {
            let problem = "a form with a parameter twice".to_owned();
            return Some(Err(InvalidTokenResponse::Ambiguous(problem)));
        }
    }
    Some(Ok(members))
}

/// The content type says that it is a form, or what is in it does.
fn form_params(bytes: &[u8], media_type: &str) -> Option<Params> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.starts_with(['{', '[', '<']) || media_type.contains("html") {
        return None;
    }
    let params = Params::parse(text);
    let has = |name: &str| params.all(name).next().is_some();
    let is_form = media_type == "application/x-www-form-urlencoded" && !params.is_empty();
    (is_form || has("access_token") || has("refresh_token") || has("error")).then_some(params)
}
