//! The device authorization request and its answer (RFC 8628 §3.1, §3.2), as a
//! client sends and reads them and as a server does; how often the client may
//! then ask for the tokens is in [`polling`].

mod error;
pub mod polling;
#[cfg(test)]
mod tests;

pub use error::{DeviceAuthorizationError, InvalidDeviceAuthorization};

use super::citation::{Cited, RequestError};
use super::client::{AuthenticationContext, Client, ClientAuthenticationError};
use super::endpoint::{Endpoint, EndpointError, HttpPolicy, origin_of};
use super::error::ErrorResponse;
use super::http::{HttpRequest, HttpResponse, is_unavailable_for_post};
use super::json::{JsonError, parse_object};
use super::params::Params;
use super::pkce::{CodeChallenge, S256};
use super::resource::Resource;
use super::scope::Scope;
use crate::secret::Secret;
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

/// Longer device codes are refused.
const MAX_DEVICE_CODE_BYTES: usize = 16 * 1024;

/// Longer user codes are refused: a person types them.
const MAX_USER_CODE_CHARS: usize = 128;

/// Longer lifetimes are taken as this one.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The lifetime where the server names none, which RFC 8628 §3.2 requires.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What is asked for (RFC 8628 §3.1), with PKCE (RFC 7636 §4.3) for servers that take it here.
#[derive(Debug)]
pub struct DeviceAuthorizationRequest<'r> {
    pub client: &'r Client,
    pub scope: &'r Scope,
    /// Which resource servers the token is for (RFC 8707).
    pub resource: &'r [Resource],
    /// The same for servers that use this name.
    pub audience: Option<&'r str>,
    pub code_challenge: Option<CodeChallenge>,
    /// Further parameters, in order.
    pub extra: &'r [(String, String)],
}

impl DeviceAuthorizationRequest<'_> {
    /// The request to send, with the client's authentication as at the token endpoint.
    ///
    /// # Errors
    /// [`ClientAuthenticationError`].
    pub fn http_request(
        &self,
        endpoint: &Endpoint,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<HttpRequest, ClientAuthenticationError> {
        let mut request = HttpRequest::post(endpoint.url().clone(), Params::new());
        self.client.authenticate(&mut request, context)?;
        let mut params = request.take_form();
        if !self.scope.is_empty() {
            params.push("scope", &self.scope.to_string());
        }
        for resource in self.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = self.audience {
            params.push("audience", audience);
        }
        if let Some(code_challenge) = &self.code_challenge {
            params.push("code_challenge", code_challenge.as_str());
            params.push("code_challenge_method", S256);
        }
        for (name, value) in self.extra {
            params.push(name, value);
        }
        request.set_form(params);
        Ok(request)
    }
}

/// A request as a server received it, but for its client.
#[derive(Debug)]
pub struct ReceivedDeviceAuthorizationRequest {
    pub scope: Scope,
    pub resource: Vec<Resource>,
    pub code_challenge: Option<CodeChallenge>,
}

impl ReceivedDeviceAuthorizationRequest {
    /// Reads the form body, whose parameters stand there once each.
    ///
    /// # Errors
    /// The [`RequestError`] to answer with.
    pub fn parse(params: &Params) -> Result<Self, RequestError> {
        let single = |name: &str| params.single(name).ok().flatten();
        let scope = Scope::parse(single("scope").unwrap_or_default())
            .map_err(|error| RequestError::new("invalid_scope", error.cited()))?;
        let resource = params.all("resource").map(Resource::parse);
        let resource = resource
            .collect::<Result<_, _>>()
            .map_err(|error| RequestError::new("invalid_target", error.cited()))?;
        let code_challenge = match (single("code_challenge"), single("code_challenge_method")) {
            (None, None) => None,
            (Some(challenge), Some(S256)) => {
                let challenge = CodeChallenge::parse(challenge);
                Some(challenge.map_err(|error| RequestError::new("invalid_request", error.cited()))?)
            }
            _ => {
                let cited = Cited::new("code_challenge comes with code_challenge_method S256", "RFC 7636 §4.3");
                return Err(RequestError::new("invalid_request", cited));
            }
        };
        Ok(ReceivedDeviceAuthorizationRequest {
            scope,
            resource,
            code_challenge,
        })
    }
}

/// What the person is shown, and what the client asks with (RFC 8628 §3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// For the client alone.
    pub device_code: Secret,
    /// For the person, who types it at the verification URI.
    pub user_code: Secret,
    /// Where the person goes: https, or http on this machine.
    pub verification_uri: Url,
    /// The same with the user code in it.
    pub verification_uri_complete: Option<Url>,
    /// How long the two codes live.
    pub lifetime: Duration,
    /// How long to wait between two requests; `None` where the server does not say.
    pub interval: Option<Duration>,
    /// What is odd about the answer though it can be used.
    pub quirks: Vec<&'static str>,
}

