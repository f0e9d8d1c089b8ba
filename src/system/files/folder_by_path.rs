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
        let file = options
            .open(&path)
            .map_err(|error| FileError::io("open", &path, error))?;
        checked_own_file(file, &path)
    }

    pub(super) fn open_any(&self, name: &Path) -> io::Result<File> {
        File::open(self.path.join(name))
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
        while_held_by_others(|| fs::rename(&from, &to))
    }

    pub(super) fn rename_unless_taken(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(self.path.join(from), self.path.join(to))?;
        self.remove(from)
    }

    pub(super) fn remove(&self, name: &Path) -> io::Result<()> {
        let path = self.path.join(name);
        while_held_by_others(|| fs::remove_file(&path))
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

/// Does it again for a while where another program holds the file: virus
/// scanners and indexers open a file for a moment after it was written.
fn while_held_by_others(action: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(1);
    try_until(Instant::now() + PATIENCE, action)
}

fn try_until(deadline: Instant, mut action: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    loop {
        match action() {
            Err(error) if is_held_by_others(&error) && Instant::now() < deadline => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

fn is_held_by_others(error: &io::Error) -> bool {
    const ERROR_ACCESS_DENIED: i32 = 5;
    const ERROR_SHARING_VIOLATION: i32 = 32;
    const ERROR_LOCK_VIOLATION: i32 = 33;
    matches!(
        error.raw_os_error(),
        Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION)
    )
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
    use super::*;

    #[test]
    fn a_file_that_another_program_holds_is_tried_again_and_no_other_failure_is() {
        let far = Instant::now() + Duration::from_secs(60);
        for code in [5, 32, 33] {
            let mut failures = 2;
            let outcome = try_until(far, || match failures {
                0 => Ok(()),
                _ => {
                    failures -= 1;
                    Err(io::Error::from_raw_os_error(code))
                }
            });
            assert!(outcome.is_ok(), "{code}: {outcome:?}");
        }
        let mut calls = 0;
        let absent = try_until(far, || {
            calls += 1;
            Err(ErrorKind::NotFound.into())
        });
        assert_eq!(absent.map_err(|error| error.kind()), Err(ErrorKind::NotFound));
        assert_eq!(calls, 1);
        let held = try_until(Instant::now(), || Err(io::Error::from_raw_os_error(32)));
        assert_eq!(
            held.err().and_then(|error| error.raw_os_error()),
            Some(32),
            "not for ever"
        );
    }
}
