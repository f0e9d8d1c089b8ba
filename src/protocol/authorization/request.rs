//! The authorization request (RFC 6749 §4.1.1), with PKCE (RFC 7636 §4.3) and
//! `resource` (RFC 8707 §2.1): as the client sends it and as a server reads it.

use crate::protocol::abnf::from_base64url;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::client::ClientId;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::params::{Params, Repeated};
use crate::protocol::pkce::{CodeChallenge, S256};
use crate::protocol::redirect_uri::{InvalidRedirectUri, RedirectUri};
use crate::protocol::resource::Resource;
use crate::protocol::scope::{Scope, ScopeSeparator};
use crate::protocol::state::{Nonce, State};
use url::Url;

/// Parameters that the flow sets itself; no extra parameter may have such a name.
pub const RESERVED_PARAMETERS: [&str; 15] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "resource",
    "audience",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "dpop_jkt",
    "authorization_details",
    "request",
    "request_uri",
];

/// How the response comes back (OAuth 2.0 Multiple Response Types §2.1, Form
/// Post §2, JARM §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a GET.
    Query,
    /// In the body of a POST.
    FormPost,
    /// As a signed JWT, where the response type puts it: in the query, for a code.
    Jwt,
    /// As a signed JWT in the query of a GET.
    QueryJwt,
    /// As a signed JWT in the body of a POST.
    FormPostJwt,
}

impl ResponseMode {
    /// All modes, for messages and for metadata.
    pub const ALL: [ResponseMode; 5] = [
        ResponseMode::Query,
        ResponseMode::FormPost,
        ResponseMode::Jwt,
        ResponseMode::QueryJwt,
        ResponseMode::FormPostJwt,
    ];

    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseMode::Query => "query",
            ResponseMode::FormPost => "form_post",
            ResponseMode::Jwt => "jwt",
            ResponseMode::QueryJwt => "query.jwt",
            ResponseMode::FormPostJwt => "form_post.jwt",
        }
    }

    /// Whether it comes as a POST.
    pub fn is_post(self) -> bool {
        matches!(self, ResponseMode::FormPost | ResponseMode::FormPostJwt)
    }

    /// Whether it comes as a signed JWT.
    pub fn is_signed(self) -> bool {
        matches!(
            self,
            ResponseMode::Jwt | ResponseMode::QueryJwt | ResponseMode::FormPostJwt
        )
    }

    /// The mode with this name.
    pub fn named(name: &str) -> Option<Self> {
        ResponseMode::ALL.into_iter().find(|mode| mode.as_str() == name)
    }

    fn parse(text: &str) -> Result<Self, RequestError> {
        ResponseMode::named(text).ok_or_else(|| {
            let known = ResponseMode::ALL.map(ResponseMode::as_str).join(", ");
            invalid_request(Cited::uncited(format!("response_mode is none of {known}")))
        })
    }
}

/// What the browser carries to the authorization endpoint.
#[derive(Debug)]
pub struct AuthorizationRequest {
    pub client_id: ClientId,
    /// Where the answer goes.
    pub redirect_uri: RedirectUri,
    /// What is asked for; not sent when empty.
    pub scope: Scope,
    /// What is between its tokens.
    pub scope_separator: ScopeSeparator,
    /// Ties the answer to this request. The client always sends one.
    pub state: Option<State>,
    /// Which resource servers the token is for.
    pub resource: Vec<Resource>,
    /// The same for servers that use this name.
    pub audience: Option<String>,
    /// Ties the ID token to this request; sent with scope `openid`.
    pub nonce: Option<Nonce>,
    /// S256 of the verifier.
    pub code_challenge: CodeChallenge,
    /// Sent only when the user chose one.
    pub response_mode: Option<ResponseMode>,
    /// The thumbprint of the key that the code is bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// RFC 9396 §2.
    pub authorization_details: Option<AuthorizationDetails>,
    /// `prompt`, `login_hint` and others, in order.
    pub extra: Vec<(String, String)>,
}