impl DeviceAuthorization {
    /// Reads the answer of the device authorization endpoint, in the order that
    /// decides the exit code: status, then `error`, then whether it is JSON, then the members.
    ///
    /// # Errors
    /// [`DeviceAuthorizationError`].
    pub fn read(
        endpoint: &Endpoint,
        response: &HttpResponse,
        http_policy: HttpPolicy,
    ) -> Result<Self, DeviceAuthorizationError> {
        let status = response.status;
        let url = endpoint.url();
        if is_unavailable_for_post(status) {
            let endpoint = endpoint.to_string();
            return Err(DeviceAuthorizationError::Unavailable { endpoint, status });
        }
        if (300..400).contains(&status) {
            let location = response.header("location").and_then(|text| url.join(text).ok());
            return Err(DeviceAuthorizationError::Redirect {
                endpoint: endpoint.to_string(),
                status,
                location: location.map_or_else(|| "nowhere".to_owned(), |url| origin_of(&url)),
            });
        }
        let object = parse_object(response.body.expose());
        let error = object.as_ref().ok().and_then(ErrorResponse::from_json);
        match (object, error) {
            (_, Some(error)) => Err(DeviceAuthorizationError::OAuth {
                endpoint: endpoint.to_string(),
                status,
                error,
            }),
            (_, None) if status >= 400 => {
                let endpoint = endpoint.to_string();
                Err(DeviceAuthorizationError::Refused { endpoint, status })
            }
            (Ok(object), None) => DeviceAuthorization::from_json(&object, url, http_policy).map_err(|problem| {
                let endpoint = endpoint.to_string();
                DeviceAuthorizationError::Invalid { endpoint, problem }
            }),
            (Err(JsonError::NotAnObject | JsonError::Malformed(_)), None) => {
                let endpoint = endpoint.to_string();
                Err(DeviceAuthorizationError::NotJson { endpoint, status })
            }
        }
    }

    /// Reads the members of RFC 8628 §3.2 that came from the server of this URL.
    ///
    /// # Errors
    /// [`InvalidDeviceAuthorization`].
    pub fn from_json(
        object: &Map<String, Value>,
        server: &Url,
        http_policy: HttpPolicy,
    ) -> Result<Self, InvalidDeviceAuthorization> {
        let mut quirks = Vec::new();
        let vet = |text: &str| verification_uri(text, server, http_policy);
        let device_code = required_text(object, "device_code")?;
        if device_code.expose().len() > MAX_DEVICE_CODE_BYTES {
            return Err(InvalidDeviceAuthorization::TooLong("device_code"));
        }
        let user_code = required_text(object, "user_code")?;
        if user_code.length_chars() > MAX_USER_CODE_CHARS {
            return Err(InvalidDeviceAuthorization::TooLong("user_code"));
        }
        let named = required_text(object, "verification_uri").or_else(|missing| {
            // Google's name, older than the RFC
            let text = required_text(object, "verification_url").map_err(|_| missing)?;
            quirks.push("it has verification_url instead of verification_uri");
            Ok(text)
        })?;
        let verification_uri = vet(named.expose()).map_err(|problem| InvalidDeviceAuthorization::VerificationUri {
            member: "verification_uri",
            problem,
        })?;
        let complete = ["verification_uri_complete", "verification_url_complete"];
        let complete = complete
            .iter()
            .find_map(|name| text(object, name))
            .map(|text| vet(&text));
        if matches!(complete, Some(Err(_))) {
            quirks.push("its verification_uri_complete cannot be used");
        }
        let lifetime = match object.get("expires_in").map(seconds) {
            Some(Some(lifetime)) if !lifetime.is_zero() => lifetime.min(MAX_LIFETIME),
            _ => {
                quirks.push("it does not say for how long the code is valid (expires_in)");
                ASSUMED_LIFETIME
            }
        };
        let interval = object.get("interval").filter(|value| !value.is_null()).map(seconds);
        if interval == Some(None) {
            quirks.push("its interval is not a number of seconds");
        }
        Ok(DeviceAuthorization {
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete: complete.and_then(Result::ok),
            lifetime,
            interval: interval.flatten(),
            quirks,
        })
    }

    /// The JSON body of RFC 8628 §3.2, for the client that asked.
    pub fn to_json(&self) -> Secret {
        let mut object = json!({
            "device_code": self.device_code.expose(),
            "user_code": self.user_code.expose(),
            "verification_uri": self.verification_uri.as_str(),
            "expires_in": self.lifetime.as_secs(),
        });
        if let Some(complete) = &self.verification_uri_complete {
            object["verification_uri_complete"] = json!(complete.as_str());
        }
        if let Some(interval) = self.interval {
            object["interval"] = json!(interval.as_secs());
        }
        Secret::new(object.to_string())
    }

    /// The members as a message has them, secrets tagged.
    pub fn params(&self) -> Params {
        let mut params = Params::new();
        params.push("device_code", self.device_code.expose());
        params.push("user_code", self.user_code.expose());
        params.push("verification_uri", self.verification_uri.as_str());
        if let Some(complete) = &self.verification_uri_complete {
            params.push("verification_uri_complete", complete.as_str());
        }
        params.push("expires_in", &self.lifetime.as_secs().to_string());
        if let Some(interval) = self.interval {
            params.push("interval", &interval.as_secs().to_string());
        }
        params
    }
}

/// Where a person goes may have a fragment, as a page with scripts has one;
/// beside that it is vetted as an endpoint is.
fn verification_uri(text: &str, server: &Url, http_policy: HttpPolicy) -> Result<Url, EndpointError> {
    let (address, fragment) = match text.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (text, None),
    };
    let mut url = Endpoint::parse_untrusted(address, server, http_policy)?.url().clone();
    url.set_fragment(fragment);
    Ok(url)
}

/// A string that is not empty; a number, as some send codes, stands for its digits.
fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn required_text(object: &Map<String, Value>, name: &'static str) -> Result<Secret, InvalidDeviceAuthorization> {
    match (text(object, name), object.get(name)) {
        (Some(text), _) => Ok(Secret::new(text)),
        (None, None | Some(Value::Null)) => Err(InvalidDeviceAuthorization::Missing(name)),
        (None, Some(Value::String(_))) => Err(InvalidDeviceAuthorization::Empty(name)),
        (None, Some(_)) => Err(InvalidDeviceAuthorization::Type(name)),
    }
}

/// A time in seconds as servers send it: a number, a number in a string, a
/// float. A negative one is none at all.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    // Beyond a day all bounds have come
    let bounded = f64::min(seconds, 86_400.0).max(0.0);
    bounded.is_finite().then(|| Duration::from_secs_f64(bounded))
}
