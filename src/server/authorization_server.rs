//! The development authorization server without its sockets: a request and the
//! time in, a response out.
//!
//! Invariants: no IO and no clock; randomness is an argument (ring draws its
//! own for signatures). No lock is held while something is signed. Every
//! refusal says by which rule.

use super::broken::{self, Broken, Entropy, Simultaneous, StandIns};
use super::documents;
use super::failures::Failures;
use super::grants::{Authorization, Grants, Lifetimes};
use super::interaction::{AcceptedRequest, Interactions, SignedIn};
use super::keys::{KeyError, Keys};
use super::message::{Refused, Request, Response};
use super::pages::Pages;
use super::route::Route;
use super::settings::{Approval, RegisteredClient, ServeSettings, User};
use super::tokens::AccessToken;
use crate::protocol::client::PresentedClient;
use crate::protocol::endpoint::{EndpointError, HttpPolicy, Issuer};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// The scopes that can be asked for.
pub(crate) const SCOPES: [&str; 6] = ["openid", "profile", "email", "offline_access", "hello", "introspect"];

/// What is granted where no scope is asked for (RFC 6749 §3.3).
pub(crate) const DEFAULT_SCOPE: &str = "hello";

/// How long access tokens live where they live too long.
const TOO_LONG_S: i64 = 24 * 3600;

/// Why a server cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The issuer is no URL. A bug: it is made from the port.
    #[error(transparent)]
    Issuer(#[from] EndpointError),
    /// Nobody could ever sign in.
    #[error("there is no account")]
    NoUser,
}

/// The authorization server and, since they share its knowledge of what was
/// revoked, the resource server.
pub struct AuthorizationServer {
    pub(crate) issuer: Issuer,
    /// Where the API of this server is: the audience of its tokens.
    pub(crate) api: Resource,
    pub(crate) approval: Approval,
    pub(crate) pages: Pages,
    pub(crate) keys: Keys,
    pub(crate) access_token_lifetime_s: i64,
    /// Named after the port, since browsers share cookies between ports.
    pub(crate) session_cookie: String,
    /// The only values of `Host` that are answered (DNS rebinding).
    authorities: Vec<String>,
    clients: Vec<RegisteredClient>,
    users: Vec<User>,
    metadata: Vec<u8>,
    openid_configuration: Vec<u8>,
    resource_metadata: Vec<u8>,
    failures: Failures,
    /// The rules that are broken on purpose.
    pub(crate) broken: Broken,
    pub(crate) stand_ins: StandIns,
    pub(crate) simultaneous: Simultaneous,
    /// The only port of a loopback redirect URI that is taken where ports are not free.
    pub(crate) only_port: OnceLock<Option<u16>>,
    grants: Mutex<Grants>,
    interactions: Mutex<Interactions>,
}

