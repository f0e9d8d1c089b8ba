//! Pushed authorization requests (RFC 9126 §2): the client posts the request
//! and gets a reference to it, which is all that the browser then carries.

use super::client::{AuthenticationContext, Client, ClientAuthenticationError, ClientId};
use super::endpoint::Endpoint;
use super::http::{HttpRequest, HttpResponse};
use super::json_answer::{JsonAnswerError, read_object};
use super::params::Params;
use crate::secret::Secret;
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

/// Longer references are refused: they go into a URL.
const MAX_REQUEST_URI_BYTES: usize = 2048;

/// Longer lifetimes are taken as this one.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The request to send (§2.1): these parameters, with the client's
/// authentication as at the token endpoint.
///
/// # Errors
/// [`ClientAuthenticationError`].
pub fn http_request(
    params: &Params,
    client: &Client,
    endpoint: &Endpoint,
    context: &mut AuthenticationContext<'_>,
) -> Result<HttpRequest, ClientAuthenticationError> {
    let mut request = HttpRequest::post(endpoint.url().clone(), params.clone());
    client.authenticate(&mut request, context)?;
    // Some methods add it, and it is required in either case.
    let mut params = request.take_form();
    params.set("client_id", client.id.as_str());
    request.set_form(params);
    Ok(request)
}

/// A request that the server keeps (§2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedAuthorization {
    /// The reference to it.
    pub request_uri: String,
    /// How long the server keeps it; `None` where it does not say.
    pub lifetime: Option<Duration>,
}

/// A successful answer that breaks the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPushedAuthorization {
    #[error("it has no request_uri (RFC 9126 §2.2)")]
    NoRequestUri,
    /// No absolute URI, or one that is much too long.
    #[error("its request_uri is not a URI of at most {MAX_REQUEST_URI_BYTES} characters (RFC 9126 §2.2)")]
    MalformedRequestUri,
    /// The server would have to fetch the request from there.
    #[error("its request_uri is the address of a page, not a reference of the server's own (RFC 9126 §2.2)")]
    ForeignRequestUri,
    #[error("its expires_in is not a positive number of seconds, so that the request is of no use (RFC 9126 §2.2)")]
    Expired,
}

/// Why there is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushedAuthorizationError {
    #[error("the pushed authorization request endpoint {endpoint} {problem}")]
    Answer { endpoint: String, problem: JsonAnswerError },
    #[error("the answer of the pushed authorization request endpoint {endpoint} cannot be used: {problem}")]
    Invalid {
        endpoint: String,
        problem: InvalidPushedAuthorization,
    },
}

impl PushedAuthorizationError {
    /// The same without these secrets, which a server may repeat.
    #[must_use]
    pub fn scrubbed(self, secrets: &[Secret]) -> Self {
        match self {
            PushedAuthorizationError::Answer { endpoint, problem } => PushedAuthorizationError::Answer {
                endpoint,
                problem: problem.scrubbed(secrets),
            },
            other => other,
        }
    }
}

impl PushedAuthorization {
    /// Reads the answer of the endpoint. Status 200 is taken like 201.
    ///
    /// # Errors
    /// [`PushedAuthorizationError`].
    pub fn read(endpoint: &Endpoint, response: &HttpResponse) -> Result<Self, PushedAuthorizationError> {
        let object = read_object(endpoint, response).map_err(|problem| PushedAuthorizationError::Answer {
            endpoint: endpoint.to_string(),
            problem,
        })?;
        PushedAuthorization::from_json(&object).map_err(|problem| PushedAuthorizationError::Invalid {
            endpoint: endpoint.to_string(),
            problem,
        })
    }

    /// Reads the members of §2.2.
    ///
    /// # Errors
    /// [`InvalidPushedAuthorization`].
    pub fn from_json(object: &Map<String, Value>) -> Result<Self, InvalidPushedAuthorization> {
        let request_uri = match object.get("request_uri") {
            None | Some(Value::Null) => return Err(InvalidPushedAuthorization::NoRequestUri),
            Some(Value::String(text)) => text.clone(),
            Some(_) => return Err(InvalidPushedAuthorization::MalformedRequestUri),
        };
        check_request_uri(&request_uri)?;
        Ok(PushedAuthorization {
            request_uri,
            lifetime: lifetime(object.get("expires_in"))?,
        })
    }

    /// What the browser carries instead of the request (§4).
    pub fn params(&self, client_id: &ClientId) -> Params {
        let mut params = Params::new();
        params.push("client_id", client_id.as_str());
        params.push("request_uri", &self.request_uri);
        params
    }

    /// The JSON body of §2.2.
    pub fn to_json(&self) -> Value {
        let mut object = json!({ "request_uri": self.request_uri });
        if let Some(lifetime) = self.lifetime {
            object["expires_in"] = json!(lifetime.as_secs());
        }
        object
    }
}

fn check_request_uri(text: &str) -> Result<(), InvalidPushedAuthorization> {
    let is_uri = text.len() <= MAX_REQUEST_URI_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    match Url::parse(text) {
        Ok(url) if is_uri && matches!(url.scheme(), "http" | "https") => {
            Err(InvalidPushedAuthorization::ForeignRequestUri)
        }
        Ok(_) if is_uri => Ok(()),
        _ => Err(InvalidPushedAuthorization::MalformedRequestUri),
    }
}

