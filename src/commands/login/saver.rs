//! What a login writes: the session to its store and the profile to the
//! configuration file, both or neither. A store that the profile used before
//! is cleaned up last.

use super::profile_update::ProfileUpdate;
use crate::app::context::Context;
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::passphrase::ask_passphrase;
use crate::app::store_migration::{PreviousStore, current_session};
use crate::args::config::{self, Config, Profile};
use crate::args::login::LoginOptions;
use crate::args::settings::ResolvedLogin;
use crate::error::{Error, ProcessError};
use crate::exit::Diagnosis;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind, load_undamaged};
use crate::system::process;
use crate::trace::{Event, NoteName, Observer};
use std::path::{Path, PathBuf};

/// Where the result of a login goes.
pub(super) struct Destination {
    kind: StoreKind,
    saves_profile: bool,
    /// Whether a person may be asked for a passphrase, or to unlock a keyring.
    may_ask: bool,
}

impl Destination {
    /// # Errors
    /// The error of [`Context::store_kind`].
    pub(super) fn resolve(context: &Context, options: &LoginOptions, profile: Option<&Profile>) -> Result<Self, Error> {
        Ok(Destination {
            kind: match options.session.no_store {
                true => StoreKind::None,
                false => context.store_kind(profile)?,
            },
            saves_profile: !options.session.no_save,
            may_ask: true,
        })
    }

    /// The same for a command that asks only where every command may.
    ///
    /// # Errors
    /// The error of [`Context::store_kind`].
    pub(super) fn without_prompts(
        context: &Context,
        options: &LoginOptions,
        profile: Option<&Profile>,
    ) -> Result<Self, Error> {
        Ok(Destination {
            may_ask: false,
            ..Destination::resolve(context, options, profile)?
        })
    }

    /// Shows that what is kept nowhere can at least be printed.
    ///
    /// # Errors
    /// [`ProcessError::OutputLeadsNowhere`].
    pub(super) fn check_output(&self) -> Result<(), ProcessError> {
        match self.kind == StoreKind::None && process::leads_nowhere(&std::io::stdout()) {
            true => Err(ProcessError::OutputLeadsNowhere),
            false => Ok(()),
        }
    }
}

/// Keeps what a login brings. It is opened before the login begins, so that a
/// store or file that cannot be written is known before a person signs in.
pub(super) struct SessionSaver {
    name: ProfileName,
    kind: StoreKind,
    store: Box<dyn CredentialStore>,
    locks: PathBuf,
    /// What the store held before.
    earlier: Option<Session>,
    previous_store: Option<PreviousStore>,
    /// That of the session before, wherever it was.
    generation: u64,
    /// `None` with `--no-save`.
    profile_update: Option<ProfileUpdate>,
}

type SaveError = Box<dyn Diagnosis>;

impl SessionSaver {
    /// # Errors
    /// The configuration file cannot be written, or a store cannot be opened or read.
    pub(super) fn open(
        context: &Context,
        config: &Config,
        destination: Destination,
        resolved: &ResolvedLogin,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let Destination {
            kind,
            saves_profile,
            may_ask,
        } = destination;
        let config_path = context.config_path()?;
        if saves_profile {
            config::check_writable(&config_path).map_err(not_saved)?;
        }
        let name = resolved.profile.clone();
        let mut store = match may_ask {
            true => context.open_store_interactive(&kind, Interaction::Allowed, ask_passphrase(context))?,
            false => context.store(&kind, context.interaction())?,
        };
        let earlier = load_undamaged(store.as_mut(), &name)?;
        let previous_store = match saves_profile {
            true => PreviousStore::of(context, &name, config.profile(&name), &kind, observer)?,
            // The profile then goes on naming the old one.
            false => None,
        };
        let current = current_session(previous_store.as_ref(), earlier.as_ref());
        Ok(SessionSaver {
            generation: current.map_or(0, |current| current.generation),
            locks: context.folders()?.locks(),
            profile_update: saves_profile.then(|| ProfileUpdate::new(config, config_path, resolved, &kind)),
            name,
            kind,
            store,
            earlier,
            previous_store,
        })
    }

    /// Takes what else is to be saved in the profile, now that the server is known.
    pub(super) fn update_profile(&mut self, config: &Config, resolved: &ResolvedLogin) {
        if let Some(update) = &mut self.profile_update {
            *update = update.rebuild(config, resolved, &self.kind);
        }
    }

    pub(super) fn name(&self) -> &ProfileName {
        &self.name
    }

    pub(super) fn kind(&self) -> &StoreKind {
        &self.kind
    }

    pub(super) fn saves_profile(&self) -> bool {
        self.profile_update.is_some()
    }

    /// The store as it is shown to a person.
    pub(super) fn store_description(&self) -> String {
        self.store.describe()
    }

    pub(super) fn store_mut(&mut self) -> &mut dyn CredentialStore {
        self.store.as_mut()
    }

    pub(super) fn locks(&self) -> &Path {
        &self.locks
    }

    /// What the store held before.
    pub(super) fn earlier_session(&self) -> Option<&Session> {
        self.earlier.as_ref()
    }

