//! Why the keyring cannot be used, whatever the system is.
//!
//! `keyring_core::Error` can carry the bytes of a secret and shows them in its
//! `Debug`: it ends in [`KeyringError::from_core`] and goes nowhere else.

use crate::store::session::SessionError;
use keyring_core::Error as CoreError;
use std::io;

/// Why the keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Nothing to connect to.
    #[error("the keyring cannot be reached: there is no D-Bus session bus: {cause}")]
    NoBus {
        /// What the system said.
        cause: String,
    },
    /// Another user could read what goes over the bus.
    #[error("the D-Bus session bus is run by another user (uid {uid}), who could read the tokens")]
    ForeignBus { uid: u32 },
    /// A bus without a keyring.
    #[error("no keyring service answers on the D-Bus session bus: {cause}")]
    NoService {
        /// What the bus said.
        cause: String,
    },
    /// It is locked, or asks before it hands out this item.
    #[error("the keyring is locked, and this run may not ask for its password")]
    Locked,
    /// It is locked, and asking did not help.
    #[error("the keyring is locked, and the prompt for its password was dismissed or could not be shown")]
    UnlockDismissed,
    /// It asks before it does this, and this run may not.
    #[error("the keyring asks for a confirmation to {operation}, and this run may not show its prompt")]
    PromptNotAllowed {
        /// What it was to do.
        operation: Operation,
    },
    /// It asked, and the answer was no.
    #[error("the prompt of the keyring to {operation} was dismissed or could not be shown")]
    PromptDismissed {
        /// What it was to do.
        operation: Operation,
    },
    /// It has no place for new items.
    #[error("the keyring service has no default keyring to keep a session in")]
    NoDefaultKeyring,
    #[error("the keyring did not answer within {waited_s} s")]
    TimedOut {
        /// How long it was waited for, in seconds.
        waited_s: u64,
    },
    /// It answered with an error of its own.
    #[error("the keyring refused to {operation}: {cause}")]
    Refused { operation: Operation, cause: String },
    /// What was written did not come back.
    #[error("a test item was written to the keyring, but could not be read back")]
    WriteNotPersisted,
    /// More than it can hold.
    #[error("the session{} is larger than the {limit_bytes} bytes that the keyring can hold", size_bytes.map(|size| format!(" ({size} bytes)")).unwrap_or_default())]
    TooLarge {
        /// The size of the session, when it is known.
        size_bytes: Option<usize>,
        limit_bytes: usize,
    },
    /// Several items, and no telling which one counts.
    #[error("the keyring holds {count} items for `{username}`, and only one can be the right one")]
    Ambiguous {
        /// The `username` attribute that they share.
        username: String,
        count: usize,
    },
    /// The item is there and broken.
    #[error("the item in the keyring {how}")]
    Damaged {
        /// What is wrong, to follow "the item".
        how: &'static str,
    },
    /// The item is not a record that this program may use.
    #[error("the item in the keyring cannot be used")]
    Record(#[source] SessionError),
    /// A plain session was asked for.
    #[error("the keyring service does not take a plain session")]
    NoPlainSession,
    #[error("the thread that asks the keyring ended or could not be started")]
    Thread(#[source] Option<io::Error>),
}

/// Starts or unlocks a keyring, for `sh -c '…'`. `gnome-keyring-daemon` reads
/// the password from standard input without a word: this asks for it, and does
/// not show it.
const UNLOCK: &str = r#"(trap "stty echo" 0 2; stty -echo; printf "password of the keyring: " >&2; read -r word; printf %s "$word") | gnome-keyring-daemon --unlock"#;

/// What is done to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Connect to the keyring.
    Connect,
    /// Look for the item.
    Find,
    Read,
    Write,
    Delete,
    Unlock,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Operation::Connect => "be connected to",
            Operation::Find => "look for the session",
            Operation::Read => "read the session",
            Operation::Write => "keep the session",
            Operation::Delete => "remove the session",
            Operation::Unlock => "be unlocked",
        })
    }
}

