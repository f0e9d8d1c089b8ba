//! One login of a profile at a time: the second one is shown who is logging
//! in and where, waits, and takes the session that comes of it. So there is
//! one browser tab, however many ask.

use crate::app::login_required::LoginRequired;
use crate::error::Error;
use crate::store::{CredentialStore, LockKind, ProfileLock, ProfileName, Session, load_undamaged};
use crate::trace::{Event, NoteName, Observer};
use std::path::Path;
use std::time::Duration;

/// What to do when the login that was waited for came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnOtherFailure {
    /// Log in: someone asked for just that.
    LogIn,
    /// Fail as well: the person who was asked refused.
    Fail,
}

/// How a turn came out.
pub(crate) enum LoginLock {
    /// It is ours: no other process logs in while this is held.
    Acquired {
        /// Keeps the others waiting.
        _lock: ProfileLock,
    },
    /// Another process logged in during the wait, for the same. No other process
    /// logs in while this is held: its session may turn out to be of no use.
    OtherFinished { session: Box<Session>, _lock: ProfileLock },
}

/// Whose turn this is about.
pub(crate) struct LoginWait<'a> {
    pub(crate) profile: &'a ProfileName,
    /// Where the person signs in.
    pub(crate) server: String,
    /// The generation of the session before.
    pub(crate) known: Option<u64>,
    /// How long to wait.
    pub(crate) timeout: Duration,
    /// What if the other login fails.
    pub(crate) after_failure: OnOtherFailure,
}

/// Takes the turn to log in, when it comes. `wanted` says whether a session
/// is what this login would have brought.
///
/// # Errors
/// [`LockError::Held`](crate::store::LockError::Held) when the time is over,
/// [`LoginRequired::OtherLoginFailed`].
pub(crate) fn acquire(
    login: &LoginWait<'_>,
    locks: &Path,
    store: &mut dyn CredentialStore,
    wanted: &dyn Fn(&Session) -> bool,
    observer: &mut dyn Observer,
) -> Result<LoginLock, Error> {
    let profile = login.profile;
    let mut waited_for = None;
    let kind = LockKind::LogIn {
        server: login.server.clone(),
    };
    let lock = ProfileLock::acquire(locks, profile, kind, login.timeout, &mut |holder| {
        observer.observe(&Event::NamedNote(
            NoteName::WaitingForProcess,
            &format!("waiting for {holder} for profile \"{profile}\": its result will be used"),
        ));
        waited_for = Some(holder.to_owned());
    })?;
    // Looked at even without a wait: the other login may have ended just before.
    let session = load_undamaged(store, profile)?.filter(Session::is_signed_in);
    if let Some(session) = session
        && Some(session.generation) > login.known
        && session.dead.is_none()
        && session.suspended.is_none()
        && wanted(&session)
    {
        let session = Box::new(session);
        return Ok(LoginLock::OtherFinished { session, _lock: lock });
    }
    match (waited_for, login.after_failure) {
        (Some(_), OnOtherFailure::Fail) => Err(LoginRequired::OtherLoginFailed {
            profile: profile.clone(),
        }
        .into()),
        (Some(_), OnOtherFailure::LogIn) => {
            observer.observe(&Event::Note(
                "the other login was cancelled or failed; starting a new one",
            ));
            Ok(LoginLock::Acquired { _lock: lock })
        }
        (None, _) => Ok(LoginLock::Acquired { _lock: lock }),
    }
}
