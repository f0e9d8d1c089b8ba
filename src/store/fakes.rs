//! A keyring of `keyring_core` that fails in the ways real ones do: small
//! items, refusals, silence, forgetting, items that vanish under one's hands.

#![allow(clippy::unwrap_used, reason = "for tests alone")]

use super::keyring::error::KeyringError;
use super::keyring::platform::{Platform, PromptState, Waiting};
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, CredentialStore, Entry, Error, Result};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// A call, as the fake sees it: `get NAME`, `set NAME`, `delete NAME`.
type Interference = Box<dyn FnMut(&str, &mut BTreeMap<String, Vec<u8>>) -> Result<()> + Send>;

/// The state that all connections to a fake keyring share.
#[derive(Default)]
pub(super) struct FakeKeyring {
    pub(super) items: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(super) calls: Mutex<Vec<String>>,
    pub(super) interference: Mutex<Option<Interference>>,
    pub(super) item_limit_bytes: Option<usize>,
    pub(super) names_ignore_case: bool,
    pub(super) prompt_is_up: Arc<AtomicBool>,
    /// While closed, calls wait.
    gate: Mutex<bool>,
    gate_moved: Condvar,
}

impl FakeKeyring {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(FakeKeyring::default())
    }

    /// As small as the items of Windows.
    pub(super) fn with_small_items() -> Arc<Self> {
        Arc::new(FakeKeyring {
            item_limit_bytes: Some(2560),
            ..FakeKeyring::default()
        })
    }

    /// As the credential manager of Windows compares names.
    pub(super) fn ignoring_case() -> Arc<Self> {
        Arc::new(FakeKeyring {
            names_ignore_case: true,
            ..FakeKeyring::default()
        })
    }

    pub(super) fn platform(self: &Arc<Self>) -> Platform {
        let keyring = Arc::clone(self);
        Platform {
            description: "the fake keyring",
            item_limit_bytes: self.item_limit_bytes,
            names_ignore_case: self.names_ignore_case,
            open: Arc::new(move || keyring.connect()),
            waiting: Waiting::ForEver(PromptState::Observable(Arc::clone(&self.prompt_is_up))),
        }
    }

    pub(super) fn connect(self: &Arc<Self>) -> Result<Arc<CredentialStore>> {
        self.called("connect")?;
        Ok(Arc::new(FakeStore {
            keyring: Arc::clone(self),
        }))
    }

    /// From now on this is called before every call, and can change the items or fail the call.
    pub(super) fn interfere(
        &self,
        interference: impl FnMut(&str, &mut BTreeMap<String, Vec<u8>>) -> Result<()> + Send + 'static,
    ) {
        *self.interference.lock().unwrap() = Some(Box::new(interference));
    }

    pub(super) fn leave_alone(&self) {
        *self.interference.lock().unwrap() = None;
    }

    pub(super) fn close_gate(&self) {
        *self.gate.lock().unwrap() = true;
    }

    pub(super) fn open_gate(&self) {
        *self.gate.lock().unwrap() = false;
        self.gate_moved.notify_all();
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.items.lock().unwrap().keys().cloned().collect()
    }

    pub(super) fn put(&self, name: &str, value: &[u8]) {
        self.items.lock().unwrap().insert(name.to_owned(), value.to_vec());
    }

    fn called(&self, call: &str) -> Result<()> {
        self.calls.lock().unwrap().push(call.to_owned());
        let closed = self.gate.lock().unwrap();
        drop(self.gate_moved.wait_while(closed, |closed| *closed).unwrap());
        let mut interference = self.interference.lock().unwrap();
        match interference.as_mut() {
            Some(interfere) => interfere(call, &mut self.items.lock().unwrap()),
            None => Ok(()),
        }
    }
}

/// What a locked keyring answers.
pub(super) fn locked() -> Error {
    Error::NoStorageAccess(Box::new(KeyringError::Locked))
}

/// What any keyring may answer.
pub(super) fn refusal() -> Error {
    Error::PlatformFailure(Box::new(std::io::Error::other("the disk of the keyring is full")))
}

/// Sets the flag of a prompt that is up.
pub(super) fn prompt(keyring: &FakeKeyring, up: bool) {
    keyring.prompt_is_up.store(up, Ordering::Release);
}

struct FakeStore {
    keyring: Arc<FakeKeyring>,
}

impl CredentialStoreApi for FakeStore {
    fn vendor(&self) -> String {
        "fake".to_owned()
    }

    fn id(&self) -> String {
        "fake".to_owned()
    }

    fn build(&self, service: &str, user: &str, _modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        assert_eq!(service, "oauth");
        Ok(Entry::new_with_credential(Arc::new(FakeItem {
            keyring: Arc::clone(&self.keyring),
            name: user.to_owned(),
        })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FakeStore")
    }
}

struct FakeItem {
    keyring: Arc<FakeKeyring>,
    name: String,
}

impl CredentialApi for FakeItem {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.keyring.called(&format!("set {}", self.name))?;
        match self.keyring.item_limit_bytes {
            Some(limit) if secret.len() > limit => {
                Err(Error::TooLong("secret".to_owned(), u32::try_from(limit).unwrap()))
            }
            _ => {
                self.keyring.put(&self.name, secret);
                Ok(())
            }
        }
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        self.keyring.called(&format!("get {}", self.name))?;
        let items = self.keyring.items.lock().unwrap();
        items.get(&self.name).cloned().ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        self.keyring.called(&format!("delete {}", self.name))?;
        let mut items = self.keyring.items.lock().unwrap();
        items.remove(&self.name).map(drop).ok_or(Error::NoEntry)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some(("oauth".to_owned(), self.name.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FakeItem")
    }
}
