//! Files of ours: in a folder that only its owner can look into, written whole
//! or not at all.
//!
//! A new file is made under a random name with mode 0600, is complete and on
//! disk before it takes its name, and is not written through a link.

use super::PermissionPolicy;
use super::error::FileError;
use super::folder::{Entry, Folder, Permissions};
use super::lock_file::LockFile;
use crate::fault::{self, Point};
use crate::protocol::random::Randomness;
use crate::system::SystemRandomness;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What follows the name of a file in the name of the one that is about to take its place.
const PENDING_ENDING: &str = ".next";

/// An unfinished file of a writer that did not come back is removed after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// A folder in which files of ours are kept.
#[derive(Debug)]
pub struct PrivateDir {
    folder: Folder,
}

impl PrivateDir {
    /// The folder, if it is there; tightened to 0700 if others could look into it.
    ///
    /// # Errors
    /// [`FileError`] where it, or a folder above it, is not the user's.
    pub fn existing(path: &Path) -> Result<Option<Self>, FileError> {
        Ok(Folder::own(path)?.map(|folder| PrivateDir { folder }))
    }

    /// The folder, made with its parents where it is not there.
    ///
    /// # Errors
    /// As [`existing`](Self::existing), and when it cannot be made.
    pub fn make(path: &Path) -> Result<Self, FileError> {
        if let Some(folder) = Self::existing(path)? {
            return Ok(folder);
        }
        Folder::make(path)?;
        Self::existing(path)?.ok_or_else(|| not_found(path))
    }

    /// A folder of the user's own, such as the one of the configuration: taken
    /// as it is where no other user can change it.
    ///
    /// # Errors
    /// [`FileError`] where others can.
    pub fn existing_shared(path: &Path) -> Result<Option<Self>, FileError> {
        Ok(Folder::of_user(path)?.map(|folder| PrivateDir { folder }))
    }

    /// The same, made private where it is not there.
    ///
    /// # Errors
    /// As [`existing_shared`](Self::existing_shared), and when it cannot be made.
    pub fn make_shared(path: &Path) -> Result<Self, FileError> {
        if let Some(folder) = Self::existing_shared(path)? {
            return Ok(folder);
        }
        Folder::make(path)?;
        Self::existing_shared(path)?.ok_or_else(|| not_found(path))
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The content of a file of at most `limit_bytes`, or `None` when it is not there.
    ///
    /// # Errors
    /// [`FileError`], as for everything here.
    pub fn read(
        &self,
        name: &str,
        limit_bytes: u64,
        open_to_others: PermissionPolicy,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let Some(file) = self.folder.open_own(name, open_to_others)? else {
            return Ok(None);
        };
        // Room for all of it: a vector that grows leaves its content behind in memory, and a larger one takes longer to wipe
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let room = usize::try_from(length.min(limit_bytes)).unwrap_or_default();
        let mut content = Vec::with_capacity(room.saturating_add(1));
        file.take(limit_bytes.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| FileError::io("read", &self.file(name), error))?;
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit_bytes {
            let path = self.file(name);
            return Err(FileError::TooLarge { path, limit_bytes });
        }
        Ok(Some(content))
    }

    /// Puts a file of mode 0600 in the place of the old one, at once. It
    /// outlives this process, but maybe not a power cut: for what tells of a
    /// process that was killed.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let (temporary, _file) = self.write_temp(name, content, Permissions::OWN)?;
        temporary.rename_to(name)
    }

    /// Puts a file in the place of one that the user named, at once and durably.
    pub(super) fn replace_named(&self, name: &str, content: &[u8], permissions: Permissions) -> Result<(), FileError> {
        let (temporary, file) = self.write_temp(name, content, permissions)?;
        sync(&file).map_err(|error| FileError::io("write", &self.file(name), error))?;
        temporary.rename_to(name)
    }

    /// Puts a file of mode 0600 in the place of the old one, durably, for
    /// content that exists nowhere else: from its first rename on, before
    /// anything waits for the disk, [`pending`](Self::pending) has it, whatever
    /// becomes of this process.
    pub fn replace_durably(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let (temporary, file) = self.write_temp(name, content, Permissions::OWN)?;
        fault::io(Point::FileUnfinished).map_err(|error| FileError::io("write", &temporary.path(), error))?;
        let pending_name = pending_name(name);
        let pending = self.file(&pending_name);
        temporary.rename_to(&pending_name)?;
        fault::io(Point::FileNamedSuccessor).map_err(|error| FileError::io("write", &pending, error))?;
        sync(&file).map_err(|error| FileError::io("write", &pending, error))?;
        match self.folder.rename(Path::new(&pending_name), Path::new(name)) {
            // Of two writers at once, the other one has put its own there
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            outcome => outcome.map_err(|error| FileError::io("replace", &self.file(name), error))?,
        }
        fault::here(Point::FileNamed);
        self.sync_names()
    }

