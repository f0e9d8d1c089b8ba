//! A folder that only its owner can look into, and files in it that are
//! written whole or not at all.
//!
//! Files get their mode (0600) when they are made, never afterwards; nothing
//! is written through a symbolic link; a new file is complete and on disk
//! before it takes its name. On Windows the profile folder's own access list
//! stands in for the modes.

use super::private_file_error::{PrivateFileError, io_error};
use crate::fault::{self, Point};
use crate::protocol::random::Randomness;
use crate::system::SystemRandomness;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What follows the name of a file in the name of the one that is about to take its place.
const PENDING_ENDING: &str = ".next";

/// An unfinished file of a writer that did not come back is removed after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

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

    /// Puts a file of mode 0600 in the place of the old one, at once. It
    /// outlives this process, but maybe not a power cut: for what tells of a
    /// process that was killed.
    pub(in crate::store) fn replace(&self, name: &str, content: &[u8]) -> Result<(), PrivateFileError> {
        let (temporary, _file) = self.write_temp(name, content)?;
        temporary.rename_to(&self.file(name))
    }

    /// Puts a file of mode 0600 in the place of the old one, durably, for
    /// content that exists nowhere else: from its first rename on, before
    /// anything waits for the disk, [`pending`](Self::pending) has it, whatever
    /// becomes of this process.
    pub(in crate::store) fn replace_durably(&self, name: &str, content: &[u8]) -> Result<(), PrivateFileError> {
        let (temporary, file) = self.write_temp(name, content)?;
        fault::io(Point::FileUnfinished).map_err(|error| io_error("write", &temporary.path, error))?;
        let pending = self.file(&pending_name(name));
        temporary.rename_to(&pending)?;
        fault::io(Point::FileNamedSuccessor).map_err(|error| io_error("write", &pending, error))?;
        sync(&file).map_err(|error| io_error("write", &pending, error))?;
        let path = self.file(name);
        match rename(&pending, &path) {
            // Of two writers at once, the other one has put its own there
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            outcome => outcome.map_err(|error| io_error("replace", &path, error))?,
        }
        fault::here(Point::FileNamed);
        self.sync_names()
    }

    /// What [`replace_durably`](Self::replace_durably) wrote and had no time to
    /// put in its place. It is newer than the file itself; after a power cut it
    /// may be torn.
    pub(in crate::store) fn pending(
        &self,
        name: &str,
        limit_bytes: u64,
        open_to_others: PermissionPolicy,
    ) -> Result<Option<Vec<u8>>, PrivateFileError> {
        self.read(&pending_name(name), limit_bytes, open_to_others)
    }

    /// Makes a file of mode 0600 with this content, unless there is one: then
    /// nothing happens and the answer is `false`. Of two makers at once, one wins.
    pub(in crate::store) fn create(&self, name: &str, content: &[u8]) -> Result<bool, PrivateFileError> {
        let (temporary, file) = self.write_temp(name, content)?;
        sync(&file).map_err(|error| io_error("write", &temporary.path, error))?;
        let path = self.file(name);
        // A link, not a rename: it fails where the name is taken, and what appears is complete
        match fs::hard_link(&temporary.path, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            // A file system without hard links: the file appears before its content does
            Err(_) => match new_private_file(&path) {
                Ok(mut file) => file
                    .write_all(content)
                    .and_then(|()| sync(&file))
                    .map_err(|error| io_error("write", &path, error))?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                Err(error) => return Err(io_error("make", &path, error)),
            },
        }
        self.sync_names()?;
        Ok(true)
    }

    /// Shows that a file of this size could be written, without writing
    /// anything to the disk: the room for it is asked for and given back.
    pub(in crate::store) fn test_write(&self, name: &str, size_bytes: usize) -> Result<(), PrivateFileError> {
        let (temporary, file) = self.make_temp(name)?;
        fault::io(Point::FileWrite)
            .and_then(|()| reserve(file, size_bytes))
            .map_err(|error| io_error("write", &temporary.path, error))?;
        fault::here(Point::FileHalfWritten);
        Ok(())
    }

    /// Removes a file and the one that is pending for it; whether there was one.
    pub(in crate::store) fn remove(&self, name: &str) -> Result<bool, PrivateFileError> {
        // The pending one first: alone, it would count as the file that was removed
        let mut existed = false;
        for path in [self.file(&pending_name(name)), self.file(name)] {
            match fs::remove_file(&path) {
                Ok(()) => {
                    self.sync_names()?;
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

    /// The names of the finished files in it, and of pending ones; those that
    /// begin with a dot for another reason are not the folder's own.
    pub(in crate::store) fn finished(&self) -> Result<Vec<String>, PrivateFileError> {
        let names = self.entries()?.into_iter().map(|(name, _)| name);
        Ok(names
            .filter(|name| !name.starts_with('.') || name.ends_with(PENDING_ENDING))
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

    /// Writes the content under a name of its own, and leaves it to the system when it reaches the disk.
    fn write_temp(&self, name: &str, content: &[u8]) -> Result<(TempFile, File), PrivateFileError> {
        let (temporary, mut file) = self.make_temp(name)?;
        fault::io(Point::FileWrite)
            .and_then(|()| file.write_all(fault::cut(Point::FileHalfWritten, content)))
            .map_err(|error| io_error("write", &temporary.path, error))?;
        fault::here(Point::FileHalfWritten);
        Ok((temporary, file))
    }

    fn make_temp(&self, name: &str) -> Result<(TempFile, File), PrivateFileError> {
        let mut random = [0_u8; 8];
        SystemRandomness.fill(&mut random)?;
        let path = self.file(&format!(".{name}.{:016x}.tmp", u64::from_ne_bytes(random)));
        let file = fault::io(Point::FileMake)
            .and_then(|()| new_private_file(&path))
            .map_err(|error| io_error("make", &path, error))?;
        Ok((TempFile { path }, file))
    }

    /// Makes the names in the folder durable.
    fn sync_names(&self) -> Result<(), PrivateFileError> {
        #[cfg(unix)]
        File::open(&self.path)
            .and_then(|folder| sync(&folder))
            .map_err(|error| io_error("sync the folder", &self.path, error))?;
        Ok(())
    }
}

/// Waits until a file or the names in a folder are on the disk. The only place that does.
fn sync(file: &File) -> io::Result<()> {
    fault::io(Point::FileSync)?;
    file.sync_all()
}

/// Asks for the room that a file of this size takes, and writes nothing.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn reserve(file: File, size_bytes: usize) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(&file, FallocateFlags::empty(), 0, size_bytes as u64) {
        // A file system that cannot do so, such as ZFS or NFS before version 4.2
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => write_zeros(file, size_bytes),
        outcome => Ok(outcome?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn reserve(file: File, size_bytes: usize) -> io::Result<()> {
    write_zeros(file, size_bytes)
}

/// Not waited for: the file is removed before the system writes them to the disk.
fn write_zeros(mut file: File, size_bytes: usize) -> io::Result<()> {
    file.write_all(&vec![0; size_bytes])
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
fn pending_name(name: &str) -> String {
    format!(".{name}{PENDING_ENDING}")
}

/// A file that has not got its name yet; removed when it never gets one.
struct TempFile {
    path: PathBuf,
}

impl TempFile {
    fn rename_to(self, path: &Path) -> Result<(), PrivateFileError> {
        rename(&self.path, path).map_err(|error| io_error("replace", path, error))
    }
}

impl Drop for TempFile {
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
mod tests;
