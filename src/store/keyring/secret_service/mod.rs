//! The Secret Service of Linux and the BSDs (gnome-keyring, KWallet,
//! KeePassXC) as a store of `keyring_core`.
//!
//! It exists beside the published stores for what they leave out: a plain
//! session, which takes a fifth of the time of an encrypted one; reading with
//! four calls on the bus, in three turns; and prompts only where they
//! are allowed. Secrets pass the user's own bus as they are: who can listen
//! there can ask the service itself. Buses that are not local sockets, and
//! services that know no plain session, get an encrypted one.
//!
//! Specification: <https://specifications.freedesktop.org/secret-service/>.

mod address;
mod bus;
mod connection;
mod encryption;
mod failure;
mod names;
mod prompt;
mod wire;

#[cfg(fuzzing)]
pub use wire::is_answer;

use super::TRIAL_ITEM;
use super::error::{KeyringError, Operation};
use super::platform::{Platform, Waiting};
use crate::fault::{self, Point};
use crate::store::{Interaction, KeyringSession, StoreSettings};
use bus::Greeting;
use connection::{Connection, Found};
use failure::Fault;
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, CredentialStore, Entry, Error as CoreError};
use names::{ATTRIBUTES_PROPERTY, COLLECTION, ITEM, LABEL_PROPERTY};
use prompt::PromptPolicy;
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wire::Body;
use zeroize::Zeroizing;

/// A service that went away is started again by the bus: the second attempt meets the new one.
const ATTEMPTS: usize = 2;

pub(super) fn platform(settings: &StoreSettings, call_deadline: Duration, prompt_deadline: Duration) -> Platform {
    let options = Options {
        addresses: session_bus(settings),
        session: settings.keyring_session,
        prompts: PromptPolicy {
            is_allowed: settings.interaction == Interaction::Allowed,
            deadline: prompt_deadline,
            call_deadline,
        },
    };
    Platform {
        description: "the system keyring (Secret Service)",
        item_limit_bytes: None,
        names_ignore_case: false,
        open: Arc::new(move || {
            let store: Arc<CredentialStore> = Arc::new(SecretServiceStore::new(options.clone()));
            Ok(store)
        }),
        waiting: Waiting::UntilItsOwnDeadline,
    }
}

/// Where the session bus is (D-Bus specification, "Well-known Message Bus Instances").
fn session_bus(settings: &StoreSettings) -> String {
    match (&settings.session_bus, &settings.runtime_folder) {
        (Some(addresses), _) => addresses.clone(),
        (None, Some(folder)) => format!("unix:path={}/bus", folder.display()),
        (None, None) => format!("unix:path=/run/user/{}/bus", rustix::process::geteuid().as_raw()),
    }
}

/// How the service is to be talked to.
#[derive(Clone)]
struct Options {
    /// Of the session bus.
    addresses: String,
    session: Option<KeyringSession>,
    prompts: PromptPolicy,
}

/// The store: makes items, which share its connection.
struct SecretServiceStore {
    link: Arc<Link>,
}

impl SecretServiceStore {
    fn new(options: Options) -> Self {
        SecretServiceStore {
            link: Arc::new(Link {
                options,
                connection: Mutex::new(None),
                waits_for_consent: AtomicBool::new(false),
            }),
        }
    }
}

impl CredentialStoreApi for SecretServiceStore {
    fn vendor(&self) -> String {
        "Secret Service, https://specifications.freedesktop.org/secret-service/".to_owned()
    }

    fn id(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> keyring_core::Result<Entry> {
        if modifiers.is_some_and(|modifiers| !modifiers.is_empty()) {
            return Err(CoreError::Invalid("modifiers".to_owned(), "there are none".to_owned()));
        }
        Ok(Entry::new_with_credential(Arc::new(ServiceItem {
            link: Arc::clone(&self.link),
            service: service.to_owned(),
            username: user.to_owned(),
        })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretServiceStore")
    }
}

/// An item that may or may not be in the keyring yet.
struct ServiceItem {
    link: Arc<Link>,
    service: String,
    username: String,
}

impl CredentialApi for ServiceItem {
    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        self.link.run(|connection| self.write(connection, secret))
    }

    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.link
            .run(|connection| self.read(connection))?
            .map(|mut secret| std::mem::take(&mut *secret))
            .ok_or(CoreError::NoEntry)
    }

    fn delete_credential(&self) -> keyring_core::Result<()> {
        match self.link.run(|connection| self.delete(connection))? {
            true => Ok(()),
            false => Err(CoreError::NoEntry),
        }
    }

    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        self.get_secret().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.username.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ServiceItem {{ username: {:?} }}", self.username)
    }
}

impl ServiceItem {
    /// The attributes by which `secret-tool lookup service oauth username NAME` finds it too.
    fn attributes(&self) -> [(&str, &str); 2] {
        [("service", &self.service), ("username", &self.username)]
    }

