//! Why a file or a folder cannot be used.

use crate::protocol::random::RandomnessFailed;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a file or a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Links are not followed there.
    #[error("`{}` is a symbolic link, and links are not followed here", path.display())]
    Symlink { path: PathBuf },
    /// Not the kind of thing that was expected.
    #[error("`{}` is not a {expected}", path.display())]
    WrongKind {
        path: PathBuf,
        /// `folder`, `regular file`, `regular file or a pipe`.
        expected: &'static str,
    },
    /// The owner could change what is in it.
    #[error("`{}` belongs to another user (uid {uid})", path.display())]
    ForeignOwner { path: PathBuf, uid: u32 },
    /// Others could change what is in it.
    #[error("`{}` can be changed by other users (mode {mode:04o})", path.display())]
    WritableByOthers { path: PathBuf, mode: u32 },
    /// Others could have read it.
    #[error("`{}` can be read by other users (mode {mode:04o})", path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
    /// The file has another name, through which it can be changed.
    #[error("`{}` has a second name (a hard link)", path.display())]
    HardLink { path: PathBuf },
    /// Longer than anything that belongs there.
    #[error("`{}` is larger than {limit_bytes} bytes", path.display())]
    TooLarge { path: PathBuf, limit_bytes: u64 },
    /// The writer of a pipe did not finish.
    #[error("`{}` was not written to its end within {limit_s} s", path.display())]
    TimedOut { path: PathBuf, limit_s: u64 },
    /// The operating system said no.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The same for a file that the user named; the caller adds its name.
    #[error(transparent)]
    Unreadable(io::Error),
    /// No name for a new file could be drawn.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

impl FileError {
    /// The error of the operating system, with what was tried.
    pub(super) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> FileError {
        let (path, source) = (path.to_path_buf(), source.into());
        // What O_NOFOLLOW answers where the last part of the path is a link
        #[cfg(unix)]
        if source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            return FileError::Symlink { path };
        }
        FileError::Io { action, path, source }
    }

    /// The error of a write to this path.
    pub fn unwritten(path: &Path, source: io::Error) -> FileError {
        FileError::io("write", path, source)
    }

    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, FileError::Io { source, .. } | FileError::Unreadable(source) if source.kind() == ErrorKind::NotFound)
    }

    /// Whether it could be used, and is refused for what it is.
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            FileError::Io { .. } | FileError::Unreadable(_) | FileError::Randomness(_)
        )
    }

    /// Whether a limit on the size of files was reached.
    pub fn is_file_too_large(&self) -> bool {
        matches!(self, FileError::Io { source, .. } if source.kind() == ErrorKind::FileTooLarge)
    }

    /// What a person can do about a file in the data folder.
    pub fn hints_in_data_folder(&self) -> Vec<String> {
        match self {
            FileError::Io { source, .. } if source.kind() == ErrorKind::ReadOnlyFilesystem => {
                vec!["Choose a data folder that can be written with XDG_DATA_HOME.".to_owned()]
            }
            _ => self.hints(),
        }
    }

    /// What a person can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            FileError::Symlink { path } => vec![format!("Replace `{}` with the real file or folder.", path.display())],
            FileError::ForeignOwner { path, .. } => vec![format!(
                "Run `oauth` as the user who owns `{}` (with sudo: `sudo -H`), or choose other folders with HOME, XDG_CONFIG_HOME and XDG_DATA_HOME.",
                path.display()
            )],
            FileError::WritableByOthers { path, .. } => vec![format!(
                "If what is there is still yours, run: chmod go-w {}",
                shell_word(path)
            )],
            FileError::ReadableByOthers { path, .. } => vec![format!(
                "If another user may have read it, remove it and log in again. Else make it private: chmod 600 {}",
                path.display()
            )],
            FileError::HardLink { path } => vec![format!(
                "Remove the other name, or replace the file by a copy: `find` shows both names with -samefile {}",
                shell_word(path)
            )],
            FileError::Io { source, path, .. } if source.kind() == ErrorKind::PermissionDenied => {
                vec![format!("Make `{}` writable for you.", path.display())]
            }
            FileError::Io { source, path, .. }
                if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
            {
                vec![format!("Make room on the disk of `{}`.", path.display())]
            }
            FileError::Io { source, .. } if source.kind() == ErrorKind::FileTooLarge => {
                vec!["Raise the limit on the size of files (`ulimit -f`).".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// The path as a word of a command line.
fn shell_word(path: &Path) -> String {
    shell_words::quote(&path.display().to_string()).into_owned()
}
