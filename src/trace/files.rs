//! Trace files: each event, stamped with the time since the start, goes
//! through the renderer of each file.
//!
//! Invariant: a file is whole after every event. An event is written together
//! with the end of the file, over the end that was there before; whatever ends
//! the process, a signal or a failure, finds nothing to finish.

#[cfg(test)]
mod tests;

use super::render::har::Har;
use super::render::html::Html;
use super::render::json::JsonLines;
use super::render::mermaid::Mermaid;
use super::renderer::{Renderer, TraceContext};
use super::{Event, Observer};
use crate::exit::{Diagnosis, ExitCode};
use crate::system::files::FileError;
use crate::system::files::output::{OutputError, OutputFile, Streams};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a named pipe may lack the program that reads the trace.
const READER_PATIENCE: Duration = Duration::from_secs(10);

/// Why a trace file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    #[error("the trace file `{}` must end in .json, .har, .html or .mmd", path.display())]
    UnknownEnding {
        /// As it was given.
        path: PathBuf,
    },
    /// Others could have put a link there.
    #[error("the trace file `{}` is a symbolic link, and links are not followed here", path.display())]
    Symlink {
        /// As it was given.
        path: PathBuf,
    },
    /// Nothing can be written into it.
    #[error("the trace file `{}` is a directory", path.display())]
    Directory {
        /// As it was given.
        path: PathBuf,
    },
    /// Another program's file, or a note of the user's.
    #[error("the file `{}` is not empty and is not a trace of oauth: it is not overwritten", path.display())]
    NotATrace {
        /// As it was given.
        path: PathBuf,
    },
    #[error("the trace file `{}` cannot be written", path.display())]
    Unwritable {
        /// As it was given.
        path: PathBuf,
        source: FileError,
    },
}

impl Diagnosis for TraceFileError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            TraceFileError::UnknownEnding { .. } => vec![
                "The file name chooses the format: .json (one event per line), .har (for a browser's developer tools), .html (sequence diagram) or .mmd (Mermaid)."
                    .to_owned(),
            ],
            TraceFileError::Symlink { .. } => vec!["Give the path of the file itself with --trace.".to_owned()],
            TraceFileError::Unwritable { source, .. } if source.is_file_too_large() => source.hints(),
            TraceFileError::Directory { .. }
            | TraceFileError::NotATrace { .. }
            | TraceFileError::Unwritable { .. } => {
                vec!["Choose another file with --trace (or OAUTH_TRACE).".to_owned()]
            }
        }
    }
}

/// All trace files of a process.
pub struct TraceFiles {
    began: Instant,
    files: Vec<TraceFile>,
}

impl TraceFiles {
    /// Makes the files, mode 0600, in the place of empty ones and of earlier
    /// traces. The endings are looked at before any file is touched.
    ///
    /// # Errors
    /// [`TraceFileError`].
    pub fn open(paths: &[PathBuf], context: TraceContext) -> Result<Self, TraceFileError> {
        let mut chosen: Vec<(&PathBuf, Box<dyn Renderer>)> = Vec::new();
        for path in paths {
            let renderer = renderer_for(path, &context)?;
            if !chosen.iter().any(|(earlier, _)| *earlier == path) {
                chosen.push((path, renderer));
            }
        }
        let files = chosen
            .into_iter()
            .map(|(path, renderer)| TraceFile::open(path, renderer))
            .collect::<Result<_, _>>()?;
        Ok(TraceFiles {
            began: Instant::now(),
            files,
        })
    }

    /// Ends and closes the files of a command that has not failed. What is
    /// observed later is in none of them.
    pub fn finish(&mut self) {
        for mut file in self.files.drain(..) {
            file.renderer.finish();
            file.append(String::new());
        }
    }

    /// The files that could not be written any more since this was last asked.
    pub fn take_failures(&mut self) -> Vec<TraceFileError> {
        self.files
            .iter_mut()
            .filter_map(|file| {
                let source = file.failure.take()?;
                let path = file.path.clone();
                let source = FileError::unwritten(&path, source);
                Some(TraceFileError::Unwritable { path, source })
            })
            .collect()
    }
}

impl Observer for TraceFiles {
    fn observe(&mut self, event: &Event<'_>) {
        let since_start = self.began.elapsed();
        for file in &mut self.files {
            file.observe(event, since_start);
        }
    }
}

