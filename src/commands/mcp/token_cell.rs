//! The token of the bridge: one for all messages, asked for once however many
//! wait for it.

use super::desk::{DeskMessage, Want};
use super::failure::Failure;
use crate::commands::api_token::ApiToken;
use crate::flow::authorized_request::PresentedToken;
use crate::protocol::scope::Scope;
use crate::store::StoredToken;
use crate::system;
use std::cell::RefCell;
use std::sync::mpsc::Sender;
use tokio::sync::{Mutex, oneshot};

/// A token is asked for again this long before it ends, or at half of its life.
const MARGIN_S: i64 = 60;

pub(super) struct TokenCell {
    desk: Sender<DeskMessage>,
    held: RefCell<Option<Held>>,
    /// One question at a time.
    turn: Mutex<()>,
}

/// A token as it came.
pub(super) struct Obtained {
    pub(super) presented: PresentedToken,
    /// Whether it was got by a refresh just now: a server that does not take it takes none.
    pub(super) is_new: bool,
}

struct Held {
    stored: StoredToken,
    presented: PresentedToken,
}

impl TokenCell {
    pub(super) fn new(desk: Sender<DeskMessage>) -> Self {
        TokenCell {
            desk,
            held: RefCell::new(None),
            turn: Mutex::new(()),
        }
    }

    /// A token that lasts.
    pub(super) async fn fresh(&self) -> Result<PresentedToken, Failure> {
        if let Some(presented) = self.lasting() {
            return Ok(presented);
        }
        let _turn = self.turn.lock().await;
        match self.lasting() {
            Some(presented) => Ok(presented),
            None => Ok(self.ask(Want::Fresh).await?.presented),
        }
    }

    /// Another token than this one, which the server did not take.
    pub(super) async fn other_than(&self, rejected: &PresentedToken) -> Result<Obtained, Failure> {
        let _turn = self.turn.lock().await;
        let current = self.held.borrow().as_ref().map(|held| held.presented.clone());
        if let Some(presented) = current.filter(|current| !current.is_same(rejected)) {
            return Ok(Obtained {
                presented,
                is_new: false,
            });
        }
        self.ask(Want::Other(rejected.access_token().clone())).await
    }

    /// A token with this scope too, which the server missed in the refused
    /// one, where someone may log in for it.
    pub(super) async fn wider(&self, scope: Scope, refused: &PresentedToken) -> Result<PresentedToken, Failure> {
        let _turn = self.turn.lock().await;
        let refused = refused.access_token().clone();
        Ok(self.ask(Want::Wider { scope, refused }).await?.presented)
    }

    /// Keeps what a request has learned: the server's nonce.
    pub(super) fn keep(&self, used: PresentedToken) {
        if let Some(held) = self.held.borrow_mut().as_mut()
            && held.presented.is_same(&used)
        {
            held.presented = used;
        }
    }

    /// The token that is held, if it lasts; none is asked for.
    pub(super) fn lasting(&self) -> Option<PresentedToken> {
        let held = self.held.borrow();
        let held = held.as_ref()?;
        let Some(expires_at) = held.stored.expires_at else {
            return Some(held.presented.clone());
        };
        let lifetime_s = held
            .stored
            .issued_at
            .map(|issued_at| expires_at.seconds_since(issued_at));
        let margin_s = lifetime_s.map_or(MARGIN_S, |lifetime_s| MARGIN_S.min(lifetime_s / 2));
        (expires_at.seconds_since(system::now()) > margin_s).then(|| held.presented.clone())
    }

    async fn ask(&self, want: Want) -> Result<Obtained, Failure> {
        let ended = || Failure::new("the bridge is about to end");
        let (reply, answer) = oneshot::channel();
        self.desk
            .send(DeskMessage::Token { want, reply })
            .map_err(|_| ended())?;
        let token: ApiToken = answer.await.map_err(|_| ended())??;
        let presented = token.present().map_err(|error| Failure::from(&error))?;
        self.held.replace(Some(Held {
            stored: token.stored,
            presented: presented.clone(),
        }));
        Ok(Obtained {
            presented,
            is_new: token.is_new,
        })
    }
}
