//! A profile whose session moves to another store: by a new login there, or by
//! `profile set NAME store=…`. Nothing stays behind in the old one.

use crate::app::context::Context;
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::passphrase::ask_passphrase;
use crate::args::config::{self, Change, Config, Profile, Setting};
use crate::args::settings::SettingsError;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::output::causes::error_chain;
use crate::store::{self, CredentialStore, Interaction, ProfileName, Session, StoreKind};
use crate::trace::{Event, Observer};
use std::str::FromStr;

/// Where a profile's session was before a login that keeps it elsewhere.
pub(crate) struct PreviousStore {
    kind: StoreKind,
    store: Box<dyn CredentialStore>,
    /// What is there, as far as it can be read.
    pub(crate) session: Option<Session>,
}

impl PreviousStore {
    /// `None` where the profile names no store, or this one.
    pub(crate) fn of(
        context: &Context,
        name: &ProfileName,
        profile: Option<&Profile>,
        new: &StoreKind,
        observer: &mut dyn Observer,
    ) -> Result<Option<Self>, Error> {
        let Some(old) = left_kind(profile, new)? else {
            return Ok(None);
        };
        let mut store = context.open_store_interactive(&old, Interaction::Allowed, ask_passphrase(context))?;
        let session = match store.load(name) {
            Ok(session) => session,
            // Someone who was asked for its passphrase wants to stop
            Err(error) if error.exit_code() != ExitCode::Store => return Err(error.into()),
            Err(error) => {
                // and nobody is asked again in the middle of the login
                store = context.store(&old, Interaction::Allowed)?;
                let text = format!("the earlier session in {} cannot be read: {error}", store.describe());
                observer.observe(&Event::Warning(&error_chain(&text, &error)));
                None
            }
        };
        Ok(Some(PreviousStore {
            kind: old,
            store,
            session,
        }))
    }

    /// The same where the profile has its session now. For a login that is
    /// done and holds the profile's lock: the session may have moved since it began.
    ///
    /// # Errors
    /// The configuration cannot be read, or the store not be opened.
    pub(crate) fn follow_move(
        opened: Option<Self>,
        context: &Context,
        name: &ProfileName,
        new: &StoreKind,
    ) -> Result<Option<Self>, Error> {
        let Some(old) = left_kind(context.config()?.profile(name), new)? else {
            return Ok(None);
        };
        match opened {
            Some(opened) if opened.kind == old => Ok(Some(opened)),
            _ => Ok(Some(PreviousStore {
                store: context.store(&old, Interaction::Allowed)?,
                kind: old,
                session: None,
            })),
        }
    }

    /// Removes what is there, after `written` was kept in the new store, which
    /// is of this kind. That it cannot be removed is reported, and is not an error.
    pub(crate) fn remove_old(
        &mut self,
        name: &ProfileName,
        written: &Session,
        new: &StoreKind,
        observer: &mut dyn Observer,
    ) {
        let place = self.store.describe();
        let may_be_one_store = matches!((&self.kind, new), (StoreKind::Command(_), StoreKind::Command(_)));
        match store::contains(name, self.store.as_mut(), written) {
            // Two names of one store
            Ok(true) => return,
            Err(error) if may_be_one_store => {
                return warn_left_behind(name, &place, &error_chain(&error.to_string(), &error), observer);
            }
            _ => {}
        }
        match self.store.delete(name) {
            Ok(true) => observer.observe(&Event::Note(&format!(
                "the earlier session of profile \"{name}\" was removed from {place}"
            ))),
            Ok(false) => {}
            Err(error) => warn_left_behind(name, &place, &error_chain(&error.to_string(), &error), observer),
        }
    }
}

/// The store that a profile has and leaves for this one.
fn left_kind(profile: Option<&Profile>, new: &StoreKind) -> Result<Option<StoreKind>, SettingsError> {
    Ok(saved_kind(profile)?.filter(|old| old != new && keeps(old) && keeps(new)))
}

fn warn_left_behind(name: &ProfileName, place: &str, error: &str, observer: &mut dyn Observer) {
    observer.observe(&Event::Warning(&format!(
        "the earlier session of profile \"{name}\" remains in {place}, with its tokens: {error}"
    )));
}

/// The store that the profile names.
fn saved_kind(profile: Option<&Profile>) -> Result<Option<StoreKind>, SettingsError> {
    let text = profile.and_then(|profile| profile.text("store"));
    text.map(|text| {
        StoreKind::from_str(text).map_err(|error| SettingsError::Value {
            name: "store".to_owned(),
            problem: error.to_string(),
            hint: None,
        })
    })
    .transpose()
}

fn keeps(kind: &StoreKind) -> bool {
    *kind != StoreKind::None
}

