//! Every file of this program is opened, made, renamed and removed here, in
//! one of two ways.
//!
//! *Ours* ([`PrivateDir`]): sessions, locks, the store's key, temporaries, new
//! traces. No link is followed; a file is regular, has one name, belongs to the
//! effective user and has mode 0600, its folder 0700, whatever the umask; a new
//! one is made under a random name and then renamed.
//!
//! *Named by the user* ([`named`]): configuration, secrets, keys, certificates.
//! Links are followed, since Kubernetes, Nix and stow make them; what is
//! opened is a regular file or a pipe, belongs to the user or root and can be
//! changed by no other user, and is read up to a limit of size and time.
//!
//! Both are checked through the descriptor that is then used, and the folders
//! above as `StrictModes` of sshd does. The rules are in `rules.rs`. On Windows
//! the access lists of the profile folder stand for owner and mode.

#[cfg(unix)]
mod accounts;
pub mod content;
mod error;
#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "folder_by_path.rs"]
mod folder;
mod lock_file;
pub mod named;
pub mod output;
mod own;
#[cfg(unix)]
mod rules;
#[cfg(unix)]
mod way;

pub use error::FileError;
pub use lock_file::LockFile;
pub use own::PrivateDir;
#[cfg(unix)]
pub use rules::PermissionPolicy;

/// What to do with a file of ours that others can read; nothing, on systems without modes.
#[cfg(not(unix))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionPolicy {
    Tighten,
    Refuse,
}

/// Whether this descriptor is `/dev/null`.
#[cfg(unix)]
pub fn is_null_device(descriptor: impl std::os::fd::AsFd) -> bool {
    rustix::fs::fstat(descriptor).is_ok_and(|stat| rules::is_null_device(&stat))
}

/// Whether this process has a controlling terminal, wherever its streams lead.
pub fn has_controlling_terminal() -> bool {
    cfg!(unix) && std::fs::File::open("/dev/tty").is_ok()
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;
    use std::process::Command;

    /// A pipe with this name. `mkfifo` makes it, since rustix makes none on macOS.
    pub fn make_pipe(path: &Path) {
        let made = Command::new("mkfifo").arg("-m").arg("600").arg(path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo {}", path.display());
    }
}
