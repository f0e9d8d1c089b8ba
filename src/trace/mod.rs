//! Events, not print statements: the flow tells an [`Observer`] what happened,
//! and each renderer is one file that turns events into bytes.
//!
//! Tasks (listener, server) send facts through channels; only the flow
//! observes. Events borrow protocol values, so that nothing is built where
//! nobody looks, and a value's own redaction decides what a renderer can show.

pub mod document;
pub mod json;
pub mod later;
pub mod redact;
pub mod terminal;

use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::params::Params;
use std::time::Duration;

/// Who speaks (RFC 6749 §1.1, with the browser that carries the messages).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The person.
    ResourceOwner,
    /// The user agent.
    Browser,
    /// This program.
    Client,
    /// Issues tokens.
    AuthorizationServer,
    /// What the token is for.
    ResourceServer,
    /// Where the session is kept.
    CredentialStore,
}

impl Party {
    /// In the words of RFC 6749.
    pub fn name(self) -> &'static str {
        match self {
            Party::ResourceOwner => "resource owner",
            Party::Browser => "browser",
            Party::Client => "client",
            Party::AuthorizationServer => "authorization server",
            Party::ResourceServer => "resource server",
            Party::CredentialStore => "credential store",
        }
    }
}

/// The seven steps of the flow, as `-v` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 1: the resource owner asks the client; everything is made ready.
    Prepare,
    /// 2: the client sends the browser to the authorize endpoint.
    Ask,
    /// 3: the server prompts the resource owner.
    Prompt,
    /// 4: the resource owner signs in and consents.
    Consent,
    /// 5: the browser comes back with code and state.
    Receive,
    /// 6: code and verifier go to the token endpoint, once.
    Exchange,
    /// 7: the token response is checked and stored.
    Store,
}

impl Step {
    /// 1 to 7.
    pub fn number(self) -> u8 {
        match self {
            Step::Prepare => 1,
            Step::Ask => 2,
            Step::Prompt => 3,
            Step::Consent => 4,
            Step::Receive => 5,
            Step::Exchange => 6,
            Step::Store => 7,
        }
    }

    /// One line that says what the step is.
    pub fn title(self) -> &'static str {
        match self {
            Step::Prepare => "the client makes verifier, challenge and state, and listens",
            Step::Ask => "the client sends the browser to the authorization endpoint",
            Step::Prompt => "the authorization server asks the resource owner",
            Step::Consent => "the resource owner signs in and consents",
            Step::Receive => "the browser comes back with the authorization response",
            Step::Exchange => "the client exchanges the code at the token endpoint",
            Step::Store => "the token response is checked and stored",
        }
    }
}

/// Something that happened, from one party to another.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins. Details follow as [`Event::Detail`]s or messages.
    StepBegins(Step),
    /// One fact of the current step, such as `redirect_uri` and its value.
    Detail {
        /// What it is, in the specification's words.
        name: &'a str,
        /// The value, safe to show.
        value: &'a str,
    },
    /// The parameters of a message that a step sends or receives.
    Message {
        /// Who sends it.
        from: Party,
        /// Who receives it.
        to: Party,
        /// Such as `authorization request`.
        title: &'a str,
        /// Its parameters; each knows how it may be shown.
        params: &'a Params,
    },
    /// The URL that the resource owner opens. Printed even under `--quiet`.
    AuthorizationUrl(&'a str),
    /// The browser was started with this command line (without the URL).
    BrowserStarted {
        /// What was run.
        command: &'a str,
    },
    /// The browser could not be started; the login goes on, the URL is printed.
    BrowserFailed {
        /// What was tried.
        command: &'a str,
        /// Why it did not work.
        reason: &'a str,
    },
    /// The wait for the resource owner begins; the other end is the deadline.
    WaitBegins {
        /// How long at most.
        timeout: Duration,
        /// Whether a pasted URL is accepted on the terminal.
        paste_accepted: bool,
    },
    /// The wait is over, whatever came of it.
    WaitEnds,
    /// A request to the listener was answered and ignored; the wait goes on.
    CallbackIgnored {
        /// Why, safe to show.
        reason: &'a str,
    },
    /// An HTTP request is about to be sent.
    RequestSent(&'a HttpRequest),
    /// The answer to the request before it.
    ResponseReceived {
        /// What was asked.
        request: &'a HttpRequest,
        /// What came.
        response: &'a HttpResponse,
    },
    /// No answer came to the request before it.
    RequestFailed {
        /// What was asked.
        request: &'a HttpRequest,
        /// Why no answer came.
        reason: &'a str,
    },
    /// A decision on the way, shown at `-vvv`: which store, which lock, which
    /// well-known URL was not taken and why.
    Decision(&'a str),
    /// A check that was made and held, shown at `-vv`.
    CheckPassed(&'a str),
    /// A check that was not made, and why, shown at `-v`.
    CheckSkipped(&'a str),
    /// Something a person should know but need not act on, shown unless `--quiet`.
    Note(&'a str),
    /// What came of the work, for the person who asked for it; shown unless `--quiet`.
    Outcome(&'a str),
    /// Something that is not as it should be; the work goes on.
    Warning(&'a str),
}

/// Sees every event. Synchronous, and cannot fail.
pub trait Observer {
    /// Takes note of one event.
    fn observe(&mut self, event: &Event<'_>);
}

/// Sees nothing: for the hot path and for tests.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&mut self, _event: &Event<'_>) {}
}
