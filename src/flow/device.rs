//! The device authorization grant, from top to bottom: the client asks for two
//! codes, the resource owner takes one of them to a browser anywhere, and the
//! client asks with the other one until that person has decided (RFC 8628 §1).
//! It is never chosen by itself where a browser can be reached (RFC 10027).

mod error;
mod hints;
#[cfg(test)]
mod tests;

pub use error::DeviceLoginError;

use crate::exit::ExitCode;
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::events::trace_request;
use crate::flow::hints::RequestSummary;
use crate::flow::login::requested::Requested;
use crate::flow::login::store::Issued;
use crate::flow::login::{LoggedIn, LoginError, LoginRequest, SaveSession};
use crate::flow::server::{ResolvedServer, ServerError, resolve_server_for_devices};
use crate::flow::token_endpoint::{NoTokenAnswer, request_token};
use crate::protocol::client::Client;
use crate::protocol::device_authorization::polling::Polling;
use crate::protocol::device_authorization::{DeviceAuthorization, DeviceAuthorizationRequest};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, is_loopback};
use crate::protocol::grant::Grant;
use crate::protocol::grant::device_code::DeviceCodeGrant;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::token_request::TokenRequest;
use crate::protocol::token_response::{TokenError, TokenResponse};
use crate::trace::{Event, Party, Paste};
use std::pin::{Pin, pin};
use std::time::Duration;
use url::Url;

/// Logs in with a code that the resource owner enters on another device. The
/// session is stored by `save`; where it fails, the login fails.
///
/// # Errors
/// [`DeviceLoginError`], one variant for each way to end. Nothing is stored then.
pub async fn log_in_with_device(
    request: &LoginRequest,
    caller: &mut Caller<'_>,
    save: &mut SaveSession<'_>,
    interrupted: impl Future<Output = ExitCode>,
) -> Result<LoggedIn, DeviceLoginError> {
    let mut interrupted = pin!(interrupted);

    // 1. The client finds the server and asks it for the two codes.
    let asking = ask_for_codes(request, caller);
    let mut issued = or_interrupted(interrupted.as_mut(), asking).await?;

    // 2. The resource owner is shown one of them, and where to enter it.
    let end = Ending::of(&issued.authorization, request);
    show_codes(&issued.authorization, &end, caller);

    // 3. With the other one the client asks again and again whether that was done.
    let asking = poll(&mut issued, request, &end, caller);
    let outcome = or_interrupted(interrupted.as_mut(), asking).await;
    caller.observe(&Event::WaitEnds);
    let response = outcome?;

    // 4. The token response is checked and stored as that of every login is.
    let requested = Requested {
        scope: &request.authorization.scope,
        resource: &request.authorization.resource,
        audience: &request.authorization.audience,
        nonce: None,
        extra: &request.authorization.extra,
    };
    let issued = Issued {
        server: &issued.server,
        client: &issued.client,
        dpop: issued.dpop.as_ref(),
        assumed_ttl: request.assumed_ttl,
    };
    let storing = async { Ok(issued.check_and_store(response, &requested, caller, save).await?) };
    or_interrupted(interrupted, storing).await
}

/// The work, unless it is interrupted before it is done.
async fn or_interrupted<T>(
    interrupted: Pin<&mut impl Future<Output = ExitCode>>,
    work: impl Future<Output = Result<T, DeviceLoginError>>,
) -> Result<T, DeviceLoginError> {
    tokio::select! {
        outcome = work => outcome,
        signal = interrupted => Err(DeviceLoginError::Interrupted(signal)),
    }
}

/// The codes, their issuer and their client.
struct CodesIssued {
    server: ResolvedServer,
    client: Client,
    /// The key that the tokens are to be bound to.
    dpop: Option<DpopSession>,
    authorization: DeviceAuthorization,
    /// Sent until it is answered for good.
    token_request: TokenRequest,
}

async fn ask_for_codes(request: &LoginRequest, caller: &mut Caller<'_>) -> Result<CodesIssued, DeviceLoginError> {
    let scope = &request.authorization.scope;
    let mut server = resolve_server_for_devices(&request.server, scope, caller).await?;
    server.fetch_keys(scope, caller).await?;
    let client = server.authenticated_client(&request.server, &request.client)?;
    let endpoint = server.device_authorization_endpoint(caller)?.clone();
    let dpop = DpopSession::begin(request.dpop, &server.metadata, caller).map_err(ServerError::from)?;
    let mut code_verifier = match server.metadata.announces_s256() {
        true => Some(CodeVerifier::generate(caller.randomness)?),
        false => None,
    };
    let policy = request.server.allowance;
    let mut answered = ask_once(request, &client, code_verifier.as_ref(), (&endpoint, policy), caller).await;
    if let Err(DeviceLoginError::Authorization { error, .. }) = &answered
        && code_verifier.is_some()
        && error.refuses_code_challenge()
    {
        caller.observe(&Event::Note(
            "the server does not take PKCE with the device grant, where it is an addition only; it is asked without",
        ));
        code_verifier = None;
        answered = ask_once(request, &client, None, (&endpoint, policy), caller).await;
    }
    let authorization = answered?;
    let token_request = TokenRequest {
        client: client.clone(),
        grant: Grant::DeviceCode(DeviceCodeGrant {
            device_code: authorization.device_code.clone(),
            code_verifier,
        }),
        resource: request.authorization.resource.clone(),
        audience: request.authorization.audience.clone(),
        extra: request.authorization.extra_token_params.clone(),
    };
    Ok(CodesIssued {
        server,
        client,
        dpop,
        authorization,
        token_request,
    })
}

