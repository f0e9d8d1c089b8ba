//! The authorization code flow with PKCE, from top to bottom: the seven steps
//! of RFC 6749 §4.1 and RFC 7636 as they happen. [`login`] is the file's first
//! function; everything below it is a detail of one step.

use crate::browser::{BrowserError, BrowserReport, Opening};
use crate::diagnosis::{Diagnosis, ExitCode};
use crate::flow::discover::{DiscoveryError, discover, hints_for};
use crate::flow::session;
use crate::loopback::{Arrival, Callback, ListenSettings, Loopback, LoopbackError, Page};
use crate::protocol::authorization::{
    AuthorizationGrant, AuthorizationRequest, AuthorizationWish, BrokenResponse, ExpectedIssuer, PendingAuthorization,
    Verdict,
};
use crate::protocol::client::{Client, ClientAuthentication, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpAllowance, Issuer};
use crate::protocol::error::ErrorResponse;
use crate::protocol::id_token::{self, Expected, IdToken, IdTokenError, Occasion};
use crate::protocol::metadata::{MetadataError, ServerMetadata};
use crate::protocol::params::Params;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token::{InvalidTokenResponse, TokenError, TokenResponse};
use crate::secret::Secret;
use crate::store::Session;
use crate::surroundings::{Listening, Surroundings};
use crate::trace::{Event, Observer, Party, Step};
use crate::transport::{Transport, TransportError, UrlSource};
use std::future::pending;
use std::time::Duration;
use url::Url;

/// Callbacks with a wrong `state`, after which a person is told that something is odd.
const STRANGE_CALLBACKS_BEFORE_WARNING: u32 = 20;

/// Walks the seven steps. Whoever calls stores the session by `keep`, which
/// runs before the browser sees success; where it fails, the login fails.
///
/// # Errors
/// [`LoginError`], one variant for each way to end. Nothing is stored then.
pub async fn login(request: LoginRequest, world: &mut LoginWorld<'_>) -> Result<LoggedIn, LoginError> {
    // 1. The resource owner asks the client: metadata, listener, verifier, challenge and state are made ready.
    world.observer.observe(&Event::StepBegins(Step::Prepare));
    let server = know_server(&request.server, world.transport, world.observer).await?;
    let client = request.client.authenticated_as(&server.metadata);
    let mut doorway = Doorway::open(&request.callback, world.observer).await?;
    let pending = PendingAuthorization::new(
        client.clone(),
        doorway.redirect_uri.clone(),
        ExpectedIssuer {
            issuer: server.metadata.issuer.clone(),
            announced: server.metadata.authorization_response_iss_parameter_supported,
        },
        request.wish,
        world.randomness,
    )?;
    tell_prepared(pending.request(), world.observer);

    // 2. The client sends the browser to the authorization endpoint.
    world.observer.observe(&Event::StepBegins(Step::Ask));
    let url = pending.request().url(&server.authorization_endpoint);
    tell_asked(pending.request(), &url, &doorway, world);
    let mut browser = world.user_agent.open(&url).map_err(LoginError::Browser)?;

    // 3 and 4. The server asks, the resource owner signs in and consents: not ours.
    world.observer.observe(&Event::StepBegins(Step::Prompt));
    world.observer.observe(&Event::StepBegins(Step::Consent));

    // 5. The browser comes back with code and state. Strangers are ignored, the wait goes on.
    let received = receive(&pending, &mut doorway, &mut browser, request.timeout, world).await;
    let (grant, callback) = match received {
        Ok(received) => received,
        Err(error) => {
            doorway.close().await;
            return Err(error);
        }
    };

    // 6 and 7, while the browser waits for its page.
    let outcome = exchange_and_store(pending, grant, &server, client, world).await;
    if let Some(callback) = callback {
        callback.respond(if outcome.is_ok() { Page::Success } else { Page::Failure });
    }
    doorway.close().await;
    outcome
}

