//! The authorization request and response (RFC 6749 §4.1.1, §4.1.2), with PKCE
//! (RFC 7636 §4.3), `resource` (RFC 8707 §2.1) and `iss` (RFC 9207 §2).
//!
//! The order of the flow is in the types: [`PendingAuthorization::judge`] is
//! the only maker of an [`AuthorizationGrant`], and only
//! [`PendingAuthorization::redeem`] takes one, consuming both. So a code whose
//! `state` and issuer were not checked cannot be exchanged, nor one twice.

use super::abnf::is_vschar_text;
use super::citation::{Cited, RequestError};
use super::client::{Client, ClientId};
use super::endpoint::{Endpoint, Issuer};
use super::error::ErrorResponse;
use super::grant::Grant;
use super::grant::authorization_code::AuthorizationCodeGrant;
use super::params::{Params, Repeated};
use super::pkce::{CodeChallenge, CodeVerifier, S256};
use super::random::{Randomness, RandomnessFailed};
use super::redirect_uri::RedirectUri;
use super::resource::Resource;
use super::scope::Scope;
use super::state::{Nonce, State};
use super::token_request::TokenRequest;
use crate::foreign_text::Quoted;
use crate::secret::Secret;
use url::Url;

/// Parameters that the flow sets itself; no extra parameter may have such a name.
pub const RESERVED_PARAMETERS: [&str; 13] = [
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
    "request",
    "request_uri",
];

/// How the response comes back (OAuth 2.0 Multiple Response Types §2.1, Form Post §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a GET.
    Query,
    /// In the body of a POST.
    FormPost,
}

impl ResponseMode {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseMode::Query => "query",
            ResponseMode::FormPost => "form_post",
        }
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
    /// `prompt`, `login_hint` and others, in order.
    pub extra: Vec<(String, String)>,
}

/// Why an authorization request names nobody to whom an answer could go: the
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
    RedirectUri(#[from] super::redirect_uri::InvalidRedirectUri),
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
            params.push("scope", &self.scope.to_string());
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

    /// To whom an answer could go: the first thing a server has to know.
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
        let invalid_request = |cited: Cited| RequestError::new("invalid_request", cited);
        let cited = |reason: &'static str, citation: &'static str| invalid_request(Cited::new(reason, citation));
        if let Some(repeated) = params.first_repeated() {
            return Err(invalid_request(repeated.cited()));
        }
        let single = |name: &str| params.single(name).ok().flatten();
        if single("request").is_some() && single("request_uri").is_some() {
            return Err(cited("request and request_uri stand together", "RFC 9101 §5"));
        }
        if single("request").is_some() {
            return Err(RequestError::new(
                "request_not_supported",
                Cited::new("request objects are not supported", "RFC 9101"),
            ));
        }
        if single("request_uri").is_some() {
            return Err(RequestError::new(
                "request_uri_not_supported",
                Cited::new("request_uri is not supported", "RFC 9101"),
            ));
        }
        match single("response_type") {
            Some("code") => {}
            Some(_) => {
                let cited = Cited::new(
                    "only response_type=code is supported",
                    "RFC 6749 §3.1.1, RFC 9700 §2.1.2",
                );
                return Err(RequestError::new("unsupported_response_type", cited));
            }
            None => return Err(cited("response_type is missing", "RFC 6749 §3.1.1")),
        }
        let response_mode = match single("response_mode") {
            None => None,
            Some("query") => Some(ResponseMode::Query),
            Some("form_post") => Some(ResponseMode::FormPost),
            Some(_) => {
                return Err(invalid_request(Cited::uncited(
                    "response_mode is neither query nor form_post",
                )));
            }
        };
        let challenge = single("code_challenge")
            .ok_or_else(|| cited("code challenge required", "RFC 7636 §4.4.1, RFC 9700 §2.1.1"))?;
        if single("code_challenge_method") != Some(S256) {
            return Err(cited(
                "transform algorithm not supported: only S256 is",
                "RFC 7636 §4.4.1",
            ));
        }
        let code_challenge = CodeChallenge::parse(challenge).map_err(|error| invalid_request(error.cited()))?;
        let state = match single("state") {
            None => None,
            Some(text) => Some(
                State::parse(text)
                    .ok_or_else(|| cited("state has characters that are not allowed", "RFC 6749 Appendix A.5"))?,
            ),
        };
        let nonce = match single("nonce") {
            None => None,
            Some(text) => Some(
                Nonce::parse(text).ok_or_else(|| invalid_request(Cited::uncited("nonce is not printable ASCII")))?,
            ),
        };
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
            state,
            resource,
            audience: single("audience").map(str::to_owned),
            nonce,
            code_challenge,
            response_mode,
            extra,
        })
    }
}