impl AuthorizationServer {
    /// Sets a server up whose issuer is `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn new(settings: &ServeSettings, port: u16) -> Result<Self, SetUpError> {
        let issuer_text = format!("http://127.0.0.1:{port}");
        let issuer = Issuer::parse(&issuer_text, HttpPolicy::LoopbackOnly)?;
        let api =
            Resource::parse(&format!("{issuer_text}/api")).map_err(|_| SetUpError::Issuer(EndpointError::NotAUrl))?;
        let first_user = settings.users.first().ok_or(SetUpError::NoUser)?;
        let only_demo_account =
            settings.users.len() == 1 && first_user.name == "demo" && first_user.password.expose() == "demo";
        let broken = settings.broken.clone();
        let lifetimes = Lifetimes {
            code_s: whole_seconds(settings.code_lifetime),
            access_token_s: if broken.is_broken(Rule::TokenLifetime) {
                TOO_LONG_S
            } else {
                whole_seconds(settings.access_token_lifetime)
            },
            refresh_token_s: whole_seconds(settings.refresh_token_lifetime),
            refresh_grace_s: whole_seconds(settings.refresh_grace),
            rotate: settings.refresh_rotation && !broken.is_broken(Rule::RefreshRotation),
        };
        let mut metadata = documents::metadata(&issuer)?;
        broken::alter_metadata(&broken, &issuer_text, &mut metadata);
        let mut openid_configuration = metadata.clone();
        broken::alter_openid_configuration(&broken, &mut openid_configuration);
        Ok(AuthorizationServer {
            approval: settings.approval,
            pages: Pages::new(&issuer_text, only_demo_account),
            keys: Keys::generate()?,
            access_token_lifetime_s: lifetimes.access_token_s,
            session_cookie: format!("oauth_session_{port}"),
            authorities: own_authorities(port),
            clients: settings.clients.clone(),
            users: settings.users.clone(),
            metadata: metadata.to_string().into_bytes(),
            openid_configuration: openid_configuration.to_string().into_bytes(),
            resource_metadata: documents::resource_metadata(&issuer, &api).to_string().into_bytes(),
            failures: Failures::new(&settings.failures),
            grants: Mutex::new(Grants::new(lifetimes, broken.clone())),
            interactions: Mutex::new(Interactions::new()),
            stand_ins: StandIns::new(),
            simultaneous: Simultaneous::default(),
            only_port: OnceLock::new(),
            broken,
            issuer,
            api,
        })
    }

    /// The issuer, as it stands in tokens and metadata.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The registered clients.
    pub fn clients(&self) -> &[RegisteredClient] {
        &self.clients
    }

    /// The metadata document as JSON.
    pub fn metadata(&self) -> &[u8] {
        &self.metadata
    }

    /// Whether answering may take seconds, because the RSA key was not made yet.
    pub fn may_take_long(&self, request: &Request) -> bool {
        !self.keys.has_rs256() && matches!(Route::of_path(&request.path), Some(Route::Jwks | Route::Token))
    }

    /// Whether the RSA key will soon be needed, so that it should be made meanwhile.
    pub fn will_need_rsa_key(&self, request: &Request) -> bool {
        !self.keys.has_rs256()
            && Route::of_path(&request.path) == Some(Route::Authorize)
            && request.query.as_deref().is_some_and(|query| query.contains("openid"))
    }

    /// Makes the RSA key, if that was not done yet.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn make_rsa_key(&self, randomness: &mut dyn Randomness) -> Result<(), KeyError> {
        self.keys.make_rs256(randomness)
    }

    /// Answers one request. What it commits, it commits before it returns.
    pub fn handle(&self, now: UnixSeconds, randomness: &mut dyn Randomness, request: &Request) -> Response {
        if self.broken.is_empty() {
            self.answer(now, randomness, request)
        } else {
            self.answer_against_the_rules(now, randomness, request)
        }
    }

    pub(crate) fn answer(&self, now: UnixSeconds, randomness: &mut dyn Randomness, request: &Request) -> Response {
        if let Err(refused) = self.check_host(request) {
            return Response::text(421, refused);
        }
        let Some(route) = Route::of_path(&request.path) else {
            return Response::text(404, Refused::new("there is nothing at this path", "RFC 9110 §15.5.5"));
        };
        if !route.methods().contains(&request.method.as_str()) {
            let refused = Refused::new(
                format!("this path takes {}", route.methods().join(", ")),
                method_rule(route),
            );
            return Response::text(405, refused).with("allow", route.methods().join(", "));
        }
        if let Err(refused) = check_origin(route, request) {
            return Response::text(403, refused);
        }
        if let Some(response) = self.failures.answer(route, &self.pages, self.issuer.as_str()) {
            return response;
        }
        if request.method == "OPTIONS" {
            return public(Response::new(204)).with("access-control-allow-methods", "GET, HEAD");
        }
        match route {
            Route::Home => {
                let client_id = self.clients.first().map_or("ID", |client| client.id.as_str());
                self.pages.home(client_id, &documents::FOR_PEOPLE)
            }
            Route::AuthorizationServerMetadata => document(self.metadata.clone()),
            Route::OpenidConfiguration => document(self.openid_configuration.clone()),
            Route::ProtectedResourceMetadata => document(self.resource_metadata.clone()),
            Route::Jwks => match self.keys.jwk_set(randomness) {
                Ok(mut set) => {
                    broken::alter_keys(&self.broken, &mut set);
                    document(set.to_string().into_bytes())
                }
                Err(error) => server_error(&error),
            },
            Route::Authorize => self.authorize(now, randomness, request),
            Route::SignIn => self.sign_in(now, randomness, request),
            Route::Consent => self.consent(now, randomness, request),
            Route::Token => self.token(now, randomness, request),
            Route::Revoke => self.revoke(now, request),
            Route::Introspect => self.introspect(now, request),
            Route::Userinfo => self.userinfo(now, request),
            Route::Hello => self.hello(now, request),
        }
    }

    /// A page of another site can point its own name at this machine; its
    /// requests still say whom they think they speak to.
    fn check_host(&self, request: &Request) -> Result<(), Refused> {
        let rule = "RFC 9110 §7.2";
        match request.header("host") {
            Err(_) => Err(Refused::new("there is more than one Host header", rule)),
            Ok(None) => Err(Refused::new("there is no Host header", rule)),
            Ok(Some(host)) if self.authorities.iter().any(|own| own.eq_ignore_ascii_case(host)) => Ok(()),
            Ok(Some(host)) => Err(Refused::new(format!("Host \"{host}\" is not this server"), rule)),
        }
    }

    /// The registered client of this id.
    pub(crate) fn client(&self, id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.id.as_str() == id)
    }

    /// The client that a request comes from, when its proof holds (RFC 6749
    /// §2.3, §3.2.1). An unknown client and a wrong secret look the same.
    pub(crate) fn authenticate(&self, presented: &PresentedClient) -> Result<&RegisteredClient, Refused> {
        let registered = self.client(&presented.id);
        let own_secret = registered.and_then(|client| client.secret.as_ref());
        let holds = match &presented.secret {
            // Compared even where there is nothing to compare with, so that it takes as long.
            Some(secret) => same_secret(own_secret.unwrap_or(secret), secret) && own_secret.is_some(),
            None => own_secret.is_none(),
        };
        let refused = || Refused::new("the client is unknown, or its authentication failed", "RFC 6749 §5.2");
        registered.filter(|_| holds).ok_or_else(refused)
    }

    /// The user with this name and password.
    pub(crate) fn user(&self, name: &str, password: &Secret) -> Option<&User> {
        // All are compared, so that the time says nothing.
        self.users.iter().fold(None, |found, user| {
            let same = user.name == name;
            if same_secret(&user.password, password) && same {
                Some(user)
            } else {
                found
            }
        })
    }

    /// Who decides where nobody is asked.
    pub(crate) fn first_user(&self, now: UnixSeconds) -> SignedIn {
        // There is one: `new` made sure.
        let name = self.users.first().map_or("", |user| user.name.as_str());
        SignedIn {
            user: name.to_owned(),
            auth_time: now,
        }
    }

    /// The grants, for one short step.
    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions and waiting requests, for one short step.
    pub(crate) fn interactions(&self) -> MutexGuard<'_, Interactions> {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Issues a code for what a user agreed to.
    pub(crate) fn issue_code(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &AcceptedRequest,
        require_session: &SignedIn,
    ) -> Result<Secret, RandomnessFailed> {
        let authorization = Self::authorization(request, require_session);
        let code = self.grants().issue_code(now, randomness, authorization)?;
        if self.broken.is_broken(Rule::AuthorizeCodeEntropy) {
            self.weaken(now, randomness, code, Entropy::Guessable)
        } else if self.broken.is_broken(Rule::AuthorizeCodeEntropyMore) {
            self.weaken(now, randomness, code, Entropy::Middling)
        } else {
            Ok(code)
        }
    }

    /// What a user agreed to.
    pub(crate) fn authorization(request: &AcceptedRequest, require_session: &SignedIn) -> Authorization {
        Authorization {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            redirect_uri_sent: request.redirect_uri_sent,
            code_challenge: request.code_challenge.clone(),
            commitment: request.departure.commitment.clone(),
            scope: request.scope.clone(),
            resource: request.resource.clone(),
            nonce: request.nonce.clone(),
            subject: require_session.user.clone(),
            auth_time: require_session.auth_time,
        }
    }

    /// What is granted where no scope is asked for.
    pub(crate) fn default_scope() -> Scope {
        Scope::from_tokens([DEFAULT_SCOPE]).unwrap_or_default()
    }

    /// Whether this server issued this access token, and it has not expired.
    pub(crate) fn issued(&self, now: UnixSeconds, token: &Secret) -> bool {
        AccessToken::verify(&self.keys, self.issuer.as_str(), now, token.expose()).is_some()
    }

    /// The access token, if this server issued it and it still stands.
    pub(crate) fn access_token(&self, now: UnixSeconds, token: &Secret) -> Option<AccessToken> {
        let token = AccessToken::verify(&self.keys, self.issuer.as_str(), now, token.expose())?;
        self.grants().is_alive(now, token.grant, token.serial).then_some(token)
    }
}

