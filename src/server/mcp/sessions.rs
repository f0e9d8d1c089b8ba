//! Sessions of the protocol up to 2025-11-25 (Transports, "Session
//! Management"), each with the streams that a client may come back to
//! ("Resumability and Redelivery").

use super::event_stream::event_with_id;
use crate::protocol::abnf::random_token;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::server::access_token::AccessToken;
use crate::server::expiring_map::ExpiringMap;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sessions at once; then the oldest goes.
const MAX_SESSIONS: usize = 1_000;
/// How long a session lives.
const SESSION_S: i64 = 24 * 3600;
/// Streams of one session that can be resumed; then the oldest cannot.
const MAX_STREAMS: usize = 16;

/// A stream that can be resumed.
#[derive(Debug)]
struct KeptStream {
    number: u64,
    messages: Vec<Value>,
}

/// What a client agreed on with the server.
#[derive(Debug)]
struct Session {
    subject: String,
    client_id: String,
    streams: VecDeque<KeptStream>,
    /// Streams so far.
    count: u64,
}

/// What a client gets that comes back to a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// The events that it has not seen; the stream ends with them.
    Rest(String),
    /// The stream had no messages, and stays open.
    Open,
    /// There is no such event.
    Unknown,
}

/// All of them, by the hash of their ids.
pub(crate) struct Sessions(Mutex<ExpiringMap<[u8; 32], Session>>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Sessions(Mutex::new(ExpiringMap::new(MAX_SESSIONS)))
    }

    /// A session for the holder of this token; its id.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub(crate) fn begin(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        token: &AccessToken,
    ) -> Result<Secret, RandomnessFailed> {
        let id = random_token(randomness)?;
        let session = Session {
            subject: token.subject.clone(),
            client_id: token.client_id.clone(),
            streams: VecDeque::new(),
            count: 0,
        };
        self.lock()
            .insert(now, key(id.expose()), session, now.plus_seconds(SESSION_S));
        Ok(id)
    }

    /// Whether this is a session of the holder of this token: an id alone gives no access.
    pub(crate) fn is_of(&self, now: UnixSeconds, id: &str, token: &AccessToken) -> bool {
        let sessions = self.lock();
        let session = sessions.get(now, &key(id));
        session.is_some_and(|session| session.subject == token.subject && session.client_id == token.client_id)
    }

    /// Ends a session.
    pub(crate) fn end(&self, now: UnixSeconds, id: &str) {
        self.lock().remove(now, &key(id));
    }

    /// A new stream with these messages, which come after its first event; its number.
    pub(crate) fn open_stream(&self, now: UnixSeconds, id: &str, messages: Vec<Value>) -> u64 {
        let mut sessions = self.lock();
        let Some(session) = sessions.get_mut(now, &key(id)) else {
            return 0;
        };
        session.count += 1;
        if session.streams.len() == MAX_STREAMS {
            session.streams.pop_front();
        }
        let number = session.count;
        session.streams.push_back(KeptStream { number, messages });
        number
    }

    /// What follows on the stream after an event.
    pub(crate) fn resume(&self, now: UnixSeconds, id: &str, last_event_id: &str) -> Resumed {
        let sessions = self.lock();
        let found = || {
            let (stream, seen) = last_event_id.split_once('-')?;
            let (stream, seen): (u64, usize) = (stream.parse().ok()?, seen.parse().ok()?);
            let session = sessions.get(now, &key(id))?;
            let stream = session.streams.iter().find(|kept| kept.number == stream)?;
            Some((stream, stream.messages.get(seen..)?, seen))
        };
        match found() {
            None => Resumed::Unknown,
            Some((stream, ..)) if stream.messages.is_empty() => Resumed::Open,
            Some((stream, rest, seen)) => Resumed::Rest(events(stream.number, seen, rest)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ExpiringMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of an event: its stream, and how many messages came with it or before.
pub(crate) fn event_id(stream: u64, message: usize) -> String {
    format!("{stream}-{message}")
}

/// The messages of a stream after the first ones.
pub(crate) fn events(stream: u64, seen: usize, messages: &[Value]) -> String {
    let numbered = messages.iter().zip(seen + 1..);
    numbered
        .map(|(message, number)| event_with_id(&event_id(stream, number), message))
        .collect()
}

fn key(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}
