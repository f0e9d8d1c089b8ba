//! The order of the flow in types: [`PendingAuthorization::validate`] consumes
//! the request that waits and is the only maker of a
//! [`RedeemableAuthorization`], which alone can be redeemed, once. So a code is
//! exchanged only after its `state` and issuer were checked, and only with the
//! verifier of its own request.

use super::request::{AuthorizationRequest, ResponseMode};
use super::response::InvalidAuthorizationResponse;
use super::signed_response::{SignedResponseVerifier, UnprovenResponse};
use crate::protocol::abnf::is_vschar_text;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::client::Client;
use crate::protocol::endpoint::{Endpoint, Issuer};
use crate::protocol::error::ErrorResponse;
use crate::protocol::grant::Grant;
use crate::protocol::grant::authorization_code::AuthorizationCodeGrant;
use crate::protocol::jwks::JwkSet;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::resource::Resource;
use crate::protocol::scope::{Scope, ScopeSeparator};
use crate::protocol::state::{Nonce, State};
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_request::TokenRequest;
use crate::secret::Secret;

/// What the client wants to ask for.
#[derive(Debug, Clone, Default)]
pub struct AuthorizationOptions {
    /// What is asked for.
    pub scope: Scope,
    /// What is between its tokens in the authorization request.
    pub scope_separator: ScopeSeparator,
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
    /// The key that the code is bound to, by its thumbprint (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// What is asked for beside the scope (RFC 9396), in the token request too.
    pub authorization_details: Option<AuthorizationDetails>,
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
    pub(super) code_verifier: CodeVerifier,
    client: Client,
    expected_issuer: ExpectedIssuer,
    /// `None` where a signed response was asked for, and nothing can verify it.
    response_verifier: Option<SignedResponseVerifier>,
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
        options: AuthorizationOptions,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, RandomnessFailed> {
        let code_verifier = CodeVerifier::generate(randomness)?;
        let state = State::generate(randomness)?;
        let nonce = if options.scope.contains("openid") {
            Some(Nonce::generate(randomness)?)
        } else {
            None
        };
        let request = AuthorizationRequest {
            client_id: client.id.clone(),
            redirect_uri,
            scope: options.scope,
            scope_separator: options.scope_separator,
            state: Some(state),
            resource: options.resource,
            audience: options.audience,
            nonce,
            code_challenge: code_verifier.challenge(),
            response_mode: options.response_mode,
            dpop_jkt: options.dpop_jkt,
            authorization_details: options.authorization_details,
            extra: options.extra,
        };
        Ok(PendingAuthorization {
            request,
            code_verifier,
            client,
            expected_issuer,
            response_verifier: None,
            extra_token_params: options.extra_token_params,
        })
    }

    /// The same with what verifies the signed response that it asks for.
    #[must_use]
    pub fn with_response_verifier(self, response_verifier: Option<SignedResponseVerifier>) -> Self {
        PendingAuthorization {
            response_verifier,
            ..self
        }
    }

    /// Whether only a signed response is an answer.
    pub fn expects_signed_response(&self) -> bool {
        self.request.response_mode.is_some_and(ResponseMode::is_signed)
    }

    /// The request to send.
    pub fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Checks the parameters of a callback: first whether they answer this
    /// request at all, then whether they keep the specification.
    pub fn validate(self, params: &Params) -> Validation {
        match self.expects_signed_response() {
            true => Validation::Unproven(Box::new(self), UnprovenResponse::NotSigned),
            false => self.validate_parameters(params),
        }
    }

    /// The same where the response is a signed JWT, whose parameters take the
    /// place of those that came, once it holds.
    pub fn validate_signed(self, params: &mut Params, now: UnixSeconds) -> Validation {
        let verifier = self.response_verifier.as_ref();
        let opened = verifier.map_or(Err(UnprovenResponse::NotSigned), |verifier| verifier.open(params, now));
        match opened {
            Err(problem) => Validation::Unproven(Box::new(self), problem),
            Ok(opened) => {
                let validation = self.validate_parameters(&opened);
                if !matches!(validation, Validation::StateMismatch(_)) {
                    *params = opened;
                }
                validation
            }
        }
    }

