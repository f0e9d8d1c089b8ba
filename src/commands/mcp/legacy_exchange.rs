//! What a client of the revisions up to 2025-11-25 does beside sending its
//! messages: a session that is begun again, the stream on which the server
//! speaks first, and the end of the session.

use super::bridge::Bridge;
use super::exchange::{MAX_RESUMPTIONS, is_event_stream, retry_pause};
use super::failure::Failure;
use super::legacy_session::INITIALIZED;
use crate::protocol::event_stream::EventStream;
use crate::protocol::http::{HeaderValue, Method};
use crate::protocol::mcp::Message;
use crate::secret::Secret;
use std::rc::Rc;

impl Bridge {
    /// Sends the client's `initialize` again to a server that has lost the
    /// session, which is what a client has to do (2025-11-25, Session
    /// Management). `false` where there is nothing to send.
    pub(super) async fn begin_anew(self: &Rc<Self>, lost: Option<&Secret>) -> Result<bool, Failure> {
        let _one_at_a_time = self.initializing.lock().await;
        let (current, initialize) = {
            let legacy = self.legacy.borrow();
            (legacy.id.clone(), legacy.initialize.clone())
        };
        let is_lost = current.as_ref().map(Secret::fingerprint) == lost.map(Secret::fingerprint);
        if !is_lost {
            return Ok(true);
        }
        let Some(line) = initialize else { return Ok(false) };
        let Ok(messages) = Message::read(&line) else {
            return Ok(false);
        };
        let generation = self.legacy.borrow().generation;
        let answer = self.send(&self.post(&line, &messages, None)).await?;
        let (head, text) = self.read_response(answer).await?;
        if let Ok(received) = Message::read(&text) {
            self.note_initialization(&head, &messages, &received);
        }
        if self.legacy.borrow().generation == generation {
            return Ok(false);
        }
        let session_id = self.legacy.borrow().id.clone();
        self.send(&self.post(INITIALIZED, &[], session_id.as_ref())).await?;
        tokio::task::spawn_local(Rc::clone(self).listen());
        Ok(true)
    }

    /// The stream on which servers of the old era speak first (2025-11-25,
    /// Listening for Messages from the Server), for as long as the session lasts.
    pub(super) async fn listen(self: Rc<Self>) {
        let (session_id, generation) = {
            let legacy = self.legacy.borrow();
            (legacy.id.clone(), legacy.generation)
        };
        if self.legacy.borrow().version.is_none() {
            return;
        }
        let mut last_event_id: Option<String> = None;
        let mut failures = 0;
        while failures <= MAX_RESUMPTIONS && self.legacy.borrow().generation == generation {
            let mut request = self.request(Method::Get, "text/event-stream", session_id.as_ref());
            if let Some(id) = &last_event_id {
                request.push_header("last-event-id", HeaderValue::Plain(id.clone()));
            }
            let mut stream = EventStream::default();
            failures += 1;
            if let Ok(mut answer) = self.send(&request).await {
                if !is_event_stream(&answer.head) {
                    // Most servers have none, and say so with 405.
                    return;
                }
                let ended = self
                    .pass_events(&mut answer.body, &mut stream, &mut Vec::new(), |_, _| failures = 0)
                    .await;
                if ended.is_err() {
                    return;
                }
            }
            last_event_id = stream.last_event_id().map(str::to_owned).or(last_event_id);
            tokio::time::sleep(retry_pause(&stream)).await;
        }
    }

    /// Tells a server of the old era that the session is over.
    pub(super) async fn end_session(&self) {
        let Some(session_id) = self.legacy.borrow().id.clone() else {
            return;
        };
        let request = self.request(Method::Delete, "application/json", Some(&session_id));
        // A refresh is not begun for it: the client may kill the process at any moment.
        let Some(mut token) = self.tokens.lasting() else { return };
        // The server ends it by itself where it does not take this.
        let _ = self.send_once(&request, &mut token).await;
    }
}
