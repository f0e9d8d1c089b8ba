//! Authorization requests that no person has to answer: sent as a browser
//! sends them that never was at the server, and what can be seen of the answer.

use super::examination::Examination;
use super::probe::{Back, Exchange, Reply};
use super::secrets;
use super::sign_in::Door;
use super::verdict::{Evidence, Finding, Judgement, broken, unseen};
use crate::protocol::abnf::is_nqschar_text;
use crate::protocol::http::{HeaderValue, HttpRequest, Method};
use crate::protocol::params::Params;
use crate::protocol::pkce::S256;
use crate::secret::Secret;

/// How far redirects at the server are followed.
const MAX_REDIRECTS: usize = 8;

/// An authorization request that can be changed at will.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) params: Params,
    pub(super) state: Secret,
    pub(super) code_verifier: Secret,
    pub(super) nonce: Option<Secret>,
}

impl Ask {
    pub(super) fn redirect_uri(&self) -> &str {
        self.params.all("redirect_uri").next().unwrap_or_default()
    }

    /// Gives the request another state behind the same random part.
    pub(super) fn extend_state(&mut self, more: &str) {
        self.state = secrets::extended(&self.state, more);
        self.params.set_secret("state", &self.state);
    }

    /// Asks with the S256 challenge of this verifier.
    pub(super) fn challenge(&mut self, code_verifier: Secret) {
        self.params
            .set_secret("code_challenge", &secrets::challenge(&code_verifier));
        self.code_verifier = code_verifier;
    }
}

/// An authorization response with its request.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) ask: Ask,
    pub(super) back: Back,
    pub(super) evidence: Option<Evidence>,
}

/// The verdict on a reply to a request that must be refused.
pub(super) fn refused(reply: &Reply) -> Judgement {
    match reply {
        Reply::Back(back) if back.grants() => broken("it was granted"),
        Reply::Back(back) if back.value("error").is_some() => Ok(()),
        Reply::Back(_) => broken("it was answered without an error"),
        Reply::ErrorPage(status @ 500..) => unseen(format!("the server failed with status {status}")),
        Reply::ErrorPage(_) => Ok(()),
        Reply::SignIn => asks_first(),
    }
}

/// The verdict where the server's view of a request cannot be seen.
pub(super) fn asks_first<T>() -> Result<T, Finding> {
    unseen("the server asks to sign in first, so what it thinks of the request cannot be seen")
}

impl Examination<'_, '_> {
    /// A request as a login would send it.
    pub(super) fn ask(&mut self) -> Result<Ask, Finding> {
        let (state, code_verifier) = (self.random()?, self.random()?);
        let nonce = if self.asks_for_openid() {
            Some(self.random()?)
        } else {
            None
        };
        let wish = &self.request.login.wish;
        let mut params = Params::new();
        params.push("response_type", "code");
        params.push("client_id", self.client.id.as_str());
        params.push_secret("state", &state);
        if !wish.scope.is_empty() {
            params.push("scope", &wish.scope.to_string());
        }
        params.push("redirect_uri", self.redirect_uri.as_str());
        for resource in &wish.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &wish.audience {
            params.push("audience", audience);
        }
        params.push("code_challenge", "");
        params.push("code_challenge_method", S256);
        if let Some(nonce) = &nonce {
            params.push_secret("nonce", nonce);
        }
        if let Some(mode) = wish.response_mode {
            params.push("response_mode", mode.as_str());
        }
        for (name, value) in &wish.extra {
            params.push(name, value);
        }
        let mut ask = Ask {
            params,
            state,
            code_verifier: Secret::from(""),
            nonce,
        };
        ask.challenge(code_verifier);
        Ok(ask)
    }

    /// Sends a request as a browser does that never was there.
    pub(super) fn authorize(&mut self, ask: &Ask) -> Result<Reply, Finding> {
        let exchange = self.landing(ask)?;
        Ok(self.noted(ask, &exchange))
    }

    /// Where such a browser ends: redirects that stay at the server are
    /// followed, with the cookies that it sets on the way.
    pub(super) fn landing(&mut self, ask: &Ask) -> Result<Exchange, Finding> {
        let mut exchange = self.authorize_by(Method::Get, ask, Vec::new())?;
        let sent = exchange.evidence().sent;
        let mut cookies = Cookies::default();
        for _ in 0..MAX_REDIRECTS {
            cookies.take(&exchange);
            let Some(url) = exchange.redirect_within(ask.redirect_uri()) else {
                break;
            };
            let mut headers = vec![("accept", HeaderValue::Plain("text/html".to_owned()))];
            headers.extend(cookies.header().map(|header| ("cookie", header)));
            exchange = self.send(HttpRequest {
                method: Method::Get,
                url,
                headers,
                body: None,
            })?;
        }
        let came = exchange.evidence().came;
        self.seen(Evidence { sent, came });
        Ok(exchange)
    }

    /// The same by this method and with these headers; the raw exchange.
    pub(super) fn authorize_by(
        &mut self,
        method: Method,
        ask: &Ask,
        mut headers: Vec<(&'static str, HeaderValue)>,
    ) -> Result<Exchange, Finding> {
        let endpoint = self.metadata.authorization_endpoint.clone();
        let endpoint = self.needs(&endpoint, "authorization_endpoint")?;
        headers.push(("accept", HeaderValue::Plain("text/html".to_owned())));
        let (url, body) = match method {
            Method::Get => (endpoint.with_params(&ask.params), None),
            Method::Post => (endpoint.url().clone(), Some(ask.params.clone())),
        };
        self.send(HttpRequest {
            method,
            url,
            headers,
            body,
        })
    }

    pub(super) fn noted(&mut self, ask: &Ask, exchange: &Exchange) -> Reply {
        let reply = exchange.reply(ask.redirect_uri());
        if let Reply::Back(back) = &reply {
            let evidence = self.evidence().unwrap_or_else(|| exchange.evidence());
            self.note_error(ask, back, &evidence);
        }
        reply
    }

    /// Takes note of how an error response looks.
    pub(super) fn note_error(&mut self, ask: &Ask, back: &Back, evidence: &Evidence) {
        let Some(error) = back.value("error") else { return };
        let description = back.value("error_description").unwrap_or_default();
        let odd = [("error", error), ("error_description", description)]
            .into_iter()
            .find(|(_, text)| !(text.is_empty() || is_nqschar_text(text)));
        if let Some((name, text)) = odd
            && self.sign_ins.malformed_error.is_none()
        {
            self.sign_ins.malformed_error = Some((format!("{name} is {text}"), evidence.clone()));
        }
        if self.sign_ins.error_response.is_none() && ask.params.all("state").count() == 1 {
            self.sign_ins.error_response = Some(Answer {
                ask: ask.clone(),
                back: back.clone(),
                evidence: Some(evidence.clone()),
            });
        }
    }

    /// `Ok` where an answer to a request without a browser says something.
    pub(super) fn needs_plain_answers(&self) -> Judgement {
        match self.door() {
            Some(Door::Closed(status)) => unseen(format!(
                "without a browser the server answers even a good request with {status}"
            )),
            _ => Ok(()),
        }
    }
}

/// The cookies of one browser at one server, by name.
#[derive(Default)]
struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn take(&mut self, exchange: &Exchange) {
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
