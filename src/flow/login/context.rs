//! What a login needs beside the [`Caller`]: a browser, a place where URLs are
//! pasted, and a store for the session.

use crate::exit::Diagnosis;
use crate::flow::caller::Caller;
use crate::secret::Secret;
use crate::store::Session;
use crate::trace::Observer;
use crate::user_agent::browser::{BrowserError, BrowserProcess};
use crate::user_agent::host::HostEnvironment;
use std::pin::Pin;
use url::Url;

/// Shows the resource owner a URL: the browser, or what replaces it.
pub trait UserAgent {
    /// Starts it without waiting for it. What becomes of it is reported by the [`BrowserProcess`].
    ///
    /// # Errors
    /// [`BrowserError`] for a URL that no browser may be sent to.
    fn open(&mut self, url: &Url) -> Result<BrowserProcess, BrowserError>;
}

/// What came from where URLs are pasted.
#[derive(Debug)]
pub enum PasteEvent {
    Line(Secret),
    /// A line that no URL is as long as; another may follow.
    TooLong,
    /// There will be no more.
    End,
}

/// Where a pasted URL comes from.
pub trait PasteSource {
    /// The next line. Cancelling loses nothing.
    fn next_line(&mut self) -> Pin<Box<dyn Future<Output = PasteEvent> + '_>>;

    /// Whether a person sits there who can try again.
    fn is_terminal(&self) -> bool;
}

/// Stores the session, and says why if it cannot.
pub type SaveSession<'a> = dyn FnMut(&Session, &mut dyn Observer) -> Result<(), Box<dyn Diagnosis>> + 'a;

/// What the flow needs of the world around it.
pub struct LoginContext<'a> {
    /// Sends the requests, draws verifier, state and nonce, and sees everything.
    pub caller: Caller<'a>,
    /// Shows the URL to the resource owner.
    pub user_agent: &'a mut dyn UserAgent,
    /// Lines that a person pastes, where there is a terminal or `--paste`.
    pub pasted: Option<&'a mut dyn PasteSource>,
    /// Where this process runs, which decides what is said about reaching the callback.
    pub host: &'a HostEnvironment,
    pub save: &'a mut SaveSession<'a>,
}
