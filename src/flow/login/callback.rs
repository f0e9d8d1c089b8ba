//! Step 5: the wait for the one answer to this request, at the listener or on
//! the terminal. Everything else is answered and ignored; the right one ends it once.

use super::browser_watch::BrowserWatch;
use super::context::{LoginContext, PasteEvent, PasteSource};
use super::error::LoginError;
use super::pasted::{PasteError, is_blank, parse_redirect_url};
use super::request::CallbackChoice;
use super::signed_response::refresh_keys;
use super::strays::{StraySummary, Strays, foreign_params};
use crate::flow::caller::Caller;
use crate::flow::hints::RequestSummary;
use crate::protocol::authorization::{PendingAuthorization, RedeemableAuthorization, UnprovenResponse, Validation};
use crate::protocol::params::Params;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::time::UnixSeconds;
use crate::trace::{Event, Observer, Party, Paste, Step};
use crate::transport::time_limit::within;
use crate::user_agent::callback::{Arrival, Callback, Loopback, LoopbackError, Page};
use std::future::pending;
use std::time::{Duration, Instant};
use url::Url;

/// Where the authorization response comes in.
pub(crate) struct CallbackReceiver {
    pub(in crate::flow) listener: Option<Loopback>,
    /// With the port that is bound.
    pub(crate) redirect_uri: RedirectUri,
    /// Whether it is bound to another address than the redirect URI names.
    pub(in crate::flow) bound_elsewhere: bool,
    pub(super) strays: Strays,
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
                bound_elsewhere: false,
                strays: Strays::default(),
            }),
            CallbackChoice::Listen(redirect_uri, settings) => {
                let listener = Loopback::bind(settings).await?;
                for note in listener.notes() {
                    caller.observe(&Event::Note(&note));
                }
                if let Some(warning) = listener.warning() {
                    caller.observe(&Event::Warning(warning));
                }
                Ok(CallbackReceiver {
                    redirect_uri: redirect_uri.with_port(listener.port()),
                    listener: Some(listener),
                    bound_elsewhere: settings.listen.is_some(),
                    strays: Strays::default(),
                })
            }
        }
    }

    /// Whether a pasted URL is taken, where someone can paste one.
    pub(crate) fn paste(&self, has_terminal: bool) -> Paste {
        match (has_terminal, &self.listener) {
            (false, _) => Paste::No,
            (true, Some(_)) => Paste::BesideListener,
            (true, None) => Paste::Only,
        }
    }

    async fn next(&mut self) -> Result<Arrival, LoopbackError> {
        match &mut self.listener {
            Some(listener) => listener.next().await,
            None => pending().await,
        }
    }

    /// Takes note of a callback that is not for this login, and answers it.
    fn ignore(&mut self, received: ReceivedCallback, problem: Option<&UnprovenResponse>, observer: &mut dyn Observer) {
        if self.strays.note_foreign(&received.params, problem, observer) {
            let received = ReceivedCallback {
                params: foreign_params(&received.params),
                ..received
            };
            received.respond(Page::Ignored, &self.redirect_uri, observer);
        } else {
            received.respond_untraced(Page::Ignored);
        }
    }

    /// What came and was not the answer, for an error.
    pub(crate) fn stray_summary(&self) -> StraySummary {
        self.strays.summary()
    }

    /// Reports, at the end of the wait, how many requests were not the answer.
    pub(crate) fn report_strays(&mut self, observer: &mut dyn Observer) {
        self.strays.report_counts(observer);
    }

    /// Lets the browser take its page, then closes the port.
    pub(crate) async fn close(self) {
        if let Some(listener) = self.listener {
            listener.close().await;
        }
    }
}

/// A port on which no program is likely to listen: the browser ends there in an
/// error, with the address to paste in its address bar.
pub(crate) fn random_unused_port(randomness: &mut dyn Randomness) -> Result<u16, RandomnessFailed> {
    let mut octets = [0u8; 2];
    randomness.fill(&mut octets)?;
    Ok(49_152 + u16::from_be_bytes(octets) % 16_384)
}

/// Parameters that came in, from any sender.
pub(crate) struct ReceivedCallback {
    pub(crate) params: Params,
    /// The browser that waits for its page; `None` for a pasted address.
    browser: Option<Callback>,
}

impl ReceivedCallback {
    /// Answers the browser that waits, if there is one.
    pub(crate) fn respond(self, page: Page, redirect_uri: &RedirectUri, observer: &mut dyn Observer) {
        let Some(browser) = self.browser else { return };
        let method = browser.method.clone();
        browser.respond(page);
        observer.observe(&Event::CallbackAnswered {
            redirect_uri: redirect_uri.as_str(),
            params: &self.params,
            method,
            status: page.status().as_u16(),
        });
    }