/// Makes the changes of `profile set`; where one of them is another store, the
/// session moves there first and leaves the old one last, all under the profile's lock.
pub(crate) fn change_with_session(
    context: &Context,
    config: &Config,
    name: &ProfileName,
    changes: &[Change],
) -> Result<(), Error> {
    let (path, locks) = (context.config_path()?, context.folders()?.locks());
    let mut observer = context.observer();
    if config.profile(name).is_none() || store_change(changes).is_none() {
        return Ok(config::change(&path, &locks, changes)?);
    }
    let _lock = lock(&locks, name, context.at_most(LOCK_WAIT), &mut observer)?;
    // Read again: another process may have moved the session while this one waited.
    let config = context.config()?;
    let Some(mut moving) = Migration::of(context, config.profile(name), name, changes, &mut observer)? else {
        return Ok(config::change(&path, &locks, changes)?);
    };
    config::check_writable(&path)?;
    let (old, new) = (moving.old.as_mut(), moving.new.as_mut());
    let Some(copied) = store::copy(name, old, new)? else {
        return Ok(config::change(&path, &locks, changes)?);
    };
    if let Some(notice) = new.notice() {
        observer.observe(&Event::Note(&notice));
    }
    if let Err(error) = config::change(&path, &locks, changes) {
        if let Err(undone) = copied.undo(name, new) {
            warn_left_behind(name, &new.describe(), &undone.to_string(), &mut observer);
        }
        return Err(error.into());
    }
    match copied.leave(name, old) {
        Ok(()) => observer.observe(&Event::Success(&format!(
            "moved the session of profile \"{name}\" from {} to {}",
            old.describe(),
            new.describe()
        ))),
        Err(error) => warn_left_behind(
            name,
            &old.describe(),
            &error_chain(&error.to_string(), &error),
            &mut observer,
        ),
    }
    Ok(())
}

/// Which store is set, if one is; the inner `None` is the default.
fn store_change(changes: &[Change]) -> Option<Option<&String>> {
    changes.iter().rev().find_map(|change| match change {
        Change::Set(_, key, Setting::Text(text)) if key == "store" => Some(Some(text)),
        Change::Unset(_, key) if key == "store" => Some(None),
        _ => None,
    })
}

/// Two stores, of which the old one holds a record.
struct Migration {
    old: Box<dyn CredentialStore>,
    new: Box<dyn CredentialStore>,
}

impl Migration {
    /// `None` where there is nothing to move.
    fn of(
        context: &Context,
        profile: Option<&Profile>,
        name: &ProfileName,
        changes: &[Change],
        observer: &mut dyn Observer,
    ) -> Result<Option<Self>, Error> {
        let (Some(change), Some(profile)) = (store_change(changes), profile) else {
            return Ok(None);
        };
        let unnamed = context.store_kind(None)?;
        let saved = saved_kind(Some(profile))?;
        let is_named = saved.is_some();
        let old_kind = saved.unwrap_or_else(|| unnamed.clone());
        let new_kind = match change {
            // It was parsed when the changes were checked
            Some(text) => StoreKind::from_str(text).unwrap_or_else(|_| unnamed.clone()),
            None => unnamed,
        };
        if old_kind == new_kind || !keeps(&old_kind) {
            return Ok(None);
        }
        let mut old = context.store(&old_kind, context.interaction())?;
        let held = match old.load(name) {
            Ok(held) => held,
            Err(error) if is_named => {
                let error = context.explain_store_error(error, None);
                return Err(context.explain_unattended_keyring(error, name, Some(profile)));
            }
            // Nobody said that the session is there, and this may be how the profile gets away from it
            Err(error) => {
                let text = format!(
                    "whether {} holds a session of profile \"{name}\" is not known: {error}",
                    old.describe()
                );
                observer.observe(&Event::Warning(&error_chain(&text, &error)));
                return Ok(None);
            }
        };
        match held {
            None => Ok(None),
            Some(_) if keeps(&new_kind) => {
                let new = context.store(&new_kind, context.interaction())?;
                Ok(Some(Migration { old, new }))
            }
            Some(session) => Err(refuse_loss(name, &session, old.as_ref()).into()),
        }
    }
}

fn refuse_loss(name: &ProfileName, session: &Session, old: &dyn CredentialStore) -> SettingsError {
    let (what, hint) = match session.is_signed_in() {
        true => ("session", format!("Run: oauth logout {name}")),
        false => (
            "client secret",
            format!("Remove the profile, and make it again without a store: oauth profile remove {name}"),
        ),
    };
    SettingsError::Value {
        name: "store".to_owned(),
        problem: format!(
            "with `none`, the {what} of profile \"{name}\" in {} would be lost",
            old.describe()
        ),
        hint: Some(hint),
    }
}

/// What a login needs of an earlier one: from where the profile has it, else from where it will be.
pub(crate) fn current_session<'a>(old: Option<&'a PreviousStore>, earlier: Option<&'a Session>) -> Option<&'a Session> {
    old.and_then(|old| old.session.as_ref()).or(earlier)
}