async fn ask_once(
    request: &LoginRequest,
    client: &Client,
    code_verifier: Option<&CodeVerifier>,
    (endpoint, policy): (&Endpoint, HttpPolicy),
    caller: &mut Caller<'_>,
) -> Result<DeviceAuthorization, DeviceLoginError> {
    let wanted = &request.authorization;
    let message = DeviceAuthorizationRequest {
        client,
        scope: &wanted.scope,
        resource: &wanted.resource,
        audience: wanted.audience.as_deref(),
        code_challenge: code_verifier.map(CodeVerifier::challenge),
        extra: &wanted.extra,
    };
    let mut context = caller.authentication_context();
    let http_request = message.http_request(endpoint, &mut context)?;
    trace_request("device authorization request", &http_request, caller.observer);
    let sent = caller.send(&http_request).await;
    let http_response = sent.map_err(DeviceLoginError::NoCodes)?;
    let authorization = DeviceAuthorization::read(endpoint, &http_response, policy);
    authorization.map_err(|error| DeviceLoginError::Authorization {
        error: error.scrubbed(&http_request.secrets()),
        method: client.authentication.method(),
    })
}

/// When the wait is over, and why then.
struct Ending {
    after: Duration,
    /// The user's own limit comes before the end of the codes.
    is_users: bool,
}

impl Ending {
    fn of(authorization: &DeviceAuthorization, request: &LoginRequest) -> Self {
        Ending {
            after: authorization.lifetime.min(request.timeout),
            is_users: request.timeout < authorization.lifetime,
        }
    }

    fn error(&self) -> DeviceLoginError {
        match self.is_users {
            true => DeviceLoginError::TimedOut { waited: self.after },
            false => DeviceLoginError::Expired(None),
        }
    }
}

fn show_codes(authorization: &DeviceAuthorization, end: &Ending, caller: &mut Caller<'_>) {
    for quirk in &authorization.quirks {
        caller.observe(&Event::Warning(&format!(
            "the device authorization response is odd: {quirk} (RFC 8628 §3.2)"
        )));
    }
    caller.observe(&Event::Message {
        from: Party::AuthorizationServer,
        to: Party::Client,
        title: "device authorization response",
        params: &authorization.params(),
    });
    let complete = authorization.verification_uri_complete.as_ref();
    caller.observe(&Event::UserCode {
        verification_uri: authorization.verification_uri.as_str(),
        verification_uri_complete: complete.map(Url::as_str),
        user_code: &authorization.user_code,
        expires_in: authorization.lifetime,
    });
    caller.observe(&Event::WaitBegins {
        timeout: end.after,
        awaited: "your approval",
        paste: Paste::No,
    });
}

/// Asks for the tokens until there is an answer to keep (RFC 8628 §3.4, §3.5).
async fn poll(
    issued: &mut CodesIssued,
    request: &LoginRequest,
    end: &Ending,
    caller: &mut Caller<'_>,
) -> Result<TokenResponse, DeviceLoginError> {
    let endpoint = &issued.server.token_endpoint;
    let interval = issued.authorization.interval;
    let began = caller.timer.now();
    let mut polling = Polling::new(interval, end.after, began, is_loopback(endpoint.url()));
    loop {
        let Some(pause) = polling.pause(caller.timer.now()) else {
            caller.timer.sleep(polling.left(caller.timer.now())).await;
            return Err(end.error());
        };
        caller.timer.sleep(pause).await;
        let answer = match request_token(endpoint, &issued.token_request, issued.dpop.as_mut(), caller).await {
            Ok(answer) => answer.read(),
            Err(NoTokenAnswer::Transport(error)) if error.may_pass() => {
                polling.note_no_answer();
                note_retry(&error.to_string(), caller);
                continue;
            }
            Err(NoTokenAnswer::Transport(error)) => return Err(DeviceLoginError::NoTokens(error)),
            Err(NoTokenAnswer::Authentication(error)) => return Err(error.into()),
            Err(NoTokenAnswer::Dpop(error)) => return Err(LoginError::from(error).into()),
        };
        match answer {
            Ok(response) => return Ok(response),
            Err(TokenError::OAuth { error, .. }) if error.is_one_of(&["authorization_pending"]) => {
                polling.note_pending();
            }
            Err(TokenError::OAuth { error, .. }) if error.is_one_of(&["slow_down"]) => {
                polling.note_slow_down();
                caller.observe(&Event::Decision(
                    "slow_down: 5 seconds more between all further requests",
                ));
            }
            Err(error @ TokenError::Unavailable { .. }) => {
                polling.note_no_answer();
                note_retry(&error.to_string(), caller);
            }
            Err(error) => return Err(DeviceLoginError::of_answer(error, Box::new(issued.summary(request)))),
        }
    }
}

fn note_retry(reason: &str, caller: &mut Caller<'_>) {
    caller.observe(&Event::Retried {
        with: Party::AuthorizationServer,
        reason: &format!("{reason}; it is asked again"),
    });
}

impl CodesIssued {
    fn summary(&self, request: &LoginRequest) -> RequestSummary {
        RequestSummary {
            redirect_uri: String::new(),
            method: Some(self.client.authentication.method()),
            with_resource: !request.authorization.resource.is_empty(),
            with_proof: self.dpop.is_some(),
            client_document: None,
        }
    }
}