fn renderer_for(path: &Path, context: &TraceContext) -> Result<Box<dyn Renderer>, TraceFileError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "json" => Ok(Box::new(JsonLines::new(context.clone()))),
        "har" => Ok(Box::new(Har::new(context.clone()))),
        "html" => Ok(Box::new(Html::new(context.clone()))),
        "mmd" => Ok(Box::new(Mermaid::new(context.clone()))),
        _ => Err(TraceFileError::UnknownEnding {
            path: path.to_path_buf(),
        }),
    }
}

struct TraceFile {
    path: PathBuf,
    renderer: Box<dyn Renderer>,
    /// `None` after a failure.
    file: Option<OutputFile>,
    /// Where the end of the file begins, which the next event replaces.
    tail_at_byte: u64,
    tail: String,
    failure: Option<io::Error>,
}

impl TraceFile {
    fn open(path: &Path, mut renderer: Box<dyn Renderer>) -> Result<Self, TraceFileError> {
        let path = path.to_path_buf();
        let is_trace = |head: &[u8]| is_trace(&String::from_utf8_lossy(head));
        let file = match OutputFile::create(&path, Streams::Taken(READER_PATIENCE), is_trace) {
            Ok(file) => file,
            Err(OutputError::Symlink) => return Err(TraceFileError::Symlink { path }),
            Err(OutputError::NotRegular) => return Err(TraceFileError::Directory { path }),
            Err(OutputError::OtherContent) => return Err(TraceFileError::NotATrace { path }),
            Err(OutputError::File(source)) => return Err(TraceFileError::Unwritable { path, source }),
        };
        let head = renderer.head();
        let mut trace_file = TraceFile {
            path,
            renderer,
            file: Some(file),
            tail_at_byte: 0,
            tail: String::new(),
            failure: None,
        };
        trace_file.append(head);
        match trace_file.failure.take() {
            None => Ok(trace_file),
            Some(source) => Err(TraceFileError::Unwritable {
                path: trace_file.path.clone(),
                source: FileError::unwritten(&trace_file.path, source),
            }),
        }
    }

    fn observe(&mut self, event: &Event<'_>, since_start: Duration) {
        if self.file.is_some() {
            let text = self.renderer.event(event, since_start);
            self.append(text);
        }
    }

    /// Writes this over the end, and a new end behind it.
    fn append(&mut self, mut text: String) {
        let Some(file) = &mut self.file else { return };
        if file.is_stream() {
            if let Err(error) = file.write_all(text.as_bytes()) {
                self.file = None;
                self.failure = Some(error);
            }
            return;
        }
        let tail = self.renderer.tail();
        if text.is_empty() && tail == self.tail {
            return;
        }
        let bytes = |length: usize| u64::try_from(length).unwrap_or_default();
        let tail_at_byte = self.tail_at_byte + bytes(text.len());
        text.push_str(&tail);
        let mut written = file.write_all_at(text.as_bytes(), self.tail_at_byte);
        if text.len() < self.tail.len() {
            written = written.and_then(|()| file.set_len(tail_at_byte + bytes(tail.len())));
        }
        match written {
            Ok(()) => (self.tail_at_byte, self.tail) = (tail_at_byte, tail),
            Err(error) => {
                // The old end has its room on the disk: the file stays whole without this event.
                let _ = file
                    .write_all_at(self.tail.as_bytes(), self.tail_at_byte)
                    .and_then(|()| file.set_len(self.tail_at_byte + bytes(self.tail.len())));
                self.file = None;
                self.failure = Some(error);
            }
        }
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.as_mut().filter(|file| file.is_stream()) {
            // Nobody is left to be told that its reader has gone.
            let _ = file.write_all(self.renderer.tail().as_bytes());
        }
    }
}

/// Whether a file begins as one of the renderers begins it.
fn is_trace(head: &str) -> bool {
    let first_line = head.lines().next().unwrap_or_default();
    let is_json = first_line.starts_with('{') && first_line.contains("\"event\":\"trace_begins\"");
    let har = format!(
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"{}\"",
        env!("CARGO_PKG_NAME")
    );
    let is_html = head.starts_with("<!doctype html>") && head.contains("<title>OAuth trace, ");
    let is_mermaid = first_line == "sequenceDiagram" && head.lines().nth(1).is_some_and(|line| line.contains(" as "));
    is_json || is_html || is_mermaid || head.starts_with(&har)
}
