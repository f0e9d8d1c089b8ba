//! The system's keyring, whatever the system is: one item a profile, found by
//! `service` = `oauth` and `username` = the profile's name.
//!
//! Keyring calls can hang for ever. The Secret Service is asked with deadlines;
//! the other systems' calls run on a plain thread that is waited for until a
//! deadline and left behind after it. Which platform it is shows in
//! [`Platform`] alone; everything else is written against `keyring_core` and
//! tested with fakes of its stores.

mod chunks;
#[cfg(windows)]
mod credential_manager;
pub(super) mod error;
pub(super) mod platform;
#[cfg(all(unix, not(target_os = "macos")))]
mod secret_service;
#[cfg(test)]
mod tests;

#[cfg(all(fuzzing, unix, not(target_os = "macos")))]
pub use secret_service::is_answer;

use super::profile_name::file_name;
use super::session::{Session, SessionError};
use super::{CredentialStore, Interaction, ProfileName, StoreError, StoreKind, StoreSettings, item_name};
use crate::fault::{self, Point};
use chunks::CurrentHeader;
use error::{KeyringError, Operation};
use platform::{Platform, PromptState, TRIAL_ITEM, Waiting};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// For a keyring that never asks.
const DEADLINE: Duration = Duration::from_secs(5);
/// For a person who is asked to unlock it.
const PROMPT_DEADLINE: Duration = Duration::from_secs(120);
/// Other logins may be trying the same keyring with the same item.
const TRIAL_ATTEMPTS: usize = 5;
const TRIAL_VALUE: &[u8] = b"a trial of `oauth`, removed at once";

struct Deadlines {
    quick: Duration,
    prompt: Duration,
}

type Connected = Option<Arc<keyring_core::CredentialStore>>;
type Job = Box<dyn FnOnce(&mut Connected) + Send>;

/// The keyring behind its deadlines.
pub(super) struct KeyringStore {
    platform: Platform,
    interaction: Interaction,
    item_suffix: Option<String>,
    deadlines: Deadlines,
    /// Kept from one call to the next, where this thread asks.
    connected: Connected,
    /// The thread that asks, where another one does; it keeps the connection.
    worker: Option<mpsc::Sender<Job>>,
    prepared: Option<PreparedSave>,
}

/// What a save needs, found out before.
struct PreparedSave {
    item: String,
    current: CurrentHeader,
}

impl KeyringStore {
    pub(super) fn new(settings: &StoreSettings) -> Self {
        KeyringStore::over(
            system_platform(settings),
            settings.interaction,
            settings.item_suffix.clone(),
        )
    }

    fn over(platform: Platform, interaction: Interaction, item_suffix: Option<String>) -> Self {
        KeyringStore {
            platform,
            interaction,
            item_suffix,
            deadlines: Deadlines {
                quick: DEADLINE,
                prompt: PROMPT_DEADLINE,
            },
            connected: None,
            worker: None,
            prepared: None,
        }
    }

    /// Does the work on the keyring, and waits for it until the deadline.
    fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&keyring_core::CredentialStore) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let open = Arc::clone(&self.platform.open);
        let connect_and_work = move |connected: &mut Connected| match connected {
            Some(store) => work(&**store),
            None => match open() {
                Ok(store) => work(&**connected.insert(store)),
                Err(error) => Err(KeyringError::from_core(error, Operation::Connect)),
            },
        };
        match self.platform.waiting.clone() {
            Waiting::UntilItsOwnDeadline => connect_and_work(&mut self.connected),
            Waiting::ForEver(prompt) => self.run_on_worker(&prompt, connect_and_work),
        }
    }

    fn run_on_worker<T: Send + 'static>(
        &mut self,
        prompt: &PromptState,
        work: impl FnOnce(&mut Connected) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let began = Instant::now();
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |connected| {
            // The receiver is gone once the deadline has passed
            let _ = answer.send(work(connected));
        });
        self.worker()?.send(job).map_err(|_| KeyringError::Thread(None))?;

        let mut deadline = match (prompt, self.interaction) {
            (PromptState::Opaque, Interaction::Allowed) => self.deadlines.prompt,
            _ => self.deadlines.quick,
        };
        loop {
            match answered.recv_timeout(deadline.saturating_sub(began.elapsed())) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) if deadline < self.deadlines.prompt && is_up(prompt) => {
                    deadline = self.deadlines.prompt;
                }
                Err(RecvTimeoutError::Timeout) => {
                    // The thread may never come back; the next call gets a new one
                    self.worker = None;
                    return Err(KeyringError::TimedOut {
                        waited_s: deadline.as_secs(),
                    });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.worker = None;
                    return Err(KeyringError::Thread(None));
                }
            }
        }
    }

    fn worker(&mut self) -> Result<&mpsc::Sender<Job>, KeyringError> {
        if self.worker.is_none() {
            let (jobs, queue) = mpsc::channel::<Job>();
            std::thread::Builder::new()
                .name("keyring".to_owned())
                .spawn(move || {
                    let mut connected = None;
                    for job in queue {
                        job(&mut connected);
                    }
                    // The system takes the connection apart at the end of the process, which is near
                    std::mem::forget(connected);
                })
                .map_err(|error| KeyringError::Thread(Some(error)))?;
            self.worker = Some(jobs);
        }
        self.worker.as_ref().ok_or(KeyringError::Thread(None))
    }

    fn item(&self, profile: &ProfileName) -> String {
        let name = item_name(profile, self.item_suffix.as_deref());
        match self.platform.names_ignore_case {
            true => file_name(&name),
            false => name,
        }
    }

    /// Shows that a save would work; what it would write over. Where there is
    /// an item already, it takes new content: only where there is none is one
    /// made for a trial.
    fn test_save(&mut self, profile: &ProfileName) -> Result<CurrentHeader, StoreError> {
        let item = self.item(profile);
        self.run(move |store| {
            let current = chunks::check_replaceable(store, &item)?;
            if !current.exists() {
                test_write(store)?;
            }
            Ok(current)
        })
        .map_err(|error| self.map_error(profile, error))
    }

    /// An error about the record becomes the one that all stores share.
    fn map_error(&self, profile: &ProfileName, error: KeyringError) -> StoreError {
        match error {
            KeyringError::Record(source) => StoreError::Record {
                profile: profile.clone(),
                store: self.describe(),
                source,
            },
            error => error.into(),
        }
    }
}

