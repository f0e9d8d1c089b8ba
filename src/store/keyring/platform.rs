//! What differs between the systems' keyrings.

use keyring_core::{CredentialStore, Error as CoreError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The item that is written to try a keyring. `#` is in no profile's name.
pub(in crate::store) const TRIAL_ITEM: &str = "#probe";

/// A system's keyring.
#[derive(Clone)]
pub(in crate::store) struct Platform {
    /// The keyring as a person would call it.
    pub(in crate::store) description: &'static str,
    /// The largest item, where there is a limit.
    pub(in crate::store) item_limit_bytes: Option<usize>,
    /// Whether `work` and `Work` are the same item.
    pub(in crate::store) names_ignore_case: bool,
    pub(in crate::store) open: Arc<dyn Fn() -> Result<Arc<CredentialStore>, CoreError> + Send + Sync>,
    /// How long its calls can take.
    pub(in crate::store) waiting: Waiting,
}

/// What ends a call that takes too long.
#[derive(Clone)]
#[allow(dead_code, reason = "every platform has one of them")]
pub(in crate::store) enum Waiting {
    /// The platform's own deadlines.
    UntilItsOwnDeadline,
    /// Nothing: its calls can block for ever, so they run on a thread that can be left behind.
    ForEver(PromptState),
}

/// How it is known that a person is being asked.
#[derive(Clone)]
#[allow(dead_code, reason = "every platform has one of them")]
pub(in crate::store) enum PromptState {
    /// True while a prompt is up.
    Observable(Arc<AtomicBool>),
    /// The system asks by itself, without a word to us.
    Opaque,
}
