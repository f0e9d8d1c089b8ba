//! A Secret Service that does what gnome-keyring cannot be made to do on
//! demand: items that vanish between search and read, prompts that a person
//! answers, services that show nothing while they are locked or know no plain
//! session. It speaks the specification's interfaces and nothing of ours.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zbus::fdo;
use zbus::object_server::{ObjectServer, SignalEmitter};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Type, Value};

const ROOT: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/fake";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";

/// What the person at the prompt does.
#[derive(Clone, Copy)]
pub(crate) enum Person {
    UnlocksAfter(Duration),
    Dismisses,
}

pub(crate) struct Behaviour {
    /// Values of the items that match every search.
    pub(crate) items: Vec<&'static str>,
    pub(crate) locked: bool,
    /// Whether a locked keyring answers searches as if it were empty.
    pub(crate) hides_while_locked: bool,
    pub(crate) person: Person,
    pub(crate) knows_plain_sessions: bool,
    /// Which searches, counted from 0, name an item that is not there.
    pub(crate) phantom_searches: Range<usize>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            items: Vec::new(),
            locked: false,
            hides_while_locked: false,
            person: Person::Dismisses,
            knows_plain_sessions: true,
            phantom_searches: 0..0,
        }
    }
}

struct Keyring {
    behaviour: Behaviour,
    items: HashMap<OwnedObjectPath, Vec<u8>>,
    calls: Vec<String>,
    searches: usize,
}

type Shared = Arc<Mutex<Keyring>>;

pub(crate) struct FakeSecretService {
    keyring: Shared,
    _connection: zbus::Connection,
    _runtime: tokio::runtime::Runtime,
}

impl FakeSecretService {
    /// Takes the service's name on the bus.
    pub(crate) fn on_bus(address: &str, behaviour: Behaviour) -> Self {
        let items: HashMap<OwnedObjectPath, Vec<u8>> = (1..)
            .zip(&behaviour.items)
            .map(|(number, value)| (item_path(number), value.as_bytes().to_vec()))
            .collect();
        let paths: Vec<OwnedObjectPath> = items.keys().cloned().collect();
        let keyring = Arc::new(Mutex::new(Keyring {
            behaviour,
            items,
            calls: Vec::new(),
            searches: 0,
        }));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let connection = runtime.block_on(async {
            let shared = || Arc::clone(&keyring);
            let mut builder = zbus::connection::Builder::address(address)
                .expect("an address")
                .serve_at(ROOT, Service(shared()))
                .expect("the service")
                .serve_at(COLLECTION, Collection(shared()))
                .expect("the collection")
                .serve_at(PROMPT, Prompt(shared()))
                .expect("the prompt");
            for path in paths {
                builder = builder.serve_at(path.clone(), Item(shared(), path)).expect("an item");
            }
            let builder = builder.name("org.freedesktop.secrets").expect("a name");
            builder.build().await.expect("a connection")
        });
        FakeSecretService {
            keyring,
            _connection: connection,
            _runtime: runtime,
        }
    }

    /// The calls so far, such as `OpenSession plain`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.keyring.lock().expect("the keyring").calls.clone()
    }

    pub(crate) fn values(&self) -> Vec<String> {
        let keyring = self.keyring.lock().expect("the keyring");
        let values = keyring.items.values();
        values
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }
}

fn item_path(number: usize) -> OwnedObjectPath {
    OwnedObjectPath::try_from(format!("{COLLECTION}/{number}")).expect("a path")
}

