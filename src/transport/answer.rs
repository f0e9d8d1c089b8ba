//! An answer whose body is read piece by piece, in bounded memory.

use super::body::{Coding, GzipStream};
use super::error::TransportError;
use super::failure::RequestContext;
use super::time_limit::within;
use super::upload::Progress;
use crate::protocol::http::HttpResponse;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// An answer as soon as its head is there.
#[derive(Debug)]
pub struct Answer {
    /// Its body is empty: it is in `body`.
    pub head: HttpResponse,
    pub body: AnswerBody,
}

/// The rest of an answer.
#[derive(Debug)]
pub struct AnswerBody {
    response: reqwest::Response,
    gzip: Option<GzipStream>,
    /// Whose answer it is, for errors.
    url: Url,
    /// The longest wait for a piece; `None` waits for ever.
    pub patience: Option<Duration>,
    deadline: Option<Instant>,
}

impl AnswerBody {
    pub(super) fn new(
        response: reqwest::Response,
        coding: Coding,
        url: &Url,
        (patience, deadline): (Duration, Option<Instant>),
    ) -> Self {
        AnswerBody {
            response,
            gzip: (coding == Coding::Gzip).then(GzipStream::default),
            url: url.clone(),
            patience: Some(patience),
            deadline,
        }
    }

    /// The next piece; `None` at the end. A body that is gzip although it was
    /// not asked for is decoded.
    ///
    /// # Errors
    /// [`TransportError`]: the rest of the body is lost.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        loop {
            let Some(gzip) = &mut self.gzip else {
                return Ok(self.receive().await?.map(Vec::from));
            };
            if let Some(decoded) = gzip.next().map_err(|_| self.context().undecodable())? {
                return Ok(Some(decoded));
            }
            match self.receive().await? {
                Some(piece) => self.gzip.iter_mut().for_each(|gzip| gzip.push(&piece)),
                None => {
                    let is_whole = self.gzip.as_mut().is_none_or(GzipStream::is_at_end);
                    return is_whole.then_some(None).ok_or_else(|| self.context().undecodable());
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<hyper::body::Bytes>, TransportError> {
        let receiving = self.response.chunk();
        let received = match self.patience {
            None => receiving.await,
            Some(patience) => match within(patience, receiving).await {
                Some(received) => received,
                None => return Err(self.context().timed_out(patience)),
            },
        };
        received.map_err(|error| self.context().failed(&error))
    }

    /// The request was sent long ago.
    fn context(&self) -> RequestContext<'_> {
        RequestContext {
            url: &self.url,
            progress: Arc::new(Progress::new(true)),
            proxy: None,
            connect_timeout: Duration::ZERO,
            deadline: self.deadline,
        }
    }
}