/// Why an authorization request has no redirect URI that an answer could go to: the
/// server shows a page and never redirects (RFC 6749 §4.1.2.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub enum RedirectTargetError {
    /// `client_id` or `redirect_uri` twice.
    Repeated(#[from] Repeated),
    /// No `client_id`.
    NoClientId,
    ClientId,
    /// Not an absolute URI.
    RedirectUri(#[from] InvalidRedirectUri),
}

impl RedirectTargetError {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        match self {
            RedirectTargetError::Repeated(repeated) => repeated.cited(),
            RedirectTargetError::NoClientId => Cited::new("client_id is missing", "RFC 6749 §4.1.1"),
            RedirectTargetError::ClientId => {
                Cited::new("client_id has characters that are not allowed", "RFC 6749 Appendix A.1")
            }
            RedirectTargetError::RedirectUri(invalid) => invalid.cited(),
        }
    }
}

impl AuthorizationRequest {
    /// The parameters in the order of the specification.
    pub fn params(&self) -> Params {
        let mut params = Params::new();
        params.push("response_type", "code");
        params.push("client_id", self.client_id.as_str());
        if let Some(state) = &self.state {
            params.push("state", state.expose());
        }
        if !self.scope.is_empty() {
            params.push("scope", &self.scope.joined_by(self.scope_separator));
        }
        params.push("redirect_uri", self.redirect_uri.as_str());
        for resource in &self.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &self.audience {
            params.push("audience", audience);
        }
        params.push("code_challenge", self.code_challenge.as_str());
        params.push("code_challenge_method", S256);
        if let Some(nonce) = &self.nonce {
            params.push("nonce", nonce.expose());
        }
        if let Some(mode) = self.response_mode {
            params.push("response_mode", mode.as_str());
        }
        if let Some(thumbprint) = &self.dpop_jkt {
            params.push("dpop_jkt", thumbprint);
        }
        if let Some(details) = &self.authorization_details {
            params.push("authorization_details", &details.to_string());
        }
        for (name, value) in &self.extra {
            params.push(name, value);
        }
        params
    }

    /// The URL to open: the endpoint with the parameters added to its query,
    /// which is retained (RFC 6749 §3.1).
    pub fn url(&self, authorization_endpoint: &Endpoint) -> Url {
        authorization_endpoint.with_params(&self.params())
    }

    /// Where an answer could go: the first thing a server has to know.
    ///
    /// # Errors
    /// [`RedirectTargetError`]: show a page, never redirect.
    pub fn redirect_target(params: &Params) -> Result<(ClientId, Option<RedirectUri>), RedirectTargetError> {
        let client_id = params.single("client_id")?.ok_or(RedirectTargetError::NoClientId)?;
        let client_id = ClientId::parse(client_id).map_err(|_| RedirectTargetError::ClientId)?;
        let redirect_uri = params.single("redirect_uri")?.map(RedirectUri::parse).transpose()?;
        Ok((client_id, redirect_uri))
    }