    /// The same for content that takes the place of nothing that is still
    /// needed: it has its name before anything waits for the disk.
    pub fn replace_then_sync(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let (temporary, file) = self.write_temp(name, content, Permissions::OWN)?;
        temporary.rename_to(name)?;
        sync(&file).map_err(|error| FileError::io("write", &self.file(name), error))?;
        self.sync_names()
    }

    /// What [`replace_durably`](Self::replace_durably) wrote and had no time to
    /// put in its place. It is newer than the file itself; after a power cut it
    /// may be torn.
    pub fn pending(
        &self,
        name: &str,
        limit_bytes: u64,
        open_to_others: PermissionPolicy,
    ) -> Result<Option<Vec<u8>>, FileError> {
        self.read(&pending_name(name), limit_bytes, open_to_others)
    }

    /// Makes a file of mode 0600 with this content, unless there is one: then
    /// nothing happens and the answer is `false`. Of two makers at once, one wins.
    pub fn create(&self, name: &str, content: &[u8]) -> Result<bool, FileError> {
        let (temporary, file) = self.write_temp(name, content, Permissions::OWN)?;
        let path = self.file(name);
        sync(&file).map_err(|error| FileError::io("write", &temporary.path(), error))?;
        // What appears is complete
        match self
            .folder
            .rename_unless_taken(Path::new(&temporary.name), Path::new(name))
        {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            // A file system without hard links: the file appears before its content does
            Err(_) => match self.folder.make_file(Path::new(name), Permissions::OWN) {
                Ok(mut file) => file
                    .write_all(content)
                    .and_then(|()| sync(&file))
                    .map_err(|error| FileError::io("write", &path, error))?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                Err(error) => return Err(FileError::io("make", &path, error)),
            },
        }
        self.sync_names()?;
        Ok(true)
    }

    /// Shows that a file of this size could be written, without writing
    /// anything to the disk: the room for it is asked for and given back.
    pub fn test_write(&self, name: &str, size_bytes: usize) -> Result<(), FileError> {
        let (temporary, file) = self.make_temp(name, Permissions::OWN)?;
        fault::io(Point::FileWrite)
            .and_then(|()| reserve(file, size_bytes))
            .map_err(|error| FileError::io("write", &temporary.path(), error))?;
        fault::here(Point::FileHalfWritten);
        Ok(())
    }

