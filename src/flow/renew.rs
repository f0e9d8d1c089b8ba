//! Renews a stored session so that it is never lost: under the profile's
//! lock, after reading again, with everything slow done before the request and
//! nothing between the answer and the write. Only `invalid_grant`, after
//! reading again, ends a session (RFC 6749 §5.2).

mod error;

pub use error::{MORE_TIME, RenewError};

use crate::exit::Diagnosis;
use crate::fault::{self, Point};
use crate::flow::caller::Caller;
use crate::flow::grant_inputs::SourceReader;
use crate::flow::refresh::{RefreshError, RefreshOptions, refresh};
use crate::flow::session::renewal_grant;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{CredentialStore, Intent, Part, ProfileLock, ProfileName, Session, SessionEnd, StoreError};
use crate::trace::buffered::BufferedObserver;
use crate::trace::{Event, NoteName, Observer, Party};
use crate::transport::UrlSource;
use std::time::{Duration, Instant};

/// How often a write is tried again after the server has rotated the refresh
/// token: the new one exists nowhere else.
const SAVE_ATTEMPTS: u32 = 6;

/// The pause between two attempts to write.
const SAVE_PAUSE: Duration = Duration::from_millis(800);

/// What the renewal needs of the world around it.
pub struct RenewContext<'a> {
    /// Where the session is.
    pub store: &'a mut dyn CredentialStore,
    /// How the request is made.
    pub options: RefreshOptions,
    /// Where the tokens come from that the session does not keep.
    pub sources: &'a mut dyn SourceReader,
    pub caller: Caller<'a>,
}

/// What is to be renewed.
pub struct StaleToken<'a> {
    pub profile: &'a ProfileName,
    /// The whole session, or a part of it.
    pub part: &'a Part,
    /// The session as it was read before the lock was taken.
    pub known: &'a Session,
}

/// Renews a part of the session, or the whole, under the profile's lock. Returns the session as it is stored afterwards: another
/// process's, if it was quicker.
///
/// `still_needed` is asked about the session as it is under the lock. A
/// token that another process has renewed since is taken as it is: never
/// more than one refresh for one expiry.
///
/// # Errors
/// [`RenewError`]. The stored session is as it was, but for [`RenewError::Ended`].
pub async fn renew(
    stale: StaleToken<'_>,
    mut lock: ProfileLock,
    still_needed: &dyn Fn(&Session) -> bool,
    context: &mut RenewContext<'_>,
) -> Result<Session, RenewError> {
    let StaleToken { profile, part, known } = stale;
    fault::here(Point::LockHeld);
    // Read again: another process may have done it while we waited.
    let mut session = load(profile, context)?;
    let is_over = session.dead.is_some() || session.suspended.is_some();
    if is_over || was_renewed(part, known, &session) || !still_needed(&session) {
        context.caller.observe(&Event::Decision(
            "the session was changed by another process: no refresh",
        ));
        return Ok(session);
    }
    let after_interruption = tell_interruption(&lock, &session, &mut context.caller);
    let spent = prepare(&session, &stale, context).await?;
    let is_too_late = context.options.send_by.is_some_and(|latest| Instant::now() > latest);
    if spent.is_some() && is_too_late {
        return Err(RenewError::NoTimeForAnswer);
    }
    let intent = spent.as_ref().map(|refresh_token| Intent {
        command: "token".to_owned(),
        at: context.caller.now(),
        generation: session.generation.saturating_add(1),
        fingerprint: refresh_token.fingerprint(),
    });
    if let Some(intent) = &intent {
        lock.write_intent(intent)?;
        fault::here(Point::IntentWritten);
    }
    match refresh_and_save(&mut session, spent.as_ref(), &stale, context).await? {
        Ok(()) => Ok(session),
        // Only a refresh token can be spent or revoked; a grant may work again.
        Err(error) if spent.is_some() && error.ends_session() => {
            end_session(profile, spent.as_ref(), &error, after_interruption, context)
        }
        Err(RefreshError::Token(error)) if error.is_refusal() => Err(RenewError::Refused {
            profile: profile.clone(),
            renewal: Box::new(session.renewal),
            method: session.client.method,
            error: Box::new(error),
        }),
        Err(error) => {
            if let Some(intent) = intent.filter(|_| error.outcome_unknown()) {
                lock.keep_intent(intent);
            }
            Err(error.into())
        }
    }
}

