//! One trip of the resource owner's browser, as steps 2 to 5 of a login make
//! it: listen, show the URL, wait for the callback. What comes is not judged
//! here, but for whose it is.

use super::authorization_probe::AuthorizationProbe;
use super::carrier::{Carrier, Parcel, params_with_reference};
use super::exchange::{Exchange, PushRefusal};
use super::report::Failure;
use super::secrets;
use crate::flow::login::browser_watch::BrowserWatch;
use crate::flow::login::callback::{CallbackReceiver, next_callback};
use crate::flow::login::events::{trace_authorization_request, trace_authorization_url};
use crate::flow::login::{LoginContext, LoginError, LoginRequest};
use crate::flow::pushed_authorization_request::PushError;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::params::Params;
use crate::trace::Event;
use crate::user_agent::callback::Page;
use std::time::Duration;
use tokio::time::Instant;

/// How long a right answer may still come after one with a wrong `state`. A
/// browser that goes on by itself has gone by then.
const GRACE: Duration = Duration::from_secs(3);

/// The random part that every `state` begins with.
const STATE_RANDOM_CHARS: usize = 43;

/// What came back with the browser.
pub(super) enum CallbackOutcome {
    /// An answer to this request.
    Answer(Params),
    /// The server refuses the request when it is pushed: no browser is opened.
    PushRefused(PushRefusal),
    /// There is no request that could be sent, and why.
    Unmade(Failure),
    /// Only answers with another state.
    WrongState(Params),
    /// Nothing within the time for it.
    Nothing,
}

/// How the browser is sent.
pub(super) struct Trip<'t> {
    pub(super) endpoint: &'t Endpoint,
    pub(super) carrier: &'t Carrier,
    pub(super) login: &'t LoginRequest,
    pub(super) timeout: Duration,
    pub(super) is_first: bool,
}

/// Sends the browser to the authorization endpoint and waits for its return.
/// The probe gets the redirect URI that is listened on.
///
/// # Errors
/// [`LoginError`] where nothing can come back.
pub(super) async fn browser_login(
    probe: &mut AuthorizationProbe,
    trip: Trip<'_>,
    world: &mut LoginContext<'_>,
) -> Result<CallbackOutcome, LoginError> {
    let mut receiver = CallbackReceiver::open(&trip.login.callback, &mut world.caller).await?;
    probe.params.set("redirect_uri", receiver.redirect_uri.as_str());
    let outcome = match carry(&probe.params, trip.carrier, world).await? {
        Ok(params) => send_browser(&params, probe, &trip, &mut receiver, world).await,
        Err(outcome) => Ok(outcome),
    };
    receiver.close().await;
    outcome
}

/// What the browser takes, which is pushed where the server wants it so.
async fn carry(
    params: &Params,
    carrier: &Carrier,
    world: &mut LoginContext<'_>,
) -> Result<Result<Params, CallbackOutcome>, LoginError> {
    let request = match carrier.pack(params, &mut world.caller.authentication_context()) {
        Ok(Parcel::ForBrowser(params)) => return Ok(Ok(params)),
        Ok(Parcel::ToPush(request)) => request,
        Err(failure) => return Ok(Err(CallbackOutcome::Unmade(failure))),
    };
    let response = world.caller.send(&request).await.map_err(PushError::Transport)?;
    let pushed = Exchange { request, response };
    Ok(params_with_reference(&pushed).map_err(CallbackOutcome::PushRefused))
}

async fn send_browser(
    params: &Params,
    probe: &AuthorizationProbe,
    trip: &Trip<'_>,
    receiver: &mut CallbackReceiver,
    world: &mut LoginContext<'_>,
) -> Result<CallbackOutcome, LoginError> {
    let timeout = trip.timeout;
    let url = trip.endpoint.with_params(params);
    let advice = if trip.is_first {
        trace_authorization_request(params, &url, receiver, false, world)
    } else {
        trace_authorization_url(params, &url, world.caller.observer);
        Vec::new()
    };
    let process = world.user_agent.open(&url).map_err(LoginError::Browser)?;
    let mut browser = BrowserWatch::begin(process, &url).with_advice(advice);
    browser.report_absence(world.caller.observer);
    world.caller.observe(&Event::WaitBegins {
        timeout,
        awaited: "the browser",
        paste: receiver.paste(world.pasted.is_some()),
    });
    let outcome = wait(probe, receiver, &mut browser, timeout, world).await;
    world.caller.observe(&Event::WaitEnds);
    receiver.report_strays(world.caller.observer);
    outcome
}

async fn wait(
    probe: &AuthorizationProbe,
    receiver: &mut CallbackReceiver,
    browser: &mut BrowserWatch,
    timeout: Duration,
    world: &mut LoginContext<'_>,
) -> Result<CallbackOutcome, LoginError> {
    let mut deadline = Instant::now() + timeout;
    let mut foreign = None;
    loop {
        let received = tokio::select! {
            received = next_callback(receiver, browser, world) => received?,
            () = tokio::time::sleep_until(deadline) => {
                return Ok(foreign.map_or(CallbackOutcome::Nothing, CallbackOutcome::WrongState));
            }
        };
        let is_ours = |state: &str| secrets::begins(state, &probe.state, STATE_RANDOM_CHARS);
        let params = received.params.clone();
        let is_own = params.is_empty() || params.all("state").any(is_ours);
        let page = if is_own { Page::Success } else { Page::Ignored };
        received.respond(page, &receiver.redirect_uri, world.caller.observer);
        if is_own {
            return Ok(CallbackOutcome::Answer(params));
        }
        let is_response = ["code", "error"].iter().any(|name| params.all(name).next().is_some());
        if is_response && foreign.is_none() {
            foreign = Some(params);
            deadline = deadline.min(Instant::now() + GRACE);
        }
    }
}
