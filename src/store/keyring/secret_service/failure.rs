//! What went wrong on the bus, in the words of the keyring's errors.

use super::bus::BusError;
use crate::store::keyring::error::{KeyringError, Operation};
use std::time::Duration;

/// An error, and whether a new connection may get past it.
#[derive(Debug)]
pub(super) enum Fault {
    Transient(KeyringError),
    Permanent(KeyringError),
}

pub(super) fn bus_fault(error: BusError, operation: Operation, waited: Duration) -> Fault {
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
