//! The authorization code flow with PKCE, from top to bottom: the seven steps
//! of RFC 6749 §4.1 and RFC 7636 as they happen. [`login`] is the file's first
//! function; the details of single steps stand in the modules below it.

pub(crate) mod browser_watch;
pub(crate) mod callback;
mod carrier;
mod client;
mod context;
mod error;
pub(crate) mod events;
mod id_token;
mod pasted;
mod request;
pub(in crate::flow) mod requested;
mod signed_response;
pub(in crate::flow) mod store;
mod strays;

pub use context::{LoginContext, PasteEvent, PasteSource, SaveSession, UserAgent};
pub use error::LoginError;
pub use request::{CallbackChoice, LoginRequest};
pub use store::LoggedIn;
pub use strays::StraySummary;

use crate::exit::ExitCode;
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::hints::RequestSummary;
use crate::flow::registration::{UnusedClient, unregister_unused};
use crate::flow::server::{ResolvedServer, ServerError, resolve_server_for_login};
use crate::flow::token_endpoint::request_token;
use crate::protocol::authorization::{
    AuthorizationOptions, ExpectedIssuer, PendingAuthorization, RedeemableAuthorization,
};
use crate::protocol::client::Client;
use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;
use crate::trace::{Event, Step};
use crate::user_agent::callback::Page;
use browser_watch::BrowserWatch;
use callback::{CallbackReceiver, ValidatedCallback, receive_callback};
use carrier::Carrier;
use client::open_callback;
use events::{trace_authorization_request, trace_prepared};
use requested::Requested;
use signed_response::response_verifier;
use std::pin::{Pin, pin};
use std::time::Duration;
use store::Issued;

/// Walks the seven steps. The session is stored by `context.save`, which runs
/// before the browser sees success; where it fails, the login fails.
///
/// `interrupted` ends it early, in good order: the browser gets its page, the
/// port is closed, and a client that was registered for it is deleted.
///
/// # Errors
/// [`LoginError`], one variant for each way to end. Nothing is stored then.
pub async fn login(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    interrupted: impl Future<Output = ExitCode>,
) -> Result<LoggedIn, LoginError> {
    let mut registered = None;
    let outcome = walk_steps(request, context, &mut registered, pin!(interrupted)).await;
    end_unused_registration(&outcome, registered, &mut context.caller).await;
    outcome
}

async fn walk_steps(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    registered: &mut Option<UnusedClient>,
    mut interrupted: Pin<&mut impl Future<Output = ExitCode>>,
) -> Result<LoggedIn, LoginError> {
    let assumed_ttl = request.assumed_ttl;
    let success_url = request.success_url.clone();

    // 1 to 5, which end with a code that is the answer to this request.
    let authorized = authorize(request, context, registered, interrupted.as_mut()).await?;

    // 6 and 7, while the browser waits for its page.
    let Authorized {
        callback: ValidatedCallback {
            authorization,
            received,
        },
        mut server,
        client,
        mut dpop,
        receiver,
    } = authorized;
    server.replace_keys(authorization.keys_of_response());
    let issuing = Issuing {
        server: &server,
        client: &client,
        assumed_ttl,
    };
    let exchanging = exchange_and_store(*authorization, issuing, dpop.as_mut(), context);
    let outcome = or_interrupted(interrupted, exchanging).await;
    match (&outcome, success_url) {
        (Ok(_), Some(url)) => received.send_on(&url, &receiver.redirect_uri, context.caller.observer),
        (Ok(_), None) => received.respond(Page::Success, &receiver.redirect_uri, context.caller.observer),
        (Err(_), _) => received.respond(Page::Failure, &receiver.redirect_uri, context.caller.observer),
    }
    receiver.close().await;
    outcome
}

/// Walks the first five steps and makes the token request of the sixth,
/// without sending it, for a person who sends it by hand.
///
/// # Errors
/// [`LoginError`], as [`login`].
pub async fn login_until_exchange(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    interrupted: impl Future<Output = ExitCode>,
) -> Result<PreparedExchange, LoginError> {
    let mut registered = None;
    let outcome = authorize(request, context, &mut registered, pin!(interrupted)).await;
    end_unused_registration(&outcome, registered, &mut context.caller).await;
    let Authorized {
        callback: ValidatedCallback {
            authorization,
            received,
        },
        server,
        dpop,
        receiver,
        ..
    } = outcome?;
    let (token_request, _) = authorization.redeem();
    let authorization_response = received.params.clone();
    received.respond(Page::Stopped, &receiver.redirect_uri, context.caller.observer);
    receiver.close().await;
    let caller = &mut context.caller;
    let mut authentication = caller.authentication_context();
    let mut token_request = token_request.http_request(&server.token_endpoint, &mut authentication)?;
    if let Some(dpop) = &dpop {
        dpop.sign(&mut token_request, None, caller)?;
    }
    Ok(PreparedExchange {
        authorization_response,
        token_request,
    })
}