/// What the server sends back through the browser (RFC 6749 §4.1.2, §4.1.2.1).
#[derive(Debug)]
pub enum AuthorizationResponse {
    /// The resource owner agreed.
    Code(Secret),
    /// Nobody agreed, and this is why.
    Error(ErrorResponse),
}

impl AuthorizationResponse {
    /// The parameters, with the request's `state` and the server's `iss` (RFC 9207 §2).
    pub fn params(&self, state: Option<&str>, issuer: &Issuer) -> Params {
        let mut params = Params::new();
        match self {
            AuthorizationResponse::Code(code) => params.push("code", code.expose()),
            AuthorizationResponse::Error(error) => error.to_params(&mut params),
        }
        if let Some(state) = state {
            params.push("state", state);
        }
        params.push("iss", issuer.as_str());
        params
    }

    /// The URL to redirect to: the parameters added to the redirect URI's own query.
    pub fn location(&self, redirect_uri: &RedirectUri, state: Option<&str>, issuer: &Issuer) -> Url {
        let mut url = redirect_uri.url().clone();
        let encoded = self.params(state, issuer).encode();
        let query = match url.query() {
            Some(existing) if !existing.is_empty() => format!("{existing}&{}", encoded.expose()),
            _ => encoded.expose().clone(),
        };
        url.set_query(Some(&query));
        url
    }
}

/// A code whose `state` and issuer were checked. Only
/// [`PendingAuthorization::judge`] makes one.
#[derive(Debug)]
pub struct AuthorizationGrant {
    code: Secret,
}

impl InvalidAuthorizationResponse {
    /// Whether the server that was asked may not have written this response.
    pub fn is_of_unknown_issuer(&self) -> bool {
        matches!(
            self,
            InvalidAuthorizationResponse::WrongIssuer { .. } | InvalidAuthorizationResponse::MissingIssuer
        )
    }
}

/// A right `state`, but the response breaks the specification: the login ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthorizationResponse {
    /// RFC 6749 §3.1.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// RFC 9207 §2.4: another server answered than was asked.
    #[error(
        "the authorization response came from issuer {}, but {} was asked (RFC 9207 §2.4)",
        Quoted::name(found),
        Quoted::name(expected)
    )]
    WrongIssuer { expected: String, found: String },
    /// RFC 9207 §2.4.
    #[error("the server announces iss in its responses, but this one has none (RFC 9207 §2.4)")]
    MissingIssuer,
    #[error("the authorization response has both a code and an error")]
    CodeAndError,
    #[error("the authorization response has no code (RFC 6749 §4.1.2)")]
    NoCode,
    /// RFC 6749 Appendix A.11.
    #[error("the code has characters that RFC 6749 Appendix A.11 does not allow")]
    MalformedCode,
    /// A token in the front channel was never asked for.
    #[error("the authorization response carries {0}, which a code flow never does")]
    TokenInResponse(&'static str),
}

