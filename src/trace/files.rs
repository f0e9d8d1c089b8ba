//! Trace files: each event, stamped with the time since the start, goes
//! through the renderer of each file.
//!
//! Invariant: a file is whole after every event. An event is written together
//! with the end of the file, over the end that was there before; whatever ends
//! the process, a signal or a failure, finds nothing to finish.

use super::render::har::Har;
use super::render::html::Html;
use super::render::json::JsonLines;
use super::render::mermaid::Mermaid;
use super::renderer::{Renderer, TraceContext};
use super::{Event, Observer};
use crate::exit::{Diagnosis, ExitCode};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Why a trace file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    #[error("the trace file `{}` has none of the endings .json, .har, .html, .mmd", path.display())]
    UnknownEnding {
        /// As it was given.
        path: PathBuf,
    },
    /// Somebody put a link there.
    #[error("the trace file `{}` is a symbolic link, and links are not followed here", path.display())]
    Symlink {
        /// As it was given.
        path: PathBuf,
    },
    /// Nothing can be written into it.
    #[error("the trace file `{}` is a directory", path.display())]
    NoFile {
        /// As it was given.
        path: PathBuf,
    },
    /// Another program's file, or a note of the user's.
    #[error("the file `{}` is not empty and is not a trace of oauth: it is not overwritten", path.display())]
    NotATrace {
        /// As it was given.
        path: PathBuf,
    },
    /// The operating system said no.
    #[error("the trace file `{}` cannot be written", path.display())]
    Io {
        /// As it was given.
        path: PathBuf,
        source: io::Error,
    },
}

