//! One process at a time changes a profile's session.
//!
//! The lock is the kernel's on a file of its own (`NAME.lock`): it ends with
//! the process, however that ends, so that no lock is ever stale. Beside it
//! `NAME.holder` says who holds it and what they are about to do, with no
//! secret in it; one that was left behind tells that they did not finish.

use super::file::private_dir::{PermissionPolicy, PrivateDir, file_name, open_or_make};
use super::file::private_file_error::PrivateFileError;
use super::profile_name::ProfileName;
use crate::exit::{Diagnosis, ExitCode};
use crate::output::sanitize::sanitize;
use crate::protocol::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The first pause between two attempts; it grows from there.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_millis(50);
const MAX_HOLDER_BYTES: u64 = 4096;

/// What a profile is locked for. One lock does not keep the other away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To change the session: a matter of milliseconds, or of one request.
    Change,
    /// To log in at this server: a matter of minutes.
    LogIn {
        /// The issuer, or the authorization endpoint where there is none.
        server: String,
    },
}

impl Purpose {
    /// The name of the lock's files, of a profile whose own files have this name.
    fn file_name(&self, name: String) -> String {
        match self {
            Purpose::Change => name,
            // The dot keeps it apart from a profile of that name
            Purpose::LogIn { .. } => format!(".{name}.login"),
        }
    }

    /// After this time of waiting the holder is told.
    fn tell_after(&self) -> Duration {
        match self {
            Purpose::Change => Duration::from_secs(1),
            Purpose::LogIn { .. } => Duration::ZERO,
        }
    }

    fn server(&self) -> Option<&str> {
        match self {
            Purpose::Change => None,
            Purpose::LogIn { server } => Some(server),
        }
    }
}

/// What the holder of a lock is about to do, written down before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The command, such as `token`.
    pub command: String,
    /// When it was written down.
    pub at: UnixSeconds,
    /// The generation that the session will have afterwards.
    pub generation: u64,
    /// The fingerprint of the refresh token that is about to be sent
    /// ([`Secret::fingerprint`](crate::secret::Secret::fingerprint)).
    pub fingerprint: String,
}

/// The lock of a profile, held until this is dropped.
#[derive(Debug)]
pub struct ProfileLock {
    folder: PrivateDir,
    file: File,
    name: String,
    purpose: Purpose,
    interrupted: Option<Intent>,
}

/// Why a profile could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else did not let go in time.
    #[error("profile `{profile}` is being changed by {holder}, which did not finish within {} s", waited.as_secs())]
    OwnedEvent {
        /// The profile.
        profile: ProfileName,
        /// Who holds it, as far as it is known.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The file system knows no locks.
    #[error("the file system of `{}` has no file locks", path.display())]
    Unsupported {
        /// The lock file.
        path: PathBuf,
        /// What it answered.
        source: io::Error,
    },
    /// The lock file cannot be had.
    #[error("profile `{profile}` cannot be locked")]
    File {
        /// The profile.
        profile: ProfileName,
        /// Why.
        source: PrivateFileError,
    },
}

impl Diagnosis for LockError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LockError::OwnedEvent { .. } => ExitCode::Timeout,
            LockError::Unsupported { .. } | LockError::File { .. } => ExitCode::Store,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            LockError::OwnedEvent { .. } => vec!["Wait for it or end it, then run this again.".to_owned()],
            LockError::Unsupported { .. } => {
                vec!["Choose a data folder on a local disk with XDG_DATA_HOME.".to_owned()]
            }
            LockError::File { source, .. } => source.hints(),
        }
    }
}

/// The holder file.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

impl Holder {
    fn ourselves(purpose: &Purpose, intent: Option<&Intent>) -> Self {
        Holder {
            pid: std::process::id(),
            server: purpose.server().map(str::to_owned),
            command: intent.map(|intent| intent.command.clone()),
            at: intent.map(|intent| intent.at.0),
            generation: intent.map(|intent| intent.generation),
            fingerprint: intent.map(|intent| intent.fingerprint.clone()),
        }
    }

