//! The Secret Service of Linux and the BSDs (gnome-keyring, KWallet,
//! KeePassXC) as a store of `keyring_core`.
//!
//! It exists beside the published stores for what they leave out: a plain
//! session, which takes a fifth of the time of an encrypted one; reading with
//! four calls on the bus, two of them at once; and a prompt only where one is
//! allowed. Secrets pass the user's own bus as they are: who can listen there
//! can ask the service itself. Buses that are not local sockets, and services
//! that know no plain session, get an encrypted one.
//!
//! Specification: <https://specifications.freedesktop.org/secret-service/>.

use super::{KeyringError, Operation, Platform, Prompt};
use crate::fault::{self, Point};
use crate::store::{Interaction, KeyringSession, StoreSettings};
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, CredentialStore, Entry, Error as CoreError};
use secret_service::{Collection, EncryptionType, Error as ServiceError, Item, SecretService};
use std::any::Any;
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zbus::DBusError;
use zbus::address::transport::{Transport, UnixSocket};
use zbus::connection::Builder;
use zbus::zvariant::OwnedObjectPath;

const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
/// What `secret-tool` and libsecret read as text.
const CONTENT_TYPE: &str = "text/plain";
/// A service that went away is started again by the bus: the second attempt meets the new one.
const ATTEMPTS: usize = 2;

pub(in crate::store) fn platform(settings: &StoreSettings) -> Platform {
    let prompt_is_up = Arc::new(AtomicBool::new(false));
    let terms = Terms {
        session: settings.keyring_session,
        may_prompt: settings.interaction == Interaction::Allowed,
        prompt_is_up: Arc::clone(&prompt_is_up),
    };
    Platform {
        description: "the system keyring (Secret Service)",
        item_limit_bytes: None,
        open: Arc::new(move || {
            let store: Arc<CredentialStore> = Arc::new(SecretServiceStore::new(terms.clone())?);
            Ok(store)
        }),
        prompt: Prompt::Seen(prompt_is_up),
    }
}

/// Every error of this store is a [`KeyringError`] already.
pub(in crate::store) fn explain(_cause: &(dyn std::error::Error + Send + Sync)) -> Option<KeyringError> {
    None
}

/// How the service may be talked to.
#[derive(Clone)]
struct Terms {
    session: Option<KeyringSession>,
    may_prompt: bool,
    prompt_is_up: Arc<AtomicBool>,
}

/// The store: makes items, which share its connection.
struct SecretServiceStore {
    link: Arc<Link>,
}

