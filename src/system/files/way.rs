//! From the root down to a file: which folders lead there, through which links.
//!
//! Each step is checked before the next one is taken. Where all folders so far
//! can be changed only by the user and root, no other user can put anything in
//! the place of what was checked, so that the path leads to the same file
//! when it is opened.

use super::error::FileError;
use super::rules;
use rustix::fs::{FileType, lstat, readlink};
use rustix::io::Errno;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Way {
    /// Without links; what does not exist is as it was given.
    pub(super) end: PathBuf,
    /// The first folder that other users can change.
    unsafe_folder: Option<FileError>,
    /// There is a folder at its end.
    leads_to_folder: bool,
}

/// Folders as they were given, and where they were found: what no other user
/// can change is not looked at again while this process runs.
static SAFE_FOLDERS: Mutex<Vec<(PathBuf, PathBuf)>> = Mutex::new(Vec::new());

/// Where a folder is, if it is one that only the user and root can change, as
/// those above it. One that does not exist is where it would be.
///
/// # Errors
/// Those of [`Way::follow`], and the folder that others can change.
pub(super) fn safe_folder(path: &Path) -> Result<PathBuf, FileError> {
    let known = || SAFE_FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, end)) = known().iter().find(|(given, _)| given == path) {
        return Ok(end.clone());
    }
    let way = Way::follow(path)?;
    let exists = way.leads_to_folder;
    let end = way.safe_end()?;
    if exists {
        known().push((path.to_path_buf(), end.clone()));
    }
    Ok(end)
}

/// Where a file is, if only the user and root can change the folders above it.
///
/// # Errors
/// As [`safe_folder`].
pub(super) fn file_in_safe_folders(path: &Path) -> Result<PathBuf, FileError> {
    let Some(name) = path.file_name() else {
        return safe_folder(path);
    };
    let end = safe_folder(parent(path))?.join(name);
    match lstat(&end) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => Way::follow(path)?.safe_end(),
        _ => Ok(end),
    }
}

/// The folder of a path that may be a name alone.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

impl Way {
    /// Follows a path. Other users may own folders on the way, but then no link
    /// is followed from there on.
    ///
    /// # Errors
    /// [`FileError::Symlink`] for such a link, [`FileError::ForeignOwner`] for a
    /// link that another user made, [`FileError::Io`].
    pub(super) fn follow(path: &Path) -> Result<Way, FileError> {
        let absolute = std::path::absolute(path).map_err(|error| FileError::io("find", path, error))?;
        let mut way = Way {
            end: PathBuf::from("/"),
            unsafe_folder: None,
            leads_to_folder: true,
        };
        let mut links = 0;
        let mut ahead = components(&absolute);
        way.look_at_folder()?;
        while let Some(name) = ahead.pop() {
            if name == ".." {
                way.end.pop();
                way.leads_to_folder = true;
                continue;
            }
            way.end.push(name);
            let Some(target) = way.look_at_end()? else { continue };
            links += 1;
            if links > MAX_LINKS {
                return Err(FileError::io("find", path, Errno::LOOP));
            }
            way.end.pop();
            if target.is_absolute() {
                way.end = PathBuf::from("/");
            }
            ahead.extend(components(&target));
        }
        Ok(way)
    }

    /// The end, where only the user and root can change the folders above it.
    ///
    /// # Errors
    /// The folder that others can change.
    pub(super) fn safe_end(self) -> Result<PathBuf, FileError> {
        match self.unsafe_folder {
            None => Ok(self.end),
            Some(error) => Err(error),
        }
    }

    /// Where the way leads on from here, if it is a link.
    fn look_at_end(&mut self) -> Result<Option<PathBuf>, FileError> {
        self.leads_to_folder = false;
        let stat = match lstat(&self.end) {
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(FileError::io("look at", &self.end, error)),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                self.leads_to_folder = true;
                self.note_folder(&stat);
                Ok(None)
            }
            FileType::Symlink if self.unsafe_folder.is_some() => Err(FileError::Symlink { path: self.end.clone() }),
            FileType::Symlink => {
                rules::link(&stat, &self.end)?;
                let target =
                    readlink(&self.end, Vec::new()).map_err(|error| FileError::io("look at", &self.end, error))?;
                let target: OsString = std::os::unix::ffi::OsStringExt::from_vec(target.into_bytes());
                Ok(Some(target.into()))
            }
            _ => Ok(None),
        }
    }

    fn look_at_folder(&mut self) -> Result<(), FileError> {
        let stat = lstat(&self.end).map_err(|error| FileError::io("look at", &self.end, error))?;
        self.note_folder(&stat);
        Ok(())
    }

    fn note_folder(&mut self, stat: &rustix::fs::Stat) {
        if self.unsafe_folder.is_none() {
            self.unsafe_folder = rules::folder_above(stat, &self.end).err();
        }
    }
}

/// The names of a path, the last one first.
fn components(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .map(|component| component.as_os_str().to_owned())
        .collect()
}