    fn describe(&self) -> String {
        match (&self.server, &self.command) {
            (Some(server), _) => format!("process {}, which is logging in at {}", self.pid, sanitize(server)),
            (None, Some(command)) => format!("process {} (`oauth {}`)", self.pid, sanitize(command)),
            (None, None) => format!("process {}", self.pid),
        }
    }

    fn intent(self) -> Option<Intent> {
        Some(Intent {
            command: self.command?,
            at: UnixSeconds(self.at?),
            generation: self.generation?,
            fingerprint: self.fingerprint?,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers always can be written; an empty file is read as an unknown holder
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl ProfileLock {
    /// Takes the lock of a profile; waits for it at most as long as `wait`.
    /// `on_wait` is called once, when that takes longer than a second (at once
    /// for a login), with who holds it, such as ``process 4711 (`oauth token`)``.
    ///
    /// # Errors
    /// [`LockError::OwnedEvent`] when the time is over.
    pub fn acquire(
        locks_folder: &Path,
        profile: &ProfileName,
        purpose: Purpose,
        wait: Duration,
        on_wait: &mut dyn FnMut(&str),
    ) -> Result<ProfileLock, LockError> {
        let file_error = |source| LockError::File {
            profile: profile.clone(),
            source,
        };
        let folder = PrivateDir::make(locks_folder).map_err(file_error)?;
        let name = purpose.file_name(file_name(profile.as_str()));
        let path = folder.file(&format!("{name}.lock"));
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut told = false;
        let file = loop {
            let file = open_or_make(&path).map_err(file_error)?;
            match file.try_lock() {
                Ok(()) if still_stands_there(&file, &path) => break file,
                // It was removed in between: lock the one that stands there now
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(source)) => return Err(LockError::Unsupported { path, source }),
            }
            let waited = began.elapsed();
            if waited >= wait {
                return Err(LockError::OwnedEvent {
                    profile: profile.clone(),
                    holder: holder(&folder, &name),
                    waited,
                });
            }
            if waited >= purpose.tell_after() && !told {
                told = true;
                on_wait(&holder(&folder, &name));
            }
            std::thread::sleep(pause.min(wait.saturating_sub(waited)));
            pause = (pause * 2).min(MAX_PAUSE);
        };

        let interrupted = read_holder(&folder, &name).and_then(Holder::intent);
        let lock = ProfileLock {
            folder,
            file,
            name,
            purpose,
            interrupted,
        };
        lock.name_holder().map_err(file_error)?;
        Ok(lock)
    }

    /// What the previous holder was about to do when it ended without
    /// finishing. One whose generation the session has reached did finish.
    /// It is kept until something else is [declared](Self::declare).
    pub fn interrupted(&self) -> Option<&Intent> {
        self.interrupted.as_ref()
    }

    /// Writes down, durably, what will be done now.
    ///
    /// # Errors
    /// [`PrivateFileError`] when it cannot be written: then it must not be done.
    pub fn declare(&mut self, intent: &Intent) -> Result<(), PrivateFileError> {
        let name = holder_name(&self.name);
        self.folder.sweep(Some(&name))?;
        self.folder
            .replace(&name, &Holder::ourselves(&self.purpose, Some(intent)).to_bytes())?;
        self.interrupted = None;
        Ok(())
    }

    /// Lets go of the lock, and leaves the intent for the next holder: what was
    /// declared may or may not have happened.
    pub fn leave_unfinished(mut self, intent: Intent) {
        self.interrupted = Some(intent);
    }

    /// Lets go of the lock and removes its file too. For profiles that will
    /// never be used again.
    pub fn remove(self) {
        // While it is held: whoever waits for the removed file notices and makes a new one
        let _ = self.folder.remove(&format!("{}.lock", self.name));
    }

    /// Says who holds the lock, for those who wait.
    fn name_holder(&self) -> Result<(), PrivateFileError> {
        let name = holder_name(&self.name);
        let content = Holder::ourselves(&self.purpose, self.interrupted.as_ref()).to_bytes();
        if self.interrupted.is_some() {
            return self.folder.replace(&name, &content);
        }
        // Not durable, and so quick: who held a lock means nothing after a crash
        let path = self.folder.file(&name);
        let mut file = open_or_make(&path)?;
        file.set_len(0)
            .and_then(|()| file.write_all(&content))
            .map_err(|source| PrivateFileError::Io {
                action: "write",
                path,
                source,
            })
    }
}

impl Drop for ProfileLock {
    fn drop(&mut self) {
        // In this order: after the unlock the holder file is somebody else's
        if self.interrupted.is_none() {
            let _ = fs::remove_file(self.folder.file(&holder_name(&self.name)));
        }
        let _ = self.file.unlock();
    }
}

fn holder_name(name: &str) -> String {
    format!("{name}.holder")
}

fn read_holder(folder: &PrivateDir, name: &str) -> Option<Holder> {
    let content = folder
        .read(&holder_name(name), MAX_HOLDER_BYTES, PermissionPolicy::Tighten)
        .ok()??;
    serde_json::from_slice(&content).ok()
}

fn holder(folder: &PrivateDir, name: &str) -> String {
    read_holder(folder, name).map_or_else(|| "another process".to_owned(), |holder| holder.describe())
}

/// Whether the file that was locked is the one that others will find.
#[cfg(unix)]
fn still_stands_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(locked), Ok(found)) => (locked.dev(), locked.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// An open file cannot lose its name here.
#[cfg(not(unix))]
fn still_stands_there(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::sync::mpsc;

    fn profile() -> ProfileName {
        ProfileName::parse("work").unwrap()
    }

    fn acquire(folder: &Path, wait: Duration) -> Result<ProfileLock, LockError> {
        ProfileLock::acquire(folder, &profile(), Purpose::Change, wait, &mut |_| {})
    }

    fn intent() -> Intent {
        Intent {
            command: "token".to_owned(),
            at: UnixSeconds(1_700_000_000),
            generation: 8,
            fingerprint: "1a2b3c4d".to_owned(),
        }
    }

    #[test]
    fn who_waits_in_vain_is_told_whom_for() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("oauth/locks");
        let mut held = acquire(&folder, Duration::ZERO).unwrap();
        let error = acquire(&folder, Duration::from_millis(20)).unwrap_err();
        let pid = std::process::id();
        assert!(matches!(&error, LockError::OwnedEvent { holder, .. } if *holder == format!("process {pid}")));
        assert_eq!(error.exit_code(), ExitCode::Timeout);

        held.declare(&intent()).unwrap();
        let mut told = Vec::new();
        let wait = Purpose::Change.tell_after() + Duration::from_millis(100);
        let error = ProfileLock::acquire(&folder, &profile(), Purpose::Change, wait, &mut |holder| {
            told.push(holder.to_owned())
        })
        .unwrap_err();
        assert_eq!(told, [format!("process {pid} (`oauth token`)")]);
        assert!(error.to_string().contains(&told[0]), "{error}");
        drop(held);
        acquire(&folder, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_waiter_gets_the_lock_when_it_is_let_go() {
        let home = tempfile::tempdir().unwrap();
        let held = acquire(home.path(), Duration::ZERO).unwrap();
        let (waiting, wait_began) = mpsc::channel();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                ProfileLock::acquire(
                    home.path(),
                    &profile(),
                    Purpose::Change,
                    Duration::from_secs(60),
                    &mut |_| {
                        waiting.send(()).unwrap();
                    },
                )
            });
            wait_began.recv().unwrap();
            drop(held);
            waiter.join().unwrap().unwrap();
        });
    }

