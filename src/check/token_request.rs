//! Raw requests to the token endpoint, what came of them, and the sessions
//! that they start.

use super::examination::Examination;
use super::probe::Exchange;
use super::sign_in::Code;
use super::verdict::{Evidence, Finding, Judgement, broken, unseen};
use crate::exit::ExitCode;
use crate::protocol::abnf::is_nqschar_text;
use crate::protocol::client::{Client, ClientAuthentication, ClientId};
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;
use url::Url;

/// A client that no server knows.
pub(super) const NOBODY: &str = "oauth-check-nobody";

/// A value that no server has given out.
pub(super) const NEVER_GIVEN: &str = "oauth-check-never-given-0123456789abcdefghijklmno";

/// What all answers of the token endpoint have shown.
#[derive(Default)]
pub(super) struct TokenAnswers {
    /// Errors that came.
    errors: usize,
    /// What is wrong with them, the first of each rule.
    complaints: Vec<(Rule, String, Evidence)>,
    /// Tokens that may be alive.
    pub(super) left: Vec<Tokens>,
    /// Sessions that nothing was done with yet.
    spare: Vec<Spare>,
    /// What was done so far for which a server may end other sessions, too.
    attacks: usize,
    /// Whether refreshes work; `None` where that was not tried.
    refresh_works: Option<bool>,
    /// Access and refresh tokens, for their randomness.
    pub(super) refresh_tokens: Vec<Secret>,
    pub(super) access_tokens: Vec<Secret>,
}

/// A session for a later test.
struct Spare {
    tokens: Tokens,
    /// How much had been done against the server when it came.
    after_attacks: usize,
}

/// The tokens of one answer.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    pub(super) id_token: Option<Secret>,
    pub(super) scope: Option<String>,
}

impl Tokens {
    /// `Ok` where there is a refresh token.
    pub(super) fn needs_refresh_token(&self) -> Result<&Secret, Finding> {
        match &self.refresh_token {
            Some(refresh_token) => Ok(refresh_token),
            None => unseen("the server gave no refresh token; --scope offline_access may bring one"),
        }
    }
}

impl Exchange {
    /// The tokens that came.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let object = self.object()?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Tokens {
            access_token: Secret::from(text("access_token")?),
            refresh_token: text("refresh_token").map(Secret::from),
            id_token: text("id_token").map(Secret::from),
            scope: text("scope").map(str::to_owned),
        })
    }
}

/// The verdict on an answer that must give no token.
pub(super) fn gives_nothing(exchange: &Exchange) -> Judgement {
    match exchange.status() {
        _ if exchange.has_token() => broken("it gets a token"),
        status if status == 429 || status >= 500 => unseen(format!("the server failed with status {status}")),
        _ => Ok(()),
    }
}

/// The verdict on an answer that must be this error.
pub(super) fn says(exchange: &Exchange, wanted: &str) -> Judgement {
    gives_nothing(exchange)?;
    match exchange.error() {
        Some(error) if error == wanted => Ok(()),
        Some(error) => broken(format!("the error is {error}, not {wanted}")),
        None => unseen("the answer has no error that could be read (token.error-json)"),
    }
}

/// Redeems a code as a client should.
pub(super) fn redeemed(examination: &mut Examination<'_, '_>, code: &Code) -> Result<(Tokens, Exchange), Finding> {
    let params = examination.redemption(code);
    let exchange = examination.token_request(params)?;
    match exchange.tokens() {
        Some(tokens) => Ok((tokens, exchange)),
        None => {
            let status = exchange.status();
            let named = exchange.error().unwrap_or_default();
            let error = if named.is_empty() {
                named.clone()
            } else {
                format!(": {named}")
            };
            let is_about_client = status == 401 || ["invalid_client", "unauthorized_client"].contains(&&*named);
            if is_about_client && !examination.knows_main_login() {
                let what_to_do = match examination.is_confidential() {
                    true => "compare its secret and --client-auth with what is registered",
                    false => "if it has a secret, give it by --client-secret-file",
                };
                let why = format!("the token endpoint does not take the client (status {status}{error}): {what_to_do}");
                examination.stop(ExitCode::Refused, why.clone());
                return unseen(why);
            }
            broken(format!("the right verifier got no token, but status {status}{error}"))
        }
    }
}

impl Examination<'_, '_> {
    /// The parameters that redeem a code, but for the client.
    pub(super) fn redemption(&self, code: &Code) -> Params {
        let mut params = Params::new();
        params.push("grant_type", "authorization_code");
        params.push_secret("code", &code.code);
        params.push("redirect_uri", &code.redirect_uri);
        params.push_secret("code_verifier", &code.code_verifier);
        self.with_wishes(params)
    }

