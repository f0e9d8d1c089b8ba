//! The system's keyring, whatever the system is: one item a profile, found by
//! `service` = `oauth` and `username` = the profile's name.
//!
//! Keyring calls block and can hang for ever, so each one runs on a plain
//! thread that is waited for until a deadline and left behind after it. Which
//! platform it is shows in [`Platform`] alone; everything else is written
//! against `keyring_core` and tested with fakes of its stores.
//!
//! `keyring_core::Error` can carry the bytes of a secret and shows them in its
//! `Debug`: it ends in [`KeyringError::from_core`] and goes nowhere else.

mod chunks;
#[cfg(all(unix, not(target_os = "macos")))]
mod secret_service;

use super::session::{Session, SessionError};
use super::{CredentialStore, Interaction, ProfileName, StoreError, StoreKind, StoreSettings, item_name, other_stores};
use crate::fault::{self, Point};
use chunks::CurrentHeader;
use keyring_core::Error as CoreError;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// For a keyring that need not ask anybody.
const DEADLINE: Duration = Duration::from_secs(5);
/// For a person who is asked to unlock it.
const PROMPT_DEADLINE: Duration = Duration::from_secs(120);
/// Other logins may be trying the same keyring with the same item.
const PROBE_ATTEMPTS: usize = 5;
const PROBE_VALUE: &[u8] = b"a trial of `oauth`, removed at once";

/// Why the keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Nothing to connect to.
    #[error("there is no D-Bus session bus to reach the keyring by: {cause}")]
    NoBus {
        /// What the system said.
        cause: String,
    },
    /// A bus, and nobody on it keeps secrets.
    #[error("no keyring service answers on the D-Bus session bus: {cause}")]
    NoService {
        /// What the bus said.
        cause: String,
    },
    /// It is there, and locked.
    #[error("the keyring is locked, and this run may not ask for its password")]
    Locked,
    /// It is there and locked, and asking did not help.
    #[error("the keyring is locked, and the prompt for its password was dismissed or could not be shown")]
    PromptDismissed,
    /// It is there, and has no place for new items.
    #[error("the keyring service has no default keyring to keep a session in")]
    NoDefaultKeyring,
    /// No answer.
    #[error("the keyring did not answer within {waited_s} s")]
    TimedOut {
        /// How long it was waited for, in seconds.
        waited_s: u64,
    },
    /// It answered with an error of its own.
    #[error("the keyring refused to {operation}: {cause}")]
    Refused {
        /// What was tried.
        operation: Operation,
        /// What it said.
        cause: String,
    },
    /// What was written did not come back.
    #[error("the keyring took a trial item, but does not give it back")]
    WriteNotPersisted,
    /// More than it can hold.
    #[error("the session{} is larger than the {limit_bytes} bytes that the keyring can hold", size_bytes.map(|size| format!(" ({size} bytes)")).unwrap_or_default())]
    TooLarge {
        /// The size of the session, when it is known.
        size_bytes: Option<usize>,
        /// The limit.
        limit_bytes: usize,
    },
    /// Several items, and no telling which one counts.
    #[error("the keyring holds {count} items for `{username}`, and only one can be the right one")]
    Ambiguous {
        /// The `username` attribute that they share.
        username: String,
        /// How many.
        count: usize,
    },
    /// The item is there and broken.
    #[error("the item in the keyring {how}")]
    Damaged {
        /// What is wrong, to follow "the item".
        how: &'static str,
    },
    /// The item is no record that this program may use.
    #[error("the item in the keyring cannot be used")]
    Record(#[source] SessionError),
    /// A plain session was asked for.
    #[error("the keyring service does not take a plain session")]
    NoPlainSession,
    /// The operating system.
    #[error("the thread that asks the keyring ended or could not be started")]
    Thread(#[source] Option<io::Error>),
}

/// What is done to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Connect to the keyring.
    Connect,
    /// Look for the item.
    Find,
    /// Read it.
    Read,
    /// Write it.
    Write,
    /// Remove it.
    Delete,
    /// Unlock the keyring.
    Unlock,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Operation::Connect => "be connected to",
            Operation::Find => "look for the session",
            Operation::Read => "hand out the session",
            Operation::Write => "keep the session",
            Operation::Delete => "remove the session",
            Operation::Unlock => "be unlocked",
        })
    }
}

