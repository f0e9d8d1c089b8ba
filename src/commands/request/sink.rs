//! Where an answer goes: to standard output as it comes, or into a file.

use super::error::RequestError;
use crate::error::Error;
use crate::foreign_text::DocumentSanitizer;
use crate::output::report;
use crate::protocol::http::HttpResponse;
use crate::system::files::output::{OutputFile, Streams};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a named pipe may lack its reader.
const READER_PATIENCE: Duration = Duration::from_secs(10);

/// Takes an answer piece by piece.
pub(super) enum Sink {
    Stdout,
    /// A terminal, which nothing in an answer may steer.
    Terminal {
        sanitizer: DocumentSanitizer,
        is_mid_line: bool,
    },
    File {
        path: PathBuf,
        file: OutputFile,
    },
}

impl Sink {
    /// Opens the file of `-o`, else standard output.
    ///
    /// # Errors
    /// [`RequestError::Output`].
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(match io::stdout().is_terminal() {
                true => Sink::Terminal {
                    sanitizer: DocumentSanitizer::default(),
                    is_mid_line: false,
                },
                false => Sink::Stdout,
            });
        };
        let file = OutputFile::create(path, Streams::Taken(READER_PATIENCE), |_| true);
        let file = file.map_err(|source| RequestError::Output {
            path: path.to_owned(),
            source,
        })?;
        Ok(Sink::File {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes a piece; `false` where the reader of standard output has gone.
    ///
    /// # Errors
    /// [`RequestError::Write`], or that of standard output.
    pub(super) fn write(&mut self, piece: &[u8]) -> Result<bool, Error> {
        match self {
            Sink::Stdout => report::print_piece(piece),
            Sink::Terminal { sanitizer, is_mid_line } => {
                let shown = sanitizer.push(piece);
                *is_mid_line = shown.chars().next_back().map_or(*is_mid_line, |last| last != '\n');
                report::print_piece(shown.as_bytes())
            }
            Sink::File { path, file } => {
                let written = file.write_all(piece);
                written.map_err(|source| RequestError::Write {
                    path: path.clone(),
                    source,
                })?;
                Ok(true)
            }
        }
    }

    /// Nothing more comes. The prompt of a shell, or an error, begins a line of its own.
    ///
    /// # Errors
    /// That of standard output.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self {
            Sink::Terminal { sanitizer, is_mid_line } => {
                let rest = sanitizer.finish();
                let line_end = if is_mid_line || !rest.is_empty() { "\n" } else { "" };
                report::print(format!("{rest}{line_end}").as_bytes())
            }
            Sink::Stdout | Sink::File { .. } => Ok(()),
        }
    }
}

/// Status and headers as they are on the wire, for `-i`.
pub(super) fn head_lines(response: &HttpResponse) -> String {
    let phrase = hyper::StatusCode::from_u16(response.status).ok();
    let phrase = phrase.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut lines = format!("HTTP/1.1 {} {phrase}\r\n", response.status);
    for (name, value) in &response.headers {
        lines += &format!("{name}: {value}\r\n");
    }
    lines + "\r\n"
}
