//! A stretch of a body: bytes, a file, or what comes from a pipe.

use super::error::RequestError;
use crate::args::settings::DataSource;
use crate::error::Error;
use crate::system::files::content::ContentFile;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

/// A longer body is read while it is sent; one from a pipe is then sent once.
pub(super) const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// A stretch of a body.
pub(super) enum Section {
    Bytes(Vec<u8>),
    File {
        path: PathBuf,
        length_bytes: u64,
    },
    /// What was read of a pipe, and the rest of it, until it is sent.
    Pipe {
        begun: Vec<u8>,
        rest: Option<Box<dyn Read + Send>>,
    },
}

impl Section {
    pub(super) fn at_hand(&self) -> Option<&[u8]> {
        match self {
            Section::Bytes(bytes) => Some(bytes),
            Section::File { .. } | Section::Pipe { .. } => None,
        }
    }

    pub(super) fn length_bytes(&self) -> Option<u64> {
        match self {
            Section::Bytes(bytes) => Some(bytes.len() as u64),
            Section::File { length_bytes, .. } => Some(*length_bytes),
            Section::Pipe { .. } => None,
        }
    }

    pub(super) fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Section::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            // No more than was announced: the file may grow.
            Section::File { path, length_bytes } => Ok(Box::new(ContentFile::open(path)?.file.take(*length_bytes))),
            Section::Pipe { begun, rest } => match rest.take() {
                Some(rest) => Ok(Box::new(Cursor::new(std::mem::take(begun)).chain(rest))),
                None => Err(io::Error::other("it came from a pipe, and was sent already")),
            },
        }
    }
}

/// The content of a source, as far as it is read before it is sent.
///
/// # Errors
/// [`RequestError::Input`], [`RequestError::Stdin`].
pub(super) fn section(source: &DataSource) -> Result<Section, Error> {
    match source {
        DataSource::Text(text) => Ok(Section::Bytes(text.clone().into_bytes())),
        DataSource::Stdin => Ok(begin(Box::new(io::stdin())).map_err(RequestError::Stdin)?),
        DataSource::File(path) => Ok(file(path).map_err(|source| RequestError::Input {
            path: path.clone(),
            source,
        })?),
    }
}

fn file(path: &Path) -> io::Result<Section> {
    let opened = ContentFile::open(path)?;
    match opened.length_bytes {
        Some(length_bytes) if length_bytes > MAX_KEPT_BYTES as u64 => Ok(Section::File {
            path: path.to_owned(),
            length_bytes,
        }),
        _ => begin(Box::new(opened.file)),
    }
}

/// Reads as much as is kept for a second try.
fn begin(mut rest: Box<dyn Read + Send>) -> io::Result<Section> {
    let mut begun = Vec::new();
    (&mut rest).take(MAX_KEPT_BYTES as u64 + 1).read_to_end(&mut begun)?;
    match begun.len() > MAX_KEPT_BYTES {
        true => Ok(Section::Pipe {
            begun,
            rest: Some(rest),
        }),
        false => Ok(Section::Bytes(begun)),
    }
}