impl KeyringError {
    /// The end of the way for errors of `keyring_core`. A platform can put a
    /// `KeyringError` inside them, where it knows better what happened.
    pub(super) fn from_core(error: CoreError, operation: Operation) -> Self {
        match error {
            CoreError::PlatformFailure(cause) | CoreError::NoStorageAccess(cause) => {
                match cause.downcast::<KeyringError>() {
                    Ok(error) => *error,
                    Err(cause) => platform::explain(&*cause).unwrap_or_else(|| KeyringError::Refused {
                        operation,
                        cause: cause.to_string(),
                    }),
                }
            }
            CoreError::TooLong(_, limit) => KeyringError::TooLarge {
                size_bytes: None,
                limit_bytes: usize::try_from(limit).unwrap_or(usize::MAX),
            },
            CoreError::Ambiguous(items) => KeyringError::Ambiguous {
                username: items
                    .first()
                    .and_then(|item| item.get_specifiers())
                    .map(|(_, username)| username)
                    .unwrap_or_default(),
                count: items.len(),
            },
            // Both carry what the item holds
            CoreError::BadEncoding(_) | CoreError::BadDataFormat(..) => KeyringError::Damaged {
                how: "is not readable for its own store",
            },
            other => KeyringError::Refused {
                operation,
                cause: other.to_string(),
            },
        }
    }

    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = match self {
            KeyringError::NoBus { .. } => vec![
                "Run this in the desktop session, or start a bus and a keyring with `dbus-run-session -- sh` and `gnome-keyring-daemon --unlock`."
                    .to_owned(),
            ],
            KeyringError::NoService { .. } => {
                vec!["Install and start a keyring service, such as gnome-keyring, KWallet or KeePassXC.".to_owned()]
            }
            KeyringError::Locked => {
                vec!["Unlock the keyring, for instance by logging in to the desktop, and run this again.".to_owned()]
            }
            KeyringError::PromptDismissed => vec![
                "Run this again and answer the prompt; without a display, unlock the keyring with `gnome-keyring-daemon --unlock`."
                    .to_owned(),
            ],
            KeyringError::NoDefaultKeyring => vec![
                "Make a default keyring with your desktop's password manager, or with `gnome-keyring-daemon --unlock`."
                    .to_owned(),
            ],
            KeyringError::TimedOut { .. } => {
                vec!["Look whether the keyring waits for an answer or has to be restarted.".to_owned()]
            }
            KeyringError::NoPlainSession => vec!["Use `--keyring-session encrypted`.".to_owned()],
            KeyringError::Ambiguous { username, .. } => vec![format!(
                "Remove them with `secret-tool clear service oauth username {username}` and log in again."
            )],
            KeyringError::Damaged { .. } => {
                return vec!["Log in again with `oauth login`: that replaces it.".to_owned()];
            }
            KeyringError::Record(SessionError::NewerVersion(_)) => {
                return vec!["A newer `oauth` wrote it: use that one, or update this one.".to_owned()];
            }
            KeyringError::Record(_)
            | KeyringError::Refused { .. }
            | KeyringError::WriteNotPersisted
            | KeyringError::TooLarge { .. }
            | KeyringError::Thread(_) => Vec::new(),
        };
        hints.extend(other_stores(Some(StoreKind::Keyring)));
        hints
    }
}