impl SecretServiceStore {
    fn new(terms: Terms) -> Result<Self, CoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(|error| core_error(KeyringError::Thread(Some(error))))?;
        Ok(SecretServiceStore {
            link: Arc::new(Link {
                terms,
                runtime,
                connected: Mutex::new(None),
            }),
        })
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
        self.link.run(async |connected| self.write(connected, secret).await)
    }

    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.link
            .run(async |connected| self.read(connected).await)?
            .ok_or(CoreError::NoEntry)
    }

    fn delete_credential(&self) -> keyring_core::Result<()> {
        if self.link.run(async |connected| self.delete(connected).await)? {
            Ok(())
        } else {
            Err(CoreError::NoEntry)
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
    fn attributes(&self) -> HashMap<&str, &str> {
        HashMap::from([("service", self.service.as_str()), ("username", self.username.as_str())])
    }

    fn terms(&self) -> &Terms {
        &self.link.terms
    }

    async fn read(&self, connected: &mut Option<Connected>) -> Result<Option<Vec<u8>>, Fault> {
        let (connected, found) = self.find(connected).await?;
        let path = match self.only_one(connected, found).await? {
            Some(path) => path,
            None => match self.look_again_unlocked(connected).await? {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let item = connected.item(path).await?;
        let secret = item.get_secret().await.map_err(|error| fault(error, Operation::Read))?;
        Ok(Some(secret))
    }

    async fn write(&self, connected: &mut Option<Connected>, secret: &[u8]) -> Result<(), Fault> {
        let refused = |error| fault(error, Operation::Write);
        let (connected, found) = self.find(connected).await?;
        if let Some(path) = self.only_one(connected, found).await? {
            let item = connected.item(path).await?;
            let writing = item.set_secret(secret, CONTENT_TYPE);
            return fault::handed_over(Point::KeyringWriteSent, writing)
                .await
                .map_err(refused);
        }
        let collection = connected
            .default_collection()
            .await?
            .ok_or(Fault::Lasting(KeyringError::NoDefaultKeyring))?;
        if collection.is_locked().await.map_err(refused)? {
            self.terms().unlock(collection.unlock()).await?;
        }
        let label = format!("{} session {}", self.service, self.username);
        collection
            .create_item(&label, self.attributes(), secret, true, CONTENT_TYPE)
            .await
            .map(drop)
            .map_err(refused)
    }

    /// Removes every item that matches, so that no second one turns up.
    async fn delete(&self, connected: &mut Option<Connected>) -> Result<bool, Fault> {
        let (connected, found) = self.find(connected).await?;
        let found = if found.is_empty() {
            match self.look_again_unlocked(connected).await? {
                Some(path) => Found {
                    unlocked: vec![path],
                    locked: Vec::new(),
                },
                None => return Ok(false),
            }
        } else {
            found
        };
        for path in found.locked.iter().cloned() {
            let item = connected.item(path).await?;
            self.terms().unlock(item.unlock()).await?;
        }
        for path in found.unlocked.into_iter().chain(found.locked) {
            let item = connected.item(path).await?;
            item.delete().await.map_err(|error| fault(error, Operation::Delete))?;
        }
        Ok(true)
    }

    /// Connects where that is still to be done, and searches. The session is
    /// opened at the same time: neither call needs the other's answer.
    async fn find<'c>(&self, connected: &'c mut Option<Connected>) -> Result<(&'c Connected, Found), Fault> {
        if let Some(connected) = connected {
            let found = search(&connected.bus, &self.attributes()).await?;
            return Ok((connected, found));
        }
        let (bus, is_local) = connect().await?;
        let attributes = self.attributes();
        let (service, found) = tokio::join!(open_session(self.terms(), &bus, is_local), search(&bus, &attributes));
        let service = service?;
        Ok((connected.insert(Connected { bus, service }), found?))
    }

    /// The one item that counts, unlocked.
    async fn only_one(&self, connected: &Connected, found: Found) -> Result<Option<OwnedObjectPath>, Fault> {
        let Found { unlocked, locked } = found;
        let is_locked = unlocked.is_empty();
        // An item that can be read comes before copies of it in keyrings that are locked
        let mut candidates = if is_locked { locked } else { unlocked };
        if candidates.len() > 1 {
            return Err(Fault::Lasting(KeyringError::Ambiguous {
                username: self.username.clone(),
                count: candidates.len(),
            }));
        }
        let Some(path) = candidates.pop() else {
            return Ok(None);
        };
        if is_locked {
            let item = connected.item(path.clone()).await?;
            self.terms().unlock(item.unlock()).await?;
        }
        Ok(Some(path))
    }

    /// Nothing matched. In a locked keyring that says nothing: some services
    /// look only into what is unlocked.
    async fn look_again_unlocked(&self, connected: &Connected) -> Result<Option<OwnedObjectPath>, Fault> {
        let Some(collection) = connected.default_collection().await? else {
            return Ok(None);
        };
        if !collection
            .is_locked()
            .await
            .map_err(|error| fault(error, Operation::Find))?
        {
            return Ok(None);
        }
        self.terms().unlock(collection.unlock()).await?;
        let found = search(&connected.bus, &self.attributes()).await?;
        self.only_one(connected, found).await
    }
}

impl Terms {
    /// Unlocks by way of a prompt, where one may be shown.
    async fn unlock(&self, unlocking: impl Future<Output = Result<(), ServiceError>>) -> Result<(), Fault> {
        if !self.may_prompt {
            return Err(Fault::Lasting(KeyringError::Locked));
        }
        self.prompt_is_up.store(true, Ordering::Release);
        let unlocked = unlocking.await;
        self.prompt_is_up.store(false, Ordering::Release);
        unlocked.map_err(|error| fault(error, Operation::Unlock))
    }
}

/// The connection that all items of a store share.
struct Link {
    terms: Terms,
    runtime: tokio::runtime::Runtime,
    connected: Mutex<Option<Connected>>,
}

impl Link {
    /// Runs an operation; once more over a new connection when it failed as it
    /// does after the service was replaced or the item removed under our hands.
    fn run<T>(&self, operation: impl AsyncFn(&mut Option<Connected>) -> Result<T, Fault>) -> Result<T, CoreError> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempt = 1;
        loop {
            match self.runtime.block_on(operation(&mut connected)) {
                Ok(value) => return Ok(value),
                Err(Fault::Passing(_)) if attempt < ATTEMPTS => {
                    attempt += 1;
                    *connected = None;
                }
                Err(Fault::Passing(error) | Fault::Lasting(error)) => return Err(core_error(error)),
            }
        }
    }
}

/// A connection to the bus with a session at the service.
struct Connected {
    bus: zbus::Connection,
    service: SecretService<'static>,
}

impl Connected {
    async fn item(&self, path: OwnedObjectPath) -> Result<Item<'_>, Fault> {
        self.service
            .get_item_by_path(path)
            .await
            .map_err(|error| fault(error, Operation::Find))
    }

    async fn default_collection(&self) -> Result<Option<Collection<'_>>, Fault> {
        match self.service.get_default_collection().await {
            Ok(collection) => Ok(Some(collection)),
            Err(ServiceError::NoResult) => Ok(None),
            Err(error) => Err(fault(error, Operation::Find)),
        }
    }
}