/// What the client makes of a callback.
#[derive(Debug)]
pub enum Verdict {
    /// `state` absent, wrong or repeated: not an answer to this request. Wait on.
    Foreign(&'static str),
    /// An answer to this request that breaks the specification. The login ends.
    Broken(InvalidAuthorizationResponse),
    /// The server or the resource owner said no. The login ends.
    Denied(ErrorResponse),
    /// A code that may be redeemed.
    Granted(AuthorizationGrant),
}

/// What the client wants to ask for.
#[derive(Debug, Clone)]
pub struct AuthorizationOptions {
    /// What is asked for.
    pub scope: Scope,
    /// Which resource servers the token is for.
    pub resource: Vec<Resource>,
    /// The same for servers that use this name.
    pub audience: Option<String>,
    /// How the response should come back.
    pub response_mode: Option<ResponseMode>,
    /// Further parameters of the authorization request.
    pub extra: Vec<(String, String)>,
    /// Further parameters of the token request.
    pub extra_token_params: Vec<(String, String)>,
}

/// The issuer that an answer must come from, and whether it must say so.
#[derive(Debug, Clone)]
pub struct ExpectedIssuer {
    /// `None` where only endpoints are known: then there is nothing to compare with.
    pub issuer: Option<Issuer>,
    /// The server announced `authorization_response_iss_parameter_supported`.
    pub announced: bool,
}

/// An authorization request that waits for its answer, with the verifier that
/// proves whose it is.
#[derive(Debug)]
pub struct PendingAuthorization {
    request: AuthorizationRequest,
    code_verifier: CodeVerifier,
    client: Client,
    expected_issuer: ExpectedIssuer,
    extra_token_params: Vec<(String, String)>,
}

impl PendingAuthorization {
    /// Makes verifier, challenge and state, and a nonce when `openid` is asked for.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub fn new(
        client: Client,
        redirect_uri: RedirectUri,
        expected_issuer: ExpectedIssuer,
        wish: AuthorizationOptions,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, RandomnessFailed> {
        let code_verifier = CodeVerifier::generate(randomness)?;
        let state = State::generate(randomness)?;
        let nonce = if wish.scope.contains("openid") {
            Some(Nonce::generate(randomness)?)
        } else {
            None
        };
        let request = AuthorizationRequest {
            client_id: client.id.clone(),
            redirect_uri,
            scope: wish.scope,
            state: Some(state),
            resource: wish.resource,
            audience: wish.audience,
            nonce,
            code_challenge: code_verifier.challenge(),
            response_mode: wish.response_mode,
            extra: wish.extra,
        };
        Ok(PendingAuthorization {
            request,
            code_verifier,
            client,
            expected_issuer,
            extra_token_params: wish.extra_token_params,
        })
    }

    /// The request to send.
    pub fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Judges the parameters of a callback: first whether they answer this
    /// request at all, then whether they keep the specification.
    pub fn judge(&self, params: &Params) -> Verdict {
        let state = match params.single("state") {
            Err(_) => return Verdict::Foreign("state is repeated"),
            Ok(None) => return Verdict::Foreign("state is absent"),
            Ok(Some(state)) => state,
        };
        if !self.request.state.as_ref().is_some_and(|own| own.matches(state)) {
            return Verdict::Foreign("state is not the one that was sent");
        }
        self.judge_own(params).unwrap_or_else(Verdict::Broken)
    }

    fn judge_own(&self, params: &Params) -> Result<Verdict, InvalidAuthorizationResponse> {
        // first: what another server wrote is not read
        self.check_issuer(params)?;
        let code = params.single("code")?;
        let error = ErrorResponse::from_params(params)?;
        for leaked in ["access_token", "id_token", "response"] {
            if params.iter().any(|(name, _)| name == leaked) {
                return Err(InvalidAuthorizationResponse::TokenInResponse(leaked));
            }
        }
        match (code, error) {
            (Some(_), Some(_)) => Err(InvalidAuthorizationResponse::CodeAndError),
            (None, Some(error)) => Ok(Verdict::Denied(error)),
            (None, None) => Err(InvalidAuthorizationResponse::NoCode),
            (Some(code), None) if !is_vschar_text(code) => Err(InvalidAuthorizationResponse::MalformedCode),
            (Some(code), None) => Ok(Verdict::Granted(AuthorizationGrant {
                code: Secret::from(code),
            })),
        }
    }

    /// `iss` of a response with a code or an error (RFC 9207 §2.4).
    fn check_issuer(&self, params: &Params) -> Result<(), InvalidAuthorizationResponse> {
        match (params.single("iss")?, &self.expected_issuer.issuer) {
            (Some(found), Some(expected)) if found != expected.as_str() => {
                Err(InvalidAuthorizationResponse::WrongIssuer {
                    expected: expected.as_str().to_owned(),
                    found: found.to_owned(),
                })
            }
            (None, _) if self.expected_issuer.announced => Err(InvalidAuthorizationResponse::MissingIssuer),
            _ => Ok(()),
        }
    }

