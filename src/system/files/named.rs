//! Files that the user names: read within limits, and the configuration file replaced.

use super::error::FileError;
use super::folder::Permissions;
use super::own::PrivateDir;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The most that is read of a file that the user names.
pub const MAX_BYTES: usize = 1024 * 1024;
/// How long a pipe may take to be written to its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The content of a file or a pipe.
///
/// # Errors
/// [`FileError`]; [`FileError::is_not_found`] where it is not there.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_within(path, MAX_BYTES, PATIENCE)
}

/// The same with a limit of its own.
///
/// # Errors
/// As [`read`].
pub fn read_at_most(path: &Path, limit_bytes: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_within(path, limit_bytes, PATIENCE)
}

/// The content as text.
///
/// # Errors
/// As [`read`], and for what is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    let mut content = read(path)?;
    String::from_utf8(std::mem::take(&mut *content))
        .map_err(|_| FileError::Unreadable(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text")))
}

/// The names of what is in a folder, as paths.
///
/// # Errors
/// [`FileError`].
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = std::fs::read_dir(folder).map_err(FileError::Unreadable)?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// Writes a file that everyone may read, and makes its folder where it is not there.
///
/// # Errors
/// [`FileError`].
pub fn write_public(folder: &Path, name: &str, content: &[u8]) -> Result<(), FileError> {
    std::fs::create_dir_all(folder).map_err(|error| FileError::io("make", folder, error))?;
    let path = folder.join(name);
    std::fs::write(&path, content).map_err(|error| FileError::io("write", &path, error))
}

#[cfg(unix)]
fn read_within(path: &Path, limit_bytes: usize, patience: Duration) -> Result<Zeroizing<Vec<u8>>, FileError> {
    use super::{rules, way};
    use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
    let failed = |error: rustix::io::Errno| FileError::Unreadable(error.into());
    // NONBLOCK: opening a pipe must not wait for its writer
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat(CWD, path, flags, Mode::empty()).map_err(failed)?;
    let stat = fstat(&file).map_err(failed)?;
    if rules::is_null_device(&stat) {
        return Ok(Zeroizing::default());
    }
    rules::named_file(&stat, path)?;
    // A pipe, or a file without a name, is where nobody can put another one
    let has_name = !rules::is_pipe(&stat) && stat.st_nlink > 0;
    if has_name {
        way::file_in_safe_folders(path)?;
    }
    let size_bytes = match rules::is_pipe(&stat) {
        true => limit_bytes,
        false => usize::try_from(stat.st_size).unwrap_or(limit_bytes).min(limit_bytes),
    };
    // Its room from the start: a vector that grew would leave secrets behind in memory
    let mut content = Zeroizing::new(vec![0; size_bytes + 1]);
    let deadline = std::time::Instant::now() + patience;
    let mut length_bytes = 0;
    loop {
        if rules::is_pipe(&stat) && !is_readable(&file, deadline).map_err(failed)? {
            return Err(FileError::TimedOut {
                path: path.to_path_buf(),
                limit_s: patience.as_secs(),
            });
        }
        match rustix::io::read(&file, &mut content[length_bytes..]) {
            Ok(0) => break,
            Ok(read_bytes) => length_bytes += read_bytes,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
            Err(error) => return Err(failed(error)),
        }
        if length_bytes > limit_bytes {
            return Err(too_large(path, limit_bytes));
        }
        if length_bytes == content.len() {
            // It has grown since it was opened
            let mut larger = Zeroizing::new(vec![0; limit_bytes + 1]);
            larger[..length_bytes].copy_from_slice(&content);
            content = larger;
        }
    }
    content.truncate(length_bytes);
    Ok(content)
}

/// Whether there is something to read, or the end, before the deadline.
#[cfg(unix)]
fn is_readable(file: &std::os::fd::OwnedFd, deadline: std::time::Instant) -> Result<bool, rustix::io::Errno> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        let left = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(file, PollFlags::IN)], left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            outcome => return Ok(outcome? > 0),
        }
    }
}

