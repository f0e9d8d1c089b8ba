//! The authorization code flow with PKCE, from top to bottom: the seven steps
//! of RFC 6749 §4.1 and RFC 7636 as they happen. [`login`] is the file's first
//! function; the details of single steps stand in the modules below it.

pub(crate) mod callback;
pub(in crate::flow) mod error;

pub use error::{CallbackContent, LoginError};
pub(super) use error::{exit_code_of, hints_of, oauth_error_of};

use crate::exit::{Diagnosis, ExitCode};
use crate::fault::{self, Point};
use crate::flow::caller::Caller;
use crate::flow::events::{trace_authorization_request, trace_prepared, trace_request, trace_token_response};
use crate::flow::hints::Sent;
use crate::flow::logout::revoke;
use crate::flow::server::{ResolvedServer, resolve_server};
use crate::flow::session;
use crate::protocol::authorization::{
    AuthorizationGrant, AuthorizationOptions, AuthorizationRequest, ExpectedIssuer, PendingAuthorization,
};
use crate::protocol::client::{Client, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer, is_loopback};
use crate::protocol::http::HttpRequest;
use crate::protocol::id_token::{self, Expected, IdToken, Occasion};
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_response::TokenResponse;
use crate::secret::Secret;
use crate::store::{Part, Session};
use crate::trace::{Event, Observer, Step};
use crate::user_agent::browser::{BrowserError, BrowserProcess};
use crate::user_agent::callback::{ListenSettings, Page};
use crate::user_agent::host::HostEnvironment;
use callback::{CallbackReceiver, Granted, receive};
use std::pin::{Pin, pin};
use std::time::Duration;
use url::Url;

/// Walks the seven steps. Whoever calls stores the session by `save`, which
/// runs before the browser sees success; where it fails, the login fails.
///
/// `interrupted` ends it early, in good order: the browser gets its page, the
/// port is closed.
///
/// # Errors
/// [`LoginError`], one variant for each way to end. Nothing is stored then.
pub async fn login(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    interrupted: impl Future<Output = ExitCode>,
) -> Result<LoggedIn, LoginError> {
    let mut interrupted = pin!(interrupted);

    // 1 to 5, which end with a code that is the answer to this request.
    let authorized = authorize(request, context, interrupted.as_mut()).await?;

    // 6 and 7, while the browser waits for its page.
    let Authorized {
        pending,
        granted: Granted { grant, callback, .. },
        server,
        client,
        receiver,
    } = authorized;
    let outcome = or_interrupted(
        interrupted,
        exchange_and_store(pending, grant, &server, client, context),
    )
    .await;
    if let Some(callback) = callback {
        callback.respond(if outcome.is_ok() { Page::Success } else { Page::Failure });
    }
    receiver.close().await;
    outcome
}

/// Walks the first five steps and makes the token request of the sixth,
/// without sending it: for whoever drives the rest by hand.
///
/// # Errors
/// [`LoginError`], as [`login`].
pub async fn login_until_exchange(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    interrupted: impl Future<Output = ExitCode>,
) -> Result<PreparedExchange, LoginError> {
    let Authorized {
        pending,
        granted,
        server,
        receiver,
        ..
    } = authorize(request, context, pin!(interrupted)).await?;
    let (token_request, _) = pending.redeem(granted.grant);
    if let Some(callback) = granted.callback {
        callback.respond(Page::Stopped);
    }
    receiver.close().await;
    Ok(PreparedExchange {
        authorization_response: granted.params,
        token_request: token_request.http_request(&server.token_endpoint),
    })
}

async fn authorize(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    mut interrupted: Pin<&mut impl Future<Output = ExitCode>>,
) -> Result<Authorized, LoginError> {
    // 1. The resource owner asks the client: metadata, listener, verifier, challenge and state are made ready.
    context.caller.observe(&Event::StepBegins(Step::Prepare));
    let resolving = resolve_server(&request.server, &mut context.caller);
    let server = or_interrupted(interrupted.as_mut(), resolving).await?;
    let client = request.client.authenticated_as(&server.metadata);
    let mut receiver = CallbackReceiver::open(&request.callback, &mut context.caller).await?;
    let pending = PendingAuthorization::new(
        client.clone(),
        receiver.redirect_uri.clone(),
        ExpectedIssuer {
            issuer: server.metadata.issuer.clone(),
            announced: server.metadata.authorization_response_iss_parameter_supported,
        },
        request.wish,
        context.caller.randomness,
    )?;
    trace_prepared(pending.request(), context.caller.observer);

    // 2. The client sends the browser to the authorization endpoint.
    context.caller.observe(&Event::StepBegins(Step::Ask));
    let url = pending.request().url(&server.authorization_endpoint);
    trace_authorization_request(&pending.request().params(), &url, &receiver, context);
    let mut browser = context.user_agent.open(&url).map_err(LoginError::Browser)?;

    // 3 and 4. The server asks, the resource owner signs in and consents: not ours, and seen only by its answer.
    context.caller.observe(&Event::StepBegins(Step::Prompt));

    // 5. The browser comes back with code and state. Strangers are ignored, the wait goes on.
    let receiving = receive(&pending, &mut receiver, &mut browser, request.timeout, context);
    let received = or_interrupted(interrupted.as_mut(), receiving).await;
    context.caller.observe(&Event::WaitEnds);
    match received {
        Ok(granted) => Ok(Authorized {
            pending,
            granted,
            server,
            client,
            receiver,
        }),
        Err(error) => {
            receiver.close().await;
            Err(error)
        }
    }
}