    /// Removes a file and the one that is pending for it; whether there was one.
    pub fn remove(&self, name: &str) -> Result<bool, FileError> {
        // The pending one first: alone, it would count as the file that was removed
        let mut existed = false;
        for name in [&pending_name(name), name] {
            match self.folder.remove(Path::new(name)) {
                Ok(()) => {
                    self.sync_names()?;
                    existed = true;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(FileError::io("remove", &self.file(name), error)),
            }
        }
        Ok(existed)
    }

    /// Removes a file that says nothing after this process, if it is there.
    pub fn forget(&self, name: &str) {
        // Where it cannot be removed, the next one of that name replaces it
        let _ = self.folder.remove(Path::new(name));
    }

    /// Removes unfinished files whose writers did not come back; those of `name` whatever their age.
    pub fn sweep(&self, name: Option<&str>) -> Result<(), FileError> {
        for entry_name in self.names()? {
            let Some(written_for) = target_of_unfinished(&entry_name) else {
                continue;
            };
            if Some(written_for) == name || self.is_abandoned(&entry_name) {
                match self.folder.remove(Path::new(&entry_name)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(FileError::io("remove", &self.file(&entry_name), error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What is under a name, if anything does.
    pub(super) fn entry(&self, name: &str) -> Result<Option<Entry>, FileError> {
        match self.folder.entry(Path::new(name)) {
            Ok(entry) => Ok(Some(entry)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::io("look at", &self.file(name), error)),
        }
    }

    /// The length of a file, 0 where it is not there.
    pub fn length_bytes(&self, name: &str) -> usize {
        let entry = self.folder.entry(Path::new(name));
        entry.map_or(0, |entry| usize::try_from(entry.length_bytes()).unwrap_or(usize::MAX))
    }

    /// The names of the finished files in it, and of pending ones; those that
    /// begin with a dot for another reason are not the folder's own.
    pub fn finished(&self) -> Result<Vec<String>, FileError> {
        let mut names = self.names()?;
        names.retain(|name| !name.starts_with('.') || name.ends_with(PENDING_ENDING));
        Ok(names)
    }

    /// Opens a file for locking: made with mode 0600 where it is not there, its content left alone.
    pub fn lock_file(&self, name: &str) -> Result<LockFile, FileError> {
        Ok(LockFile {
            file: self.folder.open_or_make_own(name)?,
        })
    }

    /// Whether this file is the one that others will find under the name.
    pub fn has(&self, file: &LockFile, name: &str) -> bool {
        self.folder.has(&file.file, Path::new(name))
    }

    /// Writes a file in place. Not durable, and so quick: for what means nothing after a crash.
    pub fn overwrite(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let mut file = self.folder.open_or_make_own(name)?;
        file.set_len(0)
            .and_then(|()| file.write_all(content))
            .map_err(|error| FileError::io("write", &self.file(name), error))
    }

    fn names(&self) -> Result<Vec<String>, FileError> {
        let names = self.folder.names();
        names.map_err(|error| FileError::io("list", self.folder.path(), error))
    }

    fn is_abandoned(&self, name: &str) -> bool {
        let modified = self
            .folder
            .entry(Path::new(name))
            .ok()
            .and_then(|entry| entry.modified());
        modified.is_some_and(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age > ABANDONED_AFTER)
        })
    }

    /// Writes the content under a name of its own, and leaves it to the system when it reaches the disk.
    fn write_temp(
        &self,
        name: &str,
        content: &[u8],
        permissions: Permissions,
    ) -> Result<(TempFile<'_>, File), FileError> {
        let (temporary, mut file) = self.make_temp(name, permissions)?;
        fault::io(Point::FileWrite)
            .and_then(|()| file.write_all(fault::cut(Point::FileHalfWritten, content)))
            .map_err(|error| FileError::io("write", &temporary.path(), error))?;
        fault::here(Point::FileHalfWritten);
        Ok((temporary, file))
    }

    fn make_temp(&self, name: &str, permissions: Permissions) -> Result<(TempFile<'_>, File), FileError> {
        TempFile::make(&self.folder, name, permissions)
    }

    /// Makes the names in the folder durable.
    fn sync_names(&self) -> Result<(), FileError> {
        #[cfg(unix)]
        self.folder
            .as_file()
            .and_then(|folder| sync(&folder))
            .map_err(|error| FileError::io("sync the folder", self.folder.path(), error))?;
        Ok(())
    }
}

fn not_found(path: &Path) -> FileError {
    FileError::io("open", path, io::Error::from(ErrorKind::NotFound))
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

/// Of no file that has a name of its own: those do not begin with a dot.
fn pending_name(name: &str) -> String {
    format!(".{name}{PENDING_ENDING}")
}

/// A file that has not got its name yet; removed when it never gets one.
pub(super) struct TempFile<'a> {
    folder: &'a Folder,
    name: String,
    has_its_name: bool,
}

impl<'a> TempFile<'a> {
    /// Makes one that is about to take the place of `name`.
    pub(super) fn make(folder: &'a Folder, name: &str, permissions: Permissions) -> Result<(Self, File), FileError> {
        let mut random = [0_u8; 8];
        SystemRandomness.fill(&mut random)?;
        let temporary = format!(".{name}.{:016x}.tmp", u64::from_ne_bytes(random));
        let file = fault::io(Point::FileMake)
            .and_then(|()| folder.make_file(Path::new(&temporary), permissions))
            .map_err(|error| FileError::io("make", &folder.path().join(&temporary), error))?;
        Ok((
            TempFile {
                folder,
                name: temporary,
                has_its_name: false,
            },
            file,
        ))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    pub(super) fn rename_to(mut self, name: impl AsRef<Path>) -> Result<(), FileError> {
        let name = name.as_ref();
        let renamed = self.folder.rename(Path::new(&self.name), name);
        self.has_its_name = renamed.is_ok();
        renamed.map_err(|error| FileError::io("replace", &self.folder.path().join(name), error))
    }
}

impl Drop for TempFile<'_> {
    fn drop(&mut self) {
        if !self.has_its_name {
            // Where it cannot be removed, the next sweep tries again
            let _ = self.folder.remove(Path::new(&self.name));
        }
    }
}

/// For which file `.NAME.RANDOM.tmp` was written.
fn target_of_unfinished(entry_name: &str) -> Option<&str> {
    let (name, random) = entry_name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    (random.len() == 16).then_some(name)
}

#[cfg(all(test, unix))]
mod tests;
