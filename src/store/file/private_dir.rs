//! A folder that only its owner can look into, and files in it that are
//! written whole or not at all.
//!
//! Files get their mode (0600) when they are made, never afterwards; nothing
//! is written through a symbolic link; a new file is complete and on disk
//! before it takes its name. On Windows the profile folder's own access list
//! stands in for the modes.

use crate::fault::{self, Point};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::system::SystemRandomness;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What follows the name of a file in the name of its successor.
const SUCCESSOR_ENDING: &str = ".next";

/// An unfinished file of a writer that did not come back is removed after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// Why a private file or its folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// Somebody put a link there.
    #[error("`{}` is a symbolic link, and links are not followed here", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Not the kind of thing that was expected.
    #[error("`{}` is not a {expected}", path.display())]
    WrongKind {
        /// What stands there.
        path: PathBuf,
        /// `folder` or `regular file`.
        expected: &'static str,
    },
    /// The folder belongs to somebody who could change what is in it.
    #[error("the folder `{}` belongs to another user", path.display())]
    ForeignOwner {
        /// The folder.
        path: PathBuf,
    },
    /// The file could have been read by others.
    #[error("`{}` can be read by other users (mode {mode:04o})", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Longer than anything that belongs there.
    #[error("`{}` is larger than {limit_bytes} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What was expected at most.
        limit_bytes: u64,
    },
    /// The operating system said no.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Its answer.
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

fn io_error(action: &'static str, path: &Path, source: io::Error) -> PrivateFileError {
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

/// What to do with a file that others can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum PermissionPolicy {
    /// Take the permissions away: what is in it tells them nothing.
    Tighten,
    /// Refuse it: they may have what is in it.
    Refuse,
}

/// A folder of mode 0700 that is ours.
#[derive(Debug, Clone)]
pub(in crate::store) struct PrivateDir {
    path: PathBuf,
}