/// The items that a search found.
struct Found {
    unlocked: Vec<OwnedObjectPath>,
    locked: Vec<OwnedObjectPath>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.unlocked.is_empty() && self.locked.is_empty()
    }
}

async fn search(bus: &zbus::Connection, attributes: &HashMap<&str, &str>) -> Result<Found, Fault> {
    let reply = bus
        .call_method(
            Some(BUS_NAME),
            SERVICE_PATH,
            Some(SERVICE_INTERFACE),
            "SearchItems",
            attributes,
        )
        .await
        .map_err(|error| bus_fault(error, Operation::Find))?;
    let (unlocked, locked) = reply
        .body()
        .deserialize()
        .map_err(|error| bus_fault(error, Operation::Find))?;
    Ok(Found { unlocked, locked })
}

/// The session bus, and whether it is a socket of this machine.
async fn connect() -> Result<(zbus::Connection, bool), Fault> {
    let no_bus = |cause: String| Fault::Lasting(KeyringError::NoBus { cause });
    let address = zbus::Address::session().map_err(|error| no_bus(error.to_string()))?;
    let is_local = matches!(address.transport(), Transport::Unix(_));
    let builder = match local_socket(&address) {
        // Connected here, because the crate would start a thread for it
        Some(socket) => socket
            .and_then(|socket| {
                socket.set_nonblocking(true)?;
                tokio::net::UnixStream::from_std(socket)
            })
            .map(Builder::unix_stream)
            .map_err(|error| no_bus(format!("{address}: {error}")))?,
        None => Builder::address(address).map_err(|error| no_bus(error.to_string()))?,
    };
    let bus = builder.build().await.map_err(|error| no_bus(error.to_string()))?;
    Ok((bus, is_local))
}

fn local_socket(address: &zbus::Address) -> Option<std::io::Result<UnixStream>> {
    let Transport::Unix(unix) = address.transport() else {
        return None;
    };
    match unix.path() {
        UnixSocket::File(path) => Some(UnixStream::connect(path)),
        #[cfg(target_os = "linux")]
        UnixSocket::Abstract(name) => {
            use std::os::linux::net::SocketAddrExt;
            use std::os::unix::net::SocketAddr;
            Some(
                SocketAddr::from_abstract_name(name.as_encoded_bytes())
                    .and_then(|address| UnixStream::connect_addr(&address)),
            )
        }
        _ => None,
    }
}