    /// The session before, wherever it was.
    pub(super) fn current_session(&self) -> Option<&Session> {
        current_session(self.previous_store.as_ref(), self.earlier.as_ref())
    }

    /// Proves that the store can take a session.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError).
    pub(super) fn probe(&mut self, observer: &mut dyn Observer) -> Result<(), Error> {
        self.store.probe(&self.name)?;
        if let Some(notice) = self.store.notice() {
            observer.observe(&Event::Note(&notice));
        }
        Ok(())
    }

    /// Keeps the session and the profile, under the profile's lock; where the
    /// profile cannot be written, the store is put back as it was.
    ///
    /// # Errors
    /// That of the store or of the configuration file.
    pub(super) fn save(
        &mut self,
        context: &Context,
        session: &Session,
        observer: &mut dyn Observer,
    ) -> Result<(), SaveError> {
        if self.kind == StoreKind::None {
            // Where nothing is kept there is nothing to lock, and maybe no directory to write a lock into.
            return self.save_profile().map_err(Error::into_diagnosis);
        }
        let _lock = lock(&self.locks, &self.name, LOCK_WAIT, observer).map_err(boxed)?;
        self.follow_move(context).map_err(Error::into_diagnosis)?;
        let replaced = load_undamaged(self.store.as_mut(), &self.name).map_err(boxed)?;
        let kept = self.save_session(session, replaced.as_ref(), observer)?;
        if let Err(error) = self.save_profile() {
            self.restore(replaced.as_ref(), observer)?;
            return Err(error.into_diagnosis());
        }
        self.remove_previous(&kept, observer);
        Ok(())
    }

    /// Takes the session that another process has just stored, as it is there
    /// now; `None` where it has gone again, or where the profile has its session
    /// in another store: what is in this one was then left behind by a login or
    /// a move that was interrupted, and its refresh token may be spent.
    ///
    /// # Errors
    /// Those of the profile's lock, of the store and of the configuration file.
    pub(super) fn keep_other_login(
        &mut self,
        context: &Context,
        observer: &mut dyn Observer,
    ) -> Result<Option<Session>, Error> {
        let _lock = lock(&self.locks, &self.name, context.at_most(LOCK_WAIT), observer)?;
        self.follow_move(context)?;
        if self.previous_store.is_some() {
            return Ok(None);
        }
        let Some(session) = load_undamaged(self.store.as_mut(), &self.name)?.filter(Session::is_signed_in) else {
            return Ok(None);
        };
        self.save_profile()?;
        observer.observe(&Event::NamedNote(
            NoteName::OtherLoginUsed,
            "another process logged in at the same time: its session is used",
        ));
        Ok(Some(session))
    }

    /// Looks where the session is now that is to be replaced.
    fn follow_move(&mut self, context: &Context) -> Result<(), Error> {
        if self.profile_update.is_some() {
            let opened = self.previous_store.take();
            self.previous_store = PreviousStore::follow_move(opened, context, &self.name, &self.kind)?;
        }
        Ok(())
    }

    fn save_profile(&self) -> Result<(), Error> {
        match &self.profile_update {
            Some(update) => update.save(&self.locks).map_err(not_saved),
            None => Ok(()),
        }
    }

    fn remove_previous(&mut self, kept: &Session, observer: &mut dyn Observer) {
        if let Some(previous_store) = &mut self.previous_store {
            previous_store.remove_old(&self.name, kept, &self.kind, observer);
        }
    }

    /// Stores a session over what is there, with a generation above that and
    /// above the one before. Returns it as it is stored.
    fn save_session(
        &mut self,
        session: &Session,
        replaced: Option<&Session>,
        observer: &mut dyn Observer,
    ) -> Result<Session, SaveError> {
        let newest = replaced.map_or(0, |replaced| replaced.generation).max(self.generation);
        let kept = Session {
            generation: newest.saturating_add(1),
            ..session.clone()
        };
        self.store.save(&self.name, &kept).map_err(boxed)?;
        observer.observe(&Event::Stored {
            store: &self.store.describe(),
        });
        Ok(kept)
    }

    /// Undoes [`Self::save_session`] for a login that failed after it.
    fn restore(&mut self, replaced: Option<&Session>, observer: &mut dyn Observer) -> Result<(), SaveError> {
        match replaced {
            Some(replaced) => self.store.save(&self.name, replaced).map_err(boxed)?,
            None => self.store.delete(&self.name).map(|_| ()).map_err(boxed)?,
        }
        observer.observe(&Event::Decision(
            "the session was not kept: the store is as it was before",
        ));
        Ok(())
    }
}

fn boxed(error: impl Diagnosis) -> SaveError {
    Box::new(error)
}

/// A login can do without the configuration file.
fn not_saved(error: config::ConfigError) -> Error {
    let can_be_left_alone = matches!(error, config::ConfigError::NotWritable { .. });
    let error = Error::from(error);
    match can_be_left_alone {
        true => error.with_first_hint("Log in with --no-save to leave the configuration file alone.".to_owned()),
        false => error,
    }
}
