//! A session whose token is fresh, after a login where `--login` permits one
//! or the profile's grant needs no person.

use super::login;
use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, WantedToken, ensure_fresh};
use crate::app::login_required::LoginRequired;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::renew::RenewError;
use crate::trace::{Event, NoteName, Observer};

/// The session of [`ensure_fresh`]; with `--login` and a terminal a person
/// signs in first where that helps.
pub(super) fn fresh_or_login(context: &Context, wanted: WantedToken<'_>) -> Result<FreshSession, Error> {
    ensure_fresh(context, wanted).or_else(|error| log_in_and_retry(error, context, wanted))
}

/// What a login helps against is gone after one; every other error stays.
///
/// Never inlined: a session that is there needs none of its room on the stack.
#[inline(never)]
fn log_in_and_retry(error: Error, context: &Context, wanted: WantedToken<'_>) -> Result<FreshSession, Error> {
    let name = &wanted.chosen.name;
    let found = if has_no_session(&error) {
        match login::log_in_machine(context, wanted.config, name)? {
            Some(session) if session.token(&wanted.freshness.part).is_some() => {
                Ok(FreshSession { session, is_new: true })
            }
            Some(_) => ensure_fresh(context, wanted),
            None => Err(error),
        }
    } else {
        Err(error)
    };
    match found {
        Err(error) if wanted.options.login && login_may_help(&error) && context.has_terminal() => {
            context.observer().observe(&Event::NamedNote(
                NoteName::LoginStarts,
                &format!("{error}: logging in first"),
            ));
            login::login_for_token(context, name)?;
            ensure_fresh(context, wanted)
        }
        outcome => outcome,
    }
}

/// Whether there is a profile, and nothing is kept for it.
fn has_no_session(error: &Error) -> bool {
    matches!(
        error.downcast_ref::<LoginRequired>(),
        Some(LoginRequired::NotLoggedIn { .. } | LoginRequired::NotKept { .. })
    )
}

/// Where someone must log in, and after every refusal of a refresh.
pub(super) fn login_may_help(error: &Error) -> bool {
    let is_refusal = error.downcast_ref::<RenewError>().is_some_and(RenewError::is_refusal);
    is_refusal || error.exit_code() == ExitCode::LoginRequired
}
