//! A token that a server did not take although it has not expired.

use crate::app::context::Context;
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::session::ProfileRecord;
use crate::args::config::Config;
use crate::args::settings::ChosenProfile;
use crate::error::Error;
use crate::secret::Secret;
use crate::store::Session;
use crate::system;

/// What became of a token that a server did not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RejectedToken {
    /// It is not one of this session, or not any more.
    NotOfSession,
    /// It is the session's, and there is no way to get another one.
    NotRefreshable,
    /// It counts as expired from now on.
    Expired,
}

/// Marks the access token as expired, so that it is refreshed before it is
/// used again. A token of others, and one that cannot be refreshed, is left as it is.
///
/// # Errors
/// Those of the store and of the profile's lock.
pub(crate) fn forget_rejected(
    context: &Context,
    config: &Config,
    chosen: &ChosenProfile,
    rejected: &Secret,
) -> Result<RejectedToken, Error> {
    let name = &chosen.name;
    let found = ProfileRecord::load(context, config, chosen, context.interaction())?;
    if !found.record.as_ref().is_some_and(|session| has(session, rejected)) {
        return Ok(RejectedToken::NotOfSession);
    }
    let mut observer = context.observer();
    let locks = context.folders()?.locks();
    let _lock = lock(&locks, name, context.at_most(LOCK_WAIT), &mut observer)?;
    // Read again: another process may have refreshed in the meantime.
    let mut found = found.follow_move(context, chosen, context.interaction())?;
    let Some(mut session) = found.store.load(name)?.filter(|session| has(session, rejected)) else {
        return Ok(RejectedToken::NotOfSession);
    };
    if !session.can_renew() {
        return Ok(RejectedToken::NotRefreshable);
    }
    let now = system::now();
    let mut is_marked = true;
    for token in &mut session.tokens {
        let is_rejected = token.access_token.expose() == rejected.expose();
        if is_rejected && token.expires_at.is_none_or(|expires_at| expires_at > now) {
            token.expires_at = Some(now);
            is_marked = false;
        }
    }
    if !is_marked {
        // The generation stays: it counts refreshes. A higher one would look like a new
        // token to those who wait for the lock, and like the end of an interrupted refresh.
        found.store.save(name, &session)?;
    }
    Ok(RejectedToken::Expired)
}

fn has(session: &Session, token: &Secret) -> bool {
    let mut tokens = session.tokens.iter();
    tokens.any(|stored| stored.access_token.expose() == token.expose())
}
