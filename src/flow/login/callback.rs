//! Step 5: the wait for the one answer to this request, at the listener or on
//! the terminal. Strangers are answered and ignored; the right one ends it once.

use super::context::{LoginContext, PasteEvent, PasteSource};
use super::error::{CallbackContent, LoginError, described};
use super::request::CallbackChoice;
use crate::flow::caller::Caller;
use crate::flow::hints::Sent;
use crate::protocol::authorization::{AuthorizationGrant, PendingAuthorization, Verdict};
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::Params;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;
use crate::trace::{Event, Observer, Party, Step};
use crate::user_agent::browser::{BrowserProcess, BrowserReport};
use crate::user_agent::callback::{Arrival, Callback, Loopback, LoopbackError, Page};
use std::future::pending;
use std::time::Duration;
use url::{Position, Url};

/// Callbacks with a wrong `state`, after which a person is told that something is odd.
const STRANGE_CALLBACKS_BEFORE_WARNING: u32 = 20;

/// Where the authorization response comes in.
pub(crate) struct CallbackReceiver {
    pub(in crate::flow) listener: Option<Loopback>,
    /// With the port that is bound.
    pub(crate) redirect_uri: RedirectUri,
    /// Whether it is bound to another address than the redirect URI names.
    pub(in crate::flow) elsewhere: bool,
}

