//! Files that the user asks for: traces and reports. A new file of ours takes
//! the place of an old one, so that a program that has the old one open does not get it.

use super::error::FileError;
use super::folder::{Folder, Permissions};
use super::named::folder_above;
use super::own::TempFile;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As much of an old file as is looked at, to tell whether it may go.
const HEAD_BYTES: u64 = 1024;

/// Why a file that was asked for cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A link could have been put there by others.
    #[error("it is a symbolic link, and links are not followed here")]
    Symlink,
    /// A folder, or a pipe where none is of use.
    #[error("it is there and is not a regular file")]
    NotRegular,
    /// Another program's file, or a note of the user's.
    #[error("it is not empty and has other content: it is not overwritten")]
    OtherContent,
    #[error(transparent)]
    File(#[from] FileError),
}

/// What else than a regular file may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Pipes and devices, as they are; how long a named pipe may lack its reader.
    Taken(Duration),
    Refused,
}

/// A file that is being written.
#[derive(Debug)]
pub struct OutputFile {
    file: File,
    is_stream: bool,
}

impl OutputFile {
    /// Makes the file, mode 0600. One that is there is replaced if it is empty
    /// or `may_replace` says so of its beginning.
    ///
    /// # Errors
    /// [`OutputError`]; what was there is then as it was.
    pub fn create(path: &Path, streams: Streams, may_replace: impl Fn(&[u8]) -> bool) -> Result<Self, OutputError> {
        let (folder, name) = match Place::find(path, streams, may_replace)? {
            Place::Regular { folder, name } => (folder, name),
            Place::Stream(file) => return Ok(OutputFile { file, is_stream: true }),
        };
        let (temporary, file) = TempFile::make(&folder, &name.to_string_lossy(), Permissions::OWN)?;
        temporary.rename_to(name)?;
        Ok(OutputFile { file, is_stream: false })
    }

    /// Whether it is a pipe or a device: what was written cannot be written over.
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Writes behind what was written.
    ///
    /// # Errors
    /// Those of the operating system, as everywhere here.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Writes over what is at this place.
    pub fn write_all_at(&mut self, bytes: &[u8], at_byte: u64) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, at_byte);
        #[cfg(not(unix))]
        {
            use std::io::{Seek, SeekFrom};
            self.file.seek(SeekFrom::Start(at_byte))?;
            self.file.write_all(bytes)
        }
    }

    /// Cuts it off there.
    pub fn set_len(&mut self, length_bytes: u64) -> io::Result<()> {
        self.file.set_len(length_bytes)
    }
}

/// Whether [`replace`] can make a file there now, for what is known only much
/// later; what is there stays as it is.
///
/// # Errors
/// [`OutputError`].
pub fn check_place(path: &Path, may_replace: impl Fn(&[u8]) -> bool) -> Result<(), OutputError> {
    if let Place::Regular { folder, name } = Place::find(path, Streams::Refused, may_replace)? {
        TempFile::make(&folder, &name.to_string_lossy(), Permissions::OWN)?;
    }
    Ok(())
}

/// Makes a file with this content, mode 0600. One that is there is replaced, by
/// all of it or not at all, if it is empty or `may_replace` says so of its beginning.
///
/// # Errors
/// [`OutputError`]; what was there is then as it was.
pub fn replace(path: &Path, content: &[u8], may_replace: impl Fn(&[u8]) -> bool) -> Result<(), OutputError> {
    if let Place::Regular { folder, name } = Place::find(path, Streams::Refused, may_replace)? {
        let (temporary, mut file) = TempFile::make(&folder, &name.to_string_lossy(), Permissions::OWN)?;
        let written = file.write_all(content);
        written.map_err(|error| FileError::unwritten(path, error))?;
        temporary.rename_to(name)?;
    }
    Ok(())
}

/// Where a file of a user goes.
enum Place {
    /// A name that is free, or one of a file that may go.
    Regular {
        folder: Folder,
        name: PathBuf,
    },
    Stream(File),
}

impl Place {
    fn find(path: &Path, streams: Streams, may_replace: impl Fn(&[u8]) -> bool) -> Result<Self, OutputError> {
        let name = path.file_name().ok_or(OutputError::NotRegular)?;
        let folder = Folder::of_anybody(folder_above(path))?;
        let name = Path::new(name);
        let failed = |action, error| FileError::io(action, path, error);
        match folder.entry(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look at", error).into()),
            Ok(entry) if entry.is_symlink() => return Err(OutputError::Symlink),
            Ok(entry) if entry.is_folder() => return Err(OutputError::NotRegular),
            Ok(entry) if entry.is_regular() => {
                let mut head = Vec::new();
                let old = folder
                    .open_any(name)
                    .and_then(|old| old.take(HEAD_BYTES).read_to_end(&mut head));
                old.map_err(|error| failed("read", error))?;
                if !head.is_empty() && !may_replace(&head) {
                    return Err(OutputError::OtherContent);
                }
            }
            Ok(entry) => {
                let Streams::Taken(reader_patience) = streams else {
                    return Err(OutputError::NotRegular);
                };
                entry.check_stream(path)?;
                let file = folder
                    .open_stream(name, reader_patience)
                    .map_err(|error| failed("open", error))?;
                return Ok(Place::Stream(file));
            }
        }
        let name = name.to_path_buf();
        Ok(Place::Regular { folder, name })
    }
}

#[cfg(all(test, unix))]
mod tests;
