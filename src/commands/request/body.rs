//! The body of a call: at hand where it is short, else read while it is sent.
//! A file is opened again for a second try; what came from a pipe is kept for
//! it up to [`MAX_KEPT_BYTES`](super::section::MAX_KEPT_BYTES).

use super::multipart::{Part, multipart};
use super::section::{Section, section};
use crate::args::settings::CallBody;
use crate::error::Error;
use crate::flow::authorized_request::UploadSource;
use crate::protocol::http::{Content, RequestBody};
use crate::secret::Secret;
use crate::transport::Upload;
use std::io::{self, Read};
use tokio::sync::mpsc;

/// Read and handed over at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces that wait to be sent.
const MAX_WAITING_PIECES: usize = 4;

/// A body that is ready to be sent.
pub(super) struct PreparedBody {
    media_type: String,
    sections: Vec<Section>,
}

impl PreparedBody {
    /// Opens everything that is named.
    ///
    /// # Errors
    /// Those of [`section`].
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