    /// Sends the browser that waits on to another page, if there is one.
    pub(crate) fn send_on(self, url: &Url, redirect_uri: &RedirectUri, observer: &mut dyn Observer) {
        let Some(browser) = self.browser else { return };
        let method = browser.method.clone();
        browser.send_on(url);
        observer.observe(&Event::CallbackAnswered {
            redirect_uri: redirect_uri.as_str(),
            params: &self.params,
            method,
            status: Page::Success.status().as_u16(),
        });
    }

    fn respond_untraced(self, page: Page) {
        if let Some(browser) = self.browser {
            browser.respond(page);
        }
    }
}

/// The one answer to this request, and it is a code.
pub(in crate::flow) struct ValidatedCallback {
    pub(in crate::flow) authorization: Box<RedeemableAuthorization>,
    pub(in crate::flow) received: ReceivedCallback,
}

/// What a callback means for the login.
enum CallbackOutcome {
    /// A code that may be redeemed.
    Redeemable(Box<RedeemableAuthorization>),
    /// The answer to this request, which ends the login without a code.
    Failed(LoginError),
    /// Not an answer to this request, which waits on; with what is wrong with
    /// it where only a signed one is an answer.
    NotOurs(Box<PendingAuthorization>, Option<UnprovenResponse>),
}

/// Waits for the one answer to this request.
///
/// # Errors
/// [`LoginError`] for an answer that is not a code, and where none comes.
pub(in crate::flow) async fn receive_callback(
    pending: PendingAuthorization,
    receiver: &mut CallbackReceiver,
    browser: &mut BrowserWatch,
    timeout: Duration,
    context: &mut LoginContext<'_>,
) -> Result<ValidatedCallback, LoginError> {
    context.caller.observe(&Event::WaitBegins {
        timeout,
        awaited: "the browser",
        paste: receiver.paste(context.pasted.is_some()),
    });
    let mut pending = Box::new(pending);
    let began = Instant::now();
    loop {
        let left = timeout.saturating_sub(began.elapsed());
        let received = within(left, next_callback(receiver, browser, context)).await;
        let mut received = received.ok_or_else(|| LoginError::TimedOut {
            waited: timeout,
            strays: receiver.stray_summary(),
        })??;
        let outcome = validate_with_current_keys(pending, &mut received.params, &mut context.caller).await;
        let (waiting, problem) = match outcome {
            CallbackOutcome::Redeemable(authorization) => {
                return Ok(ValidatedCallback {
                    authorization,
                    received,
                });
            }
            CallbackOutcome::Failed(error) => {
                let page = match error.is_denial() {
                    true => Page::Refused,
                    false => Page::Failure,
                };
                received.respond(page, &receiver.redirect_uri, context.caller.observer);
                return Err(error);
            }
            CallbackOutcome::NotOurs(pending, problem) => (pending, problem),
        };
        pending = waiting;
        if received.browser.is_some() {
            receiver.ignore(received, problem.as_ref(), context.caller.observer);
        } else {
            let problem = match problem {
                Some(problem) => PasteError::Unproven(problem.summary()),
                None => PasteError::state_mismatch(&received.params),
            };
            explain_pasted(problem, receiver, context)?;
        }
    }
}

/// Validates a response, and once more where the server has changed its keys.
async fn validate_with_current_keys(
    pending: Box<PendingAuthorization>,
    params: &mut Params,
    caller: &mut Caller<'_>,
) -> CallbackOutcome {
    let now = caller.now();
    match validate_callback(*pending, params, now, caller.observer) {
        CallbackOutcome::NotOurs(mut waiting, Some(problem)) => {
            match refresh_keys(&mut waiting, params, caller).await {
                true => validate_callback(*waiting, params, now, caller.observer),
                false => CallbackOutcome::NotOurs(waiting, Some(problem)),
            }
        }
        outcome => outcome,
    }
}

