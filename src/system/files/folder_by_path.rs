//! A folder where there are no descriptors of folders: on Windows, whose access
//! lists of the profile folder stand for owner and mode.

use super::PermissionPolicy;
use super::error::FileError;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// What is under a name.
pub(super) struct Entry(Metadata);

impl Entry {
    pub(super) fn is_regular(&self) -> bool {
        self.0.is_file()
    }

    pub(super) fn is_folder(&self) -> bool {
        self.0.is_dir()
    }

    pub(super) fn is_symlink(&self) -> bool {
        self.0.is_symlink()
    }

    pub(super) fn length_bytes(&self) -> u64 {
        self.0.len()
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.0.modified().ok()
    }

    pub(super) fn check_named(&self, path: &Path) -> Result<(), FileError> {
        match self.is_regular() {
            true => Ok(()),
            false => Err(FileError::WrongKind {
                path: path.to_path_buf(),
                expected: "regular file",
            }),
        }
    }

    pub(super) fn check_stream(&self, _path: &Path) -> Result<(), FileError> {
        Ok(())
    }

    pub(super) fn permissions(&self) -> Permissions {
        Permissions {
            is_read_only: self.0.permissions().readonly(),
        }
    }
}

/// Those of the folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permissions {
    is_read_only: bool,
}

impl Permissions {
    pub(super) const OWN: Permissions = Permissions { is_read_only: false };

    pub(super) fn forbid_writing(self) -> bool {
        self.is_read_only
    }
}

impl Folder {
    pub(super) fn own(path: &Path) -> Result<Option<Folder>, FileError> {
        let path = path.to_path_buf();
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => Err(FileError::Symlink { path }),
            Ok(found) if found.is_dir() => Ok(Some(Folder { path })),
            Ok(_) => Err(FileError::WrongKind {
                path,
                expected: "folder",
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::io("look at", &path, error)),
        }
    }

    pub(super) fn of_user(path: &Path) -> Result<Option<Folder>, FileError> {
        Folder::own(&fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()))
    }

    pub(super) fn of_anybody(path: &Path) -> Result<Folder, FileError> {
        let missing = || FileError::io("open", path, io::Error::from(ErrorKind::NotFound));
        Folder::of_user(path)?.ok_or_else(missing)
    }

    pub(super) fn make(path: &Path) -> Result<(), FileError> {
        fs::create_dir_all(path).map_err(|error| match path.ancestors().find(|above| above.is_file()) {
            Some(file) => FileError::WrongKind {
                path: file.to_path_buf(),
                expected: "folder",
            },
            None => FileError::io("make the folder", path, error),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn open_own(&self, name: &str, _policy: PermissionPolicy) -> Result<Option<File>, FileError> {
        let path = self.path.join(name);
        match self.open_any(Path::new(name)) {
            Ok(file) => checked_own_file(file, &path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::io("open", &path, error)),
        }
    }

    pub(super) fn open_or_make_own(&self, name: &str) -> Result<File, FileError> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open(&options, &path).map_err(|error| FileError::io("open", &path, error))?;
        checked_own_file(file, &path)
    }

    pub(super) fn open_any(&self, name: &Path) -> io::Result<File> {
        open(OpenOptions::new().read(true), &self.path.join(name))
    }

    pub(super) fn open_stream(&self, name: &Path, _reader_patience: Duration) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.path.join(name))
    }

    pub(super) fn make_file(&self, name: &Path, _permissions: Permissions) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.path.join(name))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.path.join(from), self.path.join(to));
        change(|| fs::rename(&from, &to))
    }

    pub(super) fn rename_unless_taken(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (old, new) = (self.path.join(from), self.path.join(to));
        change(|| fs::hard_link(&old, &new))?;
        self.remove(from)
    }

    pub(super) fn remove(&self, name: &Path) -> io::Result<()> {
        let path = self.path.join(name);
        change(|| fs::remove_file(&path))
    }

    pub(super) fn entry(&self, name: &Path) -> io::Result<Entry> {
        fs::symlink_metadata(self.path.join(name)).map(Entry)
    }

    /// Whether there is a file of this name. Whether it is this one cannot be
    /// seen here; only a profile that is used once has its lock file removed.
    pub(super) fn has(&self, _file: &File, name: &Path) -> bool {
        self.entry(name).is_ok()
    }

    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;

