//! The lock of a profile, which one process at a time holds to change its session.

use crate::store::{LockError, LockKind, ProfileLock, ProfileName};
use crate::trace::{Event, NoteName, Observer};
use std::path::Path;
use std::time::Duration;

/// How long to wait for another process that changes the same profile.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(60);

/// Takes the profile's lock, and reports which process it waits for.
pub(crate) fn lock(
    locks: &Path,
    name: &ProfileName,
    wait: Duration,
    observer: &mut dyn Observer,
) -> Result<ProfileLock, LockError> {
    let lock = ProfileLock::acquire(locks, name, LockKind::Session, wait, &mut |holder| {
        observer.observe(&Event::NamedNote(
            NoteName::WaitingForProcess,
            &format!("waiting for {holder}, which is changing profile \"{name}\""),
        ));
    })?;
    observer.observe(&Event::Decision(&format!(
        "the lock of profile \"{name}\" is held, in {}",
        locks.display()
    )));
    Ok(lock)
}
