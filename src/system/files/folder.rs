//! A folder that is open: what is done in it goes through its descriptor, so
//! that no path is looked up a second time.

use super::error::FileError;
use super::rules::{self, PermissionPolicy};
use super::way::{self, Way};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fcntl_getfl, fcntl_setfl, openat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// NONBLOCK: a named pipe in the place of a file must not keep us waiting.
const FILE: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);
const READER_PAUSE: Duration = Duration::from_millis(10);
const OWN_FOLDER_MODE: Mode = Mode::RWXU;
const OWN_FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

/// What is under a name.
pub(super) struct Entry(Stat);

impl Entry {
    pub(super) fn is_regular(&self) -> bool {
        FileType::from_raw_mode(self.0.st_mode) == FileType::RegularFile
    }

    pub(super) fn is_folder(&self) -> bool {
        FileType::from_raw_mode(self.0.st_mode) == FileType::Directory
    }

    pub(super) fn is_symlink(&self) -> bool {
        FileType::from_raw_mode(self.0.st_mode) == FileType::Symlink
    }

    pub(super) fn length_bytes(&self) -> u64 {
        u64::try_from(self.0.st_size).unwrap_or_default()
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        let seconds = u64::try_from(self.0.st_mtime).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// [`rules::named_file`] and regular.
    pub(super) fn check_named(&self, path: &Path) -> Result<(), FileError> {
        rules::named_file(&self.0, path)
    }

    /// [`rules::stream`].
    pub(super) fn check_stream(&self, path: &Path) -> Result<(), FileError> {
        rules::stream(&self.0, path)
    }

    pub(super) fn permissions(&self) -> Permissions {
        Permissions(Mode::from_raw_mode(self.0.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO))
    }
}

/// The mode of a file that is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permissions(Mode);

impl Permissions {
    /// 0600.
    pub(super) const OWN: Permissions = Permissions(OWN_FILE_MODE);

    /// Whether not even the owner may write.
    pub(super) fn forbid_writing(self) -> bool {
        !self.0.contains(Mode::WUSR)
    }
}

impl Folder {
    /// A folder of ours, tightened to 0700 if others could look into it; `None`
    /// where it is not there.
    pub(super) fn own(path: &Path) -> Result<Option<Folder>, FileError> {
        let Some(folder) = Folder::open(path)? else {
            return Ok(None);
        };
        let stat = rustix::fs::fstat(&folder.descriptor).map_err(|error| FileError::io("look at", path, error))?;
        let is_open_to_others = rules::own_folder(&stat, path)?;
        way::safe_folder(way::parent(path))?;
        if is_open_to_others {
            rustix::fs::fchmod(&folder.descriptor, OWN_FOLDER_MODE)
                .map_err(|error| FileError::io("take others' permissions from", path, error))?;
        }
        Ok(Some(folder))
    }

    /// A folder of the user's, taken as it is where no other user can change
    /// it; `None` where it is not there. Links are followed.
    pub(super) fn of_user(path: &Path) -> Result<Option<Folder>, FileError> {
        // Where it is not there, it does not matter who could make it
        if openat(CWD, path, FOLDER, Mode::empty()).is_err_and(|error| error == Errno::NOENT) {
            return Ok(None);
        }
        Folder::open(&way::safe_folder(path)?)
    }

    /// The folder for a file that the user asked for, with any owner: what is
    /// made there is a new file of ours, which its owner can take away and not
    /// read. No link of theirs is followed.
    pub(super) fn of_anybody(path: &Path) -> Result<Folder, FileError> {
        let end = Way::follow(path)?.end;
        open_without_links(&end)
            .map(|descriptor| Folder {
                descriptor,
                path: end.clone(),
            })
            .map_err(|error| FileError::io("open", &end, error))
    }

    /// Makes a folder and those above it that are not there: mode 0700, whatever the umask.
    pub(super) fn make(path: &Path) -> Result<(), FileError> {
        let end = way::safe_folder(path)?;
        let mut missing = Vec::new();
        let mut base = end.as_path();
        let mut folder = loop {
            match (Folder::open(base)?, base.parent(), base.file_name()) {
                (Some(folder), _, _) => break folder,
                (None, Some(above), Some(name)) => {
                    missing.push(name);
                    base = above;
                }
                (None, _, _) => return Err(FileError::io("open", base, io::Error::from(ErrorKind::NotFound))),
            }
        };
        for name in missing.into_iter().rev() {
            let path = folder.path.join(name);
            let is_new = match rustix::fs::mkdirat(&folder.descriptor, name, OWN_FOLDER_MODE) {
                Ok(()) => true,
                // Another process was faster
                Err(Errno::EXIST) => false,
                Err(error) => return Err(FileError::io("make the folder", &path, error)),
            };
            let descriptor = openat(&folder.descriptor, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())
                .map_err(|error| FileError::io("open", &path, error))?;
            if is_new {
                rustix::fs::fchmod(&descriptor, OWN_FOLDER_MODE)
                    .map_err(|error| FileError::io("make the folder", &path, error))?;
            }
            folder = Folder { descriptor, path };
        }
        Ok(())
    }

