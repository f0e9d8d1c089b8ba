//! The Secret Service of Linux and the BSDs (gnome-keyring, KWallet,
//! KeePassXC) as a store of `keyring_core`.
//!
//! It exists beside the published stores for what they leave out: a plain
//! session, which takes a fifth of the time of an encrypted one; reading with
//! five calls on the bus, in three turns; and prompts only where they
//! are allowed. Secrets pass the user's own bus as they are: who can listen
//! there can ask the service itself. Buses that are not local sockets, and
//! services that know no plain session, get an encrypted one.
//!
//! Specification: <https://specifications.freedesktop.org/secret-service/>.

mod address;
mod bus;
mod encryption;
mod prompt;
mod wire;

#[cfg(fuzzing)]
pub use wire::is_answer;

use super::TRIAL_ITEM;
use super::error::{KeyringError, Operation};
use super::platform::{Platform, Waiting};
use crate::fault::{self, Point};
use crate::store::{Interaction, KeyringSession, StoreSettings};
use bus::{Bus, BusError, Greeting, Serial};
use encryption::{DIFFIE_HELLMAN, KeyAgreement, PLAIN, Session};
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, CredentialStore, Entry, Error as CoreError};
use prompt::PromptPolicy;
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wire::{Body, Message, MethodCall};
use zeroize::Zeroizing;

const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const LABEL_PROPERTY: &str = "org.freedesktop.Secret.Item.Label";
const ATTRIBUTES_PROPERTY: &str = "org.freedesktop.Secret.Item.Attributes";
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

    /// Connects where that is still to be done, and searches. The session is
    /// opened at the same time: neither call needs the other's answer.
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

/// A connection to the bus with a session at the service.
struct Connection {
    bus: Bus,
    session: Session,
    options: Options,
}

impl Connection {
    /// Connects, introduces us, opens a session and searches.
    fn open(options: &Options, greeting: Greeting, attributes: &[(&str, &str)]) -> Result<(Self, Found), Fault> {
        let call_deadline = options.prompts.call_deadline;
        let fault = |error| bus_fault(error, Operation::Connect, call_deadline);
        let mut bus = Bus::connect(&options.addresses, greeting, Instant::now() + call_deadline).map_err(fault)?;
        introduce(&mut bus).map_err(fault)?;
        let is_encrypted =
            options.session == Some(KeyringSession::Encrypted) || (options.session.is_none() && !bus.is_local());
        let (session, search) = if is_encrypted {
            let search = send_search(&mut bus, attributes);
            (open_encrypted(&mut bus, call_deadline)?, search)
        } else {
            let opening = send_open_session(&mut bus, PLAIN, |input| {
                input.variant("s", |variant| variant.string(""))
            });
            let search = send_search(&mut bus, attributes);
            (open_plain(&mut bus, opening, options)?, search)
        };
        let mut connection = Connection {
            bus,
            session,
            options: options.clone(),
        };
        let found = connection.found(search)?;
        Ok((connection, found))
    }

    fn send(&mut self, path: &str, interface: &str, member: &str, body: Body) -> Serial {
        send(&mut self.bus, path, interface, member, body)
    }

    fn flush(&mut self, operation: Operation) -> Result<(), Fault> {
        let sent = self.bus.flush();
        sent.map_err(|error| self.fault(error, operation))
    }

    fn answer(&mut self, to: Serial, operation: Operation) -> Result<Message, Fault> {
        let answer = self.bus.answer(to);
        answer.map_err(|error| self.fault(error, operation))
    }

