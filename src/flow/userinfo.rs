//! Asks the userinfo endpoint whom a token speaks for (OpenID Connect Core §5.3).

use super::caller::Caller;
use super::token_services::{Service, TokenServiceError, endpoint, json_object, not_json, send};
use crate::protocol::abnf::from_base64url;
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::jose::UnverifiedJwt;
use crate::secret::Secret;
use crate::store::Session;
use crate::trace::Event;
use serde_json::{Map, Value};

/// What the userinfo endpoint says of the token's subject: a JSON object as
/// text. `subject` is who signed in, where that is known.
///
/// # Errors
/// [`TokenServiceError`]; [`TokenServiceError::OtherSubject`] and an answer
/// without `sub` mean that nothing of it may be used.
pub async fn userinfo(
    session: &Session,
    token: &Secret,
    subject: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<Vec<u8>, TokenServiceError> {
    let service = Service::Userinfo;
    let endpoint = endpoint(service, session, caller).await?;
    let mut request = HttpRequest::get(endpoint.url().clone());
    let bearer = HeaderValue::Credentials {
        scheme: "Bearer",
        credentials: token.clone(),
    };
    request.headers.push(("authorization", bearer));
    let response = send(service, &endpoint, &request, None, caller).await?;
    let (bytes, members) = if response.media_type().as_deref() == Some("application/jwt") {
        caller.observe(&Event::Note(
            "the userinfo are a signed JWT; its signature is not verified, since it came straight from the server",
        ));
        claims_of_jwt(response.body.expose())
    } else {
        json_object(&response)
    }
    .ok_or_else(|| not_json(service, &endpoint))?;
    match (members.get("sub").and_then(Value::as_str), subject) {
        (None, _) => Err(TokenServiceError::Invalid {
            service: service.name(),
            problem: "it has no sub (OpenID Connect Core §5.3.2)",
        }),
        (Some(found), Some(expected)) if found != expected => Err(TokenServiceError::OtherSubject {
            expected: expected.to_owned(),
            found: found.to_owned(),
        }),
        _ => Ok(bytes),
    }
}

fn claims_of_jwt(bytes: &[u8]) -> Option<(Vec<u8>, Map<String, Value>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let claims = UnverifiedJwt::decode(text).ok()?.claims;
    Some((from_base64url(text.split('.').nth(1)?)?, claims))
}