impl CallbackReceiver {
    /// Binds the listener, where there is one.
    ///
    /// # Errors
    /// [`LoginError::Listener`] and [`LoginError::Randomness`].
    pub(crate) async fn open(choice: &CallbackChoice, caller: &mut Caller<'_>) -> Result<Self, LoginError> {
        match choice {
            CallbackChoice::Paste(redirect_uri) => Ok(CallbackReceiver {
                listener: None,
                redirect_uri: match redirect_uri.port() {
                    Some(0) => redirect_uri.with_port(random_unused_port(caller.randomness)?),
                    _ => redirect_uri.clone(),
                },
                elsewhere: false,
            }),
            CallbackChoice::Listen(redirect_uri, settings) => {
                let listener = Loopback::bind(settings).await?;
                for note in listener.notes() {
                    caller.observe(&Event::Note(&note));
                }
                if let Some(warning) = listener.warning() {
                    caller.observe(&Event::Warning(warning));
                }
                let port = listener.port();
                // An URI that names its port is sent byte for byte as it was given.
                let redirect_uri = match redirect_uri.port() {
                    Some(given) if given == port => redirect_uri.clone(),
                    _ => redirect_uri.with_port(port),
                };
                Ok(CallbackReceiver {
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

    /// Lets the browser take its page, then closes the port.
    pub(crate) async fn close(self) {
        if let Some(listener) = self.listener {
            listener.close().await;
        }
    }
}

/// A port that nobody is likely to listen on: the browser ends there in an
/// error, with the address to paste in its address bar.
pub(crate) fn random_unused_port(randomness: &mut dyn Randomness) -> Result<u16, RandomnessFailed> {
    let mut octets = [0u8; 2];
    randomness.fill(&mut octets)?;
    Ok(49_152 + u16::from_be_bytes(octets) % 16_384)
}

async fn next_pasted(pasted: &mut Option<&mut dyn PasteSource>) -> PasteEvent {
    match pasted {
        Some(lines) => lines.next_line().await,
        None => pending().await,
    }
}

/// The one answer to this request, and it is a code.
pub(in crate::flow) struct Granted {
    pub(in crate::flow) grant: AuthorizationGrant,
    /// The whole answer.
    pub(in crate::flow) params: Params,
    /// The browser that waits for its page; `None` for a pasted address.
    pub(in crate::flow) callback: Option<Callback>,
}

/// Waits for the one answer to this request.
pub(in crate::flow) async fn receive(
    pending: &PendingAuthorization,
    receiver: &mut CallbackReceiver,
    browser: &mut BrowserProcess,
    timeout: Duration,
    context: &mut LoginContext<'_>,
) -> Result<Granted, LoginError> {
    context.caller.observe(&Event::WaitBegins {
        timeout,
        paste_accepted: context.pasted.is_some(),
    });
    wait(pending, receiver, browser, timeout, context).await
}

async fn wait(
    pending: &PendingAuthorization,
    receiver: &mut CallbackReceiver,
    browser: &mut BrowserProcess,
    timeout: Duration,
    context: &mut LoginContext<'_>,
) -> Result<Granted, LoginError> {
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut ignored = Ignored::default();
    loop {
        let CallbackParams { params, callback } = tokio::select! {
            arrived = arrive(receiver, browser, context) => arrived?,
            () = &mut deadline => return Err(LoginError::TimedOut { waited: timeout, ignored: ignored.carried }),
        };
        match (judged(pending, &params, context.caller.observer), callback) {
            (Ok(Some(grant)), callback) => {
                return Ok(Granted {
                    grant,
                    params,
                    callback,
                });
            }
            (Ok(None), Some(callback)) => {
                ignored.note(&params, context.caller.observer);
                callback.respond(Page::Ignored);
            }
            (Ok(None), None) => {
                context.caller.observe(&Event::Warning(state_mismatch_reason(&params)));
                may_paste_again(receiver, context)?;
            }
            (Err(error), callback) => {
                if let Some(callback) = callback {
                    callback.respond(Page::Failure);
                }
                return Err(error);
            }
        }
    }
}

/// Parameters that came in, whoever sent them.
pub(crate) struct CallbackParams {
    pub(crate) params: Params,
    /// The browser that waits for its page; `None` for a pasted address.
    pub(crate) callback: Option<Callback>,
}

/// Waits for the next parameters at the listener or on the terminal. What
/// cannot be an authorization response is answered or explained meanwhile, and
/// what becomes of the browser is told.
///
/// # Errors
/// [`LoginError::Listener`], and [`LoginError::NothingPasted`] where nothing
/// can come in any more.
pub(crate) async fn arrive(
    receiver: &mut CallbackReceiver,
    browser: &mut BrowserProcess,
    context: &mut LoginContext<'_>,
) -> Result<CallbackParams, LoginError> {
    loop {
        tokio::select! {
            arrival = receiver.next() => match arrival? {
                Arrival::Stranger { reason } => context.caller.observe(&Event::CallbackIgnored { reason: &reason }),
                Arrival::Callback(callback) => {
                    let params = Params::parse(&callback.parameters);
                    return Ok(CallbackParams { params, callback: Some(callback) });
                }
            },
            pasted = next_pasted(&mut context.pasted) => {
                match pasted {
                    PasteEvent::Line(line) => match redirected(&line, &receiver.redirect_uri) {
                        Ok(params) => return Ok(CallbackParams { params, callback: None }),
                        Err(problem) => context.caller.observe(&Event::Warning(problem)),
                    },
                    PasteEvent::TooLong => context.caller.observe(&Event::Warning(
                        "that is longer than any redirect URL; paste the address that the browser ended on, and nothing else",
                    )),
                    PasteEvent::End if receiver.listener.is_some() => context.pasted = None,
                    PasteEvent::End => return Err(LoginError::NothingPasted),
                }
                may_paste_again(receiver, context)?;
            },
            Some(report) = browser.next() => match report {
                BrowserReport::Started { command } => context.caller.observe(&Event::BrowserStarted { command: &command }),
                BrowserReport::Failed { command, reason } => {
                    context.caller.observe(&Event::BrowserFailed { command: &command, reason: &reason });
                }
            },
        }
    }
}

/// Whether another answer can come after a pasted line that was not taken.
fn may_paste_again(receiver: &CallbackReceiver, context: &LoginContext<'_>) -> Result<(), LoginError> {
    if receiver.listener.is_some() || context.pasted.as_ref().is_some_and(|lines| lines.is_terminal()) {
        Ok(())
    } else {
        Err(LoginError::NothingPasted)
    }
}

/// Callbacks that were not for this login.
#[derive(Default)]
struct Ignored {
    count: u32,
    /// What is told of them: the first error, else that there was a code.
    carried: Option<CallbackContent>,
}

impl Ignored {
    /// The first one that carries an error is told at once: it may be the real
    /// answer of a server that loses the state.
    fn note(&mut self, params: &Params, observer: &mut dyn Observer) {
        self.count += 1;
        let carries_code = params.all("code").next().is_some();
        if carries_code && self.carried.is_none() {
            self.carried = Some(CallbackContent::Code);
        }
        if !matches!(self.carried, Some(CallbackContent::Error(_)))
            && let Ok(Some(error)) = ErrorResponse::from_params(params)
        {
            observer.observe(&Event::Warning(&format!(
                "a callback that carries the error {}{} was ignored, since its state is not that of this login",
                error.error,
                described(&error)
            )));
            self.carried = Some(CallbackContent::Error(error));
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
        if params.single("code").is_ok_and(|code| code.is_some()) {
            observer.observe(&Event::StepBegins(Step::Consent));
        }
        observer.observe(&Event::StepBegins(Step::Receive));
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
            let sent = Box::new(Sent::of(pending.request(), None));
            Err(LoginError::Denied { error, sent })
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

/// The parameters of a pasted redirect URL, or why it cannot be taken. The
/// browser has written scheme, host and path its own way, so they are compared
/// as URLs.
fn redirected(line: &Secret, redirect_uri: &RedirectUri) -> Result<Params, &'static str> {
    let url = Url::parse(line.expose().trim()).map_err(
        |_| "that is no URL; paste the whole address that the browser ended on, since a bare code cannot be checked",
    )?;
    if url[..Position::AfterPath] != redirect_uri.url()[..Position::AfterPath] {
        return Err(
            "that is not the redirect URI of this login; paste the address that the browser ended on after you signed in",
        );
    }
    match url.query() {
        None | Some("") => {
            Err("that address has no code and state in it; paste it as the browser's address bar shows it")
        }
        Some(query) => Ok(Params::parse(query)),
    }
}

/// Why a pasted answer is not for this login.
fn state_mismatch_reason(params: &Params) -> &'static str {
    match params.single("state") {
        Ok(None) => "that address has no state, so it cannot be checked; paste it whole",
        _ => {
            "that address is the answer to another login (its state is not the one that was sent); \
             sign in at the address above, and paste the one that the browser then ends on"
        }
    }
}