impl Diagnosis for TraceFileError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            TraceFileError::UnknownEnding { .. } => vec![
                "The ending chooses what is written: .json one event a line, .har for a browser's developer tools, .html a sequence diagram, .mmd Mermaid."
                    .to_owned(),
            ],
            TraceFileError::Symlink { .. } => vec!["Give the path of the file itself with --trace.".to_owned()],
            TraceFileError::NoFile { .. } | TraceFileError::NotATrace { .. } | TraceFileError::Io { .. } => {
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
    /// Makes or empties the files, mode 0600, through no symbolic link. The
    /// endings are looked at before any file is touched.
    ///
    /// # Errors
    /// [`TraceFileError`].
    pub fn open(paths: &[PathBuf], context: TraceContext) -> Result<Self, TraceFileError> {
        let mut chosen: Vec<(&PathBuf, Box<dyn Renderer>)> = Vec::new();
        for path in paths {
            let renderer = renderer_for(path, context)?;
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

    /// Ends and closes the files. What is observed later is in none of them.
    pub fn finish(&mut self) {
        self.files.clear();
    }

    /// The files that could not be written any more since this was last asked.
    pub fn take_failures(&mut self) -> Vec<TraceFileError> {
        self.files
            .iter_mut()
            .filter_map(|file| {
                let source = file.failure.take()?;
                let path = file.path.clone();
                Some(TraceFileError::Io { path, source })
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

fn renderer_for(path: &Path, context: TraceContext) -> Result<Box<dyn Renderer>, TraceFileError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "json" => Ok(Box::new(JsonLines::new(context))),
        "har" => Ok(Box::new(Har::new(context))),
        "html" => Ok(Box::new(Html::new(context))),
        "mmd" => Ok(Box::new(Mermaid::new(context))),
        _ => Err(TraceFileError::UnknownEnding {
            path: path.to_path_buf(),
        }),
    }
}

struct TraceFile {
    path: PathBuf,
    renderer: Box<dyn Renderer>,
    /// `None` after a failure.
    file: Option<File>,
    /// Where the end of the file begins, which the next event replaces.
    tail_at_byte: u64,
    tail: String,
    failure: Option<io::Error>,
    /// A pipe or a device: what was written cannot be written over, so the end comes last.
    is_stream: bool,
}

impl TraceFile {
    fn open(path: &Path, mut renderer: Box<dyn Renderer>) -> Result<Self, TraceFileError> {
        let path = path.to_path_buf();
        if !may_be_replaced(&path) {
            return Err(TraceFileError::NotATrace { path });
        }
        let (file, is_stream) = match open_private_or_stream(&path) {
            Ok(opened) => opened,
            Err(CreateFileError::NoFile) => return Err(TraceFileError::NoFile { path }),
            Err(CreateFileError::Symlink) => return Err(TraceFileError::Symlink { path }),
            Err(CreateFileError::Io(source)) => return Err(TraceFileError::Io { path, source }),
        };
        let head = renderer.head();
        let mut trace_file = TraceFile {
            path,
            renderer,
            file: Some(file),
            tail_at_byte: 0,
            tail: String::new(),
            failure: None,
            is_stream,
        };
        trace_file.append(head);
        match trace_file.failure.take() {
            None => Ok(trace_file),
            Some(source) => Err(TraceFileError::Io {
                path: trace_file.path.clone(),
                source,
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
        if self.is_stream {
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
        let mut written = write_at(file, text.as_bytes(), self.tail_at_byte);
        if text.len() < self.tail.len() {
            written = written.and_then(|()| file.set_len(tail_at_byte + bytes(tail.len())));
        }
        match written {
            Ok(()) => (self.tail_at_byte, self.tail) = (tail_at_byte, tail),
            Err(error) => {
                // The old end has its room on the disk: the file stays whole without this event.
                let _ = write_at(file, self.tail.as_bytes(), self.tail_at_byte)
                    .and_then(|()| file.set_len(self.tail_at_byte + bytes(self.tail.len())));
                self.file = None;
                self.failure = Some(error);
            }
        }
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        if let (true, Some(file)) = (self.is_stream, &mut self.file) {
            // Nobody is left to be told that its reader has gone.
            let _ = file.write_all(self.renderer.tail().as_bytes());
        }
    }
}

/// Whether a file with this path may be written over: there is none, it is
/// empty or a trace of ours, or it is no regular file.
fn may_be_replaced(path: &Path) -> bool {
    const HEAD_BYTES: u64 = 1024;
    let is_regular = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if !is_regular {
        return true;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    // What cannot be read cannot be written either, or is told when it is opened.
    read.is_err() || head.is_empty() || is_trace(&String::from_utf8_lossy(&head))
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

#[cfg(unix)]
fn write_at(file: &mut File, bytes: &[u8], at_byte: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at_byte)
}

#[cfg(not(unix))]
fn write_at(file: &mut File, bytes: &[u8], at_byte: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    file.seek(SeekFrom::Start(at_byte))?;
    file.write_all(bytes)
}

/// Why a file that was asked for cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CreateFileError {
    /// Somebody put a link there.
    #[error("it is a symbolic link, and links are not followed here")]
    Symlink,
    /// A folder, a pipe, a device.
    #[error("it is there and is no regular file")]
    NoFile,
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes or empties a regular file of mode 0600, through no symbolic link, and
/// waits for nobody.
///
/// # Errors
/// [`CreateFileError`].
pub fn open_private(path: &Path) -> Result<File, CreateFileError> {
    match open_private_or_stream(path)? {
        (file, false) => Ok(file),
        (_, true) => Err(CreateFileError::NoFile),
    }
}

/// The same, and pipes and devices as they are; whether it is one of those.
fn open_private_or_stream(path: &Path) -> Result<(File, bool), CreateFileError> {
    let is_symlink = || std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // NONBLOCK: a named pipe must not keep us waiting
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options
            .mode(0o600)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    #[cfg(not(unix))]
    if is_symlink() {
        return Err(CreateFileError::Symlink);
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(_) if is_symlink() => return Err(CreateFileError::Symlink),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(CreateFileError::NoFile);
    }
    if !metadata.is_file() {
        return Ok((file, true));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    file.set_len(0)?;
    Ok((file, false))
}