    fn body<'m>(&self, answer: &'m Message, signature: &str, operation: Operation) -> Result<wire::Reader<'m>, Fault> {
        answer.body(signature).map_err(|error| self.malformed(error, operation))
    }

    fn fault(&self, error: BusError, operation: Operation) -> Fault {
        bus_fault(error, operation, self.options.prompts.call_deadline)
    }

    fn malformed(&self, error: wire::Malformed, operation: Operation) -> Fault {
        self.fault(error.into(), operation)
    }

    /// A body with a secret in it, and what comes before and after that.
    fn secret_body(
        &self,
        signature: &'static str,
        secret: &[u8],
        before: impl FnOnce(&mut wire::Writer),
        after: impl FnOnce(&mut wire::Writer),
    ) -> Result<Body, Fault> {
        let mut is_written = None;
        let body = Body::new(signature, |body| {
            before(body);
            is_written = self.session.write_secret(secret, body);
            after(body);
        });
        is_written.map(|()| body).ok_or_else(no_randomness)
    }

    fn search(&mut self, attributes: &[(&str, &str)]) -> Result<Found, Fault> {
        let sent = send_search(&mut self.bus, attributes);
        self.found(sent)
    }

    fn found(&mut self, search: Serial) -> Result<Found, Fault> {
        let answer = self.answer(search, Operation::Find)?;
        let mut body = self.body(&answer, "aoao", Operation::Find)?;
        let paths = body
            .string_array()
            .and_then(|unlocked| Ok((unlocked, body.string_array()?)));
        let (unlocked, locked) = paths.map_err(|error| self.malformed(error, Operation::Find))?;
        Ok(Found { unlocked, locked })
    }

    /// The collection for new items, where there is one.
    fn default_collection(&mut self) -> Result<Option<String>, Fault> {
        let name = Body::new("s", |body| body.string("default"));
        let sent = self.send(SERVICE_PATH, SERVICE, "ReadAlias", name);
        let answer = self.answer(sent, Operation::Find)?;
        let path = self.path_of(&answer, Operation::Find)?;
        Ok(Some(path).filter(|path| path != "/"))
    }

    fn is_locked(&mut self, collection: &str) -> Result<bool, Fault> {
        let property = Body::new("ss", |body| {
            body.string(COLLECTION);
            body.string("Locked");
        });
        let sent = self.send(collection, PROPERTIES, "Get", property);
        let answer = self.answer(sent, Operation::Find)?;
        let mut body = self.body(&answer, "v", Operation::Find)?;
        let locked = body.variant("b").and_then(|()| body.boolean());
        locked.map_err(|error| self.malformed(error, Operation::Find))
    }

    /// Unlocks a collection or an item. Some services need no prompt for that.
    fn unlock(&mut self, path: &str) -> Result<(), Fault> {
        let objects = Body::new("ao", |body| body.array(4, |paths| paths.string(path)));
        let sent = self.send(SERVICE_PATH, SERVICE, "Unlock", objects);
        let answer = self.answer(sent, Operation::Unlock)?;
        let mut body = self.body(&answer, "aoo", Operation::Unlock)?;
        let prompt = body
            .string_array()
            .and_then(|_unlocked| body.string())
            .map_err(|error| self.malformed(error, Operation::Unlock))?;
        self.complete(prompt, Operation::Unlock)
    }

    fn complete(&mut self, prompt: &str, operation: Operation) -> Result<(), Fault> {
        prompt::complete(&mut self.bus, prompt, self.options.prompts, operation)
    }

    /// The path that an answer consists of.
    fn path_of(&self, answer: &Message, operation: Operation) -> Result<String, Fault> {
        let mut body = self.body(answer, "o", operation)?;
        let path = body.string().map_err(|error| self.malformed(error, operation))?;
        Ok(path.to_owned())
    }
}

fn send(bus: &mut Bus, path: &str, interface: &str, member: &str, body: Body) -> Serial {
    bus.send(&MethodCall {
        destination: BUS_NAME,
        path,
        interface,
        member,
        body,
    })
}