fn is_up(prompt: &PromptState) -> bool {
    match prompt {
        PromptState::Observable(is_up) => is_up.load(Ordering::Acquire),
        PromptState::Opaque => false,
    }
}

impl CredentialStore for KeyringStore {
    fn describe(&self) -> String {
        self.platform.description.to_owned()
    }

    fn name(&self) -> String {
        StoreKind::Keyring.to_string()
    }

    fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        let item = self.item(profile);
        self.run(move |store| match chunks::read(store, &item)? {
            None => Ok(None),
            Some(value) => match std::str::from_utf8(&value) {
                Ok(record) => Session::decode(record).map(Some).map_err(KeyringError::Record),
                Err(error) => Err(KeyringError::Record(SessionError::Malformed {
                    position: error.valid_up_to() + 1,
                })),
            },
        })
        .map_err(|error| self.map_error(profile, error))
    }

    fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError> {
        let item = self.item(profile);
        let record = session.encode();
        let item_limit_bytes = self.platform.item_limit_bytes;
        let prepared = self.prepared.take().filter(|prepared| prepared.item == item);
        let saved = self.run(move |store| {
            let value = record.expose().as_bytes();
            match prepared {
                Some(prepared) => chunks::overwrite(store, &item, value, item_limit_bytes, prepared.current),
                None => chunks::write(store, &item, value, item_limit_bytes),
            }
        });
        fault::here(Point::KeyringWriteAnswered);
        saved.map_err(|error| self.map_error(profile, error))
    }

    fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError> {
        let item = self.item(profile);
        self.run(move |store| chunks::delete(store, &item))
            .map_err(|error| self.map_error(profile, error))
    }

    fn probe(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.test_save(profile).map(drop)
    }

    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        let current = self.test_save(profile)?;
        let item = self.item(profile);
        self.prepared = Some(PreparedSave { item, current });
        fault::here(Point::KeyringConnected);
        Ok(())
    }
}

/// Writes an item, reads it back and removes it; several times where that
/// fails as it does when another process tries the same item. Where the
/// keyring would ask someone before it removes the item, it stays, and the
/// next trial writes over it.
fn test_write(store: &keyring_core::CredentialStore) -> Result<(), KeyringError> {
    let attempt = || {
        chunks::write(store, TRIAL_ITEM, TRIAL_VALUE, None)?;
        let came_back = chunks::read(store, TRIAL_ITEM)?.is_some_and(|value| *value == TRIAL_VALUE);
        match chunks::delete(store, TRIAL_ITEM) {
            Err(KeyringError::PromptNotAllowed { .. }) => {}
            outcome => drop(outcome?),
        }
        match came_back {
            true => Ok(()),
            false => Err(KeyringError::WriteNotPersisted),
        }
    };
    for _ in 1..TRIAL_ATTEMPTS {
        match attempt() {
            Err(KeyringError::WriteNotPersisted | KeyringError::Refused { .. }) => {}
            outcome => return outcome,
        }
    }
    attempt()
}

#[cfg(all(unix, not(target_os = "macos")))]
fn system_platform(settings: &StoreSettings) -> Platform {
    secret_service::platform(settings, DEADLINE, PROMPT_DEADLINE)
}

/// The keychain of macOS. Its items have no size limit worth speaking of.
#[cfg(target_os = "macos")]
fn system_platform(_settings: &StoreSettings) -> Platform {
    Platform {
        description: "the system keyring (macOS keychain)",
        item_limit_bytes: None,
        names_ignore_case: false,
        open: Arc::new(|| Ok(apple_native_keyring_store::keychain::Store::new()?)),
        waiting: Waiting::ForEver(PromptState::Opaque),
    }
}

/// The credential manager of Windows.
#[cfg(windows)]
fn system_platform(_settings: &StoreSettings) -> Platform {
    const CRED_MAX_CREDENTIAL_BLOB_SIZE: usize = 2560;
    Platform {
        description: "the system keyring (Windows Credential Manager)",
        item_limit_bytes: Some(CRED_MAX_CREDENTIAL_BLOB_SIZE),
        // "This member is case-insensitive": CREDENTIALW, TargetName
        names_ignore_case: true,
        open: Arc::new(credential_manager::open),
        waiting: Waiting::ForEver(PromptState::Opaque),
    }
}
