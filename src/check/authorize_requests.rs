//! Authorization requests that no person has to answer: sent as a browser
//! sends them that never was at the server, and what can be seen of the answer.

use super::authorization_probe::{AuthorizationExchange, AuthorizationProbe};
use super::carrier::Carried;
use super::exchange::{Exchange, Outcome, PushRefusal};
use super::prober::Prober;
use super::report::{Evidence, Failure, inconclusive};
use crate::protocol::http::{HeaderName, HeaderValue, HttpRequest, Method, RequestBody};
use crate::protocol::params::Params;
use crate::protocol::pkce::S256;
use crate::secret::Secret;

/// How far redirects at the server are followed.
const MAX_REDIRECTS: usize = 8;

impl Prober<'_, '_> {
    /// A request as a login would send it.
    pub(super) fn probe(&mut self) -> Result<AuthorizationProbe, Failure> {
        let (state, code_verifier) = (self.random()?, self.random()?);
        let nonce = if self.asks_for_openid() {
            Some(self.random()?)
        } else {
            None
        };
        let authorization = &self.request.login.authorization;
        let mut params = Params::new();
        params.push("response_type", "code");
        params.push("client_id", self.client.id.as_str());
        params.push_secret("state", &state);
        if !authorization.scope.is_empty() {
            params.push("scope", &authorization.scope.to_string());
        }
        params.push("redirect_uri", self.redirect_uri.as_str());
        for resource in &authorization.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &authorization.audience {
            params.push("audience", audience);
        }
        params.push("code_challenge", "");
        params.push("code_challenge_method", S256);
        if let Some(nonce) = &nonce {
            params.push_secret("nonce", nonce);
        }
        if let Some(mode) = authorization.response_mode {
            params.push("response_mode", mode.as_str());
        }
        if let Some(details) = &authorization.authorization_details {
            params.push("authorization_details", &details.to_string());
        }
        for (name, value) in &authorization.extra {
            params.push(name, value);
        }
        if self.asks_for_consent {
            params.push("prompt", "consent");
        }
        let mut probe = AuthorizationProbe {
            params,
            state,
            code_verifier: Secret::from(""),
            nonce,
        };
        probe.challenge(code_verifier);
        Ok(probe)
    }

    /// Sends a request as a browser does that never was there, pushed before
    /// where the server wants it so.
    pub(super) fn authorize(&mut self, probe: &AuthorizationProbe) -> Result<Outcome, Failure> {
        match self.follow_redirects(probe)? {
            Ok(exchange) => {
                exchange.needs_readable_redirect()?;
                Ok(self.record_outcome(probe, &exchange))
            }
            Err(refusal) => Ok(Outcome::PushRefused(refusal)),
        }
    }

    /// The same without a push, for an error that the browser brings back: what
    /// is wrong with a pushed request is said where it is pushed, and a server
    /// that wants it pushed refuses this one for that (RFC 9126 §4).
    pub(super) fn authorize_unpushed(&mut self, probe: &AuthorizationProbe) -> Result<Outcome, Failure> {
        let carriage = self.carriage;
        self.carriage.is_pushed = false;
        let outcome = self.authorize(probe);
        self.carriage = carriage;
        outcome
    }

    /// Where such a browser ends, unless the request is refused when it is pushed.
    pub(super) fn follow_redirects(
        &mut self,
        probe: &AuthorizationProbe,
    ) -> Result<Result<Exchange, PushRefusal>, Failure> {
        match self.carry(&probe.params)? {
            Ok(carried) => self.follow_redirects_with(&carried, probe).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Where a browser with this ends: redirects that stay at the
    /// server are followed, with the cookies that it sets on the way.
    pub(super) fn follow_redirects_with(
        &mut self,
        carried: &Carried,
        probe: &AuthorizationProbe,
    ) -> Result<Exchange, Failure> {
        let request = self.authorization_message(Method::Get, &carried.params, Vec::new())?;
        let mut exchange = self.send_unrecorded(request)?;
        let first = exchange.evidence();
        let mut redirect_uris: Vec<&str> = probe.redirect_uris().collect();
        let registered = self.redirect_uri.to_string();
        redirect_uris.push(&registered);
        let mut cookies = Cookies::default();
        for _ in 0..MAX_REDIRECTS {
            cookies.store(&exchange);
            let Some(url) = exchange.redirect_within(&redirect_uris) else {
                break;
            };
            let mut headers = vec![("accept".into(), HeaderValue::Plain("text/html".to_owned()))];
            headers.extend(cookies.header().map(|header| ("cookie".into(), header)));
            exchange = self.send_unrecorded(HttpRequest {
                headers,
                ..HttpRequest::get(url)
            })?;
        }
        let mut shown = Evidence::from_first_to_last(&first, &exchange.evidence());
        // A sequence has it already.
        if let Some(pushed) = carried.pushed.clone().filter(|_| !self.results.is_in_sequence()) {
            shown = pushed.then(shown);
        }
        self.results.add_evidence(shown);
        Ok(exchange)
    }

    /// The same by this method and with these headers; the raw exchange.
    pub(super) fn authorize_by(
        &mut self,
        method: Method,
        probe: &AuthorizationProbe,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Exchange, Failure> {
        let params = match self.carry(&probe.params)? {
            Ok(carried) => carried.params,
            Err(refusal) => return inconclusive(format!("the request is refused with {refusal}")),
        };
        let request = self.authorization_message(method, &params, headers)?;
        self.send(request)
    }

    fn authorization_message(
        &self,
        method: Method,
        params: &Params,
        mut headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<HttpRequest, Failure> {
        let endpoint = self.authorization_endpoint()?;
        headers.push(("accept".into(), HeaderValue::Plain("text/html".to_owned())));
        let (url, body) = match method {
            Method::Post => (endpoint.url().clone(), Some(RequestBody::Form(params.clone()))),
            _ => (endpoint.with_params(params), None),
        };
        Ok(HttpRequest {
            method,
            headers,
            body,
            ..HttpRequest::get(url)
        })
    }

    /// What the server means by the answer to this probe.
    pub(super) fn record_outcome(&mut self, probe: &AuthorizationProbe, exchange: &Exchange) -> Outcome {
        let mut redirect_uris: Vec<&str> = probe.redirect_uris().collect();
        redirect_uris.push(self.redirect_uri.as_str());
        let outcome = exchange.outcome(&redirect_uris);
        if let Outcome::Redirect(response) = &outcome {
            let evidence = self.results.evidence().unwrap_or_else(|| exchange.evidence());
            let seen = AuthorizationExchange {
                probe: probe.clone(),
                response: response.clone(),
                evidence: Some(evidence.clone()),
            };
            self.observations.note_authorization_error(&seen, &evidence);
        }
        outcome
    }
}

/// The cookies of one browser at one server, by name.
#[derive(Default)]
struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn store(&mut self, exchange: &Exchange) {
        let headers = exchange.response.headers.iter();
        for (_, set) in headers.filter(|(name, _)| name == "set-cookie") {
            let pair = set.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                let name = name.trim();
                self.0.retain(|(known, _)| known != name);
                self.0.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }

    fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| HeaderValue::Secret(pairs.join("; ").into()))
    }
}
