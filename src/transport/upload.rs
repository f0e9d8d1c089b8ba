//! The body of a request: it is sent once, and watched while it goes, so that
//! it is known whether the server may have it, and whether it still moves.

use super::time_limit::within;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// As much is handed over at once, so that a slow connection is seen to move.
const PIECE_BYTES: usize = 64 * 1024;

/// Content that is read while it is sent.
#[derive(Debug)]
pub struct Upload {
    /// It ends where its sender is dropped; an error ends the request.
    pub pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// Where it is known from the start.
    pub length_bytes: Option<u64>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) struct Progress {
    has_begun: AtomicBool,
    last_piece: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new(has_begun: bool) -> Self {
        Progress {
            has_begun: AtomicBool::new(has_begun),
            last_piece: Mutex::new(Instant::now()),
        }
    }

    /// Whether the request may have left this machine.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    fn note_piece(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
        *self.last_piece.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last_piece(&self) -> Instant {
        *self.last_piece.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the work; `None` where nothing has moved for so long.
    pub(super) async fn within<T>(&self, patience: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let left = (self.last_piece() + patience).saturating_duration_since(Instant::now());
            match within(left, work.as_mut()).await {
                None if self.last_piece() + patience > Instant::now() => {}
                outcome => return outcome,
            }
        }
    }
}

/// A body that cannot be sent a second time.
pub(super) struct OutgoingBody {
    source: Source,
    progress: Arc<Progress>,
}

enum Source {
    Whole(Bytes),
    Stream(Upload),
}

impl OutgoingBody {
    pub(super) fn whole(bytes: Bytes, progress: &Arc<Progress>) -> Self {
        OutgoingBody {
            source: Source::Whole(bytes),
            progress: Arc::clone(progress),
        }
    }

    pub(super) fn stream(upload: Upload, progress: &Arc<Progress>) -> Self {
        OutgoingBody {
            source: Source::Stream(upload),
            progress: Arc::clone(progress),
        }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match &mut self.source {
            Source::Whole(bytes) if bytes.is_empty() => None,
            Source::Whole(bytes) => Some(Ok(bytes.split_to(bytes.len().min(PIECE_BYTES)))),
            Source::Stream(upload) => match upload.pieces.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(piece) => piece.map(|piece| piece.map(Bytes::from)),
            },
        };
        self.progress.note_piece();
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::Stream(upload) => upload.length_bytes.map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}
