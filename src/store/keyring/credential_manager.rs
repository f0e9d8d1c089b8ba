//! The credential manager of Windows, with items that stay on this machine: by
//! default they travel with the profile of a domain's user to other machines,
//! where two `oauth` would spend the same refresh token.

use keyring_core::api::{CredentialPersistence, CredentialStoreApi};
use keyring_core::{CredentialStore, Entry, Error};
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use windows_native_keyring_store::Store;

/// The store whose items have this persistence (`CRED_PERSIST_LOCAL_MACHINE`).
const PERSISTENCE: (&str, &str) = ("persistence", "local");

#[derive(Debug)]
struct LocalStore(Arc<Store>);

/// The store of the user who runs this.
///
/// # Errors
/// Those of the system.
pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(Arc::new(LocalStore(Store::new()?)))
}

impl CredentialStoreApi for LocalStore {
    fn vendor(&self) -> String {
        self.0.vendor()
    }

    fn id(&self) -> String {
        self.0.id()
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry, Error> {
        let mut modifiers = modifiers.cloned().unwrap_or_default();
        modifiers.insert(PERSISTENCE.0, PERSISTENCE.1);
        self.0.build(service, user, Some(&modifiers))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        self.0.persistence()
    }

    fn debug_fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn an_item_stays_on_this_machine() {
        let entry = open().unwrap().build("oauth-test", "persistence", None).unwrap();
        entry.set_secret(b"x").unwrap();
        let found = entry.get_attributes();
        entry.delete_credential().unwrap();
        assert_eq!(found.unwrap()["persistence"], "Local");
    }
}