#[cfg(not(unix))]
fn read_within(path: &Path, limit_bytes: usize, _patience: Duration) -> Result<Zeroizing<Vec<u8>>, FileError> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(FileError::Unreadable)?;
    let mut content = Zeroizing::new(Vec::new());
    file.take(limit_bytes as u64 + 1)
        .read_to_end(&mut content)
        .map_err(FileError::Unreadable)?;
    match content.len() > limit_bytes {
        true => Err(too_large(path, limit_bytes)),
        false => Ok(content),
    }
}

fn too_large(path: &Path, limit_bytes: usize) -> FileError {
    FileError::TooLarge {
        path: path.to_path_buf(),
        limit_bytes: limit_bytes as u64,
    }
}

/// Shows that [`Replaced::replace`] would work for this path, and leaves nothing
/// behind: where the folder is not there, it shows that it could be made.
///
/// # Errors
/// [`FileError`].
pub fn check_replaceable(path: &Path) -> Result<(), FileError> {
    let end = end_of_links(path)?;
    let not_found = || FileError::io("find", path, io::Error::from(io::ErrorKind::NotFound));
    let name = end.file_name().and_then(|name| name.to_str()).ok_or_else(not_found)?;
    let mut folder = folder_above(&end);
    if PrivateDir::existing_shared(folder)?.is_some() {
        return Replaced::find(path)?.check_writable();
    }
    loop {
        folder = folder.parent().ok_or_else(not_found)?;
        if let Some(existing) = PrivateDir::existing_shared(or_current(folder))? {
            return existing.test_write(name, 0);
        }
    }
}

/// The file behind links; what does not exist is as it was given.
fn end_of_links(path: &Path) -> Result<PathBuf, FileError> {
    #[cfg(unix)]
    return super::way::file_in_safe_folders(path);
    #[cfg(not(unix))]
    return Ok(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()));
}

/// The folder of a file, which may be a name alone.
pub(super) fn folder_above(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(Path::new("")))
}

/// The folder; the current one where its path is empty, as that of a bare name is.
fn or_current(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

/// A file that the user named, and that will be replaced.
pub struct Replaced {
    folder: PrivateDir,
    name: String,
    permissions: Permissions,
}

impl Replaced {
    /// Finds the file behind links, and makes its folder (mode 0700) where it is not there.
    ///
    /// # Errors
    /// [`FileError`] where it is not a regular file, or other users can change it.
    pub fn find(path: &Path) -> Result<Replaced, FileError> {
        let end = end_of_links(path)?;
        let not_a_file = || FileError::WrongKind {
            path: path.to_path_buf(),
            expected: "regular file",
        };
        let Some(name) = end.file_name().and_then(|name| name.to_str()) else {
            return Err(not_a_file());
        };
        let folder = PrivateDir::make_shared(folder_above(&end))?;
        let permissions = match folder.entry(name)? {
            None => Permissions::OWN,
            Some(entry) if !entry.is_regular() => return Err(not_a_file()),
            Some(entry) => {
                entry.check_named(&end)?;
                entry.permissions()
            }
        };
        Ok(Replaced {
            folder,
            name: name.to_owned(),
            permissions,
        })
    }

    /// The path of the file itself.
    pub fn path(&self) -> PathBuf {
        self.folder.file(&self.name)
    }

    /// Shows that [`replace`](Self::replace) would work, and leaves nothing behind.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn check_writable(&self) -> Result<(), FileError> {
        if self.permissions.forbid_writing() {
            let denied = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(FileError::io("write", &self.path(), denied));
        }
        self.folder.test_write(&self.name, 0)
    }

    /// Puts this content in its place, at once and durably, with the mode that it had.
    ///
    /// # Errors
    /// [`FileError`]; the file is then as it was.
    pub fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        self.folder.replace_named(&self.name, content, self.permissions)
    }
}

#[cfg(all(test, unix))]
mod tests;
