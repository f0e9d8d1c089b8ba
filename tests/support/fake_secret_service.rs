//! A Secret Service that does what gnome-keyring cannot be made to do on
//! demand: items that vanish between search and read, prompts that a person
//! answers, also before something is made or removed, keyrings that open
//! without one, services that show nothing while they are locked or know no
//! plain session. It speaks the specification's interfaces and nothing of ours.

#![allow(dead_code, reason = "each test crate uses its part")]

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use zbus::fdo;
use zbus::object_server::{ObjectServer, SignalEmitter};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Type, Value};

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/fake";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";

/// What the person at the prompt does.
#[derive(Clone, Copy)]
pub(crate) enum Person {
    ConfirmsAfter(Duration),
    Dismisses,
    /// The service ends while its prompt is up.
    PullsThePlug,
}

pub(crate) struct Behaviour {
    /// Values of the items of the profile `work`.
    pub(crate) items: Vec<String>,
    pub(crate) locked: bool,
    /// Whether a locked keyring answers searches as if it were empty.
    pub(crate) hides_while_locked: bool,
    /// Whether `Unlock` needs no prompt, as where the desktop's login has opened the keyring.
    pub(crate) unlocks_without_prompt: bool,
    /// Whether `CreateItem` answers with a prompt.
    pub(crate) asks_before_creating: bool,
    /// Whether `Delete` answers with a prompt.
    pub(crate) asks_before_deleting: bool,
    pub(crate) person: Person,
    pub(crate) knows_plain_sessions: bool,
    /// Which searches, counted from 0, name an item that is not there.
    pub(crate) phantom_searches: Range<usize>,
    /// Whether the first search comes before the service knows its client, as it may at gnome-keyring.
    pub(crate) refuses_first_search: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            items: Vec::new(),
            locked: false,
            hides_while_locked: false,
            unlocks_without_prompt: false,
            asks_before_creating: false,
            asks_before_deleting: false,
            person: Person::Dismisses,
            knows_plain_sessions: true,
            phantom_searches: 0..0,
            refuses_first_search: false,
        }
    }
}

/// What is done once the person has confirmed it.
enum Pending {
    Unlock,
    Create(Content),
    Delete(OwnedObjectPath),
}

/// An item's content.
struct Content {
    username: String,
    value: Vec<u8>,
}

struct Keyring {
    behaviour: Behaviour,
    items: HashMap<OwnedObjectPath, Content>,
    made: usize,
    pending: Option<Pending>,
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
        let work = |value: &String| Content {
            username: "work".to_owned(),
            value: value.as_bytes().to_vec(),
        };
        let items: HashMap<OwnedObjectPath, Content> =
            (1..).map(item_path).zip(behaviour.items.iter().map(work)).collect();
        let paths: Vec<OwnedObjectPath> = items.keys().cloned().collect();
        let keyring = Arc::new(Mutex::new(Keyring {
            made: items.len(),
            behaviour,
            items,
            pending: None,
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
            let builder = builder.name(NAME).expect("a name");
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
        lock(&self.keyring).calls.clone()
    }

    /// How often a call was made.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.calls().iter().filter(|made| *made == call).count()
    }

    pub(crate) fn values(&self) -> Vec<String> {
        let keyring = lock(&self.keyring);
        let values = keyring.items.values();
        values
            .map(|content| String::from_utf8_lossy(&content.value).into_owned())
            .collect()
    }

    /// The `username` attributes of the items.
    pub(crate) fn names(&self) -> Vec<String> {
        let keyring = lock(&self.keyring);
        let mut names: Vec<String> = keyring.items.values().map(|content| content.username.clone()).collect();
        names.sort();
        names
    }
}

fn lock(keyring: &Shared) -> MutexGuard<'_, Keyring> {
    keyring.lock().expect("the keyring")
}

fn item_path(number: usize) -> OwnedObjectPath {
    OwnedObjectPath::try_from(format!("{COLLECTION}/{number}")).expect("a path")
}

fn nothing() -> OwnedObjectPath {
    OwnedObjectPath::try_from("/").expect("a path")
}

fn the_prompt() -> OwnedObjectPath {
    OwnedObjectPath::try_from(PROMPT).expect("a path")
}

/// Makes an item.
async fn create(keyring: &Shared, content: Content, server: &ObjectServer) -> OwnedObjectPath {
    let path = {
        let mut keyring = lock(keyring);
        keyring.made += 1;
        let path = item_path(keyring.made);
        keyring.items.insert(path.clone(), content);
        path
    };
    server
        .at(path.clone(), Item(Arc::clone(keyring), path.clone()))
        .await
        .expect("an item");
    path
}