    /// Reads the rest of a request whose client and redirect URI the server has accepted.
    ///
    /// # Errors
    /// The [`RequestError`] to redirect with, as RFC 6749 §4.1.2.1 says.
    pub fn parse(params: &Params, client_id: ClientId, redirect_uri: RedirectUri) -> Result<Self, RequestError> {
        if let Some(repeated) = params.first_repeated() {
            return Err(invalid_request(repeated.cited()));
        }
        let single = |name: &str| params.single(name).ok().flatten();
        refuse_request_objects(single("request"), single("request_uri"))?;
        check_response_type(single("response_type"))?;
        let response_mode = single("response_mode").map(ResponseMode::parse).transpose()?;
        let code_challenge = parse_code_challenge(single("code_challenge"), single("code_challenge_method"))?;
        let state = single("state").map(|text| {
            let cited = || Cited::new("state has characters that are not allowed", "RFC 6749 Appendix A.5");
            State::parse(text).ok_or_else(|| invalid_request(cited()))
        });
        let nonce = single("nonce").map(|text| {
            Nonce::parse(text).ok_or_else(|| invalid_request(Cited::uncited("nonce is not printable ASCII")))
        });
        let scope = Scope::parse(single("scope").unwrap_or_default())
            .map_err(|error| RequestError::new("invalid_scope", error.cited()))?;
        let resource = params
            .all("resource")
            .map(Resource::parse)
            .collect::<Result<_, _>>()
            .map_err(|error| RequestError::new("invalid_target", error.cited()))?;
        let extra = params
            .iter()
            .filter(|(name, _)| !RESERVED_PARAMETERS.contains(name))
            .map(|(name, value)| (name.to_owned(), value.expose().to_owned()))
            .collect();
        Ok(AuthorizationRequest {
            client_id,
            redirect_uri,
            scope,
            scope_separator: ScopeSeparator::default(),
            state: state.transpose()?,
            resource,
            audience: single("audience").map(str::to_owned),
            nonce: nonce.transpose()?,
            code_challenge,
            response_mode,
            dpop_jkt: single("dpop_jkt").map(parse_thumbprint).transpose()?,
            authorization_details: single("authorization_details").map(parse_details).transpose()?,
            extra,
        })
    }
}

fn invalid_request(cited: Cited) -> RequestError {
    RequestError::new("invalid_request", cited)
}

fn parse_details(text: &str) -> Result<AuthorizationDetails, RequestError> {
    AuthorizationDetails::parse(text).map_err(|problem| {
        let reason = format!("authorization_details cannot be read: {problem}");
        RequestError::new("invalid_authorization_details", Cited::new(reason, "RFC 9396 §5"))
    })
}

/// A SHA-256 in base64url (RFC 7638 §3.1).
fn parse_thumbprint(text: &str) -> Result<String, RequestError> {
    match from_base64url(text) {
        Some(octets) if octets.len() == 32 => Ok(text.to_owned()),
        _ => Err(invalid_request(Cited::new(
            "dpop_jkt is not a SHA-256 in base64url",
            "RFC 9449 §10",
        ))),
    }
}

fn refuse_request_objects(request: Option<&str>, request_uri: Option<&str>) -> Result<(), RequestError> {
    match (request, request_uri) {
        (Some(_), Some(_)) => Err(invalid_request(Cited::new(
            "both request and request_uri are given",
            "RFC 9101 §5",
        ))),
        (Some(_), None) => Err(RequestError::new(
            "request_not_supported",
            Cited::new("request objects are not supported", "RFC 9101"),
        )),
        (None, Some(_)) => Err(RequestError::new(
            "request_uri_not_supported",
            Cited::new("request_uri is not supported", "RFC 9101"),
        )),
        (None, None) => Ok(()),
    }
}

fn check_response_type(response_type: Option<&str>) -> Result<(), RequestError> {
    match response_type {
        Some("code") => Ok(()),
        Some(_) => Err(RequestError::new(
            "unsupported_response_type",
            Cited::new(
                "only response_type=code is supported",
                "RFC 6749 §3.1.1, RFC 9700 §2.1.2",
            ),
        )),
        None => Err(invalid_request(Cited::new(
            "response_type is missing",
            "RFC 6749 §3.1.1",
        ))),
    }
}

fn parse_code_challenge(challenge: Option<&str>, method: Option<&str>) -> Result<CodeChallenge, RequestError> {
    let challenge = challenge.ok_or_else(|| {
        invalid_request(Cited::new(
            "code challenge required",
            "RFC 7636 §4.4.1, RFC 9700 §2.1.1",
        ))
    })?;
    if method != Some(S256) {
        return Err(invalid_request(Cited::new(
            "transform algorithm not supported: only S256 is",
            "RFC 7636 §4.4.1",
        )));
    }
    CodeChallenge::parse(challenge).map_err(|error| invalid_request(error.cited()))
}
