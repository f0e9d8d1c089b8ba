//! The body of a call: at hand where it is short, else read while it is sent.
//! A file is opened again for a second try; what came from a pipe is kept for
//! it up to [`MAX_KEPT_BYTES`].

use super::error::RequestError;
use super::multipart::{Part, multipart};
use crate::args::settings::{CallBody, DataSource};
use crate::error::Error;
use crate::flow::authorized_request::UploadSource;
use crate::protocol::http::{Content, RequestBody};
use crate::secret::Secret;
use crate::system::files::content::ContentFile;
use crate::transport::Upload;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// A longer body is read while it is sent; one from a pipe is then sent once.
pub(super) const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// Read and handed over at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces that wait to be sent.
const MAX_WAITING_PIECES: usize = 4;

/// A body that is ready to be sent.
pub(super) struct PreparedBody {
    media_type: String,
    sections: Vec<Section>,
}

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

impl PreparedBody {
    /// Opens everything that is named.
    ///
    /// # Errors
    /// [`RequestError::Input`], [`RequestError::Stdin`].
    pub(super) fn prepare(body: &CallBody) -> Result<Self, Error> {
        match body {
            CallBody::Data(sources) => {
                let mut sections = Vec::new();
                for source in sources {
                    if !sections.is_empty() {
                        sections.push(Section::Bytes(b"&".to_vec()));
                    }
                    sections.push(section(source)?);
                }
                Ok(PreparedBody {
                    media_type: "application/x-www-form-urlencoded".to_owned(),
                    sections,
                })
            }
            CallBody::Form(fields) => {
                let mut parts = Vec::new();
                for field in fields {
                    let section = section(&field.source)?;
                    parts.push(Part { field, section });
                }
                let (media_type, sections) = multipart(parts)?;
                Ok(PreparedBody { media_type, sections })
            }
        }
    }

    /// The body as the request has it.
    pub(super) fn to_request_body(&self) -> RequestBody {
        let at_hand: Option<Vec<&[u8]>> = self.sections.iter().map(Section::at_hand).collect();
        let media_type = Some(self.media_type.clone());
        match at_hand {
            Some(pieces) => RequestBody::Content(Content {
                media_type,
                bytes: Secret::new(pieces.concat()),
            }),
            None => RequestBody::Stream {
                media_type,
                length_bytes: self.sections.iter().map(Section::length_bytes).sum(),
            },
        }
    }
}

impl UploadSource for PreparedBody {
    fn open(&mut self) -> io::Result<Option<Upload>> {
        if self.sections.iter().all(|section| section.at_hand().is_some()) {
            return Ok(None);
        }
        let length_bytes = self.sections.iter().map(Section::length_bytes).sum();
        let readers = self.sections.iter_mut().map(Section::open);
        let readers = readers.collect::<io::Result<Vec<_>>>()?;
        let (sender, pieces) = mpsc::channel(MAX_WAITING_PIECES);
        std::thread::Builder::new()
            .name("upload".to_owned())
            .spawn(move || read_all(readers, &sender))?;
        Ok(Some(Upload { pieces, length_bytes }))
    }

    fn can_repeat(&self) -> bool {
        !self
            .sections
            .iter()
            .any(|section| matches!(section, Section::Pipe { rest: None, .. }))
    }
}

impl Section {
    fn at_hand(&self) -> Option<&[u8]> {
        match self {
            Section::Bytes(bytes) => Some(bytes),
            Section::File { .. } | Section::Pipe { .. } => None,
        }
    }

    fn length_bytes(&self) -> Option<u64> {
        match self {
            Section::Bytes(bytes) => Some(bytes.len() as u64),
            Section::File { length_bytes, .. } => Some(*length_bytes),
            Section::Pipe { .. } => None,
        }
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
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

fn section(source: &DataSource) -> Result<Section, Error> {
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

/// Hands over what the readers give. An error ends the request.
fn read_all(readers: Vec<Box<dyn Read + Send>>, sender: &mpsc::Sender<io::Result<Vec<u8>>>) {
    for mut reader in readers {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let read = match reader.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => {
                    piece.truncate(length);
                    Ok(piece)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_error = read.is_err();
            // Nobody receives any more: the request has ended.
            if sender.blocking_send(read).is_err() || is_error {
                return;
            }
        }
    }
}
