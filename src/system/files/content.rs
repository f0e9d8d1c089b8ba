//! Files whose content is sent somewhere because the user says so: whatever
//! this user can read, of any size. No secret of ours is in them, so that it
//! does not matter who else can change them.

use std::fs::File;
use std::io;
use std::path::Path;

/// An open file.
pub struct ContentFile {
    pub file: File,
    /// Of a regular file; `None` of a pipe or a device, which can be read once.
    pub length_bytes: Option<u64>,
}

impl ContentFile {
    /// Opens it. Opening a pipe waits for its writer.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(ContentFile {
            length_bytes: metadata.is_file().then_some(metadata.len()),
            file,
        })
    }
}
