//! The authorization endpoint (RFC 6749 §3.1, §4.1.1): what is wrong with the
//! client or its redirect URI is shown on a page and never redirected
//! (§4.1.2.1); everything else goes back to the client with `state` and `iss`.

use super::authorization_server::{AuthorizationServer, SCOPES, server_error};
use super::broken::{Departure, FrontChannel, Reading};
use super::interaction::{AcceptedRequest, SessionId, SignedIn};
use super::message::{MAX_PARAMETERS, Refused, Request, Response, description};
use super::route::Route;
use super::settings::{Approval, RegisteredClient};
use crate::protocol::authorization::{AuthorizationRequest, AuthorizationResponse, ResponseMode};
use crate::protocol::client::ClientId;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::Params;
use crate::protocol::random::Randomness;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;

/// Where the answer to an authorization request goes.
pub(crate) struct ReturnPath<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) redirect_uri: &'a RedirectUri,
    pub(crate) state: Option<&'a str>,
    pub(crate) form_post: bool,
    /// Instead of the redirect URI, where a rule about it is broken.
    pub(crate) target: Option<&'a str>,
}

impl<'a> From<&'a AcceptedRequest> for ReturnPath<'a> {
    fn from(request: &'a AcceptedRequest) -> Self {
        ReturnPath {
            client_id: &request.client_id,
            redirect_uri: &request.redirect_uri,
            state: request.state.as_deref(),
            form_post: request.form_post,
            target: request.departure.target.as_deref(),
        }
    }
}

/// What `prompt` and `max_age` demand (OpenID Connect Core §3.1.2.1). Consent
/// is asked for each time, whatever they say (RFC 8252 §8.6).
struct Demand {
    /// No page may be shown.
    no_page: bool,
    /// The person must sign in anew.
    sign_in: bool,
    max_age_s: Option<i64>,
}

impl AuthorizationServer {
    /// Answers an authorization request that came by GET or POST.
    pub(crate) fn authorize(&self, now: UnixSeconds, randomness: &mut dyn Randomness, http: &Request) -> Response {
        let params = if http.method == "GET" {
            Some(http.query_params())
        } else {
            http.form_params()
        };
        let Some(params) = params else {
            let reason = "a POST to the authorization endpoint carries a form";
            return self.no_way_back(Refused::new(reason, "OpenID Connect Core §3.1.2.1"), &[]);
        };
        if params.iter().count() > MAX_PARAMETERS {
            let reason = format!("there are more than {MAX_PARAMETERS} parameters");
            return self.no_way_back(Refused::new(reason, "RFC 6749 §3.1"), &[]);
        }
        if http.method == "POST" && self.broken.is_broken(Rule::AuthorizePost) {
            let refused = Refused::new("this path takes GET", "--break");
            return Response::text(405, refused).against(Rule::AuthorizePost);
        }
        let mut reading = self.read_authorization_request(params);
        let noted = std::mem::take(&mut reading.noted);
        let mut response = self.authorize_as_read(now, randomness, http, reading);
        response.broken.extend(noted);
        response
    }