async fn exchange_and_store(
    pending: PendingAuthorization,
    grant: AuthorizationGrant,
    server: &KnownServer,
    client: Client,
    world: &mut LoginWorld<'_>,
) -> Result<LoggedIn, LoginError> {
    // 6. Code and verifier go to the token endpoint, once.
    world.observer.observe(&Event::StepBegins(Step::Exchange));
    let (token_request, asked) = pending.redeem(grant);
    let http_request = token_request.http_request(&server.token_endpoint);
    if let Some(params) = &http_request.body {
        let (from, to) = (Party::Client, Party::AuthorizationServer);
        world.observer.observe(&Event::Message {
            from,
            to,
            title: "token request",
            params,
        });
    }
    let answer = world
        .transport
        .send(&http_request, world.observer)
        .await
        .map_err(LoginError::Exchange)?;

    // 7. The token response is checked and stored; only then does the browser see success.
    world.observer.observe(&Event::StepBegins(Step::Store));
    let response = TokenResponse::read(&server.token_endpoint, &answer)?;
    tell_answered(&response, world.observer);
    let now = (world.now)();
    let id_token = check_id_token(&response, &asked, server, now, world.observer)?;
    let granted = response.scope.clone();
    let token_response = response.to_json();
    let wished = session::asked(&asked.scope, &asked.resource, &asked.audience);
    let mut session = session::without_tokens(&server.metadata, &client, wished);
    session.subject = id_token.as_ref().map(|id_token| id_token.subject.clone());
    session::take(&mut session, response, now);
    (world.keep)(&session, world.observer).map_err(LoginError::Keep)?;
    Ok(LoggedIn {
        session,
        id_token,
        asked_scope: asked.scope,
        granted_scope: granted,
        token_response,
    })
}

/// What a login is to do.
#[derive(Debug)]
pub struct LoginRequest {
    /// Where.
    pub server: ServerChoice,
    /// As whom.
    pub client: ClientChoice,
    /// For what.
    pub wish: AuthorizationWish,
    /// How the answer comes back.
    pub callback: CallbackChoice,
    /// How long to wait for the resource owner.
    pub timeout: Duration,
}

/// Which authorization server, by issuer or by endpoints.
#[derive(Debug, Clone)]
pub struct ServerChoice {
    /// Whose metadata are discovered, unless both endpoints below are given.
    pub issuer: Option<Issuer>,
    /// Instead of the discovered one.
    pub authorization_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub token_endpoint: Option<Endpoint>,
    /// Instead of the discovered one.
    pub revocation_endpoint: Option<Endpoint>,
    /// Where http may be spoken.
    pub allowance: HttpAllowance,
}

/// Which client, and how it authenticates if it can.
#[derive(Debug, Clone)]
pub struct ClientChoice {
    /// Its name at the server.
    pub id: ClientId,
    /// Its secret, if it has one.
    pub secret: Option<Secret>,
    /// The method that the user chose, else what the metadata say.
    pub method: Option<ClientAuthenticationMethod>,
}

impl ClientChoice {
    pub(super) fn authenticated_as(&self, metadata: &ServerMetadata) -> Client {
        let authentication = match &self.secret {
            None => ClientAuthentication::None,
            Some(secret) => match self.method.unwrap_or_else(|| metadata.client_authentication_method()) {
                ClientAuthenticationMethod::None => ClientAuthentication::None,
                ClientAuthenticationMethod::ClientSecretBasic => {
                    ClientAuthentication::ClientSecretBasic(secret.clone())
                }
                ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost(secret.clone()),
            },
        };
        Client {
            id: self.id.clone(),
            authentication,
        }
    }
}

/// How the authorization response comes back to this process.
#[derive(Debug, Clone)]
pub enum CallbackChoice {
    /// To a listener on this machine; port 0 in the URI means the port that is bound.
    Listen(RedirectUri, ListenSettings),
    /// By a person who pastes the URL that the browser ended on.
    Paste(RedirectUri),
}