/// Whether a refresh of this very session was sent and its answer is not known.
fn tell_interruption(lock: &ProfileLock, session: &Session, caller: &mut Caller<'_>) -> bool {
    let sent = session.refresh_token.as_ref().map(Secret::fingerprint);
    // An intent about another refresh token is of a session that is no more.
    let of_this_session =
        |intent: &&Intent| intent.generation > session.generation && sent.as_ref() == Some(&intent.fingerprint);
    let Some(intent) = lock.interrupted().filter(of_this_session) else {
        return false;
    };
    caller.observe(&Event::NamedNote(
        NoteName::RefreshRetried,
        &format!(
            "a refresh at {} was interrupted, or no usable answer came; retrying with the same refresh token",
            crate::system::local_time(intent.at)
        ),
    ));
    true
}

/// Everything slow, and everything that can fail here, before the request.
/// Returns the refresh token that the request will spend; what can be repeated
/// without loss spends none.
async fn prepare(
    session: &Session,
    stale: &StaleToken<'_>,
    context: &mut RenewContext<'_>,
) -> Result<Option<Secret>, RenewError> {
    let transport = context.caller.transport;
    transport
        .prepare(session.token_endpoint.url(), UrlSource::User)
        .map_err(RenewError::Unprepared)?;
    let reading = context.sources.read(session, &mut context.caller).await;
    context.options.inputs = reading.map_err(RenewError::Source)?;
    let grant = renewal_grant(session, stale.part, &context.options.inputs).ok_or(RefreshError::NoRefreshToken)?;
    let spent = grant.spends().cloned();
    context.store.prepare_save(stale.profile)?;
    Ok(spent)
}

/// The request, and the write at once: in between, nothing is reported.
/// The inner error is that of the request.
async fn refresh_and_save(
    session: &mut Session,
    spent: Option<&Secret>,
    stale: &StaleToken<'_>,
    context: &mut RenewContext<'_>,
) -> Result<Result<(), RefreshError>, RenewError> {
    let mut later = BufferedObserver::new(context.caller.observer);
    let mut caller = Caller {
        randomness: &mut *context.caller.randomness,
        observer: &mut later,
        ..context.caller
    };
    let outcome = refresh_with_retry(session, stale.part, &context.options, &mut caller).await;
    // A faulty answer has its refresh token stored first, then it is an error.
    if outcome.as_ref().err().is_none_or(RefreshError::keeps_refresh_token) {
        save(stale.profile, spent, session, context.store, &mut later).await?;
        fault::here(Point::SessionStored);
    }
    Ok(outcome)
}

/// The server has ended the session: it is marked so, unless another process
/// has stored a newer one, which is taken then.
fn end_session(
    profile: &ProfileName,
    spent: Option<&Secret>,
    error: &RefreshError,
    after_interruption: bool,
    context: &mut RenewContext<'_>,
) -> Result<Session, RenewError> {
    let current = load(profile, context)?;
    if current.refresh_token.as_ref().map(Secret::fingerprint) != spent.map(Secret::fingerprint) {
        context.caller.observe(&Event::Decision(
            "another process has stored a newer session: it is used",
        ));
        return Ok(current);
    }
    let (code, description) = error.oauth_error().unzip();
    let end = SessionEnd {
        at: context.caller.now(),
        error: code.map(str::to_owned),
        description: description.flatten().map(str::to_owned),
    };
    let last_token_at = current.tokens.iter().filter_map(|token| token.issued_at).max();
    mark_ended(profile, current, &end, context)?;
    context
        .caller
        .observe(&Event::Decision("the session is marked as ended in the store"));
    Err(RenewError::Ended {
        profile: profile.clone(),
        end,
        last_token_at,
        after_interruption,
    })
}