/// A client that is registered on the way is left in `registered`.
async fn authorize(
    request: LoginRequest,
    context: &mut LoginContext<'_>,
    registered: &mut Option<UnusedClient>,
    mut interrupted: Pin<&mut impl Future<Output = ExitCode>>,
) -> Result<Authorized, LoginError> {
    // 1. The resource owner asks the client: metadata, listener, verifier, challenge and state are made ready.
    if request.server.discovered.is_none() {
        context.caller.observe(&Event::StepBegins(Step::Prepare));
    }
    let scope = &request.authorization.scope;
    let resolving = async {
        let mut server = resolve_server_for_login(&request.server, scope, &mut context.caller).await?;
        server.fetch_keys(scope, &mut context.caller).await?;
        Ok(server)
    };
    let mut server = or_interrupted(interrupted.as_mut(), resolving).await?;
    let authorization_endpoint = server.authorization_endpoint(&mut context.caller)?.clone();
    let opening = open_callback(&request, &mut server, registered, &mut context.caller);
    let (client, mut receiver) = or_interrupted(interrupted.as_mut(), opening).await?;
    let carrier = Carrier::choose(&request, &server, &client, &mut context.caller)?;
    let verifying = response_verifier(&request, &server, &client, &mut context.caller);
    let response_verifier = or_interrupted(interrupted.as_mut(), verifying).await?;
    let mut dpop =
        DpopSession::begin(request.dpop, &server.metadata, &mut context.caller).map_err(ServerError::from)?;
    let pending = PendingAuthorization::new(
        client.clone(),
        receiver.redirect_uri.clone(),
        ExpectedIssuer {
            issuer: server.metadata.issuer.clone(),
            announced: server.metadata.authorization_response_iss_parameter_supported,
        },
        AuthorizationOptions {
            dpop_jkt: dpop.as_ref().map(|dpop| dpop.key().thumbprint()),
            ..request.authorization
        },
        context.caller.randomness,
    )?
    .with_response_verifier(response_verifier);
    trace_prepared(pending.request(), context.caller.observer);

    // 2. The client sends the browser to the authorization endpoint, with the request or a reference to it.
    context.caller.observe(&Event::StepBegins(Step::Ask));
    let carrying = carrier.carry(&pending, dpop.as_mut(), &mut context.caller);
    let params = or_interrupted(interrupted.as_mut(), carrying).await?;
    let url = authorization_endpoint.with_params(&params);
    // A client that was registered for this login has no other grant
    let takes_device_codes = server.metadata.device_authorization_endpoint.is_some() && server.registration.is_none();
    let advice = trace_authorization_request(&params, &url, &receiver, takes_device_codes, context);
    let process = context.user_agent.open(&url).map_err(LoginError::Browser)?;
    let mut browser = BrowserWatch::begin(process, &url).with_advice(advice);
    browser.report_absence(context.caller.observer);

    // 3 and 4. The server asks, the resource owner signs in and consents: not ours, and seen only by its answer.
    context.caller.observe(&Event::StepBegins(Step::Prompt));

    // 5. The browser comes back with code and state. Strangers are ignored, the wait goes on.
    let receiving = receive_callback(pending, &mut receiver, &mut browser, request.timeout, context);
    let received = or_interrupted(interrupted.as_mut(), receiving).await;
    context.caller.observe(&Event::WaitEnds);
    receiver.report_strays(context.caller.observer);
    match received {
        Ok(callback) => Ok(Authorized {
            callback,
            server,
            client,
            dpop,
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
    callback: ValidatedCallback,
    server: ResolvedServer,
    client: Client,
    /// The key that the tokens are to be bound to.
    dpop: Option<DpopSession>,
    receiver: CallbackReceiver,
}

/// The issuer of the tokens, and their client.
struct Issuing<'r> {
    server: &'r ResolvedServer,
    client: &'r Client,
    assumed_ttl: Option<Duration>,
}

/// Deletes the client that was registered for a login which failed: no session
/// has it, and the next login registers another one.
async fn end_unused_registration<T>(
    outcome: &Result<T, LoginError>,
    registered: Option<UnusedClient>,
    caller: &mut Caller<'_>,
) {
    if let (Err(_), Some(client)) = (outcome, registered) {
        unregister_unused(&client, caller).await;
    }
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
    authorization: RedeemableAuthorization,
    issuing: Issuing<'_>,
    mut dpop: Option<&mut DpopSession>,
    context: &mut LoginContext<'_>,
) -> Result<LoggedIn, LoginError> {
    let Issuing {
        server,
        client,
        assumed_ttl,
    } = issuing;
    // 6. Code and verifier go to the token endpoint, once.
    context.caller.observe(&Event::StepBegins(Step::Exchange));
    let (token_request, asked) = authorization.redeem();
    let with_proof = dpop.as_deref_mut();
    let answer = request_token(&server.token_endpoint, &token_request, with_proof, &mut context.caller).await?;
    let response = answer.read().map_err(|error| LoginError::Token {
        error,
        sent: Box::new(RequestSummary::of(&asked, Some(client))),
    })?;

    // 7. The token response is checked and stored; only then does the browser see success.
    context.caller.observe(&Event::StepBegins(Step::Store));
    let requested = Requested {
        scope: &asked.scope,
        resource: &asked.resource,
        audience: &asked.audience,
        nonce: asked.nonce.as_ref(),
        extra: &asked.extra,
    };
    let issued = Issued {
        server,
        client,
        dpop: dpop.as_deref(),
        assumed_ttl,
    };
    issued
        .check_and_store(response, &requested, &mut context.caller, context.save)
        .await
}

/// A login that was stopped before the code was exchanged. Nothing is stored.
#[derive(Debug)]
pub struct PreparedExchange {
    /// What came back with the browser.
    pub authorization_response: Params,
    /// What would be sent next, once.
    pub token_request: HttpRequest,
}
