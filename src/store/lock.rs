//! One process at a time changes a profile's session.
//!
//! The lock is the kernel's on a file of its own (`NAME.lock`): it ends with
//! the process, however that ends, so that no lock is ever stale. Beside it
//! `NAME.holder` says who holds it and what they are about to do, with no
//! secret in it; one that was left behind tells that they did not finish.

use super::profile_name::{ProfileName, file_name};
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::sanitize;
use crate::output::duration::describe;
use crate::protocol::time::UnixSeconds;
use crate::system::files::{FileError, LockFile, PermissionPolicy, PrivateDir};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The first pause between two attempts; it grows from there.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_millis(50);
const MAX_HOLDER_BYTES: u64 = 4096;

/// What a profile is locked for. One lock does not keep the other away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockKind {
    /// To change the session: a matter of milliseconds, or of one request.
    Session,
    /// To log in at this server: a matter of minutes.
    LogIn {
        /// The issuer, or the authorization endpoint where there is none.
        server: String,
    },
}

impl LockKind {
    /// The name of the lock's files, of a profile whose own files have this name.
    fn file_name(&self, name: String) -> String {
        match self {
            LockKind::Session => name,
            // The dot keeps it apart from a profile of that name
            LockKind::LogIn { .. } => format!(".{name}.login"),
        }
    }

    /// After this time of waiting the holder is reported.
    fn tell_after(&self) -> Duration {
        match self {
            LockKind::Session => Duration::from_secs(1),
            LockKind::LogIn { .. } => Duration::ZERO,
        }
    }

    fn server(&self) -> Option<&str> {
        match self {
            LockKind::Session => None,
            LockKind::LogIn { server } => Some(server),
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
    file: LockFile,
    name: String,
    kind: LockKind,
    interrupted: Option<Intent>,
}

/// Why a profile could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else did not let go in time.
    #[error("profile `{profile}` is being changed by {holder}, which did not finish within {}", describe(*waited))]
    Held {
        profile: ProfileName,
        /// Who holds it, as far as it is known.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The file system knows no locks.
    #[error("the file system of `{}` has no file locks", path.display())]
    Unsupported { path: PathBuf, source: io::Error },
    /// The lock file cannot be had.
    #[error("profile `{profile}` cannot be locked")]
    File { profile: ProfileName, source: FileError },
}

impl Diagnosis for LockError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LockError::Held { .. } => ExitCode::Timeout,
            LockError::Unsupported { .. } | LockError::File { .. } => ExitCode::Store,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            LockError::Held { .. } => vec!["Wait for it, then run this again.".to_owned()],
            LockError::Unsupported { .. } => {
                vec!["Choose a data folder on a local disk with XDG_DATA_HOME.".to_owned()]
            }
            LockError::File { source, .. } => source.hints_in_data_folder(),
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
    fn current_process(kind: &LockKind, intent: Option<&Intent>) -> Self {
        Holder {
            pid: std::process::id(),
            server: kind.server().map(str::to_owned),
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

/// Whether this profile was ever locked here, as each login that is stored
/// does: the file of a lock is never deleted but with the profile.
pub fn was_locked(locks_folder: &Path, profile: &ProfileName) -> bool {
    let name = LockKind::Session.file_name(file_name(profile.as_str()));
    locks_folder.join(format!("{name}.lock")).exists()
}

impl ProfileLock {
    /// Takes the lock of a profile; waits for it at most as long as `wait`.
    /// `on_wait` is called once, when that takes longer than a second (at once
    /// for a login), with who holds it, such as ``process 4711 (`oauth token`)``.
    ///
    /// # Errors
    /// [`LockError::Held`] when the time is over.
    pub fn acquire(
        locks_folder: &Path,
        profile: &ProfileName,
        kind: LockKind,
        wait: Duration,
        on_wait: &mut dyn FnMut(&str),
    ) -> Result<ProfileLock, LockError> {
        let file_error = |source| LockError::File {
            profile: profile.clone(),
            source,
        };
        let folder = PrivateDir::make(locks_folder).map_err(file_error)?;
        let name = kind.file_name(file_name(profile.as_str()));
        let lock_name = format!("{name}.lock");
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut told = false;
        let file = loop {
            let file = folder.lock_file(&lock_name).map_err(file_error)?;
            match file.try_lock() {
                Ok(true) if folder.has(&file, &lock_name) => break file,
                // It was removed in between: lock the one that is there now
                Ok(true) => continue,
                Ok(false) => {}
                Err(source) => {
                    let path = folder.file(&lock_name);
                    return Err(LockError::Unsupported { path, source });
                }
            }
            let waited = began.elapsed();
            // before the end is looked at: between two attempts on a slow machine both times may pass
            if !told && kind.tell_after() < wait && waited >= kind.tell_after() {
                told = true;
                on_wait(&holder(&folder, &name));
            }
            if waited >= wait {
                return Err(LockError::Held {
                    profile: profile.clone(),
                    holder: holder(&folder, &name),
                    waited,
                });
            }
            std::thread::sleep(pause.min(wait.saturating_sub(waited)));
            pause = (pause * 2).min(MAX_PAUSE);
        };

        let interrupted = read_holder(&folder, &name).and_then(Holder::intent);
        let lock = ProfileLock {
            folder,
            file,
            name,
            kind,
            interrupted,
        };
        // For messages alone, and an intent that it would repeat is still there:
        // a full disk is no reason not to log out
        let _ = lock.name_holder();
        Ok(lock)
    }

    /// What the previous holder was about to do when it ended without
    /// finishing. One whose generation the session has reached did finish.
    /// It is kept until something else is [written](Self::write_intent).
    pub fn interrupted(&self) -> Option<&Intent> {
        self.interrupted.as_ref()
    }

    /// Writes down what will be done now: for the next holder, should this
    /// process be killed. A power cut may take it along.
    ///
    /// # Errors
    /// `FileError` when it cannot be written: then it must not be done.
    pub fn write_intent(&mut self, intent: &Intent) -> Result<(), FileError> {
        let name = holder_name(&self.name);
        self.folder.sweep(Some(&name))?;
        self.folder
            .replace(&name, &Holder::current_process(&self.kind, Some(intent)).to_bytes())?;
        self.interrupted = None;
        Ok(())
    }

    /// Lets go of the lock, and leaves the intent for the next holder: what was
    /// declared may or may not have happened.
    pub fn keep_intent(mut self, intent: Intent) {
        self.interrupted = Some(intent);
    }

    /// Lets go of the lock and removes its file too. For profiles that will
    /// never be used again.
    pub fn remove(self) {
        // While it is held: whoever waits for the removed file notices and makes a new one
        let _ = self.folder.remove(&format!("{}.lock", self.name));
    }

    /// Says who holds the lock, for those who wait.
    fn name_holder(&self) -> Result<(), FileError> {
        let name = holder_name(&self.name);
        let content = Holder::current_process(&self.kind, self.interrupted.as_ref()).to_bytes();
        if self.interrupted.is_some() {
            return self.folder.replace(&name, &content);
        }
        // Who held a lock means nothing after a crash
        self.folder.overwrite(&name, &content)
    }
}

impl Drop for ProfileLock {
    fn drop(&mut self) {
        // In this order: after the unlock the holder file is someone else's
        if self.interrupted.is_none() {
            self.folder.forget(&holder_name(&self.name));
        }
        self.file.unlock();
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

#[cfg(test)]
mod tests;
