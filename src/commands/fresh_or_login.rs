//! A session whose token is fresh, after a login where `--login` permits one
//! or the profile's grant needs no person.

use super::login;
use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, Freshness, ensure_fresh};
use crate::app::login_required::LoginRequired;
use crate::args::cli::TokenOptions;
use crate::args::config::Config;
use crate::args::settings::ChosenProfile;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::renew::RenewError;
use crate::trace::{Event, NoteName, Observer};

/// The session of [`ensure_fresh`]; with `--login` and a terminal a person
/// signs in first where that helps.
pub(super) fn fresh_or_login(
    context: &Context,
    options: &TokenOptions,
    wanted: &Freshness,
    config: &Config,
    chosen: &ChosenProfile,
) -> Result<FreshSession, Error> {
    ensure_fresh(context, options, wanted, config, chosen)
        .or_else(|error| log_in_and_retry(error, context, options, wanted, config, chosen))
}

/// What a login helps against is gone after one; every other error stays.
///
/// Never inlined: a session that is there needs none of its room on the stack.
#[inline(never)]
fn log_in_and_retry(
    error: Error,
    context: &Context,
    options: &TokenOptions,
    wanted: &Freshness,
    config: &Config,
    chosen: &ChosenProfile,
) -> Result<FreshSession, Error> {
    let found = if has_no_session(&error) {
        match login::log_in_machine(context, config, &chosen.name)? {
            Some(session) if session.token(&wanted.part).is_some() => Ok(FreshSession { session, is_new: true }),
            Some(_) => ensure_fresh(context, options, wanted, config, chosen),
            None => Err(error),
        }
    } else {
        Err(error)
    };
    match found {
        Err(error) if options.login && login_may_help(&error) && context.has_terminal() => {
            context.observer().observe(&Event::NamedNote(
                NoteName::LoginStarts,
                &format!("{error}: logging in first"),
            ));
            login::login_for_token(context, &chosen.name)?;
            ensure_fresh(context, options, wanted, config, chosen)
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