impl KeyringError {
    /// Converts from `keyring_core::Error`. A platform can put a
    /// `KeyringError` inside one, where it knows better what happened.
    pub(in crate::store) fn from_core(error: CoreError, operation: Operation) -> Self {
        match error {
            CoreError::PlatformFailure(cause) | CoreError::NoStorageAccess(cause) => {
                match cause.downcast::<KeyringError>() {
                    Ok(error) => *error,
                    Err(cause) => platform_error(&*cause).unwrap_or_else(|| KeyringError::Refused {
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

    pub(in crate::store) fn hints(&self) -> Vec<String> {
        match self {
            KeyringError::NoBus { .. } => vec![format!(
                "Run this in the desktop session. Or start a bus, and a keyring with its password: dbus-run-session -- sh -c '{UNLOCK}; exec sh'"
            )],
            KeyringError::ForeignBus { .. } => vec![
                "Set DBUS_SESSION_BUS_ADDRESS to the bus of your own session, or unset it to use the one in XDG_RUNTIME_DIR."
                    .to_owned(),
            ],
            KeyringError::NoService { .. } => {
                vec!["Install and start a keyring service, such as gnome-keyring, KWallet or KeePassXC.".to_owned()]
            }
            KeyringError::Locked => {
                vec!["Unlock the keyring, for instance by logging in to the desktop, and run this again.".to_owned()]
            }
            KeyringError::UnlockDismissed => vec![format!(
                "Run this again and answer the prompt. Without a display, unlock the keyring with its password: sh -c '{UNLOCK}'"
            )],
            KeyringError::PromptNotAllowed { .. } => {
                vec!["Run this in a terminal of the desktop session, and answer the prompt.".to_owned()]
            }
            KeyringError::PromptDismissed { .. } => {
                vec!["Run this again in the desktop session and confirm.".to_owned()]
            }
            KeyringError::NoDefaultKeyring => vec![format!(
                "Make a default keyring with your desktop's password manager, or with a password here: sh -c '{UNLOCK}'"
            )],
            KeyringError::TimedOut { .. } => {
                vec!["Check whether the keyring waits for an answer or has to be restarted.".to_owned()]
            }
            KeyringError::NoPlainSession => vec!["Use `--keyring-session encrypted`.".to_owned()],
            KeyringError::Ambiguous { username, .. } => vec![format!(
                "Log in again after removing them: secret-tool clear service oauth username {username}"
            )],
            KeyringError::Damaged { .. } => {
                vec!["To replace it, log in again: oauth login".to_owned()]
            }
            KeyringError::Record(SessionError::NewerVersion(_)) => {
                vec!["It was written by a newer version of `oauth`: use that version, or update this one.".to_owned()]
            }
            KeyringError::Record(_)
            | KeyringError::Refused { .. }
            | KeyringError::WriteNotPersisted
            | KeyringError::TooLarge { .. }
            | KeyringError::Thread(_) => Vec::new(),
        }
    }

    /// Whether a session can be kept in another store until this is mended.
    pub(in crate::store) fn leaves_other_stores(&self) -> bool {
        !matches!(
            self,
            KeyringError::Damaged { .. } | KeyringError::Record(SessionError::NewerVersion(_))
        )
    }
}

/// `errSecInteractionNotAllowed` and `errSecUserCanceled`, which the store
/// passes on as platform failures. Their `Debug` shows the code, and no secret.
#[cfg(target_os = "macos")]
fn platform_error(cause: &(dyn std::error::Error + Send + Sync)) -> Option<KeyringError> {
    let shown = format!("{cause:?}");
    if shown.contains("-25308") {
        Some(KeyringError::Locked)
    } else if shown.contains("-128") {
        Some(KeyringError::UnlockDismissed)
    } else {
        None
    }
}

/// The stores of the other systems have nothing to add.
#[cfg(not(target_os = "macos"))]
fn platform_error(_cause: &(dyn std::error::Error + Send + Sync)) -> Option<KeyringError> {
    None
}