/// What differs between the systems.
#[derive(Clone)]
pub(super) struct Platform {
    /// The keyring as a person would call it.
    pub(super) description: &'static str,
    /// The largest item, where there is a limit.
    pub(super) item_limit_bytes: Option<usize>,
    /// Connects; runs on the keyring's thread.
    pub(super) open: Arc<dyn Fn() -> Result<Arc<keyring_core::CredentialStore>, CoreError> + Send + Sync>,
    /// Whether a prompt is up that a person can see.
    pub(super) prompt: Prompt,
}

/// How it is known that a person is being asked.
#[derive(Clone)]
#[allow(dead_code, reason = "every platform has one of them")]
pub(super) enum Prompt {
    /// True while a prompt is up. Never set where the patience forbids it.
    Seen(Arc<AtomicBool>),
    /// The system asks by itself, without a word to us.
    Unseen,
}

struct Deadlines {
    quick: Duration,
    prompt: Duration,
}

type Job = Box<dyn FnOnce(&mut Option<Arc<keyring_core::CredentialStore>>) + Send>;

/// The keyring behind a thread and a deadline.
pub(super) struct KeyringStore {
    platform: Platform,
    interaction: Interaction,
    item_suffix: Option<String>,
    deadlines: Deadlines,
    /// The thread that asks; it keeps the connection from one call to the next.
    worker: Option<mpsc::Sender<Job>>,
    ready: Option<Ready>,
}

/// What a save needs, found out before.
struct Ready {
    item: String,
    living: CurrentHeader,
}

impl KeyringStore {
    pub(super) fn new(settings: &StoreSettings) -> Self {
        KeyringStore::over(
            platform::platform(settings),
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
            worker: None,
            ready: None,
        }
    }