async fn open_session(terms: &Terms, bus: &zbus::Connection, is_local: bool) -> Result<SecretService<'static>, Fault> {
    let refused = |error| fault(error, Operation::Connect);
    let encrypted = || SecretService::connect_with_existing(EncryptionType::Dh, bus.clone());
    if terms.session == Some(KeyringSession::Encrypted) || (terms.session.is_none() && !is_local) {
        return encrypted().await.map_err(refused);
    }
    match SecretService::connect_with_existing(EncryptionType::Plain, bus.clone()).await {
        Err(error) if error_name(&error).is_some_and(|(name, _)| name == "org.freedesktop.DBus.Error.NotSupported") => {
            match terms.session {
                None => encrypted().await.map_err(refused),
                Some(_) => Err(Fault::Lasting(KeyringError::NoPlainSession)),
            }
        }
        outcome => outcome.map_err(refused),
    }
}

/// An error, and whether a new connection may get past it.
enum Fault {
    Passing(KeyringError),
    Lasting(KeyringError),
}

fn core_error(error: KeyringError) -> CoreError {
    CoreError::NoStorageAccess(Box::new(error))
}

fn fault(error: ServiceError, operation: Operation) -> Fault {
    match error {
        ServiceError::Locked => Fault::Lasting(KeyringError::Locked),
        ServiceError::Prompt => Fault::Lasting(KeyringError::PromptDismissed),
        ServiceError::PromptDisconnected => Fault::Passing(KeyringError::PromptDismissed),
        ServiceError::Zbus(error) => bus_fault(error, operation),
        ServiceError::ZbusFdo(error) => bus_fault(error.into(), operation),
        other => Fault::Lasting(KeyringError::Refused {
            operation,
            cause: other.to_string(),
        }),
    }
}

fn bus_fault(error: zbus::Error, operation: Operation) -> Fault {
    if let zbus::Error::InputOutput(cause) = &error {
        return Fault::Passing(KeyringError::NoBus {
            cause: cause.to_string(),
        });
    }
    let (name, text) = bus_error_name(&error).unwrap_or_default();
    let refused = |cause: String| KeyringError::Refused { operation, cause };
    match name.as_str() {
        "org.freedesktop.Secret.Error.IsLocked" => Fault::Lasting(KeyringError::Locked),
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            Fault::Lasting(KeyringError::NoService { cause: text })
        }
        spawn if spawn.starts_with("org.freedesktop.DBus.Error.Spawn.") => {
            Fault::Lasting(KeyringError::NoService { cause: text })
        }
        // The service ended or was replaced; the session was its predecessor's; the item is gone
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Disconnected"
        | "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.Secret.Error.NoSession"
        | "org.freedesktop.Secret.Error.NoSuchObject" => Fault::Passing(refused(text)),
        "" => Fault::Lasting(refused(error.to_string())),
        name => Fault::Lasting(refused(format!("{text} ({name})"))),
    }
}

/// The name and the text of an error that came over the bus.
fn error_name(error: &ServiceError) -> Option<(String, String)> {
    match error {
        ServiceError::Zbus(error) => bus_error_name(error),
        ServiceError::ZbusFdo(error) => Some(named(error)),
        _ => None,
    }
}

fn bus_error_name(error: &zbus::Error) -> Option<(String, String)> {
    match error {
        zbus::Error::MethodError(name, text, _) => Some((name.to_string(), text.clone().unwrap_or_default())),
        zbus::Error::FDO(error) => Some(named(error)),
        _ => None,
    }
}

fn named(error: &zbus::fdo::Error) -> (String, String) {
    (
        error.name().to_string(),
        error.description().unwrap_or_default().to_owned(),
    )
}