    /// The parameters of a refresh, but for the client.
    pub(super) fn refreshment(&self, refresh_token: &Secret) -> Params {
        let mut params = Params::new();
        params.push("grant_type", "refresh_token");
        params.push_secret("refresh_token", refresh_token);
        self.with_wishes(params)
    }

    fn with_wishes(&self, mut params: Params) -> Params {
        let wish = &self.request.login.wish;
        for resource in &wish.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &wish.audience {
            params.push("audience", audience);
        }
        for (name, value) in &wish.extra_token_params {
            params.push(name, value);
        }
        params
    }

    /// A client that is not registered.
    pub(super) fn nobody(&self) -> Client {
        Client {
            id: ClientId::parse(NOBODY).unwrap_or_else(|_| self.client.id.clone()),
            authentication: ClientAuthentication::None,
        }
    }

    /// The same client with another proof of who it is.
    pub(super) fn client_by(&self, authentication: ClientAuthentication) -> Client {
        Client {
            id: self.client.id.clone(),
            authentication,
        }
    }

    /// The client's identity and proof for a request whose parameters stand in
    /// the URL. A secret never stands there: servers log it.
    pub(super) fn prove_in_url(&mut self, url: &Url, params: &mut Params) -> Result<Option<HeaderValue>, Finding> {
        if matches!(self.client.authentication, ClientAuthentication::ClientSecretPost(_)) {
            return unseen("the client's secret would stand in the URL: try --client-auth client_secret_basic");
        }
        let mut context = self.world.caller.authentication_context(url);
        let header = self.client.authenticate(params, &mut context);
        header.map_err(|error| Finding::Unseen(error.to_string()))
    }

    /// Posts to the token endpoint as the client.
    pub(super) fn token_request(&mut self, params: Params) -> Result<Exchange, Finding> {
        let client = self.client.clone();
        self.token_request_as(params, &client)
    }

    /// Posts to the token endpoint as this client.
    pub(super) fn token_request_as(&mut self, params: Params, client: &Client) -> Result<Exchange, Finding> {
        let request = self.token_message(params, client)?;
        let exchange = self.send(request)?;
        self.note_token_answer(&exchange);
        Ok(exchange)
    }

    /// A request to the token endpoint.
    pub(super) fn token_message(&mut self, params: Params, client: &Client) -> Result<HttpRequest, Finding> {
        let endpoint = self.needs(&self.metadata.token_endpoint, "token_endpoint")?;
        self.message(endpoint.url().clone(), params, client)
    }

    /// Takes note of tokens, so that they are revoked, and of how errors look.
    pub(super) fn note_token_answer(&mut self, exchange: &Exchange) {
        if let Some(tokens) = exchange.tokens() {
            self.token_answers.access_tokens.push(tokens.access_token.clone());
            self.token_answers.refresh_tokens.extend(tokens.refresh_token.clone());
            self.token_answers.left.push(tokens);
            return;
        }
        let status = exchange.status();
        if status == 429 || status >= 500 {
            return;
        }
        self.token_answers.errors += 1;
        let error = exchange.object().and_then(|object| ErrorResponse::from_json(&object));
        let name = error.as_ref().map(|error| error.error.as_str());
        let is_right = status == 400 || (status == 401 && name.is_none_or(|name| name == "invalid_client"));
        if !is_right {
            self.complain(
                Rule::TokenErrorStatus,
                format!("an error came with status {status}"),
                exchange,
            );
        }
        let Some(error) = &error else {
            self.complain(
                Rule::TokenErrorJson,
                "an error came without JSON that has error".to_owned(),
                exchange,
            );
            return;
        };
        let media_type = exchange.response.media_type().unwrap_or_default();
        if media_type != "application/json" {
            self.complain(
                Rule::TokenErrorJson,
                format!("an error came as \"{media_type}\""),
                exchange,
            );
        }
        let description = error.error_description.as_deref().unwrap_or("-");
        if !error.is_well_formed() || !(description.is_empty() || is_nqschar_text(description)) {
            let what = "an error came with characters that RFC 6749 §5.2 does not allow".to_owned();
            self.complain(Rule::TokenErrorCharacters, what, exchange);
        }
        if !exchange
            .header("cache-control")
            .to_ascii_lowercase()
            .contains("no-store")
        {
            self.complain(
                Rule::TokenErrorNoStore,
                "an error came without Cache-Control: no-store".to_owned(),
                exchange,
            );
        }
    }