/// Makes a first call that needs no session, and waits for its answer. Up to
/// version 50, gnome-keyring-daemon makes its record of a client beside the
/// client's first call, and sometimes after it; an OpenSession that comes first
/// then ends the whole daemon (GNOME/gnome-keyring#196).
fn introduce(bus: &mut Bus) -> Result<(), BusError> {
    let property = Body::new("ss", |body| {
        body.string(SERVICE);
        body.string("Collections");
    });
    let sent = send(bus, SERVICE_PATH, PROPERTIES, "Get", property);
    match bus.answer(sent) {
        // Where nothing answers, the next call is told the same.
        Ok(_) | Err(BusError::Answer { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn send_search(bus: &mut Bus, attributes: &[(&str, &str)]) -> Serial {
    let body = Body::new("a{ss}", |body| body.string_dictionary(attributes));
    send(bus, SERVICE_PATH, SERVICE, "SearchItems", body)
}

fn send_open_session(bus: &mut Bus, algorithm: &str, input: impl FnOnce(&mut wire::Writer)) -> Serial {
    let body = Body::new("sv", |body| {
        body.string(algorithm);
        input(body);
    });
    send(bus, SERVICE_PATH, SERVICE, "OpenSession", body)
}

fn open_plain(bus: &mut Bus, opening: Serial, options: &Options) -> Result<Session, Fault> {
    let call_deadline = options.prompts.call_deadline;
    let fault = |error| bus_fault(error, Operation::Connect, call_deadline);
    match bus.answer(opening) {
        Err(BusError::Answer { name, .. }) if name == "org.freedesktop.DBus.Error.NotSupported" => {
            match options.session {
                None => open_encrypted(bus, call_deadline),
                Some(_) => Err(Fault::Permanent(KeyringError::NoPlainSession)),
            }
        }
        Err(error) => Err(fault(error)),
        Ok(answer) => {
            let path = answer.body("vo").and_then(|mut body| {
                body.variant("s")?;
                body.string()?;
                body.string().map(str::to_owned)
            });
            path.map(Session::plain).map_err(|error| fault(error.into()))
        }
    }
}

fn open_encrypted(bus: &mut Bus, call_deadline: Duration) -> Result<Session, Fault> {
    let fault = |error| bus_fault(error, Operation::Connect, call_deadline);
    let agreement = KeyAgreement::draw().ok_or_else(no_randomness)?;
    let public_key = agreement.public_key();
    let opening = send_open_session(bus, DIFFIE_HELLMAN, |input| {
        input.variant("ay", |variant| variant.byte_array(&public_key));
    });
    let answer = bus.answer(opening).map_err(fault)?;
    let session = answer.body("vo").and_then(|mut body| {
        body.variant("ay")?;
        let service_key = body.byte_array()?;
        agreement.agree(body.string()?.to_owned(), service_key)
    });
    session.map_err(|error| fault(error.into()))
}

fn no_randomness() -> Fault {
    Fault::Permanent(KeyringError::Refused {
        operation: Operation::Write,
        cause: "the system has no randomness".to_owned(),
    })
}

/// The items that a search found.
struct Found {
    unlocked: Vec<String>,
    locked: Vec<String>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.unlocked.is_empty() && self.locked.is_empty()
    }
}

/// An error, and whether a new connection may get past it.
#[derive(Debug)]
enum Fault {
    Transient(KeyringError),
    Permanent(KeyringError),
}

fn bus_fault(error: BusError, operation: Operation, waited: Duration) -> Fault {
    let refused = |cause: String| KeyringError::Refused { operation, cause };
    let (name, text) = match error {
        BusError::Answer { name, text } => (name, text),
        BusError::Unreachable(cause) => return Fault::Permanent(KeyringError::NoBus { cause }),
        BusError::ForeignPeer { uid } => return Fault::Permanent(KeyringError::ForeignBus { uid }),
        BusError::TimedOut => {
            return Fault::Permanent(KeyringError::TimedOut {
                waited_s: waited.as_secs(),
            });
        }
        BusError::Lost(cause) => {
            return Fault::Transient(KeyringError::NoBus {
                cause: cause.to_string(),
            });
        }
        BusError::Malformed(error) => return Fault::Permanent(refused(error.to_string())),
    };
    match name.as_str() {
        "org.freedesktop.Secret.Error.IsLocked" => Fault::Permanent(KeyringError::Locked),
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            Fault::Permanent(KeyringError::NoService { cause: text })
        }
        spawn if spawn.starts_with("org.freedesktop.DBus.Error.Spawn.") => {
            Fault::Permanent(KeyringError::NoService { cause: text })
        }
        // The service ended or was replaced; the session was its predecessor's; the item is gone
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Disconnected"
        | "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.Secret.Error.NoSession"
        | "org.freedesktop.Secret.Error.NoSuchObject" => Fault::Transient(refused(text)),
        name => Fault::Permanent(refused(format!("{text} ({name})"))),
    }
}
