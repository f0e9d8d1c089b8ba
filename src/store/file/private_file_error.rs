//! Why a private file or its directory cannot be used.

use crate::protocol::random::RandomnessFailed;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a private file or its folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// Somebody put a link there.
    #[error("`{}` is a symbolic link, and links are not followed here", path.display())]
    Symlink { path: PathBuf },
    /// Not the kind of thing that was expected.
    #[error("`{}` is not a {expected}", path.display())]
    WrongKind {
        path: PathBuf,
        /// `folder` or `regular file`.
        expected: &'static str,
    },
    /// The folder belongs to somebody who could change what is in it.
    #[error("the folder `{}` belongs to another user", path.display())]
    ForeignOwner { path: PathBuf },
    /// The file could have been read by others.
    #[error("`{}` can be read by other users (mode {mode:04o})", path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    /// Longer than anything that belongs there.
    #[error("`{}` is larger than {limit_bytes} bytes", path.display())]
    TooLarge {
        path: PathBuf,
        /// What was expected at most.
        limit_bytes: u64,
    },
    /// The operating system said no.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// No name for a new file could be drawn.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

impl PrivateFileError {
    /// What a person can do about it.
    pub(in crate::store) fn hints(&self) -> Vec<String> {
        match self {
            PrivateFileError::Symlink { path } => {
                vec![format!(
                    "Put the real file or folder in the place of `{}`.",
                    path.display()
                )]
            }
            PrivateFileError::ForeignOwner { path } => {
                vec![format!(
                    "Run `oauth` as the user who owns `{}`, or choose another folder with XDG_DATA_HOME.",
                    path.display()
                )]
            }
            PrivateFileError::TooOpen { path, .. } => {
                vec![format!(
                    "If nobody else has read it, run `chmod 600 {}`; else remove it and log in again.",
                    path.display()
                )]
            }
            PrivateFileError::Io { source, path, .. } if source.kind() == ErrorKind::PermissionDenied => {
                vec![format!("Make `{}` writable for you.", path.display())]
            }
            PrivateFileError::Io { source, path, .. }
                if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
            {
                vec![format!("Make room on the disk of `{}`.", path.display())]
            }
            PrivateFileError::Io { source, .. } if source.kind() == ErrorKind::FileTooLarge => {
                vec!["Raise the limit on the size of files (`ulimit -f`).".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> PrivateFileError {
    // What O_NOFOLLOW answers where the last part of the path is a link
    #[cfg(unix)]
    if source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return PrivateFileError::Symlink {
            path: path.to_path_buf(),
        };
    }
    PrivateFileError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