/// Whole seconds as a number or, as some servers send them, in a string; text
/// that is not a number says nothing.
fn lifetime(expires_in: Option<&Value>) -> Result<Option<Duration>, InvalidPushedAuthorization> {
    let seconds = match expires_in {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    match seconds {
        None => Ok(None),
        Some(seconds) if seconds >= 1.0 => {
            let bounded = seconds.min(MAX_LIFETIME.as_secs_f64());
            Ok(Some(Duration::from_secs_f64(bounded.trunc())))
        }
        Some(_) => Err(InvalidPushedAuthorization::Expired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::{AssertionParameters, ClientAuthenticationMethod, ClientCredentials};
    use crate::protocol::client_auth::tests::{FixedRandomness, context};
    use crate::protocol::endpoint::HttpPolicy;
    use crate::protocol::json::parse_object;

    fn read(text: &str) -> Result<PushedAuthorization, InvalidPushedAuthorization> {
        PushedAuthorization::from_json(&parse_object(text.as_bytes()).unwrap())
    }

    /// RFC 9126 §2.1, but for the order of its parameters.
    #[test]
    fn the_request_of_rfc_9126_section_2_1() {
        let mut params = Params::new();
        for (name, value) in [
            ("response_type", "code"),
            ("state", "af0ifjsldkj"),
            ("client_id", "s6BhdRkqt3"),
            ("redirect_uri", "https://client.example.org/cb"),
            ("code_challenge", "K2-ltc83acc4h0c9w6ESC_rEMTJ3bww-uCHaoeK1t8U"),
            ("code_challenge_method", "S256"),
            ("scope", "account-information"),
        ] {
            params.push(name, value);
        }
        let credentials = ClientCredentials {
            secret: Some(Secret::from("7Fjfp0ZBr1KtDRbnfVdmIw")),
            ..ClientCredentials::default()
        };
        let client = Client::new(
            ClientId::parse("s6BhdRkqt3").unwrap(),
            ClientAuthenticationMethod::ClientSecretBasic,
            credentials,
            &AssertionParameters::default(),
        );
        let endpoint = Endpoint::parse("https://as.example.com/as/par", HttpPolicy::LoopbackOnly).unwrap();
        let mut randomness = FixedRandomness;
        let mut request = http_request(&params, &client.unwrap(), &endpoint, &mut context(&mut randomness)).unwrap();
        let authorization = request
            .headers
            .iter()
            .find(|(name, _)| name.as_str() == "authorization");
        assert_eq!(
            authorization.unwrap().1.expose().expose(),
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
        );
        assert_eq!(
            request.take_form().encode().expose(),
            "response_type=code&state=af0ifjsldkj&client_id=s6BhdRkqt3\
             &redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb\
             &code_challenge=K2-ltc83acc4h0c9w6ESC_rEMTJ3bww-uCHaoeK1t8U&code_challenge_method=S256\
             &scope=account-information"
        );
    }

    #[test]
    fn the_answer_of_rfc_9126_section_2_2_is_read_and_carried_as_in_section_4() {
        let example =
            r#"{"request_uri":"urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c","expires_in":60}"#;
        let pushed = read(example).unwrap();
        assert_eq!(pushed.lifetime, Some(Duration::from_secs(60)));
        let client_id = ClientId::parse("s6BhdRkqt3").unwrap();
        assert_eq!(
            pushed.params(&client_id).encode().expose(),
            "client_id=s6BhdRkqt3&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6esc_11ACC5bwc014ltc14eY22c"
        );
        assert_eq!(read(&pushed.to_json().to_string()), Ok(pushed));
    }

    #[test]
    fn answers_that_break_the_specification() {
        let long = format!(r#"{{"request_uri":"urn:x:{}","expires_in":60}}"#, "a".repeat(4000));
        for (text, error) in [
            (r#"{"expires_in":60}"#, InvalidPushedAuthorization::NoRequestUri),
            (r#"{"request_uri":null}"#, InvalidPushedAuthorization::NoRequestUri),
            (r#"{"request_uri":7}"#, InvalidPushedAuthorization::MalformedRequestUri),
            (r#"{"request_uri":""}"#, InvalidPushedAuthorization::MalformedRequestUri),
            (
                r#"{"request_uri":"abc"}"#,
                InvalidPushedAuthorization::MalformedRequestUri,
            ),
            (
                r#"{"request_uri":"urn:a b"}"#,
                InvalidPushedAuthorization::MalformedRequestUri,
            ),
            (
                r#"{"request_uri":"urn:a\u001b"}"#,
                InvalidPushedAuthorization::MalformedRequestUri,
            ),
            (&long, InvalidPushedAuthorization::MalformedRequestUri),
            (
                r#"{"request_uri":"https://evil.example/r"}"#,
                InvalidPushedAuthorization::ForeignRequestUri,
            ),
            (
                r#"{"request_uri":"HTTP://evil.example"}"#,
                InvalidPushedAuthorization::ForeignRequestUri,
            ),
            (
                r#"{"request_uri":"urn:x:1","expires_in":0}"#,
                InvalidPushedAuthorization::Expired,
            ),
            (
                r#"{"request_uri":"urn:x:1","expires_in":-5}"#,
                InvalidPushedAuthorization::Expired,
            ),
            (
                r#"{"request_uri":"urn:x:1","expires_in":"NaN"}"#,
                InvalidPushedAuthorization::Expired,
            ),
        ] {
            assert_eq!(read(text), Err(error), "{text:.80}");
        }
    }

    #[test]
    fn lifetimes_as_servers_write_them() {
        let seconds = |text: &str| {
            let pushed = read(&format!(r#"{{"request_uri":"urn:x:1"{text}}}"#)).unwrap();
            pushed.lifetime.map(|lifetime| lifetime.as_secs())
        };
        assert_eq!(seconds(""), None);
        assert_eq!(seconds(r#","expires_in":"90""#), Some(90));
        assert_eq!(seconds(r#","expires_in":59.9"#), Some(59));
        assert_eq!(seconds(r#","expires_in":"soon""#), None);
        assert_eq!(seconds(r#","expires_in":{}"#), None);
        assert_eq!(seconds(r#","expires_in":1e300"#), Some(86_400));
    }
}