    fn read(&self, connection: &mut Option<Connection>) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        let (connection, found) = self.find(connection)?;
        let path = match self.only_one(connection, found)? {
            Some(path) => path,
            None => match self.find_unlocked(connection)? {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let session = Body::new("o", |body| body.string(connection.session.path()));
        let sent = connection.send(&path, ITEM, "GetSecret", session);
        let answer = connection.answer(sent, Operation::Read)?;
        let mut body = connection.body(&answer, "(oayays)", Operation::Read)?;
        let secret = connection.session.read_secret(&mut body);
        secret
            .map(Some)
            .map_err(|error| connection.malformed(error, Operation::Read))
    }

    fn write(&self, connection: &mut Option<Connection>, secret: &[u8]) -> Result<(), Fault> {
        let (connection, found) = self.find(connection)?;
        if let Some(path) = self.only_one(connection, found)? {
            let body = connection.secret_body("(oayays)", secret, |_| {}, |_| {})?;
            let sent = connection.send(&path, ITEM, "SetSecret", body);
            connection.flush(Operation::Write)?;
            fault::here(Point::KeyringWriteSent);
            return connection.answer(sent, Operation::Write).map(drop);
        }
        let collection = connection
            .default_collection()?
            .ok_or(Fault::Permanent(KeyringError::NoDefaultKeyring))?;
        if connection.is_locked(&collection)? {
            connection.unlock(&collection)?;
        }
        let label = format!("{} session {}", self.service, self.username);
        let properties = |body: &mut wire::Writer| {
            body.array(8, |properties| {
                properties.structure(|entry| {
                    entry.string(LABEL_PROPERTY);
                    entry.variant("s", |variant| variant.string(&label));
                });
                properties.structure(|entry| {
                    entry.string(ATTRIBUTES_PROPERTY);
                    entry.variant("a{ss}", |variant| variant.string_dictionary(&self.attributes()));
                });
            });
        };
        let replace = |body: &mut wire::Writer| body.boolean(true);
        let body = connection.secret_body("a{sv}(oayays)b", secret, properties, replace)?;
        let sent = connection.send(&collection, COLLECTION, "CreateItem", body);
        let answer = connection.answer(sent, Operation::Write)?;
        let mut body = connection.body(&answer, "oo", Operation::Write)?;
        let prompt = body
            .string()
            .and_then(|_item| body.string())
            .map_err(|error| connection.malformed(error, Operation::Write))?;
        connection.complete(prompt, Operation::Write)
    }

    /// Removes every item that matches, so that no second one turns up.
    fn delete(&self, connection: &mut Option<Connection>) -> Result<bool, Fault> {
        let (connection, mut found) = self.find(connection)?;
        if found.is_empty() {
            match self.find_unlocked(connection)? {
                Some(path) => found.unlocked.push(path),
                None => return Ok(false),
            }
        }
        for path in &found.locked {
            connection.unlock(path)?;
        }
        for path in found.unlocked.iter().chain(&found.locked) {
            let sent = connection.send(path, ITEM, "Delete", Body::empty());
            let answer = connection.answer(sent, Operation::Delete)?;
            let prompt = connection.path_of(&answer, Operation::Delete)?;
            let mut prompts = connection.options.prompts;
            // Nobody is asked whether a trial may go: where that is a question, it stays
            prompts.is_allowed &= self.username != TRIAL_ITEM;
            prompt::complete(&mut connection.bus, &prompt, prompts, Operation::Delete)?;
        }
        Ok(true)
    }

    /// Connects where that is still to be done, and searches.
    fn find<'c>(&self, connection: &'c mut Option<Connection>) -> Result<(&'c mut Connection, Found), Fault> {
        let options = &self.link.options;
        let greeting = match self.link.waits_for_consent.load(Ordering::Relaxed) {
            true => Greeting::WaitForConsent,
            false => Greeting::AtOnce,
        };
        if let Some(connection) = connection {
            connection
                .bus
                .set_deadline(Instant::now() + options.prompts.call_deadline);
            let found = connection.search(&self.attributes())?;
            return Ok((connection, found));
        }
        let (opened, found) = Connection::open(options, greeting, &self.attributes())?;
        Ok((connection.insert(opened), found))
    }

    /// The one item that counts, unlocked.
    fn only_one(&self, connection: &mut Connection, found: Found) -> Result<Option<String>, Fault> {
        let Found { unlocked, locked } = found;
        let is_locked = unlocked.is_empty();
        // An item that can be read comes before copies of it in keyrings that are locked
        let mut candidates = if is_locked { locked } else { unlocked };
        if candidates.len() > 1 {
            return Err(Fault::Permanent(KeyringError::Ambiguous {
                username: self.username.clone(),
                count: candidates.len(),
            }));
        }
        let Some(path) = candidates.pop() else {
            return Ok(None);
        };
        if is_locked {
            connection.unlock(&path)?;
        }
        Ok(Some(path))
    }

    /// Nothing matched. In a locked keyring that says nothing: some services
    /// look only into what is unlocked.
    fn find_unlocked(&self, connection: &mut Connection) -> Result<Option<String>, Fault> {
        let Some(collection) = connection.default_collection()? else {
            return Ok(None);
        };
        if !connection.is_locked(&collection)? {
            return Ok(None);
        }
        connection.unlock(&collection)?;
        let found = connection.search(&self.attributes())?;
        self.only_one(connection, found)
    }
}

/// The connection that all items of a store share.
struct Link {
    options: Options,
    connection: Mutex<Option<Connection>>,
    /// Whether a connection was lost, as one is to a bus that does not take calls so early.
    waits_for_consent: AtomicBool,
}

impl Link {
    /// Runs an operation; once more over a new connection when it failed as it
    /// does after the service was replaced or the item removed under our hands.
    fn run<T>(&self, operation: impl Fn(&mut Option<Connection>) -> Result<T, Fault>) -> Result<T, CoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempt = 1;
        loop {
            let error = match operation(&mut connection) {
                Ok(value) => return Ok(value),
                Err(Fault::Transient(_)) if attempt < ATTEMPTS => {
                    attempt += 1;
                    self.waits_for_consent.store(true, Ordering::Relaxed);
                    *connection = None;
                    continue;
                }
                Err(Fault::Transient(error) | Fault::Permanent(error)) => error,
            };
            if matches!(error, KeyringError::TimedOut { .. }) {
                *connection = None;
            }
            return Err(CoreError::NoStorageAccess(Box::new(error)));
        }
    }
}