    /// The folder, without a look at who owns it. Its last name is not a link.
    fn open(path: &Path) -> Result<Option<Folder>, FileError> {
        match openat(CWD, path, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(descriptor) => Ok(Some(Folder {
                descriptor,
                path: path.to_path_buf(),
            })),
            Err(Errno::NOENT) => Ok(None),
            // For a link too, since it is not a folder
            Err(Errno::NOTDIR | Errno::LOOP) => Err(not_a_folder(path)),
            Err(error) => Err(FileError::io("open", path, error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file of ours, for reading; `None` where it is not there.
    pub(super) fn open_own(&self, name: &str, policy: PermissionPolicy) -> Result<Option<File>, FileError> {
        let path = self.path.join(name);
        match openat(&self.descriptor, name, FILE | OFlags::RDONLY, Mode::empty()) {
            Ok(descriptor) => checked_own_file(descriptor, &path, policy).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(FileError::io("open", &path, error)),
        }
    }

    /// A file of ours, for reading and writing; made where it is not there.
    pub(super) fn open_or_make_own(&self, name: &str) -> Result<File, FileError> {
        let path = self.path.join(name);
        let descriptor = openat(
            &self.descriptor,
            name,
            FILE | OFlags::RDWR | OFlags::CREATE,
            OWN_FILE_MODE,
        )
        .map_err(|error| FileError::io("open", &path, error))?;
        checked_own_file(descriptor, &path, PermissionPolicy::Tighten)
    }

    /// Whatever is there, for reading.
    pub(super) fn open_any(&self, name: &Path) -> io::Result<File> {
        Ok(openat(&self.descriptor, name, FILE | OFlags::RDONLY, Mode::empty())?.into())
    }

    /// A pipe or a device, for writing. A named pipe may get its reader within
    /// this time, and what is written then waits for the reader.
    pub(super) fn open_stream(&self, name: &Path, reader_patience: Duration) -> io::Result<File> {
        let stat = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_pipe = FileType::from_raw_mode(stat.st_mode) == FileType::Fifo;
        let deadline = Instant::now() + reader_patience;
        let descriptor = loop {
            match openat(&self.descriptor, name, FILE | OFlags::WRONLY, Mode::empty()) {
                // No reader yet
                Err(Errno::NXIO) if is_pipe && Instant::now() < deadline => std::thread::sleep(READER_PAUSE),
                opened => break opened?,
            }
        };
        let flags = fcntl_getfl(&descriptor)?;
        fcntl_setfl(&descriptor, flags.difference(OFlags::NONBLOCK))?;
        Ok(descriptor.into())
    }

    /// A new file with this mode, whatever the umask. There must be none of this name.
    pub(super) fn make_file(&self, name: &Path, permissions: Permissions) -> io::Result<File> {
        let flags = FILE | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let descriptor = openat(&self.descriptor, name, flags, OWN_FILE_MODE)?;
        rustix::fs::fchmod(&descriptor, permissions.0)?;
        Ok(descriptor.into())
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    /// Gives a file another name; fails where that name is taken.
    pub(super) fn rename_unless_taken(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::{RenameFlags, renameat_with};
            match renameat_with(&self.descriptor, from, &self.descriptor, to, RenameFlags::NOREPLACE) {
                // Network file systems cannot
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                outcome => return Ok(outcome?),
            }
        }
        rustix::fs::linkat(&self.descriptor, from, &self.descriptor, to, AtFlags::empty())?;
        self.remove(from)
    }

    pub(super) fn remove(&self, name: &Path) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    /// What is under this name, a link itself and not what it leads to.
    pub(super) fn entry(&self, name: &Path) -> io::Result<Entry> {
        let stat = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Entry(stat))
    }

    /// Whether this open file is what is under the name.
    pub(super) fn has(&self, file: &File, name: &Path) -> bool {
        match (rustix::fs::fstat(file), self.entry(name)) {
            (Ok(open), Ok(Entry(found))) => (open.st_dev, open.st_ino) == (found.st_dev, found.st_ino),
            _ => false,
        }
    }

    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.descriptor)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// For waiting until the names in it are on the disk.
    pub(super) fn as_file(&self) -> io::Result<File> {
        Ok(self.descriptor.try_clone()?.into())
    }
}

fn checked_own_file(descriptor: OwnedFd, path: &Path, policy: PermissionPolicy) -> Result<File, FileError> {
    let stat = rustix::fs::fstat(&descriptor).map_err(|error| FileError::io("look at", path, error))?;
    if rules::own_file(&stat, path, policy)? {
        rustix::fs::fchmod(&descriptor, OWN_FILE_MODE)
            .map_err(|error| FileError::io("take others' permissions from", path, error))?;
    }
    Ok(descriptor.into())
}

fn not_a_folder(path: &Path) -> FileError {
    // The path, or one above it
    let found = path
        .ancestors()
        .find_map(|path| Some((path, rustix::fs::lstat(path).ok()?)));
    let (path, is_symlink) = match found {
        Some((path, stat)) => (path, FileType::from_raw_mode(stat.st_mode) == FileType::Symlink),
        None => (path, false),
    };
    let path = path.to_path_buf();
    match is_symlink {
        true => FileError::Symlink { path },
        false => FileError::WrongKind {
            path,
            expected: "folder",
        },
    }
}

/// No link can have been put there since the way was followed.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn open_without_links(path: &Path) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};
    match openat2(CWD, path, FOLDER, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // Before Linux 5.6, or where a sandbox forbids it
        Err(Errno::NOSYS | Errno::PERM) => openat(CWD, path, FOLDER | OFlags::NOFOLLOW, Mode::empty()),
        outcome => outcome,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open_without_links(path: &Path) -> Result<OwnedFd, Errno> {
    openat(CWD, path, FOLDER | OFlags::NOFOLLOW, Mode::empty())
}