    #[test]
    fn profiles_do_not_wait_for_each_other() {
        let home = tempfile::tempdir().unwrap();
        let _held = acquire(home.path(), Duration::ZERO).unwrap();
        let other = ProfileName::parse("work.x").unwrap();
        ProfileLock::acquire(home.path(), &other, Purpose::Change, Duration::ZERO, &mut |_| {}).unwrap();
    }

    #[test]
    fn the_lock_file_stays_and_the_holder_file_goes() {
        let home = tempfile::tempdir().unwrap();
        let mut lock = acquire(home.path(), Duration::ZERO).unwrap();
        lock.declare(&intent()).unwrap();
        assert!(home.path().join("work.holder").exists());
        drop(lock);
        assert!(home.path().join("work.lock").exists());
        assert!(!home.path().join("work.holder").exists());
    }

    #[test]
    fn an_intention_left_behind_is_found_until_another_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        let left = Holder {
            pid: 1,
            ..Holder::ourselves(&Purpose::Change, Some(&intent()))
        };
        fs::write(home.path().join("work.holder"), left.to_bytes()).unwrap();
        // seen, not acted upon: it stays for the next one
        let lock = acquire(home.path(), Duration::ZERO).unwrap();
        assert_eq!(lock.interrupted(), Some(&intent()));
        let ourselves = read_holder(&lock.folder, "work").unwrap();
        assert_eq!(ourselves.pid, std::process::id());
        drop(lock);
        let mut lock = acquire(home.path(), Duration::ZERO).unwrap();
        assert_eq!(lock.interrupted(), Some(&intent()));
        lock.declare(&Intent {
            generation: 9,
            ..intent()
        })
        .unwrap();
        assert_eq!(lock.interrupted(), None);
        drop(lock);
        assert_eq!(acquire(home.path(), Duration::ZERO).unwrap().interrupted(), None);
    }

    #[test]
    fn nonsense_in_the_holder_file_is_nobody() {
        let home = tempfile::tempdir().unwrap();
        for nonsense in [&b""[..], b"{", b"\xff", b"{\"pid\":\"x\"}", &[b'x'; 10_000]] {
            fs::write(home.path().join("work.holder"), nonsense).unwrap();
            let lock = acquire(home.path(), Duration::ZERO).unwrap();
            assert_eq!(lock.interrupted(), None);
            fs::write(home.path().join("work.holder"), nonsense).unwrap();
            let error = acquire(home.path(), Duration::ZERO).unwrap_err();
            assert!(error.to_string().contains("another process"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_was_removed_excludes_nobody_by_mistake() {
        let home = tempfile::tempdir().unwrap();
        let held = acquire(home.path(), Duration::ZERO).unwrap();
        let (waiting, wait_began) = mpsc::channel();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                ProfileLock::acquire(
                    home.path(),
                    &profile(),
                    Purpose::Change,
                    Duration::from_secs(60),
                    &mut |_| {
                        waiting.send(()).unwrap();
                    },
                )
            });
            wait_began.recv().unwrap();
            held.remove();
            let lock = waiter.join().unwrap().unwrap();
            assert!(home.path().join("work.lock").exists());
            assert!(acquire(home.path(), Duration::ZERO).is_err());
            lock.remove();
        });
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_lost_its_name_to_another_is_not_the_lock() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("work.lock");
        let file = open_or_make(&path).unwrap();
        assert!(still_stands_there(&file, &path));
        fs::remove_file(&path).unwrap();
        assert!(!still_stands_there(&file, &path));
        open_or_make(&path).unwrap();
        assert!(!still_stands_there(&file, &path));
    }

    #[cfg(unix)]
    #[test]
    fn lock_files_are_for_the_owner_alone_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("locks");
        drop(acquire(&folder, Duration::ZERO).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&folder), mode(&folder.join("work.lock"))), (0o700, 0o600));

        fs::remove_file(folder.join("work.lock")).unwrap();
        symlink(home.path().join("elsewhere"), folder.join("work.lock")).unwrap();
        let error = acquire(&folder, Duration::ZERO).unwrap_err();
        assert!(
            matches!(
                &error,
                LockError::File {
                    source: PrivateFileError::Symlink { .. },
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(error.exit_code(), ExitCode::Store);
        assert!(!home.path().join("elsewhere").exists());
    }
}