/// Waits for the next parameters at the listener or on the terminal. What
/// cannot be an authorization response is answered or explained, and what
/// becomes of the browser is reported.
///
/// # Errors
/// [`LoginError::Listener`], and [`LoginError::NothingPasted`],
/// [`LoginError::InputEnded`] or [`LoginError::GivenUp`] where nothing can
/// come in any more.
pub(crate) async fn next_callback(
    receiver: &mut CallbackReceiver,
    browser: &mut BrowserWatch,
    context: &mut LoginContext<'_>,
) -> Result<ReceivedCallback, LoginError> {
    loop {
        tokio::select! {
            arrival = receiver.next() => match arrival? {
                Arrival::Rejected(refusal) => {
                    if let Some(listener) = &receiver.listener {
                        receiver.strays.note_refused(refusal, listener.address(), context.caller.observer);
                    }
                }
                Arrival::Callback(callback) => {
                    let params = Params::parse(&callback.parameters);
                    return Ok(ReceivedCallback { params, browser: Some(callback) });
                }
            },
            pasted = next_pasted(&mut context.pasted) => {
                let parsed = match pasted {
                    PasteEvent::Line(line) if is_blank(&line) => return Err(end_of_input(context)),
                    PasteEvent::Line(line) => parse_redirect_url(&line, &receiver.redirect_uri),
                    PasteEvent::TooLong => Err(PasteError::TooLong),
                    PasteEvent::End if receiver.listener.is_some() => {
                        context.pasted = None;
                        continue;
                    }
                    PasteEvent::End => return Err(end_of_input(context)),
                };
                match parsed {
                    Ok(params) => return Ok(ReceivedCallback { params, browser: None }),
                    Err(problem) => explain_pasted(problem, receiver, context)?,
                }
            },
            sighting = browser.next() => sighting.report_to(context.caller.observer),
        }
    }
}

async fn next_pasted(pasted: &mut Option<&mut dyn PasteSource>) -> PasteEvent {
    match pasted {
        Some(lines) => lines.next_line().await,
        None => pending().await,
    }
}

/// Why nothing was pasted: a person stopped, or a pipe is empty.
fn end_of_input(context: &LoginContext<'_>) -> LoginError {
    match context.pasted.as_ref().is_some_and(|lines| lines.is_terminal()) {
        true => LoginError::GivenUp,
        false => LoginError::InputEnded,
    }
}

/// Explains why a pasted line was not taken, and ends the wait where no other
/// answer can come.
fn explain_pasted(
    problem: PasteError,
    receiver: &CallbackReceiver,
    context: &mut LoginContext<'_>,
) -> Result<(), LoginError> {
    context.caller.observe(&Event::Warning(&problem.to_string()));
    if receiver.listener.is_some() || context.pasted.as_ref().is_some_and(|lines| lines.is_terminal()) {
        Ok(())
    } else {
        Err(LoginError::NothingPasted {
            in_fragment: problem == PasteError::InFragment,
        })
    }
}

fn validate_callback(
    pending: PendingAuthorization,
    params: &mut Params,
    now: UnixSeconds,
    observer: &mut dyn Observer,
) -> CallbackOutcome {
    let is_signed = pending.expects_signed_response();
    let validation = match is_signed {
        true => pending.validate_signed(params, now),
        false => pending.validate(params),
    };
    if matches!(&validation, Validation::Invalid(invalid) if invalid.is_of_unknown_issuer()) {
        for text in ["error", "error_description", "error_uri"] {
            params.remove(text);
        }
    }
    let is_ours = !matches!(validation, Validation::StateMismatch(_) | Validation::Unproven(..));
    if is_ours && is_signed {
        observer.observe(&Event::CheckPassed(
            "signature, iss, aud and exp of the signed response are valid (JARM §2.4)",
        ));
    }
    if is_ours {
        trace_response(params, observer);
    }
    match validation {
        Validation::StateMismatch(pending) => CallbackOutcome::NotOurs(pending, None),
        Validation::Unproven(pending, problem) => CallbackOutcome::NotOurs(pending, Some(problem)),
        Validation::Invalid(invalid) => CallbackOutcome::Failed(LoginError::InvalidResponse(invalid)),
        Validation::Denied { error, request } => {
            let sent = Box::new(RequestSummary::of(&request, None));
            CallbackOutcome::Failed(LoginError::Denied { error, sent })
        }
        Validation::Redeemable(authorization) => {
            trace_checks(params, observer);
            CallbackOutcome::Redeemable(authorization)
        }
    }
}

/// Steps 4 and 5, as far as the response shows them.
fn trace_response(params: &Params, observer: &mut dyn Observer) {
    if params.single("code").is_ok_and(|code| code.is_some()) {
        observer.observe(&Event::StepBegins(Step::Consent));
    }
    observer.observe(&Event::StepBegins(Step::Receive));
    observer.observe(&Event::Message {
        from: Party::Browser,
        to: Party::Client,
        title: "authorization response",
        params,
    });
}

fn trace_checks(params: &Params, observer: &mut dyn Observer) {
    observer.observe(&Event::CheckPassed("state is the one that was sent (RFC 6749 §10.12)"));
    if params.single("iss").is_ok_and(|iss| iss.is_some()) {
        observer.observe(&Event::CheckPassed(
            "iss is the issuer that was asked for (RFC 9207 §2.4)",
        ));
    } else {
        observer.observe(&Event::CheckSkipped(
            "iss: the server neither announces nor sends it (RFC 9207), so a mix-up of servers would show only in the ID token",
        ));
    }
}