impl PrivateDir {
    /// The folder, if it is there; tightened to 0700 if others could look into it.
    pub(in crate::store) fn existing(path: &Path) -> Result<Option<Self>, PrivateFileError> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("look at", path, error)),
        };
        if metadata.is_symlink() {
            return Err(PrivateFileError::Symlink {
                path: path.to_path_buf(),
            });
        }
        if !metadata.is_dir() {
            return Err(PrivateFileError::WrongKind {
                path: path.to_path_buf(),
                expected: "folder",
            });
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, PermissionsExt};
            let ourselves = rustix::process::geteuid();
            if !ourselves.is_root() && metadata.uid() != ourselves.as_raw() {
                return Err(PrivateFileError::ForeignOwner {
                    path: path.to_path_buf(),
                });
            }
            if metadata.mode() & 0o077 != 0 {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                    .map_err(|error| io_error("take others' permissions from", path, error))?;
            }
        }
        Ok(Some(PrivateDir {
            path: path.to_path_buf(),
        }))
    }

    /// The folder, made with its parents where it is not there.
    pub(in crate::store) fn make(path: &Path) -> Result<Self, PrivateFileError> {
        if let Some(folder) = Self::existing(path)? {
            return Ok(folder);
        }
        private_builder()
            .create(path)
            .map_err(|error| io_error("make the folder", path, error))?;
        Self::existing(path)?.ok_or_else(|| io_error("look at", path, ErrorKind::NotFound.into()))
    }

    /// A folder of the user's own, such as the one of the configuration: made
    /// private where it is not there, and taken as it is where it is.
    pub(in crate::store) fn make_shared(path: &Path) -> Result<Self, PrivateFileError> {
        private_builder()
            .create(path)
            .map_err(|error| io_error("make the folder", path, error))?;
        Ok(Self::shared(path))
    }

    /// The same without making it.
    pub(in crate::store) fn shared(path: &Path) -> Self {
        PrivateDir {
            path: path.to_path_buf(),
        }
    }

    /// The path of a file in it.
    pub(in crate::store) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The content of a file of at most `limit_bytes`, or `None` when it is not there.
    pub(in crate::store) fn read(
        &self,
        name: &str,
        limit_bytes: u64,
        open_to_others: PermissionPolicy,
    ) -> Result<Option<Vec<u8>>, PrivateFileError> {
        let path = self.file(name);
        let mut options = OpenOptions::new();
        options.read(true);
        // NONBLOCK: a named pipe in its place must not keep us waiting
        refuse_links(&mut options, OnUnix::AndPipes);
        let file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", &path, error)),
        };
        check_file(&file, &path, open_to_others)?;
        let mut content = Vec::new();
        file.take(limit_bytes.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| io_error("read", &path, error))?;
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit_bytes {
            return Err(PrivateFileError::TooLarge { path, limit_bytes });
        }
        Ok(Some(content))
    }

    /// Puts a file of mode 0600 in the place of the old one, at once and durably.
    pub(in crate::store) fn replace(&self, name: &str, content: &[u8]) -> Result<(), PrivateFileError> {
        let unfinished = self.write_unfinished(name, content)?;
        let path = self.file(name);
        unfinished.rename_to(&path)?;
        self.sync()
    }

    /// The same as [`replace`](Self::replace), for content that exists nowhere
    /// else: from its first rename on, before anything waits for the disk,
    /// [`successor`](Self::successor) has it, whatever becomes of this process.
    pub(in crate::store) fn replace_at_once(&self, name: &str, content: &[u8]) -> Result<(), PrivateFileError> {
        let (unfinished, file) = self.write_without_waiting(name, content)?;
        fault::io(Point::FileUnfinished).map_err(|error| io_error("write", &unfinished.path, error))?;
        let successor = self.file(&successor_name(name));
        unfinished.rename_to(&successor)?;
        fault::io(Point::FileNamedSuccessor).map_err(|error| io_error("write", &successor, error))?;
        file.sync_all().map_err(|error| io_error("write", &successor, error))?;
        let path = self.file(name);
        match rename(&successor, &path) {
            // Of two writers at once, the other one has put its own there
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            outcome => outcome.map_err(|error| io_error("replace", &path, error))?,
        }
        fault::here(Point::FileNamed);
        self.sync()
    }

    /// What [`replace_at_once`](Self::replace_at_once) wrote and had no time to
    /// put in its place. It is newer than the file itself; after a power cut it
    /// may be torn.
    pub(in crate::store) fn successor(
        &self,
        name: &str,
        limit_bytes: u64,
        open_to_others: PermissionPolicy,
    ) -> Result<Option<Vec<u8>>, PrivateFileError> {
        self.read(&successor_name(name), limit_bytes, open_to_others)
    }

    /// Makes a file of mode 0600 with this content, unless there is one: then
    /// nothing happens and the answer is `false`. Of two makers at once, one wins.
    pub(in crate::store) fn create(&self, name: &str, content: &[u8]) -> Result<bool, PrivateFileError> {
        let unfinished = self.write_unfinished(name, content)?;
        let path = self.file(name);
        // A link, not a rename: it fails where the name is taken, and what appears is complete
        match fs::hard_link(&unfinished.path, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            // A file system without hard links: the file appears before its content does
            Err(_) => match new_private_file(&path) {
                Ok(mut file) => file
                    .write_all(content)
                    .and_then(|()| file.sync_all())
                    .map_err(|error| io_error("write", &path, error))?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                Err(error) => return Err(io_error("make", &path, error)),
            },
        }
        self.sync()?;
        Ok(true)
    }

    /// Shows that a file of this size could be written, and removes it again.
    pub(in crate::store) fn try_writing(&self, name: &str, size_bytes: usize) -> Result<(), PrivateFileError> {
        self.write_unfinished(name, &vec![0; size_bytes]).map(drop)
    }

    /// Removes a file and its successor; whether there was one.
    pub(in crate::store) fn remove(&self, name: &str) -> Result<bool, PrivateFileError> {
        // The successor first: alone, it would stand for the file that was removed
        let mut existed = false;
        for path in [self.file(&successor_name(name)), self.file(name)] {
            match fs::remove_file(&path) {
                Ok(()) => {
                    self.sync()?;
                    existed = true;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(io_error("remove", &path, error)),
            }
        }
        Ok(existed)
    }

    /// Removes unfinished files whose writers did not come back; those of `name` whatever their age.
    pub(in crate::store) fn sweep(&self, name: Option<&str>) -> Result<(), PrivateFileError> {
        for (entry_name, path) in self.entries()? {
            let Some(written_for) = target_of_unfinished(&entry_name) else {
                continue;
            };
            if Some(written_for) == name || is_abandoned(&path) {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(io_error("remove", &path, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The length of a file, 0 where it is not there.
    pub(in crate::store) fn length_bytes(&self, name: &str) -> usize {
        let metadata = fs::symlink_metadata(self.file(name));
        metadata.map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX))
    }

    /// The names of the finished files in it, and of successors; those that
    /// begin with a dot for another reason are not the folder's own.
    pub(in crate::store) fn finished(&self) -> Result<Vec<String>, PrivateFileError> {
        let names = self.entries()?.into_iter().map(|(name, _)| name);
        Ok(names
            .filter(|name| !name.starts_with('.') || name.ends_with(SUCCESSOR_ENDING))
            .collect())
    }

    fn entries(&self) -> Result<Vec<(String, PathBuf)>, PrivateFileError> {
        let listing = fs::read_dir(&self.path).map_err(|error| io_error("list", &self.path, error))?;
        listing
            .map(|entry| {
                let entry = entry.map_err(|error| io_error("list", &self.path, error))?;
                Ok((entry.file_name().to_string_lossy().into_owned(), entry.path()))
            })
            .collect()
    }

    /// Writes the content under a name of its own and brings it to the disk.
    fn write_unfinished(&self, name: &str, content: &[u8]) -> Result<Unfinished, PrivateFileError> {
        let (unfinished, file) = self.write_without_waiting(name, content)?;
        fault::io(Point::FileSync)
            .and_then(|()| file.sync_all())
            .map_err(|error| io_error("write", &unfinished.path, error))?;
        Ok(unfinished)
    }

    /// Writes the content under a name of its own, and leaves it to the system when it reaches the disk.
    fn write_without_waiting(&self, name: &str, content: &[u8]) -> Result<(Unfinished, File), PrivateFileError> {
        let mut random = [0_u8; 8];
        SystemRandomness.fill(&mut random)?;
        let path = self.file(&format!(".{name}.{:016x}.tmp", u64::from_ne_bytes(random)));
        let mut file = fault::io(Point::FileMake)
            .and_then(|()| new_private_file(&path))
            .map_err(|error| io_error("make", &path, error))?;
        let unfinished = Unfinished { path };
        fault::io(Point::FileWrite)
            .and_then(|()| file.write_all(fault::cut(Point::FileHalfWritten, content)))
            .map_err(|error| io_error("write", &unfinished.path, error))?;
        fault::here(Point::FileHalfWritten);
        Ok((unfinished, file))
    }

    /// Makes the names in the folder durable.
    fn sync(&self) -> Result<(), PrivateFileError> {
        #[cfg(unix)]
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| io_error("sync the folder", &self.path, error))?;
        Ok(())
    }
}

fn private_builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// A name that is the same file on every file system: capital letters and a
/// dot at the end are spelled `=HH`, for where case does not count and such a
/// dot is dropped.
pub(in crate::store) fn file_name(name: &str) -> String {
    let last = name.len().saturating_sub(1);
    let mut spelled = String::with_capacity(name.len());
    for (position, character) in name.char_indices() {
        if character.is_ascii_uppercase() || (character == '.' && position == last) {
            spelled.push_str(&format!("={:02x}", u32::from(character)));
        } else {
            spelled.push(character);
        }
    }
    spelled
}

/// Of no file that has a name of its own: those do not begin with a dot.
fn successor_name(name: &str) -> String {
    format!(".{name}{SUCCESSOR_ENDING}")
}

/// A file that has not got its name yet; removed when it never gets one.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn rename_to(self, path: &Path) -> Result<(), PrivateFileError> {
        rename(&self.path, path).map_err(|error| io_error("replace", path, error))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already where it was renamed; where it cannot be removed, the next sweep tries again
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(not(windows))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Virus scanners and indexers hold a file open for a moment after it was written.
#[cfg(windows)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const ATTEMPTS: u32 = 10;
    const PAUSE: Duration = Duration::from_millis(20);
    for _ in 1..ATTEMPTS {
        match fs::rename(from, to) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => std::thread::sleep(PAUSE),
            answer => return answer,
        }
    }
    fs::rename(from, to)
}

fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(path)
}

/// A file for locking: made with mode 0600 where it is not there, its content left alone.
pub(in crate::store) fn open_or_make(path: &Path) -> Result<File, PrivateFileError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(path).map_err(|error| io_error("open", path, error))?;
    check_file(&file, path, PermissionPolicy::Tighten)?;
    Ok(file)
}

enum OnUnix {
    Links,
    AndPipes,
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    refuse_links(options, OnUnix::Links);
}

#[cfg(unix)]
fn refuse_links(options: &mut OpenOptions, what: OnUnix) {
    use rustix::fs::OFlags;
    let flags = match what {
        OnUnix::Links => OFlags::NOFOLLOW,
        OnUnix::AndPipes => OFlags::NOFOLLOW | OFlags::NONBLOCK,
    };
    // The flags of open(2) fit the c_int that it takes
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
}

#[cfg(not(unix))]
fn refuse_links(_options: &mut OpenOptions, _what: OnUnix) {}

fn check_file(file: &File, path: &Path, open_to_others: PermissionPolicy) -> Result<(), PrivateFileError> {
    let metadata = file.metadata().map_err(|error| io_error("look at", path, error))?;
    if !metadata.is_file() {
        return Err(PrivateFileError::WrongKind {
            path: path.to_path_buf(),
            expected: "regular file",
        });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            if open_to_others == PermissionPolicy::Refuse {
                return Err(PrivateFileError::TooOpen {
                    path: path.to_path_buf(),
                    mode,
                });
            }
            file.set_permissions(fs::Permissions::from_mode(0o600))
                .map_err(|error| io_error("take others' permissions from", path, error))?;
        }
    }
    #[cfg(not(unix))]
    let _ = open_to_others;
    Ok(())
}

