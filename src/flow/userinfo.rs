//! Asks the userinfo endpoint for the subject of a token (OpenID Connect Core §5.3).

use super::caller::Caller;
use super::dpop::{DpopSession, NoBoundAnswer};
use super::token_services::{
    KnownServer, TokenService, TokenServiceError, accept, endpoint, json_object, not_json, send,
};
use crate::protocol::abnf::from_base64url;
use crate::protocol::dpop;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::jose::{JwtError, UnverifiedJwt};
use crate::protocol::json::parse_object;
use crate::secret::Secret;
use crate::trace::Event;
use serde_json::{Map, Value};

/// What the userinfo endpoint says about the token's subject: a JSON object as
/// text. `subject` is who signed in, where that is known.
///
/// # Errors
/// [`TokenServiceError`]; [`TokenServiceError::OtherSubject`] and an answer
/// without `sub` mean that nothing of it may be used.
pub async fn userinfo(
    server: &KnownServer,
    token: &Secret,
    subject: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<Vec<u8>, TokenServiceError> {
    let service = TokenService::Userinfo;
    let endpoint = endpoint(service, server, caller).await?;
    let identity = server.client.tls_identity()?;
    let request = |scheme| HttpRequest {
        tls_identity: identity.clone(),
        ..request(scheme, &endpoint, token)
    };
    let response = match &server.dpop_key {
        None => send(service, &endpoint, &request("Bearer"), None, caller).await?,
        Some(key) => {
            let make = |_: &mut Caller<'_>| Ok(request(dpop::SCHEME));
            let sent = DpopSession::with_stored_key(key)?
                .send(Some(token), caller, &make)
                .await;
            let (request, response) = sent.map_err(|error| not_sent(service, error))?;
            accept(service, &endpoint, &request, response, None)?
        }
    };
    let invalid = |problem| TokenServiceError::Invalid {
        service: service.name(),
        problem,
    };
    // What the body is counts: servers send a JWT under many content types.
    let (bytes, members) = match json_object(&response) {
        Some(object) => object,
        None => match SignedClaims::read(response.body.expose()) {
            Some(SignedClaims::Readable(bytes, claims)) => {
                caller.observe(&Event::Note(
                    "the userinfo response is a signed JWT; its signature is not verified, since it came straight from the server",
                ));
                (bytes, claims)
            }
            Some(SignedClaims::Encrypted) => return Err(invalid(ENCRYPTED)),
            None => return Err(not_json(service, &endpoint)),
        },
    };
    match (members.get("sub"), subject) {
        (None | Some(Value::Null), _) => Err(invalid("it has no sub (OpenID Connect Core §5.3.2)")),
        (Some(Value::String(found)), Some(expected)) if found != expected => Err(TokenServiceError::OtherSubject {
            expected: expected.to_owned(),
            found: found.to_owned(),
        }),
        (Some(Value::String(_)), _) => Ok(bytes),
        (Some(Value::Number(_)), _) => Err(invalid(
            "its sub is a number, but must be a string (OpenID Connect Core §5.1)",
        )),
        (Some(_), _) => Err(invalid("its sub is not a string (OpenID Connect Core §5.1)")),
    }
}

fn request(scheme: &'static str, endpoint: &Endpoint, token: &Secret) -> HttpRequest {
    let mut request = HttpRequest::get(endpoint.url().clone());
    let credentials = HeaderValue::Credentials {
        scheme,
        credentials: token.clone(),
    };
    request.push_header("authorization", credentials);
    request
}

fn not_sent(service: TokenService, error: NoBoundAnswer) -> TokenServiceError {
    match error {
        NoBoundAnswer::Dpop(error) => error.into(),
        NoBoundAnswer::Authentication(error) => error.into(),
        NoBoundAnswer::Transport(source) => TokenServiceError::Transport {
            service: service.name(),
            source: Box::new(source),
        },
    }
}

const ENCRYPTED: &str = "it is encrypted (a JWT of five segments, RFC 7516 §3.1), which is not supported; register the client without userinfo_encrypted_response_alg";

/// Userinfo as a JWT (OpenID Connect Core §5.3.2).
enum SignedClaims {
    /// The claims, as bytes and parsed.
    Readable(Vec<u8>, Map<String, Value>),
    Encrypted,
}

impl SignedClaims {
    /// A JWT, alone or as a JSON string; `None` for anything else.
    fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?.trim();
        let text = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        match UnverifiedJwt::decode(text) {
            Ok(jwt) => {
                let bytes = from_base64url(text.split('.').nth(1)?)?;
                Some(SignedClaims::Readable(bytes, jwt.claims))
            }
            // Other text with four dots is not a JWT.
            Err(JwtError::Encrypted) => {
                let header = from_base64url(text.split('.').next()?)?;
                parse_object(&header).ok().map(|_| SignedClaims::Encrypted)
            }
            Err(_) => None,
        }
    }
}
