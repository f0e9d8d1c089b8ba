//! `oauth token --wait`: another process logs in, and this one goes on as soon
//! as that is done.

use super::fresh_or_login::fresh_or_login;
use crate::app::context::Context;
use crate::app::deadline::Deadline;
use crate::app::fresh_session::WantedToken;
use crate::app::freshness::Freshness;
use crate::app::login_required::LoginRequired;
use crate::app::session::ProfileRecord;
use crate::app::usable_profile::find_usable_profile;
use crate::args::cli::TokenOptions;
use crate::args::settings::{ChosenProfile, SettingsError};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::renew::has_expired;
use crate::output::duration::describe;
use crate::store::{Interaction, ProfileName};
use crate::system;
use crate::trace::{Event, NoteName, Observer};
use std::time::{Duration, Instant};

/// The longest wait for a login.
const MAX_WAIT: Duration = Duration::from_secs(30 * 24 * 3600);
/// The first pause between two looks; it grows from there.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between two looks into the store.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// There was no login in time.
#[derive(Debug, thiserror::Error)]
#[error("no login came {limit}")]
struct NoLoginCame {
    /// What ended the wait.
    limit: String,
    hints: Vec<String>,
    #[source]
    cause: WhyNeeded,
}

/// Why a login is needed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WhyNeeded(String);

impl NoLoginCame {
    /// `deadline` is given where it is earlier than the end of the wait.
    fn new(wait: Duration, deadline: Option<Deadline>, needed: &Error) -> Self {
        NoLoginCame {
            limit: match deadline {
                Some(deadline) => format!("before the deadline of {}", deadline.describe()),
                None => format!("within {}", describe(wait)),
            },
            hints: needed.hints(),
            cause: WhyNeeded(needed.to_string()),
        }
    }
}

impl Diagnosis for NoLoginCame {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Timeout
    }

    fn hints(&self) -> Vec<String> {
        self.hints.clone()
    }
}

/// Returns when there is a session that gives a token. The server is asked
/// again only when someone has changed the session.
///
/// # Errors
/// [`NoLoginCame`], or what a login does not help against.
pub(super) fn wait_for_login(
    context: &Context,
    options: &TokenOptions,
    wanted: &Freshness,
    wait: Duration,
) -> Result<(), Error> {
    let wait = wait.min(MAX_WAIT);
    // Of two limits the earlier one is named, however close they are.
    let deadline = context.deadline.filter(|deadline| deadline.left() < wait);
    let until = Instant::now() + context.at_most(wait);
    let mut is_told = false;
    loop {
        let known = version(context, options);
        let Some(error) = need_of_login(context, options, wanted)? else {
            return Ok(());
        };
        if !is_told {
            context.observer().observe(&Event::NamedNote(
                NoteName::WaitingForLogin,
                &format!("{error}: waiting for a login by another process"),
            ));
            is_told = true;
        }
        let mut pause = FIRST_PAUSE;
        while version(context, options) == known {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoLoginCame::new(wait, deadline, &error).into());
            }
            match context.wait_for_person(async { tokio::time::sleep(pause.min(left)).await }) {
                Err(passed) if passed.exit_code() == ExitCode::Timeout => {
                    return Err(NoLoginCame::new(wait, deadline, &error).into());
                }
                paused => paused?,
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// Why a login is needed; `None` where there is a token.
///
/// # Errors
/// What a login does not help against.
fn need_of_login(context: &Context, options: &TokenOptions, freshness: &Freshness) -> Result<Option<Error>, Error> {
    let config = context.config()?;
    let attempt = find_usable_profile(context, &options.profile, &config).and_then(|chosen| {
        let wanted = WantedToken {
            config: &config,
            chosen: &chosen,
            options,
            freshness,
        };
        fresh_or_login(context, wanted)
    });
    match attempt {
        Ok(fresh) if !fresh.is_new && has_expired(&fresh.session, &freshness.part, system::now()) => {
            let profile = chosen_name(context, options)?;
            Ok(Some(LoginRequired::Expired { profile }.into()))
        }
        Ok(_) => Ok(None),
        Err(error) if may_come(&error) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

fn chosen_name(context: &Context, options: &TokenOptions) -> Result<ProfileName, Error> {
    let config = context.config()?;
    Ok(find_usable_profile(context, &options.profile, &config)?.name)
}

/// Whether a login by another process would help. The first login of a profile
/// makes it.
fn may_come(error: &Error) -> bool {
    match error.downcast_ref::<LoginRequired>() {
        Some(LoginRequired::NotKept { .. }) => return false,
        Some(_) => return true,
        None => {}
    }
    let is_unknown = matches!(error.downcast_ref(), Some(SettingsError::UnknownProfile { .. }));
    is_unknown || error.exit_code() == ExitCode::LoginRequired
}

/// What changes with every login: the profile and the generation of its session.
fn version(context: &Context, options: &TokenOptions) -> Option<(ChosenProfile, Option<u64>)> {
    let config = context.config().ok()?;
    let chosen = find_usable_profile(context, &options.profile, &config).ok()?;
    let record = ProfileRecord::load(context, &config, &chosen, Interaction::Forbidden)
        .ok()?
        .record;
    Some((chosen, record.map(|session| session.generation)))
}
