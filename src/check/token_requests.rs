//! Raw requests to the token endpoint, and what came of them.

use super::exchange::{Exchange, Tokens};
use super::prober::Prober;
use super::report::{CheckResult, Failure, inconclusive, violated};
use crate::protocol::client::{Client, ClientAuthentication, ClientId};
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::params::Params;
use crate::secret::Secret;
use url::Url;

/// A client that no server knows.
pub(super) const UNKNOWN_CLIENT: &str = "oauth-check-nobody";

/// A value that no server has issued.
pub(super) const UNKNOWN_TOKEN: &str = "oauth-check-never-given-0123456789abcdefghijklmno";

/// A code with everything that its redemption takes.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) code: Secret,
    pub(super) code_verifier: Secret,
    pub(super) redirect_uri: String,
}

/// The verdict on an answer that must give no token.
pub(super) fn expect_no_token(exchange: &Exchange) -> CheckResult {
    if exchange.has_token() {
        return violated("it gets a token");
    }
    if exchange.is_outage() {
        return inconclusive(format!("the server failed with status {}", exchange.status()));
    }
    needs_readable(exchange)
}

/// The verdict on an answer that must be this error.
pub(super) fn expect_error(exchange: &Exchange, wanted: &str) -> CheckResult {
    expect_no_token(exchange)?;
    match exchange.error() {
        Some(error) if error == wanted => Ok(()),
        Some(error) => violated(format!("the error is {error}, not {wanted}")),
        None => inconclusive("the answer has no error that could be read (token.error-json)"),
    }
}

/// `Ok` where the answer can be read, or is a refusal by its status alone.
fn needs_readable(exchange: &Exchange) -> CheckResult {
    if !exchange.is_unreadable() {
        return Ok(());
    }
    inconclusive(format!("the answer cannot be read: {}", exchange.summary()))
}

impl Prober<'_, '_> {
    /// `Ok` unless the client may not use the grant, which shows nothing about it.
    pub(super) fn needs_permitted_grant(&self, exchange: &Exchange, grant: &str) -> CheckResult {
        match exchange.error().as_deref() == Some("unauthorized_client") {
            true if self.has_own_client => inconclusive(format!(
                "the client that the check registered may not use {grant}; name one with --client-id"
            )),
            true => inconclusive(format!("this client may not use {grant}: unauthorized_client")),
            false => Ok(()),
        }
    }

    /// The same where the refusal itself is right, unless the check's own
    /// registration is the cause of it.
    pub(super) fn needs_registered_grant(&self, exchange: &Exchange, grant: &str) -> CheckResult {
        match self.has_own_client {
            true => self.needs_permitted_grant(exchange, grant),
            false => Ok(()),
        }
    }

    /// The parameters that redeem a code, but for the client.
    pub(super) fn code_params(&self, code: &Code) -> Params {
        let mut params = Params::new();
        params.push("grant_type", "authorization_code");
        params.push_secret("code", &code.code);
        params.push("redirect_uri", &code.redirect_uri);
        params.push_secret("code_verifier", &code.code_verifier);
        self.with_requested(params)
    }

    /// The parameters of a refresh, but for the client.
    pub(super) fn refresh_params(&self, refresh_token: &Secret) -> Params {
        let mut params = Params::new();
        params.push("grant_type", "refresh_token");
        params.push_secret("refresh_token", refresh_token);
        self.with_requested(params)
    }

    fn with_requested(&self, mut params: Params) -> Params {
        let authorization = &self.request.login.authorization;
        for resource in &authorization.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &authorization.audience {
            params.push("audience", audience);
        }
        for (name, value) in &authorization.extra_token_params {
            params.push(name, value);
        }
        params
    }

    /// A redemption of a code that was never issued.
    pub(super) fn unknown_code_params(&mut self) -> Result<Params, Failure> {
        let mut params = Params::new();
        params.push("grant_type", "authorization_code");
        params.push("code", UNKNOWN_TOKEN);
        params.push("redirect_uri", self.redirect_uri.as_str());
        params.push_secret("code_verifier", &self.random()?);
        Ok(params)
    }

    /// A client that is not registered.
    pub(super) fn unknown_client(&self) -> Client {
        Client::public(ClientId::parse(UNKNOWN_CLIENT).unwrap_or_else(|_| self.client.id.clone()))
    }

    /// The same client with another authentication.
    pub(super) fn client_with(&self, authentication: ClientAuthentication) -> Client {
        self.client.clone().with_authentication(authentication)
    }

    /// Authenticates the client for a request whose parameters are in the URL.
    /// A secret is never put there: servers log it.
    pub(super) fn authenticate_in_query(
        &mut self,
        url: &Url,
        params: &mut Params,
    ) -> Result<Option<HeaderValue>, Failure> {
        if matches!(self.client.authentication, ClientAuthentication::ClientSecretPost(_)) {
            return inconclusive("the client's secret would be in the URL: try --client-auth client_secret_basic");
        }
        let client = self.client.clone();
        let mut request = self.message(url.clone(), std::mem::take(params), &client)?;
        *params = request.take_form();
        let mut headers = request.headers.into_iter();
        Ok(headers.find_map(|(name, value)| (name == "authorization").then_some(value)))
    }

    /// Posts to the token endpoint as the client.
    pub(super) fn token_request(&mut self, params: Params) -> Result<Exchange, Failure> {
        let client = self.client.clone();
        self.token_request_as(params, &client)
    }

    /// Posts to the token endpoint as this client.
    pub(super) fn token_request_as(&mut self, params: Params, client: &Client) -> Result<Exchange, Failure> {
        let request = self.token_message(params, client)?;
        let exchange = self.send(request)?;
        self.note_token_answer(&exchange);
        Ok(exchange)
    }

    /// A request to the token endpoint.
    pub(super) fn token_message(&mut self, params: Params, client: &Client) -> Result<HttpRequest, Failure> {
        let url = self.token_endpoint()?.url().clone();
        self.message(url, params, client)
    }

    /// Takes note of tokens, so that they are revoked, and of how errors look.
    pub(super) fn note_token_answer(&mut self, exchange: &Exchange) {
        match exchange.tokens() {
            Some(tokens) => self.observations.left.push(tokens),
            None => self.observations.note_token_error(exchange),
        }
    }

    /// Refreshes; the new tokens, or `None` where it was refused.
    pub(super) fn refresh(&mut self, refresh_token: &Secret) -> Result<Option<Tokens>, Failure> {
        let params = self.refresh_params(refresh_token);
        let exchange = self.token_request(params)?;
        if let Some(tokens) = exchange.tokens() {
            self.observations.refresh_works.get_or_insert(true);
            return Ok(Some(tokens));
        }
        expect_no_token(&exchange)?;
        self.observations.refresh_works.get_or_insert(false);
        Ok(None)
    }

    /// A form with the client's authentication.
    pub(super) fn message(&mut self, url: Url, params: Params, client: &Client) -> Result<HttpRequest, Failure> {
        let mut request = HttpRequest::post(url, params);
        client
            .authenticate(&mut request, &mut self.world.caller.authentication_context())
            .map_err(|error| Failure::Inconclusive(error.to_string()))?;
        Ok(request)
    }
}