/// Shows the resource owner a URL: the browser, or whoever stands in for it.
pub trait UserAgent {
    /// Starts it without waiting for it. What becomes of it is reported by the [`Opening`].
    ///
    /// # Errors
    /// [`BrowserError`] for a URL that no browser may be sent to.
    fn open(&mut self, url: &Url) -> Result<Opening, BrowserError>;
}

/// Where a pasted URL comes from.
pub trait PastedLines {
    /// The next line; `None` when there will be no more. Cancelling loses nothing.
    fn next_line(&mut self) -> std::pin::Pin<Box<dyn Future<Output = Option<Secret>> + '_>>;

    /// Whether a person sits there who can try again.
    fn is_terminal(&self) -> bool;
}

/// Stores the session, and says why if it cannot.
pub type Keep<'a> = dyn FnMut(&Session, &mut dyn Observer) -> Result<(), Box<dyn Diagnosis>> + 'a;

/// What the flow needs of the world around it.
pub struct LoginWorld<'a> {
    /// Sends the requests.
    pub transport: &'a Transport,
    /// Shows the URL to the resource owner.
    pub user_agent: &'a mut dyn UserAgent,
    /// Lines that a person pastes, where there is a terminal or `--paste`.
    pub pasted: Option<&'a mut dyn PastedLines>,
    /// Where this process runs, which decides what is said about reaching the callback.
    pub surroundings: &'a Surroundings,
    /// Draws verifier, state and nonce.
    pub randomness: &'a mut dyn Randomness,
    /// The wall clock.
    pub now: fn() -> UnixSeconds,
    /// Stores the session.
    pub keep: &'a mut Keep<'a>,
    /// Sees everything.
    pub observer: &'a mut dyn Observer,
}

/// A login that succeeded and is stored.
#[derive(Debug)]
pub struct LoggedIn {
    /// As it was stored.
    pub session: Session,
    /// Who signed in, where the server says so.
    pub id_token: Option<IdToken>,
    /// What was asked for.
    pub asked_scope: Scope,
    /// What the server says it granted; `None` means what was asked for.
    pub granted_scope: Option<Scope>,
    /// The token response as JSON, for `--no-store`.
    pub token_response: Secret,
}