/// Removes an item: a server that is asked about it knows no such object.
async fn delete(keyring: &Shared, path: OwnedObjectPath, server: &ObjectServer) {
    lock(keyring).items.remove(&path);
    server.remove::<Item, _>(path).await.expect("it was there");
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
        let mut keyring = lock(&self.0);
        keyring.calls.push(format!("OpenSession {algorithm}"));
        if algorithm != "plain" || !keyring.behaviour.knows_plain_sessions {
            return Err(fdo::Error::NotSupported(format!("no {algorithm} here")));
        }
        let session = OwnedObjectPath::try_from(format!("{ROOT}/session/1")).expect("a path");
        Ok((Value::from("").try_to_owned().expect("a value"), session))
    }

    async fn search_items(
        &self,
        attributes: HashMap<String, String>,
    ) -> zbus::fdo::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)> {
        let mut keyring = lock(&self.0);
        let username = &attributes["username"];
        keyring.calls.push(format!("SearchItems {username}"));
        let number = keyring.searches;
        keyring.searches += 1;
        if number == 0 && keyring.behaviour.refuses_first_search {
            return Err(zbus::fdo::Error::UnknownMethod("SearchItems".to_owned()));
        }
        if keyring.behaviour.phantom_searches.contains(&number) {
            return Ok((vec![item_path(999)], Vec::new()));
        }
        let matching = keyring
            .items
            .iter()
            .filter(|(_, content)| content.username == *username);
        let found = matching.map(|(path, _)| path.clone()).collect();
        Ok(match (keyring.behaviour.locked, keyring.behaviour.hides_while_locked) {
            (false, _) => (found, Vec::new()),
            (true, false) => (Vec::new(), found),
            (true, true) => (Vec::new(), Vec::new()),
        })
    }

    async fn unlock(&self, objects: Vec<ObjectPath<'_>>) -> (Vec<OwnedObjectPath>, OwnedObjectPath) {
        let mut keyring = lock(&self.0);
        keyring.calls.push(format!("Unlock {}", objects.len()));
        if keyring.behaviour.unlocks_without_prompt {
            keyring.behaviour.locked = false;
            return (objects.into_iter().map(Into::into).collect(), nothing());
        }
        keyring.pending = Some(Pending::Unlock);
        (Vec::new(), the_prompt())
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
        lock(&self.0).behaviour.locked
    }

    async fn create_item(
        &self,
        properties: HashMap<String, OwnedValue>,
        secret: Secret,
        _replace: bool,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> Result<(OwnedObjectPath, OwnedObjectPath), SecretError> {
        let attributes = properties["org.freedesktop.Secret.Item.Attributes"]
            .try_clone()
            .expect("a value");
        let attributes = HashMap::<String, String>::try_from(attributes).expect("attributes");
        let content = Content {
            username: attributes["username"].clone(),
            value: secret.value,
        };
        {
            let mut keyring = lock(&self.0);
            keyring.calls.push(format!("CreateItem {}", content.username));
            if keyring.behaviour.locked {
                return Err(SecretError::IsLocked("locked".to_owned()));
            }
            if keyring.behaviour.asks_before_creating {
                keyring.pending = Some(Pending::Create(content));
                return Ok((nothing(), the_prompt()));
            }
        }
        Ok((create(&self.0, content, server).await, nothing()))
    }
}

struct Item(Shared, OwnedObjectPath);

#[zbus::interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    #[zbus(property)]
    async fn locked(&self) -> bool {
        lock(&self.0).behaviour.locked
    }

    async fn get_secret(&self, session: OwnedObjectPath) -> Result<(Secret,), SecretError> {
        let keyring = lock(&self.0);
        if keyring.behaviour.locked {
            return Err(SecretError::IsLocked("locked".to_owned()));
        }
        Ok((Secret {
            session,
            parameters: Vec::new(),
            value: keyring.items[&self.1].value.clone(),
            content_type: "text/plain".to_owned(),
        },))
    }

    async fn set_secret(&self, secret: Secret) -> Result<(), SecretError> {
        let mut keyring = lock(&self.0);
        if keyring.behaviour.locked {
            return Err(SecretError::IsLocked("locked".to_owned()));
        }
        let content = keyring.items.get_mut(&self.1).expect("its content");
        content.value = secret.value;
        let call = format!("SetSecret {}", content.username);
        keyring.calls.push(call);
        Ok(())
    }

    async fn delete(&self, #[zbus(object_server)] server: &ObjectServer) -> OwnedObjectPath {
        {
            let mut keyring = lock(&self.0);
            let call = format!("Delete {}", keyring.items[&self.1].username);
            keyring.calls.push(call);
            if keyring.behaviour.asks_before_deleting {
                keyring.pending = Some(Pending::Delete(self.1.clone()));
                return the_prompt();
            }
        }
        delete(&self.0, self.1.clone(), server).await;
        nothing()
    }
}

struct Prompt(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    async fn prompt(&self, _window: &str, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        let (person, pending) = {
            let mut keyring = lock(&self.0);
            keyring.calls.push("Prompt".to_owned());
            (keyring.behaviour.person, keyring.pending.take())
        };
        let keyring = Arc::clone(&self.0);
        let emitter = emitter.to_owned();
        tokio::spawn(async move {
            let dismissed = match person {
                Person::Dismisses => true,
                Person::ConfirmsAfter(time) => {
                    tokio::time::sleep(time).await;
                    let server = emitter.connection().object_server();
                    match pending.expect("something to confirm") {
                        Pending::Unlock => lock(&keyring).behaviour.locked = false,
                        Pending::Create(content) => drop(create(&keyring, content, server).await),
                        Pending::Delete(path) => delete(&keyring, path, server).await,
                    }
                    false
                }
                Person::PullsThePlug => {
                    emitter.connection().release_name(NAME).await.expect("its name");
                    return;
                }
            };
            Prompt::completed(&emitter, dismissed, Value::from(""))
                .await
                .expect("a signal");
        });
    }

    async fn dismiss(&self) {
        let mut keyring = lock(&self.0);
        keyring.calls.push("Dismiss".to_owned());
        keyring.pending = None;
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}