/// The names under which browsers reach this server; port 80 goes unsaid.
fn own_authorities(port: u16) -> Vec<String> {
    let hosts = ["127.0.0.1", "[::1]", "localhost"];
    let mut authorities: Vec<String> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
    if port == 80 {
        authorities.extend(hosts.map(str::to_owned));
    }
    authorities
}

/// A request that changes something must not come from another site's page.
/// `/authorize` is exempt: there, other sites send people on purpose.
fn check_origin(route: Route, request: &Request) -> Result<(), Refused> {
    if request.method != "POST" || route == Route::Authorize {
        return Ok(());
    }
    let rule = "RFC 9700 §4.7, Fetch §3.2";
    let site = request
        .header("sec-fetch-site")
        .map_err(|error| Refused::new(error.to_string(), rule))?;
    let origin = request
        .header("origin")
        .map_err(|error| Refused::new(error.to_string(), rule))?;
    let host = request.headers("host").next().unwrap_or_default();
    match origin {
        None => {}
        Some(origin)
            if origin
                .strip_prefix("http://")
                .is_some_and(|origin| origin.eq_ignore_ascii_case(host)) => {}
        // Our own pages send this, since they send no referrer.
        Some("null") if site == Some("same-origin") => {}
        Some(origin) => return Err(Refused::new(format!("Origin \"{origin}\" is not this server"), rule)),
    }
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(site) => Err(Refused::new(
            format!("a page of another site sent this (Sec-Fetch-Site: {site})"),
            rule,
        )),
    }
}