fn load(profile: &ProfileName, context: &mut RenewContext<'_>) -> Result<Session, RenewError> {
    let session = context.store.load(profile)?.filter(Session::is_signed_in);
    session.ok_or_else(|| RenewError::LoggedOut {
        profile: profile.clone(),
    })
}

/// Whether the token for this part is not the one that was known before.
fn was_renewed(part: &Part, known: &Session, session: &Session) -> bool {
    let identity = |session: &Session| {
        let token = session.token(part)?;
        Some((token.access_token.fingerprint(), token.issued_at, token.expires_at))
    };
    let current = identity(session);
    session.generation != known.generation && current.is_some() && current != identity(known)
}

/// The record stays: who was signed in, and why that ended, is still to be told.
fn mark_ended(
    profile: &ProfileName,
    session: Session,
    end: &SessionEnd,
    context: &mut RenewContext<'_>,
) -> Result<(), StoreError> {
    let generation = session.generation.saturating_add(1);
    context.store.save(
        profile,
        &Session {
            dead: Some(end.clone()),
            generation,
            ..session
        },
    )
}

/// An answer that never came is asked for once more, but only when the old
/// access token is of no use any more: a server with reuse detection would
/// revoke it, one with a grace period answers again (RFC 9700 §4.14.2).
async fn refresh_with_retry(
    session: &mut Session,
    part: &Part,
    options: &RefreshOptions,
    caller: &mut Caller<'_>,
) -> Result<(), RefreshError> {
    let first = refresh(session, part, options, caller).await;
    match first {
        Err(RefreshError::Transport(error)) if error.answer_was_lost() && has_expired(session, part, caller.now()) => {
            caller.observe(&Event::Retried {
                with: Party::AuthorizationServer,
                reason: match session.renewal.repeats_grant() {
                    true => "the answer was lost; asking once more",
                    false => "the answer to the refresh was lost; asking once more with the same refresh token",
                },
            });
            refresh(session, part, options, caller).await.map(drop)
        }
        outcome => outcome.map(drop),
    }
}

/// Whether the access token for this part is of the past, or was never there.
pub fn has_expired(session: &Session, part: &Part, now: UnixSeconds) -> bool {
    session
        .token(part)
        .is_none_or(|token| token.expires_at.is_some_and(|expires_at| expires_at <= now))
}

/// Writes the session. Where the store does not take it, it is kept aside at
/// once; then the store has some seconds to come back.
async fn save(
    profile: &ProfileName,
    spent: Option<&Secret>,
    session: &Session,
    store: &mut dyn CredentialStore,
    observer: &mut dyn Observer,
) -> Result<(), StoreError> {
    let stored = |store: &dyn CredentialStore, observer: &mut dyn Observer| {
        observer.observe(&Event::Stored {
            store: &store.describe(),
        });
        Ok(())
    };
    let Err(mut error) = store.save(profile, session) else {
        return stored(store, observer);
    };
    let recovery = spent.map(|spent| store.save_recovery(profile, spent, session));
    for _ in 1..SAVE_ATTEMPTS {
        observer.observe(&Event::Retried {
            with: Party::CredentialStore,
            reason: &format!("the refreshed session cannot be written, trying again: {error}"),
        });
        tokio::time::sleep(SAVE_PAUSE).await;
        match store.save(profile, session) {
            Ok(()) => return stored(store, observer),
            Err(again) => error = again,
        }
    }
    let Some(Ok(path)) = recovery else {
        return Err(error);
    };
    observer.observe(&Event::Warning(&format!(
        "the refreshed session cannot be stored: {error}; it waits in {}, encrypted under the refresh token that is still stored, and is taken from there",
        path.display()
    )));
    Ok(())
}