    /// Turns the grant into the one token request it is good for, and hands
    /// out what the token response is then checked against.
    pub fn redeem(self, grant: AuthorizationGrant) -> (TokenRequest, AuthorizationRequest) {
        let token_request = TokenRequest {
            client: self.client,
            grant: Grant::AuthorizationCode(AuthorizationCodeGrant::new(
                grant.code,
                &self.request.redirect_uri,
                self.code_verifier,
            )),
            resource: self.request.resource.clone(),
            audience: self.request.audience.clone(),
            extra: self.extra_token_params,
        };
        (token_request, self.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientAuthentication;
    use crate::protocol::client_auth::tests::{FixedRandomness, context};
    use crate::protocol::endpoint::HttpPolicy;

    pub(super) struct Counting(pub u8);
    impl Randomness for Counting {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
            self.0 += 1;
            buffer.fill(self.0);
            Ok(())
        }
    }

    fn issuer() -> Issuer {
        Issuer::parse("https://as.example", HttpPolicy::LoopbackOnly).unwrap()
    }

    fn pending(announced: bool) -> PendingAuthorization {
        PendingAuthorization::new(
            Client {
                id: ClientId::parse("s6BhdRkqt3").unwrap(),
                authentication: ClientAuthentication::None,
            },
            RedirectUri::parse("http://127.0.0.1:4711/callback").unwrap(),
            ExpectedIssuer {
                issuer: Some(issuer()),
                announced,
            },
            AuthorizationOptions {
                scope: Scope::parse("openid api").unwrap(),
                resource: vec![
                    Resource::parse("https://a.example").unwrap(),
                    Resource::parse("https://b.example").unwrap(),
                ],
                audience: None,
                response_mode: None,
                extra: vec![("prompt".into(), "login".into())],
                extra_token_params: vec![],
            },
            &mut Counting(0),
        )
        .unwrap()
    }

    fn state_of(pending: &PendingAuthorization) -> String {
        pending.request.state.as_ref().unwrap().expose().to_owned()
    }

    #[test]
    fn the_url_carries_every_parameter_of_the_request_and_keeps_the_query() {
        let endpoint = Endpoint::parse("https://as.example/authorize?tenant=x", HttpPolicy::LoopbackOnly).unwrap();
        let pending = pending(false);
        let url = pending.request().url(&endpoint);
        let state = state_of(&pending);
        let challenge = pending.code_verifier.challenge();
        let nonce = pending.request.nonce.as_ref().unwrap().expose();
        assert_eq!(
            url.as_str(),
            format!(
                "https://as.example/authorize?tenant=x&response_type=code&client_id=s6BhdRkqt3&state={state}\
                 &scope=openid+api&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback\
                 &resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example\
                 &code_challenge={}&code_challenge_method=S256&nonce={nonce}&prompt=login",
                challenge.as_str()
            )
        );
        assert!(!url.as_str().contains(pending.code_verifier.expose()));
    }

    #[test]
    fn what_the_client_sends_the_server_reads() {
        let pending = pending(false);
        let params = Params::parse(pending.request().params().encode().expose());
        let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(&params).unwrap();
        let read = AuthorizationRequest::parse(&params, client_id, redirect_uri.unwrap()).unwrap();
        assert_eq!(
            read.params().encode().expose(),
            pending.request().params().encode().expose()
        );
    }

    #[test]
    fn a_foreign_state_never_ends_the_wait() {
        let pending = pending(true);
        let state = state_of(&pending);
        for foreign in [
            "code=x".to_owned(),
            "code=x&state=".to_owned(),
            "code=x&state=wrong".to_owned(),
            format!("code=x&state={}", state.to_ascii_uppercase()),
            format!("code=x&state={state}&state=wrong"),
            format!("code=x&state=wrong&state={state}"),
            format!("code=x&state={state}x"),
            "error=access_denied&state=wrong".to_owned(),
            "error=access_denied".to_owned(),
        ] {
            assert!(
                matches!(pending.judge(&Params::parse(&foreign)), Verdict::Foreign(_)),
                "{foreign}"
            );
        }
    }

    #[test]
    fn a_right_state_with_a_broken_response_ends_the_login() {
        let pending = pending(true);
        let state = state_of(&pending);
        let iss = "iss=https%3A%2F%2Fas.example";
        for (query, expected) in [
            (
                format!("code=x&code=y&{iss}"),
                InvalidAuthorizationResponse::Repeated(Repeated("code".into())),
            ),
            (
                format!("code=x&{iss}&{iss}"),
                InvalidAuthorizationResponse::Repeated(Repeated("iss".into())),
            ),
            (
                format!("error=x&error=y&{iss}"),
                InvalidAuthorizationResponse::Repeated(Repeated("error".into())),
            ),
            ("code=x".to_owned(), InvalidAuthorizationResponse::MissingIssuer),
            (
                format!("code=x&error=y&{iss}"),
                InvalidAuthorizationResponse::CodeAndError,
            ),
            (format!("code=&{iss}"), InvalidAuthorizationResponse::NoCode),
            (iss.to_owned(), InvalidAuthorizationResponse::NoCode),
            (format!("code=%00&{iss}"), InvalidAuthorizationResponse::MalformedCode),
            (format!("code=%ff&{iss}"), InvalidAuthorizationResponse::MalformedCode),
            (
                format!("code=x&access_token=t&{iss}"),
                InvalidAuthorizationResponse::TokenInResponse("access_token"),
            ),
        ] {
            match pending.judge(&Params::parse(&format!("{query}&state={state}"))) {
                Verdict::Broken(broken) => assert_eq!(broken, expected, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
        for found in [
            "https://as.example/",
            "https://AS.example",
            "https%253A%252F%252Fas.example",
            "https://evil",
        ] {
            let query = format!("code=x&state={state}&iss={found}");
            assert!(
                matches!(
                    pending.judge(&Params::parse(&query)),
                    Verdict::Broken(InvalidAuthorizationResponse::WrongIssuer { .. })
                ),
                "{found}"
            );
        }
    }

    #[test]
    fn an_error_ends_the_login_and_a_missing_iss_that_was_announced_makes_it_invalid() {
        for announced in [false, true] {
            let pending = pending(announced);
            let query = format!("error=access_denied&error_description=no&state={}", state_of(&pending));
            match pending.judge(&Params::parse(&query)) {
                Verdict::Denied(error) if !announced => assert_eq!(error.error, "access_denied"),
                Verdict::Broken(InvalidAuthorizationResponse::MissingIssuer) if announced => {}
                other => panic!("{announced}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_grant_is_redeemed_with_the_same_redirect_uri_and_the_verifier() {
        let pending = pending(false);
        let query = format!(
            "code=SplxlOBeZQQYbYS6WxSbIA&state={}&session_state=a%2B%2F%3D",
            state_of(&pending)
        );
        let Verdict::Granted(grant) = pending.judge(&Params::parse(&query)) else {
            panic!("no grant")
        };
        let verifier = pending.code_verifier.expose().to_owned();
        let (token_request, _) = pending.redeem(grant);
        let url = "https://as.example/token".parse().unwrap();
        let (body, header) = token_request.encode(&mut context(&url, &mut FixedRandomness)).unwrap();
        assert!(header.is_none());
        assert_eq!(
            body.encode().expose(),
            &format!(
                "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2F\
                 callback&client_id=s6BhdRkqt3&code_verifier={verifier}&resource=https%3A%2F%2Fa.example\
                 &resource=https%3A%2F%2Fb.example"
            )
        );
    }

    #[test]
    fn requests_that_the_server_refuses() {
        let good = "response_type=code&client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb\
                    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let parse = |query: &str| {
            let params = Params::parse(query);
            let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(&params).unwrap();
            AuthorizationRequest::parse(&params, client_id, redirect_uri.unwrap())
                .map(|_| ())
                .map_err(|e| e.error)
        };
        assert_eq!(parse(good), Ok(()));
        for (query, error) in [
            (good.replace("response_type=code&", ""), "invalid_request"),
            (good.replace("=code&", "=token&"), "unsupported_response_type"),
            (good.replace("_method=S256", "_method=plain"), "invalid_request"),
            (good.replace("_method=S256", "_method=s256"), "invalid_request"),
            (good.replace("&code_challenge_method=S256", ""), "invalid_request"),
            (good.replace("code_challenge=", "x="), "invalid_request"),
            (good.replace("w-cM", "w-c"), "invalid_request"),
            (format!("{good}&scope=a%22b"), "invalid_scope"),
            (format!("{good}&resource=api"), "invalid_target"),
            (format!("{good}&scope=a&scope=b"), "invalid_request"),
            (format!("{good}&prompt=a&prompt=b"), "invalid_request"),
            (format!("{good}&request=x"), "request_not_supported"),
            (format!("{good}&response_mode=fragment"), "invalid_request"),
        ] {
            assert_eq!(parse(&query), Err(error), "{query}");
        }
        assert_eq!(
            parse(&format!("{good}&resource=https://a&resource=https://b&unknown=1")),
            Ok(())
        );
    }

    #[test]
    fn requests_without_a_trustworthy_addressee_are_never_redirected() {
        for bad in [
            "",
            "client_id=",
            "client_id=a&client_id=b",
            "client_id=a&redirect_uri=x&redirect_uri=x",
        ] {
            assert!(
                AuthorizationRequest::redirect_target(&Params::parse(bad)).is_err(),
                "{bad}"
            );
        }
    }
}