fn nothing() -> OwnedObjectPath {
    OwnedObjectPath::try_from("/").expect("a path")
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.Secret.Error")]
enum SecretError {
    #[zbus(error)]
    ZBus(zbus::Error),
    IsLocked(String),
}

#[derive(serde::Serialize, serde::Deserialize, Type)]
struct Secret {
    session: OwnedObjectPath,
    parameters: Vec<u8>,
    value: Vec<u8>,
    content_type: String,
}

struct Service(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    async fn open_session(&self, algorithm: &str, _input: Value<'_>) -> fdo::Result<(OwnedValue, OwnedObjectPath)> {
        let mut keyring = self.0.lock().expect("the keyring");
        keyring.calls.push(format!("OpenSession {algorithm}"));
        if algorithm != "plain" || !keyring.behaviour.knows_plain_sessions {
            return Err(fdo::Error::NotSupported(format!("no {algorithm} here")));
        }
        let session = OwnedObjectPath::try_from(format!("{ROOT}/session/1")).expect("a path");
        Ok((Value::from("").try_to_owned().expect("a value"), session))
    }

    async fn search_items(&self, attributes: HashMap<String, String>) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        let mut keyring = self.0.lock().expect("the keyring");
        keyring.calls.push(format!("SearchItems {}", attributes["username"]));
        let number = keyring.searches;
        keyring.searches += 1;
        if keyring.behaviour.phantom_searches.contains(&number) {
            return (vec![item_path(999)], Vec::new());
        }
        let found = keyring.items.keys().cloned().collect();
        match (keyring.behaviour.locked, keyring.behaviour.hides_while_locked) {
            (false, _) => (found, Vec::new()),
            (true, false) => (Vec::new(), found),
            (true, true) => (Vec::new(), Vec::new()),
        }
    }

    async fn unlock(&self, objects: Vec<ObjectPath<'_>>) -> (Vec<OwnedObjectPath>, OwnedObjectPath) {
        let mut keyring = self.0.lock().expect("the keyring");
        keyring.calls.push(format!("Unlock {}", objects.len()));
        (Vec::new(), OwnedObjectPath::try_from(PROMPT).expect("a path"))
    }

    async fn read_alias(&self, name: &str) -> OwnedObjectPath {
        assert_eq!(name, "default");
        OwnedObjectPath::try_from(COLLECTION).expect("a path")
    }
}

struct Collection(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    #[zbus(property)]
    async fn locked(&self) -> bool {
        self.0.lock().expect("the keyring").behaviour.locked
    }

    async fn create_item(
        &self,
        _properties: HashMap<String, Value<'_>>,
        secret: Secret,
        _replace: bool,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> (OwnedObjectPath, OwnedObjectPath) {
        let path = {
            let mut keyring = self.0.lock().expect("the keyring");
            let path = item_path(keyring.items.len() + 1);
            keyring.items.insert(path.clone(), secret.value);
            path
        };
        server
            .at(path.clone(), Item(Arc::clone(&self.0), path.clone()))
            .await
            .expect("an item");
        (path, nothing())
    }
}

struct Item(Shared, OwnedObjectPath);

#[zbus::interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    #[zbus(property)]
    async fn locked(&self) -> bool {
        self.0.lock().expect("the keyring").behaviour.locked
    }

    async fn get_secret(&self, session: OwnedObjectPath) -> Result<(Secret,), SecretError> {
        let keyring = self.0.lock().expect("the keyring");
        if keyring.behaviour.locked {
            return Err(SecretError::IsLocked("locked".to_owned()));
        }
        Ok((Secret {
            session,
            parameters: Vec::new(),
            value: keyring.items[&self.1].clone(),
            content_type: "text/plain".to_owned(),
        },))
    }

    async fn set_secret(&self, secret: Secret) {
        let mut keyring = self.0.lock().expect("the keyring");
        keyring.items.insert(self.1.clone(), secret.value);
    }

    async fn delete(&self, #[zbus(object_server)] server: &ObjectServer) -> OwnedObjectPath {
        self.0.lock().expect("the keyring").items.remove(&self.1);
        // A server that is asked about a removed item knows no such object
        server.remove::<Item, _>(self.1.clone()).await.expect("it was there");
        nothing()
    }
}

struct Prompt(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    async fn prompt(&self, _window: &str, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        let person = {
            let mut keyring = self.0.lock().expect("the keyring");
            keyring.calls.push("Prompt".to_owned());
            keyring.behaviour.person
        };
        let keyring = Arc::clone(&self.0);
        let emitter = emitter.to_owned();
        tokio::spawn(async move {
            let dismissed = match person {
                Person::Dismisses => true,
                Person::UnlocksAfter(time) => {
                    tokio::time::sleep(time).await;
                    keyring.lock().expect("the keyring").behaviour.locked = false;
                    false
                }
            };
            Prompt::completed(&emitter, dismissed, Value::from(""))
                .await
                .expect("a signal");
        });
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}