/// How long another program may hold a file: virus scanners and indexers open
/// one for a moment after it was written, and what is written here may exist
/// nowhere else.
const HOLDERS_PATIENCE: Duration = Duration::from_secs(10);

/// Opens a file, again for a while where another program has it for itself alone.
fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let deadline = Instant::now() + HOLDERS_PATIENCE;
    try_until(deadline, &[ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION], || {
        options.open(path)
    })
}

/// Gives a file another name or removes it, again for a while where another
/// program has it open, which access that is denied may mean too.
fn change(action: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let deadline = Instant::now() + HOLDERS_PATIENCE;
    let of_holders = [ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION];
    try_until(deadline, &of_holders, action)
}

fn try_until<T>(deadline: Instant, passing: &[i32], mut action: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const PAUSE: Duration = Duration::from_millis(20);
    let passes = |error: &io::Error| error.raw_os_error().is_some_and(|code| passing.contains(&code));
    loop {
        match action() {
            Err(error) if passes(&error) && Instant::now() < deadline => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

fn checked_own_file(file: File, path: &Path) -> Result<File, FileError> {
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(FileError::WrongKind {
            path: path.to_path_buf(),
            expected: "regular file",
        }),
        Err(error) => Err(FileError::io("look at", path, error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use std::os::windows::fs::OpenOptionsExt;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// The code of each failure of this until it works, and what it gives then,
    /// while another program has the file open for itself alone; it closes the
    /// file after the first failure.
    fn beside_a_holder<T>(path: &Path, passing: &[i32], action: impl Fn() -> io::Result<T>) -> (Vec<i32>, T) {
        let alone = OpenOptions::new().read(true).share_mode(0).open(path).unwrap();
        let (mut holder, mut codes) = (Some(alone), Vec::new());
        let outcome = try_until(in_a_minute(), passing, || {
            let outcome = action();
            codes.extend(outcome.as_ref().err().and_then(io::Error::raw_os_error));
            drop(holder.take());
            outcome
        });
        (codes, outcome.unwrap())
    }

    #[test]
    fn a_file_that_another_program_holds_is_opened_named_and_removed_when_it_is_free() {
        let home = tempfile::tempdir().unwrap();
        let (old, new) = (home.path().join("old"), home.path().join("new"));
        fs::write(&old, "kept").unwrap();
        let sharing = [ERROR_SHARING_VIOLATION];
        let (codes, content) = beside_a_holder(&old, &sharing, || fs::read_to_string(&old));
        assert_eq!((codes.as_slice(), content.as_str()), (&sharing[..], "kept"));
        let (codes, ()) = beside_a_holder(&old, &sharing, || fs::rename(&old, &new));
        assert_eq!((codes.as_slice(), new.exists()), (&sharing[..], true));
        let (codes, ()) = beside_a_holder(&new, &sharing, || fs::remove_file(&new));
        assert_eq!((codes.as_slice(), new.exists()), (&sharing[..], false));
    }

    #[test]
    fn no_other_failure_is_tried_again_and_none_for_ever() {
        let mut calls = 0;
        let absent: io::Result<()> = try_until(in_a_minute(), &[ERROR_ACCESS_DENIED], || {
            calls += 1;
            Err(ErrorKind::NotFound.into())
        });
        assert_eq!(absent.map_err(|error| error.kind()), Err(ErrorKind::NotFound));
        assert_eq!(calls, 1);
        let held: io::Result<()> = try_until(Instant::now(), &[ERROR_LOCK_VIOLATION], || {
            Err(io::Error::from_raw_os_error(ERROR_LOCK_VIOLATION))
        });
        let code = held.err().and_then(|error| error.raw_os_error());
        assert_eq!(code, Some(ERROR_LOCK_VIOLATION));
    }
}