/// For which file `.NAME.RANDOM.tmp` was written.
fn target_of_unfinished(entry_name: &str) -> Option<&str> {
    let (name, random) = entry_name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    (random.len() == 16).then_some(name)
}

fn is_abandoned(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age > ABANDONED_AFTER)
        })
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn folders_and_files_are_for_the_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data/oauth/sessions");
        let folder = PrivateDir::make(&path).unwrap();
        folder.replace("work", b"one").unwrap();
        assert_eq!((mode(&path), mode(&folder.file("work"))), (0o700, 0o600));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(folder.file("work"), fs::Permissions::from_mode(0o666)).unwrap();
        let folder = PrivateDir::existing(&path).unwrap().unwrap();
        assert!(matches!(
            folder.read("work", 100, PermissionPolicy::Refuse),
            Err(PrivateFileError::TooOpen { mode: 0o666, .. })
        ));
        assert_eq!(
            folder.read("work", 100, PermissionPolicy::Tighten).unwrap().unwrap(),
            b"one"
        );
        assert_eq!((mode(&path), mode(&folder.file("work"))), (0o700, 0o600));
    }

    #[test]
    fn links_pipes_and_folders_are_no_files() {
        let home = tempfile::tempdir().unwrap();
        let folder = PrivateDir::make(&home.path().join("sessions")).unwrap();
        fs::write(home.path().join("elsewhere"), b"hers").unwrap();
        symlink(home.path().join("elsewhere"), folder.file("link")).unwrap();
        fs::create_dir(folder.file("folder")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.file("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(matches!(
            folder.read("link", 100, PermissionPolicy::Tighten),
            Err(PrivateFileError::Symlink { .. })
        ));
        assert!(matches!(
            open_or_make(&folder.file("link")),
            Err(PrivateFileError::Symlink { .. })
        ));
        for name in ["folder", "pipe"] {
            assert!(matches!(
                folder.read(name, 100, PermissionPolicy::Tighten),
                Err(PrivateFileError::WrongKind { .. })
            ));
        }
        // replacing puts a file in the place of the link and leaves what it pointed at alone
        folder.replace("link", b"mine").unwrap();
        assert_eq!(fs::read(home.path().join("elsewhere")).unwrap(), b"hers");
        assert_eq!(
            folder.read("link", 100, PermissionPolicy::Tighten).unwrap().unwrap(),
            b"mine"
        );

        symlink(home.path().join("sessions"), home.path().join("linked")).unwrap();
        assert!(matches!(
            PrivateDir::make(&home.path().join("linked")),
            Err(PrivateFileError::Symlink { .. })
        ));
        fs::write(home.path().join("file"), b"").unwrap();
        assert!(matches!(
            PrivateDir::make(&home.path().join("file")),
            Err(PrivateFileError::WrongKind { .. })
        ));
    }

    #[test]
    fn a_file_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = PrivateDir::make(home.path()).unwrap();
        assert!(folder.create("key", b"first").unwrap());
        assert!(!folder.create("key", b"second").unwrap());
        assert_eq!(
            folder.read("key", 100, PermissionPolicy::Refuse).unwrap().unwrap(),
            b"first"
        );
        assert_eq!(
            fs::read_dir(home.path()).unwrap().count(),
            1,
            "nothing unfinished stays"
        );
    }

    #[test]
    fn unfinished_files_are_swept_by_age_or_by_name() {
        let home = tempfile::tempdir().unwrap();
        let folder = PrivateDir::make(home.path()).unwrap();
        let old = SystemTime::now() - ABANDONED_AFTER - Duration::from_secs(60);
        for (name, is_old) in [
            (".work.0011223344556677.tmp", false),
            (".work.x.0011223344556677.tmp", false),
            (".home.8899aabbccddeeff.tmp", true),
        ] {
            fs::write(folder.file(name), b"").unwrap();
            if is_old {
                File::options()
                    .write(true)
                    .open(folder.file(name))
                    .unwrap()
                    .set_modified(old)
                    .unwrap();
            }
        }
        assert_eq!(folder.finished().unwrap(), Vec::<String>::new());
        folder.sweep(Some("work")).unwrap();
        let left: Vec<_> = folder.entries().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(left, [".work.x.0011223344556677.tmp"]);
    }

    #[test]
    fn names_that_only_some_file_systems_tell_apart_become_different_files() {
        assert_eq!(file_name("work"), "work");
        assert_eq!(file_name("Work.x"), "=57ork.x");
        assert_eq!(file_name("work."), "work=2e");
        assert_eq!(file_name("work@0a1b2c3d"), "work@0a1b2c3d");
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let folder = PrivateDir::make(home.path()).unwrap();
        folder.replace("file", &[0; 11]).unwrap();
        assert!(matches!(
            folder.read("file", 10, PermissionPolicy::Refuse),
            Err(PrivateFileError::TooLarge { limit_bytes: 10, .. })
        ));
    }
}