    /// Does the work on the keyring's thread and waits for it until the deadline.
    fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&keyring_core::CredentialStore) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let began = Instant::now();
        let (answer, answered) = mpsc::sync_channel(1);
        let open = Arc::clone(&self.platform.open);
        let job: Job = Box::new(move |connected| {
            let outcome = match connected {
                Some(store) => work(&**store),
                None => match open() {
                    Ok(store) => work(&**connected.insert(store)),
                    Err(error) => Err(KeyringError::from_core(error, Operation::Connect)),
                },
            };
            // Nobody listens any more once the deadline has passed
            let _ = answer.send(outcome);
        });
        self.worker()?.send(job).map_err(|_| KeyringError::Thread(None))?;

        let mut deadline = self.first_deadline();
        loop {
            match answered.recv_timeout(deadline.saturating_sub(began.elapsed())) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) if deadline < self.deadlines.prompt && self.prompt_is_up() => {
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

    fn first_deadline(&self) -> Duration {
        match (&self.platform.prompt, self.interaction) {
            (Prompt::Unseen, Interaction::Allowed) => self.deadlines.prompt,
            _ => self.deadlines.quick,
        }
    }

    fn prompt_is_up(&self) -> bool {
        match &self.platform.prompt {
            Prompt::Seen(up) => up.load(Ordering::Acquire),
            Prompt::Unseen => false,
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
        item_name(profile, self.item_suffix.as_deref())
    }

    /// Shows that a save would work; what it would write over.
    fn try_out(&mut self, profile: &ProfileName) -> Result<CurrentHeader, StoreError> {
        let item = self.item(profile);
        self.ask(move |store| {
            let living = chunks::check_replaceable(store, &item)?;
            // Always the same name, so that the next trial removes what a killed one left;
            // `#` is in no profile's name
            try_writing(store, &format!("{item}#probe"))?;
            Ok(living)
        })
        .map_err(|error| self.tell(profile, error))
    }

    /// An error about the record becomes the one that all stores share.
    fn tell(&self, profile: &ProfileName, error: KeyringError) -> StoreError {
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

impl CredentialStore for KeyringStore {
    fn describe(&self) -> String {
        self.platform.description.to_owned()
    }

    fn name(&self) -> String {
        StoreKind::Keyring.to_string()
    }

    fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        let item = self.item(profile);
        self.ask(move |store| match chunks::read(store, &item)? {
            None => Ok(None),
            Some(value) => match std::str::from_utf8(&value) {
                Ok(record) => Session::decode(record).map(Some).map_err(KeyringError::Record),
                Err(error) => Err(KeyringError::Record(SessionError::Malformed {
                    position: error.valid_up_to() + 1,
                })),
            },
        })
        .map_err(|error| self.tell(profile, error))
    }

    fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError> {
        let item = self.item(profile);
        let record = session.encode();
        let item_limit_bytes = self.platform.item_limit_bytes;
        let ready = self.ready.take().filter(|ready| ready.item == item);
        let saved = self.ask(move |store| {
            let value = record.expose().as_bytes();
            match ready {
                Some(ready) => chunks::overwrite(store, &item, value, item_limit_bytes, ready.living),
                None => chunks::write(store, &item, value, item_limit_bytes),
            }
        });
        fault::here(Point::KeyringWriteAnswered);
        saved.map_err(|error| self.tell(profile, error))
    }

    fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError> {
        let item = self.item(profile);
        self.ask(move |store| chunks::delete(store, &item))
            .map_err(|error| self.tell(profile, error))
    }

    fn probe(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.try_out(profile).map(drop)
    }

    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        let living = self.try_out(profile)?;
        let item = self.item(profile);
        self.ready = Some(Ready { item, living });
        fault::here(Point::KeyringConnected);
        Ok(())
    }
}

/// Writes an item, reads it back and removes it; several times where that
/// fails as it does when somebody else tries the same item.
fn try_writing(store: &keyring_core::CredentialStore, name: &str) -> Result<(), KeyringError> {
    let attempt = || {
        chunks::write(store, name, PROBE_VALUE, None)?;
        let came_back = chunks::read(store, name)?.is_some_and(|value| *value == PROBE_VALUE);
        chunks::delete(store, name)?;
        if came_back {
            Ok(())
        } else {
            Err(KeyringError::WriteNotPersisted)
        }
    };
    for _ in 1..PROBE_ATTEMPTS {
        match attempt() {
            Err(KeyringError::WriteNotPersisted | KeyringError::Refused { .. }) => {}
            outcome => return outcome,
        }
    }
    attempt()
}

#[cfg(all(unix, not(target_os = "macos")))]
use super::keyring::secret_service as platform;

/// The keychain of macOS. Its items have no size limit worth speaking of.
#[cfg(target_os = "macos")]
mod platform {
    use super::{Arc, KeyringError, Platform, Prompt, StoreSettings};

    pub(super) fn platform(_settings: &StoreSettings) -> Platform {
        Platform {
            description: "the system keyring (macOS keychain)",
            item_limit_bytes: None,
            open: Arc::new(|| Ok(apple_native_keyring_store::keychain::Store::new()?)),
            prompt: Prompt::Unseen,
        }
    }

    /// `errSecInteractionNotAllowed` and `errSecUserCanceled`, which the store
    /// passes on as platform failures. Their `Debug` shows the code, and no secret.
    pub(super) fn explain(cause: &(dyn std::error::Error + Send + Sync)) -> Option<KeyringError> {
        let shown = format!("{cause:?}");
        if shown.contains("-25308") {
            Some(KeyringError::Locked)
        } else if shown.contains("-128") {
            Some(KeyringError::PromptDismissed)
        } else {
            None
        }
    }
}

/// The credential manager of Windows, whose items hold 2,560 bytes.
#[cfg(windows)]
mod platform {
    use super::{Arc, KeyringError, Platform, Prompt, StoreSettings};

    const CRED_MAX_CREDENTIAL_BLOB_SIZE: usize = 2560;

    pub(super) fn platform(_settings: &StoreSettings) -> Platform {
        Platform {
            description: "the system keyring (Windows Credential Manager)",
            item_limit_bytes: Some(CRED_MAX_CREDENTIAL_BLOB_SIZE),
            open: Arc::new(|| Ok(windows_native_keyring_store::Store::new()?)),
            prompt: Prompt::Unseen,
        }
    }

    pub(super) fn explain(_cause: &(dyn std::error::Error + Send + Sync)) -> Option<KeyringError> {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::fakes::{FakeKeyring, locked, prompt, refusal};
    use super::super::session::tests::full_session;
    use super::*;
    use crate::exit::{Diagnosis, ExitCode};

    fn profile(name: &str) -> ProfileName {
        ProfileName::parse(name).unwrap()
    }

    fn store(keyring: &Arc<FakeKeyring>) -> KeyringStore {
        KeyringStore::over(keyring.platform(), Interaction::Forbidden, None)
    }

    /// Deadlines that a test can wait for.
    fn hasty(keyring: &Arc<FakeKeyring>, interaction: Interaction, prompt: Duration) -> KeyringStore {
        KeyringStore {
            deadlines: Deadlines {
                quick: Duration::from_millis(50),
                prompt,
            },
            ..KeyringStore::over(keyring.platform(), interaction, None)
        }
    }

    fn keyring_error(outcome: Result<impl Sized, StoreError>) -> KeyringError {
        match outcome.err().unwrap() {
            StoreError::Keyring(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_comes_back_as_it_was_as_one_item_over_one_connection() {
        let keyring = FakeKeyring::new();
        let mut store = store(&keyring);
        assert!(store.load(&profile("work")).unwrap().is_none());
        let session = full_session(3);
        store.save(&profile("work"), &session).unwrap();
        assert_eq!(keyring.names(), ["work"]);
        let again = store.load(&profile("work")).unwrap().unwrap();
        assert_eq!(again.encode().expose(), session.encode().expose());
        assert!(store.delete(&profile("work")).unwrap());
        assert!(!store.delete(&profile("work")).unwrap());
        let calls = keyring.calls.lock().unwrap().clone();
        assert_eq!(calls.iter().filter(|call| *call == "connect").count(), 1);
    }

    #[test]
    fn a_session_that_is_too_long_for_an_item_comes_back_and_goes_as_a_whole() {
        let keyring = FakeKeyring::with_small_items();
        let mut store = store(&keyring);
        let long = |generation: u64, length: usize| Session {
            id_token: Some(crate::secret::Secret::new("canary.".repeat(length / 7))),
            ..full_session(generation)
        };
        for session in [long(1, 16_000), long(2, 30_000), full_session(3), long(4, 5_000)] {
            store.probe(&profile("work")).unwrap();
            store.save(&profile("work"), &session).unwrap();
            let again = super::KeyringStore::over(keyring.platform(), Interaction::Forbidden, None)
                .load(&profile("work"))
                .unwrap()
                .unwrap();
            assert!(again.is_same_as(&session));
            let items = keyring.items.lock().unwrap();
            assert!(items.values().all(|item| item.len() <= 2560));
        }
        // the write that fails keeps the session before it
        keyring.interfere(|call, _| match call {
            "set work" => Err(refusal()),
            _ => Ok(()),
        });
        store.save(&profile("work"), &long(5, 20_000)).unwrap_err();
        keyring.leave_alone();
        assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 4);
        store.save(&profile("work"), &full_session(6)).unwrap();
        assert!(store.delete(&profile("work")).unwrap());
        store.probe(&profile("work")).unwrap();
        let left = keyring.names();
        assert!(left.iter().all(|name| name != "work"), "{left:?}");
    }

    #[test]
    fn reading_takes_one_connection_and_one_call() {
        let keyring = FakeKeyring::new();
        store(&keyring).save(&profile("work"), &full_session(1)).unwrap();
        keyring.calls.lock().unwrap().clear();
        store(&keyring).load(&profile("work")).unwrap().unwrap();
        assert_eq!(*keyring.calls.lock().unwrap(), ["connect", "get work"]);
    }

    #[test]
    fn profiles_of_another_config_file_are_others() {
        let keyring = FakeKeyring::new();
        let mut other = KeyringStore::over(keyring.platform(), Interaction::Forbidden, Some("@0a1b2c3d".to_owned()));
        other.save(&profile("work"), &full_session(1)).unwrap();
        assert_eq!(keyring.names(), ["work@0a1b2c3d"]);
        assert!(store(&keyring).load(&profile("work")).unwrap().is_none());
    }

    #[test]
    fn a_trial_shows_that_writing_works_and_leaves_nothing_behind() {
        let keyring = FakeKeyring::new();
        store(&keyring).save(&profile("work"), &full_session(1)).unwrap();
        store(&keyring).probe(&profile("work")).unwrap();
        assert_eq!(keyring.names(), ["work"]);
        let calls = keyring.calls.lock().unwrap().join("\n");
        assert!(
            calls.contains("set work#probe\nget work#probe\n") && calls.ends_with("delete work#probe"),
            "{calls}"
        );
        // what a killed trial left is removed by the next one
        keyring.put("work#probe", PROBE_VALUE);
        store(&keyring).probe(&profile("work")).unwrap();
        assert_eq!(keyring.names(), ["work"]);
    }

    #[test]
    fn a_trial_fails_where_saving_would() {
        let keyring = FakeKeyring::new();
        keyring.interfere(|call, _| {
            if call.starts_with("set") {
                Err(refusal())
            } else {
                Ok(())
            }
        });
        let error = keyring_error(store(&keyring).probe(&profile("work")));
        assert_eq!(
            error.to_string(),
            "the keyring refused to keep the session: the disk of the keyring is full"
        );
        // takes everything, keeps nothing
        keyring.interfere(|call, items| {
            if call.starts_with("get") {
                items.clear();
            }
            Ok(())
        });
        assert!(matches!(
            keyring_error(store(&keyring).probe(&profile("work"))),
            KeyringError::WriteNotPersisted
        ));
        // another trial of the same profile removes the item in between, once
        let mut removed = false;
        keyring.interfere(move |call, items| {
            if call == "get work#probe" && !items.is_empty() && !removed {
                removed = true;
                items.clear();
            }
            Ok(())
        });
        store(&keyring).probe(&profile("work")).unwrap();

        keyring.leave_alone();
        keyring.put("work", br#"{"v":2}"#);
        let error = store(&keyring).probe(&profile("work")).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Record {
                    source: SessionError::NewerVersion(2),
                    ..
                }
            ),
            "{error:?}"
        );
    }

    #[test]
    fn a_keyring_that_never_answers_is_left_after_the_deadline_and_asked_anew_later() {
        let keyring = FakeKeyring::new();
        keyring.close_gate();
        let mut store = hasty(&keyring, Interaction::Allowed, Duration::from_secs(600));
        for outcome in [
            store.load(&profile("work")).map(|_| ()),
            store.probe(&profile("work")),
            store.save(&profile("work"), &full_session(1)),
            store.delete(&profile("work")).map(|_| ()),
        ] {
            assert!(matches!(keyring_error(outcome), KeyringError::TimedOut { waited_s: 0 }));
        }
        keyring.open_gate();
        // it answers again, and nobody knows how fast on a busy machine
        store.deadlines.quick = store.deadlines.prompt;
        store.save(&profile("home"), &full_session(2)).unwrap();
        assert!(store.load(&profile("home")).unwrap().is_some());
    }

    #[test]
    fn while_a_prompt_is_up_the_person_has_more_time_but_not_for_ever() {
        let keyring = FakeKeyring::new();
        keyring.put("work", full_session(1).encode().expose().as_bytes());
        prompt(&keyring, true);
        keyring.close_gate();
        let mut store = hasty(&keyring, Interaction::Allowed, Duration::from_secs(600));
        let answered = Arc::clone(&keyring);
        let person = std::thread::spawn(move || {
            // Slower than the quick deadline, which is what this is about
            std::thread::sleep(Duration::from_millis(200));
            answered.open_gate();
            prompt(&answered, false);
        });
        assert!(store.load(&profile("work")).unwrap().is_some());
        person.join().unwrap();

        prompt(&keyring, true);
        keyring.close_gate();
        let mut store = hasty(&keyring, Interaction::Allowed, Duration::from_millis(100));
        assert!(matches!(
            keyring_error(store.load(&profile("work"))),
            KeyringError::TimedOut { .. }
        ));
        keyring.open_gate();
    }

    #[test]
    fn absent_locked_hanging_refusing_and_broken_are_different_errors_with_different_hints() {
        let errors = [
            KeyringError::NoBus { cause: String::new() },
            KeyringError::NoService { cause: String::new() },
            KeyringError::Locked,
            KeyringError::PromptDismissed,
            KeyringError::NoDefaultKeyring,
            KeyringError::TimedOut { waited_s: 5 },
            KeyringError::Damaged { how: "is broken" },
            KeyringError::Record(SessionError::NewerVersion(2)),
            KeyringError::NoPlainSession,
        ];
        let mut firsts = std::collections::HashSet::new();
        for error in errors {
            let hints = error.hints();
            assert!(firsts.insert(hints[0].clone()), "{error}: {hints:?}");
            assert!(hints.iter().all(|hint| !hint.contains("command:")), "{hints:?}");
            assert_eq!(StoreError::from(error).exit_code(), ExitCode::Store);
        }
    }

    #[test]
    fn a_locked_keyring_is_locked_for_every_call() {
        let keyring = FakeKeyring::new();
        keyring.interfere(|call, _| if call == "connect" { Ok(()) } else { Err(locked()) });
        let mut store = store(&keyring);
        for outcome in [
            store.load(&profile("work")).map(|_| ()),
            store.probe(&profile("work")),
            store.save(&profile("work"), &full_session(1)),
            store.delete(&profile("work")).map(|_| ()),
        ] {
            assert!(matches!(keyring_error(outcome), KeyringError::Locked));
        }
    }

    #[test]
    fn no_error_shows_what_the_item_holds() {
        let canaries = [
            CoreError::BadEncoding(b"canary\xff".to_vec()),
            CoreError::BadDataFormat(b"canary".to_vec(), Box::new(std::io::Error::other("x"))),
        ];
        for error in canaries {
            let keyring = FakeKeyring::new();
            let mut error = Some(error);
            keyring.interfere(move |call, _| match error.take_if(|_| call.starts_with("get")) {
                Some(error) => Err(error),
                None => Ok(()),
            });
            let error = keyring_error(store(&keyring).load(&profile("work")));
            assert!(
                !format!("{error} {error:?}").to_lowercase().contains("99, 97, 110"),
                "{error:?}"
            );
            assert!(matches!(error, KeyringError::Damaged { .. }), "{error:?}");
        }
        for nonsense in [&b"canary"[..], b"{\"v\":1,\"generation\":\"canary\"}", b"canary\xff"] {
            let keyring = FakeKeyring::new();
            keyring.put("work", nonsense);
            let error = store(&keyring).load(&profile("work")).unwrap_err();
            assert!(matches!(error, StoreError::Record { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
            assert!(error.hints()[0].contains("oauth login work"));
        }
    }

    #[test]
    fn a_keyring_thread_that_dies_is_an_error_and_not_a_hang() {
        let keyring = FakeKeyring::new();
        keyring.interfere(|call, _| {
            if call == "get work" {
                panic!("the platform's fault")
            } else {
                Ok(())
            }
        });
        let error = keyring_error(store(&keyring).load(&profile("work")));
        assert!(matches!(error, KeyringError::Thread(None)), "{error:?}");
    }
}
