//! Which of the profiles that a URL may mean has a session: a token comes from
//! that one, and not from another that is logged out.

use crate::app::context::Context;
use crate::app::session::ProfileRecord;
use crate::args::cli::ProfileChoice;
use crate::args::config::{Config, Profile};
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{self, ChosenBy, ChosenProfile, CommandForm, SettingsError};
use crate::error::Error;
use crate::store::{Interaction, ProfileName, Session, StoredToken};
use crate::system;
use crate::trace::{Event, Observer};
use std::str::FromStr;

/// The profile that a command takes its token from, as [`find_usable_profile`]
/// finds it; says so where it is not the one that is named after the URL.
///
/// # Errors
/// Those of [`find_usable_profile`].
pub(crate) fn choose_usable_profile(
    context: &Context,
    choice: &ProfileChoice,
    config: &Config,
) -> Result<ChosenProfile, Error> {
    let found = find_usable_profile(context, choice, config)?;
    if choice.url().is_some()
        && let Ok(named) = settings::choose_profile(choice, &context.environment, config)
        && named.name != found.name
        && config.profile(&named.name).is_some()
    {
        context.observer().observe(&Event::Note(&format!(
            "profile \"{}\" is not logged in; \"{}\" is for this URL too, and is used",
            named.name, found.name
        )));
    }
    Ok(found)
}

/// The profile that a command is about whether or not it has a session: the
/// one that is named, or named after the URL, else the one that
/// [`find_usable_profile`] finds.
///
/// # Errors
/// Those of [`find_usable_profile`].
pub(crate) fn find_saved_profile(
    context: &Context,
    choice: &ProfileChoice,
    config: &Config,
) -> Result<ChosenProfile, Error> {
    match settings::choose_profile(choice, &context.environment, config) {
        Ok(named) if choice.url().is_none() || config.profile(&named.name).is_some() => Ok(named),
        _ => find_usable_profile(context, choice, config),
    }
}

/// The profile of a choice. A URL may be that of several: one that has a
/// session, else the one that is named after it. Where the configuration file
/// names no profile for the URL, it may be the issuer of a login to an API.
///
/// # Errors
/// [`SettingsError`], also where several profiles
/// with a session are equally for the URL.
pub(crate) fn find_usable_profile(
    context: &Context,
    choice: &ProfileChoice,
    config: &Config,
) -> Result<ChosenProfile, Error> {
    let named = settings::choose_profile(choice, &context.environment, config);
    let Some(url) = choice.url() else {
        return Ok(named?);
    };
    let named = match named {
        Ok(named) if is_usable(context, config, &named.name).unwrap_or(true) => return Ok(named),
        named => named,
    };
    let candidates = settings::profiles_for_url(url, config)?;
    let with_session = candidates
        .iter()
        .map(|equals| usable_ones(context, config, equals))
        .find(|usable| !usable.is_empty());
    let named_is_saved = matches!(&named, Ok(named) if config.profile(&named.name).is_some());
    match (with_session, candidates.first()) {
        (Some(usable), _) => Ok(only_profile(context, url, &usable)?),
        // None is logged in: the error is about those that a login would be for.
        (None, Some(closest)) if !named_is_saved => Ok(only_profile(context, url, closest)?),
        (None, None) if !named_is_saved => match sessions_of_issuer(context, config, url).as_slice() {
            [] => Ok(named?),
            found => Ok(only_profile(context, url, found)?),
        },
        (None, _) => Ok(named?),
    }
}

/// The one profile that a URL means; the hint of the error names the first one
/// in the place of the URL.
fn only_profile(context: &Context, url: &str, names: &[ProfileName]) -> Result<ChosenProfile, SettingsError> {
    let repeated = CommandForm {
        name: context.command,
        operands: String::new(),
    };
    settings::only_profile(url, names).map_err(|error| match &error {
        SettingsError::SeveralProfiles { .. } => error.of_command(Some(&repeated)),
        _ => error,
    })
}

/// The saved profiles whose session is of this issuer. The configuration file
/// of a login to an API does not name the issuer: the session does.
fn sessions_of_issuer(context: &Context, config: &Config, url: &str) -> Vec<ProfileName> {
    let is_of_issuer = |name: &&ProfileName| {
        let session = load(context, config, name).ok().flatten();
        session.is_some_and(|session| session.issuer.is_some_and(|issuer| issuer.as_str() == url))
    };
    let names = config.profiles().map(|(name, _)| name);
    names.filter(is_of_issuer).cloned().collect()
}

/// Those of the profiles that have a session.
pub(crate) fn usable_ones(context: &Context, config: &Config, names: &[ProfileName]) -> Vec<ProfileName> {
    let is_usable = |name: &&ProfileName| is_usable(context, config, name) == Some(true);
    names.iter().filter(is_usable).cloned().collect()
}

/// Whether a token of the profile can be had without a login; `None` where
/// its store cannot be read.
fn is_usable(context: &Context, config: &Config, name: &ProfileName) -> Option<bool> {
    let profile = config.profile(name);
    if needs_nobody(profile) {
        return Some(true);
    }
    match (load(context, config, name), profile) {
        (Ok(session), _) => Some(session.as_ref().is_some_and(is_live)),
        (Err(_), None) => Some(false),
        (Err(_), Some(_)) => None,
    }
}

/// The record of a profile, where its store gives it without a person.
fn load(context: &Context, config: &Config, name: &ProfileName) -> Result<Option<Session>, Error> {
    let chosen = ChosenProfile {
        name: name.clone(),
        chosen_by: ChosenBy::User,
    };
    Ok(ProfileRecord::load(context, config, &chosen, Interaction::Forbidden)?.record)
}

/// Whether the profile gets its tokens without a login.
pub(crate) fn needs_nobody(profile: Option<&Profile>) -> bool {
    let grant = profile.and_then(|profile| profile.text("grant"));
    grant.is_some_and(|grant| LoginGrant::from_str(grant).is_ok_and(|grant| !grant.needs_person()))
}

/// A suspended session counts: that it is suspended is what has to be said.
fn is_live(session: &Session) -> bool {
    let now = system::now();
    let has_token = || {
        let lasts = |token: &StoredToken| token.expires_at.is_none_or(|ends| ends > now);
        session.dead.is_none() && session.tokens.first().is_some_and(lasts)
    };
    session.suspended.is_some() || session.can_renew() || has_token()
}