    fn authorize_as_read(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        http: &Request,
        reading: Reading,
    ) -> Response {
        let Reading {
            params,
            departure,
            refusal,
            ..
        } = reading;
        let (client, redirect_uri, redirect_uri_sent) = match self.redirect_target(&params) {
            Ok(redirect_target) => redirect_target,
            Err(page) => return self.redirect_all_the_same(&params).unwrap_or(*page),
        };
        let target = departure.target.clone();
        // An error goes back the way the request asked for, as far as that can be known.
        let return_path = ReturnPath {
            client_id: &client.id,
            redirect_uri: &redirect_uri,
            state: params.single("state").ok().flatten(),
            form_post: params.single("response_mode") == Ok(Some(ResponseMode::FormPost.as_str())),
            target: target.as_deref(),
        };
        let parsed = match refusal {
            Some(refusal) => Err(refusal),
            None => AuthorizationRequest::parse(&params, client.id.clone(), redirect_uri.clone()),
        };
        let accepted = parsed.and_then(|request| self.accept(request, redirect_uri_sent, departure));
        let (request, demand) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return self.refuse(&return_path, &error),
        };
        if demand.no_page && self.broken.is_broken(Rule::AuthorizePromptNone) {
            let page = self.no_way_back(Refused::new("sign in first", "--break"), &[]);
            return page.against(Rule::AuthorizePromptNone);
        }
        match self.approval {
            Approval::Auto => self.grant(now, randomness, &request, &self.first_user(now)),
            Approval::Deny => self.deny(&request),
            Approval::Ask => self.ask(now, randomness, http, request, &demand),
        }
    }

    /// Who asks, and where the answer may go; otherwise a page for the person.
    fn redirect_target(&self, params: &Params) -> Result<(&RegisteredClient, RedirectUri, bool), Box<Response>> {
        let page = |refused, facts: &[(&str, &[String])]| Box::new(self.no_way_back(refused, facts));
        let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(params)
            .map_err(|error| page(Refused::from_text(&error.to_string(), "RFC 6749 §4.1.2.1"), &[]))?;
        let client = self.client(client_id.as_str()).ok_or_else(|| {
            let refused = Refused::new("client_id names no client that is registered here", "RFC 6749 §4.1.2.1");
            page(refused, &[("client_id", &[client_id.to_string()])])
        })?;
        let is_registered = |sent: &RedirectUri| client.redirect_uris.iter().any(|own| sent.matches_registered(own));
        let registered = || client.redirect_uris.iter().map(ToString::to_string).collect::<Vec<_>>();
        match redirect_uri {
            Some(sent) if is_registered(&sent) && !self.takes_port(&sent) => {
                let refused = Refused::new("the port is not the one that came first", "--break");
                let response = *page(refused, &[("Sent", &[sent.to_string()])]);
                Err(Box::new(response.against(Rule::RedirectLoopbackPort)))
            }
            Some(sent) if is_registered(&sent) => Ok((client, sent, true)),
            Some(sent) => {
                let refused = Refused::new(
                    "redirect_uri is none that is registered for this client",
                    "RFC 6749 §3.1.2.3",
                );
                Err(page(
                    refused,
                    &[("Sent", &[sent.to_string()]), ("Registered", &registered())],
                ))
            }
            None => match client.redirect_uris.as_slice() {
                // Not where the port is up to the client.
                [only] if matches!(only.loopback_address(), None | Some(LoopbackAddress::Localhost)) => {
                    Ok((client, only.clone(), false))
                }
                _ => {
                    let refused = Refused::new(
                        "redirect_uri is missing, and no single one is registered",
                        "RFC 6749 §3.1.2.3",
                    );
                    Err(page(refused, &[("Registered", &registered())]))
                }
            },
        }
    }

    /// Whether this port may stand in a loopback redirect URI: any may (RFC
    /// 8252 §7.3), or only the one that came first.
    fn takes_port(&self, redirect_uri: &RedirectUri) -> bool {
        if !self.broken.is_broken(Rule::RedirectLoopbackPort) {
            return true;
        }
        let port = redirect_uri.port();
        redirect_uri.loopback_address().is_none() || *self.only_port.get_or_init(|| port) == port
    }

    /// Checks the request against what this server can do.
    fn accept(
        &self,
        request: AuthorizationRequest,
        redirect_uri_sent: bool,
        departure: Departure,
    ) -> Result<(AcceptedRequest, Demand), ErrorResponse> {
        let extra = |name: &str| {
            let found = request
                .extra
                .iter()
                .find(|(own, value)| own == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        if extra("registration").is_some() {
            let text = "self-issued registration is not supported (OpenID Connect Core §7.2.1)";
            return Err(ErrorResponse::new("registration_not_supported", text));
        }
        if let Some(unknown) = request
            .scope
            .tokens()
            .iter()
            .find(|token| !SCOPES.contains(&token.as_str()))
        {
            let text = format!("scope \"{unknown}\" is none of {} (RFC 6749 §3.3)", SCOPES.join(", "));
            return Err(ErrorResponse::new("invalid_scope", &text));
        }
        if request.scope.contains("openid") && !redirect_uri_sent {
            let text = "redirect_uri is missing (OpenID Connect Core §3.1.2.1)";
            return Err(ErrorResponse::new("invalid_request", text));
        }
        let demand = Demand::read(extra("prompt"), extra("max_age"))?;
        let login_hint = extra("login_hint").unwrap_or_default().to_owned();
        let scope = if request.scope.is_empty() {
            Self::default_scope()
        } else {
            request.scope
        };
        let resource = if request.resource.is_empty() {
            vec![self.api.clone()]
        } else {
            request.resource
        };
        let accepted = AcceptedRequest {
            client_id: request.client_id,
            redirect_uri: request.redirect_uri,
            redirect_uri_sent,
            code_challenge: request.code_challenge,
            scope,
            resource,
            nonce: request.nonce.map(|nonce| nonce.expose().to_owned()),
            state: request.state.map(|state| state.expose().to_owned()),
            form_post: request.response_mode == Some(ResponseMode::FormPost),
            login_hint,
            departure,
        };
        Ok((accepted, demand))
    }

    /// Sends the browser to the sign-in page, or to the consent page where
    /// somebody is signed in already.
    fn ask(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        http: &Request,
        request: AcceptedRequest,
        demand: &Demand,
    ) -> Response {
        let known = SessionId::of_cookie(http.cookie(&self.session_cookie));
        let mut interactions = self.interactions();
        let require_session = known
            .as_ref()
            .and_then(|session| interactions.require_session(now, session));
        let must_sign_in = !require_session.is_some_and(|who| demand.is_satisfied_by(now, who));
        if demand.no_page {
            let error = if must_sign_in {
                ErrorResponse::new("login_required", "nobody is signed in (OpenID Connect Core §3.1.2.6)")
            } else {
                let text = "consent is asked for each time (OpenID Connect Core §3.1.2.6, RFC 8252 §8.6)";
                ErrorResponse::new("consent_required", text)
            };
            return self.refuse(&ReturnPath::from(&request), &error);
        }
        let is_new = known.is_none();
        let waiting = known
            .map_or_else(|| SessionId::draw(randomness), Ok)
            .and_then(|session| {
                let id = interactions.wait(now, randomness, &session, request, must_sign_in)?;
                Ok((session, id))
            });
        let (session, id) = match waiting {
            Ok(waiting) => waiting,
            Err(error) => return server_error(&error),
        };
        let route = if must_sign_in { Route::SignIn } else { Route::Consent };
        let response = Response::see_other(format!("{}?request={}", route.path(), id.expose()));
        if is_new {
            response.with("set-cookie", self.set_cookie(&session))
        } else {
            response
        }
    }

    /// The cookie of a browser session. `Secure` would keep it from `http`.
    pub(crate) fn set_cookie(&self, session: &SessionId) -> String {
        format!(
            "{}={}; Path=/; HttpOnly; SameSite=Lax",
            self.session_cookie,
            session.expose()
        )
    }

    /// The resource owner agreed: back to the client with a code (RFC 6749 §4.1.2).
    pub(crate) fn grant(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &AcceptedRequest,
        require_session: &SignedIn,
    ) -> Response {
        let return_path = ReturnPath::from(request);
        if request.departure.front_channel != FrontChannel::Code {
            let response = self.give_in_front_channel(now, randomness, request, require_session);
            return response.unwrap_or_else(|error| self.refuse(&return_path, &error));
        }
        match self.issue_code(now, randomness, request, require_session) {
            Ok(code) => {
                let mut response = self.send_back(&return_path, &AuthorizationResponse::Code(code));
                for rule in [Rule::AuthorizeCodeEntropy, Rule::AuthorizeCodeEntropyMore] {
                    self.broken.breaks(rule, &mut response.broken);
                }
                response
            }
            Err(error) => self.refuse(&return_path, &ErrorResponse::new("server_error", &error.to_string())),
        }
    }

    /// The resource owner refused.
    pub(crate) fn deny(&self, request: &AcceptedRequest) -> Response {
        let error = ErrorResponse::new("access_denied", "the resource owner refused (RFC 6749 §4.1.2.1)");
        self.refuse(&ReturnPath::from(request), &error)
    }

    /// Back to the client with an error (RFC 6749 §4.1.2.1).
    fn refuse(&self, return_path: &ReturnPath<'_>, error: &ErrorResponse) -> Response {
        let text = error.error_description.as_deref().unwrap_or_default();
        let refused = Refused::from_text(text, "RFC 6749 §4.1.2.1");
        let error = ErrorResponse::new(&error.error, &description(&refused));
        let logged = Refused::new(format!("{}: {}", error.error, refused.reason), refused.rule);
        self.send_back(return_path, &AuthorizationResponse::Error(error))
            .refused(logged)
    }

    fn send_back(&self, return_path: &ReturnPath<'_>, response: &AuthorizationResponse) -> Response {
        let ReturnPath {
            client_id,
            redirect_uri,
            state,
            form_post,
            ..
        } = return_path;
        if self.sends_back_otherwise(return_path) {
            self.send_back_otherwise(return_path, &response.params(*state, &self.issuer), false)
        } else if *form_post {
            let params = response.params(*state, &self.issuer);
            self.pages.form_post(client_id.as_str(), redirect_uri, &params)
        } else {
            Response::see_other(response.location(redirect_uri, *state, &self.issuer).into())
        }
    }

    fn no_way_back(&self, refused: Refused, facts: &[(&str, &[String])]) -> Response {
        let advice = "Nothing was sent back to the application.";
        self.pages
            .error(400, "This request cannot go on", refused, facts, advice)
    }
}

impl Demand {
    fn read(prompt: Option<&str>, max_age: Option<&str>) -> Result<Self, ErrorResponse> {
        let invalid =
            |text: &str| ErrorResponse::new("invalid_request", &format!("{text} (OpenID Connect Core §3.1.2.1)"));
        let values: Vec<&str> = prompt
            .unwrap_or_default()
            .split(' ')
            .filter(|value| !value.is_empty())
            .collect();
        if let Some(unknown) = values
            .iter()
            .find(|value| !["none", "login", "consent", "select_account"].contains(value))
        {
            return Err(invalid(&format!(
                "prompt \"{unknown}\" is none of none, login, consent, select_account"
            )));
        }
        let no_page = values.contains(&"none");
        if no_page && values.len() > 1 {
            return Err(invalid("prompt none stands alone"));
        }
        let max_age_s = match max_age {
            None => None,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(text.parse().unwrap_or(i64::MAX)),
            Some(_) => return Err(invalid("max_age is no number of seconds")),
        };
        Ok(Demand {
            no_page,
            sign_in: values.contains(&"login") || values.contains(&"select_account"),
            max_age_s,
        })
    }

    fn is_satisfied_by(&self, now: UnixSeconds, require_session: &SignedIn) -> bool {
        let age_s = now.seconds_since(require_session.auth_time);
        !self.sign_in && self.max_age_s.is_none_or(|max_age_s| age_s <= max_age_s)
    }
}