fn method_rule(route: Route) -> &'static str {
    match route {
        Route::Token => "RFC 6749 §3.2",
        Route::Revoke => "RFC 7009 §2.1",
        Route::Introspect => "RFC 7662 §2.1",
        _ => "RFC 9110 §15.5.6",
    }
}

fn document(text: Vec<u8>) -> Response {
    let mut response = public(Response::new(200)).with("content-type", "application/json");
    response.body = text.into();
    response
}

/// May be read by every web page (RFC 8414 §3, RFC 7517), but not kept: the
/// next run on this port has other keys.
fn public(mut response: Response) -> Response {
    response.headers.retain(|(name, _)| *name != "cache-control");
    response
        .with("cache-control", "no-cache")
        .with("access-control-allow-origin", "*")
}

/// Something failed that is nobody's fault.
pub(crate) fn server_error(error: &dyn std::error::Error) -> Response {
    Response::error(500, "server_error", Refused::new(error.to_string(), "RFC 9110 §15.6.1"))
}

fn same_secret(own: &Secret, presented: &Secret) -> bool {
    // Hashed first, so that not even the length shows in the time.
    let hash = |secret: &Secret| Sha256::digest(secret.expose().as_bytes());
    hash(own).ct_eq(&hash(presented)).into()
}

fn whole_seconds(duration: Duration) -> i64 {
    let seconds = duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0));
    // A hundred years: far enough, and no sum of two such times overflows.
    i64::try_from(seconds).unwrap_or(i64::MAX).min(100 * 365 * 24 * 3600)
}