    fn complain(&mut self, rule: Rule, what: String, exchange: &Exchange) {
        if self.token_answers.complaints.iter().all(|(known, _, _)| *known != rule) {
            self.token_answers.complaints.push((rule, what, exchange.evidence()));
        }
    }

    /// Judges a rule about all errors of the token endpoint.
    pub(super) fn judge_token_errors(&mut self, rule: Rule) {
        let complaint = self
            .token_answers
            .complaints
            .iter()
            .find(|(known, _, _)| *known == rule);
        let (judgement, evidence) = match complaint {
            Some((_, what, evidence)) => (broken(what.clone()), Some(evidence.clone())),
            None if self.token_answers.errors == 0 => (unseen("no error came from the token endpoint"), None),
            None => (Ok(()), None),
        };
        self.record(rule, judgement, evidence);
    }

    /// Takes note of a reuse or a revocation: a server may end more than the one
    /// session for it, such as all of the same person and client.
    pub(super) fn attacked(&mut self) {
        self.token_answers.attacks += 1;
    }

    /// A session that lives, and that nothing else was done with.
    pub(super) fn session(&mut self, purpose: &str) -> Result<Tokens, Finding> {
        while let Some(spare) = self.token_answers.spare.pop() {
            if spare.after_attacks == self.token_answers.attacks {
                return Ok(spare.tokens);
            }
            if let Some(tokens) = self.proved_alive(spare.tokens) {
                return Ok(tokens);
            }
        }
        let code = self.code(purpose)?;
        match redeemed(self, &code) {
            Ok((tokens, _)) => Ok(tokens),
            Err(Finding::Broken(why) | Finding::Unseen(why)) => unseen(why),
        }
    }

    /// The session, refreshed; `None` where that is refused.
    fn proved_alive(&mut self, old: Tokens) -> Option<Tokens> {
        let refresh_token = old.refresh_token?;
        let params = self.refreshment(&refresh_token);
        let new = self.token_request(params).ok()?.tokens()?;
        Some(Tokens {
            access_token: new.access_token,
            refresh_token: new.refresh_token.or(Some(refresh_token)),
            // The one of the login says who signed in.
            id_token: old.id_token.or(new.id_token),
            scope: new.scope.or(old.scope),
        })
    }

    /// Keeps the tokens for a later test.
    pub(super) fn keep_for_later(&mut self, tokens: Tokens) {
        self.token_answers.spare.push(Spare {
            tokens,
            after_attacks: self.token_answers.attacks,
        });
    }

    /// Redeems the code for a later test; whether that worked.
    pub(super) fn redeem_for_later(&mut self, code: &Code) -> bool {
        match redeemed(self, code) {
            Ok((tokens, _)) => {
                self.keep_for_later(tokens);
                true
            }
            Err(_) => false,
        }
    }

    /// `Ok` where a refresh works, so that a refused one tells of a dead token.
    pub(super) fn needs_working_refresh(&mut self) -> Judgement {
        if self.token_answers.refresh_works.is_none() {
            let tokens = self.session("for a session that is refreshed")?;
            let refresh_token = tokens.needs_refresh_token()?.clone();
            self.refresh(&refresh_token)?;
        }
        match self.token_answers.refresh_works {
            Some(true) => Ok(()),
            _ => unseen("no refresh works (refresh.works), so nothing tells whether a refresh token lives"),
        }
    }

    /// Refreshes; the new tokens, or `None` where it was refused.
    pub(super) fn refresh(&mut self, refresh_token: &Secret) -> Result<Option<Tokens>, Finding> {
        let params = self.refreshment(refresh_token);
        let exchange = self.token_request(params)?;
        let tokens = exchange.tokens();
        self.token_answers.refresh_works.get_or_insert(tokens.is_some());
        match (tokens, exchange.status()) {
            (Some(tokens), _) => Ok(Some(tokens)),
            (None, status) if status == 429 || status >= 500 => {
                unseen(format!("the server failed with status {status}"))
            }
            (None, _) => Ok(None),
        }
    }

    /// A form with the client's proof.
    pub(super) fn message(&mut self, url: Url, mut params: Params, client: &Client) -> Result<HttpRequest, Finding> {
        let mut context = self.world.caller.authentication_context(&url);
        let header = client.authenticate(&mut params, &mut context);
        let header = header.map_err(|error| Finding::Unseen(error.to_string()))?;
        let mut request = HttpRequest::post(url, params);
        request.headers.extend(header.map(|header| ("authorization", header)));
        Ok(request)
    }
}