/// Why a login ended without a session.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server is not known.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// It is known, but cannot take part.
    #[error("this server cannot be used for a login with PKCE")]
    Unsuitable(#[source] MetadataError),
    /// The metadata lack an endpoint.
    #[error("the metadata of the server have no {0} (RFC 8414 §2)")]
    NoEndpoint(&'static str),
    /// Requests to it would not be sent.
    #[error("the server cannot be reached")]
    Unreachable(#[source] TransportError),
    /// No browser may be sent to that URL.
    #[error("the authorization endpoint cannot be opened in a browser")]
    Browser(#[source] BrowserError),
    /// Nothing can be listened on.
    #[error("no callback can be received")]
    Listener(#[from] LoopbackError),
    /// There is no verifier without it.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// Nobody finished in time.
    #[error("nobody finished the login in the browser within {}", crate::duration::in_words(waited.as_secs()))]
    TimedOut {
        /// How long we waited.
        waited: Duration,
        /// The error of a callback that was ignored, since its state was not ours.
        ignored: Option<ErrorResponse>,
    },
    /// The end of standard input came before a usable line.
    #[error("no redirect URL was pasted that answers this login")]
    NothingPasted,
    /// The answer is ours and breaks the specification.
    #[error("the authorization response cannot be accepted")]
    Broken(#[source] BrokenResponse),
    /// The server or the resource owner said no.
    #[error("the authorization server refused: {}{}", error.error, described(error))]
    Denied {
        /// What it said.
        error: ErrorResponse,
    },
    /// No answer from the token endpoint.
    #[error("the code cannot be exchanged")]
    Exchange(#[source] TransportError),
    /// An answer that is no token.
    #[error("the code was not exchanged")]
    Token(#[from] TokenError),
    /// The token came for somebody else, or by somebody else.
    #[error("the ID token cannot be accepted, so nothing was stored")]
    IdToken(#[from] IdTokenError),
    /// The session cannot be stored.
    #[error("the session was not stored: {0}")]
    Keep(Box<dyn Diagnosis>),
}

fn described(error: &ErrorResponse) -> String {
    error
        .error_description
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default()
}

impl Diagnosis for LoginError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LoginError::Discovery(source) => source.exit_code(),
            LoginError::Unreachable(source) | LoginError::Exchange(source) => source.exit_code(),
            LoginError::Listener(source) => source.exit_code(),
            LoginError::Browser(source) => source.exit_code(),
            LoginError::Keep(source) => source.exit_code(),
            LoginError::Token(error) => exit_code_of(error),
            LoginError::Randomness(_) => ExitCode::Unexpected,
            LoginError::TimedOut { .. } => ExitCode::Timeout,
            LoginError::Denied { error } => match error.error.as_str() {
                "server_error" | "temporarily_unavailable" => ExitCode::Unreachable,
                _ => ExitCode::Refused,
            },
            LoginError::Unsuitable(_)
            | LoginError::NoEndpoint(_)
            | LoginError::NothingPasted
            | LoginError::Broken(_)
            | LoginError::IdToken(_) => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            LoginError::Discovery(source) => source.hints(),
            LoginError::Unreachable(source) | LoginError::Exchange(source) => source.hints(),
            LoginError::Listener(source) => source.hints(),
            LoginError::Browser(source) => source.hints(),
            LoginError::Keep(source) => source.hints(),
            LoginError::Unsuitable(problem) => hints_for(problem),
            LoginError::NoEndpoint(name) => vec![format!("Give it with --{}.", name.replace('_', "-"))],
            LoginError::Randomness(_) => Vec::new(),
            LoginError::TimedOut { ignored, .. } => hints_for_time_out(ignored.as_ref()),
            LoginError::NothingPasted => {
                one("Paste the whole URL that the browser ended on, with its state; a bare code cannot be checked.")
            }
            LoginError::Broken(BrokenResponse::WrongIssuer { .. }) => one(
                "Another server answered than was asked: do not log in there; if the issuer was mistyped, give the right one with --issuer.",
            ),
            LoginError::Broken(_) => one("Run it again with -v to see the response; no token request was sent."),
            LoginError::Denied { error } => hints_for_denial(error),
            LoginError::Token(error) => hints_of(error),
            LoginError::IdToken(error) if error.may_be_clock_skew() => {
                one("Check the clock of this machine: the server's and this one seem to differ.")
            }
            LoginError::IdToken(_) => one("Run it again with -vv to see the token response."),
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            LoginError::Denied { error } => Some((&error.error, error.error_description.as_deref())),
            LoginError::Token(error) => oauth_error_of(error),
            _ => None,
        }
    }
}

/// The exit code of an answer that is no token: status first, then JSON, then what it says.
pub fn exit_code_of(error: &TokenError) -> ExitCode {
    match error {
        TokenError::Unavailable { .. } | TokenError::NotJson { .. } => ExitCode::Unreachable,
        TokenError::Redirect { .. } | TokenError::Invalid { .. } => ExitCode::Protocol,
        TokenError::OAuth { .. } => ExitCode::Refused,
    }
}

/// The server's own words in an answer that is no token.
pub fn oauth_error_of(error: &TokenError) -> Option<(&str, Option<&str>)> {
    match error {
        TokenError::OAuth { error, .. } => Some((&error.error, error.error_description.as_deref())),
        _ => None,
    }
}

/// What a person can do about an answer that is no token.
pub fn hints_of(error: &TokenError) -> Vec<String> {
    let hint = match error {
        TokenError::Unavailable { .. } => "Try again later.",
        TokenError::Redirect { .. } => {
            "Give the endpoint's final URL with --token-endpoint, if that is where it has moved."
        }
        TokenError::NotJson { .. } => {
            "Something else than the token endpoint seems to answer: a proxy, a captive portal, or a wrong --token-endpoint."
        }
        TokenError::Invalid {
            problem: InvalidTokenResponse::TokenType(_),
            ..
        } => "The server issues tokens that this client did not ask for; see its settings for this client.",
        TokenError::Invalid { .. } => "Run it again with -vv to see the answer.",
        TokenError::OAuth { error, .. } => match error.error.as_str() {
            "invalid_client" | "unauthorized_client" => {
                "Check the client_id, and whether this client has a secret (--client-secret-file) and how it is sent (--client-auth)."
            }
            "invalid_grant" => {
                "The code had expired or was used before, or the redirect URI is registered otherwise: run the login again."
            }
            "invalid_target" => "The server does not know the --resource, or does not take that parameter.",
            "invalid_scope" => "Ask for other scopes with --scope.",
            _ => "Run it again with -vv to see the exchange.",
        },
    };
    vec![hint.to_owned()]
}

fn hints_for_denial(error: &ErrorResponse) -> Vec<String> {
    let hint = match error.error.as_str() {
        "access_denied" => "Run the login again if that was a mistake.",
        "invalid_scope" => "Ask for other scopes with --scope.",
        "invalid_target" => "The server does not know the --resource, or does not take that parameter.",
        "server_error" | "temporarily_unavailable" => "Try again later.",
        "unauthorized_client" => "This client may not use the authorization code flow: see its settings at the server.",
        "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
            "The server must ask the resource owner: leave out --param prompt=none."
        }
        _ => "Run it again with -v to see the request.",
    };
    vec![hint.to_owned()]
}

fn hints_for_time_out(ignored: Option<&ErrorResponse>) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(error) = ignored {
        hints.push(format!(
            "A callback with a foreign state was ignored; it carried the error {}{}.",
            error.error,
            described(error)
        ));
    }
    hints.push(
        "If the browser shows an error page of the server, the redirect URI or the client_id is probably not registered there: compare them with -v."
            .to_owned(),
    );
    hints
        .push("If the browser ended on a page that cannot be reached, paste its URL here (or use --paste).".to_owned());
    hints.push("Wait longer with --timeout 15m.".to_owned());
    hints
}

/// A server with the two endpoints that the flow needs.
pub(super) struct KnownServer {
    pub(super) metadata: ServerMetadata,
    authorization_endpoint: Endpoint,
    pub(super) token_endpoint: Endpoint,
}

/// Learns the server's endpoints and whether it can take part in the flow.
pub(super) async fn know_server(
    choice: &ServerChoice,
    transport: &Transport,
    observer: &mut dyn Observer,
) -> Result<KnownServer, LoginError> {
    let both_given = choice.authorization_endpoint.is_some() && choice.token_endpoint.is_some();
    let mut metadata = match &choice.issuer {
        Some(issuer) if !both_given => discover(issuer, choice.allowance, transport, observer)
            .await
            .map_err(Box::new)?,
        issuer => ServerMetadata {
            issuer: issuer.clone(),
            ..ServerMetadata::default()
        },
    };
    for (own, given) in [
        (&mut metadata.authorization_endpoint, &choice.authorization_endpoint),
        (&mut metadata.token_endpoint, &choice.token_endpoint),
        (&mut metadata.revocation_endpoint, &choice.revocation_endpoint),
    ] {
        if given.is_some() {
            own.clone_from(given);
        }
    }
    metadata
        .supports_code_flow_with_pkce()
        .map_err(LoginError::Unsuitable)?;
    let required = |endpoint: &Option<Endpoint>, name| endpoint.clone().ok_or(LoginError::NoEndpoint(name));
    let authorization_endpoint = required(&metadata.authorization_endpoint, "authorization_endpoint")?;
    let token_endpoint = required(&metadata.token_endpoint, "token_endpoint")?;
    // Certificates and proxy settings are looked at before a person signs in for nothing.
    transport
        .prepare(token_endpoint.url(), UrlSource::Server)
        .map_err(LoginError::Unreachable)?;
    match &metadata.code_challenge_methods_supported {
        Some(_) => observer.observe(&Event::CheckPassed("the server lists S256 (RFC 7636 §4.2)")),
        None => observer.observe(&Event::CheckSkipped(
            "the server does not say whether it knows PKCE; S256 is sent all the same (RFC 9700 §2.1.1)",
        )),
    }
    Ok(KnownServer {
        metadata,
        authorization_endpoint,
        token_endpoint,
    })
}

/// Where the authorization response comes in.
struct Doorway {
    listener: Option<Loopback>,
    redirect_uri: RedirectUri,
    /// Whether it is bound to another address than the redirect URI names.
    elsewhere: bool,
}

impl Doorway {
    async fn open(choice: &CallbackChoice, observer: &mut dyn Observer) -> Result<Self, LoginError> {
        match choice {
            CallbackChoice::Paste(redirect_uri) => Ok(Doorway {
                listener: None,
                redirect_uri: redirect_uri.clone(),
                elsewhere: false,
            }),
            CallbackChoice::Listen(redirect_uri, settings) => {
                let listener = Loopback::bind(settings).await?;
                for note in listener.notes() {
                    observer.observe(&Event::Note(&note));
                }
                if let Some(warning) = listener.warning() {
                    observer.observe(&Event::Warning(warning));
                }
                let port = listener.port();
                // An URI that names its port is sent byte for byte as it was given.
                let redirect_uri = match redirect_uri.port() {
                    Some(given) if given == port => redirect_uri.clone(),
                    _ => redirect_uri.with_port(port),
                };
                Ok(Doorway {
                    listener: Some(listener),
                    redirect_uri,
                    elsewhere: settings.listen.is_some(),
                })
            }
        }
    }

    async fn next(&mut self) -> Result<Arrival, LoopbackError> {
        match &mut self.listener {
            Some(listener) => listener.next().await,
            None => pending().await,
        }
    }

    async fn close(self) {
        if let Some(listener) = self.listener {
            listener.close().await;
        }
    }
}

async fn next_pasted(pasted: &mut Option<&mut dyn PastedLines>) -> Option<Secret> {
    match pasted {
        Some(lines) => lines.next_line().await,
        None => pending().await,
    }
}

/// Waits for the one answer to this request.
async fn receive(
    pending: &PendingAuthorization,
    doorway: &mut Doorway,
    browser: &mut Opening,
    timeout: Duration,
    world: &mut LoginWorld<'_>,
) -> Result<(AuthorizationGrant, Option<Callback>), LoginError> {
    world.observer.observe(&Event::StepBegins(Step::Receive));
    world.observer.observe(&Event::WaitBegins {
        timeout,
        paste_accepted: world.pasted.is_some(),
    });
    let outcome = wait(pending, doorway, browser, timeout, world).await;
    world.observer.observe(&Event::WaitEnds);
    outcome
}

async fn wait(
    pending: &PendingAuthorization,
    doorway: &mut Doorway,
    browser: &mut Opening,
    timeout: Duration,
    world: &mut LoginWorld<'_>,
) -> Result<(AuthorizationGrant, Option<Callback>), LoginError> {
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut ignored = Ignored::default();
    loop {
        tokio::select! {
            arrival = doorway.next() => match arrival? {
                Arrival::Stranger { reason } => world.observer.observe(&Event::CallbackIgnored { reason: &reason }),
                Arrival::Callback(callback) => {
                    let params = Params::parse(&callback.parameters);
                    match judged(pending, &params, world.observer) {
                        Ok(Some(grant)) => return Ok((grant, Some(callback))),
                        Ok(None) => {
                            ignored.note(&params, world.observer);
                            callback.respond(Page::Ignored);
                        }
                        Err(error) => {
                            callback.respond(Page::Failure);
                            return Err(error);
                        }
                    }
                }
            },
            line = next_pasted(&mut world.pasted) => match line {
                Some(line) => {
                    if let Some(params) = redirected(&line, &doorway.redirect_uri, world.observer)
                        && let Some(grant) = judged(pending, &params, world.observer)?
                    {
                        return Ok((grant, None));
                    }
                    let again = doorway.listener.is_some() || world.pasted.as_ref().is_some_and(|lines| lines.is_terminal());
                    if !again {
                        return Err(LoginError::NothingPasted);
                    }
                }
                None if doorway.listener.is_some() => world.pasted = None,
                None => return Err(LoginError::NothingPasted),
            },
            Some(report) = browser.next() => match report {
                BrowserReport::Started { command } => world.observer.observe(&Event::BrowserStarted { command: &command }),
                BrowserReport::Failed { command, reason } => {
                    world.observer.observe(&Event::BrowserFailed { command: &command, reason: &reason });
                }
            },
            () = &mut deadline => return Err(LoginError::TimedOut { waited: timeout, ignored: ignored.error }),
        }
    }
}

/// Callbacks that were not for this login.
#[derive(Default)]
struct Ignored {
    count: u32,
    error: Option<ErrorResponse>,
}

impl Ignored {
    /// The first one that carries an error is told at once: it may be the real
    /// answer of a server that loses the state.
    fn note(&mut self, params: &Params, observer: &mut dyn Observer) {
        self.count += 1;
        if self.error.is_none()
            && let Ok(Some(error)) = ErrorResponse::from_params(params)
        {
            observer.observe(&Event::Warning(&format!(
                "a callback that carries the error {}{} was ignored, since its state is not that of this login",
                error.error,
                described(&error)
            )));
            self.error = Some(error);
        }
        if self.count == STRANGE_CALLBACKS_BEFORE_WARNING {
            observer.observe(&Event::Warning(
                "many callbacks with a foreign state have come; something on this machine or a web page is trying",
            ));
        }
    }
}

/// `Some` grants, `None` waits on, an error ends the login.
fn judged(
    pending: &PendingAuthorization,
    params: &Params,
    observer: &mut dyn Observer,
) -> Result<Option<AuthorizationGrant>, LoginError> {
    let verdict = pending.judge(params);
    if !matches!(verdict, Verdict::Foreign(_)) {
        let (from, to) = (Party::Browser, Party::Client);
        observer.observe(&Event::Message {
            from,
            to,
            title: "authorization response",
            params,
        });
    }
    match verdict {
        Verdict::Foreign(reason) => {
            observer.observe(&Event::CallbackIgnored { reason });
            Ok(None)
        }
        Verdict::Broken(broken) => Err(LoginError::Broken(broken)),
        Verdict::Denied { error, issuer_missing } => {
            if issuer_missing {
                observer.observe(&Event::Warning(
                    "the server announces iss in its responses, but its error response has none (RFC 9207 §2)",
                ));
            }
            Err(LoginError::Denied { error })
        }
        Verdict::Granted(grant) => {
            observer.observe(&Event::CheckPassed("state is the one that was sent (RFC 6749 §10.12)"));
            if params.single("iss").is_ok_and(|iss| iss.is_some()) {
                observer.observe(&Event::CheckPassed("iss is the issuer that was asked (RFC 9207 §2.4)"));
            } else {
                observer.observe(&Event::CheckSkipped(
                    "iss: the server neither announces nor sends it (RFC 9207), so a mix-up of servers would show only in the ID token",
                ));
            }
            Ok(Some(grant))
        }
    }
}

/// The parameters of a pasted redirect URL; `None` after saying why it cannot be taken.
fn redirected(line: &Secret, redirect_uri: &RedirectUri, observer: &mut dyn Observer) -> Option<Params> {
    let text = line.expose().trim();
    let (uri, query) = text.split_once('?').unwrap_or((text, ""));
    let query = query.split('#').next().unwrap_or_default();
    let problem = if text.is_empty() {
        return None;
    } else if Url::parse(text).is_err() {
        "that is no URL; paste the whole address that the browser ended on, since a bare code cannot be checked"
    } else if uri != redirect_uri.as_str().split('?').next().unwrap_or_default() {
        "that is not the redirect URI of this login; paste the address that the browser ended on after you signed in"
    } else if query.is_empty() {
        "that address has no code and state in it; paste it as the browser's address bar shows it"
    } else {
        let params = Params::parse(query);
        if params.single("state").is_ok_and(|received| received.is_none()) {
            observer.observe(&Event::Warning(
                "that address has no state, so it cannot be checked; paste it whole",
            ));
        }
        return Some(params);
    };
    observer.observe(&Event::Warning(problem));
    None
}

fn tell_prepared(request: &AuthorizationRequest, observer: &mut dyn Observer) {
    observer.observe(&Event::Detail {
        name: "redirect_uri",
        value: request.redirect_uri.as_str(),
    });
    observer.observe(&Event::Detail {
        name: "code_challenge",
        value: request.code_challenge.as_str(),
    });
    observer.observe(&Event::Detail {
        name: "code_challenge_method",
        value: crate::protocol::pkce::S256,
    });
    if let Some(value) = request
        .params()
        .iter()
        .find(|(name, _)| *name == "state")
        .map(|(_, value)| value.shown())
    {
        observer.observe(&Event::Detail {
            name: "state",
            value: &value,
        });
    }
}

fn tell_asked(request: &AuthorizationRequest, url: &Url, doorway: &Doorway, world: &mut LoginWorld<'_>) {
    let (from, to) = (Party::Client, Party::Browser);
    world.observer.observe(&Event::Message {
        from,
        to,
        title: "authorization request",
        params: &request.params(),
    });
    world.observer.observe(&Event::AuthorizationUrl(url.as_str()));
    if let Some(listener) = &doorway.listener {
        let listening = Listening {
            address: listener
                .authority()
                .rsplit_once(':')
                .map_or("127.0.0.1", |(address, _)| address),
            port: listener.port(),
            elsewhere: doorway.elsewhere,
            paste_accepted: world.pasted.is_some(),
        };
        for line in world.surroundings.advice(&listening) {
            world.observer.observe(&Event::Note(&line));
        }
    }
}

fn tell_answered(response: &TokenResponse, observer: &mut dyn Observer) {
    let mut params = Params::new();
    params.push("access_token", response.access_token.expose());
    params.push("token_type", &response.token_type);
    if let Some(seconds) = response.expires_in_s {
        params.push("expires_in", &seconds.to_string());
    }
    if let Some(refresh_token) = &response.refresh_token {
        params.push("refresh_token", refresh_token.expose());
    }
    if let Some(scope) = &response.scope {
        params.push("scope", &scope.to_string());
    }
    if let Some(id_token) = &response.id_token {
        params.push("id_token", id_token.expose());
    }
    let (from, to) = (Party::AuthorizationServer, Party::Client);
    observer.observe(&Event::Message {
        from,
        to,
        title: "token response",
        params: &params,
    });
    for oddity in &response.oddities {
        observer.observe(&Event::Warning(&oddity.to_string()));
    }
}

fn check_id_token(
    response: &TokenResponse,
    asked: &AuthorizationRequest,
    server: &KnownServer,
    now: UnixSeconds,
    observer: &mut dyn Observer,
) -> Result<Option<IdToken>, LoginError> {
    let Some(text) = &response.id_token else {
        if asked.scope.contains("openid") {
            observer.observe(&Event::Warning(
                "openid was asked for, but no ID token came, so who signed in is not known (OpenID Connect Core §3.1.3.3)",
            ));
        }
        return Ok(None);
    };
    let id_token = id_token::check(
        text.expose(),
        &Expected {
            issuer: server.metadata.issuer.as_ref().map(Issuer::as_str),
            client_id: asked.client_id.as_str(),
            now,
            access_token: &response.access_token,
            occasion: Occasion::Login(asked.nonce.as_ref()),
        },
    )?;
    observer.observe(&Event::CheckPassed(
        "iss, aud, azp, exp, iat, sub and nonce of the ID token hold (OpenID Connect Core §3.1.3.7)",
    ));
    observer.observe(&Event::CheckSkipped(
        "signature of the ID token: it came straight from the token endpoint (OpenID Connect Core §3.1.3.7 item 6)",
    ));
    Ok(Some(id_token))
}