    /// Where the keys are to be fetched once more for a response that names one
    /// which is not there, once; `None` for what has not the `state` of this
    /// request, so that a stranger cannot cause it.
    pub fn take_keys_endpoint(&mut self, params: &Params, now: UnixSeconds) -> Option<Endpoint> {
        let verifier = self.response_verifier.as_mut()?;
        let claimed = verifier.claimed_with_unknown_key(params, now)?;
        let state = claimed.single("state").ok().flatten()?;
        let is_ours = self.request.state.as_ref().is_some_and(|own| own.matches(state));
        if is_ours { verifier.keys_endpoint.take() } else { None }
    }

    /// Verifies with these keys from now on.
    pub fn set_keys(&mut self, keys: JwkSet) {
        if let Some(verifier) = &mut self.response_verifier {
            verifier.keys = keys;
        }
    }

    fn validate_parameters(self, params: &Params) -> Validation {
        let state = params.single("state").ok().flatten();
        let is_ours = state.zip(self.request.state.as_ref());
        if !is_ours.is_some_and(|(state, own)| own.matches(state)) {
            return Validation::StateMismatch(Box::new(self));
        }
        match self.check(params) {
            Err(error) => Validation::Invalid(error),
            Ok(Response::Denied(error)) => Validation::Denied {
                error,
                request: Box::new(self.request),
            },
            Ok(Response::Code(code)) => Validation::Redeemable(Box::new(RedeemableAuthorization {
                code,
                authorization: self,
            })),
        }
    }

    fn check(&self, params: &Params) -> Result<Response, InvalidAuthorizationResponse> {
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
            (None, Some(error)) => Ok(Response::Denied(error)),
            (None, None) => Err(InvalidAuthorizationResponse::NoCode),
            (Some(code), None) if !is_vschar_text(code) => Err(InvalidAuthorizationResponse::MalformedCode),
            (Some(code), None) => Ok(Response::Code(Secret::from(code))),
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
}

/// What a response says that keeps the specification.
enum Response {
    Code(Secret),
    Denied(ErrorResponse),
}

/// What a callback is for the request that waits.
#[derive(Debug)]
pub enum Validation {
    /// `state` is absent, wrong or repeated: not an answer to this request,
    /// which waits on.
    StateMismatch(Box<PendingAuthorization>),
    /// A signed response was asked for, and this one proves nothing: as if it
    /// had no `state`.
    Unproven(Box<PendingAuthorization>, UnprovenResponse),
    /// An answer to this request that breaks the specification. The login ends.
    Invalid(InvalidAuthorizationResponse),
    /// The server or the resource owner refused. The login ends.
    Denied {
        error: ErrorResponse,
        /// What was refused.
        request: Box<AuthorizationRequest>,
    },
    /// A code that may be redeemed.
    Redeemable(Box<RedeemableAuthorization>),
}

/// A code whose `state` and issuer were checked, with the request that it answers.
#[derive(Debug)]
pub struct RedeemableAuthorization {
    code: Secret,
    authorization: PendingAuthorization,
}

impl RedeemableAuthorization {
    /// The keys of the issuer as they were when its signed response was
    /// verified; `None` where the response was not signed.
    pub fn keys_of_response(&self) -> Option<&JwkSet> {
        self.authorization
            .response_verifier
            .as_ref()
            .map(|verifier| &verifier.keys)
    }

    /// Turns the code into the one token request it is good for, and returns
    /// what the token response is then checked against.
    pub fn redeem(self) -> (TokenRequest, AuthorizationRequest) {
        let PendingAuthorization {
            request,
            code_verifier,
            client,
            extra_token_params,
            ..
        } = self.authorization;
        let mut extra = extra_token_params;
        if let Some(details) = &request.authorization_details {
            extra.push(("authorization_details".to_owned(), details.to_string()));
        }
        let grant = AuthorizationCodeGrant::new(self.code, &request.redirect_uri, code_verifier);
        let token_request = TokenRequest {
            client,
            grant: Grant::AuthorizationCode(grant),
            resource: request.resource.clone(),
            audience: request.audience.clone(),
            extra,
        };
        (token_request, request)
    }
}