/// What the first five steps bring.
struct Authorized {
    pending: PendingAuthorization,
    granted: Granted,
    server: ResolvedServer,
    client: Client,
    receiver: CallbackReceiver,
}

/// The work, unless it is interrupted before it is done.
async fn or_interrupted<T>(
    interrupted: Pin<&mut impl Future<Output = ExitCode>>,
    work: impl Future<Output = Result<T, LoginError>>,
) -> Result<T, LoginError> {
    tokio::select! {
        outcome = work => outcome,
        signal = interrupted => Err(LoginError::Interrupted(signal)),
    }
}

async fn exchange_and_store(
    pending: PendingAuthorization,
    grant: AuthorizationGrant,
    server: &ResolvedServer,
    client: Client,
    context: &mut LoginContext<'_>,
) -> Result<LoggedIn, LoginError> {
    // 6. Code and verifier go to the token endpoint, once.
    context.caller.observe(&Event::StepBegins(Step::Exchange));
    let (token_request, asked) = pending.redeem(grant);
    let http_request = token_request.http_request(&server.token_endpoint);
    trace_request("token request", &http_request, context.caller.observer);
    let answer = context.caller.send(&http_request).await.map_err(LoginError::Exchange)?;

    // 7. The token response is checked and stored; only then does the browser see success.
    context.caller.observe(&Event::StepBegins(Step::Store));
    let response = TokenResponse::read(&server.token_endpoint, &answer).map_err(|error| LoginError::Token {
        error: error.without(&http_request.secrets()),
        sent: Box::new(Sent::of(&asked, Some(&client))),
    })?;
    trace_token_response(&response, context.caller.observer);
    let now = context.caller.now();
    let id_token = check_id_token(&response, &asked, server, &client, now, context.caller.observer)?;
    let granted = response.scope.clone();
    let token_response = response.to_json();
    let wished = session::asked(&asked.scope, &asked.resource, &asked.audience);
    let mut session = session::new_session(&server.metadata, &client, wished);
    session.subject = id_token.as_ref().map(|id_token| id_token.subject.clone());
    session::take(&mut session, &Part::default(), response, now);
    fault::here(Point::CodeExchanged);
    if let Err(error) = (context.save)(&session, context.caller.observer) {
        // Tokens that nobody keeps should not live on at the server.
        if let Err(error) = revoke(&session, None, &mut context.caller).await {
            context.caller.observe(&Event::Warning(&format!(
                "the new tokens could not be revoked either: {error}"
            )));
        }
        return Err(LoginError::Keep(error));
    }
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
    pub wish: AuthorizationOptions,
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
    pub allowance: HttpPolicy,
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
    /// Starts it without waiting for it. What becomes of it is reported by the [`BrowserProcess`].
    ///
    /// # Errors
    /// [`BrowserError`] for a URL that no browser may be sent to.
    fn open(&mut self, url: &Url) -> Result<BrowserProcess, BrowserError>;
}

/// What came from where URLs are pasted.
#[derive(Debug)]
pub enum PasteEvent {
    /// A line.
    Line(Secret),
    /// A line that no URL is as long as; another may follow.
    TooLong,
    /// There will be no more.
    End,
}

/// Where a pasted URL comes from.
pub trait PasteSource {
    /// The next line. Cancelling loses nothing.
    fn next_line(&mut self) -> std::pin::Pin<Box<dyn Future<Output = PasteEvent> + '_>>;

    /// Whether a person sits there who can try again.
    fn is_terminal(&self) -> bool;
}

/// Stores the session, and says why if it cannot.
pub type SaveSession<'a> = dyn FnMut(&Session, &mut dyn Observer) -> Result<(), Box<dyn Diagnosis>> + 'a;

/// What the flow needs of the world around it.
pub struct LoginContext<'a> {
    /// Sends the requests, draws verifier, state and nonce, and sees everything.
    pub caller: Caller<'a>,
    /// Shows the URL to the resource owner.
    pub user_agent: &'a mut dyn UserAgent,
    /// Lines that a person pastes, where there is a terminal or `--paste`.
    pub pasted: Option<&'a mut dyn PasteSource>,
    /// Where this process runs, which decides what is said about reaching the callback.
    pub host: &'a HostEnvironment,
    /// Stores the session.
    pub save: &'a mut SaveSession<'a>,
}

/// A login that was stopped before the code was exchanged. Nothing is stored.
#[derive(Debug)]
pub struct PreparedExchange {
    /// What came back with the browser.
    pub authorization_response: Params,
    /// What would be sent next, once.
    pub token_request: HttpRequest,
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

fn check_id_token(
    response: &TokenResponse,
    asked: &AuthorizationRequest,
    server: &ResolvedServer,
    client: &Client,
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
            client_has_secret: client.authentication.secret().is_some(),
            now,
            access_token: &response.access_token,
            occasion: Occasion::Login(asked.nonce.as_ref()),
        },
    )?;
    observer.observe(&Event::CheckPassed(
        "iss, aud, azp, exp, iat, sub and nonce of the ID token hold (OpenID Connect Core §3.1.3.7)",
    ));
    let token_endpoint = server.token_endpoint.url();
    if token_endpoint.scheme() == "https" || is_loopback(token_endpoint) {
        observer.observe(&Event::CheckSkipped(
            "signature of the ID token: it came straight from the token endpoint (OpenID Connect Core §3.1.3.7 item 6)",
        ));
    } else {
        observer.observe(&Event::Warning(
            "the ID token came over plain http and its signature is not checked: who signed in is not proven",
        ));
    }
    Ok(Some(id_token))
}
